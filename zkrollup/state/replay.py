"""The state again, from what was published of its batches: records are applied, nothing else is known.

This module must not know of signatures, proofs or L1: that a batch was executed says that it was proved,
so a record's signature, its nonce and its owner's balance were looked at. They are looked at here as far as
the record and the state say them, and whatever a proved batch cannot contain is refused by name, so that a
state never goes where the accounts do not follow.

What is demanded of a record is what the circuit demands, no less and no more: an operator who opens a second
account for a key that has one does what the state machine never does, but it was proved, and it is replayed.

Many batches are decided one after the other and hashed together, level by level; a node above several
leaves that a batch changes is hashed once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zkrollup.state.accounts import BALANCE_BITS, NONCE_BITS, Account
from zkrollup.state.amounts import decode_amount, decode_fee
from zkrollup.state.context import UNUSED_FEE_ENTRY
from zkrollup.state.exceptions import (
    BalanceOverflow,
    DepthMismatch,
    FeeAccountMissing,
    FeeTokenNotAccepted,
    IndexOutsideTree,
    NonceExhausted,
    Overdrawn,
    Refusal,
    ReplayRefused,
    StateError,
    TokenMismatch,
    UnknownAccount,
    UnknownRecipient,
)
from zkrollup.state.public_data import TRANSFER_AMOUNT_SHIFT, PublicData, SlotRecord
from zkrollup.state.trace import Kind
from zkrollup.state.tree import StateTree

__all__ = ["replay", "replay_all"]


def replay(state: StateTree, data: PublicData) -> None:
    """Apply one batch's records; the state is afterwards what the operator's was.

    Raises :class:`ReplayRefused` naming batch, slot and field where the batch does not follow from the state,
    or a :class:`TransactionError` with that place; the state is then as it was.
    """
    replay_all(state, [data])


def replay_all(state: StateTree, batches: Iterable[PublicData]) -> None:
    """Apply batches that follow each other, in one commit: all of them or, when any is refused, none.

    Raises what :func:`replay` raises.
    """
    follower = _Follower(state)
    given = list(batches)
    steps = [follower.step(data) for data in given]
    if not given:
        return
    prepared = state.prepare_steps(steps, next_index=follower.next_index, batch_number=given[-1].batch_number)
    for data, root in zip(given, prepared.roots, strict=True):
        if root != data.root_after:
            _refuse(data, "root after", f"{data.root_after:#x}", f"{root:#x}, which the records lead to")
    state.commit(prepared)


def _refuse(data: PublicData, name: str, found: object, expected: object, slot: str = "") -> None:
    raise ReplayRefused(name, str(found), str(expected), place=f"batch {data.batch_number}{slot}")


class _Follower:
    """The accounts as they are in the middle of batches, over a state that stays untouched."""

    def __init__(self, state: StateTree) -> None:
        meta = state.meta
        self._state = state
        self._changed: dict[int, Account] = {}
        self._root, self._number = meta.root, meta.batch_number
        self.next_index = meta.next_index

    def step(self, data: PublicData) -> dict[int, Account]:
        """The accounts that a batch leaves changed; takes them over."""
        if data.parameters.depth != self._state.depth:
            raise DepthMismatch(self._state.depth, data.parameters.depth)
        for name, found, expected in (
            ("batch number", data.batch_number, self._number + 1),
            ("root before", f"{data.root_before:#x}", f"{self._root:#x}"),
            ("next index before", data.next_before, self.next_index),
        ):
            if found != expected:
                _refuse(data, name, found, f"{expected}, as the batches before left it")
        batch = _Batch(self, data)
        for slot, record in enumerate(data.records):
            try:
                batch.apply(record)
            except Refusal as error:
                name = record.kind.name.lower().replace("_", " ")
                error.place = f"batch {data.batch_number}, slot {slot} ({name})"
                raise
        batch.credit_fees()
        if batch.next_index != data.next_after:
            _refuse(data, "next index after", data.next_after, f"{batch.next_index}, by the accounts opened")
        self._changed |= batch.changed
        self.next_index = batch.next_index
        self._root, self._number = data.root_after, data.batch_number
        return batch.changed

    def account(self, index: int) -> Account:
        """The account after the batches so far."""
        changed = self._changed.get(index)
        return self._state.account(index) if changed is None else changed

    @property
    def capacity(self) -> int:
        """The number of indices."""
        return self._state.capacity


class _Batch:
    """One batch's changes over the accounts that it found, and the fees that it collected."""

    def __init__(self, before: _Follower, data: PublicData) -> None:
        self._before = before
        self._data = data
        self._fees: dict[int, int] = {token: 0 for token, account in data.fee_entries if account != 0}
        self.changed: dict[int, Account] = {}
        self.next_index = before.next_index

    def account(self, index: int) -> Account:
        """The account after the records so far."""
        if not 0 <= index < self._before.capacity:
            raise IndexOutsideTree(index, self._before.capacity)
        changed = self.changed.get(index)
        return self._before.account(index) if changed is None else changed

    def apply(self, record: SlotRecord) -> None:
        """Do what one record says."""
        match record.kind:
            case Kind.DEPOSIT:
                self._deposit(record)
            case Kind.FORCED_EXIT:
                self._forced_exit(record)
            case Kind.TRANSFER:
                recipient = record.second
                self._debit(record, amount := decode_amount(record.amount_field >> TRANSFER_AMOUNT_SHIFT))
                if self.account(recipient).is_empty:
                    raise UnknownRecipient(recipient)
                self._credit(recipient, self.account(record.first).token, amount)
            case Kind.WITHDRAW:
                if record.token != (held := self._sender(record.first).token):
                    raise TokenMismatch(record.first, held, record.token)
                self._debit(record, record.amount_field)
            case Kind.CHANGE_KEY:
                self._debit(record, 0)
                self.changed[record.first] = replace(self.account(record.first), ax=record.ax, ay=record.ay)
            case Kind.TRANSFER_TO_NEW:
                self._debit(record, amount := decode_amount(record.amount_field >> TRANSFER_AMOUNT_SHIFT))
                self._open(record, self.account(record.first).token, amount)
            case Kind.NOOP:
                raise ReplayRefused("kind", "a noop", "none before the padding, which is not written")

    def credit_fees(self) -> None:
        """Give each entry what it collected."""
        for place, (token, account) in enumerate(self._data.fee_entries):
            if (token, account) == UNUSED_FEE_ENTRY:
                continue
            where = f"batch {self._data.batch_number}, fee entry {place}"
            try:
                if self.account(account).is_empty:
                    raise FeeAccountMissing(account, token)
                self._credit(account, token, self._fees[token])
            except StateError as error:
                error.place = where
                raise

    # -- kinds ---------------------------------------------------------------------------------------

    def _deposit(self, record: SlotRecord) -> None:
        """Top an account up, or open the next one; nullified when the one or the other cannot be."""
        index, amount = record.second, record.amount_field
        if index == 0:
            if not record.nullified:
                raise ReplayRefused("second", "0", "an account, unless nullified")
            if self.next_index < self._before.capacity:
                raise ReplayRefused("nullified", "yes", f"no, index {self.next_index} is free")
            return
        before = self.account(index)
        if before.is_empty:
            if record.nullified:
                raise ReplayRefused("nullified", "yes", f"no, the account {index} is opened")
            self._open(record, record.token, amount)
            return
        for name in ("token", "ax", "ay", "eth_address"):
            if (found := getattr(record, name)) != (held := getattr(before, name)):
                raise ReplayRefused(name, str(found), f"{held}, as account {index} has")
        overflows = before.balance + amount >= 1 << BALANCE_BITS
        if record.nullified != overflows:
            held_now = f"account {index} holds {before.balance}"
            raise ReplayRefused(
                "nullified", _yes(record.nullified), f"{_yes(overflows)}, {held_now} and is paid {amount}"
            )
        if not overflows:
            self._credit(index, record.token, amount)

    def _forced_exit(self, record: SlotRecord) -> None:
        """The whole balance leaves, or nothing when another's address asked."""
        before = self.account(record.first)
        mine = record.eth_address == before.eth_address
        if record.nullified == mine:
            owner = f"account {record.first} is {before.eth_address:#042x}'s"
            raise ReplayRefused("nullified", _yes(record.nullified), f"{_yes(not mine)}, {owner}")
        wanted = (before.token, before.balance) if mine else (0, 0)
        for name, found, expected in zip(
            ("token", "amount"), (record.token, record.amount_field), wanted, strict=True
        ):
            if found != expected:
                raise ReplayRefused(name, str(found), f"{expected}, as account {record.first} has")
        if mine:
            self.changed[record.first] = replace(before, balance=0)

    # -- parts ---------------------------------------------------------------------------------------

    def _sender(self, index: int) -> Account:
        account = self.account(index)
        if account.is_empty:
            raise UnknownAccount(index)
        return account

    def _debit(self, record: SlotRecord, amount: int) -> None:
        """Take amount and fee from the first account, and one nonce."""
        before = self._sender(record.first)
        fee = decode_fee(record.fee_code)
        if before.nonce + 1 >= 1 << NONCE_BITS:
            raise NonceExhausted(record.first, before.nonce)
        if before.balance < amount + fee:
            raise Overdrawn(record.first, before.balance, amount, fee)
        if fee:
            if before.token not in self._fees:
                raise FeeTokenNotAccepted(before.token, tuple(self._fees))
            self._fees[before.token] += fee
        self.changed[record.first] = replace(
            before, nonce=before.nonce + 1, balance=before.balance - amount - fee
        )

    def _credit(self, index: int, token: int, amount: int) -> None:
        before = self.account(index)
        if before.token != token:
            raise TokenMismatch(index, before.token, token)
        if before.balance + amount >= 1 << BALANCE_BITS:
            raise BalanceOverflow(index, before.balance, amount)
        self.changed[index] = replace(before, balance=before.balance + amount)

    def _open(self, record: SlotRecord, token: int, amount: int) -> None:
        """A new account, at the next index and nowhere else."""
        if record.second != self.next_index:
            raise ReplayRefused("second", str(record.second), f"{self.next_index}, the next free index")
        if not self.account(record.second).is_empty:
            raise ReplayRefused("second", str(record.second), "an index without an account")
        if record.ay == 0:
            raise ReplayRefused("ay", "0", "the key of an account")
        self.changed[record.second] = Account(token, 0, amount, record.ax, record.ay, record.eth_address)
        self.next_index += 1


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
