"""The optimal ate pairing of BN254: one shared Miller loop, one final exponentiation.

This module must not know what is paired. Points are assumed to be in G1 and G2 (check before).

A line through points of the twist, seen from P = (x, y) of G1 and divided by y, which the final
exponentiation removes, is ``1 - (slope x / y) w + ((slope x_T - y_T) / y) v w``: it depends on P by two
factors only, so the lines of a fixed point of G2 are prepared once (:func:`prepare`).

References: F. Vercauteren, "Optimal pairings", 2008; L. Fuentes-Castañeda, E. Knapp, F.
Rodríguez-Henríquez, "Faster hashing to G2", 2011, section 5 (the last part of the exponentiation: its
exponent is 2 X (6 X^2 + 3 X + 1) times the least one, as in libff and snarkjs).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point
from zkrollup.bn254.tower import (
    FQ12_ONE,
    Fq2,
    Fq12,
    fq2_add,
    fq2_inverse,
    fq2_mul,
    fq2_scale,
    fq2_square,
    fq2_sub,
    fq12_conjugate,
    fq12_cyclotomic_square,
    fq12_frobenius,
    fq12_inverse,
    fq12_mul,
    fq12_mul_line,
    fq12_square,
)

__all__ = ["Lines", "final_exponentiation", "miller_loop", "pairing", "pairing_check", "prepare"]

Lines = tuple[tuple[Fq2, Fq2], ...]
"""The lines of one point of G2 in the order of the loop: (slope, slope * x - y); empty at infinity."""

_Q = FQ_MODULUS


def _non_adjacent_form(number: int) -> list[int]:
    """Digits -1, 0, 1, least significant first, no two neighbours nonzero."""
    digits = []
    while number:
        digit = 2 - number % 4 if number % 2 else 0
        digits.append(digit)
        number = (number - digit) // 2
    return digits


_LOOP = tuple(reversed(_non_adjacent_form(6 * g2.X + 2)[:-1]))
_X_DIGITS = tuple(reversed(_non_adjacent_form(g2.X)[:-1]))


def prepare(point: G2Point) -> Lines:
    """The lines of ``point``, a point of G2; raises ``ValueError`` when doubling meets infinity, which
    happens only outside G2."""
    if point == g2.INFINITY:
        return ()
    lines: list[tuple[Fq2, Fq2]] = []

    def step(p: G2Point, q: G2Point) -> G2Point:
        (x1, y1), (x2, y2) = p, q
        if p == q:
            numerator, denominator = fq2_scale(fq2_square(x1), 3), fq2_add(y1, y1)
        else:
            numerator, denominator = fq2_sub(y2, y1), fq2_sub(x2, x1)
        slope = fq2_mul(numerator, fq2_inverse(denominator))
        lines.append((slope, fq2_sub(fq2_mul(slope, x1), y1)))
        x = fq2_sub(fq2_square(slope), fq2_add(x1, x2))
        return (x, fq2_sub(fq2_mul(slope, fq2_sub(x1, x)), y1))

    minus = g2.negate(point)
    current = point
    try:
        for digit in _LOOP:
            current = step(current, current)
            if digit:
                current = step(current, point if digit == 1 else minus)
        first = g2.psi(point)
        current = step(current, first)
        step(current, g2.negate(g2.psi(first)))
    except ZeroDivisionError:
        raise ValueError("pairing: a G2 point outside the subgroup of order r") from None
    return tuple(lines)


def miller_loop(pairs: Sequence[tuple[G1Point, Lines]]) -> Fq12:
    """The product of the Miller functions of all pairs, squared once for all; 1 for pairs with infinity."""
    seen = []
    for (x, y), lines in pairs:
        if (x, y) != g1.INFINITY and lines:
            scale = pow(y, -1, _Q)
            seen.append((-x * scale % _Q, scale, iter(lines)))
    out = FQ12_ONE
    if not seen:
        return out

    def absorb(f: Fq12) -> Fq12:
        for k, m, lines in seen:
            (a, b), (c, d) = next(lines)
            f = fq12_mul_line(f, (a * k % _Q, b * k % _Q), (c * m % _Q, d * m % _Q))
        return f

    for digit in _LOOP:
        out = absorb(fq12_square(out))
        if digit:
            out = absorb(out)
    return absorb(absorb(out))


def final_exponentiation(f: Fq12) -> Fq12:
    """f^((q^12 - 1) / r * 2 X (6 X^2 + 3 X + 1)), for f other than zero."""
    f = fq12_mul(fq12_conjugate(f), fq12_inverse(f))  # q^6 - 1
    f = fq12_mul(fq12_frobenius(f, 2), f)  # q^2 + 1: f is now in the cyclotomic subgroup
    # Comments give the exponent of f so far, z = X.
    a = _power_of_minus_x(f)  # -z
    b = fq12_cyclotomic_square(a)  # -2z
    d = fq12_mul(fq12_cyclotomic_square(b), b)  # -6z
    e = _power_of_minus_x(d)  # 6z^2
    g = _power_of_minus_x(fq12_cyclotomic_square(e))  # -12z^3
    k = fq12_mul(fq12_mul(fq12_conjugate(g), e), fq12_conjugate(d))  # 12z^3 + 6z^2 + 6z
    m = fq12_mul(k, b)  # 12z^3 + 6z^2 + 4z
    n = fq12_mul(fq12_mul(k, e), f)  # 12z^3 + 12z^2 + 6z + 1
    out = fq12_mul(fq12_frobenius(m, 1), n)
    out = fq12_mul(fq12_frobenius(k, 2), out)
    return fq12_mul(fq12_frobenius(fq12_mul(fq12_conjugate(f), m), 3), out)


def _power_of_minus_x(f: Fq12) -> Fq12:
    """f^-X in the cyclotomic subgroup."""
    inverse = fq12_conjugate(f)
    out = inverse
    for digit in _X_DIGITS:
        out = fq12_cyclotomic_square(out)
        if digit:
            out = fq12_mul(out, inverse if digit == 1 else f)
    return out


def pairing(p: G1Point, q: G2Point) -> Fq12:
    """e(p, q); one when either is infinity."""
    return final_exponentiation(miller_loop([(p, prepare(q))]))


def pairing_check(pairs: Sequence[tuple[G1Point, G2Point]]) -> bool:
    """Whether the product of all e(p, q) is one, as EIP-197 asks; true for no pairs."""
    return final_exponentiation(miller_loop([(p, prepare(q)) for p, q in pairs])) == FQ12_ONE
