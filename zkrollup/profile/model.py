"""A profile: constraints, nonzeros and wires by scope and source line, summed over instances.

This module must not know how a profile is drawn or what a prover does with rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.cs import R1CS, ConstraintSystem, Place, System, Template
from zkrollup.engine.interface import Block, Layout, Matrix
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile

__all__ = ["WEIGHTS", "Node", "Profile", "Subject", "layout_of", "profile"]

WEIGHTS = ("constraints", "nonzeros", "wires", "b_columns")
"""What is counted: rows; entries of A, B and C; wires that the scope makes; those of them that are in B, for
each of which a proof pays a point of G2."""

Subject = ConstraintSystem | Template | System | R1CS | R1csFile
Stack = tuple[str, ...]
Counts = npt.NDArray[np.int64]

_MOST_WIRES = 16
_ALIKE = 3
_NUMBER = re.compile(r"\d+")
_INDEX = re.compile(r"\[\d+\]")


@dataclass(eq=False)
class Node:
    """A frame of the tree: ``own`` is what was recorded directly in it, ``total`` with what is inside."""

    name: str
    is_line: bool
    own: Counts
    total: Counts
    children: dict[str, Node] = field(default_factory=dict)

    def merged(self) -> Node:
        """The same tree with three or more siblings that differ only in numbers as one, ``level … (16)``."""
        groups: dict[tuple[str, bool], list[Node]] = {}
        for child in self.children.values():
            pattern = child.name if child.is_line else _NUMBER.sub("…", child.name)
            groups.setdefault((pattern, child.is_line), []).append(child)
        node = Node(self.name, self.is_line, self.own, self.total)
        for (pattern, is_line), members in groups.items():
            if len(members) < _ALIKE:
                node.children |= {child.name: child.merged() for child in members}
                continue
            joined = Node(f"{pattern} ({len(members)})", is_line, _zeros(), _zeros())
            for child in members:
                joined._absorb(child)
            node.children[joined.name] = joined.merged()
        return node

    def _absorb(self, other: Node) -> None:
        self.own, self.total = self.own + other.own, self.total + other.total
        for name, child in other.children.items():
            mine = self.children.setdefault(name, Node(name, child.is_line, _zeros(), _zeros()))
            mine._absorb(child)

    def weight(self, weight: str) -> int:
        return int(self.total[WEIGHTS.index(weight)])

    def heaviest(self, weight: str) -> list[Node]:
        """The children that weigh anything, the heaviest first."""
        at = WEIGHTS.index(weight)
        kept = [child for child in self.children.values() if child.total[at]]
        return sorted(kept, key=lambda child: (-int(child.total[at]), child.name))


@dataclass(frozen=True, eq=False)
class Profile:
    """Counts by (scopes, source lines), in the order of :data:`WEIGHTS`; ``layout`` is what was counted.

    ``stacks``: from the outermost scope to the innermost, then the line outside the gadgets, then the
    gadget's own. ``digest`` identifies the circuit, where it has one.
    """

    name: str
    digest: str
    layout: Layout
    stacks: dict[tuple[Stack, Stack], Counts]

    @property
    def totals(self) -> dict[str, int]:
        total = sum(self.stacks.values(), np.zeros(len(WEIGHTS), dtype=np.int64))
        return dict(zip(WEIGHTS, total.tolist(), strict=True))

    def tree(self, lines: bool = True) -> Node:
        """The stacks as a tree under the circuit's name; ``lines`` adds the source lines."""
        root = Node(self.name, False, _zeros(), _zeros())
        for (scopes, places), counts in self.stacks.items():
            node = root
            node.total = node.total + counts
            for depth, name in enumerate((*scopes, *places) if lines else scopes):
                child = node.children.get(name)
                if child is None:
                    child = node.children[name] = Node(name, depth >= len(scopes), _zeros(), _zeros())
                child.total = child.total + counts
                node = child
            node.own = node.own + counts
        return root

    def folded(self, weight: str = "constraints") -> str:
        """Folded stacks for speedscope and flamegraph.pl, a line each: ``frame;frame;frame count``."""
        at = WEIGHTS.index(weight)
        lines: dict[str, int] = {}
        for (scopes, places), counts in self.stacks.items():
            if counts[at]:
                line = ";".join(_frame(name) for name in (self.name, *scopes, *places))
                lines[line] = lines.get(line, 0) + int(counts[at])
        return "".join(f"{line} {count}\n" for line, count in lines.items())

    def by_scope(self) -> dict[str, dict[str, int]]:
        """Counts by scope path, each with the scopes inside it; the circuit itself is the empty path."""
        found: dict[str, Counts] = {}
        for (scopes, _), counts in self.stacks.items():
            for depth in range(len(scopes) + 1):
                path = "/".join(scopes[:depth])
                found[path] = found.get(path, _zeros()) + counts
        return {p: dict(zip(WEIGHTS, c.tolist(), strict=True)) for p, c in found.items()}

    def by_line(self) -> dict[str, dict[str, int]]:
        """Counts by source line, the heaviest first; a gadget's row counts for its line and its caller's."""
        found: dict[str, Counts] = {}
        for (_, places), counts in self.stacks.items():
            for place in places:
                found[place] = found.get(place, _zeros()) + counts
        ranked = sorted(found.items(), key=lambda item: (-int(item[1][0]), item[0]))
        return {place: dict(zip(WEIGHTS, c.tolist(), strict=True)) for place, c in ranked}

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "digest": self.digest,
            "totals": self.totals,
            "columns": self.layout.num_columns,
            "domain": self.layout.domain_size,
            "scopes": self.by_scope(),
            "lines": self.by_line(),
        }


