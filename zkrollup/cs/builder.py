"""The bookkeeping under a ``ConstraintSystem``: wires, rows, the tape, and how lazy signals reach them.

This module must not know what authors may say (that is the recorder's part), nor anything of instances.

How values become rows. A linear combination is only remembered. When a row needs it, it is expanded into
``{wire: coefficient}`` (column 0 is the constant one) and kept; when the tape needs its value, one LC
instruction over its *operands* is written, so that values stay cheap where expansions are long. A
combination with a single use is merged into its user in both cases. Products are settled - given a wire
and a row - when their value is first needed; an assertion that contains a fresh product becomes that
product's row instead.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from zkrollup.cs.errors import ConstraintSystemError
from zkrollup.cs.hints import PythonHint
from zkrollup.cs.places import Places
from zkrollup.cs.scalar_field import MINUS_ONE, MODULUS, signed
from zkrollup.cs.signals import Bool, Field
from zkrollup.cs.tape import Tape
from zkrollup.engine.interface import Opcode

__all__ = ["Builder", "Declared", "Interned", "Parameter", "RecordedClaim", "RecordedHint", "Side"]

Parameter = int | str | bool | None | Sequence["Parameter"]
Signal = TypeVar("Signal", bound=Field)
Terms = dict[int, int]
Packed = tuple["array[int]", "array[int]"]

# What a wire is. Kept as one byte a wire.
WIRE_ONE, WIRE_LINK, WIRE_INPUT, WIRE_HINT, WIRE_PRODUCT, WIRE_LINEAR = range(6)

# What a row is. Kept as one byte a row. A plain boolean row, b * (b - 1) = 0 for a wire b, does not count
# as a use of b when freeze looks for wires that nothing constrains.
ROW_ASSERTION, ROW_DEFINITION, ROW_BOOLEAN = range(3)


class Interned(dict[int, int]):
    """Constants, each once, in order of first use; begins with 0, 1, -1."""

    def __init__(self) -> None:
        super().__init__({0: 0, 1: 1, MINUS_ONE: 2})

    def __missing__(self, value: int) -> int:
        index = self[value] = len(self)
        return index


class Side:
    """One of the matrices under construction, row after row."""

    __slots__ = ("coefs", "cols", "ends")

    def __init__(self) -> None:
        self.cols = array("I")
        self.coefs = array("I")
        self.ends = array("I", [0])

    def add(self, packed: Packed) -> None:
        self.cols += packed[0]
        self.coefs += packed[1]
        self.ends.append(len(self.cols))


@dataclass(frozen=True)
class Declared:
    """A name that an author declared. ``first`` is the first of its ``width`` provisional wires.

    ``kind`` is ``field``, ``bool``, ``uint`` (one wire a bit), ``link`` or ``export``.
    """

    name: str
    kind: str
    first: int
    width: int
    place: int


@dataclass(frozen=True)
class RecordedHint:
    """One hint on the tape, in tape order; ``first`` is its first provisional wire.

    ``width``: for bits, how many of them the author demands of the number; at least ``count``.
    """

    opcode: int
    first: int
    count: int
    scope: int
    place: int
    width: int = 0


@dataclass(frozen=True)
class RecordedClaim:
    """A claim over provisional wires; see :class:`zkrollup.cs.claims.Claim`."""

    kind: str
    terms: Terms
    wires: tuple[int, ...]
    by: tuple[int, ...]
    reason: str
    scope: int
    place: int
    sums: tuple[Terms, ...] = ()


EMPTY: Packed = (array("I"), array("I"))

SCRATCH_IN_A_ROW = (
    "a scratch value only feeds hints and cannot be in a row; end the computation with cs.hint_value(x) and "
    "constrain that wire"
)


class Builder:
    """The state of a recording. Authors use its subclass ``ConstraintSystem``."""

    def __init__(self, name: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a template's name must be a string, not {name!r}")
        self.name = name
        try:
            self._parameters = json.dumps(dict(parameters or {}), sort_keys=True, separators=(",", ":"))
        except TypeError as error:
            raise ConstraintSystemError(
                f"parameters of template {name!r} must be integers, strings or lists of them: {error}"
            ) from error
        self._frozen = False
        self._constants = Interned()
        self._tape = Tape()
        self._a, self._b, self._c = Side(), Side(), Side()
        self._b_columns: set[int] = set()
        self._row_labels, self._row_scopes, self._row_places = array("I"), array("I"), array("I")
        self._row_kinds = bytearray()
        self._labels: dict[str, int] = {}
        self._places = Places()
        self._scopes = [""]
        self._scope_index: dict[tuple[int, str], int] = {}
        self._scope = 0
        self._condition: Bool | None = None
        self._wire_kinds = bytearray()
        self._wire_scopes, self._wire_places = array("I"), array("I")
        self._wire_names: dict[int, str] = {}
        self._links: list[Declared] = []
        self._inputs: list[Declared] = []
        self._exports: list[Declared] = []
        self._hints: list[RecordedHint] = []
        self._python_hints: list[PythonHint] = []
        self._claims: list[RecordedClaim] = []
        self._bit_wires: set[int] = set()
        self._constant_operands: dict[int, int] = {1: 0}
        self._new_wire(WIRE_ONE, self._places.here())
        self.one = self._linear((), 1, Field)

    def _open(self) -> None:
        if self._frozen:
            raise ConstraintSystemError(
                f"template {self.name!r} is frozen; record into a new ConstraintSystem"
            )

    def _field(self, value: Field | int) -> Field:
        if isinstance(value, Field):
            if value._cs is not self:
                raise ConstraintSystemError(
                    f"a signal of template {value._cs.name!r} was used in {self.name!r}; values cross "
                    "templates only by export and link"
                )
            return value
        if isinstance(value, int):
            return self._linear((), value, Field)
        raise TypeError(f"expected a signal or an integer, not {type(value).__name__}")

    def _new(self, kind: type[Signal]) -> Signal:
        out = object.__new__(kind)
        out._cs = self
        out._column = out._operand = -1
        out._constant = out._uses = 0
        out._packed = out._parts = out._product = out._terms = None
        return out

    def _wire(self, column: int, kind: type[Signal]) -> Signal:
        out = self._new(kind)
        out._column = out._operand = column
        return out

    def _new_wire(self, kind: int, place: int, scope: int | None = None) -> int:
        column = len(self._wire_kinds)
        self._wire_kinds.append(kind)
        self._wire_scopes.append(self._scope if scope is None else scope)
        self._wire_places.append(place)
        return column

    def _declare(self, table: list[Declared], wire_kind: int, name: str, kind: str, width: int) -> int:
        self._open()
        if not isinstance(name, str) or not name:
            raise TypeError(f"a name must be a non-empty string, not {name!r}")
        place = self._places.here()
        first = len(self._wire_kinds)
        for i in range(width):
            self._wire_names[self._new_wire(wire_kind, place)] = (
                name if kind != "uint" else f"{name}.bits[{i}]"
            )
        table.append(Declared(name, kind, first, width, place))
        return first

    def _view(self, field: Field, kind: type[Signal]) -> Signal:
        """The same value as another type of signal."""
        out = self._new(kind)
        if field._column >= 0:
            out._column, out._operand = field._column, field._operand
        elif field._parts is not None and not field._parts:
            out._parts, out._constant = (), field._constant
        else:
            field._uses += 1
            out._parts = ((field, 1),)
        return out

    def _linear(
        self,
        parts: Sequence[tuple[Field, int]],
        constant: int,
        kind: type[Signal],
    ) -> Signal:
        out = object.__new__(kind)
        out._cs = self
        out._column = out._operand = -1
        out._uses = 0
        out._packed = out._product = out._terms = None
        known = False
        for field, _ in parts:
            if field._cs is not self:
                self._field(field)
            field._uses += 1
            if field._parts is not None and not field._parts:
                known = True
        if known:
            kept = []
            for field, k in parts:
                if field._parts is not None and not field._parts:
                    constant += field._constant * k
                else:
                    kept.append((field, k))
            parts = kept
        out._parts = parts
        out._constant = constant % MODULUS if constant else 0
        return out

    def _constant_value(self, field: Field) -> int | None:
        if field._parts is not None and not field._parts:
            return field._constant
        terms = field._terms
        if terms is not None and (not terms or (len(terms) == 1 and 0 in terms)):
            return terms.get(0, 0)
        return None

    def _multiply(self, a: Field, b: Field, kind: type[Signal]) -> Signal:
        """A product, not settled. Its factors are expanded now: that settles the products inside them, and
        shows factors that are constant after cancellation."""
        self._open()
        if b._cs is not self:
            self._field(b)
        for factor, other in ((a, b), (b, a)):
            if factor._column < 0:
                self._expanded(factor)
                k = self._constant_value(factor)
                if k is not None:
                    return self._linear(((other, k),), 0, kind)
        out = self._new(kind)
        out._product = (a, b, self._scope, self._places.here())
        return out

    # -- expansion into wires --------------------------------------------------------------------------
    def _expanded(self, root: Field) -> Terms:
        """``{wire: coefficient}`` without zeros; settles what is lazy."""
        if root._column < 0 and root._product is not None:
            self._settle(root)
        if root._column >= 0:
            return {root._column: 1}
        if root._terms is not None:
            return root._terms
        todo = [root]
        while todo:
            field = todo[-1]
            if field._terms is not None:
                todo.pop()
                continue
            if field._parts is None:
                raise ConstraintSystemError(SCRATCH_IN_A_ROW)
            missing = self._shared_inside(field._parts)
            if missing:
                todo.extend(missing)
            else:
                field._terms = self._merge(field._parts, field._constant, None)
                todo.pop()
        assert root._terms is not None
        return root._terms

    @staticmethod
    def _shared_inside(parts: Sequence[tuple[Field, int]]) -> list[Field]:
        """Combinations inside that are used more than once and not expanded yet."""
        missing: list[Field] = []
        stack = [parts]
        while stack:
            for field, _ in stack.pop():
                inner = field._parts
                if inner and field._terms is None and field._column < 0:
                    if field._uses > 1:
                        missing.append(field)
                    else:
                        stack.append(inner)
        return missing

    def _merge(
        self,
        parts: Sequence[tuple[Field, int]],
        constant: int,
        pending: list[tuple[Field, int]] | None,
    ) -> Terms:
        """Add up expansions. Products not settled go to ``pending`` when given, else they are settled."""
        if len(parts) == 2 and not constant:
            (first, k1), (second, k2) = parts
            if k1 == 1 and first._terms is not None and second._column >= 0:
                # A long sum and one wire more: only one term is new (Poseidon's partial rounds).
                out = first._terms.copy()
                if value := (out.get(second._column, 0) + k2) % MODULUS:
                    out[second._column] = value
                else:
                    out.pop(second._column, None)
                return out
        acc: Terms = {}
        get = acc.get
        stack: list[tuple[Sequence[tuple[Field, int]], int]] = [(parts, 1)]
        small = True
        while stack:
            group, scale = stack.pop()
            for field, coef in group:
                k = coef if scale == 1 else coef * scale % MODULUS
                column = field._column
                if column < 0:
                    if field._product is not None:
                        if pending is not None:
                            pending.append((field, k))
                            continue
                        self._settle(field)
                        column = field._column
                    else:
                        terms = field._terms
                        if terms is None:
                            if field._parts is None:
                                raise ConstraintSystemError(SCRATCH_IN_A_ROW)
                            constant += field._constant * k
                            stack.append((field._parts, k))
                        elif k == 1:
                            if acc:
                                for c, v in terms.items():
                                    acc[c] = get(c, 0) + v
                            else:
                                acc.update(terms)
                        elif k == MINUS_ONE:
                            for c, v in terms.items():
                                acc[c] = get(c, 0) - v
                        else:
                            small = False
                            for c, v in terms.items():
                                acc[c] = get(c, 0) + v * k
                        continue
                acc[column] = get(column, 0) + k
        if constant:
            acc[0] = get(0, 0) + constant
        if small and len(acc) == 1:
            for c, v in acc.items():
                return {c: v % MODULUS} if v % MODULUS else {}
        return {c: w for c, v in acc.items() if (w := v % MODULUS)}

    def _pack_terms(self, terms: Terms) -> Packed:
        if not terms:
            return EMPTY
        return array("I", terms.keys()), array("I", map(self._constants.__getitem__, terms.values()))

    def _pack(self, field: Field) -> Packed:
        packed = field._packed
        if packed is None:
            packed = field._packed = self._pack_terms(self._expanded(field))
        return packed

    # -- values on the tape ------------------------------------------------------------------------------
    def _operand_of(self, root: Field) -> int:
        """The tape operand that holds the value of ``root``; writes instructions as needed."""
        if root._operand >= 0:
            return root._operand
        if root._product is not None:
            self._settle(root)
            return root._operand
        todo = [root]
        while todo:
            field = todo[-1]
            if field._operand >= 0:
                todo.pop()
                continue
            missing = self._write_linear(field, -1)
            if missing:
                todo.extend(missing)
            else:
                todo.pop()
        return root._operand

    def _write_linear(self, root: Field, dst: int) -> list[Field]:
        """Write the instruction for a combination into ``dst`` (-1: a temporary), unless combinations with
        several uses inside it have no value yet: those are returned and nothing is written."""
        assert root._parts is not None
        missing: list[Field] = []
        operands: list[int] = []
        coefs: list[int] = []
        constant = root._constant
        stack: list[tuple[Sequence[tuple[Field, int]], int]] = [(root._parts, 1)]
        while stack:
            group, scale = stack.pop()
            for field, coef in group:
                k = coef if scale == 1 else coef * scale % MODULUS
                operand = field._operand
                if operand < 0:
                    if field._product is not None:
                        self._settle(field)
                        operand = field._operand
                    else:
                        assert field._parts is not None
                        if field._uses > 1:
                            missing.append(field)
                        else:
                            constant += field._constant * k
                            stack.append((field._parts, k))
                        continue
                operands.append(operand)
                coefs.append(k)
        if missing:
            return missing
        constant %= MODULUS
        if dst < 0:
            if not operands:
                known = self._constant_operands.get(constant)
                if known is not None:
                    root._operand = known
                    return missing
            elif len(operands) == 1 and coefs[0] == 1 and not constant:
                root._operand = operands[0]
                return missing
            dst = self._tape.temporary()
            if not operands:
                self._constant_operands[constant] = dst
        intern = self._constants
        self._tape.linear(dst, intern[constant], operands, [intern[k % MODULUS] for k in coefs])
        root._operand = dst
        return missing

    # -- wires and rows ----------------------------------------------------------------------------------
    def _settle(self, field: Field) -> None:
        """Give a product its wire, its instruction and its row, under the place where it was written."""
        assert field._product is not None
        a, b, scope, place = field._product
        dst_a, dst_b = self._operand_of(a), self._operand_of(b)
        pa, pb = self._pack(a), self._pack(b)
        column = self._new_wire(WIRE_PRODUCT, place, scope)
        if field._operand >= 0:
            self._tape.copy(column, field._operand)
        else:
            self._tape.binary(Opcode.MUL, column, dst_a, dst_b)
        self._product_row(
            pa, pb, (array("I", [column]), array("I", [1])), "product", place, scope, ROW_DEFINITION
        )
        field._product = None
        field._column = field._operand = column

    def _own_wire(self, field: Field, label: str, place: int, copy_links: bool = True) -> int:
        """The wire of ``field``, made if there is none; a link is copied unless told otherwise."""
        if field._product is not None:
            self._settle(field)
        if field._column >= 0:
            if not copy_links or self._wire_kinds[field._column] != WIRE_LINK:
                return field._column
            column = self._new_wire(WIRE_LINEAR, place)
            self._tape.copy(column, field._operand)
            self._row(
                EMPTY,
                EMPTY,
                self._pack_terms({field._column: 1, column: MINUS_ONE}),
                label,
                place,
                ROW_DEFINITION,
            )
            return column
        if field._parts is None:
            raise ConstraintSystemError(SCRATCH_IN_A_ROW)
        terms, product, k = self._sum_with_product(field._parts, field._constant)
        if product is not None and product._operand < 0:
            # The value of the product is needed on the tape, but not as a wire.
            assert product._product is not None
            a, b, _, _ = product._product
            oa, ob = self._operand_of(a), self._operand_of(b)
            product._operand = self._tape.temporary()
            self._tape.binary(Opcode.MUL, product._operand, oa, ob)
        operand = field._operand
        column = -1
        if operand >= 0:
            column = self._new_wire(WIRE_LINEAR, place)
            self._tape.copy(column, operand)
        else:
            missing = self._missing_operands(field)
            for inner in missing:
                self._operand_of(inner)
            column = self._new_wire(WIRE_LINEAR, place)
            left = self._write_linear(field, column)
            assert not left
        terms[column] = MINUS_ONE
        self._sum_row(product, k, terms, label, place, ROW_DEFINITION)
        field._parts, field._terms, field._packed = None, None, None
        field._column = field._operand = column
        return column

    @staticmethod
    def _missing_operands(root: Field) -> list[Field]:
        """Combinations inside ``root`` with several uses and no operand yet."""
        assert root._parts is not None
        missing: list[Field] = []
        stack = [root._parts]
        while stack:
            for field, _ in stack.pop():
                if field._operand < 0 and field._parts is not None:
                    if field._uses > 1:
                        missing.append(field)
                    else:
                        stack.append(field._parts)
        return missing

    def _one_product(self, terms: Terms, pending: list[tuple[Field, int]]) -> tuple[Field | None, int]:
        """Settle all fresh products but one (one that nobody else uses, if any) and add them to ``terms``."""
        if not pending:
            return None, 0
        products: dict[int, Field] = {}
        sums: dict[int, int] = {}
        for field, k in pending:
            products[id(field)] = field
            sums[id(field)] = (sums.get(id(field), 0) + k) % MODULUS
        live = [i for i, k in sums.items() if k]
        if not live:
            return None, 0
        kept = next((i for i in live if products[i]._uses < 2), live[-1])
        for i in live:
            if i != kept:
                self._settle(products[i])
                column = products[i]._column
                value = (terms.get(column, 0) + sums[i]) % MODULUS
                if value:
                    terms[column] = value
                else:
                    terms.pop(column, None)
        assert products[kept]._product is not None  # factors were expanded when the products were made
        return products[kept], sums[kept]

    def _sum_row(
        self, product: Field | None, k: int, terms: Terms, label: str, place: int, kind: int
    ) -> None:
        """The row ``k * product + terms = 0``."""
        if product is None:
            self._row(EMPTY, EMPTY, self._pack_terms(terms), label, place, kind)
            return
        assert product._product is not None
        a, b, _, _ = product._product
        pa, pb = self._pack(a), self._pack(b)
        if k == 1:
            terms = {c: MODULUS - v for c, v in terms.items()}
        elif k != MINUS_ONE:  # (-k a) b = terms: scale the shorter factor
            if len(pa[0]) > len(pb[0]):
                a, b, pa, pb = b, a, pb, pa
            scale = MODULUS - k
            pa = self._pack_terms({c: v * scale % MODULUS for c, v in self._expanded(a).items()})
        self._product_row(pa, pb, self._pack_terms(terms), label, place, self._scope, kind)

    def _assert_zero(self, parts: Sequence[tuple[Field, int]], constant: int, label: str) -> None:
        place = self._places.here()
        if self._condition is not None:
            for field in self._shared_inside(parts):
                self._expanded(field)
            terms = self._merge(parts, constant, None)
            if terms:
                flag = self._pack(self._condition)
                self._row(self._pack_terms(terms), flag, EMPTY, label, place, ROW_ASSERTION)
            return
        terms, product, k = self._sum_with_product(parts, constant)
        if product is None and not (terms.keys() - {0}):
            if terms:
                raise ConstraintSystemError(
                    f"assertion {label!r} can never hold: its sides differ by {signed(terms[0])}"
                )
            return
        self._sum_row(product, k, terms, label, place, ROW_ASSERTION)

    def _sum_with_product(
        self, parts: Sequence[tuple[Field, int]], constant: int
    ) -> tuple[Terms, Field | None, int]:
        """Expand a sum, leaving at most one fresh product out of the terms: (terms, product, its factor).

        A shared combination that holds a fresh product directly is looked into as well: that costs
        nothing if the product is needed again, and saves a row if it is not.
        """
        for field in self._shared_inside(parts):
            assert field._parts is not None
            if any(f._product is not None for f, _ in field._parts):
                for inner in self._shared_inside(field._parts):
                    self._expanded(inner)
            else:
                self._expanded(field)
        pending: list[tuple[Field, int]] = []
        terms = self._merge(parts, constant, pending)
        product, k = self._one_product(terms, pending)
        return terms, product, k

    def _boolean_row(self, field: Field, label: str) -> None:
        """b * (b - 1) = 0, unconditional."""
        place = self._places.here()
        if (column := field._column) >= 0:
            minus_one = array("I", (0, column)), array("I", (2, 1))
            self._row(minus_one, self._pack(field), EMPTY, label, place, ROW_BOOLEAN)
            return
        terms = dict(self._expanded(field))
        wire = len(terms) == 1 and 0 not in terms
        packed = self._pack(field)
        value = (terms.pop(0, 0) - 1) % MODULUS
        if value:
            terms[0] = value
        self._row(
            self._pack_terms(terms), packed, EMPTY, label, place, ROW_BOOLEAN if wire else ROW_ASSERTION
        )

    def _product_row(
        self, a: Packed, b: Packed, c: Packed, label: str, place: int, scope: int, kind: int
    ) -> None:
        """A row whose factors may be swapped: the one that brings fewer columns into B goes there.

        A prover pays for each column of B with a point of G2, and for the entries next to nothing; the
        shorter factor where both bring as many.
        """
        known = self._b_columns
        cost_a = (sum(column not in known for column in a[0]), len(a[0]))
        cost_b = (sum(column not in known for column in b[0]), len(b[0]))
        if cost_b > cost_a:
            a, b = b, a
        self._row(a, b, c, label, place, kind, scope)

    def _row(
        self, a: Packed, b: Packed, c: Packed, label: str, place: int, kind: int, scope: int | None = None
    ) -> None:
        self._a.add(a)
        self._b.add(b)
        self._b_columns.update(b[0])
        self._c.add(c)
        index = self._labels.get(label)
        if index is None:
            index = self._labels[label] = len(self._labels)
        self._row_labels.append(index)
        self._row_scopes.append(self._scope if scope is None else scope)
        self._row_places.append(place)
        self._row_kinds.append(kind)

    # -- for people --------------------------------------------------------------------------------------
    def _describe(self, field: Field) -> str:
        if field._column >= 0:
            return self._wire_names.get(field._column, f"wire {field._column}")
        if field._product is not None:
            return "product, not used yet"
        if field._parts is None:
            return "scratch value"
        if not field._parts:
            return str(field._constant)
        return f"linear combination of {len(field._parts)} terms"
