"""How long things take, told apart from what else the machine is doing. It must not know what they are."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Timing", "alternate", "time_once"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Timing:
    """Seconds of each run, in the order of running; at least one."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def best(self) -> float:
        return min(self.runs)

    @property
    def worst(self) -> float:
        return max(self.runs)


def time_once(work: Callable[[], object]) -> float:
    """Seconds that one call took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(works: Mapping[Key, Callable[[], object]], runs: int, *, warm_up: int = 1) -> dict[Key, Timing]:
    """Times every work ``runs`` times, taking turns, so that a slow moment of the machine meets them all.

    Each is called ``warm_up`` times before, untimed: tables, threads and caches are then there. The order
    turns round from one round to the next, so that none always follows the same neighbour.
    """
    if runs < 1:
        raise ValueError(f"runs: expected at least 1, got {runs}")
    for work in works.values():
        for _ in range(warm_up):
            work()
    taken: dict[Key, list[float]] = {key: [] for key in works}
    order = list(works)
    for _ in range(runs):
        for key in order:
            taken[key].append(time_once(works[key]))
        order.reverse()
    return {key: Timing(tuple(seconds)) for key, seconds in taken.items()}
