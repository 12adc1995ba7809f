"""Integers of n bits, unsigned and signed: sums, products, quotients, minima, shifts by a signal.

This module must not know what is counted. Unless a function is said to wrap, a result that does not fit
is refused: no witness exists. All bounds are of integers; each docstring says why nothing wraps modulo r,
where 2^253 < r < 2^254.

A signed integer is the field element of that integer (r - 5 for -5) with its sign, see :class:`Signed`;
two's complement is a view of it that costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkrollup.cs import Bool, ConstraintSystem, Field, UInt
from zkrollup.gadgets.bits import MAX_BITS, assert_bits_less_than, from_bits, range_check, to_bits
from zkrollup.gadgets.compare import is_zero, less_than

__all__ = [
    "Signed",
    "add",
    "add_wrapping",
    "divide",
    "divide_by_constant",
    "maximum",
    "minimum",
    "multiply",
    "multiply_wrapping",
    "rotate_left_by",
    "shift_left_by",
    "shift_right_by",
    "signed",
    "signed_absolute",
    "signed_add",
    "signed_divide",
    "signed_from_word",
    "signed_less_than",
    "signed_multiply",
    "signed_negate",
    "signed_shift_right_by",
    "signed_subtract",
    "subtract",
    "subtract_wrapping",
]


# -- unsigned ------------------------------------------------------------------------------------
def add(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """a + b, demanded below 2^n.

    Ranges: 1 <= n <= 252 (``ValueError`` otherwise). Assumes: a, b < 2^n, so the sum is below 2^253. Rows: n.
    """
    _check("a sum", n, 252)
    return range_check(cs, a + b, n)


def subtract(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """a - b, demanded not to be negative.

    Ranges: 1 <= n <= 252. Assumes: a, b < 2^n; a negative difference is above r - 2^252 > 2^252 modulo r
    and so has no n bits. Rows: n.
    """
    _check("a difference", n, 252)
    return range_check(cs, a - b, n)


def multiply(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """a * b, demanded below 2^n.

    Ranges: 1 <= n <= 126. Assumes: a, b < 2^n, so the product is below 2^252. Rows: n + 1.
    """
    _check("a product", n, 126)
    return range_check(cs, a * b, n)


def add_wrapping(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """a + b modulo 2^n. Ranges: 1 <= n <= 252. Assumes: a, b < 2^n. Rows: n + 1."""
    _check("a sum", n, 252)
    return _low(cs, to_bits(cs, a + b, n + 1), n)


def subtract_wrapping(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """a - b modulo 2^n, from ``a - b + 2^n`` in (0, 2^(n+1)).

    Ranges: 1 <= n <= 252. Assumes: a, b < 2^n. Rows: n + 1.
    """
    _check("a difference", n, 252)
    return _low(cs, to_bits(cs, a - b + (1 << n), n + 1), n)


def multiply_wrapping(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """a * b modulo 2^n. Ranges: 1 <= n <= 126. Assumes: a, b < 2^n. Rows: 2n + 1."""
    _check("a product", n, 126)
    return _low(cs, to_bits(cs, a * b, 2 * n), n)


def divide(cs: ConstraintSystem, a: Field, b: Field, n: int, m: int) -> tuple[UInt, UInt]:
    """The quotient and the remainder: ``a = q * b + remainder`` over the integers, ``0 <= remainder < b``.

    Ranges: 1 <= n, 1 <= m, n + m <= 252 (``ValueError`` otherwise). Assumes: a < 2^n, b < 2^m. b = 0 is
    refused: no remainder is below it. Rows: n + 2m + 1.

    q has n bits, the remainder m bits, and b - 1 - remainder m bits, which for numbers below 2^m says
    remainder < b (a negative difference is above r - 2^m, which has no m bits). Then q b + remainder <
    2^(n+m) + 2^m < 2^253 < r, so the row ``q * b = a - remainder`` holds over the integers, where
    quotient and remainder are unique.
    """
    if n < 1 or m < 1 or n + m > 252:
        raise ValueError(f"a division of {n} bits by {m}; expected at least 1 each and 252 together")
    quotient, remainder = cs.hint_divmod(a, b)
    q = range_check(cs, quotient, n)
    rest = range_check(cs, remainder, m)
    with cs.scope("remainder below divisor"):
        range_check(cs, b - rest - 1, m)
    (q * b).assert_equal(a - rest, label="quotient times divisor plus remainder")
    return q, rest


def divide_by_constant(cs: ConstraintSystem, a: Field, divisor: int, n: int) -> tuple[UInt, UInt]:
    """The quotient and the remainder by a known divisor: ``a = q * divisor + remainder``.

    Ranges: 1 <= n <= 251, 1 < divisor < 2^n (``ValueError`` otherwise). Assumes: a < 2^n. Rows: the bits
    of (2^n - 1) // divisor, those of divisor - 1, those that show remainder < divisor (none for a power of
    two) and one; 67 for 64 bits by 1000.

    With q below 2^k, k the bits of the largest quotient, ``q * divisor < 2 * 2^n`` and remainder < 2^n:
    below 2^253 together, so the identity holds over the integers.
    """
    if not 1 <= n <= 251 or not 1 < divisor < 1 << n:
        raise ValueError(
            f"a division of {n} bits by the constant {divisor}; expected 1 to 251 bits and 1 < divisor < 2^n"
        )
    quotient, remainder = cs.hint_divmod(a, divisor)
    q = range_check(cs, quotient, (((1 << n) - 1) // divisor).bit_length())
    rest = range_check(cs, remainder, (divisor - 1).bit_length())
    assert_bits_less_than(cs, rest.bits, divisor)
    cs.assert_equal(q * divisor + rest, a, label="quotient times divisor plus remainder")
    return q, rest


def minimum(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """The smaller number. Ranges: 1 <= n <= 252. Assumes: a, b < 2^n. Rows: n + 2."""
    return UInt.unchecked(less_than(cs, a, b, n).select(a, b), n)


def maximum(cs: ConstraintSystem, a: Field, b: Field, n: int) -> UInt:
    """The larger number. Ranges: 1 <= n <= 252. Assumes: a, b < 2^n. Rows: n + 2."""
    return UInt.unchecked(less_than(cs, a, b, n).select(b, a), n)


# -- shifts by a signal; those by a constant are moves of bits, in zkrollup.gadgets.words ----------------
def shift_left_by(cs: ConstraintSystem, x: Field, amount: Sequence[Bool], n: int) -> UInt:
    """``x * 2**s`` modulo 2^n, s the number of the bits ``amount``, least significant first.

    Ranges: k >= 1 bits of amount, n + 2^k - 1 <= 253 (``ValueError`` otherwise). Assumes: x < 2^n.
    Rows: n + 2^k + k - 1: k for the power and the product, n + 2^k - 1 to decompose it.

    x 2^s has at most n + 2^k - 1 bits; for n = 32 and k = 5 that is 68 rows, where five layers of
    selections would take 160.
    """
    bits = _scaled(cs, x, amount, n)
    return _low(cs, bits, n)


def shift_right_by(cs: ConstraintSystem, x: Field, amount: Sequence[Bool], n: int) -> UInt:
    """``x // 2**s``. Ranges, assumptions and rows as :func:`shift_left_by`.

    With S = 2^k - 1 it is the bits from S on of ``x * 2**(S - s)``; S - s has the bits of s flipped.
    """
    bits = _scaled(cs, x, [~bit for bit in amount], n)
    return _low(cs, bits[(1 << len(amount)) - 1 :], n)


def rotate_left_by(cs: ConstraintSystem, x: Field, amount: Sequence[Bool], n: int) -> UInt:
    """x with bit i moved to i + s modulo n.

    Ranges: n = 2^k for the k bits of amount, k <= 6 (``ValueError`` otherwise). Assumes: x < 2^n.
    Rows: as :func:`shift_left_by`.

    Bit i of the result is the sum of bits i and i + n of ``x * 2**s``, of which one is 0: below s the
    lower, from s on the upper.
    """
    if n != 1 << len(amount):
        raise ValueError(f"a rotation of {n} bits by {len(amount)} bits of amount; expected n = 2^bits")
    bits = _scaled(cs, x, amount, n)
    turned = [Bool.unchecked(low + high) for low, high in zip(bits, bits[n:], strict=False)]
    return _low(cs, [*turned, bits[n - 1]], n)


def _scaled(cs: ConstraintSystem, x: Field, amount: Sequence[Bool], n: int) -> list[Bool]:
    """The n + 2^k - 1 bits of ``x * 2**amount``."""
    k = len(amount)
    if k < 1 or n < 1 or n + (1 << k) - 1 > MAX_BITS:
        raise ValueError(f"a shift of {n} bits by {k} bits of amount; expected n + 2^{k} - 1 <= {MAX_BITS}")
    power: Field = cs.constant(1)
    for i, bit in enumerate(amount):
        power = power * cs.linear([(bit, (1 << (1 << i)) - 1)], 1)
    return to_bits(cs, x * power, n + (1 << k) - 1)


# -- signed ----------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Signed:
    """An integer in -2^(num_bits-1) .. 2^(num_bits-1) - 1, made by the functions below.

    ``value`` is the element congruent to it, ``negative`` is 1 when it is below 0; both are constrained
    where they are made.
    """

    value: Field
    negative: Bool
    num_bits: int

    @property
    def word(self) -> UInt:
        """The two's complement, ``value + 2**num_bits * negative``, in 0 .. 2^num_bits - 1; no row."""
        return UInt.unchecked(self.value + self.negative * (1 << self.num_bits), self.num_bits)


