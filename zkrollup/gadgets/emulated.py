"""Arithmetic modulo another prime than r: elements as limbs with tracked bounds, products by one identity.

This module must not know what the other field is for. Values modulo p are congruences: an element is any
integer of its class within its bounds, and only :meth:`EmulatedField.canonical` makes it the least.

Elements. With B = 2^w, limbs ``x_0 .. x_(L-1)`` stand for the integer ``sum x_i B^i``. Of each limb a bound
is known while recording, ``0 <= x_i <= bounds[i]``, as a Python integer. Sums, multiples and differences
(a multiple of p is added, so that no limb is negative) cost no row and let bounds grow.

The identity. Everything else demands ``S = sum k_j a_j b_j + sum k_j x_j = 0 (mod p)``, k_j small integers
of any sign. The prover gives a quotient q' of m bits, and the circuit proves over the integers

    E = S + Q0 p - q' p = 0,

with Q0 a constant that makes S + Q0 p >= 0 for every S within bounds; so q' >= 0, and m bits hold it.
Integers are proved by two congruences whose moduli are coprime (r is odd):

1. E = 0 (mod r): one row at X = B, from the limbs as they are.
2. E = 0 (mod B^T), for the least T with r B^T > max |E|. Write E = sum e_k B^k, the e_k columns, of which
   the ranges [lo_k, hi_k] are known. Columns are taken in groups of g: with V the sum of a group plus the
   carry into it, V = c B^g must hold for an integer c, the carry out. As a field element c is V / B^g,
   a combination and no wire; it is shown to be ``c_lo + (a number of n bits)`` by n rows.

Proof of the bounds. Each group is closed only if, for all V in its range and all carries of that form,
|V - c B^g| < r; the rows say V - c B^g = 0 (mod r), so it is 0, and V is that integer multiple of B^g.
By induction E = c B^T for an integer c. E is then divisible by B^T and by r, hence by r B^T, and |E| is
less: E = 0, and S = (q' - Q0) p. Conversely for S = 0 (mod p) the quotient is below 2^m and every carry
lies between ceil(lo / B^g) and floor(hi / B^g), which its n bits hold. All of this is checked in integers
while recording (:func:`plan`); what does not fit is an error that names the remedy.

Products. The columns of a b are the coefficients of a polynomial of degree 2L - 2, known from its values
at 2L - 1 points: the point B, whose value is the identity's other side, infinity, and small integers. So a
product costs 2L - 1 rows whatever T, and columns are combinations of them (A. Kosba, C. Papamanthou,
E. Shi, "xJsnark", S&P 2018, which proves the polynomial identity itself; the native congruence is that of
D. Ozdemir et al., eprint 2022/1470, and gnark's former emulation).

The width w is chosen for fewest rows of one product. A product with reduction costs about 2 rows a bit of
p: 591 for secp256k1's base field.

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
from zkrollup.gadgets.compare import is_zero

__all__ = ["Element", "EmulatedField", "Plan", "plan"]

Range = tuple[int, int]

MAX_BITS = 384


# -- integers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How one identity is proved: all bounds as integers.

    ``offset`` is Q0, ``quotient_bits`` m. ``groups``: for each its columns [first, end), the least carry
    and the bits that hold the carry above it.
    """

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
    w = limb_bits
    s_lo = sum(lo << w * k for k, (lo, _) in enumerate(columns))
    s_hi = sum(hi << w * k for k, (_, hi) in enumerate(columns))
    offset = -(s_lo // modulus)  # S + offset p >= 0
    m = ((s_hi + offset * modulus) // modulus).bit_length()
    quotient = [(1 << width) - 1 for width in _widths(m, w)]
    p, lifted = _digits(modulus, w), _digits(offset * modulus, w)
    ranges = [[lo, hi] for lo, hi in columns]
    length = max(len(ranges), len(quotient) + len(p) - 1 if quotient else 0, len(lifted))
    ranges += [[0, 0] for _ in range(length - len(ranges))]
    for k, digit in enumerate(lifted):
        ranges[k][0] += digit
        ranges[k][1] += digit
    for i, q in enumerate(quotient):
        for j, digit in enumerate(p):
            ranges[i + j][0] -= q * digit
    largest = max(
        abs(sum(lo << w * k for k, (lo, _) in enumerate(ranges))),
        abs(sum(hi << w * k for k, (_, hi) in enumerate(ranges))),
    )
    total = 0
    while MODULUS << w * total <= largest:
        total += 1
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
    return Plan(offset, m, tuple(groups))


def _widths(bits: int, w: int) -> list[int]:
    """The widths of the limbs of a number of so many bits."""
    return [min(w, bits - at) for at in range(0, bits, w)]


def _digits(value: int, w: int, count: int | None = None) -> list[int]:
    """In base 2^w, least significant first."""
    n = -(-value.bit_length() // w) if count is None else count
    return [value >> w * i & (1 << w) - 1 for i in range(n)]


def _product_columns(k: int, a: Sequence[int], b: Sequence[int]) -> list[Range]:
    columns = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            columns[i + j] += abs(k) * x * y
    return [(0, c) if k > 0 else (-c, 0) for c in columns]


def _add_ranges(into: list[Range], ranges: Sequence[Range]) -> None:
    into.extend([(0, 0)] * (len(ranges) - len(into)))
    for k, (lo, hi) in enumerate(ranges):
        into[k] = (into[k][0] + lo, into[k][1] + hi)


@cache
def _best_width(modulus: int) -> int:
    n = modulus.bit_length()

    def rows(w: int) -> int:
        full = [(1 << width) - 1 for width in _widths(n, w)]
        columns = _product_columns(1, full, full)
        _add_ranges(columns, [(-x, 0) for x in full])
        try:
            return 2 * len(full) - 1 + n + plan(modulus, w, columns).rows
        except ValueError:
            return 1 << 30

    return min(range(min(n, 24), min(n, 100) + 1), key=rows)


@cache
def _interpolation(num_limbs: int, limb_bits: int) -> tuple[list[int | None], list[list[int]]]:
    """Points (None: infinity), the first of them B, and the matrix from values to coefficients."""
    size = 2 * num_limbs - 1
    points: list[int | None] = [1 << limb_bits, None, 0, *(s * x for x in range(1, size) for s in (1, -1))]
    points = points[:size]
    rows = [
        [int(i == size - 1) for i in range(size)] if x is None else [pow(x, i, MODULUS) for i in range(size)]
        for x in points
    ]
    n = len(rows)
    work = [row + [int(i == j) for j in range(n)] for i, row in enumerate(rows)]
    for i in range(n):
        at = next(j for j in range(i, n) if work[j][i])
        work[i], work[at] = work[at], work[i]
        scale = pow(work[i][i], -1, MODULUS)
        work[i] = [x * scale % MODULUS for x in work[i]]
        for j in range(n):
            if j != i and (factor := work[j][i]):
                work[j] = [(x - factor * y) % MODULUS for x, y in zip(work[j], work[i], strict=True)]
    return points, [row[n:] for row in work]


# -- elements ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Element:
    """An integer as limbs, ``0 <= limbs[i] <= bounds[i]``, standing for its class modulo the prime."""

    over: EmulatedField
    limbs: tuple[Field, ...]
    bounds: tuple[int, ...]
    bits: tuple[Bool, ...] | None = field(default=None, repr=False)

    @property
    def is_constant(self) -> bool:
        return all(limb.constant_value is not None for limb in self.limbs)


Product = tuple[int, Element, Element]
Term = tuple[int, Element]


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

        Assumes: bounds of the elements hold, as they do for what this class makes. Rows: 2 L - 1 a
        product of two unknowns (L limbs), the quotient's bits (about bits(S) - bits(p)) and the carries',
        some 30 each and one for each 200 bits of S. Inside ``cs.when(flag)`` the demand is conditional.
        """
        self._own(*(x for _, a, b in products for x in (a, b)), *(x for _, x in terms))
        w, p = self.limb_bits, self.modulus
        ranges: list[Range] = []
        for k, a, b in products:
            _add_ranges(ranges, _product_columns(k, a.bounds, b.bounds))
        for k, x in terms:
            _add_ranges(ranges, [(min(0, k * y), max(0, k * y)) for y in x.bounds])
        how = plan(p, w, ranges)
        with cs.scope("identity"):
            quotient = self._quotient(cs, how, products, terms)
            self._identity(cs, how, products, terms, quotient, label)

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
        """``a`` with the least bounds. Rows: 261 for an element that is reduced already, more as bounds are
        wider: the bits of p, the quotient's, a carry's."""
        return self.reduced(cs, (), [(1, a)])

    def multiply(self, cs: ConstraintSystem, a: Element, b: Element) -> Element:
        """a b, reduced. Rows: 591."""
        return self.reduced(cs, [(1, a, b)])

    def square(self, cs: ConstraintSystem, a: Element) -> Element:
        """a^2, reduced. Rows: 591."""
        return self.reduced(cs, [(1, a, a)])

    def inverse(self, cs: ConstraintSystem, a: Element) -> Element:
        """1/a; demands a != 0 (mod p). Rows: 591."""
        out = self._hinted(cs, (), [(1, a)], lambda x: _inverse_or_zero(x, self.modulus))
        self.assert_zero(cs, [(1, a, out)], [(-1, self.constant(cs, 1))], label="the element is invertible")
        return out

    def divide(self, cs: ConstraintSystem, a: Element, b: Element) -> Element:
        """a/b; demands b != 0 (mod p). Rows: 1182."""
        return self.multiply(cs, a, self.inverse(cs, b))

    def divide_unchecked(
        self, cs: ConstraintSystem, products: Sequence[Product], terms: Sequence[Term], denominator: Element
    ) -> Element:
        """``(sum k a b + sum k x) / denominator``, reduced. **Assumes: denominator != 0 (mod p)**: were
        both sides 0, every result would do. Rows: 591, and 21 a product of the numerator."""
        _refuse_condition(cs)
        # The denominator goes to the hint as a term that does not count.
        of_sum, operands = self._sum_hint(products, terms, lambda total: [total])
        count = len(operands)

        def quotient(*values: int) -> list[int]:
            (bottom,) = self._split(values[count:], [denominator])
            return self.limbs_of(of_sum(*values[:count])[0] * _inverse_or_zero(bottom, self.modulus))

        out = self.from_limbs(cs, cs.hint_python(quotient, [*operands, *denominator.limbs], self.num_limbs))
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
        """Demand a = b (mod p). Rows: 5 for reduced elements, more as bounds are wider."""
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

    # -- parts --
    def _own(self, *elements: Element) -> None:
        for x in elements:
            if x.over != self:
                raise ValueError(
                    f"an element modulo {x.over.modulus:#x} with limbs of {x.over.limb_bits} bits was used "
                    f"modulo {self.modulus:#x} with limbs of {self.limb_bits}"
                )

    def _of_uints(self, limbs: Sequence[UInt]) -> Element:
        bits = tuple(bit for limb in limbs for bit in limb.bits)
        return Element(self, tuple(limbs), tuple((1 << n) - 1 for n in self.widths), bits)

    def _made(self, cs: ConstraintSystem, terms: Sequence[Term]) -> Element:
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

    def _split(self, values: Sequence[int], elements: Sequence[Element]) -> list[int]:
        """For hints: the integers of elements whose limbs come one after the other."""
        n = self.num_limbs
        return [
            sum(v << self.limb_bits * i for i, v in enumerate(values[n * e : n * e + n]))
            for e in range(len(elements))
        ]

    def _sum_hint(
        self, products: Sequence[Product], terms: Sequence[Term], answer: Callable[[int], list[int]]
    ) -> tuple[Callable[..., list[int]], list[Field]]:
        """A Python hint of S, and the operands it takes."""
        elements = [x for _, a, b in products for x in (a, b)] + [x for _, x in terms]
        factors = [k for k, _, _ in products]
        weights = [k for k, _ in terms]

        def of_sum(*values: int) -> list[int]:
            parts = self._split(values, elements)
            total = sum(k * parts[2 * i] * parts[2 * i + 1] for i, k in enumerate(factors))
            rest = parts[2 * len(factors) :]
            return answer(total + sum(k * x for k, x in zip(weights, rest, strict=True)))

        return of_sum, [limb for x in elements for limb in x.limbs]

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

    def _quotient(
        self, cs: ConstraintSystem, how: Plan, products: Sequence[Product], terms: Sequence[Term]
    ) -> list[UInt]:
        widths = _widths(how.quotient_bits, self.limb_bits)
        if not widths:
            return []

        def digits(total: int) -> list[int]:
            return _digits((total + how.offset * self.modulus) // self.modulus, self.limb_bits, len(widths))

        hint, operands = self._sum_hint(products, terms, digits)
        hinted = cs.hint_python(hint, operands, len(widths))
        return [range_check(cs, q, n) for q, n in zip(hinted, widths, strict=True)]

    def _identity(
        self,
        cs: ConstraintSystem,
        how: Plan,
        products: Sequence[Product],
        terms: Sequence[Term],
        quotient: Sequence[Field],
        label: str,
    ) -> None:
        w, size = self.limb_bits, 2 * self.num_limbs - 1
        known = [(k, a, b) for k, a, b in products if a.is_constant or b.is_constant]
        unknown = [(k, a, b) for k, a, b in products if not (a.is_constant or b.is_constant)]
        # The columns without the products of two unknowns: combinations.
        p, lifted = _digits(self.modulus, w), _digits(how.offset * self.modulus, w)
        length = max(size, len(lifted), len(quotient) + len(p))
        parts: list[list[tuple[Field, int]]] = [[] for _ in range(length)]
        for k, x in terms:
            for i, limb in enumerate(x.limbs):
                parts[i].append((limb, k))
        for k, a, b in known:
            constant, other = (a, b) if a.is_constant else (b, a)
            for i, known_limb in enumerate(constant.limbs):
                value = known_limb.constant_value
                assert value is not None
                for j, limb in enumerate(other.limbs):
                    parts[i + j].append((limb, k * value))
        for i, q in enumerate(quotient):
            for j, digit in enumerate(p):
                parts[i + j].append((q, -digit))
        constants = [*lifted, *[0] * (length - len(lifted))]
        columns = [cs.linear(t, c) for t, c in zip(parts, constants, strict=True)]
        at_base = cs.linear([(e, 1 << w * k) for k, e in enumerate(columns)])

        # 1. Modulo r, at X = B.
        base = 1 << w
        values = [-at_base]
        native = [(_at(cs, a, base) * _at(cs, b, base), k) for k, a, b in unknown]
        cs.assert_equal(cs.linear(native), -at_base, label=f"{label} (modulo r)")
        # 2. Modulo B^T, carry by carry.
        if not how.groups:
            return
        if unknown:
            points, matrix = _interpolation(self.num_limbs, w)
            for point in points[1:]:
                values.append(cs.linear([(_at(cs, a, point) * _at(cs, b, point), k) for k, a, b in unknown]))
        carry: Field = cs.constant(0)
        for first, end, least, bits in how.groups:
            total: list[tuple[Field, int]] = [(carry, 1)]
            weights = [0] * size
            for k in range(first, min(end, length)):
                scale = 1 << w * (k - first)
                total.append((columns[k], scale))
                if unknown and k < size:
                    for i, entry in enumerate(matrix[k]):
                        weights[i] = (weights[i] + entry * scale) % MODULUS
            total.extend((value, weight) for value, weight in zip(values, weights, strict=False) if weight)
            inverse = pow(1 << w * (end - first), -1, MODULUS)
            carry = cs.linear([(x, k * inverse) for x, k in total])
            with cs.scope("carry"):
                if bits:
                    range_check(cs, carry - least, bits)
                else:
                    cs.assert_equal(carry, least, label="the carry is known")


def _at(cs: ConstraintSystem, a: Element, point: int | None) -> Field:
    """The polynomial of the limbs at a point; None: its leading coefficient."""
    if point is None:
        return a.limbs[-1]
    return cs.linear([(limb, point**i) for i, limb in enumerate(a.limbs)])


def _refuse_condition(cs: ConstraintSystem) -> None:
    if cs._condition is not None:
        raise ConstraintSystemError(
            "an emulated product or quotient inside cs.when(flag) would be bound only where the flag is 1; "
            "compute it outside and make what is demanded of it conditional"
        )


def _inverse_or_zero(x: int, modulus: int) -> int:
    return pow(x, -1, modulus) if x % modulus else 0
