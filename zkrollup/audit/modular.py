"""Arithmetic modulo a prime, large or tiny: signed representatives, square roots, roots of quadratics.

This module must not know of rows or wires.
"""

from __future__ import annotations

from functools import cache

__all__ = ["is_square", "quadratic_roots", "signed", "square_root"]


def signed(value: int, p: int) -> int:
    """The representative of a residue that is nearest to zero."""
    value %= p
    return value - p if value > p >> 1 else value


def is_square(value: int, p: int) -> bool:
    """Whether a residue is a square; zero is."""
    value %= p
    return value == 0 or p == 2 or pow(value, (p - 1) >> 1, p) == 1


@cache
def _two_part(p: int) -> tuple[int, int, int]:
    """(s, q, c): p - 1 = 2^s q with q odd, c a generator of the 2-part."""
    q, s = p - 1, 0
    while q % 2 == 0:
        q, s = q >> 1, s + 1
    z = 2
    while is_square(z, p):
        z += 1
    return s, q, pow(z, q, p)


def square_root(value: int, p: int) -> int | None:
    """A square root of a residue, or None when it has none (Tonelli and Shanks)."""
    value %= p
    if p == 2 or value == 0:
        return value
    if not is_square(value, p):
        return None
    s, q, c = _two_part(p)
    root, t = pow(value, (q + 1) >> 1, p), pow(value, q, p)
    while t != 1:
        i, square = 0, t
        while square != 1:
            square, i = square * square % p, i + 1
        b = pow(c, 1 << (s - i - 1), p)
        root, c, s = root * b % p, b * b % p, i
        t = t * c % p
    return root


def quadratic_roots(a: int, b: int, c: int, p: int) -> list[int] | None:
    """The distinct roots of a x^2 + b x + c, ascending; None when every x is one."""
    a, b, c = a % p, b % p, c % p
    if a == 0:
        if b == 0:
            return None if c == 0 else []
        return [-c * pow(b, -1, p) % p]
    if p == 2:
        return [x for x in (0, 1) if (a * x + b * x + c) % 2 == 0] if (a, b, c) != (1, 1, 0) else [0, 1]
    root = square_root(b * b - 4 * a * c, p)
    if root is None:
        return []
    half = pow(2 * a, -1, p)
    return sorted({(root - b) * half % p, (-root - b) * half % p})
