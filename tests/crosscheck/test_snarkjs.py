"""snarkjs, circom and we accept each other's proofs, keys and witnesses.

Needs node and ``npm install`` in benches/chains; ``python benches/peers/crosscheck.py`` sees to that.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import Engine
from zkrollup.formats.ptau import Ptau
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey_write import write_zkey
from zkrollup.groth16.ceremony import InvalidKey, circuit_hash, contribute, setup_from_ptau, verify_key
from zkrollup.groth16.keys import Proof, VerifyingKey, load_public_inputs, public_inputs_to_json
from zkrollup.verifier import verify

from .conftest import VECTORS, Case, with_our_key

HERE = Path(__file__).resolve().parent
BENCHES = HERE.parent.parent / "benches"
MODULES = BENCHES / "chains" / "node_modules"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("node") is None or not (MODULES / "snarkjs").is_dir(),
        reason="needs node, and npm install in benches/chains",
    ),
]


def snarkjs(step: str, *names: object) -> bool:
    """Whether snarkjs says yes."""
    done = subprocess.run(
        ["node", str(HERE / "snarkjs.mjs"), str(MODULES), step, *map(str, names)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.split()
    assert said, done.stderr
    assert said[-1] in ("yes", "no"), done.stdout + done.stderr
    return done.returncode == 0


def others(public: list[int]) -> list[int]:
    """The same public inputs but for the first."""
    return [public[0] + 1, *public[1:]]


def accepts(case: Case, proof: Proof, public: list[int], folder: Path) -> bool:
    """snarkjs's verdict on the files that we write."""
    case.key.verifying_key.save(folder / "vkey.json")
    proof.save(folder / "proof.json")
    (folder / "public.json").write_text(public_inputs_to_json(public))
    return snarkjs("verify", folder / "vkey.json", folder / "public.json", folder / "proof.json")


