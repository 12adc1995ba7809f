"""Where the state lives: accounts, tree nodes and root together, in memory or in one SQLite file.

This module must not know of hashes or transactions: it keeps what it is given, and undoes it.

The nodes of two levels lie in one row, so that a path of 16 levels is eight reads: row (pair, group)
holds the 16 nodes ``16 * group ..`` of level ``2 * pair``, then the 4 nodes ``4 * group ..`` of the
level above. Level 0 are the leaves; the root is kept apart. Rows never written are all empty subtrees.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

from zkrollup.state.accounts import EMPTY_ACCOUNT, Account, AccountKey
from zkrollup.state.exceptions import StoreConflict, StoreMismatch

__all__ = [
    "JOURNAL_LENGTH",
    "ROW_NODES",
    "Changes",
    "MemoryStore",
    "Meta",
    "Row",
    "SQLiteStore",
    "Store",
    "row_key",
]

JOURNAL_LENGTH = 16
"""How many commits a store can undo unless told otherwise."""

ROW_NODES = 20

_Key = TypeVar("_Key")

Row = tuple[int, ...]
"""The :data:`ROW_NODES` nodes of one row."""


def row_key(pair: int, group: int) -> int:
    """The key of row (pair, group); a group has at most 32 bits."""
    return pair << 40 | group


@dataclass(frozen=True, slots=True)
class Meta:
    """What a store knows as a whole. ``version`` is the number of commits that led here."""

    depth: int
    root: int
    next_index: int = 1
    batch_number: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """One commit: from ``before`` to ``after``, with the new accounts and rows (``None`` removes)."""

    before: Meta
    after: Meta
    accounts: Mapping[int, Account | None]
    rows: Mapping[int, Row | None]


class Store(Protocol):
    """One state, changed by whole commits only."""

    def meta(self) -> Meta: ...
    def account(self, index: int) -> Account: ...  # EMPTY_ACCOUNT when there is none
    def find(self, key: AccountKey, after: int = 0) -> int | None: ...  # the lowest index above `after`
    def find_address(self, token: int, eth_address: int) -> int | None: ...  # the lowest index
    def accounts(self) -> Iterator[tuple[int, Account]]: ...  # ascending
    def rows(self, keys: Collection[int]) -> dict[int, Row]: ...  # those that exist
    def commit(self, changes: Changes) -> None: ...  # all or nothing; StoreConflict when not at `before`
    def history(self) -> list[Meta]: ...  # what revert() leads back to, oldest first
    def revert(self) -> None: ...  # undo the last commit; IndexError when the journal is empty
    def close(self) -> None: ...


class MemoryStore:
    """A state in dictionaries."""

    def __init__(self, depth: int, empty_root: int, *, journal_length: int = JOURNAL_LENGTH) -> None:
        self._meta = Meta(depth, empty_root)
        self._accounts: dict[int, Account] = {}
        self._keys: dict[AccountKey, set[int]] = {}
        self._payees: dict[tuple[int, int], set[int]] = {}
        self._rows: dict[int, Row] = {}
        self._journal: deque[Changes] = deque(maxlen=journal_length)

    def meta(self) -> Meta:
        """The root and the counters."""
        return self._meta

    def account(self, index: int) -> Account:
        """The account at ``index``, :data:`EMPTY_ACCOUNT` when there is none."""
        return self._accounts.get(index, EMPTY_ACCOUNT)

    def find(self, key: AccountKey, after: int = 0) -> int | None:
        """The lowest index above ``after`` of an account with this key."""
        return min((index for index in self._keys.get(key, ()) if index > after), default=None)

    def find_address(self, token: int, eth_address: int) -> int | None:
        """The lowest index of an account of this token with this Ethereum address."""
        return min(self._payees.get((token, eth_address), ()), default=None)

    def accounts(self) -> Iterator[tuple[int, Account]]:
        """All accounts by ascending index."""
        yield from sorted(self._accounts.items())

    def rows(self, keys: Collection[int]) -> dict[int, Row]:
        """Those of the rows that exist."""
        return {key: self._rows[key] for key in keys if key in self._rows}

    def commit(self, changes: Changes) -> None:
        """Take the changes over; raises :class:`StoreConflict` when they start from another version."""
        _require_version(changes.before, self._meta)
        undo = Changes(
            changes.after,
            changes.before,
            {index: self._accounts.get(index) for index in changes.accounts},
            {key: self._rows.get(key) for key in changes.rows},
        )
        self._apply(changes)
        self._journal.append(undo)

    def history(self) -> list[Meta]:
        """The states that :meth:`revert` leads back to, oldest first."""
        return [undo.after for undo in self._journal]

    def revert(self) -> None:
        """Undo the last commit; raises ``IndexError`` when the journal is empty."""
        self._apply(self._journal.pop())

    def close(self) -> None:
        """Nothing to close."""

    def _apply(self, changes: Changes) -> None:
        for index, account in changes.accounts.items():
            known = self._accounts.pop(index, None)
            if known is not None:
                _discard(self._keys, known.key, index)
                _discard(self._payees, (known.token, known.eth_address), index)
            if account is not None:
                self._accounts[index] = account
                self._keys.setdefault(account.key, set()).add(index)
                self._payees.setdefault((account.token, account.eth_address), set()).add(index)
        for key, row in changes.rows.items():
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row
        self._meta = changes.after


def _discard(places: dict[_Key, set[int]], key: _Key, index: int) -> None:
    places[key].discard(index)
    if not places[key]:
        del places[key]


_APPLICATION_ID = 0x7A6B7232  # "zkr2"

_SCHEMA = """
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 0), depth INTEGER NOT NULL, root BLOB NOT NULL,
    next_index INTEGER NOT NULL, batch_number BLOB NOT NULL, version INTEGER NOT NULL);
