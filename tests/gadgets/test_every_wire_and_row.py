"""Every gadget: each wire killed or explained, each dropped row missed or explained, and the page says so.

To accept what changed: ``python benches/mutation.py NAME --write``. What may survive stands in
``explained.json``.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest

import zkrollup.gadgets
from zkrollup.audit import Constraints, propagate
from zkrollup.audit.without import Without
from zkrollup.gadgets.emulated import EmulatedField
from zkrollup.testing import drop_constraints

BENCHES = Path(__file__).parents[2] / "benches"


def load() -> ModuleType:
    """The bench, whose cases are those of ``registry.py``."""
    sys.path.insert(0, str(BENCHES))
    try:
        return importlib.import_module("mutation")
    finally:
        sys.path.remove(str(BENCHES))


BENCH = load()
CASES = BENCH.registry().CASES


@functools.cache
def measured(name: str) -> Any:
    return BENCH.measure(CASES[name])


ALL = [pytest.param(name, marks=pytest.mark.slow if case.slow else ()) for name, case in CASES.items()]


@pytest.mark.parametrize("name", ALL)
def test_wires__are_killed_or_explained(name: str) -> None:
    assert measured(name).free == ()
    assert measured(name).stale == ()


@pytest.mark.parametrize("name", ALL)
def test_rows__are_missed_or_explained(name: str) -> None:
    assert measured(name).survivors == ()


@pytest.mark.parametrize("name", ALL)
def test_page__has_the_line_that_is_measured(name: str) -> None:
    assert BENCH.page_lines().get(name) == measured(name).line, "run python benches/mutation.py --write"


def test_page__has_every_case_and_no_other() -> None:
    assert list(BENCH.page_lines()) == list(CASES)


def test_explanations__are_of_cases_that_are_there() -> None:
    entries = json.loads(BENCH.registry().EXPLAINED.read_text(encoding="utf-8"))
    assert {case for entry in entries for case in entry["cases"]} <= set(CASES)
    assert {entry["what"] for entry in entries} == {"wires", "rows"}
    assert all(len(entry["reason"]) > 30 for entry in entries)


# -- that no gadget is left out ------------------------------------------------------------------------
HASHES_OF_WORDS = ("sha256.", "keccak.", "ecdsa.ethereum_address")
SIGNALS = re.compile(r"\b(Field|Bool|Word|Edwards|Montgomery|Element|Signed)\b")


def public_gadgets() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Whatever is public in zkrollup.gadgets and takes a constraint system or signals."""
    for info in pkgutil.iter_modules(zkrollup.gadgets.__path__):
        module = importlib.import_module(f"zkrollup.gadgets.{info.name}")
        for name in module.__all__:
            function = getattr(module, name)
            if inspect.isfunction(function) and takes_signals(function):
                yield f"{info.name}.{name}", function
    for name, function in inspect.getmembers(EmulatedField, inspect.isfunction):
        if not name.startswith("_") and takes_signals(function):
            yield f"EmulatedField.{name}", function


def takes_signals(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters
    return "cs" in parameters or any(SIGNALS.search(str(p.annotation)) for p in parameters.values())


def called_by(record: Callable[[], object]) -> set[CodeType]:
    """The code of all that is called meanwhile."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        record()
    finally:
        sys.setprofile(before)
    return seen


def test_registry__has_every_public_gadget() -> None:
    """A case calls it; the hashes of words, long to record, are taken by the names of their cases."""
    seen: set[CodeType] = set()
    for case in CASES.values():
        if not case.name.startswith(HASHES_OF_WORDS):
            seen |= called_by(case.record)
    named = {name.split("(")[0] for name in CASES if name.startswith(HASHES_OF_WORDS)}
    wanted = dict(public_gadgets())
    assert len(wanted) > 130
    missing = [name for name, f in wanted.items() if f.__code__ not in seen and name not in named]
    assert missing == [], "tests/gadgets/registry.py has no case that calls these"
    assert named <= set(wanted)


# -- that a cut says no more than the analysis ----------------------------------------------------------
@pytest.mark.slow
def test_rows_that_only_a_cut_misses__are_missed_by_the_analysis_too() -> None:
    """A sample of the rows of SHA-256: without one of them uniqueness is no longer shown."""
    template = CASES["sha256.sha256_compress"].record()
    valid = [({}, given) for given in CASES["sha256.sha256_compress"].valid]
    report = drop_constraints(template, valid, cuts=True)
    rows = [row for row, notice in report.noticed.items() if notice.how == "cut"]
    assert len(rows) > 6000
    without = Without(propagate(Constraints.from_template(template)))
    sample = [row for row in rows[:: len(rows) // 100] if "inputs" not in template.row_scope(row)]
    assert len(sample) > 50
    assert [row for row in sample if not without.lost(row)] == []
