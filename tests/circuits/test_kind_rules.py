"""Each rule of the newer kinds, of groups and of the next index, broken once by a consistent forger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.bn254.fields import sqrt
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.state import (
    Account,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    Noop,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    group_hash,
    sign_group,
)
from zkrollup.state.accounts import EMPTY_ACCOUNT, IDENTITY, Change
from zkrollup.state.transition import Ledger, Transition, transition

R = FR_MODULUS
CHAIN, ROLLUP = 31337, 0xC0FFEE
OWNERS = [PrivateKey(bytes([i + 1]) * 32) for i in range(5)]
FRESH = OWNERS[4].public_key
T4 = sqrt(pow(168700, -1, R), R)  # (1/sqrt(a), 0) is on the curve
BAD_SIGNATURE = {f"C signature/equation/R8 = s BASE8 - h 8A ({c})" for c in "xy"}

CHANGE = ChangeKey(1, *FRESH, 0, 5, 0)
TO_NEW = TransferToNew(1, *FRESH, 0xFE, 0, 100, 5, 0)
BY_ADDRESS = TransferToAddress(1, 0xE1, 0, 100, 5, 0)
BY_INDEX = Transfer(1, 2, 0, 100, 5, 0)
WITHDRAW = Withdraw(1, 0xFE, 0, 100, 5, 0)
SIGNED = {
    "change": CHANGE,
    "to new": TO_NEW,
    "by address": BY_ADDRESS,
    "by index": BY_INDEX,
    "withdraw": WITHDRAW,
}
Parts = dict[str, list[dict[str, Any]]]


class Unchecked(Account):
    """An account whose numbers nobody ranged."""

    def __post_init__(self) -> None:
        """Checks nothing, unlike the account's own."""


def altered(account: Account, **fields: int) -> Account:
    names = ("token", "nonce", "balance", "ax", "ay", "eth_address")
    return Unchecked(**({name: getattr(account, name) for name in names} | fields))


def decided(workshop: Any, transaction: Any, owner: int = 0) -> Transition:
    """The honest decision on a transaction signed by its owner."""
    return transition(workshop.state, workshop.sign(transaction, owner), workshop.context)


def resigned(workshop: Any, decision: Transition, transaction: Any, owner: int = 0) -> Transition:
    """The decision with what was signed in another transaction."""
    return replace(decision, **workshop.signed(transaction, owner))


@pytest.mark.parametrize("name", SIGNED)
def test_kinds__as_the_state_machine_decides_them_are_satisfied(workshop: Any, name: str) -> None:
    transaction = replace(SIGNED[name], memo=R - 1, valid_until=7)
    assert workshop.failures(workshop.apply(workshop.sign(transaction, 0))) == set()


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize(
    ("link", "change"),
    [("memo", 1), ("signed_group", 1), ("batches_left", 1), ("eth_address", 1), ("key_x", 1), ("key_y", 1)],
)
def test_signature__binds_all_that_is_signed(workshop: Any, name: str, link: str, change: int) -> None:
    """C12: in the circuit too, for every kind."""
    trace = workshop.apply(workshop.sign(replace(SIGNED[name], valid_until=50, memo=3), 0))

    def twist(parts: Parts) -> None:
        parts["slots"][0][link] += change

    assert workshop.failures(trace, twist) >= BAD_SIGNATURE


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("other", SIGNED)
def test_signature__of_one_kind_is_none_of_another(workshop: Any, name: str, other: str) -> None:
    """C12: messages of different kinds are different, whatever their fields."""
    forged = resigned(workshop, decided(workshop, SIGNED[name]), SIGNED[other])
    failures = workshop.failures(workshop.forge(forged))
    assert (failures >= BAD_SIGNATURE) is (name != other)
    assert (failures == set()) is (name == other)


@pytest.mark.parametrize("name", SIGNED)
def test_signature__of_another_chain_is_refused(workshop: Any, name: str) -> None:
    """C12, R1."""
    foreign = workshop.signed(SIGNED[name], 0, chain_id=1)
    forged = replace(decided(workshop, SIGNED[name]), signature=foreign["signature"])
    assert workshop.failures(workshop.forge(forged)) >= BAD_SIGNATURE


def test_valid_until__the_number_of_the_batch_is_valid_and_one_less_is_not(workshop: Any) -> None:
    last = replace(BY_INDEX, valid_until=1)
    assert workshop.failures(workshop.forge(decided(workshop, last))) == set()


