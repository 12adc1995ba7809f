"""Words as bits: rotations, shifts, boolean functions of two and three words, sums modulo 2^n.

This module must not know what the words stand for. A word is a sequence of ``Bool``, least significant
bit first; bits known while recording fold away, so rows are stated for words that are signals.

A function of three bits in one row. Let o be the wanted bit and A, B, C linear in the arguments. The row
``A * (k o + B) = C`` pins o wherever A is not 0, so it states any function for which such A, B, C exist
with A nonzero on all eight corners. Both exist for the parity of three bits, for their majority, and for
Keccak's chi; then o needs no boolean row either, since only 0 or 1 solves the row.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.bits import MAX_BITS, to_bits

__all__ = [
    "Word",
    "add",
    "and_",
    "chi",
    "choose",
    "constant",
    "invert",
    "majority",
    "or_",
    "rotate_left",
    "rotate_right",
    "shift_left",
    "shift_right",
    "xor",
]

Word = Sequence[Bool]


def constant(cs: ConstraintSystem, value: int, n: int) -> list[Bool]:
    """The n bits of a known value. Ranges: 0 <= value < 2^n (``ValueError`` otherwise). No row."""
    if not 0 <= value < 1 << n:
        raise ValueError(f"the constant {value} does not fit a word of {n} bits")
    return [cs.constant_bool(bool(value >> i & 1)) for i in range(n)]


# -- moves: no row -------------------------------------------------------------------------------------
def rotate_left(word: Word, k: int) -> list[Bool]:
    """Bit i becomes bit i + k modulo the width. No row. Assumes: nothing; any k."""
    k %= len(word)
    return [*word[len(word) - k :], *word[: len(word) - k]]


def rotate_right(word: Word, k: int) -> list[Bool]:
    """Bit i becomes bit i - k modulo the width. No row. Assumes: nothing; any k."""
    return rotate_left(word, -k)


def shift_left(cs: ConstraintSystem, word: Word, k: int) -> list[Bool]:
    """``word * 2**k`` modulo 2^width. No row. Assumes: k >= 0 (``ValueError`` otherwise)."""
    k = _shift(word, k)
    return [*constant(cs, 0, k), *word[: len(word) - k]]


def shift_right(cs: ConstraintSystem, word: Word, k: int) -> list[Bool]:
    """``word // 2**k``. No row. Assumes: k >= 0 (``ValueError`` otherwise)."""
    k = _shift(word, k)
    return [*word[k:], *constant(cs, 0, k)]


def invert(word: Word) -> list[Bool]:
    """Every bit flipped. No row."""
    return [~bit for bit in word]


# -- boolean functions, bit by bit ---------------------------------------------------------------------
def xor(cs: ConstraintSystem, *words: Word) -> list[Bool]:
    """The bitwise exclusive or of one word or more.

    Assumes: nothing; equal widths (``ValueError`` otherwise). Rows: one a bit for two words and for three,
    ``ceil((m - 1) / 2)`` a bit for m.

    Three at a time, with s = a + b + c in 0 .. 3 and o its parity: ``(2s - 3) (4o - 2s + 1) = -3`` holds at
    (0, 0), (1, 1), (2, 0), (3, 1), and 2s - 3 is never 0, so o is unique.
    """
    _same_width(words)
    return [_parity(cs, bits) for bits in zip(*words, strict=True)]


def and_(cs: ConstraintSystem, a: Word, b: Word) -> list[Bool]:
    """The bitwise and. Assumes: nothing; equal widths. Rows: one a bit, each when it is used."""
    _same_width((a, b))
    return [x & y for x, y in zip(a, b, strict=True)]


def or_(cs: ConstraintSystem, a: Word, b: Word) -> list[Bool]:
    """The bitwise or. Assumes: nothing; equal widths. Rows: one a bit, each when it is used."""
    _same_width((a, b))
    return [x | y for x, y in zip(a, b, strict=True)]


def choose(cs: ConstraintSystem, chooser: Word, if_one: Word, if_zero: Word) -> list[Bool]:
    """Bit by bit that of ``if_one`` where the chooser is 1, else of ``if_zero``: SHA-2's Ch.

    Assumes: nothing; equal widths. Rows: one a bit, each when it is used.
    """
    _same_width((chooser, if_one, if_zero))
    return [e.select(f, g) for e, f, g in zip(chooser, if_one, if_zero, strict=True)]


def majority(cs: ConstraintSystem, a: Word, b: Word, c: Word) -> list[Bool]:
    """Bit by bit the value that two of three have: SHA-2's Maj.

    Assumes: nothing; equal widths. Rows: one a bit.

    With s = a + b + c, the majority m is (s - parity) / 2, so the row of :func:`xor` with s - 2m for the
    parity, ``(2s - 3) (2s - 8m + 1) = -3``, pins it.
    """
    _same_width((a, b, c))
    return [_majority(cs, bits) for bits in zip(a, b, c, strict=True)]


