"""BabyJubJub: the twisted Edwards curve 168700 x^2 + y^2 = 1 + 168696 x^2 y^2 over Fr.

This module must not know signatures or circuits. A point is a pair of canonical integers ``(x, y)``,
the identity is ``(0, 1)``. Nothing here is constant time.

The addition law is complete: a is a square and d is not, so no denominator vanishes on the curve, for
equal, opposite and torsion points alike.

References: H. Hisil, K. K. Wong, G. Carter, E. Dawson, "Twisted Edwards Curves Revisited", 2008
(extended coordinates, formulas add-2008-hwcd and dbl-2008-hwcd); circomlibjs (packing).
"""

from __future__ import annotations

from functools import cache

from zkrollup.bn254.fields import batch_inverse, sqrt
from zkrollup.crypto.tables import BASE8, COFACTOR, GENERATOR, MODULUS, ORDER, A, D

__all__ = [
    "BASE8",
    "COFACTOR",
    "GENERATOR",
    "IDENTITY",
    "ORDER",
    "Point",
    "add",
    "double",
    "in_subgroup",
    "is_on_curve",
    "mul",
    "mul_base8",
    "negate",
    "pack",
    "unpack",
]

Point = tuple[int, int]

IDENTITY: Point = (0, 1)

_Extended = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, T = XY/Z

_WINDOW_BITS = 6
_HALF = (MODULUS - 1) // 2
_Y_MASK = (1 << 255) - 1


def is_on_curve(point: Point) -> bool:
    """Whether both coordinates are canonical integers and satisfy the curve's equation."""
    x, y = point
    if type(x) is not int or type(y) is not int or not (0 <= x < MODULUS and 0 <= y < MODULUS):
        return False
    xx, yy = x * x % MODULUS, y * y % MODULUS
    return (A * xx + yy - 1 - D * xx * yy) % MODULUS == 0


def in_subgroup(point: Point) -> bool:
    """Whether ``point`` is on the curve and in the subgroup of prime order l (the identity is)."""
    return is_on_curve(point) and mul(point, ORDER) == IDENTITY


def negate(point: Point) -> Point:
    """-point, for a point on the curve."""
    return (-point[0] % MODULUS, point[1])


def add(p: Point, q: Point) -> Point:
    """p + q for points on the curve (not checked), all cases."""
    (x1, y1), (x2, y2) = p, q
    cross = D * x1 * x2 % MODULUS * y1 * y2 % MODULUS
    x = (x1 * y2 + y1 * x2) * pow(1 + cross, -1, MODULUS)
    y = (y1 * y2 - A * x1 * x2) * pow(1 - cross, -1, MODULUS)
    return (x % MODULUS, y % MODULUS)


def double(p: Point) -> Point:
    """2 p."""
    return add(p, p)


def mul(point: Point, scalar: int) -> Point:
    """scalar * point for a point on the curve (not checked) and a scalar >= 0, not reduced modulo l."""
    if scalar < 0:
        raise ValueError(f"scalar: expected >= 0, got {scalar}")
    start = (point[0], point[1], 1, point[0] * point[1] % MODULUS)
    odd = [start]
    twice = _double(start)
    for _ in range(7):
        odd.append(_add(odd[-1], twice))
    # Sliding windows of 4 bits, from the most significant bit down.
    out: _Extended = (0, 1, 1, 0)
    position = scalar.bit_length()
    while position > 0:
        if not scalar >> (position - 1) & 1:
            out = _double(out)
            position -= 1
            continue
        width = min(4, position)
        window = scalar >> (position - width) & ((1 << width) - 1)
        trailing = (window & -window).bit_length() - 1
        window >>= trailing
        width -= trailing
        for _ in range(width):
            out = _double(out)
        out = _add(out, odd[window >> 1])
        position -= width
    return _affine(out)


