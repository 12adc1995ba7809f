"""The node's one file: state tree, mempool and batches, in one SQLite database.

This module must not know how a batch is built, proved or submitted: it keeps rows, and keeps them together.
Whatever belongs together is written inside one :meth:`NodeStore.transaction`; what that has committed is on
disk (write-ahead log, ``synchronous = FULL``) and survives the process and the machine.

The file names the rollup that it belongs to and the schema that it was written with; a file of another
rollup, of a newer version, or of no node is refused by name.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from zkrollup.groth16.keys import Proof
from zkrollup.node.errors import DirectoryInUse, NewerStateFile, StateFileMismatch
from zkrollup.state.hashing import Hasher, hash_each
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import PublicInputs
from zkrollup.state.store import SQLiteStore
from zkrollup.state.transactions import Transaction, transaction_from_dict, transaction_to_dict
from zkrollup.state.tree import StateTree, empty_root

__all__ = [
    "JOURNAL_BATCHES",
    "SCHEMA_VERSION",
    "STATUSES",
    "DirectoryLock",
    "Identity",
    "NodeStore",
    "StoredBatch",
    "StoredTransaction",
]

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x7A6B726E  # "zkrn"

JOURNAL_BATCHES = 256
"""How many batches the state can go back, should L1 forget them."""

STATUSES = ("built", "proved", "committed", "executed")
"""What becomes of a batch, in order."""

_SCHEMA = """
CREATE TABLE node (id INTEGER PRIMARY KEY CHECK (id = 0), identity TEXT NOT NULL);
CREATE TABLE transactions (id BLOB PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE, body TEXT NOT NULL,
    members BLOB, received REAL NOT NULL, status TEXT NOT NULL, batch INTEGER, slot INTEGER,
    reason TEXT) WITHOUT ROWID;
CREATE INDEX transactions_by_status ON transactions (status, sequence);
CREATE INDEX transactions_by_batch ON transactions (batch) WHERE batch IS NOT NULL;
CREATE TABLE batches (number INTEGER PRIMARY KEY, status TEXT NOT NULL, transactions TEXT NOT NULL,
    signed INTEGER NOT NULL, fee_entries TEXT NOT NULL, data BLOB NOT NULL, inputs BLOB NOT NULL,
    proof BLOB, root_before BLOB NOT NULL, root_after BLOB NOT NULL, requests_before INTEGER NOT NULL,
    requests_after INTEGER NOT NULL, built_at REAL NOT NULL, proved_at REAL, executed_at REAL,
    own INTEGER NOT NULL);
CREATE INDEX batches_by_status ON batches (status);
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which rollup a file belongs to: chain, contract, sizes, and where it began."""

    chain_id: int
    rollup_id: int
    contract: int
    slots: int
    depth: int
    fee_tokens: int
    genesis_root: int

    @property
    def parameters(self) -> BatchParameters:
        """The sizes of a batch."""
        return BatchParameters(self.slots, self.depth, self.fee_tokens)


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A transaction that was acknowledged; ``group`` are the ids it goes with, its own among them.

    ``status`` is ``waiting``, ``batched`` (then ``batch`` and ``slot``) or ``dropped`` (then ``reason``, the
    JSON-RPC error that a submission would have got).
    """

    id: int
    sequence: int
    transaction: Transaction
    group: tuple[int, ...]
    received: float
    status: str = "waiting"
    batch: int | None = None
    slot: int | None = None
    reason: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch that was built, with everything that L1 and a prover need.

    ``signed`` of its transactions are not requests. A ``foreign`` one was built by somebody else and taken
    over from L1: neither its transactions nor its proof are there, only what it published.
    """

    number: int
    status: str
    transactions: tuple[Transaction, ...]
    signed: int
    fee_entries: tuple[tuple[int, int], ...]
    data: bytes
    inputs: PublicInputs
    proof: Proof | None
    root_before: int
    root_after: int
    requests_before: int
    requests_after: int
    built_at: float
    proved_at: float | None = None
    executed_at: float | None = None
    foreign: bool = False

    @property
    def num_requests(self) -> int:
        """How many of L1's requests it consumes."""
        return self.requests_after - self.requests_before

    @property
    def is_forgotten(self) -> bool:
        """Whether only its roots, counters and times are left: no transactions, data, proof."""
        return not self.data


class DirectoryLock:
    """The right to a directory, for one process at a time; ends with the process, however that ends.

    Raises :class:`DirectoryInUse`.
    """

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise DirectoryInUse(str(directory)) from None

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._file)


