"""Failures for terminals (rich) and notebooks (HTML), with the source line where its file is at hand.

This module must not decide what is shown first or left out; it draws what failures say. rich is loaded
only by the functions that need it.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from zkrollup.cs.failure_list import SHOWN_FULL, SHOWN_GROUPS, Failures
from zkrollup.cs.failures import SHOWN_OPERANDS, Failure, SeamFailure, value_text
from zkrollup.cs.places import Place

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

__all__ = ["failure_html", "failure_rich", "failures_html", "failures_rich", "source_line"]

_STYLE = (
    "<style>"
    ".zk-failures{font:13px/1.45 ui-monospace,monospace;color:inherit}"
    ".zk-failures details{border-left:3px solid #d33;padding:.2em .8em;margin:.4em 0}"
    ".zk-failures summary{cursor:pointer}"
    ".zk-failures b{color:#d33}"
    ".zk-failures table{border-collapse:collapse;margin:.3em 0;font:inherit;color:inherit}"
    ".zk-failures td{padding:0 1em 0 0;text-align:left;vertical-align:top;background:none}"
    ".zk-failures .zk-dim{opacity:.65}"
    ".zk-failures .zk-cause{color:#b60;font-weight:bold}"
    ".zk-failures pre{margin:.2em 0;padding:.2em .6em;background:rgba(127,127,127,.14);"
    "white-space:pre-wrap;color:inherit}"
    "</style>"
)


def source_line(place: Place) -> str:
    """The text of a source line, without its indentation; empty where the file is not at hand."""
    linecache.checkcache(place.file)
    return linecache.getline(place.file, place.line).strip()


# -- HTML --------------------------------------------------------------------------------------------
def failure_html(failure: Failure) -> str:
    """One failure, open."""
    return f'<div class="zk-failures">{_STYLE}{_details(failure, True)}</div>'


def failures_html(failures: Failures) -> str:
    """All failures: the first in full and open, a few more to open, the rest counted."""
    if not failures:
        return f'<div class="zk-failures">{escape(failures.summary)}</div>'
    groups = failures.groups
    parts = [f"<div><b>{escape(failures.summary)}</b>; {escape(failures.order)}:</div>"]
    for k, group in enumerate(groups[: SHOWN_FULL + SHOWN_GROUPS]):
        more = ""
        if group.count > 1:
            more = f'<div class="zk-dim">{group.count - 1:,} more of {escape(group.where)}</div>'
        parts.append(_details(group.first, k == 0, more))
    left = groups[SHOWN_FULL + SHOWN_GROUPS :]
    if left:
        count = sum(group.count for group in left)
        parts.append(f'<div class="zk-dim">{count:,} more of {len(left):,} other constraints</div>')
    return f'<div class="zk-failures">{_STYLE}{"".join(parts)}</div>'


def _details(failure: Failure, is_open: bool, more: str = "") -> str:
    rows = "".join(
        f"<tr><td>{escape(o.name)}</td><td>{escape(value_text(o.value))}</td>"
        f'<td class="zk-dim">{escape(str(o.place or ""))}</td></tr>'
        for o in failure.operands[:SHOWN_OPERANDS]
    )
    hidden = len(failure.operands) - SHOWN_OPERANDS
    if hidden > 0:
        rows += f'<tr><td class="zk-dim" colspan="3">… and {hidden} more</td></tr>'
    source = source_line(failure.place)
    causes = "".join(f'<div class="zk-cause">{escape(str(cause))}</div>' for cause in failure.causes)
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(failure.title)}</summary>"
        + (f"<div>in {escape(failure.subject)}</div>" if failure.subject else "")
        + f'<div class="zk-dim">{_at(failure)} {escape(str(failure.place))}</div>'
        + (f"<pre>{escape(source)}</pre>" if source else "")
        + f"<div>{escape(failure.formula)}</div>"
        + f"<div>{escape(failure.sides)}</div><table>{rows}</table>{causes}{more}</details>"
    )


def _at(failure: Failure) -> str:
    return "declared at" if isinstance(failure, SeamFailure) else "at"


# -- rich --------------------------------------------------------------------------------------------
def failure_rich(failure: Failure) -> RenderableType:
    """One failure for ``rich.print``."""
    from rich.text import Text

    return Text("\n").join(_lines(failure))


def failures_rich(failures: Failures) -> RenderableType:
    """All failures for ``rich.print``: the first in full, the rest counted."""
    from rich.text import Text

    if not failures:
        return Text(failures.summary, style="green")
    lines = [Text(failures.summary, style="bold red").append(f"; {failures.order}:", style="none")]
    for group in failures.groups[:SHOWN_FULL]:
        lines += _lines(group.first)
    lines += [Text(line, style="dim") for line in failures.rest]
    return Text("\n").join(lines)


def _lines(failure: Failure) -> Iterable[Text]:
    from rich.text import Text

    yield Text(failure.path, style="bold").append(failure.title[len(failure.path) :], style="red")
    if failure.subject:
        yield Text("  in ").append(failure.subject, style="cyan")
    yield Text(f"  {_at(failure)} {failure.place}", style="dim")
    if source := source_line(failure.place):
        yield Text("  │ ", style="dim").append(source, style="none")
    yield Text("  ").append(failure.formula, style="bold")
    yield Text(f"  {failure.sides}")
    for operand in failure.operands[:SHOWN_OPERANDS]:
        line = Text(f"    {operand.name} = ").append(value_text(operand.value), style="yellow")
        yield line.append(f"   ({operand.place})" if operand.place else "", style="dim")
    hidden = len(failure.operands) - SHOWN_OPERANDS
    if hidden > 0:
        yield Text(f"    … and {hidden} more", style="dim")
    for cause in failure.causes:
        yield Text(f"  {cause}", style="bold yellow")
