"""The model plays every scenario; what backends agree on is compared with these logs."""

from __future__ import annotations

import pytest
from models import deploy_model
from scenarios import SCENARIOS, reverts_in

from zkrollup.l1 import reverts


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario__plays_on_the_model(name: str) -> None:
    log = SCENARIOS[name](deploy_model)
    assert len(log) > 1


def test_scenario__has_the_same_log_on_another_chain() -> None:
    """Logs hold nothing that depends on where they were played."""
    name = "freeze_by_deadline"
    here, there = (
        SCENARIOS[name](lambda settings, c=chain: deploy_model(settings, chain_id=c)) for chain in (1, 77)
    )
    assert here == there


def test_scenarios__meet_every_revert() -> None:
    """All errors are answered somewhere, but for a call from within a payment, which a script cannot make."""
    met = reverts_in(SCENARIOS[name](deploy_model) for name in SCENARIOS)
    assert met == {kind.__name__ for kind in reverts.REVERTS} - {"Reentered"}
