"""Each rule of the rollup broken once, and what every kind does when none is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zkrollup.state import EMPTY_ACCOUNT, ForcedExit, Kind, Noop, StateTree, Transfer
from zkrollup.state import exceptions as why
from zkrollup.state.accounts import IDENTITY
from zkrollup.state.transition import transition

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


# -- transfers and withdrawals -----------------------------------------------------------------------


def test_transfer__moves_amount_and_fee(seeded, context, wallets) -> None:
    state = seeded()
    decision = transition(state, wallets[1].transfer(1, 2, 300, fee=20), context())
    assert decision.kind == Kind.TRANSFER
    assert decision.first.after == replace(state.account(1), balance=680, nonce=1)
    assert decision.second.after == replace(state.account(2), balance=1300)
    assert (decision.amount, decision.amount_code, decision.fee, decision.fee_code) == (300, 300, 20, 20)
    assert (decision.fee_entry, decision.token, decision.eth_address, decision.key) == (0, 7, 0, (0, 0))


def test_transfer__to_itself_costs_the_fee_only(seeded, context, wallets) -> None:
    decision = transition(seeded(), wallets[1].transfer(1, 1, 900, fee=10), context())
    assert decision.second.before == decision.first.after
    assert (decision.first.after.balance, decision.second.after.balance) == (90, 990)
    assert decision.second.after.nonce == 1


def test_transfer__of_the_whole_balance_is_accepted(seeded, context, wallets) -> None:
    assert transition(seeded(), wallets[1].transfer(1, 2, 990, fee=10), context()).first.after.balance == 0


def test_transfer__rejects_unknown_sender(refused, wallets) -> None:
    refused(wallets[1].transfer(9, 2, 1), why.UnknownAccount(9))


def test_transfer__rejects_reserved_sender(refused, wallets) -> None:
    refused(wallets[1].transfer(0, 2, 1), why.ReservedAccount("sender"))


def test_transfer__rejects_wrong_signature(refused, wallets) -> None:
    refused(wallets[2].transfer(1, 2, 1), why.WrongSignature(1, 0))


def test_transfer__rejects_missing_signature(refused) -> None:
    refused(Transfer(1, 2, 7, 1, 0, 0), why.WrongSignature(1, 0))


def test_transfer__rejects_another_token(refused, wallets) -> None:
    refused(wallets[1].transfer(1, 2, 1, token=8), why.TokenMismatch(1, 7, 8))


def test_transfer__rejects_reused_nonce(refused, seeded, wallets) -> None:
    refused(wallets[1].transfer(1, 2, 1, nonce=4), why.ReusedNonce(1, 4, 5), seeded(nonce=5))


def test_transfer__rejects_nonce_too_high(refused, seeded, wallets) -> None:
    refused(wallets[1].transfer(1, 2, 1, nonce=6), why.NonceTooHigh(1, 6, 5), seeded(nonce=5))


def test_transfer__rejects_the_last_nonce(refused, seeded, context, wallets) -> None:
    refused(
        wallets[1].transfer(1, 2, 1, nonce=2**40 - 1),
        why.NonceExhausted(1, 2**40 - 1),
        seeded(nonce=2**40 - 1),
    )
    state = seeded(nonce=2**40 - 2)
    assert (
        transition(state, wallets[1].transfer(1, 2, 1, nonce=2**40 - 2), context()).first.after.nonce
        == 2**40 - 1
    )


def test_transfer__rejects_unencodable_amount(refused, seeded, wallets) -> None:
    refused(
        wallets[1].transfer(1, 2, 2**27),
        why.UnencodableAmount(2**27, 2**27 - 1),
        seeded(balances={1: 2**40}),
    )


def test_transfer__rejects_unencodable_fee(refused, wallets) -> None:
    signed = wallets[1].transfer(1, 2, 1, fee=127)
    refused(replace(signed, fee=128), why.UnencodableFee(128, 127))


def test_transfer__rejects_fee_in_a_token_not_accepted(refused, wallets) -> None:
    refused(wallets[1].transfer(1, 2, 1, fee=1), why.FeeTokenNotAccepted(7, (8,)), fee_entries=((8, 4),))


def test_transfer__takes_no_fee_into_an_unused_entry(refused, wallets) -> None:
    state = StateTree.in_memory(depth=3)
    state.seed([wallets[1].account(token=0), wallets[2].account(token=0)])
    refused(
        wallets[1].transfer(1, 2, 1, fee=1, token=0), why.FeeTokenNotAccepted(0, ()), state, fee_entries=()
    )


def test_transfer__without_fee_needs_no_entry(seeded, context, wallets) -> None:
    decision = transition(seeded(), wallets[1].transfer(1, 2, 1), context(fee_entries=()))
    assert decision.fee_entry is None


def test_transfer__rejects_overdrawn_balance(refused, wallets) -> None:
    refused(wallets[1].transfer(1, 2, 1000, fee=1), why.Overdrawn(1, 1000, 1000, 1))


def test_transfer__rejects_unknown_recipient(refused, wallets) -> None:
    refused(wallets[1].transfer(1, 5, 1), why.UnknownRecipient(5))
    refused(wallets[1].transfer(1, 2**32 - 1, 1), why.UnknownRecipient(2**32 - 1))


def test_transfer__rejects_reserved_recipient(refused, wallets) -> None:
    refused(wallets[1].transfer(1, 0, 1), why.ReservedAccount("recipient"))


def test_transfer__rejects_recipient_with_another_token(refused, wallets) -> None:
    refused(wallets[1].transfer(1, 4, 1), why.TokenMismatch(4, 8, 7))


def test_transfer__rejects_overflow_of_the_recipient(refused, seeded, context, wallets) -> None:
    refused(wallets[1].transfer(1, 2, 1), why.BalanceOverflow(2, MAX, 1), seeded(balances={2: MAX}))
    state = seeded(balances={2: MAX - 1})
    assert transition(state, wallets[1].transfer(1, 2, 1), context()).second.after.balance == MAX


def test_transfer__to_itself_at_the_greatest_balance_does_not_overflow(seeded, context, wallets) -> None:
    state = seeded(balances={1: MAX})
    assert transition(state, wallets[1].transfer(1, 1, 10**38), context()).second.after.balance == MAX


def test_withdraw__takes_exact_amounts_to_the_accounts_address(seeded, context, wallets) -> None:
    amount = 2**127 + 1  # no transfer could carry it
    decision = transition(seeded(balances={1: MAX}), wallets[1].withdraw(1, amount, fee=5), context())
    assert decision.first.after.balance == MAX - amount - 5
    assert decision.first.after.nonce == 1
    assert decision.second == IDENTITY
    assert (decision.amount, decision.amount_code, decision.token) == (amount, 0, 7)
    assert decision.eth_address == wallets[1].eth_address


def test_withdraw__rejects_what_a_transfer_rejects(refused, seeded, wallets) -> None:
    one = wallets[1]
    refused(one.withdraw(0, 1), why.ReservedAccount("sender"))
    refused(one.withdraw(5, 1), why.UnknownAccount(5))
    refused(one.withdraw(2, 1), why.WrongSignature(2, 0))
    refused(one.withdraw(1, 1, token=8), why.TokenMismatch(1, 7, 8))
    refused(one.withdraw(1, 1, nonce=0), why.ReusedNonce(1, 0, 1), seeded(nonce=1))
    refused(one.withdraw(1, 1, nonce=1), why.NonceTooHigh(1, 1, 0))
    refused(one.withdraw(1, 1, nonce=2**40 - 1), why.NonceExhausted(1, 2**40 - 1), seeded(nonce=2**40 - 1))
    refused(replace(one.withdraw(1, 1), fee=999), why.UnencodableFee(999, 990))
    refused(wallets[4].withdraw(4, 1, fee=1, token=8), why.FeeTokenNotAccepted(8, (7,)))
    refused(one.withdraw(1, 991, fee=10), why.Overdrawn(1, 1000, 991, 10))


def test_rules__answer_in_their_order(refused, seeded, wallets) -> None:
    """Each case breaks its rule and all that follow; the first one answers."""
    state = seeded(nonce=5, balances={1: 0})
    everything = Transfer(1, 0, 8, 2**27, 1, 4)
    refused(replace(everything, sender=9), why.UnknownAccount(9), state)
    refused(wallets[2].sign(everything), why.WrongSignature(1, 4), state)
    refused(wallets[1].sign(everything), why.TokenMismatch(1, 7, 8), state)
    broken = replace(everything, token=7)
    refused(wallets[1].sign(broken), why.ReusedNonce(1, 4, 5), state)
    broken = replace(broken, nonce=5)
    refused(wallets[1].sign(broken), why.UnencodableAmount(2**27, 2**27 - 1), state, fee_entries=())
    broken = replace(broken, amount=1)
    refused(wallets[1].sign(broken), why.FeeTokenNotAccepted(7, ()), state, fee_entries=())
    refused(wallets[1].sign(broken), why.Overdrawn(1, 0, 1, 1), state)


# -- requests from L1 --------------------------------------------------------------------------------


def test_deposit__creates_the_next_account(seeded, context, wallets) -> None:
    decision = transition(seeded(), wallets[5].deposit(50), context())
    assert decision.first == IDENTITY
    assert (decision.second.index, decision.second.before) == (5, EMPTY_ACCOUNT)
    assert decision.second.after == wallets[5].account(balance=50)
    assert (decision.amount, decision.token, decision.eth_address) == (50, 7, wallets[5].eth_address)
    assert decision.key == wallets[5].key.public_key


def test_deposit__tops_up_the_account_with_its_key(seeded, context, wallets) -> None:
    state = seeded(nonce=3)
    decision = transition(state, wallets[2].deposit(50), context())
    assert decision.second.index == 2
    assert decision.second.after == replace(state.account(2), balance=1050)


@pytest.mark.parametrize("change", [{"token": 8}, {"eth_address": 1}])
def test_deposit__for_another_token_or_address_creates(seeded, context, wallets, change) -> None:
    decision = transition(seeded(), replace(wallets[2].deposit(50), **change), context())
    assert decision.second.index == 5


def test_deposit__that_would_overflow_is_nullified(seeded, context, wallets) -> None:
    state = seeded(balances={2: MAX - 9})
    decision = transition(state, wallets[2].deposit(10), context())
    assert decision.nullified
    assert decision.second.before == decision.second.after == state.account(2)
    assert (decision.second.index, decision.amount, decision.token) == (2, 10, 7)
    assert not transition(state, wallets[2].deposit(9), context()).nullified


def test_deposit__that_finds_no_place_in_a_full_tree_is_nullified(context, wallets) -> None:
    state = StateTree.in_memory(depth=1)
    state.seed(wallets[i].account() for i in range(3))
    decision = transition(state, wallets[4].deposit(9), context())
    assert decision.nullified
    assert (decision.first, decision.second) == (IDENTITY, IDENTITY)
    assert (decision.amount, decision.token, decision.key) == (9, 7, wallets[4].key.public_key)
    assert transition(state, wallets[1].deposit(1), context()).second.index == 2


@pytest.mark.parametrize("key", [(0, 0), (1, 1), (0, 2**254), (-1, 1)])
def test_deposit__refuses_keys_that_no_account_may_have(wallets, key) -> None:
    with pytest.raises(why.InvalidKey) as caught:
        replace(wallets[1].deposit(1), ax=key[0], ay=key[1])
    assert (caught.value.ax, caught.value.ay) == key


@pytest.mark.parametrize("requester", [0, 2**160, -1])
def test_requests__refuse_addresses_that_nobody_has(wallets, requester) -> None:
    with pytest.raises((why.InvalidParameter, why.OutOfRange)):
        ForcedExit(1, requester)
    with pytest.raises((why.InvalidParameter, why.OutOfRange)):
        replace(wallets[1].deposit(1), eth_address=requester)


def test_forced_exit__pays_the_whole_balance_to_its_owner(seeded, context, wallets) -> None:
    state = seeded(nonce=3)
    decision = transition(state, ForcedExit(4, wallets[4].eth_address), context())
    assert not decision.nullified
    assert decision.first.after == replace(state.account(4), balance=0)
    assert (decision.amount, decision.token, decision.eth_address) == (1000, 8, wallets[4].eth_address)


@pytest.mark.parametrize("account", [0, 2, 5, 63])
def test_forced_exit__of_what_is_not_the_requesters_is_nullified(seeded, context, wallets, account) -> None:
    state = seeded()
    decision = transition(state, ForcedExit(account, wallets[1].eth_address), context())
    assert decision.nullified
    assert decision.first.before == decision.first.after == state.account(account)
    assert decision.first.index == account
    assert (decision.amount, decision.token, decision.eth_address) == (0, 0, wallets[1].eth_address)


def test_forced_exit__of_an_index_outside_the_tree_is_refused(refused, wallets) -> None:
    refused(ForcedExit(64, wallets[1].eth_address), why.IndexOutsideTree(64, 64))


def test_noop__does_nothing(seeded, context) -> None:
    decision = transition(seeded(), Noop(), context())
    assert (decision.kind, decision.first, decision.second) == (Kind.NOOP, IDENTITY, IDENTITY)
