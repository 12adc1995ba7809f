"""A node that answers HTTP from a thread of the test's process, with simulated proofs.

This module must not be imported by anything that runs a rollup.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkrollup.node.api import Api, ServerLimits
from zkrollup.node.embedded import Embedded, MakeProver, open_embedded
from zkrollup.node.policy import Policy
from zkrollup.node.service import Node
from zkrollup.state.parameters import BatchParameters
from zkrollup.testing.node import SimulatedProver

__all__ = ["Served", "serve"]


@dataclass
class Served:
    """A running node: its address, its parts, and a way to run something in its event loop."""

    url: str
    node: Node
    parts: Embedded
    call: Callable[[Any], Any]


@contextmanager
def serve(
    directory: Path,
    *,
    slots: int = 4,
    depth: int = 3,
    policy: Policy | None = None,
    limits: ServerLimits | None = None,
    make_prover: MakeProver | None = None,
    run: bool = True,
) -> Iterator[Served]:
    """Serves a node on a free port; with ``run=False`` it answers but builds nothing."""
    from aiohttp import web

    parts = open_embedded(
        directory,
        BatchParameters(slots, depth, 1),
        Policy(batch_seconds=0.0) if policy is None else policy,
        make_prover=make_prover or (lambda known: SimulatedProver()),
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    async def begin() -> tuple[Node, web.AppRunner, str, asyncio.Task[None] | None]:
        node = parts.node()
        runner = Api(node, limits, world=parts.chain.world).runner(shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        task = asyncio.create_task(node.run()) if run else None
        host, port = runner.addresses[0][:2]
        return node, runner, f"http://{host}:{port}", task

    node, runner, url, task = call(begin())
    try:
        yield Served(url, node, parts, call)
    finally:

        async def end() -> None:
            await node.stop()
            if task is not None:
                await asyncio.wait([task])
            await runner.cleanup()

        call(end())
        node.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        parts.close()
