"""A node that is killed at random, again and again, while it takes, builds, proves and submits at once.

What the enumeration of its operations cannot see: several threads, a proving process, and a directory that
was left hundreds of times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.restore import restore
from zkrollup.state import Kind, StateTree
from zkrollup.state.public_data import decode

from .conftest import HERE, ROOT


@contextmanager
def nursery(folder: Path, wanted: int, keys: Path | None) -> Iterator[subprocess.Popen[str]]:
    """The process that begins nodes; ends with the block."""
    words = [sys.executable, str(HERE / "node_process.py"), str(folder), str(wanted)]
    path = os.pathsep.join([str(ROOT), str(HERE)])
    process = subprocess.Popen(
        words + ([] if keys is None else [str(keys)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def one_life(process: subprocess.Popen[str], seconds: float) -> int:
    """Begin a node, have it killed after this time (see node_process.py), and say how it ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def kill_at_random(folder: Path, wanted: int, rounds: int, longest: float, keys: Path | None = None) -> int:
    """Let a node live ``rounds`` times, not long, a quarter of them from before its files are open; then as
    long as it needs. How often it was killed."""
    source = random.Random(f"{wanted} {rounds}")
    killed = 0
    with nursery(folder, wanted, keys) as process:
        for _ in range(rounds):
            seconds = source.uniform(0, longest)
            code = one_life(process, -seconds if source.random() < 0.25 else seconds)
            assert code in (0, -signal.SIGKILL)
            killed += code != 0
        assert one_life(process, float("inf")) == 0
    return killed


def check_end(folder: Path, wanted: int, keys: Path | None, engine: Engine) -> None:
    """Every transaction is on L1 once, in batches that lead to the node's state."""
    sys.path.insert(0, str(HERE))
    try:
        import node_process
    finally:
        sys.path.remove(str(HERE))
    parts = node_process.open_parts(folder, keys)
    try:
        l1, state, store = parts.chain.world, parts.store.state, parts.store
        ids = [int(line) for line in (folder / "acknowledged").read_text().splitlines()]
        assert len(set(ids)) == wanted
        for identifier in ids:
            stored = store.find_transaction(identifier)
            assert stored is not None
            assert stored.batch is not None
            batch = store.batch(stored.batch)
            assert batch is not None
            assert batch.status == "executed"
        assert (l1.executed, l1.root) == (state.batch_number, state.root)
        rebuilt = StateTree.in_memory(state.depth, engine_hasher(engine))
        assert restore(l1, rebuilt).waiting == ()
        assert rebuilt.root == state.root == state.recompute_root()
        assert list(rebuilt.accounts()) == list(state.accounts())
        batches = [decode(l1.batch_data(n), l1.parameters) for n in range(1, l1.executed + 1)]
        kinds = [record.kind for batch in batches for record in batch.records]
        assert kinds.count(Kind.TRANSFER) == wanted
        assert kinds.count(Kind.DEPOSIT) == len(kinds) - wanted == node_process.SENDERS + 1
        senders = range(node_process.FIRST, node_process.FIRST + node_process.SENDERS)
        assert sum(state.account(index).nonce for index in senders) == wanted
    finally:
        parts.close()


def test_random_kills__lose_and_repeat_nothing(tmp_path: Path, engine: Engine) -> None:
    """R9: a few rounds."""
    pytest.importorskip("fcntl")
    assert kill_at_random(tmp_path, 24, 6, 0.3) > 0
    with node_stamps():
        check_end(tmp_path, 24, None, engine)


@contextmanager
def node_stamps() -> Iterator[None]:
    """Stamps, here as in the nodes."""
    from .node_scenario import stamps

    with stamps():
        yield


@pytest.mark.slow
def test_random_kills__of_500_rounds_lose_and_repeat_nothing(tmp_path: Path, engine: Engine) -> None:
    """R9: 500 rounds; more transactions than a quick machine finishes in them, so that each can be a kill."""
    wanted = 4_000
    killed = kill_at_random(tmp_path, wanted, 500, 0.6)
    print(f"killed {killed} times in 500 rounds")
    with node_stamps():
        check_end(tmp_path, wanted, None, engine)
    assert killed > 300


@pytest.mark.slow
def test_random_kills__with_real_proofs_lose_and_repeat_nothing(tmp_path: Path, engine: Engine) -> None:
    """R9: the proving process is left behind by each kill, and ends by itself."""
    keys = tmp_path / "keys"
    killed = kill_at_random(tmp_path, 8, 8, 3.0, keys)
    check_end(tmp_path, 8, keys, engine)
    assert killed > 0
