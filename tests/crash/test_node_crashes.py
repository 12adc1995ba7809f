"""A node's directory at every instant at which its process or its machine may die.

One run of the scenario is recorded; what the disk held, or may have held, before each operation on any of its
files follows from the record. At each such disk a node is opened: whatever was acknowledged is there, nothing
is damaged, and L1's own data leads to where the node was; then whoever heard no answer asks again, and the
node ends where an undisturbed one ends, with nothing lost and nothing done twice.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.restore import restore
from zkrollup.state import Account, Kind, StateTree
from zkrollup.state.public_data import decode
from zkrollup.testing.node import StepNode

from .conftest import Recorder, fresh
from .disk import Disk, Operation, What, cuts, lay_out, read_back
from .node_scenario import EXIT_REQUEST, SCRIPTS, Script, num_requests, num_transactions, open_node, stamps

NAME = "node_scenario.py"
OPERATOR = 1
"""The operator's account, whose key is drawn anew where a directory begins anew."""


@pytest.fixture(scope="module", params=list(SCRIPTS))
def name(request: pytest.FixtureRequest) -> str:
    """Which script."""
    return str(request.param)


@pytest.fixture(scope="module")
def recorded(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory, name: str) -> list[Operation]:
    """The operations of an undisturbed run."""
    folder = tmp_path_factory.mktemp("recorded")
    code, operations = recorder.run(NAME, folder, folder.parent / "node.log", name)
    assert code == 0
    return operations


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, name: str) -> dict[int, Account]:
    """The accounts that an undisturbed run leaves."""
    with stamps():
        script = Script(open_node(tmp_path_factory.mktemp("undisturbed")))
        for step in SCRIPTS[name]:
            script.take(step)
        accounts = dict(script.node.store.state.accounts())
        assert name != "alone" or script.node.store.first_kept() > 1, "nothing was final"
        script.node.close()
    assert {i: (a.balance, a.nonce) for i, a in accounts.items() if i != OPERATOR} == ACCOUNTS[name]
    return accounts


ACCOUNTS = {
    "alone": {
        2: (1000 - 6 + 5 - 7 + 8 - 1 - 6 - 21 - 7 + 3 - 6, 6),
        3: (1000 - 6 + 5 + 7 - 9 + 5 - 10 - 1 + 6 - 4 + 5, 5),
        4: (0, 0),
        5: (20, 0),
    },
    "goes back": {
        2: (1000 - 6 + 5 - 7 + 8 - 1 - 6, 3),
        3: (1000 - 6 + 5 + 7 - 9 + 5 - 10, 3),
        4: (1000, 0),
    },
}


@pytest.fixture(autouse=True)
def no_proofs() -> Iterator[None]:
    """Stamps, here as in the process that was killed."""
    with stamps():
        yield


class Check:
    """What must hold of a folder after a crash. Folders whose files say the same, row by row, are finished
    once: what follows depends on nothing else."""

    def __init__(self, name: str, expected: dict[int, Account]) -> None:
        self._name = name
        self._expected = expected
        self._finished: set[bytes] = set()
        self.points = 0

    @property
    def states(self) -> int:
        """How many different states the folders were in."""
        return len(self._finished)

    def __call__(self, folder: Path, acknowledged: bytes) -> None:
        """The node in this folder has lost nothing, and ends where it should."""
        self.points += 1
        node = open_node(folder)
        try:
            ids = keeps(node, acknowledged)
            for database in (node.store._db, node.chain._db):
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if (found := said(node)) in self._finished:
                return
            self._finished.add(found)
            agrees(node)
            script = Script(node)
            for step in SCRIPTS[self._name]:
                ids += script.take(step) or []
            ends(script.node, self._name, self._expected, ids)
        finally:
            node.close()


def said(node: StepNode) -> bytes:
    """All that the node's files say, but for when it was."""
    digest = hashlib.sha256()
    for database in (node.store._db, node.chain._db):
        for line in database.iterdump():
            digest.update(line.encode())
    digest.update((node.directory / "operator.key").read_bytes())
    return digest.digest()


