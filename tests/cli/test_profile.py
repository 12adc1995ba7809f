"""``profile`` on our circuits, a user's and circom's; its files, exit codes and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .running import outputs

CIRCOM = Path(__file__).parents[1] / "vectors" / "circom"
FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"

MINE = """
from zkrollup.cs import ConstraintSystem

SIZE = 3

def squares():
    cs = ConstraintSystem("squares")
    x = cs.input("x")
    with cs.scope("chain"):
        for _ in range(SIZE):
            x = cs.materialise(x * x)
    return cs

def unused():
    cs = ConstraintSystem("unused")
    cs.input("x")
    return cs

def number():
    return 3
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """What ``profile`` prints, or its complaint about bad input."""
    out, err = outputs(capsys, "profile", *arguments, code=code)
    return err if code == 2 else out


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's in the working directory; its name."""
    name = f"mine_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    return name


def test_batch__prints_tree_density_and_phases(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "batch", "--slots", 2, "--depth", 2, "--sample", "--levels", 2)
    assert text.startswith("batch of 2 slots, depth 2: ")
    assert "  slots ×2 " in text
    assert "    C signature " in text
    assert "columns are in B: the bases of B1 and B2" in text
    assert "sum B2 (G2)" in text
    assert "without a witness" not in text
    assert "without a witness" in run(capsys, "slot", "--depth", 2)


def test_levels_and_lines__say_how_deep_the_tree_goes(capsys: pytest.CaptureFixture[str], mine: str) -> None:
    assert "chain" not in run(capsys, f"{mine}:squares", "--levels", 0)
    text = run(capsys, f"{mine}:squares", "--lines")
    assert f"    {mine}.py:11 " in text
    assert "100.0" in text


def test_json__has_scopes_density_and_prover(capsys: pytest.CaptureFixture[str], mine: str) -> None:
    told = json.loads(run(capsys, f"{mine}:squares", "--json"))
    assert told["totals"] == {"constraints": 3, "nonzeros": 9, "wires": 4, "b_columns": 3}
    assert told["scopes"]["chain"]["constraints"] == 3
    assert told["density"]["b"]["nonzeros"] == 3
    assert told["prover"]["phases"][2]["name"] == "sum A (G1)"


def test_files__are_written(capsys: pytest.CaptureFixture[str], mine: str, tmp_path: Path) -> None:
    run(capsys, f"{mine}:squares", "--folded", "o.folded", "--html", "o.html", "--write", "o.json")
    assert (tmp_path / "o.folded").read_text() == f"squares;chain;{mine}.py:11 3\n"
    assert (tmp_path / "o.html").read_text().startswith("<!doctype html>")
    run(capsys, f"{mine}:squares", "--folded", "b.folded", "--by", "nonzeros")
    assert (tmp_path / "b.folded").read_text() == f"squares;chain;{mine}.py:11 9\n"
    said = run(capsys, f"{mine}:squares", "--against", "o.json")
    assert said.endswith("against o.json:\nno change\n")


def test_against__a_larger_circuit_ends_with_1_unless_allowed(
    capsys: pytest.CaptureFixture[str], mine: str
) -> None:
    import importlib

    run(capsys, f"{mine}:squares", "--write", "o.json")
    importlib.import_module(mine).SIZE = 4
    said = run(capsys, f"{mine}:squares", "--against", "o.json", code=1)
    assert "chain: constraints 3 → 4 (+1)" in said
    run(capsys, f"{mine}:squares", "--against", "o.json", "--threshold", 34)
    told = json.loads(run(capsys, f"{mine}:squares", "--against", "o.json", "--json", code=1))
    assert told["against"]["larger_percent"]["constraints"] == pytest.approx(100 / 3)
    importlib.import_module(mine).SIZE = 2
    assert "(-1)" in run(capsys, f"{mine}:squares", "--against", "o.json")


def test_circom__a_file_with_names_and_witness(capsys: pytest.CaptureFixture[str]) -> None:
    mixed = CIRCOM / "mixed.r1cs"
    text = run(capsys, mixed, "--sym", CIRCOM / "mixed.sym", "--wtns", CIRCOM / "mixed.wtns")
    assert text.startswith("mixed: ")
    assert "\n  main " in text
    assert "without a witness" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "nothing: expected batch, slot, FILE.r1cs or MODULE:FUNCTION"),
        (["no_such_module:f"], "no_such_module:f: no module 'no_such_module' here or installed"),
        (["MINE:f"], "has no 'f'"),
        (["MINE:number"], "gave a int, expected a template or a system"),
        (["MINE:unused"], "input 'x' is in no constraint"),
        (["gone.r1cs"], "gone.r1cs"),
        (["slot", "--sample"], "only `batch` can be sampled, not slot"),
        (["MINE:squares", "--sample"], "only `batch` can be sampled"),
        (["MINE:squares", "--sym", "x.sym"], "names belong to a .r1cs file"),
        (["MINE:squares", "--by", "rows"], "--by rows: expected one of constraints, nonzeros"),
        (["MINE:squares", "--html", "no/such.html"], "the folder no does not exist"),
        (["MINE:squares", "--against", "gone.json"], "gone.json"),
        (["MINE:squares", "--wtns", FILES / "chain.wtns"], "26 values, but MINE:squares has 5 columns"),
    ],
)
def test_bad_input__is_one_line(
    capsys: pytest.CaptureFixture[str], mine: str, arguments: list[object], said: str
) -> None:
    words = [str(a).replace("MINE", mine) for a in arguments]
    assert said.replace("MINE", mine) in run(capsys, *words, code=2)


def test_bad_files__are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "cut.r1cs").write_bytes((CIRCOM / "mixed.r1cs").read_bytes()[:-5])
    assert "cut.r1cs" in run(capsys, tmp_path / "cut.r1cs", code=2)
    (tmp_path / "cut.sym").write_bytes((CIRCOM / "mixed.sym").read_bytes()[:-1])
    said = run(capsys, CIRCOM / "mixed.r1cs", "--sym", tmp_path / "cut.sym", code=2)
    assert "cut.sym" in said
