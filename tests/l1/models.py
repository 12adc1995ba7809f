"""The model as a backend of the scenarios."""

from __future__ import annotations

from scenarios import Settings

from zkrollup.l1 import Config, RollupContract, World


def deploy_model(settings: Settings, *, chain_id: int = 31337) -> RollupContract:
    """A contract in a world of its own."""
    return RollupContract(config(settings, world := World()), world=world, chain_id=chain_id)


def config(settings: Settings, world: World) -> Config:
    """The constructor's arguments, its verifiers deployed."""
    return Config(
        verifier=world.deploy_verifier(settings.verifier),
        exit_verifier=world.deploy_verifier(settings.exit_verifier),
        operator=world.accounts[0],
        governor=world.accounts[1],
        genesis_root=settings.genesis_root,
        parameters=settings.parameters,
        rollup_id=settings.rollup_id,
        genesis_next_index=settings.genesis_next_index,
        deposit_cap=settings.deposit_cap,
        request_lifetime=settings.request_lifetime,
        operator_delay=settings.operator_delay,
        upgrade_delay=settings.upgrade_delay,
    )
