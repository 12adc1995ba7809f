"""Templates, systems and files of circom become the same kind of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from zkrollup.audit import Constraints, audit
from zkrollup.cs import ConstraintSystem, System
from zkrollup.cs.scalar_field import MODULUS, from_mont
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.formats.binfile import FormatError
from zkrollup.formats.wtns import WtnsFile
from zkrollup.gadgets.bits import to_bits
from zkrollup.gadgets.compare import is_zero
from zkrollup.testing import ReferenceEngine

CIRCOM = Path(__file__).resolve().parent.parent / "vectors" / "circom"


def small_template():
    cs = ConstraintSystem("small")
    previous = cs.link("previous")
    x = cs.input("x")
    with cs.scope("bits"):
        bits = to_bits(cs, x, 4)
    cs.export("next", previous + is_zero(cs, x) * bits[0])
    return cs.freeze()


def test_template__gives_links_and_inputs_and_asks_for_the_rest():
    template = small_template()
    system = Constraints.from_template(template)
    assert {system.name(w) for w in system.inputs} == {"previous", "x"}
    assert [system.name(w) for w in system.outputs] == [template.wire_name(template.exports["next"])]
    assert system.num_rows == template.num_constraints
    assert "bits/" in (system.row_place(0) or "")
    check = template.check({"previous": 3}, {"x": 5})
    assert system.violations(check.values) == []
    wrong = list(check.values)
    wrong[template.exports["next"]] += 1
    assert system.violations(wrong)


def test_system__has_the_rows_of_every_instance():
    template = small_template()
    whole = System("chain", ["start"])
    part = whole.add("steps", template, instances=3)
    part.connect("previous", first=whole.public("start"), chain="next")
    r1cs = whole.freeze()
    system = Constraints.from_r1cs(r1cs)
    assert system.num_rows == r1cs.num_constraints
    assert system.num_wires == r1cs.num_columns
    names = {system.name(w) for w in system.inputs}
    assert {"start", "steps[0].x", "steps[2].x"} <= names
    witness = r1cs.witness(ReferenceEngine(), {"start": 1}, {"steps": [{"x": 4, "previous": 1}] * 3})
    values = from_mont(witness.values)
    assert system.violations(values) == []
    assert "steps[2]" in (system.row_place(2 * template.num_constraints) or "")
    values[-1] += 1
    assert system.violations(values)


def test_file__gives_public_and_private_inputs():
    system = Constraints.from_file(CIRCOM / "mixed.r1cs", CIRCOM / "mixed.sym")
    assert [system.name(w) for w in system.outputs] == ["main.p", "main.z", "main.n"]
    assert sorted(system.name(w) for w in system.inputs) == [
        "main.a[0]", "main.a[1]", "main.a[2]", "main.s", "main.x",
    ]  # fmt: skip
    values = ints_from_limbs(WtnsFile.read(CIRCOM / "mixed.wtns").values)
    assert system.violations(values) == []


def test_file__private_inputs_without_a_wire_give_none():
    system = Constraints.from_file(CIRCOM / "unused_inputs.r1cs")
    assert system.inputs == {2, 3}
    assert system.outputs == (1,)
    assert len(system.lost_inputs) == 18


def test_file__of_another_field_is_refused_by_name(tmp_path):
    data = (CIRCOM / "mixed.r1cs").read_bytes()
    bls = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    path = tmp_path / "bls.r1cs"
    path.write_bytes(data.replace(MODULUS.to_bytes(32, "little"), bls.to_bytes(32, "little")))
    with pytest.raises(FormatError, match=r"prime: found BLS12-381.s 5243.*expected BN254"):
        Constraints.from_file(path)


def test_rows__of_small_primes_add_repeated_wires_up():
    system = Constraints.from_rows(7, 3, [1], [({1: 1}, {2: 3}, {0: 1})])
    assert list(system.rows()) == [({1: 1}, {2: 3}, {0: 1})]
    assert system.violations([1, 5, 1]) == []
    assert system.violations([1, 5, 2]) == [0]
    with pytest.raises(ValueError, match="2 values for 3 wires"):
        system.violations([1, 5])
    with pytest.raises(ValueError, match="wire 9, but there are 3"):
        Constraints.from_rows(7, 3, [1], [({9: 1}, {}, {})])


def test_audit__takes_every_form_of_a_circuit_and_names_what_it_cannot():
    template = small_template()
    given = Constraints.from_template(template)
    assert Constraints.of(given) is given
    assert str(audit(template).verdicts) == str(audit(given).verdicts)
    path = CIRCOM / "mixed.r1cs"
    assert (
        Constraints.of(str(path)).num_rows
        == Constraints.of(path).num_rows
        == Constraints.from_file(path).num_rows
    )
    system = System("one", ["start"])
    system.add("steps", template, instances=1).connect("previous", system.public("start"))
    r1cs = system.freeze()
    assert Constraints.of(r1cs).num_rows == r1cs.num_constraints
    with pytest.raises(
        TypeError, match=r"expected Constraints, a Template, .* got System; freeze\(\) it first"
    ):
        audit(system)
    with pytest.raises(TypeError, match=r"\.r1cs file, got int$"):
        audit(3)
