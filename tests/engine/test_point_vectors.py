"""Vectors of points: scalings, inverse transforms, sparse sums and secret scalars, on every path and twin.

Points are made from known multiples of the generator, so that what comes out is known as integers too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from zkrollup.engine import EngineError, available_cpu_paths, fr_from_ints, get_engine
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64, Engine

PATHS = [*available_cpu_paths(), "numba"]
paths = pytest.mark.parametrize("cpu", PATHS)
groups = pytest.mark.parametrize("name", ["g1", "g2"])
WIDTH = {"g1": 8, "g2": 16}
LAMBDA = 4407920970296243842393367215006156084916469457145843978461
"""A cube root of one modulo r: an endomorphism of G1 multiplies by it."""
EDGES = [
    0,
    1,
    R - 1,
    2,
    R - 2,
    3,
    7,
    8,
    9,
    15,
    16,
    17,
    R - 8,
    R - 16,
    (R - 1) // 2,
    (R + 1) // 2,
    1 << 64,
    (1 << 64) - 1,
    1 << 127,
    (1 << 128) - 1,
    1 << 253,
    LAMBDA,
    LAMBDA + 1,
    LAMBDA - 1,
    R - LAMBDA,
    R - 1 - LAMBDA,
    2 * LAMBDA % R,
    8 * LAMBDA % R,
    (8 * LAMBDA + 8) % R,
    (9 - LAMBDA) % R,
    LAMBDA * ((R - 1) // 2) % R,
]


def engine_on(cpu: str, threads: int = 2) -> Engine:
    return get_engine("numba", threads=threads) if cpu == "numba" else get_engine(cpu=cpu, threads=threads)


def mont(values: list[int]) -> U64:
    return get_engine(threads=1).fr_to_mont(fr_from_ints(v % R for v in values))


@cache
def generator(name: str) -> U64:
    g1 = [1, 2]
    g2 = [
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ]
    limbs = fr_from_ints(g1 if name == "g1" else g2)
    return get_engine(threads=1).fq_to_mont(limbs).reshape(-1)


def multiples(name: str, values: list[int]) -> U64:
    make: Any = getattr(get_engine(threads=2), f"{name}_fixed_base")
    out: U64 = make(generator(name), mont(values))
    return out


def numbers(count: int, seed: int) -> list[int]:
    source = random.Random(seed)
    return [source.randrange(R) for _ in range(count)]


@groups
@paths
def test_scale__is_right_for_edge_scalars_and_points(name: str, cpu: str) -> None:
    """Every edge scalar with a random point, infinity, and points that are edge multiples themselves."""
    scale: Any = getattr(engine_on(cpu), f"{name}_scale")
    bases = [numbers(1, 1)[0], 0, 1, R - 1, LAMBDA]
    pairs = [(m, s) for m in bases for s in EDGES]
    got = scale(multiples(name, [m for m, _ in pairs]), mont([s for _, s in pairs]))
    assert np.array_equal(got, multiples(name, [m * s for m, s in pairs]))


@groups
@paths
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 300])
def test_scale__agrees_with_fixed_base_at_every_length(name: str, cpu: str, count: int) -> None:
    if cpu == "numba":
        count = min(count, 40)
    scale: Any = getattr(engine_on(cpu), f"{name}_scale")
    m, s = numbers(count, 2), numbers(count, 3)
    points = multiples(name, m)
    assert np.array_equal(scale(points, mont(s)), multiples(name, [x * y for x, y in zip(m, s, strict=True)]))
    for common in (s[:1] or [5]) + [0, 1, R - 1, 12]:
        assert np.array_equal(scale(points, mont([common])), multiples(name, [x * common for x in m]))


@groups
@paths
def test_scale__mixes_short_and_long_scalars(name: str, cpu: str) -> None:
    """Scalars of every length beside each other, of both signs, as a lane of eight may get them."""
    count = 60 if cpu == "numba" else 254
    s = [(R - (1 << i)) % R if i % 3 else (1 << i) + i for i in range(count)]
    m = numbers(count, 4)
    scale: Any = getattr(engine_on(cpu), f"{name}_scale")
    assert np.array_equal(
        scale(multiples(name, m), mont(s)), multiples(name, [x * y for x, y in zip(m, s, strict=True)])
    )


def inverse_transform(values: list[int]) -> list[int]:
    n = len(values)
    w = pow(pow(5, (R - 1) // n, R), -1, R)
    share = pow(n, -1, R)
    return [sum(pow(w, i * j, R) * v for j, v in enumerate(values)) * share % R for i in range(n)]


@groups
@paths
@pytest.mark.parametrize("n", [1, 2, 4, 16, 64])
def test_intt_points__is_the_inverse_transform_in_the_exponent(name: str, cpu: str, n: int) -> None:
    if cpu == "numba":
        n = min(n, 16)
    transform: Any = getattr(engine_on(cpu), f"{name}_intt_points")
    cases = [numbers(n, 5), [0] * n, [1] * n, [7] * (n - 1) + [R - 7], [0] * (n - 1) + [1]]
    for values in cases:
        assert np.array_equal(transform(multiples(name, values)), multiples(name, inverse_transform(values)))


@groups
@paths
def test_intt_points__agrees_with_intt_over_several_tasks(name: str, cpu: str) -> None:
    """Powers of a number, as a ceremony has them, at a size that gives each thread many tasks."""
    n = 32 if cpu == "numba" else 1024
    engine = engine_on(cpu, 3)
    scalars = mont([pow(12345, i, R) for i in range(n)])
    base: Any = getattr(get_engine(threads=2), f"{name}_fixed_base")
    transform: Any = getattr(engine, f"{name}_intt_points")
    points = base(generator(name), scalars)
    before = points.copy()
    assert np.array_equal(transform(points), base(generator(name), engine.intt(scalars)))
    assert np.array_equal(points, before)


@dataclass(frozen=True, eq=False)
class Columns:
    """A sparse matrix by columns, and what each column makes of known multiples."""

    indptr: Any
    rows: Any
    coefs: Any
    constants: list[int]

    def sums(self, multipliers: list[int]) -> list[int]:
        ends = self.indptr.tolist()
        return [
            sum(self.constants[self.coefs[e]] * multipliers[self.rows[e]] for e in range(low, high)) % R
            for low, high in pairwise(ends)
        ]


def columns(lengths: list[int], constants: list[int], num_rows: int, seed: int) -> Columns:
    source = np.random.default_rng(seed)
    total = sum(lengths)
    return Columns(
        np.cumsum([0, *lengths]).astype(np.uint32),
        source.integers(0, num_rows, total, dtype=np.uint32),
        source.integers(0, len(constants), total, dtype=np.uint32),
        constants,
    )


SPARSE = {
    "no columns": ([], [1]),
    "empty columns": ([0, 0, 0], [1]),
    "ones": ([1, 2, 3, 0, 5, 8, 1], [1, R - 1]),
    "zeros among them": ([3, 4, 0, 6, 1], [0, 1, R - 1, 0]),
    "few constants": ([1, 9, 2, 20, 0, 4], [0, 1, R - 1, 5, R - 5, 1 << 200, 5]),
    "all different": ([3, 7, 1, 17], numbers(40, 6)),
    "powers of two": ([5, 30, 12], [1 << i for i in range(30)]),
}


@groups
@paths
@pytest.mark.parametrize("case", list(SPARSE))
def test_sparse_sums__are_what_the_columns_say(name: str, cpu: str, case: str) -> None:
    lengths, constants = SPARSE[case]
    multipliers = [0, 1, R - 1, *numbers(9, 7)]
    m = columns(lengths, constants, len(multipliers), 8)
    sums: Any = getattr(engine_on(cpu), f"{name}_sparse_sums")
    got = sums(multiples(name, multipliers), m.indptr, m.rows, m.coefs, mont(constants))
    assert np.array_equal(got, multiples(name, m.sums(multipliers)))


@groups
@paths
def test_sparse_sums__of_equal_and_opposite_points_double_and_cancel(name: str, cpu: str) -> None:
    """The same point again and again, a point against its opposite, infinity, under 1, -1 and others."""
    k = numbers(1, 9)[0]
    multipliers = [k, R - k, 0, k]
    rows = np.array([0, 0, 0, 0, 1, 0, 2, 2, 3, 0, 0, 1, 0, 3], np.uint32)
    coefs = np.array([0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 3, 2, 2, 3], np.uint32)
    indptr = np.array([0, 2, 4, 6, 8, 9, 11, 13, 14], np.uint32)
    m = Columns(indptr, rows, coefs, [1, R - 1, 11, R - 11])
    sums: Any = getattr(engine_on(cpu), f"{name}_sparse_sums")
    got = sums(multiples(name, multipliers), m.indptr, m.rows, m.coefs, mont(m.constants))
    assert np.array_equal(got, multiples(name, m.sums(multipliers)))


@pytest.mark.parametrize("cpu", available_cpu_paths())
def test_sparse_sums__of_columns_longer_than_a_task(cpu: str) -> None:
    """One column over many tasks, short ones between, and a last one that ends a task."""
    multipliers = numbers(50, 10)
    m = columns([3, 9000, 0, 1, 2, 4096, 7, 1000, 0], [1, R - 1, 0, 3, R - 3], 50, 11)
    engine = engine_on(cpu, 3)
    got = engine.g1_sparse_sums(multiples("g1", multipliers), m.indptr, m.rows, m.coefs, mont(m.constants))
    assert np.array_equal(got, multiples("g1", m.sums(multipliers)))


@groups
@paths
def test_secret_scalar__scales_linearly_and_back(name: str, cpu: str) -> None:
    """s P and s Q add up to s (P + Q), infinity stays, 1/s leads back, and two secrets differ."""
    engine = engine_on(cpu)
    add: Any = getattr(engine, f"{name}_add")
    k = numbers(5, 12)
    p, q = multiples(name, [*k, 0]), multiples(name, [*k[::-1], 3])
    with engine.secret_scalar() as secret, engine.secret_scalar() as other:
        scale: Any = getattr(secret, f"{name}_scale")
        assert np.array_equal(add(scale(p), scale(q)), scale(add(p, q)))
        assert np.array_equal(scale(scale(p), inverse=True), p)
        assert not np.array_equal(scale(p[:1]), p[:1])
        assert not np.array_equal(scale(p[:1]), getattr(other, f"{name}_scale")(p[:1]))
        assert scale(p[:0]).shape == (0, WIDTH[name])


@pytest.mark.skipif(not available_cpu_paths(), reason="the pairing product is the native engine's")
@paths
def test_secret_scalar__is_the_same_in_both_groups(cpu: str) -> None:
    native: Any = get_engine(threads=1)
    g1, g2 = generator("g1").reshape(1, 8), generator("g2").reshape(1, 16)
    with engine_on(cpu).secret_scalar() as secret:
        left, right = secret.g1_scale(g1), secret.g2_scale(g2)
    assert np.array_equal(native.pairing_product(left, g2), native.pairing_product(g1, right))


@groups
@paths
def test_secret_scalar__powers_are_repeated_scalings(name: str, cpu: str) -> None:
    engine = engine_on(cpu)
    points = np.tile(multiples(name, numbers(1, 13)), (6, 1))
    with engine.secret_scalar() as tau, engine.secret_scalar() as alpha:
        scale: Any = getattr(tau, f"{name}_scale")
        powers: Any = getattr(tau, f"{name}_scale_powers")
        expected = points.copy()
        for i in range(1, 6):
            expected[i:] = scale(np.ascontiguousarray(expected[i:]))
        assert np.array_equal(powers(points), expected)
        assert np.array_equal(powers(points[:3], first_exponent=3), expected[3:])
        started: Any = getattr(alpha, f"{name}_scale")(expected)
        assert np.array_equal(powers(points, alpha), started)
        assert np.array_equal(powers(points[:2], alpha, 4), started[4:])


@pytest.mark.parametrize("cpu", available_cpu_paths())
def test_secret_scalar__powers_go_on_over_tasks(cpu: str) -> None:
    engine = engine_on(cpu, 3)
    points = np.tile(generator("g1"), (1500, 1))
    with engine.secret_scalar() as tau:
        powers = tau.g1_scale_powers(points)
        assert np.array_equal(tau.g1_scale(powers[:-1]), powers[1:])
        assert np.array_equal(tau.g1_scale_powers(points[:700], None, 800), powers[800:])


@paths
def test_secret_scalar__is_gone_once_wiped(cpu: str) -> None:
    engine = engine_on(cpu)
    point = generator("g1").reshape(1, 8)
    with engine.secret_scalar() as secret:
        secret.g1_scale(point)
    with engine.secret_scalar() as other:
        with pytest.raises(EngineError, match="secret g1_scale: the secret scalar was wiped"):
            secret.g1_scale(point)
        with pytest.raises(EngineError, match="secret g1_scale_powers: start: the secret scalar was wiped"):
            other.g1_scale_powers(point, secret)
    secret.wipe()


@paths
def test_point_vectors__name_what_is_wrong_with_an_argument(cpu: str) -> None:
    engine = engine_on(cpu)
    points, scalars = multiples("g1", [1, 2, 3, 4]), mont([5, 6, 7, 8])
    bad_points, bad_scalars = points.copy(), scalars.copy()
    bad_points[2, 4:] = np.uint64(2**64 - 1)
    bad_scalars[1] = np.uint64(2**64 - 1)
    indptr, rows, coefs = (np.array(v, np.uint32) for v in ([0, 2, 3], [0, 1, 3], [0, 1, 2]))

    def sparse(**other: Any) -> Any:
        given: dict[str, Any] = {
            "points": points,
            "indptr": indptr,
            "rows": rows,
            "coefs": coefs,
            "constants": scalars,
        }
        return lambda: engine.g1_sparse_sums(**(given | other))

    def word(array: Any, at: int, value: int) -> Any:
        changed = array.copy()
        changed[at] = value
        return changed

    secret: Any = engine.secret_scalar()
    cases: list[tuple[Any, str]] = [
        (
            lambda: engine.g1_scale(points, scalars[:2]),
            r"g1_scale: scalars: expected shape \(4, 4\), or \(1, 4\)",
        ),
        (
            lambda: engine.g2_scale(points, scalars),
            r"g2_scale: points: expected shape \(n, 16\), got \(4, 8\)",
        ),
        (lambda: engine.g1_scale(points, scalars.T), r"g1_scale: scalars: expected a C-contiguous"),
        (
            lambda: engine.g1_scale(bad_points, scalars),
            "g1_scale: points: element 2 is not below the modulus q",
        ),
        (
            lambda: engine.g1_scale(points, bad_scalars),
            "g1_scale: scalars: element 1 is not below the modulus r",
        ),
        (lambda: engine.g1_intt_points(points[:3]), r"g1_intt_points: expected a power of two.*, got 3"),
        (lambda: engine.g1_intt_points(points[:0]), r"g1_intt_points: expected a power of two.*, got 0"),
        (lambda: engine.g2_intt_points(points), r"g2_intt_points: points: expected shape \(n, 16\)"),
        (lambda: engine.g1_intt_points(bad_points), "g1_intt_points: points: element 2 is not below"),
        (sparse(points=bad_points), "g1_sparse_sums: points: element 2 is not below the modulus q"),
        (sparse(constants=bad_scalars), "g1_sparse_sums: constants: element 1 is not below the modulus r"),
        (sparse(coefs=coefs[:2]), r"g1_sparse_sums: coefs: expected shape \(3,?\), got \(2,\)"),
        (
            sparse(indptr=indptr[:0]),
            "g1_sparse_sums: indptr: expected one element more than columns, got none",
        ),
        (sparse(indptr=word(indptr, 0, 1)), r"indptr\[0\] = 1: expected from 0 to 3, ascending"),
        (sparse(indptr=word(indptr, 1, 4)), r"indptr\[1\] = 4: expected from 0 to 3, ascending"),
        (sparse(indptr=word(indptr, 2, 1)), r"indptr\[2\] = 1: expected from 0 to 3, ascending"),
        (sparse(indptr=word(indptr, 2, 2)), r"indptr\[2\] = 2: expected from 0 to 3, ascending"),
        (sparse(rows=word(rows, 1, 4)), r"g1_sparse_sums: rows\[1\] = 4: expected below 4"),
        (sparse(coefs=word(coefs, 2, 9)), r"g1_sparse_sums: coefs\[2\] = 9: expected below 4"),
        (sparse(rows=rows.astype(np.int64)), "g1_sparse_sums: rows: expected dtype uint32, got int64"),
        (
            lambda: secret.g1_scale(bad_points),
            "secret g1_scale: points: element 2 is not below the modulus q",
        ),
        (lambda: secret.g2_scale(points), r"secret g2_scale: points: expected shape \(n, 16\)"),
        (
            lambda: secret.g1_scale_powers(points, 7),
            "start: expected a secret scalar of the .* engine, got int",
        ),
        (
            lambda: secret.g1_scale_powers(points, None, -1),
            r"first_exponent: expected an integer in 0..2\^63-1",
        ),
    ]
    for call, message in cases:
        with pytest.raises(EngineError, match=message):
            call()
