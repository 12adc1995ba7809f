"""Wallets, and a small state that most of these tests begin from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    Deposit,
    StateTree,
    Transfer,
    Withdraw,
    sign_transaction,
)

CHAIN_ID = 31337
ROLLUP_ID = 0xA11CE


@dataclass(frozen=True)
class Wallet:
    """A key, the address that it withdraws to, and its signing."""

    key: PrivateKey
    eth_address: int

    def account(self, token: int = 7, balance: int = 1000, nonce: int = 0) -> Account:
        return Account(token, nonce, balance, *self.key.public_key, self.eth_address)

    def deposit(self, amount: int, token: int = 7) -> Deposit:
        return Deposit(token, amount, *self.key.public_key, self.eth_address)

    def transfer(
        self, sender: int, recipient: int, amount: int, *, fee: int = 0, nonce: int = 0, token: int = 7
    ) -> Transfer:
        return self.sign(Transfer(sender, recipient, token, amount, fee, nonce))

    def withdraw(self, sender: int, amount: int, *, fee: int = 0, nonce: int = 0, token: int = 7) -> Withdraw:
        return self.sign(Withdraw(sender, token, amount, fee, nonce))

    def sign(self, transaction):
        return sign_transaction(transaction, self.key, CHAIN_ID, ROLLUP_ID)


@pytest.fixture(scope="session")
def wallets() -> list[Wallet]:
    """Six wallets; wallet i owns account i of ``seeded`` states, and number 0 owns none."""
    return [Wallet(PrivateKey(bytes([i + 1]) * 32), 0xE000 + i) for i in range(6)]


@pytest.fixture
def seeded(wallets: list[Wallet]) -> Callable[..., StateTree]:
    """A state with accounts 1 .. 4: 1, 2, 3 in token 7 (1000 each), 4 in token 8 (1000)."""

    def make(state: StateTree | None = None, *, balances: dict[int, int] | None = None, **changes: int):
        state = StateTree.in_memory(depth=3) if state is None else state
        amounts = {1: 1000, 2: 1000, 3: 1000, 4: 1000} | (balances or {})
        nonce = changes.get("nonce", 0)
        state.seed(
            wallets[i].account(token=8 if i == 4 else 7, balance=amounts[i], nonce=nonce) for i in range(1, 5)
        )
        return state

    return make


@pytest.fixture
def context() -> Callable[..., BatchContext]:
    """Contexts of batches of 4 slots on a tree of depth 3; fees in token 7 go to account 3."""

    def make(batch_number: int = 1, fee_entries=((7, 3),), **sizes: int) -> BatchContext:
        parameters = BatchParameters(**({"slots": 4, "depth": 3, "fee_tokens": 2} | sizes))
        return BatchContext(parameters, CHAIN_ID, ROLLUP_ID, batch_number, fee_entries)

    return make
