"""The native pairing: bilinear, what py_ecc computes, and sure of its groups."""

from __future__ import annotations

import random
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


def engine_of(cpu: str) -> Any:
    return get_engine("native", cpu=cpu, threads=1)


def g1(engine: Any, *scalars: int) -> U64:
    generator = engine.fq_to_mont(fq_from_ints([1, 2])).reshape(8)
    return engine.g1_fixed_base(generator, engine.fr_to_mont(fr_from_ints(scalars)))  # type: ignore[no-any-return]


def g2(engine: Any, *scalars: int) -> U64:
    generator = engine.fq_to_mont(fq_from_ints(G2_INTS)).reshape(16)
    return engine.g2_fixed_base(generator, engine.fr_to_mont(fr_from_ints(scalars)))  # type: ignore[no-any-return]


ONE = [1, *[0] * 11]


def value(engine: Any, product: U64) -> list[int]:
    return ints_from_limbs(engine.fq_from_mont(product))


@pytest.mark.parametrize("cpu", PATHS)
def test_pairing__is_what_py_ecc_computes(cpu: str) -> None:
    """e(aP, bQ) itself, coefficient by coefficient, not only the equations it satisfies.

    py_ecc writes Fq12 in powers of w over Fq, where i = w^6 - 9.
    """
    from py_ecc.optimized_bn128 import G1, G2, multiply, pairing

    engine, rng = engine_of(cpu), random.Random(5)
    for _ in range(2):
        a, b = rng.randrange(1, R), rng.randrange(1, R)
        want = [int(c) for c in pairing(multiply(G2, b), multiply(G1, a)).coeffs]
        tower = value(engine, engine.pairing_product(g1(engine, a), g2(engine, b)))
        got = [0] * 12
        for i in range(2):
            for j in range(3):
                real, imaginary = tower[6 * i + 2 * j], tower[6 * i + 2 * j + 1]
                got[i + 2 * j] = (got[i + 2 * j] + real - 9 * imaginary) % Q
                got[i + 2 * j + 6] = (got[i + 2 * j + 6] + imaginary) % Q
        assert got == want


@pytest.mark.parametrize("cpu", PATHS)
def test_pairing__is_bilinear_and_not_degenerate(cpu: str) -> None:
    engine, rng = engine_of(cpu), random.Random(6)
    for _ in range(10):
        a, b, c = (rng.randrange(1, R) for _ in range(3))
        left = engine.pairing_product(g1(engine, a, c), g2(engine, b, b))
        right = engine.pairing_product(g1(engine, (a + c) * b), g2(engine, 1))
        assert value(engine, left) == value(engine, right) != ONE
        cancelled = engine.pairing_product(g1(engine, a * b, -a), g2(engine, 1, b))
        assert value(engine, cancelled) == ONE


@pytest.mark.parametrize("cpu", PATHS)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 17])
def test_pairing__multiplies_any_number_of_pairs(cpu: str, n: int) -> None:
    """More pairs than share one Miller loop, and infinity, which counts as one."""
    engine, rng = engine_of(cpu), random.Random(n)
    a, b = ([rng.randrange(R) for _ in range(n)] for _ in range(2))
    if n > 2:
        a[1] = b[2] = 0
    total = sum(x * y for x, y in zip(a, b, strict=True))
    left = engine.pairing_product(g1(engine, *a), g2(engine, *b))
    assert value(engine, left) == value(engine, engine.pairing_product(g1(engine, total), g2(engine, 1)))


def test_pairing__refuses_points_outside_their_groups() -> None:
    engine = engine_of(PATHS[-1])
    p, q = g1(engine, 1, 2), g2(engine, 3, 4)
    off_curve, too_large = p.copy(), p.copy()
    off_curve[1, 0] ^= np.uint64(1)
    too_large[1, 3] = np.uint64(1 << 63)
    for wrong in (off_curve, too_large):
        with pytest.raises(EngineError, match="pair 1: a point outside its group"):
            engine.pairing_product(wrong, q)
    with pytest.raises(EngineError, match=r"g2: expected shape \(2, 16\)"):
        engine.pairing_product(p, q[:1])


# -- the subgroup ----------------------------------------------------------------------------------

Fq2 = tuple[int, int]


def times(a: Fq2, b: Fq2) -> Fq2:
    return (a[0] * b[0] - a[1] * b[1]) % Q, (a[0] * b[1] + a[1] * b[0]) % Q


def twist_point(seed: int) -> tuple[Fq2, Fq2]:
    """A random point of y^2 = x^3 + 3/(9 + i), almost surely of an order that r does not divide alone."""
    rng = random.Random(seed)
    inverse = pow(82, -1, Q)
    while True:
        x = (rng.randrange(Q), rng.randrange(Q))
        cube = times(x, times(x, x))
        y2 = ((cube[0] + 27 * inverse) % Q, (cube[1] - 3 * inverse) % Q)
        root = pow(y2[0] ** 2 + y2[1] ** 2, (Q + 1) // 4, Q)
        for sign in (1, -1):
            half = (y2[0] + sign * root) * pow(2, -1, Q) % Q
            y0 = pow(half, (Q + 1) // 4, Q)
            if y0 and y0 * y0 % Q == half:
                y = (y0, y2[1] * pow(2 * y0, -1, Q) % Q)
                if times(y, y) == y2:
                    return x, y


def small_order_point(seed: int, order: int) -> tuple[Fq2, Fq2]:
    """A point of this order, a prime factor of the twist's cofactor 2q - r."""
    from py_ecc.optimized_bn128 import FQ2, multiply, normalize

    (x, y), cofactor = twist_point(seed), 2 * Q - R
    assert cofactor % order == 0
    point = multiply((FQ2(x), FQ2(y), FQ2.one()), R * (cofactor // order))
    small = [tuple(int(c) for c in coordinate.coeffs) for coordinate in normalize(point)]
    return small[0], small[1]  # type: ignore[return-value]


@pytest.mark.parametrize("cpu", PATHS)
def test_pairing__tells_the_subgroup_from_the_rest_of_the_twist(cpu: str) -> None:
    """V4: points on the twist outside the subgroup: random, of small order, and a sum of both kinds."""
    engine = engine_of(cpu)
    p = g1(engine, 1)
    outside = [twist_point(seed) for seed in range(20)] + [small_order_point(s, 10069) for s in (1, 2)]
    for x, y in outside:
        point = engine.fq_to_mont(fq_from_ints([*x, *y])).reshape(1, 16)
        with pytest.raises(EngineError, match="pair 0: a point outside its group"):
            engine.pairing_product(p, point)
        assert engine.g2_is_in_subgroup(point).tolist() == [False]
        mixed = engine.g2_add(point, g2(engine, 5))
        with pytest.raises(EngineError, match="pair 0: a point outside its group"):
            engine.pairing_product(p, mixed)
    rng = random.Random(9)
    inside = g2(engine, 1, -1, 2, *(rng.randrange(R) for _ in range(20)))
    engine.pairing_product(np.repeat(p, len(inside), axis=0), inside)
    assert engine.g2_is_in_subgroup(inside).all()
