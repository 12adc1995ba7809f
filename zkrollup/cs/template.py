"""A template: one recorded statement as plain data - a tape, rows in CSR form, names, a digest.

This module must not know of instances or of how they are connected. Every size here is that of one
instance.
"""

from __future__ import annotations

import difflib
import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from zkrollup.cs.builder import (
    ROW_BOOLEAN,
    ROW_DEFINITION,
    WIRE_INPUT,
    WIRE_LINK,
    WIRE_ONE,
    Builder,
    Declared,
    Side,
)
from zkrollup.cs.causes import find_causes
from zkrollup.cs.check import Check, Rows, evaluate, first_violation
from zkrollup.cs.claims import Claim, ClaimFailure
from zkrollup.cs.errors import (
    AssignmentError,
    ConstraintSystemError,
    FreezeError,
    HintError,
    Problem,
    given_text,
    integer_of,
    range_text,
    type_text,
)
from zkrollup.cs.failure_list import Failures, Heading
from zkrollup.cs.failures import Cause, Failure, Operand, formula, value_text
from zkrollup.cs.hints import HINT_NAMES, PythonHint
from zkrollup.cs.interpreter import HintRaised, Lie, run
from zkrollup.cs.places import Place
from zkrollup.cs.report import TemplateReport, repeated_rows
from zkrollup.cs.scalar_field import MODULUS, canonical_array, mont_array
from zkrollup.cs.tape_index import TapeIndex
from zkrollup.engine.interface import U32, U64, Matrix, Program

__all__ = ["HintSite", "InputSpec", "Matrices", "Template", "build", "flatten"]


@dataclass(frozen=True, eq=False)
class Matrices:
    """The rows of one instance: A w * B w = C w over local columns. ``coefs`` index ``constants``
    (Montgomery); ``values`` are the same constants as integers."""

    a: Matrix
    b: Matrix
    c: Matrix
    constants: U64
    values: tuple[int, ...]

    @property
    def num_nonzero(self) -> int:
        return len(self.a.cols) + len(self.b.cols) + len(self.c.cols)


@dataclass(frozen=True)
class InputSpec:
    """An input by name. ``column`` is its first own wire, ``width`` how many it has.

    ``kind``: ``field``; ``bool`` (constrained by a row); ``uint`` (the wires are its bits, the caller
    gives the integer).
    """

    name: str
    kind: str
    column: int
    width: int
    place: Place


@dataclass(frozen=True)
class HintSite:
    """One hint on the tape; tests override it by this object or by its ``index``.

    ``columns`` are its outputs' local columns.
    """

    index: int
    kind: str
    scope: str
    place: Place
    columns: range


def flatten(values: Mapping[str, object]) -> dict[str, object]:
    """``{"lanes": [1, 2]}`` as ``{"lanes[0]": 1, "lanes[1]": 2}``, to any depth."""
    flat: dict[str, object] = {}
    if not isinstance(values, Mapping):
        raise AssignmentError(f"values: expected a mapping, names to values, not {type_text(values)}")
    for name, value in values.items():
        _flatten_into(flat, name, value)
    return flat


def _flatten_into(flat: dict[str, object], name: str, value: object) -> None:
    if isinstance(value, list | tuple):
        for i, item in enumerate(value):
            _flatten_into(flat, f"{name}[{i}]", item)
    else:
        flat[name] = value


