"""A whole R1CS and its witnesses: templates times instances, in the arrays that engines work on.

This module must not know how circuits are written, nor any proof system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zkrollup.cs.assignment import Assigned, assign, public_values, to_mont
from zkrollup.cs.errors import AssignmentError
from zkrollup.cs.failures import Failure, SeamFailure
from zkrollup.cs.report import SystemReport
from zkrollup.cs.scalar_field import from_mont, mont_array
from zkrollup.cs.template import Template
from zkrollup.engine.interface import U64, Block, Engine, Layout

__all__ = ["R1CS", "PlacedPart", "Witness"]


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
    than their source has; a witness with any does not satisfy what its author meant.
    """

    values: U64
    public: tuple[int, ...]
    seams: tuple[SeamFailure, ...]


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
    ) -> Witness:
        """Compute every wire.

        Arguments:
            public: public inputs by name.
            parts: for each part one mapping an instance, with its inputs by name (integers below r,
                arrays as lists) and the links whose source is computed later: those of the same part
                (chained from the previous instance) or of a part added later. Other links may be given
                too. A part without inputs and such links may be left out.

        Returns:
            the witness; links whose given value is not that of their source are in ``seams``.

        Raises :class:`AssignmentError` naming part, instance and name.
        """
        for name in parts:
            if all(p.name != name for p in self.parts):
                raise AssignmentError(f"system {self.name!r} has no part {name!r}")
        values = np.zeros((self.num_columns, 4), dtype=np.uint64)
        values[0] = mont_array([1])[0]
        canonical = public_values(self.public_names, public)
        values[1 : 1 + len(self.public_names)] = to_mont(engine, canonical)
        assigned: list[Assigned] = []
        for part in self.parts:
            given = parts.get(part.name)
            if given is None:
                given = [{}] * part.block.instances
            if len(given) != part.block.instances:
                raise AssignmentError(
                    f"part {part.name!r} has {part.block.instances} instances, {len(given)} were given"
                )
            one_part = assign(engine, part.name, part.template, given)
            self._gather_links(part, one_part, values)
            self._replay(engine, part, one_part, values)
            assigned.append(one_part)
        seams = [f for part, a in zip(self.parts, assigned, strict=True) for f in _seams(part, a, values)]
        return Witness(values, tuple(int(public[n]) for n in self.public_names), tuple(seams))

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
                f"{part.source_name(name, instance)} is computed later; give it with the inputs"
            )
        assigned.links[missing] = values[block.links[missing]]

    @staticmethod
    def _replay(engine: Engine, part: PlacedPart, assigned: Assigned, values: U64) -> None:
        block, template = part.block, part.template
        own = values[block.own_base : block.own_base + block.instances * block.num_own]
        if template.is_native:
            out = own.reshape(block.instances, block.num_own, 4)
            engine.replay(template.program, assigned.links, assigned.inputs, out)
            return
        for i in range(block.instances):
            cells = template.solve(from_mont(assigned.links[i]), from_mont(assigned.inputs[i]))
            own[i * block.num_own : (i + 1) * block.num_own] = mont_array(cells[block.num_links :])

    # -- check -----------------------------------------------------------------------------------------
    def check(self, engine: Engine, witness: Witness) -> list[Failure]:
        """Every seam and every row that does not hold, explained; empty for a good witness."""
        rows = engine.r1cs_violations(self.layout, witness.values).tolist()
        return [*witness.seams, *(self.explain(row, witness.values) for row in rows)]

    def locate(self, row: int) -> tuple[PlacedPart, int, int]:
        """The part, instance and template row of a global row."""
        for part in self.parts:
            block = part.block
            offset = row - block.row_base
            if 0 <= offset < block.instances * block.num_rows:
                return part, offset // block.num_rows, offset % block.num_rows
        raise IndexError(f"row {row} of {self.num_constraints}")

    def explain(self, row: int, values: U64) -> Failure:
        """Describe a global row on a witness (Montgomery)."""
        part, instance, local = self.locate(row)
        return part.template.explain(local, _Local(part.block, instance, values)).within(part.name, instance)

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
