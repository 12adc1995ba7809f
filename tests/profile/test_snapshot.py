"""Committed counts: what grew is shown by scope; a damaged file is one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zkrollup.cs import ConstraintSystem
from zkrollup.profile import Profile, compare, profile, read_snapshot, write_snapshot


def circuit(squares: int, new_scope: bool = False) -> Profile:
    cs = ConstraintSystem("squares")
    x = cs.input("x")
    with cs.scope("chain"):
        for _ in range(squares):
            x = cs.materialise(x * x)
    if new_scope:
        with cs.scope("tail"):
            x = cs.materialise(x * x)
    return profile(cs.freeze())


def test_snapshot__of_the_same_circuit_shows_no_change(tmp_path: Path) -> None:
    write_snapshot(circuit(10), tmp_path / "s.json")
    comparison = compare(circuit(10), read_snapshot(tmp_path / "s.json"))
    assert (str(comparison), comparison.larger, comparison.exceeds(0)) == ("no change", {}, False)


def test_snapshot__shows_what_grew_by_scope_and_by_how_much(tmp_path: Path) -> None:
    write_snapshot(circuit(10), tmp_path / "s.json")
    comparison = compare(circuit(11, new_scope=True), read_snapshot(tmp_path / "s.json"))
    assert str(comparison).splitlines() == [
        "(all): constraints 10 → 12 (+2), nonzeros 30 → 36 (+6), wires 11 → 13 (+2), b columns 10 → 12 (+2)",
        "chain: constraints 10 → 11 (+1), nonzeros 30 → 33 (+3), wires 10 → 11 (+1), b columns 9 → 11 (+2)",
        "tail: new, +1 constraints",
    ]
    assert comparison.larger == {"constraints": 20.0, "nonzeros": 20.0, "b_columns": 20.0}
    assert comparison.exceeds(19.9)
    assert not comparison.exceeds(20)
    smaller = compare(circuit(9), read_snapshot(tmp_path / "s.json"))
    assert not smaller.exceeds(0)
    gone = compare(circuit(10), circuit(10, new_scope=True).by_scope())
    assert "tail: gone, -1 constraints" in str(gone)
    assert json.loads(json.dumps(gone.to_json()))["changes"][-1]["scope"] == "tail"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[]", "no snapshot of a profile"),
        ('{"format": "zkrollup profile 2"}', "no snapshot of a profile; expected 'zkrollup profile 1'"),
        ('{"format": "zkrollup profile 1", "scopes": {}}', "counts of the circuit"),
        ('{"format": "zkrollup profile 1", "scopes": {"": {"constraints": 1}}}', "scope ''"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_snapshot__that_is_damaged_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"bad.json: .*{said}"):
        read_snapshot(path)