class Template:
    """One recorded statement. Made by :meth:`ConstraintSystem.freeze`; immutable.

    Local columns: 0 is the constant one, then the links, then the template's own wires, inputs first.
    """

    def __init__(
        self,
        cs: Builder,
        columns: U32,
        matrices: Matrices,
    ) -> None:
        kinds = np.frombuffer(bytes(cs._wire_kinds), dtype=np.uint8)
        self.name = cs.name
        self.parameters = cs._parameters
        """The parameters as canonical JSON."""
        self.matrices = matrices
        self.num_constraints = len(cs._row_kinds)
        self.num_links = 1 + len(cs._links)
        """Columns that belong to somebody else, the constant one included."""
        self.num_inputs = int((kinds == WIRE_INPUT).sum())
        self.num_own = len(kinds) - self.num_links
        self._tape = cs._tape.finish(columns)
        self.num_instructions = cs._tape.num_instructions
        self._python_hints: tuple[PythonHint, ...] = tuple(cs._python_hints)
        self._places = cs._places
        self._scopes = tuple(cs._scopes)
        self._labels = tuple(cs._labels)
        self._row_labels, self._row_scopes = cs._row_labels, cs._row_scopes
        self._row_places = cs._row_places
        self._row_kinds = bytes(cs._row_kinds)
        order = np.argsort(columns)
        self._wire_places = np.array(cs._wire_places, dtype=np.uint32)[order]
        self._wire_scopes = np.array(cs._wire_scopes, dtype=np.uint32)[order]
        self._wire_kinds = kinds[order]
        at = columns.tolist()
        self._wire_names = {at[w]: name for w, name in cs._wire_names.items()}
        self.links: dict[str, int] = {d.name: at[d.first] for d in cs._links}
        """Name to local column, the constant one not included."""
        self._link_places = {d.name: d.place for d in cs._links}
        self.inputs: dict[str, InputSpec] = {
            d.name: InputSpec(d.name, d.kind, at[d.first] - self.num_links, d.width, cs._places[d.place])
            for d in cs._inputs
        }
        self.exports: dict[str, int] = {d.name: at[d.first] for d in cs._exports}
        """Name to local column; always an own wire."""
        self._hints = tuple((h.opcode, at[h.first], h.count, h.scope, h.place) for h in cs._hints)
        self._hint_widths = tuple(h.width for h in cs._hints)
        self.claims: tuple[Claim, ...] = tuple(
            Claim(
                c.kind,
                tuple(sorted((at[w], k) for w, k in c.terms.items())),
                tuple(at[w] for w in c.wires),
                tuple(at[w] for w in c.by),
                c.reason,
                self._scopes[c.scope],
                cs._places[c.place],
                tuple(tuple(sorted((at[w], k) for w, k in terms.items())) for terms in c.sums),
            )
            for c in cs._claims
        )
        """What the author claims of every satisfying witness; no part of the digest."""
        self.digest = self._digest()

    # -- for engines -------------------------------------------------------------------------------
    @property
    def is_native(self) -> bool:
        """Whether an engine can replay the tape: no hint is written in Python."""
        return not self._python_hints

    @cached_property
    def program(self) -> Program:
        """The tape for :meth:`Engine.replay`. Raises when a hint is written in Python."""
        if not self.is_native:
            raise ConstraintSystemError(
                f"template {self.name!r} has {len(self._python_hints)} hints written in Python, so no "
                "engine can replay it; R1CS.witness falls back to the Python interpreter"
            )
        return Program(
            words=self._tape.words,
            constants=self.matrices.constants,
            num_links=self.num_links,
            num_inputs=self.num_inputs,
            num_own=self.num_own,
            num_temporaries=self._tape.num_temporaries,
        )

    # -- names and places ----------------------------------------------------------------------------
    def wire_name(self, column: int) -> str:
        """A name for a local column; a wire that the author never named is called by its number."""
        if column == 0:
            return "one"
        return self._wire_names.get(column, f"wire{column}")

    def link_place(self, name: str) -> Place:
        return self._places[self._link_places[name]]

    def wire_place(self, column: int) -> Place:
        return self._places[int(self._wire_places[column])]

    def wire_scope(self, column: int) -> str:
        return self._scopes[int(self._wire_scopes[column])]

    def row_scope(self, row: int) -> str:
        return self._scopes[self._row_scopes[row]]

    def row_label(self, row: int) -> str:
        return self._labels[self._row_labels[row]]

    def row_place(self, row: int) -> Place:
        return self._places[self._row_places[row]]

    @cached_property
    def hints(self) -> tuple[HintSite, ...]:
        """Every hint, in tape order."""
        return tuple(
            HintSite(
                i, HINT_NAMES[opcode], self._scopes[scope], self._places[place], range(first, first + count)
            )
            for i, (opcode, first, count, scope, place) in enumerate(self._hints)
        )

    def hint_width(self, index: int) -> int:
        """For a hint of bits: how many bits its author demands of the number; 0 for other hints."""
        return self._hint_widths[index]

    def hint_of_column(self, column: int) -> int | None:
        """The index of the hint that writes a local column."""
        return self._hint_columns.get(column)

    @cached_property
    def _hint_columns(self) -> dict[int, int]:
        return {
            column: index
            for index, (_, first, count, _, _) in enumerate(self._hints)
            for column in range(first, first + count)
        }

    @cached_property
    def tape_index(self) -> TapeIndex:
        """Where the tape writes each column and temporary."""
        return TapeIndex(self._tape.flat, self.num_links + self.num_own)

    @cached_property
    def row_order(self) -> npt.NDArray[np.int64]:
        """For each row, when the last of its columns is computed: the tape's word, -1 for given ones.

        Of two failing rows the one with the smaller number stands nearer to the cause.
        """
        ready = np.full(self.num_constraints, -1, dtype=np.int64)
        for m in (self.matrices.a, self.matrices.b, self.matrices.c):
            sizes = (m.indptr[1:] - m.indptr[:-1]).astype(np.int64)
            rows = np.repeat(np.arange(self.num_constraints), sizes)
            np.maximum.at(ready, rows, self.tape_index.written[m.cols])
        return ready

    def rows_using(self, columns: Sequence[int]) -> dict[int, list[int]]:
        """The rows with an entry in any of these columns, and in which."""
        found: dict[int, list[int]] = {}
        for m in (self.matrices.a, self.matrices.b, self.matrices.c):
            at = np.flatnonzero(np.isin(m.cols, columns))
            rows = np.searchsorted(m.indptr, at, side="right") - 1
            for row, column in zip(rows.tolist(), m.cols[at].tolist(), strict=True):
                found.setdefault(row, []).append(column)
        return found

    def counts_by_scope(self, inclusive: bool = False) -> dict[str, int]:
        """Rows by scope path, in order of first use; the empty path is the template itself.

        ``inclusive=False`` counts the rows recorded directly in a scope (they add up to
        ``num_constraints``); ``True`` also those of the scopes inside it.
        """
        own = np.bincount(np.array(self._row_scopes, dtype=np.int64), minlength=len(self._scopes)).tolist()
        counts = dict(zip(self._scopes, own, strict=True))
        if inclusive:
            for path, count in list(zip(self._scopes, own, strict=True)):
                while path:
                    path = path.rpartition("/")[0]
                    counts[path] += count
        return {path: count for path, count in counts.items() if count}

    def report(self) -> TemplateReport:
        """Sizes, rows by scope, hints written in Python, rows that repeat others."""
        return TemplateReport(
            name=self.name,
            digest=self.digest,
            num_constraints=self.num_constraints,
            num_links=self.num_links,
            num_inputs=self.num_inputs,
            num_own=self.num_own,
            num_nonzero=self.matrices.num_nonzero,
            num_constants=len(self.matrices.values),
            num_instructions=self.num_instructions,
            num_temporaries=self._tape.num_temporaries,
            hints=tuple(
                (kind, sum(1 for h in self._hints if HINT_NAMES[h[0]] == kind))
                for kind in sorted({HINT_NAMES[h[0]] for h in self._hints})
            ),
            python_hints=tuple(
                f"{getattr(f, '__qualname__', repr(f))} at {site.place}"
                for f, site in zip(
                    self._python_hints, [h for h in self.hints if h.kind == "python"], strict=True
                )
            ),
            counts=self.counts_by_scope(inclusive=True),
            repeated=tuple(
                (row, first, self.row_label(row), self.row_place(row))
                for row, first in repeated_rows(self.matrices.a, self.matrices.b, self.matrices.c)
            ),
        )

    # -- assignments -----------------------------------------------------------------------------------
    def link_values(self, links: Mapping[str, object]) -> list[int]:
        """Values by name as local columns 0 .. num_links-1."""
        flat = flatten(links)
        self._same_names("link", flat, self.links)
        return [1, *(self._element("link", name, flat[name]) for name in self.links)]

    def input_values(self, inputs: Mapping[str, object]) -> list[int]:
        """Values by name as the first ``num_inputs`` own wires."""
        flat = flatten(inputs)
        self._same_names("input", flat, self.inputs)
        out: list[int] = []
        for name, spec in self.inputs.items():
            value = self._element("input", name, flat[name])
            if spec.kind == "uint":
                if value >> spec.width:
                    raise AssignmentError(
                        f"template {self.name!r}: input {name!r} = {value} does not fit its {spec.width} "
                        f"bits: expected {range_text(spec.width)}, declared at {spec.place}",
                        name=name,
                        expected=range_text(spec.width),
                    )
                out.extend((value >> i) & 1 for i in range(spec.width))
            else:
                out.append(value)
        return out

    def expected(self, name: str) -> str:
        """What may be given for an input or link: a range of integers, for messages."""
        spec = self.inputs.get(name)
        if spec is None or spec.kind == "field":
            return "0 .. r - 1"
        return range_text(spec.width) if spec.kind == "uint" else "0 or 1"

    def _same_names(self, what: str, given: Iterable[str], wanted: Mapping[str, object]) -> None:
        given = set(given)
        for name in wanted:
            if name not in given:
                place = self.inputs[name].place if what == "input" else self.link_place(name)
                others = sorted(given - wanted.keys())
                given_too = f"; {others[0]!r} is given and not known" if others else ""
                raise AssignmentError(
                    f"template {self.name!r}: no value for {what} {name!r}, declared at {place}{given_too}",
                    name=name,
                    expected=self.expected(name),
                )
        unknown = sorted(given - wanted.keys())
        if unknown:
            near = difflib.get_close_matches(unknown[0], list(wanted), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AssignmentError(f"template {self.name!r} has no {what} {unknown[0]!r}{hint}")

    def _element(self, what: str, name: str, value: object) -> int:
        number = integer_of(value)
        if number is None:
            raise AssignmentError(
                f"template {self.name!r}: {what} {name!r} must be an integer, not {type_text(value)}: "
                f"expected {self.expected(name)}",
                name=name,
                expected=self.expected(name),
            )
        if not 0 <= number < MODULUS:
            raise AssignmentError(
                f"template {self.name!r}: {what} {name!r} = {given_text(number)} is not a field element; "
                f"reduce it mod r: expected {self.expected(name)}",
                name=name,
                expected=self.expected(name),
            )
        return number

    # -- check ---------------------------------------------------------------------------------------
    def check(
        self,
        links: Mapping[str, object] | None = None,
        inputs: Mapping[str, object] | None = None,
        *,
        override: Mapping[int | str | HintSite, Lie] | None = None,
    ) -> Check:
        """Replay the tape in Python integers and evaluate every row.

        Arguments:
            links, inputs: integers by name, 0 <= value < r; arrays as lists.
            override: lies. By hint (a :class:`HintSite` or its index): the values that it answers, or a
                function of its honest answer. By wire name: the value of that wire.

        Returns:
            a :class:`Check` with all failures, all values and the exports.
        """
        values = self.solve(self.link_values(links or {}), self.input_values(inputs or {}), override)
        return self.check_wires(values)

    def solve(
        self,
        links: Sequence[int],
        inputs: Sequence[int],
        override: Mapping[int | str | HintSite, Lie] | None = None,
    ) -> list[int]:
        """The values of all local columns, from those of the links (one first) and the inputs."""
        num_columns = self.num_links + self.num_own
        cells = [*links, *inputs]
        cells += [0] * (num_columns + self._tape.num_temporaries - len(cells))
        hint_lies: dict[int, Lie] = {}
        cell_lies: dict[int, int] = {}
        for key, lie in (override or {}).items():
            if isinstance(key, str):
                if not isinstance(lie, int):
                    raise AssignmentError(f"override of the wire {key!r} must be one integer")
                cell_lies[self.column(key)] = lie % MODULUS
                continue
            index = key.index if isinstance(key, HintSite) else key
            if not 0 <= index < len(self._hints):
                raise AssignmentError(f"template {self.name!r} has {len(self._hints)} hints, no hint {index}")
            hint_lies[self._hints[index][1]] = lie
        try:
            run(self._tape.flat, self.matrices.values, cells, self._python_hints, hint_lies, cell_lies)
        except HintRaised as raised:
            raise self._hint_error(raised) from raised.__cause__
        return cells[:num_columns]

    def _hint_error(self, raised: HintRaised) -> HintError:
        site = self.hints[self._hint_columns[raised.column]]
        index, at = self.tape_index, int(self.tape_index.written[raised.column])
        names = []
        for cell, value in zip(index.reads(at), raised.operands, strict=True):
            named = cell < index.num_columns
            names.append(f"{self.wire_name(cell)} = {value_text(value)}" if named else value_text(value))
        return HintError(self.name, site.scope, str(site.place), raised.text, ", ".join(names))

    def column(self, name: str) -> int:
        """The local column of a wire by its name. Raises :class:`AssignmentError` when there is none."""
        found = self._columns_by_name.get(name)
        if found is None:
            near = difflib.get_close_matches(name, list(self._columns_by_name), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AssignmentError(f"template {self.name!r} has no wire {name!r}{hint}")
        return found

    @cached_property
    def _columns_by_name(self) -> dict[str, int]:
        return {name: column for column, name in self._wire_names.items()} | self.exports

    def check_wires(self, values: Sequence[int]) -> Check:
        """Evaluate every row on arbitrary values of all local columns (the constant one first)."""
        if len(values) != self.num_links + self.num_own:
            raise AssignmentError(
                f"template {self.name!r} has {self.num_links + self.num_own} columns, not {len(values)}"
            )
        values = list(values)
        failing = np.array(evaluate(self.rows, values), dtype=np.int64)
        if len(failing):
            failing = failing[np.argsort(self.row_order[failing], kind="stable")]
        rows = failing.tolist()
        false = () if rows else self.false_claims(values)
        if false:
            return Check(self, Failures.of(self.name, self.num_constraints, false), values)
        failures = Failures(
            self.name,
            self.num_constraints,
            failing,
            np.zeros(len(rows), dtype=np.int64),
            lambda k: self.explain(rows[k], values),
            lambda k: self.heading(rows[k]),
        )
        return Check(self, failures, values)

    def false_claims(self, values: Mapping[int, int] | Sequence[int]) -> tuple[ClaimFailure, ...]:
        """The claims that a sum is not zero in which it is, on values that satisfy the rows."""
        return tuple(
            self.explain_claim(i, values)
            for i, claim in enumerate(self.claims)
            if claim.terms and not claim.value(values)
        )

    def explain_claim(self, index: int, values: Mapping[int, int] | Sequence[int]) -> ClaimFailure:
        """Describe a claim on given values of its local columns."""
        claim = self.claims[index]
        operands: dict[str, Operand] = {}
        names = self._named(list(claim.terms), values, operands)
        return claim.failure(self.name, names, tuple(operands.values()))

    @cached_property
    def claim_sums(self) -> tuple[tuple[int, ...], Matrix, U64]:
        """The sums claimed not to be zero, as a matrix: (numbers of their claims, matrix, constants)."""
        numbers = tuple(i for i, claim in enumerate(self.claims) if claim.terms)
        constants: dict[int, int] = {0: 0, 1: 1, MODULUS - 1: 2}
        indptr, cols, coefs = [0], [], []
        for i in numbers:
            for column, k in self.claims[i].terms:
                cols.append(column)
                coefs.append(constants.setdefault(k, len(constants)))
            indptr.append(len(cols))
        rows, columns, values = (np.array(x, dtype=np.uint32) for x in (indptr, cols, coefs))
        return numbers, Matrix(rows, columns, values), mont_array(tuple(constants))

    def holds(self, values: Sequence[int]) -> bool:
        """Whether every row holds on these values; stops at the first that does not."""
        return first_violation(self.rows, values) is None

    @cached_property
    def rows(self) -> Rows:
        """The rows as Python lists of integers, for :meth:`check` and for mutation."""
        m = self.matrices
        return Rows.of((m.a, m.b, m.c), m.values)

    def heading(self, row: int, part: str = "") -> Heading:
        """What a row is called, whatever its values."""
        return Heading(part, self.row_scope(row), self.row_label(row), self.row_place(row))

    def explain(self, row: int, values: Mapping[int, int] | Sequence[int]) -> Failure:
        """Describe a row on given values of its local columns; of one that does not hold also the causes.

        Bits that stand together as the number they make (a UInt input, the output of a bits hint) are
        shown as that number.
        """
        sides = [self.rows.terms(side, row) for side in range(3)]
        dots = [sum(k * values[c] for c, k in terms) % MODULUS for terms in sides]
        operands: dict[str, Operand] = {}
        named = [self._named(terms, values, operands) for terms in sides]
        causes: tuple[Cause, ...] = ()
        if (dots[0] * dots[1] - dots[2]) % MODULUS:
            columns = dict.fromkeys(column for terms in sides for column, _ in terms)
            boolean = None
            if self._row_kinds[row] == ROW_BOOLEAN:
                boolean = next((c for c in columns if c), None)
            definition = self._row_kinds[row] == ROW_DEFINITION
            causes = find_causes(self, columns, values, boolean=boolean, definition=definition)
        return Failure(
            template=self.name,
            row=row,
            scope=self.row_scope(row),
            label=self.row_label(row),
            place=self.row_place(row),
            formula=formula(*named),
            left=dots[0] * dots[1] % MODULUS,
            right=dots[2],
            operands=tuple(operands.values()),
            causes=causes,
        )

    def name_terms(self, terms: list[tuple[int, int]]) -> list[tuple[str, int]]:
        """(column, coefficient), ascending, as (name, coefficient): runs of bits as the number they make, the
        constant last and without a name."""
        return self._named(terms, None, {})

    @cached_property
    def _numbers(self) -> dict[int, tuple[str, int]]:
        """First column of each run of bits: (name of the number, width)."""
        runs = {
            s.column + self.num_links: (s.name, s.width) for s in self.inputs.values() if s.kind == "uint"
        }
        for h in self.hints:
            if h.kind == "bits":
                runs[h.columns[0]] = (self.wire_name(h.columns[0]).partition("[")[0], len(h.columns))
        return runs

    def _named(
        self,
        terms: list[tuple[int, int]],
        values: Mapping[int, int] | Sequence[int] | None,
        operands: dict[str, Operand],
    ) -> list[tuple[str, int]]:
        """Terms by name, the constant last; notes each name's value in ``operands``, where there are any."""
        named: list[tuple[str, int]] = []
        constant = 0
        i = 0
        while i < len(terms):
            column, k = terms[i]
            name, width = self._numbers.get(column, ("", 1))
            run = terms[i : i + width]
            if column == 0:
                constant = k
                i += 1
                continue
            if width > 1 and run == [(column + j, (k << j) % MODULUS) for j in range(width)]:
                if values is not None:
                    value = sum(values[c] << j for j, (c, _) in enumerate(run)) % MODULUS
                i += width
            else:
                name = self.wire_name(column)
                if values is not None:
                    value = values[column]
                i += 1
            named.append((name, k))
            if values is not None:
                operands.setdefault(name, Operand(name, value, self.wire_place(column)))
        if constant:
            named.append(("", constant))
        return named

    # -- identity ------------------------------------------------------------------------------------
    def _digest(self) -> str:
        """SHA-256 over everything that decides what is proved and how its witness is computed.

        Scopes, labels and source lines are left out: moving code must not invalidate keys.
        """
        h = hashlib.sha256(b"zkrollup/template/v1")

        def put(data: bytes) -> None:
            h.update(len(data).to_bytes(8, "little"))
            h.update(data)

        def put_text(*words: object) -> None:
            put("\0".join(str(w) for w in words).encode())

        def put_words(words: U32) -> None:
            put(np.ascontiguousarray(words, dtype="<u4").tobytes())

        put_text(self.name, self.parameters)
        put_text(self.num_links, self.num_inputs, self.num_own, self.num_constraints)
        for name, column in self.links.items():
            put_text("link", name, column)
        for spec in self.inputs.values():
            put_text("input", spec.name, spec.kind, spec.column, spec.width)
        for name, column in self.exports.items():
            put_text("export", name, column)
        for function in self._python_hints:
            put_text("hint", getattr(function, "__module__", ""), getattr(function, "__qualname__", ""))
        put_words(self._tape.words)
        put(canonical_array(self.matrices.values).tobytes())
        for m in (self.matrices.a, self.matrices.b, self.matrices.c):
            put_words(m.indptr)
            put_words(m.cols)
            put_words(m.coefs)
        return h.hexdigest()

    def __repr__(self) -> str:
        return f"<Template {self.name!r}: {self.num_constraints} constraints, digest {self.digest[:16]}>"


# ==================================================================================================
# Freezing
# ==================================================================================================
def build(cs: Builder) -> Template:
    """Check a recorded constraint system and turn it into a template; see ``ConstraintSystem.freeze``."""
    kinds = np.frombuffer(bytes(cs._wire_kinds), dtype=np.uint8)
    columns = _columns(kinds)
    problems = [*_duplicates(cs), *_unconstrained(cs, kinds)]
    if problems:
        raise FreezeError(f"template {cs.name!r}", problems)
    values = tuple(cs._constants)
    matrices = Matrices(
        _matrix(cs._a, columns),
        _matrix(cs._b, columns),
        _matrix(cs._c, columns),
        mont_array(values),
        values,
    )
    return Template(cs, columns, matrices)


def _columns(kinds: np.ndarray) -> U32:
    """Final column of each provisional wire: one, links, inputs, the others; each in order of creation."""
    rank = np.full(256, 3, dtype=np.uint8)
    rank[WIRE_ONE], rank[WIRE_LINK], rank[WIRE_INPUT] = 0, 1, 2
    order = np.argsort(rank[kinds], kind="stable")
    columns = np.empty(len(kinds), dtype=np.uint32)
    columns[order] = np.arange(len(kinds), dtype=np.uint32)
    return columns


def _array(words: array[int]) -> U32:
    return np.array(words, dtype=np.uint32)


def _matrix(side: Side, columns: U32) -> Matrix:
    """CSR with ascending columns in each row."""
    indptr, cols, coefs = _array(side.ends), columns[_array(side.cols)], _array(side.coefs)
    rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.uint64), np.diff(indptr))
    order = np.argsort((rows << np.uint64(32)) | cols, kind="stable")
    return Matrix(indptr, cols[order], coefs[order])


