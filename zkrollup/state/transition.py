"""What one transaction does to the accounts: the rules of the rollup, in their order.

This module must not know of hashes, trees or encodings of batches. It only reads: each function
returns a :class:`Transition` or raises, so an exception leaves everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from zkrollup.crypto import eddsa
from zkrollup.crypto.eddsa import Signature
from zkrollup.state.accounts import BALANCE_BITS, IDENTITY, NONCE_BITS, Account, AccountKey, Change
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.context import BatchContext
from zkrollup.state.exceptions import (
    BalanceOverflow,
    FeeTokenNotAccepted,
    IndexOutsideTree,
    NonceExhausted,
    NonceTooHigh,
    Overdrawn,
    ReservedAccount,
    ReusedNonce,
    TokenMismatch,
    TreeFull,
    UnknownAccount,
    UnknownRecipient,
    WrongSignature,
)
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import (
    Deposit,
    ForcedExit,
    Noop,
    SignedTransaction,
    Transaction,
    Transfer,
    Withdraw,
)

__all__ = [
    "Accounts",
    "Ledger",
    "Transition",
    "credit",
    "deposit",
    "forced_exit",
    "transfer",
    "transition",
    "withdraw",
]


class Accounts(Protocol):
    """What the rules read."""

    @property
    def capacity(self) -> int:
        """The number of indices, the reserved one included."""
        ...

    @property
    def next_index(self) -> int:
        """The index of the next new account."""
        ...

    def account(self, index: int) -> Account:
        """The account at ``index``, :data:`EMPTY_ACCOUNT` when there is none."""
        ...

    def find(self, key: AccountKey) -> int | None:
        """The index of the account with this key."""
        ...


@dataclass(frozen=True, slots=True)
class Transition:
    """What one transaction does: a debit, then a credit, and the values that :class:`SlotTrace` names."""

    kind: Kind
    nullified: bool = False
    first: Change = IDENTITY
    second: Change = IDENTITY
    amount: int = 0
    amount_code: int = 0
    fee: int = 0
    fee_code: int = 0
    fee_entry: int | None = None
    token: int = 0
    eth_address: int = 0
    key: tuple[int, int] = (0, 0)
    signature: Signature | None = None


class Ledger:
    """The accounts as they are in the middle of a batch: changes over a base that stays untouched."""

    def __init__(self, base: Accounts) -> None:
        self._base = base
        self._keys: dict[AccountKey, int] = {}
        self.changed: dict[int, Account] = {}
        self.next_index = base.next_index
        self.capacity = base.capacity

    def account(self, index: int) -> Account:
        """The account at ``index`` after the changes so far."""
        changed = self.changed.get(index)
        return self._base.account(index) if changed is None else changed

    def find(self, key: AccountKey) -> int | None:
        """The index of the account with this key after the changes so far."""
        created = self._keys.get(key)
        return self._base.find(key) if created is None else created

    def apply(self, *changes: Change) -> None:
        """Take the changes over, in order."""
        for change in changes:
            if change.is_identity:
                continue
            if change.before.is_empty:
                self._keys[change.after.key] = change.index
                self.next_index = max(self.next_index, change.index + 1)
            self.changed[change.index] = change.after


def transition(accounts: Accounts, transaction: Transaction, context: BatchContext) -> Transition:
    """What ``transaction`` does; raises a :class:`TransactionError` naming the first rule it breaks."""
    match transaction:
        case Transfer():
            return transfer(accounts, transaction, context)
        case Withdraw():
            return withdraw(accounts, transaction, context)
        case Deposit():
            return deposit(accounts, transaction)
        case ForcedExit():
            return forced_exit(accounts, transaction)
        case Noop():
            return Transition(Kind.NOOP)


# -- signed transactions -----------------------------------------------------------------------------


def transfer(accounts: Accounts, transaction: Transfer, context: BatchContext) -> Transition:
    """Debit the sender by amount and fee, then credit the recipient, who may be the sender."""
    sender = _existing_sender(accounts, transaction.sender)
    _require_signature(sender, transaction, context)
    _require_token(transaction.sender, sender, transaction.token)
    _require_nonce(transaction.sender, sender, transaction.nonce)
    amount_code = encode_amount(transaction.amount)
    fee_code, fee_entry = _accepted_fee(transaction, context)
    _require_funds(transaction.sender, sender, transaction.amount, transaction.fee)
    debit = Change(transaction.sender, sender, _debited(sender, transaction.amount + transaction.fee))

    same = transaction.recipient == transaction.sender
    recipient = debit.after if same else _existing_recipient(accounts, transaction.recipient)
    return Transition(
        Kind.TRANSFER,
        first=debit,
        second=credit(transaction.recipient, recipient, transaction.token, transaction.amount),
        amount=transaction.amount,
        amount_code=amount_code,
        fee=transaction.fee,
        fee_code=fee_code,
        fee_entry=fee_entry,
        token=sender.token,
        signature=transaction.signature,
    )


def withdraw(accounts: Accounts, transaction: Withdraw, context: BatchContext) -> Transition:
    """Debit the sender by amount and fee; the amount becomes payable to the account's address."""
    sender = _existing_sender(accounts, transaction.sender)
    _require_signature(sender, transaction, context)
    _require_token(transaction.sender, sender, transaction.token)
    _require_nonce(transaction.sender, sender, transaction.nonce)
    fee_code, fee_entry = _accepted_fee(transaction, context)
    _require_funds(transaction.sender, sender, transaction.amount, transaction.fee)
    return Transition(
        Kind.WITHDRAW,
        first=Change(transaction.sender, sender, _debited(sender, transaction.amount + transaction.fee)),
        amount=transaction.amount,
        fee=transaction.fee,
        fee_code=fee_code,
        fee_entry=fee_entry,
        token=sender.token,
        eth_address=sender.eth_address,
        signature=transaction.signature,
    )


