"""docs/circomlib-audit.md and the stored result of benches/circomlib_audit.py say the same."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bench() -> Any:
    path = ROOT / "benches" / "circomlib_audit.py"
    spec = importlib.util.spec_from_file_location("circomlib_audit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def result(bench) -> dict[str, Any]:
    return json.loads(bench.RESULT.read_text())


def test_page__shows_the_stored_result(bench, result):
    text = bench.PAGE.read_text()
    shown = text.partition(bench.BEGIN)[2].partition(bench.END)[0].strip()
    assert shown == bench.table(result), "run: python benches/circomlib_audit.py --write"


def test_result__has_at_least_thirty_templates_at_both_levels(result):
    by_level = {
        level: {r["name"] for r in result["templates"] if r["level"] == level} for level in ("O1", "O2")
    }
    assert by_level["O1"] == by_level["O2"]
    assert len(by_level["O1"]) >= 30


def test_result__adds_up(result):
    for row in result["templates"]:
        assert row["asked"] == row["unique"] + row["free"] + row["free_idle"] + row["undecided"], row["name"]
        share = (row["asked"] - row["undecided"]) / row["asked"] if row["asked"] else 1.0
        assert row["decided"] == pytest.approx(share, abs=1e-4)
        assert row["pairs_verified"] >= bool(row["free"] + row["free_idle"])


def test_result__explains_every_template_with_free_signals(bench, result):
    for row in result["templates"]:
        if row["free"] or row["free_idle"]:
            assert bench.NOTES.get(row["name"]), f"{row['name']} has free signals; say in NOTES why"


def test_result__finds_what_is_known_to_be_free_and_clears_what_is_known_to_be_sound(result):
    rows = {(r["name"], r["level"]): r for r in result["templates"]}
    for level in ("O1", "O2"):
        assert "success" in rows["Decoder", level]["free_names"]
        assert rows["IsZero", level]["free_idle"] == 1
        assert "out[0]" in rows["Num2Bits 254", level]["free_names"]
        assert "lamda" in rows["MontgomeryAdd", level]["free_names"]
        for name in (
            "Num2Bits_strict",
            "LessThan",
            "Mux4",
            "Poseidon 2",
            "MiMC7",
            "AliasCheck",
            "CompConstant",
        ):
            assert rows[name, level]["free"] == rows[name, level]["undecided"] == 0, (name, level)
