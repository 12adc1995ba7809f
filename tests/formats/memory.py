"""What a reader may allocate, numpy's arrays included: a bound that other threads do not trip."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def bounded(limit: int, call: Callable[[], T]) -> T:
    """``call()``; AssertionError when it allocates ``limit`` bytes or more at any time.

    Tracing counts every thread's allocations, the test runner's too, and a reader's own are the same each
    time: what exceeds the limit once is called twice more, and fails when it exceeds the limit each time.
    """
    with tracing():
        before = begin()
        try:
            return call()
        finally:
            seen = [peak_since(before)]
            while seen[-1] >= limit and len(seen) < 3:
                before = begin()
                with contextlib.suppress(ValueError):
                    call()
                seen.append(peak_since(before))
            assert seen[-1] < limit, f"allocates {min(seen)} bytes, {limit} are allowed"


@contextlib.contextmanager
def tracing() -> Iterator[None]:
    """Traces allocations, unless somebody does so already (starting takes longer than a small read)."""
    if tracemalloc.is_tracing():
        yield
        return
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def begin() -> int:
    tracemalloc.reset_peak()
    return tracemalloc.get_traced_memory()[0]


def peak_since(before: int) -> int:
    return tracemalloc.get_traced_memory()[1] - before
