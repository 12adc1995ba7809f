"""``export`` as a user meets it: what it writes, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.circuits.batch import batch_circuit
from zkrollup.engine import get_engine
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.state import BatchParameters

from .running import run

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = VECTORS / "groth16_files"
ZKEY, VKEY = FILES / "chain.zkey", FILES / "verification_key.json"


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


CIRCUIT = """
from zkrollup.cs import ConstraintSystem, System

def record(power):
    cs = ConstraintSystem("powers")
    x, secret = cs.link("x"), cs.input_uint("secret", 3)
    out = x
    for _ in range(power):
        out = out * secret
    cs.export("out", out)
    cs.export("bit", secret.bits[0])
    return cs.freeze()

TEMPLATE = record(2)
NUMBER = 7

def system():
    system = System("pair", public=["x"])
    part = system.add("part", TEMPLATE, instances=2)
    part.connect("x", first=system.public("x"), chain="out")
    return system

def gadget(cs, a, b):
    return a * b
"""


@pytest.fixture
def circuit_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The name of a module in the folder where the command runs."""
    name = f"module_of_{request.node.name.partition('[')[0]}"
    (tmp_path / f"{name}.py").write_text(CIRCUIT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return name


def test_export_r1cs__template_alone_is_circoms_main_component(
    capsys: pytest.CaptureFixture[str], circuit_here: str
) -> None:
    Path("in.json").write_text('{"x": "0x2", "secret": 5}')
    files = ["t.r1cs", "--sym", "t.sym", "--wtns", "t.wtns", "--inputs", "in.json"]
    run(capsys, "export", "r1cs", "--circuit", f"{circuit_here}:record(2)", *files)
    file = R1csFile.read("t.r1cs")
    counts = (file.num_public_outputs, file.num_public_inputs, file.num_private_inputs)
    assert counts == (1, 1, 3)
    assert (file.num_constraints, file.num_wires) == (5, 7)
    names = SymFile.read("t.sym")
    wires = ("main.out", "x", "main.secret.bits[0]", "main.secret.bits[1]", "main.secret.bits[2]")
    assert [names.wire_of(name) for name in wires] == [1, 2, 3, 4, 5]
    engine = get_engine()
    values = WtnsFile.read_montgomery("t.wtns", engine)
    assert WtnsFile.read("t.wtns").values[:6, 0].tolist() == [1, 50, 2, 1, 0, 1]
    assert engine.r1cs_violations(file.layout(), values).size == 0
    values[1] = values[2]
    assert engine.r1cs_violations(file.layout(), values).size > 0


def test_export_r1cs__exported_template_can_be_audited_and_proved(
    capsys: pytest.CaptureFixture[str], circuit_here: str
) -> None:
    Path("in.json").write_text('{"x": 2, "secret": 5}')
    files = ["t.r1cs", "--sym", "t.sym", "--wtns", "t.wtns", "--inputs", "in.json"]
    run(capsys, "export", "r1cs", "--circuit", f"{circuit_here}:TEMPLATE", *files)
    assert "unique 2, free 0, undecided 0" in run(capsys, "audit", "t.r1cs", "--sym", "t.sym")
    run(capsys, "setup", "t.r1cs", "t.zkey", "--one-party")
    run(capsys, "prove", "t.zkey", "t.wtns", "proof.json", "public.json")
    assert json.loads(Path("public.json").read_text()) == ["50", "2"]
    run(capsys, "export", "vkey", "t.zkey", "-o", "vk.json")
    assert "holds" in run(capsys, "verify", "vk.json", "public.json", "proof.json")


def test_export_r1cs__system_puts_the_inputs_of_all_instances_first(
    capsys: pytest.CaptureFixture[str], circuit_here: str
) -> None:
    values = {"public": {"x": 1}, "parts": {"part": [{"x": 1, "secret": 3}, {"x": 9, "secret": 2}]}}
    Path("in.json").write_text(json.dumps(values))
    files = ["s.r1cs", "--sym", "s.sym", "--wtns", "s.wtns", "--inputs", "in.json"]
    run(capsys, "export", "r1cs", "--circuit", f"{circuit_here}:system", *files)
    file = R1csFile.read("s.r1cs")
    assert (file.num_public_outputs, file.num_public_inputs, file.num_private_inputs) == (0, 1, 6)
    names = SymFile.read("s.sym")
    bits = [f"part[{i}].secret.bits[{k}]" for i in range(2) for k in range(3)]
    assert [names.wire_of(name) for name in bits] == [2, 3, 4, 5, 6, 7]
    engine = get_engine()
    witness = WtnsFile.read_montgomery("s.wtns", engine)
    assert engine.r1cs_violations(file.layout(), witness).size == 0
    values["parts"]["part"][1]["x"] = 8  # type: ignore[index]
    Path("in.json").write_text(json.dumps(values))
    told = run(capsys, "export", "r1cs", "--circuit", f"{circuit_here}:system", *files, code=1)
    assert "in.json: the witness does not satisfy" in told


def test_export_r1cs__gadget_is_recorded_alone(capsys: pytest.CaptureFixture[str], circuit_here: str) -> None:
    shapes = '{"a": 2, "b": "field"}'
    run(capsys, "export", "r1cs", "g.r1cs", "--circuit", f"{circuit_here}:gadget", "--shapes", shapes)
    file = R1csFile.read("g.r1cs")
    assert (file.num_public_outputs, file.num_private_inputs, file.num_constraints) == (1, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--circuit", "HERE"], "expected MODULE:NAME or MODULE:NAME(INTEGER, ...)"),
        (["--circuit", "no_such_module:x"], "no module 'no_such_module' here or installed"),
        (["--circuit", "HERE:nothing"], "has no 'nothing'"),
        (["--circuit", "HERE:NUMBER"], "gave a int, expected a template or a system"),
        (["--circuit", "HERE:record"], "missing a required argument: 'power'; record(power) takes integers"),
        (["--circuit", "HERE:record(1,-)"], "'-' is not an integer"),
        (["--circuit", "HERE:gadget", "--shapes", "{"], "--shapes: no JSON"),
        (["--circuit", "HERE:gadget", "--shapes", "[]"], "expected an object, name to shape, not list"),
        (["--circuit", "HERE:gadget", "--shapes", '{"a": "x", "b": 1}'], "input 'a': shape 'x'; expected"),
        (["--circuit", "HERE:TEMPLATE", "--txs", "1"], "--txs: transactions of the batch circuit"),
        (["--circuit", "HERE:TEMPLATE", "--wtns", "x.wtns"], "give both or neither"),
        (["--inputs", "in.json"], "those of a --circuit, which is missing"),
        (
            ["--circuit", "HERE:TEMPLATE", "--wtns", "w", "--inputs", "list.json"],
            "list.json: expected an object",
        ),
        (
            ["--circuit", "HERE:TEMPLATE", "--wtns", "w", "--inputs", "text.json"],
            "text.json: x: expected an int",
        ),
        (
            ["--circuit", "HERE:TEMPLATE", "--wtns", "w", "--inputs", "few.json"],
            "no value for input 'secret'",
        ),
        (["--circuit", "HERE:system", "--wtns", "w", "--inputs", "few.json"], "few.json: 'x' is not known"),
    ],
)
def test_export_r1cs__what_is_wrong_with_a_circuit_is_said(
    capsys: pytest.CaptureFixture[str], circuit_here: str, arguments: list[str], told: str
) -> None:
    Path("list.json").write_text("[]")
    Path("text.json").write_text('{"x": "one"}')
    Path("few.json").write_text('{"x": 1}')
    before = sorted(Path().glob("*"))
    words = [word.replace("HERE", circuit_here) for word in arguments]
    assert told in run(capsys, "export", "r1cs", "o.r1cs", *words, code=2)
    assert sorted(path for path in Path().glob("*") if path.name != "__pycache__") == before
