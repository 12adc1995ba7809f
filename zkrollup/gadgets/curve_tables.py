"""BabyJubJub in plain integers, for the tables of constants that circuits look up.

This module must not know circuits. It is slow, and its points are trusted: nothing is checked.
"""

from __future__ import annotations

from functools import cache

from zkrollup.crypto.tables import GENERATOR, MODULUS, ORDER, A, D

__all__ = ["Point", "constant_multiple", "constant_sum", "montgomery_coordinates", "torsion"]

Point = tuple[int, int]


def constant_sum(p: Point, q: Point) -> Point:
    """p + q, in all cases."""
    (x1, y1), (x2, y2) = p, q
    cross = D * x1 * x2 * y1 * y2 % MODULUS
    x = (x1 * y2 + y1 * x2) * pow(1 + cross, -1, MODULUS) % MODULUS
    return x, (y1 * y2 - A * x1 * x2) * pow(1 - cross, -1, MODULUS) % MODULUS


def constant_multiple(p: Point, k: int) -> Point:
    """k p for k >= 0."""
    out = (0, 1)
    for bit in bin(k)[2:]:
        out = constant_sum(out, out)
        if bit == "1":
            out = constant_sum(out, p)
    return out


def montgomery_coordinates(p: Point) -> tuple[int, int]:
    """(u, v) of a point that is neither the identity nor of order 2."""
    u = (1 + p[1]) * pow(1 - p[1], -1, MODULUS) % MODULUS
    return u, u * pow(p[0], -1, MODULUS) % MODULUS


@cache
def torsion(order: int) -> Point:
    """A point of order 1, 2, 4 or 8, the same multiple of one generator."""
    return constant_multiple(GENERATOR, 8 // order * ORDER)
