"""The command line as a user meets it: output, exit codes, one-line errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SMALL = ["--slots", "2", "--depth", "1"]


def run(cache: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``zkrollup`` in a fresh process."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "zkrollup", *arguments],
        env=os.environ | {"ZKROLLUP_CACHE": str(cache)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def demo_result(cache: Path) -> dict[str, Any]:
    done = run(cache, "demo", *SMALL, "--txs", "4", "--save-txs", str(cache / "txs.jsonl"), "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_demo__json_has_what_scripts_need(demo_result: dict[str, Any]) -> None:
    assert demo_result["verified"] is True
    assert demo_result["l1_accepted"] is True
    assert demo_result["slots"] == 2
    assert demo_result["batches"] == 2
    assert demo_result["constraints"] > 2 * demo_result["constraints_per_slot"] > 0
    assert demo_result["public_data_bytes"] > 0
    assert demo_result["key_insecure"] is True
    for phase in ("circuit", "key", "execute", "witness", "prove", "verify", "l1", "total"):
        assert demo_result["seconds"][phase] >= 0
    for name in ("engine", "cpu", "threads"):
        assert demo_result[name]


def test_demo__table_for_people(cache: Path, demo_result: dict[str, Any]) -> None:
    done = run(cache, "demo", *SMALL)
    assert done.returncode == 0, done.stderr
    for word in ("proof verified", "accepted by L1", "constraints", "INSECURE", "cached", "prove"):
        assert word in done.stdout


def test_demo__takes_the_file_it_wrote(cache: Path, demo_result: dict[str, Any]) -> None:
    done = run(cache, "demo", *SMALL, "--txs", str(cache / "txs.jsonl"), "--json")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["state_root_after"] == demo_result["state_root_after"]


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line that has these words."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"kind"', '"knid"', ["line 3", "kind"]),
        ('"amount"', '"amuont"', ["line 3", "amount"]),
        ('"nonce":0', '"nonce":-1', ["line 3", "nonce"]),
        ("}", "", ["line 3"]),
    ],
)
def test_demo__malformed_file_names_line_and_field(
    cache: Path, demo_result: dict[str, Any], tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    lines = (cache / "txs.jsonl").read_text().splitlines()
    transfer = (
        '{"kind":"transfer","from":1,"to":1,"token":0,"amount":"1","fee":"0","nonce":0,'
        '"signature":{"r8x":"1","r8y":"2","s":"3"}}'
    )
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([*lines[:2], transfer.replace(old, new)]) + "\n")
    refused(run(cache, "demo", *SMALL, "--txs", str(path)), str(path), *words)


def test_demo__wrong_signature_is_refused_by_name(
    cache: Path, demo_result: dict[str, Any], tmp_path: Path
) -> None:
    lines = (cache / "txs.jsonl").read_text().splitlines()
    signed = next(line for line in lines if '"signature"' in line)
    record = json.loads(signed)
    record["amount"] = "1"
    others = [line for line in lines if line != signed]
    path = tmp_path / "forged.jsonl"
    path.write_text("\n".join([*others, json.dumps(record)]) + "\n")
    refused(run(cache, "demo", *SMALL, "--txs", str(path)), "signature")


def test_demo__missing_file_is_named(cache: Path) -> None:
    refused(run(cache, "demo", "--txs", "/no/such/file"), "/no/such/file")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["demo", "--slots", "0"], "--slots"),
        (["demo", "--depth", "17"], "--depth"),
        (["demo", "--no-such-option"], "--no-such-option"),
        (["no-such-command"], "no-such-command"),
        (["demo", "--txs", "0"], "--txs"),
    ],
)
def test_arguments__wrong_ones_are_named(cache: Path, arguments: list[str], word: str) -> None:
    refused(run(cache, *arguments), word)


def test_environment__unknown_engine_is_named(cache: Path) -> None:
    refused(run(cache, "doctor", ZKROLLUP_ENGINE="abacus"), "abacus", "native, numba")


def test_doctor__tells_what_this_machine_runs_on(cache: Path) -> None:
    done = run(cache, "doctor", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["arithmetic_correct"] is True
    assert {"engine", "cpu", "threads", "processor", "libraries", "native_paths"} <= set(facts)


def test_version__is_printed(cache: Path) -> None:
    import zkrollup

    assert run(cache, "--version").stdout.strip() == zkrollup.__version__
