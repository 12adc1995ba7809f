"""Setup, prover and both verifiers on a small circuit."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zkrollup.bn254 import FQ_MODULUS as Q
from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254 import g1, g2
from zkrollup.engine.convert import fr_from_ints
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.prove import UnsatisfiedError, prove
from zkrollup.groth16.proving_key import WrongCircuitError
from zkrollup.groth16.setup import unsafe_setup
from zkrollup.verifier import MalformedInput, verify


def limbs(proofs: list[Proof]) -> Any:
    """Proofs as the engine's verifier takes them; coordinates may be out of range."""
    return np.stack([np.frombuffer(p.to_montgomery_bytes(), dtype=np.uint64) for p in proofs])


def native(small: Any, inputs: list[list[int]], proofs: list[Proof]) -> list[bool]:
    """The engine's verdict on many proofs."""
    words = b"".join(value.to_bytes(32, "little") for row in inputs for value in row)  # not reduced
    public = np.frombuffer(words, dtype=np.uint64).reshape(len(proofs), -1, 4)
    key = small.key.verifying_key.to_montgomery_bytes()
    return [bool(x) for x in small.engine.groth16_verify(key, limbs(proofs), public)]


def test_prove__both_verifiers_accept(small: Any) -> None:
    proof = prove(small.key, small.r1cs, small.witness, small.engine)
    inputs = list(small.witness.public)
    assert verify(small.key.verifying_key, inputs, proof) is True
    assert native(small, [inputs], [proof]) == [True]


def test_prove__two_proofs_of_one_witness_differ_in_every_element(small: Any) -> None:
    """V6."""
    one, two = (prove(small.key, small.r1cs, small.witness, small.engine) for _ in range(2))
    assert one.a != two.a
    assert one.b != two.b
    assert one.c != two.c


def test_prove__an_unsatisfied_witness_is_refused_with_every_failure(small: Any) -> None:
    values = small.witness.values.copy()
    values[1] = small.engine.fr_to_mont(fr_from_ints([7]))[0]
    broken = replace(small.witness, values=values)
    with pytest.raises(UnsatisfiedError, match="the last value is public") as caught:
        prove(small.key, small.r1cs, broken, small.engine)
    assert str(caught.value) == f"witness: {caught.value.failures}"
    assert str(caught.value).startswith(
        f"witness: {small.r1cs.name}: 1 of 9 constraints does not hold; in the "
    )


def test_prove__an_unchecked_false_witness_gives_a_proof_that_does_not_verify(small: Any) -> None:
    values = small.witness.values.copy()
    values[1] = small.engine.fr_to_mont(fr_from_ints([7]))[0]
    broken = replace(small.witness, values=values)
    proof = prove(small.key, small.r1cs, broken, small.engine, check=False)
    assert verify(small.key.verifying_key, [7, small.witness.public[1]], proof) is False


def test_prove__a_key_for_another_circuit_is_refused_by_digest(small: Any, engine: Any) -> None:
    """V11."""
    from zkrollup.cs import ConstraintSystem, System

    cs = ConstraintSystem("other", parameters={})
    x, out = cs.input("x"), cs.link("out")
    (x * x).assert_equal(out)
    system = System("other", public=["out"])
    system.add("only", cs.freeze()).connect("out", system.public("out"))
    other = system.freeze()
    witness = other.witness(engine, public={"out": 9}, parts={"only": [{"x": 3}]})
    with pytest.raises(WrongCircuitError, match="made for circuit"):
        prove(small.key, other, witness, engine)


def test_setup__two_keys_differ_and_do_not_accept_each_others_proofs(small: Any) -> None:
    other = unsafe_setup(small.r1cs, small.engine)
    assert other.verifying_key.alpha1 != small.key.verifying_key.alpha1
    proof = prove(small.key, small.r1cs, small.witness, small.engine)
    assert verify(other.verifying_key, list(small.witness.public), proof) is False


def test_setup__key_is_marked_insecure(small: Any) -> None:
    """V7."""
    assert small.key.insecure
    assert small.key.verifying_key.insecure


