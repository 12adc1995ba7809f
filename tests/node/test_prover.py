"""The proving process: real proofs of small batches, deaths, and proofs that do not hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from zkrollup.node.errors import L1Mismatch, ProofDoesNotHold, ProofTimedOut, WorkerDied
from zkrollup.node.prover import ATTEMPTS, TIME_LIMIT, WorkerProver, prove_checked
from zkrollup.operator import DEFAULT_CHAIN_ID, DEFAULT_CONTRACT
from zkrollup.state import BatchContext, BatchParameters, StateTree, apply_batch
from zkrollup.state.public_data import public_data, public_inputs
from zkrollup.testing.node import SimulatedProver
from zkrollup.testing.rollup import SimulatedKey, make_wallets
from zkrollup.verifier import verify

PARAMETERS = BatchParameters(2, 2, 1)


def batch():
    """A batch with one deposit, and its public inputs."""
    tree = StateTree.in_memory(PARAMETERS.depth)
    context = BatchContext(PARAMETERS, DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, 1)
    trace = apply_batch(tree, [make_wallets(1)[0].deposit(10)], context)
    return trace, public_inputs(public_data(trace), DEFAULT_CONTRACT)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def prover(keys: Path):
    made = WorkerProver(PARAMETERS, key_directory=keys, threads=1)
    yield made
    made.close()


def test_worker__proves_again_after_it_was_killed(prover: WorkerProver) -> None:
    trace, inputs = batch()
    assert verify(prover.verifying_key, inputs, prover.prove(trace, inputs))
    before = prover.process_id
    os.kill(before, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="ended with code -9; it is started again"):
        prover.prove(trace, inputs)
    os.kill(prover.process_id, signal.SIGKILL)
    proof = prove_checked(prover, trace, inputs)
    assert verify(prover.verifying_key, inputs, proof)
    assert prover.process_id != before


def test_worker__that_hangs_is_killed_and_started_again(prover: WorkerProver) -> None:
    trace, inputs = batch()
    prover.prove(trace, inputs)
    before = prover.process_id
    os.kill(before, signal.SIGSTOP)  # it will never answer, however long it is given
    prover.time_limit = 0.05
    with pytest.raises(ProofTimedOut, match=r"no proof of batch 1 after 0\.05 s; it is killed and started"):
        prover.prove(trace, inputs)
    assert prover.process_id != before
    assert not alive(before)
    os.kill(prover.process_id, signal.SIGSTOP)
    with pytest.raises(ProofTimedOut):  # nor is one waited for that does not come up again
        prover.prove(trace, inputs)
    prover.time_limit = TIME_LIMIT
    assert verify(prover.verifying_key, inputs, prover.prove(trace, inputs))


def test_worker__says_why_a_trace_has_no_proof(prover: WorkerProver) -> None:
    trace, inputs = batch()
    wrong = inputs._replace(fingerprint=inputs.fingerprint ^ 1)
    with pytest.raises(ProofDoesNotHold, match="batch 1 does not verify"):
        prove_checked(prover, trace, wrong, attempts=1)
    with pytest.raises(RuntimeError, match="prover: batch 1: "):
        prover.prove(trace, inputs._replace(challenge="z"))  # type: ignore[arg-type]
    prove_checked(prover, trace, inputs)  # the worker lives on


def test_worker__with_another_key_than_the_rollups_is_refused(keys: Path) -> None:
    expected = SimulatedKey().verifying_key
    prover = WorkerProver(PARAMETERS, key_directory=keys, threads=1, expected=expected)
    try:
        assert prover.verifying_key is expected
        with pytest.raises(L1Mismatch, match=f"verifying key is '{expected.digest}'"):
            prover.prove(*batch())
    finally:
        prover.close()


def test_worker__ends_with_the_process_that_started_it(keys: Path) -> None:
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from zkrollup.node.prover import WorkerProver\n"
        "from zkrollup.state import BatchParameters\n"
        f"prover = WorkerProver(BatchParameters(2, 2, 1), key_directory=Path({str(keys)!r}))\n"
        "print(prover.process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
        parent.wait()
    for _ in range(200):
        if not alive(worker):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {worker} goes on without its parent")


def alive(process: int) -> bool:
    """Whether it runs; one that has ended and that nobody waits for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Unreliable(SimulatedProver):
    """Dies, or gives proofs of something else, so many times first."""

    def __init__(self, deaths: int = 0, lies: int = 0, hangs: int = 0) -> None:
        super().__init__()
        self.deaths, self.lies, self.hangs = deaths, lies, hangs

    def prove(self, trace, inputs):
        if self.hangs:
            self.hangs -= 1
            raise ProofTimedOut(trace.batch_number, 5.0)
        if self.deaths:
            self.deaths -= 1
            raise WorkerDied(1)
        if self.lies:
            self.lies -= 1
            return super().prove(trace, inputs._replace(challenge=0))
        return super().prove(trace, inputs)


