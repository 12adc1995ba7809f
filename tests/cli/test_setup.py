"""``setup``, ``contribute``, ``check-key``: exit codes, and what the user reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from zkrollup.cli import main
from zkrollup.engine import get_engine
from zkrollup.formats.zkey import Zkey

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
CIRCUIT = VECTORS / "circom" / "mixed.r1cs"
WITNESS = VECTORS / "circom" / "mixed.wtns"
POWERS = VECTORS / "ceremony" / "prepared_5.ptau"
KEY = VECTORS / "ceremony" / "contributed_5.zkey"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs a command; gives exit code, standard output and standard error."""

    def go(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return go


def test_ceremony__from_powers_to_a_proof(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    keys = [tmp_path / f"{i}.zkey" for i in range(3)]
    code, out, err = run("setup", CIRCUIT, keys[0], "--ptau", POWERS)
    assert (code, err) == (0, "")
    assert "initial key for 16 constraints; circuit hash 7" in out
    assert keys[0].read_bytes() == (VECTORS / "ceremony" / "initial_5.zkey").read_bytes()

    code, _, err = run("check-key", CIRCUIT, POWERS, keys[0])
    assert code == 1
    assert "nobody contributed to it" in err
    assert run("prove", keys[0], WITNESS, tmp_path / "p", tmp_path / "i")[0] == 2

    code, out, _ = run("contribute", keys[0], keys[1], "--name", "Ada")
    assert code == 0
    digest = out.split()[-1]
    assert len(digest) == 128
    assert run("contribute", keys[1], keys[2], "--beacon", "0x00ff", "--iterations", "11")[0] == 0
    code, out, err = run("check-key", CIRCUIT, POWERS, keys[2])
    assert (code, err) == (0, "")
    assert f"contribution 1 'Ada': {digest}" in out
    assert "beacon 2 ''" in out

    assert run("prove", keys[2], WITNESS, tmp_path / "p", tmp_path / "i")[0] == 0


def test_check_key__accepts_snarkjs_and_names_what_is_wrong(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("check-key", CIRCUIT, POWERS, KEY)[0] == 0
    data = bytearray(KEY.read_bytes())
    data[-600] ^= 1
    (tmp_path / "x.zkey").write_bytes(data)
    code, out, err = run("check-key", CIRCUIT, POWERS, tmp_path / "x.zkey")
    assert (code, out) == (1, "")
    assert err.startswith(f"zkrollup: {tmp_path / 'x.zkey'}: section 10: contribution ")
    assert err.count("\n") == 1


def test_one_party_key__must_be_asked_for_and_is_marked(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.zkey"
    code, _, err = run("setup", CIRCUIT, path)
    assert code == 2
    assert "--ptau POT.ptau, for a ceremony's key, or --one-party" in err
    assert run("setup", CIRCUIT, path, "--ptau", POWERS, "--one-party")[0] == 2
    assert not path.exists()
    code, out, err = run("setup", CIRCUIT, path, "--one-party")
    assert code == 0
    assert "marked INSECURE" in out
    assert err.startswith("zkrollup: INSECURE: ")
    key = Zkey.load(path, get_engine())
    assert key.contributions == ()
    assert key.verifying_key.insecure


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("contribute", KEY, "/nowhere/x.zkey"), "the folder /nowhere does not exist"),
        (
            ("contribute", KEY, "x.zkey", "--beacon", "abc"),
            "expected an even number of hex digits, got 'abc'",
        ),
        (("contribute", KEY, "x.zkey", "--beacon", ""), "--beacon: 0 bytes, expected 1 to 255"),
        (("contribute", POWERS, "x.zkey"), "kind: found b'ptau', expected b'zkey'"),
        (("check-key", CIRCUIT, KEY, KEY), "kind: found b'zkey', expected b'ptau'"),
        (("setup", CIRCUIT, "x.zkey", "--ptau", CIRCUIT), "kind: found b'r1cs', expected b'ptau'"),
    ],
)
def test_bad_input__is_one_line_and_exit_code_2(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_powers__from_nothing_to_a_checked_key(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    powers = [tmp_path / f"{i}.ptau" for i in range(4)]
    code, out, _ = run("ptau", "new", 5, powers[0])
    assert code == 0
    assert "first challenge " in out
    code, _, err = run("ptau", "verify", powers[0])
    assert code == 1
    assert "nobody contributed: tau is 1, and everybody knows it" in err
    code, out, _ = run("ptau", "contribute", powers[0], powers[1], "--name", "Ada")
    assert code == 0
    digest = out.split()[-1]
    assert run("ptau", "contribute", powers[1], powers[2], "--beacon", "00ff")[0] == 0
    assert run("ptau", "prepare", powers[2], powers[3])[0] == 0
    code, out, err = run("ptau", "verify", powers[3])
    assert (code, err) == (0, "")
    assert f"contribution 1 'Ada': {digest}" in out
    assert "powers of one tau for circuits of up to 2^5 rows, prepared" in out
    assert run("setup", CIRCUIT, tmp_path / "0.zkey", "--ptau", powers[2])[0] == 0
    assert run("contribute", tmp_path / "0.zkey", tmp_path / "1.zkey")[0] == 0
    assert run("check-key", CIRCUIT, powers[3], tmp_path / "1.zkey")[0] == 0
    code, _, err = run("check-key", CIRCUIT, POWERS, tmp_path / "1.zkey")
    assert code == 1
    assert f"alpha1 is not that of {POWERS}" in err


def test_powers_too_small_for_a_circuit__are_said_to_be(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("ptau", "new", 4, tmp_path / "x.ptau")[0] == 0
    code, _, err = run("setup", CIRCUIT, tmp_path / "x.zkey", "--ptau", tmp_path / "x.ptau")
    assert code == 2
    assert "powers for 2^4 rows; the circuit needs 2^5 for its 16 constraints and 5 public columns" in err
    assert err.count("\n") == 1
