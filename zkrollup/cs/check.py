"""Evaluating rows in Python integers: the slow twin of the engines' sparse products.

This module must not know of tapes or engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zkrollup.cs.failure_list import SHOWN_FULL, Failures
from zkrollup.cs.failures import Failure
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.interface import Matrix

if TYPE_CHECKING:
    from rich.console import RenderableType

    from zkrollup.cs.template import Template

__all__ = ["Check", "Rows", "dot", "evaluate", "first_violation"]

Sparse = tuple[list[int], list[int], list[int]]


@dataclass(frozen=True, eq=False)
class Rows:
    """A, B, C as (indptr, columns, coefficients), the coefficients as integers below r."""

    sides: tuple[Sparse, Sparse, Sparse]
    num_rows: int

    @classmethod
    def of(cls, matrices: tuple[Matrix, Matrix, Matrix], constants: Sequence[int]) -> Rows:
        a, b, c = (
            (m.indptr.tolist(), m.cols.tolist(), [constants[k] for k in m.coefs.tolist()]) for m in matrices
        )
        return cls((a, b, c), len(a[0]) - 1)

    def terms(self, side: int, row: int) -> list[tuple[int, int]]:
        """(column, coefficient) of one row of A (0), B (1) or C (2)."""
        indptr, cols, coefs = self.sides[side]
        start, end = indptr[row], indptr[row + 1]
        return list(zip(cols[start:end], coefs[start:end], strict=True))


def dot(side: Sparse, row: int, values: Sequence[int]) -> int:
    """One row of a matrix times the values, reduced."""
    indptr, cols, coefs = side
    total = 0
    for i in range(indptr[row], indptr[row + 1]):
        total += coefs[i] * values[cols[i]]
    return total % MODULUS


def _violations(rows: Rows, values: Sequence[int]) -> Iterator[int]:
    a, b, c = rows.sides
    return (
        row
        for row in range(rows.num_rows)
        if (dot(a, row, values) * dot(b, row, values) - dot(c, row, values)) % MODULUS
    )


def evaluate(rows: Rows, values: Sequence[int]) -> list[int]:
    """The rows that do not hold, ascending."""
    return list(_violations(rows, values))


def first_violation(rows: Rows, values: Sequence[int]) -> int | None:
    """The first row that does not hold."""
    return next(_violations(rows, values), None)


@dataclass(frozen=True, eq=False)
class Check:
    """What :meth:`Template.check` found. ``values`` are those of all local columns; ``failures`` stand in the
    order in which the tape computes them."""

    template: Template
    failures: Failures
    values: list[int]

    @property
    def satisfied(self) -> bool:
        return not self.failures

    @property
    def exports(self) -> dict[str, int]:
        return {name: self.values[column] for name, column in self.template.exports.items()}

    @property
    def own(self) -> list[int]:
        """Values of the template's own wires, as ``Engine.replay`` gives them."""
        return self.values[self.template.num_links :]

    def __getitem__(self, name: str) -> int:
        """A value by the name of its export, input, link or hint output."""
        spec = self.template.inputs.get(name)
        if spec is not None and spec.kind == "uint" and name not in self.template.exports:
            start = self.template.num_links + spec.column
            return sum(bit << i for i, bit in enumerate(self.values[start : start + spec.width])) % MODULUS
        return self.values[self.template.column(name)]

    def by_label(self, label: str) -> tuple[Failure, ...]:
        """The failures of constraints with this label."""
        return tuple(f for f in self.failures if f.label == label)

    def __repr__(self) -> str:
        n = self.template.num_constraints
        if self.satisfied:
            return f"<Check of {self.template.name!r}: all {n} constraints hold>"
        lines = [f"<Check of {self.template.name!r}: {len(self.failures)} of {n} constraints do not hold>"]
        lines += [str(group.first) for group in self.failures.groups[:SHOWN_FULL]]
        return "\n".join([*lines, *self.failures.rest])

    def __rich__(self) -> RenderableType:
        return self.failures.__rich__()

    def _repr_html_(self) -> str:
        return self.failures._repr_html_()

    def to_json(self) -> dict[str, Any]:
        """Plain data; see :meth:`Failures.to_json`."""
        return self.failures.to_json()
