"""Batches at the limits of their sizes: no fee token was refused by the circuit, not by the parameters."""

from __future__ import annotations

import pytest

from zkrollup.circuits.batch import BatchCircuit
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.tables import MODULUS
from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    StateTree,
    Transfer,
    apply_batch,
    sign_transaction,
)

OWNER = PrivateKey(bytes(32))
CHAIN, ROLLUP = 2**64 - 1, 2**160 - 1


@pytest.mark.parametrize(
    ("slots", "depth", "fee_tokens"), [(1, 1, 0), (3, 2, 0), (1, 1, 1), (1, 2, 16), (1, 16, 1)]
)
def test_batch__of_any_permitted_shape_is_satisfied(
    engine: Engine, slots: int, depth: int, fee_tokens: int
) -> None:
    """C14: one slot, no fee entry or sixteen, the shallowest and the deepest tree."""
    parameters = BatchParameters(slots, depth, fee_tokens)
    hasher = engine_hasher(engine)
    state = StateTree.in_memory(depth, hasher)
    state.seed([Account(5, 2**40 - 2, 1000, *OWNER.public_key, 0xE0)])
    fee = 7 if fee_tokens else 0
    context = BatchContext(parameters, CHAIN, ROLLUP, 2**32 - 1, ((5, 1),) if fee_tokens else ())
    sent = sign_transaction(Transfer(1, 1, 5, 1000 - fee, fee, 2**40 - 2), OWNER, CHAIN, ROLLUP)
    trace = apply_batch(state, [sent], context)
    circuit = BatchCircuit(parameters)
    public, parts = circuit.assignment(trace, z=99, hasher=hasher, modulus=MODULUS)
    witness = circuit.r1cs.witness(engine, public=public, parts=parts)
    assert circuit.r1cs.check(engine, witness) == []
    assert state.account(1).balance == 1000
    part = "fees" if fee_tokens else "slots"
    assert circuit.r1cs.export(witness, part, "root_after") == state.root
