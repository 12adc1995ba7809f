"""The adversary of test_adversary.py against the contract in revm and the model in step."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from test_adversary import Adversary
from test_backends_scenarios import Chains

from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.transport import MissingLibrary
from zkrollup.l1.interface import L1World


class AdversaryInStep(Adversary):
    """Every answer, error, event, block and balance of the EVM is compared with the model's."""

    @classmethod
    def worlds(cls) -> Sequence[L1World]:
        chains = Chains(lambda: PyrevmTransport(auto_mine=False))
        evm = chains.deploy(cls.deployed())
        return [evm, chains.mirrored()(cls.deployed())]


def play(examples: int, steps: int) -> None:
    try:
        PyrevmTransport()
    except MissingLibrary as error:
        pytest.skip(str(error))
    run_state_machine_as_test(
        AdversaryInStep,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_adversary__ends_every_call_alike_on_contract_and_model() -> None:
    """R1, R2, R3, R4, R5, R7, R8, R10, C17: a short game."""
    play(examples=3, steps=25)


@pytest.mark.slow
def test_adversary__gains_nothing_from_contract_and_model_in_the_long_run() -> None:
    """R1, R2, R3, R4, R5, R7, R8, R10, C17."""
    play(examples=40, steps=50)
