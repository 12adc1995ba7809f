"""Deposits were counted from zero although a genesis may hold accounts: one too many stopped the queue.

The contract counts them no more: a deposit that finds no index left is nullified and refunded.
"""

from __future__ import annotations

import pytest

from zkrollup.l1.reverts import InvalidConfig
from zkrollup.state import BatchParameters, ForcedExit
from zkrollup.testing.rollup import SimulatedKey, SimulatedRollup, make_wallets, unsafe_accept_any_proof

PARAMETERS = BatchParameters(slots=4, depth=1, fee_tokens=0)
WALLETS = make_wallets(5)


def test_deposits__of_a_full_tree_are_refunded_and_stop_no_queue() -> None:
    """C17: no request can come to stand in the queue that no batch can take."""
    accounts = [WALLETS[0].account(), WALLETS[1].account()]
    rollup = SimulatedRollup(PARAMETERS, accounts, key=SimulatedKey(), verifier=unsafe_accept_any_proof)
    for wallet, amount in ((2, 5), (3, 6), (2, 7)):
        rollup.request(WALLETS[wallet].deposit(amount))
    rollup.request(ForcedExit(1, WALLETS[0].eth_address))
    trace = rollup.apply()
    assert [slot.nullified for slot in trace.slots] == [False, True, False, False]
    assert (trace.next_before, trace.next_after, trace.slots[1].second.index) == (3, 4, 0)
    rollup.submit(trace)
    assert rollup.contract.queue == ()
    assert rollup.state.account(3).balance == 12
    assert rollup.contract.withdraw(WALLETS[3].eth_address, 7, sender=1) == 6
    assert rollup.contract.withdraw(WALLETS[0].eth_address, 7, sender=1) == 1000


@pytest.mark.parametrize("next_index", [0, 5])
def test_deployment__refuses_more_genesis_accounts_than_indices(next_index: int) -> None:
    with pytest.raises(InvalidConfig, match="genesis next index"):
        SimulatedRollup(PARAMETERS, key=SimulatedKey(), genesis_next_index=next_index)