class NodeStore:
    """The file, opened: ``state`` is the tree that lies in it.

    Arguments: ``path``; ``identity`` of the rollup, which a new file takes over and an existing one must
    have; ``hasher`` for the tree. Raises :class:`StateFileMismatch`, :class:`NewerStateFile`.
    """

    def __init__(
        self,
        path: str | Path,
        identity: Identity,
        hasher: Hasher = hash_each,
        *,
        journal_length: int = JOURNAL_BATCHES,
    ) -> None:
        self.path = str(path)
        self.identity = identity
        self.journal_length = journal_length
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            self._open()
            self._states = SQLiteStore.within(
                self._db,
                self.path,
                identity.depth,
                empty_root(identity.depth),
                journal_length=journal_length,
            )
        except BaseException:
            self._db.close()
            raise
        self.state = StateTree(self._states, hasher)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is written together, or not at all when anything is raised."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What is written inside can be read inside, and is gone after."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def _open(self) -> None:
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            application = self._db.execute("PRAGMA application_id").fetchone()[0]
            schema = self._db.execute("PRAGMA user_version").fetchone()[0]
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.OperationalError:
            raise  # a full disk, a lock: nothing is wrong with the file
        except sqlite3.DatabaseError as error:
            raise StateFileMismatch(self.path, "format", str(error), "an SQLite database") from error
        if tables == 0 and application == 0:
            self._create()
            return
        if application != _APPLICATION_ID:
            raise StateFileMismatch(self.path, "application id", application, _APPLICATION_ID)
        if schema > SCHEMA_VERSION:
            raise NewerStateFile(self.path, schema, SCHEMA_VERSION)
        self._require_identity()

    def _create(self) -> None:
        with self.transaction():
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            text = json.dumps(asdict(self.identity))
            self._db.execute("INSERT INTO node VALUES (0, ?)", (text,))

    def _require_identity(self) -> None:
        found = json.loads(self._db.execute("SELECT identity FROM node").fetchone()[0])
        for item in fields(Identity):
            expected = getattr(self.identity, item.name)
            if found.get(item.name) != expected:
                raise StateFileMismatch(
                    self.path, item.name.replace("_", " "), found.get(item.name), expected
                )

    # -- transactions ----------------------------------------------------------------------------

    def next_sequence(self) -> int:
        """A number greater than that of every transaction so far."""
        found = self._db.execute("SELECT max(sequence) FROM transactions").fetchone()[0]
        return 0 if found is None else int(found) + 1

    def put_transaction(self, stored: StoredTransaction) -> None:
        """Keep a transaction; one that was dropped before is kept anew."""
        members = b"".join(member.to_bytes(32) for member in stored.group) if len(stored.group) > 1 else None
        self._db.execute(
            "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stored.id.to_bytes(32),
                stored.sequence,
                json.dumps(transaction_to_dict(stored.transaction), separators=(",", ":")),
                members,
                stored.received,
                stored.status,
                stored.batch,
                stored.slot,
                None if stored.reason is None else json.dumps(stored.reason),
            ),
        )

    def find_transaction(self, transaction_id: int) -> StoredTransaction | None:
        """The transaction with this id, if it was ever acknowledged."""
        row = self._db.execute(
            "SELECT * FROM transactions WHERE id = ?", (transaction_id.to_bytes(32),)
        ).fetchone()
        return None if row is None else _transaction(row)

    def waiting(self) -> Iterator[StoredTransaction]:
        """The transactions that wait, in the order in which they came."""
        rows = self._db.execute("SELECT * FROM transactions WHERE status = 'waiting' ORDER BY sequence")
        yield from map(_transaction, rows)

    def drop(self, transaction_id: int, reason: dict[str, Any]) -> None:
        """A transaction will not be in a batch, for this reason."""
        self._db.execute(
            "UPDATE transactions SET status = 'dropped', reason = ? WHERE id = ?",
            (json.dumps(reason), transaction_id.to_bytes(32)),
        )

    def place(self, transaction_id: int, batch: int, slot: int) -> None:
        """A transaction is in a batch."""
        self._db.execute(
            "UPDATE transactions SET status = 'batched', batch = ?, slot = ?, reason = NULL WHERE id = ?",
            (batch, slot, transaction_id.to_bytes(32)),
        )

    def counts(self) -> dict[str, int]:
        """How many transactions there are by status."""
        return dict(self._db.execute("SELECT status, count(*) FROM transactions GROUP BY status"))

    # -- batches ---------------------------------------------------------------------------------

    def put_batch(self, batch: StoredBatch) -> None:
        """Keep a batch that was built."""
        bodies = [transaction_to_dict(transaction) for transaction in batch.transactions]
        self._db.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                batch.number,
                batch.status,
                json.dumps(bodies, separators=(",", ":")),
                batch.signed,
                json.dumps(batch.fee_entries),
                batch.data,
                b"".join(value.to_bytes(32) for value in batch.inputs),
                None if batch.proof is None else batch.proof.to_bytes(),
                batch.root_before.to_bytes(32),
                batch.root_after.to_bytes(32),
                batch.requests_before,
                batch.requests_after,
                batch.built_at,
                batch.proved_at,
                batch.executed_at,
                not batch.foreign,
            ),
        )

    def batch(self, number: int) -> StoredBatch | None:
        """The batch with this number."""
        row = self._db.execute("SELECT * FROM batches WHERE number = ?", (number,)).fetchone()
        return None if row is None else _batch(row)

    def batches(self, *, after: int) -> list[StoredBatch]:
        """The batches with greater numbers, ascending."""
        return [
            _batch(row)
            for row in self._db.execute("SELECT * FROM batches WHERE number > ? ORDER BY number", (after,))
        ]

    def last_batch(self) -> int:
        """The number of the last batch, 0 when there is none."""
        return int(self._db.execute("SELECT max(number) FROM batches").fetchone()[0] or 0)

    def status_numbers(self) -> list[tuple[int, str]]:
        """Number and status of each batch that is not executed, ascending."""
        return list(
            self._db.execute("SELECT number, status FROM batches WHERE status != 'executed' ORDER BY number")
        )

    def last_executed(self) -> int:
        """The number of the last executed batch, 0 when there is none."""
        row = self._db.execute("SELECT max(number) FROM batches WHERE status = 'executed'").fetchone()
        return int(row[0] or 0)

    def last_proved(self) -> int:
        """The number of the last batch that has a proof, 0 when there is none."""
        row = self._db.execute("SELECT max(number) FROM batches WHERE proof IS NOT NULL").fetchone()
        return int(row[0] or 0)

    def first_unproved(self) -> int | None:
        """The number of the oldest batch without a proof."""
        row = self._db.execute("SELECT min(number) FROM batches WHERE status = 'built'").fetchone()
        return None if row[0] is None else int(row[0])

    def requests_after(self) -> int:
        """How many of L1's requests the batches have consumed."""
        row = self._db.execute("SELECT requests_after FROM batches ORDER BY number DESC LIMIT 1").fetchone()
        return 0 if row is None else int(row[0])

    def set_proof(self, number: int, proof: Proof, now: float) -> None:
        """The proof of a batch is there; its status becomes ``proved``."""
        self._db.execute(
            "UPDATE batches SET proof = ?, proved_at = ?, status = 'proved' WHERE number = ?",
            (proof.to_bytes(), now, number),
        )

    def set_status(self, first: int, last: int, status: str, now: float) -> None:
        """The status of the batches from ``first`` to ``last``."""
        executed = now if status == "executed" else None
        self._db.execute(
            "UPDATE batches SET status = ?, executed_at = ? WHERE number BETWEEN ? AND ?",
            (status, executed, first, last),
        )

    def first_kept(self) -> int:
        """The number of the oldest batch that is not forgotten; 0 when there is none."""
        row = self._db.execute(
            "SELECT number FROM batches WHERE data != x'' ORDER BY number LIMIT 1"
        ).fetchone()
        return 0 if row is None else int(row[0])

    def forget_contents(self, first: int, last: int) -> int:
        """Of the executed batches from ``first`` to ``last`` only roots, counters and times stay. What became
        of their transactions is still known. Returns how many they are."""
        return int(
            self._db.execute(
                "UPDATE batches SET transactions = '[]', data = x'', proof = NULL "
                "WHERE number BETWEEN ? AND ? AND status = 'executed'",
                (first, last),
            ).rowcount
        )

    def forget_batches(self, *, after: int) -> int:
        """Remove the batches with greater numbers; their transactions wait again. Returns how many do."""
        found = self._db.execute(
            "UPDATE transactions SET status = 'waiting', batch = NULL, slot = NULL WHERE batch > ?", (after,)
        ).rowcount
        self._db.execute("DELETE FROM batches WHERE number > ?", (after,))
        return int(found)

    def state_at(self, batch_number: int) -> Any:
        """The snapshot of the state after that batch, as far as the journal reaches; ``None`` beyond."""
        metas = [*self._states.history(), self._states.meta()]
        return next((meta for meta in reversed(metas) if meta.batch_number == batch_number), None)

    def oldest_state(self) -> int:
        """The number of the oldest batch that the state can go back to."""
        metas = [*self._states.history(), self._states.meta()]
        return metas[0].batch_number