@pytest.fixture(scope="module")
def compiled(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A chain of two Poseidon hashes, compiled now by circom2, its witness by circom's program, our key."""
    sys.path.insert(0, str(BENCHES / "chains"))
    try:
        import make
    finally:
        sys.path.remove(str(BENCHES / "chains"))
    folder = tmp_path_factory.mktemp("compiled")
    r1cs, _, program = make.compile_chain(folder, 2, "O1")
    make.compute_witness(program, {"start": "1", "key": "12345678901234567890"}, folder / "main.wtns")
    return with_our_key(r1cs, folder / "main.wtns", engine)


def test_chain__its_output_is_our_poseidon_of_the_inputs(compiled: Case) -> None:
    from zkrollup.crypto.poseidon import poseidon

    key = 12345678901234567890
    assert compiled.public == [poseidon([poseidon([1, key]), key])]


@pytest.mark.parametrize("name", ["compiled", "ours", "snarkjs_key"])
def test_our_proof__snarkjs_accepts_it_and_refuses_other_inputs(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    case: Case = request.getfixturevalue(name)
    proof = case.prove()
    assert accepts(case, proof, case.public, tmp_path)
    assert not accepts(case, proof, others(case.public), tmp_path)


def test_our_proof__of_a_compiled_circuit_groth16py_accepts_it(compiled: Case) -> None:
    groth16py = pytest.importorskip("groth16py", reason="pip install groth16py")
    vk = groth16py.VerifyingKey.from_snarkjs(compiled.key.verifying_key.to_json())
    assert groth16py.Verifier(vk).verify(compiled.prove().to_bytes(), compiled.public)


@pytest.mark.parametrize("name", ["compiled", "ours", "snarkjs_key"])
def test_snarkjs_proof__with_the_same_zkey_we_accept_it(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    case: Case = request.getfixturevalue(name)
    assert snarkjs("prove", case.zkey, case.wtns, tmp_path / "proof.json", tmp_path / "public.json")
    proof, public = Proof.load(tmp_path / "proof.json"), load_public_inputs(tmp_path / "public.json")
    assert public == case.public
    assert case.holds(proof)
    assert not case.holds(proof, others(public))


def test_snarkjs_setup__of_our_r1cs_we_prove_and_all_accept(compiled: Case, tmp_path: Path) -> None:
    R1csFile.read(compiled.r1cs).write(tmp_path / "again.r1cs")
    assert snarkjs("setup", tmp_path / "again.r1cs", 11, tmp_path / "key.zkey", tmp_path / "vkey.json")
    theirs = Case(tmp_path / "again.r1cs", compiled.wtns, tmp_path / "key.zkey", compiled.engine)
    proof = theirs.prove()
    assert accepts(theirs, proof, theirs.public, tmp_path)
    assert verify(VerifyingKey.load(tmp_path / "vkey.json"), theirs.public, proof)


def test_witness__what_we_write_satisfies_the_circuit_for_snarkjs(compiled: Case, tmp_path: Path) -> None:
    values = WtnsFile.read(compiled.wtns).values
    WtnsFile(values).write(tmp_path / "again.wtns")
    assert (tmp_path / "again.wtns").read_bytes() == compiled.wtns.read_bytes()
    assert snarkjs("check", compiled.r1cs, tmp_path / "again.wtns")
    wrong = values.copy()
    wrong[1, 0] ^= np.uint64(1)
    WtnsFile(wrong).write(tmp_path / "wrong.wtns")
    assert not snarkjs("check", compiled.r1cs, tmp_path / "wrong.wtns")


def test_witness__circoms_own_program_agrees_with_our_engine(compiled: Case) -> None:
    layout = R1csFile.read(compiled.r1cs).layout()
    values = WtnsFile.read(compiled.wtns).values
    engine = compiled.engine
    assert len(engine.r1cs_violations(layout, engine.fr_to_mont(values))) == 0
    assert ints_from_limbs(values)[2:4] == [1, 12345678901234567890]
    wrong = values.copy()
    wrong[2, 0] ^= np.uint64(1)
    assert len(engine.r1cs_violations(layout, engine.fr_to_mont(wrong))) > 0


def test_json__snarkjs_and_we_write_the_same_public_inputs(compiled: Case, tmp_path: Path) -> None:
    snarkjs("prove", compiled.zkey, compiled.wtns, tmp_path / "proof.json", tmp_path / "public.json")
    theirs = json.loads((tmp_path / "public.json").read_text())
    assert theirs == json.loads(public_inputs_to_json(compiled.public))


def exported(name: str, shapes: str, values: dict[str, object], folder: Path) -> tuple[Path, Path]:
    """The .r1cs and .wtns of one of our gadgets, as ``zkrollup export r1cs`` writes them."""
    from zkrollup.cli import run

    inputs, r1cs, wtns = folder / "inputs.json", folder / "ours.r1cs", folder / "ours.wtns"
    inputs.write_text(json.dumps(values))
    arguments = ["export", "r1cs", str(r1cs), "--circuit", f"zkrollup.gadgets.{name}", "--shapes", shapes]
    assert run([*arguments, "--wtns", str(wtns), "--inputs", str(inputs)]) == 0
    return r1cs, wtns


def test_our_gadget__exported_is_set_up_proved_and_verified_by_snarkjs(
    engine: Engine, tmp_path: Path
) -> None:
    from zkrollup.crypto.poseidon import poseidon

    r1cs, wtns = exported("poseidon:poseidon", '{"inputs": ["field", "field"]}', {"inputs": [7, 8]}, tmp_path)
    assert snarkjs("check", r1cs, wtns)
    key = tmp_path / "key.zkey"
    assert snarkjs("setup", r1cs, 10, key, tmp_path / "vkey.json")
    assert snarkjs("prove", key, wtns, tmp_path / "proof.json", tmp_path / "public.json")
    public = load_public_inputs(tmp_path / "public.json")
    assert public == [poseidon([7, 8])]
    files = tmp_path / "vkey.json", tmp_path / "public.json", tmp_path / "proof.json"
    assert snarkjs("verify", *files)
    vk = VerifyingKey.load(tmp_path / "vkey.json")
    assert verify(vk, public, Proof.load(tmp_path / "proof.json"))
    theirs = Case(r1cs, wtns, key, engine)
    assert accepts(theirs, theirs.prove(), public, tmp_path)
    assert not accepts(theirs, theirs.prove(), others(public), tmp_path)


def test_our_batch__exported_satisfies_for_snarkjs(tmp_path: Path) -> None:
    from zkrollup.cli import run

    r1cs, wtns = tmp_path / "batch.r1cs", tmp_path / "batch.wtns"
    shape = ["--slots", "1", "--depth", "2"]
    assert run(["export", "r1cs", str(r1cs), *shape, "--wtns", str(wtns), "--txs", "1"]) == 0
    assert snarkjs("check", r1cs, wtns)
    values = WtnsFile.read(wtns).values.copy()
    values[-1, 0] ^= np.uint64(1)
    WtnsFile(values).write(wtns)
    assert not snarkjs("check", r1cs, wtns)


def test_ceremony__ours_and_snarkjs_contributions_to_one_key_both_verify(ours: Case, tmp_path: Path) -> None:
    powers = VECTORS / "ceremony" / "prepared_5.ptau"
    layout, ptau, engine = R1csFile.read(ours.r1cs).layout(), Ptau.load(powers), ours.engine
    result = setup_from_ptau(layout, ptau, engine)
    steps = [tmp_path / f"{number}.zkey" for number in range(4)]
    write_zkey(steps[0], layout, result, engine, circuit_hash=circuit_hash(result, ptau, engine))
    contribute(steps[0], steps[1], "we", engine)
    assert snarkjs("verify-key", ours.r1cs, powers, steps[1])
    snarkjs("contribute", steps[1], steps[2], "they")
    contribute(steps[2], steps[3], "we again", engine)
    assert snarkjs("verify-key", ours.r1cs, powers, steps[3])
    found = verify_key(layout, ptau, steps[3], engine)
    assert [one.name for one, _ in found.contributions] == ["we", "they", "we again"]
    key = Case(ours.r1cs, ours.wtns, steps[3], engine)
    assert accepts(key, key.prove(), key.public, tmp_path)


def test_ceremony__neither_takes_a_key_that_is_not_of_these_powers(ours: Case) -> None:
    powers = VECTORS / "ceremony" / "prepared_5.ptau"
    assert not snarkjs("verify-key", ours.r1cs, powers, ours.zkey)
    with pytest.raises(InvalidKey):
        verify_key(R1csFile.read(ours.r1cs).layout(), Ptau.load(powers), ours.zkey, ours.engine)
