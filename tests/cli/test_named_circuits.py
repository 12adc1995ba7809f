"""Circuits of the user's own on the command line: whatever their code does, one line says where."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zkrollup.cli import main

MODULE = """
from zkrollup.cs import ConstraintSystem


def raises():
    raise RuntimeError("boom")


def forgets():
    cs = ConstraintSystem("forgets")
    cs.input("a")
    return cs


def ends():
    raise SystemExit(0)


def misuses():
    cs = ConstraintSystem("misuses")
    return cs.input("a") / 2


def imports():
    import no_such_module_either


def squares(n):
    cs = ConstraintSystem("squares")
    for i in range(n):
        cs.input(f"x{i}").square().assert_equal(cs.link(f"y{i}"), label="square")
    return cs
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"mine_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return name


@pytest.mark.parametrize("command", [["audit"], ["profile"], ["export", "r1cs", "out.r1cs", "--circuit"]])
@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        (":raises", "RuntimeError: boom, at MINE.py:6"),
        (":forgets", "MINE.py:11: input 'a' is in no constraint"),
        (":ends", "SystemExit: 0, at MINE.py:16"),
        (":misuses", "TypeError: a quotient is not a field operation"),
        (":imports", "no module 'no_such_module_either' here or installed"),
        ("_broken:f", "MINE_broken.py:1: invalid syntax"),
        (":squares", "missing a required argument: 'n'"),
    ],
)
def test_authors_mistake__is_one_line_with_its_place(
    mine: str, capsys: pytest.CaptureFixture[str], command: list[str], suffix: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, mine + suffix])
    assert ended.value.code == 2
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 1
    assert mine + suffix in text
    assert said.replace("MINE", mine) in text


def test_integers__reach_the_function_in_every_command(mine: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["audit"], ["profile"], ["export", "r1cs", "out.r1cs", "--circuit"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, f"{mine}:squares(3)"])
        assert ended.value.code == 0
        assert capsys.readouterr().err == ""


def test_audit__says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "nothing"])
    assert ended.value.code == 2
    assert "nothing: no such file; expected FILE.r1cs, slot or MODULE:FUNCTION" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"x0": 3, "x0": 4, "y0": 9}', "no JSON: the name 'x0' stands twice in one object"),
        ('{"x0": ' + "9" * 5000 + ', "y0": 9}', "no JSON: Exceeds the limit"),
        ("[" * 100_000, "no JSON: maximum recursion depth"),
        ('{"x0": 3.0, "y0": 9}', "x0: expected an integer, not 3.0"),
        ('{"x0": NaN, "y0": 9}', "x0: expected an integer, not nan"),
    ],
)
def test_inputs__that_are_not_what_was_meant_are_refused_by_file(
    mine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "in.json").write_text(text)
    words = ["--circuit", f"{mine}:squares(1)", "--wtns", "out.wtns", "--inputs", "in.json"]
    with pytest.raises(SystemExit) as ended:
        main(["export", "r1cs", "out.r1cs", *words])
    assert ended.value.code == 2
    assert f"in.json: {said}" in capsys.readouterr().err
    assert not (tmp_path / "out.r1cs").exists()
