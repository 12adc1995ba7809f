"""README's Python runs as it stands, and its commands exist."""

from __future__ import annotations

import re
from itertools import takewhile
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

    def help_text(command: list[str]) -> str:
        result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
        assert result.exit_code == 0, command
        return result.output

    (usage,) = (block for block in re.findall(r"```\n(zkrollup .*?)```", README.read_text(), re.DOTALL))
    for line in usage.splitlines():
        words = line.split()[1:]
        command = list(takewhile(re.compile("[a-z][a-z0-9-]*$").match, words))
        assert command, line
        for option in re.findall(r"--[a-z-]+", line):
            assert option in help_text(command), (command, option)


def test_readme__every_folder_it_maps_exists() -> None:
    for name in re.findall(r"^\| `([a-z0-9_/.]+)`", README.read_text(), re.MULTILINE):
        assert (README.parent / name).exists(), name


def test_readme__links_to_what_exists_and_to_every_page() -> None:
    text = README.read_text()
    for target, _, anchor in re.findall(r"\]\(([^)#\s]*)(#([^)]*))?\)", text):
        if "://" in target:
            continue
        path = README.parent / target if target else README
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in anchors, (target, anchor)
    for page in (README.parent / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in text, page.name


def test_readme__names_files_that_exist() -> None:
    for name in re.findall(
        r"`((?:benches|circuits|docs|native|tests|zkrollup)/[\w./-]+)`", README.read_text()
    ):
        assert (README.parent / name).exists(), name


def test_readme__names_every_command() -> None:
    from zkrollup.cli.app import COMMANDS

    (usage,) = (block for block in re.findall(r"```\n(zkrollup .*?)```", README.read_text(), re.DOTALL))
    named = {line.split()[1] for line in usage.splitlines()}
    assert named == set(COMMANDS)
