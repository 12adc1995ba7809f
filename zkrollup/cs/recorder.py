"""The recorder: a ``ConstraintSystem`` writes one template's tape and rows while its author's Python runs.

This module must not know of instances, engines at work or witnesses; it ends where a ``Template`` begins.

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from zkrollup.cs.errors import ConstraintSystemError
from zkrollup.cs.hints import HINT_NAMES, HINTS, PYTHON_HINT, PythonHint
from zkrollup.cs.places import Places
from zkrollup.cs.scalar_field import MINUS_ONE, MODULUS, MODULUS_BITS, signed
from zkrollup.cs.signals import Bool, Field, UInt
from zkrollup.cs.tape import Tape
from zkrollup.engine.interface import Opcode

if TYPE_CHECKING:
    from zkrollup.cs.template import Template

__all__ = ["ConstraintSystem", "Parameter"]

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
    """One hint on the tape, in tape order; ``first`` is its first provisional wire."""

    opcode: int
    first: int
    count: int
    scope: int
    place: int


class _Scope:
    __slots__ = ("_cs", "_name", "_outer")

    def __init__(self, cs: ConstraintSystem, name: str) -> None:
        self._cs, self._name = cs, name

    def __enter__(self) -> None:
        cs = self._cs
        self._outer = cs._scope
        key = (self._outer, self._name)
        index = cs._scope_index.get(key)
        if index is None:
            outer = cs._scopes[self._outer]
            index = cs._scope_index[key] = len(cs._scopes)
            cs._scopes.append(f"{outer}/{self._name}" if outer else self._name)
        cs._scope = index

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cs._scope = self._outer


class _When:
    __slots__ = ("_cs", "_flag", "_outer")

    def __init__(self, cs: ConstraintSystem, flag: Bool) -> None:
        self._cs, self._flag = cs, flag

    def __enter__(self) -> None:
        cs, flag = self._cs, self._flag
        self._outer = cs._condition
        cs._condition = flag if self._outer is None else self._outer & flag
        if cs._constant_value(cs._condition) == 1:
            cs._condition = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cs._condition = self._outer


_EMPTY: Packed = (array("I"), array("I"))
_ONE: Packed = (array("I", [0]), array("I", [1]))


class ConstraintSystem:
    """Records ONE template: its signals, its tape, its rows.

    Arguments:
        name: what reports and failures call the template.
        parameters: what the template was built from (widths, depths, …); part of the digest.
    """

    def __init__(self, name: str, parameters: Mapping[str, Parameter] | None = None) -> None:
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
        self._bit_wires: set[int] = set()
        self._constant_operands: dict[int, int] = {1: 0}
        self._new_wire(WIRE_ONE, self._places.here())
        self.one: Field = self._wire(0)
        self.one._parts, self.one._column, self.one._constant = (), -1, 1

    # ==============================================================================================
    # Signals that come from outside
    # ==============================================================================================
    def input(self, name: str) -> Field:
        """An input of its own for each instance: a secret value given by the caller; costs no row."""
        return self._wire(self._declare(self._inputs, WIRE_INPUT, name, "field", 1))

    def input_bool(self, name: str) -> Bool:
        """An input constrained to 0 or 1; one row."""
        out = self._wire(self._declare(self._inputs, WIRE_INPUT, name, "bool", 1), Bool)
        self._boolean_row(out, f"{name} is boolean")
        return out

    def input_uint(self, name: str, bits: int) -> UInt:
        """An input below ``2 ** bits``; ``bits`` rows.

        The caller gives the integer by name. The wires are its bits, and the number is their linear
        combination, which saves the row that would recompose it.
        """
        if not 0 < bits <= MODULUS_BITS - 1:
            raise ConstraintSystemError(
                f"input {name!r}: a UInt has 1 to 253 bits, not {bits}: 254 bits can hold x + r as well as x"
            )
        first = self._declare(self._inputs, WIRE_INPUT, name, "uint", bits)
        wires = [self._wire(first + i, Bool) for i in range(bits)]
        for i, wire in enumerate(wires):
            self._boolean_row(wire, f"{name}.bits[{i}] is boolean")
        number = self._linear([(wire, 1 << i) for i, wire in enumerate(wires)], 0, UInt)
        number.num_bits = bits
        number._bits = tuple(wires)
        return number

    def input_array(self, name: str, count: int) -> list[Field]:
        """``count`` inputs named ``name[0]``, ``name[1]``, …; an assignment gives them as a list."""
        return [self.input(f"{name}[{i}]") for i in range(count)]

    def input_bool_array(self, name: str, count: int) -> list[Bool]:
        return [self.input_bool(f"{name}[{i}]") for i in range(count)]

    def input_uint_array(self, name: str, count: int, bits: int) -> list[UInt]:
        return [self.input_uint(f"{name}[{i}]", bits) for i in range(count)]

    def link(self, name: str) -> Field:
        """A wire that belongs to another part of a system, or to the public inputs; costs no row."""
        return self._wire(self._declare(self._links, WIRE_LINK, name, "link", 1))

    def link_array(self, name: str, count: int) -> list[Field]:
        return [self.link(f"{name}[{i}]") for i in range(count)]

    def constant(self, value: int) -> Field:
        """A known value, taken mod r."""
        return self._linear((), value)

    def constant_bool(self, value: bool) -> Bool:
        return self._linear((), int(value), Bool)

    def export(self, name: str, field: Field | int) -> Field:
        """Make ``field`` reachable from other parts as ``part.wire(name)``; returns it as a wire.

        Costs nothing when it is a wire of this template; otherwise it becomes one with one row (a link or
        a constant is copied, a combination with a fresh product takes the product's row).
        """
        self._open()
        place = self._places.here()
        field = self._field(field)
        column = self._own_wire(field, f"export {name}", place)
        self._wire_names.setdefault(column, name)
        self._exports.append(Declared(name, "export", column, 1, place))
        return field if field._column == column else self._wire(column)

    def export_array(self, name: str, fields: Sequence[Field]) -> list[Field]:
        return [self.export(f"{name}[{i}]", field) for i, field in enumerate(fields)]

    # ==============================================================================================
    # Arithmetic
    # ==============================================================================================
    def linear(self, terms: Iterable[tuple[Field, int]], constant: int = 0) -> Field:
        """``constant + sum(coefficient * field)``: one tape operation at most, no row."""
        return self._linear([(self._field(f), k) for f, k in terms], constant)

    def sum(self, fields: Iterable[Field]) -> Field:
        return self._linear([(self._field(f), 1) for f in fields], 0)

    def mul(self, a: Field | int, b: Field | int) -> Field:
        return self._multiply(self._field(a), self._field(b), Field)

    def materialise(self, field: Signal) -> Signal:
        """Give ``field`` a wire of its own, so that combinations that use it are short; at most one row."""
        self._open()
        if self._constant_value(field) is None:
            self._own_wire(field, "materialise", self._places.here(), copy_links=False)
        return field

    # ==============================================================================================
    # Assertions
    # ==============================================================================================
    def enforce(self, a: Field | int, b: Field | int, c: Field | int, label: str = "enforce") -> None:
        """The raw row ``a * b = c``.

        Raises inside ``cs.when(flag)`` unless a or b is constant: a conditional product is not one row.
        """
        self._open()
        fa, fb, fc = self._field(a), self._field(b), self._field(c)
        if self._condition is not None:
            for constant, other in ((fa, fb), (fb, fa)):
                k = self._constant_value(constant)
                if k is not None:
                    self._assert_zero([(other, k), (fc, MINUS_ONE)], 0, label)
                    return
            raise ConstraintSystemError(
                f"enforce({label!r}) inside cs.when(flag): flag * (a*b - c) is not one row; write "
                "(a * b).assert_equal(c), which makes the product a wire and conditions the equality"
            )
        self._row(self._pack(fa), self._pack(fb), self._pack(fc), label, self._places.here(), ROW_ASSERTION)

    def assert_equal(self, a: Field | int, b: Field | int, label: str = "assert_equal") -> None:
        """Demand ``a = b``. One row, also when one side is, or contains, a fresh product.

        Inside ``cs.when(flag)``: ``flag * (a - b) = 0``. An equality of known values costs nothing when
        it holds, and raises when it does not.
        """
        self._open()
        self._assert_zero([(self._field(a), 1), (self._field(b), MINUS_ONE)], 0, label)

    def assert_zero(self, a: Field | int, label: str = "assert_zero") -> None:
        """Demand ``a = 0``; see :meth:`assert_equal`."""
        self._open()
        self._assert_zero([(self._field(a), 1)], 0, label)

    def assert_bool(self, a: Field | int, label: str = "is boolean") -> Bool:
        """Demand ``a * (a - 1) = 0``; returns ``a`` as a Bool.

        Inside ``cs.when(flag)`` the demand is conditional (one row more), except for an output of a hint
        that always answers with bits: there the plain row holds for every honest witness.
        """
        self._open()
        field = self._field(a)
        value = self._constant_value(field)
        if value is not None:
            if value > 1:
                raise ConstraintSystemError(f"assertion {label!r} can never hold: {value} is not 0 or 1")
        elif self._condition is None or field._column in self._bit_wires:
            self._boolean_row(field, label)
        else:
            self._assert_zero([(self._multiply(field, field, Field), 1), (field, MINUS_ONE)], 0, label)
        return Bool.unchecked(field)

    def scope(self, name: str) -> _Scope:
        """``with cs.scope("name"):`` names what is recorded inside; scopes nest as ``outer/name``."""
        return _Scope(self, name)

    def when(self, flag: Bool) -> _When:
        """``with cs.when(flag):`` makes each assertion inside hold only where ``flag`` is 1, each as a row of
        its own under its own label. Rows that define a value stay unconditional. Nested flags multiply."""
        if not isinstance(flag, Bool):
            raise TypeError(
                f"cs.when needs a Bool, not {type(flag).__name__}: with another value the row "
                "flag * (a - b) = 0 says something else; constrain it with cs.assert_bool(x)"
            )
        if flag._cs is not self:
            raise ConstraintSystemError("cs.when: the flag belongs to another constraint system")
        return _When(self, flag)

    # ==============================================================================================
    # Hints: values computed, NOT constrained
    # ==============================================================================================
    def hint_bits(self, x: Field, n: int) -> list[Field]:
        """Bits 0..n-1 of the canonical value of ``x``, **not constrained**."""
        if not 0 < n <= MODULUS_BITS:
            raise ConstraintSystemError(f"hint_bits: 1 to {MODULUS_BITS} bits, not {n}")
        out = self._hint(Opcode.BITS, [x], n, after=[n])
        self._note_bits(out)
        return out

    def hint_inverse_or_zero(self, x: Field) -> Field:
        """1/x, or 0 when x = 0, **not constrained**."""
        return self._hint(Opcode.INVERSE_OR_ZERO, [x], 1)[0]

    def hint_divide_or_zero(self, a: Field | int, b: Field | int) -> Field:
        """a/b, or 0 when b = 0, **not constrained**."""
        return self._hint(Opcode.DIVIDE_OR_ZERO, [self._field(a), self._field(b)], 1)[0]

    def hint_is_zero(self, x: Field) -> Field:
        """1 when x = 0, else 0, **not constrained**."""
        out = self._hint(Opcode.IS_ZERO, [x], 1)
        self._note_bits(out)
        return out[0]

    def hint_divmod(self, a: Field | int, b: Field | int) -> tuple[Field, Field]:
        """Integer quotient and remainder of the canonical values, (0, a) when b = 0, **not constrained**."""
        q, r = self._hint(Opcode.DIVMOD, [self._field(a), self._field(b)], 2)
        return q, r

    def hint_less_than(self, a: Field | int, b: Field | int) -> Field:
        """1 when a < b as canonical integers, else 0, **not constrained**."""
        out = self._hint(Opcode.LESS_THAN, [self._field(a), self._field(b)], 1)
        self._note_bits(out)
        return out[0]

    def hint_python(self, function: PythonHint, operands: Sequence[Field | int], count: int) -> list[Field]:
        """``count`` values of ``function(*integers)``, **not constrained**.

        Slow: no engine replays it, so the whole part is computed instance by instance in Python; the
        report says so. The function must be total and depend on its arguments alone.
        """
        if count < 1:
            raise ConstraintSystemError(f"hint_python: a hint has at least one output, not {count}")
        self._python_hints.append(function)
        number = len(self._python_hints) - 1
        return self._hint(PYTHON_HINT, [self._field(f) for f in operands], count, before=[count, number])

    def _note_bits(self, fields: Iterable[Field]) -> None:
        self._bit_wires.update(f._column for f in fields if f._column >= 0)

    def _hint(
        self,
        opcode: int,
        fields: Sequence[Field],
        count: int,
        before: Sequence[int] = (),
        after: Sequence[int] = (),
    ) -> list[Field]:
        self._open()
        fields = [self._field(f) for f in fields]
        known = [self._constant_value(f) for f in fields]
        if opcode != PYTHON_HINT and all(v is not None for v in known):
            answer = HINTS[opcode](*known, *after)
            values = answer if isinstance(answer, list | tuple) else (answer,)
            return [self.constant(v) for v in values]
        operands = [self._operand_of(f) for f in fields]
        place = self._places.here()
        first = len(self._wire_kinds)
        for _ in range(count):
            self._new_wire(WIRE_HINT, place)
        dsts = [first, first + 1] if opcode == Opcode.DIVMOD else [first]
        self._tape.hint(opcode, dsts, list(before), operands, list(after))
        name = f"{HINT_NAMES[opcode]}#{len(self._hints)}"
        for i in range(count):
            self._wire_names[first + i] = f"{name}[{i}]" if count > 1 else name
        self._hints.append(RecordedHint(opcode, first, count, self._scope, place))
        return [self._wire(first + i) for i in range(count)]

    # ==============================================================================================
    # The end
    # ==============================================================================================
    def freeze(self) -> Template:
        """Finish the template.

        Raises :class:`FreezeError` with every problem found: an input, link or hint output that is in no
        constraint (a row that only says that a wire is 0 or 1 does not count), names declared twice.
        """
        from zkrollup.cs.template import build

        self._open()
        if self._condition is not None or self._scope:
            raise ConstraintSystemError("freeze inside `with cs.scope(...)` or `with cs.when(...)`")
        template = build(self)
        self._frozen = True
        return template

    # ==============================================================================================
    # Inside
    # ==============================================================================================
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
            return self._linear((), value)
        raise TypeError(f"expected a signal or an integer, not {type(value).__name__}")

    def _new(self, kind: type[Signal]) -> Signal:
        out = object.__new__(kind)
        out._cs = self
        out._column = out._operand = -1
        out._constant = out._uses = 0
        out._packed = out._parts = out._product = out._terms = None
        return out

    def _wire(self, column: int, kind: type[Signal] = Field) -> Signal:  # type: ignore[assignment]
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
        kind: type[Signal] = Field,  # type: ignore[assignment]
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
            assert field._parts is not None
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
                            assert field._parts is not None
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
            return _EMPTY
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
                _EMPTY,
                _EMPTY,
                self._pack_terms({field._column: 1, column: MINUS_ONE}),
                label,
                place,
                ROW_DEFINITION,
            )
            return column
        assert field._parts is not None
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
            self._row(_EMPTY, _EMPTY, self._pack_terms(terms), label, place, kind)
            return
        assert product._product is not None
        a, b, _, _ = product._product
        if k == MINUS_ONE:
            right = terms
        elif k == 1:
            right = {c: MODULUS - v for c, v in terms.items()}
        else:
            factor = pow(MODULUS - k, -1, MODULUS)
            right = {c: v * factor % MODULUS for c, v in terms.items()}
        self._product_row(
            self._pack(a), self._pack(b), self._pack_terms(right), label, place, self._scope, kind
        )

    def _assert_zero(self, parts: Sequence[tuple[Field, int]], constant: int, label: str) -> None:
        place = self._places.here()
        if self._condition is not None:
            for field in self._shared_inside(parts):
                self._expanded(field)
            terms = self._merge(parts, constant, None)
            if terms:
                flag = self._pack(self._condition)
                self._row(self._pack_terms(terms), flag, _EMPTY, label, place, ROW_ASSERTION)
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
            self._row(minus_one, self._pack(field), _EMPTY, label, place, ROW_BOOLEAN)
            return
        terms = dict(self._expanded(field))
        wire = len(terms) == 1 and 0 not in terms
        packed = self._pack(field)
        value = (terms.pop(0, 0) - 1) % MODULUS
        if value:
            terms[0] = value
        self._row(
            self._pack_terms(terms), packed, _EMPTY, label, place, ROW_BOOLEAN if wire else ROW_ASSERTION
        )

    def _product_row(
        self, a: Packed, b: Packed, c: Packed, label: str, place: int, scope: int, kind: int
    ) -> None:
        """A row whose factors may be swapped: the shorter goes to B, since G2 pays for B's columns."""
        if len(b[0]) > len(a[0]):
            a, b = b, a
        self._row(a, b, c, label, place, kind, scope)

    def _row(
        self, a: Packed, b: Packed, c: Packed, label: str, place: int, kind: int, scope: int | None = None
    ) -> None:
        self._a.add(a)
        self._b.add(b)
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
        if not field._parts:
            return str(field._constant)
        return f"linear combination of {len(field._parts)} terms"
