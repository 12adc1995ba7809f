"""Tables and progress for people, on rich. It must not know what is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Steps", "print_mapping", "print_plain", "print_rows", "progress_steps", "say"]

_FILE_WIDTH = 200  # columns where no terminal says how many there are: a root on one line, for grep


@cache
def _out() -> Console:
    from rich.console import Console  # rich takes 20 ms to load: not for a command that says one line

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # its own answer is exit code 1, which says that a statement is false

    shown = sys.stdout is not None and sys.stdout.isatty()
    return Output(highlight=False, width=None if shown or "COLUMNS" in os.environ else _FILE_WIDTH)


class Steps(Protocol):
    """Something to tell which phase is under way, and which part of it is done."""

    def __call__(self, name: str, part: float) -> None: ...


@contextmanager
def progress_steps(title: str, total: int, *, quiet: bool) -> Iterator[Steps]:
    """A bar on standard error, one unit for each of ``total`` phases; silent when ``quiet``, or
    when that is no terminal.

    A phase with a colon in its name is a part of the one before it.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda name, part: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(title, total=total)
        finished, current = -1, ""

        def step(name: str, part: float) -> None:
            nonlocal finished, current
            if ":" not in name and name != current:
                finished, current = finished + 1, name
            progress.update(task, description=f"{title}: {name}", completed=finished + part)

        yield step


def say(text: str) -> None:
    """One line on standard output."""
    print(text)


def print_rows(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table; the first column to the left, the others to the right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for i, name in enumerate(header):
        table.add_column(name, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    _out().print(table)


def print_plain(header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Columns without lines between, each as wide as its widest cell, for wide tables; never folded."""
    table = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *others in table:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        say("  ".join(cells).rstrip())


def print_mapping(title: str, facts: Mapping[str, Any]) -> None:
    """A table of names and values; nested mappings and lists on one line."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {inner}" for key, inner in value.items())
        elif isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        table.add_row(name.replace("_", " "), str(value))
    _out().print(table)