def mul_base8(scalar: int) -> Point:
    """scalar * BASE8 for any integer (reduced modulo l), by a table of multiples made on first use."""
    scalar %= ORDER
    r = MODULUS
    x, y, z, t = 0, 1, 1, 0
    for row in _base8_table():
        digit = scalar & ((1 << _WINDOW_BITS) - 1)
        scalar >>= _WINDOW_BITS
        if digit:
            # add-2008-hwcd with Z2 = 1 and d * T2 stored
            x2, y2, dt2 = row[digit - 1]
            a, b, c = x * x2 % r, y * y2 % r, t * dt2 % r
            e, f, g, h = (x + y) * (x2 + y2) - a - b, z - c, z + c, b - A * a
            e %= r
            h %= r
            x, y, z, t = e * f % r, g * h % r, f * g % r, e * h % r
    return _affine((x, y, z, t))


def pack(point: Point) -> bytes:
    """The 32-byte form: y little-endian, the top bit set when x > (r - 1) / 2."""
    x, y = point
    return (y | (x > _HALF) << 255).to_bytes(32, "little")


def unpack(data: bytes) -> Point:
    """The point of a 32-byte form; the inverse of :func:`pack`.

    Raises ``ValueError`` for another length, y >= r, a y that no point has, and the sign bit on x = 0:
    a point has one accepted form. The point may lie outside the subgroup.
    """
    if len(data) != 32:
        raise ValueError(f"packed point: expected 32 bytes, got {len(data)}")
    number = int.from_bytes(data, "little")
    y, sign = number & _Y_MASK, number >> 255
    if y >= MODULUS:
        raise ValueError(f"packed point: expected y < r, got {y}")
    yy = y * y % MODULUS
    # a - d y^2 is not zero: a is a square and d is not.
    x = sqrt((1 - yy) * pow(A - D * yy, -1, MODULUS) % MODULUS, MODULUS)
    if x is None:
        raise ValueError(f"packed point: no point of the curve has y = {y}")
    if sign and x == 0:
        raise ValueError("packed point: x is 0 and its sign bit is set")
    return (MODULUS - x if sign else x, y)


def _affine(point: _Extended) -> Point:
    x, y, z, _ = point
    scale = pow(z, -1, MODULUS)
    return (x * scale % MODULUS, y * scale % MODULUS)


def _add(p: _Extended, q: _Extended) -> _Extended:
    r = MODULUS
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a, b, c, d = x1 * x2 % r, y1 * y2 % r, D * (t1 * t2 % r) % r, z1 * z2 % r
    e, f, g, h = ((x1 + y1) * (x2 + y2) - a - b) % r, d - c, d + c, (b - A * a) % r
    return (e * f % r, g * h % r, f * g % r, e * h % r)


def _double(p: _Extended) -> _Extended:
    r = MODULUS
    x, y, z, _ = p
    a, b, c = x * x % r, y * y % r, 2 * z * z
    d = A * a % r
    e, g = ((x + y) * (x + y) - a - b) % r, d + b
    f, h = (g - c) % r, d - b
    return (e * f % r, g * h % r, f * g % r, e * h % r)


@cache
def _base8_table() -> list[list[tuple[int, int, int]]]:
    """``[i][j]`` is (j + 1) * 2^(6 i) * BASE8 as ``(x, y, d x y)``."""
    rows = []
    base: _Extended = (*BASE8, 1, BASE8[0] * BASE8[1] % MODULUS)
    for _ in range(-(-ORDER.bit_length() // _WINDOW_BITS)):
        row = [base]
        for _ in range((1 << _WINDOW_BITS) - 2):
            row.append(_add(row[-1], base))
        base = _add(row[-1], base)
        rows.append(row)
    scales = iter(batch_inverse((p[2] for row in rows for p in row), MODULUS))
    table = []
    for row in rows:
        affine = []
        for x, y, _, _ in row:
            scale = next(scales)
            x, y = x * scale % MODULUS, y * scale % MODULUS
            affine.append((x, y, D * x * y % MODULUS))
        table.append(affine)
    return table
