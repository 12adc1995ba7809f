"""Batches as the state machine makes them: roots, commitment, fingerprint, snapshots, bound wires."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zkrollup.circuits.batch import BatchCircuit, batch_circuit, slot_values
from zkrollup.circuits.public_data import record_commitment
from zkrollup.circuits.transaction import record_transaction
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.poseidon import poseidon
from zkrollup.crypto.tables import MODULUS
from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    StateTree,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    build_batch,
    sign_group,
    sign_transaction,
)
from zkrollup.state.public_data import challenge, commitment, fingerprint, public_data
from zkrollup.testing import mutate_witness

SNAPSHOTS = Path(__file__).parent / "snapshots.json"
OWNERS = [PrivateKey(bytes([i + 1]) * 32) for i in range(5)]
CHAIN, ROLLUP = 31337, 0xC0FFEE

AMOUNTS = st.one_of(st.integers(0, 3000), st.sampled_from([0, 1, 10**9, 2**27 - 1, 2**127]))

ACTIONS = st.one_of(
    st.tuples(st.just("deposit"), st.integers(0, 3), st.integers(0, 1), AMOUNTS),
    st.tuples(st.just("transfer"), st.integers(1, 8), st.integers(1, 8), AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("withdraw"), st.integers(1, 8), AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("exit"), st.integers(1, 9), st.integers(0, 3)),
    st.tuples(st.just("to address"), st.integers(1, 8), st.integers(0, 3), AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("to new"), st.integers(1, 8), st.integers(0, 4), AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("change key"), st.integers(1, 8), st.integers(0, 4), st.integers(0, 30)),
    st.tuples(st.just("group"), st.integers(1, 8), st.integers(1, 8), AMOUNTS, st.booleans()),
)


class Ledger:
    """Turns drawn actions into transactions, most of them valid; remembers nonces as it goes."""

    def __init__(self, state: StateTree) -> None:
        self.state = state
        self.nonces: dict[int, int] = {}
        self.changed: dict[int, PrivateKey] = {}

    def owner(self, index: int) -> PrivateKey:
        if index in self.changed:
            return self.changed[index]
        account = self.state.account(index)
        keys = {owner.public_key: owner for owner in OWNERS}
        return keys.get((account.ax, account.ay), OWNERS[0])

    def nonce(self, index: int) -> int:
        nonce = self.nonces.get(index, self.state.account(index).nonce)
        self.nonces[index] = nonce + 1
        return nonce

    def transactions(self, action: tuple[Any, ...]) -> list[Any]:
        """One, or a group: a transfer there and one back, or the first of the two alone."""
        if action[0] != "group":
            return [self.transaction(action)]
        _, one, other, amount, whole = action
        members = [
            Transfer(a, b, self.state.account(a).token, amount, 0, self.nonce(a))
            for a, b in ((one, other), (other, one))
        ]
        signed = sign_group(members, [self.owner(one), self.owner(other)], CHAIN, ROLLUP)
        return signed if whole else signed[:1]

    def transaction(self, action: tuple[Any, ...]) -> Any:
        kind, *values = action
        if kind == "deposit":
            owner, token, amount = values
            return Deposit(token, amount, *OWNERS[owner].public_key, 0xE0 + owner)
        if kind == "exit":
            return ForcedExit(values[0], 0xE0 + values[1])
        sender = values[0]
        token = self.state.account(sender).token
        key = OWNERS[values[1]].public_key if kind in ("to new", "change key") else (0, 0)
        if kind == "change key":
            asked = ChangeKey(sender, *key, token, values[2], self.nonce(sender))
            signed = sign_transaction(asked, self.owner(sender), CHAIN, ROLLUP)
            self.changed[sender] = OWNERS[values[1]]
            return signed
        if kind in ("to new", "to address"):
            _, owner, amount, fee = values
            rest = (0xE0 + owner, token, amount, fee, self.nonce(sender), 7, owner)
            made = (
                TransferToNew(sender, *key, *rest) if kind == "to new" else TransferToAddress(sender, *rest)
            )
            return sign_transaction(made, self.owner(sender), CHAIN, ROLLUP)
        if kind == "transfer":
            _, recipient, amount, fee = values
            unsigned: Any = Transfer(sender, recipient, token, amount, fee, self.nonce(sender))
        else:
            _, amount, fee = values
            unsigned = Withdraw(sender, 0xE9, token, amount, fee, self.nonce(sender))
        return sign_transaction(unsigned, self.owner(sender), CHAIN, ROLLUP)


def seeded(depth: int, engine: Engine) -> StateTree:
    """Accounts 1..8: each owner with tokens 0 and 1."""
    state = StateTree.in_memory(depth, engine_hasher(engine))
    state.seed(Account(i // 4, 0, 1000 + i, *OWNERS[i % 4].public_key, 0xE0 + i % 4) for i in range(8))
    return state


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(ACTIONS, max_size=4), min_size=1, max_size=2))
def test_batch__root_by_witness_is_root_by_executor(engine: Engine, batches: list[list[Any]]) -> None:
    """C9, C10, C14: and every seam holds, and C and y are the ones that L1 computes."""
    parameters = BatchParameters(4, 2, 2)
    circuit = batch_circuit(parameters)
    state = seeded(2, engine)
    hasher = engine_hasher(engine)
    for number, actions in enumerate(batches, start=1):
        ledger = Ledger(state)
        context = BatchContext(parameters, CHAIN, ROLLUP, number, ((0, 1), (1, 5)))
        asked = [transaction for action in actions for transaction in ledger.transactions(action)]
        built = build_batch(state, asked, context)
        published = public_data(built.trace)
        c = commitment(published.vector())
        z = challenge(CHAIN, ROLLUP, published.present(), c)
        public, parts = circuit.assignment(built.trace, z=z, hasher=hasher, modulus=MODULUS)
        assert public == {"C": c, "z": z, "y": fingerprint(published.present(), z)}
        witness = circuit.r1cs.witness(engine, public=public, parts=parts)
        assert circuit.r1cs.check(engine, witness) == []
        exported = circuit.r1cs.export(witness, "fees", "root_after")
        assert exported == state.root == state.recompute_root() == built.trace.root_after


def counts(depth: int = 16, fee_tokens: int = 2) -> dict[str, Any]:
    """What the snapshot holds: rows by part, rows by phase of the slot, digests."""
    circuit = batch_circuit(BatchParameters(8, depth, fee_tokens))
    phases: dict[str, int] = {}
    for scope, rows in circuit.templates["slots"].counts_by_scope().items():
        phase = scope.partition("/")[0] or "inputs and exports"
        phases[phase] = phases.get(phase, 0) + rows
    return {
        "depth": depth,
        "fee_tokens": fee_tokens,
        "constraints_per_slot": circuit.constraints_per_slot,
        "rows": {name: template.num_constraints for name, template in circuit.templates.items()},
        "slot_phases": phases,
        "digests": {name: template.digest for name, template in circuit.templates.items()},
        "batch_of_8": {"constraints": circuit.r1cs.num_constraints, "digest": circuit.r1cs.digest},
    }


def test_counts__are_those_of_the_snapshot() -> None:
    """A change of any row, hint or constant of the rollup's circuits shows as a reviewed diff.

    ``ZKROLLUP_SNAPSHOTS=write pytest tests/circuits`` writes the file anew.
    """
    found = counts()
    if os.environ.get("ZKROLLUP_SNAPSHOTS") == "write":
        SNAPSHOTS.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(SNAPSHOTS.read_text())


def test_counts__a_slot_costs_at_most_25_500_rows() -> None:
    assert counts()["constraints_per_slot"] <= 25_500


def test_counts__slots_add_exactly_their_marginal_rows() -> None:
    """The stated cost of a slot is the difference between batches, up to the last commitment step."""
    sizes = {n: BatchCircuit(BatchParameters(n, 2, 2)) for n in (15, 30, 45)}
    rows = {n: circuit.r1cs.num_constraints for n, circuit in sizes.items()}
    assert rows[45] - rows[30] == rows[30] - rows[15]
    per_slot = (rows[30] - rows[15]) / 15
    assert per_slot <= sizes[15].constraints_per_slot < per_slot + 1


def test_digest__changes_with_every_parameter() -> None:
    """V11: a key is bound to slots, depth and fee tokens."""
    shapes = [(1, 2, 2), (2, 2, 2), (1, 1, 2), (1, 2, 1)]
    assert len({BatchCircuit(BatchParameters(*shape)).r1cs.digest for shape in shapes}) == len(shapes)


def test_digest__is_the_same_when_recorded_again() -> None:
    assert record_transaction(2, 2).digest == record_transaction(2, 2).digest


def test_commitment__step_is_poseidon_of_sixteen() -> None:
    template = record_commitment()
    values = list(range(3, 19))
    links = {"c": values[0]} | {f"x{i}": v for i, v in enumerate(values[1:])}
    check = template.check(links, {})
    assert not check.failures
    assert check.exports["c_after"] == poseidon(values)


FREE = {
    "fee_entry_0": "with no fee to credit, the selector of an entry of the slot's token selects nothing",
    "inverse_or_zero": "the inverse of zero is only multiplied by that zero, so any value serves",
    "divide_or_zero": "a created key's 1 / ay where nothing is created: only multiplied by ay = 0 or by 0",
}
"""Wires that a satisfied slot leaves free, by name or by kind of hint with the honest value 0, and why."""


def is_explained(name: str, value: int) -> bool:
    """Whether the list above says why this wire is free."""
    kind, numbered, _ = name.partition("#")
    return name in FREE if not numbered else kind in FREE and value == 0


SLOTS: dict[str, tuple[Any, ...] | None] = {
    "transfer": ("transfer", 1, 1, 5, 0),
    "withdraw": ("withdraw", 1, 5, 0),
    "deposit": ("deposit", 1, 0, 70),
    "exit": ("exit", 1, 0),
    "to address": ("to address", 1, 0, 5, 0),
    "to new": ("to new", 1, 1, 5, 0),
    "change key": ("change key", 1, 1, 0),
    "group": ("group", 1, 1, 5, True),
    "refused deposit": ("deposit", 1, 0, 70),
    "noop": None,
}


@pytest.mark.parametrize("kind", SLOTS)
def test_slot__every_wire_is_bound(engine: Engine, kind: str) -> None:
    """C1: change any single wire of a satisfied slot and a row breaks, or the wire is on the list above."""
    state = StateTree.in_memory(2, engine_hasher(engine))
    state.seed([Account(0, 0, 1000, *OWNERS[0].public_key, 0xE0)])
    if kind == "refused deposit":
        state.seed(Account(1, 0, 1, *OWNERS[0].public_key, 0xA0 + i) for i in range(14))
    ledger, action = Ledger(state), SLOTS[kind]
    context = BatchContext(BatchParameters(2, 2, 1), CHAIN, ROLLUP, 1, ((0, 1),))
    transactions = [] if action is None else ledger.transactions(action)
    trace = build_batch(state, transactions, context).trace
    template = record_transaction(2, 1)
    assert (trace.slots[0].kind == Kind.NOOP) is (action is None)
    values = slot_values(trace.slots[0], trace.batch_number)
    links = {
        **{name: values.pop(name) for name in ("root", "next_index", "group", "accumulator")},
        "batch_number": trace.batch_number,
        "fees_0": values.pop("fees_0"),
        "domain": poseidon([CHAIN, ROLLUP]),
        "z": 17,
        "y": 4,
        "padding": 0,
        "fee_token_0": 0,
    }
    check = template.check(links, values)
    assert not check.failures, check
    free = mutate_witness(template, check.values, include_links=False)
    unexplained = [wire for wire in free if not is_explained(wire.name, wire.honest)]
    assert not unexplained
    assert len(free) <= 6
