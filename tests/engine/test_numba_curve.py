"""The numba engine's curve arithmetic against py_ecc."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from py_ecc import optimized_bn128 as ecc

from zkrollup.engine import EngineError, fr_from_ints, get_engine
from zkrollup.engine.convert import FQ_MODULUS as Q
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64

GROUPS = {"g1": (8, ecc.G1, ecc.Z1), "g2": (16, ecc.G2, ecc.Z2)}
EACH_GROUP = pytest.mark.parametrize("group", ["g1", "g2"])


def row(point: Any) -> list[int]:
    """An affine point as our words: coordinates in Montgomery form, infinity as zeros."""
    if ecc.is_inf(point):
        return [0] * (8 if isinstance(point[0], ecc.FQ) else 16)
    coordinates = []
    for coordinate in ecc.normalize(point):
        parts = coordinate.coeffs if hasattr(coordinate, "coeffs") else [coordinate]
        coordinates += [int(part) for part in parts]
    return [((c << 256) % Q) >> (64 * i) & (2**64 - 1) for c in coordinates for i in range(4)]


def rows(points: list[Any], width: int) -> U64:
    return np.array([row(p) for p in points], dtype=np.uint64).reshape(-1, width)


def scalars(values: list[int]) -> U64:
    return fr_from_ints([(x << 256) % R for x in values])


def times(generator: Any, k: int) -> Any:
    return ecc.multiply(generator, k % R)


EDGES = [0, 1, 2, 3, R - 1, R - 2, (R - 1) // 2, 1 << 253, (1 << 128) - 1, (1 << 64), (1 << 15) - 1, 1 << 15]


@EACH_GROUP
def test_fixed_base__agrees_with_py_ecc(group: str) -> None:
    """Edge and random scalars, and enough of them for a wide window and several ranges."""
    width, generator, infinity = GROUPS[group]
    engine = get_engine("numba", threads=2)
    source = random.Random(2)
    values = [*EDGES, *(source.randrange(R) for _ in range(8))]
    expected = rows([times(generator, k) for k in values], width)
    base = rows([generator], width)[0]
    fixed = getattr(engine, f"{group}_fixed_base")
    assert np.array_equal(fixed(base, scalars(values)), expected)
    assert np.array_equal(fixed(base, scalars(values[:1])), expected[:1])
    many = fixed(base, scalars(values * 60))
    assert np.array_equal(many, np.tile(expected, (60, 1)))
    assert not fixed(rows([infinity], width)[0], scalars(values)).any()
    assert fixed(base, scalars([])).shape == (0, width)
    other = times(generator, 12345)
    assert np.array_equal(
        fixed(rows([other], width)[0], scalars([7, R - 7])),
        rows([times(other, 7), times(other, R - 7)], width),
    )


@EACH_GROUP
@pytest.mark.parametrize("threads", [1, 3])
def test_msm__agrees_with_py_ecc(group: str, threads: int) -> None:
    """Random, edge and all-equal scalars on distinct, equal, opposite and infinite points."""
    width, generator, infinity = GROUPS[group]
    engine = get_engine("numba", threads=threads)
    msm = getattr(engine, f"{group}_msm")
    source = random.Random(3)

    def check(logs: list[int], values: list[int]) -> None:
        """Points are given by their logarithm, so that one py_ecc product checks the whole sum."""
        bases = getattr(engine, f"{group}_fixed_base")(rows([generator], width)[0], scalars(logs))
        total = sum(x * y for x, y in zip(logs, values, strict=True)) % R
        assert np.array_equal(msm(bases, scalars(values)), np.array(row(times(generator, total)), np.uint64))

    def some(n: int) -> list[int]:
        return [source.randrange(R) for _ in range(n)]

    check([5], [R - 1])
    check([5], [0])
    check([1] * len(EDGES), EDGES)
    check(some(300), some(300))
    check(some(300), [source.choice(EDGES) for _ in range(300)])
    check(some(200), [source.randrange(2) for _ in range(200)])
    check(some(100), [source.randrange(R)] * 100)
    check([7] * 100, [source.randrange(R)] * 100)
    check([7] * 50 + [R - 7] * 50, [9] * 100)
    check([7, R - 7] * 50, some(2) * 50)
    check([0] * 10 + some(3), some(13))
    check(some(2), [R - 1, 1])
    assert not msm(rows([], width), scalars([])).any()
    assert msm(rows([], width), scalars([])).shape == (width,)
    assert not msm(rows([infinity] * 5, width), scalars(some(5))).any()


@EACH_GROUP
def test_msm__takes_the_widest_windows(group: str) -> None:
    """Long enough for windows of many bits: the sum of all k_i [i]G has a known logarithm."""
    width, generator, _ = GROUPS[group]
    engine = get_engine("numba", threads=2)
    source = random.Random(4)
    logs = list(range(1, 4097))
    values = [source.randrange(R) for _ in logs]
    bases = getattr(engine, f"{group}_fixed_base")(rows([generator], width)[0], scalars(logs))
    total = sum(x * y for x, y in zip(logs, values, strict=True)) % R
    got = getattr(engine, f"{group}_msm")(bases, scalars(values))
    assert np.array_equal(got, np.array(row(times(generator, total)), np.uint64))


@EACH_GROUP
def test_add__is_complete(group: str) -> None:
    """Every pair of infinity, P, -P, 2P, Q, and more pairs than one batch of inversions."""
    width, generator, infinity = GROUPS[group]
    engine = get_engine("numba", threads=2)
    some = [infinity, generator, ecc.neg(generator), ecc.double(generator), times(generator, 99)]
    pairs = [(p, q) for p in some for q in some]
    left, right = rows([p for p, _ in pairs], width), rows([q for _, q in pairs], width)
    expected = rows([ecc.add(p, q) for p, q in pairs], width)
    add = getattr(engine, f"{group}_add")
    assert np.array_equal(add(left, right), expected)
    copies = 90
    assert np.array_equal(
        add(np.tile(left, (copies, 1)), np.tile(right, (copies, 1))), np.tile(expected, (copies, 1))
    )
    assert add(rows([], width), rows([], width)).shape == (0, width)


def twist_point(source: random.Random) -> Any:
    """A point of the twist that is (all but surely) outside the subgroup: x by chance, y by square root."""
    b = ecc.b2
    while True:
        x = ecc.FQ2([source.randrange(Q), source.randrange(Q)])
        square = x * x * x + b
        # q = 3 mod 4: a square root in Fq2 by the complex method.
        a0, a1 = (int(c) for c in square.coeffs)
        norm = pow(a0 * a0 + a1 * a1, (Q + 1) // 4, Q)
        if norm * norm % Q != (a0 * a0 + a1 * a1) % Q:
            continue
        for sign in (1, -1):
            half = (a0 + sign * norm) * pow(2, -1, Q) % Q
            y0 = pow(half, (Q + 1) // 4, Q)
            if y0 * y0 % Q == half and y0:
                y = ecc.FQ2([y0, a1 * pow(2 * y0, -1, Q) % Q])
                if y * y == square:
                    return (x, y, ecc.FQ2.one())


def test_g1_is_on_curve__tells_points_from_others() -> None:
    engine = get_engine("numba", threads=2)
    good = [ecc.G1, ecc.Z1, times(ecc.G1, 77), ecc.neg(ecc.G1)]
    table = rows(good * 3, 8)
    table[4] = [*table[0][:4], *table[2][4:]]  # x of one, y of another
    table[5, 0] ^= np.uint64(1)
    table[6, 4:] = 0
    y = int.from_bytes(table[7, 4:].tobytes(), "little") + Q  # the same point, y not reduced
    table[7, 4:] = np.frombuffer(y.to_bytes(32, "little"), np.uint64)
    table[8] = 2**64 - 1
    expected = [True] * 4 + [False] * 5 + [True] * 3
    assert engine.g1_is_on_curve(table).tolist() == expected
    assert engine.g1_is_on_curve(rows([], 8)).tolist() == []


def test_g2_is_in_subgroup__refuses_points_of_the_twist_outside_it() -> None:
    """V4: on-curve points outside the subgroup, their cofactor multiples, off-curve and unreduced points."""
    engine = get_engine("numba", threads=2)
    outside = twist_point(random.Random(8))
    assert ecc.is_on_curve(outside, ecc.b2)
    assert not ecc.is_inf(ecc.multiply(outside, R))
    cleared = ecc.multiply(outside, 2 * Q - R)
    table = rows([ecc.G2, ecc.Z2, outside, ecc.add(outside, ecc.G2), cleared, times(ecc.G2, 5), ecc.G2], 16)
    table[5, 15] ^= np.uint64(1)
    x = int.from_bytes(table[6, :4].tobytes(), "little") + Q
    table[6, :4] = np.frombuffer(x.to_bytes(32, "little"), np.uint64)
    assert engine.g2_is_in_subgroup(table).tolist() == [True, True, False, False, True, False, False]


@EACH_GROUP
def test_curve__refuses_wrong_arguments(group: str) -> None:
    """V12: widths, lengths, dtypes and unreduced values, each with its message."""
    width, generator, _ = GROUPS[group]
    engine = get_engine("numba", threads=1)
    points = rows([generator] * 3, width)
    good = scalars([1, 2, 3])
    high_scalar = good.copy()
    high_scalar[2] = np.frombuffer(R.to_bytes(32, "little"), np.uint64)
    high_point = points.copy()
    high_point[1, width - 4 :] = np.frombuffer(Q.to_bytes(32, "little"), np.uint64)
    msm, add = getattr(engine, f"{group}_msm"), getattr(engine, f"{group}_add")
    fixed = getattr(engine, f"{group}_fixed_base")
    element = 2 * width // 4 - 1
    for call, message in [
        (lambda: msm(points[:, :7].copy(), good), rf"{group}_msm: bases: expected shape \(n, {width}\)"),
        (lambda: msm(points, good[:2]), rf"{group}_msm: scalars: expected shape \(3, 4\), got \(2, 4\)"),
        (lambda: msm(points.astype(np.int64), good), f"{group}_msm: bases: expected dtype uint64"),
        (lambda: msm(points, high_scalar), f"{group}_msm: scalars: element 2 is not below the modulus r"),
        (lambda: msm(high_point, good), f"{group}_msm: bases: element {element} is not below the modulus q"),
        (lambda: fixed(points, good), rf"{group}_fixed_base: base: expected shape \({width},\)"),
        (lambda: fixed(high_point[1], good), f"{group}_fixed_base: base: .* not below the modulus q"),
        (lambda: fixed(points[0], high_scalar), f"{group}_fixed_base: scalars: element 2 is not below"),
        (lambda: add(points, points[:1]), rf"{group}_add: b: expected shape \(3, {width}\)"),
        (lambda: add(points, high_point), f"{group}_add: b: element {element} is not below the modulus q"),
        (lambda: add(points[::2], points[:2]), f"{group}_add: a: expected a C-contiguous array"),
    ]:
        with pytest.raises(EngineError, match=message):
            call()
    with pytest.raises(EngineError, match=r"g1_is_on_curve: points: expected shape \(n, 8\)"):
        engine.g1_is_on_curve(np.zeros((2, 16), np.uint64))
    with pytest.raises(EngineError, match=r"g2_is_in_subgroup: points: expected shape \(n, 16\)"):
        engine.g2_is_in_subgroup(np.zeros((2, 8), np.uint64))
