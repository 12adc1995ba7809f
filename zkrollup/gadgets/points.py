"""Points of BabyJubJub as people hand them over: their subgroup, their packed form, multiples of any of them.

This module must not know signatures. Formulas are those of :mod:`zkrollup.gadgets.babyjubjub`, all of
Edwards form here and complete; points are pairs of signals.

Witnesses. An eighth of a point and a square root are computed on the tape in scratch values, some thousand
products without a wire or a row, so that engines replay them; what comes out is a hint that rows pin.

References: circomlibjs (packed form); A. Tonelli, "Bemerkung über die Auflösung quadratischer Congruenzen",
1891 (square roots).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.tables import BASE8, MODULUS, ORDER, A, D
from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.babyjubjub import (
    Edwards,
    assert_double,
    assert_on_curve,
    double,
    double_from_squares,
    multiply,
    to_montgomery,
)
from zkrollup.gadgets.bits import assert_bits_less_than, from_bits, to_bits, to_bits_strict
from zkrollup.gadgets.compare import is_zero
from zkrollup.gadgets.select import select

__all__ = ["assert_in_subgroup", "clear_cofactor", "compress", "decompress", "multiply_point"]

_EIGHTH = pow(8, -1, ORDER)


def clear_cofactor(cs: ConstraintSystem, p: Edwards) -> Edwards:
    """8 p, in the subgroup of order l; the identity for a point of order 1, 2, 4 or 8.

    Assumes: p is on the curve. Rows: 15. Where 8 p must not be the identity, and p must be shown to be on
    the curve, :func:`zkrollup.gadgets.babyjubjub.cofactor_multiple` does all three in 16.
    """
    for _ in range(3):
        p = double(cs, p)
    return p


def assert_in_subgroup(cs: ConstraintSystem, p: Edwards) -> None:
    """Demand that p is on the curve and in its subgroup of order l; the identity is.

    Assumes: nothing. Rows: 16. A point is in the subgroup exactly when it is 8 q for a q on the curve: q is
    a hint, ``(1/8 mod l) p``, demanded to be on the curve; doubling is complete. Free: which q, among the
    eight that differ by a point of order 8; nothing that leaves the gadget depends on it.
    """
    x, y, z = _scratch_multiple(cs, p, _EIGHTH)
    q = Edwards(cs.hint_divide_or_zero(x, z), cs.hint_divide_or_zero(y, z))
    xx, yy = q.x.square(), q.y.square()
    (xx * (A - D * yy)).assert_equal(1 - yy, label="an eighth of the point is on BabyJubJub")
    four = double(cs, double_from_squares(cs, q, xx, yy))
    assert_double(cs, four, p, label="point is in the subgroup")
    cs.claim_idle(since=q.x, reason="any of the eight points whose eightfold is p will do")


def multiply_point(cs: ConstraintSystem, p: Edwards, scalar: Field) -> Edwards:
    """h p for the canonical value h of ``scalar``, in all cases, the identity included.

    Assumes: p is in the subgroup of order l (see :func:`assert_in_subgroup`). Rows: 1599: two to see
    whether p is the identity, two to put BASE8 in its place, two to Montgomery form, 1591 for
    :func:`zkrollup.gadgets.babyjubjub.multiply`, two to put the identity back.

    There is no windowed variant: with digits in signs a bit of the scalar costs six rows in all, and a
    table of multiples of a variable point costs more than it saves.
    """
    nothing = is_zero(cs, p.x)  # of the subgroup, the identity alone has x = 0
    base = Edwards(select(cs, nothing, BASE8[0], p.x), select(cs, nothing, BASE8[1], p.y))
    product = multiply(cs, to_montgomery(cs, base), scalar)
    return Edwards(select(cs, nothing, 0, product.x), select(cs, nothing, 1, product.y))


# ======================================================================================================
# Packed form
# ======================================================================================================
def compress(cs: ConstraintSystem, p: Edwards) -> list[Bool]:
    """The 256 bits of the packed form: y in 254, then 0, then 1 where x > (r - 1) / 2.

    Theorem: the bits are those of ``crypto.babyjubjub.pack(p)``, least significant first. Assumes: nothing;
    p need not be on the curve. Rows: 570. The sign is the lowest bit of 2 x mod r: 2 x, or 2 x - r, which is
    odd.
    """
    sign = to_bits_strict(cs, 2 * p.x)[0]
    return [*to_bits_strict(cs, p.y), cs.constant_bool(False), sign]


def decompress(cs: ConstraintSystem, bits: Sequence[Bool]) -> Edwards:
    """The point of a packed form of 256 bits (``ValueError`` for another number), on the curve.

    Theorem: the result is ``crypto.babyjubjub.unpack(bits)``, and there is no witness where that raises: y
    not below r, no point with that y, a sign on x = 0, bit 254 set. Assumes: each bit is 0 or 1. Rows: 320.

    The sign is the lowest bit of 2 x mod r, so h = x - sign / 2 is half of the rest: 253 bits of h and the
    sign make a number congruent to 2 x, and below r they are 2 x mod r itself. (The audit sees that this
    determines x: of 2 x and -2 x below r one is even and one odd.)
    """
    if len(bits) != 256:
        raise ValueError(f"a packed point of {len(bits)} bits: expected 256")
    cs.assert_zero(bits[254], label="bit 254 is zero")
    with cs.scope("y"):
        assert_bits_less_than(cs, bits[:254], MODULUS)
    y = cs.materialise(from_bits(cs, bits[:254]))
    p = Edwards(_scratch_abscissa(cs, y, bits[255]), y)
    assert_on_curve(cs, p)
    with cs.scope("sign of x"):
        half = cs.linear([(p.x, 1), (bits[255], -pow(2, -1, MODULUS))])
        assert_bits_less_than(cs, [bits[255], *to_bits(cs, half, 253)], MODULUS)
    return p


# ======================================================================================================
# Witnesses, in scratch values
# ======================================================================================================
def _scratch_multiple(cs: ConstraintSystem, p: Edwards, scalar: int) -> tuple[Field, Field, Field]:
    """(X, Y, Z) with scalar p = (X/Z, Y/Z), scalar >= 1; projective formulas dbl- and add-2008-bbjlp."""
    mul = cs.scratch_product
    x, y, z = p.x, p.y, cs.constant(1)
    for bit in bin(scalar)[3:]:
        b, c, d = mul(x + y, x + y), mul(x, x), mul(y, y)
        e = A * c
        f = e + d
        j = f - 2 * mul(z, z)
        x, y, z = mul(b - c - d, j), mul(f, e - d), mul(f, j)
        if bit == "1":
            b, c, d = mul(z, z), mul(x, p.x), mul(y, p.y)
            e = D * mul(c, d)
            f, g = b - e, b + e
            x = mul(mul(z, f), mul(x + y, p.x + p.y) - c - d)
            y, z = mul(mul(z, g), d - A * c), mul(f, g)
    return x, y, z


def _scratch_abscissa(cs: ConstraintSystem, y: Field, sign: Field) -> Field:
    """A hint: the x of the curve's point with that y and sign, any number where there is none."""
    mul = cs.scratch_product
    yy = mul(y, y)
    square = mul(1 - yy, _scratch_power(cs, A - D * yy, MODULUS - 2))
    root = _scratch_root(cs, square)
    large = cs.scratch_less_than((MODULUS - 1) // 2, root)
    flip = cs.linear([(large, 1), (sign, 1), (mul(large, sign), -2)])
    return cs.hint_value(mul(root, 1 - 2 * flip))


def _scratch_power(cs: ConstraintSystem, x: Field, exponent: int) -> Field:
    out = x
    for bit in bin(exponent)[3:]:
        out = cs.scratch_product(out, out)
        if bit == "1":
            out = cs.scratch_product(out, x)
    return out


def _scratch_root(cs: ConstraintSystem, a: Field) -> Field:
    """A square root of a, any number where there is none; r - 1 = 2^28 m, and 5 is no square."""
    mul = cs.scratch_product
    order = 28
    m = (MODULUS - 1) >> order
    half = _scratch_power(cs, a, (m - 1) // 2)
    root = mul(a, half)
    t = mul(root, half)  # root^2 = a t throughout
    c = pow(5, m, MODULUS)
    for k in range(order, 1, -1):
        # t^(2^(k-1)) = 1; make t^(2^(k-2)) = 1.
        power = t
        for _ in range(k - 2):
            power = mul(power, power)
        missing = 1 - cs.scratch_is_zero(power - 1)
        root = mul(root, 1 + (c - 1) * missing)
        c = c * c % MODULUS
        t = mul(t, 1 + (c - 1) * missing)
    return root
