"""Claims in an audit: used, told, tested, attacked, and never silently."""

from __future__ import annotations

import json

import pytest

from zkrollup.audit import Constraints, Kind, audit
from zkrollup.cs import ConstraintSystem, System
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets.bits import to_bits_strict
from zkrollup.gadgets.sort import sort


def result(report):
    """The verdict on what the template exports."""
    return report.verdicts[report.system.outputs[0]]


def quotient(demanded=True):
    """q = y / (x^3 + 2) for x of the first two numbers only, which is more than the rules see."""
    cs = ConstraintSystem("quotient")
    x, y = cs.input("x"), cs.input("y")
    if demanded:
        cs.enforce(x * x, x - 1, x * (x - 1), label="x (x - 1)^2 = 0")
    below = cs.materialise(x * x * x) + 2
    q = cs.hint_divide_or_zero(y, below)
    cs.enforce(below, q, y, label="quotient")
    cs.claim_nonzero(below, reason="x is 0 or 1")
    cs.export("q", q)
    return Constraints.from_template(cs.freeze())


def test_claim__makes_a_quotient_unique_and_is_told():
    report = audit(quotient(), [])
    q = result(report)
    assert (q.kind, q.claimed) == (Kind.UNIQUE, True)
    assert report.exit_code == 0
    assert report.decided_share == 1
    assert report.decided_share_without_claims == pytest.approx(1 - 1 / len(report.verdicts))
    text = str(report)
    assert "GIVEN 1 CLAIMS of the author, taken for true and not shown here: 1 of these wires" in text
    assert "1 × a sum is never zero: x is 0 or 1 (tests/audit/test_claims.py:" in text
    told = json.loads(json.dumps(report.to_json()))
    assert told["claimed"] == 1
    assert told["claims"]["accepted"][0]["reason"] == "x is 0 or 1"
    assert [s["name"] for s in told["signals"] if s.get("claimed")] == ["divide_or_zero#0"]


def test_claim__is_not_used_when_told_so():
    report = audit(quotient(), [], claims=False)
    assert result(report).kind is Kind.UNDECIDED
    assert report.exit_code == 3
    assert "not used: 1 claims" in str(report)
    assert report.decided_share == report.decided_share_without_claims


def test_claim__that_a_given_witness_refutes_is_not_used():
    report = audit(never_minus_two(), [[1, MODULUS - 2, 0, 5]])
    assert [c.reason for c in report.claims.refuted] == ["x is never -2"]
    assert result(report).kind is Kind.FREE
    assert report.exit_code == 1
    assert "FALSE: 1 claims, at a satisfying witness, so not used" in str(report)


def never_minus_two():
    cs = ConstraintSystem("false")
    x, y = cs.input("x"), cs.input("y")
    below = x + 2
    q = cs.hint_divide_or_zero(y, below)
    cs.enforce(below, q, y, label="quotient")
    cs.claim_nonzero(below, reason="x is never -2")
    cs.export("q", q)
    return Constraints.from_template(cs.freeze())


def test_claim__that_is_false_is_found_out_without_a_witness():
    report = audit(never_minus_two())
    assert [c.reason for c in report.claims.refuted] == ["x is never -2"]
    assert report.exit_code == 1


def determined(wrong):
    """b is a root of b^2 = x^2; claimed to be determined by x."""
    cs = ConstraintSystem("root")
    x = cs.input("x")
    b = cs.hint_value(x)
    cs.enforce(b, b, cs.materialise(x * x), label="square")
    if not wrong:
        cs.enforce(b - x, 1, 0, label="the same root")
    cs.claim_determined([b], by=[x], reason="one root")
    cs.export("b", b)
    return Constraints.from_template(cs.freeze())


def test_claim__of_determined_wires_falls_with_two_witnesses():
    true = audit(determined(wrong=False))
    assert true.exit_code == 0
    report = audit(determined(wrong=True), [[1, 3, 3, 9], [1, 3, MODULUS - 3, 9]])
    assert [c.kind for c in report.claims.refuted] == ["determined"]
    assert result(report).kind is Kind.FREE


def test_claim__of_determined_wires_waits_for_those_that_determine_them():
    cs = ConstraintSystem("waits")
    x = cs.input("x")
    loose = cs.hint_python(lambda v: 1, [x], 1)[0]
    b = cs.hint_value(x)
    cs.enforce(b * loose, b, x, label="in a row")
    cs.claim_determined([b], by=[loose], reason="of what is not known")
    cs.export("b", b)
    system = Constraints.from_template(cs.freeze())
    assert not result(audit(system)).claimed


def test_claim__of_determined_sums_makes_what_follows_unique():
    cs = ConstraintSystem("sorted")
    values = cs.input_array("v", 4)
    for i, value in enumerate(sort(cs, values, 16)):
        cs.export(f"sorted[{i}]", value)
    system = Constraints.from_template(cs.freeze())
    report = audit(system, special_inputs=False)
    assert report.decided_share == 1
    assert report.exit_code == 0
    assert {report.verdicts[w].kind for w in system.outputs} == {Kind.UNIQUE}
    bare = audit(system, special_inputs=False, claims=False)
    assert {bare.verdicts[w].kind for w in system.outputs} == {Kind.UNDECIDED}


def test_claim__of_idle_wires_explains_the_witness_of_a_comparison():
    cs = ConstraintSystem("bits")
    bits = to_bits_strict(cs, cs.input("x"))
    cs.export("low", bits[0])
    system = Constraints.from_template(cs.freeze())
    report = audit(system, special_inputs=False)
    assert report.exit_code == 0
    assert report.decided_share == 1
    assert "nothing depends on these wires" in str(report)
    bare = audit(system, special_inputs=False, claims=False)
    assert len(bare.undecided) == sum(1 for v in report.verdicts.values() if v.claimed)


def test_claim__of_idle_wires_is_refused_where_something_else_depends_on_them():
    cs = ConstraintSystem("not idle")
    x = cs.input("x")
    loose = cs.hint_python(lambda v: 1, [x], 1)[0]
    out = cs.materialise(loose * x)
    cs.claim_idle([loose], reason="wrongly")
    cs.export("out", out)
    report = audit(Constraints.from_template(cs.freeze()))
    assert [c.reason for c in report.claims.ignored] == ["wrongly"]
    assert result(report).kind is Kind.FREE
    assert report.exit_code == 1


def test_claims__of_a_system_are_those_of_every_instance():
    cs = ConstraintSystem("part")
    x, y = cs.input("x"), cs.input("y")
    q = cs.hint_divide_or_zero(y, x)
    cs.enforce(x, q, y)
    cs.claim_nonzero(x, reason="x is not zero")
    system = System("two")
    system.add("parts", cs.freeze(), instances=2)
    constraints = Constraints.from_r1cs(system.freeze())
    assert [(c.scope, dict(c.terms)) for c in constraints.claims] == [
        ("parts[0]", {1: 1}),
        ("parts[1]", {4: 1}),
    ]


def test_claims__none_in_a_large_system_are_not_attacked():
    rows = [({w: 1}, {w: 1}, {w + 1: 1}) for w in range(1, 61_000)]
    report = audit(Constraints.from_rows(MODULUS, 61_001, {1}, rows))
    assert (report.claims.attacked, report.decided_share) == (0, 1)
