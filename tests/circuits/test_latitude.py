"""What the circuit leaves to the operator, and the state machine never does: it can be proved, so whoever
rebuilds the state from the public data must follow it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zkrollup.circuits.batch import batch_circuit
from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.state import BatchContext, BatchParameters, BatchTrace, Kind, StateTree, TransferToAddress
from zkrollup.state.accounts import EMPTY_ACCOUNT, IDENTITY, Change
from zkrollup.state.public_data import decode, encode, public_data
from zkrollup.state.replay import replay
from zkrollup.state.transition import Transition

from .conftest import CHAIN, DEPTH, FEE_TOKENS, ROLLUP, SLOTS, Workshop, account

PARAMETERS = BatchParameters(SLOTS, DEPTH, FEE_TOKENS)


def workshop_with(engine: Engine, accounts: list[Any]) -> tuple[Workshop, StateTree]:
    """A workshop, and the same state for whoever follows it."""
    states = []
    for _ in range(2):
        state = StateTree.in_memory(DEPTH, engine_hasher(engine))
        state.seed(accounts)
        states.append(state)
    context = BatchContext(PARAMETERS, CHAIN, ROLLUP, 1, ((0, 3),))
    return Workshop(engine, states[0], batch_circuit(PARAMETERS), context), states[1]


def followed(workshop: Workshop, trace: BatchTrace, follower: StateTree) -> None:
    """The circuit accepts the batch, and its bytes lead a follower to the same state."""
    assert workshop.failures(trace) == set()
    replay(follower, decode(encode(public_data(trace)), PARAMETERS))
    assert follower.root == workshop.state.root
    assert list(follower.accounts()) == list(workshop.state.accounts())
    assert follower.next_index == workshop.state.next_index


def deposit(owner: int, second: Change, *, nullified: bool = False, amount: int = 9) -> Transition:
    """A deposit of an owner of token 0, done to this leaf."""
    _, ax, ay, eth_address = account(owner).key
    return Transition(
        Kind.DEPOSIT,
        nullified=nullified,
        second=second,
        amount=amount,
        token=0,
        eth_address=eth_address,
        key=(ax, ay),
    )


def test_replay__follows_a_second_account_for_one_key(engine: Engine) -> None:
    """R8: a deposit that opens an account although its owner has one."""
    workshop, follower = workshop_with(engine, [account(0), account(1), account(2)])
    opened = deposit(0, Change(4, EMPTY_ACCOUNT, account(0, balance=9)))
    followed(workshop, workshop.forge(opened), follower)
    assert follower.account(4).key == follower.account(1).key


def test_replay__follows_a_deposit_refunded_by_a_full_tree_although_its_owner_has_an_account(
    engine: Engine,
) -> None:
    """R8."""
    accounts = [replace(account(0), eth_address=0x100 + i) for i in range(14)]
    workshop, follower = workshop_with(engine, [account(0), *accounts])
    assert workshop.state.next_index == workshop.state.capacity
    workshop.context = replace(workshop.context, fee_entries=())
    refunded = deposit(0, IDENTITY, nullified=True)
    followed(workshop, workshop.forge(refunded), follower)


def test_replay__follows_a_transfer_to_any_account_with_the_address(engine: Engine) -> None:
    """R8: the state machine would take the lowest one."""
    twice = replace(account(2), eth_address=account(1).eth_address)
    workshop, follower = workshop_with(engine, [account(0), account(1), twice])
    asked = TransferToAddress(1, twice.eth_address, 0, 10, 0, 0, recipient=3)
    followed(workshop, workshop.apply(workshop.sign(asked, 0)), follower)
    assert follower.account(3).balance == 1010