@pytest.mark.parametrize("name", SIGNED)
def test_valid_until__one_batch_ago_has_no_witness(workshop: Any, name: str) -> None:
    """valid_until = batch number - 1 needs -1 batches left, which 32 bits do not hold."""
    late = replace(SIGNED[name], valid_until=0)
    forged = resigned(workshop, decided(workshop, SIGNED[name]), late)
    with pytest.raises(ValueError, match="batches_left"):
        workshop.failures(workshop.forge(forged))

    def forgive(parts: Parts) -> None:
        parts["slots"][0]["batches_left"] = 0

    assert workshop.failures(workshop.forge(forged), forgive) >= BAD_SIGNATURE


# -- change of key -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "after",
    [
        {"ax": 3},
        {"ay": 3},
        {"balance": 996},
        {"nonce": 0},
        {"nonce": 2},
        {"token": 7},
        {"eth_address": 0xBAD},
        {"ax": OWNERS[0].public_key[0], "ay": OWNERS[0].public_key[1]},
    ],
)
def test_change_key__changes_the_key_and_nothing_else(workshop: Any, after: dict[str, int]) -> None:
    """C10: the leaf after is computed, so a forger's root is another one."""
    honest = decided(workshop, CHANGE)
    first = replace(honest.first, after=altered(honest.first.after, **after))
    failures = workshop.failures(workshop.forge(replace(honest, first=first)))
    assert "E second leaf/second leaf is in the tree" in failures


def test_change_key__moves_no_amount(workshop: Any) -> None:
    honest = decided(workshop, CHANGE)
    first = replace(honest.first, after=altered(honest.first.after, balance=985))
    failures = workshop.failures(workshop.forge(replace(honest, first=first, amount=10)))
    assert "B amounts/a change of key moves no amount" in failures


def test_change_key__has_no_second_leaf(workshop: Any) -> None:
    two = workshop.state.account(2)
    failures = workshop.failures(
        workshop.forge(replace(decided(workshop, CHANGE), second=Change(2, two, two)))
    )
    assert "E second leaf/unused second leaf is leaf 0" in failures


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ((FRESH[0], FRESH[1] + 1), "D first leaf/key/a signed key is on BabyJubJub"),
        ((0, 0), "D first leaf/key/a signed key is on BabyJubJub"),
        ((0, 0), "E second leaf/a key that an account gets has ay != 0"),
        ((T4, 0), "E second leaf/a key that an account gets has ay != 0"),
    ],
)
@pytest.mark.parametrize("name", ["change", "to new"])
def test_keys__that_are_signed_are_points_with_ay_other_than_zero(
    workshop: Any, name: str, key: tuple[int, int], answer: str
) -> None:
    """The owner signs for a key that nobody can have: the circuit refuses it for the owner's sake."""
    honest = decided(workshop, SIGNED[name])
    asked = object.__new__(type(SIGNED[name]))
    for field in type(asked).__dataclass_fields__:
        object.__setattr__(asked, field, getattr(SIGNED[name], field))
    object.__setattr__(asked, "ax", key[0])
    object.__setattr__(asked, "ay", key[1])
    side = "first" if name == "change" else "second"
    change = getattr(honest, side)
    after = altered(change.after, ax=key[0], ay=key[1])
    signature = OWNERS[0].sign(asked.message(CHAIN, ROLLUP))
    forged = replace(honest, key=key, signature=signature, **{side: replace(change, after=after)})
    failures = workshop.failures(workshop.forge(forged))
    assert answer in failures
    assert not failures & BAD_SIGNATURE


# -- transfer to a new account -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "after", [{"balance": 101}, {"token": 7}, {"nonce": 1}, {"ax": 3}, {"eth_address": 1}]
)
def test_transfer_to_new__opens_exactly_what_was_signed(workshop: Any, after: dict[str, int]) -> None:
    """C10."""
    honest = decided(workshop, TO_NEW)
    second = replace(honest.second, after=altered(honest.second.after, **after))
    failures = workshop.failures(workshop.forge(replace(honest, second=second)))
    assert any(failure.startswith("seam") or "is in the tree" in failure for failure in failures), failures


def test_transfer_to_new__needs_an_empty_leaf(workshop: Any) -> None:
    honest = decided(workshop, TO_NEW)
    two = workshop.state.account(2)
    second = Change(2, two, altered(two, balance=two.balance + 100))
    failures = workshop.failures(workshop.forge(replace(honest, second=second)))
    assert "E second leaf/a new account's leaf is empty" in failures


@pytest.mark.parametrize("index", [0, 6, 15])
def test_transfer_to_new__opens_the_next_index_only(workshop: Any, index: int) -> None:
    honest = decided(workshop, TO_NEW)
    failures = workshop.failures(workshop.forge(replace(honest, second=replace(honest.second, index=index))))
    assert "E second leaf/an account is created at the next index" in failures
    assert ("E second leaf/leaf 0 is never an account" in failures) is (index == 0)


