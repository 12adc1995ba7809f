"""The node's file: which it takes, which it refuses by name, and that what belongs together goes together."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from pathlib import Path

import pytest

from zkrollup.node.devchain import DevChain
from zkrollup.node.embedded import open_chain
from zkrollup.node.errors import DirectoryInUse, NewerStateFile, StateFileMismatch
from zkrollup.node.store import SCHEMA_VERSION, DirectoryLock, Identity, NodeStore
from zkrollup.state import StateTree
from zkrollup.state.exceptions import StoreMismatch
from zkrollup.state.parameters import BatchParameters
from zkrollup.testing.node import StepNode
from zkrollup.testing.rollup import SimulatedKey

IDENTITY = Identity(31337, 0xA, 0xB, slots=4, depth=3, fee_tokens=1, genesis_root=5)


def test_store__opens_again_with_the_same_identity(tmp_path: Path) -> None:
    NodeStore(tmp_path / "n.db", IDENTITY).close()
    NodeStore(tmp_path / "n.db", IDENTITY).close()


@pytest.mark.parametrize("name", [item.name for item in fields(Identity)])
def test_store__refuses_a_file_of_another_rollup_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "n.db"
    NodeStore(path, IDENTITY).close()
    value = getattr(IDENTITY, name)
    with pytest.raises(StateFileMismatch) as caught:
        NodeStore(path, replace(IDENTITY, **{name: value + 1}))
    assert str(caught.value) == (
        f"not this rollup's file: {path}: {name.replace('_', ' ')} is {value}; expected {value + 1}; "
        "start the node with what it was begun with, or with another directory"
    )


def test_store__refuses_a_file_of_a_newer_version_by_name(tmp_path: Path) -> None:
    path = tmp_path / "n.db"
    NodeStore(path, IDENTITY).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(NewerStateFile, match=f"schema {SCHEMA_VERSION + 1}; this version knows schema 1"):
        NodeStore(path, IDENTITY)


def test_store__refuses_what_is_no_node_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no database, " * 500)
    with pytest.raises(StateFileMismatch, match=r"format is .* expected 'an SQLite database'"):
        NodeStore(tmp_path / "text", IDENTITY)
    StateTree.open(tmp_path / "state.db", 3).close()
    with pytest.raises(StateFileMismatch, match="application id"):
        NodeStore(tmp_path / "state.db", IDENTITY)


def test_store__is_no_plain_state_store_either(tmp_path: Path) -> None:
    NodeStore(tmp_path / "n.db", IDENTITY).close()
    with pytest.raises(StoreMismatch, match="application id"):
        StateTree.open(tmp_path / "n.db", 3)


def test_store__writes_ahead_and_syncs(tmp_path: Path) -> None:
    store = NodeStore(tmp_path / "n.db", IDENTITY)
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    store.close()


def test_build__writes_state_batch_and_mempool_together_or_not_at_all(node: StepNode) -> None:
    from .conftest import Bank

    bank = Bank(node)
    (receipt,) = node.submit(bank.transfer())
    meta, batches, counts = node.store.state.meta, node.store.last_batch(), node.store.counts()

    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    node.store.place = fails  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no space"):
        node.build()
    del node.store.place
    assert (node.store.state.meta, node.store.last_batch(), node.store.counts()) == (meta, batches, counts)
    assert receipt.id in node.sequencer.mempool
    assert node.build() is not None


def test_lock__lets_one_process_into_a_directory(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    with pytest.raises(DirectoryInUse, match=f"another process holds {tmp_path}"):
        DirectoryLock(tmp_path)
    lock.release()
    DirectoryLock(tmp_path).release()


def test_node__refuses_the_directory_of_another_rollup(tmp_path: Path) -> None:
    StepNode(tmp_path).close()
    with pytest.raises(StateFileMismatch, match=r"l1.db: slots is 4; expected 8"):
        StepNode(tmp_path, slots=8)
    StepNode(tmp_path).close()  # nothing was damaged, and the lock is free


def test_chain__refuses_a_file_of_another_chain_or_of_none(tmp_path: Path) -> None:
    parameters = BatchParameters(4, 3, 1)
    open_chain(tmp_path / "l1.db", parameters, SimulatedKey(seed=1).verifying_key).close()
    with pytest.raises(StateFileMismatch, match="verifying key is"):
        open_chain(tmp_path / "l1.db", parameters, SimulatedKey(seed=2).verifying_key)
    NodeStore(tmp_path / "n.db", IDENTITY).close()
    with pytest.raises(StateFileMismatch, match="application id"):
        open_chain(tmp_path / "n.db", parameters, SimulatedKey(seed=1).verifying_key)


def test_chain__keeps_no_call_that_was_refused(node: StepNode) -> None:
    from zkrollup.l1.reverts import Revert

    calls = node.chain.num_calls
    with pytest.raises(Revert):
        node.l1.withdraw(5, 0, sender=5)
    assert node.chain.num_calls == calls
    assert isinstance(node.chain, DevChain)
