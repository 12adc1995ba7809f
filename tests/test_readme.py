"""README's Python runs as it stands, and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    """Code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_readme__first_proof_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("ZKROLLUP_CACHE", str(tmp_path))
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.rstrip().endswith("True")


def test_readme__first_proof_is_ten_lines() -> None:
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10


def test_readme__commands_and_options_exist() -> None:
    from typer.testing import CliRunner

    from zkrollup.cli.app import app

    help_text = {
        name: CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
        for name in ("demo", "prove", "verify", "setup", "contribute", "check-key", "ptau", "doctor")
    }
    (usage,) = (block for block in re.findall(r"```\n(zkrollup .*?)```", README.read_text(), re.DOTALL))
    for line in usage.splitlines():
        _, command, *rest = line.split()
        for option in re.findall(r"--[a-z-]+", " ".join(rest)):
            assert option in help_text[command], (command, option)


def test_readme__every_folder_it_maps_exists() -> None:
    for name in re.findall(r"^\| `([a-z0-9_/.]+)`", README.read_text(), re.MULTILINE):
        assert (README.parent / name).exists(), name
