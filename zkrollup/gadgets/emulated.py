"""Arithmetic modulo another prime than r: elements as limbs with tracked bounds, products by one identity.

This module must not know what the other field is for. Values modulo p are congruences: an element is any
integer of its class within its bounds, and only :meth:`EmulatedField.canonical` makes it the least.

Elements. With B = 2^w, limbs ``x_0 .. x_(L-1)`` stand for the integer ``sum x_i B^i``. Of each limb a bound
is known while recording, ``0 <= x_i <= bounds[i]``, as a Python integer. Sums, multiples and differences
(a multiple of p is added, so that no limb is negative) cost no row and let bounds grow.

Products. A :class:`Wide` is a sum of products that nobody reduced: a polynomial in B whose coefficients, the
columns e_k, have known ranges [lo_k, hi_k] of any sign. The columns of a product of n_a and n_b of them are
the coefficients of a polynomial known from its values at n_a + n_b - 1 small points and infinity, one row
each; columns are combinations of them (A. Kosba, C. Papamanthou, E. Shi, "xJsnark", S&P 2018). Sums of
products cost nothing more, and a product may have a Wide for a factor.

The identity. Everything else demands ``S = sum e_k B^k = 0 (mod p)``. Let R_k = B^k where that is below p,
else its residue of least absolute value. Then ``S' = sum e_k R_k = S (mod p)`` is hardly longer than p:
some 2 w bits more for a product, where S has twice the bits. The circuit proves over the integers

    E = S' + Q0 p - q p = 0

with Q0 a constant that makes S' + Q0 p >= 0 for every S' within ranges; so q >= 0, and m bits hold it.
Integers are proved by two congruences whose moduli are coprime (r is odd):

1. E = 0 (mod r): q is no wire but the field element (S' + Q0 p) / p, a combination, of which m rows
   show that it is below 2^m <= 2^253.
2. E = 0 (mod B^T), for the least T with r B^T > max |E|. With the digits of R_k, Q0 p and p, E becomes
   ``sum f_j B^j``, the f_j combinations with ranges. They are taken in groups of g: with V the sum of a group
   plus the carry into it, V = c B^g must hold for an integer c, the carry out. As a field element c is
   V / B^g, again no wire; it is shown to be ``c_lo + (a number of n bits)`` by n rows.

Proof of the bounds. Each group is closed only if, for all V in its range and all carries of that form,
|V - c B^g| < r; the rows say V - c B^g = 0 (mod r), so it is 0, and V is that integer multiple of B^g.
By induction E = c B^T for an integer c. E is then divisible by B^T and by r, hence by r B^T, and |E| is
less: E = 0, and S = S' = (q - Q0) p = 0 (mod p). Conversely for S = 0 (mod p) the quotient is below 2^m and
every carry lies between ceil(lo / B^g) and floor(hi / B^g), which its n bits hold. All of this is checked in
integers while recording (:func:`plan`); what does not fit is an error that names the remedy.

The width w is chosen for fewest rows of one product. A product with reduction costs 1.4 rows a bit of
p: 352 for secp256k1's base field, of which 256 are the result's range.

For comparison, circom-ecdsa's BigMultModP(64, 4), compiled by circom2 0.2.23 --O2, has 3,761 constraints;
gnark's emulation, which proves ranges and identities with a commitment, has no equal in plain R1CS.

Hints are Python's: a part with emulated arithmetic has its witness computed instance by instance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import Bool, ConstraintSystem, ConstraintSystemError, Field, UInt
from zkrollup.gadgets.bits import assert_long_bits_less_than, range_check
from zkrollup.gadgets.compare import assert_nonzero, is_zero

__all__ = ["Element", "EmulatedField", "Operand", "Plan", "Product", "Term", "Wide", "plan"]

Range = tuple[int, int]

MAX_BITS = 384
MAX_QUOTIENT_BITS = 253


# -- integers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How one identity is proved: all bounds as integers.

    ``weights`` are the R_k, ``offset`` is Q0, ``quotient_bits`` m. ``groups``: for each its digits
    [first, end), the least carry and the bits that hold the carry above it.
    """

    weights: tuple[int, ...]
    offset: int
    quotient_bits: int
    groups: tuple[tuple[int, int, int, int], ...]

    @property
    def rows(self) -> int:
        """Those of the quotient's and the carries' ranges."""
        return self.quotient_bits + sum(bits for _, _, _, bits in self.groups)


