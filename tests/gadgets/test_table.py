"""The table of docs/gadgets.md says what was counted, here and of circomlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benches"))
    sys.modules.pop("gadgets", None)
    return __import__("gadgets")


def test_page__shows_the_table_of_the_committed_counts(bench):
    _, begin, rest = bench.PAGE.read_text().partition(bench.BEGIN)
    shown, end, _ = rest.partition(bench.END)
    assert begin
    assert end
    assert shown.strip() == bench.current().strip(), "run python benches/gadgets.py --write"


def test_table__has_each_gadget_once(bench):
    names = [row.gadget for row in bench.ROWS]
    assert len(names) == len(set(names))


def test_counts__were_made_by_the_script_that_is_kept(bench):
    """Whoever adds a template to the script counts it, and the versions are those of its package file."""
    counted = json.loads(bench.COUNTS.read_text())
    package = json.loads(bench.COUNTS.with_name("package.json").read_text())
    assert counted["versions"] == package["dependencies"]
    assert {row.circomlib for row in bench.ROWS} - {None} <= counted["constraints"].keys()
    for call, counts in counted["constraints"].items():
        assert counts["O2"] <= counts["O1"], call


def test_gadgets__take_no_more_rows_than_circomlibs_at_their_best(bench):
    snapshots = json.loads(bench.SNAPSHOTS.read_text())
    counts = json.loads(bench.COUNTS.read_text())["constraints"]
    more = {
        row.gadget: (bench.ours(row, snapshots), counts[row.circomlib]["O2"])
        for row in bench.ROWS
        if row.circomlib and bench.ours(row, snapshots) > counts[row.circomlib]["O2"]
    }
    assert not more


def test_figures__are_within_what_was_asked(bench):
    snapshots = json.loads(bench.SNAPSHOTS.read_text())
    assert snapshots["poseidon2.permute(4)"] <= 264
    assert snapshots["eddsa.eddsa_poseidon_verify"] <= 3600
    assert snapshots["sha256.sha256_compress"] <= 27_000
    assert snapshots["keccak.keccak_f"] <= 145_000
