"""A whole R1CS and its witnesses: templates times instances, in the arrays that engines work on.

This module must not know how circuits are written, nor any proof system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from zkrollup.cs.assignment import Assigned, assign, public_values, to_mont
from zkrollup.cs.claims import ClaimFailure
from zkrollup.cs.errors import AssignmentError, HintError, type_text
from zkrollup.cs.failure_list import Failures, Heading
from zkrollup.cs.failures import Failure, SeamFailure
from zkrollup.cs.report import SystemReport
from zkrollup.cs.scalar_field import from_mont, mont_array
from zkrollup.cs.template import Template
from zkrollup.engine.interface import U64, Block, Engine, Layout, Matrix

__all__ = ["R1CS", "Describer", "PlacedPart", "Witness"]

Describer = Callable[[int], object] | Sequence[object]
"""What each instance of a part stands for: a function of its number, or one object an instance."""

_SUBJECT_LENGTH = 300
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlacedPart:
    """A part with its block of the layout. ``sources``: for each link, its wires' names and its chain."""

    name: str
    template: Template
    block: Block
    sources: dict[str, tuple[tuple[str, ...], str | None]]

    def source_name(self, link: str, instance: int) -> str:
        wires, chain = self.sources[link]
        if chain is not None and instance:
            return f"{self.name}[{instance - 1}].{chain}"
        return wires[instance] if len(wires) > 1 else wires[0]


@dataclass(frozen=True, eq=False)
class Witness:
    """Values of all columns ``[1, public, wires]``, shape (num_columns, 4), Montgomery.

    ``public``: the public inputs as integers, in order. ``seams``: links that were given another value
    than their source has; a witness with any does not satisfy what its author meant. ``describe``: by part,
    what its instances stand for; failures say it.
    """

    values: U64
    public: tuple[int, ...]
    seams: tuple[SeamFailure, ...]
    describe: Mapping[str, Describer] = field(default_factory=dict)

    def subject(self, part: str, instance: int) -> str:
        """What an instance stands for, as text; empty when nobody said."""
        return _subject(self.describe, part, instance)


def _subject(describe: Mapping[str, Describer], part: str, instance: int) -> str:
    describer = describe.get(part)
    if describer is None:
        return ""
    if callable(describer):
        what = describer(instance)
    else:
        what = describer[instance] if instance < len(describer) else ""
    text = what if isinstance(what, str) else "" if what is None else repr(what)
    return text if len(text) <= _SUBJECT_LENGTH else f"{text[:_SUBJECT_LENGTH]}…"


