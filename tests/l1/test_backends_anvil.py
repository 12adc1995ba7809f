"""A node over JSON-RPC, where there is one: the whole story of tests/l1/anvil.py."""

from __future__ import annotations

from pathlib import Path

import anvil
import pytest


@pytest.fixture(scope="module")
def url() -> object:
    pytest.importorskip("eth_account", reason="pip install 'zkrollup[l1]'")
    program = anvil.find_anvil()
    if program is None:
        pytest.skip("no anvil in the PATH or in ZKROLLUP_ANVIL: npm install @foundry-rs/anvil")
    with anvil.running(program) as found:
        yield found


def test_node__deposits_proves_withdraws_freezes_and_lets_everybody_out(url: str, tmp_path: Path) -> None:
    """R1, R2, R8, R10: with real proofs of batches and exits, signed transactions, and blocks."""
    told = anvil.play(url, key_directory=tmp_path)
    assert told[-1].endswith("the contract holds 0")
    assert sum("proved and executed" in line for line in told) == 2
