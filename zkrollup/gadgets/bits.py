"""Bits of a field element: decomposition, range checks, comparison of bits with a constant.

This module must not know what a number stands for.

A decomposition into n <= 253 bits is unique, because 2^253 < r. At 254 bits x and x + r may both fit,
so the bits must also be shown to stay below r: :func:`to_bits_strict`.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import Bool, ConstraintSystem, Field, UInt

__all__ = [
    "MAX_BITS",
    "assert_bits_less_than",
    "from_bits",
    "range_check",
    "to_bits",
    "to_bits_strict",
]

MAX_BITS = 253
"""The widest decomposition that is unique by itself."""

_MODULUS_BITS = 254


def from_bits(cs: ConstraintSystem, bits: Sequence[Field]) -> Field:
    """The number ``sum(bits[i] * 2**i)``; no row. Assumes: nothing; at most 253 bits avoid a wrap."""
    return cs.linear([(bit, 1 << i) for i, bit in enumerate(bits)])


def to_bits(cs: ConstraintSystem, x: Field, n: int) -> list[Bool]:
    """The n bits of x, least significant first; x < 2^n is thereby demanded.

    Theorem: ``x = sum(bits[i] * 2**i)`` over the integers, each bit 0 or 1.
    Ranges: 1 <= n <= 253 (``ValueError`` otherwise). Assumes: nothing. Rows: n; none for a ``UInt`` of
    at most n bits whose bits are known.

    The top bit is no wire but what x leaves over, ``(x - sum of the others) / 2**(n-1)``, so that
    recomposing costs no row of its own.
    """
    _check_width(n)
    if isinstance(x, UInt) and x.is_decomposed and x.num_bits <= n:
        return x.bits + [cs.constant_bool(False)] * (n - x.num_bits)
    return _decompose(cs, x, n)


def range_check(cs: ConstraintSystem, x: Field, n: int) -> UInt:
    """Demand 0 <= x < 2^n; returns x as a ``UInt`` whose bits are known. Rows: n. See :func:`to_bits`."""
    return UInt.unchecked(x, n, to_bits(cs, x, n))


def to_bits_strict(cs: ConstraintSystem, x: Field) -> list[Bool]:
    """The 254 bits of the canonical value of x, least significant first.

    Theorem: ``x = sum(bits[i] * 2**i) < r`` over the integers, each bit 0 or 1; so the bits are unique,
    those of x + r are refused. Assumes: nothing. Rows: 254 and those of
    :func:`assert_bits_less_than`.
    """
    bits = _decompose(cs, x, _MODULUS_BITS)
    assert_bits_less_than(cs, bits, MODULUS)
    return bits


def assert_bits_less_than(cs: ConstraintSystem, bits: Sequence[Bool], bound: int) -> None:
    """Demand ``sum(bits[i] * 2**i) < bound`` over the integers, for a constant bound.

    Ranges: at most 254 bits, ``0 < bound <= r``. Assumes: each bit is 0 or 1. Rows: one for each
    maximal run of zeros in ``bound - 1`` that has a one above it, and one for the zeros at its top.

    Write c = bound - 1. For a run of zeros let D count the ones of c above it that the bits miss and Z
    the bits set within it; a row ``D * w = Z`` with a free w says that D = 0 implies Z = 0. If the
    number exceeds c, the highest place where they differ is a zero of c, all ones above it are met,
    and its row fails. If it does not, the highest difference is a one of c that is missed, so that
    D > 0 for all runs below, and Z = 0 for all above. Counts are below 255: none wraps.
    """
    n, c = len(bits), bound - 1
    if not 0 < n <= _MODULUS_BITS or not 0 < bound <= MODULUS:
        raise ValueError(
            f"bits below a constant: {n} bits below {bound}; expected 1 .. 254 bits, 0 < bound <= r"
        )
    if c >> n:
        return
    ones: list[Bool] = []
    zeros: list[Bool] = []
    for i in reversed(range(-1, n)):
        if i >= 0 and not c >> i & 1:
            zeros.append(bits[i])
            continue
        if zeros:
            excess = cs.sum(zeros)
            if ones:
                missed = cs.linear([(bit, -1) for bit in ones], len(ones))
                w = cs.hint_divide_or_zero(excess, missed)
                (missed * w).assert_equal(excess, label=f"bits below {_short(bound)}")
            else:
                cs.assert_zero(excess, label=f"bits below {_short(bound)}")
            zeros = []
        if i >= 0:
            ones.append(bits[i])


def _check_width(n: int) -> None:
    if not 1 <= n <= MAX_BITS:
        raise ValueError(f"a range of {n} bits; expected 1 .. 253, since 254 bits hold x + r as well as x")


def _decompose(cs: ConstraintSystem, x: Field, n: int) -> list[Bool]:
    """n bits with ``sum(bits[i] * 2**i) = x`` modulo r."""
    low = cs.hint_bits(x, n - 1) if n > 1 else []
    scale = pow(1 << (n - 1), -1, MODULUS)
    top = cs.linear([(x, scale), *((bit, -(scale << i)) for i, bit in enumerate(low))]) if low else x
    return [cs.assert_bool(bit, label=f"bit of a {n}-bit number") for bit in [*low, top]]


def _short(bound: int) -> str:
    return (
        "r"
        if bound == MODULUS
        else f"{bound:#x}"
        if bound < 1 << 64
        else f"a constant of {bound.bit_length()} bits"
    )
