"""The contract in an EVM with its surroundings: an :class:`~zkrollup.l1.interface.L1World` for scenarios.

It must not know what a scenario does. Tokens, verifiers and receivers are the mocks of tests/evm/mocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from zkrollup.groth16.keys import VerifyingKey
from zkrollup.l1.evm.abi import Abi
from zkrollup.l1.evm.artifacts import load_artifact
from zkrollup.l1.evm.contract import EvmL1
from zkrollup.l1.evm.transport import Transport
from zkrollup.l1.evm.verifier_code import verifier_creation_code
from zkrollup.l1.interface import ETH, Config, TokenBehaviour, VerifierBehaviour
from zkrollup.l1.world import ACCOUNTS

__all__ = ["ACCOUNTS", "ETHER_TO_SPARE", "MOCKS", "EvmWorld", "Surroundings"]

MOCKS = Path(__file__).parents[1] / "evm" / "mocks"

ETHER_TO_SPARE = 10**30


class Surroundings:
    """What can be deployed on a chain before the contract is, by the first account's key."""

    def __init__(self, transport: Transport, accounts: Sequence[int] = ACCOUNTS) -> None:
        self.transport = transport
        self.accounts = tuple(accounts)
        self.deployed: list[int] = []
        """Addresses in the order of deployment."""
        for account in self.accounts:
            transport.give(account, ETHER_TO_SPARE)

    def deploy(self, name: str, *arguments: Any) -> int:
        """A mock of this name."""
        artifact = load_artifact(name, MOCKS)
        return self.deploy_code(artifact.creation + Abi(artifact.abi).encode_constructor(*arguments))

    def deploy_code(self, code: bytes) -> int:
        address = self.transport.deploy(code, sender=self.accounts[-1]).address
        assert address is not None
        self.deployed.append(address)
        return address

    def deploy_token(self, behaviour: TokenBehaviour) -> int:
        return self.deploy("MockToken", behaviour)

    def deploy_verifier(self, behaviour: VerifierBehaviour | VerifyingKey) -> int:
        if isinstance(behaviour, VerifyingKey):
            return self.deploy_code(verifier_creation_code(behaviour, allow_insecure=True))
        return self.deploy("MockVerifier", behaviour)

    def deploy_refuser(self) -> int:
        return self.deploy("MockRefuser")


class EvmWorld(EvmL1):
    """A fresh contract; what it needs around it is in ``surroundings``."""

    surroundings: Surroundings

    @classmethod
    def start(cls, surroundings: Surroundings, config: Config, *, sender: int | None = None) -> Self:
        """Deploys the contract, by the first account unless somebody else is named."""
        deployer = surroundings.accounts[0] if sender is None else sender
        world = cls.deploy(surroundings.transport, config, sender=deployer)
        world.surroundings = surroundings
        return world

    @property
    def accounts(self) -> Sequence[int]:
        return self.surroundings.accounts

    def mine(self, blocks: int = 1) -> None:
        self.transport.mine(blocks)

    def fund(self, address: int, token: int, amount: int) -> None:
        if token == ETH:
            self.transport.give(address, amount)
            return
        mint = Abi(load_artifact("MockToken", MOCKS).abi).encode_call("mint", address, amount)
        self.transport.transact(self.token_address(token), mint, sender=self.surroundings.accounts[-1])

    def deploy_token(self, behaviour: TokenBehaviour) -> int:
        return self.surroundings.deploy_token(behaviour)

    def deploy_verifier(self, behaviour: VerifierBehaviour) -> int:
        return self.surroundings.deploy_verifier(behaviour)

    def deploy_refuser(self) -> int:
        return self.surroundings.deploy_refuser()
