"""Every rule of a slot broken once, by a prover who forges all the rest consistently.

A forged batch has right hashes, right paths, real signatures and right public data; only the one rule
is broken, and the test names the constraint that answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.state import Account, Deposit, ForcedExit, Kind, Noop, Transfer, Withdraw
from zkrollup.state.accounts import EMPTY_ACCOUNT, IDENTITY, Change
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.transition import Transition

R = FR_MODULUS
OWNERS = [PrivateKey(bytes([i + 1]) * 32) for i in range(4)]


class Unchecked(Account):
    """An account whose numbers nobody ranged; negative ones are taken modulo r."""

    def __post_init__(self) -> None:
        """Checks nothing, unlike the account's own."""

    def leaf_inputs(self) -> tuple[int, int, int, int, int]:
        packed = (self.token + (self.nonce << 32)) % R
        return (packed, self.balance % R, self.ax, self.ay, self.eth_address)


def changed(account: Account, **fields: int) -> Account:
    """The account with other numbers, in range or not."""
    values = {n: getattr(account, n) for n in ("token", "nonce", "balance", "ax", "ay", "eth_address")}
    return Unchecked(**(values | fields))


@dataclass(frozen=True)
class Plan:
    """A transfer from account 1 to account 2 and what is done differently from the rules."""

    sender: int = 1
    recipient: int = 2
    signer: int = 0
    token: int = 0
    amount: int = 100
    fee: int = 0
    nonce: int = 0
    debit: int | None = None
    credit: int | None = None
    nonce_after: int | None = None
    amount_code: int | None = None
    chain_id: int = 31337
    rollup_id: int = 0xC0FFEE
    signed_amount: int | None = None
    signed_recipient: int | None = None
    signed_nonce: int | None = None
    fee_entry: int | None = None


def transfer(workshop: Any, plan: Plan) -> Transition:
    """The decision that a state machine without rules would take."""
    before = workshop.state.account(plan.sender)
    debit = plan.amount + plan.fee if plan.debit is None else plan.debit
    nonce_after = before.nonce + 1 if plan.nonce_after is None else plan.nonce_after
    after = changed(before, balance=before.balance - debit, nonce=nonce_after)
    target = after if plan.recipient == plan.sender else workshop.state.account(plan.recipient)
    credit = plan.amount if plan.credit is None else plan.credit
    target_after = changed(target, balance=target.balance + credit)
    asked = Transfer(
        plan.sender,
        plan.recipient if plan.signed_recipient is None else plan.signed_recipient,
        plan.token,
        plan.amount if plan.signed_amount is None else plan.signed_amount,
        plan.fee,
        plan.nonce if plan.signed_nonce is None else plan.signed_nonce,
    )
    signed = workshop.signed(asked, plan.signer, chain_id=plan.chain_id, rollup_id=plan.rollup_id)
    code = encode_amount(plan.amount) if plan.amount_code is None else plan.amount_code
    return Transition(
        Kind.TRANSFER,
        first=Change(plan.sender, before, after),
        second=Change(plan.recipient, target, target_after),
        amount=plan.amount,
        amount_code=code,
        fee=plan.fee,
        fee_code=encode_fee(plan.fee),
        fee_entry=(0 if plan.fee else None) if plan.fee_entry is None else plan.fee_entry,
        token=plan.token,
        **signed,
    )


def test_forgery__without_a_flaw_is_accepted(workshop: Any) -> None:
    """The forger's workshop itself makes satisfying batches, so each test below breaks one thing only."""
    assert workshop.failures(workshop.forge(transfer(workshop, Plan(fee=5)))) == set()
    assert workshop.failures(workshop.forge()) == set()


BROKEN_TRANSFERS = [
    ("C6 overdrawn by one", Plan(amount=1001), "balance covers amount and fee"),
    ("C6 overdrawn by the fee", Plan(amount=1000, fee=1), "balance covers amount and fee"),
    ("debit smaller than the amount", Plan(debit=99), "second leaf is in the tree"),
    ("credit larger than the amount", Plan(credit=101), "seam"),
    (
        "amount is not its code's",
        Plan(amount=100, amount_code=encode_amount(101)),
        "amount is what its code says",
    ),
    ("C12 signed by somebody else", Plan(signer=1), "C signature/equation/R8 = s BASE8"),
    ("C12 signed for another chain", Plan(chain_id=1), "C signature/equation/R8 = s BASE8"),
    ("C12 signed for another rollup", Plan(rollup_id=1), "C signature/equation/R8 = s BASE8"),
    ("C12 signed for another amount", Plan(signed_amount=99), "C signature/equation/R8 = s BASE8"),
    ("C13 signed for another recipient", Plan(signed_recipient=4), "C signature/equation/R8 = s BASE8"),
    ("C12 signed for another nonce", Plan(signed_nonce=1), "C signature/equation/R8 = s BASE8"),
    ("nonce does not move", Plan(nonce_after=0), "second leaf is in the tree"),
    ("token is not the sender's", Plan(token=7), "first leaf has the transaction's token and nonce"),
    ("C13 recipient holds another token", Plan(recipient=4), "second leaf has the transaction's token"),
    ("recipient is empty", Plan(recipient=9), "recipient exists"),
    ("fee goes nowhere", Plan(fee=5, fee_entry=1), "fee goes to an entry of its own token|an unused entry"),
]


