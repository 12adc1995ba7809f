"""A second batch was built on one that L1 had not accepted, and took the same deposits again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zkrollup import PrivateKey, Rollup, Transfer
from zkrollup.l1.reverts import WrongBatchNumber
from zkrollup.operator import UnsubmittedBatch

ALICE = PrivateKey(b"a" * 32)


def test_operator__proves_nothing_on_a_state_that_l1_has_not_accepted(tmp_path: Path, engine: Any) -> None:
    """C17, R10: each deposit is credited once, whatever order the operator's calls come in."""
    rollup = Rollup(2, depth=1, fee_tokens=1, engine=engine, key_directory=tmp_path)
    rollup.deposit(ALICE, token=0, amount=1000, eth_address=0xA)
    lost = rollup.prove_batch()
    with pytest.raises(UnsubmittedBatch, match="discard"):
        rollup.prove_batch()
    assert rollup.state.account(1).balance == 1000

    rollup.discard()
    assert rollup.state.root == rollup.contract.root
    assert rollup.state.account(1).is_empty
    again = rollup.prove_batch()
    rollup.submit(again)
    with pytest.raises(WrongBatchNumber):
        rollup.submit(lost)
    assert rollup.state.account(1).balance == 1000
    assert rollup.state.root == rollup.contract.root

    rollup.discard()  # nothing to discard
    rollup.submit(rollup.prove_batch([rollup.sign(Transfer(1, 1, 0, 5, 0, 0), ALICE)]))
    assert rollup.state.account(1).balance == 1000
