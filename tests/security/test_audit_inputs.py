"""What a caller can hand to contract, verifier and engines: only typed refusals come back.

Fuzzing here is of shapes and types; values are the other tests' matter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from zkrollup.groth16.keys import Proof
from zkrollup.l1 import reverts
from zkrollup.state import BatchParameters
from zkrollup.testing.rollup import SimulatedKey, SimulatedRollup, make_wallets
from zkrollup.verifier import MalformedInput, verify

WALLETS = make_wallets(3)
KEY = SimulatedKey()
PROOF = KEY.unsafe_prove((1, 2, 3))

SHAPES: list[dict[str, Any]] = [
    {"a": None},
    {"a": 5},
    {"a": (1,)},
    {"a": (1, 2, 3)},
    {"a": "12"},
    {"a": {1: 2, 3: 4}},
    {"a": ((1, 2), (3, 4))},
    {"a": [*PROOF.a]},
    {"b": None},
    {"b": (1, 2)},
    {"b": ((1, 2),)},
    {"b": ((1, 2), (3,))},
    {"b": ((1, 2), (3, None))},
    {"b": PROOF.a},
    {"c": PROOF.b},
    {"c": b"12"},
]


@pytest.mark.parametrize("change", SHAPES, ids=repr)
def test_verify__refuses_a_proof_that_is_not_three_points(change: dict[str, Any]) -> None:
    """V2, V4: whatever stands where a point should, it is malformed, not a crash."""
    assert verify(KEY.verifying_key, (1, 2, 3), PROOF)
    with pytest.raises(MalformedInput, match="proof"):
        verify(KEY.verifying_key, (1, 2, 3), replace(PROOF, **change))


@pytest.mark.parametrize("proof", [None, b"", bytes(256), (PROOF.a, PROOF.b, PROOF.c)], ids=repr)
def test_verify__refuses_what_is_no_proof(proof: Any) -> None:
    """V2."""
    with pytest.raises(MalformedInput, match="proof"):
        verify(KEY.verifying_key, (1, 2, 3), proof)


def test_contract__reverts_on_a_proof_of_the_wrong_shape_and_changes_nothing() -> None:
    """R1: a call completes or reverts."""
    rollup = SimulatedRollup(BatchParameters(2, 2, 1), [WALLETS[1].account(), WALLETS[2].account()], key=KEY)
    data, commitment, proof = rollup.call(rollup.apply([WALLETS[1].transfer(1, 2, 5)]))
    before = (rollup.contract.root, rollup.contract.committed, rollup.contract.events())
    for bad in (replace(proof, a=None), replace(proof, b=(1, 2)), Proof(5, 5, 5), None):  # type: ignore[arg-type]
        with pytest.raises(reverts.ProofRejected):
            rollup.submit_call(data, commitment, bad)  # type: ignore[arg-type]
    assert (rollup.contract.root, rollup.contract.committed, rollup.contract.events()) == before
    rollup.submit_call(data, commitment, proof)


@pytest.mark.parametrize("data", [None, 5, 10**15, "01", [1, 2], 1.5])
def test_contract__takes_bytes_only(data: Any) -> None:
    """C15: a number is not that many zero bytes, and asks for no memory."""
    rollup = SimulatedRollup(BatchParameters(2, 2, 1), key=KEY)
    with pytest.raises(TypeError, match="bytes"):
        rollup.submit_call(data, 1, PROOF)
