"""``export`` as a user meets it: what it writes, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.circuits.batch import batch_circuit
from zkrollup.cli import main
from zkrollup.engine import get_engine
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.state import BatchParameters

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = VECTORS / "groth16_files"
ZKEY, VKEY = FILES / "chain.zkey", FILES / "verification_key.json"


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Standard output, or the one line on standard error when the exit code is not 0."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    assert ended.value.code == code, output
    if code:
        assert len(output.err.strip().splitlines()) == 1, output.err
        return output.err
    return output.out


def test_export_vkey__is_what_snarkjs_exports(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "export", "vkey", ZKEY, "-o", tmp_path / "vk.json")
    ours, theirs = (json.loads(path.read_text()) for path in (tmp_path / "vk.json", VKEY))
    assert ours == theirs | {"circuit_digest": "", "insecure": False}
    assert json.loads(run(capsys, "export", "vkey", ZKEY)) == ours
    assert [path.name for path in tmp_path.iterdir()] == ["vk.json"]


def test_export_solidity__is_the_same_from_zkey_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    source = run(capsys, "export", "solidity", ZKEY)
    assert source == run(capsys, "export", "solidity", VKEY)
    snapshot = (VECTORS / "evm" / "verifier.sol").read_text()
    assert source.partition("contract ")[2] == snapshot.partition("contract ")[2]
    assert "contract Mine {" in run(capsys, "export", "solidity", VKEY, "--name", "Mine")


def test_export_solidity__refuses_keys_that_can_be_forged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = run(capsys, "export", "solidity", FILES / "uncontributed.zkey", code=2)
    assert "uncontributed.zkey" in before
    assert "gamma2 equals delta2" in before
    one_party = tmp_path / "vk.json"
    replace(VerifyingKey.load(VKEY), insecure=True).save(one_party)
    refused = run(capsys, "export", "solidity", one_party, "-o", tmp_path / "v.sol", code=2)
    assert f"{one_party}: verifying key: INSECURE" in refused
    assert not (tmp_path / "v.sol").exists()
    run(capsys, "export", "solidity", one_party, "-o", tmp_path / "v.sol", "--allow-insecure")
    assert "!!!  INSECURE" in (tmp_path / "v.sol").read_text()


def test_export_calldata__in_hex_and_as_snarkjs_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    proof, public = FILES / "proof.json", FILES / "public.json"
    encoded = run(capsys, "export", "calldata", proof, public).strip()
    arguments = run(capsys, "export", "calldata", proof, public, "--arguments").strip()
    assert encoded.startswith("0x11479fea")
    assert [f"0x{encoded[i : i + 64]}" for i in range(10, len(encoded), 64)] == [
        word.strip('"[] ') for word in arguments.split(",")
    ]


def test_export__wrong_files_are_named_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.zkey"
    damaged.write_bytes(ZKEY.read_bytes()[:-1])
    assert str(damaged) in run(capsys, "export", "vkey", damaged, code=2)
    assert "none.json" in run(capsys, "export", "solidity", tmp_path / "none.json", code=2)
    assert "expected a JSON object" in run(capsys, "export", "vkey", FILES / "public.json", code=2)
    assert "nowhere" in run(capsys, "export", "vkey", ZKEY, "-o", tmp_path / "nowhere" / "x", code=2)


def test_export_r1cs__is_a_circuit_that_its_witness_satisfies(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, sym, wtns = tmp_path / "b.r1cs", tmp_path / "b.sym", tmp_path / "b.wtns"
    size = ["--slots", "1", "--depth", "1"]
    run(capsys, "export", "r1cs", out, *size, "--sym", sym, "--wtns", wtns, "--txs", "1")
    engine = get_engine()
    layout = R1csFile.read(out, engine).layout()
    ours = batch_circuit(BatchParameters(1, 1)).r1cs.layout
    assert (layout.num_rows, layout.num_columns, layout.num_public) == (
        ours.num_rows,
        ours.num_columns,
        ours.num_public,
    )
    values = WtnsFile.read_montgomery(wtns, engine)
    assert engine.r1cs_violations(layout, values).size == 0
    values[1] = values[0]  # the commitment
    assert engine.r1cs_violations(layout, values).size > 0
    symbols = SymFile.read(sym)
    assert [symbols.wire_of(name) for name in ("C", "z", "y")] == [1, 2, 3]
    assert len(symbols.names) == layout.num_columns - 1


def test_export_r1cs__transactions_without_a_witness_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "b.r1cs"
    assert "--wtns" in run(capsys, "export", "r1cs", out, "--txs", "3", code=2)
    small = ["--slots", "1", "--depth", "1", "--wtns", tmp_path / "b.wtns"]
    assert "all 1 slots are taken" in run(capsys, "export", "r1cs", out, *small, "--txs", "2", code=2)
    assert list(tmp_path.iterdir()) == []
