"""A node as a process: opened, served over HTTP, shown, and stopped by a signal.

This module must not know what the node does.
"""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import logging
import signal
import socket
import sqlite3
import sys
from dataclasses import dataclass, field
from pathlib import Path

from zkrollup.l1.evm.transport import EvmError
from zkrollup.node.api import Api, ServerLimits
from zkrollup.node.embedded import open_embedded
from zkrollup.node.errors import NodeRefusal
from zkrollup.node.opening import CONTRACT, OpenNode
from zkrollup.node.policy import Policy
from zkrollup.node.prover import TIME_LIMIT
from zkrollup.state.parameters import BatchParameters

__all__ = ["ExternalL1", "run_node"]

log = logging.getLogger("zkrollup.node")


@dataclass(frozen=True)
class ExternalL1:
    """An Ethereum node, the private key of the rollup's operator there, a contract to go on with, whether
    a key that one party made may be deployed where the chain is not one for development, the most wei to be
    paid for a unit of gas, and after how many seconds a transaction that is in no block pays more."""

    url: str
    key: int = field(repr=False)
    contract: int | None = None
    allow_insecure: bool = False
    max_fee: int = 500 * 10**9
    patience: float = 60.0


SENT = "sent.json"
"""The file of what was sent to an Ethereum node, in a node's directory."""


def run_node(
    directory: Path,
    parameters: BatchParameters,
    policy: Policy,
    limits: ServerLimits,
    *,
    host: str,
    port: int,
    threads: int | None = None,
    key_directory: Path | None = None,
    proof_seconds: float = TIME_LIMIT,
    l1: ExternalL1 | None = None,
) -> None:
    """Runs a node, with an embedded L1 unless ``l1`` is given, until SIGTERM or Ctrl-C.

    Its address is in ``node.url`` in the directory while it runs, and in the second line that it logs. Raises
    ``ValueError`` with the text of what keeps a node from starting or stops it, ``OSError`` when the port is
    taken.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise ValueError("a node needs a library for HTTP: pip install 'zkrollup[node]'")
    terminal = sys.stderr.isatty()
    if not terminal:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
        logging.getLogger("aiohttp").setLevel(logging.WARNING)
        logging.getLogger("aiohttp.server").addFilter(_is_our_own_fault)
    if directory.exists() and not directory.is_dir():
        raise NotADirectoryError(f"--data {directory}: is a file, expected a directory")
    require_same_l1(directory, external=l1 is not None)
    require_address(host, port)
    log.info("opening %s", directory)
    try:
        parts = _open(directory, parameters, policy, threads, key_directory, proof_seconds, l1)
        try:
            api = Api(parts.node(), limits, world=parts.world)
            asyncio.run(_serve(api, directory / "node.url", host, port, terminal=terminal))
        finally:
            parts.close()
    except (NodeRefusal, EvmError) as error:
        raise ValueError(str(error)) from error
    except sqlite3.OperationalError as error:  # a full disk, no permission
        raise ValueError(f"{directory}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise ValueError(
            f"{directory}: a file in it is damaged ({error}); node.db may be removed, then the state comes "
            "back from L1, and what was waiting has to be submitted again"
        ) from error


def require_same_l1(directory: Path, *, external: bool) -> None:
    """ValueError for the directory of a rollup that is on an L1 of the other sort."""
    if external and (directory / "l1.db").exists() and not (directory / CONTRACT).exists():
        raise ValueError(
            f"{directory}: its rollup is on an L1 inside; expected no --l1, or another directory"
        )
    if not external and (directory / CONTRACT).exists():
        raise ValueError(f"{directory}: its rollup is on an Ethereum node; expected --l1 URL --l1-key FILE")


def require_address(host: str, port: int) -> None:
    """ValueError when nobody could listen there: said before anything is opened, or deployed."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        why = "is taken; name another with --port, or 0 for any free one"
        if error.errno != errno.EADDRINUSE:
            why = f"cannot be listened on: {(error.strerror or str(error)).lower()}"
        raise ValueError(f"{host}:{port} {why}") from error


def _is_our_own_fault(record: logging.LogRecord) -> bool:
    """False for a request that failed since its client left or spoke no HTTP: anybody can make such."""
    from aiohttp.http_exceptions import HttpProcessingError

    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


def _open(
    directory: Path,
    parameters: BatchParameters,
    policy: Policy,
    threads: int | None,
    key_directory: Path | None,
    proof_seconds: float,
    l1: ExternalL1 | None,
) -> OpenNode:
    if l1 is None:
        return open_embedded(
            directory,
            parameters,
            policy,
            threads=threads,
            key_directory=key_directory,
            proof_seconds=proof_seconds,
        )
    from zkrollup.l1.evm.json_rpc_transport import FeePolicy, JsonRpcTransport
    from zkrollup.l1.evm.outbox import Outbox
    from zkrollup.l1.evm.signing import address_of
    from zkrollup.node.external import open_external

    transport = JsonRpcTransport(
        l1.url,
        keys=[l1.key],
        fees=FeePolicy(cap=l1.max_fee, patience=l1.patience),
        outbox=Outbox(directory / SENT),
        one_at_a_time=True,
    )
    return open_external(
        directory,
        parameters,
        transport,
        address_of(l1.key),
        policy,
        contract=l1.contract,
        threads=threads,
        key_directory=key_directory,
        proof_seconds=proof_seconds,
        allow_insecure=l1.allow_insecure,
    )


async def _serve(api: Api, url_file: Path, host: str, port: int, *, terminal: bool) -> None:
    from aiohttp import web

    node = api.node
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: asyncio.ensure_future(node.stop()))
    runner = api.runner(shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        url = f"http://{bound[0]}:{bound[1]}"
        url_file.write_text(url + "\n")
        log.info("listening on %s", url)
        await _run(api, url, terminal=terminal)
    finally:
        url_file.unlink(missing_ok=True)
        await runner.cleanup()
        await asyncio.to_thread(node.close)
    log.info("stopped")


async def _run(api: Api, url: str, *, terminal: bool) -> None:
    shown: asyncio.Task[None] | None = None
    if terminal:
        from rich.console import Console

        from zkrollup.node.view import follow

        shown = asyncio.create_task(follow(api.node, url, Console(stderr=True)))
    try:
        await api.node.run()
    finally:
        if shown is not None:
            shown.cancel()
            await asyncio.gather(shown, return_exceptions=True)