def profile(subject: Subject, *, sym: SymFile | None = None, name: str | None = None) -> Profile:
    """Count a circuit.

    Arguments:
        subject: a recorded or frozen template (counted once, its links taken for public inputs), a system
            (each part times its instances), or circom's constraints.
        sym: the names of circom's signals. A row of circom's belongs to the innermost component that has a
            name for each of its wires; of long rows the first sixteen wires count. Without names
            everything is in one scope.

    Raises ConstraintSystemError when a subject that is still open cannot be frozen.
    """
    if isinstance(subject, ConstraintSystem | System):
        subject = subject.freeze()
    if isinstance(subject, R1csFile):
        return Profile(name or "circuit", "", subject.layout(), dict(_of_file(subject, sym)))
    stacks: dict[tuple[Stack, Stack], Counts] = {}
    if isinstance(subject, Template):
        _add(stacks, subject, (), 1)
        return Profile(name or subject.name, subject.digest, layout_of(subject), stacks)
    for part in subject.parts:
        instances = part.block.instances
        frame = f"{part.name} ×{instances}" if instances > 1 else part.name
        _add(stacks, part.template, (frame,), instances)
    return Profile(name or subject.name, subject.digest, subject.layout, stacks)


def layout_of(template: Template) -> Layout:
    """A template as a circuit of its own: one instance, its links being public inputs."""
    m, links = template.matrices, template.num_links
    block = Block(
        num_rows=template.num_constraints,
        num_links=links,
        num_own=template.num_own,
        instances=1,
        a=m.a,
        b=m.b,
        c=m.c,
        constants=m.constants,
        links=np.arange(links, dtype=np.uint32).reshape(1, links),
        own_base=links,
        row_base=0,
    )
    return Layout(links + template.num_own, links - 1, template.num_constraints, (block,))


# -- our templates ---------------------------------------------------------------------------------------
def _add(stacks: dict[tuple[Stack, Stack], Counts], template: Template, outer: Stack, instances: int) -> None:
    """Count a template's rows where they were recorded and its own wires where they were made."""
    counts: dict[tuple[str, Place], Counts] = {}
    m = template.matrices
    entries = _row_sizes(m.a) + _row_sizes(m.b) + _row_sizes(m.c)
    for row, size in enumerate(entries.tolist()):
        key = template.row_scope(row), template.row_place(row)
        here = counts.get(key)
        if here is None:
            here = counts[key] = _zeros()
        here[0] += 1
        here[1] += size
    in_b = np.zeros(template.num_links + template.num_own, dtype=np.int64)
    in_b[m.b.cols] = 1
    for column in range(template.num_links, len(in_b)):
        key = template.wire_scope(column), template.wire_place(column)
        here = counts.get(key)
        if here is None:
            here = counts[key] = _zeros()
        here[2] += 1
        here[3] += in_b[column]
    for (scope, place), here in counts.items():
        stack = (*outer, *(scope.split("/") if scope else ())), _lines(place)
        stacks[stack] = stacks.get(stack, _zeros()) + here * instances


