"""``zkrollup audit``: exit codes, both kinds of output, second witnesses on disk, one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zkrollup.audit import Constraints
from zkrollup.cli import main
from zkrollup.cs import ConstraintSystem
from zkrollup.cs.scalar_field import MODULUS as R
from zkrollup.engine.convert import fr_from_ints, ints_from_limbs
from zkrollup.engine.interface import Matrix
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile

CIRCOM = Path(__file__).resolve().parent.parent / "vectors" / "circom"

# out, x, y, q: out = q + 1 and y * q = x, which says nothing about q when x = y = 0
ROWS = [({3: 1}, {4: 1}, {2: 1}), ({}, {}, {1: R - 1, 4: 1, 0: 1})]
# the same with y = 1 / inverse
REPAIRED = [*ROWS, ({3: 1}, {5: 1}, {0: 1})]


def write_circuit(folder, rows, wires):
    """One public output, the private inputs x and y, then internal wires."""
    made = Constraints.from_rows(R, wires, (), rows)
    matrices = []
    for m in (made.a, made.b, made.c):
        matrices.append(Matrix(m.indptr, m.cols, m.coefs))
    path = folder / "circuit.r1cs"
    labels = np.arange(wires, dtype=np.uint64)
    constants = fr_from_ints(made.constants)
    R1csFile(wires, 1, 0, 2, wires, len(rows), *matrices, constants, labels).write(path)
    names = ("main.out", "main.x", "main.y", "main.q", "main.inverse")[: wires - 1]
    counted = np.arange(1, wires, dtype=np.int64)
    SymFile(counted, counted, np.zeros(wires - 1, dtype=np.int64), names).write(folder / "circuit.sym")
    return path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["audit", *map(str, arguments)])
    out = capsys.readouterr()
    return end.value.code, out.out, out.err


def test_free__exits_with_1_and_writes_witnesses_that_satisfy(tmp_path, capsys):
    path = write_circuit(tmp_path, ROWS, 5)
    second = tmp_path / "second.wtns"
    code, out, _ = run(capsys, path, "--sym", tmp_path / "circuit.sym", "--write-witness", second)
    assert code == 1
    assert "free 2" in out
    assert "main.out: " in out
    assert "main.q: " in out
    system = Constraints.from_file(path)
    values = [ints_from_limbs(WtnsFile.read(f).values) for f in (second, tmp_path / "second.first.wtns")]
    assert [system.violations(v) for v in values] == [[], []]
    assert values[0][2:4] == values[1][2:4] == [0, 0]
    assert values[0][1] != values[1][1]


def test_free__starts_from_the_given_witness_where_it_can(tmp_path, capsys):
    path = write_circuit(tmp_path, ROWS, 5)
    WtnsFile(fr_from_ints([1, 8, 0, 0, 7])).write(tmp_path / "first.wtns")
    second = tmp_path / "second.wtns"
    code, out, _ = run(capsys, path, "--wtns", tmp_path / "first.wtns", "--write-witness", second)
    assert code == 1
    assert f"second witness: {second}\n" in out
    assert not (tmp_path / "second.first.wtns").exists()
    assert Constraints.from_file(path).violations(ints_from_limbs(WtnsFile.read(second).values)) == []


def test_lost_inputs__nothing_is_called_free(tmp_path, capsys):
    """circom --O2 solves in = b0 + 2 b1 for the private input and drops both: the bits look free."""
    path = write_circuit(tmp_path, [({2: 1}, {2: 1, 0: R - 1}, {}), ({3: 1}, {3: 1, 0: R - 1}, {})], 4)
    file = R1csFile.read(path)
    assert run(capsys, path)[0] == 1  # the output is in no constraint
    labels = np.array([0, 1, 4, 5], dtype=np.uint64)  # labels 2 and 3, the inputs, have no wire
    rows = (file.a, file.b, file.c, file.constants)
    R1csFile(4, 1, 0, 2, 6, 2, *rows, labels).write(path)
    code, out, _ = run(capsys, path)
    assert code == 3
    assert "2 private inputs have no wire: label 2, label 3." in out
    assert "free 0" in out


def test_unique__exits_with_0_and_writes_no_witness(tmp_path, capsys):
    path = write_circuit(tmp_path, REPAIRED, 6)
    code, out, _ = run(capsys, path, "--write-witness", tmp_path / "second.wtns")
    assert code == 0
    assert "decided 100.00%" in out
    assert "not written" in out
    assert not (tmp_path / "second.wtns").exists()


def test_undecided__exits_with_3(tmp_path, capsys):
    # y * q = x again, but y = x^2 - 5, and 5 is no square: not zero, which no rule sees through two rows
    rows = [
        ({2: 1}, {2: 1}, {5: 1, 0: 5}),
        ({3: 1, 5: R - 1}, {0: 1}, {}),
        ({3: 1}, {4: 1}, {0: 1, 2: 1}),
        ({}, {}, {1: R - 1, 4: 1}),
    ]
    code, out, _ = run(capsys, write_circuit(tmp_path, rows, 6), "--seconds", 5)
    assert code == 3
    assert "unique unless a factor is zero" in out


def test_json__has_every_signal_and_is_the_same_again(capsys):
    arguments = (CIRCOM / "mixed.r1cs", "--sym", CIRCOM / "mixed.sym", "--wtns", CIRCOM / "mixed.wtns")
    code, first, _ = run(capsys, *arguments, "--json")
    report = json.loads(first)
    assert code == report["exit_code"] == 0
    assert len(report["signals"]) == report["asked"] == 15
    by_name = {signal["name"]: signal for signal in report["signals"]}
    assert by_name["main.z"]["verdict"] == "unique"
    assert by_name["main.z"]["rule"] == "cases"
    assert by_name["main.zero.inverse"]["verdict"] == "free"
    assert by_name["main.zero.inverse"]["idle"] is True
    again = json.loads(run(capsys, *arguments, "--json")[1])
    assert {**again, "seconds": 0} == {**report, "seconds": 0}


def test_bad_input__a_witness_that_does_not_satisfy_is_said_first(tmp_path, capsys):
    path = write_circuit(tmp_path, ROWS, 5)
    WtnsFile(fr_from_ints([1, 8, 0, 1, 7])).write(tmp_path / "wrong.wtns")
    code, out, err = run(capsys, path, "--wtns", tmp_path / "wrong.wtns")
    assert (code, out) == (2, "")
    assert "wrong.wtns: does not satisfy" in err
    assert "1 of 2 constraints fail, the first is number 0; nothing was analysed" in err


def test_bad_input__a_witness_of_another_circuit(tmp_path, capsys):
    path = write_circuit(tmp_path, ROWS, 5)
    code, _, err = run(capsys, path, "--wtns", CIRCOM / "mixed.wtns")
    assert code == 2
    assert "21 values" in err
    assert "a circuit of 5 wires" in err


@pytest.mark.parametrize("cut", [3, 40, 200])
def test_bad_input__a_truncated_file_is_one_line(tmp_path, capsys, cut):
    data = (CIRCOM / "mixed.r1cs").read_bytes()
    path = tmp_path / "cut.r1cs"
    path.write_bytes(data[:-cut])
    code, out, err = run(capsys, path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "cut.r1cs" in err


def test_bad_input__a_folder_that_is_not_there(tmp_path, capsys):
    code, _, err = run(capsys, CIRCOM / "mixed.r1cs", "--write-witness", tmp_path / "no" / "second.wtns")
    assert code == 2
    assert "does not exist" in err


def claiming():
    """A circuit for the command line: x q = y, x claimed not to be zero."""
    cs = ConstraintSystem("claiming")
    x, y = cs.input("x"), cs.input("y")
    inverse = cs.hint_inverse_or_zero(x * x + 3)
    q = cs.hint_divide_or_zero(y, x)
    cs.enforce(x, q, y)
    cs.enforce(x * x + 3, inverse, 1)
    cs.claim_nonzero(x, reason="x counts something")
    cs.export("q", q)
    return cs.freeze()


def test_audit__of_our_circuit_lists_claims_and_can_ignore_them(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    code, out, _ = run(capsys, "test_cli:claiming", "--no-claims", "--json")
    told = json.loads(out)
    assert (code, told["claims"]["accepted"]) == (1, [])
    assert told["claims"]["ignored"][0]["reason"] == "x counts something"
    code, out, _ = run(capsys, "test_cli:claiming")
    # x = 0 satisfies the rows with y = 0, and the attack finds it
    assert code == 1
    assert "FALSE: 1 claims, at a satisfying witness, so not used" in out
    assert "x counts something" in out


def test_audit__names_a_circuit_that_is_not_there(capsys):
    code, _, error = run(capsys, "nowhere:circuit")
    assert code == 2
    assert "no module 'nowhere'" in error


@pytest.mark.slow
def test_slot__is_audited_around_unused_slots(capsys):
    """Their tests for zero find zero, but for the one that a group's last member passes."""
    code, out, _ = run(capsys, "slot", "--json")
    report = json.loads(out)
    assert (code, report["witnesses"], report["claims"]["refuted"]) == (0, 2, [])
    assert (report["free"], report["free_idle"]) == (6, 6)
    unclaimed = [s for s in report["signals"] if s["verdict"] == "undecided" and not s.get("claimed")]
    assert [s["idle"] for s in unclaimed] == [True]
