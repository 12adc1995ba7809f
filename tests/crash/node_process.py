"""A nursery of nodes that are killed: it is ready to run one at once, any number of times.

It must not know what is made of what they leave. Usage: node_process.py FOLDER TRANSACTIONS [KEYS]. For
every line on standard input, a number of seconds or "inf", it forks a process that runs the node in
FOLDER/node, all stages at once, as `zkrollup node` does, and hands in what is not handed in yet, one
transaction after the other, up to that many; the process is killed when the time is over, counted from when
the node is open, or from the beginning for a negative number. The answer is how it ended: a process whose
transactions are all executed ends with code 0. Each answer of the node's is written to FOLDER/acknowledged
before the next transaction is handed in.

Proofs: stamps; with KEYS real ones, by a worker process with its key in that folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from node_scenario import FIRST, StampProver, stamps

from zkrollup.engine import get_engine
from zkrollup.node.embedded import Embedded, open_embedded
from zkrollup.node.policy import Policy
from zkrollup.node.sequencer import transaction_id
from zkrollup.operator import engine_hasher
from zkrollup.state import BatchParameters, Transfer
from zkrollup.testing.rollup import Wallet, make_wallets

SENDERS = 4
MONEY = 10**9
POLICY = Policy(batch_seconds=0.05, max_in_flight=4)


def parameters(real: bool) -> BatchParameters:
    """Small: the state is not the matter."""
    return BatchParameters(2 if real else 4, 2, 1)


def open_parts(folder: Path, keys: Path | None) -> Embedded:
    """The node in FOLDER/node."""
    make = (lambda known: StampProver()) if keys is None else None
    hasher = engine_hasher(get_engine(threads=1))
    sizes = parameters(keys is not None)
    return open_embedded(
        folder / "node", sizes, POLICY, make_prover=make, key_directory=keys, threads=1, hasher=hasher
    )


def wallets_of(parts: Embedded) -> list[Wallet]:
    """The senders, signing for this chain and rollup."""
    identity = parts.store.identity
    return [
        Wallet(wallet.key, wallet.eth_address, identity.chain_id, identity.rollup_id)
        for wallet in make_wallets(SENDERS)
    ]


def pay_in(parts: Embedded, wallets: list[Wallet]) -> None:
    """One deposit each, in order; the operator's is request 0."""
    world = parts.chain.world
    for wallet in wallets[world.num_requests - 1 :]:
        world.fund(wallet.eth_address, 0, MONEY - world.balance_of(wallet.eth_address, 0))
        world.deposit(0, MONEY, *wallet.key.public_key, wallet.eth_address, sender=wallet.eth_address)


def transaction(wallets: list[Wallet], number: int) -> Transfer:
    """The transfer with this number: senders take turns, so that nonces follow."""
    place = number % SENDERS
    to = FIRST + (place + 1) % SENDERS
    unsigned = Transfer(FIRST + place, to, 0, 1 + number % 7, 1, number // SENDERS)
    return wallets[place].sign(unsigned)


async def live(parts: Embedded, folder: Path, wanted: int) -> None:
    """Run the node and hand in transactions until all are executed."""
    node = parts.node()
    running = asyncio.create_task(node.run())
    wallets = wallets_of(parts)
    identity = parts.store.identity
    said = os.open(folder / "acknowledged", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    known = os.pread(said, 1 << 24, 0).count(b"\n")

    async def until(what: Any) -> None:
        while not await node.core(what):
            if running.done():
                running.result()
            await asyncio.sleep(0.005)

    await until(lambda: parts.store.state.next_index >= FIRST + SENDERS)
    for number in range(known, wanted):
        one = transaction(wallets, number)
        (receipt,) = await node.submit([one], identity.chain_id, identity.rollup_id)
        assert receipt.id == transaction_id(one, identity.chain_id, identity.rollup_id)
        os.write(said, f"{receipt.id}\n".encode())
        await asyncio.sleep(0)

    def done() -> bool:
        waiting = parts.store.counts().get("waiting", 0)
        return waiting == 0 and not parts.store.status_numbers()

    await until(done)
    await node.stop()
    await running
    await asyncio.to_thread(node.close)


def child(folder: Path, wanted: int, keys: Path | None, opened: int) -> int:
    """One node's life; the exit code."""
    try:
        parts = open_parts(folder, keys)
        os.close(opened)
        acknowledged = folder / "acknowledged"
        if acknowledged.exists():
            for line in acknowledged.read_text().splitlines():
                stored = parts.store.find_transaction(int(line))
                assert stored is not None, f"{line} was acknowledged, and is gone"
                assert stored.status != "dropped", stored
        pay_in(parts, wallets_of(parts))
        asyncio.run(live(parts, folder, wanted))
        parts.close()
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def ended(pid: int, seconds: float, opened: int) -> int:
    """How a child ended, by itself or because it was killed after this time."""
    if seconds >= 0:
        select.select([opened], [], [])  # closed at the other end, by the node or by its death
    end = time.monotonic() + abs(seconds)
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end:
            os.kill(pid, signal.SIGKILL)  # nobody has waited for it, so the number is still its own
            end = float("inf")
        time.sleep(min(0.005, max(0.0, end - time.monotonic())))


def main(folder: Path, wanted: int, keys: Path | None) -> None:
    """Fork a node for each line of standard input."""
    with stamps() if keys is None else contextlib.nullcontext():
        for line in sys.stdin:
            ours, theirs = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(ours)
                os._exit(child(folder, wanted, keys, theirs))
            os.close(theirs)
            code = ended(pid, float(line), ours)
            os.close(ours)
            print(code, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
