"""The state: accounts as the leaves of a dense 4-ary tree, over a store in memory or in SQLite.

This module must not know of transactions: it applies changes of leaves and says what they hash to.

All changes of a batch are hashed level by level, because the leaves at every moment of the batch are
known before any node is: one call of the hasher for all leaves, then one for each level, so that an
engine gets wide calls. An unchanged leaf costs no hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zkrollup.crypto.merkle import Children, empty_nodes
from zkrollup.state.accounts import EMPTY_ACCOUNT, Account, AccountKey, Change
from zkrollup.state.exceptions import DuplicateAccount, InvalidParameter, SnapshotLost, TreeFull
from zkrollup.state.hashing import Hasher, hash_each
from zkrollup.state.parameters import MAX_DEPTH
from zkrollup.state.store import Changes, MemoryStore, Meta, Row, SQLiteStore, Store, row_key
from zkrollup.state.trace import LeafUpdate

__all__ = ["StateTree", "StateUpdate", "StepsUpdate", "compute_root", "empty_root"]


def empty_root(depth: int) -> int:
    """The root of a tree without accounts."""
    return _empty(depth)[depth]


def compute_root(accounts: Mapping[int, Account], depth: int, hasher: Hasher = hash_each) -> int:
    """The root of the tree with these leaves, from nothing: the slow twin of :meth:`StateTree.prepare`."""
    empty = _empty(depth)
    if not accounts:
        return empty[depth]
    indices = list(accounts)
    level = dict(zip(indices, hasher([accounts[i].leaf_inputs() for i in indices]), strict=True))
    for height in range(depth):
        parents = sorted({index >> 2 for index in level})
        children = [[level.get(4 * parent + k, empty[height]) for k in range(4)] for parent in parents]
        level = dict(zip(parents, hasher(children), strict=True))
    return level[0]


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """What a sequence of changes would do: the leaf updates in order, and the commit that makes it so."""

    updates: tuple[LeafUpdate, ...]
    changes: Changes


@dataclass(frozen=True, slots=True)
class StepsUpdate:
    """What a sequence of steps would do: the root after each, and the commit that makes all of it so."""

    roots: tuple[int, ...]
    changes: Changes


class StateTree:
    """Accounts and their tree. All changes are whole commits; reading is cheap.

    ``hasher`` may be an engine's Poseidon; the default is pure Python.
    """

    def __init__(self, store: Store, hasher: Hasher = hash_each) -> None:
        self._store = store
        self.hasher = hasher

    @classmethod
    def in_memory(cls, depth: int = MAX_DEPTH, hasher: Hasher = hash_each) -> StateTree:
        """An empty state in memory."""
        return cls(MemoryStore(_require_depth(depth), empty_root(depth)), hasher)

    @classmethod
    def open(cls, path: str | Path, depth: int = MAX_DEPTH, hasher: Hasher = hash_each) -> StateTree:
        """The state in an SQLite file, which is made when it is missing; raises :class:`StoreMismatch`."""
        return cls(SQLiteStore(path, _require_depth(depth), empty_root(depth)), hasher)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    # -- reading ---------------------------------------------------------------------------------

    @property
    def meta(self) -> Meta:
        """Root, depth and counters at once."""
        return self._store.meta()

    @property
    def root(self) -> int:
        """The state root."""
        return self.meta.root

    @property
    def depth(self) -> int:
        """The number of levels above the leaves."""
        return self.meta.depth

    @property
    def capacity(self) -> int:
        """The number of indices, the reserved index 0 included."""
        return 1 << 2 * self.depth

    @property
    def next_index(self) -> int:
        """The index of the next new account."""
        return self.meta.next_index

    @property
    def batch_number(self) -> int:
        """The number of the last batch that was applied, 0 when there was none."""
        return self.meta.batch_number

    def account(self, index: int) -> Account:
        """The account at ``index``, :data:`EMPTY_ACCOUNT` when there is none."""
        return self._store.account(index)

    def find(self, key: AccountKey, after: int = 0) -> int | None:
        """The lowest index above ``after`` of an account with this token, public key and address."""
        return self._store.find(key, after)

    def find_address(self, token: int, eth_address: int) -> int | None:
        """The lowest index of an account of this token with this Ethereum address."""
        return self._store.find_address(token, eth_address)

    def accounts(self) -> Iterator[tuple[int, Account]]:
        """All accounts by ascending index."""
        return self._store.accounts()

    def prove(self, index: int) -> LeafUpdate:
        """The path of a leaf, as the identity update."""
        account = self.account(index)
        return self.prepare([Change(index, account, account)]).updates[0]

    def recompute_root(self) -> int:
        """The root of all leaves from nothing; equal to :attr:`root` unless the store is damaged."""
        return compute_root(dict(self.accounts()), self.depth, self.hasher)

    # -- changing --------------------------------------------------------------------------------

    def prepare(self, changes: Sequence[Change], *, batch_number: int | None = None) -> StateUpdate:
        """What ``changes`` would do one after the other; nothing is written.

        Each change's ``before`` must be the account at that moment. ``batch_number`` replaces the
        state's when given.
        """
        meta = self.meta
        rows = _Rows(self._store, meta.depth, {change.index for change in changes})
        changed = [change for change in changes if not change.is_identity]
        values = self._hash(changes, [change.after.leaf_inputs() for change in changed])
        paths: list[list[Children]] = [[] for _ in changes]
        for level in range(meta.depth):
            parents = []
            for place, change in enumerate(changes):
                children = rows.children(level, change.index)
                paths[place].append(children)
                if (value := values[place]) is not None:
                    parents.append(rows.replace(level, change.index, value))
            values = self._hash(changes, parents)
        updates = tuple(_leaf_updates(changes, paths, values, meta.root))
        after = replace(
            meta,
            root=updates[-1].root_after if updates else meta.root,
            next_index=max([meta.next_index, *(c.index + 1 for c in changed if c.before.is_empty)]),
            batch_number=meta.batch_number if batch_number is None else batch_number,
            version=meta.version + 1,
        )
        accounts = {change.index: change.after for change in changed}
        return StateUpdate(updates, Changes(meta, after, accounts, rows.written()))

    def prepare_steps(
        self, steps: Sequence[Mapping[int, Account]], *, next_index: int, batch_number: int
    ) -> StepsUpdate:
        """What ``steps`` would do one after the other, each a set of accounts that all change at once.

        As :meth:`prepare` for who needs no path and no root inside a step: a node above several changed
        leaves of a step is hashed once. All steps are hashed level by level together.
        """
        meta = self.meta
        rows = _Rows(self._store, meta.depth, {index for step in steps for index in step})
        changed = [sorted(step) for step in steps]
        inputs: list[Sequence[int]] = [
            step[index].leaf_inputs() for step, order in zip(steps, changed, strict=True) for index in order
        ]
        for level in range(meta.depth):
            hashes = iter(self.hasher(inputs) if inputs else ())
            inputs = []
            for place, positions in enumerate(changed):
                for position in positions:
                    rows.replace(level, position << 2 * level, next(hashes))
                changed[place] = sorted({position >> 2 for position in positions})
                inputs += [rows.children(level, parent << 2 * level + 2) for parent in changed[place]]
        hashes = iter(self.hasher(inputs) if inputs else ())
        roots: list[int] = []
        for positions in changed:
            before = roots[-1] if roots else meta.root
            roots.append(next(hashes) if positions else before)
        after = replace(
            meta,
            root=roots[-1] if roots else meta.root,
            next_index=next_index,
            batch_number=batch_number,
            version=meta.version + 1,
        )
        accounts = {index: account for step in steps for index, account in step.items()}
        return StepsUpdate(tuple(roots), Changes(meta, after, accounts, rows.written()))

    def _hash(self, changes: Sequence[Change], inputs: Sequence[Sequence[int]]) -> list[int | None]:
        """One hash for each change that changes something, ``None`` for the others."""
        hashes = iter(self.hasher(inputs) if inputs else ())
        return [None if change.is_identity else next(hashes) for change in changes]

    def commit(self, update: StateUpdate | StepsUpdate) -> None:
        """Make a prepared update so; raises :class:`StoreConflict` when the state has moved since."""
        self._store.commit(update.changes)

    def seed(self, accounts: Iterable[Account]) -> None:
        """Open accounts before the first batch: the genesis of a rollup.

        Raises :class:`InvalidParameter` after the first batch or for an empty account,
        :class:`DuplicateAccount`, :class:`TreeFull`.
        """
        if self.batch_number != 0:
            raise InvalidParameter("batch_number", self.batch_number, "0: seed before any batch")
        changes: list[Change] = []
        seen: dict[AccountKey, int] = {}
        for index, account in enumerate(accounts, start=self.next_index):
            existing = seen.get(account.key, self.find(account.key))
            if account.is_empty:
                raise InvalidParameter(f"account {index}", account, "an account with ay != 0")
            if existing is not None:
                raise DuplicateAccount(index, existing)
            if index >= self.capacity:
                raise TreeFull(self.capacity)
            seen[account.key] = index
            changes.append(Change(index, EMPTY_ACCOUNT, account))
        self.commit(self.prepare(changes))

    # -- going back ------------------------------------------------------------------------------

    def snapshot(self) -> Meta:
        """A mark that :meth:`restore` leads back to, as far as the store's journal reaches."""
        return self.meta

    def restore(self, snapshot: Meta) -> None:
        """Undo all commits since ``snapshot``; raises :class:`SnapshotLost` and changes nothing otherwise."""
        states = [*self._store.history(), self.meta]
        if snapshot not in states:
            raise SnapshotLost(snapshot.version, states[0].version, states[-1].version)
        for _ in range(self.meta.version - snapshot.version):
            self._store.revert()


