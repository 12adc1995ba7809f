"""Groups: all members in a batch one after the other, or none of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zkrollup.state import (
    ChangeKey,
    ForcedExit,
    StateTree,
    Transfer,
    TransferToNew,
    apply_batch,
    build_batch,
    group_hash,
    sign_group,
)
from zkrollup.state import exceptions as why
from zkrollup.state.trace import GROUP_TAG
from zkrollup.testing.rollup import CHAIN_ID, ROLLUP_ID


@pytest.fixture
def state(wallets) -> StateTree:
    """Wallets 1 and 2 each hold 1000 of token 7 (accounts 1, 2) and of token 8 (accounts 3, 4)."""
    tree = StateTree.in_memory(depth=3)
    tree.seed(wallets[i].account(token=token) for token in (7, 8) for i in (1, 2))
    return tree


@pytest.fixture
def group(wallets):
    """A group of these transactions, each signed by the wallet that owns its sender."""

    def make(*transactions):
        keys = [wallets[(t.sender - 1) % 2 + 1].key for t in transactions]
        return sign_group(transactions, keys, CHAIN_ID, ROLLUP_ID)

    return make


GIVE = Transfer(1, 2, 7, 100, 0, 0)
TAKE = Transfer(4, 3, 8, 50, 0, 0)


def unchanged(state: StateTree, batch, context, expected: why.TransactionError) -> None:
    before = (state.meta, dict(state.accounts()))
    with pytest.raises(type(expected)) as caught:
        apply_batch(state, batch, context())
    assert caught.value.values() == expected.values()
    assert (state.meta, dict(state.accounts())) == before


def test_group__swaps_two_tokens_between_two_owners(state, context, group) -> None:
    trace = apply_batch(state, group(GIVE, TAKE), context(fee_entries=()))
    assert [state.account(i).balance for i in range(1, 5)] == [900, 1100, 1050, 950]
    value = group_hash([GIVE, TAKE], CHAIN_ID, ROLLUP_ID)
    first = group_hash([GIVE], CHAIN_ID, ROLLUP_ID)
    found = [(s.group, s.group_before, s.accumulator_before) for s in trace.slots]
    assert found == [(value, 0, GROUP_TAG), (value, value, first), (0, 0, GROUP_TAG), (0, 0, GROUP_TAG)]


def test_group__of_one_and_groups_in_a_row_are_applied(state, context, group) -> None:
    later = replace(GIVE, nonce=1), replace(TAKE, nonce=1)
    batch = [*group(GIVE), *group(TAKE, later[0]), *group(later[1])]
    trace = apply_batch(state, batch, context(fee_entries=()))
    assert [slot.group_before != 0 for slot in trace.slots] == [False, False, True, False]


@pytest.mark.parametrize("members", [[0], [1], [1, 0], [0, 0]])
def test_group__is_not_applied_in_part_or_in_another_order(state, context, group, members) -> None:
    """A prefix, a suffix, another order, a member twice."""
    whole = group(GIVE, TAKE)
    value = whole[0].group
    batch = [whole[i] for i in members]
    if members == [0, 0]:
        with pytest.raises(why.ReusedNonce):
            apply_batch(state, batch, context())
        return
    place = f"transaction {len(batch) - 1} (transfer)"
    unchanged(state, batch, context, why.GroupIncomplete(value, len(batch), place=place))


def test_group__takes_no_stranger_into_its_midst(state, context, wallets, group) -> None:
    whole = group(GIVE, TAKE)
    value = whole[0].group
    alone = wallets[2].transfer(2, 1, 5)
    other = group(replace(alone, signature=None))
    exit_ = ForcedExit(2, wallets[2].eth_address)
    for stranger, found, name in (
        ([alone], 0, "transfer"),
        (other, other[0].group, "transfer"),
        ([exit_], 0, "forced_exit"),
    ):
        expected = why.GroupInterrupted(value, found, place=f"transaction 1 ({name})")
        unchanged(state, [whole[0], *stranger, whole[1]], context, expected)


def test_group__is_signed_for_exactly_its_members(state, context, wallets, group) -> None:
    """A partner that is changed, or signed again for less, is another group."""
    whole = group(GIVE, TAKE)
    cheaper = wallets[2].sign(replace(TAKE, amount=1, group=whole[0].group))
    expected = why.GroupIncomplete(whole[0].group, 2, place="transaction 1 (transfer)")
    unchanged(state, [whole[0], cheaper], context, expected)
    bare = wallets[1].sign(GIVE)
    stripped = replace(whole[0], group=0)
    for wrong in (replace(bare, group=whole[0].group), stripped):
        with pytest.raises(why.WrongSignature):
            apply_batch(state, [wrong, whole[1]], context())


def test_group__that_breaks_a_rule_late_changes_nothing(state, context, group) -> None:
    broke = replace(TAKE, amount=1001)
    expected = why.Overdrawn(4, 1000, 1001, 0, place="transaction 1 (transfer)")
    unchanged(state, group(GIVE, broke), context, expected)


def test_group__of_every_kind_is_applied(state, context, wallets, group) -> None:
    ax, ay = wallets[5].key.public_key
    batch = group(GIVE, TransferToNew(2, ax, ay, 9, 7, 1100, 0, 0), ChangeKey(1, ax, ay, 7, 0, 1), TAKE)
    trace = apply_batch(state, batch, context(fee_entries=()))
    assert state.account(5).balance == 1100
    assert trace.root_after == state.recompute_root()


# -- building ----------------------------------------------------------------------------------------


def test_build__sets_a_whole_group_aside(state, context, wallets, group) -> None:
    bad = group(GIVE, replace(TAKE, amount=1001), replace(GIVE, nonce=1))
    good = [wallets[1].transfer(1, 2, 5), wallets[2].transfer(4, 3, 1, token=8)]
    built = build_batch(state, [bad[0], bad[1], bad[2], *good], context(fee_entries=()))
    assert built.applied == tuple(good)
    assert [item.position for item in built.set_aside] == [0, 1, 2]
    assert [item.transaction for item in built.set_aside] == bad
    assert {type(item.reason) for item in built.set_aside} == {why.Overdrawn}
    assert {item.reason.place for item in built.set_aside} == {"transaction 1 (transfer)"}


@pytest.mark.parametrize("cut", [0, 1])
def test_build__sets_a_group_aside_that_is_not_whole(state, context, wallets, group, cut) -> None:
    whole = group(GIVE, TAKE)
    built = build_batch(state, [whole[cut], wallets[2].deposit(5)], context(fee_entries=()))
    assert [item.transaction for item in built.set_aside] == [whole[cut]]
    assert isinstance(built.set_aside[0].reason, why.GroupIncomplete)
    assert len(built.applied) == 1


def test_build__sets_two_halves_aside_that_a_stranger_parts(state, context, wallets, group) -> None:
    whole = group(GIVE, TAKE)
    stranger = wallets[2].transfer(2, 1, 5)
    built = build_batch(state, [whole[0], stranger, whole[1]], context(fee_entries=()))
    assert built.applied == (stranger,)
    assert [item.position for item in built.set_aside] == [0, 2]


def test_build__leaves_a_group_that_does_not_fit_for_the_next_batch(state, context, wallets, group) -> None:
    whole = group(GIVE, TAKE)
    one = wallets[2].transfer(2, 1, 5)
    built = build_batch(state, [one, *whole, one], context(slots=2, fee_entries=()))
    assert built.applied == (one,)
    assert built.remaining == (*whole, one)
    assert not built.set_aside
    built = build_batch(state, built.remaining[:2], context(slots=2, batch_number=2, fee_entries=()))
    assert built.applied == tuple(whole)


def test_build__sets_a_group_aside_that_no_batch_can_hold(state, context, wallets, group) -> None:
    whole = group(GIVE, TAKE, replace(GIVE, nonce=1))
    built = build_batch(state, [*whole, wallets[1].transfer(1, 2, 5)], context(slots=2, fee_entries=()))
    reasons = {str(item.reason) for item in built.set_aside}
    assert [item.position for item in built.set_aside] == [0, 1, 2]
    assert len(reasons) == 1
    assert "has 3 members, a batch has 2 slots" in reasons.pop()
    assert len(built.applied) == 1


def test_build__sets_a_member_aside_whose_fee_cannot_be_signed(state, context, group) -> None:
    whole = group(replace(GIVE, fee=127), TAKE)
    built = build_batch(state, [replace(whole[0], fee=128), whole[1]], context(fee_entries=()))
    assert {type(item.reason) for item in built.set_aside} == {why.UnencodableFee}
    assert len(built.set_aside) == 2


def test_build__gives_the_batch_that_applying_gives(state, context, wallets, group) -> None:
    batch = [*group(GIVE, TAKE), wallets[1].transfer(1, 2, 5, nonce=1)]
    twin = StateTree.in_memory(depth=3)
    twin.seed(account for _, account in state.accounts())
    built = build_batch(state, batch, context(fee_entries=()))
    assert built.trace == apply_batch(twin, batch, context(fee_entries=()))
