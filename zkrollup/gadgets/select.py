"""Choosing among values by bits: select, a 4-way multiplexer, one-hot, conditional swap.

This module must not know what is chosen. All bits are ``Bool``: constrained where they were made.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.cs import Bool, ConstraintSystem, Field

__all__ = ["conditional_swap", "mux4", "one_hot4", "select"]


def select(cs: ConstraintSystem, flag: Bool, if_true: Field | int, if_false: Field | int) -> Field:
    """``if_true`` when the flag is 1, else ``if_false``. Rows: 1; none when both are constants."""
    return flag.select(if_true, if_false)


def mux4(cs: ConstraintSystem, low: Bool, high: Bool, values: Sequence[Field]) -> Field:
    """``values[low + 2 * high]``.

    Rows: 3, the last of which becomes the assertion's own when the result is only asserted equal.
    """
    if len(values) != 4:
        raise ValueError(f"mux4: expected 4 values, got {len(values)}")
    first = low.select(values[1], values[0])
    second = low.select(values[3], values[2])
    return high.select(second, first)


def one_hot4(cs: ConstraintSystem, low: Bool, high: Bool) -> list[Bool]:
    """Four bits of which the one at ``low + 2 * high`` is 1. Rows: 1, all four are linear in low * high."""
    both = low & high
    return [
        Bool.unchecked(cs.linear([(low, -1), (high, -1), (both, 1)], 1)),
        Bool.unchecked(low - both),
        Bool.unchecked(high - both),
        both,
    ]


def conditional_swap(cs: ConstraintSystem, flag: Bool, a: Field, b: Field) -> tuple[Field, Field]:
    """(b, a) when the flag is 1, else (a, b). Rows: 1."""
    moved = flag * (b - a)
    return a + moved, b - moved