@pytest.mark.parametrize(("name", "plan", "answer"), BROKEN_TRANSFERS, ids=[c[0] for c in BROKEN_TRANSFERS])
def test_transfer__broken_rule_is_answered(workshop: Any, name: str, plan: Plan, answer: str) -> None:
    """C6, C12, C13: each rule has its constraint."""
    failures = workshop.failures(workshop.forge(transfer(workshop, plan)))
    assert any(word in failure for failure in failures for word in answer.split("|")), failures


def test_transfer__recipient_balance_of_2_128_is_unsatisfiable(workshop: Any) -> None:
    """C6: overflow."""
    full = replace(workshop.state.account(2), balance=2**128 - 50)
    workshop.state.commit(workshop.state.prepare([Change(2, workshop.state.account(2), full)]))
    failures = workshop.failures(workshop.forge(transfer(workshop, Plan(amount=50))))
    assert "E second leaf/credited balance stays below 2^128" in failures


def test_transfer__recipient_balance_just_below_2_128_is_satisfied(workshop: Any) -> None:
    full = replace(workshop.state.account(2), balance=2**128 - 50)
    workshop.state.commit(workshop.state.prepare([Change(2, workshop.state.account(2), full)]))
    assert workshop.failures(workshop.forge(transfer(workshop, Plan(amount=49)))) == set()


def test_transfer__replayed_in_the_same_batch_is_unsatisfiable(workshop: Any) -> None:
    """The nonce in the leaf has moved on; the signature is for the one before."""
    once = transfer(workshop, Plan())
    moved = replace(
        once,
        first=Change(1, once.first.after, changed(once.first.after, balance=800, nonce=2)),
        second=Change(2, once.second.after, changed(once.second.after, balance=1200)),
    )
    failures = workshop.failures(workshop.forge(once, moved))
    assert any("C signature/equation" in failure for failure in failures), failures


def withdrawal(workshop: Any, *, to: int | None = None, amount: int = 100, code: int = 0) -> Transition:
    """Account 1 withdraws to its own address, unless told otherwise."""
    before = workshop.state.account(1)
    signed = workshop.signed(Withdraw(1, before.eth_address if to is None else to, 0, amount, 0, 0), 0)
    return Transition(
        Kind.WITHDRAW,
        first=Change(1, before, changed(before, balance=before.balance - amount, nonce=1)),
        amount=amount,
        amount_code=code,
        token=0,
        eth_address=before.eth_address if to is None else to,
        **signed,
    )


def test_withdraw__pays_only_the_address_that_was_signed(workshop: Any) -> None:
    decision = replace(withdrawal(workshop), eth_address=0xBAD)
    failures = workshop.failures(workshop.forge(decision))
    assert failures == {f"C signature/equation/R8 = s BASE8 - h 8A ({c})" for c in "xy"}


@pytest.mark.parametrize("to", [None, 0xBAD])
def test_withdraw__to_any_signed_address_is_satisfied(workshop: Any, to: int | None) -> None:
    assert workshop.failures(workshop.forge(withdrawal(workshop, to=to))) == set()


