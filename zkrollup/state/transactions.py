"""The transactions of the rollup, the messages that owners sign, and their JSON-lines form.

This module must not know of balances or trees: it says what was asked, not whether it can be done.

A line of a transaction file is one JSON object with exactly the fields of its kind::

    {"kind":"transfer","from":1,"to":2,"token":0,"amount":"1000","fee":"1","nonce":0,"signature":{...}}

Each number may be a JSON integer or a decimal string without sign or leading zeros; an address is
``0x`` and 40 hexadecimal digits. :func:`format_transactions` writes the one canonical form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

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
    AccountKey,
    require_bits,
)
from zkrollup.state.amounts import encode_fee
from zkrollup.state.exceptions import InvalidKey, InvalidParameter, TransactionFormatError
from zkrollup.state.trace import Kind

__all__ = [
    "Deposit",
    "ForcedExit",
    "Kind",
    "Noop",
    "Request",
    "SignedTransaction",
    "Transaction",
    "Transfer",
    "Withdraw",
    "format_transactions",
    "parse_transactions",
    "read_transactions",
    "require_deposit_key",
    "sign_transaction",
    "transaction_from_dict",
    "transaction_to_dict",
]


@dataclass(frozen=True, slots=True)
class Transfer:
    """``sender`` pays ``amount`` to ``recipient`` and ``fee`` to the operator, both in ``token``.

    ``fee`` must be what a fee code can hold for there to be a message at all. Raises
    :class:`OutOfRange`.
    """

    sender: int
    recipient: int
    token: int
    amount: int
    fee: int
    nonce: int
    signature: Signature | None = None

    kind = Kind.TRANSFER

    def __post_init__(self) -> None:
        require_bits("from", self.sender, INDEX_BITS)
        require_bits("to", self.recipient, INDEX_BITS)
        require_bits("token", self.token, TOKEN_BITS)
        require_bits("amount", self.amount, BALANCE_BITS)
        require_bits("fee", self.fee, BALANCE_BITS)
        require_bits("nonce", self.nonce, NONCE_BITS)

    def message(self, chain_id: int, rollup_id: int) -> int:
        """The field element that the sender signs; raises :class:`UnencodableFee`."""
        return _message(self, self.recipient, chain_id, rollup_id)


@dataclass(frozen=True, slots=True)
class Withdraw:
    """``amount`` of ``token`` leaves ``sender`` for its Ethereum address; ``fee`` goes to the operator.

    Raises :class:`OutOfRange`.
    """

    sender: int
    token: int
    amount: int
    fee: int
    nonce: int
    signature: Signature | None = None

    kind = Kind.WITHDRAW

    def __post_init__(self) -> None:
        require_bits("from", self.sender, INDEX_BITS)
        require_bits("token", self.token, TOKEN_BITS)
        require_bits("amount", self.amount, BALANCE_BITS)
        require_bits("fee", self.fee, BALANCE_BITS)
        require_bits("nonce", self.nonce, NONCE_BITS)

    def message(self, chain_id: int, rollup_id: int) -> int:
        """The field element that the sender signs; raises :class:`UnencodableFee`."""
        return _message(self, 0, chain_id, rollup_id)


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
        require_deposit_key(self.ax, self.ay)
        _require_address(self.eth_address)

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
        _require_address(self.eth_address)


@dataclass(frozen=True, slots=True)
class Noop:
    """Padding."""

    kind = Kind.NOOP


SignedTransaction = Transfer | Withdraw
Request = Deposit | ForcedExit
Transaction = SignedTransaction | Request | Noop

_Signed = TypeVar("_Signed", Transfer, Withdraw)


def require_deposit_key(ax: int, ay: int) -> None:
    """Raise :class:`InvalidKey` unless (ax, ay) is canonical, on the curve and ay != 0."""
    if type(ax) is not int or type(ay) is not int or ay == 0 or not is_on_curve((ax, ay)):
        raise InvalidKey(ax, ay)


def _require_address(eth_address: int) -> None:
    require_bits("eth_address", eth_address, ADDRESS_BITS)
    if eth_address == 0:
        raise InvalidParameter("eth_address", 0, "an address other than zero")


# -- messages ----------------------------------------------------------------------------------------


def _message(transaction: SignedTransaction, recipient: int, chain_id: int, rollup_id: int) -> int:
    packed = (
        transaction.kind
        | transaction.sender << 4
        | recipient << 36
        | transaction.token << 68
        | transaction.nonce << 100
        | encode_fee(transaction.fee) << 140
    )
    return poseidon((_domain(chain_id, rollup_id), packed, transaction.amount))


@lru_cache(maxsize=64)
def _domain(chain_id: int, rollup_id: int) -> int:
    require_bits("chain_id", chain_id, CHAIN_ID_BITS)
    require_bits("rollup_id", rollup_id, ADDRESS_BITS)
    return poseidon((chain_id, rollup_id))


def sign_transaction(transaction: _Signed, key: PrivateKey, chain_id: int, rollup_id: int) -> _Signed:
    """``transaction`` with the signature of ``key``; raises :class:`UnencodableFee`."""
    return replace(transaction, signature=key.sign(transaction.message(chain_id, rollup_id)))


# -- the JSON form -----------------------------------------------------------------------------------


class _Field(NamedTuple):
    name: str  # in JSON
    attribute: str
    bits: int
    style: str  # how the canonical form is written: "number", "decimal", "address" or "signature"


_FROM = _Field("from", "sender", INDEX_BITS, "number")
_TOKEN = _Field("token", "token", TOKEN_BITS, "number")
_AMOUNT = _Field("amount", "amount", BALANCE_BITS, "decimal")
_FEE = _Field("fee", "fee", BALANCE_BITS, "decimal")
_NONCE = _Field("nonce", "nonce", NONCE_BITS, "number")
_SIGNATURE = _Field("signature", "signature", 256, "signature")
_ADDRESS = _Field("eth_address", "eth_address", ADDRESS_BITS, "address")

_FORMS: dict[str, tuple[Callable[..., Transaction], tuple[_Field, ...]]] = {
    "noop": (Noop, ()),
    "deposit": (
        Deposit,
        (_TOKEN, _AMOUNT, _Field("ax", "ax", 254, "decimal"), _Field("ay", "ay", 254, "decimal"), _ADDRESS),
    ),
    "transfer": (
        Transfer,
        (_FROM, _Field("to", "recipient", INDEX_BITS, "number"), _TOKEN, _AMOUNT, _FEE, _NONCE, _SIGNATURE),
    ),
    "withdraw": (Withdraw, (_FROM, _TOKEN, _AMOUNT, _FEE, _NONCE, _SIGNATURE)),
    "forced_exit": (ForcedExit, (_Field("account", "account", INDEX_BITS, "number"), _ADDRESS)),
}

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
    name = transaction.kind.name.lower()
    form: dict[str, Any] = {"kind": name}
    for item in _FORMS[name][1]:
        form[item.name] = _write(getattr(transaction, item.attribute), item)
    return form


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
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise _Malformed(name, "the field twice", "each field once")
    return dict(pairs)


def _read(form: object) -> Transaction:
    if not isinstance(form, dict):
        raise _Malformed("", _shown(form), "a JSON object")
    kind = form.get("kind")
    if not isinstance(kind, str) or kind not in _FORMS:
        found = _shown(kind) if "kind" in form else "nothing"
        raise _Malformed("kind", found, "one of " + ", ".join(_FORMS))
    make, items = _FORMS[kind]
    _require_names(form, ["kind", *(item.name for item in items)])
    values = {item.attribute: _read_value(form[item.name], item) for item in items}
    try:
        return make(**values)
    except InvalidKey:
        key = _shown((values["ax"], values["ay"]))
        raise _Malformed("ax, ay", key, "a BabyJubJub point with ay != 0") from None
    except InvalidParameter:
        raise _Malformed("eth_address", _shown(form["eth_address"]), "an address other than zero") from None


def _require_names(form: dict[str, Any], names: Sequence[str], prefix: str = "") -> None:
    for name in names:
        if name not in form:
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
    return _read_number(value, item.name, item.bits)


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