class _Rows:
    """The rows of the paths of some leaves, read at once and changed here only."""

    def __init__(self, store: Store, depth: int, indices: Collection[int]) -> None:
        keys = {row_key(pair, index >> 4 * pair + 4) for index in indices for pair in range((depth + 1) // 2)}
        empty = _empty(depth + 1)
        self._rows: dict[int, list[int]] = {}
        found = store.rows(keys)
        for key in keys:
            pair = key >> 40
            row = found.get(key)
            self._rows[key] = [empty[2 * pair]] * 16 + [empty[2 * pair + 1]] * 4 if row is None else list(row)
        self._written: set[int] = set()

    def children(self, level: int, index: int) -> Children:
        """The four siblings at ``level`` on the path of leaf ``index``, the node itself included."""
        key, start, _ = self._locate(level, index)
        a, b, c, d = self._rows[key][start : start + 4]
        return (a, b, c, d)

    def replace(self, level: int, index: int, value: int) -> Children:
        """Put the node at ``level`` on the path of leaf ``index``; returns the siblings after that."""
        key, start, place = self._locate(level, index)
        self._rows[key][start + place] = value
        self._written.add(key)
        return self.children(level, index)

    def written(self) -> dict[int, Row]:
        """The rows that have changed."""
        return {key: tuple(self._rows[key]) for key in self._written}

    @staticmethod
    def _locate(level: int, index: int) -> tuple[int, int, int]:
        """The row's key, where the four siblings begin in it, and the node's place among them."""
        pair, upper = divmod(level, 2)
        position = index >> 2 * level
        if upper:
            return row_key(pair, position >> 2), 16, position & 3
        return row_key(pair, position >> 4), position & 12, position & 3


def _leaf_updates(
    changes: Sequence[Change], paths: Sequence[Sequence[Children]], roots: Sequence[int | None], root: int
) -> Iterator[LeafUpdate]:
    for change, path, changed_root in zip(changes, paths, roots, strict=True):
        after = root if changed_root is None else changed_root
        yield LeafUpdate(change.index, change.before, change.after, tuple(path), root, after)
        root = after


def _empty(depth: int) -> tuple[int, ...]:
    return empty_nodes(depth, EMPTY_ACCOUNT.leaf())


def _require_depth(depth: int) -> int:
    if type(depth) is not int or not 1 <= depth <= MAX_DEPTH:
        raise InvalidParameter("depth", depth, f"an integer from 1 to {MAX_DEPTH}")
    return depth
