"""``inspect`` on every kind of file, and on damaged ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.bench.report import Report, Row
from zkrollup.engine import get_engine
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.groth16.setup import unsafe_setup

from .running import outputs

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Standard output, or the one line on standard error, alone, when the exit code is 2."""
    out, err = outputs(capsys, *arguments, code=code)
    assert not (code and out)
    return err if code else out


def facts(capsys: pytest.CaptureFixture[str], path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(capsys, "inspect", path, "--json"))
    assert found["bytes"] == path.stat().st_size
    return found


def test_inspect__a_circuit(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, FILES / "chain.r1cs")
    assert found["kind"] == "circuit of circom's (r1cs)"
    assert (found["constraints"], found["linear_constraints"], found["wires"]) == (23, 2, 26)
    assert (found["public_outputs"], found["public_inputs"], found["private_inputs"]) == (2, 1, 2)
    assert found["C"]["nonzeros"] == 33  # type: ignore[index]
    assert found["C"]["share_of_1_and_-1"] == 0.6667  # type: ignore[index]
    assert [section["name"] for section in found["sections"]] == ["constraints", "header", "labels"]  # type: ignore[attr-defined]


def test_inspect__a_key_and_its_circuit_need_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    key, circuit = facts(capsys, FILES / "chain.zkey"), facts(capsys, FILES / "chain.r1cs")
    for name in ("constraints", "wires", "domain", "A", "B", "wires_in_B", "proof_products"):
        assert key[name] == circuit[name], name
    assert key["public"] == 3
    assert key["contributions"] == ["two"]
    assert key["insecure"] is False
    assert key["key_digest"] == VerifyingKey.load(FILES / "verification_key.json").digest
    assert sum(section["bytes"] for section in key["sections"]) == key["bytes"] - 12 - 10 * 12  # type: ignore[attr-defined]
    assert circuit["key_bytes"] == 64 * (26 + 18 + 22 + 32) + 128 * 18


def test_inspect__a_key_without_contributions_is_called_insecure(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, FILES / "uncontributed.zkey")
    assert found["insecure"] is True
    assert "gamma2 equals delta2" in str(found["refused"])
    assert "INSECURE" in run(capsys, "inspect", FILES / "uncontributed.zkey")


def test_inspect__a_witness_counts_zeros_and_ones(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, FILES / "chain.wtns")
    counts = [found[name] for name in ("zeros", "ones", "other_values_below_2^64", "larger_values")]
    assert counts == [3, 6, 5, 12]
    assert found["values"] == sum(counts)  # type: ignore[arg-type]


def test_inspect__text_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert facts(capsys, FILES / "public.json")["public"] == 3
    assert facts(capsys, FILES / "proof.json")["points"] == dict.fromkeys("abc", "in its group")
    vk = facts(capsys, FILES / "verification_key.json")
    assert (vk["public"], vk["insecure"]) == (3, False)
    path = tmp_path / "vk.json"
    replace(VerifyingKey.load(FILES / "verification_key.json"), insecure=True).save(path)
    assert "INSECURE" in str(facts(capsys, path)["warning"])
    proof = json.loads((FILES / "proof.json").read_text())
    proof["pi_a"][0] = "5"
    path.write_text(json.dumps(proof))
    assert "curve" in facts(capsys, path)["points"]["a"]  # type: ignore[index]
    symbols = tmp_path / "a.sym"
    symbols.write_text("1,1,0,main.out\n2,-1,0,main.x\n3,2,1,main.sub.y\n")
    found = facts(capsys, symbols)
    assert (found["signals"], found["wires"], found["simplified_away"], found["components"]) == (3, 2, 1, 2)
    report = Report("ntt", {"cores": 2}, (Row("ntt", 4, "2^2", "adx", 1, (1.0,)),))
    path.write_text(report.to_json())
    assert (facts(capsys, path)["rows"], facts(capsys, path)["cores"]) == (1, 2)


def test_inspect__powers_of_tau(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "ptau", "new", "3", tmp_path / "0.ptau")
    found = facts(capsys, tmp_path / "0.ptau")
    assert (found["power"], found["prepared"], found["contributions"]) == (3, False, [])
    assert found["insecure"] is True


def test_inspect__our_own_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from zkrollup.cs import ConstraintSystem, System

    cs = ConstraintSystem("square", parameters={})
    x, out = cs.input("x"), cs.link("out")
    (x * x).assert_equal(out)
    system = System("square", public=["out"])
    system.add("part", cs.freeze()).connect("out", system.public("out"))
    key = unsafe_setup(system.freeze(), get_engine())
    key.save(tmp_path / "key.zkrpk")
    found = facts(capsys, tmp_path / "key.zkrpk")
    assert (found["public"], found["insecure"], found["constraints"]) == (1, True, key.num_rows)
    vk = json.loads(run(capsys, "export", "vkey", tmp_path / "key.zkrpk"))
    assert vk["insecure"] is True


@pytest.mark.parametrize("name", ["chain.r1cs", "chain.zkey", "chain.wtns", "proof.json", "public.json"])
def test_inspect__damaged_files_end_with_2_and_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    data = (FILES / name).read_bytes()
    path = tmp_path / name
    for size in (1, 3, 11, 40, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:size])
        assert str(path) in run(capsys, "inspect", path, code=2)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "expected a file with contents"),
        (b"\x7fELF....", "expected a .r1cs, .wtns, .zkey, .ptau or .sym"),
        (b'{"a": 1}', "expected a proof, a verification key"),
        (b"[" * 5000, "levels"),
    ],
)
def test_inspect__files_of_no_known_kind_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, contents: bytes, words: str
) -> None:
    path = tmp_path / "what"
    path.write_bytes(contents)
    error = run(capsys, "inspect", path, code=2)
    assert words in error
    assert str(path) in error
    assert "none" in run(capsys, "inspect", tmp_path / "none", code=2)
