"""Change of key, transfers by address and to new accounts, expiry: each rule broken once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zkrollup.state import (
    EMPTY_ACCOUNT,
    ChangeKey,
    Deposit,
    Kind,
    StateTree,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    apply_batch,
)
from zkrollup.state import exceptions as why
from zkrollup.state.accounts import IDENTITY
from zkrollup.state.public_data import decode, encode, public_data
from zkrollup.state.transition import Ledger, transition

MAX = 2**128 - 1


@pytest.fixture
def refused(seeded, context):
    """Assert that a transaction raises exactly this class with these values, and that nothing changed."""

    def check(transaction, expected: why.TransactionError, state: StateTree | None = None, **options):
        state = seeded() if state is None else state
        before = (state.meta, dict(state.accounts()))
        with pytest.raises(type(expected)) as caught:
            transition(state, transaction, context(**options))
        assert type(caught.value) is type(expected)
        assert caught.value.values() == expected.values()
        assert (state.meta, dict(state.accounts())) == before

    return check


@pytest.fixture
def make(wallets):
    """Signed transactions of account 1 of every kind, with other values where they are given."""

    def build(kind, *, signer: int = 1, **changes):
        ax, ay = wallets[5].key.public_key
        fields = {"sender": 1, "token": 7, "fee": 0, "nonce": 0}
        fields |= {
            Transfer: {"recipient": 2, "amount": 100},
            TransferToAddress: {"eth_address": wallets[2].eth_address, "amount": 100},
            TransferToNew: {"ax": ax, "ay": ay, "eth_address": 0xFE, "amount": 100},
            ChangeKey: {"ax": ax, "ay": ay},
            Withdraw: {"eth_address": 0xFE, "amount": 100},
        }[kind]
        return wallets[signer].sign(kind(**(fields | changes)))

    return build


SIGNED = (Transfer, TransferToAddress, TransferToNew, ChangeKey, Withdraw)
PAYING = (Transfer, TransferToAddress, TransferToNew, Withdraw)


# -- what all signed kinds have in common ------------------------------------------------------------


@pytest.mark.parametrize("kind", SIGNED)
def test_signed_kinds__obey_the_common_rules(refused, seeded, make, kind) -> None:
    one = seeded(nonce=5)
    refused(make(kind, sender=0), why.ReservedAccount("sender"))
    refused(make(kind, sender=9), why.UnknownAccount(9))
    refused(make(kind, signer=2), why.WrongSignature(1, 0))
    refused(replace(make(kind), signature=None), why.WrongSignature(1, 0))
    refused(make(kind, token=8), why.TokenMismatch(1, 7, 8))
    refused(make(kind, nonce=4), why.ReusedNonce(1, 4, 5), one)
    refused(make(kind, nonce=6), why.NonceTooHigh(1, 6, 5), one)
    refused(make(kind, nonce=2**40 - 1), why.NonceExhausted(1, 2**40 - 1), seeded(nonce=2**40 - 1))
    refused(replace(make(kind), fee=128), why.UnencodableFee(128, 127))
    refused(make(kind, fee=1), why.FeeTokenNotAccepted(7, ()), fee_entries=())


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("name", ["valid_until", "memo", "group"])
def test_signed_kinds__sign_valid_until_memo_and_group(refused, make, kind, name) -> None:
    """C12."""
    signed = make(kind, **{name: 77})
    for value in (0, 76, 2**32 - 1):
        refused(replace(signed, **{name: value}), why.WrongSignature(1, 0), batch_number=0)


@pytest.mark.parametrize("kind", SIGNED)
def test_signed_kinds__expire_after_the_batch_that_was_signed(refused, seeded, context, make, kind) -> None:
    for last in (0, 9, 2**32 - 1):
        signed = make(kind, valid_until=last)
        transition(seeded(), signed, context(batch_number=last))
        refused(signed, why.Expired(last + 1, last), batch_number=last + 1)


@pytest.mark.parametrize("kind", PAYING)
def test_paying_kinds__do_not_overdraw(refused, seeded, context, make, kind) -> None:
    refused(make(kind, amount=1000, fee=1), why.Overdrawn(1, 1000, 1000, 1))
    decision = transition(seeded(), make(kind, amount=990, fee=10), context())
    assert (decision.first.after.balance, decision.first.after.nonce) == (0, 1)


@pytest.mark.parametrize("kind", [Transfer, TransferToAddress, TransferToNew])
def test_transfers__rejects_unencodable_amount(refused, seeded, make, kind) -> None:
    refused(make(kind, amount=2**27), why.UnencodableAmount(2**27, 2**27 - 1), seeded(balances={1: 2**40}))


# -- change of key -----------------------------------------------------------------------------------


def test_change_key__replaces_the_key_and_nothing_else(seeded, context, wallets, make) -> None:
    state = seeded()
    decision = transition(state, make(ChangeKey, fee=20), context())
    ax, ay = wallets[5].key.public_key
    assert decision.kind == Kind.CHANGE_KEY
    assert decision.first.after == replace(state.account(1), balance=980, nonce=1, ax=ax, ay=ay)
    assert decision.second == IDENTITY
    assert (decision.amount, decision.amount_code, decision.token, decision.fee_entry) == (0, 0, 7, 0)
    assert (decision.key, decision.eth_address) == ((ax, ay), 0)


def test_change_key__rejects_a_fee_above_the_balance(refused, seeded, make) -> None:
    refused(make(ChangeKey, fee=2), why.Overdrawn(1, 1, 0, 2), seeded(balances={1: 1}))


def test_change_key__makes_the_new_key_sign_from_the_next_transaction_on(
    seeded, context, wallets, make
) -> None:
    state = seeded()
    batch = [make(ChangeKey), wallets[5].transfer(1, 2, 10, nonce=1)]
    trace = apply_batch(state, batch, context())
    assert trace.root_after == state.root == state.recompute_root()
    assert state.account(2).balance == 1010
    for signer, refused in ((1, True), (5, False)):
        again = wallets[signer].transfer(1, 2, 10, nonce=2)
        if refused:
            with pytest.raises(why.WrongSignature):
                apply_batch(state, [again], context(batch_number=2))
        else:
            apply_batch(state, [again], context(batch_number=2))


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_change_key__moves_what_deposits_top_up(seeded, context, wallets, make, tmp_path, store) -> None:
    """A deposit for the old key opens an account, one for the new key tops this one up."""
    state = seeded(StateTree.open(tmp_path / "s.db", 3) if store == "sqlite" else None)
    renamed = Deposit(7, 1, *wallets[5].key.public_key, wallets[1].eth_address)
    batch = [make(ChangeKey), wallets[1].deposit(30), renamed]
    trace = apply_batch(state, batch, context())
    assert [slot.second.index for slot in trace.slots[1:3]] == [5, 1]
    apply_batch(state, [wallets[1].deposit(3), renamed], context(batch_number=2))
    assert [state.account(i).balance for i in (1, 5)] == [1002, 33]
    assert state.root == state.recompute_root()
    state.close()


def test_change_key__to_the_key_of_another_account_leaves_deposits_to_the_lowest(
    seeded, context, wallets
) -> None:
    """Nobody can stop a change of key by opening an account with the new one."""
    state = StateTree.in_memory(depth=3)
    one, two = wallets[1].account(), replace(wallets[2].account(), eth_address=wallets[1].eth_address)
    state.seed([two, one])
    to_two = wallets[1].sign(ChangeKey(2, two.ax, two.ay, 7, 0, 0))
    back = wallets[2].sign(ChangeKey(1, one.ax, one.ay, 7, 0, 0))
    ledger = Ledger(state)
    for transaction, found in ((to_two, (1, None)), (back, (2, 1))):
        ledger.apply(transition(ledger, transaction, context()).first)
        assert (ledger.find(two.key), ledger.find(one.key)) == found
    apply_batch(state, [to_two, back], context(fee_entries=()))
    assert (state.find(two.key), state.find(one.key)) == (2, 1)


# -- transfer to a new account -----------------------------------------------------------------------


def test_transfer_to_new__opens_the_next_account(seeded, context, wallets, make) -> None:
    state = seeded()
    decision = transition(state, make(TransferToNew, fee=20), context())
    assert decision.kind == Kind.TRANSFER_TO_NEW
    assert decision.first.after == replace(state.account(1), balance=880, nonce=1)
    assert (decision.second.index, decision.second.before) == (5, EMPTY_ACCOUNT)
    after = decision.second.after
    assert (after.token, after.nonce, after.balance, after.eth_address) == (7, 0, 100, 0xFE)
    assert (after.ax, after.ay) == decision.key == wallets[5].key.public_key
    assert (decision.amount, decision.amount_code, decision.fee, decision.creates) == (100, 100, 20, True)


def test_transfer_to_new__of_an_owner_with_an_account_opens_another(seeded, context, wallets) -> None:
    """Nobody can stop a payment by opening the account."""
    state = seeded()
    two = wallets[2]
    again = TransferToNew(1, *two.key.public_key, two.eth_address, 7, 5, 0, 0)
    trace = apply_batch(state, [wallets[1].sign(again), two.deposit(3)], context())
    assert [slot.second.index for slot in trace.slots[:2]] == [5, 2]
    assert state.root == state.recompute_root()


def test_transfer_to_new__rejects_a_full_tree(refused, wallets) -> None:
    state = StateTree.in_memory(depth=1)
    state.seed(wallets[i].account() for i in (1, 2, 3))
    ax, ay = wallets[5].key.public_key
    refused(wallets[1].sign(TransferToNew(1, ax, ay, 9, 7, 5, 0, 0)), why.TreeFull(4), state)


def test_next_index__counts_what_deposits_and_transfers_open(seeded, context, wallets, make) -> None:
    state = seeded()
    batch = [wallets[5].deposit(1), make(TransferToNew), wallets[5].deposit(1), wallets[0].deposit(0)]
    trace = apply_batch(state, batch, context(slots=5))
    assert [slot.next_before for slot in trace.slots] == [5, 6, 7, 7, 8]
    assert (trace.next_before, trace.next_after, state.next_index) == (5, 8, 8)
    data = public_data(trace)
    assert (data.next_before, data.next_after) == (5, 8)
    assert decode(encode(data), data.parameters) == data


# -- transfer by address -----------------------------------------------------------------------------


def test_transfer_to_address__takes_the_lowest_account_or_the_one_named(
    seeded, context, wallets, make
) -> None:
    two = wallets[2]
    state = seeded()
    state.seed([replace(two.account(), ax=wallets[5].key.public_key[0], ay=wallets[5].key.public_key[1])])
    decision = transition(state, make(TransferToAddress, fee=20), context())
    assert (decision.kind, decision.by_address) == (Kind.TRANSFER, True)
    assert (decision.second.index, decision.second.after.balance) == (2, 1100)
    assert decision.first.after == replace(state.account(1), balance=880, nonce=1)
    named = replace(make(TransferToAddress), recipient=5)
    assert transition(state, named, context()).second.index == 5


def test_transfer_to_address__publishes_what_a_transfer_publishes(seeded, context, wallets, make) -> None:
    """The address is signed, and known from the leaf: 14 bytes are enough."""
    by_address = apply_batch(seeded(), [make(TransferToAddress)], context())
    by_index = apply_batch(seeded(), [wallets[1].transfer(1, 2, 100)], context())
    assert encode(public_data(by_address)) == encode(public_data(by_index))
    assert by_address.slots[0].eth_address == wallets[2].eth_address


def test_transfer_to_address__finds_accounts_of_the_same_batch(seeded, context, wallets, make) -> None:
    pay = make(TransferToAddress, eth_address=wallets[5].eth_address)
    trace = apply_batch(seeded(), [wallets[5].deposit(1), pay], context())
    assert trace.slots[1].second.index == 5


def test_transfer_to_address__may_pay_the_sender(seeded, context, wallets, make) -> None:
    pay = make(TransferToAddress, eth_address=wallets[1].eth_address)
    assert transition(seeded(), pay, context()).second.after.balance == 1000


def test_transfer_to_address__rejects_unknown_addresses_and_other_accounts(
    refused, seeded, wallets, make
) -> None:
    four = wallets[4].eth_address
    refused(make(TransferToAddress, eth_address=0xBAD), why.UnknownAddress(0xBAD, 7))
    refused(make(TransferToAddress, eth_address=four), why.UnknownAddress(four, 7))
    pay = make(TransferToAddress)
    two, three = wallets[2].eth_address, wallets[3].eth_address
    refused(replace(pay, recipient=3), why.WrongAddress(3, three, two))
    refused(replace(pay, recipient=1), why.WrongAddress(1, wallets[1].eth_address, two))
    refused(replace(pay, recipient=9), why.UnknownRecipient(9))
    refused(replace(pay, recipient=0), why.ReservedAccount("recipient"))
    named = replace(make(TransferToAddress, eth_address=four), recipient=4)
    refused(named, why.TokenMismatch(4, 8, 7))
    refused(pay, why.BalanceOverflow(2, MAX, 100), seeded(balances={2: MAX}))


def test_transfer_to_address__is_signed_apart_from_a_transfer(refused, wallets, make) -> None:
    """C12: the one's signature is none of the other."""
    by_index = wallets[1].transfer(1, 2, 100)
    borrowed = replace(make(TransferToAddress), signature=by_index.signature)
    refused(borrowed, why.WrongSignature(1, 0))
    refused(replace(by_index, signature=make(TransferToAddress).signature), why.WrongSignature(1, 0))


# -- withdrawal to an address ------------------------------------------------------------------------


def test_withdraw__pays_the_address_that_was_signed(refused, seeded, context, make) -> None:
    signed = make(Withdraw, eth_address=0xBEEF)
    assert transition(seeded(), signed, context()).eth_address == 0xBEEF
    refused(replace(signed, eth_address=0xBEEE), why.WrongSignature(1, 0))
