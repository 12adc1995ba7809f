"""A node between users, restarts and an L1 that changes its mind: nothing is lost, nothing is repeated."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from zkrollup.node.errors import ForeignBatch, NodeRefusal
from zkrollup.node.follow import follow
from zkrollup.node.mempool import Limits
from zkrollup.node.policy import Policy
from zkrollup.state import Transfer, Withdraw
from zkrollup.state.exceptions import StateError
from zkrollup.state.public_data import decode
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import sign_group
from zkrollup.testing.node import StepNode
from zkrollup.testing.rollup import make_wallets

FIRST_CALLS = 2  # the operator's deposit, without which account 1 would be somebody else's
POLICY = Policy(limits=Limits(transactions=6, per_account=4), max_in_flight=3, max_nonce_gap=4)


class NodeMachine(RuleBasedStateMachine):
    """Whatever happens, an acknowledged transaction is known, is in at most one place, and says why it was
    dropped if it was."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.node = StepNode(self.directory / "node", slots=3, depth=2, policy=POLICY)
        self.wallets = [self.node.for_here(wallet) for wallet in make_wallets(3)]
        for wallet in self.wallets:
            self.node.pay_in(wallet, 100)
        self.node.settle()
        self.acknowledged: set[int] = set()

    def teardown(self) -> None:
        try:
            self.settled()
        finally:
            self.node.close()
            shutil.rmtree(self.directory)

    # -- users -----------------------------------------------------------------------------------

    def submit(self, *transactions) -> None:
        try:
            receipts = self.node.submit(*transactions)
        except (NodeRefusal, StateError):
            return  # not acknowledged
        self.acknowledged.update(receipt.id for receipt in receipts)

    def nonce(self, account: int, ahead: int) -> int:
        waiting = self.node.sequencer.mempool.waiting(account)
        return max([self.node.store.state.account(account).nonce - 1, *waiting]) + 1 + ahead

    @rule(
        place=st.integers(0, 2),
        to=st.integers(1, 5),
        amount=st.sampled_from([0, 1, 7, 60]),
        fee=st.integers(0, 5),
        ahead=st.sampled_from([0, 0, 0, 1, -1]),
    )
    def transfer(self, place: int, to: int, amount: int, fee: int, ahead: int) -> None:
        nonce = max(0, self.nonce(2 + place, ahead))
        self.submit(self.wallets[place].sign(Transfer(2 + place, to, 0, amount, fee, nonce)))

    @rule(place=st.integers(0, 2), amount=st.sampled_from([1, 30]))
    def withdraw(self, place: int, amount: int) -> None:
        withdraw = Withdraw(2 + place, 0x77, 0, amount, 1, self.nonce(2 + place, 0))
        self.submit(self.wallets[place].sign(withdraw))

    @rule(amount=st.sampled_from([1, 90]))
    def swap(self, amount: int) -> None:
        identity = self.node.store.identity
        pair = [
            Transfer(2, 3, 0, amount, 3, self.nonce(2, 0)),
            Transfer(3, 2, 0, 1, 3, self.nonce(3, 0)),
        ]
        keys = [wallet.key for wallet in self.wallets[:2]]
        self.submit(*sign_group(pair, keys, identity.chain_id, identity.rollup_id))

    @rule(place=st.integers(0, 2))
    def deposit(self, place: int) -> None:
        self.node.pay_in(self.wallets[place], 10)

    @rule(account=st.integers(2, 4), owned=st.booleans())
    def force_out(self, account: int, owned: bool) -> None:
        owner = self.wallets[account - 2].eth_address if owned else 0x5
        self.node.l1.request_exit(account, sender=owner)

    # -- the node --------------------------------------------------------------------------------

    @rule()
    def build(self) -> None:
        self.caught_up()
        self.node.build()

    @rule()
    def prove(self) -> None:
        self.node.prove()

    @rule()
    def call_l1(self) -> None:
        self.caught_up()
        self.node.submit_to_l1()

    @rule()
    def restart(self) -> None:
        self.node.restart()

    @rule(seconds=st.sampled_from([1, 700]))
    def sweep(self, seconds: int) -> None:
        self.node.now += seconds
        self.node.sequencer.sweep()

    # -- L1 --------------------------------------------------------------------------------------

    @precondition(lambda self: self.node.chain.num_calls > FIRST_CALLS)
    @rule(calls=st.integers(1, 6))
    def reorganise(self, calls: int) -> None:
        self.node.chain.forget(min(calls, self.node.chain.num_calls - FIRST_CALLS))

    @precondition(lambda self: self.node.store.last_batch() > self.node.l1.executed)
    @rule()
    def roll_back(self) -> None:
        """As far as L1 has executed: everything after that is built anew."""
        self.node.sequencer.rollback(self.node.l1.executed)

    def caught_up(self) -> None:
        """A look at L1, before anything is built on it."""
        try:
            self.node.look()
        except ForeignBatch:
            follow(self.node.sequencer, self.node.l1)

    # -- what holds ------------------------------------------------------------------------------

    @invariant()
    def acknowledged_transactions_are_known_and_in_one_place(self) -> None:
        places: Counter[tuple[int, int]] = Counter()
        for identifier in self.acknowledged:
            stored = self.node.store.find_transaction(identifier)
            assert stored is not None
            assert (stored.status == "dropped") == (stored.reason is not None)
            assert (stored.status == "waiting") == (identifier in self.node.sequencer.mempool)
            if stored.status == "batched":
                places[stored.batch, stored.slot] += 1
        assert all(times == 1 for times in places.values())

    def settled(self) -> None:
        self.caught_up()
        self.node.settle()
        node = self.node
        assert node.l1.root == node.store.state.root == node.store.state.recompute_root()
        assert node.l1.executed == node.store.last_batch()
        records = {
            number: decode(node.l1.batch_data(number), node.parameters).records
            for number in range(1, node.l1.executed + 1)
        }
        for identifier in self.acknowledged:
            stored = node.store.find_transaction(identifier)
            if stored.status == "batched":
                record = records[stored.batch][stored.slot]
                assert (record.kind, record.first) == (stored.transaction.kind, stored.transaction.sender)
        signed = sum(
            record.kind not in (Kind.DEPOSIT, Kind.FORCED_EXIT)
            for batch in records.values()
            for record in batch
        )
        batched = [self.node.store.find_transaction(i).status for i in self.acknowledged].count("batched")
        assert signed == batched  # on L1 is what was acknowledged, once each, and nothing else
        held = sum(account.balance for _, account in node.store.state.accounts())
        pending = sum(
            node.l1.pending_withdrawal(owner, 0)
            for owner in [0x5, 0x77, node.parts.operator.eth_address, *(w.eth_address for w in self.wallets)]
        )
        assert held + pending == node.l1.holdings(0)


def machine(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        NodeMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_node__loses_and_repeats_nothing_whatever_happens() -> None:
    """R9, R10."""
    machine(6, 15)


@pytest.mark.slow
def test_node__loses_and_repeats_nothing_in_long_histories() -> None:
    """R9, R10."""
    machine(60, 40)
