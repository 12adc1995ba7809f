"""Batches: order, padding, fees, what is set aside, and that nothing happens unless all of it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zkrollup.crypto.merkle import root_from_path, verify_path
from zkrollup.state import (
    Account,
    BatchTrace,
    ForcedExit,
    Kind,
    Noop,
    StateTree,
    apply_batch,
    build_batch,
)
from zkrollup.state import exceptions as why
from zkrollup.state.accounts import EMPTY_ACCOUNT
from zkrollup.state.public_data import public_data, slot_elements

MAX = 2**128 - 1


def assert_consistent(state: StateTree, trace: BatchTrace) -> None:
    """Every update of the trace is proved by its path, and they lead from one root to the other."""
    root = trace.root_before
    updates = [update for slot in trace.slots for update in (slot.first, slot.second)]
    for update in (*updates, *trace.fee_updates):
        assert update.root_before == root
        assert verify_path(root, update.before.leaf(), update.index, update.path)
        root = root_from_path(update.after.leaf(), update.index, update.path)
        assert update.root_after == root
    assert root == trace.root_after == state.root == state.recompute_root()
    assert len(trace.slots) == trace.parameters.slots
    assert len(trace.fee_updates) == len(trace.fees) == trace.parameters.fee_tokens
    assert trace.header == public_data(trace).vector()[: len(trace.header)]
    elements = [element for slot in trace.slots for element in slot.elements]
    assert tuple(elements) == public_data(trace).elements()[len(trace.header) :]


def snapshot_of(state: StateTree):
    return state.meta, dict(state.accounts()), state.prove(1).path


def test_batch__applies_transactions_in_order_and_credits_fees(seeded, context, wallets) -> None:
    state = seeded()
    trace = apply_batch(
        state,
        [
            wallets[1].transfer(1, 2, 1000 - 20, fee=20),
            wallets[2].transfer(2, 1, 1500, fee=30),  # possible only after the first one
            wallets[5].deposit(40),
            wallets[5].withdraw(5, 30, fee=10),  # from the account that was made just before
        ],
        context(fee_entries=((8, 4), (7, 3))),
    )
    assert_consistent(state, trace)
    assert [state.account(i).balance for i in range(1, 6)] == [1500, 450, 1060, 1000, 0]
    assert [slot.fees_before for slot in trace.slots] == [(0, 0), (0, 20), (0, 50), (0, 50)]
    assert [slot.fee_entry for slot in trace.slots] == [1, 1, None, 1]
    assert trace.fees == (0, 60)
    assert [update.index for update in trace.fee_updates] == [4, 3]
    assert state.batch_number == 1


def test_batch__of_all_kinds_has_the_values_that_circuits_read(seeded, context, wallets) -> None:
    state = seeded(balances={3: MAX})
    trace = apply_batch(
        state,
        [
            wallets[1].transfer(1, 2, 120),
            wallets[3].deposit(1),
            ForcedExit(2, wallets[2].eth_address),
            ForcedExit(1, 5),
            wallets[4].withdraw(4, 7, token=8),
        ],
        context(slots=7, fee_entries=()),
    )
    assert_consistent(state, trace)
    moved, full, exited, refused, withdrawn, *noops = trace.slots
    assert [slot.kind for slot in trace.slots] == [2, 1, 4, 4, 3, 0, 0]
    assert [slot.nullified for slot in trace.slots] == [False, True, False, True, False, False, False]
    assert (moved.amount, moved.amount_code, moved.token) == (120, 120, 7)
    assert moved.signature is not None
    assert (full.second.index, full.amount, full.key) == (3, 1, wallets[3].key.public_key)
    assert (exited.first.index, exited.amount, exited.token) == (2, 1120, 7)
    assert (refused.first.index, refused.amount, refused.token, refused.eth_address) == (1, 0, 0, 5)
    assert (withdrawn.amount, withdrawn.token, withdrawn.eth_address) == (7, 8, wallets[4].eth_address)
    for noop in noops:
        assert noop.first == noop.second
        assert (noop.first.index, noop.first.before, noop.first.after) == (0, EMPTY_ACCOUNT, EMPTY_ACCOUNT)
        assert noop.elements == ((False, 0),) * 4
        assert noop.signature is None


def test_batch__may_be_empty(seeded, context) -> None:
    state = seeded()
    root = state.root
    trace = apply_batch(state, [], context())
    assert_consistent(state, trace)
    assert trace.root_after == root
    assert state.batch_number == 1


def test_batch__takes_noops_at_its_end_only(seeded, context, wallets) -> None:
    transfer = wallets[1].transfer(1, 2, 1)
    padded = apply_batch(seeded(), [transfer, Noop(), Noop()], context())
    assert padded == apply_batch(seeded(), [transfer], context())
    state = seeded()
    before = snapshot_of(state)
    with pytest.raises(why.NoopBeforeTransaction) as caught:
        apply_batch(state, [Noop(), transfer], context())
    assert caught.value.position == 0
    assert snapshot_of(state) == before


def test_batch__refuses_more_transactions_than_slots(seeded, context, wallets) -> None:
    state = seeded()
    before = snapshot_of(state)
    transfers = [wallets[1].transfer(1, 2, 1, nonce=nonce) for nonce in range(5)]
    with pytest.raises(why.BatchFull) as caught:
        apply_batch(state, transfers, context())
    assert caught.value.slots == 4
    with pytest.raises(why.BatchFull):
        apply_batch(state, [Noop()] * 5, context())
    assert snapshot_of(state) == before
    apply_batch(state, transfers[:4], context())


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_batch__that_fails_in_the_middle_changes_nothing(seeded, context, wallets, tmp_path, store) -> None:
    state = seeded(StateTree.open(tmp_path / "s.db", 3) if store == "sqlite" else None)
    before = snapshot_of(state)
    good = wallets[1].transfer(1, 2, 10)
    with pytest.raises(why.ReusedNonce) as caught:
        apply_batch(state, [good, wallets[5].deposit(5), good], context())
    assert caught.value.place == "transaction 2 (transfer)"
    assert "reused nonce in transaction 2 (transfer)" in str(caught.value)
    assert snapshot_of(state) == before
    apply_batch(state, [good], context())
    state.close()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (((7, 60),), why.FeeAccountMissing(60, 7, place="fee entry 0")),
        (((7, 3), (8, 1)), why.TokenMismatch(1, 7, 8, place="fee entry 1")),
        (((7, 2),), why.BalanceOverflow(2, MAX, 1, place="fee entry 0")),
    ],
)
def test_fees__need_an_account_that_can_take_them(seeded, context, wallets, entries, expected) -> None:
    state = seeded(balances={2: MAX})
    before = snapshot_of(state)
    with pytest.raises(type(expected)) as caught:
        apply_batch(state, [wallets[1].transfer(1, 3, 1, fee=1)], context(fee_entries=entries))
    assert caught.value.values() == expected.values()
    assert snapshot_of(state) == before


def test_fees__can_go_to_an_account_made_in_the_same_batch(seeded, context, wallets) -> None:
    state = seeded()
    batch = [wallets[1].transfer(1, 2, 1, fee=9), wallets[5].deposit(1)]
    trace = apply_batch(state, batch, context(fee_entries=((7, 5),)))
    assert_consistent(state, trace)
    assert state.account(5).balance == 10


def test_fees__of_two_tokens_can_be_credited_one_after_the_other(seeded, context, wallets) -> None:
    state = seeded()
    batch = [wallets[4].withdraw(4, 1, fee=2, token=8), wallets[1].withdraw(1, 1, fee=3)]
    trace = apply_batch(state, batch, context(fee_entries=((7, 3), (8, 4))))
    assert_consistent(state, trace)
    assert trace.fees == (3, 2)
    assert (state.account(3).balance, state.account(4).balance) == (1003, 999)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (((1, 1), (2, 2), (3, 3)), why.TooManyFeeEntries),
        (((7, 3), (7, 2)), why.DuplicateFeeToken),
        (((7, 0),), why.ReservedAccount),
        (((7, 64),), why.IndexOutsideTree),
        (((2**32, 1),), why.OutOfRange),
    ],
)
def test_context__refuses_fee_entries_that_cannot_be(context, entries, expected) -> None:
    with pytest.raises(expected):
        context(fee_entries=entries)


def test_context__refuses_ids_out_of_range(context) -> None:
    for change in ({"chain_id": 2**64}, {"rollup_id": 2**160}, {"batch_number": 2**64}):
        with pytest.raises(why.OutOfRange):
            replace(context(), **change)


def test_batch__refuses_a_state_of_another_depth(seeded, context) -> None:
    with pytest.raises(why.DepthMismatch) as caught:
        apply_batch(seeded(), [], context(depth=4))
    assert (caught.value.state, caught.value.batch) == (3, 4)


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_deposits__with_one_key_in_one_batch_make_one_account(
    seeded, context, wallets, tmp_path, store
) -> None:
    state = seeded(StateTree.open(tmp_path / "s.db", 3) if store == "sqlite" else None)
    trace = apply_batch(
        state, [wallets[5].deposit(5), wallets[0].deposit(1), wallets[5].deposit(7)], context()
    )
    assert_consistent(state, trace)
    assert [slot.second.index for slot in trace.slots[:3]] == [5, 6, 5]
    assert state.account(5).balance == 12
    state.close()


# -- building ----------------------------------------------------------------------------------------


def test_build__sets_bad_transactions_aside_and_goes_on(seeded, context, wallets) -> None:
    state = seeded()
    good, overdrawn = wallets[1].transfer(1, 2, 10), wallets[2].withdraw(2, 5000)
    stranger = wallets[5].transfer(1, 2, 10, nonce=1)
    late, more = wallets[1].transfer(1, 2, 20, nonce=1), wallets[3].transfer(3, 2, 1)
    given = [good, overdrawn, Noop(), stranger, good, late, more, wallets[5].deposit(5), more]
    built = build_batch(state, given, context())
    assert_consistent(state, built.trace)
    assert [slot.kind for slot in built.trace.slots] == [2, 2, 2, 1]
    assert [type(item.reason) for item in built.set_aside] == [
        why.Overdrawn,
        why.WrongSignature,
        why.ReusedNonce,
    ]
    assert [item.transaction for item in built.set_aside] == [overdrawn, stranger, good]
    assert [item.position for item in built.set_aside] == [1, 2, 3]
    assert built.applied == (good, late, more, wallets[5].deposit(5))
    assert built.remaining == (more,)


def test_build__gives_the_batch_that_applying_the_good_ones_gives(seeded, context, wallets) -> None:
    good = [wallets[1].transfer(1, 2, 10), wallets[5].deposit(5), wallets[5].withdraw(5, 5)]
    bad = wallets[2].withdraw(2, 5000)
    built = build_batch(seeded(), [bad, good[0], bad, *good[1:], bad], context())
    assert built.trace == apply_batch(seeded(), good, context())


def test_build__never_sets_a_request_aside(seeded, context) -> None:
    state = seeded()
    before = snapshot_of(state)
    with pytest.raises(why.IndexOutsideTree):  # L1 takes no such request
        build_batch(state, [ForcedExit(64, 1)], context(fee_entries=()))
    assert snapshot_of(state) == before


# -- at full size ------------------------------------------------------------------------------------


def test_batch__of_64_transfers_on_a_deep_tree_is_consistent(context, wallets) -> None:
    state = StateTree.in_memory()
    state.seed(Account(7, 0, 10**6, *wallet.key.public_key, wallet.eth_address) for wallet in wallets)
    transfers = [
        wallets[i % 6].transfer(i % 6 + 1, (i + 1) % 6 + 1, i + 1, fee=1, nonce=i // 6) for i in range(64)
    ]
    trace = apply_batch(state, transfers, context(slots=64, depth=16))
    assert_consistent(state, trace)
    assert trace.fees[0] == 64
    assert sum(account.balance for _, account in state.accounts()) == 6 * 10**6


def test_trace__publishes_every_kind_by_its_own_elements(seeded, context, wallets) -> None:
    """Which elements are present follows from the kind alone."""
    state = seeded()
    batch = [wallets[5].deposit(1), wallets[1].transfer(1, 2, 1), wallets[2].withdraw(2, 1), ForcedExit(3, 9)]
    trace = apply_batch(state, batch, context(slots=5))
    flags = {slot.kind: tuple(present for present, _ in slot.elements) for slot in trace.slots}
    assert flags == {
        Kind.DEPOSIT: (True, True, True, True),
        Kind.TRANSFER: (True, False, False, False),
        Kind.WITHDRAW: (True, True, False, False),
        Kind.FORCED_EXIT: (True, True, False, False),
        Kind.NOOP: (False,) * 4,
    }
    assert [slot_elements(record) for record in public_data(trace).records] == [
        slot.elements for slot in trace.slots[:4]
    ]
