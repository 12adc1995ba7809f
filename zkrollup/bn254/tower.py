"""The extension fields Fq2, Fq6 and Fq12 of BN254 in plain integers.

This module must not know points or pairings. It assumes canonical coordinates and returns them; it
checks nothing.

Fq2 = Fq[i] / (i^2 + 1), an element ``(re, im)``; Fq6 = Fq2[v] / (v^3 - xi) with xi = 9 + i;
Fq12 = Fq6[w] / (w^2 - v), an element twelve integers: those of the part without w, then those of the
part with w, each ``(c0.re, c0.im, c1.re, c1.im, c2.re, c2.im)`` for c0 + c1 v + c2 v^2.

Python's integers do not overflow and a reduction costs about four products, so sums of products are
reduced once, at the end, and small products are not saved by Karatsuba's trick where it would cost as
many additions.

References: A. J. Devegili, M. Scott, R. Dahab, "Implementing cryptographic pairings over Barreto-Naehrig
curves", 2007 (towering); R. Granger, M. Scott, "Faster squaring in the cyclotomic subgroup of sixth
degree extensions", 2010, section 3.2.
"""

from __future__ import annotations

from functools import cache

from zkrollup.bn254.fields import FQ_MODULUS, inverse

__all__ = [
    "FQ2_ONE",
    "FQ2_ZERO",
    "FQ12_ONE",
    "Fq2",
    "Fq12",
    "fq2_add",
    "fq2_conjugate",
    "fq2_inverse",
    "fq2_mul",
    "fq2_neg",
    "fq2_pow",
    "fq2_scale",
    "fq2_square",
    "fq2_sub",
    "fq12_conjugate",
    "fq12_cyclotomic_square",
    "fq12_frobenius",
    "fq12_inverse",
    "fq12_mul",
    "fq12_mul_line",
    "fq12_square",
    "frobenius_constants",
]

Fq2 = tuple[int, int]
Fq6 = tuple[int, int, int, int, int, int]
Fq12 = tuple[int, int, int, int, int, int, int, int, int, int, int, int]