def test_proofs__are_verified_and_tried_again() -> None:
    trace, inputs = batch()
    for prover in (
        Unreliable(deaths=2),
        Unreliable(lies=2),
        Unreliable(hangs=2),
        Unreliable(deaths=1, lies=1),
    ):
        assert verify(prover.verifying_key, inputs, prove_checked(prover, trace, inputs))
    told: list[tuple[int, str]] = []
    prove_checked(Unreliable(hangs=1, deaths=1), trace, inputs, tell=lambda *what: told.append(what))
    assert [attempt for attempt, _ in told] == [1, 2, 3]
    assert [text[:19] for _, text in told] == ["", "proof took too long", "prover died: the pr"]
    with pytest.raises(WorkerDied):
        prove_checked(Unreliable(deaths=3), trace, inputs)
    with pytest.raises(ProofDoesNotHold):
        prove_checked(Unreliable(lies=3), trace, inputs)
    with pytest.raises(ProofTimedOut):
        prove_checked(Unreliable(hangs=3), trace, inputs)


def test_node__whose_prover_fails_says_so_and_goes_on_taking_transactions(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="needs the extra zkrollup[node]")
    from zkrollup.node.client import NodeClient
    from zkrollup.testing.served import serve

    prover = Unreliable(hangs=ATTEMPTS)
    with serve(tmp_path, make_prover=lambda known: prover) as served:
        client = NodeClient(served.url)
        deadline = time.monotonic() + 60
        while (at := client.call("info")["prover"]) is None or not at["gave_up"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        why = "proof took too long: the proving process had no proof of batch 1 after 5 s"
        assert (at["batch"], at["attempt"], at["attempts"]) == (1, ATTEMPTS, ATTEMPTS)
        assert at["failure"].startswith(why)
        found = client.call("batch", number=1)
        assert (found["status"], found["prover"]["gave_up"]) == ("built", True)
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(served.url + "/health", timeout=30)
        said = json.load(answer.value)["reason"]
        assert said.startswith(f"batch 1 is not proved after {ATTEMPTS} attempts: {why}")
        metrics = urllib.request.urlopen(served.url + "/metrics", timeout=30).read().decode()
        assert f"zkrollup_proof_failures_total {ATTEMPTS}\n" in metrics
        ax, ay = make_wallets(1)[0].key.public_key
        client.call("dev_deposit", token=0, amount=1, ax=str(ax), ay=str(ay), eth_address=f"0x{1:040x}")
        while client.call("info")["last_batch"] < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert client.call("info")["last_proved"] == 0
        assert client.call("batch", number=2)["prover"] is None
    with serve(tmp_path, make_prover=lambda known: prover) as served:  # it is reliable again
        client = NodeClient(served.url)
        while client.call("info")["last_executed"] < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert client.call("info")["prover"] is None


def test_node__builds_the_next_batches_while_one_is_proved(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="needs the extra zkrollup[node]")
    from zkrollup.node.client import NodeClient
    from zkrollup.testing.served import serve

    proving = threading.Event()

    class Slow(SimulatedProver):
        def prove(self, trace, inputs):
            assert proving.wait(30)
            return super().prove(trace, inputs)

    with serve(tmp_path, make_prover=lambda known: Slow()) as served:
        client = NodeClient(served.url)
        for place, wallet in enumerate(make_wallets(3)):
            ax, ay = wallet.key.public_key
            client.call(
                "dev_deposit", token=0, amount=1, ax=str(ax), ay=str(ay), eth_address=f"0x{place + 1:040x}"
            )
            deadline = time.monotonic() + 20
            while client.call("info")["next_index"] < place + 3:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        info = client.call("info")
        assert (info["last_proved"], info["proving"]) == (0, 1)
        assert info["in_flight"] == info["last_batch"] >= 3
        proving.set()
        while client.call("info")["last_executed"] < info["last_batch"]:
            time.sleep(0.02)