def test_transfer_to_new__pays_what_its_code_says(workshop: Any) -> None:
    failures = workshop.failures(workshop.forge(replace(decided(workshop, TO_NEW), amount_code=101)))
    assert failures >= {"B amounts/transfer amount is what its code says"}


def test_transfer_to_new__does_not_overdraw(workshop: Any) -> None:
    """C6."""
    asked = replace(TO_NEW, amount=996)
    one = workshop.state.account(1)
    honest = decided(workshop, TO_NEW)
    forged = replace(
        resigned(workshop, honest, asked),
        amount=996,
        amount_code=996,
        first=Change(1, one, altered(one, balance=R - 1, nonce=1)),
        second=replace(honest.second, after=altered(honest.second.after, balance=996)),
    )
    failures = workshop.failures(workshop.forge(forged))
    assert any("balance covers amount and fee" in failure for failure in failures), failures


@pytest.mark.parametrize("opening", ["deposit", "to new"])
def test_next_index__is_the_same_for_all_accounts_of_a_batch(workshop: Any, opening: str) -> None:
    """A second account at the first one's index, or two further on, is refused."""
    deposit = Deposit(9, 70, *FRESH, 0xFE)
    first = transition(workshop.state, deposit, workshop.context)
    ledger = Ledger(workshop.state)
    ledger.apply(first.second)
    asked: Any = Deposit(9, 5, *FRESH, 0xFF) if opening == "deposit" else workshop.sign(TO_NEW, 0)
    honest = transition(ledger, asked, workshop.context)
    assert honest.second.index == 6
    skipped = replace(honest, second=replace(honest.second, index=7))
    failures = workshop.failures(workshop.forge(first, skipped))
    assert "E second leaf/an account is created at the next index" in failures


def test_next_index__before_and_after_are_published(workshop: Any) -> None:
    """The header's numbers are the slots' own: neither can be told otherwise."""
    trace = workshop.apply(workshop.sign(TO_NEW, 0), Deposit(9, 70, *FRESH, 0xFE))
    assert (trace.next_before, trace.next_after) == (5, 7)
    assert workshop.failures(trace) == set()

    def twist(parts: Parts) -> None:
        parts["header"][0]["next_before"] = 6

    failures = workshop.failures(trace, twist)
    assert "seam next_index" in failures or any("next index" in failure for failure in failures), failures


def test_next_index__cannot_be_chosen_by_a_slot(workshop: Any) -> None:
    trace = workshop.apply(Deposit(9, 70, *FRESH, 0xFE))

    def twist(parts: Parts) -> None:
        parts["slots"][0]["next_index"] = 6

    assert "seam next_index" in workshop.failures(trace, twist)


# -- deposits that a full tree refuses ---------------------------------------------------------------


def refusal(**changes: Any) -> Transition:
    """A deposit turned away: nullified, with no leaf."""
    return replace(
        Transition(
            Kind.DEPOSIT, nullified=True, amount=70, token=9, eth_address=0xFE, key=FRESH, second=IDENTITY
        ),
        **changes,
    )


def filled(workshop: Any) -> None:
    """All fifteen indices of the tree are taken."""
    workshop.state.seed(
        Account(0, 0, 1, *OWNERS[i % 4].public_key, 0xA0 + i) for i in range(workshop.state.capacity - 5)
    )


def test_full_tree__refuses_and_refunds_a_deposit(workshop: Any) -> None:
    """C17: the batch goes through."""
    filled(workshop)
    account = workshop.state.account(1)
    top_up = Deposit(0, 5, account.ax, account.ay, account.eth_address)
    trace = workshop.apply(Deposit(9, 70, *FRESH, 0xFE), top_up)
    assert [(slot.nullified, slot.second.index) for slot in trace.slots] == [(True, 0), (False, 1)]
    assert (trace.next_before, trace.next_after) == (16, 16)
    assert workshop.failures(trace) == set()


def test_full_tree__leaves_no_place_for_a_transfer_to_new(workshop: Any) -> None:
    honest = decided(workshop, TO_NEW)
    filled(workshop)
    last = workshop.state.account(15)
    over = replace(honest, second=Change(15, last, altered(last, balance=101)))
    failures = workshop.failures(workshop.forge(over))
    assert "E second leaf/a new account's leaf is empty" in failures
    assert "E second leaf/an account is created at the next index" in failures


