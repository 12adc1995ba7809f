"""Inputs of circomlib's scalar multiplications at which a chord meets equal points: points of order five.

Usage: python benches/circomlib_small_order.py

circomlib's chord and tangent know the A of B v^2 = u^3 + A u^2 + u, but not that nothing follows u: they are
the group law of B v^2 = u^3 + A u^2 + u + c for every c. So a point off the curve is a point of
another one, and may have a small order there. EscalarMulAny adds 2^(i+1) P to k P, where k is made of the
bits before: of a P of order five, 8 P = 3 P after the bits 1 and 0, and the row of the slope says 0 = 0.

5 P = 0 is u(4 P) = u(P). With N = 3 u^2 + 2 A u + 1, L = N / (2 B v) the slope at P and m = B L^2:
u2 = u(2 P) = m - A - 2 u, and S = B L v(2 P) = m (u - u2) - N / 2; B v(2 P)^2 = S^2 / m makes
u(4 P) = m (3 u2^2 + 2 A u2 + 1)^2 / (4 S^2) - A - 2 u2. That is a polynomial in m for each u.

EdDSAPoseidonVerifier multiplies 8 times its key, so the key is such a point halved three times in BabyDbl's
formula, off the curve as it is; and a message is sought whose hash has the bits that lead there and, in
the second of the two segments that circomlib cuts the scalar into, avoid opposite points.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator

from zkrollup.audit.modular import polynomial_roots, quadratic_roots, square_root
from zkrollup.crypto.poseidon import poseidon
from zkrollup.cs.scalar_field import MODULUS as P

A, B = 168698, 1
"""Of the Montgomery curve."""
TWISTED_A, TWISTED_D = 168700, 168696
R8 = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)
HASH_BITS = {1: 1, 2: 0, 3: 1, 149: 1, 150: 0, 151: 1}

Pair = tuple[int, int]


def multiply(f: list[int], *more: list[int]) -> list[int]:
    """A product of polynomials, coefficients from the constant one up."""
    for g in more:
        out = [0] * (len(f) + len(g) - 1)
        for i, x in enumerate(f):
            for j, y in enumerate(g):
                out[i + j] = (out[i + j] + x * y) % P
        f = out
    return f


def add(f: list[int], g: list[int], k: int = 1) -> list[int]:
    return [(x + k * y) % P for x, y in itertools.zip_longest(f, g, fillvalue=0)]


def double(point: Pair) -> Pair:
    u, v = point
    slope = (3 * u * u + 2 * A * u + 1) * pow(2 * B * v, -1, P) % P
    third = (B * slope * slope - A - 2 * u) % P
    return third, (slope * (u - third) - v) % P


def order_five() -> Iterator[Pair]:
    """Montgomery points (u, v) with 4 P = -P by circomlib's doubling, not on its curve."""
    for u in itertools.count(2):
        n = (3 * u * u + 2 * A * u + 1) % P
        m, u2 = [0, 1], [-A - 2 * u, 1]
        s = add(multiply(m, add([u], u2, -1)), [n * pow(2, -1, P)], -1)
        n2 = add(multiply(u2, add(multiply([3], u2), [2 * A])), [1])
        right = multiply([4], s, s, add([A + u], u2, 2))
        for root in polynomial_roots(add(multiply(m, n2, n2), right, -1), P) or []:
            slope = square_root(root * pow(B, -1, P), P)
            if not slope or not n:
                continue
            v = n * pow(2 * B * slope, -1, P) % P
            if (B * v * v - u**3 - A * u * u - u) % P and double(double((u, v))) == (u, P - v):
                yield u, v


def edwards(point: Pair) -> Pair:
    u, v = point
    return u * pow(v, -1, P) % P, (u - 1) * pow(u + 1, -1, P) % P


def halves(point: Pair) -> Iterator[Pair]:
    """The (x, y), on the curve or not, of which BabyDbl makes a point."""
    big_x, big_y = point
    for t in quadratic_roots(big_x * TWISTED_D, -2, big_x, P) or []:  # t = x y
        total = big_y * (1 - TWISTED_D * t * t)
        for square in quadratic_roots(1, -total, -TWISTED_A * t * t, P) or []:
            y = square_root(square, P)
            if y:
                yield t * pow(y, -1, P) % P, y


def inputs() -> dict[str, list[str]]:
    """``point``: (x, y) for EscalarMulAny. ``key``, ``message``: for EdDSAPoseidonVerifier with R8."""
    found: dict[str, list[int]] = {}
    for u, v in order_five():
        found.setdefault("point", [*edwards((u, v))])
        keys = [edwards((u, v))]
        for _ in range(3):
            keys = [half for key in keys for half in halves(key)]
        if keys:
            found["key"] = [*keys[0]]
            break
    for message in itertools.count():
        value = poseidon([*R8, *found["key"], message])
        if all(value >> i & 1 == bit for i, bit in HASH_BITS.items()):
            found["message"] = [message]
            break
    return {name: [str(v) for v in values] for name, values in found.items()}


if __name__ == "__main__":
    print(json.dumps(inputs(), indent=1))
    sys.exit(0)
