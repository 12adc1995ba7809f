"""Comparisons: equality in the field, order of bounded integers.

This module must not know what is compared. Order is of integers. By one subtraction, widths end at 252
bits: a difference plus 2^n must fit 253 bits to have one decomposition. Bits that are known, up to a
whole canonical element, are compared in far fewer rows by :func:`less_than_bits`.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.bits import (
    assert_first_difference,
    from_bits,
    range_check,
    to_bits,
    to_bits_strict,
    windows,
)

__all__ = [
    "MAX_COMPARED_BITS",
    "assert_less_or_equal",
    "assert_less_than",
    "assert_nonzero",
    "greater_or_equal",
    "greater_than",
    "is_equal",
    "is_zero",
    "less_or_equal",
    "less_than",
    "less_than_bits",
    "less_than_field",
]

MAX_COMPARED_BITS = 252


def is_zero(cs: ConstraintSystem, x: Field) -> Bool:
    """1 when x = 0, else 0.

    Assumes: nothing. Rows: 2. Free: the hinted inverse when x = 0 (``x * w = m`` and ``x * (1 - m) = 0``
    pin m for every w).
    """
    if (value := x.constant_value) is not None:
        return cs.constant_bool(value == 0)
    inverse = cs.hint_inverse_or_zero(x)
    nonzero = x * inverse
    zero = 1 - nonzero
    cs.enforce(x, zero, 0, label="is zero")
    return Bool.unchecked(zero)


def is_equal(cs: ConstraintSystem, a: Field, b: Field) -> Bool:
    """1 when a = b, else 0. Assumes: nothing. Rows: 2. Free: as :func:`is_zero`."""
    return is_zero(cs, a - b)


def assert_nonzero(cs: ConstraintSystem, x: Field, label: str = "is not zero") -> Field:
    """Demand x != 0; returns 1/x. Assumes: nothing. Rows: 1."""
    inverse = cs.hint_inverse_or_zero(x)
    (x * inverse).assert_equal(1, label=label)
    return inverse


def less_than(cs: ConstraintSystem, a: Field, b: Field, n: int) -> Bool:
    """1 when a < b, else 0.

    Ranges: 1 <= n <= 252 (``ValueError`` otherwise). Assumes: a and b are below 2^n. Rows: n + 1.

    ``a - b + 2^n`` lies in (0, 2^(n+1)), below r; its bit n is set exactly when a >= b.
    """
    _check_width(n)
    return ~to_bits(cs, a - b + (1 << n), n + 1)[n]


def less_or_equal(cs: ConstraintSystem, a: Field, b: Field, n: int) -> Bool:
    """1 when a <= b, else 0. Ranges, assumptions and rows as :func:`less_than`."""
    return ~less_than(cs, b, a, n)


def greater_than(cs: ConstraintSystem, a: Field, b: Field, n: int) -> Bool:
    """1 when a > b, else 0. Ranges, assumptions and rows as :func:`less_than`."""
    return less_than(cs, b, a, n)


def greater_or_equal(cs: ConstraintSystem, a: Field, b: Field, n: int) -> Bool:
    """1 when a >= b, else 0. Ranges, assumptions and rows as :func:`less_than`."""
    return ~less_than(cs, a, b, n)


def less_than_bits(cs: ConstraintSystem, a: Sequence[Bool], b: Sequence[Bool]) -> Bool:
    """1 when the number of the bits a (least significant first) is below that of b, else 0.

    Ranges: equally many bits, 1 to 254 (``ValueError`` otherwise). Assumes: each bit is 0 or 1; at 254
    bits both numbers are below r, or an honest prover may find no witness. Rows: w + k + 2 for windows of
    w bits, k of them: 18 for 64 bits, 34 for 254; 1 for a single bit.

    The answer l is hinted and boolean. With A = a >> 1, B = b >> 1 and i = b_0 (1 - a_0), let
    D_s = (B >> s) - (A >> s), descending from the top to s = w, and E = D_0 + i - (1 - l). Demanded: one
    of these is (2l - 1) g with 1 <= g <= 2^w.

    Sound: |D_s| and |E| are at most 2^253, so equality modulo r is equality of integers. For l = 1, D_s >= 1
    means a < b, and E >= 1 means D_0 + i >= 1: either D_0 >= 1, or the numbers agree but for the last bit
    and i = 1; both say a < b. For l = 0, D_s <= -1 means a > b, and E <= -1 means D_0 + i <= 0: D_0 < 0,
    or D_0 = 0 and i = 0; both say a >= b. Complete: the first nonzero D_s is at most 2^w in absolute value,
    since the one before it is 0; where all are 0, E is. Free: g, where another window holds a difference
    of the same sign from 1 to 2^w; l is the same.
    """
    n = len(a)
    if len(b) != n or not 1 <= n <= 254:
        raise ValueError(f"a comparison of {n} bits with {len(b)}; expected equally many, 1 to 254")
    last = b[0] & ~a[0]
    if n == 1:
        return last
    less = cs.assert_bool(cs.hint_less_than(from_bits(cs, a), from_bits(cs, b)), label="answer is boolean")
    sign = cs.linear([(less, 2)], -1)
    width, shifts = windows(n - 1, 1 << (n - 1))
    differences: list[Field] = []
    above: Field = cs.constant(0)
    end = n
    for shift in shifts:
        places = range(shift + 1, end)
        terms: list[tuple[Field, int]] = [(b[i], 1 << (i - shift - 1)) for i in places]
        terms += [(a[i], -(1 << (i - shift - 1))) for i in places]
        above = cs.linear([(above, 1 << len(places)), *terms])
        differences.append(above)
        end = shift + 1
    differences[-1] = cs.linear([(above, 1), (last, 1), (less, 1)], -1)
    values = [cs.scratch_product(sign, difference) for difference in differences]
    assert_first_difference(cs, differences, values, width, "less than", scale=sign)
    cs.claim_determined([less], by=[*a, *b], reason="only the right answer has the sign of a difference")
    return less


def less_than_field(cs: ConstraintSystem, a: Field, b: Field) -> Bool:
    """1 when a < b as integers below r, for any two elements, else 0.

    Assumes: nothing. Rows: 604, twice :func:`zkrollup.gadgets.bits.to_bits_strict` and 34 of
    :func:`less_than_bits`. The canonical decompositions are what makes the order one of integers.
    """
    return less_than_bits(cs, to_bits_strict(cs, a), to_bits_strict(cs, b))


def assert_less_than(cs: ConstraintSystem, a: Field, b: Field, n: int) -> None:
    """Demand a < b: ``b - a - 1`` has n bits.

    Ranges: 1 <= n <= 252. Assumes: a and b are below 2^n (otherwise differences may wrap). Rows: n.
    """
    _check_width(n)
    range_check(cs, b - a - 1, n)


def assert_less_or_equal(cs: ConstraintSystem, a: Field, b: Field, n: int) -> None:
    """Demand a <= b: ``b - a`` has n bits. Ranges, assumptions and rows as :func:`assert_less_than`."""
    _check_width(n)
    range_check(cs, b - a, n)


def _check_width(n: int) -> None:
    if not 1 <= n <= MAX_COMPARED_BITS:
        raise ValueError(f"a comparison of {n} bits; expected 1 .. 252, or a difference would wrap modulo r")