def signed(cs: ConstraintSystem, x: Field, n: int) -> Signed:
    """Demand ``-2**(n-1) <= x < 2**(n-1)``, x read as the integer nearest 0 that is congruent to it.

    Ranges: 1 <= n <= 252 (``ValueError`` otherwise). Assumes: nothing. Rows: n.

    ``x + 2**(n-1)`` has n bits, of which the top one is 1 when x is not negative; no other integer
    congruent to x is in the range, since 2^n < r.
    """
    _check("a signed integer", n, 252)
    bits = to_bits(cs, x + (1 << (n - 1)), n)
    return Signed(x, ~bits[-1], n)


def signed_from_word(cs: ConstraintSystem, word: Field, n: int) -> Signed:
    """The signed integer whose two's complement is ``word``; word < 2^n is demanded.

    Ranges: 1 <= n <= 252. Assumes: nothing. Rows: n, none for a ``UInt`` of at most n known bits.
    """
    _check("a signed integer", n, 252)
    negative = to_bits(cs, word, n)[-1]
    return Signed(word - negative * (1 << n), negative, n)


def signed_add(cs: ConstraintSystem, a: Signed, b: Signed) -> Signed:
    """a + b, demanded to fit. Ranges: equal widths of at most 252. Assumes: nothing. Rows: n."""
    return signed(cs, a.value + b.value, _width(a, b, 252))


