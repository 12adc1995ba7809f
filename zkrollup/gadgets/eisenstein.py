"""Eisenstein integers a + b w, w^2 + w + 1 = 0, and short vectors over them: how scalars are quartered.

This module must not know of points or circuits. Numbers are pairs (a, b) of integers.

A curve ``y^2 = x^3 + b`` of prime order n, with p = 1 (mod 3), has the endomorphism (x, y) -> (beta x, y),
which multiplies by a cube root of unity ``root`` modulo n; so a + b w acts as the scalar a + b root (R.
Gallant, R. Lambert, S. Vanstone, "Faster point multiplication on elliptic curves with efficient
endomorphisms", CRYPTO 2001). For a scalar u, the pairs (a, v) with ``a + v u = 0 (mod n)`` are a lattice of
rank 2 and index n, and hold a pair whose four numbers have a quarter of n's bits each:
:func:`short_relation`.
"""

from __future__ import annotations

from functools import cache

__all__ = ["Eisenstein", "multiply", "norm", "short_relation"]

Eisenstein = tuple[int, int]
Pair = tuple[Eisenstein, Eisenstein]


def multiply(x: Eisenstein, y: Eisenstein) -> Eisenstein:
    """The product, with ``w^2 = -1 - w``."""
    (a, b), (c, d) = x, y
    return a * c - b * d, a * d + b * c - b * d


def norm(x: Eisenstein) -> int:
    """``a^2 - a b + b^2``, at least 3/4 of the square of either; multiplicative."""
    a, b = x
    return a * a - a * b + b * b


def short_relation(n: int, root: int, u: int) -> Pair:
    """A pair (a, v), not both 0, with ``a + v u = 0 (mod n)``, w standing for ``root``.

    None of its four numbers has an absolute value above ``(8 n / 3)^(1/4)``, and they are not all even.
    This is Lagrange's reduction. It ends with ``N(first) <= N(second)``, N of a pair being the sum of both
    norms, and ``second`` differs from its part orthogonal to ``first`` by a multiple m of ``first`` with
    N(m) <= 1/3, as no complex number is farther from the next Eisenstein integer. The lattice has the
    determinant n, so ``n >= N(first) (N(second) - N(first) / 3) >= 2/3 N(first)^2``, and a number's square
    is at most 4/3 of the norm. All even would be twice a shorter relation.
    """
    first: Pair = (_prime(n, root), (0, 0))
    second: Pair = ((-u % n, 0), (1, 0))
    while True:
        if _pair_norm(second) < _pair_norm(first):
            first, second = second, first
        # The quotient <second, first> / N(first).
        products = [multiply(s, _conjugate(f)) for s, f in zip(second, first, strict=True)]
        inner = (products[0][0] + products[1][0], products[0][1] + products[1][1])
        quotient = _nearest(inner, _pair_norm(first))
        second = _minus(second, first, quotient)
        if _pair_norm(second) >= _pair_norm(first):
            return first


@cache
def _prime(n: int, root: int) -> Eisenstein:
    """Of norm n, with w = root modulo it: the greatest common divisor of n and w - root."""
    x, y = (n, 0), (-root, 1)
    while y != (0, 0):
        quotient = _nearest(multiply(x, _conjugate(y)), norm(y))
        step = multiply(quotient, y)
        x, y = y, (x[0] - step[0], x[1] - step[1])
    if norm(x) != n:
        raise ValueError(f"{root} is no primitive cube root of unity modulo the prime {n}")
    return x


def _conjugate(x: Eisenstein) -> Eisenstein:
    a, b = x
    return a - b, -b


def _pair_norm(pair: Pair) -> int:
    return norm(pair[0]) + norm(pair[1])


def _nearest(x: Eisenstein, by: int) -> Eisenstein:
    """The Eisenstein integer nearest to x / by, for an integer by > 0."""
    a, b = x[0] // by, x[1] // by
    near = [(a + i, b + j) for i in (0, 1) for j in (0, 1)]
    return min(near, key=lambda q: norm((x[0] - q[0] * by, x[1] - q[1] * by)))


def _minus(pair: Pair, other: Pair, quotient: Eisenstein) -> Pair:
    left, right = (multiply(quotient, x) for x in other)
    (a, b), (c, d) = pair
    return (a - left[0], b - left[1]), (c - right[0], d - right[1])
