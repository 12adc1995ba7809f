"""Closed pipes, full disks, narrow encodings, interrupts, our own faults: what is said, and the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zkrollup import cli

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"
COMMAND = [sys.executable, "-P", "-m", "zkrollup"]


def test_no_arguments__print_the_help_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for words, name in (([], "zkrollup [OPTIONS]"), (["export"], "zkrollup export [OPTIONS]")):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        said = capsys.readouterr().err.splitlines()
        assert ended.value.code == 2
        assert said[0] == f"Usage: {name} COMMAND [ARGS]..."
        assert "Commands:" in said


def test_help__has_every_command_in_the_readmes_order(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in lines][:3] == ["demo", "prove", "verify"]
    assert lines[-1].split()[0] == "doctor"
    assert not [line for line in lines if line.endswith("...")]


@pytest.mark.parametrize("words", [["-h"], ["demo", "-h"], ["export", "vkey", "-h"], ["prove", "-h"]])
def test_help__has_a_short_name(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0
    short = capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main([*words[:-1], "--help"])
    assert short == capsys.readouterr().out
    assert short.startswith(" ".join(["Usage: zkrollup", *words[:-1]]))
    assert "``" not in short


@pytest.mark.parametrize(
    "words", [["inspect", "chain.r1cs"], ["audit", "chain.r1cs"], ["export", "vkey", "chain.zkey"]]
)
def test_closed_pipe__is_neither_an_answer_nor_noise(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, *words], cwd=FILES, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("words", [["inspect", "chain.r1cs"], ["export", "vkey", "chain.zkey"]])
def test_full_disk__is_bad_input(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, *words], cwd=FILES, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [b"zkrollup: no space left on device"]


def test_output_that_is_no_terminal__keeps_long_values_on_one_line() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [*COMMAND, "inspect", "chain.zkey"], cwd=FILES, capture_output=True, env=environment, check=True
    )
    (line,) = [line for line in done.stdout.splitlines() if b"circuit hash" in line]
    assert b"53cf60cb68a1e237" in line
    assert b"bcbfabc97" in line


def test_narrow_encoding__is_no_failure(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff \xc3\xbc.r1cs")
    (tmp_path / name).write_bytes((FILES / "chain.r1cs").read_bytes())
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
    for words in (["audit", name], ["setup", name, name + ".zkey", "--one-party"], ["inspect", name]):
        done = subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, capture_output=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as at a terminal: a shell starts what runs in the background with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("answer", [KeyboardInterrupt, None])
def test_interrupt__ends_with_130_and_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: type[BaseException] | None
) -> None:
    def interrupted(*_: object) -> None:
        if answer is not None:
            raise answer
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("zkrollup.cli.inspect.show", lambda *_, **__: interrupted())
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "chain.r1cs"])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "zkrollup: interrupted\n"


def test_fault_of_our_own__is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("zkrollup.cli.inspect.show", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "chain.r1cs"])
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1] == (
        "zkrollup: a fault of zkrollup's own, please report it: IndexError: list index out of range"
    )


def test_memory_that_is_not_there__is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def greedy(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("zkrollup.cli.inspect.show", greedy)
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "chain.r1cs"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "zkrollup: not enough memory\n"


def test_systems_errors__begin_with_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["inspect", "/no/such"], "/no/such: no such file or directory"),
        (["inspect", "/"], "/: is a directory"),
        (["demo", "--txs", "/no/such"], "/no/such: no such file or directory"),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 2
        assert capsys.readouterr().err == f"zkrollup: {said}\n"


def test_a_file_without_an_end__is_not_read_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    proof = FILES / "chain.wtns"
    with pytest.raises(SystemExit) as ended:
        cli.main(["verify", "/dev/zero", str(proof), str(proof)])
    assert ended.value.code == 2
    assert "/dev/zero: expected at most 67108864 bytes" in capsys.readouterr().err


def test_demo__file_without_transactions_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", "--txs", str(tmp_path / "empty")])
    assert ended.value.code == 2
    assert "no transactions in it; expected one JSON object a line" in capsys.readouterr().err
