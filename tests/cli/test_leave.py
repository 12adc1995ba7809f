"""``restore`` and ``exit`` as a user meets them: what they write, and how they end."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from zkrollup.engine.interface import Engine
from zkrollup.exit_proof import exit_key
from zkrollup.groth16.keys import Proof, load_public_inputs
from zkrollup.groth16.setup import key_path
from zkrollup.node.embedded import open_embedded
from zkrollup.node.opening import EXIT_KEY, save_key
from zkrollup.state import Transfer, Withdraw
from zkrollup.state.parameters import BatchParameters
from zkrollup.testing.node import SimulatedProver, StepNode
from zkrollup.testing.rollup import make_wallets
from zkrollup.verifier import verify

from .running import run

DEPTH = 3
LIFETIME = 50_400
OWNERS = [f"{wallet.eth_address:#042x}" for wallet in make_wallets(2)]


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


def test_state_file__that_is_damaged_inside_is_named(
    capsys: pytest.CaptureFixture[str], rollup: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state.db"
    run(capsys, "restore", rollup, state)
    data = bytearray(state.read_bytes())
    data[4096:] = bytes(byte ^ 0x55 for byte in data[4096:])
    state.write_bytes(data)
    for words in (["restore", rollup, state], ["exit", state, 2, tmp_path / "p", tmp_path / "q"]):
        said = run(capsys, *words, code=2)
        assert f"{state}: damaged (" in said
        assert "remove it and run `zkrollup restore` again" in said


def test_state_file__that_somebody_else_holds_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    rollup: Path,
    tmp_path: Path,
) -> None:
    state = tmp_path / "state.db"
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **more: real(*words, **more | {"timeout": 0.0}))
    holder = real(state, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert f"{state}: database is locked" in run(capsys, "restore", rollup, state, code=2)
    holder.close()
    run(capsys, "restore", rollup, state)


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


# -- out of a frozen rollup ------------------------------------------------------------------------------


@pytest.fixture
def exits(tmp_path: Path, engine: Engine) -> Path:
    """The exit circuit's key, in a file."""
    key, _ = exit_key(DEPTH, engine=engine, directory=tmp_path)
    return key_path(key.circuit_digest, tmp_path)


@pytest.fixture
def living(tmp_path: Path, engine: Engine, exits: Path) -> Path:
    """A node's directory whose chain lets people exit: accounts 2 and 3, and a deposit, request 3, that
    waits."""
    directory = tmp_path / "living"
    directory.mkdir()
    save_key(directory, exit_key(DEPTH, engine=engine, directory=tmp_path)[0].verifying_key, EXIT_KEY)
    node = StepNode(directory, depth=DEPTH)
    for wallet in make_wallets(2):
        node.pay_in(wallet, 1000)
    node.settle()
    node.pay_in(make_wallets(1)[0], 7)
    node.close()
    return directory


def pass_time(directory: Path, blocks: int) -> None:
    node = StepNode(directory, depth=DEPTH)
    node.l1.mine(blocks)
    node.close()


def balance(directory: Path, owner: str) -> int:
    node = StepNode(directory, depth=DEPTH)
    try:
        return node.l1.balance_of(int(owner, 16), 0)
    finally:
        node.close()


