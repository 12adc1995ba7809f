"""V1, V4, V5: thousands of mutated proofs and inputs, none accepted; engine and pure Python agree."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS as Q
from zkrollup.bn254.fields import FR_MODULUS as R
from zkrollup.groth16.keys import Proof, VerifyingKey
from zkrollup.verifier import MalformedInput, verify

SNARKJS = Path(__file__).parents[1] / "vectors" / "groth16" / "product"
VK = VerifyingKey.load(SNARKJS / "verification_key.json")
PROOF = Proof.load(SNARKJS / "proof.json")
PUBLIC = [int(value) for value in json.loads((SNARKJS / "public.json").read_text())]
UNSHIFT = pow(1 << 256, -1, Q)


def rerandomised(k, m):
    """A valid proof of the same statement."""
    return Proof(
        g1.mul(PROOF.a, pow(k, -1, R)),
        g2.add(g2.mul(PROOF.b, k), g2.mul(VK.delta2, k * m % R)),
        g1.add(PROOF.c, g1.mul(PROOF.a, m)),
    )


def limbs(proof, public):
    """The 256 bytes of a proof as an engine reads them (Montgomery), then 32 bytes an input (canonical)."""
    return proof.to_montgomery_bytes() + b"".join(value.to_bytes(32, "little") for value in public)


def flipped(generator):
    """One to three bits of one field element: nearly always off the curve."""
    data = bytearray(limbs(PROOF, PUBLIC))
    element = generator.randrange(len(data) // 32)
    for bit in generator.sample(range(256), generator.randint(1, 3)):
        data[32 * element + bit // 8] ^= 1 << bit % 8
    return bytes(data)


def aliased(generator):
    """One field element plus its modulus."""
    data = bytearray(limbs(PROOF, PUBLIC))
    element = generator.randrange(len(data) // 32)
    value = int.from_bytes(data[32 * element : 32 * element + 32], "little")
    value += Q if element < 8 else R * generator.randint(1, 4)
    data[32 * element : 32 * element + 32] = value.to_bytes(32, "little")
    return bytes(data)


class OnTheCurve:
    """Proofs of good points that do not belong together, and right proofs of wrong inputs."""

    def __init__(self):
        self.g1_step = g1.mul(g1.GENERATOR, 987654321)
        self.g2_step = g2.mul(g2.GENERATOR, 987654321)
        self.a, self.b, self.c = PROOF.a, PROOF.b, PROOF.c

    def __call__(self, generator):
        kind = generator.randrange(6)
        if kind == 0:
            self.a = g1.add(self.a, self.g1_step)
            return limbs(Proof(self.a, PROOF.b, PROOF.c), PUBLIC)
        if kind == 1:
            self.b = g2.add(self.b, self.g2_step)
            return limbs(Proof(PROOF.a, self.b, PROOF.c), PUBLIC)
        if kind == 2:
            self.c = g1.add(self.c, self.g1_step)
            return limbs(Proof(PROOF.a, PROOF.b, self.c), PUBLIC)
        if kind == 3:
            negated = generator.choice(
                [
                    Proof(g1.negate(PROOF.a), PROOF.b, PROOF.c),
                    Proof(PROOF.a, g2.negate(PROOF.b), PROOF.c),
                    Proof(PROOF.a, PROOF.b, g1.negate(PROOF.c)),
                    Proof(PROOF.c, PROOF.b, PROOF.a),
                    Proof(g1.INFINITY, PROOF.b, PROOF.c),
                    Proof(PROOF.a, g2.INFINITY, PROOF.c),
                    Proof(PROOF.a, PROOF.b, g1.INFINITY),
                ]
            )
            return limbs(negated, PUBLIC)
        public = list(PUBLIC)
        place = generator.randrange(len(public))
        public[place] = generator.choice(
            [generator.randrange(R), (public[place] + 1) % R, -public[place] % R, 0]
        )
        return limbs(PROOF, public)


def engine_accepts(engine, cases):
    words = np.frombuffer(b"".join(cases), dtype="<u8").reshape(len(cases), -1)
    proofs = np.ascontiguousarray(words[:, :32])
    public = np.ascontiguousarray(words[:, 32:]).reshape(len(cases), -1, 4)
    return engine.groth16_verify(VK.to_montgomery_bytes(), proofs, public).tolist()


def python_accepts(case):
    """A coordinate that is not canonical in one encoding is none in the other: it is passed on as it is."""
    values = [int.from_bytes(case[i : i + 32], "little") for i in range(0, len(case), 32)]
    ax, ay, b0, b1, b2, b3, cx, cy = (value * UNSHIFT % Q if value < Q else value for value in values[:8])
    try:
        return verify(VK, values[8:], Proof((ax, ay), ((b0, b1), (b2, b3)), (cx, cy)))
    except MalformedInput:
        return False


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutations__are_never_accepted_and_both_verifiers_agree(engine, count):
    """V1, V4, V5: of all mutations none passes; of rerandomised proofs, strewn in as controls, all do."""
    if engine.name == "numba":
        count = min(count, 60)  # made to run anywhere, not for bulk
    generator = random.Random(20)
    makers = [flipped, aliased, OnTheCurve(), OnTheCurve()]
    honest = limbs(PROOF, PUBLIC)
    mutated: list[bytes] = []
    while len(mutated) < count:
        case = makers[len(mutated) % len(makers)](generator)
        if case != honest:
            mutated.append(case)
    controls = [limbs(rerandomised(k, m), PUBLIC) for k, m in [(1, 0), (2, 0), (R - 1, 5), (12345, 67890)]]
    cases = mutated + controls
    expected = [False] * len(mutated) + [True] * len(controls)
    assert engine_accepts(engine, cases) == expected
    chosen = generator.sample(range(count), min(100, count))
    sample = [*chosen, *range(count, len(cases))]
    assert [python_accepts(cases[i]) for i in sample] == [expected[i] for i in sample]
