"""The transactions of the rollup, the messages that owners sign, and their JSON-lines form.

This module must not know of balances or trees: it says what was asked, not whether it can be done.

A line of a transaction file is one JSON object with the fields of its kind::

    {"kind":"transfer","from":1,"to":2,"token":0,"amount":"1000","fee":"1","nonce":0,"signature":{...}}

``valid_until``, ``memo`` and ``group`` of a signed one may be left out, and so may ``to`` of a transfer
by address; all other fields must be there, and no more. Each number may be a JSON integer or a decimal
string without sign or leading zeros; an address is ``0x`` and 40 hexadecimal digits.
:func:`format_transactions` writes the one canonical form, which leaves out what is as by default.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.babyjubjub import is_on_curve
from zkrollup.crypto.eddsa import PrivateKey, Signature
from zkrollup.crypto.poseidon import poseidon
from zkrollup.state.accounts import (
    ADDRESS_BITS,
    BALANCE_BITS,
    CHAIN_ID_BITS,
    INDEX_BITS,
    NONCE_BITS,
    TOKEN_BITS,
    VALID_UNTIL_BITS,
    AccountKey,
    require_bits,
    require_field_element,
)
from zkrollup.state.amounts import encode_fee
from zkrollup.state.exceptions import InvalidKey, InvalidParameter, TransactionFormatError
from zkrollup.state.trace import BY_ADDRESS, GROUP_TAG, Kind

__all__ = [
    "FOREVER",
    "ChangeKey",
    "Deposit",
    "ForcedExit",
    "Kind",
    "Noop",
    "Request",
    "Signed",
    "SignedFields",
    "SignedTransaction",
    "Transaction",
    "Transfer",
    "TransferToAddress",
    "TransferToNew",
    "Withdraw",
    "format_transactions",
    "group_hash",
    "group_step",
    "parse_transactions",
    "read_transactions",
    "require_address",
    "require_key",
    "sign_group",
    "sign_transaction",
    "transaction_from_dict",
    "transaction_name",
    "transaction_to_dict",
]

FOREVER = (1 << VALID_UNTIL_BITS) - 1
"""The ``valid_until`` of a transaction that may wait as long as there are batches of 32-bit numbers."""

_Words = tuple[int, int, int, int, int]


class SignedFields(ABC):
    """What all signed transactions have in common; their classes list the fields.

    ``core`` says what is asked, ``message`` is what is signed. Raises :class:`OutOfRange`.
    """

    __slots__ = ()

    sender: int
    token: int
    fee: int
    nonce: int
    valid_until: int
    memo: int
    group: int

    message_kind: ClassVar[int]
    """The code of the kind in the signed message: the record's, but for a transfer by address."""

    @abstractmethod
    def _words(self) -> _Words:
        """Recipient, amount, address and key as the message has them, 0 where the kind has none."""

    def core(self, chain_id: int, rollup_id: int) -> int:
        """The hash of everything but the group; raises :class:`UnencodableFee`."""
        recipient, amount, eth_address, ax, ay = self._words()
        packed = (
            self.message_kind
            | self.sender << 4
            | recipient << 36
            | self.token << 68
            | self.nonce << 100
            | encode_fee(self.fee) << 140
            | self.valid_until << 152
        )
        return poseidon((_domain(chain_id, rollup_id), packed, amount, eth_address, ax, ay, self.memo))

    def message(self, chain_id: int, rollup_id: int) -> int:
        """The field element that the sender signs; raises :class:`UnencodableFee`."""
        return poseidon((self.core(chain_id, rollup_id), self.group))

    def _require_common(self) -> None:
        require_bits("from", self.sender, INDEX_BITS)
        require_bits("token", self.token, TOKEN_BITS)
        require_bits("fee", self.fee, BALANCE_BITS)
        require_bits("nonce", self.nonce, NONCE_BITS)
        require_bits("valid_until", self.valid_until, VALID_UNTIL_BITS)
        require_field_element("memo", self.memo)
        require_field_element("group", self.group)