class R1CS:
    """Made by :meth:`System.freeze`; immutable. ``layout`` is what engines take."""

    def __init__(
        self,
        name: str,
        public_names: tuple[str, ...],
        parts: tuple[PlacedPart, ...],
        layout: Layout,
        digest: str,
        unused_exports: tuple[str, ...],
    ) -> None:
        self.name = name
        self.public_names = public_names
        self.parts = parts
        self.layout = layout
        self.digest = digest
        """SHA-256 (hexadecimal) over the templates' digests, instances, connections and public inputs."""
        self._unused_exports = unused_exports

    @property
    def num_constraints(self) -> int:
        return self.layout.num_rows

    @property
    def num_columns(self) -> int:
        return self.layout.num_columns

    def report(self) -> SystemReport:
        templates = list({id(p.template): p.template for p in self.parts}.values())
        return SystemReport(
            name=self.name,
            digest=self.digest,
            public_names=self.public_names,
            num_constraints=self.num_constraints,
            num_columns=self.num_columns,
            domain_size=self.layout.domain_size,
            parts=tuple((p.name, p.block.instances, p.block.num_rows) for p in self.parts),
            slow_parts=tuple(p.name for p in self.parts if not p.template.is_native),
            unused_exports=self._unused_exports,
            templates=tuple(t.report() for t in templates),
        )

    # -- witness ---------------------------------------------------------------------------------------
    def witness(
        self,
        engine: Engine,
        public: Mapping[str, int],
        parts: Mapping[str, Sequence[Mapping[str, object]]],
        *,
        describe: Mapping[str, Describer] | None = None,
    ) -> Witness:
        """Compute every wire.

        Arguments:
            public: public inputs by name.
            parts: for each part one mapping an instance, with its inputs by name (integers below r,
                arrays as lists) and the links whose source is computed later: those of the same part
                (chained from the previous instance) or of a part added later. Other links may be given
                too. A part without inputs and such links may be left out.
            describe: what instances stand for, by part: a sequence of objects, or a function of the
                instance. Errors and failures of an instance say it.

        Returns:
            the witness; links whose given value is not that of their source are in ``seams``.

        Raises :class:`AssignmentError` naming part, instance, name and what was expected;
        :class:`HintError` when a hint written in Python raises.
        """
        describe = dict(describe or {})
        for what, values_by_name in (("public", public), ("parts", parts)):
            if not isinstance(values_by_name, Mapping):
                raise AssignmentError(f"{what}: expected a mapping by name, not {type_text(values_by_name)}")
        for name in (*parts, *describe):
            if all(p.name != name for p in self.parts):
                raise AssignmentError(f"system {self.name!r} has no part {name!r}", part=name)
        values = np.zeros((self.num_columns, 4), dtype=np.uint64)
        values[0] = mont_array([1])[0]
        canonical = public_values(self.public_names, public)
        values[1 : 1 + len(self.public_names)] = to_mont(engine, canonical)
        assigned: list[Assigned] = []
        for part in self.parts:
            given = parts.get(part.name)
            if given is None:
                given = [{}] * part.block.instances
            if isinstance(given, Mapping):
                raise AssignmentError(
                    f"part {part.name!r}: expected a list, one mapping an instance, not one mapping",
                    part=part.name,
                )
            if len(given) != part.block.instances:
                raise AssignmentError(
                    f"part {part.name!r} has {part.block.instances} instances, {len(given)} were given",
                    part=part.name,
                )
            subject = partial(_subject, describe, part.name)
            one_part = assign(engine, part.name, part.template, given, subject)
            self._gather_links(part, one_part, values)
            self._replay(engine, part, one_part, values, subject)
            assigned.append(one_part)
        seams = [f for part, a in zip(self.parts, assigned, strict=True) for f in _seams(part, a, values)]
        if describe:
            seams = [replace(f, subject=_subject(describe, f.part, f.instance or 0)) for f in seams]
        return Witness(values, tuple(int(public[n]) for n in self.public_names), tuple(seams), describe)

    @staticmethod
    def _gather_links(part: PlacedPart, assigned: Assigned, values: U64) -> None:
        """Fill the links that were not given from wires that are known already."""
        block = part.block
        missing = ~assigned.given
        unknown = missing & (block.links >= block.own_base)
        if unknown.any():
            instance, column = (int(k[0]) for k in np.nonzero(unknown))
            name = part.template.wire_name(column)
            raise AssignmentError(
                f"{part.name}[{instance}]: no value for link {name!r}, whose source "
                f"{part.source_name(name, instance)} is computed later; give it with the inputs",
                part=part.name,
                instance=instance,
                name=name,
                expected="0 .. r - 1",
            )
        assigned.links[missing] = values[block.links[missing]]

    @staticmethod
    def _replay(
        engine: Engine, part: PlacedPart, assigned: Assigned, values: U64, subject: Callable[[int], str]
    ) -> None:
        block, template = part.block, part.template
        own = values[block.own_base : block.own_base + block.instances * block.num_own]
        if template.is_native:
            out = own.reshape(block.instances, block.num_own, 4)
            engine.replay(template.program, assigned.links, assigned.inputs, out)
            return
        for i in range(block.instances):
            try:
                cells = template.solve(from_mont(assigned.links[i]), from_mont(assigned.inputs[i]))
            except HintError as error:
                raise error.within(part.name, i, subject(i)) from error.__cause__
            own[i * block.num_own : (i + 1) * block.num_own] = mont_array(cells[block.num_links :])

    # -- check -----------------------------------------------------------------------------------------
    def check(self, engine: Engine, witness: Witness) -> Failures:
        """Every seam and every row that does not hold, in the order of computation; empty for a good witness.

        Rows are found by the engine and explained when they are read. Of the failures the first stands
        nearest to the cause: parts and instances come in the order in which their witness is computed, rows
        when the last of their wires is.
        """
        if not isinstance(witness, Witness) or len(witness.values) != self.num_columns:
            found = f"of {len(witness.values)}" if isinstance(witness, Witness) else f"a {type_text(witness)}"
            raise AssignmentError(
                f"witness: expected one of {self.num_columns} wires, as system {self.name!r} has, not {found}"
            )
        rows = engine.r1cs_violations(self.layout, witness.values).astype(np.int64)
        seams = witness.seams
        if not len(rows) and not seams:
            return Failures.of(self.name, self.num_constraints, self._false_claims(engine, witness))
        numbers = {(f.part, f.link): -1 - k for k, f in enumerate(reversed(seams))}
        part_of, own_instances, local = self._split(rows)
        keys = np.concatenate(
            (part_of << 32 | local, np.array([numbers[f.part, f.link] for f in seams], dtype=np.int64))
        )
        instances = np.concatenate((own_instances, np.array([f.instance for f in seams], dtype=np.int64)))
        known_at = np.concatenate(
            (
                self._row_moments(part_of, own_instances, local),
                np.array([self._seam_moment(f) for f in seams], dtype=np.int64).reshape(-1, 3),
            )
        )
        items = np.concatenate((rows, -1 - np.arange(len(seams))))
        order = np.lexsort((items, known_at[:, 2], known_at[:, 1], known_at[:, 0]))
        ordered = items[order].tolist()

        def explain(k: int) -> Failure:
            item = ordered[k]
            return self.explain(item, witness.values, witness.subject) if item >= 0 else seams[-1 - item]

        def heading(k: int) -> Heading:
            item = ordered[k]
            if item < 0:
                seam = seams[-1 - item]
                return Heading(seam.part, seam.scope, seam.label, seam.place)
            part, _, row = self.locate(item)
            return part.template.heading(row, part.name)

        return Failures(
            self.name, self.num_constraints, keys[order], instances[order], explain, heading, len(seams)
        )

    def _false_claims(self, engine: Engine, witness: Witness) -> list[ClaimFailure]:
        """The claims of the templates that are false on a witness whose rows hold."""
        parts, blocks, base = [], [], 0
        for part in self.parts:
            numbers, sums, constants = part.template.claim_sums
            if not numbers:
                continue
            nothing = np.zeros(0, dtype=np.uint32)
            none = Matrix(np.zeros(len(numbers) + 1, dtype=np.uint32), nothing, nothing)
            parts.append((part, numbers))
            blocks.append(
                replace(
                    part.block,
                    num_rows=len(numbers),
                    a=sums,
                    b=none,
                    c=none,
                    constants=constants,
                    row_base=base,
                )
            )
            base += len(numbers) * part.block.instances
        if not base:
            return []
        layout = replace(self.layout, num_rows=base, blocks=tuple(blocks))
        values, _, _ = engine.r1cs_products(layout, witness.values)
        found = []
        for row in np.flatnonzero(~values.any(axis=1)).tolist():
            at = max(k for k, block in enumerate(blocks) if block.row_base <= row)
            part, numbers = parts[at]
            instance, claim = divmod(row - blocks[at].row_base, len(numbers))
            told = part.template.explain_claim(
                numbers[claim], _Local(part.block, instance, witness.values)
            ).within(part.name, instance, witness.subject(part.name, instance))
            assert isinstance(told, ClaimFailure)
            found.append(told)
        return found

    # -- the order of computation: a moment is (part, instance, word of the tape) ------------------------
    def _split(self, rows: I64) -> tuple[I64, I64, I64]:
        """Part, instance and template row of each global row."""
        starts = np.array([p.block.row_base for p in self.parts], dtype=np.int64)
        sizes = np.array([p.block.num_rows for p in self.parts], dtype=np.int64)
        part = np.searchsorted(starts, rows, side="right") - 1
        offset = rows - starts[part]
        return part, offset // sizes[part], offset % sizes[part]

    def _row_moments(self, part_of: I64, instances: I64, local: I64) -> I64:
        """When the last wire of each row is computed, shape (n, 3)."""
        words = np.zeros(len(local), dtype=np.int64)
        late_rows: list[tuple[int, list[int]]] = []
        for number in np.unique(part_of).tolist():
            block, template = self.parts[number].block, self.parts[number].template
            of_part = np.flatnonzero(part_of == number)
            words[of_part] = template.row_order[local[of_part]]
            late = block.links >= block.own_base + np.arange(block.instances)[:, None] * block.num_own
            columns = np.flatnonzero(late.any(axis=0))
            using = template.rows_using(columns.tolist()) if len(columns) else {}
            for k in of_part.tolist() if using else ():
                links = [c for c in using.get(int(local[k]), ()) if late[instances[k], c]]
                if links:
                    late_rows.append((k, [int(block.links[instances[k], c]) for c in links]))
        moments = np.stack((part_of, instances, words), axis=1)
        for k, columns_used in late_rows:
            own = tuple(moments[k].tolist())
            moments[k] = max([own, *(self._moment(column) for column in columns_used)])
        return moments

    def _moment(self, column: int) -> tuple[int, int, int]:
        """When a global column is computed; before everything for public inputs."""
        for number, part in enumerate(self.parts):
            block = part.block
            offset = column - block.own_base
            if 0 <= offset < block.instances * block.num_own:
                written = part.template.tape_index.written[block.num_links + offset % block.num_own]
                return number, offset // block.num_own, int(written)
        return -1, 0, 0

    def _seam_moment(self, seam: SeamFailure) -> tuple[int, int, int]:
        """When a link's value can first be compared with its source's."""
        assert seam.instance is not None
        number = next(k for k, part in enumerate(self.parts) if part.name == seam.part)
        block, column = self.parts[number].block, self.parts[number].template.links[seam.link]
        source = self._moment(int(block.links[seam.instance, column]))
        return max((number, seam.instance, -2), source)

    def locate(self, row: int) -> tuple[PlacedPart, int, int]:
        """The part, instance and template row of a global row."""
        for part in self.parts:
            block = part.block
            offset = row - block.row_base
            if 0 <= offset < block.instances * block.num_rows:
                return part, offset // block.num_rows, offset % block.num_rows
        raise IndexError(f"row {row} of {self.num_constraints}")

    def explain(
        self, row: int, values: U64, subject: Callable[[str, int], str] = lambda part, instance: ""
    ) -> Failure:
        """Describe a global row on a witness (Montgomery)."""
        part, instance, local = self.locate(row)
        failure = part.template.explain(local, _Local(part.block, instance, values))
        return failure.within(part.name, instance, subject(part.name, instance))

    def export(self, witness: Witness, part: str, name: str, instance: int = -1) -> int:
        """The value of an exported wire in a witness."""
        for p in self.parts:
            if p.name == part and name in p.template.exports:
                column = p.template.exports[name]
                return _Local(p.block, instance % p.block.instances, witness.values)[column]
        raise KeyError(f"{part}.{name}")

    def __repr__(self) -> str:
        return f"<R1CS {self.name!r}: {self.num_constraints} constraints, digest {self.digest[:16]}>"