def _transaction(row: Sequence[Any]) -> StoredTransaction:
    id_, sequence, body, members, received, status, batch, slot, reason = row
    own = int.from_bytes(id_)
    group = (
        (own,)
        if members is None
        else tuple(int.from_bytes(members[i : i + 32]) for i in range(0, len(members), 32))
    )
    return StoredTransaction(
        own,
        sequence,
        transaction_from_dict(json.loads(body)),
        group,
        received,
        status,
        batch,
        slot,
        None if reason is None else json.loads(reason),
    )


def _batch(row: Sequence[Any]) -> StoredBatch:
    number, status, bodies, signed, entries, data, inputs, proof, before, after = row[:10]
    requests_before, requests_after, built_at, proved_at, executed_at, own = row[10:]
    values = [int.from_bytes(inputs[i : i + 32]) for i in range(0, len(inputs), 32)]
    return StoredBatch(
        number,
        status,
        tuple(transaction_from_dict(body) for body in json.loads(bodies)),
        signed,
        tuple((token, account) for token, account in json.loads(entries)),
        bytes(data),
        PublicInputs(*values),
        None if proof is None else Proof.from_bytes(bytes(proof)),
        int.from_bytes(before),
        int.from_bytes(after),
        requests_before,
        requests_after,
        built_at,
        proved_at,
        executed_at,
        not own,
    )
