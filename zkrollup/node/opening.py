"""What every node's directory has: a lock, the verifying keys of its rollup, the node's file.

This module must not know which L1 there is.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from zkrollup.engine import get_engine
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.l1.interface import L1, L1World
from zkrollup.node.prover import Prover
from zkrollup.node.sequencer import Sequencer
from zkrollup.node.service import Node
from zkrollup.node.store import DirectoryLock, Identity, NodeStore
from zkrollup.operator import engine_hasher
from zkrollup.state.exceptions import StateError
from zkrollup.state.hashing import Hasher
from zkrollup.state.parameters import BatchParameters

__all__ = [
    "BATCH_KEY",
    "CONTRACT",
    "EXIT_KEY",
    "OpenNode",
    "begin",
    "keep",
    "known_parameters",
    "load_key",
    "open_store",
    "save_key",
]

BATCH_KEY = "verifying_key.json"
EXIT_KEY = "exit_verifying_key.json"
CONTRACT = "contract.json"  # where the contract is, of a rollup on an Ethereum node


@dataclass
class OpenNode:
    """A node that is open: ``sender`` calls ``l1``, and ``opened`` closes everything."""

    directory: Path
    l1: L1
    sender: int
    store: NodeStore
    sequencer: Sequencer
    prover: Prover
    opened: ExitStack

    @property
    def world(self) -> L1World | None:
        """The L1 and its surroundings, where they are the node's own."""
        return None

    def node(self) -> Node:
        """The node, to be run in an event loop."""
        return Node(self.sequencer, self.prover, self.l1, operator=self.sender)

    def close(self) -> None:
        """Close all of it."""
        self.opened.close()


def begin(directory: Path, opened: ExitStack) -> None:
    """Makes the directory and takes it for this process. Raises :class:`DirectoryInUse`."""
    directory.mkdir(parents=True, exist_ok=True)
    opened.callback(DirectoryLock(directory).release)


def open_store(directory: Path, l1: L1, hasher: Hasher | None) -> NodeStore:
    """The node's file for the rollup on ``l1``; the tree is hashed by an engine unless ``hasher`` is given.

    Raises :class:`StateFileMismatch`, :class:`NewerStateFile`.
    """
    sizes = l1.parameters
    identity = Identity(
        l1.chain_id,
        l1.rollup_id,
        l1.address,
        sizes.slots,
        sizes.depth,
        sizes.fee_tokens,
        l1.config.genesis_root,
    )
    return NodeStore(
        directory / "node.db", identity, engine_hasher(get_engine(threads=1)) if hasher is None else hasher
    )


def known_parameters(directory: Path) -> BatchParameters | None:
    """The sizes that the rollup in ``directory`` was begun with; None where there is none, or they cannot be
    read: opening it says why."""

    def row(query: str) -> Callable[[Path], str]:
        def read(path: Path) -> str:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                return str(db.execute(query).fetchone()[0])

        return read

    places: tuple[tuple[str, Callable[[Path], str]], ...] = (
        ("node.db", row("SELECT identity FROM node")),
        ("l1.db", row("SELECT text FROM genesis")),
        (CONTRACT, lambda path: path.read_text(encoding="utf-8")),
    )
    for file, read in places:
        try:
            if (directory / file).is_file():
                found = json.loads(read(directory / file))
                tokens = found["fee tokens" if file == "l1.db" else "fee_tokens"]
                return BatchParameters(found["slots"], found["depth"], tokens)
        except (sqlite3.Error, OSError, StateError, ValueError, KeyError, TypeError):
            continue
    return None


def load_key(directory: Path, name: str = BATCH_KEY) -> VerifyingKey | None:
    """The verifying key that the rollup was begun with, ``None`` where it has not begun."""
    path = directory / name
    return VerifyingKey.load(path) if path.exists() else None


def save_key(directory: Path, key: VerifyingKey, name: str = BATCH_KEY) -> None:
    """Keeps a verifying key: on disk when this returns, whole or not at all."""
    draft = directory / (name + ".new")
    with draft.open("w") as file:
        file.write(key.to_json())
        file.flush()
        os.fsync(file.fileno())
    keep(draft, directory / name)


def keep(draft: Path, path: Path) -> None:
    """Gives a file that is on disk its name, on disk too."""
    os.replace(draft, path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
