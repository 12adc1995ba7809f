"""An L1 inside the node, for trying things out: the contract's model, with every call kept in a file.

This module must not know of batches or the node: it is the other side. A call that returned is on disk; after
a restart the calls are made again, so the chain is where it was. Proofs are checked when a call is made, not
when it is repeated. Each call is a block of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from zkrollup.groth16.keys import Proof
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.interface import L1World
from zkrollup.node.errors import StateFileMismatch
from zkrollup.state.transactions import Deposit, transaction_from_dict, transaction_to_dict

__all__ = ["CALLS", "DevChain", "MakeWorld"]

_APPLICATION_ID = 0x7A6B7264  # "zkrd"

MakeWorld = Callable[[Callable[[], bool]], L1World]
"""Makes the contract at its beginning; its argument says whether calls are being repeated, so that proofs
need no second check."""

CALLS = frozenset(
    {
        "activate_verifier",
        "cancel_deposit",
        "cancel_proposal",
        "commit_batch",
        "credit_withdrawals",
        "deploy_refuser",
        "deploy_token",
        "deploy_verifier",
        "deposit",
        "execute_batch",
        "execute_without_credits",
        "exit",
        "freeze",
        "fund",
        "mine",
        "propose_verifier",
        "prove_batch",
        "register_token",
        "report_conflict",
        "request_exit",
        "revert_batches",
        "submit_batch",
        "transfer_operator",
        "withdraw",
    }
)
"""What changes the chain; everything else only reads."""


class DevChain:
    """A chain in a file.

    ``make`` makes the contract at its beginning; ``genesis`` is what distinguishes this chain from others,
    kept in a new file and compared with that of an existing one. Raises :class:`StateFileMismatch`.
    """

    def __init__(self, path: str | Path, make: MakeWorld, genesis: dict[str, Any]) -> None:
        self.path = str(path)
        self._make = make
        self._repeating = False
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            self._open(genesis)
            self._world = self._repeat()
        except BaseException:
            self._db.close()
            raise

    @property
    def world(self) -> L1World:
        """The contract and its surroundings; what changes them is kept before it returns."""
        return cast(L1World, _Kept(self))

    @property
    def num_calls(self) -> int:
        """How many calls have been made."""
        return int(self._db.execute("SELECT count(*) FROM calls").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def forget(self, calls: int) -> None:
        """A reorganisation: the last ``calls`` calls never happened."""
        keep = max(0, self.num_calls - calls)
        self._db.execute("DELETE FROM calls WHERE place > ?", (keep,))
        self._world = self._repeat()

    def call(self, name: str, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
        """Make a call; what it raises was not a call."""
        result = getattr(self._world, name)(*arguments, **named)
        text = json.dumps([_write(list(arguments)), _write(named)], separators=(",", ":"))
        try:
            self._db.execute(
                "INSERT INTO calls SELECT coalesce(max(place), 0) + 1, ?, ? FROM calls", (name, text)
            )
        except BaseException:
            self._world = self._repeat()  # the chain is what the file says
            raise
        self._after(name)
        return result

    def read(self, name: str) -> Any:
        """A view of the contract."""
        return getattr(self._world, name)

    def _after(self, name: str) -> None:
        if name != "mine":
            self._world.mine(1)

    def _open(self, genesis: dict[str, Any]) -> None:
        wanted = json.dumps(genesis, sort_keys=True)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            application = self._db.execute("PRAGMA application_id").fetchone()[0]
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise StateFileMismatch(self.path, "format", str(error), "an SQLite database") from error
        if tables == 0 and application == 0:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("CREATE TABLE genesis (text TEXT NOT NULL)")
            self._db.execute(
                "CREATE TABLE calls (place INTEGER PRIMARY KEY, name TEXT NOT NULL, arguments TEXT NOT NULL)"
            )
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._db.execute("INSERT INTO genesis VALUES (?)", (wanted,))
            self._db.execute("COMMIT")
        elif application != _APPLICATION_ID:
            raise StateFileMismatch(self.path, "application id", application, _APPLICATION_ID)
        found = json.loads(self._db.execute("SELECT text FROM genesis").fetchone()[0])
        for name, value in json.loads(wanted).items():
            if found.get(name) != value:
                raise StateFileMismatch(self.path, name, found.get(name), value)

    def _repeat(self) -> L1World:
        self._repeating = True
        try:
            self._world = self._make(lambda: self._repeating)
            for name, text in self._db.execute("SELECT name, arguments FROM calls ORDER BY place"):
                arguments, named = json.loads(text)
                getattr(self._world, name)(*_read(arguments), **_read(named))
                self._after(name)
        finally:
            self._repeating = False
        return self._world


class _Kept:
    """The chain as whoever calls it sees it."""

    def __init__(self, chain: DevChain) -> None:
        self._chain = chain

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            return self._chain.read(name)
        return lambda *arguments, **named: self._chain.call(name, arguments, named)


def _write(value: Any) -> Any:
    """A value of a call as JSON."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Proof):
        return {"proof": value.to_bytes().hex()}
    if isinstance(value, BatchHeader):
        return {"header": {item.name: _write(getattr(value, item.name)) for item in fields(value)}}
    if isinstance(value, Deposit):
        return {"deposit": transaction_to_dict(value)}
    if isinstance(value, list | tuple):
        return [_write(item) for item in value]
    if isinstance(value, dict):
        return {"named": {name: _write(item) for name, item in value.items()}}
    return value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, inner),) = value.items()
    match tag:
        case "bytes":
            return bytes.fromhex(inner)
        case "proof":
            return Proof.from_bytes(bytes.fromhex(inner))
        case "header":
            return BatchHeader(**{name: _read(item) for name, item in inner.items()})
        case "deposit":
            return transaction_from_dict(inner)
        case _:
            return {name: _read(item) for name, item in inner.items()}