def test_withdraw__amount_modulo_r_is_unsatisfiable(workshop: Any) -> None:
    """C6: a 'negative' amount would raise the balance."""

    def negative(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["slots"][0]["amount"] = R - 100

    with pytest.raises(ValueError, match="amount"):
        workshop.failures(workshop.forge(withdrawal(workshop)), negative)


def test_withdraw__carries_no_amount_code(workshop: Any) -> None:
    failures = workshop.failures(workshop.forge(withdrawal(workshop, code=5)))
    assert "B amounts/only transfers carry an amount code" in failures


def forced(
    workshop: Any, *, requester: int, amount: int, nullified: bool, taken: int | None = None
) -> Transition:
    """A forced exit of account 1 as somebody decided it."""
    before = workshop.state.account(1)
    taken = amount if taken is None else taken
    return Transition(
        Kind.FORCED_EXIT,
        nullified=nullified,
        first=Change(1, before, changed(before, balance=before.balance - taken)),
        amount=amount,
        token=before.token if not nullified else 0,
        eth_address=requester,
    )


@pytest.mark.parametrize(
    ("requester", "amount", "nullified", "answer"),
    [
        (0xE0, 1000, False, None),
        (0xBAD, 0, True, None),
        (0xBAD, 1000, False, "nullified exactly when the requester does not own the leaf"),
        (0xE0, 0, True, "nullified exactly when the requester does not own the leaf"),
        (0xE0, 999, False, "takes the whole balance"),
        (0xBAD, 1, True, "move no amount"),
    ],
)
def test_forced_exit__is_honoured_exactly_for_the_owner(
    workshop: Any, requester: int, amount: int, nullified: bool, answer: str | None
) -> None:
    """C17: nullification needs the true leaf."""
    failures = workshop.failures(
        workshop.forge(forced(workshop, requester=requester, amount=amount, nullified=nullified))
    )
    if answer is None:
        assert failures == set()
    else:
        assert any(answer in failure for failure in failures), failures


def test_forced_exit__is_nullified_not_rejected_by_the_state_machine(workshop: Any) -> None:
    """C17: the batch goes through."""
    trace = workshop.apply(ForcedExit(1, 0xBAD), ForcedExit(9, 0xE0))
    assert [slot.nullified for slot in trace.slots] == [True, True]
    assert workshop.failures(trace) == set()


def created(workshop: Any, *, index: int = 5, amount: int = 70, **after: int) -> Transition:
    """A deposit that creates an account for owner 3 with token 9."""
    ax, ay = OWNERS[3].public_key
    before = workshop.state.account(index)
    account = changed(Account(9, 0, amount, ax, ay, 0xE3), **after)
    return Transition(
        Kind.DEPOSIT,
        second=Change(index, before, account),
        amount=amount,
        token=9,
        eth_address=0xE3,
        key=(ax, ay),
    )


def test_deposit__creates_an_account(workshop: Any) -> None:
    assert workshop.failures(workshop.forge(created(workshop))) == set()


@pytest.mark.parametrize(
    "after", [{"balance": 71}, {"token": 8}, {"nonce": 1}, {"ax": 3}, {"ay": 3}, {"eth_address": 0xBAD}]
)
def test_deposit__creates_exactly_the_requested_account(workshop: Any, after: dict[str, int]) -> None:
    """C10: the circuit computes the leaf after by itself, so a forger's root is another one."""
    failures = workshop.failures(workshop.forge(created(workshop, **after)))
    assert any(failure.startswith("seam") or "is in the tree" in failure for failure in failures), failures


def test_deposit__never_creates_leaf_zero(workshop: Any) -> None:
    failures = workshop.failures(workshop.forge(created(workshop, index=0)))
    assert "E second leaf/only a full tree refuses a deposit" in failures


def test_deposit__never_overwrites_an_account(workshop: Any) -> None:
    failures = workshop.failures(workshop.forge(created(workshop, index=2)))
    assert {f"E second leaf/top-up keeps {word}" for word in ("ax", "ay", "eth_address")} <= failures


def test_deposit__with_ay_zero_creates_nothing(workshop: Any) -> None:
    decision = created(workshop)
    flawed = replace(
        decision,
        key=(1, 0),
        second=replace(decision.second, after=changed(decision.second.after, ax=1, ay=0)),
    )
    failures = workshop.failures(workshop.forge(flawed))
    assert "E second leaf/a key that an account gets has ay != 0" in failures


def top_up(workshop: Any, balance: int, amount: int, nullified: bool) -> Transition:
    """A deposit for account 1, which holds ``balance`` then."""
    account = workshop.state.account(1)
    full = replace(account, balance=balance)
    if full != account:
        workshop.state.commit(workshop.state.prepare([Change(1, account, full)]))
    after = full if nullified else changed(full, balance=balance + amount)
    return Transition(
        Kind.DEPOSIT,
        nullified=nullified,
        second=Change(1, full, after),
        amount=amount,
        token=0,
        eth_address=full.eth_address,
        key=(full.ax, full.ay),
    )


@pytest.mark.parametrize(
    ("balance", "amount", "nullified", "satisfied"),
    [
        (5, 7, False, True),
        (2**128 - 8, 7, False, True),
        (2**128 - 7, 7, True, True),
        (2**128 - 7, 7, False, False),
        (2**128 - 8, 7, True, False),
    ],
)
def test_deposit__is_nullified_exactly_on_overflow(
    workshop: Any, balance: int, amount: int, nullified: bool, satisfied: bool
) -> None:
    """C6, C17."""
    failures = workshop.failures(workshop.forge(top_up(workshop, balance, amount, nullified)))
    assert (failures == set()) is satisfied, failures
    assert satisfied or "E second leaf/a deposit is nullified on overflow and where it is refused" in failures


def test_deposit__of_an_existing_account_by_the_state_machine_is_satisfied(workshop: Any) -> None:
    account = workshop.state.account(2)
    deposit = Deposit(0, 11, account.ax, account.ay, account.eth_address)
    assert workshop.failures(workshop.apply(deposit, Noop())) == set()


def test_padding__cannot_be_followed_by_a_transaction(workshop: Any) -> None:
    """C14."""
    failures = workshop.failures(workshop.forge(Transition(Kind.NOOP), transfer(workshop, Plan())))
    assert failures == {"A kind/only noops follow a noop"}


@pytest.mark.parametrize(
    "change", [{"first": Change(1, EMPTY_ACCOUNT, EMPTY_ACCOUNT)}, {"amount": 3}, {"token": 3}]
)
def test_padding__moves_and_names_nothing(workshop: Any, change: dict[str, Any]) -> None:
    """C14: padding changes no root and publishes nothing."""
    if "first" in change:
        account = workshop.state.account(1)
        change = {"first": Change(1, account, account)}
    failures = workshop.failures(workshop.forge(replace(Transition(Kind.NOOP), **change)))
    assert failures & {
        "D first leaf/unused first leaf is leaf 0",
        "D first leaf/noop and nullified exit move no amount",
        "D first leaf/noop and nullified exit name no token",
    }


@pytest.mark.parametrize("kind", ["is_deposit", "is_transfer", "is_withdraw", "is_forced_exit", "nullified"])
@pytest.mark.parametrize("value", [2, R - 1])
def test_selectors__are_boolean(workshop: Any, kind: str, value: int) -> None:
    """C7."""

    def twist(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["slots"][0][kind] = value

    failures = workshop.failures(workshop.forge(transfer(workshop, Plan())), twist)
    assert f"A kind/{kind} is boolean" in failures


def test_selectors__choose_one_kind(workshop: Any) -> None:
    def twist(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["slots"][0]["is_withdraw"] = 1

    assert "A kind/at most one kind" in workshop.failures(workshop.forge(transfer(workshop, Plan())), twist)


def test_only_requests__can_be_nullified(workshop: Any) -> None:
    decision = replace(transfer(workshop, Plan()), nullified=True)
    assert workshop.failures(workshop.forge(decision)) == {"A kind/only L1 requests can be nullified"}


def test_unsigned_kinds__pay_no_fee(workshop: Any) -> None:
    """C13."""
    decision = replace(created(workshop), fee=5, fee_code=encode_fee(5), token=9)
    assert "B amounts/only signed transactions pay a fee" in workshop.failures(workshop.forge(decision))


@pytest.mark.parametrize("word", ["packed", "balance", "ax", "ay", "eth_address"])
@pytest.mark.parametrize("side", ["first", "second"])
def test_leaf__changing_any_word_is_unsatisfiable(workshop: Any, side: str, word: str) -> None:
    """C10: every leaf used is proved against the current root."""

    def twist(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["slots"][0][f"{side}_{word}"] += 1

    failures = workshop.failures(workshop.forge(transfer(workshop, Plan())), twist)
    assert any("is in the tree" in failure or "tie" in failure for failure in failures), failures


@pytest.mark.parametrize("side", ["first", "second"])
def test_leaf__index_is_bound_to_the_path(workshop: Any, side: str) -> None:
    """C9: the same leaf at another index has another path."""

    def twist(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["slots"][0][f"{side}_index"] ^= 1

    assert workshop.failures(workshop.forge(transfer(workshop, Plan())), twist)


@pytest.mark.parametrize(("level", "lane"), [(0, 0), (0, 3), (1, 1)])
def test_leaf__an_untouched_sibling_cannot_change(workshop: Any, level: int, lane: int) -> None:
    """C10."""

    def twist(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["slots"][0][f"first_lanes_{level}"][lane] += 1

    assert workshop.failures(workshop.forge(transfer(workshop, Plan())), twist)


def test_fee_credit__goes_to_an_existing_account_of_the_token(workshop: Any) -> None:
    trace = workshop.apply(workshop.sign(Transfer(1, 2, 0, 100, 5, 0), 0))
    assert workshop.failures(trace) == set()
    assert workshop.state.account(3).balance == 1005

    def twist(parts: dict[str, list[dict[str, Any]]]) -> None:
        parts["header"][0]["fee_account_0"] = 0

    assert "A entry/an unused entry collects nothing" in workshop.failures(trace, twist)


def test_identity__is_the_unused_half(workshop: Any) -> None:
    assert IDENTITY.is_identity
    assert workshop.forge(withdrawal(workshop)).slots[0].second.index == 0
