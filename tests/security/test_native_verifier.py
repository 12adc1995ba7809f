"""What the native Groth16 verifier refuses, and the one thing that it must not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zkrollup.engine import EngineError, available_cpu_paths, fr_from_ints, get_engine, ints_from_limbs
from zkrollup.engine.convert import FQ_MODULUS as Q
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.convert import fq_from_ints
from zkrollup.engine.interface import U64

PATHS = available_cpu_paths()
pytestmark = pytest.mark.skipif(not PATHS, reason="the native engine was not built")

G2_INTS = (
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
)


@dataclass(frozen=True)
class Trapdoor:
    """A key whose secrets the test knows, so that it can make proofs of anything."""

    alpha: int
    beta: int
    gamma: int
    delta: int
    ic: tuple[int, ...]

    def proof(self, public: list[int], a: int, b: int) -> tuple[int, int, int]:
        """The discrete logarithms of a proof that holds for these public inputs."""
        inputs = self.ic[0] + sum(x * y for x, y in zip(self.ic[1:], public, strict=True))
        c = (a * b - self.alpha * self.beta - inputs * self.gamma) * pow(self.delta, -1, R) % R
        return a, b, c


def engine_of(cpu: str, threads: int = 2) -> Any:
    return get_engine("native", cpu=cpu, threads=threads)


def g1(engine: Any, *scalars: int) -> U64:
    generator = engine.fq_to_mont(fq_from_ints([1, 2])).reshape(8)
    return engine.g1_fixed_base(generator, engine.fr_to_mont(fr_from_ints(scalars)))  # type: ignore[no-any-return]


def g2(engine: Any, *scalars: int) -> U64:
    generator = engine.fq_to_mont(fq_from_ints(G2_INTS)).reshape(16)
    return engine.g2_fixed_base(generator, engine.fr_to_mont(fr_from_ints(scalars)))  # type: ignore[no-any-return]


def key_bytes(engine: Any, t: Trapdoor) -> bytes:
    parts = [g1(engine, t.alpha), g2(engine, t.beta, t.gamma, t.delta), g1(engine, *t.ic)]
    return b"".join(part.astype("<u8").tobytes() for part in parts)


def proofs_of(engine: Any, logarithms: list[tuple[int, int, int]]) -> U64:
    a, b, c = zip(*logarithms, strict=True)
    return np.hstack([g1(engine, *a), g2(engine, *b), g1(engine, *c)])


def pack_public(rows: list[list[int]]) -> U64:
    """Unreduced: x + r must reach the verifier as it is."""
    data = b"".join(x.to_bytes(32, "little") for row in rows for x in row)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(len(rows), -1, 4)


def trapdoor(seed: int, num_public: int) -> Trapdoor:
    rng = random.Random(seed)
    values = [rng.randrange(1, R) for _ in range(5 + num_public)]
    return Trapdoor(*values[:4], tuple(values[4:]))


def sample(
    seed: int, num_public: int, count: int
) -> tuple[Trapdoor, list[list[int]], list[tuple[int, int, int]]]:
    rng, t = random.Random(seed + 1), trapdoor(seed, num_public)
    public = [[rng.choice([0, 1, R - 1, rng.randrange(R)]) for _ in range(num_public)] for _ in range(count)]
    return t, public, [t.proof(row, rng.randrange(1, R), rng.randrange(1, R)) for row in public]


@pytest.mark.parametrize("cpu", PATHS)
@pytest.mark.parametrize("num_public", [0, 1, 3, 20])
def test_native_verifier__accepts_each_true_proof_and_only_those(cpu: str, num_public: int) -> None:
    for threads in (1, 3):
        engine = engine_of(cpu, threads)
        t, public, logarithms = sample(num_public, num_public, 12)
        logarithms[4] = (logarithms[4][0], logarithms[4][1], logarithms[4][2] + 1)
        logarithms[7] = logarithms[8]
        if num_public:
            public[9][-1] = (public[9][-1] + 1) % R
        false = {4, 7, 9} if num_public else {4}
        holds = engine.groth16_verify(
            key_bytes(engine, t), proofs_of(engine, logarithms), pack_public(public)
        )
        assert holds.dtype == np.bool_
        assert set(np.flatnonzero(~holds)) == false


def test_native_verifier__accepts_public_inputs_that_cancel() -> None:
    """The sum over the inputs may be infinity: its pairing is one, as the precompile has it."""
    engine = engine_of(PATHS[-1])
    t = Trapdoor(5, 7, 11, 13, (3, R - 3))
    proofs = proofs_of(engine, [t.proof([1], 17, 19), t.proof([1], 17, 20)])
    public = pack_public([[1], [1]])
    assert engine.groth16_verify(key_bytes(engine, t), proofs, public).tolist() == [True, True]
    assert (
        engine.groth16_verify(key_bytes(engine, t), proofs, pack_public([[2], [0]])).tolist() == [False] * 2
    )


@pytest.mark.parametrize("cpu", PATHS)
def test_native_verifier__refuses_public_inputs_that_are_not_reduced(cpu: str) -> None:
    """V1: x + k r for every k that fits 256 bits, at the edges of r and q."""
    engine = engine_of(cpu)
    t = trapdoor(1, 2)
    for x in (0, 1, 5, R - 1, Q - R, Q - 1 - R):
        proofs = proofs_of(engine, [t.proof([x, 9], 3, 4)])
        assert engine.groth16_verify(key_bytes(engine, t), proofs, pack_public([[x, 9]])).tolist() == [True]
        same = [x + k * R for k in range(1, 6) if x + k * R < 1 << 256]
        assert len(same) >= 4
        for y in same:
            for row in ([y, 9], [x, 9 + R]):
                assert engine.groth16_verify(key_bytes(engine, t), proofs, pack_public([row])).tolist() == [
                    False
                ]


def test_native_verifier__reads_exactly_the_key_s_number_of_inputs() -> None:
    """V2: none, one fewer and one more are refused before anything is computed."""
    engine = engine_of(PATHS[-1])
    t, public, logarithms = sample(3, 3, 1)
    proofs, key = proofs_of(engine, logarithms), key_bytes(engine, t)
    for wrong in ([], public[0][:2], [*public[0], 0]):
        with pytest.raises(EngineError, match=r"public: expected shape \(1, 3, 4\)"):
            engine.groth16_verify(key, proofs, pack_public([wrong]))
    for shape in (proofs[:, :31], proofs.reshape(-1), np.vstack([proofs, proofs])):
        with pytest.raises(EngineError, match="groth16_verify: "):
            engine.groth16_verify(key, np.ascontiguousarray(shape), pack_public(public))
    for length in (0, 447, 448, 511, len(key) - 1, len(key) + 8):
        with pytest.raises(EngineError, match=r"vk: expected 512 \+ 64 n bytes"):
            engine.groth16_verify((key + bytes(8))[:length], proofs, pack_public(public))


def test_native_verifier__refuses_a_key_whose_gamma_is_its_delta() -> None:
    """V3: with gamma = delta, (alpha, beta, -inputs) satisfies the equation without any witness."""
    engine = engine_of(PATHS[-1])
    t = Trapdoor(5, 7, 11, 11, (3, 4))
    inputs = 3 + 4 * 6
    forged = proofs_of(engine, [(t.alpha, t.beta, -inputs)])
    with pytest.raises(EngineError, match="gamma2 equals delta2"):
        engine.groth16_verify(key_bytes(engine, t), forged, pack_public([[6]]))
    other = Trapdoor(5, 7, 11, 12, (3, 4))
    assert engine.groth16_verify(key_bytes(engine, other), forged, pack_public([[6]])).tolist() == [False]


def test_native_verifier__refuses_a_malformed_key_and_names_its_point() -> None:
    """V4, for keys: infinity, points off the curve or the subgroup, coordinates not below q."""
    engine = engine_of(PATHS[-1])
    t, public, logarithms = sample(5, 1, 1)
    proofs, key = proofs_of(engine, logarithms), key_bytes(engine, t)
    places = {"alpha1": (0, 8), "beta2": (8, 16), "gamma2": (24, 16), "delta2": (40, 16), "ic[0]": (56, 8)}
    outside = outside_subgroup(engine)
    for name, (at, limbs) in {**places, "ic[1]": (64, 8)}.items():
        words = np.frombuffer(key, dtype="<u8")
        changes = [np.zeros(limbs, dtype=np.uint64), words[at : at + limbs] ^ np.uint64(1)]
        changes.append(np.full(limbs, (1 << 64) - 1, dtype=np.uint64))
        if limbs == 16:
            changes.append(outside)
        for change in changes:
            wrong = words.copy()
            wrong[at : at + limbs] = change
            with pytest.raises(
                EngineError, match="vk: " + name.replace("[", r"\[") + " is not a finite point"
            ):
                engine.groth16_verify(wrong.tobytes(), proofs, pack_public(public))


def outside_subgroup(engine: Any) -> U64:
    """A point on the twist y^2 = x^3 + 3/(9 + i) that has not order r, Montgomery ``(16,)``."""
    inverse = pow(82, -1, Q)
    for real in range(1, 100):
        x = (real, 1)
        square = (x[0] ** 2 - x[1] ** 2, 2 * x[0] * x[1])
        cube = (square[0] * x[0] - square[1] * x[1], square[0] * x[1] + square[1] * x[0])
        y2 = ((cube[0] + 27 * inverse) % Q, (cube[1] - 3 * inverse) % Q)
        root = pow(y2[0] ** 2 + y2[1] ** 2, (Q + 1) // 4, Q)
        for sign in (1, -1):
            half = (y2[0] + sign * root) * pow(2, -1, Q) % Q
            y0 = pow(half, (Q + 1) // 4, Q)
            if y0 and y0 * y0 % Q == half:
                y1 = y2[1] * pow(2 * y0, -1, Q) % Q
                if ((y0 * y0 - y1 * y1) % Q, 2 * y0 * y1 % Q) == y2:
                    return engine.fq_to_mont(fq_from_ints([*x, y0, y1])).reshape(16)  # type: ignore[no-any-return]
    raise AssertionError("a hundred abscissas without a point")


@pytest.mark.parametrize("cpu", PATHS)
def test_native_verifier__refuses_malformed_points_as_the_precompiles_do(cpu: str) -> None:
    """V4: every coordinate x + q, off the curve; every point at infinity; G2 outside the subgroup."""
    engine = engine_of(cpu)
    t, public, logarithms = sample(11, 2, 1)
    proof = proofs_of(engine, logarithms)[0]
    wrong = []
    for word in range(0, 32, 4):
        number = ints_from_limbs(proof[word : word + 4].reshape(1, 4))[0]
        for k in range(1, 6):
            if number + k * Q < 1 << 256:
                changed = proof.copy()
                changed[word : word + 4] = np.frombuffer((number + k * Q).to_bytes(32, "little"), dtype="<u8")
                wrong.append(changed)
        for change in (0, Q, (1 << 256) - 1, (number + 1) % Q):
            changed = proof.copy()
            changed[word : word + 4] = np.frombuffer(change.to_bytes(32, "little"), dtype="<u8")
            wrong.append(changed)
    for begin, end in ((0, 8), (8, 24), (24, 32), (0, 32)):
        changed = proof.copy()
        changed[begin:end] = 0
        wrong.append(changed)
    for inner in (slice(0, 4), slice(4, 8)):  # halves of A exchanged, sign of A
        changed = proof.copy()
        changed[inner], changed[24:28] = proof[24:28], proof[inner]
        wrong.append(changed)
    changed = proof.copy()
    changed[8:24] = outside_subgroup(engine)
    wrong.append(changed)
    changed = proof.copy()
    changed[8:24] = engine.g2_add(outside_subgroup(engine).reshape(1, 16), proof[8:24].reshape(1, 16))[0]
    wrong.append(changed)
    batch = np.stack([proof, *wrong, proof])
    holds = engine.groth16_verify(key_bytes(engine, t), batch, pack_public(public * len(batch)))
    assert holds.tolist() == [True, *[False] * len(wrong), True]


def test_native_verifier__accepts_no_proof_with_a_changed_element_or_bit() -> None:
    """Each of A, B, C negated or replaced by another point; then one flipped bit in each place."""
    engine = engine_of(PATHS[-1])
    t, public, logarithms = sample(13, 1, 1)
    a, b, c = logarithms[0]
    others = [(-a, b, c), (a, -b, c), (a, b, -c), (a + 1, b, c), (a, b + 1, c), (a, b, c + 1), (1, 1, 1)]
    proofs = list(proofs_of(engine, others))
    proof = proofs_of(engine, logarithms)[0]
    for bit in range(0, 32 * 64, 7):
        changed = proof.copy()
        changed[bit // 64] ^= np.uint64(1 << bit % 64)
        proofs.append(changed)
    batch = np.stack(proofs)
    holds = engine.groth16_verify(key_bytes(engine, t), batch, pack_public(public * len(batch)))
    assert not holds.any()


@pytest.mark.slow
def test_native_verifier__accepts_none_of_ten_thousand_mutations() -> None:
    """Random bits, words and inputs of true proofs."""
    engine = engine_of(PATHS[-1])
    rng = random.Random(17)
    t, public, logarithms = sample(17, 3, 1)
    proof, words = proofs_of(engine, logarithms)[0], pack_public(public)[0].reshape(-1)
    whole = np.concatenate([proof, words])
    batch = np.repeat(whole[None, :], 10_000, axis=0)
    for row in batch:
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            row[rng.randrange(len(row))] ^= np.uint64(
                rng.choice([1 << rng.randrange(64), rng.randrange(1, 1 << 64)])
            )
    batch = batch[(batch != whole).any(axis=1)]
    proofs, inputs = (
        np.ascontiguousarray(batch[:, :32]),
        np.ascontiguousarray(batch[:, 32:]).reshape(-1, 3, 4),
    )
    assert not engine.groth16_verify(key_bytes(engine, t), proofs, inputs).any()


@pytest.mark.parametrize("cpu", PATHS)
def test_native_verifier__accepts_a_rerandomised_proof(cpu: str) -> None:
    """V5: (A/u, u B + u v delta, C + v A) is another proof of the same statement."""
    engine = engine_of(cpu)
    t, public, logarithms = sample(19, 2, 1)
    a, b, c = logarithms[0]
    u, v = 123456789, 987654321
    other = (a * pow(u, -1, R) % R, (u * b + u * v * t.delta) % R, (c + v * a) % R)
    proofs = proofs_of(engine, [other])
    assert not np.isin(proofs, proofs_of(engine, logarithms)).any()
    assert engine.groth16_verify(key_bytes(engine, t), proofs, pack_public(public)).tolist() == [True]


def test_native_verifier__answers_an_empty_batch() -> None:
    engine = engine_of(PATHS[-1])
    t = trapdoor(1, 2)
    none = engine.groth16_verify(
        key_bytes(engine, t), np.empty((0, 32), np.uint64), np.empty((0, 2, 4), np.uint64)
    )
    assert none.shape == (0,)
    with pytest.raises(EngineError, match="vk: expected bytes, got list"):
        engine.groth16_verify([], np.empty((0, 32), np.uint64), fr_from_ints([]).reshape(0, 2, 4))
