"""Every scenario has one log on the model, in revm and in py-evm: states, events, errors and their values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from evm_world import ETHER_TO_SPARE, EvmWorld, Surroundings
from models import config, deploy_model
from scenarios import SCENARIOS, Log, Settings

from zkrollup.l1 import RollupContract
from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.transport import MissingLibrary, Transport
from zkrollup.l1.interface import ETH, Config
from zkrollup.l1.world import World

EXACT_QUICK = ("own_rollup_id", "malformed_headers", "every_kind", "full_slots")
"""What py-evm plays in the quick run; the others take their turn."""


class MirrorWorld(World):
    """The model's surroundings with the accounts and addresses of a chain on which the same was done."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self.accounts = around.accounts
        self._addresses = iter(around.deployed)  # which may grow while the model follows
        self.balances.clear()
        for account in self.accounts:
            self.mint(ETH, account, ETHER_TO_SPARE)

    def _new_address(self) -> int:
        return next(self._addresses)


class Chains:
    """Deploys each contract of a scenario on a fresh chain, and keeps what it deployed."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self.started: list[tuple[Surroundings, int]] = []

    def deploy(self, settings: Settings) -> EvmWorld:
        """A :data:`scenarios.Deploy`."""
        try:
            around = Surroundings(self._make())
        except MissingLibrary as error:
            pytest.skip(str(error))
        place = len(self.started)
        self.started.append((around, 0))  # a constructor may refuse
        arguments = Config(
            verifier=around.deploy_verifier(settings.verifier),
            exit_verifier=around.deploy_verifier(settings.exit_verifier),
            operator=around.accounts[0],
            governor=around.accounts[1],
            genesis_root=settings.genesis_root,
            parameters=settings.parameters,
            rollup_id=settings.rollup_id,
            genesis_next_index=settings.genesis_next_index,
            deposit_cap=settings.deposit_cap,
            request_lifetime=settings.request_lifetime,
            operator_delay=settings.operator_delay,
            upgrade_delay=settings.upgrade_delay,
        )
        world = EvmWorld.start(around, arguments)
        self.started[place] = (around, world.address)
        return world

    def mirrored(self) -> Callable[[Settings], RollupContract]:
        """Deploys models with the same addresses, in the same order."""
        started = iter(self.started)

        def deploy(settings: Settings) -> RollupContract:
            around, address = next(started)
            world = MirrorWorld(around)
            chain_id = around.transport.chain_id
            return RollupContract(config(settings, world), world=world, chain_id=chain_id, address=address)

        return deploy


def played(name: str, make: Callable[[], Transport]) -> tuple[Log, Log]:
    """A scenario's log on a chain, and on the model at the same addresses."""
    chains = Chains(make)
    log = SCENARIOS[name](chains.deploy)
    return log, SCENARIOS[name](chains.mirrored())


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario__has_the_model_s_log_in_revm(name: str) -> None:
    """R1, R2, R3, R4, R5, R6, R7, V9: the contract in revm says and does what the model does."""
    found, expected = played(name, PyrevmTransport)
    assert found == expected


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in EXACT_QUICK else [pytest.mark.slow]) for n in SCENARIOS]
)
def test_scenario__has_the_model_s_log_in_py_evm(name: str) -> None:
    """R1, R2, R3, R4, R5, R6, R7, V9: by the rules of Prague, signed, with gas and blocks."""
    found, expected = played(name, EthTesterTransport)
    assert found == expected


def test_log__of_another_scenario_differs() -> None:
    """The comparison is able to fail."""
    first, second, *_ = EXACT_QUICK
    assert SCENARIOS[first](deploy_model) != SCENARIOS[second](deploy_model)
