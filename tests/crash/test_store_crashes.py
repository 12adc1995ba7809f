"""A state's file at every instant at which its process or its machine may die.

One run of the scenario is recorded; what the disk held, or may have held, before each operation follows from
the record. That the record says it truly is a test too: real processes are killed at real operations.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from zkrollup.state import StateTree
from zkrollup.state.exceptions import StateError
from zkrollup.state.store import Meta

from .conftest import Recorder, fresh
from .disk import SECTOR, Disk, Operation, What, cuts, lay_out, read_back
from .store_scenario import STEPS, metas, open_store, take

SCRIPT = "store_scenario.py"
ACKNOWLEDGED = "acknowledged"
POWER_LOSSES = 2
"""Random disks for each instant, besides the one that kept nothing it did not have to; more when slow."""


@pytest.fixture(scope="module")
def recorded(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    """The operations of an undisturbed run."""
    folder = tmp_path_factory.mktemp("recorded")
    code, operations = recorder.run(SCRIPT, folder, folder.parent / "recorded.log")
    assert code == 0
    return operations


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Meta]:
    """The states of an undisturbed run."""
    return metas(tmp_path_factory.mktemp("undisturbed"))


def survives(
    contents: dict[str, bytes], acknowledged: bytes, expected: list[Meta], folder: Path, *, to_the_end: bool
) -> None:
    """What was acknowledged is there, at most the step after it besides; nothing is damaged; and the steps
    that are left lead where they always lead."""
    done = acknowledged.count(b"\n")
    lay_out({name: data for name, data in contents.items() if name != ACKNOWLEDGED}, folder)
    store = open_store(folder)
    try:
        found = store.meta()
        assert found in expected[done : done + 2]
        assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        state = StateTree(store)
        assert state.recompute_root() == found.root
        if to_the_end:
            at = done if found == expected[done] else done + 1
            for step in range(at, len(STEPS)):
                store = take(store, folder, step)
                assert store.meta() == expected[step + 1]
    finally:
        store.close()


def test_record__has_every_kind_of_operation(recorded: list[Operation]) -> None:
    """The scenario makes, writes, syncs and takes away files, and empties its log on the way."""
    database = [operation for operation in recorded if operation.path == "state.db"]
    assert {operation.what for operation in recorded} >= {
        What.CREATE,
        What.WRITE,
        What.SYNC,
        What.SYNC_FOLDER,
        What.UNLINK,
    }
    syncs = [place for place, operation in enumerate(database) if operation.what == What.SYNC]
    assert len(syncs) >= 3
    assert len(recorded) > 200


def check_kills(recorded: list[Operation], expected: list[Meta], memory: Path, every: int = 1) -> int:
    """The process dies before an operation, and in the middle of a write; at how many instants."""
    points, checked = 0, None
    for place, disk, operation, acknowledged in cuts(recorded):
        if place % every:
            continue
        if (contents := disk.killed()) != checked:  # a sync alone changes nothing
            survives(contents, acknowledged, expected, fresh(memory), to_the_end=place % 16 == 0)
        points, checked = points + 1, contents
        if operation is not None and operation.what == What.WRITE and operation.path != ACKNOWLEDGED:
            contents = disk.torn(operation, random.Random(place).randrange(1, max(2, len(operation.data))))
            survives(contents, acknowledged, expected, fresh(memory), to_the_end=False)
            points += 1
    return points


def test_kill__at_any_operation_loses_nothing(
    recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """R9, the process dies before one operation in four, and in the middle of those that write."""
    assert check_kills(recorded, expected, memory, every=4) > 100


@pytest.mark.slow
def test_kill__at_every_operation_loses_nothing(
    recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """R9."""
    points = check_kills(recorded, expected, memory)
    print(f"{len(recorded)} operations, {points} instants survived")
    assert points > len(recorded)


def check_power_losses(
    recorded: list[Operation], expected: list[Meta], memory: Path, turns: range, every: int = 1
) -> None:
    """The disk that kept nothing, and a random one for each turn."""
    points = 0
    for place, disk, _, acknowledged in cuts(recorded):
        if place % every:
            continue
        disks = [disk.nothing_kept()]
        disks += [disk.power_lost(random.Random(f"{place} {turn}")) for turn in turns]
        for turn, contents in enumerate(disks):
            end = turn == 0 and place % 8 < 2
            survives(contents, acknowledged, expected, fresh(memory), to_the_end=end)
            points += 1
    print(f"{points} disks survived")
    assert points == (1 + len(turns)) * (len(recorded) // every + 1)


def test_power_loss__at_any_operation_loses_nothing(
    recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """R9, the machine dies before one operation in eight: what was not synced is there in part, in any
    order."""
    check_power_losses(recorded, expected, memory, range(POWER_LOSSES), every=8)


@pytest.mark.slow
def test_power_loss__at_every_operation_on_many_disks_loses_nothing(
    recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """R9."""
    check_power_losses(recorded, expected, memory, range(POWER_LOSSES, 12 * POWER_LOSSES))


def check_real_kills(
    recorder: Recorder, recorded: list[Operation], expected: list[Meta], places: list[int], memory: Path
) -> None:
    """Kill real processes at these operations; their files are what the record says, and survive."""
    for place in places:
        folder, log = memory / f"killed{place}", memory / "log"
        folder.mkdir()
        code, operations = recorder.run(SCRIPT, folder, log, kill_at=place + 1)
        assert code == (-9 if place < len(recorded) else 0)
        disk = Disk()
        for operation in operations:
            disk.apply(operation)
        contents = read_back(folder)
        assert contents == disk.killed()
        assert [str(operation) for operation in operations] == [str(one) for one in recorded[:place]]
        store = open_store(folder)  # the folder that the process left, its shared memory with it
        done = contents.get(ACKNOWLEDGED, b"").count(b"\n")
        assert store.meta() in expected[done : done + 2]
        store.close()
        survives(contents, contents.get(ACKNOWLEDGED, b""), expected, fresh(memory), to_the_end=True)
        shutil.rmtree(folder)


def test_real_kill__leaves_what_the_record_says(
    recorder: Recorder, recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """Some of them, spread over the run."""
    places = [len(recorded) * part // 7 for part in range(8)]
    check_real_kills(recorder, recorded, expected, places, memory)


@pytest.mark.slow
def test_real_kill__at_every_operation_leaves_what_the_record_says(
    recorder: Recorder, recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """R9: SIGKILL before every single operation."""
    check_real_kills(recorder, recorded, expected, list(range(len(recorded) + 1)), memory)


# -- the harness itself is able to fail ------------------------------------------------------------------


def test_harness__sees_a_store_that_does_not_sync(
    recorded: list[Operation], expected: list[Meta], memory: Path
) -> None:
    """The same record without its syncs: some power loss takes something that was acknowledged."""
    careless = [operation for operation in recorded if operation.what != What.SYNC]
    failures = 0
    for place, disk, _, acknowledged in cuts(careless):
        if place % 20 == 0:
            try:
                contents = disk.power_lost(random.Random(place))
                survives(contents, acknowledged, expected, fresh(memory), to_the_end=False)
            except (AssertionError, sqlite3.DatabaseError, StateError):
                failures += 1
    assert failures > 3


def test_disk__keeps_what_was_synced_and_any_sectors_of_the_rest() -> None:
    disk = Disk()
    disk.apply(Operation(What.CREATE, "a", 0, b""))
    disk.apply(Operation(What.WRITE, "a", 0, b"x" * 2 * SECTOR))
    assert disk.nothing_kept() == {}
    disk.apply(Operation(What.SYNC, "a", 0, b""))
    assert disk.nothing_kept() == {}
    disk.apply(Operation(What.SYNC_FOLDER, "", 0, b""))
    assert disk.nothing_kept() == {"a": b"x" * 2 * SECTOR}
    disk.apply(Operation(What.WRITE, "a", SECTOR - 1, b"yy"))
    x, y = b"x" * (SECTOR - 1), b"y"
    seen = {disk.power_lost(random.Random(turn))["a"] for turn in range(50)}
    assert seen == {x + left + right + x for left in (b"x", y) for right in (b"x", y)}
    assert disk.killed() == {"a": x + y + y + x}


def test_disk__keeps_names_in_the_order_in_which_they_changed() -> None:
    disk = Disk()
    for name in "ab":
        disk.apply(Operation(What.CREATE, name, 0, b""))
    disk.apply(Operation(What.SYNC_FOLDER, "", 0, b""))
    disk.apply(Operation(What.RENAME, "a", 0, b"c"))
    disk.apply(Operation(What.UNLINK, "b", 0, b""))
    seen = {tuple(sorted(disk.power_lost(random.Random(turn)))) for turn in range(50)}
    assert seen == {("a", "b"), ("b", "c"), ("c",)}
