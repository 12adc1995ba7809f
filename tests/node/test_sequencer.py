"""Admission and building: what is refused and why, what is on disk, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.node import errors
from zkrollup.node.gas import bound
from zkrollup.node.mempool import Limits
from zkrollup.node.policy import Policy
from zkrollup.node.sequencer import LeftForGas
from zkrollup.node.store import StoredBatch
from zkrollup.state import Kind, Transfer, Withdraw, sign_transaction
from zkrollup.state import exceptions as state
from zkrollup.state.transactions import SignedTransaction, sign_group
from zkrollup.testing.node import StepNode

from .conftest import FIRST, Bank


def ids(bank: Bank, *transactions) -> list[int]:
    return [receipt.id for transaction in transactions for receipt in bank.node.submit(transaction)]


def reason(bank: Bank, identifier: int) -> str:
    stored = bank.node.store.find_transaction(identifier)
    assert stored is not None
    assert stored.reason is not None
    return str(stored.reason["message"])


# -- admission ---------------------------------------------------------------------------------------


def test_submit__is_on_disk_when_it_returns(bank: Bank) -> None:
    transfer = bank.transfer()
    (receipt,) = bank.node.submit(transfer)
    assert (receipt.status, receipt.known) == ("waiting", False)
    bank.node.restart()
    stored = bank.node.store.find_transaction(receipt.id)
    assert stored is not None
    assert stored.transaction == transfer
    assert receipt.id in bank.node.sequencer.mempool


def test_submit__of_the_same_transaction_returns_the_same_id_and_does_nothing(bank: Bank) -> None:
    first = bank.node.submit(bank.transfer())[0]
    again = bank.node.submit(bank.transfer())[0]
    assert (again.id, again.status, again.known) == (first.id, "waiting", True)
    bank.node.settle()
    after = bank.node.submit(bank.transfer())[0]
    assert (after.id, after.status) == (first.id, "batched")
    assert bank.node.sequencer.state.account(FIRST).nonce == 1
    assert bank.node.store.counts() == {"batched": 1}


def test_submit__keys_on_what_was_signed_and_not_on_the_signature(bank: Bank) -> None:
    transfer = bank.transfer()
    first = bank.node.submit(transfer)[0]
    other = replace(transfer, signature=bank.wallets[0].key.sign(1))
    assert bank.node.submit(other)[0].id == first.id


def test_submit__names_the_wrong_chain_and_the_wrong_rollup(bank: Bank) -> None:
    identity = bank.node.store.identity
    sequencer = bank.node.sequencer
    with pytest.raises(errors.WrongChainId, match="for chain 1; this rollup is on chain 31337"):
        sequencer.submit([bank.transfer()], chain_id=1, rollup_id=identity.rollup_id)
    with pytest.raises(errors.WrongRollupId, match=r"for rollup 0x0+5; this is rollup 0x"):
        sequencer.submit([bank.transfer()], chain_id=identity.chain_id, rollup_id=5)
    foreign = replace(bank.wallets[0], chain_id=1).sign(Transfer(FIRST, 3, 0, 5, 0, 0))
    with pytest.raises(state.WrongSignature):  # who says the right chain and signed for another
        bank.node.submit(foreign)
    assert bank.node.store.counts() == {}


def test_submit__with_least_fees_takes_no_token_that_has_none(bank: Bank) -> None:
    node = bank.node
    node.sequencer.policy = replace(node.sequencer.policy, min_fees={1: 1, 7: 2})
    with pytest.raises(errors.TokenNotTaken, match=r"no least fee in token 0.*one of \(1, 7\)"):
        node.submit(bank.transfer(fee=3))
    node.sequencer.policy = replace(node.sequencer.policy, min_fees={1: 0, 7: 0})
    assert not node.submit(bank.transfer(fee=0))[0].known


def test_submit__refuses_with_the_reason_and_keeps_nothing(bank: Bank) -> None:
    node, wallet = bank.node, bank.wallets[0]
    node.sequencer.policy = replace(node.sequencer.policy, min_fees={0: 3}, max_nonce_gap=2)
    node.submit(bank.transfer(fee=3))
    node.settle()
    cases = [
        (wallet.sign(Transfer(FIRST, 3, 9, 5, 3, 1)), errors.UnknownToken, "there is no token 9"),
        (Transfer(FIRST, 3, 0, 5, 3, 1), errors.NotSigned, "carries no signature"),
        (bank.transfer(fee=2, nonce=1), errors.FeeTooLow, "from 3 on"),
        (bank.transfer(fee=3, nonce=0, amount=6), state.ReusedNonce, "sign again with nonce 1"),
        (bank.transfer(fee=3, nonce=4), errors.NonceTooFar, "at nonce 1, the transaction has nonce 4"),
        (bank.transfer(fee=3, nonce=1, amount=5_000), state.Overdrawn, "less than amount 5000 plus fee 3"),
        (bank.transfer(fee=3, nonce=1, to=60), state.UnknownRecipient, "no account 60"),
        (wallet.sign(Transfer(50, 3, 0, 5, 3, 0)), state.UnknownAccount, "no account 50"),
        (bank.transfer(fee=3, nonce=1, valid_until=1), state.Expired, "1"),
        (wallet.sign(Transfer(FIRST + 1, 3, 0, 5, 3, 0)), state.WrongSignature, "key of account 3"),
        (wallet.sign(Withdraw(FIRST, 7, 0, 2**100, 3, 1)), state.Overdrawn, "holds"),
    ]
    before = node.store.counts()
    for transaction, kind, text in cases:
        with pytest.raises(kind, match=text):
            node.submit(transaction)
    assert node.store.counts() == before
    assert len(node.sequencer.mempool) == 0


def test_submit__refuses_a_member_without_its_group_and_another_group(bank: Bank) -> None:
    identity = bank.node.store.identity
    pair = [Transfer(FIRST, 3, 0, 5, 0, 0), Transfer(FIRST + 1, 2, 0, 6, 0, 0)]
    keys = [wallet.key for wallet in bank.wallets[:2]]
    one, two = sign_group(pair, keys, identity.chain_id, identity.rollup_id)
    for members in ([one], [two, one], [one, bank.transfer(1)]):
        with pytest.raises(errors.GroupMismatch, match="submit the whole group, in order"):
            bank.node.submit(*members)
    with pytest.raises(errors.GroupTooLarge, match="the group has 5 transactions; a group has 2 to 4"):
        bank.node.submit(*[one] * 5)
    receipts = bank.node.submit(one, two)
    bank.node.restart()
    batch = bank.node.build()
    assert batch is not None
    assert batch.transactions == (one, two)
    assert bank.node.statuses([receipt.id for receipt in receipts]) == ["built", "built"]


def test_submit__replaces_and_evicts_on_disk_with_the_reason(tmp_path: Path) -> None:
    bank = Bank(StepNode(tmp_path / "n", policy=Policy(limits=Limits(transactions=2))))
    cheap, second = ids(bank, bank.transfer(fee=10), bank.transfer(1, fee=12))
    dear = ids(bank, bank.transfer(fee=11, amount=7))[0]
    assert bank.node.statuses([cheap, dear]) == ["dropped", "waiting"]
    assert f"{dear:#066x}" in reason(bank, cheap)
    last = ids(bank, bank.transfer(2, fee=20))[0]
    bank.node.restart()
    assert bank.node.statuses([dear, second, last]) == ["dropped", "waiting", "waiting"]
    assert "others pay more" in reason(bank, dear)
    with pytest.raises(errors.PoolFull, match="2 transactions wait, the least of them pays 12"):
        bank.node.submit(bank.transfer(fee=12))
    bank.node.close()


def test_submit__lets_nothing_that_cannot_be_applied_take_the_place_of_others(tmp_path: Path) -> None:
    """It would cost its sender nothing: not behind a gap of nonces, nor with money that is spent before."""
    bank = Bank(StepNode(tmp_path / "n", policy=Policy(limits=Limits(transactions=4))))
    waiting = ids(bank, bank.transfer(0, fee=10), bank.transfer(1, fee=12), bank.transfer(2, fee=1))
    with pytest.raises(errors.PoolBusy, match="3 transactions wait, and account 4 has not waiting what this"):
        bank.node.submit(bank.transfer(2, nonce=2, fee=900))
    waiting += ids(bank, bank.transfer(2, nonce=1, fee=900))
    with pytest.raises(errors.PoolBusy):
        bank.node.submit(bank.transfer(2, nonce=2, fee=200))
    assert bank.node.statuses(waiting) == ["waiting"] * 4
    waiting += ids(bank, bank.transfer(1, nonce=1, fee=20))
    assert bank.node.statuses(waiting) == ["dropped", *["waiting"] * 4]
    bank.node.close()


def test_submit__takes_again_what_was_dropped(tmp_path: Path) -> None:
    bank = Bank(StepNode(tmp_path / "n", policy=Policy(limits=Limits(transactions=1))))
    cheap = ids(bank, bank.transfer(fee=1))[0]
    ids(bank, bank.transfer(1, fee=2))
    assert bank.node.statuses([cheap]) == ["dropped"]
    bank.node.settle()
    assert ids(bank, bank.transfer(fee=1)) == [cheap]
    assert bank.node.statuses([cheap]) == ["waiting"]
    bank.node.close()


# -- building ----------------------------------------------------------------------------------------


def test_build__puts_requests_first_and_then_goes_by_fee(bank: Bank) -> None:
    low, high = bank.transfer(0, fee=1), bank.transfer(1, fee=9)
    bank.node.submit(low)
    bank.node.submit(high)
    bank.node.pay_in(bank.wallets[0], 50)
    batch = bank.node.build()
    assert batch is not None
    assert [type(transaction).__name__ for transaction in batch.transactions] == [
        "Deposit",
        "Transfer",
        "Transfer",
    ]
    assert batch.transactions[1:] == (high, low)
    assert (batch.requests_before, batch.requests_after, batch.signed) == (4, 5, 2)


def test_build__leaves_half_of_the_slots_to_signed_ones_unless_requests_are_due(bank: Bank) -> None:
    for place in range(3):
        bank.node.submit(bank.transfer(place))
        bank.node.submit(bank.transfer(place, nonce=1))
    for _ in range(4):
        bank.node.pay_in(bank.wallets[0], 1)
    batch = bank.node.build()
    assert batch is not None
    assert (len(batch.transactions), batch.signed) == (4, 2)
    bank.node.sequencer.policy = replace(bank.node.sequencer.policy, deadline_margin=10**6)
    for _ in range(2):
        bank.node.pay_in(bank.wallets[0], 1)
    batch = bank.node.build()
    assert batch is not None
    assert (len(batch.transactions), batch.signed) == (4, 0)


def group_of(bank: Bank, count: int, fee: int) -> list[SignedTransaction]:
    """A group of so many transfers of wallet 0."""
    identity = bank.node.store.identity
    members = [Transfer(FIRST, FIRST + 1, 0, 5, fee, nonce) for nonce in range(count)]
    return sign_group(members, [bank.wallets[0].key] * count, identity.chain_id, identity.rollup_id)


def test_build__gives_a_group_as_large_as_a_batch_its_turn_though_requests_keep_coming(bank: Bank) -> None:
    group = group_of(bank, 4, fee=9)
    bank.node.submit(*group)
    bank.node.submit(bank.transfer(1))
    bank.node.pay_in(bank.wallets[2], 1)
    first, second = bank.node.build(), bank.node.build()
    assert first is not None
    assert first.transactions == tuple(group)
    assert second is not None
    assert (len(second.transactions), second.signed) == (2, 1)


def test_build__fills_the_slots_behind_a_group_that_does_not_fit(bank: Bank) -> None:
    bank.node.submit(*group_of(bank, 4, fee=9))
    best, last = bank.transfer(1, fee=10), bank.transfer(2)
    bank.node.submit(last)
    bank.node.submit(best)
    batch = bank.node.build()
    assert batch is not None
    assert batch.transactions == (best, last)


def test_build__drops_what_fails_with_the_reason_and_holds_what_waits_for_it(bank: Bank) -> None:
    fails, follows = ids(bank, bank.transfer(amount=900, fee=1), bank.transfer(nonce=1))
    drains = ids(bank, bank.wallets[0].sign(Transfer(FIRST, 3, 0, 900, 2, 0)))  # replaces, then drains
    assert bank.node.statuses([fails, *drains]) == ["dropped", "waiting"]
    other = ids(bank, bank.transfer(nonce=2, amount=700))[0]
    bank.node.settle()
    assert bank.node.statuses([*drains, follows, other]) == ["executed", "executed", "dropped"]
    assert "account 2 holds 93, less than amount 700 plus fee 0" in reason(bank, other)


def test_build__waits_for_a_full_batch_or_for_the_time(bank: Bank) -> None:
    node = bank.node
    node.submit(bank.transfer())
    view = node.observer.observe(0)
    assert node.sequencer.build(view) is None
    node.now += node.policy.batch_seconds
    batch = node.sequencer.build(view)
    assert batch is not None
    for place in (0, 1, 2):
        node.submit(bank.transfer(place, nonce=int(place == 0)))
    assert node.sequencer.build(view) is None
    node.submit(bank.transfer(1, nonce=1))
    assert node.sequencer.build(view) is not None


def test_build__waits_with_a_request_too(bank: Bank) -> None:
    node = bank.node
    node.pay_in(bank.wallets[0], 1)
    view = node.observer.observe(0)
    assert node.sequencer.build(view) is None
    node.now += node.policy.batch_seconds / 2
    node.pay_in(bank.wallets[1], 1)
    assert node.sequencer.build(node.observer.observe(0)) is None
    node.now += node.policy.batch_seconds / 2
    batch = node.sequencer.build(node.observer.observe(0))
    assert batch is not None
    assert batch.num_requests == 2


def test_build__stops_when_too_many_batches_are_in_flight(bank: Bank) -> None:
    bank.node.sequencer.policy = replace(bank.node.sequencer.policy, max_in_flight=2)
    for nonce in range(3):
        bank.node.submit(bank.transfer(nonce=nonce))
        assert (bank.node.build() is None) == (nonce == 2)
    bank.node.prove()
    bank.node.submit_to_l1()
    bank.node.look()
    assert bank.node.build() is not None


def test_sweep__drops_what_waits_behind_a_gap_for_too_long(bank: Bank) -> None:
    stranded = ids(bank, bank.transfer(nonce=2))[0]
    assert bank.node.build() is None
    bank.node.now += bank.node.policy.gap_seconds + 1
    assert bank.node.sequencer.sweep() == 1
    assert "account 2 is at nonce 0; nonce 2 has waited 600 seconds" in reason(bank, stranded)
    bank.node.restart()
    assert len(bank.node.sequencer.mempool) == 0


def test_build__takes_nothing_that_pays_in_a_token_without_a_fee_account(bank: Bank) -> None:
    bank.node.sequencer.policy = replace(bank.node.sequencer.policy, fee_accounts={})
    paying = bank.transfer(fee=1)
    with pytest.raises(state.FeeTokenNotAccepted):
        bank.node.submit(paying)
    bank.node.submit(bank.transfer())
    assert bank.node.build() is not None


# -- after a restart ---------------------------------------------------------------------------------


def test_trace__is_made_again_after_a_restart_and_the_file_stays_as_it_is(bank: Bank) -> None:
    node = bank.node
    node.submit(bank.transfer(fee=3))
    node.build()
    node.submit(bank.transfer(1, fee=2))
    node.build()
    first, second = node.sequencer.trace(2), node.sequencer.trace(3)
    meta = node.store.state.meta
    node.restart()
    assert (node.sequencer.trace(2), node.sequencer.trace(3)) == (first, second)
    assert node.store.state.meta == meta
    assert node.prove() == 2


def test_trace__names_a_batch_that_gives_another_root(bank: Bank) -> None:
    node = bank.node
    node.submit(bank.transfer())
    node.build()
    node.store._db.execute("UPDATE batches SET root_after = ? WHERE number = 2", (bytes(32),))
    node.restart()
    with pytest.raises(errors.RetraceFailed, match="batch 2 applied again gives root 0x"):
        node.sequencer.trace(2)


def test_rollback__brings_the_state_back_and_the_transactions_into_the_mempool(bank: Bank) -> None:
    node = bank.node
    meta = node.store.state.meta
    waiting = ids(bank, bank.transfer(fee=3), bank.transfer(1))
    node.build()
    more = ids(bank, bank.transfer(nonce=1))
    node.build()
    assert node.sequencer.rollback(1) == 3
    assert node.store.state.meta == meta
    assert node.statuses([*waiting, *more]) == ["waiting"] * 3
    node.restart()
    batch = node.build()
    assert batch is not None
    assert (batch.number, len(batch.transactions)) == (2, 3)


def test_rollback__beyond_the_journal_is_refused_by_name(bank: Bank) -> None:
    with pytest.raises(
        errors.RollbackImpossible, match="must go back to batch 7, the journal reaches batch 0"
    ):
        bank.node.sequencer.rollback(7)


def test_sign__for_another_rollup_gives_another_id(bank: Bank) -> None:
    from zkrollup.node.sequencer import transaction_id

    transfer = bank.transfer()
    signed = sign_transaction(transfer, bank.wallets[0].key, 1, 2)
    assert transaction_id(signed, 1, 2) != transaction_id(transfer, 31337, 2)


# -- gas -------------------------------------------------------------------------------------------------


def with_room_for(node: StepNode, *kinds: Kind) -> None:
    """Batches of these transactions fit L1, just."""
    node.sequencer.policy = replace(node.sequencer.policy, batch_gas=bound(kinds, 1))


def kinds_of(batch: StoredBatch | None) -> list[Kind]:
    assert batch is not None
    return [transaction.kind for transaction in batch.transactions]


def test_build__leaves_payments_to_the_next_batch_that_l1_has_no_gas_for(bank: Bank) -> None:
    node = bank.node
    with_room_for(node, Kind.WITHDRAW, Kind.WITHDRAW, Kind.TRANSFER)
    for place, wallet in enumerate(bank.wallets):
        node.submit(wallet.sign(Withdraw(FIRST + place, 0x77 + place, 0, 9, 0, 0)))
    node.submit(
        bank.transfer(0, nonce=1),
    )
    view = node.observer.observe(node.store.requests_after())
    batch = node.sequencer.build(view)  # not full, not late: there is no room for more
    assert kinds_of(batch) == [Kind.WITHDRAW, Kind.WITHDRAW, Kind.TRANSFER]
    assert bound(kinds_of(batch), 1) == node.sequencer.policy.batch_gas
    assert node.sequencer.left_for_gas == LeftForGas(1, node.sequencer.policy.batch_gas)
    assert kinds_of(node.build()) == [Kind.WITHDRAW]
    assert node.sequencer.left_for_gas is None
    node.settle()
    assert node.l1.root == node.store.state.root


@pytest.mark.parametrize("due", [False, True])
def test_build__gives_requests_half_of_the_gas_unless_they_are_due(bank: Bank, due: bool) -> None:
    node = bank.node
    with_room_for(node, Kind.DEPOSIT, Kind.DEPOSIT, Kind.WITHDRAW, Kind.WITHDRAW)
    for place, wallet in enumerate(bank.wallets):
        node.pay_in(wallet, 7)
        node.submit(wallet.sign(Withdraw(FIRST + place, 0x77 + place, 0, 9, 0, 0)))
    if due:
        node.sequencer.policy = replace(node.sequencer.policy, deadline_margin=10**6)
    first, second = [Kind.DEPOSIT] * 3, [Kind.WITHDRAW] * 3
    if not due:
        first, second = [Kind.DEPOSIT, *second], first[1:]
    assert kinds_of(node.build()) == first
    assert node.sequencer.left_for_gas == LeftForGas(1, node.sequencer.policy.batch_gas)
    assert kinds_of(node.build()) == second
    assert node.sequencer.left_for_gas is None


def test_build__gives_requests_the_gas_that_nobody_else_takes(bank: Bank) -> None:
    node = bank.node
    with_room_for(node, Kind.DEPOSIT, Kind.DEPOSIT, Kind.TRANSFER)
    for wallet in bank.wallets:
        node.pay_in(wallet, 7)
    node.submit(bank.transfer())
    assert kinds_of(node.build()) == [Kind.DEPOSIT, Kind.DEPOSIT, Kind.TRANSFER]
    assert node.sequencer.left_for_gas == LeftForGas(1, node.sequencer.policy.batch_gas)


@pytest.mark.parametrize("policy", [1, None])
def test_build__takes_one_at_least_and_heeds_the_lesser_limit(bank: Bank, policy: int | None) -> None:
    node = bank.node
    node.submit(bank.wallets[0].sign(Withdraw(FIRST, 0x77, 0, 9, 0, 0)))
    node.submit(bank.transfer(1))
    node.sequencer.policy = replace(node.sequencer.policy, batch_gas=policy)
    view = replace(node.observer.observe(node.store.requests_after()), gas_limit=None if policy else 1)
    assert len(kinds_of(node.sequencer.build(view, force=True))) == 1
    assert node.sequencer.left_for_gas == LeftForGas(1, 1)
