"""Assembly: parts made of template instances, and the wires that connect them.

This module must not know of engines or values; it ends where an ``R1CS`` begins. Python runs here in the
number of parts and connections; whatever is per instance is numpy.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zkrollup.cs.errors import AssemblyError, FreezeError, Problem, integer_of, type_text
from zkrollup.cs.r1cs import R1CS, PlacedPart
from zkrollup.cs.template import Template
from zkrollup.engine.interface import U32, Block, Layout

__all__ = ["Part", "System", "Wire"]

_MAX_INDEX = 1 << 32


@dataclass(frozen=True, eq=False)
class Wire:
    """A wire of a system: an export of one instance of a part, or a public input (``part`` is None)."""

    system: System
    part: Part | None
    instance: int
    column: int
    name: str

    def __str__(self) -> str:
        return self.name if self.part is None else f"{self.part.name}[{self.instance}].{self.name}"

    def __repr__(self) -> str:
        return f"<Wire {self}>"


@dataclass(frozen=True)
class _Connection:
    """Where a link comes from: one wire for all instances, one for each, or ``first`` and then the export
    ``chain`` of the previous instance."""

    wires: tuple[Wire, ...]
    chain: str | None


class Part:
    """``instances`` copies of a template in a system. Made by :meth:`System.add`."""

    def __init__(self, system: System, name: str, template: Template, instances: int) -> None:
        self.system = system
        self.name = name
        self.template = template
        self.instances = instances
        self._connections: dict[str, _Connection] = {}

    def wire(self, name: str, instance: int = -1) -> Wire:
        """The exported wire ``name`` of an instance (negative ones count from the end)."""
        column = self.template.exports.get(name)
        if column is None:
            raise AssemblyError(f"part {self.name!r} exports no {name!r}{_near(name, self.template.exports)}")
        if not -self.instances <= instance < self.instances:
            raise AssemblyError(f"part {self.name!r} has {self.instances} instances, no instance {instance}")
        return Wire(self.system, self, instance % self.instances, column, name)

    def wires(self, name: str) -> list[Wire]:
        """The exported wire ``name`` of every instance, in order."""
        return [self.wire(name, i) for i in range(self.instances)]

    def connect(
        self,
        link: str,
        source: Wire | Sequence[Wire] | None = None,
        *,
        first: Wire | None = None,
        chain: str | None = None,
    ) -> None:
        """Say which wires a link is.

        Arguments:
            source: one wire for every instance, or a sequence with one wire for each.
            first, chain: instance 0 takes ``first``, instance i the export ``chain`` of instance i-1.
        """
        self.system._open()
        template = self.template
        if link not in template.links:
            raise AssemblyError(f"part {self.name!r} has no link {link!r}{_near(link, template.links)}")
        if link in self._connections:
            raise AssemblyError(f"link {link!r} of part {self.name!r} is already connected")
        what = f"link {link!r} of part {self.name!r}"
        if source is not None:
            if first is not None or chain is not None:
                raise AssemblyError(f"{what}: give either a source, or first= and chain=")
            if not isinstance(source, Wire | Sequence):
                raise TypeError(f"{what}: expected a Wire or a sequence of them, not {type_text(source)}")
            wires = (source,) if isinstance(source, Wire) else tuple(source)
            if not isinstance(source, Wire) and len(wires) != self.instances:
                raise AssemblyError(f"{what}: {len(wires)} wires for {self.instances} instances")
        else:
            if first is None or chain is None:
                raise AssemblyError(f"{what}: give a source, or both first= and chain=")
            if chain not in template.exports:
                raise AssemblyError(
                    f"{what}: the part exports no {chain!r} to chain{_near(chain, template.exports)}"
                )
            wires = (first,)
        for wire in wires:
            if not isinstance(wire, Wire):
                raise TypeError(f"{what}: expected a Wire, not {type(wire).__name__}")
            if wire.system is not self.system:
                raise AssemblyError(f"{what}: {wire} belongs to another system")
        self._connections[link] = _Connection(wires, chain)

    def connect_array(
        self,
        link: str,
        sources: Sequence[Wire | Sequence[Wire]] | None = None,
        *,
        first: Sequence[Wire] | None = None,
        chain: str | None = None,
    ) -> None:
        """:meth:`connect` for ``link[0]``, ``link[1]``, …; ``chain`` names an array of exports."""
        for i, source in enumerate(sources or ()):
            self.connect(f"{link}[{i}]", source)
        for i, wire in enumerate(first or ()):
            self.connect(f"{link}[{i}]", first=wire, chain=f"{chain}[{i}]")

    def __repr__(self) -> str:
        return f"<Part {self.name!r}: {self.instances} x {self.template!r}>"


class System:
    """A whole statement: public inputs, parts, connections.

    Columns of the R1CS: one, the public inputs in order, then the wires of each part in order of
    :meth:`add`, instance after instance.
    """

    def __init__(self, name: str, public: Sequence[str] = ()) -> None:
        if isinstance(public, str) or not all(isinstance(one, str) for one in public):
            raise TypeError(f"system {name!r}: public must be a sequence of names, not {public!r}")
        self.name = name
        self.public_names = tuple(public)
        if len(set(self.public_names)) != len(self.public_names):
            raise AssemblyError(f"system {name!r}: public inputs named twice: {', '.join(self.public_names)}")
        self._parts: dict[str, Part] = {}
        self._frozen = False

    def _open(self) -> None:
        if self._frozen:
            raise AssemblyError(f"system {self.name!r} is frozen")

    def add(self, name: str, template: Template, instances: int = 1) -> Part:
        """Add ``instances`` copies of a template under a name. Witnesses are computed in this order."""
        self._open()
        if name in self._parts:
            raise AssemblyError(f"system {self.name!r} already has a part {name!r}")
        if not isinstance(template, Template):
            raise TypeError(
                f"part {name!r}: expected a Template, not {type_text(template)}; freeze() makes one"
            )
        if (count := integer_of(instances)) is None:
            raise TypeError(f"part {name!r}: instances must be an integer, not {type_text(instances)}")
        instances = count
        if instances < 1:
            raise AssemblyError(f"part {name!r}: at least one instance, not {instances}")
        part = self._parts[name] = Part(self, name, template, instances)
        return part

    def public(self, name: str) -> Wire:
        """The wire of a public input."""
        if name not in self.public_names:
            raise AssemblyError(
                f"system {self.name!r} has no public input {name!r}{_near(name, self.public_names)}"
            )
        return Wire(self, None, 0, 1 + self.public_names.index(name), name)

    def freeze(self) -> R1CS:
        """Lay out the R1CS. Raises :class:`FreezeError` with every link that is not connected and every
        public input that nothing is connected to."""
        self._open()
        problems = [*self._unconnected()]
        if problems:
            raise FreezeError(f"system {self.name!r}", problems)
        bases: dict[str, int] = {}
        column, row = 1 + len(self.public_names), 0
        for part in self._parts.values():
            bases[part.name] = column
            column += part.instances * part.template.num_own
        if column >= _MAX_INDEX:
            raise AssemblyError(f"system {self.name!r} has {column} columns; indices have 32 bits")
        placed: list[PlacedPart] = []
        blocks: list[Block] = []
        for part in self._parts.values():
            links = self._links(part, bases)
            m = part.template.matrices
            block = Block(
                num_rows=part.template.num_constraints,
                num_links=part.template.num_links,
                num_own=part.template.num_own,
                instances=part.instances,
                a=m.a,
                b=m.b,
                c=m.c,
                constants=m.constants,
                links=links,
                own_base=bases[part.name],
                row_base=row,
            )
            row += part.instances * part.template.num_constraints
            blocks.append(block)
            placed.append(PlacedPart(part.name, part.template, block, self._source_names(part)))
        if row >= _MAX_INDEX:
            raise AssemblyError(f"system {self.name!r} has {row} rows; indices have 32 bits")
        self._frozen = True
        layout = Layout(column, len(self.public_names), row, tuple(blocks))
        return R1CS(
            self.name, self.public_names, tuple(placed), layout, self._digest(blocks), self._unused_exports()
        )

    # -- inside --------------------------------------------------------------------------------------
    def _unconnected(self) -> Iterable[Problem]:
        used: set[str] = set()
        for part in self._parts.values():
            for link in part.template.links:
                connection = part._connections.get(link)
                if connection is None:
                    place = part.template.link_place(link)
                    yield Problem(
                        "not connected",
                        link,
                        f"link {link!r} of part {part.name!r} is not connected",
                        place.file,
                        place.line,
                    )
                else:
                    used.update(w.name for w in connection.wires if w.part is None)
        for name in self.public_names:
            if name not in used:
                yield Problem("unused public input", name, f"public input {name!r} is connected to no link")

    def _links(self, part: Part, bases: dict[str, int]) -> U32:
        """Global columns of the part's links, shape (instances, num_links)."""
        links = np.zeros((part.instances, part.template.num_links), dtype=np.uint32)

        def column(wire: Wire) -> int:
            if wire.part is None:
                return wire.column
            template = wire.part.template
            return bases[wire.part.name] + wire.instance * template.num_own + wire.column - template.num_links

        for link, at in part.template.links.items():
            connection = part._connections[link]
            links[:, at] = (
                [column(w) for w in connection.wires]
                if len(connection.wires) > 1
                else column(connection.wires[0])
            )
            if connection.chain is not None and part.instances > 1:
                template = part.template
                base = bases[part.name] + template.exports[connection.chain] - template.num_links
                links[1:, at] = base + np.arange(part.instances - 1, dtype=np.int64) * template.num_own
        return links

    def _source_names(self, part: Part) -> dict[str, tuple[tuple[str, ...], str | None]]:
        """How each link's sources are called, for failures."""
        return {link: (tuple(str(w) for w in c.wires), c.chain) for link, c in part._connections.items()}

    def _unused_exports(self) -> tuple[str, ...]:
        used: set[tuple[str, str]] = set()
        for part in self._parts.values():
            for connection in part._connections.values():
                used.update((w.part.name, w.name) for w in connection.wires if w.part is not None)
                if connection.chain is not None:
                    used.add((part.name, connection.chain))
        return tuple(
            f"{part.name}.{name}"
            for part in self._parts.values()
            for name in part.template.exports
            if (part.name, name) not in used
        )

    def _digest(self, blocks: Sequence[Block]) -> str:
        h = hashlib.sha256(b"zkrollup/r1cs/v1")

        def put(data: bytes) -> None:
            h.update(len(data).to_bytes(8, "little"))
            h.update(data)

        put(self.name.encode())
        put("\0".join(self.public_names).encode())
        for part, block in zip(self._parts.values(), blocks, strict=True):
            put(part.name.encode())
            put(bytes.fromhex(part.template.digest))
            put(part.instances.to_bytes(8, "little"))
            put(np.ascontiguousarray(block.links, dtype="<u4").tobytes())
        return h.hexdigest()


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
