"""Reports: what a template or a system costs, and what an auditor should look at.

This module must not compute anything but counts; it is text over plain data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zkrollup.cs.places import Place
from zkrollup.engine.interface import Matrix

__all__ = ["SystemReport", "TemplateReport", "repeated_rows"]


@dataclass(frozen=True)
class TemplateReport:
    """Sizes of one template. ``counts`` are rows by scope, each with the scopes inside it; ``repeated`` are
    rows equal to an earlier one: (row, the earlier one, label, place)."""

    name: str
    digest: str
    num_constraints: int
    num_links: int
    num_inputs: int
    num_own: int
    num_nonzero: int
    num_constants: int
    num_instructions: int
    num_temporaries: int
    hints: tuple[tuple[str, int], ...]
    python_hints: tuple[str, ...]
    counts: dict[str, int]
    repeated: tuple[tuple[int, int, str, Place], ...]

    def __str__(self) -> str:
        lines = [
            f"template {self.name}: {self.num_constraints:,} constraints, digest {self.digest[:16]}",
            f"  {self.num_links:,} links, {self.num_inputs:,} inputs, {self.num_own:,} own wires, "
            f"{self.num_nonzero:,} nonzero coefficients, {self.num_constants:,} constants",
            f"  tape: {self.num_instructions:,} instructions, {self.num_temporaries:,} temporaries, hints: "
            + (", ".join(f"{n:,} {kind}" for kind, n in self.hints) or "none"),
        ]
        for text in self.python_hints:
            lines.append(f"  SLOW: hint written in Python, {text}; the part is replayed by the interpreter")
        lines += ["  constraints by scope:", *_tree(self.counts)]
        if self.repeated:
            lines.append(f"  {len(self.repeated):,} rows repeat an earlier one:")
            lines += [
                f"    row {row} = row {first} '{label}' at {place}"
                for row, first, label, place in self.repeated[:5]
            ]
            if len(self.repeated) > 5:
                lines.append(f"    … and {len(self.repeated) - 5:,} more")
        return "\n".join(lines)


@dataclass(frozen=True)
class SystemReport:
    """Sizes of a whole R1CS. ``parts``: (part, instances, constraints of one instance)."""

    name: str
    digest: str
    public_names: tuple[str, ...]
    num_constraints: int
    num_columns: int
    domain_size: int
    parts: tuple[tuple[str, int, int], ...]
    slow_parts: tuple[str, ...]
    unused_exports: tuple[str, ...]
    templates: tuple[TemplateReport, ...]

    def __str__(self) -> str:
        lines = [
            f"system {self.name}: {self.num_constraints:,} constraints, {self.num_columns:,} columns, domain "
            f"2^{self.domain_size.bit_length() - 1}, digest {self.digest[:16]}",
            f"  public inputs: {', '.join(self.public_names) or 'none'}",
        ]
        for part, instances, rows in self.parts:
            lines.append(f"  {part}: {instances:,} x {rows:,} constraints = {instances * rows:,}")
        for part in self.slow_parts:
            lines.append(f"  SLOW: {part} has hints written in Python; it is replayed by the interpreter")
        for name in self.unused_exports:
            lines.append(f"  export {name} is connected to nothing")
        lines += [str(t) for t in self.templates]
        return "\n".join(lines)


def _tree(counts: dict[str, int]) -> Iterator[str]:
    """Scopes below the one they are in, each level in order of first use."""
    first = {path: i for i, path in enumerate(counts)}

    def ancestry(path: str) -> list[int]:
        names = path.split("/") if path else []
        return [first.get("/".join(names[: i + 1]), 0) for i in range(len(names))]

    for path in sorted(counts, key=ancestry):
        depth = path.count("/") + 1 if path else 0
        name = path.rpartition("/")[2] or "(all)"
        yield f"    {counts[path]:>9,}  {'  ' * depth}{name}"


def repeated_rows(a: Matrix, b: Matrix, c: Matrix) -> list[tuple[int, int]]:
    """Rows identical in A, B and C to an earlier one: (row, the first such row)."""
    num_rows = len(a.indptr) - 1
    prints = np.zeros(num_rows, dtype=np.uint64)
    for salt, m in enumerate((a, b, c), start=1):
        prints = prints * np.uint64(0x9E3779B97F4A7C15) + _fingerprints(m, np.uint64(salt))
    order = np.argsort(prints, kind="stable")
    ranked = prints[order]
    repeats = np.flatnonzero(ranked[1:] == ranked[:-1]) + 1
    found = []
    first: dict[bytes, int] = {}
    candidates = sorted({int(order[i]) for i in repeats} | {int(order[i - 1]) for i in repeats})
    for row in candidates:
        content = b"|".join(
            part[m.indptr[row] : m.indptr[row + 1]].tobytes() for m in (a, b, c) for part in (m.cols, m.coefs)
        )
        earlier = first.setdefault(content, row)
        if earlier != row:
            found.append((row, earlier))
    return found


def _fingerprints(m: Matrix, salt: np.uint64) -> np.ndarray:
    """A 64-bit fingerprint of each row; equal rows have equal ones."""
    with np.errstate(over="ignore"):
        x = (m.cols.astype(np.uint64) << np.uint64(32) | m.coefs) + salt
        x = (x ^ (x >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(x ^ (x >> np.uint64(31)))])
    return total[m.indptr[1:]] - total[m.indptr[:-1]]
