"""Measures cases: every size's variants take turns, and a product's cost is measured in the same turns.

This module must not know what a case does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any

from zkrollup.engine.convert import fr_from_ints

from .machine import machine
from .report import Report, Row
from .stopwatch import alternate
from .subjects import Case, Variant

__all__ = ["TYPICAL_SHARE", "measure", "product_cost"]

TYPICAL_SHARE = {"ifma": 0.42, "adx": 0.67, "portable": 0.86}
"""Share of the limit that a proof of 2^16 to 2^18 constraints reached on one thread: limits of
``zkrollup bench prove`` over the processor's time (0.39 to 0.45, 0.64 to 0.70, 0.82 to 0.90)."""

_ROUNDS = {"numba": 200}  # 32 products each
_DEFAULT_ROUNDS = 4000
_REPEAT = 32


def measure(
    bench: str,
    groups: Iterable[list[Case]],
    *,
    runs: int,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """A row for every case; ``tell`` hears what is measured next.

    The cost of a product is the best of its runs: it is what the hardware can do, and times are compared
    with that.
    """
    rows: list[Row] = []
    for cases in groups:
        tell(f"{cases[0].subject}, {cases[0].label}")
        works: dict[Hashable, Callable[[], object]] = dict(enumerate(case.work for case in cases))
        paths = sorted({case.variant.cpu for case in cases})
        works |= {path: _products(path) for path in paths}
        timings = alternate(works, runs)
        cost = {path: timings[path].best / (_REPEAT * _rounds(path)) * 1e9 for path in paths}
        rows += [
            Row(
                case.subject,
                case.size,
                case.label,
                case.variant.cpu,
                case.variant.threads,
                timings[i].runs,
                case.products,
                cost[case.variant.cpu] if case.products else None,
            )
            for i, case in enumerate(cases)
        ]
    return Report(bench, machine(), tuple(rows))


def product_cost(path: str, runs: int = 7) -> float:
    """Nanoseconds of a product on this path, one thread: the best of some runs."""
    work = _products(path)
    return alternate({path: work}, runs)[path].best / (_REPEAT * _rounds(path)) * 1e9


def _rounds(path: str) -> int:
    return _ROUNDS.get(path, _DEFAULT_ROUNDS)


def _products(path: str) -> Callable[[], Any]:
    """Independent chains of products in registers and the first cache, on one thread."""
    engine = Variant(path, 1).engine()
    x = engine.fr_to_mont(fr_from_ints(range(3, 3 + _REPEAT)))
    return partial(engine.fr_mul_repeat, x, x[7].copy(), _rounds(path))
