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
            "BabyPbk",
            "Bits2Point_Strict",
            "Point2Bits_Strict",
        ):
            assert rows[name, level]["free"] == rows[name, level]["undecided"] == 0, (name, level)


def test_result__decides_nearly_all_signals(result):
    for level, least in (("O1", 0.98), ("O2", 0.97)):
        rows = [r for r in result["templates"] if r["level"] == level]
        asked = sum(r["asked"] for r in rows)
        assert 1 - sum(r["undecided"] for r in rows) / asked > least
        assert sum(r["undecided"] == 0 for r in rows) >= 54


def test_small_order__is_what_the_page_says():
    """The inputs at which scalar multiplications are free: of order five, off the curve, doubled."""
    path = ROOT / "benches" / "circomlib_small_order.py"
    spec = importlib.util.spec_from_file_location("circomlib_small_order", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    p, a, d = module.P, module.TWISTED_A, module.TWISTED_D
    found = module.inputs()

    def times_eight(x, y):
        for _ in range(3):
            t = x * y * x * y % p
            x, y = (
                2 * x * y * pow(1 + d * t, -1, p) % p,
                (y * y - a * x * x) * pow(1 - d * t, -1, p) % p,
            )
        return x, y

    for x, y in ([int(v) for v in found["point"]], times_eight(*(int(v) for v in found["key"]))):
        u = (1 + y) * pow(1 - y, -1, p) % p
        v = u * pow(x, -1, p) % p
        assert (module.B * v * v - u**3 - module.A * u * u - u) % p
        assert module.double(module.double((u, v))) == (u, p - v)
