"""Senders with private keys: what a chain needs that takes signed transactions only.

This module must not know how a transaction reaches the chain. The keys here sign for test chains; a key that
guards value belongs into a wallet, not into a list of integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .transport import MissingLibrary, UnknownSender, address_text

__all__ = ["TEST_KEYS", "Senders", "address_of"]

TEST_KEYS = tuple(range(1, 11))
"""Private keys that everybody knows: 1 to 10."""


def _account() -> Any:
    try:
        from eth_account import Account
    except ImportError as error:
        raise MissingLibrary("eth-account", "l1") from error
    return Account


def address_of(key: int) -> int:
    """The address of a private key."""
    return int(_account().from_key(key.to_bytes(32, "big")).address, 16)


class Senders:
    """Private keys by address; what each sender paid in fees and was given for them.

    A test chain charges for gas. So that amounts can be compared with those of a chain that does not,
    :meth:`without_fees` takes both out of a balance.
    """

    def __init__(self, keys: Iterable[int]) -> None:
        self._keys = {address_of(key): key for key in keys}
        self._paid: dict[int, int] = {}
        self._given: dict[int, int] = {}

    @property
    def addresses(self) -> tuple[int, ...]:
        return tuple(self._keys)

    def require(self, sender: int) -> None:
        """Raises :class:`UnknownSender` for an address whose key is not here."""
        if sender not in self._keys:
            raise UnknownSender(sender)

    def sign(self, sender: int, fields: dict[str, Any]) -> bytes:
        """The bytes of a transaction with these JSON-RPC fields; raises :class:`UnknownSender`."""
        self.require(sender)
        key = self._keys[sender]
        if "to" in fields:
            checked = dict(fields, to=bytes.fromhex(address_text(fields["to"])[2:]))
        else:
            checked = dict(fields)
        signed = _account().sign_transaction(checked, key.to_bytes(32, "big"))
        return bytes(signed.raw_transaction)

    def paid(self, sender: int, fee: int) -> None:
        """A transaction cost its sender so much."""
        self._paid[sender] = self._paid.get(sender, 0) + fee

    def given(self, sender: int, amount: int) -> None:
        """A sender was given wei for fees."""
        self._given[sender] = self._given.get(sender, 0) + amount

    def without_fees(self, address: int, balance: int) -> int:
        """A balance as if there were no fees and nothing had been given for them."""
        return balance + self._paid.get(address, 0) - self._given.get(address, 0)
