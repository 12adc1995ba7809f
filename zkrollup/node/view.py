"""The node for people: a table that follows it on a terminal, lines of text elsewhere.

This module must not change anything; it asks the node where it stands, four times a second.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from zkrollup.node.service import Node

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["follow", "render"]

REFRESH_SECONDS = 0.25


async def follow(node: Node, url: str, console: Console) -> None:
    """Shows the node until it stops, or this is cancelled."""
    from rich.live import Live

    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while not node.stopping:
            summary = await node.summary()
            live.update(render(summary, node, url))
            await asyncio.sleep(REFRESH_SECONDS)


def render(summary: dict[str, Any], node: Node, url: str) -> RenderableType:
    """One picture of the node."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    progress = node.progress
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    l1 = summary["l1"]
    at = summary["prover"]
    proving = "idle"
    if at is not None:
        proving = f"batch {at['batch']}, attempt {at['attempt']} of {at['attempts']}"
        proving += f" FAILED: {at['failure']}" if at["gave_up"] else f", {at['seconds']:.0f} s"
    uptime = int(time.time() - progress.started)
    table.add_row("node", f"{url}   up {uptime // 3600}:{uptime // 60 % 60:02}:{uptime % 60:02}")
    table.add_row(
        "transactions",
        f"{progress.accepted} accepted, {progress.refused} refused, {summary['waiting']} waiting",
    )
    table.add_row(
        "batches",
        f"{summary['last_batch']} built, {summary['last_proved']} proved, "
        f"{summary['last_executed']} executed, {summary['in_flight']} in flight",
    )
    table.add_row(
        "prover",
        f"{proving}   last {progress.prove_seconds:.2f} s",
    )
    if l1 is None:
        table.add_row("L1", "not reached yet")
    else:
        state = "FROZEN" if l1["frozen"] else f"block {l1['block']}"
        table.add_row(
            "L1",
            f"{state}   committed {l1['committed']}, proved {l1['proved']}, executed {l1['executed']}, "
            f"{l1['requests_waiting']} requests not executed",
        )
    table.add_row("root", f"0x{summary['root']:064x}"[:26] + "…")
    lines = [Text("  " + text, style="dim", overflow="ellipsis", no_wrap=True) for text in progress.messages]
    return Group(table, *lines)