FQ2_ZERO: Fq2 = (0, 0)
FQ2_ONE: Fq2 = (1, 0)
FQ12_ONE: Fq12 = (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

_Q = FQ_MODULUS
_XI: Fq2 = (9, 1)


# -- Fq2 -----------------------------------------------------------------------------------------------


def fq2_add(a: Fq2, b: Fq2) -> Fq2:
    return ((a[0] + b[0]) % _Q, (a[1] + b[1]) % _Q)


def fq2_sub(a: Fq2, b: Fq2) -> Fq2:
    return ((a[0] - b[0]) % _Q, (a[1] - b[1]) % _Q)


def fq2_neg(a: Fq2) -> Fq2:
    return (-a[0] % _Q, -a[1] % _Q)


def fq2_conjugate(a: Fq2) -> Fq2:
    """a^q."""
    return (a[0], -a[1] % _Q)


def fq2_mul(a: Fq2, b: Fq2) -> Fq2:
    a0, a1 = a
    b0, b1 = b
    return ((a0 * b0 - a1 * b1) % _Q, (a0 * b1 + a1 * b0) % _Q)


def fq2_square(a: Fq2) -> Fq2:
    a0, a1 = a
    return ((a0 + a1) * (a0 - a1) % _Q, 2 * a0 * a1 % _Q)


def fq2_scale(a: Fq2, k: int) -> Fq2:
    """a times an integer."""
    return (a[0] * k % _Q, a[1] * k % _Q)


def fq2_inverse(a: Fq2) -> Fq2:
    """1 / a; raises ``ZeroDivisionError`` for zero."""
    a0, a1 = a
    norm = inverse((a0 * a0 + a1 * a1) % _Q, _Q)
    return (a0 * norm % _Q, -a1 * norm % _Q)


def fq2_pow(a: Fq2, exponent: int) -> Fq2:
    """a^exponent for exponent >= 0."""
    out = FQ2_ONE
    for bit in bin(exponent)[2:]:
        out = fq2_square(out)
        if bit == "1":
            out = fq2_mul(out, a)
    return out


# -- Fq6, results not reduced --------------------------------------------------------------------------


def _fq6_mul(a: Fq6, b: Fq6) -> Fq6:
    """c0 = a0 b0 + xi (a1 b2 + a2 b1), c1 = a0 b1 + a1 b0 + xi a2 b2, c2 = a0 b2 + a1 b1 + a2 b0."""
    a0, s0, a1, s1, a2, s2 = a
    b0, t0, b1, t1, b2, t2 = b
    x = a1 * b2 - s1 * t2 + a2 * b1 - s2 * t1
    y = a1 * t2 + s1 * b2 + a2 * t1 + s2 * b1
    u = a2 * b2 - s2 * t2
    v = a2 * t2 + s2 * b2
    return (
        a0 * b0 - s0 * t0 + 9 * x - y,
        a0 * t0 + s0 * b0 + 9 * y + x,
        a0 * b1 - s0 * t1 + a1 * b0 - s1 * t0 + 9 * u - v,
        a0 * t1 + s0 * b1 + a1 * t0 + s1 * b0 + 9 * v + u,
        a0 * b2 - s0 * t2 + a1 * b1 - s1 * t1 + a2 * b0 - s2 * t0,
        a0 * t2 + s0 * b2 + a1 * t1 + s1 * b1 + a2 * t0 + s2 * b0,
    )


def _fq6_inverse(a: Fq6) -> Fq6:
    """Devegili, Scott, Dahab, section 3: the adjoint over the norm. Reduced."""
    a0, a1, a2 = a[0:2], a[2:4], a[4:6]
    c0 = fq2_sub(fq2_square(a0), fq2_mul(_XI, fq2_mul(a1, a2)))
    c1 = fq2_sub(fq2_mul(_XI, fq2_square(a2)), fq2_mul(a0, a1))
    c2 = fq2_sub(fq2_square(a1), fq2_mul(a0, a2))
    cross = fq2_add(fq2_mul(a2, c1), fq2_mul(a1, c2))
    norm = fq2_inverse(fq2_add(fq2_mul(a0, c0), fq2_mul(_XI, cross)))
    return (*fq2_mul(c0, norm), *fq2_mul(c1, norm), *fq2_mul(c2, norm))


# -- Fq12 ----------------------------------------------------------------------------------------------


def fq12_mul(a: Fq12, b: Fq12) -> Fq12:
    """Karatsuba over Fq6."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 = a
    b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11 = b
    p0, p1, p2, p3, p4, p5 = _fq6_mul((a0, a1, a2, a3, a4, a5), (b0, b1, b2, b3, b4, b5))
    q0, q1, q2, q3, q4, q5 = _fq6_mul((a6, a7, a8, a9, a10, a11), (b6, b7, b8, b9, b10, b11))
    m0, m1, m2, m3, m4, m5 = _fq6_mul(
        (a0 + a6, a1 + a7, a2 + a8, a3 + a9, a4 + a10, a5 + a11),
        (b0 + b6, b1 + b7, b2 + b8, b3 + b9, b4 + b10, b5 + b11),
    )
    return (  # p + v q, and m - p - q
        (p0 + 9 * q4 - q5) % _Q,
        (p1 + 9 * q5 + q4) % _Q,
        (p2 + q0) % _Q,
        (p3 + q1) % _Q,
        (p4 + q2) % _Q,
        (p5 + q3) % _Q,
        (m0 - p0 - q0) % _Q,
        (m1 - p1 - q1) % _Q,
        (m2 - p2 - q2) % _Q,
        (m3 - p3 - q3) % _Q,
        (m4 - p4 - q4) % _Q,
        (m5 - p5 - q5) % _Q,
    )


def fq12_square(a: Fq12) -> Fq12:
    """(f + g w)^2 = (f + g)(f + v g) - fg - v fg + 2 fg w, two products in Fq6."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 = a
    p0, p1, p2, p3, p4, p5 = _fq6_mul((a0, a1, a2, a3, a4, a5), (a6, a7, a8, a9, a10, a11))
    m0, m1, m2, m3, m4, m5 = _fq6_mul(
        (a0 + a6, a1 + a7, a2 + a8, a3 + a9, a4 + a10, a5 + a11),
        (a0 + 9 * a10 - a11, a1 + 9 * a11 + a10, a2 + a6, a3 + a7, a4 + a8, a5 + a9),
    )
    return (
        (m0 - p0 - 9 * p4 + p5) % _Q,
        (m1 - p1 - 9 * p5 - p4) % _Q,
        (m2 - p2 - p0) % _Q,
        (m3 - p3 - p1) % _Q,
        (m4 - p4 - p2) % _Q,
        (m5 - p5 - p3) % _Q,
        2 * p0 % _Q,
        2 * p1 % _Q,
        2 * p2 % _Q,
        2 * p3 % _Q,
        2 * p4 % _Q,
        2 * p5 % _Q,
    )


def fq12_mul_line(a: Fq12, b: Fq2, c: Fq2) -> Fq12:
    """a * (1 + (b + c v) w): a line through points of the twist, scaled to constant term one."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 = a
    b0, b1 = b
    c0, c1 = c
    # (b + c v)(g0 + g1 v + g2 v^2) for g = the part with w, times v
    x = a8 * c0 - a9 * c1 + a10 * b0 - a11 * b1
    y = a8 * c1 + a9 * c0 + a10 * b1 + a11 * b0
    u = a10 * c0 - a11 * c1
    v = a10 * c1 + a11 * c0
    # and (b + c v)(f0 + f1 v + f2 v^2) for f = the part without w
    s = a4 * c0 - a5 * c1
    t = a4 * c1 + a5 * c0
    return (
        (a0 + 9 * x - y) % _Q,
        (a1 + 9 * y + x) % _Q,
        (a2 + a6 * b0 - a7 * b1 + 9 * u - v) % _Q,
        (a3 + a6 * b1 + a7 * b0 + 9 * v + u) % _Q,
        (a4 + a6 * c0 - a7 * c1 + a8 * b0 - a9 * b1) % _Q,
        (a5 + a6 * c1 + a7 * c0 + a8 * b1 + a9 * b0) % _Q,
        (a6 + a0 * b0 - a1 * b1 + 9 * s - t) % _Q,
        (a7 + a0 * b1 + a1 * b0 + 9 * t + s) % _Q,
        (a8 + a0 * c0 - a1 * c1 + a2 * b0 - a3 * b1) % _Q,
        (a9 + a0 * c1 + a1 * c0 + a2 * b1 + a3 * b0) % _Q,
        (a10 + a2 * c0 - a3 * c1 + a4 * b0 - a5 * b1) % _Q,
        (a11 + a2 * c1 + a3 * c0 + a4 * b1 + a5 * b0) % _Q,
    )


def fq12_conjugate(a: Fq12) -> Fq12:
    """a^(q^6): the inverse in the cyclotomic subgroup."""
    return (*a[:6], *(-x % _Q for x in a[6:]))  # type: ignore[return-value]


def fq12_inverse(a: Fq12) -> Fq12:
    """1 / (f + g w) = (f - g w) / (f^2 - v g^2); raises ``ZeroDivisionError`` for zero."""
    f: Fq6 = a[:6]
    g: Fq6 = a[6:]
    p0, p1, p2, p3, p4, p5 = _fq6_mul(f, f)
    q0, q1, q2, q3, q4, q5 = _fq6_mul(g, g)
    norm = (p0 - 9 * q4 + q5, p1 - 9 * q5 - q4, p2 - q0, p3 - q1, p4 - q2, p5 - q3)
    scale = _fq6_inverse(tuple(x % _Q for x in norm))  # type: ignore[arg-type]
    return (  # type: ignore[return-value]
        *(x % _Q for x in _fq6_mul(f, scale)),
        *(-x % _Q for x in _fq6_mul(g, scale)),
    )


def fq12_cyclotomic_square(a: Fq12) -> Fq12:
    """a^2 for a in the cyclotomic subgroup (a^(q^4 - q^2 + 1) = 1) only: three squarings in Fq4."""
    a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 = a
    # (x + y s)^2 with s^2 = xi: x^2 + xi y^2, 2 x y; pairs (c0, d1), (d0, c2), (c1, d2)
    # of c0 + c1 v + c2 v^2 + (d0 + d1 v + d2 v^2) w.
    x, y = (a8 + a9) * (a8 - a9), 2 * a8 * a9
    p0 = (a0 + a1) * (a0 - a1) + 9 * x - y
    p1 = 2 * a0 * a1 + 9 * y + x
    p2, p3 = 2 * (a0 * a8 - a1 * a9), 2 * (a0 * a9 + a1 * a8)
    x, y = (a4 + a5) * (a4 - a5), 2 * a4 * a5
    q0 = (a6 + a7) * (a6 - a7) + 9 * x - y
    q1 = 2 * a6 * a7 + 9 * y + x
    q2, q3 = 2 * (a6 * a4 - a7 * a5), 2 * (a6 * a5 + a7 * a4)
    x, y = (a10 + a11) * (a10 - a11), 2 * a10 * a11
    s0 = (a2 + a3) * (a2 - a3) + 9 * x - y
    s1 = 2 * a2 * a3 + 9 * y + x
    s2, s3 = 2 * (a2 * a10 - a3 * a11), 2 * (a2 * a11 + a3 * a10)
    return (
        (3 * p0 - 2 * a0) % _Q,
        (3 * p1 - 2 * a1) % _Q,
        (3 * q0 - 2 * a2) % _Q,
        (3 * q1 - 2 * a3) % _Q,
        (3 * s0 - 2 * a4) % _Q,
        (3 * s1 - 2 * a5) % _Q,
        (3 * (9 * s2 - s3) + 2 * a6) % _Q,
        (3 * (9 * s3 + s2) + 2 * a7) % _Q,
        (3 * p2 + 2 * a8) % _Q,
        (3 * p3 + 2 * a9) % _Q,
        (3 * q2 + 2 * a10) % _Q,
        (3 * q3 + 2 * a11) % _Q,
    )


@cache
def frobenius_constants(power: int) -> tuple[Fq2, ...]:
    """xi^(j (q^power - 1) / 6) for j = 0 .. 5: what w^j gains under the map a -> a^(q^power)."""
    return tuple(fq2_pow(_XI, j * (_Q**power - 1) // 6) for j in range(6))


def fq12_frobenius(a: Fq12, power: int) -> Fq12:
    """a^(q^power) for power 1, 2, 3."""
    constants = frobenius_constants(power)
    out: list[int] = []
    for place, j in enumerate((0, 2, 4, 1, 3, 5)):  # c_k belongs to w^(2k), d_k to w^(2k + 1)
        c: Fq2 = (a[2 * place], a[2 * place + 1])
        out += fq2_mul(fq2_conjugate(c) if power % 2 else c, constants[j])
    return tuple(out)  # type: ignore[return-value]
