"""Deposits were counted from zero although a genesis may hold accounts: one too many stopped the queue."""

from __future__ import annotations

import pytest

from zkrollup.l1 import plain_reverts as reverts
from zkrollup.l1.model import RollupContract
from zkrollup.state import BatchParameters
from zkrollup.state.exceptions import OutOfRange
from zkrollup.testing.rollup import SimulatedKey, SimulatedRollup, make_wallets, unsafe_accept_any_proof

PARAMETERS = BatchParameters(slots=4, depth=1, fee_tokens=0)
WALLETS = make_wallets(5)


def test_deposits__stop_before_the_tree_of_a_peopled_genesis_is_full() -> None:
    """C17: no request can come to stand in the queue that no batch can take."""
    accounts = [WALLETS[0].account(), WALLETS[1].account()]
    rollup = SimulatedRollup(PARAMETERS, accounts, key=SimulatedKey(), verify=unsafe_accept_any_proof)

    def deposit(wallet: int) -> None:
        request = WALLETS[wallet].deposit(5)
        rollup.contract.deposit(
            token=request.token, amount=5, ax=request.ax, ay=request.ay, eth_address=request.eth_address
        )

    deposit(2)
    with pytest.raises(reverts.TooManyDeposits):
        deposit(3)
    rollup.contract.request_exit(account=1, requester=WALLETS[0].eth_address)
    rollup.submit(rollup.apply())
    assert rollup.contract.queue == ()
    assert rollup.contract.withdraw(WALLETS[0].eth_address, 7) == 1000


@pytest.mark.parametrize("accounts", [-1, 4])
def test_deployment__refuses_more_genesis_accounts_than_indices(accounts: int) -> None:
    with pytest.raises(OutOfRange, match="genesis_accounts"):
        RollupContract(
            chain_id=1,
            address=2,
            rollup_id=3,
            genesis_root=4,
            verifying_key=SimulatedKey().verifying_key,
            parameters=PARAMETERS,
            genesis_accounts=accounts,
            allow_insecure_key=True,
        )