def agrees(node: StepNode) -> None:
    """The state is what its accounts hash to, and L1's data leads through what the node knows as executed."""
    state, l1 = node.store.state, node.l1
    assert state.recompute_root() == state.root
    rebuilt = StateTree.in_memory(state.depth)
    restore(l1, rebuilt)
    last = min(node.store.last_executed(), l1.executed)
    ours = node.store.batch(last)
    assert last == 0 or (ours is not None and ours.root_after == l1.header(last).root_after)


def keeps(node: StepNode, acknowledged: bytes) -> list[int]:
    """Everything that was acknowledged is there; returns the ids of transactions among it."""
    known: list[int] = []
    for line in acknowledged.decode().splitlines():
        step, *ids = line.split()
        for identifier in map(int, ids):
            stored = node.store.find_transaction(identifier)
            assert stored is not None, step
            assert stored.status in ("waiting", "batched"), (step, stored.reason)
            known.append(identifier)
        if step.startswith("pay_in"):
            assert node.l1.num_requests > int(step[-1]) + 1, step
        if step == "exit":
            assert node.l1.num_requests == EXIT_REQUEST + 1
    return known


def ends(node: StepNode, name: str, expected: dict[int, Account], ids: list[int]) -> None:
    """Every transaction is executed once, L1 and node agree, and the accounts are the expected ones."""
    state, l1 = node.store.state, node.l1
    assert len(set(ids)) == num_transactions(name)
    assert node.statuses(ids) == ["executed"] * len(ids)
    assert (l1.executed, l1.root) == (state.batch_number, state.root)
    batches = [decode(l1.batch_data(n), l1.parameters) for n in range(1, l1.executed + 1)]
    kinds = [record.kind for batch in batches for record in batch.records]
    requests = [kind for kind in kinds if kind in (Kind.DEPOSIT, Kind.FORCED_EXIT)]
    assert len(requests) == l1.requests_consumed == l1.num_requests == num_requests(name)
    assert len(kinds) - len(requests) == num_transactions(name)
    accounts = dict(state.accounts())
    mine, theirs = accounts[OPERATOR], expected[OPERATOR]
    assert mine == replace(theirs, ax=mine.ax, ay=mine.ay, eth_address=mine.eth_address)
    assert accounts == expected | {OPERATOR: mine}
    rebuilt = StateTree.in_memory(state.depth)
    assert restore(l1, rebuilt).waiting == ()
    assert rebuilt.root == state.root


def at(contents: dict[str, bytes], memory: Path) -> Path:
    """A folder with these files."""
    folder = fresh(memory)
    lay_out({name: data for name, data in contents.items() if name != "acknowledged"}, folder)
    return folder


def check_kills(recorded: list[Operation], check: Check, memory: Path, *, every: int = 1) -> None:
    """The process dies before an operation, and in the midst of a write."""
    for place, disk, operation, acknowledged in cuts(recorded):
        if place % every and operation is not None:
            continue
        check(at(disk.killed(), memory), acknowledged)
        if operation is not None and operation.what == What.WRITE and operation.path != "acknowledged":
            length = random.Random(place).randrange(1, max(2, len(operation.data)))
            check(at(disk.torn(operation, length), memory), acknowledged)


def check_power_losses(
    recorded: list[Operation], check: Check, memory: Path, *, every: int = 1, turns: int
) -> None:
    """The machine dies before an operation, having kept what it had to, or that and some."""
    for place, disk, operation, acknowledged in cuts(recorded):
        if place % every and operation is not None:
            continue
        check(at(disk.nothing_kept(), memory), acknowledged)
        for turn in range(turns):
            check(at(disk.power_lost(random.Random(f"{place} {turn}")), memory), acknowledged)


