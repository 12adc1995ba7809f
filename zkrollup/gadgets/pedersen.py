"""Pedersen hash of bits to a point of BabyJubJub, circomlib's, in six rows for four bits.

This module must not know what is hashed. It shares the base points with ``crypto.pedersen`` and nothing else.

What the hash is worth and what not is said there: messages of one length only, no random oracle.

Lookup in three rows. A window is ``+-k H`` with k = 1 + b0 + 2 b1 + 4 b2. Abscissa u and ordinate v of k H
are functions of three bits, hence polynomials in them of degree one in each; what is not linear has the
terms b0b1, b0b2, b1b2, b0b1b2. Let beta be such that v + beta u lacks the last. Its quadratic part
``q = x01 b0b1 + x02 b0b2 + x12 b1b2`` is, up to a linear part, a multiple of one square,
``(b0 + g1 b1 + g2 b2)^2`` with g1 = x12/x02 and g2 = x12/x01: the first row. The second is
``b0 (c1 b1 + c2 b2 + q)``, whose b0 q brings b0b1b2; with q itself it gives any u. Then v is linear in q
and u, and the third row is its product with the sign 1 - 2 b3. circomlib takes four.

Chords. Within a segment, windows are added from the lowest up. The sum S of the windows below w has
|S| <= 8 (32^w - 1) / 31 < 32^w, and window w adds d 32^w with 1 <= |d| <= 8; sums and differences of the two
are not 0 and below 2^249 < l in absolute value for w < 50: both points have order l, they are neither equal
nor opposite, and no sum is the identity. With more than one segment that argument ends, so the sum
starts at the torsion point T4 then, as :mod:`zkrollup.gadgets.babyjubjub` explains: no window has a
torsion component, so chords stay distinct and sums finite whatever the bits. T4 is taken off at the end.
circomlib adds segments in Edwards form at eight rows each.

References: those of ``crypto.pedersen``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from zkrollup.crypto.tables import MODULUS, PEDERSEN_BASES, PEDERSEN_SEGMENT_BITS
from zkrollup.cs import Bool, ConstraintSystem
from zkrollup.gadgets.babyjubjub import (
    Edwards,
    Montgomery,
    add_distinct,
    subtract_t4,
    t4_montgomery,
    to_edwards,
)
from zkrollup.gadgets.curve_tables import constant_multiple, constant_sum, montgomery_coordinates

__all__ = ["pedersen_hash"]


def pedersen_hash(cs: ConstraintSystem, bits: Sequence[Bool]) -> Edwards:
    """The hash of 1 to 2000 bits (``ValueError`` for another number).

    Theorem: the result is ``crypto.pedersen.pedersen_hash(bits)``, for every assignment of the bits.
    Assumes: each bit is 0 or 1. Rows: 6 for each four bits, one less in all for at most 200 bits, two more
    for more than 200; the number of bits is part of the circuit.
    """
    if not 1 <= len(bits) <= PEDERSEN_SEGMENT_BITS * len(PEDERSEN_BASES):
        raise ValueError(f"Pedersen hash of {len(bits)} bits: expected 1 to 2000")
    guarded = len(bits) > PEDERSEN_SEGMENT_BITS
    total = t4_montgomery(cs) if guarded else None
    for i in range(0, len(bits), 4):
        segment, within = divmod(i, PEDERSEN_SEGMENT_BITS)
        window = [*bits[i : i + 4], *[cs.constant_bool(False)] * (i + 4 - len(bits))]
        point = _look_up(cs, _tables(segment)[within // 4], window)
        total = point if total is None else add_distinct(cs, total, point)
    assert total is not None
    return subtract_t4(to_edwards(cs, total)) if guarded else to_edwards(cs, total)


class _Window(NamedTuple):
    """square = (b0 + g1 b1 + g2 b2)^2, q = scale (square - b0 - g1^2 b1 - g2^2 b2),
    product = b0 (c1 b1 + c2 b2 + q); u = u_product product + u_q q + u_linear and
    v = q + v_u u + v_linear, the linear parts as (constant, b0, b1, b2)."""

    g1: int
    g2: int
    scale: int
    c1: int
    c2: int
    u_product: int
    u_q: int
    u_linear: tuple[int, ...]
    v_u: int
    v_linear: tuple[int, ...]


def _look_up(cs: ConstraintSystem, table: _Window, bits: Sequence[Bool]) -> Montgomery:
    b0, b1, b2, sign = bits
    square = cs.linear([(b0, 1), (b1, table.g1), (b2, table.g2)]).square()
    k = table.scale
    q = cs.linear([(square, k), (b0, -k), (b1, -k * table.g1**2), (b2, -k * table.g2**2)])
    product = b0 * cs.linear([(b1, table.c1), (b2, table.c2), (q, 1)])

    def linear(part: tuple[int, ...]) -> list[tuple[Bool, int]]:
        return list(zip((b0, b1, b2), part[1:], strict=True))

    u = cs.linear([(product, table.u_product), (q, table.u_q), *linear(table.u_linear)], table.u_linear[0])
    v = cs.linear([(q, 1), (u, table.v_u), *linear(table.v_linear)], table.v_linear[0])
    return Montgomery(u, (1 - 2 * sign) * v)


# -- tables ---------------------------------------------------------------------------------------------
@cache
def _tables(segment: int) -> tuple[_Window, ...]:
    base = PEDERSEN_BASES[segment]
    tables = []
    for _ in range(PEDERSEN_SEGMENT_BITS // 4):
        multiples = [base]
        for _ in range(7):
            multiples.append(constant_sum(multiples[-1], base))
        tables.append(_window(*zip(*map(montgomery_coordinates, multiples), strict=True)))
        base = constant_multiple(base, 32)
    return tuple(tables)


def _window(us: Sequence[int], vs: Sequence[int]) -> _Window:
    """From the coordinates of H, 2H, .. 8H."""
    r = MODULUS
    u, v = _coefficients(us), _coefficients(vs)
    if not u[7]:
        raise AssertionError("a window's abscissas have no term in all three bits")
    beta = -v[7] * pow(u[7], -1, r) % r
    mixed = [(a + beta * b) % r for a, b in zip(v, u, strict=True)]
    x01, x02, x12 = mixed[3], mixed[5], mixed[6]
    if not x01 * x02 * x12 % r:
        raise AssertionError("a window's coordinates share no single square")
    g1, g2 = x12 * pow(x02, -1, r) % r, x12 * pow(x01, -1, r) % r
    u_q = u[6] * pow(x12, -1, r) % r
    u_product = u[7] * pow(x12, -1, r) % r
    inverse = pow(u_product, -1, r)
    return _Window(
        g1=g1,
        g2=g2,
        scale=x01 * pow(2 * g1, -1, r) % r,
        c1=((u[3] - u_q * x01) * inverse - x01) % r,
        c2=((u[5] - u_q * x02) * inverse - x02) % r,
        u_product=u_product,
        u_q=u_q,
        u_linear=(u[0], u[1], u[2], u[4]),
        v_u=-beta % r,
        v_linear=(mixed[0], mixed[1], mixed[2], mixed[4]),
    )


def _coefficients(values: Sequence[int]) -> list[int]:
    """Of the polynomial in three bits with these values: entry m is of the product of the bits set in m."""
    out = list(values)
    for bit in (1, 2, 4):
        for m in range(8):
            if m & bit:
                out[m] = (out[m] - out[m ^ bit]) % MODULUS
    return out