def test_deposit__is_not_turned_away_while_there_is_place(workshop: Any) -> None:
    """C17: nullification needs the true leaf, or a full tree."""
    failures = workshop.failures(workshop.forge(refusal()))
    assert failures == {"E second leaf/only a full tree refuses a deposit"}


def test_deposit__is_not_nullified_at_an_empty_leaf(workshop: Any) -> None:
    place = Change(5, EMPTY_ACCOUNT, EMPTY_ACCOUNT)
    failures = workshop.failures(workshop.forge(refusal(second=place)))
    assert "E second leaf/a deposit is nullified on overflow and where it is refused" in failures


def test_deposit__is_not_nullified_at_somebody_elses_full_leaf(workshop: Any) -> None:
    """An operator cannot take another account's overflow for a reason."""
    one = workshop.state.account(1)
    full = replace(one, balance=2**128 - 1)
    workshop.state.commit(workshop.state.prepare([Change(1, one, full)]))
    failures = workshop.failures(workshop.forge(refusal(token=0, second=Change(1, full, full))))
    assert {f"E second leaf/top-up keeps {word}" for word in ("ax", "ay", "eth_address")} <= failures


def test_full_tree__nullifies_what_it_refuses(workshop: Any) -> None:
    """The refund cannot be withheld."""
    filled(workshop)
    failures = workshop.failures(workshop.forge(refusal(nullified=False)))
    assert failures == {"E second leaf/a deposit is nullified on overflow and where it is refused"}


def test_full_tree__refusal_changes_no_leaf(workshop: Any) -> None:
    filled(workshop)
    gift = Change(0, EMPTY_ACCOUNT, Account(9, 0, 70, *FRESH, 0xFE))
    failures = workshop.failures(workshop.forge(refusal(second=gift)))
    assert any(failure.startswith("seam") or "is in the tree" in failure for failure in failures), failures


# -- transfer by address -----------------------------------------------------------------------------


def test_by_address__pays_an_account_with_the_address(workshop: Any) -> None:
    """The operator may name any such account, and no other."""
    honest = decided(workshop, BY_ADDRESS)
    three = workshop.state.account(3)
    wrong = replace(honest, second=Change(3, three, altered(three, balance=three.balance + 100)))
    failures = workshop.failures(workshop.forge(wrong))
    assert failures == {"E second leaf/the recipient has the address that was signed"}


def test_by_address__publishes_no_address(workshop: Any) -> None:
    trace = workshop.apply(workshop.sign(BY_ADDRESS, 0))
    assert trace.slots[0].elements[1:] == ((False, 0),) * 3
    assert workshop.failures(trace) == set()


@pytest.mark.parametrize("name", ["change", "to new", "withdraw"])
def test_by_address__is_for_transfers_only(workshop: Any, name: str) -> None:
    trace = workshop.apply(workshop.sign(SIGNED[name], 0))

    def twist(parts: Parts) -> None:
        parts["slots"][0]["by_address"] = 1

    assert "A kind/only transfers go by address" in workshop.failures(trace, twist)


def test_by_address__does_not_sign_the_index(workshop: Any) -> None:
    """A transfer by index cannot be passed off as one by address, nor the other way round."""
    trace = workshop.apply(workshop.sign(BY_INDEX, 0))

    def twist(parts: Parts) -> None:
        parts["slots"][0] |= {"by_address": 1, "eth_address": 0xE1}

    assert workshop.failures(trace, twist) == BAD_SIGNATURE


def test_by_index__carries_no_address(workshop: Any) -> None:
    trace = workshop.apply(workshop.sign(BY_INDEX, 0))

    def twist(parts: Parts) -> None:
        parts["slots"][0]["eth_address"] = 0xE1

    assert "H public data/only kinds with an address carry one" in workshop.failures(trace, twist)


# -- groups ------------------------------------------------------------------------------------------

GIVE, TAKE = Transfer(1, 2, 0, 100, 0, 0), Transfer(2, 3, 0, 50, 0, 0)


def both(workshop: Any, *members: Any) -> list[Transition]:
    """The honest decisions on the members, each signed by its owner for the group of all."""
    signed = sign_group(members, [OWNERS[m.sender - 1] for m in members], CHAIN, ROLLUP)
    return after_each_other(workshop, signed)


def after_each_other(workshop: Any, transactions: Any) -> list[Transition]:
    ledger = Ledger(workshop.state)
    made = []
    for transaction in transactions:
        made.append(transition(ledger, transaction, workshop.context))
        ledger.apply(made[-1].first, made[-1].second)
    return made


def test_group__whole_and_in_order_is_satisfied(workshop: Any) -> None:
    assert workshop.failures(workshop.forge(*both(workshop, GIVE, TAKE))) == set()