@dataclass(frozen=True, slots=True)
class Transfer(SignedFields):
    """``sender`` pays ``amount`` to ``recipient`` and ``fee`` to the operator, both in ``token``.

    Every signed transaction may be applied in batches up to number ``valid_until`` only; ``memo`` is a
    field element that is signed and never published; ``group`` is 0, or the :func:`group_hash` of the
    transactions without which this one may not be applied. ``fee`` must be what a fee code can hold for
    there to be a message at all. Raises :class:`OutOfRange`.
    """

    sender: int
    recipient: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_until: int = FOREVER
    memo: int = 0
    group: int = 0
    signature: Signature | None = None

    kind = Kind.TRANSFER
    message_kind = Kind.TRANSFER

    def __post_init__(self) -> None:
        require_bits("to", self.recipient, INDEX_BITS)
        require_bits("amount", self.amount, BALANCE_BITS)
        self._require_common()

    def _words(self) -> _Words:
        return self.recipient, self.amount, 0, 0, 0


@dataclass(frozen=True, slots=True)
class TransferToAddress(SignedFields):
    """``sender`` pays any account of ``token`` whose Ethereum address is ``eth_address``.

    The sender signs the address, not an index; ``recipient`` is for the operator to fill in, and when
    it is ``None`` the account with the lowest index is taken. Raises :class:`OutOfRange`,
    :class:`InvalidParameter`.
    """

    sender: int
    eth_address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_until: int = FOREVER
    memo: int = 0
    group: int = 0
    signature: Signature | None = None
    recipient: int | None = None

    kind = Kind.TRANSFER
    message_kind = BY_ADDRESS

    def __post_init__(self) -> None:
        require_address(self.eth_address)
        require_bits("amount", self.amount, BALANCE_BITS)
        if self.recipient is not None:
            require_bits("to", self.recipient, INDEX_BITS)
        self._require_common()

    def _words(self) -> _Words:
        return 0, self.amount, self.eth_address, 0, 0


@dataclass(frozen=True, slots=True)
class TransferToNew(SignedFields):
    """``sender`` pays for an account that the transfer opens, with this key and address.

    Raises :class:`OutOfRange`, :class:`InvalidKey`, :class:`InvalidParameter`.
    """

    sender: int
    ax: int
    ay: int
    eth_address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_until: int = FOREVER
    memo: int = 0
    group: int = 0
    signature: Signature | None = None

    kind = Kind.TRANSFER_TO_NEW
    message_kind = Kind.TRANSFER_TO_NEW

    def __post_init__(self) -> None:
        require_key(self.ax, self.ay)
        require_address(self.eth_address)
        require_bits("amount", self.amount, BALANCE_BITS)
        self._require_common()

    def _words(self) -> _Words:
        return 0, self.amount, self.eth_address, self.ax, self.ay


@dataclass(frozen=True, slots=True)
class ChangeKey(SignedFields):
    """``sender``'s account, which holds ``token``, obeys another key from now on; only a fee is paid.

    Raises :class:`OutOfRange`, :class:`InvalidKey`.
    """

    sender: int
    ax: int
    ay: int
    token: int
    fee: int
    nonce: int
    valid_until: int = FOREVER
    memo: int = 0
    group: int = 0
    signature: Signature | None = None

    kind = Kind.CHANGE_KEY
    message_kind = Kind.CHANGE_KEY

    def __post_init__(self) -> None:
        require_key(self.ax, self.ay)
        self._require_common()

    def _words(self) -> _Words:
        return 0, 0, 0, self.ax, self.ay


@dataclass(frozen=True, slots=True)
class Withdraw(SignedFields):
    """``amount`` of ``token`` leaves ``sender`` for ``eth_address`` on L1; ``fee`` goes to the operator.

    Raises :class:`OutOfRange`, :class:`InvalidParameter`.
    """

    sender: int
    eth_address: int
    token: int
    amount: int
    fee: int
    nonce: int
    valid_until: int = FOREVER
    memo: int = 0
    group: int = 0
    signature: Signature | None = None

    kind = Kind.WITHDRAW
    message_kind = Kind.WITHDRAW

    def __post_init__(self) -> None:
        require_address(self.eth_address)
        require_bits("amount", self.amount, BALANCE_BITS)
        self._require_common()

    def _words(self) -> _Words:
        return 0, self.amount, self.eth_address, 0, 0


