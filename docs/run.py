"""Runs the pages: every fenced block, top to bottom, in a temporary folder, and compares what it prints.

    python docs/run.py                    # all pages
    python docs/run.py docs/tutorial.md   # one
    python docs/run.py --write            # put what the blocks print now into the pages

This file must not know what any page says. What a page may contain:

- a ``python`` block runs in the page's one namespace. Its lines are numbered as if all such blocks of the
  page stood in one file, ``tutorial.py`` for ``tutorial.md``, so that places in shown output are true for
  whoever copies them into one;
- a ``python title="name.py"`` block (or of another language) is saved as that file, and only that;
- an ``sh`` block is run by bash, which stops at the first command that fails;
- a ``text`` block is what the block before it prints. ``…`` in it stands for anything on that line, a line
  that is ``…`` alone for any lines;
- a block after ``<!-- not run: REASON -->`` is not run, and a ``text`` block after it is not compared;
- ``<!-- files: GLOB … -->`` copies files of the repository into the folder.

Any other block is an error: nothing is skipped without a reason.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Block", "Outcome", "PageError", "main", "parse", "run_page"]

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
_FENCE = re.compile(r"```(\S*)(?:\s+title=\"([^\"]+)\")?\s*$")
_NOT_RUN = re.compile(r"<!-- not run: (.*\S) -->$")
_OURS = re.compile(r"[\w./-]*/zkrollup/([\w/]+\.py):\d+")  # where the package lies, and its lines, move
_FILES = re.compile(r"<!-- files: (.*\S) -->$")


class PageError(Exception):
    """A page that cannot be read or run, or that shows what is not so; the text begins with page and line."""


@dataclass(frozen=True)
class Block:
    """A fenced block. ``line``: of the page, where its text begins. ``shown``: the output that the page shows
    for it, and ``shown_line`` where; None when it shows none."""

    language: str
    text: str
    line: int
    title: str | None = None
    reason: str | None = None
    shown: str | None = None
    shown_line: int = 0


@dataclass(frozen=True)
class Outcome:
    """A block and what it printed; None when it was not run, or saved as a file."""

    block: Block
    printed: str | None

    @property
    def matches(self) -> bool:
        """Whether the page shows what was printed; a page need not show it."""
        return self.printed is None or self.block.shown is None or _alike(self.block.shown, self.printed)


def _alike(shown: str, printed: str) -> bool:
    lines = [line.rstrip() for line in shown.strip("\n").split("\n")]
    pattern = "\n".join(
        "(?:.*\n?)*?.*" if line == "…" else ".*".join(re.escape(part) for part in line.split("…"))
        for line in lines
    )
    printed = "\n".join(line.rstrip() for line in printed.strip("\n").split("\n"))
    return re.fullmatch(pattern, printed) is not None


def parse(page: Path) -> tuple[list[Block], list[str]]:
    """The blocks of a page, and the globs of the files that it needs."""
    blocks: list[Block] = []
    globs: list[str] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    reason: str | None = None
    k = 0
    while k < len(lines):
        line = lines[k]
        k += 1
        if files := _FILES.match(line):
            globs += files[1].split()
        elif marker := _NOT_RUN.match(line):
            reason = marker[1]
        elif line.startswith("```"):
            fence = _FENCE.match(line)
            if fence is None or not fence[1]:
                raise PageError(f"{page.name}:{k}: a block without a language")
            first = k
            while k < len(lines) and lines[k] != "```":
                k += 1
            if k == len(lines):
                raise PageError(f"{page.name}:{first}: a block that does not end")
            text = "".join(f"{inner}\n" for inner in lines[first:k])
            k += 1
            language, title = fence[1], fence[2]
            if language == "text":
                _show(page, blocks, text, first)
            elif language not in ("python", "sh") and title is None and reason is None:
                raise PageError(f"{page.name}:{first}: a block in {language} is neither run nor marked")
            else:
                blocks.append(Block(language, text, first + 1, title, reason))
            reason = None
        elif line.strip():
            reason = None
    return blocks, globs


def _show(page: Path, blocks: list[Block], text: str, first: int) -> None:
    """A ``text`` block, with the block that prints it."""
    last = blocks[-1] if blocks else None
    if last is None or last.shown is not None or last.title is not None:
        raise PageError(f"{page.name}:{first}: shows output, but nothing before it prints")
    blocks[-1] = Block(last.language, last.text, last.line, None, last.reason, text, first + 1)


@contextlib.contextmanager
def _in_folder(folder: Path, globs: list[str]) -> Iterator[dict[str, str]]:
    """The folder with what a page needs; gives the environment of its commands and leaves no trace."""
    for pattern in globs:
        found = glob.glob(str(ROOT / pattern))
        if not found:
            raise PageError(f"{pattern}: no such file in the repository")
        for name in found:
            shutil.copy(name, folder)
    commands = folder / ".commands"
    commands.mkdir()
    shim = commands / "zkrollup"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m zkrollup "$@"\n')
    shim.chmod(0o755)
    (commands / "python").symlink_to(sys.executable)
    before, modules, path = dict(os.environ), set(sys.modules), list(sys.path)
    added = {
        "ZKROLLUP_CACHE": str(folder / ".cache"),
        "PATH": f"{commands}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "110",
    }
    os.environ.update(added)
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):
            yield dict(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if origin.startswith(str(folder)):
                del sys.modules[name]


def run_page(page: Path, folder: Path) -> list[Outcome]:
    """Runs a page in an empty folder; PageError at the first block that fails."""
    blocks, globs = parse(page)
    outcomes: list[Outcome] = []
    script = f"{page.stem}.py"
    namespace: dict[str, Any] = {"__name__": page.stem, "__file__": script}
    written = 0
    with _in_folder(folder, globs) as environment:
        for block in blocks:
            printed: str | None = None
            if block.title is not None:
                Path(block.title).write_text(block.text, encoding="utf-8")
            elif block.reason is not None:
                pass
            elif block.language == "python":
                printed = _python(page, block, script, written, namespace)
                written += block.text.count("\n")
            else:
                printed = _shell(page, block, environment)
            outcomes.append(Outcome(block, printed))
    return outcomes


def _python(page: Path, block: Block, script: str, before: int, namespace: dict[str, Any]) -> str:
    printed = io.StringIO()
    try:
        code = compile("\n" * before + block.text, script, "exec", dont_inherit=True)
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
    except Exception as error:
        line = block.line
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == script and trace.tb_lineno > before:
                line = block.line + trace.tb_lineno - before - 1
            trace = trace.tb_next
        raise PageError(f"{page.name}:{line}: {type(error).__name__}: {error}") from error
    return printed.getvalue()


def _shell(page: Path, block: Block, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise PageError(f"{page.name}:{block.line}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def rewrite(page: Path, outcomes: list[Outcome]) -> int:
    """Puts what was printed into the page where it shows something else; returns how often."""
    lines = page.read_text(encoding="utf-8").splitlines()
    changed = [one for one in outcomes if not one.matches]
    for one in reversed(changed):
        assert one.block.shown is not None
        assert one.printed is not None
        begin = one.block.shown_line - 1
        end = begin + one.block.shown.count("\n")
        printed = _OURS.sub(r"…/zkrollup/\1:…", one.printed)
        before, after = lines[begin:end], [line.rstrip() for line in printed.strip("\n").split("\n")]
        if len(before) == len(after):  # lines that are true as they stand keep their ellipses
            after = [old if _alike(old, new) else new for old, new in zip(before, after, strict=True)]
        lines[begin:end] = after
    if changed:
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(changed)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: every page is true; 1: one is not."""
    parser = argparse.ArgumentParser(description="Run the pages' blocks and compare what they print.")
    parser.add_argument("pages", nargs="*", type=Path, help="default: all pages in docs/")
    parser.add_argument("--write", action="store_true", help="put what the blocks print into the pages")
    options = parser.parse_args(arguments)
    wrong = 0
    for page in options.pages or sorted(DOCS.glob("*.md")):
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes = run_page(page.resolve(), Path(folder).resolve())
            except PageError as error:
                print(error)
                wrong += 1
                continue
        if options.write:
            print(f"{page}: {rewrite(page, outcomes)} blocks of output changed")
            continue
        for one in outcomes:
            if not one.matches:
                wrong += 1
                at = f"{page.name}:{one.block.shown_line}"
                print(f"{at}: shown is\n{one.block.shown}printed is\n{one.printed}")
        skipped = sum(one.block.reason is not None for one in outcomes)
        print(f"{page.name}: {len(outcomes)} blocks, {skipped} not run")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