def _lines(place: Place) -> Stack:
    inner = f"{_short(place.file)}:{place.line}"
    return (f"{_short(place.caller_file)}:{place.caller_line}", inner) if place.caller_file else (inner,)


_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep


def _short(file: str) -> str:
    """A file's name that is the same on every machine, where that is possible."""
    path = os.path.abspath(file)
    if path.startswith(_PACKAGE):
        return "zkrollup/" + path[len(_PACKAGE) :]
    here = os.getcwd() + os.sep
    return path[len(here) :] if path.startswith(here) else os.path.join(*Path(path).parts[-2:])


def _row_sizes(matrix: Matrix) -> Counts:
    ends = matrix.indptr.astype(np.int64)
    sizes: Counts = ends[1:] - ends[:-1]
    return sizes


def _zeros() -> Counts:
    return np.zeros(len(WEIGHTS), dtype=np.int64)


def _frame(name: str) -> str:
    return name.replace(";", ",").replace("\n", " ")


# -- circom's files --------------------------------------------------------------------------------------
def _of_file(file: R1csFile, sym: SymFile | None) -> Iterator[tuple[tuple[Stack, Stack], Counts]]:
    sides = (file.a, file.b, file.c)
    entries = _row_sizes(file.a) + _row_sizes(file.b) + _row_sizes(file.c)
    in_b = np.zeros(file.num_wires, dtype=np.int64)
    in_b[file.b.cols] = 1
    counts: dict[Stack, Counts] = {}
    if sym is None:
        total = [file.num_constraints, int(np.sum(entries)), file.num_wires - 1, int(in_b[1:].sum())]
        yield ((), ()), np.array(total, dtype=np.int64)
        return
    scopes = _components(file.num_wires, sym)
    columns = [(m.indptr.tolist(), m.cols.tolist()) for m in sides]
    for row, size in enumerate(entries.tolist()):
        wires = [w for ends, cols in columns for w in cols[ends[row] : ends[row + 1]] if w]
        here = counts.setdefault(_innermost([scopes[w] for w in wires[:_MOST_WIRES]]), _zeros())
        here[0] += 1
        here[1] += size
    for wire in range(1, file.num_wires):
        here = counts.setdefault(min(scopes[wire], key=len, default=()), _zeros())
        here[2] += 1
        here[3] += in_b[wire]
    for scope, here in counts.items():
        yield (scope, ()), here


def _components(num_wires: int, sym: SymFile) -> list[tuple[Stack, ...]]:
    """For each wire the components that have a name for it; elements of arrays of components as one."""
    scopes: list[tuple[Stack, ...]] = [()] * num_wires
    stacks: dict[str, Stack] = {}
    for wire, name in zip(sym.wires.tolist(), sym.names, strict=True):
        if not 0 < wire < num_wires:
            continue
        component = name.rpartition(".")[0]
        stack = stacks.get(component)
        if stack is None:
            stack = stacks[component] = tuple(
                _INDEX.sub("[…]", part) for part in component.split(".") if part
            )
        if stack not in scopes[wire]:
            scopes[wire] = (*scopes[wire], stack)
    return scopes


def _innermost(of_wires: Sequence[tuple[Stack, ...]]) -> Stack:
    """The longest component path under which every wire has a name; none where a wire has no name at all."""
    common: set[Stack] | None = None
    for stacks in of_wires:
        prefixes = {stack[:depth] for stack in stacks for depth in range(len(stack) + 1)}
        common = prefixes if common is None else common & prefixes
    return max(common or {()}, key=lambda stack: (len(stack), stack))
