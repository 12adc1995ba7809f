"""The numba engine's Groth16: quotient, setup and verification, with a whole proof made of engine calls."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from py_ecc import bn128 as ecc
from py_ecc import optimized_bn128 as pairing

from zkrollup.engine import (
    Block,
    EngineError,
    Layout,
    Matrix,
    SetupResult,
    fq_from_ints,
    fr_from_ints,
    get_engine,
    ints_from_limbs,
)
from zkrollup.engine import numba_engine as implementation
from zkrollup.engine.convert import FQ_MODULUS as Q
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64

ENGINE = get_engine("numba", threads=2)


def mont(values: list[int]) -> U64:
    return fr_from_ints([(x << 256) % R for x in values])


def matrix(rows: list[list[tuple[int, int]]]) -> Matrix:
    """Rows of (column, index of a constant)."""
    indptr = np.cumsum([0, *(len(row) for row in rows)]).astype(np.uint32)
    entries = [entry for row in rows for entry in row]
    return Matrix(
        indptr, np.array([c for c, _ in entries], np.uint32), np.array([k for _, k in entries], np.uint32)
    )


def cubic(instances: int) -> Layout:
    """x^3 + x + 5 = out, once for each public output; columns of an instance: one, out | x, x^2, x^3."""
    one, out, x, square, cube = range(5)
    plus, five = 1, 3
    return Layout(
        num_columns=1 + 4 * instances,
        num_public=instances,
        num_rows=3 * instances,
        blocks=(
            Block(
                num_rows=3,
                num_links=2,
                num_own=3,
                instances=instances,
                a=matrix([[(x, plus)], [(square, plus)], [(cube, plus), (x, plus), (one, five)]]),
                b=matrix([[(x, plus)], [(x, plus)], [(one, plus)]]),
                c=matrix([[(square, plus)], [(cube, plus)], [(out, plus)]]),
                constants=mont([0, 1, R - 1, 5]),
                links=np.array([[0, 1 + i] for i in range(instances)], np.uint32),
                own_base=1 + instances,
                row_base=0,
            ),
        ),
    )


def witness_of(secrets: list[int]) -> list[int]:
    outs = [(x**3 + x + 5) % R for x in secrets]
    return [1, *outs, *(v for x in secrets for v in (x, x * x % R, x**3 % R))]


def prove(engine: Any, layout: Layout, key: SetupResult, witness: U64, source: random.Random) -> U64:
    """Groth16 by the book: A, B, C from the key, the witness, the quotient and two blinding factors."""
    r, s = source.randrange(R), source.randrange(R)

    def msm(width: int, *terms: tuple[U64, U64]) -> U64:
        points = np.concatenate([p.reshape(-1, width) for p, _ in terms])
        scalars = np.concatenate([k.reshape(-1, 4) for _, k in terms])
        return engine.g1_msm(points, scalars) if width == 8 else engine.g2_msm(points, scalars)

    one, r_mont, s_mont, minus_rs = (mont([x]) for x in (1, r, s, -r * s % R))
    b_values = witness[key.b_columns]
    a = msm(8, (key.alpha1, one), (key.a, witness), (key.delta1, r_mont))
    b2 = msm(16, (key.beta2, one), (key.b2, b_values), (key.delta2, s_mont))
    b1 = msm(8, (key.beta1, one), (key.b1, b_values), (key.delta1, s_mont))
    quotient = engine.groth16_quotient(layout, witness)
    private = witness[layout.num_public + 1 :]
    c = msm(8, (key.l, private), (key.h, quotient), (a, s_mont), (b1, r_mont), (key.delta1, minus_rs))
    return np.concatenate([a, b2, c])


def vk_bytes(key: SetupResult) -> bytes:
    return b"".join(x.tobytes() for x in (key.alpha1, key.beta2, key.gamma2, key.delta2, key.ic))


class Case:
    """A key, a proof, its public inputs, and what made them."""

    def __init__(self) -> None:
        self.layout = cubic(2)
        self.values = witness_of([3, R - 2])
        self.witness = mont(self.values)
        self.key = ENGINE.groth16_setup(self.layout)
        self.vk = vk_bytes(self.key)
        self.proof = prove(ENGINE, self.layout, self.key, self.witness, random.Random(1))
        self.public = fr_from_ints(self.values[1:3])


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def point1(row: U64) -> Any:
    x, y = ints_from_limbs(ENGINE.fq_from_mont(row.reshape(2, 4)))
    return (ecc.FQ(x), ecc.FQ(y)) if x or y else None


def point2(row: U64) -> Any:
    x0, x1, y0, y1 = ints_from_limbs(ENGINE.fq_from_mont(row.reshape(4, 4)))
    return (ecc.FQ2([x0, x1]), ecc.FQ2([y0, y1])) if any((x0, x1, y0, y1)) else None


# -- quotient --------------------------------------------------------------------------------------


def interpolate(xs: list[int], ys: list[int], at: int) -> int:
    """The value at a further point of the polynomial of least degree through the points (Lagrange)."""
    total = 0
    for i, x in enumerate(xs):
        term = ys[i]
        for j, other in enumerate(xs):
            if j != i:
                term = term * (at - other) * pow(x - other, -1, R) % R
        total += term
    return total % R


@pytest.mark.parametrize("broken", [False, True])
def test_groth16_quotient__is_the_definition(broken: bool) -> None:
    """A B - C at the odd powers of the doubled domain's generator, by interpolation from the domain.

    Rows: those of the layout, then one for each public column and the constant; C is the product of A
    and B there, also for a witness that breaks a row.
    """
    layout = cubic(2)
    values = witness_of([3, R - 2])
    values[5] += broken
    a, b, _ = ENGINE.r1cs_products(layout, mont(values))
    size = layout.domain_size
    assert size == 16
    padding = size - layout.num_rows
    a_values = (ints_from_limbs(ENGINE.fr_from_mont(a)) + values[:3] + [0] * padding)[:size]
    b_values = (ints_from_limbs(ENGINE.fr_from_mont(b)) + [0] * padding)[:size]
    c_values = [x * y % R for x, y in zip(a_values, b_values, strict=True)]
    g = pow(5, (R - 1) // (2 * size), R)
    domain = [pow(g, 2 * i, R) for i in range(size)]
    expected = []
    for i in range(size):
        at = pow(g, 2 * i + 1, R)
        a_at, b_at, c_at = (interpolate(domain, ys, at) for ys in (a_values, b_values, c_values))
        expected.append((a_at * b_at - c_at) % R)
    quotient = ENGINE.groth16_quotient(layout, mont(values))
    assert ints_from_limbs(ENGINE.fr_from_mont(quotient)) == expected


# -- setup -----------------------------------------------------------------------------------------


def test_groth16_setup__gives_each_query_its_shape_and_columns(case: Case) -> None:
    key, columns, public = case.key, case.layout.num_columns, case.layout.num_public
    assert key.a.shape == (columns, 8)
    assert key.l.shape == (columns - public - 1, 8)
    assert key.ic.shape == (public + 1, 8)
    assert key.h.shape == (case.layout.domain_size, 8)
    assert key.b_columns.dtype == np.uint32
    assert key.b_columns.tolist() == [0, 3, 6]  # one, and x of both instances
    assert key.b1.shape == (3, 8)
    assert key.b2.shape == (3, 16)
    for points in (key.a, key.l, key.ic, key.h, key.b1, key.alpha1[None], key.beta1[None], key.delta1[None]):
        assert ENGINE.g1_is_on_curve(np.ascontiguousarray(points)).all()
    for points in (key.b2, key.beta2[None], key.gamma2[None], key.delta2[None]):
        assert ENGINE.g2_is_in_subgroup(np.ascontiguousarray(points)).all()
        assert points.any(axis=1).all()


def test_groth16_setup__draws_new_secrets_every_time(case: Case) -> None:
    other = ENGINE.groth16_setup(case.layout)
    for name in ("alpha1", "beta1", "delta1", "beta2", "gamma2", "delta2", "ic", "a", "b1", "b2", "l", "h"):
        assert not np.array_equal(getattr(case.key, name), getattr(other, name)), name
    assert not np.array_equal(other.gamma2, other.delta2)
    assert not ENGINE.groth16_verify(vk_bytes(other), case.proof[None], case.public[None])[0]


def test_groth16_setup__refuses_bad_draws_and_wipes_what_it_held(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V3, V7: zero, r and above, gamma = delta and a tau of the doubled domain are drawn again.

    Every buffer that ever held a secret is zero after the call, also when the call is stopped.
    """
    g = pow(5, (R - 1) // (2 * case.layout.domain_size), R)
    good = [5, 6, 7, 8, 9]
    draws = [
        [0, 6, 7, 8, 9],
        [5, 0, 7, 8, 9],
        [5, 6, 0, 8, 9],
        [5, 6, 7, 0, 9],
        [5, 6, 7, 8, 0],
        [5, 6, 7, 8, 8],
        [g, 6, 7, 8, 9],
        [g * g % R, 6, 7, 8, 9],
        [1, 6, 7, 8, 9],
        good,
    ]
    raw = [b"".join(((x << 256) % R).to_bytes(32, "little") for x in draw) for draw in draws]
    raw.insert(3, b"\xff" * 160)  # above r even when cut to 254 bits
    buffers = []

    def fill(secrets: U64) -> None:
        buffers.append(secrets)
        secrets[:] = np.frombuffer(raw[len(buffers) - 1], np.uint64).reshape(5, 4)

    monkeypatch.setattr(implementation, "_random_fill", fill)
    key = ENGINE.groth16_setup(case.layout)
    assert len(buffers) == len(raw)
    _, alpha, beta, gamma, delta = good
    assert point1(key.alpha1) == ecc.multiply(ecc.G1, alpha)
    assert point2(key.beta2) == ecc.multiply(ecc.G2, beta)
    assert point2(key.gamma2) == ecc.multiply(ecc.G2, gamma)
    assert point1(key.delta1) == ecc.multiply(ecc.G1, delta)
    assert not any(buffer.any() for buffer in buffers)

    held: list[U64] = []
    zeros = np.zeros

    def recorded(shape: Any, dtype: Any = float) -> Any:
        held.append(zeros(shape, dtype))
        return held[-1]

    monkeypatch.setattr(implementation.np, "zeros", recorded)
    monkeypatch.setattr(
        implementation,
        "_random_fill",
        lambda secrets: secrets.__setitem__(slice(None), np.frombuffer(raw[-1], np.uint64).reshape(5, 4)),
    )

    class StopError(Exception):
        pass

    def stop(phase: str, done: int, total: int) -> None:
        if phase == "a":
            assert sum(buffer.any() for buffer in held) >= 6
            raise StopError

    with pytest.raises(StopError):
        ENGINE.groth16_setup(case.layout, progress=stop)
    assert held
    assert not any(buffer.any() for buffer in held)


def test_groth16_setup__is_the_definition(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query for known secrets, against the formulas in Python integers and py_ecc points."""
    layout = cubic(1)
    tau, alpha, beta, gamma, delta = secrets = [12345, 23, 45, 67, 89]
    raw = b"".join(((x << 256) % R).to_bytes(32, "little") for x in secrets)
    monkeypatch.setattr(
        implementation,
        "_random_fill",
        lambda buffer: buffer.__setitem__(slice(None), np.frombuffer(raw, np.uint64).reshape(5, 4)),
    )
    key = ENGINE.groth16_setup(layout)
    size = layout.domain_size
    assert size == 8

    def lagrange(n: int, i: int) -> int:
        w = pow(5, (R - 1) // n, R)
        u = pow(w, i, R)
        return (pow(tau, n, R) - 1) * pow(n, -1, R) * u * pow(tau - u, -1, R) % R

    rows = [lagrange(size, i) for i in range(size)]
    # columns: one, out, x, x^2, x^3; public rows 3 and 4 carry columns 0 and 1 in A
    a = [5 * rows[2] + rows[3], rows[4], rows[0] + rows[2], rows[1], rows[2]]
    b = [rows[2], 0, rows[0] + rows[1], 0, 0]
    c = [0, rows[2], 0, rows[0], rows[1]]

    def check(points: U64, scalars: list[int]) -> None:
        assert [point1(row) for row in points] == [ecc.multiply(ecc.G1, k % R) for k in scalars]

    check(key.a, a)
    assert key.b_columns.tolist() == [0, 2]
    check(key.b1, [b[0], b[2]])
    assert [point2(row) for row in key.b2] == [ecc.multiply(ecc.G2, b[j] % R) for j in (0, 2)]
    mixed = [beta * x + alpha * y + z for x, y, z in zip(a, b, c, strict=True)]
    check(key.ic, [x * pow(gamma, -1, R) for x in mixed[:2]])
    check(key.l, [x * pow(delta, -1, R) for x in mixed[2:]])
    check(key.h, [lagrange(2 * size, 2 * i + 1) * pow(delta, -1, R) for i in range(size)])


def test_groth16_setup__reports_its_phases(case: Case) -> None:
    heard: list[tuple[str, int, int]] = []
    ENGINE.groth16_setup(case.layout, progress=lambda *step: heard.append(step))
    assert [phase for phase, done, _ in heard if done == 0] == ["scalars", "a", "b1", "b2", "l", "h"]
    assert all(done in (0, total) for _, done, total in heard)


# -- proofs ----------------------------------------------------------------------------------------


def test_proof__holds_for_its_public_inputs_only(case: Case) -> None:
    """Right, then each word of the proof and each public input changed, in one call."""
    proofs, publics = [case.proof], [case.public]
    for k in range(32):
        mutated = case.proof.copy()
        mutated[k] ^= np.uint64(1)
        proofs.append(mutated)
        publics.append(case.public)
    for k in range(2):
        other = case.public.copy()
        other[k, 0] ^= np.uint64(1)
        proofs.append(case.proof)
        publics.append(other)
    holds = ENGINE.groth16_verify(case.vk, np.stack(proofs), np.stack(publics))
    assert holds.dtype == np.bool_
    assert holds.tolist() == [True] + [False] * 34


def test_proof__satisfies_the_equation_by_py_ecc(case: Case) -> None:
    """e(A, B) = e(alpha, beta) e(ic . (1, public), gamma) e(C, delta), with another pairing."""
    key = case.key
    a, b, c = case.proof[:8].copy(), case.proof[8:24].copy(), case.proof[24:].copy()
    public = ENGINE.g1_msm(key.ic, mont([1, *case.values[1:3]]))
    product = pairing.FQ12.one()
    for p, q, sign in ((a, b, -1), (key.alpha1, key.beta2, 1), (public, key.gamma2, 1), (c, key.delta2, 1)):
        (x1, y1), (x2, y2) = point1(p), point2(q)
        left = (pairing.FQ(x1.n), pairing.FQ(sign * y1.n), pairing.FQ.one())
        right = (pairing.FQ2(x2.coeffs), pairing.FQ2(y2.coeffs), pairing.FQ2.one())
        product *= pairing.pairing(right, left, final_exponentiate=False)
    assert pairing.final_exponentiate(product) == pairing.FQ12.one()


def test_proof__of_a_false_statement_does_not_hold(case: Case) -> None:
    values = list(case.values)
    values[1] += 1
    proof = prove(ENGINE, case.layout, case.key, mont(values), random.Random(2))
    assert not ENGINE.groth16_verify(case.vk, proof[None], fr_from_ints(values[1:3])[None])[0]


def test_verify__points_of_valid_encoding_that_fit_nothing_are_refused(case: Case) -> None:
    """Elements of the groups in the wrong place: the equation itself must fail, not an encoding."""
    generator = np.concatenate([case.key.alpha1, case.key.beta2, case.key.delta1])
    negated = case.proof.copy()
    y = ints_from_limbs(negated[4:8].reshape(1, 4))[0]
    negated[4:8] = fq_from_ints([Q - y])[0]
    swapped = np.concatenate([case.proof[24:], case.proof[8:24], case.proof[:8]])
    proofs = np.stack([generator, negated, swapped, case.proof])
    holds = ENGINE.groth16_verify(case.vk, proofs, np.stack([case.public] * 4))
    assert holds.tolist() == [False, False, False, True]


def test_verify__rerandomised_proofs_hold(case: Case) -> None:
    """V5: (r A, B / r, C) and a change of B by delta both verify."""
    r = 77
    a = ENGINE.g1_msm(case.proof[None, :8].copy(), mont([r]))
    b = ENGINE.g2_msm(case.proof[None, 8:24].copy(), mont([pow(r, -1, R)]))
    scaled = np.concatenate([a, b, case.proof[24:]])
    b = ENGINE.g2_msm(np.stack([case.proof[8:24], case.key.delta2]), mont([1, r]))
    c = ENGINE.g1_msm(np.stack([case.proof[24:], case.proof[:8]]), mont([1, r]))
    shifted = np.concatenate([case.proof[:8], b, c])
    proofs = np.stack([scaled, shifted])
    assert ENGINE.groth16_verify(case.vk, proofs, np.stack([case.public] * 2)).all()


def test_verify__refuses_malformed_proofs_as_false(case: Case) -> None:
    """V1, V4: infinity, coordinates + q, points off the curve, inputs + r: false, never an error."""
    proofs, publics = [], []

    def add(proof: U64, public: U64) -> None:
        proofs.append(proof)
        publics.append(public)

    for part in (slice(0, 8), slice(8, 24), slice(24, 32)):
        proof = case.proof.copy()
        proof[part] = 0
        add(proof, case.public)
    for k in range(8):
        value = ints_from_limbs(case.proof[4 * k : 4 * k + 4].reshape(1, 4))[0] + Q
        proof = case.proof.copy()
        proof[4 * k : 4 * k + 4] = np.frombuffer(value.to_bytes(32, "little"), np.uint64)
        add(proof, case.public)
    for k in range(2):
        value = ints_from_limbs(case.public)[k] + R
        while value < 1 << 256:
            public = case.public.copy()
            public[k] = np.frombuffer(value.to_bytes(32, "little"), np.uint64)
            add(case.proof, public)
            value += R
    assert not ENGINE.groth16_verify(case.vk, np.stack(proofs), np.stack(publics)).any()


def test_verify__refuses_bad_arguments(case: Case) -> None:
    """V2, V3: keys and arrays of another size, keys that are degenerate or no points."""
    proofs, public = case.proof[None], case.public[None]

    def vk_with(start: int, values: Any) -> bytes:
        words = np.frombuffer(case.vk, np.uint64).copy()
        words[start : start + len(values)] = values
        return words.tobytes()

    off = [int(case.key.alpha1[0]) ^ 1]
    for vk, some_proofs, some_public, message in [
        (bytearray(case.vk), proofs, public, "vk: expected bytes, got bytearray"),
        (case.vk[:-1], proofs, public, r"vk: expected 512 \+ 64 n bytes"),
        (b"", proofs, public, r"vk: expected 512 \+ 64 n bytes, got 0"),
        (case.vk[:-64], proofs, public, r"public: expected shape \(1, 1, 4\), got \(1, 2, 4\)"),
        (case.vk + case.vk[-64:], proofs, public, r"public: expected shape \(1, 3, 4\)"),
        (case.vk, proofs[:, :31].copy(), public, r"proofs: expected shape \(n, 32\)"),
        (case.vk, np.tile(proofs, (2, 1)), public, r"public: expected shape \(2, 2, 4\)"),
        (case.vk, proofs.astype(np.int64), public, "proofs: expected dtype uint64"),
        (vk_with(24, case.key.delta2), proofs, public, "vk: gamma2 equals delta2"),
        (vk_with(0, [0] * 8), proofs, public, "vk: alpha1 is not a finite point"),
        (vk_with(0, off), proofs, public, "vk: alpha1 is not a finite point"),
        (vk_with(8, [0] * 16), proofs, public, "vk: beta2 is not a finite point"),
        (vk_with(24, [1]), proofs, public, "vk: gamma2 is not a finite point"),
        (vk_with(40, [1]), proofs, public, "vk: delta2 is not a finite point"),
        (vk_with(64, [1]), proofs, public, r"vk: ic\[1\] is not a finite point"),
    ]:
        with pytest.raises(EngineError, match=f"groth16_verify: {message}"):
            ENGINE.groth16_verify(vk, some_proofs, some_public)


def test_verify__takes_no_proofs(case: Case) -> None:
    empty = ENGINE.groth16_verify(case.vk, np.zeros((0, 32), np.uint64), np.zeros((0, 2, 4), np.uint64))
    assert empty.shape == (0,)


def test_proof__of_many_instances_goes_through_several_ranges() -> None:
    """300 instances: 900 rows, 300 public inputs, more than one batch of everything."""
    source = random.Random(6)
    layout = cubic(300)
    values = witness_of([source.randrange(R) for _ in range(300)])
    witness = mont(values)
    assert ENGINE.r1cs_violations(layout, witness).size == 0
    key = ENGINE.groth16_setup(layout)
    proof = prove(ENGINE, layout, key, witness, source)
    public = fr_from_ints(values[1:301])
    wrong = public.copy()
    wrong[299, 0] ^= np.uint64(1)
    holds = ENGINE.groth16_verify(vk_bytes(key), np.stack([proof, proof]), np.stack([public, wrong]))
    assert holds.tolist() == [True, False]