@dataclass(frozen=True, slots=True)
class Deposit:
    """A request from L1: ``amount`` of ``token`` was paid in for this key and address.

    Raises :class:`OutOfRange`, :class:`InvalidKey`.
    """

    token: int
    amount: int
    ax: int
    ay: int
    eth_address: int

    kind = Kind.DEPOSIT

    def __post_init__(self) -> None:
        require_bits("token", self.token, TOKEN_BITS)
        require_bits("amount", self.amount, BALANCE_BITS)
        require_key(self.ax, self.ay)
        require_address(self.eth_address)

    @property
    def key(self) -> AccountKey:
        """The key of the account that is topped up, or created."""
        return AccountKey(self.token, self.ax, self.ay, self.eth_address)


@dataclass(frozen=True, slots=True)
class ForcedExit:
    """A request from L1: ``eth_address`` wants the whole balance of ``account`` out.

    Raises :class:`OutOfRange`.
    """

    account: int
    eth_address: int

    kind = Kind.FORCED_EXIT

    def __post_init__(self) -> None:
        require_bits("account", self.account, INDEX_BITS)
        require_address(self.eth_address)


@dataclass(frozen=True, slots=True)
class Noop:
    """Padding."""

    kind = Kind.NOOP


SignedTransaction = Transfer | TransferToAddress | TransferToNew | ChangeKey | Withdraw
Request = Deposit | ForcedExit
Transaction = SignedTransaction | Request | Noop

Signed = TypeVar("Signed", bound=SignedTransaction)


def require_key(ax: int, ay: int) -> None:
    """Raise :class:`InvalidKey` unless (ax, ay) is canonical, on the curve and ay != 0."""
    if type(ax) is not int or type(ay) is not int or ay == 0 or not is_on_curve((ax, ay)):
        raise InvalidKey(ax, ay)


def require_address(eth_address: int) -> None:
    """Raise :class:`OutOfRange` or :class:`InvalidParameter` unless it is an address other than zero."""
    require_bits("eth_address", eth_address, ADDRESS_BITS)
    if eth_address == 0:
        raise InvalidParameter("eth_address", 0, "an address other than zero")


# -- signing -----------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _domain(chain_id: int, rollup_id: int) -> int:
    require_bits("chain_id", chain_id, CHAIN_ID_BITS)
    require_bits("rollup_id", rollup_id, ADDRESS_BITS)
    return poseidon((chain_id, rollup_id))


def sign_transaction(transaction: Signed, key: PrivateKey, chain_id: int, rollup_id: int) -> Signed:
    """``transaction`` with the signature of ``key``; raises :class:`UnencodableFee`."""
    return replace(transaction, signature=key.sign(transaction.message(chain_id, rollup_id)))


def group_step(accumulator: int, core: int) -> int:
    """The accumulator of a group after one more member, beginning from :data:`GROUP_TAG`."""
    return poseidon((accumulator, core))


def group_hash(transactions: Iterable[SignedTransaction], chain_id: int, rollup_id: int) -> int:
    """What each member of a group has as its ``group``: the hash of all their cores in slot order.

    The members' own ``group`` and ``signature`` do not matter. Raises :class:`UnencodableFee`,
    :class:`InvalidParameter` for a group of none.
    """
    members = list(transactions)
    if not members:
        raise InvalidParameter("group", members, "one transaction or more")
    cores = (member.core(chain_id, rollup_id) for member in members)
    return reduce(group_step, cores, GROUP_TAG)


def sign_group(
    transactions: Sequence[SignedTransaction], keys: Sequence[PrivateKey], chain_id: int, rollup_id: int
) -> list[SignedTransaction]:
    """The transactions as one atomic group, each signed by the key at its place.

    Signers who do not share their keys each set ``group`` to the :func:`group_hash` of all and call
    :func:`sign_transaction`. Raises as :func:`group_hash`, ``ValueError`` for another number of keys.
    """
    group = group_hash(transactions, chain_id, rollup_id)
    return [
        sign_transaction(replace(transaction, group=group), key, chain_id, rollup_id)
        for transaction, key in zip(transactions, keys, strict=True)
    ]


# -- the JSON form -----------------------------------------------------------------------------------


class _Field(NamedTuple):
    name: str  # in JSON
    attribute: str
    bits: int
    style: str  # how the canonical form is written: "number", "decimal", "field", "address" or "signature"
    default: Any = ...  # what is meant when it is left out, as the canonical form does then; ... is "never"


