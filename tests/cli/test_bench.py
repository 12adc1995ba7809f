"""``bench`` as a user meets it: tables, JSON, the page, comparing, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .running import run

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (["msm", "--log-n", "3,4", "--group", "g1,g2"], 4),
        (["ntt", "--log-n", "4"], 5),
        (["witness", "--slots", "1", "--depth", "1"], 1),
        (["verify", "--proofs", "1,2", "--public", "0"], 2),
        (["prove", "--zkey", FILES / "chain.zkey", "--wtns", FILES / "chain.wtns"], 1),
        (["setup", "--r1cs", FILES / "chain.r1cs"], 1),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, list) else "",
)
def test_bench__prints_json_and_writes_a_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[object], rows: int
) -> None:
    html = tmp_path / "page.html"
    out = run(capsys, "bench", *arguments, "--threads", "1", "--runs", "2", "--json", "--html", html)
    document = json.loads(out)
    assert len(document["rows"]) == rows
    assert all(row["share_of_limit"] > 0 and len(row["runs"]) == 2 for row in document["rows"])
    assert html.read_text().startswith("<!DOCTYPE html>")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_bench__table_says_machine_and_limit(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "bench", "verify", "--proofs", "1", "--threads", "1", "--runs", "1")
    header, line, machine = out.splitlines()
    assert header.split()[:5] == ["what", "size", "path", "threads", "median"]
    assert line.startswith("verify")
    assert line.endswith("%")
    assert "commit" in machine


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["msm", "--log-n", "3,x"], ["--log-n", "'3,x'"]),
        (["msm", "--log-n", "40"], ["--log-n", "1 .. 26"]),
        (["msm", "--group", "g3"], ["--group", "'g3'"]),
        (["ntt", "--cpu", "mmx"], ["--cpu", "'mmx'", "available"]),
        (["ntt", "--threads", "0"], ["--threads", "1 .. 1024"]),
        (["ntt", "--runs", "0"], ["--runs"]),
        (["prove", "--zkey", "a.zkey"], ["--zkey and --wtns"]),
        (["prove", "--zkey", "none.zkey", "--wtns", "none.wtns"], ["none.zkey"]),
        (["msm", "--html", "/nowhere/x.html"], ["/nowhere", "does not exist"]),
    ],
)
def test_bench__wrong_options_are_named(
    capsys: pytest.CaptureFixture[str], arguments: list[object], words: list[str]
) -> None:
    error = run(capsys, "bench", *arguments, code=2)
    for word in words:
        assert word in error


def test_compare__ends_with_1_when_a_row_is_slower_than_the_threshold(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before, after = tmp_path / "a.json", tmp_path / "b.json"
    before.write_text(
        run(capsys, "bench", "verify", "--proofs", "1,2", "--threads", "1", "--runs", "2", "--json")
    )
    document = json.loads(before.read_text())
    document["rows"][1]["runs"] = [run * 1.5 for run in document["rows"][1]["runs"]]
    after.write_text(json.dumps(document))
    out = run(capsys, "bench", "compare", before, before)
    assert "1.000" in out
    error = run(capsys, "bench", "compare", before, after, code=1)
    assert "1 of 2 rows slower by more than 5 %" in error
    assert "2 proofs" in error
    assert "50.0 % slower" in error
    assert "1.500" in run(capsys, "bench", "compare", before, after, "--threshold", "51")
    assert "0.667" in run(capsys, "bench", "compare", after, before)
    document["rows"] = []
    after.write_text(json.dumps(document))
    assert "no row in common" in run(capsys, "bench", "compare", before, after, code=2)
    assert str(FILES) in run(capsys, "bench", "compare", before, FILES / "proof.json", code=2)