def signed_subtract(cs: ConstraintSystem, a: Signed, b: Signed) -> Signed:
    """a - b, demanded to fit. Ranges: equal widths of at most 252. Assumes: nothing. Rows: n."""
    return signed(cs, a.value - b.value, _width(a, b, 252))


def signed_multiply(cs: ConstraintSystem, a: Signed, b: Signed) -> Signed:
    """a * b, demanded to fit.

    Ranges: equal widths of at most 126, so |a b| <= 2^250 and does not wrap. Assumes: nothing. Rows: n + 1.
    """
    n = _width(a, b, 126)
    return signed(cs, a.value * b.value, n)


def signed_negate(cs: ConstraintSystem, a: Signed) -> Signed:
    """-a, demanded to fit: the least integer has no opposite. Assumes: nothing. Rows: n."""
    return signed(cs, -a.value, a.num_bits)


def signed_absolute(cs: ConstraintSystem, a: Signed) -> UInt:
    """|a|, at most 2^(n-1), which it is for the least integer. Assumes: nothing. Rows: 1."""
    return UInt.unchecked(a.value * cs.linear([(a.negative, -2)], 1), a.num_bits)


def signed_less_than(cs: ConstraintSystem, a: Signed, b: Signed) -> Bool:
    """1 when a < b, else 0: ``a + 2**(n-1)`` and ``b + 2**(n-1)`` compared as n bits.

    Ranges: equal widths of at most 252. Assumes: nothing. Rows: n + 1.
    """
    return less_than(cs, a.value, b.value, _width(a, b, 252))


