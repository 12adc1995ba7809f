"""How full A, B and C are: what a prover multiplies, and how many points of G2 it pays for.

This module must not know where rows come from.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zkrollup.bench.subjects import present
from zkrollup.engine.interface import Layout

__all__ = ["Density", "MatrixDensity", "density"]


@dataclass(frozen=True)
class MatrixDensity:
    """Of one matrix: entries, entries a row (mean and most), the share that is 1 or -1, rows without any."""

    nonzeros: int
    per_row: float
    most_in_a_row: int
    share_of_units: float
    empty_rows: int


@dataclass(frozen=True)
class Density:
    """Of a circuit. ``linear_rows`` have no product: A or B is empty. ``columns_in_b`` are the bases of the
    sums B1 (G1) and B2 (G2); ``columns`` those of A."""

    rows: int
    columns: int
    columns_in_b: int
    linear_rows: int
    a: MatrixDensity
    b: MatrixDensity
    c: MatrixDensity

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def density(layout: Layout) -> Density:
    """Counts over all instances."""
    sides = {}
    linear = 0
    for name in "abc":
        entries = most = units = empty = 0
        for block in layout.blocks:
            matrix = getattr(block, name)
            sizes = matrix.indptr[1:].astype(np.int64) - matrix.indptr[:-1]
            entries += block.instances * len(matrix.cols)
            most = max(most, int(sizes.max(initial=0)))
            units += block.instances * int(np.count_nonzero((matrix.coefs == 1) | (matrix.coefs == 2)))
            empty += block.instances * int(np.count_nonzero(sizes == 0))
        rows = max(layout.num_rows, 1)
        sides[name] = MatrixDensity(entries, entries / rows, most, units / entries if entries else 0.0, empty)
    for block in layout.blocks:
        full = (block.a.indptr[1:] > block.a.indptr[:-1]) & (block.b.indptr[1:] > block.b.indptr[:-1])
        linear += block.instances * int(np.count_nonzero(~full))
    in_b = int(np.count_nonzero(present(layout, "b")))
    return Density(layout.num_rows, layout.num_columns, in_b, linear, sides["a"], sides["b"], sides["c"])
