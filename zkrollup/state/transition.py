"""What one transaction does to the accounts: the rules of the rollup, in their order.

This module must not know of hashes, trees or encodings of batches. It only reads: each function
returns a :class:`Transition` or raises, so an exception leaves everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from zkrollup.crypto import eddsa
from zkrollup.crypto.eddsa import Signature
from zkrollup.crypto.poseidon import poseidon
from zkrollup.state.accounts import (
    BALANCE_BITS,
    EMPTY_ACCOUNT,
    IDENTITY,
    NONCE_BITS,
    Account,
    AccountKey,
    Change,
)
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.context import BatchContext
from zkrollup.state.exceptions import (
    BalanceOverflow,
    Expired,
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
    UnknownAddress,
    UnknownRecipient,
    WrongAddress,
    WrongSignature,
)
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import (
    ChangeKey,
    Deposit,
    ForcedExit,
    Noop,
    SignedTransaction,
    Transaction,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
)

__all__ = [
    "Accounts",
    "Ledger",
    "Transition",
    "change_key",
    "credit",
    "deposit",
    "forced_exit",
    "transfer",
    "transfer_to_new",
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

    def find(self, key: AccountKey, after: int = 0) -> int | None:
        """The lowest index above ``after`` of an account with this key."""
        ...

    def find_address(self, token: int, eth_address: int) -> int | None:
        """The lowest index of an account of this token with this Ethereum address."""
        ...


@dataclass(frozen=True, slots=True)
class Transition:
    """What one transaction does: a debit, then a credit, and the values that :class:`SlotTrace` names.

    ``core`` is the hash of a signed transaction without its group, 0 of another.
    """

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
    by_address: bool = False
    valid_until: int = 0
    memo: int = 0
    group: int = 0
    core: int = 0

    @property
    def creates(self) -> bool:
        """Whether an account is opened."""
        return self.second.before.is_empty and not self.second.after.is_empty


class Ledger:
    """The accounts as they are in the middle of a batch: changes over a base that stays untouched."""

    def __init__(self, base: Accounts) -> None:
        self._base = base
        self._keys: dict[AccountKey, set[int]] = {}
        self._payees: dict[tuple[int, int], int] = {}
        self.changed: dict[int, Account] = {}
        self.next_index = base.next_index
        self.capacity = base.capacity

    def account(self, index: int) -> Account:
        """The account at ``index`` after the changes so far."""
        changed = self.changed.get(index)
        return self._base.account(index) if changed is None else changed

    def find(self, key: AccountKey, after: int = 0) -> int | None:
        """The lowest index above ``after`` of an account that has this key after the changes so far."""
        found = [i for i in self._keys.get(key, ()) if i > after and self.changed[i].key == key]
        index = self._base.find(key, after)
        while index is not None and self.account(index).key != key:  # it has changed its key
            index = self._base.find(key, index)
        return min([*found, *([] if index is None else [index])], default=None)

    def find_address(self, token: int, eth_address: int) -> int | None:
        """The lowest index of an account of this token with this address; neither ever changes."""
        index = self._base.find_address(token, eth_address)
        return self._payees.get((token, eth_address)) if index is None else index

    def apply(self, *changes: Change) -> None:
        """Take the changes over, in order."""
        for change in changes:
            if change.is_identity:
                continue
            after = change.after
            if change.before.is_empty:
                self._payees.setdefault((after.token, after.eth_address), change.index)
                self.next_index = max(self.next_index, change.index + 1)
            if change.before.key != after.key:
                self._keys.setdefault(after.key, set()).add(change.index)
            self.changed[change.index] = after


def transition(accounts: Accounts, transaction: Transaction, context: BatchContext) -> Transition:
    """What ``transaction`` does; raises a :class:`TransactionError` naming the first rule it breaks."""
    match transaction:
        case Transfer() | TransferToAddress():
            return transfer(accounts, transaction, context)
        case TransferToNew():
            return transfer_to_new(accounts, transaction, context)
        case ChangeKey():
            return change_key(accounts, transaction, context)
        case Withdraw():
            return withdraw(accounts, transaction, context)
        case Deposit():
            return deposit(accounts, transaction)
        case ForcedExit():
            return forced_exit(accounts, transaction)
        case Noop():
            return Transition(Kind.NOOP)


# -- signed transactions -----------------------------------------------------------------------------


def transfer(
    accounts: Accounts, transaction: Transfer | TransferToAddress, context: BatchContext
) -> Transition:
    """Debit the sender by amount and fee, then credit the recipient, who may be the sender.

    A transfer by address credits the account that the operator named, or else the lowest one, of the
    token and with the address that the sender signed.
    """
    sender, decided = _signed(accounts, transaction, context)
    amount_code = encode_amount(transaction.amount)
    fee_code, fee_entry = _accepted_fee(transaction, context)
    _require_funds(transaction.sender, sender, transaction.amount, transaction.fee)
    debit = Change(transaction.sender, sender, _debited(sender, transaction.amount + transaction.fee))

    index = _recipient_index(accounts, transaction)
    recipient = debit.after if index == transaction.sender else _existing_recipient(accounts, index)
    eth_address = transaction.eth_address if isinstance(transaction, TransferToAddress) else 0
    if eth_address not in (0, recipient.eth_address):
        raise WrongAddress(index, recipient.eth_address, eth_address)
    return replace(
        decided,
        first=debit,
        second=credit(index, recipient, transaction.token, transaction.amount),
        amount=transaction.amount,
        amount_code=amount_code,
        fee_code=fee_code,
        fee_entry=fee_entry,
        eth_address=eth_address,
        by_address=isinstance(transaction, TransferToAddress),
    )


def transfer_to_new(accounts: Accounts, transaction: TransferToNew, context: BatchContext) -> Transition:
    """Debit the sender by amount and fee; the amount is the balance of a new account at the next index.

    Another account with this key and address is no obstacle: nobody can stop a payment by opening one.
    """
    sender, decided = _signed(accounts, transaction, context)
    amount_code = encode_amount(transaction.amount)
    fee_code, fee_entry = _accepted_fee(transaction, context)
    _require_funds(transaction.sender, sender, transaction.amount, transaction.fee)
    index = accounts.next_index
    if index >= accounts.capacity:
        raise TreeFull(accounts.capacity)
    key = (transaction.ax, transaction.ay)
    opened = Account(sender.token, 0, transaction.amount, *key, transaction.eth_address)
    return replace(
        decided,
        first=Change(transaction.sender, sender, _debited(sender, transaction.amount + transaction.fee)),
        second=Change(index, EMPTY_ACCOUNT, opened),
        amount=transaction.amount,
        amount_code=amount_code,
        fee_code=fee_code,
        fee_entry=fee_entry,
        eth_address=transaction.eth_address,
        key=key,
    )


def change_key(accounts: Accounts, transaction: ChangeKey, context: BatchContext) -> Transition:
    """Debit the sender by the fee; its account has another public key from the next transaction on.

    Balance, token, nonce and address go on as they are, and so does the right of the address to an exit.
    """
    sender, decided = _signed(accounts, transaction, context)
    fee_code, fee_entry = _accepted_fee(transaction, context)
    _require_funds(transaction.sender, sender, 0, transaction.fee)
    after = replace(_debited(sender, transaction.fee), ax=transaction.ax, ay=transaction.ay)
    return replace(
        decided,
        first=Change(transaction.sender, sender, after),
        fee_code=fee_code,
        fee_entry=fee_entry,
        key=(transaction.ax, transaction.ay),
    )


def withdraw(accounts: Accounts, transaction: Withdraw, context: BatchContext) -> Transition:
    """Debit the sender by amount and fee; the amount becomes payable to the address that was signed."""
    sender, decided = _signed(accounts, transaction, context)
    fee_code, fee_entry = _accepted_fee(transaction, context)
    _require_funds(transaction.sender, sender, transaction.amount, transaction.fee)
    return replace(
        decided,
        first=Change(transaction.sender, sender, _debited(sender, transaction.amount + transaction.fee)),
        amount=transaction.amount,
        fee_code=fee_code,
        fee_entry=fee_entry,
        eth_address=transaction.eth_address,
    )


def _signed(
    accounts: Accounts, transaction: SignedTransaction, context: BatchContext
) -> tuple[Account, Transition]:
    """The sender, and what is decided of every signed kind; raises by the rules that they have in common.

    The core carries the fee's code, so a fee without one (:class:`UnencodableFee`) answers here.
    """
    sender = _existing_sender(accounts, transaction.sender)
    core = transaction.core(context.chain_id, context.rollup_id)
    message = poseidon((core, transaction.group))
    signature = transaction.signature
    if signature is None or not eddsa.verify((sender.ax, sender.ay), message, signature):
        raise WrongSignature(transaction.sender, transaction.nonce)
    if context.batch_number > transaction.valid_until:
        raise Expired(context.batch_number, transaction.valid_until)
    _require_token(transaction.sender, sender, transaction.token)
    _require_nonce(transaction.sender, sender, transaction.nonce)
    return sender, Transition(
        transaction.kind,
        fee=transaction.fee,
        token=sender.token,
        signature=signature,
        valid_until=transaction.valid_until,
        memo=transaction.memo,
        group=transaction.group,
        core=core,
    )


# -- requests from L1 --------------------------------------------------------------------------------


def deposit(accounts: Accounts, request: Deposit) -> Transition:
    """Top up the account with the request's key, or create it at the next index.

    Nullified when the balance cannot hold it, or when there is no account and no index left; the second
    index is 0 then. Raises nothing: no deposit can stop the queue.
    """
    existing = accounts.find(request.key)
    index = accounts.next_index if existing is None else existing
    if index >= accounts.capacity:
        return _requested(request, Change(0, EMPTY_ACCOUNT, EMPTY_ACCOUNT))
    before = accounts.account(index)
    if before.balance + request.amount >= 1 << BALANCE_BITS:
        return _requested(request, Change(index, before, before))
    owned = Account(request.token, before.nonce, before.balance, request.ax, request.ay, request.eth_address)
    after = replace(owned, balance=before.balance + request.amount)
    return replace(_requested(request, Change(index, before, after)), nullified=False)


def _requested(request: Deposit, second: Change) -> Transition:
    return Transition(
        Kind.DEPOSIT,
        nullified=True,
        second=second,
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


def _recipient_index(accounts: Accounts, transaction: Transfer | TransferToAddress) -> int:
    if isinstance(transaction, Transfer):
        return transaction.recipient
    if transaction.recipient is not None:
        return transaction.recipient
    index = accounts.find_address(transaction.token, transaction.eth_address)
    if index is None:
        raise UnknownAddress(transaction.eth_address, transaction.token)
    return index


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