_FROM = _Field("from", "sender", INDEX_BITS, "number")
_TO = _Field("to", "recipient", INDEX_BITS, "number")
_TOKEN = _Field("token", "token", TOKEN_BITS, "number")
_AMOUNT = _Field("amount", "amount", BALANCE_BITS, "decimal")
_ADDRESS = _Field("eth_address", "eth_address", ADDRESS_BITS, "address")
_KEY = (_Field("ax", "ax", 254, "decimal"), _Field("ay", "ay", 254, "decimal"))
_SIGNED = (
    _Field("fee", "fee", BALANCE_BITS, "decimal"),
    _Field("nonce", "nonce", NONCE_BITS, "number"),
    _Field("valid_until", "valid_until", VALID_UNTIL_BITS, "number", FOREVER),
    _Field("memo", "memo", 254, "field", 0),
    _Field("group", "group", 254, "field", 0),
    _Field("signature", "signature", 256, "signature"),
)

_FORMS: dict[str, tuple[type[Transaction], tuple[_Field, ...]]] = {
    "noop": (Noop, ()),
    "deposit": (Deposit, (_TOKEN, _AMOUNT, *_KEY, _ADDRESS)),
    "transfer": (Transfer, (_FROM, _TO, _TOKEN, _AMOUNT, *_SIGNED)),
    "transfer_to_address": (
        TransferToAddress,
        (_FROM, _ADDRESS, _TO._replace(default=None), _TOKEN, _AMOUNT, *_SIGNED),
    ),
    "transfer_to_new": (TransferToNew, (_FROM, *_KEY, _ADDRESS, _TOKEN, _AMOUNT, *_SIGNED)),
    "change_key": (ChangeKey, (_FROM, *_KEY, _TOKEN, *_SIGNED)),
    "withdraw": (Withdraw, (_FROM, _ADDRESS, _TOKEN, _AMOUNT, *_SIGNED)),
    "forced_exit": (ForcedExit, (_Field("account", "account", INDEX_BITS, "number"), _ADDRESS)),
}

_NAMES = {make: name for name, (make, _) in _FORMS.items()}

_MAX_BRACKETS = 64  # a transaction has at most three
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class _Malformed(Exception):
    """A field, what was found in it and what was expected; its place in a file is added outside."""

    def __init__(self, name: str, found: str, expected: str) -> None:
        super().__init__(name, found, expected)
        self.name, self.found, self.expected = name, found, expected


def transaction_to_dict(transaction: Transaction) -> dict[str, Any]:
    """The canonical JSON object of a transaction; an unsigned one has ``"signature": null``."""
    name = transaction_name(transaction)
    form: dict[str, Any] = {"kind": name}
    for item in _FORMS[name][1]:
        value = getattr(transaction, item.attribute)
        if value != item.default or item.default is ...:
            form[item.name] = _write(value, item)
    return form


def transaction_name(transaction: Transaction) -> str:
    """The name of a kind of transaction, as files write it."""
    return _NAMES[type(transaction)]


def transaction_from_dict(form: object, *, source: str = "transaction", line: int = 1) -> Transaction:
    """The transaction that a JSON object says; raises :class:`TransactionFormatError`."""
    try:
        return _read(form)
    except _Malformed as error:
        raise TransactionFormatError(source, line, error.name, error.found, error.expected) from None


def format_transactions(transactions: Iterable[Transaction]) -> str:
    """The canonical JSON-lines form, one line each, the last one ended too."""
    return "".join(
        json.dumps(transaction_to_dict(transaction), separators=(",", ":")) + "\n"
        for transaction in transactions
    )


def parse_transactions(lines: Iterable[str], source: str) -> list[Transaction]:
    """The transactions of JSON lines (blank lines are skipped).

    Raises :class:`TransactionFormatError` naming ``source``, the line (from 1), the field, what was
    found and what was expected.
    """
    transactions = []
    for line, text in enumerate(lines, start=1):
        if text.strip():
            transactions.append(transaction_from_dict(_load(text, source, line), source=source, line=line))
    return transactions