# -- requests from L1 --------------------------------------------------------------------------------


def deposit(accounts: Accounts, request: Deposit) -> Transition:
    """Top up the account with the request's key, or create it; nullified when the balance cannot hold it.

    Raises :class:`TreeFull` only: L1 takes no more deposits than there are indices.
    """
    existing = accounts.find(request.key)
    index = accounts.next_index if existing is None else existing
    if index >= accounts.capacity:
        raise TreeFull(accounts.capacity)
    before = accounts.account(index)
    fits = before.balance + request.amount < 1 << BALANCE_BITS
    owned = Account(request.token, before.nonce, before.balance, request.ax, request.ay, request.eth_address)
    after = replace(owned, balance=before.balance + request.amount) if fits else before
    return Transition(
        Kind.DEPOSIT,
        nullified=not fits,
        second=Change(index, before, after),
        amount=request.amount,
        token=request.token,
        eth_address=request.eth_address,
        key=(request.ax, request.ay),
    )


def forced_exit(accounts: Accounts, request: ForcedExit) -> Transition:
    """The whole balance leaves when the requester owns the account; nullified otherwise.

    Nobody owns index 0 or another empty leaf: its address is 0, and no request comes from there.

    Raises :class:`IndexOutsideTree` only, which L1 refuses when the request is made.
    """
    if request.account >= accounts.capacity:
        raise IndexOutsideTree(request.account, accounts.capacity)
    before = accounts.account(request.account)
    honoured = before.eth_address == request.eth_address
    return Transition(
        Kind.FORCED_EXIT,
        nullified=not honoured,
        first=Change(request.account, before, replace(before, balance=0) if honoured else before),
        amount=before.balance if honoured else 0,
        token=before.token if honoured else 0,
        eth_address=request.eth_address,
    )


# -- the single rules --------------------------------------------------------------------------------


def _existing_sender(accounts: Accounts, index: int) -> Account:
    if index == 0:
        raise ReservedAccount("sender")
    account = accounts.account(index)
    if account.is_empty:
        raise UnknownAccount(index)
    return account


def _require_signature(sender: Account, transaction: SignedTransaction, context: BatchContext) -> None:
    """The message carries the fee's code, so a fee without one (:class:`UnencodableFee`) answers here."""
    message = transaction.message(context.chain_id, context.rollup_id)
    signature = transaction.signature
    if signature is None or not eddsa.verify((sender.ax, sender.ay), message, signature):
        raise WrongSignature(transaction.sender, transaction.nonce)


def _require_token(index: int, account: Account, token: int) -> None:
    if account.token != token:
        raise TokenMismatch(index, account.token, token)


def _require_nonce(index: int, sender: Account, nonce: int) -> None:
    if nonce < sender.nonce:
        raise ReusedNonce(index, nonce, sender.nonce)
    if nonce > sender.nonce:
        raise NonceTooHigh(index, nonce, sender.nonce)
    if nonce + 1 >= 1 << NONCE_BITS:
        raise NonceExhausted(index, nonce)


def _accepted_fee(transaction: SignedTransaction, context: BatchContext) -> tuple[int, int | None]:
    """The fee's code and the entry that it is added to; a fee of 0 needs no entry."""
    code = encode_fee(transaction.fee)
    if transaction.fee == 0:
        return code, None
    entry = context.fee_entry(transaction.token)
    if entry is None:
        accepted = tuple(token for token, account in context.fee_entries if account != 0)
        raise FeeTokenNotAccepted(transaction.token, accepted)
    return code, entry


def _require_funds(index: int, sender: Account, amount: int, fee: int) -> None:
    if sender.balance < amount + fee:
        raise Overdrawn(index, sender.balance, amount, fee)


def _debited(sender: Account, total: int) -> Account:
    return replace(sender, nonce=sender.nonce + 1, balance=sender.balance - total)


def _existing_recipient(accounts: Accounts, index: int) -> Account:
    if index == 0:
        raise ReservedAccount("recipient")
    account = accounts.account(index)
    if account.is_empty:
        raise UnknownRecipient(index)
    return account


def credit(index: int, account: Account, token: int, amount: int) -> Change:
    """``amount`` more for an account that holds ``token``; raises when it does not, or cannot hold more."""
    _require_token(index, account, token)
    if account.balance + amount >= 1 << BALANCE_BITS:
        raise BalanceOverflow(index, account.balance, amount)
    return Change(index, account, replace(account, balance=account.balance + amount))
