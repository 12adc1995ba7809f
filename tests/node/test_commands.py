"""``zkrollup node`` and ``zkrollup wallet`` as commands, and what they show."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="needs the extra zkrollup[node]")

from zkrollup.cli import EXIT_BAD_INPUT, main
from zkrollup.node.client import CallRefused, NodeClient, Wallet
from zkrollup.node.opening import known_parameters
from zkrollup.node.view import render
from zkrollup.state import BatchParameters, Transfer
from zkrollup.state.transactions import parse_transactions, transaction_to_dict
from zkrollup.testing.served import Served, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    with serve(tmp_path_factory.mktemp("node")) as made:
        yield made


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    shown = capsys.readouterr()
    code = caught.value.code
    return code if isinstance(code, int) else 0, shown.out, shown.err


def test_wallet__pays_in_sends_and_withdraws(served: Served, tmp_path: Path, capsys) -> None:
    wallet, url = tmp_path / "wallet", ("--node", served.url)
    assert run(capsys, "wallet", "new", wallet)[0] == 0
    assert (wallet.stat().st_mode & 0o777) == 0o600
    assert "request" in run(capsys, "wallet", "deposit", wallet, "--amount", 500, *url)[1]
    for _ in range(400):
        code, out, _ = run(capsys, "wallet", "balance", wallet, *url)
        if code == 0:
            break
        time.sleep(0.05)
    assert "500" in out
    ids = []
    pays, leaves = (
        ["send", wallet, "--to", 1, "--amount", 30, "--fee", 2],
        ["withdraw", wallet, "--amount", 7],
    )
    for words in (pays, leaves):
        code, out, err = run(capsys, "wallet", *words, *url)
        assert code == 0, err
        ids.append(out.split()[0])
    client = NodeClient(served.url)
    for identifier in ids:
        client.wait(identifier, timeout=60)
    found = json.loads(run(capsys, "wallet", "status", ids[1], *url)[1])
    assert (found["status"], found["transaction"]["amount"]) == ("executed", "7")
    address = Wallet.load(wallet).eth_address
    assert client.call("dev_withdraw", owner=f"0x{address:040x}", token=0) == {"amount": "7"}


def test_wallet__signs_offline_and_submits_later(served: Served, tmp_path: Path, capsys) -> None:
    wallet, lines = tmp_path / "wallet", tmp_path / "txs"
    run(capsys, "wallet", "new", wallet)
    lines.write_text(json.dumps(transaction_to_dict(Transfer(9, 1, 0, 5, 0, 0))) + "\n")
    rollup = f"0x{5:040x}"
    code, out, _ = run(capsys, "wallet", "sign", wallet, lines, "--chain-id", 1, "--rollup-id", rollup)
    assert code == 0
    (signed,) = parse_transactions([out], "output")
    assert signed == Wallet.load(wallet).sign(Transfer(9, 1, 0, 5, 0, 0), 1, 5)
    lines.write_text(out)
    code, _, err = run(capsys, "wallet", "submit", lines, "--node", served.url)
    assert code == EXIT_BAD_INPUT
    assert re.search(r"submit: .*\(code 2\d{3}\)", err)


def test_wallet__says_what_is_wrong(served: Served, tmp_path: Path, capsys) -> None:
    wallet = tmp_path / "wallet"
    cases: list[tuple[list[object], str]] = [
        (["show", wallet], "no such file or directory"),
        (["new", tmp_path], "exists already; expected a new file"),
        (["new", wallet, "--eth-address", "0x12"], "--eth-address: expected 0x and 40 hexadecimal digits"),
    ]
    for words, text in cases:
        code, _, err = run(capsys, "wallet", *words)
        assert (code, text in err) == (EXIT_BAD_INPUT, True), err
    wallet.write_text("{}")
    assert "not a wallet (KeyError)" in run(capsys, "wallet", "show", wallet)[2]
    Wallet.create(tmp_path / "good")
    for words, text in (
        (["--amount", "1e3"], "--amount: expected decimal digits, got '1e3'"),
        (["--amount", "5"], "unknown account: there is no account of token 0 with this key"),
    ):
        code, _, err = run(
            capsys, "wallet", "send", tmp_path / "good", "--to", 1, *words, "--node", served.url
        )
        if words[1] == "1e3" and "unknown account" in err:
            continue  # the account is asked for first
        assert (code, text in err) == (EXIT_BAD_INPUT, True), err
    unreachable = run(capsys, "wallet", "status", "0x00", "--node", "http://127.0.0.1:9")[2]
    assert "http://127.0.0.1:9: no node answers there: connection refused" in unreachable


@pytest.mark.parametrize("address", ["0x1" + "0" * 40, "-0x5", "ff" * 21])
def test_wallet__with_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    path = tmp_path / "wallet"
    path.write_text(json.dumps({"seed": "12" * 32, "eth_address": address}))
    with pytest.raises(ValueError, match="not a wallet"):
        Wallet.load(path)


def test_wallet__that_cannot_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path / 'wallet'}'"):
        Wallet.create(tmp_path / "wallet")
    assert not list(tmp_path.iterdir())


def test_node__says_what_is_wrong_with_its_options(tmp_path: Path, capsys) -> None:
    for words, text in (
        (["--min-fee", "x"], "--min-fee: expected decimal digits, got 'x'"),
        (["--min-fee", "1:"], "--min-fee: expected decimal digits, got ''"),
        (["--fee-account", "5"], "--fee-account: expected TOKEN:ACCOUNT, got '5'"),
        (["--l1", "http://127.0.0.1:9"], "expected --l1-key FILE beside it"),
        (["--slots", "0"], "Invalid value for '--slots'"),
    ):
        code, _, err = run(capsys, "node", "--data", tmp_path, *words)
        assert (code, text in err) == (EXIT_BAD_INPUT, True), err
    key = tmp_path / "key"
    key.write_text("12")
    chain = ("--port", 0, "--l1", "http://127.0.0.1:9", "--l1-key", key)
    _, _, err = run(capsys, "node", "--data", tmp_path, *chain)
    assert "expected a private key of 64 hexadecimal digits" in err
    key.write_text("0x" + "12" * 32)
    code, _, err = run(capsys, "node", "--data", tmp_path, *chain)
    assert (code, "http://127.0.0.1:9: no Ethereum node answers there" in err) == (EXIT_BAD_INPUT, True), err


def test_node__says_before_it_opens_anything_what_cannot_be(tmp_path: Path, capsys) -> None:
    data, file = tmp_path / "data", tmp_path / "file"
    file.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words, text in (
            (["--data", data, "--port", port], f"127.0.0.1:{port} is taken; name another with --port"),
            (["--data", data, "--host", "203.0.113.1"], "203.0.113.1:8545 cannot be listened on: "),
            (["--data", data, "--host", "no.such.invalid"], "no.such.invalid:8545 cannot be listened on: "),
            (["--data", file], f"--data {file}: is a file, expected a directory"),
        ):
            code, _, err = run(capsys, "node", *words)
            assert (code, text in err) == (EXIT_BAD_INPUT, True), err
    assert not data.exists()


def test_node__names_the_directory_of_a_damaged_file(tmp_path: Path, capsys) -> None:
    data = tmp_path / "node"
    with serve(data):
        pass
    file = data / "node.db"
    damaged = bytearray(file.read_bytes())
    damaged[4096:] = bytes(byte ^ 0x55 for byte in damaged[4096:])
    file.write_bytes(damaged)
    slots = json.loads(sqlite3.connect(data / "l1.db").execute("SELECT text FROM genesis").fetchone()[0])
    words = ["--slots", slots["slots"], "--depth", slots["depth"], "--fee-tokens", slots["fee tokens"]]
    code, _, err = run(capsys, "node", "--data", data, "--port", 0, *words)
    assert code == EXIT_BAD_INPUT
    assert f"{data}: a file in it is damaged (" in err
    assert "node.db may be removed" in err


def test_known_parameters__are_those_that_a_directory_was_begun_with(tmp_path: Path) -> None:
    data = tmp_path / "node"
    assert known_parameters(data) is None
    with serve(data, slots=3, depth=2):
        pass
    expected = BatchParameters(3, 2, 1)
    assert known_parameters(data) == expected
    (data / "node.db").unlink()
    assert known_parameters(data) == expected
    (data / "l1.db").write_text("no database")
    assert known_parameters(data) is None
    (data / "contract.json").write_text('{"address": "0x00"}')  # of an older version
    assert known_parameters(data) is None
    (data / "contract.json").write_text('{"address": "0x00", "slots": 3, "depth": 2, "fee_tokens": 1}')
    assert known_parameters(data) == expected


def test_node__says_on_which_l1_a_directorys_rollup_is(tmp_path: Path, capsys) -> None:
    (tmp_path / "contract.json").write_text('{"address": "0x00"}')
    err = run(capsys, "node", "--data", tmp_path, "--port", 0)[2]
    assert f"{tmp_path}: its rollup is on an Ethereum node; expected --l1 URL" in err
    (tmp_path / "contract.json").rename(tmp_path / "l1.db")
    key = tmp_path / "key"
    key.write_text("12" * 32)
    chain = ("--l1", "http://127.0.0.1:9", "--l1-key", key)
    err = run(capsys, "node", "--data", tmp_path, "--port", 0, *chain)[2]
    assert f"{tmp_path}: its rollup is on an L1 inside; expected no --l1" in err


def test_wallet__deposit_to_a_node_on_ethereum_says_where_to_pay_in(
    served: Served, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, "wallet", "new", tmp_path / "wallet")
    monkeypatch.setattr("zkrollup.node.client.NodeClient.call", lambda *_, **__: unknown_method())
    err = run(capsys, "wallet", "deposit", tmp_path / "wallet", "--amount", 5, "--node", served.url)[2]
    assert "its L1 is an Ethereum node, where you pay in yourself: `zkrollup l1 deposit`" in err


def unknown_method() -> None:
    raise CallRefused("dev_deposit", -32601, "unknown method", {})


def test_node__keeps_clients_that_leave_or_speak_no_http_out_of_its_log() -> None:
    from aiohttp.http_exceptions import BadHttpMessage

    from zkrollup.node.run import _is_our_own_fault

    def record(error: Exception | None) -> logging.LogRecord:
        exc_info = None if error is None else (type(error), error, None)
        return logging.LogRecord("aiohttp.server", logging.ERROR, "", 0, "Error", (), exc_info)

    assert not _is_our_own_fault(record(ConnectionResetError()))
    assert not _is_our_own_fault(record(BadHttpMessage("nonsense")))
    assert _is_our_own_fault(record(IndexError()))
    assert _is_our_own_fault(record(None))


def test_node__without_its_extra_says_what_to_install(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = run(capsys, "node", "--data", tmp_path)
    assert (code, "pip install 'zkrollup[node]'" in err) == (EXIT_BAD_INPUT, True), err


def test_view__shows_where_everything_stands(served: Served) -> None:
    from rich.console import Console

    client = NodeClient(served.url)
    while client.call("info")["last_executed"] < 1:
        time.sleep(0.05)
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(render(served.call(served.node.summary()), served.node, served.url))
    shown = console.export_text()
    for text in (served.url, "accepted", "built", "executed", "idle", "0x"):
        assert text in shown


def test_node__stops_cleanly_when_asked_and_refuses_a_second_process(tmp_path: Path, capsys) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "zkrollup", "node", "--data", str(data), "--slots", "2", "--depth", "2"]
    command += ["--port", "0", "--key-directory", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as node:
        try:
            deadline = time.monotonic() + 60
            while not (data / "node.url").exists() or not (data / "node.url").read_text().endswith("\n"):
                assert node.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert NodeClient((data / "node.url").read_text().strip()).call("info")["slots"] == 2
            second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert second.returncode == EXIT_BAD_INPUT
            assert f"directory in use: another process holds {data}" in second.stderr
            node.send_signal(signal.SIGTERM)
            _, log = node.communicate(timeout=60)
        finally:
            node.kill()
    assert node.returncode == 0, log
    assert log.rstrip().endswith("stopped")
    assert not (data / "node.url").exists()
    other = run(capsys, "node", "--data", data, "--slots", 4, "--port", 0, "--key-directory", tmp_path)
    assert "slots is 2; expected 4; start the node with what it was begun with" in other[2]
    taken = subprocess.Popen(
        [*command[:6], "--port", "0", "--key-directory", str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    with taken as again:  # the directory knows its sizes
        try:
            while not (data / "node.url").exists() or not (data / "node.url").read_text().endswith("\n"):
                assert again.poll() is None
                time.sleep(0.05)
            info = NodeClient((data / "node.url").read_text().strip()).call("info")
            assert (info["slots"], info["depth"]) == (2, 2)
        finally:
            again.kill()