def test_leaving__from_a_request_that_waits_to_the_money(
    capsys: pytest.CaptureFixture[str], living: Path, exits: Path, tmp_path: Path
) -> None:
    """R8: the operator is gone, and everything is done by commands that need the chain only."""
    state, files = tmp_path / "state.db", (tmp_path / "proof.json", tmp_path / "public.json")
    leaving = ("--key", exits, "--l1", living, "--send")
    run(capsys, "restore", living, state)
    asked = json.loads(run(capsys, "l1", "request-exit", living, 2, "--sender", OWNERS[0], "--json"))
    assert (asked["request"], asked["account"]) == (4, 2)
    stands = json.loads(run(capsys, "l1", "status", living, "--json"))
    due = stands["waiting"][0]["deadline"]
    assert [(event["request"], event["kind"]) for event in stands["waiting"]] == [(3, "deposit"), (4, "exit")]
    assert stands["waiting"][0] | {"deadline": 0} == {
        "request": 3,
        "kind": "deposit",
        "owner": OWNERS[0],
        "token": 0,
        "amount": "7",
        "deadline": 0,
    }
    assert f"3: deposit of 7 of token 0 for {OWNERS[0]}, due by block {due}" in " ".join(
        run(capsys, "l1", "status", living).replace("│", " ").split()
    )

    when = f"from block {due + 1} on, when the oldest request, 3, is overdue; the next block is "
    for words in (
        ("l1", "freeze", living),
        ("exit", state, 2, *files, *leaving),
        ("l1", "cancel-deposit", living, 3),
    ):
        assert when in run(capsys, *words, code=1)
    assert not files[0].exists()
    pass_time(living, due + 1 - stands["block"] - 1)
    assert ", 1 earlier" in run(capsys, "l1", "freeze", living, code=1)
    pass_time(living, 1)
    assert "request 3 was due by" in json.loads(run(capsys, "l1", "status", living, "--json"))["freeze"]
    assert "it can be now, by `zkrollup l1 freeze`" in run(capsys, "l1", "cancel-deposit", living, 3, code=1)
    assert json.loads(run(capsys, "l1", "freeze", living, "--json"))["overdue_request"] == 3
    assert "frozen already" in run(capsys, "l1", "freeze", living, code=1)
    assert json.loads(run(capsys, "l1", "status", living, "--json"))["freeze"] == "frozen"

    held = [balance(living, owner) for owner in OWNERS]
    for account in (2, 3):
        made = json.loads(run(capsys, "exit", state, account, *files, *leaving, "--json"))
        assert (made["balance"], made["paid"]) == ("1000", "1000")
    cancelled = json.loads(run(capsys, "l1", "cancel-deposit", living, 3, "--json"))
    assert (cancelled["owner"], cancelled["paid"]) == (OWNERS[0], "7")
    assert [balance(living, owner) for owner in OWNERS] == [held[0] + 1007, held[1] + 1000]

    for words, text in (
        (("exit", state, 2, *files, *leaving), "account 2 has left already; it is paid out"),
        (("l1", "cancel-deposit", living, 3), "deposit 3 is cancelled already; it is paid out"),
        (("l1", "cancel-deposit", living, 4), "request 4 is no deposit but an exit of account 2"),
        (("l1", "cancel-deposit", living, 0), "request 0 is in an executed batch"),
        (("l1", "cancel-deposit", living, 9), "there is no request 9; there are 5"),
        (("l1", "withdraw", living, OWNERS[0]), f"nothing of token 0 is pending for {OWNERS[0]}"),
        (("l1", "request-exit", living, 3), "the contract refuses: frozen"),
    ):
        assert text in run(capsys, *words, code=1)


def test_exit__that_ended_before_it_was_paid_says_what_is_left(
    capsys: pytest.CaptureFixture[str], living: Path, exits: Path, engine: Engine, tmp_path: Path
) -> None:
    from zkrollup.exit_proof import make_exit_proof

    state, files = tmp_path / "state.db", (tmp_path / "proof.json", tmp_path / "public.json")
    run(capsys, "restore", living, state)
    pass_time(living, LIFETIME + 2)
    run(capsys, "l1", "freeze", living)
    node = StepNode(living, depth=DEPTH)
    key, _ = exit_key(DEPTH, engine=engine, directory=tmp_path)
    made = make_exit_proof(node.store.state, 2, key, engine=engine)
    header = node.l1.header(node.l1.executed)
    node.l1.exit(header, 2, 0, made.balance, made.owner, made.proof, sender=1)
    node.close()
    told = run(capsys, "exit", state, 2, *files, "--key", exits, "--l1", living, "--send", code=1)
    pays = f"zkrollup l1 withdraw L1 {OWNERS[0]} --token 0"
    assert f"account 2 has left already; 1000 is pending: `{pays}` pays it" in told
    paid = run(capsys, *pays.replace("L1", str(living)).split()[1:], "--json")
    assert json.loads(paid)["amount"] == "1000"