class _Local(Mapping[int, int]):
    """One instance's local columns, read from a witness as integers when asked for."""

    def __init__(self, block: Block, instance: int, values: U64) -> None:
        self._block, self._instance, self._values = block, instance, values

    def __getitem__(self, column: int) -> int:
        block = self._block
        if column < block.num_links:
            at = int(block.links[self._instance, column])
        else:
            at = block.own_base + self._instance * block.num_own + column - block.num_links
        return from_mont(self._values[at : at + 1])[0]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return self._block.num_links + self._block.num_own


def _seams(part: PlacedPart, assigned: Assigned, values: U64) -> Iterator[SeamFailure]:
    """Compare every given link with its source."""
    sources = values[part.block.links]
    wrong = (assigned.links != sources).any(axis=2)
    for instance, column in zip(*(k.tolist() for k in np.nonzero(wrong)), strict=True):
        link = part.template.wire_name(column)
        source = part.source_name(link, instance)
        yield SeamFailure(
            template=part.template.name,
            row=-1,
            scope="",
            label=f"seam {link}",
            place=part.template.link_place(link),
            formula=f"{link} = {source}",
            left=from_mont(assigned.links[instance, column : column + 1])[0],
            right=from_mont(sources[instance, column : column + 1])[0],
            operands=(),
            part=part.name,
            instance=instance,
            link=link,
            source=source,
        )
