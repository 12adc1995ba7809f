"""A node over JSON-RPC, where there is one: the whole story of tests/l1/anvil.py."""

from __future__ import annotations

import re
from pathlib import Path

import anvil
import pytest

from zkrollup.cli import main
from zkrollup.state import StateTree


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
    restored_by_command(url, told, tmp_path / "state.db")


def restored_by_command(url: str, told: list[str], state: Path) -> None:
    """R8: the same contract, from the command line, by whoever comes later."""
    (address,) = (found[1] for line in told if (found := re.search(r"rollup deployed at (0x\w+)", line)))
    with pytest.raises(SystemExit) as ended:
        main(["restore", url, str(state), "--contract", address])
    assert not ended.value.code
    tree = StateTree.open(state, anvil.DEPTH)
    assert (tree.batch_number, tree.next_index) == (2, 3)
    assert tree.root == tree.recompute_root()
    tree.close()
