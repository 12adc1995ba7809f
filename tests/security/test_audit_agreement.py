"""State machine on one side, circuit and contract on the other: they accept the same transactions.

A lawless operator executes whatever is asked: it computes leaves, paths, codes and public data
consistently, and heeds no rule. What it makes is *accepted* when the circuit is satisfied and the
contract takes the data, every proof believed. That must be so exactly when the state machine accepts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from zkrollup.bn254 import FR_MODULUS
from zkrollup.circuits.batch import batch_circuit
from zkrollup.engine.interface import Engine
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import Revert
from zkrollup.operator import engine_hasher
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    BatchTrace,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    StateTree,
    Transaction,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    apply_batch,
    batch,
    group_hash,
    sign_group,
)
from zkrollup.state.accounts import Change
from zkrollup.state.amounts import amount_below, encode_amount, encode_fee, fee_below
from zkrollup.state.exceptions import StateError
from zkrollup.state.public_data import encode, public_data, public_inputs
from zkrollup.state.trace import GROUP_TAG
from zkrollup.state.transactions import SignedTransaction, group_step
from zkrollup.state.transition import Ledger, Transition
from zkrollup.testing.rollup import (
    CHAIN_ID,
    CONTRACT,
    ROLLUP_ID,
    SimulatedKey,
    SimulatedRollup,
    make_wallets,
    unsafe_accept_any_proof,
)

PARAMETERS = BatchParameters(slots=2, depth=2, fee_tokens=2)
WALLETS = make_wallets(4)
KEY = SimulatedKey()
FULL = 2**128
HIGH = 20
"""A token that few accounts hold: the contract knows as many, and numbers them in order."""

OWNERS = (0, 1, 2, 3, 0, 1, 1, 2)
ACCOUNTS = (
    WALLETS[0].account(token=0, balance=1000),
    WALLETS[1].account(token=0, balance=1000),
    WALLETS[2].account(token=0, balance=1000),  # the operator's
    WALLETS[3].account(token=7, balance=1000),
    WALLETS[0].account(token=7, balance=FULL - 1),
    WALLETS[1].account(token=7, balance=1000, nonce=2**40 - 1),
    WALLETS[1].account(token=HIGH, balance=10**37, nonce=2**40 - 2),
    WALLETS[2].account(token=7, balance=FULL - 1001),
)
"""At indices 1 .. 8, of the wallets in OWNERS; 9 .. 15 are empty."""

CONTEXTS = (
    ((0, 3),),
    ((0, 3), (7, 4)),
    ((7, 5), (0, 1)),
    ((HIGH, 7),),
    ((0, 15),),
    ((0, 4),),
    (),
)


class Unchecked(Account):
    """An account whose numbers nobody ranged."""

    def __post_init__(self) -> None:
        """Deliberately demands nothing."""

    def leaf_inputs(self) -> tuple[int, int, int, int, int]:
        packed = (self.token + (self.nonce << 32)) % FR_MODULUS
        return (packed, self.balance % FR_MODULUS, self.ax, self.ay, self.eth_address)


def moved(account: Account, amount: int, nonces: int = 0) -> Account:
    """The account with ``amount`` more, in range or not."""
    values = (account.token, account.nonce + nonces, account.balance + amount)
    return Unchecked(*values, account.ax, account.ay, account.eth_address)


@dataclass(frozen=True)
class Liberties:
    """Where the transaction leaves the operator a choice, or seems to."""

    fee_entry: int | None = None
    nonce_of_the_request: bool = False


def lawless(
    ledger: Ledger, transaction: Transaction, context: BatchContext, liberties: Liberties
) -> Transition:
    """What an operator without rules makes of a transaction."""
    match transaction:
        case Transfer() | TransferToAddress() | TransferToNew() | ChangeKey() | Withdraw():
            return _signed(ledger, transaction, context, liberties)
        case Deposit():
            index = ledger.find(transaction.key)
            index = ledger.next_index if index is None else index
            if index == ledger.capacity:
                index = 0
            before = ledger.account(index)
            fits = index != 0 and before.balance + transaction.amount < FULL
            owned = Unchecked(transaction.token, before.nonce, before.balance, *transaction.key[1:])
            return Transition(
                Kind.DEPOSIT,
                nullified=not fits,
                second=Change(index, before, moved(owned, transaction.amount) if fits else before),
                amount=transaction.amount,
                token=transaction.token,
                eth_address=transaction.eth_address,
                key=(transaction.ax, transaction.ay),
            )
        case ForcedExit():
            before = ledger.account(transaction.account)
            honoured = before.eth_address == transaction.eth_address
            return Transition(
                Kind.FORCED_EXIT,
                nullified=not honoured,
                first=Change(
                    transaction.account, before, moved(before, -before.balance) if honoured else before
                ),
                amount=before.balance if honoured else 0,
                token=before.token if honoured else 0,
                eth_address=transaction.eth_address,
            )
    return Transition(Kind.NOOP)


def _signed(
    ledger: Ledger, transaction: SignedTransaction, context: BatchContext, liberties: Liberties
) -> Transition:
    sender = ledger.account(transaction.sender)
    amount = 0 if isinstance(transaction, ChangeKey) else transaction.amount
    skipped = transaction.nonce - sender.nonce if liberties.nonce_of_the_request else 0
    after = moved(sender, -amount - transaction.fee, nonces=1 + skipped)
    if isinstance(transaction, ChangeKey):
        after = Unchecked(
            after.token, after.nonce, after.balance, transaction.ax, transaction.ay, after.eth_address
        )
    first = Change(transaction.sender, sender, after)
    fee_code = encode_fee(fee_below(transaction.fee))
    entry = context.fee_entry(transaction.token) if liberties.fee_entry is None else liberties.fee_entry
    common: dict[str, Any] = {
        "first": first,
        "amount": amount,
        "fee": transaction.fee,
        "fee_code": fee_code,
        "fee_entry": entry,
        "token": transaction.token,
        "signature": transaction.signature,
        "valid_until": transaction.valid_until,
        "memo": transaction.memo,
        "group": transaction.group,
        "core": replace(transaction, fee=fee_below(transaction.fee)).core(CHAIN_ID, ROLLUP_ID),
    }
    if isinstance(transaction, Withdraw):
        return Transition(Kind.WITHDRAW, eth_address=transaction.eth_address, **common)
    if isinstance(transaction, ChangeKey):
        return Transition(Kind.CHANGE_KEY, key=(transaction.ax, transaction.ay), **common)
    code = encode_amount(amount_below(amount))
    if isinstance(transaction, TransferToNew):
        key, address = (transaction.ax, transaction.ay), transaction.eth_address
        opened = Unchecked(transaction.token, 0, amount, *key, address)
        index = min(ledger.next_index, ledger.capacity - 1)
        second = Change(index, ledger.account(index), opened)
        return Transition(
            Kind.TRANSFER_TO_NEW, second=second, amount_code=code, key=key, eth_address=address, **common
        )
    by_address = isinstance(transaction, TransferToAddress)
    recipient = transaction.recipient
    if recipient is None:
        recipient = ledger.find_address(transaction.token, transaction.eth_address) or 0
    target = after if recipient == transaction.sender else ledger.account(recipient)
    return Transition(
        Kind.TRANSFER,
        second=Change(recipient, target, moved(target, amount)),
        amount_code=code,
        by_address=by_address,
        eth_address=transaction.eth_address if by_address else 0,
        **common,
    )


def _lawless_fee_credit(ledger: Ledger, place: int, token: int, index: int, fee: int) -> Change:
    account = ledger.account(index)
    return Change(index, account, moved(account, fee))


class Chain:
    """State and contract at genesis, with the requests of these transactions queued."""

    def __init__(self, engine: Engine, entries: tuple[tuple[int, int], ...]) -> None:
        self.engine, self.hasher = engine, engine_hasher(engine)
        self.state = StateTree.in_memory(PARAMETERS.depth, self.hasher)
        self.state.seed(ACCOUNTS)
        self.context = BatchContext(PARAMETERS, CHAIN_ID, ROLLUP_ID, 1, entries)
        self.rollup = SimulatedRollup(
            PARAMETERS, state=self.state, key=KEY, verifier=unsafe_accept_any_proof, deposit_cap=FULL - 1
        )
        self.contract = self.rollup.contract

    def queue(self, transactions: tuple[Transaction, ...]) -> None:
        for request in transactions:
            if isinstance(request, Deposit | ForcedExit):
                self.rollup.request(request)

    def forge(self, *decided: Transition) -> BatchTrace:
        """The trace of decisions that nobody checked."""
        ledger = Ledger(self.state)
        for decision in decided:
            ledger.apply(decision.first, decision.second)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batch, "_fee_credit", _lawless_fee_credit)
            return batch._finish(self.state, ledger, decided, self.context)

    def answers(self, trace: BatchTrace) -> list[str]:
        """What refuses the batch: labels of rows and seams, names of reverts. Empty: it is accepted."""
        circuit = batch_circuit(PARAMETERS)
        published = public_data(trace)
        inputs = public_inputs(published, CONTRACT, self.hasher)
        public, parts = circuit.assignment(trace, z=inputs.challenge, hasher=self.hasher, modulus=FR_MODULUS)
        assert public == {"C": inputs.commitment, "z": inputs.challenge, "y": inputs.fingerprint}
        witness = circuit.r1cs.witness(self.engine, public=public, parts=parts)
        found = [failure.label for failure in circuit.r1cs.check(self.engine, witness)]
        try:
            data = encode(published)
            if self.contract.public_inputs(data, inputs.commitment) != inputs:
                found.append("the contract computes other public inputs")
            self.rollup.submit_call(data, inputs.commitment, Proof((1, 2), KEY.verifying_key.beta2, (1, 2)))
        except Revert as error:
            found.append(type(error).__name__)
        return found


def attempt(
    engine: Engine,
    entries: tuple[tuple[int, int], ...],
    transactions: tuple[Transaction, ...],
    liberties: Liberties = Liberties(),
) -> tuple[BatchTrace | StateError, list[str]]:
    """The state machine's answer, and what refuses the lawless operator's batch."""
    chain = Chain(engine, entries)
    try:
        honest: BatchTrace | StateError = apply_batch(chain.state, transactions, chain.context)
    except StateError as error:
        honest = error
    chain = Chain(engine, entries)
    chain.queue(transactions)
    ledger = Ledger(chain.state)
    decided = []
    for transaction in transactions:
        decision = lawless(ledger, transaction, chain.context, liberties)
        ledger.apply(decision.first, decision.second)
        decided.append(decision)
    try:
        trace = chain.forge(*decided)
        answers = chain.answers(trace)
    except (ValueError, OverflowError) as error:  # a number that no signal or byte form can take
        return honest, [type(error).__name__]
    if not answers and isinstance(honest, BatchTrace):
        assert public_data(trace) == public_data(honest)
    return honest, answers


AMOUNTS = st.one_of(
    st.integers(0, 1100),
    st.sampled_from([0, 1, 999, 1000, 1001, 2**27 - 1, 2**27, 10**31, 7 * 10**31, FULL - 1, FULL - 1000]),
)
FEES = st.sampled_from([0, 0, 0, 1, 127, 128, 1270, 10**31, 127 * 10**31])


@st.composite
def signed(draw: st.DrawFn) -> SignedTransaction:
    """A signed transaction of any kind; about half of them are good."""
    sender = draw(st.integers(1, 8))
    account = ACCOUNTS[sender - 1]
    odd = draw(st.sampled_from(["", "", "", "sender", "token", "nonce", "signer", "recipient"]))
    if odd == "sender":
        sender = draw(st.integers(0, 15))
    token = draw(st.sampled_from([0, 7, HIGH])) if odd == "token" else account.token
    shift = draw(st.sampled_from([-1, 1, 2**39])) if odd == "nonce" else 0
    nonce = min(max(account.nonce + shift, 0), 2**40 - 1)
    same = [i for i in range(1, 9) if ACCOUNTS[i - 1].token == token]
    recipient = draw(st.integers(0, 15)) if odd == "recipient" else draw(st.sampled_from(same))
    signer = draw(st.integers(0, 3)) if odd == "signer" else OWNERS[min(max(sender, 1), 8) - 1]
    amount, fee = draw(AMOUNTS), draw(FEES)
    rest = (
        token,
        amount,
        fee,
        nonce,
        draw(st.sampled_from([2**32 - 1, 1, 0])),
        draw(st.sampled_from([0, 5])),
    )
    group = draw(st.sampled_from([0, 0, 0, 0, 0, 9]))
    address = draw(st.sampled_from([w.eth_address for w in WALLETS] + [0xE9]))
    key = WALLETS[draw(st.integers(0, 3))].key.public_key
    plain: Any = draw(
        st.sampled_from(
            [
                Transfer(sender, recipient, *rest, group),
                TransferToAddress(sender, address, *rest, group),
                TransferToAddress(sender, address, *rest, group, recipient=recipient),
                TransferToNew(sender, *key, address, *rest, group),
                ChangeKey(sender, *key, token, *rest[2:], group),
                Withdraw(sender, address, *rest, group),
            ]
        )
    )
    if draw(st.sampled_from([False, False, True])):
        plain = replace(plain, group=group_hash([replace(plain, fee=fee_below(fee))], CHAIN_ID, ROLLUP_ID))
    if encodes(fee):
        return WALLETS[signer].sign(plain)
    return replace(plain, signature=WALLETS[signer].sign(replace(plain, fee=0)).signature)


def encodes(fee: int) -> bool:
    return fee_below(fee) == fee


DEPOSITS = st.builds(
    lambda wallet, token, amount, other: replace(
        WALLETS[wallet].deposit(amount, token), **({"eth_address": 0xBEEF} if other else {})
    ),
    st.integers(0, 3),
    st.sampled_from([0, 7, HIGH]),
    AMOUNTS.map(lambda amount: min(max(amount, 1), FULL - 2)),  # L1 takes no others
    st.sampled_from([False, False, True]),
)
EXITS = st.builds(ForcedExit, st.integers(0, 15), st.sampled_from([w.eth_address for w in WALLETS] + [1]))
TRANSACTIONS = st.one_of(signed(), signed(), DEPOSITS, EXITS)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    transactions=st.lists(TRANSACTIONS, min_size=1, max_size=2).map(tuple),
    entries=st.sampled_from(CONTEXTS),
    liberties=st.builds(Liberties, st.sampled_from([None, None, 0, 1]), st.booleans()),
)
@example((ForcedExit(0, 1), ForcedExit(15, 1)), (), Liberties())
@example((WALLETS[0].deposit(5, 0), WALLETS[0].deposit(6, 0)), (), Liberties())
@example((WALLETS[3].deposit(5, 0), WALLETS[3].deposit(6, 0)), (), Liberties())
@example((WALLETS[0].deposit(1, 7), WALLETS[0].deposit(2, 7)), (), Liberties())
@example((WALLETS[0].transfer(1, 1, 1000, token=0), ForcedExit(1, WALLETS[0].eth_address)), (), Liberties())
@example((WALLETS[0].transfer(1, 1, 873, fee=127, token=0),), ((0, 1),), Liberties())
@example((WALLETS[0].transfer(1, 1, 874, fee=127, token=0),), ((0, 1),), Liberties())
@example((WALLETS[1].transfer(7, 7, 10**37, nonce=2**40 - 2, token=HIGH),), (), Liberties())
@example((WALLETS[1].transfer(6, 4, 1, nonce=2**40 - 1),), (), Liberties())
@example((ForcedExit(6, WALLETS[1].eth_address),), (), Liberties())
@example((WALLETS[0].transfer(5, 8, 1000),), (), Liberties())
@example((WALLETS[0].transfer(5, 8, 1001),), (), Liberties())
@example((WALLETS[0].withdraw(5, FULL - 1),), (), Liberties())
@example((WALLETS[0].transfer(1, 2, 0, token=0),), (), Liberties(fee_entry=1))
@example((WALLETS[0].transfer(1, 2, 0, fee=1, token=0),), (), Liberties(fee_entry=1))
@example((WALLETS[0].transfer(1, 2, 0, fee=1, token=0),), ((7, 4),), Liberties(fee_entry=1))
@example((WALLETS[0].transfer(1, 2, 0, fee=1, token=0),), ((0, 3), (7, 4)), Liberties(fee_entry=1))
@example((WALLETS[0].transfer(1, 0, 1, token=0),), (), Liberties())
@example((Withdraw(0, 1, 0, 0, 0, 0),), (), Liberties())
def test_transactions__are_accepted_by_both_or_by_neither(
    engine: Engine,
    transactions: tuple[Transaction, ...],
    entries: tuple[tuple[int, int], ...],
    liberties: Liberties,
) -> None:
    """C6, C10, C12, C13, C17: what the state machine refuses cannot be forged into a batch, and what it
    accepts is accepted with the same public data, roots included."""
    honest, answers = attempt(engine, entries, transactions, liberties)
    if isinstance(honest, StateError):
        assert answers, f"only the state machine refuses: {honest}"
    elif liberties == Liberties():
        assert not answers, f"only circuit or contract refuse: {answers}"


# -- one thing done differently from an honest decision ----------------------------------------------

HONEST: tuple[Transaction, ...] = (
    WALLETS[0].transfer(1, 2, 100, fee=1, token=0),
    WALLETS[0].transfer(1, 1, 100, fee=1, token=0),
    WALLETS[1].withdraw(2, 100, fee=1, token=0),
    WALLETS[3].deposit(70, 0),
    WALLETS[0].deposit(70, 0),
    WALLETS[0].deposit(70, 7),  # nullified: account 5 is full
    WALLETS[0].sign(TransferToAddress(1, WALLETS[1].eth_address, 0, 100, 1, 0)),
    WALLETS[0].sign(TransferToNew(1, *WALLETS[3].key.public_key, 0xE9, 0, 100, 1, 0, memo=1)),
    WALLETS[0].sign(ChangeKey(1, *WALLETS[3].key.public_key, 0, 1, 0, valid_until=1)),
    sign_group([Transfer(1, 2, 0, 100, 1, 0)], [WALLETS[0].key], CHAIN_ID, ROLLUP_ID)[0],
    ForcedExit(1, WALLETS[0].eth_address),
    ForcedExit(1, WALLETS[1].eth_address),
    ForcedExit(12, WALLETS[1].eth_address),
)


PARTS = (
    "kind", "nullified", "first", "second", "amount", "amount_code", "fee", "fee_code", "fee_entry",
    "token", "eth_address", "key", "signature", "by_address", "valid_until", "memo", "group",
)  # fmt: skip


@st.composite
def altered(draw: st.DrawFn, decision: Transition, state: StateTree) -> Transition:
    """The decision with one or two of its parts replaced."""
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(PARTS))
        decision = replace(decision, **{name: draw(_another(decision, name, state))})
    return decision


def _another(decision: Transition, name: str, state: StateTree) -> st.SearchStrategy[Any]:
    amounts = st.sampled_from([0, 1, 69, 71, 99, 101, 900, 999, 1000, 2**27, FULL - 1])
    match name:
        case "kind":
            return st.sampled_from(list(Kind))
        case "nullified":
            return st.just(not decision.nullified)
        case "first" | "second":
            change = getattr(decision, name)
            other = st.integers(0, 15).map(lambda i: Change(i, state.account(i), state.account(i)))
            carried = st.integers(0, 15).map(
                lambda i: Change(
                    i,
                    state.account(i),
                    moved(
                        state.account(i),
                        change.after.balance - change.before.balance,
                        change.after.nonce - change.before.nonce,
                    ),
                )
            )
            opened = st.integers(0, 15).map(
                lambda i: Change(i, state.account(i), Account(decision.token, 0, 70, *decision.key, 0xE003))
            )
            skewed = st.tuples(st.integers(-100, 100), st.integers(-1, 1)).map(
                lambda by: replace(change, after=moved(change.after, *by))
            )
            return st.one_of(other, carried, opened, skewed)
        case "amount_code":
            return amounts.map(lambda a: encode_amount(amount_below(a))) | st.sampled_from(
                [5 << 27, 1 << 27 | 10]
            )
        case "fee_code":
            return st.integers(0, 4095) | st.sampled_from([0, 1, 2, 31 << 7])
        case "fee_entry":
            return st.sampled_from([None, 0, 1])
        case "token":
            return st.sampled_from([0, 7, 9, HIGH])
        case "eth_address":
            return st.sampled_from([0, *(wallet.eth_address for wallet in WALLETS), 2**160, FR_MODULUS - 1])
        case "key":
            return st.sampled_from([(0, 0), (0, 1), (1, 0), *(wallet.key.public_key for wallet in WALLETS)])
        case "signature":
            return st.sampled_from([None, *(t.signature for t in HONEST if isinstance(t, SignedTransaction))])
        case "by_address":
            return st.just(not decision.by_address)
        case "valid_until":
            return st.sampled_from([0, 1, 2, 2**32 - 1, 2**32])
        case "memo" | "group":
            return st.sampled_from([0, 1, decision.core, group_step(GROUP_TAG, decision.core)])
    return amounts


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), transaction=st.sampled_from(HONEST))
def test_decision__altered_in_any_part_is_refused(
    engine: Engine, data: st.DataObject, transaction: Transaction
) -> None:
    """C9, C10, C13, C17, R10: an operator can make nothing else of a transaction, except that it chooses
    among the accounts with an address that is paid."""
    chain = Chain(engine, ((0, 3), (7, 4)))
    chain.queue((transaction,))
    honest = lawless(Ledger(chain.state), transaction, chain.context, Liberties())
    decision = data.draw(altered(honest, chain.state))
    try:
        trace = chain.forge(decision)
        answers = chain.answers(trace)
    except (ValueError, OverflowError):
        return
    if answers:
        return
    right = public_data(Chain(engine, chain.context.fee_entries).forge(honest))
    found = public_data(trace)
    if honest.by_address and found.records[0].second != right.records[0].second:
        assert trace.slots[0].second.before.eth_address == honest.eth_address
        assert replace(found.records[0], second=0) == replace(right.records[0], second=0)
    else:
        assert found == right