def _duplicates(cs: Builder) -> list[Problem]:
    problems = []
    for table in (cs._links + cs._inputs, cs._exports):
        seen: dict[str, Declared] = {}
        for d in sorted(table, key=lambda d: d.first) if table is not cs._exports else table:
            first = seen.setdefault(d.name, d)
            if first is not d:
                place = cs._places[d.place]
                problems.append(
                    Problem(
                        "duplicate name",
                        d.name,
                        f"{_what(d)} {d.name!r} is declared twice, first at {cs._places[first.place]}",
                        place.file,
                        place.line,
                    )
                )
    return problems


def _what(declared: Declared) -> str:
    return declared.kind if declared.kind in ("link", "export") else "input"


def _unconstrained(cs: Builder, kinds: np.ndarray) -> list[Problem]:
    """Inputs, links and hint outputs in no row but, at most, the one that says that they are 0 or 1."""
    plain = np.frombuffer(bytes(cs._row_kinds), dtype=np.uint8) == ROW_BOOLEAN
    used = np.zeros(len(kinds), dtype=bool)
    for side in (cs._a, cs._b, cs._c):
        ends, cols = _array(side.ends), _array(side.cols)
        used[cols[~np.repeat(plain, np.diff(ends))]] = True
    problems = []
    for d in (*cs._links, *cs._inputs):
        unused = [i for i in range(d.width) if not used[d.first + i]]
        if not unused:
            continue
        place = cs._places[d.place]
        what = _what(d)
        if len(unused) == d.width:
            text = f"{what} {d.name!r} is in no constraint; constrain it or do not declare it"
        else:
            text = f"bit {unused[0]} of {what} {d.name!r} is in no constraint but its own 0-or-1 row"
        problems.append(Problem(f"unused {what}", d.name, text, place.file, place.line))
    for h in cs._hints:
        unused = [i for i in range(h.count) if not used[h.first + i]]
        if unused:
            place = cs._places[h.place]
            name = HINT_NAMES[h.opcode]
            which = "the output" if h.count == 1 else f"output {unused[0]} of {h.count}"
            problems.append(
                Problem(
                    "unconstrained hint",
                    name,
                    f"{which} of hint_{name} is in no constraint but, at most, its own 0-or-1 row: any value "
                    "would be accepted",
                    place.file,
                    place.line,
                )
            )
    return problems
