"""``prove`` without typer: the same meaning as with it, and everything unusual left to typer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import zkrollup.cli.groth16
from zkrollup.cli import main
from zkrollup.cli.direct import direct

FILES = ["a.zkey", "b.wtns", "c.json", "d.json"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--threads", "1"],
        ["--threads", "1024"],
        ["--memory", "700M"],
        ["--memory", "2G", "--threads", "16"],
    ],
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_direct__means_what_typer_means(
    options: list[str], place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        zkrollup.cli.groth16, "prove_files", lambda *files, **rest: calls.append((files, rest))
    )
    words = ["prove", *FILES[:place], *options, *FILES[place:]]
    for quick in (True, False):
        if not quick:
            monkeypatch.setattr("zkrollup.cli.direct", lambda words: None)
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 0
    assert calls[0] == calls[1]
    assert calls[0][0] == tuple(map(Path, FILES))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["verify", *FILES[:3]],
        ["prove"],
        ["prove", "--help"],
        ["prove", *FILES[:3]],
        ["prove", *FILES, "more"],
        ["prove", *FILES[:3], ""],
        ["prove", *FILES, "--threads"],
        ["prove", *FILES, "--threads", "0"],
        ["prove", *FILES, "--threads", "1025"],
        ["prove", *FILES, "--threads", "٣"],
        ["prove", *FILES, "--threads=2"],
        ["prove", *FILES, "--threads", "2", "--threads", "3"],
        ["prove", *FILES, "--memory", "--threads"],
        ["prove", *FILES, "--other", "1"],
        ["prove", "--", *FILES],
    ],
)
def test_direct__leaves_everything_else_to_typer(words: list[str]) -> None:
    assert direct(words) is None


def test_direct__a_missing_file_is_still_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(tmp_path / name) for name in FILES]
    with pytest.raises(SystemExit) as caught:
        main(["prove", *files])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_direct__takes_the_words_of_the_process_when_none_are_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["zkrollup", "--version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == zkrollup.__version__
