"""Every broken circuit is flagged by the tools it names, every repaired twin is cleared.

This module must not know any particular flaw; see ``workbench.py`` for what a pair is.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


def _load() -> Any:
    name = "tests_broken_workbench"
    spec = importlib.util.spec_from_file_location(name, HERE / "workbench.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


workbench = _load()
PAIRS = workbench.load_pairs()
QUICK = [pair for pair in PAIRS if not pair.is_slow]
SLOW = [pair for pair in PAIRS if pair.is_slow]

# What a single circuit cannot break: it concerns tests or several circuits and needs no pair.
NOT_A_CIRCUIT: dict[str, str] = {}


def each(pairs):
    return pytest.mark.parametrize("pair", pairs, ids=[pair.name for pair in pairs])


@cache
def examined(name: str, repaired: bool):
    return workbench.examine(next(pair for pair in PAIRS if pair.name == name), repaired)


def check_flagged(pair) -> None:
    found = examined(pair.name, False)
    for tool, names in pair.flagged_by.items():
        assert tool in workbench.TOOLS
        assert found.by_tool.get(tool), f"{pair.name}: {tool!r} reports nothing; {found.by_tool}"
        for name in names:
            assert name in found.by_tool[tool], f"{pair.name}: {tool!r} does not name {name!r}"
    if found.report is not None and "accepted" in pair.flagged_by:
        assert not any(found.refused), f"{pair.name}: refused by {found.refused}"


def check_cleared(pair) -> None:
    found = examined(pair.name, True)
    assert found.by_tool == {}, f"{pair.name}: the repaired circuit is flagged: {found.by_tool}"
    for (inputs, label), labels in zip(pair.invalid(True), found.refused, strict=True):
        assert label in labels, f"{pair.name}: {inputs} should be refused by {label!r}, not by {labels}"
    unnamed = [wire for wire in found.undecided if not pair.is_named_undecided(wire)]
    assert not unnamed, f"{pair.name}: undecided and not named: {unnamed[:10]}"
    assert found.report.contradiction is None


@each(QUICK)
def test_broken__is_flagged(pair):
    check_flagged(pair)


@each(QUICK)
def test_repaired__is_cleared(pair):
    check_cleared(pair)


@pytest.mark.slow
@each(SLOW)
def test_broken__is_flagged_also_where_it_takes_long(pair):
    check_flagged(pair)


@pytest.mark.slow
@each(SLOW)
def test_repaired__is_cleared_also_where_it_takes_long(pair):
    check_cleared(pair)


def test_audit__shows_freedom_by_two_witnesses_of_the_whole_circuit():
    """A verdict "free" is a pair, both of which satisfy every row, with the same inputs."""
    for pair in PAIRS:
        if "free" not in pair.flagged_by or pair.is_slow:
            continue
        report = examined(pair.name, False).report
        for shown in report.pairs:
            system = report.system
            assert system.violations(shown.first) == system.violations(shown.second) == []
            assert all(shown.first[w] == shown.second[w] for w in system.inputs)
            assert shown.first != shown.second


# -- the manifest -----------------------------------------------------------------------------------------
def test_manifest__has_forty_pairs_and_says_of_each_what_it_must():
    assert len(PAIRS) >= 40
    assert len({pair.title for pair in PAIRS}) == len(PAIRS)
    for pair in PAIRS:
        text = pair.module.__doc__
        for word in ("Source:", "Exploit:", "Repair:"):
            assert text.count(word) == 1, f"{pair.name}: its docstring lacks {word}"
        assert pair.flagged_by, pair.name
        assert pair.properties, pair.name
        assert all(re.fullmatch(r"C\d+", p) for p in pair.properties), pair.name
        assert all(reason for reason in (*pair.explained.values(), *pair.undecided.values())), pair.name


def test_manifest__covers_every_property_of_circuits():
    covered = {number for pair in PAIRS for number in pair.properties}
    wanted = {f"C{k}" for k in range(1, 19)}
    assert covered | set(NOT_A_CIRCUIT) == wanted
    assert not covered & set(NOT_A_CIRCUIT)


def test_manifest__uses_every_tool_and_both_forms():
    assert {tool for pair in PAIRS for tool in pair.flagged_by} == set(workbench.TOOLS)
    assert sum(pair.form == "rows" for pair in PAIRS) >= 10
    assert sum(pair.form == "builder" for pair in PAIRS) >= 30


def test_manifest__at_most_a_tenth_of_the_repaired_circuits_has_undecided_wires():
    assert sum(bool(pair.undecided) for pair in PAIRS) <= len(PAIRS) / 10


def test_readme__lists_the_pairs_as_they_are():
    text = (HERE / "README.md").read_text()
    listed = text.partition(workbench.BEGIN)[2].partition(workbench.END)[0].strip()
    assert listed == workbench.table(PAIRS), "run: python tests/broken/workbench.py --write"


def test_circom_rows__compute_and_label_what_they_state():
    """An honest witness satisfies the rows, another fails where it differs."""
    c = workbench.CircomRows()
    x = c.input("x")
    bits = c.bits("bits", x, 3)
    c.product("square", x, x)
    system = c.constraints("three bits")
    values = c.witness({"x": 6})
    assert system.violations(values) == []
    assert values[2:5] == [0, 1, 1]
    wire = next(iter(bits[0].terms))
    values[wire] = 1
    assert [c.labels[i] for i in system.violations(values)] == ["bits recompose"]
