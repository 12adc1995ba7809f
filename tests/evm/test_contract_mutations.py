"""The program that mutates the contract: what it changes, and that its list of survivors is up to date.

It runs by hand (it compiles); what it found stands in docs/l1.md.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    return module


PROGRAM = _load("mutate_contracts")
MUTANTS = PROGRAM.mutants()

SOURCE = """contract C {
    uint256 private constant SIZE = 40; // bytes
    uint256 private constant RULES = KNOWN | (FIRST ^ SECOND) | PAYS;

    function f(uint256 a) private pure returns (uint256 b) {
        uint256 c = a + 1; // a declaration
        if (a < c && c != 5) revert Wrong(a);
        assembly ("memory-safe") {
            let d := add(c, 0x20)
            b := and(d, lt(a, c))
            if gt(b, 9) { b := 0 }
        }
        return b;
    }
}
"""
"""A program with one of each kind of thing that is changed."""


def test_changes__are_of_every_kind_and_of_whole_statements() -> None:
    code = PROGRAM.without_comments(SOURCE)
    found = [(kind, where, code[a:b], new) for kind, where, a, b, new in PROGRAM.changes(code)]
    assert sorted(found) == sorted(
        [
            ("left out", "f", "if (a < c && c != 5) revert Wrong(a);", "{}"),
            ("left out", "f", "b := and(d, lt(a, c))", ""),
            ("left out", "f", "if gt(b, 9) { b := 0 }", ""),
            ("left out", "f", "return b;", "{}"),
            ("compared", "f", "<", "<="),
            ("compared", "f", "&&", "||"),
            ("compared", "f", "!=", "=="),
            ("word", "f", "and", "or"),
            ("word", "f", "lt", "gt"),
            ("word", "f", "gt", "lt"),
            ("off by one", "f", "1", "2"),
            ("off by one", "SIZE", "40", "41"),
            ("rule", "RULES", "KNOWN | ", ""),
            ("rule", "RULES", " | PAYS", ""),
        ]
    )


def test_mutants__are_named_once_and_change_their_file() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.kind for mutant in MUTANTS} == set(PROGRAM.KINDS)
    for mutant in MUTANTS:
        (text,) = PROGRAM.changed(mutant).values()
        assert text != PROGRAM.source(mutant.file)


def test_mutants__leave_out_every_revert_of_the_contract() -> None:
    for file in PROGRAM.FILES:
        code = PROGRAM.without_comments(PROGRAM.source(file))
        left_out = [mutant.change for mutant in MUTANTS if (mutant.file, mutant.kind) == (file, "left out")]
        places = [place for place in range(len(code)) if code.startswith("revert ", place)]
        assert places
        for place in places:
            assert any(change.begin <= place < change.end for change in left_out), code[place : place + 60]


def test_batches__hold_every_mutant_once_and_none_in_the_place_of_another() -> None:
    groups = PROGRAM.batches(MUTANTS)
    assert sorted(mutant.name for group in groups for mutant in group) == sorted(m.name for m in MUTANTS)
    for group in groups:
        chosen = PROGRAM.chosen_at_run_time(group) if len(group) > 1 else {}
        numbers = range(PROGRAM.FIRST_COINBASE, PROGRAM.FIRST_COINBASE + len(group))
        assert all(any(str(number) in text for text in chosen.values()) for number in numbers) or not chosen


def test_survivors__are_changes_that_there_are_and_have_a_reason() -> None:
    explained = PROGRAM.survivors()
    assert explained
    assert explained.keys() <= {mutant.name for mutant in MUTANTS}
    assert all(explained.values())
