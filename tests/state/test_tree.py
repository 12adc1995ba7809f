"""The state tree against a tree computed from nothing, and its paths against the path check."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.merkle import empty_nodes, root_from_path, verify_path
from zkrollup.crypto.poseidon import poseidon
from zkrollup.state import EMPTY_ACCOUNT, Account, StateTree, empty_root
from zkrollup.state.accounts import Change
from zkrollup.state.exceptions import DuplicateAccount, InvalidParameter, TreeFull
from zkrollup.state.hashing import hash_each
from zkrollup.state.tree import compute_root


def account(number: int) -> Account:
    return Account(
        token=number % 3, nonce=number % 2**40, balance=number * 7, ax=number, ay=1, eth_address=number
    )


def chain(changes: list[tuple[int, int]]) -> list[Change]:
    """Changes that follow each other: (index, number of the account put there)."""
    now: dict[int, Account] = {}
    made = []
    for index, number in changes:
        after = account(1000 * index + number + 1)
        made.append(Change(index, now.get(index, EMPTY_ACCOUNT), after))
        now[index] = after
    return made


@pytest.mark.parametrize("depth", [1, 2, 3, 16])
def test_empty_root__is_that_of_empty_leaves(depth: int) -> None:
    assert empty_root(depth) == empty_nodes(depth, poseidon([0] * 5))[depth] == compute_root({}, depth)
    assert StateTree.in_memory(depth).root == empty_root(depth)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([1, 2, 3, 5]),
    st.lists(st.tuples(st.integers(1, 1023), st.integers(0, 3)), max_size=8),
)
def test_updates__follow_each_other_and_end_in_the_root_of_all_leaves(depth, changes) -> None:
    state = StateTree.in_memory(depth)
    changes = chain([(index % 4**depth or 1, number) for index, number in changes])
    for part in (changes[:3], changes[3:]):
        root = state.root
        prepared = state.prepare(part)
        for change, update in zip(part, prepared.updates, strict=True):
            assert (update.index, update.before, update.after) == (change.index, change.before, change.after)
            assert update.root_before == root
            assert len(update.path) == depth
            assert verify_path(root, update.before.leaf(), update.index, update.path)
            root = root_from_path(update.after.leaf(), update.index, update.path)
            assert update.root_after == root
        state.commit(prepared)
        assert state.root == root == state.recompute_root()


def test_prepare__writes_nothing() -> None:
    state = StateTree.in_memory(2)
    before = (state.meta, list(state.accounts()))
    prepared = state.prepare(chain([(1, 0), (2, 0)]))
    assert prepared.changes.after.root != state.root
    assert (state.meta, list(state.accounts())) == before


def test_identity__costs_no_hash_and_moves_no_root() -> None:
    calls: list[int] = []

    def counting(inputs):
        calls.append(len(inputs))
        return hash_each(inputs)

    state = StateTree.in_memory(3, counting)
    state.commit(state.prepare(chain([(1, 0), (5, 0)])))
    assert calls == [2, 2, 2, 2]  # the leaves, then one call a level, whatever the number of changes
    calls.clear()
    update = state.prove(5)
    assert calls == []
    assert update.root_before == update.root_after == state.root
    assert verify_path(state.root, state.account(5).leaf(), 5, update.path)


def test_hasher__that_fails_leaves_the_state_as_it_was() -> None:
    state = StateTree.in_memory(3)
    state.seed([account(1)])
    before = (state.meta, list(state.accounts()))

    def failing(inputs):
        raise RuntimeError("engine gone")

    state.hasher = failing
    with pytest.raises(RuntimeError):
        state.prepare([Change(2, EMPTY_ACCOUNT, account(2))])
    assert (state.meta, list(state.accounts())) == before


def test_deep_tree__reaches_its_last_index() -> None:
    state = StateTree.in_memory(16)
    last = 4**16 - 1
    prepared = state.prepare(chain([(1, 0), (last, 0), (last // 2, 0)]))
    state.commit(prepared)
    assert state.root == state.recompute_root()
    assert state.next_index == 4**16
    assert verify_path(state.root, state.account(last).leaf(), last, state.prove(last).path)


def test_seed__opens_accounts_in_order() -> None:
    state = StateTree.in_memory(2)
    state.seed([account(1), account(2)])
    state.seed([account(3)])
    assert [index for index, _ in state.accounts()] == [1, 2, 3]
    assert state.find(account(3).key) == 3
    assert state.next_index == 4
    assert state.root == compute_root({1: account(1), 2: account(2), 3: account(3)}, 2)


def test_seed__refuses_what_no_genesis_holds() -> None:
    state = StateTree.in_memory(1)
    with pytest.raises(InvalidParameter, match="account 1"):
        state.seed([EMPTY_ACCOUNT])
    with pytest.raises(DuplicateAccount) as caught:
        state.seed([account(1), replace(account(1), balance=0)])
    assert (caught.value.account, caught.value.existing) == (2, 1)
    with pytest.raises(TreeFull):
        state.seed([account(i) for i in range(1, 5)])
    state.commit(state.prepare([], batch_number=1))
    with pytest.raises(InvalidParameter, match="batch_number"):
        state.seed([account(1)])
    assert state.root == empty_root(1)


@pytest.mark.parametrize("depth", [0, 17, True, "3"])
def test_depth__outside_1_to_16_is_refused(depth) -> None:
    with pytest.raises(InvalidParameter, match="depth"):
        StateTree.in_memory(depth)