def test_group__of_one_is_satisfied(workshop: Any) -> None:
    (group,) = sign_group([GIVE], OWNERS[:1], CHAIN, ROLLUP)
    assert workshop.failures(workshop.apply(group, workshop.sign(TAKE, 1))) == set()


def test_group__prefix_is_not_accepted(workshop: Any) -> None:
    """The first member alone, with padding after it."""
    first, _ = both(workshop, GIVE, TAKE)
    failures = workshop.failures(workshop.forge(first))
    assert "G group/an open group is continued" in failures


def test_group__is_not_cut_by_the_end_of_the_batch(workshop: Any) -> None:
    members = [Transfer(3, 1, 0, 1, 0, 0), Transfer(1, 2, 0, 1, 0, 0)]
    first, _ = sign_group(members, [OWNERS[2], OWNERS[0]], CHAIN, ROLLUP)
    cut = after_each_other(workshop, [workshop.sign(TAKE, 1), first])
    assert workshop.failures(workshop.forge(*cut)) == {"/no group is open after the last slot"}


def test_group__suffix_is_not_accepted(workshop: Any) -> None:
    _, second = both(workshop, GIVE, replace(TAKE, sender=3, recipient=2))
    failures = workshop.failures(workshop.forge(second))
    assert "G group/an open group is continued" in failures


def test_group__in_another_order_is_not_accepted(workshop: Any) -> None:
    one, two = Transfer(1, 2, 0, 100, 0, 0), Transfer(3, 2, 0, 50, 0, 0)
    signed = sign_group([one, two], [OWNERS[0], OWNERS[2]], CHAIN, ROLLUP)
    failures = workshop.failures(workshop.forge(*after_each_other(workshop, signed[::-1])))
    assert failures == {"/no group is open after the last slot"}


@pytest.mark.parametrize("stranger", ["alone", "other group", "request", "noop"])
def test_group__is_not_interrupted(workshop: Any, stranger: str) -> None:
    first, _ = both(workshop, GIVE, TAKE)
    ledger = Ledger(workshop.state)
    ledger.apply(first.first, first.second)
    exchanged = replace(TAKE, sender=3, recipient=2)
    value = group_hash([exchanged], CHAIN, ROLLUP)
    asked: Any = {
        "alone": workshop.sign(exchanged, 2),
        "other group": workshop.sign(replace(exchanged, group=value), 2),
        "request": ForcedExit(3, 0xE2),
        "noop": Noop(),
    }[stranger]
    failures = workshop.failures(workshop.forge(first, transition(ledger, asked, workshop.context)))
    assert "G group/an open group is continued" in failures


@pytest.mark.parametrize("kind", ["deposit", "exit", "noop"])
def test_group__has_signed_members_only(workshop: Any, kind: str) -> None:
    asked: list[Any] = {"deposit": [Deposit(9, 70, *FRESH, 0xFE)], "exit": [ForcedExit(3, 0xE2)], "noop": []}[
        kind
    ]
    trace = workshop.apply(*asked)

    def twist(parts: Parts) -> None:
        parts["slots"][0]["signed_group"] = 5

    assert "G group/only signed transactions belong to a group" in workshop.failures(trace, twist)


def test_group__that_is_open_cannot_be_forgotten(workshop: Any) -> None:
    """The links are the predecessor's: telling a slot that no group is open breaks the seam."""
    first, second = both(workshop, GIVE, TAKE)
    lone = resigned(workshop, second, TAKE, 1)
    trace = workshop.forge(first, lone)

    def twist(parts: Parts) -> None:
        parts["slots"][1]["group"] = 0

    assert "seam group" in workshop.failures(trace, twist)


def test_group__accumulator_begins_with_the_tag_and_is_chained(workshop: Any) -> None:
    trace = workshop.forge(*both(workshop, GIVE, TAKE))
    for slot in (0, 1):

        def twist(parts: Parts, slot: int = slot) -> None:
            parts["slots"][slot]["accumulator"] += 1

        assert "seam accumulator" in workshop.failures(trace, twist)


def test_group__partner_that_signed_something_else_is_refused(workshop: Any) -> None:
    """The first owner agreed to a swap against 50, not against 5."""
    first, _ = both(workshop, GIVE, TAKE)
    less = workshop.sign(replace(TAKE, amount=5, group=first.group), 1)
    _, second = after_each_other(workshop, [workshop.sign(replace(GIVE, group=first.group), 0), less])
    failures = workshop.failures(workshop.forge(first, second))
    assert failures == {"/no group is open after the last slot"}
