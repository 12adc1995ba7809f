"""Nodes with simulated proofs, and wallets that have money there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from zkrollup.state import Transfer
from zkrollup.testing.node import StepNode
from zkrollup.testing.rollup import Wallet, make_wallets

FIRST = 2  # the wallets' first account; 1 is the operator's


class Bank:
    """A node whose accounts 2, 3, 4 hold 1,000 each."""

    def __init__(self, node: StepNode) -> None:
        self.node = node
        self.wallets = [node.for_here(wallet) for wallet in make_wallets(3)]
        for wallet in self.wallets:
            node.pay_in(wallet, 1_000)
        node.settle()

    def transfer(
        self,
        place: int = 0,
        *,
        nonce: int = 0,
        fee: int = 0,
        amount: int = 5,
        to: int = FIRST + 1,
        **more: int,
    ) -> Transfer:
        """A signed transfer from wallet number ``place``."""
        return self.wallets[place].sign(Transfer(FIRST + place, to, 0, amount, fee, nonce, **more))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[StepNode]:
    made = StepNode(tmp_path / "node")
    yield made
    made.close()


@pytest.fixture
def bank(node: StepNode) -> Bank:
    return Bank(node)


__all__ = ["FIRST", "Bank", "Wallet"]
