"""An account: one leaf of the state tree, for one token and one owner; and the widths of its fields.

This module must not know of transactions or of the tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.poseidon import poseidon
from zkrollup.state.exceptions import OutOfRange

__all__ = [
    "ADDRESS_BITS",
    "BALANCE_BITS",
    "BATCH_NUMBER_BITS",
    "CHAIN_ID_BITS",
    "EMPTY_ACCOUNT",
    "IDENTITY",
    "INDEX_BITS",
    "NONCE_BITS",
    "TOKEN_BITS",
    "VALID_UNTIL_BITS",
    "Account",
    "AccountKey",
    "Change",
    "require_bits",
    "require_field_element",
]

TOKEN_BITS = 32
NONCE_BITS = 40
BALANCE_BITS = 128
ADDRESS_BITS = 160
INDEX_BITS = 32
CHAIN_ID_BITS = 64
BATCH_NUMBER_BITS = 64
VALID_UNTIL_BITS = 32


def require_bits(name: str, value: object, bits: int) -> None:
    """Raise :class:`OutOfRange` unless ``value`` is an ``int`` (no ``bool``) in 0 .. 2^bits - 1."""
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise OutOfRange(name, value, bits)


def require_field_element(name: str, value: object) -> None:
    """Raise :class:`OutOfRange` unless ``value`` is an ``int`` in 0 .. r - 1."""
    if type(value) is not int or not 0 <= value < FR_MODULUS:
        raise OutOfRange(name, value, 254)


class AccountKey(NamedTuple):
    """Whose an account is, and of what: a deposit tops up the lowest account with its key."""

    token: int
    ax: int
    ay: int
    eth_address: int


@dataclass(frozen=True, slots=True)
class Account:
    """One leaf. ``(ax, ay)`` is the owner's BabyJubJub key; ``eth_address`` may force an exit.

    ``ay = 0`` marks the empty account, which is all zeros. Raises :class:`OutOfRange`.
    """

    token: int = 0
    nonce: int = 0
    balance: int = 0
    ax: int = 0
    ay: int = 0
    eth_address: int = 0

    def __post_init__(self) -> None:
        require_bits("token", self.token, TOKEN_BITS)
        require_bits("nonce", self.nonce, NONCE_BITS)
        require_bits("balance", self.balance, BALANCE_BITS)
        require_field_element("ax", self.ax)
        require_field_element("ay", self.ay)
        require_bits("eth_address", self.eth_address, ADDRESS_BITS)

    @property
    def is_empty(self) -> bool:
        """Whether this is no account at all."""
        return self.ay == 0

    @property
    def key(self) -> AccountKey:
        """Token, public key and address."""
        return AccountKey(self.token, self.ax, self.ay, self.eth_address)

    def leaf_inputs(self) -> tuple[int, int, int, int, int]:
        """What the leaf hash takes: token + nonce * 2^32, balance, ax, ay, eth_address."""
        return (self.token | self.nonce << TOKEN_BITS, self.balance, self.ax, self.ay, self.eth_address)

    def leaf(self) -> int:
        """The leaf hash, Poseidon of :meth:`leaf_inputs`."""
        return poseidon(self.leaf_inputs())


EMPTY_ACCOUNT = Account()


@dataclass(frozen=True, slots=True)
class Change:
    """The account at ``index`` goes from ``before`` to ``after``."""

    index: int
    before: Account
    after: Account

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after


IDENTITY = Change(0, EMPTY_ACCOUNT, EMPTY_ACCOUNT)
"""The unused half of a slot: nothing happens to index 0."""
