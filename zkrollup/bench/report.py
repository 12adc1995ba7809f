"""What a bench found, as plain data and JSON, and two of them compared.

This module must not know how anything was measured.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Change", "Report", "Row", "compare"]

_VERSION = 1
_MAX_BYTES = 1 << 26


@dataclass(frozen=True)
class Row:
    """One subject at one size on one path: seconds of every run, and the products that it needs.

    ``size`` is what the subject grows with and ``label`` its name for people; ``product_ns`` is what a
    product cost on this path in the same run, on one thread. None where there is no count.
    """

    subject: str
    size: int
    label: str
    cpu: str
    threads: int
    runs: tuple[float, ...]
    products: float | None = None
    product_ns: float | None = None

    @property
    def key(self) -> tuple[str, int, str, int]:
        """What a row of another report must have to be compared with this one."""
        return self.subject, self.size, self.cpu, self.threads

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(self.runs)

    @property
    def best(self) -> float:
        return min(self.runs)

    @property
    def worst(self) -> float:
        return max(self.runs)

    @property
    def limit(self) -> float | None:
        """Seconds that the products alone would take with all threads busy: products x cost / threads."""
        if self.products is None or self.product_ns is None:
            return None
        return self.products * self.product_ns * 1e-9 / self.threads

    @property
    def share(self) -> float | None:
        """The limit over the median: 1 is all that the counted algorithm allows."""
        return None if self.limit is None else self.limit / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what was measured, and what follows from it."""
        return {
            "subject": self.subject,
            "size": self.size,
            "label": self.label,
            "cpu": self.cpu,
            "threads": self.threads,
            "seconds": self.seconds,
            "min": self.best,
            "max": self.worst,
            "runs": [round(run, 9) for run in self.runs],
            "products": self.products,
            "product_ns": self.product_ns,
            "limit_seconds": self.limit,
            "share_of_limit": self.share,
        }


@dataclass(frozen=True)
class Report:
    """Rows in the order of measuring, and the machine they were measured on."""

    bench: str
    machine: dict[str, Any]
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """One JSON object."""
        document = {
            "format": "zkrollup bench",
            "version": _VERSION,
            "bench": self.bench,
            "machine": self.machine,
            "rows": [row.to_dict() for row in self.rows],
        }
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def load(cls, path: Path) -> Report:
        """Reads :meth:`to_json`; ValueError names file and place."""
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ValueError(f"{path}: {size} bytes; a bench's JSON has at most {_MAX_BYTES}")
        try:
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: expected JSON: {error}") from None
        if not isinstance(document, dict) or document.get("format") != "zkrollup bench":
            raise ValueError(
                f'{path}: expected what `zkrollup bench --json` writes ("format": "zkrollup bench")'
            )
        if document.get("version") != _VERSION:
            raise ValueError(f"{path}: version: expected {_VERSION}, got {document.get('version')!r}")
        bench, machine, rows = (document.get(name) for name in ("bench", "machine", "rows"))
        if not isinstance(bench, str) or not isinstance(machine, dict) or not isinstance(rows, list):
            raise ValueError(f"{path}: expected bench, machine and rows")
        return cls(bench, machine, tuple(_row(path, i, row) for i, row in enumerate(rows)))


def _row(path: Path, index: int, row: Any) -> Row:
    """One row of a file, checked field by field."""

    def wrong(name: str, expected: str) -> ValueError:
        return ValueError(f"{path}: rows[{index}]: {name}: expected {expected}")

    if not isinstance(row, dict):
        raise wrong("row", "an object")
    for name, kind, expected in (
        ("subject", str, "a string"),
        ("label", str, "a string"),
        ("cpu", str, "a string"),
        ("size", int, "an integer"),
        ("threads", int, "an integer"),
    ):
        if type(row.get(name)) is not kind:
            raise wrong(name, expected)
    runs = row.get("runs")
    if not isinstance(runs, list) or not runs or not all(_positive(run) for run in runs):
        raise wrong("runs", "numbers of seconds above 0, at least one")
    for name in ("products", "product_ns"):
        if row.get(name) is not None and not _positive(row[name]):
            raise wrong(name, "a number above 0, or null")
    return Row(
        row["subject"],
        row["size"],
        row["label"],
        row["cpu"],
        row["threads"],
        tuple(float(run) for run in runs),
        row.get("products"),
        row.get("product_ns"),
    )


def _positive(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < float("inf")


@dataclass(frozen=True)
class Change:
    """One row before and after."""

    before: Row
    after: Row

    @property
    def ratio(self) -> float:
        """Time after over time before, of the medians: above 1 is slower."""
        return self.after.seconds / self.before.seconds

    @property
    def clear(self) -> bool:
        """Whether the runs do not overlap: all after on one side of all before."""
        return self.after.best > self.before.worst or self.after.worst < self.before.best


def compare(before: Report, after: Report) -> tuple[list[Change], list[Row]]:
    """The rows that both have, and those that one lacks."""
    first, second = ({row.key: row for row in report.rows} for report in (before, after))
    both = [Change(first[key], second[key]) for key in first if key in second]
    missing: Sequence[Row] = [
        row
        for mine, other in ((first, second), (second, first))
        for key, row in mine.items()
        if key not in other
    ]
    return both, list(missing)
