"""The recorder: a ``ConstraintSystem`` writes one template's tape and rows while its author's Python runs.

This module must not know of instances, engines at work or witnesses; it ends where a ``Template`` begins.
How rows and instructions are made is :mod:`zkrollup.cs.builder`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from zkrollup.cs.builder import (
    ROW_ASSERTION,
    WIRE_HINT,
    WIRE_INPUT,
    WIRE_LINK,
    Builder,
    Declared,
    RecordedClaim,
    RecordedHint,
    Signal,
)
from zkrollup.cs.errors import ConstraintSystemError, integer_of, type_text
from zkrollup.cs.hints import HINT_NAMES, HINTS, PYTHON_HINT, VALUE_HINT, PythonHint
from zkrollup.cs.scalar_field import MINUS_ONE, MODULUS, MODULUS_BITS
from zkrollup.cs.signals import Bool, Field, UInt
from zkrollup.engine.interface import Opcode

if TYPE_CHECKING:
    from zkrollup.cs.template import Template

__all__ = ["ConstraintSystem"]


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


class ConstraintSystem(Builder):
    """Records ONE template: its signals, its tape, its rows.

    Arguments:
        name: what reports and failures call the template.
        parameters: what the template was built from (widths, depths, …); part of the digest.
    """

    # ==============================================================================================
    # Signals that come from outside
    # ==============================================================================================
    def input(self, name: str) -> Field:
        """An input of its own for each instance: a secret value given by the caller; costs no row."""
        return self._wire(self._declare(self._inputs, WIRE_INPUT, name, "field", 1), Field)

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
        if (width := integer_of(bits)) is None:
            raise TypeError(f"input {name!r}: bits must be an integer, not {type_text(bits)}")
        bits = width
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
        return self._wire(self._declare(self._links, WIRE_LINK, name, "link", 1), Field)

    def link_array(self, name: str, count: int) -> list[Field]:
        return [self.link(f"{name}[{i}]") for i in range(count)]

    def constant(self, value: int) -> Field:
        """A known value, taken mod r."""
        return self._linear((), value, Field)

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
        return field if field._column == column else self._wire(column, Field)

    def export_array(self, name: str, fields: Sequence[Field]) -> list[Field]:
        return [self.export(f"{name}[{i}]", field) for i, field in enumerate(fields)]

    # ==============================================================================================
    # Arithmetic
    # ==============================================================================================
    def linear(self, terms: Iterable[tuple[Field, int]], constant: int = 0) -> Field:
        """``constant + sum(coefficient * field)``: one tape operation at most, no row."""
        return self._linear([(self._field(f), k) for f, k in terms], constant, Field)

    def sum(self, fields: Iterable[Field]) -> Field:
        return self._linear([(self._field(f), 1) for f in fields], 0, Field)

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
        known = [self._constant_value(side) for side in (fa, fb, fc)]
        match known:
            case [int(ka), int(kb), int(kc)] if (ka * kb - kc) % MODULUS:
                raise ConstraintSystemError(f"assertion {label!r} can never hold: {ka} * {kb} is not {kc}")
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
        that always answers with bits: there the plain row holds for every honest witness. What is
        returned is then known to be 0 or 1 only where the flag is 1.
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

    # ==============================================================================================
    # Claims: what is proved on paper, for the analysis. They demand nothing.
    # ==============================================================================================
    def claim_nonzero(self, x: Field, *, reason: str) -> None:
        """Tell the analysis that ``x`` is zero in no satisfying witness, **not constrained**; no row.

        For a denominator whose zeros an argument outside the rows excludes: ``reason`` gives it, or says
        where it stands. An audit takes it for true unless it finds a witness against it, and says so; every
        check of a satisfying witness tests it. Call it after the row that uses ``x``: a sum with a product
        that has no wire yet raises :class:`ConstraintSystemError`.
        """
        self._open()
        terms = self._claimed(self._field(x), "claim_nonzero")
        if not terms.keys() - {0}:
            if not terms:
                raise ConstraintSystemError(f"claim_nonzero({reason!r}): the sum is the constant 0")
            return
        self._claim("nonzero", terms, (), (), reason)

    def claim_determined(self, fields: Sequence[Field], by: Sequence[Field], *, reason: str) -> None:
        """Tell the analysis that the wires ``by`` determine ``fields``, **not constrained**; no row.

        For values that a proof outside the rows shows to be unique: two satisfying witnesses that agree on
        ``by`` agree on each of ``fields``, a wire or a sum of wires; otherwise as :meth:`claim_nonzero`.
        """
        self._open()
        known = [self._claimed(self._field(f), "claim_determined") for f in fields]
        known = [terms for terms in known if terms.keys() - {0}]
        given = {w for f in by for w in self._claimed(self._field(f), "claim_determined")} - {0}
        wires = tuple(w for terms in known if len(terms) == 1 for w in terms)
        sums = tuple(terms for terms in known if len(terms) > 1)
        if known:
            self._claim("determined", {}, wires, tuple(sorted(given)), reason, sums)

    def claim_idle(self, fields: Sequence[Field] = (), *, reason: str, since: Field | None = None) -> None:
        """Tell the analysis that nothing but ``fields`` depends on the choice of these wires; no row.

        For hints that only show that something exists, of which there may be several; of a sum its wires
        are meant. ``since``: a wire; it and all that were made after it are meant too. An audit accepts the
        claim only if every other wire in their rows is determined.
        """
        self._open()
        wires = {w for f in fields for w in self._claimed(self._field(f), "claim_idle")} - {0}
        if since is not None and self._field(since)._column >= 0:
            wires.update(range(since._column, len(self._wire_kinds)))
        if wires:
            self._claim("idle", {}, tuple(sorted(wires)), (), reason)

    def _claimed(self, x: Field, method: str) -> dict[int, int]:
        rows = len(self._row_kinds)
        terms = dict(self._expanded(x))
        if len(self._row_kinds) != rows:
            raise ConstraintSystemError(
                f"{method}: the sum holds a product that has no wire yet; state the claim after the row that "
                "uses it, or materialise the product"
            )
        return terms

    def _claim(
        self,
        kind: str,
        terms: dict[int, int],
        wires: tuple[int, ...],
        by: tuple[int, ...],
        reason: str,
        sums: tuple[dict[int, int], ...] = (),
    ) -> None:
        if not reason:
            raise ConstraintSystemError("a claim needs its reason: the proof, or where it stands")
        place = self._places.here()
        self._claims.append(RecordedClaim(kind, terms, wires, by, reason, self._scope, place, sums))

    def scope(self, name: str) -> _Scope:
        """``with cs.scope("name"):`` names what is recorded inside; scopes nest as ``outer/name``."""
        if not name or "/" in name:
            raise ConstraintSystemError(f"a scope's name is not empty and has no '/': {name!r}")
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
    def hint_bits(self, x: Field, n: int, demanded: int | None = None) -> list[Field]:
        """Bits 0..n-1 of the canonical value of ``x``, **not constrained**.

        ``demanded``: how many bits the caller's rows allow x to have (default: n), where the top ones are
        computed in another way or only low ones are wanted: 254 when x may be anything. For messages only:
        of a row that fails because a value is too large, the cause is told with this width.
        """
        if not 0 < n <= MODULUS_BITS:
            raise ConstraintSystemError(f"hint_bits: 1 to {MODULUS_BITS} bits, not {n}")
        out = self._hint(Opcode.BITS, [x], n, after=[n], width=max(n, demanded or 0))
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
        if not callable(function):
            raise TypeError(f"hint_python: expected a function of integers, not {type_text(function)}")
        if isinstance(operands, Field):
            raise TypeError(f"hint_python: expected a list of operands, write [{operands!r}]")
        if count < 1:
            raise ConstraintSystemError(f"hint_python: a hint has at least one output, not {count}")
        self._python_hints.append(function)
        number = len(self._python_hints) - 1
        return self._hint(PYTHON_HINT, [self._field(f) for f in operands], count, before=[count, number])

    def hint_value(self, x: Field) -> Field:
        """A wire with the value of ``x``, **not constrained**: the end of a computation in scratch values."""
        self._open()
        x = self._field(x)
        if (known := self._constant_value(x)) is not None:
            return self.constant(known)
        operand = self._operand_of(x)
        place = self._places.here()
        column = self._new_wire(WIRE_HINT, place)
        self._tape.copy(column, operand)
        self._wire_names[column] = f"{HINT_NAMES[VALUE_HINT]}#{len(self._hints)}"
        self._hints.append(RecordedHint(VALUE_HINT, column, 1, self._scope, place))
        return self._wire(column, Field)

    # -- scratch values: steps of a computation that only feeds hints. They are on the tape, but in no wire
    # and no row; a use in a row raises.
    def scratch_product(self, a: Field, b: Field) -> Field:
        """a * b for hints only: no wire, no row."""
        return self._scratch(Opcode.MUL, a, b)

    def scratch_is_zero(self, a: Field) -> Field:
        """1 when a = 0, else 0, for hints only: no wire, no row."""
        return self._scratch(Opcode.IS_ZERO, a)

    def scratch_less_than(self, a: Field | int, b: Field | int) -> Field:
        """1 when a < b as canonical integers, else 0, for hints only: no wire, no row."""
        return self._scratch(Opcode.LESS_THAN, self._field(a), self._field(b))

    def _scratch(self, opcode: int, *fields: Field) -> Field:
        self._open()
        operands = [self._operand_of(self._field(f)) for f in fields]
        out = self._new(Field)
        out._operand = self._tape.temporary()
        if opcode == Opcode.MUL:
            self._tape.binary(opcode, out._operand, *operands)
        else:
            self._tape.hint(opcode, [out._operand], [], operands, [])
        return out

    def _note_bits(self, fields: Iterable[Field]) -> None:
        self._bit_wires.update(f._column for f in fields if f._column >= 0)

    def _hint(
        self,
        opcode: int,
        fields: Sequence[Field],
        count: int,
        before: Sequence[int] = (),
        after: Sequence[int] = (),
        width: int = 0,
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
        self._hints.append(RecordedHint(opcode, first, count, self._scope, place, width))
        return [self._wire(first + i, Field) for i in range(count)]

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
