"""``restore`` and ``exit`` as a user meets them: what they write, and how they end."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from zkrollup.cli import main
from zkrollup.engine.interface import Engine
from zkrollup.exit_proof import exit_key
from zkrollup.groth16.keys import Proof, load_public_inputs
from zkrollup.groth16.setup import key_path
from zkrollup.state import Transfer
from zkrollup.testing.node import StepNode
from zkrollup.testing.rollup import make_wallets
from zkrollup.verifier import verify

DEPTH = 3


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Standard output, or the one line on standard error when the exit code is not 0."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    assert (ended.value.code or 0) == code, output
    if code:
        assert len(output.err.strip().splitlines()) == 1, output.err
        return output.err
    return output.out


@pytest.fixture
def rollup(tmp_path: Path) -> Path:
    """A node's directory, two accounts besides the operator's, and a deposit that waits."""
    node = StepNode(tmp_path / "node", depth=DEPTH)
    one, two = (node.for_here(wallet) for wallet in make_wallets(2))
    node.pay_in(one, 1000)
    node.pay_in(two, 1000)
    node.settle()
    node.submit(one.sign(Transfer(2, 3, 0, 5, 1, 0)))
    node.settle()
    node.pay_in(one, 7)
    node.close()
    return tmp_path / "node"


def test_restore_and_exit__from_what_l1_has(
    capsys: pytest.CaptureFixture[str], rollup: Path, tmp_path: Path, engine: Engine
) -> None:
    """R8: all that is given is the chain."""
    state, proof, public = (tmp_path / name for name in ("state.db", "proof.json", "public.json"))
    restored = json.loads(run(capsys, "restore", rollup, state, "--json"))
    assert {name: restored[name] for name in ("batches", "last_batch", "accounts", "frozen")} == {
        "batches": 2,
        "last_batch": 2,
        "accounts": 3,
        "frozen": False,
    }
    assert restored["waiting_requests"] == 1
    assert json.loads(run(capsys, "restore", rollup, state, "--json"))["batches"] == 0
    assert "waiting requests" in run(capsys, "restore", rollup, tmp_path / "other.db")

    key, _ = exit_key(DEPTH, engine=engine, directory=tmp_path)
    file = key_path(key.circuit_digest, tmp_path)
    words = ("exit", state, 2, proof, public, "--key", file, "--l1", rollup)
    made = json.loads(run(capsys, *words, "--json"))
    assert (made["account"], made["token"], made["balance"], made["batch"]) == (2, 0, "994", 2)
    assert made["owner"] == f"{make_wallets(1)[0].eth_address:#042x}"
    inputs = load_public_inputs(public)
    assert inputs == [int(restored["root"], 16), 2 << 192 | make_wallets(1)[0].eth_address, 994]
    assert verify(key.verifying_key, inputs, Proof.load(proof))
    assert "994" in run(capsys, *words)


def test_exit__with_a_state_that_is_behind_says_so(
    capsys: pytest.CaptureFixture[str], rollup: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state.db"
    run(capsys, "restore", rollup, state)
    node = StepNode(rollup, depth=DEPTH)
    node.settle()
    node.close()
    files = (tmp_path / "p.json", tmp_path / "i.json")
    told = run(capsys, "exit", state, 2, *files, "--l1", rollup, code=1)
    assert "batch 2 with root 0x" in told
    assert "last executed batch is 3 with root 0x" in told
    assert "run `zkrollup restore` first" in told
    assert not files[0].exists()


def test_restore__of_another_rollups_state_is_refused(
    capsys: pytest.CaptureFixture[str], rollup: Path, tmp_path: Path
) -> None:
    run(capsys, "restore", rollup, tmp_path / "state.db")
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("UPDATE meta SET root = ?", (bytes(32),))
    told = run(capsys, "restore", rollup, tmp_path / "state.db", code=2)
    assert "root of the state is 0x0; expected 0x" in told
    assert "of the contract's batch 2" in told


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["restore", "nowhere", "STATE"],
            "nowhere: no chain there; expected http://... or a node's directory",
        ),
        (["restore", "ROLLUP", "STATE", "--contract", "0x" + "1" * 40], "--contract: only an Ethereum node"),
        (["restore", "http://127.0.0.1:9", "STATE"], "say which with --contract"),
        (["restore", "http://127.0.0.1:9", "STATE", "--contract", "0x12"], "expected 0x and 40 hexadecimal"),
        (["restore", "http://127.0.0.1:9", "STATE", "--contract", "0x" + "g" * 40], "expected 0x and 40"),
        (["restore", "ROLLUP", "no/folder/state.db"], "the folder no/folder does not exist"),
        (["restore", "ROLLUP", "ROLLUP/l1.db"], "application id"),
        (["exit", "missing.db", "2", "p", "i"], "missing.db: no such file; make it with `zkrollup restore`"),
        (["exit", "STATE", "2", "no/p", "i"], "the folder no does not exist"),
        (["exit", "STATE", "9", "p", "i", "--key", "KEY"], "there is no account 9"),
        (["exit", "STATE", "64", "p", "i", "--key", "KEY"], "index 64 is not below 64"),
        (["exit", "STATE", "2", "p", "i", "--key", "STATE"], "STATE"),
    ],
)
def test_leaving__bad_input_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str],
    rollup: Path,
    tmp_path: Path,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state.db"
    if words[0] == "exit":
        run(capsys, "restore", rollup, state)
    key, _ = exit_key(DEPTH, engine=engine, directory=tmp_path)
    names = {"STATE": str(state), "KEY": str(key_path(key.circuit_digest, tmp_path))}
    given = [names.get(word, word.replace("ROLLUP", str(rollup))) for word in words]
    assert names.get(text, text) in run(capsys, *given, code=2)


def test_restore__of_a_node_that_does_not_answer_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("eth_abi")
    words = ["restore", "http://127.0.0.1:9", tmp_path / "state.db", "--contract", "0x" + "1" * 40]
    assert "http://127.0.0.1:9: no Ethereum node answers there" in run(capsys, *words, code=2)
