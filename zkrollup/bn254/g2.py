"""The group G2: the points of order r of the twist y^2 = x^3 + 3 / (9 + i) over Fq2.

This module must not know pairings, encodings or G1. A point is affine, ``((x.re, x.im), (y.re, y.im))``
canonical; the point at infinity is all zeros, which is not on the curve. The twist has points outside
G2 (its cofactor is about 2^254): :func:`is_on_curve` alone is never enough for a point from outside.
Not constant time.

References: S. D. Galbraith, M. Scott, "Exponentiation in pairing-friendly groups using homomorphisms",
2008 (psi); Explicit-Formulas Database, Jacobian coordinates for a = 0.
"""

from __future__ import annotations

from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS, is_canonical
from zkrollup.bn254.tower import (
    FQ2_ONE,
    FQ2_ZERO,
    Fq2,
    fq2_add,
    fq2_conjugate,
    fq2_inverse,
    fq2_mul,
    fq2_neg,
    fq2_scale,
    fq2_square,
    fq2_sub,
    frobenius_constants,
)

__all__ = [
    "GENERATOR",
    "INFINITY",
    "B",
    "G2Point",
    "X",
    "add",
    "double",
    "in_subgroup",
    "is_on_curve",
    "mul",
    "negate",
    "psi",
]

G2Point = tuple[Fq2, Fq2]

X = 4965661367192848881
"""The parameter of the Barreto-Naehrig family: q and r are polynomials in it, q + 1 - r = 6 X^2 + 1."""

B: Fq2 = (
    19485874751759354771024239261021720505790618469301721065564631296452457478373,
    266929791119991161246907387137283842545076965332900288569378510910307636690,
)
GENERATOR: G2Point = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)
INFINITY: G2Point = (FQ2_ZERO, FQ2_ZERO)

_Q = FQ_MODULUS
_Jacobian = tuple[Fq2, Fq2, Fq2]
_JACOBIAN_INFINITY: _Jacobian = (FQ2_ONE, FQ2_ONE, FQ2_ZERO)


def is_on_curve(point: G2Point) -> bool:
    """Whether ``point`` has canonical coordinates and is on the twist (or infinity); perhaps not in G2."""
    x, y = point
    if not all(is_canonical(c, _Q) for c in (*x, *y)):
        return False
    return point == INFINITY or fq2_square(y) == fq2_add(fq2_mul(fq2_square(x), x), B)


def in_subgroup(point: G2Point) -> bool:
    """Whether ``point`` is on the twist and has order r (or is infinity).

    psi satisfies psi^2 - t psi + q = 0 on the whole twist, with t = 6 X^2 + 1. Where
    psi(P) = (t - 1) P this says ((t - 1)^2 - t (t - 1) + q) P = (q + 1 - t) P = r P = 0; conversely
    psi acts on G2 as q = t - 1 modulo r. So one product by 6 X^2, half as long as r, decides.
    """
    if not is_on_curve(point):
        return False
    if point == INFINITY:
        return True
    x, y, z = _mul(point, 6 * X * X)
    if z == FQ2_ZERO:
        return False
    # Compare without leaving Jacobian coordinates.
    px, py = psi(point)
    zz = fq2_square(z)
    return x == fq2_mul(px, zz) and y == fq2_mul(py, fq2_mul(zz, z))


def psi(point: G2Point) -> G2Point:
    """The twist's image of the q-power Frobenius map."""
    x, y = point
    constants = frobenius_constants(1)
    return (fq2_mul(fq2_conjugate(x), constants[2]), fq2_mul(fq2_conjugate(y), constants[3]))


def negate(point: G2Point) -> G2Point:
    return (point[0], fq2_neg(point[1]))


def add(p: G2Point, q: G2Point) -> G2Point:
    """p + q, all cases; both on the curve (not checked)."""
    if p == INFINITY:
        return q
    if q == INFINITY:
        return p
    (x1, y1), (x2, y2) = p, q
    if x1 == x2:
        if y1 != y2 or y1 == FQ2_ZERO:
            return INFINITY
        slope = fq2_mul(fq2_scale(fq2_square(x1), 3), fq2_inverse(fq2_add(y1, y1)))
    else:
        slope = fq2_mul(fq2_sub(y2, y1), fq2_inverse(fq2_sub(x2, x1)))
    x = fq2_sub(fq2_square(slope), fq2_add(x1, x2))
    return (x, fq2_sub(fq2_mul(slope, fq2_sub(x1, x)), y1))


def double(p: G2Point) -> G2Point:
    return add(p, p)


def mul(point: G2Point, scalar: int) -> G2Point:
    """scalar * point for scalar >= 0, not reduced: the point may lie outside G2; negative scalars are
    reduced modulo r and so need a point of G2."""
    x, y, z = _mul(point, scalar if scalar >= 0 else scalar % FR_MODULUS)
    if z == FQ2_ZERO:
        return INFINITY
    inverse = fq2_inverse(z)
    square = fq2_square(inverse)
    return (fq2_mul(x, square), fq2_mul(y, fq2_mul(square, inverse)))


def _mul(point: G2Point, scalar: int) -> _Jacobian:
    out = _JACOBIAN_INFINITY
    if point == INFINITY:
        return out
    for bit in bin(scalar)[2:]:
        out = _double(out)
        if bit == "1":
            out = _add_affine(out, point)
    return out


def _double(p: _Jacobian) -> _Jacobian:
    # A point with y = 0 (order 2) gives Z = 0, infinity, as it should.
    (x0, x1), (y0, y1), (z0, z1) = p
    a0, a1 = (x0 + x1) * (x0 - x1) % _Q, 2 * x0 * x1 % _Q
    b0, b1 = (y0 + y1) * (y0 - y1) % _Q, 2 * y0 * y1 % _Q
    c0, c1 = (b0 + b1) * (b0 - b1) % _Q, 2 * b0 * b1 % _Q
    d0, d1 = 4 * (x0 * b0 - x1 * b1) % _Q, 4 * (x0 * b1 + x1 * b0) % _Q
    e0, e1 = 3 * a0, 3 * a1
    u0, u1 = ((e0 + e1) * (e0 - e1) - 2 * d0) % _Q, (2 * e0 * e1 - 2 * d1) % _Q
    s0, s1 = d0 - u0, d1 - u1
    return (
        (u0, u1),
        ((e0 * s0 - e1 * s1 - 8 * c0) % _Q, (e0 * s1 + e1 * s0 - 8 * c1) % _Q),
        (2 * (y0 * z0 - y1 * z1) % _Q, 2 * (y0 * z1 + y1 * z0) % _Q),
    )


def _add_affine(p: _Jacobian, q: G2Point) -> _Jacobian:
    x1, y1, z1 = p
    x2, y2 = q
    if z1 == FQ2_ZERO:
        return (x2, y2, FQ2_ONE)
    zz = fq2_square(z1)
    u2 = fq2_mul(x2, zz)
    s2 = fq2_mul(y2, fq2_mul(zz, z1))
    if u2 == x1:
        return _double(p) if s2 == y1 else _JACOBIAN_INFINITY
    h = fq2_sub(u2, x1)
    hh = fq2_square(h)
    hhh = fq2_mul(h, hh)
    r = fq2_sub(s2, y1)
    v = fq2_mul(x1, hh)
    x3 = fq2_sub(fq2_square(r), fq2_add(hhh, fq2_add(v, v)))
    return (x3, fq2_sub(fq2_mul(r, fq2_sub(v, x3)), fq2_mul(y1, hhh)), fq2_mul(z1, h))
