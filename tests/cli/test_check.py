"""``check``: circom's constraints on a witness; what fails, by name and value; bad files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.formats.wtns import WtnsFile

from .running import outputs

CIRCOM = Path(__file__).parents[1] / "vectors" / "circom"


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """What ``check`` prints, or its complaint about bad input."""
    out, err = outputs(capsys, "check", *arguments, code=code)
    return err if code == 2 else out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """mixed.r1cs, .sym, .wtns and bad.wtns, in which a bit is 3, as the working directory."""
    for suffix in ("r1cs", "sym", "wtns"):
        shutil.copy(CIRCOM / f"mixed.{suffix}", tmp_path)
    good = WtnsFile.read(tmp_path / "mixed.wtns")
    values = good.values.copy()
    values[13, 0] = 3
    replace(good, values=values).write(tmp_path / "bad.wtns")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check__of_a_good_witness_says_so(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert run(capsys, "mixed.r1cs", "mixed.wtns") == "mixed: all 16 constraints hold\n"


def test_check__of_a_bad_one_shows_signals_values_and_cause(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    text = run(capsys, "mixed.r1cs", "bad.wtns", "--sym", "mixed.sym", code=1)
    assert text.startswith(
        "mixed: 2 of 16 constraints do not hold; in the file's order:\n"
        "mixed/main/bits: 'constraint 5' does not hold\n"
        "  at constraint 5 of mixed.r1cs\n"
        "  (main.bits.out[2] - 1) * main.bits.out[2] = 0\n"
        "  left 6, right 0, where\n"
        "    main.bits.out[2] = 3\n"
        "  because main.bits.out[2] = 3 is neither 0 nor 1\n"
        "mixed/main/bits: 'constraint 15' does not hold\n"
    )
    unnamed = run(capsys, "mixed.r1cs", "bad.wtns", code=1)
    assert "  because wire13 = 3 is neither 0 nor 1\n" in unnamed


def test_check__as_json_and_as_a_page(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    told = json.loads(run(capsys, "mixed.r1cs", "bad.wtns", "--json", "--html", "o.html", code=1))
    assert (told["failing"], told["failures"][0]["row"], told["failures"][0]["left"]) == (2, 5, "6")
    page = (folder / "o.html").read_text()
    assert "wire13 = 3 is neither 0 nor 1" in page
    assert "<pre>" not in page  # there is no source line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.r1cs", "mixed.wtns"], "gone.r1cs"),
        (["mixed.r1cs", "gone.wtns"], "gone.wtns"),
        (["mixed.r1cs", "mixed.r1cs"], "mixed.r1cs"),
        (["mixed.r1cs", "short.wtns"], "short.wtns: 3 values, but mixed.r1cs is a circuit of "),
        (["mixed.r1cs", "mixed.wtns", "--sym", "mixed.wtns"], "mixed.wtns"),
        (["mixed.r1cs", "mixed.wtns", "--html", "no/o.html"], "the folder no does not exist"),
    ],
)
def test_bad_input__is_one_line(
    capsys: pytest.CaptureFixture[str], folder: Path, arguments: list[str], said: str
) -> None:
    good = WtnsFile.read("mixed.wtns")
    replace(good, values=good.values[:3]).write("short.wtns")
    assert said in run(capsys, *arguments, code=2)