def chi(cs: ConstraintSystem, a: Word, b: Word, c: Word) -> list[Bool]:
    """Bit by bit ``a ^ (~b & c)``: Keccak's chi.

    Assumes: nothing; equal widths. Rows: one a bit.

    ``(3b + 3c - 2a - 2) (18o - 16a + 3b + 3c - 1) = 18c - 6a + 2``: the first factor is -2, 1, 1, 4 for
    a = 0 and -4, -1, -1, 2 for a = 1, never 0, so o is unique; that it is chi is checked on the eight
    corners.
    """
    _same_width((a, b, c))
    return [_chi(cs, *bits) for bits in zip(a, b, c, strict=True)]


def _parity(cs: ConstraintSystem, bits: Sequence[Bool]) -> Bool:
    flip = 0
    signals: list[Bool] = []
    for bit in bits:
        if (value := bit.constant_value) is None:
            signals.append(bit)
        else:
            flip ^= value
    if not signals:
        return cs.constant_bool(bool(flip))
    out = signals[0]
    rest = signals[1:]
    while len(rest) > 1:
        total = cs.linear([(out, 1), (rest.pop(), 1), (rest.pop(), 1)])
        (odd,) = cs.hint_bits(total, 1, demanded=2)
        cs.enforce(
            cs.linear([(odd, 4), (total, -2)], 1), cs.linear([(total, 2)], -3), -3, label="xor of three"
        )
        out = Bool.unchecked(odd)
    if rest:
        out = cs.materialise(out ^ rest[0])
    return ~out if flip else out


def _majority(cs: ConstraintSystem, bits: Sequence[Bool]) -> Bool:
    signals = [bit for bit in bits if bit.constant_value is None]
    ones = sum(bit.constant_value == 1 for bit in bits)
    if len(signals) == 1 and ones == 1:
        return signals[0]
    if len(signals) < 2:
        return cs.constant_bool(ones >= 2)
    if len(signals) == 2:
        a, b = signals
        return cs.materialise(a | b if ones else a & b)
    total = cs.sum(signals)
    most = cs.hint_less_than(1, total)
    cs.enforce(
        cs.linear([(total, 2), (most, -8)], 1), cs.linear([(total, 2)], -3), -3, label="majority of three"
    )
    return Bool.unchecked(most)


def _chi(cs: ConstraintSystem, a: Bool, b: Bool, c: Bool) -> Bool:
    if any(bit.constant_value is not None for bit in (a, b, c)):
        return _parity(cs, (a, cs.materialise(~b & c)))
    (odd,) = cs.hint_bits(a + cs.scratch_less_than(b, c), 1, demanded=2)
    cs.enforce(
        cs.linear([(odd, 18), (a, -16), (b, 3), (c, 3)], -1),
        cs.linear([(a, -2), (b, 3), (c, 3)], -2),
        cs.linear([(a, -6), (c, 18)], 2),
        label="chi",
    )
    return Bool.unchecked(odd)


# -- sums ----------------------------------------------------------------------------------------------
def add(
    cs: ConstraintSystem,
    words: Sequence[Word],
    n: int,
    *,
    minus: Sequence[Word] = (),
    plus: int = 0,
) -> list[Bool]:
    """``sum(words) - sum(minus) + plus`` modulo 2^n, with one decomposition of the whole sum.

    Words may have any widths. Assumes: nothing. Rows: n and the bits of the carry, k for a sum that spans
    at most 2^k multiples of 2^n; fewer for words with known bits. Raises ``ValueError`` when the sum may
    take more than 253 bits.

    No wrap: a multiple of 2^n is added so that the sum is not negative, and its largest value, worked
    out while recording, has at most 253 bits; so its decomposition is that of the integer.
    """
    low, high, known = 0, 0, plus
    terms: list[tuple[Field, int]] = []
    for sign, group in ((1, words), (-1, minus)):
        for word in group:
            for i, bit in enumerate(word):
                weight = sign << i
                if (value := bit.constant_value) is not None:
                    known += weight * value
                    continue
                terms.append((bit, weight))
                if sign > 0:
                    high += weight
                else:
                    low += weight
    known %= 1 << n
    if not terms:
        return constant(cs, known, n)
    known += -((low + known) >> n) << n if low + known < 0 else 0
    width = (high + known).bit_length()
    if width > MAX_BITS:
        raise ValueError(
            f"a sum of up to {width} bits; expected at most {MAX_BITS}, or it would wrap modulo r"
        )
    bits = to_bits(cs, cs.linear(terms, known), width)
    if width <= n:  # no carry: the last bit is what the others leave, and deserves a wire
        bits[-1] = cs.materialise(bits[-1])
        return [*bits, *constant(cs, 0, n - width)]
    return bits[:n]


def _same_width(words: Sequence[Word]) -> None:
    widths = sorted({len(word) for word in words})
    if len(widths) != 1:
        raise ValueError(f"words of {' and '.join(map(str, widths)) or 'no'} bits; expected one width")


def _shift(word: Word, k: int) -> int:
    if k < 0:
        raise ValueError(f"a shift by {k}; expected 0 or more")
    return min(k, len(word))
