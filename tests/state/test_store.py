"""Both stores do the same, and the file keeps what was committed and nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.state import EMPTY_ACCOUNT, Account, StateTree, empty_root
from zkrollup.state.accounts import Change
from zkrollup.state.exceptions import SnapshotLost, StoreConflict, StoreMismatch
from zkrollup.state.store import ROW_NODES, MemoryStore, SQLiteStore, row_key

DEPTH = 3


def account(number: int, balance: int = 5) -> Account:
    return Account(token=number, nonce=2**40 - 1, balance=balance, ax=number, ay=1, eth_address=2**160 - 1)


def put(state: StateTree, *accounts: tuple[int, Account], batch_number: int | None = None) -> None:
    changes = [Change(index, state.account(index), after) for index, after in accounts]
    state.commit(state.prepare(changes, batch_number=batch_number))


@pytest.fixture(params=["memory", "sqlite"])
def state(request: pytest.FixtureRequest, tmp_path):
    made = (
        StateTree.in_memory(DEPTH) if request.param == "memory" else StateTree.open(tmp_path / "s.db", DEPTH)
    )
    yield made
    made.close()


def everything(state: StateTree):
    accounts = dict(state.accounts())
    paths = [state.prove(index).path for index in (0, 1, 5, 63)]
    found = [state.find(account(number).key) for number in range(1, 4)]
    return state.meta, accounts, paths, found


def test_store__keeps_accounts_nodes_root_and_counters(state: StateTree) -> None:
    put(state, (1, account(1)), (2, account(2, 2**128 - 1)), batch_number=2**64 - 1)
    assert state.account(2).balance == 2**128 - 1
    assert state.account(3) == EMPTY_ACCOUNT
    assert (state.find(account(1).key), state.find(account(3).key)) == (1, None)
    assert (state.next_index, state.batch_number, state.meta.version) == (3, 2**64 - 1, 1)
    assert state.root == state.recompute_root() != empty_root(DEPTH)


def test_store__finds_the_lowest_of_accounts_with_one_key(state: StateTree) -> None:
    put(state, (5, account(1)), (2, account(1, 7)), (9, account(1)), (3, account(2)))
    key, payee = account(1).key, (account(1).token, account(1).eth_address)
    assert [state.find(key, after) for after in (0, 1, 2, 5, 9)] == [2, 2, 5, 9, None]
    assert state.find_address(*payee) == 2
    rekeyed = replace(account(1), ax=account(3).ax, ay=account(3).ay)
    put(state, (2, rekeyed))
    assert (state.find(key), state.find(rekeyed.key), state.find_address(*payee)) == (5, 2, 2)
    assert state.find_address(payee[0] + 8, payee[1]) is None
    state.restore(state._store.history()[-1])
    assert (state.find(key), state.find(rekeyed.key)) == (2, None)


def test_store__refuses_a_commit_from_another_version(state: StateTree) -> None:
    stale = state.prepare([Change(1, EMPTY_ACCOUNT, account(1))])
    put(state, (1, account(2)))
    before = everything(state)
    with pytest.raises(StoreConflict) as caught:
        state.commit(stale)
    assert (caught.value.expected, caught.value.found) == (0, 1)
    assert everything(state) == before


def test_restore__undoes_all_commits_since_the_snapshot(state: StateTree) -> None:
    put(state, (1, account(1)))
    mark, before = state.snapshot(), everything(state)
    put(state, (1, account(1, 9)), (2, account(2)), batch_number=1)
    put(state, (40, account(3)), batch_number=2)
    assert everything(state) != before
    state.restore(mark)
    assert everything(state) == before
    assert state.root == state.recompute_root()
    put(state, (2, account(3)))
    assert state.root == state.recompute_root()


def test_restore__of_the_present_state_does_nothing(state: StateTree) -> None:
    put(state, (1, account(1)))
    before = everything(state)
    state.restore(state.snapshot())
    assert everything(state) == before


def test_restore__refuses_a_snapshot_of_another_history(state: StateTree) -> None:
    start = state.snapshot()
    put(state, (1, account(1)))
    lost = state.snapshot()
    state.restore(start)
    put(state, (1, account(2)))
    before = everything(state)
    with pytest.raises(SnapshotLost) as caught:
        state.restore(lost)
    assert (caught.value.version, caught.value.oldest, caught.value.newest) == (1, 0, 1)
    assert everything(state) == before


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_journal__forgets_what_is_too_old(kind: str, tmp_path) -> None:
    empty = empty_root(DEPTH)
    store = (
        MemoryStore(DEPTH, empty, journal_length=2)
        if kind == "memory"
        else SQLiteStore(tmp_path / "s.db", DEPTH, empty, journal_length=2)
    )
    state = StateTree(store)
    marks = []
    for number in range(1, 5):
        marks.append(state.snapshot())
        put(state, (number, account(number)))
    assert [meta.version for meta in store.history()] == [2, 3]
    with pytest.raises(SnapshotLost):
        state.restore(marks[1])
    state.restore(marks[2])
    assert [index for index, _ in state.accounts()] == [1, 2]
    with pytest.raises(IndexError):
        store.revert()
    state.close()


changes = st.lists(
    st.lists(st.tuples(st.integers(1, 63), st.integers(0, 3)), min_size=1, max_size=3), max_size=4
)


@settings(max_examples=10, deadline=None)
@given(changes, st.integers(0, 4))
def test_stores__agree_and_the_file_is_the_same_after_reopening(tmp_path_factory, commits, undone) -> None:
    path = tmp_path_factory.mktemp("store") / "state.db"
    memory, file = StateTree.in_memory(DEPTH), StateTree.open(path, DEPTH)
    marks = [memory.snapshot()]
    for commit in commits:
        accounts = {index: account(index, balance) for index, balance in commit}
        for state in (memory, file):
            put(state, *accounts.items())
        assert everything(memory) == everything(file)
        marks.append(memory.snapshot())
    file.close()
    file = StateTree.open(path, DEPTH)
    assert everything(memory) == everything(file)
    for state in (memory, file):
        state.restore(marks[min(undone, len(commits))])
    assert everything(memory) == everything(file)
    assert file.root == file.recompute_root()
    file.close()


def refuse_account_3(path) -> None:
    """From now on a commit with an account 3 fails where the accounts are written."""
    db = sqlite3.connect(path)
    db.execute(
        "CREATE TRIGGER refusal BEFORE INSERT ON accounts WHEN NEW.idx = 3 "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    db.commit()
    db.close()


def test_sqlite__rolls_back_a_commit_that_fails_in_the_middle(tmp_path) -> None:
    state = StateTree.open(tmp_path / "s.db", DEPTH)
    put(state, (1, account(1)))
    before = everything(state)
    refuse_account_3(tmp_path / "s.db")
    with pytest.raises(sqlite3.IntegrityError):
        put(state, (2, account(2)), (3, account(3)))
    assert everything(state) == before
    state.close()
    reopened = StateTree.open(tmp_path / "s.db", DEPTH)
    assert everything(reopened) == before
    reopened.close()


def test_sqlite__keeps_nothing_of_a_process_that_dies_inside_a_commit(tmp_path) -> None:
    path = tmp_path / "s.db"
    state = StateTree.open(path, DEPTH)
    put(state, (1, account(1)))
    before = everything(state)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE meta SET root = ?", (bytes(32),))
    db.execute("DELETE FROM accounts")
    db.close()  # as the operating system does for the dead
    assert everything(state) == before
    state.close()


def test_sqlite__notices_another_writer(tmp_path) -> None:
    path = tmp_path / "s.db"
    one, two = StateTree.open(path, DEPTH), StateTree.open(path, DEPTH)
    prepared = one.prepare([Change(1, EMPTY_ACCOUNT, account(1))])
    put(two, (1, account(2)))
    with pytest.raises(StoreConflict):
        one.commit(prepared)
    assert one.root == two.root
    one.close()
    two.close()


def test_sqlite__writes_ahead_and_syncs(tmp_path) -> None:
    store = SQLiteStore(tmp_path / "s.db", DEPTH, empty_root(DEPTH))
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    store.close()


def test_sqlite__reads_a_path_in_one_row_for_two_levels(tmp_path) -> None:
    read: list[int] = []

    class Counting(SQLiteStore):
        def rows(self, keys):
            read.append(len(keys))
            return super().rows(keys)

    state = StateTree(Counting(tmp_path / "s.db", 16, empty_root(16)))
    state.prove(4**16 - 1)
    assert read == [8]
    state.close()


def test_sqlite__refuses_files_that_are_no_store_of_this_depth(tmp_path) -> None:
    path = tmp_path / "s.db"
    StateTree.open(path, DEPTH).close()
    with pytest.raises(StoreMismatch, match="depth is 3; expected 4"):
        StateTree.open(path, 4)
    (tmp_path / "text").write_bytes(b"this is not a database, " * 100)
    with pytest.raises(StoreMismatch, match="an SQLite database"):
        StateTree.open(tmp_path / "text", DEPTH)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE something (x)")
    other.commit()
    other.close()
    with pytest.raises(StoreMismatch, match="application id"):
        StateTree.open(tmp_path / "other.db", DEPTH)


def test_row_keys__are_distinct_and_fit_an_sqlite_integer() -> None:
    keys = {row_key(pair, group) for pair in range(8) for group in (0, 1, 2**32 - 1)}
    assert len(keys) == 24
    assert max(keys) < 2**63
    assert ROW_NODES == 16 + 4


def test_sqlite__within_an_owners_file_is_part_of_the_owners_transaction(tmp_path) -> None:
    path = tmp_path / "owner.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE TABLE mine (x)")
    state = StateTree(SQLiteStore.within(db, path, DEPTH, empty_root(DEPTH)))
    put(state, (1, account(1)))
    before = everything(state)
    refuse_account_3(path)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO mine VALUES (1)")
    put(state, (2, account(2)), batch_number=1)
    mark = state.snapshot()
    with pytest.raises(sqlite3.IntegrityError):  # undone alone, the owner's transaction goes on
        put(state, (3, account(3)))
    assert state.snapshot() == mark
    db.execute("ROLLBACK")
    assert everything(state) == before
    assert db.execute("SELECT count(*) FROM mine").fetchone()[0] == 0
    db.execute("BEGIN IMMEDIATE")
    put(state, (2, account(2)), batch_number=1)
    db.execute("COMMIT")
    db.close()
    db = sqlite3.connect(path, isolation_level=None)
    reopened = StateTree(SQLiteStore.within(db, path, DEPTH, empty_root(DEPTH)))
    assert [index for index, _ in reopened.accounts()] == [1, 2]
    with pytest.raises(StoreMismatch, match="depth is 3; expected 4"):
        SQLiteStore.within(db, path, 4, empty_root(4))
    db.close()
