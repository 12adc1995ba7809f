"""``prove`` and ``verify`` on files of circom and snarkjs, as a user meets them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"
ZKEY, WTNS, VKEY = FILES / "chain.zkey", FILES / "chain.wtns", FILES / "verification_key.json"
PUBLIC, PROOF = FILES / "public.json", FILES / "proof.json"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """``zkrollup`` in a fresh process."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "zkrollup", *map(str, arguments)],
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        check=False,
    )


def ends(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """This exit code, and one line on standard error that has these words."""
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def prove(folder: Path, zkey: Path, wtns: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run("prove", zkey, wtns, folder / "proof.json", folder / "public.json", *options)


def test_prove__makes_what_verify_accepts(tmp_path: Path) -> None:
    done = prove(tmp_path, ZKEY, WTNS, "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert "23 constraints" in " ".join(done.stdout.split())
    assert json.loads((tmp_path / "public.json").read_text()) == json.loads(PUBLIC.read_text())
    assert (tmp_path / "proof.json").read_text() != PROOF.read_text()
    done = run("verify", VKEY, tmp_path / "public.json", tmp_path / "proof.json")
    assert done.returncode == 0, done.stderr


def test_prove__says_its_memory_and_keeps_to_a_bound(tmp_path: Path) -> None:
    done = prove(tmp_path, ZKEY, WTNS, "--threads", "2")
    said = re.search(r"23 constraints, proved in up to ([0-9]+)M of memory", " ".join(done.stdout.split()))
    assert said is not None, done.stdout
    for size in (f"{int(said[1]) + 16}M", "1.5G", str(1 << 30)):
        (tmp_path / "proof.json").unlink(missing_ok=True)
        done = prove(tmp_path, ZKEY, WTNS, "--threads", "2", "--memory", size)
        assert done.returncode == 0, done.stderr
        assert run("verify", VKEY, tmp_path / "public.json", tmp_path / "proof.json").returncode == 0


def test_prove__a_bound_that_cannot_be_met_is_told_with_the_least(tmp_path: Path) -> None:
    done = prove(tmp_path, ZKEY, WTNS, "--memory", "1M")
    ends(done, 2, "--memory 1M", "takes at least")
    least = re.search(r"at least ([0-9]+)M", done.stderr)
    assert least is not None, done.stderr
    assert 10 < int(least[1]) < 500
    assert not (tmp_path / "proof.json").exists()
    ends(
        prove(tmp_path, ZKEY, WTNS, "--memory", "much"),
        2,
        "--memory much: expected a size such as 700M or 2G",
    )


def test_verify__accepts_snarkjs_proof() -> None:
    done = run("verify", VKEY, PUBLIC, PROOF)
    assert done.returncode == 0, done.stderr
    assert "holds" in done.stdout


def test_verify__another_statement_is_false(tmp_path: Path) -> None:
    values = json.loads(PUBLIC.read_text())
    values[1] = str(int(values[1]) + 1)
    other = tmp_path / "public.json"
    other.write_text(json.dumps(values))
    ends(run("verify", VKEY, other, PROOF), 1, "does not hold", str(other))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", ["0 public inputs", "expects 3"]),
        ("{}", ["expected a JSON array"]),
        ('["1", "2", 3]', ["[2]", "a decimal number below r"]),
        ('["1", "2", "-3"]', ["[2]", "a decimal number below r"]),
        (
            '["1", "21888242871839275222246405745257275088548364400416034343698204186575808495617", "3"]',
            ["[1]", "a decimal number below r"],
        ),
        ('["1", "2"', ["expected JSON"]),
        ("[" * 100000, ["levels"]),
    ],
)
def test_verify__wrong_public_inputs_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    other = tmp_path / "public.json"
    other.write_text(text)
    ends(run("verify", VKEY, other, PROOF), 2, str(other), *words)


def test_prove__a_witness_that_does_not_satisfy_ends_with_1_and_writes_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.wtns"
    data = bytearray(WTNS.read_bytes())
    data[-32] ^= 1
    wrong.write_bytes(data)
    ends(prove(tmp_path, ZKEY, wrong), 1, str(wrong), "does not satisfy")
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.wtns"]


def test_prove__a_key_with_a_damaged_point_is_told_from_a_wrong_witness(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.zkey"
    data = bytearray(ZKEY.read_bytes())
    data[data.rindex((9).to_bytes(4, "little") + (32 * 64).to_bytes(8, "little")) + 12 + 3 * 64] ^= 1
    damaged.write_bytes(data)
    ends(prove(tmp_path, damaged, WTNS), 2, str(damaged), "section 9", "H[3]")
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.zkey"]


def test_prove__a_key_that_nobody_contributed_to_is_refused(tmp_path: Path) -> None:
    ends(prove(tmp_path, FILES / "uncontributed.zkey", WTNS), 2, "uncontributed.zkey", "gamma2 equals delta2")


def test_prove__a_witness_of_another_length_is_refused(tmp_path: Path) -> None:
    data = WTNS.read_bytes()
    count = len(data) - 26 * 32 - 12 - 4
    short = tmp_path / "short.wtns"
    short.write_bytes(
        data[:count]
        + (25).to_bytes(4, "little")
        + data[count + 4 : count + 8]
        + (25 * 32).to_bytes(8, "little")
        + data[count + 16 : -32]
    )
    ends(prove(tmp_path, ZKEY, short), 2, "25 values", "26 wires", str(short))


def test_prove__files_in_each_others_place_are_refused(tmp_path: Path) -> None:
    ends(prove(tmp_path, WTNS, ZKEY), 2, str(WTNS), "zkey")


def test_prove__damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zkey"
    broken.write_bytes(ZKEY.read_bytes()[:5000])
    ends(prove(tmp_path, broken, WTNS), 2, str(broken))
    ends(prove(tmp_path, tmp_path / "none.zkey", WTNS), 2, "none.zkey")
    ends(prove(tmp_path / "nowhere", ZKEY, WTNS), 2, "nowhere", "does not exist")
    ends(prove(tmp_path, ZKEY, WTNS, "--threads", "0"), 2, "threads")
