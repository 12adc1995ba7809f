"""What was sent to L1, at every instant at which the process or the machine that sends it may die."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("eth_account", reason="needs the extra zkrollup[l1]")

from zkrollup.l1.evm.outbox import Outbox
from zkrollup.l1.evm.signing import address_of

from .conftest import Recorder, fresh
from .disk import Operation, What, cuts, lay_out
from .outbox_scenario import CALLS, KEY, Chain, play


@pytest.fixture(scope="module")
def recorded(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    """The operations of an undisturbed run."""
    folder = tmp_path_factory.mktemp("recorded")
    code, operations = recorder.run("outbox_scenario.py", folder, folder.parent / "outbox.log")
    assert code == 0
    return operations


def survives(contents: dict[str, bytes], acknowledged: bytes, folder: Path) -> None:
    """Each transaction that reached the chain and may still be mined is known, and who goes on from here
    makes each call once, with one nonce."""
    lay_out({name: data for name, data in contents.items() if name != "acknowledged"}, folder)
    chain = Chain(acknowledged.decode().splitlines())
    sent = Outbox(folder / "sent.json").last(address_of(KEY))
    known = set() if sent is None else {attempt.hash for attempt in sent.attempts}
    assert set(chain.sent(len(chain.words("mined")))) <= known
    play(folder, chain)
    mined = chain.words("mined")
    assert len(mined) == CALLS
    assert [chain.sent(nonce)[nonce % 2] for nonce in range(CALLS)] == mined
    assert len(set(chain.words("sent"))) == len(chain.words("sent")) == 2 * CALLS


def test_record__has_what_keeps_a_file_whole(recorded: list[Operation]) -> None:
    assert {o.what for o in recorded} >= {What.WRITE, What.SYNC, What.SYNC_FOLDER, What.RENAME}
    assert len([o for o in recorded if o.what == What.RENAME]) == 3 * CALLS  # two transactions, one receipt


def test_kill__at_every_operation_makes_each_call_once(recorded: list[Operation], memory: Path) -> None:
    """R9: before each operation, and within each write."""
    for place, disk, operation, acknowledged in cuts(recorded):
        survives(disk.killed(), acknowledged, fresh(memory))
        if operation is not None and operation.what == What.WRITE and operation.path != "acknowledged":
            length = random.Random(place).randrange(1, max(2, len(operation.data)))
            survives(disk.torn(operation, length), acknowledged, fresh(memory))


def test_power_loss__at_every_operation_makes_each_call_once(recorded: list[Operation], memory: Path) -> None:
    """R9: what was not synced is there in part, in any order."""
    for place, disk, _, acknowledged in cuts(recorded):
        survives(disk.nothing_kept(), acknowledged, fresh(memory))
        for turn in range(2):
            survives(disk.power_lost(random.Random(f"{place} {turn}")), acknowledged, fresh(memory))


def test_harness__sees_an_outbox_that_is_written_too_late(recorded: list[Operation], memory: Path) -> None:
    """The chain has everything, and the file is from before."""
    acknowledged = b"".join(o.data for o in recorded if o.path == "acknowledged" and o.what == What.WRITE)
    first = acknowledged.splitlines(keepends=True)[0]
    with pytest.raises(AssertionError):
        survives({}, first, fresh(memory))
