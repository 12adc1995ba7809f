"""The adversary against the contract in revm and its model in step: every call ends alike on both."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from evm_world import EvmWorld
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from test_adversary import Adversary, Lockstep
from test_backends_scenarios import Chains

from zkrollup.l1 import L1World, RollupContract
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport

pytest.importorskip("pyrevm", reason="the contract runs in pyrevm: pip install 'zkrollup[l1]'")


class EvmAdversary(Adversary):
    """R1, R2, R3, R5, R6, R7, R8, R10: the same rules, asked of the EVM first and of the model beside it."""

    @classmethod
    def worlds(cls) -> Sequence[L1World]:
        chains = Chains(PyrevmTransport)
        return [chains.deploy(cls.deployed()), chains.mirrored()(cls.deployed())]


def play(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        EvmAdversary,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_adversary__ends_alike_in_revm_and_on_the_model() -> None:
    """R10: a few of them; the invariants and the way out hold in the EVM too."""
    play(4, 25)


@pytest.mark.slow
def test_adversary__ends_alike_in_the_long_run() -> None:
    """R10: more of the same."""
    play(25, 40)


def test_lockstep__notices_contracts_that_disagree() -> None:
    """The comparison is able to fail: one of two contracts has one block more, or another answer."""
    world, model = EvmAdversary.worlds()
    assert isinstance(world, EvmWorld)
    assert isinstance(model, RollupContract)
    pair = Lockstep([world, model])
    assert pair.request_exit(1, sender=pair.accounts[2]) == 0
    model.request_exit(2, sender=pair.accounts[2])
    with pytest.raises(AssertionError):
        pair.request_exit(3, sender=pair.accounts[2])
    with pytest.raises(AssertionError, match="num_requests"):
        _ = pair.num_requests
