"""A small state that most of these tests begin from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from zkrollup.state import BatchContext, BatchParameters, StateTree
from zkrollup.testing.rollup import CHAIN_ID, ROLLUP_ID, Wallet, make_wallets


@pytest.fixture(scope="session")
def wallets() -> list[Wallet]:
    """Six wallets; wallet i owns account i of ``seeded`` states, and number 0 owns none."""
    return make_wallets(6)


@pytest.fixture
def seeded(wallets: list[Wallet]) -> Callable[..., StateTree]:
    """A state with accounts 1 .. 4: 1, 2, 3 in token 7 (1000 each), 4 in token 8 (1000)."""

    def make(
        state: StateTree | None = None, *, balances: dict[int, int] | None = None, nonce: int = 0
    ) -> StateTree:
        state = StateTree.in_memory(depth=3) if state is None else state
        amounts = dict.fromkeys(range(1, 5), 1000) | (balances or {})
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
