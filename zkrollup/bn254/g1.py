"""The group G1: y^2 = x^3 + 3 over Fq, of prime order r.

This module must not know pairings, encodings or G2. A point is affine, ``(x, y)`` canonical; the point at
infinity is ``(0, 0)``, which is not on the curve. Not constant time.

References: Explicit-Formulas Database, Jacobian coordinates for a = 0 (dbl-2009-l, add-2007-bl,
madd-2007-bl).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS, is_canonical

__all__ = ["GENERATOR", "INFINITY", "B", "G1Point", "add", "double", "is_on_curve", "msm", "mul", "negate"]

G1Point = tuple[int, int]

B = 3
GENERATOR: G1Point = (1, 2)
INFINITY: G1Point = (0, 0)

_Q = FQ_MODULUS
_Jacobian = tuple[int, int, int]  # x = X / Z^2, y = Y / Z^3; Z = 0 at infinity


def is_on_curve(point: G1Point) -> bool:
    """Whether ``point`` has canonical coordinates and is on the curve; infinity is. G1 is the whole curve."""
    x, y = point
    if not (is_canonical(x, _Q) and is_canonical(y, _Q)):
        return False
    return point == INFINITY or (y * y - x * x * x - B) % _Q == 0


def negate(point: G1Point) -> G1Point:
    return (point[0], -point[1] % _Q)


def add(p: G1Point, q: G1Point) -> G1Point:
    """p + q, all cases; both on the curve (not checked)."""
    if p == INFINITY:
        return q
    if q == INFINITY:
        return p
    (x1, y1), (x2, y2) = p, q
    if x1 == x2:
        if (y1 + y2) % _Q == 0:
            return INFINITY
        slope = 3 * x1 * x1 * pow(2 * y1, -1, _Q) % _Q
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _Q) % _Q
    x = (slope * slope - x1 - x2) % _Q
    return (x, (slope * (x1 - x) - y1) % _Q)


def double(p: G1Point) -> G1Point:
    return add(p, p)


def mul(point: G1Point, scalar: int) -> G1Point:
    """scalar * point for any integer; ``point`` on the curve (not checked)."""
    return msm([point], [scalar])


def msm(points: Sequence[G1Point], scalars: Sequence[int]) -> G1Point:
    """sum of scalars[i] * points[i], any integers: Straus's method with windows of 4 bits."""
    if len(points) != len(scalars):
        raise ValueError(f"msm: {len(points)} points, {len(scalars)} scalars")
    reduced = [scalar % FR_MODULUS for scalar in scalars]
    kept = [(p, s) for p, s in zip(points, reduced, strict=True) if s and p != INFINITY]
    tables = []
    for (x, y), scalar in kept:
        row: list[_Jacobian] = [(0, 1, 0), (x, y, 1)]
        # A table pays for itself in long scalars only.
        for _ in range(14 if scalar.bit_length() > 32 else 0):
            row.append(_add(row[-1], row[1]))
        tables.append((row, scalar))
    bits = max((scalar.bit_length() for _, scalar in kept), default=0)
    out: _Jacobian = (0, 1, 0)
    for position in range(-(-bits // 4) * 4 - 1, -1, -1):
        out = _double(out)
        for row, scalar in tables:
            if len(row) == 2:
                if scalar >> position & 1:
                    out = _add(out, row[1])
            elif position % 4 == 0 and (digit := scalar >> position & 15):
                out = _add(out, row[digit])
    return _affine(out)


def _affine(point: _Jacobian) -> G1Point:
    x, y, z = point
    if z == 0:
        return INFINITY
    inverse = pow(z, -1, _Q)
    square = inverse * inverse % _Q
    return (x * square % _Q, y * square * inverse % _Q)


def _double(p: _Jacobian) -> _Jacobian:
    # No point of odd order has y = 0, and Z = 0 stays 0.
    x, y, z = p
    a, b = x * x % _Q, y * y % _Q
    c = b * b % _Q
    d = 2 * ((x + b) * (x + b) - a - c)
    e = 3 * a
    x3 = (e * e - 2 * d) % _Q
    return (x3, (e * (d - x3) - 8 * c) % _Q, 2 * y * z % _Q)


def _add(p: _Jacobian, q: _Jacobian) -> _Jacobian:
    x1, y1, z1 = p
    x2, y2, z2 = q
    if z1 == 0:
        return q
    if z2 == 0:
        return p
    zz1, zz2 = z1 * z1 % _Q, z2 * z2 % _Q
    u1, u2 = x1 * zz2 % _Q, x2 * zz1 % _Q
    s1, s2 = y1 * zz2 % _Q * z2 % _Q, y2 * zz1 % _Q * z1 % _Q
    if u1 == u2:
        return _double(p) if s1 == s2 else (0, 1, 0)
    h = u2 - u1
    hh = h * h % _Q
    hhh = h * hh % _Q
    r = s2 - s1
    v = u1 * hh % _Q
    x3 = (r * r - hhh - 2 * v) % _Q
    return (x3, (r * (v - x3) - s1 * hhh) % _Q, z1 * z2 % _Q * h % _Q)
