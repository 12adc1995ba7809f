"""What the demo makes up, and how it cuts a file of transactions into batches."""

from __future__ import annotations

import pytest

from zkrollup.cli.demo import cut, generate
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.state import (
    BatchContext,
    BatchParameters,
    ChangeKey,
    Deposit,
    ForcedExit,
    Noop,
    StateTree,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    apply_batch,
    sign_group,
)
from zkrollup.state.transactions import format_transactions, parse_transactions


@pytest.mark.parametrize(("count", "depth"), [(1, 1), (5, 1), (40, 1), (40, 3)])
def test_generate__makes_transactions_that_can_be_applied(count: int, depth: int) -> None:
    parameters = BatchParameters(count, depth)
    scenario = generate(count, chain_id=3, rollup_id=4, capacity=parameters.capacity)
    context = BatchContext(parameters, 3, 4, 1, tuple(scenario.fee_accounts.items()))
    state = StateTree.in_memory(depth)
    apply_batch(state, scenario.transactions, context)
    assert len(scenario.transactions) == count
    assert state.root == state.recompute_root()
    text = format_transactions(scenario.transactions)
    assert parse_transactions(text.splitlines(), "file") == scenario.transactions


def test_generate__makes_every_kind() -> None:
    made = generate(60, chain_id=3, rollup_id=4, capacity=64).transactions
    kinds = {Deposit, Transfer, TransferToAddress, TransferToNew, ChangeKey, Withdraw, ForcedExit}
    assert {type(transaction) for transaction in made} == kinds


def test_cut__keeps_groups_whole() -> None:
    key = PrivateKey(b"k" * 32)
    alone = [Transfer(1, 2, 0, i, 0, i) for i in range(5)]
    pair = sign_group([Transfer(1, 2, 0, 9, 0, n) for n in (5, 6)], [key, key], 3, 4)
    other = sign_group([Transfer(1, 2, 0, 9, 0, n) for n in (7, 8)], [key, key], 3, 4)
    pieces = cut([*alone, *pair, *other, Noop(), ForcedExit(1, 1)], 3)
    assert pieces == [alone[:3], alone[3:], pair, [*other, Noop()], [ForcedExit(1, 1)]]
    assert cut(pair, 1) == [pair]
    assert cut([], 3) == [[]]
