"""Choosing among values: select, multiplexers, one-hot, conditional swap, tables of constants, membership.

This module must not know what is chosen. All bits are ``Bool``: constrained where they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.bits import assert_bits_less_than, from_bits
from zkrollup.gadgets.compare import is_zero

__all__ = [
    "assert_member",
    "conditional_swap",
    "is_member",
    "lookup",
    "lookup_number",
    "mux",
    "mux4",
    "mux_one_hot",
    "one_hot",
    "one_hot4",
    "one_hot_bits",
    "polynomial",
    "select",
]


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


def mux(cs: ConstraintSystem, index: Sequence[Bool], values: Sequence[Field]) -> Field:
    """``values[sum(index[i] * 2**i)]``, by halves; the index is demanded to be below their number.

    Ranges: N values and ceil(log2 N) bits, N >= 1 (``ValueError`` otherwise). Assumes: nothing of the
    values. Rows: N - 1, the last as in :func:`mux4`; when N is no power of two also those of
    :func:`zkrollup.gadgets.bits.assert_bits_less_than`.
    """
    _check_index(index, len(values))
    if len(values) != 1 << len(index):
        assert_bits_less_than(cs, index, len(values))
    level = list(values)
    for bit in index:
        pairs = [bit.select(level[i + 1], level[i]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[2 * len(pairs) :]  # an odd one out is reached by a 0 alone
    return level[0]


def one_hot4(cs: ConstraintSystem, low: Bool, high: Bool) -> list[Bool]:
    """Four bits of which the one at ``low + 2 * high`` is 1. Rows: 1, all four are linear in low * high."""
    both = low & high
    return [
        Bool.unchecked(cs.linear([(low, -1), (high, -1), (both, 1)], 1)),
        Bool.unchecked(low - both),
        Bool.unchecked(high - both),
        both,
    ]


def one_hot_bits(cs: ConstraintSystem, index: Sequence[Bool]) -> list[Bool]:
    """2^k bits of which the one at the number of the k bits ``index`` is 1.

    Assumes: nothing. Rows: 2^k - k - 1. Each further bit b splits every h into ``h b`` and ``h - h b``; the
    last product costs nothing, since all of them add up to b.
    """
    hot = [cs.constant_bool(True)]
    for bit in index:
        split = [h & bit for h in hot[:-1]]
        split.append(Bool.unchecked(cs.linear([(bit, 1), *((s, -1) for s in split)])))
        hot = [Bool.unchecked(h - s) for h, s in zip(hot, split, strict=True)] + split
    return hot


def one_hot(cs: ConstraintSystem, index: Field, n: int) -> list[Bool]:
    """n bits of which the one at ``index`` is 1; index < n is demanded.

    Ranges: n >= 1 (``ValueError`` otherwise). Assumes: nothing. Rows: n.

    ``h_i (index - i) = 0`` leaves at most one h that is not 0, and all add up to 1: the last of them is
    no wire but 1 less the others.
    """
    if n < 1:
        raise ValueError(f"a one-hot of {n} bits; expected at least 1")
    hot: list[Field] = [cs.hint_is_zero(index - i) for i in range(n - 1)]
    hot.append(cs.linear([(h, -1) for h in hot], 1))
    for i, h in enumerate(hot):
        (h * (index - i)).assert_equal(0, label=f"one-hot of {n}")
    return [Bool.unchecked(h) for h in hot]


def mux_one_hot(cs: ConstraintSystem, hot: Sequence[Bool], values: Sequence[Field]) -> Field:
    """The value whose bit is 1.

    Assumes: one bit is 1, the others 0, as :func:`one_hot` and :func:`one_hot_bits` make them. Rows: N - 1:
    ``values[0] + sum(hot[i] * (values[i] - values[0]))``. One one-hot serves any number of rows of values.
    """
    if len(hot) != len(values) or not values:
        raise ValueError(
            f"mux_one_hot: {len(hot)} bits for {len(values)} values; expected as many, at least 1"
        )
    first = values[0]
    return first + cs.sum(h * (v - first) for h, v in zip(hot[1:], values[1:], strict=True))


def conditional_swap(cs: ConstraintSystem, flag: Bool, a: Field, b: Field) -> tuple[Field, Field]:
    """(b, a) when the flag is 1, else (a, b). Rows: 1."""
    moved = flag * (b - a)
    return a + moved, b - moved


# -- tables of constants ---------------------------------------------------------------------------
def polynomial(cs: ConstraintSystem, coefficients: Sequence[int], x: Field) -> Field:
    """``sum(coefficients[i] * x**i)``.

    Assumes: nothing. Rows: about 2 sqrt(d) for degree d, ``m - 1 + ceil(d / m) - 1`` with the best m: the
    powers up to x^m, and Horner's rule in x^m over blocks of m coefficients, m + 1 in the highest (Paterson
    and Stockmeyer, "On the number of nonscalar multiplications necessary to evaluate polynomials", 1973).
    """
    if len(coefficients) < 2:
        return cs.constant(sum(coefficients))
    degree = len(coefficients) - 1
    m = _best_block(degree)
    powers: list[Field] = [cs.constant(1), x]
    while len(powers) <= m:
        powers.append(powers[len(powers) // 2] * powers[(len(powers) + 1) // 2])
    top = (-(-degree // m) - 1) * m
    total = cs.linear(list(zip(powers, coefficients[top:], strict=False)))
    for low in range(top - m, -1, -m):
        total = total * powers[m] + cs.linear(list(zip(powers, coefficients[low : low + m], strict=False)))
    return total


def lookup_number(cs: ConstraintSystem, index: Field, table: Sequence[int]) -> Field:
    """``table[index]``, by the polynomial through the table. Rows: those of :func:`polynomial`.

    Ranges: at least one entry (``ValueError`` otherwise). Assumes: index < len(table); beyond, the polynomial
    has other values.
    """
    if not table:
        raise ValueError("lookup_number: the table has no entry")
    return polynomial(cs, _interpolate(table), index)


def lookup(cs: ConstraintSystem, index: Sequence[Bool], table: Sequence[int]) -> Field:
    """``table[sum(index[i] * 2**i)]`` for a table of constants.

    Ranges: 2^k entries for k bits (``ValueError`` otherwise). Assumes: nothing. Rows, by the number of
    entries: 2: 0; 4: 1; 8: 1, or 2 for tables that are linear but for one entry; 16: 3; 32: 7; 64: 14;
    128: 21; 256: 30; fewer when entries coincide.

    Eight entries in one row: with o the entry, find A and B linear in the bits such that ``A (o + B)`` is
    linear too, C say, and A is 0 at no corner of the cube. The row ``A q = C`` then pins q, and o is
    ``q - B``. Of A (o + B) the four coefficients above degree 1 must vanish. That of x0 x1 x2 only
    involves A; the other three determine B when no coefficient of A is 0. See :func:`_quotient`.
    Larger tables are two halves and a selection, or a polynomial in the index, whichever is less.
    """
    k = len(index)
    if len(table) != 1 << k:
        raise ValueError(f"a table of {len(table)} entries for {k} bits; expected {1 << k}")
    return _lookup(cs, list(index), [entry % MODULUS for entry in table])


def assert_member(
    cs: ConstraintSystem, x: Field, values: Sequence[Field | int], label: str = "is a member"
) -> None:
    """Demand that x is one of the values.

    Assumes: nothing; no value is a ``ValueError``. Rows: N - 1 for N signals, at least 1; for N constants
    those of :func:`polynomial` of degree N, 6 for 16.
    """
    cs.assert_zero(_vanishing(cs, x, values), label=label)


def is_member(cs: ConstraintSystem, x: Field, values: Sequence[Field | int]) -> Bool:
    """1 when x is one of the values, else 0.

    Assumes: nothing; no value is a ``ValueError``. Rows: N + 1 for N signals; for N constants two more than
    :func:`assert_member`. Free: the inverse hinted for ``is_zero`` when x is one of them.
    """
    return is_zero(cs, _vanishing(cs, x, values))


def _vanishing(cs: ConstraintSystem, x: Field, values: Sequence[Field | int]) -> Field:
    """The product of all ``x - value``."""
    if not values:
        raise ValueError("membership among no values; expected at least one")
    known = [value if isinstance(value, int) else value.constant_value for value in values]
    constants = [value for value in known if value is not None]
    signals = [v for v, k in zip(values, known, strict=True) if k is None and isinstance(v, Field)]
    coefficients = [1]
    for constant in constants:
        shifted = [0, *coefficients]
        for i, c in enumerate(coefficients):
            shifted[i] = (shifted[i] - constant * c) % MODULUS
        coefficients = shifted
    out = polynomial(cs, coefficients, x)
    for signal in signals:
        out = out * (x - signal)
    return out


def _check_index(index: Sequence[Bool], count: int) -> None:
    if not count or len(index) != (count - 1).bit_length():
        need = (count - 1).bit_length() if count else 0
        raise ValueError(
            f"{len(index)} bits of index for {count} values; expected {need} and at least 1 value"
        )


def _best_block(degree: int) -> int:
    return min(range(1, degree + 1), key=lambda m: (_polynomial_rows(degree, m), m))


def _polynomial_rows(degree: int, m: int) -> int:
    return m - 1 + -(-degree // m) - 1


def _lookup(cs: ConstraintSystem, index: list[Bool], table: list[int]) -> Field:
    k = len(index)
    folded = [(bit, value) for bit in index if (value := bit.constant_value) is not None]
    if folded:
        bit, value = folded[0]
        i = next(i for i, other in enumerate(index) if other is bit)
        kept = [entry for j, entry in enumerate(table) if j >> i & 1 == value]
        return _lookup(cs, index[:i] + index[i + 1 :], kept)
    if k > 3:
        half = len(table) // 2
        if table[:half] == table[half:]:
            return _lookup(cs, index[:-1], table[:half])
        degree = len(table) - 1
        if _polynomial_rows(degree, _best_block(degree)) < (1 << (k - 2)) - 1:
            return lookup_number(cs, from_bits(cs, index), table)
        return index[-1].select(_lookup(cs, index[:-1], table[half:]), _lookup(cs, index[:-1], table[:half]))
    terms = _monomials(table)
    products = [mask for mask, t in enumerate(terms) if t and mask & (mask - 1)]
    linear = [(index[i], terms[1 << i]) for i in range(k)]
    if not products:
        return cs.linear(linear, terms[0])
    if len(products) == 1 and products[0] != 7:
        both = [bit for i, bit in enumerate(index) if products[0] >> i & 1]
        return cs.linear([*linear, (both[0] & both[1], terms[products[0]])], terms[0])
    found = _quotient(terms)
    if found is None:
        pair = index[0] & index[1]
        rest = index[2] * cs.linear([(pair, terms[7]), (index[0], terms[5]), (index[1], terms[6])])
        return cs.linear([*linear, (pair, terms[3]), (rest, 1)], terms[0])
    a, b, c = found
    factor = cs.linear(list(zip(index, a[1:], strict=True)), a[0])
    scaled = cs.linear(list(zip(index, c[1:], strict=True)), c[0])
    quotient = cs.hint_divide_or_zero(scaled, factor)
    cs.enforce(quotient, factor, scaled, label="entry of a table")
    return cs.linear(
        [(quotient, 1), *((bit, -coefficient) for bit, coefficient in zip(index, b, strict=True))]
    )


def _monomials(table: Sequence[int]) -> list[int]:
    """The coefficients, by mask, of the polynomial of degree at most 1 in each bit through the table."""
    terms = list(table)
    for i in range((len(table) - 1).bit_length()):
        for mask in range(len(terms)):
            if mask >> i & 1:
                terms[mask] = (terms[mask] - terms[mask ^ 1 << i]) % MODULUS
    return terms


def _quotient(t: Sequence[int]) -> tuple[list[int], list[int], list[int]] | None:
    """A = a0 + sum a_i x_i, B = sum b_i x_i, C = c0 + sum c_i x_i with A (o + B) = C on the cube, o the
    function with the monomials t, and A nowhere 0.

    x_i times the monomial m is the monomial m | i. So the coefficient of x0 x1 x2 in A o is ``a0 t7 +
    a1' (t7 + t6) + ...``, that of x_i x_j in A (o + B) is ``a0 t_ij + a_i (t_ij + t_j) + a_j (t_ij + t_i) +
    a_i b_j + a_j b_i``. The 3 x 3 system for B has the determinant -2 a_0 a_1 a_2 (coefficients of the
    three bits), so any A without zeros in it serves that meets the one condition and no zero on the cube.
    None where there is none: the conjunction of three needs ``A(1, 1, 1) = 0``.
    """
    rest = [(t[7] + t[7 ^ 1 << i]) % MODULUS for i in range(3)]
    for small in product((1, 2, 3, -1, -2, -3, 5, 7), repeat=3):
        a = [0, *small]
        if t[7]:
            a[0] = -sum(x * y for x, y in zip(small, rest, strict=True)) * pow(t[7], -1, MODULUS) % MODULUS
        else:  # the condition is on the three alone; two of them at least take part
            i = next(i for i in range(3) if rest[i])
            others = sum(small[j] * rest[j] for j in range(3) if j != i)
            a[1 + i] = -others * pow(rest[i], -1, MODULUS) % MODULUS
            a[0] = 11
        corners = ((a[0] + sum(a[1 + i] for i in range(3) if x >> i & 1)) % MODULUS for x in range(8))
        if all(corners) and all(a[1 + i] % MODULUS for i in range(3)):
            break
    else:
        return None
    right = {}
    for i, j in ((0, 1), (0, 2), (1, 2)):
        both = t[1 << i | 1 << j]
        right[i, j] = -(a[0] * both + a[1 + i] * (both + t[1 << j]) + a[1 + j] * (both + t[1 << i])) % MODULUS
    # a_i b_j + a_j b_i = right_ij; with u_i = b_i / a_i: u_i + u_j = right_ij / (a_i a_j).
    sums = {pair: v * pow(a[1 + pair[0]] * a[1 + pair[1]], -1, MODULUS) for pair, v in right.items()}
    total = (sums[0, 1] + sums[0, 2] + sums[1, 2]) * pow(2, -1, MODULUS)
    u = [total - sums[1, 2], total - sums[0, 2], total - sums[0, 1]]
    b = [u[i] * a[1 + i] % MODULUS for i in range(3)]
    c = [a[0] * t[0] % MODULUS]
    for i in range(3):
        one = 1 << i
        c.append((a[0] * (t[one] + b[i]) + a[1 + i] * (t[0] + t[one] + b[i])) % MODULUS)
    return a, b, c


def _interpolate(table: Sequence[int]) -> list[int]:
    """The coefficients of the polynomial of degree below N that is ``table[i]`` at each i < N (Newton)."""
    n = len(table)
    differences = [entry % MODULUS for entry in table]
    for order in range(1, n):
        inverse = pow(order, -1, MODULUS)
        for i in range(n - 1, order - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) * inverse % MODULUS
    coefficients: list[int] = []
    for i in range(n - 1, -1, -1):  # Horner in (x - i)
        coefficients = [0, *coefficients]
        for j in range(len(coefficients) - 1):
            coefficients[j] = (coefficients[j] - i * coefficients[j + 1]) % MODULUS
        coefficients[0] = (coefficients[0] + differences[i]) % MODULUS
    return coefficients
