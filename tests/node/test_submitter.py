"""What the node does about L1: after a restart, a lost answer, a reorganisation, or another operator."""

from __future__ import annotations

import pytest

from zkrollup.node.errors import ForeignBatch, RollbackImpossible
from zkrollup.node.submitter import perform, withdrawal_bytes
from zkrollup.state import Withdraw
from zkrollup.testing.node import StepNode

from .conftest import FIRST, Bank


def submitted(bank: Bank, *transactions) -> list[int]:
    return [receipt.id for transaction in transactions for receipt in bank.node.submit(transaction)]


def test_submitter__brings_a_batch_to_execution_and_says_so(bank: Bank) -> None:
    waiting = submitted(bank, bank.transfer())
    bank.node.build()
    assert bank.node.look().call is None
    assert bank.node.statuses(waiting) == ["built"]
    bank.node.prove()
    assert bank.node.statuses(waiting) == ["proved"]
    assert bank.node.submit_to_l1() == "submit"
    assert bank.node.look().call is None
    assert bank.node.statuses(waiting) == ["executed"]
    assert bank.node.l1.root == bank.node.store.state.root


@pytest.mark.parametrize("restarts", ["before", "after"])
def test_submitter__is_idempotent_when_the_answer_is_lost(bank: Bank, restarts: str) -> None:
    waiting = submitted(bank, bank.transfer())
    bank.node.build()
    bank.node.prove()
    calls = bank.node.chain.num_calls
    if restarts == "before":
        bank.node.restart()
    assert bank.node.submit_to_l1() == "submit"
    if restarts == "after":
        bank.node.restart()  # L1 took it, the node never noted that
    while bank.node.submit_to_l1() is not None:
        pass
    assert bank.node.chain.num_calls == calls + 1
    assert bank.node.statuses(waiting) == ["executed"]


def test_submitter__finishes_what_was_committed_step_by_step(bank: Bank) -> None:
    node = bank.node
    paid = bank.wallets[0].sign(Withdraw(FIRST, 0x77, 0, 9, 0, 0))
    waiting = submitted(bank, paid)
    batch = node.build()
    assert batch is not None
    operator = node.l1.accounts[0]
    node.l1.commit_batch(node.l1.header(1), batch.data, batch.inputs.commitment, sender=operator)
    assert node.look().call is None  # its proof is not there yet
    node.prove()
    assert node.submit_to_l1() == "prove"
    assert node.statuses(waiting) == ["committed"]
    node.restart()
    assert node.submit_to_l1() == "execute"
    assert node.look().call is None
    assert node.statuses(waiting) == ["executed"]
    assert node.l1.pending_withdrawal(0x77, 0) == 9
    assert withdrawal_bytes(batch, node.l1) == bytes(19) + b"\x77" + bytes(4) + (9).to_bytes(16)


def test_reorganisation__submits_dropped_batches_again(bank: Bank) -> None:
    node = bank.node
    waiting = submitted(bank, bank.transfer(), bank.transfer(1))
    node.settle()
    more = submitted(bank, bank.transfer(nonce=1))
    node.settle()
    made = node.parts.prover.made
    node.chain.forget(2)
    found = node.look()
    assert (found.dropped, found.rebuilt) == (2, 0)
    assert node.statuses([*waiting, *more]) == ["proved"] * 3
    node.settle()
    assert node.statuses([*waiting, *more]) == ["executed"] * 3
    assert node.parts.prover.made == made  # the proofs still hold
    assert node.l1.root == node.store.state.root


def test_reorganisation__of_a_request_rebuilds_the_batches_after_it(bank: Bank) -> None:
    node = bank.node
    calls = node.chain.num_calls
    node.pay_in(bank.wallets[0], 40)
    waiting = submitted(bank, bank.transfer())
    node.settle()
    more = submitted(bank, bank.transfer(nonce=1))
    node.build()
    node.chain.forget(node.chain.num_calls - calls)
    node.pay_in(bank.wallets[1], 60)  # another request has the number now
    found = node.look()
    assert (found.dropped, found.rebuilt, found.waiting_again) == (1, 2, 2)
    assert node.statuses([*waiting, *more]) == ["waiting"] * 2
    node.settle()
    assert node.statuses([*waiting, *more]) == ["executed"] * 2
    assert node.store.state.account(FIRST).balance == 1_000 - 10
    assert node.store.state.account(FIRST + 1).balance == 1_000 + 10 + 60
    assert node.l1.root == node.store.state.root


def test_reorganisation__of_a_request_that_is_gone_rebuilds_too(bank: Bank) -> None:
    node = bank.node
    calls = node.chain.num_calls
    node.pay_in(bank.wallets[0], 40)
    node.build()
    node.chain.forget(node.chain.num_calls - calls)
    assert node.look().rebuilt == 1
    assert node.build() is None
    assert node.store.last_batch() == node.l1.executed


def test_reorganisation__beyond_the_journal_is_refused_by_name(bank: Bank) -> None:
    node = bank.node
    for table in ("journal", "journal_nodes", "journal_accounts"):
        node.store._db.execute(f"DELETE FROM {table}")
    node.chain.forget(node.chain.num_calls)
    with pytest.raises(RollbackImpossible, match="zkrollup restore"):
        node.look()


def test_submitter__takes_back_a_committed_batch_that_was_rebuilt(bank: Bank) -> None:
    node = bank.node
    submitted(bank, bank.transfer())
    batch = node.build()
    assert batch is not None
    operator = node.l1.accounts[0]
    node.l1.commit_batch(node.l1.header(1), batch.data, batch.inputs.commitment, sender=operator)
    node.sequencer.rollback(1)
    waiting = submitted(bank, bank.transfer(1))
    node.build()
    node.prove()
    assert [node.submit_to_l1() for _ in range(3)] == ["revert", "submit", None]
    assert node.statuses(waiting) == ["executed"]


def test_submitter__stops_at_the_batch_of_another_operator(bank: Bank) -> None:
    node = bank.node
    submitted(bank, bank.transfer())
    node.build()
    node.prove()
    found = node.look()
    assert found.call is not None
    perform(node.l1, found.call, node.l1.accounts[0])
    node.sequencer.rollback(1)  # as if this node had never built it
    with pytest.raises(ForeignBatch, match=r"batch 2 on L1 is 0x.*, the node's is none; .*zkrollup restore"):
        node.look()
    submitted(bank, bank.transfer(fee=6))
    node.build()
    with pytest.raises(ForeignBatch, match=r"batch 2 on L1 is 0x.*, the node's is 0x"):
        node.look()


def test_submitter__calls_nothing_when_the_contract_is_frozen(bank: Bank) -> None:
    node = bank.node
    node.pay_in(bank.wallets[0], 1)
    node.l1.mine(node.l1.config.request_lifetime + 2)
    node.l1.freeze(sender=node.l1.accounts[3])
    assert node.look().call is None
    assert node.build() is None


def test_chain__is_where_it_was_after_a_restart(node: StepNode) -> None:
    bank = Bank(node)
    submitted(bank, bank.transfer())
    node.settle()
    before = (node.l1.root, node.l1.block_number, node.l1.events(), node.l1.num_requests, node.l1.header(1))
    node.restart()
    assert (
        node.l1.root,
        node.l1.block_number,
        node.l1.events(),
        node.l1.num_requests,
        node.l1.header(1),
    ) == (before)
