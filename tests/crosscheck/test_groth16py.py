"""groth16py (arkworks) and we accept each other's proofs, keys and witnesses.

Needs ``pip install groth16py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.groth16.keys import Proof, VerifyingKey, public_inputs_to_json
from zkrollup.verifier import verify

from .conftest import Case

groth16py = pytest.importorskip("groth16py", reason="pip install groth16py")


def accepts(case: Case, proof: Proof, public: list[int]) -> bool:
    """groth16py's verdict under the case's key, by way of snarkjs's JSON."""
    verifier = groth16py.Verifier(groth16py.VerifyingKey.from_snarkjs(case.key.verifying_key.to_json()))
    return bool(verifier.verify_snarkjs(proof.to_json(), public_inputs_to_json(public)))


def others(public: list[int]) -> list[int]:
    """The same public inputs but for the first."""
    return [public[0] + 1, *public[1:]]


@pytest.mark.parametrize("name", ["ours", "snarkjs_key"])
def test_our_proof__groth16py_accepts_it_and_refuses_other_inputs(
    name: str, request: pytest.FixtureRequest
) -> None:
    case: Case = request.getfixturevalue(name)
    proof = case.prove()
    assert accepts(case, proof, case.public)
    assert not accepts(case, proof, others(case.public))


@pytest.mark.parametrize("name", ["ours", "snarkjs_key"])
def test_groth16py_proof__with_the_same_zkey_we_accept_it(name: str, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(name)
    key, _ = groth16py.import_zkey(str(case.zkey))
    proof = Proof.from_bytes(groth16py.prove_wtns(key, str(case.wtns)))
    assert case.holds(proof)
    assert not case.holds(proof, others(case.public))


def test_our_proof__groth16py_reads_its_ethereum_bytes(ours: Case) -> None:
    _, vk = groth16py.import_zkey(str(ours.zkey))
    verifier = groth16py.Verifier(vk)
    assert verifier.verify(ours.prove().to_bytes(), ours.public)
    assert not verifier.verify(ours.prove().to_bytes(), others(ours.public))


def test_groth16py_key__we_verify_under_it(ours: Case) -> None:
    key, vk = groth16py.setup(str(ours.r1cs))
    proof = Proof.from_bytes(groth16py.prove_wtns(key, str(ours.wtns)))
    read = VerifyingKey.from_json(vk.to_json())
    assert verify(read, ours.public, proof)
    assert not verify(read, others(ours.public), proof)


def test_our_files__groth16py_sets_up_and_proves_from_what_we_wrote(ours: Case, tmp_path: Path) -> None:
    R1csFile.read(ours.r1cs).write(tmp_path / "again.r1cs")
    WtnsFile.read(ours.wtns).write(tmp_path / "again.wtns")
    key, vk = groth16py.setup(str(tmp_path / "again.r1cs"))
    proof = groth16py.prove_wtns(key, str(tmp_path / "again.wtns"))
    assert groth16py.Verifier(vk).verify(proof, ours.public)