def signed_divide(cs: ConstraintSystem, a: Signed, b: Signed) -> tuple[Signed, Signed]:
    """Quotient rounded toward zero and remainder with the sign of a, as C has it: ``a = q b + rest``.

    Ranges: equal widths of at most 126. Assumes: nothing. b = 0 is refused, and so is the least
    integer divided by -1, whose quotient does not fit. Rows: 4n + 9. Free: the inverse hinted for
    ``is_zero`` when the remainder is 0.

    Of the absolute values, at most 2^(n-1), :func:`divide` makes |q| and |rest| < |b|.
    """
    n = _width(a, b, 126)
    q_size, rest_size = divide(cs, signed_absolute(cs, a), signed_absolute(cs, b), n, n)
    opposite = a.negative ^ b.negative
    q = signed(cs, q_size * cs.linear([(opposite, -2)], 1), n)
    rest = rest_size * cs.linear([(a.negative, -2)], 1)
    return q, Signed(rest, a.negative & ~is_zero(cs, rest_size), n)


def signed_shift_right_by(cs: ConstraintSystem, a: Signed, amount: Sequence[Bool]) -> Signed:
    """``floor(a / 2**s)``, the arithmetic shift, s the number of the bits ``amount``.

    Ranges: k >= 1 bits of amount, n + 2^k - 1 <= 253. Assumes: nothing. Rows: as :func:`shift_left_by`.

    With S = 2^k - 1, ``a 2^(S-s) + 2^(n-1+S)`` is in 0 .. 2^(n+S) - 1; its bits from S on are
    ``floor(a / 2^s) + 2^(n-1)``. The sign stays: floor keeps negative numbers below 0.
    """
    n, k = a.num_bits, len(amount)
    shift = (1 << k) - 1
    if k < 1 or n + shift > MAX_BITS:
        raise ValueError(f"a shift of {n} bits by {k} bits of amount; expected n + 2^{k} - 1 <= {MAX_BITS}")
    power: Field = cs.constant(1)
    for i, bit in enumerate(amount):
        power = power * cs.linear([(bit, 1 - (1 << (1 << i)))], 1 << (1 << i))
    bits = to_bits(cs, a.value * power + (1 << (n - 1 + shift)), n + shift)
    return Signed(from_bits(cs, bits[shift:]) - (1 << (n - 1)), a.negative, n)


def _low(cs: ConstraintSystem, bits: Sequence[Bool], n: int) -> UInt:
    return UInt.unchecked(from_bits(cs, bits[:n]), n, bits[:n])


def _check(what: str, n: int, most: int) -> None:
    if not 1 <= n <= most:
        raise ValueError(f"{what} of {n} bits; expected 1 .. {most}, or it would wrap modulo r")


def _width(a: Signed, b: Signed, most: int) -> int:
    if a.num_bits != b.num_bits:
        raise ValueError(f"signed integers of {a.num_bits} and {b.num_bits} bits; expected one width")
    _check("an operation on signed integers", a.num_bits, most)
    return a.num_bits