def check_real_kills(recorder: Recorder, name: str, check: Check, memory: Path, places: list[int]) -> None:
    """Real processes die at these operations; the next one finds the directory as it was left."""
    for place in places:
        folder, log = memory / f"killed{place}", memory / "log"
        folder.mkdir()
        code, operations = recorder.run(NAME, folder, log, name, kill_at=place + 1)
        assert len(operations) == place or code == 0
        disk = Disk()
        for operation in operations:
            disk.apply(operation)
        contents = read_back(folder)
        assert contents == disk.killed()
        check(folder, contents.get("acknowledged", b""))
        shutil.rmtree(folder)


def test_record__is_of_the_nodes_files(recorded: list[Operation], name: str) -> None:
    """State, chain and keys; syncs of files and of the folder; and every request was answered."""
    written = {operation.path for operation in recorded if operation.what == What.WRITE}
    assert {"node/node.db-wal", "node/l1.db-wal", "acknowledged"} <= written
    assert {What.RENAME, What.SYNC, What.SYNC_FOLDER, What.UNLINK} <= {o.what for o in recorded}
    disk = Disk()
    for operation in recorded:
        disk.apply(operation)
    answers = disk.killed()["acknowledged"].decode().splitlines()
    assert sum(len(answer.split()) - 1 for answer in answers) == num_transactions(name)
    assert len(recorded) > 200


@pytest.fixture
def check(name: str, expected: dict[int, Account]) -> Check:
    """Nothing finished so far."""
    return Check(name, expected)


def test_kill__of_a_node_loses_and_repeats_nothing(
    recorded: list[Operation], check: Check, memory: Path
) -> None:
    """R9: at some of the operations; at all of them when slow."""
    check_kills(recorded, check, memory, every=67)
    assert check.states > 5


def test_power_loss__of_a_node_loses_and_repeats_nothing(
    recorded: list[Operation], check: Check, memory: Path
) -> None:
    """R9: at some of the operations; at all of them when slow."""
    check_power_losses(recorded, check, memory, every=83, turns=1)
    assert check.states > 5


def test_real_kill__of_a_node_loses_and_repeats_nothing(
    recorder: Recorder, name: str, recorded: list[Operation], check: Check, memory: Path
) -> None:
    """R9: processes killed for real, spread over the run."""
    places = [len(recorded) * part // 3 for part in (1, 2)]
    check_real_kills(recorder, name, check, memory, places)


@pytest.mark.slow
def test_kill__of_a_node_at_every_operation_loses_and_repeats_nothing(
    recorded: list[Operation], check: Check, memory: Path
) -> None:
    """R9: before each operation, and within each write."""
    check_kills(recorded, check, memory)
    print(f"{len(recorded)} operations, {check.points} instants survived, {check.states} states")
    assert check.points > len(recorded)


@pytest.mark.slow
def test_power_loss__of_a_node_at_every_operation_loses_and_repeats_nothing(
    recorded: list[Operation], check: Check, memory: Path
) -> None:
    """R9: before each operation, what was not synced is there in part, in any order."""
    check_power_losses(recorded, check, memory, turns=2)
    print(f"{len(recorded)} operations, {check.points} disks survived, {check.states} states")
    assert check.points == 3 * (len(recorded) + 1)


@pytest.mark.slow
def test_real_kill__of_a_node_at_many_operations_loses_and_repeats_nothing(
    recorder: Recorder, name: str, recorded: list[Operation], check: Check, memory: Path
) -> None:
    """R9: SIGKILL at 100 of its operations."""
    check_real_kills(recorder, name, check, memory, [len(recorded) * part // 100 for part in range(100)])


# -- the harness itself is able to fail ------------------------------------------------------------------


def test_harness__sees_a_node_that_lost_a_transaction(
    recorded: list[Operation], check: Check, memory: Path
) -> None:
    """Everything was acknowledged, and the directory is from before the last of it."""
    disk = Disk()
    for operation in recorded:
        disk.apply(operation)
    acknowledged = disk.contents("acknowledged")
    earlier = Disk()
    for operation in recorded[: len(recorded) * 2 // 3]:
        earlier.apply(operation)
    with pytest.raises(AssertionError):
        check(at(earlier.killed(), memory), acknowledged)
