"""Batches replayed from what was published of them lead where their transactions led, and only from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    StateTree,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    build_batch,
    sign_group,
)
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.exceptions import (
    BalanceOverflow,
    DepthMismatch,
    FeeAccountMissing,
    FeeTokenNotAccepted,
    IndexOutsideTree,
    NonceExhausted,
    Overdrawn,
    ReplayRefused,
    StateError,
    TokenMismatch,
    UnknownAccount,
    UnknownRecipient,
)
from zkrollup.state.public_data import PublicData, SlotRecord, decode, encode, public_data
from zkrollup.state.replay import replay, replay_all
from zkrollup.testing.rollup import CHAIN_ID, ROLLUP_ID, Wallet, make_wallets

PARAMETERS = BatchParameters(4, 2, 2)
WALLETS = make_wallets(5)
FEES = ((7, 3), (8, 4))

AMOUNTS = st.one_of(st.integers(0, 1500), st.sampled_from([0, 1, 10**9, 2**127, 2**128 - 1]))
INDICES = st.integers(0, 16)
WHO = st.integers(0, 4)
ACTIONS = st.one_of(
    st.tuples(st.just("deposit"), WHO, st.sampled_from([7, 8]), AMOUNTS),
    st.tuples(st.just("exit"), st.integers(0, 15), WHO),
    st.tuples(st.just("transfer"), INDICES, INDICES, AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("by address"), INDICES, WHO, AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("to new"), INDICES, WHO, AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("withdraw"), INDICES, WHO, AMOUNTS, st.integers(0, 30)),
    st.tuples(st.just("change key"), INDICES, WHO, st.integers(0, 30)),
    st.tuples(st.just("swap"), INDICES, INDICES, st.integers(0, 500)),
)


def seeded(**options: Any) -> StateTree:
    """Accounts 1 to 3 of token 7, account 4 of token 8, of wallets 1 to 4; wallet 0 has none."""
    state = StateTree.in_memory(2, **options)
    state.seed(WALLETS[i].account(token=8 if i == 4 else 7) for i in range(1, 5))
    return state


def context(number: int, parameters: BatchParameters = PARAMETERS) -> BatchContext:
    """Fees in token 7 go to account 3, in token 8 to account 4."""
    return BatchContext(parameters, CHAIN_ID, ROLLUP_ID, number, FEES)


class Drawn:
    """Turns drawn actions into signed transactions, most of them possible; remembers nonces and keys."""

    def __init__(self, state: StateTree) -> None:
        self._state = state
        self._nonces: dict[int, int] = {}
        self._owners = {wallet.key.public_key: wallet for wallet in WALLETS}
        self._keys: dict[int, Wallet] = {}

    def owner(self, index: int) -> Wallet:
        """Who signs for an account."""
        account = self._account(index)
        return self._keys.get(index, self._owners.get((account.ax, account.ay), WALLETS[0]))

    def _account(self, index: int) -> Account:
        return self._state.account(min(index, 15))

    def _nonce(self, index: int) -> int:
        nonce = self._nonces.get(index, self._account(index).nonce)
        self._nonces[index] = nonce + 1
        return nonce

    def transactions(self, action: tuple[Any, ...]) -> list[Any]:
        """What an action asks for: one transaction, or a group of two."""
        kind, *values = action
        if kind == "deposit":
            who, token, amount = values
            return [WALLETS[who].deposit(amount, token)]
        if kind == "exit":
            return [ForcedExit(values[0], WALLETS[values[1]].eth_address)]
        sender = values[0]
        common = {"token": self._account(sender).token, "nonce": self._nonce(sender)}
        if kind == "swap":
            _, other, amount = values
            mine = Transfer(sender, other, amount=amount, fee=0, **common)
            theirs = Transfer(other, sender, self._account(other).token, amount, 0, self._nonce(other))
            keys = [self.owner(sender).key, self.owner(other).key]
            return list(sign_group([mine, theirs], keys, CHAIN_ID, ROLLUP_ID))
        owner = self.owner(sender)
        unsigned: Any
        if kind == "change key":
            _, who, fee = values
            unsigned = ChangeKey(sender, *WALLETS[who].key.public_key, fee=fee, **common)
            self._keys[sender] = WALLETS[who]
        else:
            _, other, amount, fee = values
            common |= {"amount": amount, "fee": fee}
            address = WALLETS[other % 5].eth_address
            if kind == "transfer":
                unsigned = Transfer(sender, other, **common)
            elif kind == "by address":
                unsigned = TransferToAddress(sender, address, **common)
            elif kind == "to new":
                unsigned = TransferToNew(sender, *WALLETS[other].key.public_key, address, **common)
            else:
                unsigned = Withdraw(sender, address, **common)
        return [owner.sign(unsigned)]


def published(state: StateTree, transactions: Sequence[Any], number: int) -> PublicData:
    """The public data of a batch that takes what it can of these, through its bytes."""
    trace = build_batch(state, transactions, context(number)).trace
    return decode(encode(public_data(trace)), PARAMETERS)


def leaves(state: StateTree) -> list[tuple[int, Account]]:
    """All accounts."""
    return list(state.accounts())


def same(one: StateTree, other: StateTree) -> bool:
    """Whether two states agree in all but how many commits led there."""
    metas = [replace(state.meta, version=0) for state in (one, other)]
    return metas[0] == metas[1] and leaves(one) == leaves(other)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(ACTIONS, max_size=5), min_size=1, max_size=4))
def test_replay__of_any_batches_gives_the_state_that_applied_them(
    engine: Engine, batches: list[list[tuple[Any, ...]]]
) -> None:
    """R8: one after the other, and all in one commit."""
    hasher = engine_hasher(engine)
    state, step_by_step, at_once = (seeded(hasher=hasher) for _ in range(3))
    everything = []
    for number, actions in enumerate(batches, start=1):
        drawn = Drawn(state)
        data = published(state, [t for action in actions for t in drawn.transactions(action)], number)
        everything.append(data)
        replay(step_by_step, data)
        assert same(step_by_step, state)
    replay_all(at_once, everything)
    assert same(at_once, state)
    assert at_once.root == at_once.recompute_root()


def test_replay__follows_every_kind() -> None:
    """Each kind at least once, honoured and nullified."""
    state, follower = seeded(), seeded()
    one, two, four = (WALLETS[i] for i in (1, 2, 4))
    common = {"token": 7, "fee": 5}
    batches = [
        [
            WALLETS[0].deposit(70, token=8),
            two.deposit(2**128 - 1000),
            ForcedExit(4, four.eth_address),
            ForcedExit(1, 0xBAD),
        ],
        [
            one.sign(Transfer(1, 2, amount=10, nonce=0, **common)),
            one.sign(TransferToAddress(1, two.eth_address, amount=10, nonce=1, **common)),
            one.sign(TransferToNew(1, *four.key.public_key, four.eth_address, amount=10, nonce=2, **common)),
            one.sign(ChangeKey(1, *four.key.public_key, nonce=3, **common)),
        ],
        [four.sign(Withdraw(1, 0xABC, amount=10, nonce=4, **common)), WALLETS[3].deposit(1)],
    ]
    records = []
    for number, transactions in enumerate(batches, start=1):
        data = published(state, transactions, number)
        assert len(data.records) == len(transactions)
        records += data.records
        replay(follower, data)
        assert same(follower, state)
    assert {record.kind for record in records} == set(Kind) - {Kind.NOOP}
    assert [record.kind for record in records if record.nullified] == [Kind.DEPOSIT, Kind.FORCED_EXIT]


def test_replay__of_a_full_tree_nullifies_what_would_open_an_account() -> None:
    state, follower = seeded(), seeded()
    nullified = []
    for number in range(1, 5):
        fresh = [Deposit(number, 1, *WALLETS[i].key.public_key, 0xF00 + i) for i in range(4)]
        replay(follower, data := published(state, fresh, number))
        nullified += [record.nullified for record in data.records]
    assert nullified == [False] * 11 + [True] * 5
    replay(follower, data := published(state, [WALLETS[0].deposit(1, token=99)], 5))
    assert data.records[0] == SlotRecord(
        Kind.DEPOSIT,
        nullified=True,
        amount_field=1,
        token=99,
        eth_address=WALLETS[0].eth_address,
        ax=WALLETS[0].key.public_key[0],
        ay=WALLETS[0].key.public_key[1],
    )
    assert same(follower, state)


def test_replay__follows_an_operator_who_opens_a_second_account_for_a_key() -> None:
    """The circuit allows it, so it may have been proved: whoever restores must get that root too."""
    state = seeded()
    owner = WALLETS[1]
    again = SlotRecord(
        Kind.DEPOSIT, second=5, amount_field=9, token=7, eth_address=owner.eth_address,
        ax=owner.key.public_key[0], ay=owner.key.public_key[1],
    )  # fmt: skip
    twin = seeded()
    update = twin.prepare_steps([{5: owner.account(balance=9)}], next_index=6, batch_number=1)
    data = following(state, [again], root_after=update.roots[-1], next_after=6)
    replay(state, data)
    assert state.account(5) == owner.account(balance=9)
    assert state.find(owner.account().key) == 1


# -- refusals --------------------------------------------------------------------------------------------


def following(state: StateTree, records: Sequence[SlotRecord], **fields: Any) -> PublicData:
    """A batch of these records with the header that fits the state, but for ``fields``."""
    meta = state.meta
    data = PublicData(
        PARAMETERS, CHAIN_ID, ROLLUP_ID, meta.batch_number + 1, meta.next_index, meta.next_index,
        meta.root, meta.root, FEES, tuple(records),
    )  # fmt: skip
    return replace(data, **fields)


def short(kind: Kind, amount: int = 0, fee: int = 0, **fields: int) -> SlotRecord:
    """A record whose amount is a code."""
    field = encode_amount(amount) << 96
    return SlotRecord(kind, amount_field=field, fee_code=encode_fee(fee), **fields)


OWNER = {
    "eth_address": WALLETS[1].eth_address,
    **dict(zip(("ax", "ay"), WALLETS[1].key.public_key, strict=True)),
}
TO_NEW = {"eth_address": 0xF00, "ax": 3, "ay": 4}

REFUSED: dict[str, tuple[SlotRecord, type[StateError], str]] = {
    "transfer from nobody": (short(Kind.TRANSFER, first=9, second=2), UnknownAccount, "account 9"),
    "transfer from index 0": (short(Kind.TRANSFER, second=2), UnknownAccount, "account 0"),
    "transfer outside the tree": (short(Kind.TRANSFER, first=16, second=2), IndexOutsideTree, "16 is not"),
    "transfer to nobody": (short(Kind.TRANSFER, first=1, second=9), UnknownRecipient, "9"),
    "transfer to outside": (short(Kind.TRANSFER, first=1, second=17), IndexOutsideTree, "17 is not"),
    "transfer to another token": (short(Kind.TRANSFER, first=1, second=4), TokenMismatch, "account 4"),
    "transfer of too much": (short(Kind.TRANSFER, 1000, 1, first=1, second=2), Overdrawn, "1000"),
    "withdraw in another token": (
        SlotRecord(Kind.WITHDRAW, first=1, token=8, amount_field=1, eth_address=5), TokenMismatch, "account",
    ),
    "withdraw of too much": (
        SlotRecord(Kind.WITHDRAW, first=1, token=7, amount_field=1001, eth_address=5), Overdrawn, "1001",
    ),
    "change of nobody's key": (short(Kind.CHANGE_KEY, first=7, ax=3, ay=4), UnknownAccount, "account 7"),
    "change of key that is not paid": (
        short(Kind.CHANGE_KEY, 0, 1100, first=1, ax=3, ay=4), Overdrawn, "1100",
    ),
    "new account elsewhere": (
        short(Kind.TRANSFER_TO_NEW, first=1, second=6, **TO_NEW), ReplayRefused,
        "second is 6; expected 5, the next free index",
    ),
    "new account in an account's place": (
        short(Kind.TRANSFER_TO_NEW, first=1, second=2, **TO_NEW), ReplayRefused, "second is 2; expected 5",
    ),
    "new account without a key": (
        short(Kind.TRANSFER_TO_NEW, first=1, second=5, eth_address=1), ReplayRefused, "ay is 0",
    ),
    "deposit elsewhere": (
        SlotRecord(Kind.DEPOSIT, second=6, token=7, **OWNER), ReplayRefused, "second is 6; expected 5",
    ),
    "deposit to index 0": (
        SlotRecord(Kind.DEPOSIT, token=7, **OWNER), ReplayRefused, "second is 0; expected an account",
    ),
    "deposit nullified though there is room": (
        SlotRecord(Kind.DEPOSIT, nullified=True, token=7, **OWNER), ReplayRefused,
        "nullified is yes; expected no, index 5 is free",
    ),
    "creating deposit nullified": (
        SlotRecord(Kind.DEPOSIT, nullified=True, second=5, token=7, **OWNER), ReplayRefused,
        "nullified is yes; expected no, the account 5 is opened",
    ),
    "top-up nullified": (
        SlotRecord(Kind.DEPOSIT, nullified=True, second=1, token=7, amount_field=1, **OWNER), ReplayRefused,
        "nullified is yes; expected no, account 1 holds 1000 and is paid 1",
    ),
    "top-up that overflows": (
        SlotRecord(Kind.DEPOSIT, second=1, token=7, amount_field=2**128 - 1, **OWNER), ReplayRefused,
        "nullified is no; expected yes, account 1 holds 1000",
    ),
    "top-up of another's account": (
        SlotRecord(Kind.DEPOSIT, second=2, token=7, **OWNER), ReplayRefused, "ax is .* as account 2 has",
    ),
    "top-up in another token": (
        SlotRecord(Kind.DEPOSIT, second=1, token=8, **OWNER), ReplayRefused, "token is 8; expected 7",
    ),
    "exit of a part": (
        SlotRecord(Kind.FORCED_EXIT, first=1, token=7, amount_field=999, eth_address=OWNER["eth_address"]),
        ReplayRefused, "amount is 999; expected 1000, as account 1 has",
    ),
    "exit in another token": (
        SlotRecord(Kind.FORCED_EXIT, first=1, token=8, amount_field=1000, eth_address=OWNER["eth_address"]),
        ReplayRefused, "token is 8; expected 7",
    ),
    "exit nullified for the owner": (
        SlotRecord(Kind.FORCED_EXIT, nullified=True, first=1, eth_address=OWNER["eth_address"]),
        ReplayRefused, "nullified is yes; expected no, account 1 is 0x",
    ),
    "exit for a stranger": (
        SlotRecord(Kind.FORCED_EXIT, first=1, token=7, amount_field=1000, eth_address=0xBAD),
        ReplayRefused, "nullified is no; expected yes, account 1 is 0x",
    ),
    "exit nullified that pays": (
        SlotRecord(Kind.FORCED_EXIT, nullified=True, first=1, amount_field=1, eth_address=0xBAD),
        ReplayRefused, "amount is 1; expected 0",
    ),
    "noop": (SlotRecord(Kind.NOOP), ReplayRefused, "kind is a noop"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_replay__refuses_a_record_that_does_not_follow(case: str) -> None:
    record, error, text = REFUSED[case]
    state = seeded()
    before = state.meta
    good = short(Kind.TRANSFER, 0, first=2, second=1)
    name = record.kind.name.lower().replace("_", " ")
    with pytest.raises(error, match=rf"in batch 1, slot 1 \({name}\): .*{text}"):
        replay(state, following(state, [good, record]))
    assert state.meta == before


def test_replay__refuses_fees_in_a_token_without_an_entry() -> None:
    state = seeded()
    record = short(Kind.TRANSFER, 1, 1, first=1, second=2)
    with pytest.raises(FeeTokenNotAccepted, match=r"batch 1, slot 0 \(transfer\)"):
        replay(state, following(state, [record], fee_entries=((8, 4), (0, 0))))


@pytest.mark.parametrize(
    ("entries", "error", "text"),
    [
        (((7, 9), (0, 0)), FeeAccountMissing, "batch 1, fee entry 0: .*account 9"),
        (((0, 0), (7, 4)), TokenMismatch, "batch 1, fee entry 1: .*account 4"),
        (((0, 0), (7, 16)), IndexOutsideTree, "batch 1, fee entry 1: .*16"),
    ],
)
def test_replay__refuses_fee_accounts_that_cannot_be(
    entries: Any, error: type[StateError], text: str
) -> None:
    state = seeded()
    with pytest.raises(error, match=text):
        replay(state, following(state, [], fee_entries=entries))


@pytest.mark.parametrize(
    ("balance", "record"),
    [
        (2**128 - 1, short(Kind.TRANSFER, 1, first=2, second=1)),
        (2**128 - 1, short(Kind.TRANSFER, 0, 1, first=2, second=3)),
    ],
)
def test_replay__refuses_a_balance_of_2_128(balance: int, record: SlotRecord) -> None:
    """C6: credited by a payment, or by fees."""
    state = StateTree.in_memory(2)
    state.seed(WALLETS[i].account(balance=1000 if i == 2 else balance) for i in (1, 2, 3))
    with pytest.raises(BalanceOverflow):
        replay(state, following(state, [record], fee_entries=((7, 3), (0, 0))))


def test_replay__refuses_a_nonce_that_is_exhausted() -> None:
    state = StateTree.in_memory(2)
    state.seed([WALLETS[1].account(nonce=2**40 - 1)])
    with pytest.raises(NonceExhausted, match="slot 0"):
        replay(state, following(state, [short(Kind.CHANGE_KEY, first=1, ax=3, ay=4)], fee_entries=()))


HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "batch left out": ({"batch_number": 2}, "batch number is 2; expected 1, as the batches before left it"),
    "batch replayed again": ({"batch_number": 0}, "batch number is 0; expected 1"),
    "root before": ({"root_before": 5}, "root before is 0x5; expected 0x"),
    "root after": ({"root_after": 5}, "root after is 0x5; expected 0x.*, which the records lead to"),
    "next before": ({"next_before": 4}, "next index before is 4; expected 5"),
    "next after": ({"next_after": 6}, "next index after is 6; expected 5, by the accounts opened"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_replay__refuses_a_header_that_does_not_follow(case: str) -> None:
    fields, text = HEADERS[case]
    state = seeded()
    before = state.meta
    replay(seeded(), following(state, []))
    with pytest.raises(ReplayRefused, match=rf"in batch {fields.get('batch_number', 1)}: {text}"):
        replay(state, following(state, [], **fields))
    assert state.meta == before


def test_replay__refuses_batches_of_another_depth() -> None:
    state = seeded()
    with pytest.raises(DepthMismatch):
        replay(state, following(state, [], parameters=BatchParameters(4, 3, 2)))


def test_replay__of_many_takes_all_or_none() -> None:
    """The second batch's root is wrong: the first is not applied either, and the second is named."""
    state = seeded()
    before = state.meta
    first = published(seeded(), [], 1)
    second = replace(first, batch_number=2, root_after=5)
    with pytest.raises(ReplayRefused, match="in batch 2: root after is 0x5"):
        replay_all(state, [first, second])
    assert state.meta == before
    replay_all(state, [])
    assert state.meta == before