def plan(modulus: int, limb_bits: int, columns: Sequence[Range]) -> Plan:
    """The plan for an identity whose S has columns in these ranges; ``ValueError`` if none has room.

    The head of this file gives the proof; this function is where its inequalities are checked.
    """
    return _plan(modulus, limb_bits, tuple(columns))


@cache
def _plan(modulus: int, w: int, columns: tuple[Range, ...]) -> Plan:
    weights = _weights(modulus, w, len(columns))
    s_lo = sum(min(lo * r, hi * r) for (lo, hi), r in zip(columns, weights, strict=True))
    s_hi = sum(max(lo * r, hi * r) for (lo, hi), r in zip(columns, weights, strict=True))
    offset = -(s_lo // modulus)  # S' + offset p >= 0
    m = ((s_hi + offset * modulus) // modulus).bit_length()
    if m > MAX_QUOTIENT_BITS:
        raise ValueError(
            f"emulated arithmetic: a quotient may have {m} bits, more than the {MAX_QUOTIENT_BITS} that a "
            f"field element shows (limbs of {w} bits); reduce an operand first, with reduce(cs, x)"
        )
    # Digit by digit: those of the weights, of Q0 p and of p.
    quotient = (1 << m) - 1
    ranges: list[list[int]] = []
    for (lo, hi), factor in [*zip(columns, weights, strict=True), ((1, 1), offset * modulus)]:
        for j, digit in enumerate(_signed_digits(factor, w)):
            _widen(ranges, j, min(lo * digit, hi * digit), max(lo * digit, hi * digit))
    for j, digit in enumerate(_digits(modulus, w)):
        _widen(ranges, j, -quotient * digit, 0)
    largest = max(abs(s_lo + (offset - quotient) * modulus), abs(s_hi + offset * modulus))
    total = 0
    while MODULUS << w * total <= largest:
        total += 1
    length = len(ranges)
    groups: list[tuple[int, int, int, int]] = []
    carry: Range = (0, 0)
    first = 0
    while first < total:
        best = None
        for end in range(first + 1, total + 1):
            lo = carry[0] + sum(ranges[k][0] << w * (k - first) for k in range(first, min(end, length)))
            hi = carry[1] + sum(ranges[k][1] << w * (k - first) for k in range(first, min(end, length)))
            shift = w * (end - first)
            c_lo, c_hi = -(-lo >> shift), hi >> shift
            bits = max(c_hi - c_lo, 0).bit_length()
            c_top = c_lo + (1 << bits) - 1
            # |V - c B^g| < r for every V and every c that the rows admit.
            if max(hi - (c_lo << shift), (c_top << shift) - lo) >= MODULUS:
                break
            best = (end, c_lo, bits, (c_lo, c_top))
        if best is None:
            reach = max(map(abs, ranges[first])).bit_length()
            raise ValueError(
                f"emulated arithmetic: a column of limbs may reach {reach} bits, and its carry would wrap "
                f"modulo r (limbs of {w} bits); reduce an operand first, "
                "with reduce(cs, x)"
            )
        end, c_lo, bits, carry = best
        groups.append((first, end, c_lo, bits))
        first = end
    return Plan(weights, offset, m, tuple(groups))


@cache
def _weights(modulus: int, w: int, count: int) -> tuple[int, ...]:
    """B^k where it is below the modulus, else the residue of least absolute value."""

    def weight(k: int) -> int:
        if 1 << w * k < modulus:
            return 1 << w * k
        residue = pow(2, w * k, modulus)
        return residue - modulus if 2 * residue > modulus else residue

    return tuple(weight(k) for k in range(count))


def _widen(ranges: list[list[int]], j: int, lo: int, hi: int) -> None:
    ranges.extend([0, 0] for _ in range(j + 1 - len(ranges)))
    ranges[j][0] += lo
    ranges[j][1] += hi


def _signed_digits(value: int, w: int) -> list[int]:
    """The digits of the absolute value, each with the value's sign."""
    return [digit if value >= 0 else -digit for digit in _digits(abs(value), w)]


def _widths(bits: int, w: int) -> list[int]:
    """The widths of the limbs of a number of so many bits."""
    return [min(w, bits - at) for at in range(0, bits, w)]


def _digits(value: int, w: int, count: int | None = None) -> list[int]:
    """In base 2^w, least significant first."""
    n = -(-value.bit_length() // w) if count is None else count
    return [value >> w * i & (1 << w) - 1 for i in range(n)]


def _product_ranges(a: Sequence[Range], b: Sequence[Range]) -> list[Range]:
    """The ranges of the columns of a product."""
    columns = [(0, 0)] * (len(a) + len(b) - 1)
    for i, (a_lo, a_hi) in enumerate(a):
        for j, (b_lo, b_hi) in enumerate(b):
            ends = (a_lo * b_lo, a_lo * b_hi, a_hi * b_lo, a_hi * b_hi)
            lo, hi = columns[i + j]
            columns[i + j] = (lo + min(ends), hi + max(ends))
    return columns


def _add_ranges(into: list[Range], k: int, ranges: Sequence[Range]) -> None:
    into.extend([(0, 0)] * (len(ranges) - len(into)))
    for i, (lo, hi) in enumerate(ranges):
        into[i] = (into[i][0] + min(k * lo, k * hi), into[i][1] + max(k * lo, k * hi))


@cache
def _best_width(modulus: int) -> int:
    n = modulus.bit_length()

    def rows(w: int) -> int:
        full = [(0, (1 << width) - 1) for width in _widths(n, w)]
        columns = _product_ranges(full, full)
        _add_ranges(columns, -1, full)
        try:
            return 2 * len(full) - 1 + n + plan(modulus, w, columns).rows
        except ValueError:
            return 1 << 30

    return min(range(min(n, 22), min(n, 64) + 1), key=rows)


@cache
def _interpolation(size: int) -> tuple[list[int | None], list[list[int]]]:
    """Points (None: infinity) and the matrix from a polynomial's values there to its coefficients."""
    points: list[int | None] = [None, 0, *(s * x for x in range(1, size) for s in (1, -1))]
    points = points[:size]
    rows = [
        [int(i == size - 1) for i in range(size)] if x is None else [pow(x, i, MODULUS) for i in range(size)]
        for x in points
    ]
    work = [row + [int(i == j) for j in range(size)] for i, row in enumerate(rows)]
    for i in range(size):
        at = next(j for j in range(i, size) if work[j][i])
        work[i], work[at] = work[at], work[i]
        scale = pow(work[i][i], -1, MODULUS)
        work[i] = [x * scale % MODULUS for x in work[i]]
        for j in range(size):
            if j != i and (factor := work[j][i]):
                work[j] = [(x - factor * y) % MODULUS for x, y in zip(work[j], work[i], strict=True)]
    return points, [row[size:] for row in work]


# -- elements ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Element:
    """An integer as limbs, ``0 <= limbs[i] <= bounds[i]``, standing for its class modulo the prime."""

    over: EmulatedField
    limbs: tuple[Field, ...]
    bounds: tuple[int, ...]
    bits: tuple[Bool, ...] | None = field(default=None, repr=False)

    @property
    def columns(self) -> tuple[Field, ...]:
        return self.limbs

    @property
    def ranges(self) -> tuple[Range, ...]:
        return tuple((0, bound) for bound in self.bounds)

    @property
    def values(self) -> None:
        return None

    @property
    def is_constant(self) -> bool:
        return all(limb.constant_value is not None for limb in self.limbs)


@dataclass(frozen=True, eq=False)
class Wide:
    """A sum of products and elements that is not reduced: columns e_k with ``lo <= e_k <= hi``, any
    number of them and of any sign, standing for the class of ``sum e_k B^k``. Made by
    :meth:`EmulatedField.wide`; a term, or a factor, of what is reduced later."""

    over: EmulatedField
    columns: tuple[Field, ...]
    ranges: tuple[Range, ...]
    values: tuple[Field, ...] | None = field(default=None, repr=False)
    """At the points of as many columns, where they are known."""

    @property
    def is_constant(self) -> bool:
        return False


Operand = Element | Wide
Product = tuple[int, Operand, Operand]
Term = tuple[int, Operand]


@dataclass(frozen=True)
class EmulatedField:
    """The integers modulo an odd prime of at most 384 bits; ``limb_bits`` is chosen when not given.

    That the modulus is prime is assumed where something is inverted. Every method that takes ``cs``
    records; the rows given are those of secp256k1's base field.
    """

    modulus: int
    limb_bits: int = 0

    def __post_init__(self) -> None:
        if self.modulus < 3 or not self.modulus & 1 or self.modulus.bit_length() > MAX_BITS:
            raise ValueError(
                f"an emulated field has an odd prime modulus of at most {MAX_BITS} bits, "
                f"not {self.modulus:#x}"
            )
        if not self.limb_bits:
            object.__setattr__(self, "limb_bits", _best_width(self.modulus))

    @cached_property
    def widths(self) -> list[int]:
        """The bits of each limb of a reduced element, ``modulus.bit_length()`` in all."""
        return _widths(self.modulus.bit_length(), self.limb_bits)

    @property
    def num_limbs(self) -> int:
        return len(self.widths)

    # -- plain integers --
    def limbs_of(self, value: int) -> list[int]:
        """In plain integers: the limbs of ``value mod p``, what :meth:`input` is given."""
        return _digits(value % self.modulus, self.limb_bits, self.num_limbs)

    def value_of(self, limbs: Sequence[int]) -> int:
        """In plain integers: the number that limbs stand for, mod p."""
        return sum(limb << self.limb_bits * i for i, limb in enumerate(limbs)) % self.modulus

    # -- elements from elsewhere --
    def constant(self, cs: ConstraintSystem, value: int) -> Element:
        """A known number, mod p. No row."""
        limbs = self.limbs_of(value)
        return Element(self, tuple(cs.constant(limb) for limb in limbs), tuple(limbs))

    def input(self, cs: ConstraintSystem, name: str) -> Element:
        """An input, given as the list of its limbs (:meth:`limbs_of`), below 2^bits(p) and not
        necessarily below p. Rows: the bits of p, 256."""
        return self._of_uints([cs.input_uint(f"{name}[{i}]", n) for i, n in enumerate(self.widths)])

    def from_limbs(self, cs: ConstraintSystem, limbs: Sequence[Field]) -> Element:
        """Limbs of anyone, shown to be of the widths of a reduced element. Rows: the bits of p, 256."""
        if len(limbs) != self.num_limbs:
            raise ValueError(f"an element has {self.num_limbs} limbs, got {len(limbs)}")
        return self._of_uints([range_check(cs, limb, n) for limb, n in zip(limbs, self.widths, strict=True)])

    # -- without rows --
    def add(self, cs: ConstraintSystem, a: Element, b: Element) -> Element:
        """a + b. No row; bounds add up."""
        return self._made(cs, [(1, a), (1, b)])

    def multiple(self, cs: ConstraintSystem, k: int, a: Element) -> Element:
        """k a, for a constant k >= 0. No row; bounds grow k times."""
        if k < 0:
            raise ValueError(f"a multiple by {k}: expected 0 or more; use negative(cs, a)")
        return self._made(cs, [(k, a)])

    def negative(self, cs: ConstraintSystem, a: Element) -> Element:
        """-a, as a multiple of p less a. No row."""
        return self.subtract(cs, self.constant(cs, 0), a)

    def subtract(self, cs: ConstraintSystem, a: Element, b: Element) -> Element:
        """a - b, with a multiple of p added whose every limb is at least b's bound. No row."""
        self._own(a, b)
        w = self.limb_bits
        total = sum(bound << w * i for i, bound in enumerate(b.bounds))
        rest = -total % self.modulus  # so that total + rest is a multiple of p
        pad = [x + y for x, y in zip(b.bounds, _digits(rest, w, self.num_limbs), strict=True)]
        cs_pad = Element(self, tuple(cs.constant(x) for x in pad), tuple(pad))
        limbs = [x + y - z for x, y, z in zip(a.limbs, cs_pad.limbs, b.limbs, strict=True)]
        return self._checked(limbs, [x + y for x, y in zip(a.bounds, pad, strict=True)])

    # -- with rows --
    def assert_zero(
        self,
        cs: ConstraintSystem,
        products: Sequence[Product] = (),
        terms: Sequence[Term] = (),
        label: str = "is zero modulo p",
    ) -> None:
        """Demand ``sum k a b + sum k x = 0 (mod p)`` for products (k, a, b) and terms (k, x).

        Assumes: bounds of the elements hold, as they do for what this class makes. Rows: those of
        :meth:`wide`, and the bits of the quotient and of the carries (:class:`Plan`), about 2 w + 8 each
        for a product, less where p is close to a power of two. Inside ``cs.when(flag)`` the demand is
        conditional.
        """
        total = self.wide(cs, products, terms)
        how = plan(self.modulus, self.limb_bits, total.ranges)
        with cs.scope("identity"), cs.scope(label):
            self._identity(cs, how, total.columns)

    def wide(
        self, cs: ConstraintSystem, products: Sequence[Product] = (), terms: Sequence[Term] = ()
    ) -> Wide:
        """``sum k a b + sum k x``, not reduced. Rows: one for each column of a product of two unknowns,
        2 L - 1 when both are elements of L limbs; none for the rest."""
        self._own(*(x for _, a, b in products for x in (a, b)), *(x for _, x in terms))
        linear = [*terms, *((k, _known_product(cs, a, b)) for k, a, b in products if _is_known(a, b))]
        unknown = [product for product in products if not _is_known(*product[1:])]
        groups: dict[int, list[Product]] = {}
        for k, a, b in unknown:
            groups.setdefault(len(a.columns) + len(b.columns) - 1, []).append((k, a, b))
        for size in sorted(groups):
            # What is added to the products is added in their rows, where it is known at the same points.
            added = [(k, x) for k, x in linear if len(x.values or ()) in (0, size) and len(x.columns) <= size]
            linear = [(k, x) for k, x in linear if not any(x is y for _, y in added)]
            linear.append((1, self._evaluated(cs, size, groups[size], added)))
        if len(linear) == 1 and linear[0][0] == 1 and isinstance(linear[0][1], Wide):
            return linear[0][1]
        parts: list[list[tuple[Field, int]]] = []
        ranges: list[Range] = []
        for k, x in linear:
            _add_ranges(ranges, k, x.ranges)
            parts.extend([] for _ in range(len(x.columns) - len(parts)))
            for part, column in zip(parts, x.columns, strict=False):
                part.append((column, k))
        _check_ranges(ranges)
        size = len(parts)
        values = None
        if all(len(x.values or ()) in (0, size) for _, x in linear) and any(x.values for _, x in linear):
            points, _ = _interpolation(size)
            values = tuple(
                cs.linear([(_value(cs, x, i, point, size), k) for k, x in linear])
                for i, point in enumerate(points)
            )
        return Wide(self, tuple(cs.linear(part) for part in parts), tuple(ranges), values)

    def reduced(
        self, cs: ConstraintSystem, products: Sequence[Product] = (), terms: Sequence[Term] = ()
    ) -> Element:
        """A new element below 2^bits(p) equal to ``sum k a b + sum k x`` modulo p.

        Theorem: that congruence; not that the result is the least (:meth:`canonical`). Rows: the bits of
        p and those of :meth:`assert_zero`.
        """
        out = self._hinted(cs, products, terms, lambda value: value % self.modulus)
        self.assert_zero(cs, products, [*terms, (-1, out)], label="the result is congruent")
        return out

    def reduce(self, cs: ConstraintSystem, a: Element) -> Element:
        """``a`` with the least bounds. Rows: 260 for an element that is reduced already, more as bounds are
        wider: the bits of p, the quotient's, a carry's."""
        return self.reduced(cs, (), [(1, a)])

    def multiply(self, cs: ConstraintSystem, a: Element, b: Element) -> Element:
        """a b, reduced. Rows: 352."""
        return self.reduced(cs, [(1, a, b)])

    def square(self, cs: ConstraintSystem, a: Element) -> Element:
        """a^2, reduced. Rows: 352."""
        return self.reduced(cs, [(1, a, a)])

    def inverse(self, cs: ConstraintSystem, a: Element) -> Element:
        """1/a; demands a != 0 (mod p). Rows: 352."""
        out = self._hinted(cs, (), [(1, a)], lambda x: _inverse_or_zero(x, self.modulus))
        self.assert_zero(cs, [(1, a, out)], [(-1, self.constant(cs, 1))], label="the element is invertible")
        return out

    def divide(self, cs: ConstraintSystem, a: Element, b: Element) -> Element:
        """a/b; demands b != 0 (mod p). Rows: 704."""
        return self.multiply(cs, a, self.inverse(cs, b))

    def divide_unchecked(
        self, cs: ConstraintSystem, products: Sequence[Product], terms: Sequence[Term], denominator: Operand
    ) -> Element:
        """``(sum k a b + sum k x) / denominator``, reduced. **Assumes: denominator != 0 (mod p)**: were
        both sides 0, every result would do. Rows: 352, and 19 a product of the numerator."""
        _refuse_condition(cs)
        # The denominator goes to the hint behind what is summed.
        of_sum, operands = self._sum_hint(products, terms, lambda total: [total])
        count = len(operands)

        def quotient(*values: int) -> list[int]:
            bottom = self._integer(values[count:], denominator.ranges)
            return self.limbs_of(of_sum(*values[:count])[0] * _inverse_or_zero(bottom, self.modulus))

        out = self.from_limbs(cs, cs.hint_python(quotient, [*operands, *denominator.columns], self.num_limbs))
        self.assert_zero(
            cs,
            [(1, out, denominator), *((-k, a, b) for k, a, b in products)],
            [(-k, x) for k, x in terms],
            label="the quotient is congruent",
        )
        return out

    def assert_equal(
        self, cs: ConstraintSystem, a: Element, b: Element, label: str = "are equal modulo p"
    ) -> None:
        """Demand a = b (mod p). Rows: 4 for reduced elements, more as bounds are wider."""
        self.assert_zero(cs, (), [(1, a), (-1, b)], label=label)

    def canonical(self, cs: ConstraintSystem, a: Element) -> Element:
        """The least of its class, 0 <= result < p. Rows: those of :meth:`reduce` and one for each run of
        zeros in p - 1, 4 for secp256k1."""
        out = self.reduce(cs, a)
        self.assert_canonical(cs, out)
        return out

    def assert_canonical(self, cs: ConstraintSystem, a: Element) -> None:
        """Demand a < p of a reduced element as it is; what this class computes is, when honest, but an
        input may be another of its class. ``ValueError`` for an element whose bits are not known. Rows: 4."""
        self._own(a)
        if a.bits is None:
            raise ValueError(
                "assert_canonical needs a reduced element, whose bits are known; use canonical(cs, x)"
            )
        assert_long_bits_less_than(cs, a.bits, self.modulus)

    def is_zero(self, cs: ConstraintSystem, a: Element) -> Bool:
        """1 when a = 0 (mod p), else 0. Rows: 2 more than :meth:`canonical`."""
        # The sum of the canonical limbs is below r, hence 0 only if they all are.
        return is_zero(cs, cs.sum(self.canonical(cs, a).limbs))

    def is_equal(self, cs: ConstraintSystem, a: Element, b: Element) -> Bool:
        """1 when a = b (mod p), else 0. Rows: those of :meth:`is_zero`."""
        return self.is_zero(cs, self.subtract(cs, a, b))

    def select(self, cs: ConstraintSystem, flag: Bool, if_true: Element, if_false: Element) -> Element:
        """``if_true`` when the flag is 1, else ``if_false``; the larger bounds. Rows: one a limb."""
        self._own(if_true, if_false)
        limbs = [
            cs.materialise(flag.select(x, y)) for x, y in zip(if_true.limbs, if_false.limbs, strict=True)
        ]
        return Element(
            self,
            tuple(limbs),
            tuple(max(x, y) for x, y in zip(if_true.bounds, if_false.bounds, strict=True)),
        )

    def choose(self, cs: ConstraintSystem, hot: Sequence[Bool], values: Sequence[Element]) -> Element:
        """The value whose bit is 1; the largest bounds. **Assumes: one bit is 1, the others 0**
        (:func:`zkrollup.gadgets.select.one_hot_bits`). Rows: N - 1 a limb."""
        self._own(*values)
        first = values[0]
        limbs = [
            cs.materialise(
                first.limbs[i]
                + cs.sum(h * (x.limbs[i] - first.limbs[i]) for h, x in zip(hot[1:], values[1:], strict=True))
            )
            for i in range(self.num_limbs)
        ]
        bounds = [max(x.bounds[i] for x in values) for i in range(self.num_limbs)]
        return Element(self, tuple(limbs), tuple(bounds))

    def assert_apart(self, cs: ConstraintSystem, a: Element, b: Element) -> None:
        """Demand a != b (mod p), **and refuse some more pairs**: those of whose integers the difference is a
        small multiple of p modulo r, though not as an integer. Rows: 3 for reduced elements.

        The integer a - b lies between bounds; if p divides it, it is one of the few multiples of p there, so
        that it is enough to show that it is none of them modulo r. A pair that has nothing to do with r is
        refused with probability 2^-252 (three of r residues); take :meth:`inverse` of the difference
        where somebody may choose both.
        """
        self._own(a, b)
        w, p = self.limb_bits, self.modulus
        difference = cs.linear(
            [(limb, 1 << w * i) for i, limb in enumerate(a.limbs)]
            + [(limb, -(1 << w * i)) for i, limb in enumerate(b.limbs)]
        )
        above, below = (sum(bound << w * i for i, bound in enumerate(x.bounds)) // p for x in (a, b))
        product, square = difference, difference * difference
        for k in range(1, max(above, below) + 1):
            product = product * (square - k * k * p * p % MODULUS)
        assert_nonzero(cs, product, label="the elements are apart")

    # -- parts --
    def _own(self, *elements: Operand) -> None:
        for x in elements:
            if x.over != self:
                raise ValueError(
                    f"an element modulo {x.over.modulus:#x} with limbs of {x.over.limb_bits} bits was used "
                    f"modulo {self.modulus:#x} with limbs of {self.limb_bits}"
                )

    def _of_uints(self, limbs: Sequence[UInt]) -> Element:
        bits = tuple(bit for limb in limbs for bit in limb.bits)
        return Element(self, tuple(limbs), tuple((1 << n) - 1 for n in self.widths), bits)

    def _made(self, cs: ConstraintSystem, terms: Sequence[tuple[int, Element]]) -> Element:
        self._own(*(x for _, x in terms))
        columns = range(self.num_limbs)
        return self._checked(
            [cs.linear([(x.limbs[i], k) for k, x in terms]) for i in columns],
            [sum(k * x.bounds[i] for k, x in terms) for i in columns],
        )

    def _checked(self, limbs: Sequence[Field], bounds: Sequence[int]) -> Element:
        if max(bounds) >= MODULUS:
            raise ValueError(
                f"emulated arithmetic: a limb may reach {max(bounds).bit_length()} bits and would wrap "
                "modulo r; reduce an operand first, with reduce(cs, x)"
            )
        return Element(self, tuple(limbs), tuple(bounds))

    def _integer(self, columns: Sequence[int], ranges: Sequence[Range]) -> int:
        """For hints: the integer of columns, of which those above their range are negative."""
        return sum(
            (v - MODULUS if v > hi else v) << self.limb_bits * i
            for i, (v, (_, hi)) in enumerate(zip(columns, ranges, strict=True))
        )

    def _sum_hint(
        self, products: Sequence[Product], terms: Sequence[Term], answer: Callable[..., list[int]]
    ) -> tuple[Callable[..., list[int]], list[Field]]:
        """A Python hint of S, and the operands it takes."""
        elements = [x for _, a, b in products for x in (a, b)] + [x for _, x in terms]
        factors = [k for k, _, _ in products]
        weights = [k for k, _ in terms]
        ranges = [x.ranges for x in elements]

        def of_sum(*values: int) -> list[int]:
            parts, at = [], 0
            for known in ranges:
                parts.append(self._integer(values[at : at + len(known)], known))
                at += len(known)
            total = sum(k * parts[2 * i] * parts[2 * i + 1] for i, k in enumerate(factors))
            rest = parts[2 * len(factors) :]
            return answer(total + sum(k * x for k, x in zip(weights, rest, strict=True)))

        return of_sum, [column for x in elements for column in x.columns]

    def _hinted(
        self,
        cs: ConstraintSystem,
        products: Sequence[Product],
        terms: Sequence[Term],
        answer: Callable[[int], int],
    ) -> Element:
        _refuse_condition(cs)
        hint, operands = self._sum_hint(products, terms, lambda total: self.limbs_of(answer(total)))
        return self.from_limbs(cs, cs.hint_python(hint, operands, self.num_limbs))

    def _evaluated(
        self, cs: ConstraintSystem, size: int, products: Sequence[Product], terms: Sequence[Term]
    ) -> Wide:
        """A sum of products with ``size`` columns, and of terms with no more, by its values at points."""
        ranges: list[Range] = []
        for k, a, b in products:
            _add_ranges(ranges, k, _product_ranges(a.ranges, b.ranges))
        for k, x in terms:
            _add_ranges(ranges, k, x.ranges)
        _check_ranges(ranges)
        points, matrix = _interpolation(size)
        values = []
        for i, point in enumerate(points):
            parts = [(_value(cs, x, i, point, size), k) for k, x in terms]
            parts += [(_value(cs, a, i, point) * _value(cs, b, i, point), k) for k, a, b in products]
            values.append(cs.materialise(cs.linear(parts)))
        columns = tuple(cs.linear(list(zip(values, row, strict=True))) for row in matrix)
        return Wide(self, columns, tuple(ranges), tuple(values))

    def _identity(self, cs: ConstraintSystem, how: Plan, columns: Sequence[Field]) -> None:
        w, p = self.limb_bits, self.modulus
        # 1. Modulo r.
        inverse = pow(p, -1, MODULUS)
        quotient = cs.linear(
            [(e, weight * inverse) for e, weight in zip(columns, how.weights, strict=True)], how.offset
        )
        with cs.scope("quotient"):
            self._in_range(cs, quotient, how.quotient_bits, "the quotient is known")
        # 2. Modulo B^T, carry by carry.
        carry: Field = cs.constant(0)
        for first, end, least, bits in how.groups:

            def low(value: int, first: int = first, end: int = end) -> int:
                """The digits first to end of a number of any sign."""
                digits = _signed_digits(value, w)[first:end]
                return sum(digit << w * i for i, digit in enumerate(digits))

            scale = pow(1 << w * (end - first), -1, MODULUS)
            total = [(e, low(weight) * scale) for e, weight in zip(columns, how.weights, strict=True)]
            total += [(quotient, -low(p) * scale), (carry, scale)]
            carry = cs.linear(total, low(how.offset * p) * scale)
            with cs.scope("carry"):
                self._in_range(cs, carry - least, bits, "the carry is known")

    @staticmethod
    def _in_range(cs: ConstraintSystem, x: Field, bits: int, label: str) -> None:
        if bits:
            range_check(cs, x, bits)
        else:
            cs.assert_equal(x, 0, label=label)


def _is_known(a: Operand, b: Operand) -> bool:
    return a.is_constant or b.is_constant


def _known_product(cs: ConstraintSystem, a: Operand, b: Operand) -> Wide:
    """a b without rows, one of them being a constant."""
    constant, other = (a, b) if a.is_constant else (b, a)
    parts: list[list[tuple[Field, int]]] = [[] for _ in range(len(a.columns) + len(b.columns) - 1)]
    for i, known in enumerate(constant.columns):
        value = known.constant_value
        assert value is not None
        for j, column in enumerate(other.columns):
            parts[i + j].append((column, value))
    ranges = tuple(_product_ranges(a.ranges, b.ranges))
    _check_ranges(ranges)
    return Wide(a.over, tuple(cs.linear(part) for part in parts), ranges)


def _check_ranges(ranges: Sequence[Range]) -> None:
    for lo, hi in ranges:
        if hi - lo >= MODULUS:
            raise ValueError(
                f"emulated arithmetic: a column may take {(hi - lo).bit_length()} bits and would wrap "
                "modulo r; reduce an operand first, with reduce(cs, x)"
            )


def _value(cs: ConstraintSystem, a: Operand, index: int, point: int | None, size: int = 0) -> Field:
    """The polynomial of the columns at a point; None: its leading coefficient, as one of ``size`` of them."""
    if point is None and len(a.columns) < size:
        return cs.constant(0)
    if a.values is not None and index < len(a.values):
        return a.values[index]
    if point is None:
        return a.columns[-1]
    return cs.linear([(column, point**i) for i, column in enumerate(a.columns)])


def _refuse_condition(cs: ConstraintSystem) -> None:
    if cs._condition is not None:
        raise ConstraintSystemError(
            "an emulated product or quotient inside cs.when(flag) would be bound only where the flag is 1; "
            "compute it outside and make what is demanded of it conditional"
        )


def _inverse_or_zero(x: int, modulus: int) -> int:
    return pow(x, -1, modulus) if x % modulus else 0
