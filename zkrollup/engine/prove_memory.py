"""How much memory the sums of a proof take, and how to take less: in steps, each with part of the key.

Must not know how a sum is computed, only how large its parts are. All sizes are bytes.

What a proof holds at once, n wires, m values of the quotient, windows of c bits, t threads::

    key         the queries' points, as far as they are mapped from a file (8 or 16 limbs each)
    quotient    3 * 32 m while it is computed (4 where there are no eight lanes), then 32 m
    digits      (2 * ceil(254 / c) + 5) a scalar: digits, signs, places
    windows     t times: 4 a scalar to sort, 2^(c-1) buckets of 64 (G1) or 128 (G2) with 40 of counters
    leaves      t times 1 MiB
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zkrollup.engine.interface import EngineError, Layout, ProvingQueries

__all__ = [
    "MemoryBoundError",
    "Step",
    "least_memory",
    "query_lengths",
    "release",
    "steps_within",
    "sums_memory",
]

LEAF = 1 << 20
MAX_WINDOW = 16
MAX_PIECES = 64
_QUERIES = {"a": "a", "l": "l", "b": ("b1", "b2"), "1": "b1", "2": "b2"}


class MemoryBoundError(EngineError):
    """A proof does not fit the memory it was given; carries the bound and the least that would do."""

    def __init__(self, memory: int, least: int) -> None:
        self.memory, self.least = memory, least
        super().__init__(
            f"memory: a proof with this key needs at least {-(-least >> 20)} MiB at once, "
            f"got {memory >> 20} MiB"
        )


@dataclass(frozen=True)
class Step:
    """Part of a proof's sums: queries (of ``a``, ``l``, ``b`` for both of B, ``1``, ``2``) over some wires,
    and H over some values of the quotient."""

    wires: range
    queries: str
    values: range

    @property
    def arrays(self) -> Iterator[str]:
        """Names of the wires' queries."""
        for letter in self.queries:
            names = _QUERIES[letter]
            yield from (names,) if isinstance(names, str) else names


def _window(count: int) -> int:
    """The bits of a window for that many long scalars: the cost model's choice, or a little more."""
    return min(range(5, MAX_WINDOW + 1), key=lambda c: -(-254 // c) * (6 * count + (9 << (c - 1))))


def _scratch(count: int, threads: int, *, twist: bool) -> int:
    """What the sums over ``count`` scalars take beside scalars and points."""
    if count == 0:
        return 0
    c = _window(count)
    digits = (2 * -(-254 // c) + 5) * count
    window = 4 * count + ((128 if twist else 64) + 40 << (c - 1)) + count // 16
    return digits + threads * (window + LEAF)


def _quotient(layout: Layout) -> int:
    return 4 * 32 * layout.domain_size


def _points(key: ProvingQueries, layout: Layout, step: Step) -> int:
    """Bytes of the step's points that are mapped from a file; others are the caller's already."""
    total = 0
    for name in step.arrays:
        array = getattr(key, name)
        if mapping(array) is not None:
            share = len(step.wires) / max(1, layout.num_columns)
            total += int(array.nbytes * share)
    if mapping(key.h) is not None:
        total += 64 * len(step.values)
    return total


def sums_memory(key: ProvingQueries, layout: Layout, threads: int) -> int:
    """What ``groth16_sums`` takes at most when nothing bounds it: all overlapped."""
    everything = Step(range(layout.num_columns), "alb", range(layout.domain_size))
    m = layout.domain_size
    return (
        _points(key, layout, everything)
        + max(_quotient(layout), 32 * m + _scratch(m, threads, twist=False))
        + _scratch(layout.num_columns, threads, twist=True)
    )


def _need(key: ProvingQueries, layout: Layout, threads: int, step: Step) -> int:
    """What one step takes; the quotient stays while its values are in use."""
    need = _points(key, layout, step)
    twist = "b2" in step.arrays
    need += _scratch(len(step.wires) if step.queries else 0, threads, twist=twist)
    need += _scratch(len(step.values), threads, twist=False)
    if len(step.values):
        need += 32 * layout.domain_size
        if step.values.start == 0:
            need = max(need, _quotient(layout))
    return need


def _plans(layout: Layout) -> Iterator[list[Step]]:
    """Ways to take less and less at once, the fastest first."""
    n, m = layout.num_columns, layout.domain_size
    none = range(0)
    for groups, pieces in [
        (["alb"], 1),
        (["al", "b"], 1),
        (["a", "l", "1", "2"], 1),
        *((["a", "l", "1", "2"], 1 << k) for k in range(1, MAX_PIECES.bit_length())),
    ]:
        wires, values = (
            [range(size * i // pieces, size * (i + 1) // pieces) for i in range(pieces)] for size in (n, m)
        )
        yield [
            *(Step(none, "", part) for part in values if len(part)),
            *(Step(part, group, none) for group in groups for part in wires if len(part)),
        ]


def least_memory(key: ProvingQueries, layout: Layout, threads: int) -> int:
    """The smallest ``memory`` that ``groth16_sums`` accepts for this key."""
    return min(max(_need(key, layout, threads, step) for step in plan) for plan in _plans(layout))


def steps_within(memory: int, key: ProvingQueries, layout: Layout, threads: int) -> list[Step]:
    """The fastest steps none of which takes more than ``memory``; MemoryBoundError when there are none."""
    if sums_memory(key, layout, threads) <= memory:
        return [Step(range(layout.num_columns), "alb", range(layout.domain_size))]
    for plan in _plans(layout):
        if all(_need(key, layout, threads, step) <= memory for step in plan):
            return plan
    raise MemoryBoundError(memory, least_memory(key, layout, threads))


def mapping(array: Any) -> mmap.mmap | None:
    """The read-only file mapping that an array lies in, or None."""
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    if isinstance(base, mmap.mmap):
        with memoryview(base) as view:
            return base if view.readonly else None
    return None


def release(key: ProvingQueries, step: Step | None = None) -> None:
    """Gives back the pages of a step's points, or all; they stay in the system's cache, and in the file."""
    names = ("a", "b1", "b2", "l", "h")
    for name in names if step is None else (*step.arrays, *(("h",) if len(step.values) else ())):
        array = getattr(key, name)
        mapped = mapping(array)
        if mapped is None or array.nbytes == 0 or not hasattr(mapped, "madvise"):
            continue
        start = np.frombuffer(mapped, dtype=np.uint8).ctypes.data
        first = (array.ctypes.data - start) // mmap.PAGESIZE * mmap.PAGESIZE
        mapped.madvise(mmap.MADV_DONTNEED, first, array.ctypes.data - start + array.nbytes - first)


def query_lengths(what: str, key: ProvingQueries, layout: Layout) -> dict[str, int]:
    """How many points each query must have; EngineError naming the one that has another number."""
    columns, in_b = layout.num_columns, len(key.b_columns)
    lengths = {"a": columns, "l": columns - layout.num_public - 1, "h": layout.domain_size}
    for name in ("b1", "b2"):
        lengths[name] = columns if len(getattr(key, name)) == columns else in_b
    if lengths["b1"] != lengths["b2"]:
        raise EngineError(f"{what}: b1 has {len(key.b1)} points and b2 {len(key.b2)}: expected as many")
    return lengths
