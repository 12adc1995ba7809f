"""Comparisons: equality in the field, order of bounded integers.

This module must not know what is compared. Order is of integers, so its widths end at 252 bits: a
difference plus 2^n must fit 253 bits to have one decomposition.
"""

from __future__ import annotations

from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.bits import range_check, to_bits

__all__ = [
    "MAX_COMPARED_BITS",
    "assert_less_or_equal",
    "assert_less_than",
    "assert_nonzero",
    "is_equal",
    "is_zero",
    "less_or_equal",
    "less_than",
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