def read_transactions(path: str | Path) -> list[Transaction]:
    """The transactions of a JSON-lines file; raises :class:`TransactionFormatError`, ``OSError``."""
    lines = []
    for line, raw in enumerate(Path(path).read_bytes().split(b"\n"), start=1):
        try:
            lines.append(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise TransactionFormatError(
                str(path), line, "", f"byte {raw[error.start]:#04x} at column {error.start + 1}", "UTF-8"
            ) from None
    return parse_transactions(lines, str(path))


def _load(text: str, source: str, line: int) -> object:
    try:
        # json's parser recurses, and crashes the process where somebody has raised the recursion limit.
        if text.count("[") + text.count("{") > _MAX_BRACKETS:
            raise ValueError("no transaction is nested like this")
        return json.loads(text, object_pairs_hook=_object_without_duplicates)
    except _Malformed as error:
        raise TransactionFormatError(source, line, error.name, error.found, error.expected) from None
    except ValueError:
        raise TransactionFormatError(source, line, "", _shown(text.strip()), "a JSON object") from None


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Malformed(name, "the field twice", "each field once")
        found[name] = value
    return found


def _read(form: object) -> Transaction:
    if not isinstance(form, dict):
        raise _Malformed("", _shown(form), "a JSON object")
    kind = form.get("kind")
    if not isinstance(kind, str) or kind not in _FORMS:
        found = _shown(kind) if "kind" in form else "nothing"
        raise _Malformed("kind", found, "one of " + ", ".join(_FORMS))
    make, items = _FORMS[kind]
    known = ["kind", *(item.name for item in items)]
    _require_names(form, known, optional=[item.name for item in items if item.default is not ...])
    values = {
        item.attribute: _read_value(form[item.name], item) if item.name in form else item.default
        for item in items
    }
    try:
        return make(**values)
    except InvalidKey:
        key = _shown((values["ax"], values["ay"]))
        raise _Malformed("ax, ay", key, "a BabyJubJub point with ay != 0") from None
    except InvalidParameter:
        raise _Malformed("eth_address", _shown(form["eth_address"]), "an address other than zero") from None


def _require_names(
    form: dict[str, Any], names: Sequence[str], prefix: str = "", optional: Sequence[str] = ()
) -> None:
    for name in names:
        if name not in form and name not in optional:
            raise _Malformed(prefix + name, "nothing", "this field")
    for name in form:
        if name not in names:
            raise _Malformed(prefix + name, "an unknown field", "one of " + ", ".join(names))


def _read_value(value: object, item: _Field) -> Any:
    if item.style == "signature":
        return _read_signature(value)
    if item.style == "address":
        if not isinstance(value, str) or not _HEX_ADDRESS.fullmatch(value):
            raise _Malformed(item.name, _shown(value), "0x and 40 hexadecimal digits")
        return int(value, 16)
    number = _read_number(value, item.name, item.bits)
    if item.style == "field" and number >= FR_MODULUS:
        raise _Malformed(item.name, _shown(value), "a number below r")
    return number


def _read_number(value: object, name: str, bits: int) -> int:
    expected = f"an integer from 0 to 2^{bits} - 1"
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        number = int(value)
    elif type(value) is int:
        number = value
    else:
        raise _Malformed(name, _shown(value), expected)
    if not 0 <= number < 1 << bits:
        raise _Malformed(name, _shown(value), expected)
    return number


def _read_signature(value: object) -> Signature | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _Malformed("signature", _shown(value), 'null or {"r8": [x, y], "s": s}')
    _require_names(value, ["r8", "s"], prefix="signature.")
    r8 = value["r8"]
    if not isinstance(r8, list) or len(r8) != 2:
        raise _Malformed("signature.r8", _shown(r8), "two coordinates")
    x, y = (_read_number(r8[i], f"signature.r8[{i}]", 256) for i in range(2))
    return Signature(x, y, _read_number(value["s"], "signature.s", 256))


def _write(value: Any, item: _Field) -> Any:
    if item.style == "signature":
        return None if value is None else {"r8": [str(value.r8x), str(value.r8y)], "s": str(value.s)}
    if item.style == "address":
        return f"0x{value:040x}"
    return value if item.style == "number" else str(value)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else _plain(value)
    quoted = repr(text) if isinstance(value, str) else text
    return quoted if len(quoted) <= 80 else quoted[:77] + "..."


def _plain(value: object) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return type(value).__name__