def test_setup__gamma_is_not_delta_and_the_known_forgery_fails(small: Any) -> None:
    """V3: A = alpha, B = beta, C = -vk_x verifies when gamma = delta; here it must not."""
    vk = small.key.verifying_key
    assert vk.gamma2 != vk.delta2
    inputs = list(small.witness.public)
    vk_x = vk.ic[0]
    for value, point in zip(inputs, vk.ic[1:], strict=True):
        vk_x = g1.add(vk_x, g1.mul(point, value))
    forged = Proof(vk.alpha1, vk.beta2, g1.negate(vk_x))
    assert verify(vk, inputs, forged) is False
    assert native(small, [inputs], [forged]) == [False]


def test_proving_key__holds_only_the_specified_elements(small: Any) -> None:
    """V7: as many points as the paper's key has, all on their curves, none beyond."""
    key, layout = small.key, small.r1cs.layout
    assert len(key.a) == layout.num_columns
    assert len(key.b1) == len(key.b2) == len(key.b_columns) <= layout.num_columns
    assert len(key.l) == layout.num_columns - layout.num_public - 1
    assert len(key.h) == layout.domain_size
    for points in (key.a, key.b1, key.l, key.h):
        assert small.engine.g1_is_on_curve(np.ascontiguousarray(points)).all()
    assert small.engine.g2_is_in_subgroup(np.ascontiguousarray(key.b2)).all()


def mutated(draw: random.Random, inputs: list[int], proof: Proof) -> tuple[list[int], Proof]:
    """One random flaw in a proof or its public inputs."""
    inputs = list(inputs)
    kind = draw.randrange(8)
    if kind == 0:
        place = draw.randrange(len(inputs))
        inputs[place] = (inputs[place] + draw.choice([1, -1, draw.randrange(1, R)])) % R
    elif kind == 1:
        place = draw.randrange(len(inputs))
        inputs[place] += R
    elif kind == 2:
        proof = replace(proof, a=g1.add(proof.a, (1, 2)))
    elif kind == 3:
        proof = replace(proof, c=g1.negate(proof.c))
    elif kind == 4:
        proof = replace(proof, a=proof.c, c=proof.a)
    elif kind == 5:
        proof = replace(proof, b=g2.negate(proof.b))
    elif kind == 6:
        name = draw.choice("ac")
        x, y = getattr(proof, name)
        flawed = draw.choice(
            [(x ^ (1 << draw.randrange(256)), y), (x, (y + draw.randrange(1, Q)) % Q), (0, 0)]
        )
        proof = replace(proof, **{name: flawed})
    else:
        (x0, x1), (y0, y1) = proof.b
        proof = replace(proof, b=draw.choice([((x1, x0), (y0, y1)), ((x0, x1), (y1, y0)), ((0, 0), (0, 0))]))
    return inputs, proof


def python_verdict(small: Any, inputs: list[int], proof: Proof) -> bool:
    """The pure-Python verifier, a refusal counted as not accepted."""
    try:
        return verify(small.key.verifying_key, inputs, proof)
    except MalformedInput:
        return False


def survivors(small: Any, count: int, sample: int) -> None:
    """Mutates ``count`` times, demands that none is accepted, and that Python agrees on a sample."""
    draw = random.Random(count)
    proof = prove(small.key, small.r1cs, small.witness, small.engine)
    inputs = list(small.witness.public)
    cases = [mutated(draw, inputs, proof) for _ in range(count)]
    # What does not fit 256 bits cannot even be written down for the engine, nor on a chain.
    cases = [(i, p) for i, p in cases if max(p.a) < 1 << 256 and max(p.c) < 1 << 256]

    def below_q(p: Proof) -> bool:
        return max(*p.a, *p.b[0], *p.b[1], *p.c) < Q

    refused_early = [case for case in cases if not below_q(case[1])]
    bulk = [case for case in cases if below_q(case[1])]
    assert not any(native(small, [i for i, _ in bulk], [p for _, p in bulk]))
    for i, p in [*bulk[:sample], *refused_early[:sample]]:
        assert python_verdict(small, i, p) is False
    assert native(small, [inputs], [proof]) == [True]


def test_verify__no_mutation_is_accepted(small: Any) -> None:
    """V1, V4: 600 mutated proofs and inputs; the slow twin of this test makes 10,000."""
    survivors(small, 600, 24)


@pytest.mark.slow
def test_verify__none_of_ten_thousand_mutations_is_accepted(small: Any) -> None:
    survivors(small, 10_000, 200)
