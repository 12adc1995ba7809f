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
    "assert_first_difference",
    "assert_long_bits_less_than",
    "from_bits",
    "range_check",
    "to_bits",
    "to_bits_strict",
    "windows",
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
    those of x + r are refused. Assumes: nothing. Rows: 285, of which
    31 are those of :func:`assert_bits_less_than`.
    """
    bits = _decompose(cs, x, _MODULUS_BITS)
    assert_bits_less_than(cs, bits, MODULUS)
    return bits


def assert_bits_less_than(cs: ConstraintSystem, bits: Sequence[Bool], bound: int) -> None:
    """Demand ``sum(bits[i] * 2**i) < bound`` over the integers, for a constant bound.

    Ranges: at most 254 bits, ``0 < bound <= r`` (``ValueError`` otherwise). Assumes: each bit is 0 or 1.
    Rows: the fewer of two ways; for r and 254 bits, or l and 251 bits, 31.

    By runs, few when the bound is nearly a power of two. Write c = bound - 1. For a maximal run of zeros
    in c let D count the ones of c above it that the bits miss, and Z the bits set within it; a row
    ``D * w = Z`` with a free w says that D = 0 implies Z = 0 (one row a run; Z = 0 alone where nothing is
    above). If the number exceeds c, the highest place where they differ is a zero of c, all ones above
    it are met, and its row fails. If it does not, the highest difference is a one of c that is missed:
    D > 0 for all runs below it, and Z = 0 for all above. Counts are below 255, so none wraps.

    By windows: see :func:`assert_first_difference`, with differences ``(bound >> s) - (number >> s)``
    for shifts s that descend to 0 by w at most.
    """
    n = len(bits)
    if not 0 < n <= _MODULUS_BITS or not 0 < bound <= MODULUS:
        raise ValueError(f"{n} bits below {bound}: expected 1 to 254 bits and 0 < bound <= r")
    if bound >> n:
        return
    label = f"bits below {_short(bound)}"
    runs = _zero_runs(bound - 1, n)
    width, shifts = windows(n, bound)
    # For 254 bits below a small bound the last difference could wrap: number = bound + r - g.
    may_wrap = n == _MODULUS_BITS and bound + MODULUS - (1 << width) < 1 << n
    if may_wrap or len(runs) <= width + len(shifts) - 1:
        _assert_by_runs(cs, bits, runs, label)
        return
    differences: list[Field] = []
    above: Field = cs.constant(0)
    end = n
    for shift in shifts:
        # Each difference is the one before, shifted, and what the next bits contribute.
        constant = (bound >> shift) - (bound >> end << (end - shift))
        terms: list[tuple[Field, int]] = [(bits[i], -(1 << (i - shift))) for i in range(shift, end)]
        above = cs.linear([(above, 1 << (end - shift)), *terms], constant)
        differences.append(above)
        end = shift
    assert_first_difference(cs, differences, differences, width, label)


def assert_long_bits_less_than(cs: ConstraintSystem, bits: Sequence[Bool], bound: int) -> None:
    """Demand ``sum(bits[i] * 2**i) < bound`` over the integers, for any number of bits: no field element
    has to hold it.

    Ranges: ``0 < bound``. Assumes: each bit is 0 or 1. Rows: one for each run of zeros in ``bound - 1``;
    the proof is that by runs of :func:`assert_bits_less_than` (counts of bits, which do not wrap).
    """
    if bound <= 0:
        raise ValueError(f"bits below {bound}: expected a bound above 0")
    if bound >> len(bits):
        return
    runs = _zero_runs(bound - 1, len(bits))
    _assert_by_runs(cs, bits, runs, f"bits below {_short(bound)}")


def windows(n: int, bound: int, rows_per_window: int = 1) -> tuple[int, list[int]]:
    """The width w and the descending shifts that make :func:`assert_first_difference` cheapest for n bits.

    ``rows_per_window``: what a difference costs its caller and the product together.
    """

    def cut(width: int) -> list[int]:
        # The first difference may be as large as the bound's own top bits: they must not exceed 2^w.
        first = next(s for s in range(n) if bound >> s <= 1 << width)
        return [*range(first, 0, -width), 0]

    width = min(range(1, n + 1), key=lambda width: width + rows_per_window * len(cut(width)))
    return width, cut(width)


def assert_first_difference(
    cs: ConstraintSystem,
    differences: Sequence[Field],
    values: Sequence[Field],
    width: int,
    label: str,
    scale: Field | None = None,
) -> None:
    """Demand that some ``differences[i]`` is ``scale * g`` with 1 <= g <= 2^width.

    Assumes: ``scale`` (1 when absent) is not zero. Rows: ``width + len(differences) - 1``, one more with
    a scale. ``values`` are the differences without the scale, for the hint only (scratch values allowed).

    This compares a number X with a constant C. Let ``D_s = (C >> s) - (X >> s)``, integers of absolute
    value below 2^254 of which it is known that ``D_s = g`` modulo r only if ``D_s = g``.

    Sound: if some D_s = g >= 1, then X >> s < C >> s, hence X < C. Complete: if X < C, no D_s is
    negative and the last, D_0 = C - X, is not zero. Take the first that is not zero: it is at most 2^w
    if it is the very first by the choice of shifts, and otherwise its predecessor is zero, so that it is a
    difference of at most w bits.
    """
    first = values[-1]
    for value in reversed(values[:-1]):
        first = value + cs.scratch_product(cs.scratch_is_zero(value), first)
    bits = [cs.assert_bool(bit, label=label) for bit in cs.hint_bits(first - 1, width)]
    g: Field = cs.linear([(bit, 1 << i) for i, bit in enumerate(bits)], 1)
    if scale is not None:
        g = g * scale
        if len(differences) > 1:  # a single difference takes the product's row
            g = cs.materialise(g)
    product = differences[0] - g
    products = []
    for difference in differences[1:]:
        product = product * (difference - g)
        products.append(product)
    cs.assert_zero(product, label=label)
    reason = "which of several fitting differences is shown says nothing about the number"
    cs.claim_idle([*bits, *([g] if scale is not None and products else []), *products[:-1]], reason=reason)


def _zero_runs(c: int, n: int) -> list[tuple[int, int]]:
    """The maximal runs [low, high) of zeros of c below 2^n, highest first."""
    runs = []
    high = None
    for i in reversed(range(n)):
        if c >> i & 1:
            if high is not None:
                runs.append((i + 1, high))
            high = None
        elif high is None:
            high = i + 1
    if high is not None:
        runs.append((0, high))
    return runs


def _assert_by_runs(
    cs: ConstraintSystem, bits: Sequence[Bool], runs: Sequence[tuple[int, int]], label: str
) -> None:
    ones: list[Bool] = []
    end = len(bits)
    for low, high in runs:
        ones.extend(bits[high:end])
        end = low
        excess = cs.sum(bits[low:high])
        if not ones:
            cs.assert_zero(excess, label=label)
            continue
        missed = cs.linear([(bit, -1) for bit in ones], len(ones))
        (missed * cs.hint_divide_or_zero(excess, missed)).assert_equal(excess, label=label)


def _check_width(n: int) -> None:
    if type(n) is not int:
        raise TypeError(f"a range of {n!r} bits: expected an int, not {type(n).__name__}")
    if not 1 <= n <= MAX_BITS:
        raise ValueError(f"a range of {n} bits; expected 1 .. 253, since 254 bits hold x + r as well as x")


def _decompose(cs: ConstraintSystem, x: Field, n: int) -> list[Bool]:
    """n bits with ``sum(bits[i] * 2**i) = x`` modulo r."""
    low = cs.hint_bits(x, n - 1, demanded=n) if n > 1 else []
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