def test_credit__pays_what_a_batch_was_executed_without(
    capsys: pytest.CaptureFixture[str], living: Path, tmp_path: Path
) -> None:
    node = StepNode(living, depth=DEPTH)
    wallet, operator = node.for_here(make_wallets(1)[0]), node.l1.accounts[0]
    node.submit(wallet.sign(Withdraw(2, 0x77, 0, 30, 0, 0)))
    batch = node.build()
    assert batch is not None
    node.prove()
    node.l1.commit_batch(
        node.l1.header(batch.number - 1), batch.data, batch.inputs.commitment, sender=operator
    )
    node.submit_to_l1()
    node.l1.execute_without_credits(node.l1.header(batch.number), sender=operator)
    node.close()
    told = run(capsys, "l1", "credit", living, batch.number + 1, code=1)
    assert f"batch {batch.number + 1} is not executed; {batch.number} are" in told
    words = ("l1", "credit", living, batch.number)
    assert json.loads(run(capsys, *words, "--json"))["payments"] == 1
    assert f"batch {batch.number} owes nothing" in run(capsys, *words, code=1)
    paid = run(capsys, "l1", "withdraw", living, f"{0x77:#042x}", "--json")
    assert json.loads(paid)["amount"] == "30"


def test_restore__reads_the_directory_of_a_node_that_proves(
    capsys: pytest.CaptureFixture[str], living: Path, tmp_path: Path
) -> None:
    """A regression: the exit circuit's key was forgotten, and the chain refused as another rollup's."""
    assert (living / EXIT_KEY).exists()
    assert json.loads(run(capsys, "restore", living, tmp_path / "state.db", "--json"))["accounts"] == 3


def test_restore__with_accounts_that_the_rollup_did_not_begin_with_names_both_roots(
    capsys: pytest.CaptureFixture[str], rollup: Path, tmp_path: Path
) -> None:
    genesis, state = tmp_path / "genesis.json", tmp_path / "state.db"
    account = {"token": 0, "balance": "5", "ax": 1, "ay": 1, "eth_address": OWNERS[0]}
    genesis.write_text(json.dumps([account]))
    told = run(capsys, "restore", rollup, state, "--genesis", genesis, code=2)
    assert re.search(r"genesis is root 0x\w+, next index 2; expected root 0x\w+, next index 1", told)
    assert json.loads(run(capsys, "restore", rollup, state, "--json"))["batches"] == 2


def test_calls__of_a_chain_that_a_running_node_has_are_refused(
    capsys: pytest.CaptureFixture[str], living: Path
) -> None:
    node = open_embedded(living, BatchParameters(4, DEPTH, 1), make_prover=lambda known: SimulatedProver())
    try:
        assert json.loads(run(capsys, "l1", "status", living, "--json"))["block"] > 1
        told = run(capsys, "l1", "freeze", living, code=2)
        assert "directory in use: another process holds" in told
    finally:
        node.close()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["exit", "STATE", "2", "p", "i", "--send"], "--send, --l1-key: expected --l1 L1 beside them"),
        (["exit", "STATE", "2", "p", "i", "--l1", "ROLLUP", "--l1-key", "k"], "--l1-key: nobody pays"),
        (["l1", "freeze", "nowhere"], "nowhere: no chain there"),
        (
            ["l1", "freeze", "ROLLUP", "--l1-key", "k"],
            "--l1-key: the chain in a directory",
        ),
        (["l1", "freeze", "http://127.0.0.1:9"], "--l1-key FILE: expected beside http://..."),
        (["l1", "freeze", "http://127.0.0.1:9", "--l1-key", "SHORT"], "expected a private key of 64 hex"),
        (
            ["l1", "freeze", "http://127.0.0.1:9", "--l1-key", "ZERO"],
            "below the order of secp256k1",
        ),
        (["l1", "withdraw", "ROLLUP", "0x12"], "OWNER: expected 0x and 40 hexadecimal digits, got '0x12'"),
        (["l1", "request-exit", "ROLLUP", "2", "--sender", "me"], "--sender: expected 0x and 40 hexadecimal"),
    ],
)
def test_calls__bad_input_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], rollup: Path, tmp_path: Path, words: list[str], text: str
) -> None:
    files = {"STATE": tmp_path / "state.db", "SHORT": tmp_path / "short", "ZERO": tmp_path / "zero"}
    run(capsys, "restore", rollup, files["STATE"])
    files["SHORT"].write_text("0x12")
    files["ZERO"].write_text("00" * 32)
    given = [str(files.get(word, word.replace("ROLLUP", str(rollup)))) for word in words]
    assert text in run(capsys, *given, code=2)
