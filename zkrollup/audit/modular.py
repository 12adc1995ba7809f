"""Arithmetic modulo a prime, large or tiny: signed representatives, square roots, roots of quadratics.

This module must not know of rows or wires.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

__all__ = ["is_square", "polynomial_roots", "quadratic_roots", "signed", "square_root"]


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


def polynomial_roots(coefficients: Sequence[int], p: int) -> list[int] | None:
    """The distinct roots of a polynomial, ascending; its coefficients from the constant one up.

    None when it is zero everywhere by its coefficients. What divides x^p - x is split by
    gcd with (x + k)^((p - 1) / 2) - 1 for k = 0, 1, … (Cantor and Zassenhaus, with shifts in order).
    """
    f = _trimmed(coefficients, p)
    if len(f) <= 3:
        return _roots_of_short(f, p) if f else None
    if p < 64:
        return [x for x in range(p) if not sum(k * pow(x, i, p) for i, k in enumerate(f)) % p]
    linear = _gcd(_difference(_power([0, 1], p, f, p), [0, 1], p), f, p)
    found, todo, shift = [], [linear], 0
    while todo:
        part = todo.pop()
        if len(part) <= 3:
            found += _roots_of_short(part, p)
            continue
        split = part
        while len(split) in (1, len(part)):
            power = _power([shift, 1], p >> 1, part, p)
            split = _gcd(_difference(power, [1], p), part, p)
            shift += 1
        todo += [split, _divided(part, split, p)[0]]
    return sorted(found)


def _roots_of_short(f: Sequence[int], p: int) -> list[int]:
    c, b, a = [*f, 0, 0][:3]
    return quadratic_roots(a, b, c, p) or []


def _trimmed(f: Sequence[int], p: int) -> list[int]:
    out = [k % p for k in f]
    while out and not out[-1]:
        out.pop()
    return out


def _difference(f: Sequence[int], g: Sequence[int], p: int) -> list[int]:
    size = max(len(f), len(g))
    padded = zip([*f, *[0] * (size - len(f))], [*g, *[0] * (size - len(g))], strict=True)
    return _trimmed([x - y for x, y in padded], p)


def _divided(f: Sequence[int], g: Sequence[int], p: int) -> tuple[list[int], list[int]]:
    """Quotient and remainder; g is not zero."""
    rest, unit = list(f), pow(g[-1], -1, p)
    quotient = [0] * max(0, len(f) - len(g) + 1)
    for at in reversed(range(len(quotient))):
        k = quotient[at] = rest[at + len(g) - 1] * unit % p
        if k:
            for i, v in enumerate(g):
                rest[at + i] = (rest[at + i] - k * v) % p
    return quotient, _trimmed(rest[: len(g) - 1], p)


def _gcd(f: Sequence[int], g: Sequence[int], p: int) -> list[int]:
    """The greatest common divisor; g is not zero."""
    x, y = list(g), list(f)
    while y:
        x, y = y, _divided(x, y, p)[1]
    return x


def _power(f: Sequence[int], exponent: int, modulus: Sequence[int], p: int) -> list[int]:
    out, base = [1], list(f)
    while exponent:
        if exponent & 1:
            out = _divided(_product(out, base, p), modulus, p)[1]
        base = _divided(_product(base, base, p), modulus, p)[1]
        exponent >>= 1
    return out


def _product(f: Sequence[int], g: Sequence[int], p: int) -> list[int]:
    out = [0] * (len(f) + len(g) - 1) if f and g else []
    for i, x in enumerate(f):
        for j, y in enumerate(g):
            out[i + j] += x * y
    return _trimmed(out, p)
