"""A process that moves a state in an SQLite file, and tells what it was told is done.

It must not know that it is watched. Usage: store_scenario.py FOLDER. The state is FOLDER/state.db; each
step that returned is a line of FOLDER/acknowledged, with the root that it left.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.state import Account, StateTree
from zkrollup.state.accounts import Change
from zkrollup.state.store import Meta, SQLiteStore
from zkrollup.state.tree import empty_root

DEPTH = 2
ACCOUNTS = 6
OWNERS = [PrivateKey(bytes([i + 1]) * 32).public_key for i in range(ACCOUNTS)]
STEPS = [
    "seed",
    *["batch"] * 6,
    "revert",
    "revert",
    *["batch"] * 4,
    "reopen",
    *["batch"] * 3,
    "revert",
    "batch",
]
CHECKPOINT_PAGES = 24
"""So small that the log is copied into the database more than once on the way."""


def open_store(folder: Path) -> SQLiteStore:
    """The store, with a log that is soon full."""
    store = SQLiteStore(folder / "state.db", DEPTH, empty_root(DEPTH))
    store._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return store


def changes_of(state: StateTree, step: int) -> list[Change]:
    """What a step's batch does: it follows from the step and the state."""
    changes = []
    for index in (1 + step % ACCOUNTS, 1 + (step + 1) % ACCOUNTS):
        before = state.account(index)
        changes.append(Change(index, before, replace(before, balance=before.balance + step)))
    return changes


def take(store: SQLiteStore, folder: Path, step: int) -> SQLiteStore:
    """One step; the store after it."""
    state = StateTree(store)
    match STEPS[step]:
        case "seed":
            state.seed(Account(7, 0, 1000 + i, *OWNERS[i], 0xE000 + i) for i in range(ACCOUNTS))
        case "batch":
            update = state.prepare(changes_of(state, step), batch_number=state.batch_number + 1)
            state.commit(update)
        case "revert":
            store.revert()
        case "reopen":
            store.close()
            return open_store(folder)
    return store


def metas(folder: Path) -> list[Meta]:
    """What an undisturbed run leaves before each step and after the last."""
    store = open_store(folder)
    found = [store.meta()]
    for step in range(len(STEPS)):
        store = take(store, folder, step)
        found.append(store.meta())
    store.close()
    return found


def main(folder: Path) -> None:
    """Everything, from nothing."""
    said = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store = open_store(folder)
    for step in range(len(STEPS)):
        store = take(store, folder, step)
        os.write(said, f"{store.meta().root}\n".encode())
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