# -- hashing ---------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.dictionaries(st.integers(1, 63), st.integers(0, 2**128 - 1), max_size=5), min_size=1, max_size=5
    )
)
def test_steps__have_the_roots_of_single_changes(engine: Engine, steps: list[dict[int, int]]) -> None:
    """The twin: each step alone, each change hashed by itself."""
    hasher = engine_hasher(engine)
    accounts = [{i: WALLETS[1].account(balance=b) for i, b in step.items()} for step in steps]
    state, twin = (StateTree.in_memory(3, hasher) for _ in range(2))
    prepared = state.prepare_steps(accounts, next_index=64, batch_number=len(steps))
    state.commit(prepared)
    roots = []
    for step in accounts:
        for index, account in step.items():
            update = twin.prepare_steps([{index: account}], next_index=64, batch_number=0)
            twin.commit(update)
        roots.append(twin.recompute_root())
    assert list(prepared.roots) == roots
    assert (state.root, state.next_index, state.batch_number) == (roots[-1], 64, len(steps))
    assert leaves(state) == leaves(twin)


def test_steps__hash_a_shared_node_once(engine: Engine) -> None:
    """Sixteen leaves side by side: 16 + 4 + 1 hashes and one a level above."""
    calls: list[int] = []
    hasher = engine_hasher(engine)

    def counting(inputs: Sequence[Sequence[int]]) -> Sequence[int]:
        calls.append(len(inputs))
        return hasher(inputs)

    make: Callable[[int], Account] = lambda i: WALLETS[1].account(balance=i)  # noqa: E731
    state = StateTree.in_memory(4, counting)
    state.prepare_steps([{i: make(i) for i in range(16)}], next_index=16, batch_number=1)
    assert calls == [16, 4, 1, 1, 1]