CREATE TABLE accounts (idx INTEGER PRIMARY KEY, record BLOB NOT NULL, owner BLOB NOT NULL,
    payee BLOB NOT NULL);
CREATE INDEX owners ON accounts (owner, idx);
CREATE INDEX payees ON accounts (payee, idx);
CREATE TABLE nodes (key INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE journal (version INTEGER PRIMARY KEY, root BLOB NOT NULL, next_index INTEGER NOT NULL,
    batch_number BLOB NOT NULL);
CREATE TABLE journal_accounts (version INTEGER NOT NULL, idx INTEGER NOT NULL, record BLOB,
    PRIMARY KEY (version, idx)) WITHOUT ROWID;
CREATE TABLE journal_nodes (version INTEGER NOT NULL, key INTEGER NOT NULL, row BLOB,
    PRIMARY KEY (version, key)) WITHOUT ROWID;
"""

_CHUNK = 500  # bound variables in one statement


class SQLiteStore:
    """A state in one SQLite file: write-ahead log, synchronous, one transaction a commit.

    A new file gets ``depth`` and ``empty_root``; an existing one must have that depth. The journal
    lies in the file too, so a commit can be undone after a restart. Raises :class:`StoreMismatch`.
    :meth:`within` keeps a state among the tables of somebody else's file.
    """

    def __init__(
        self, path: str | Path, depth: int, empty_root: int, *, journal_length: int = JOURNAL_LENGTH
    ) -> None:
        self.path = str(path)
        self._journal_length = journal_length
        self._db = sqlite3.connect(self.path, isolation_level=None)
        try:
            self._open(Meta(depth, empty_root))
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def within(
        cls,
        db: sqlite3.Connection,
        path: str | Path,
        depth: int,
        empty_root: int,
        *,
        journal_length: int = JOURNAL_LENGTH,
    ) -> SQLiteStore:
        """The state in a file that its owner has opened, checked, and will close; ``path`` is its name.

        ``db`` is in autocommit mode. What is done here inside a transaction of the owner's is a part of it.
        Makes the tables where there are none; raises :class:`StoreMismatch` for another depth.
        """
        store = cls.__new__(cls)
        store.path = str(path)
        store._journal_length = journal_length
        store._db = db
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'nodes'").fetchone() is None:
            store._create_tables(Meta(depth, empty_root))
        store._require_depth(depth)
        return store

    def _open(self, fresh: Meta) -> None:
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            found = self._db.execute("PRAGMA application_id").fetchone()[0]
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.OperationalError:
            raise  # a full disk, a lock: nothing is wrong with the file
        except sqlite3.DatabaseError as error:
            raise StoreMismatch(self.path, "format", str(error), "an SQLite database") from error
        if tables == 0:
            self._create(fresh)
        elif found != _APPLICATION_ID:
            raise StoreMismatch(self.path, "application id", found, _APPLICATION_ID)
        self._require_depth(fresh.depth)

    def _require_depth(self, depth: int) -> None:
        meta = self.meta()
        if meta.depth != depth:
            raise StoreMismatch(self.path, "depth", meta.depth, depth)

    def _create(self, fresh: Meta) -> None:
        with _Transaction(self._db):
            self._create_tables(fresh)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")

    def _create_tables(self, fresh: Meta) -> None:
        with _Transaction(self._db):
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute("INSERT INTO meta VALUES (0, ?, ?, ?, ?, ?)", (fresh.depth, *_pack_meta(fresh)))

    def meta(self) -> Meta:
        """The root and the counters."""
        depth, root, next_index, batch_number, version = self._db.execute(
            "SELECT depth, root, next_index, batch_number, version FROM meta"
        ).fetchone()
        return Meta(depth, _integer(root), next_index, _integer(batch_number), version)

    def account(self, index: int) -> Account:
        """The account at ``index``, :data:`EMPTY_ACCOUNT` when there is none."""
        found = self._db.execute("SELECT record FROM accounts WHERE idx = ?", (index,)).fetchone()
        return EMPTY_ACCOUNT if found is None else _unpack_account(found[0])

    def find(self, key: AccountKey, after: int = 0) -> int | None:
        """The lowest index above ``after`` of an account with this key."""
        return self._lowest("owner = ? AND idx > ?", (_pack_key(key), after))

    def find_address(self, token: int, eth_address: int) -> int | None:
        """The lowest index of an account of this token with this Ethereum address."""
        return self._lowest("payee = ?", (_pack_payee(token, eth_address),))

    def _lowest(self, condition: str, values: tuple[object, ...]) -> int | None:
        query = f"SELECT idx FROM accounts WHERE {condition} ORDER BY idx LIMIT 1"
        found = self._db.execute(query, values).fetchone()
        return None if found is None else int(found[0])

    def accounts(self) -> Iterator[tuple[int, Account]]:
        """All accounts by ascending index."""
        for index, record in self._db.execute("SELECT idx, record FROM accounts ORDER BY idx"):
            yield index, _unpack_account(record)

    def rows(self, keys: Collection[int]) -> dict[int, Row]:
        """Those of the rows that exist."""
        return {key: _unpack_row(row) for key, row in self._select("nodes", "key", "row", keys).items()}

    def commit(self, changes: Changes) -> None:
        """Take the changes over; raises :class:`StoreConflict` when they start from another version."""
        with _Transaction(self._db):
            _require_version(changes.before, self.meta())
            self._write_journal(changes)
            self._apply(
                {
                    index: None if account is None else _pack_account(account)
                    for index, account in changes.accounts.items()
                },
                {key: None if row is None else _pack_row(row) for key, row in changes.rows.items()},
                _pack_meta(changes.after),
            )

    def history(self) -> list[Meta]:
        """The states that :meth:`revert` leads back to, oldest first."""
        depth = self.meta().depth
        return [
            Meta(depth, _integer(root), next_index, _integer(batch_number), version)
            for version, root, next_index, batch_number in self._db.execute(
                "SELECT version, root, next_index, batch_number FROM journal ORDER BY version"
            )
        ]

    def revert(self) -> None:
        """Undo the last commit; raises ``IndexError`` when the journal is empty."""
        with _Transaction(self._db):
            before = self.history()[-1]
            which = (before.version,)
            accounts = self._db.execute("SELECT idx, record FROM journal_accounts WHERE version = ?", which)
            rows = self._db.execute("SELECT key, row FROM journal_nodes WHERE version = ?", which)
            self._apply(dict(accounts.fetchall()), dict(rows.fetchall()), _pack_meta(before))
            self._forget("version >= ?", before.version)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _write_journal(self, changes: Changes) -> None:
        version = changes.before.version
        root, next_index, batch_number, _ = _pack_meta(changes.before)
        self._db.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", (version, root, next_index, batch_number))
        records = self._select("accounts", "idx", "record", changes.accounts)
        rows = self._select("nodes", "key", "row", changes.rows)
        self._db.executemany(
            "INSERT INTO journal_accounts VALUES (?, ?, ?)",
            [(version, index, records.get(index)) for index in changes.accounts],
        )
        self._db.executemany(
            "INSERT INTO journal_nodes VALUES (?, ?, ?)",
            [(version, key, rows.get(key)) for key in changes.rows],
        )
        self._forget("version <= ?", version - self._journal_length)

    def _forget(self, condition: str, version: int) -> None:
        for table in ("journal", "journal_accounts", "journal_nodes"):
            self._db.execute(f"DELETE FROM {table} WHERE {condition}", (version,))

    def _apply(
        self,
        accounts: Mapping[int, bytes | None],
        rows: Mapping[int, bytes | None],
        meta: tuple[bytes, int, bytes, int],
    ) -> None:
        self._db.executemany("DELETE FROM accounts WHERE idx = ?", [(index,) for index in accounts])
        self._db.executemany(
            "INSERT INTO accounts VALUES (?, ?, ?, ?)",
            [
                (index, record, _pack_key(account.key), _pack_payee(account.token, account.eth_address))
                for index, record in accounts.items()
                if record is not None
                for account in (_unpack_account(record),)
            ],
        )
        self._db.executemany("DELETE FROM nodes WHERE key = ?", [(key,) for key in rows])
        self._db.executemany(
            "INSERT INTO nodes VALUES (?, ?)", [(key, row) for key, row in rows.items() if row is not None]
        )
        self._db.execute("UPDATE meta SET root = ?, next_index = ?, batch_number = ?, version = ?", meta)

    def _select(self, table: str, key: str, value: str, keys: Iterable[int]) -> dict[int, bytes]:
        wanted = list(keys)
        found: dict[int, bytes] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            found.update(
                self._db.execute(f"SELECT {key}, {value} FROM {table} WHERE {key} IN ({marks})", chunk)
            )
        return found


class _Transaction:
    """BEGIN IMMEDIATE, then COMMIT, or ROLLBACK when anything is raised; a savepoint inside another."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._nested = False

    def __enter__(self) -> None:
        self._nested = self._db.in_transaction
        self._db.execute("SAVEPOINT state" if self._nested else "BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._nested:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
            return
        if kind is not None:
            self._db.execute("ROLLBACK TO state")
        self._db.execute("RELEASE state")


def _require_version(expected: Meta, found: Meta) -> None:
    if expected != found:
        raise StoreConflict(expected.version, found.version)


def _pack_meta(meta: Meta) -> tuple[bytes, int, bytes, int]:
    return meta.root.to_bytes(32), meta.next_index, meta.batch_number.to_bytes(8), meta.version


def _pack_key(key: AccountKey) -> bytes:
    return key.token.to_bytes(4) + key.ax.to_bytes(32) + key.ay.to_bytes(32) + key.eth_address.to_bytes(20)


def _pack_payee(token: int, eth_address: int) -> bytes:
    return token.to_bytes(4) + eth_address.to_bytes(20)


def _pack_account(account: Account) -> bytes:
    return _pack_key(account.key) + account.nonce.to_bytes(5) + account.balance.to_bytes(16)


def _unpack_account(record: bytes) -> Account:
    ends = (0, 4, 36, 68, 88, 93, 109)
    token, ax, ay, eth_address, nonce, balance = (
        _integer(record[start:end]) for start, end in pairwise(ends)
    )
    return Account(token, nonce, balance, ax, ay, eth_address)


def _pack_row(row: Row) -> bytes:
    return b"".join(node.to_bytes(32) for node in row)


def _unpack_row(data: bytes) -> Row:
    return tuple(_integer(data[i : i + 32]) for i in range(0, ROW_NODES * 32, 32))


def _integer(data: bytes) -> int:
    return int.from_bytes(data)
