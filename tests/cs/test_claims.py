"""Claims: they cost nothing, and a satisfying witness on which one is false is a failure."""

from __future__ import annotations

import pytest

from zkrollup.cs import ClaimFailure, ConstraintSystem, ConstraintSystemError, System
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine import get_engine


def quotient(claims=True):
    cs = ConstraintSystem("quotient")
    x, y = cs.input("x"), cs.input("y")
    below = x + 1
    q = cs.hint_divide_or_zero(y, below)
    cs.enforce(below, q, y, label="quotient")
    if claims:
        cs.claim_nonzero(below, reason="x is never -1")
        cs.claim_determined([q], by=[x, y], reason="the divisor is not zero")
    cs.export("q", q)
    return cs.freeze()


def test_claims__change_neither_rows_nor_digest():
    assert quotient().digest == quotient(claims=False).digest
    assert quotient().num_constraints == 1


def test_claims__are_kept_with_reason_and_place():
    first, second = quotient().claims
    assert (first.kind, first.reason, dict(first.terms)) == ("nonzero", "x is never -1", {0: 1, 1: 1})
    assert second.sums == ()
    assert first.place.file.endswith("test_claims.py")
    assert (second.kind, second.columns, second.by) == ("determined", (3,), (1, 2))


def test_claims__that_hold_are_not_heard_of():
    assert quotient().check({}, {"x": 2, "y": 6}).satisfied


def test_claims__that_are_false_fail_the_check():
    check = quotient().check({}, {"x": MODULUS - 1, "y": 0})
    assert not check.satisfied
    (failure,) = check.failures
    assert isinstance(failure, ClaimFailure)
    assert failure.operands[0].name == "x"
    text = str(check.failures)
    assert "all 1 constraints hold, but 1 claim is false" in text
    assert "this claim is false: x is never -1" in text
    assert "x + 1 is not 0" in text
    assert "test_claims.py" in text


def test_claims__say_nothing_of_a_witness_that_does_not_satisfy_the_rows():
    check = quotient().check({}, {"x": MODULUS - 1, "y": 1})
    assert [f.label for f in check.failures] == ["quotient"]


def test_claims__are_tested_in_every_instance_of_a_system():
    system = System("many")
    system.add("parts", quotient(), instances=4)
    frozen = system.freeze()
    engine = get_engine()
    values = [{"x": x, "y": 0} for x in (1, MODULUS - 1, 2, MODULUS - 1)]
    failures = frozen.check(engine, frozen.witness(engine, {}, {"parts": values}))
    assert [(f.instance, f.label) for f in failures] == [
        (1, "claim: x is never -1"),
        (3, "claim: x is never -1"),
    ]
    assert "2 claims are false" in failures.summary
    assert not frozen.check(engine, frozen.witness(engine, {}, {"parts": [{"x": 1, "y": 0}] * 4}))


def test_claims__of_a_constant_are_dropped_or_refused():
    cs = ConstraintSystem("constants")
    cs.claim_nonzero(cs.constant(3), reason="three")
    with pytest.raises(ConstraintSystemError, match="the sum is the constant 0"):
        cs.claim_nonzero(cs.constant(0), reason="zero")


def test_claims__need_a_reason_and_wires():
    cs = ConstraintSystem("unclear")
    x = cs.input("x")
    with pytest.raises(ConstraintSystemError, match="needs its reason"):
        cs.claim_nonzero(x, reason="")
    with pytest.raises(ConstraintSystemError, match="claim_determined: the sum holds a product"):
        cs.claim_determined([x * x + 1], by=[x], reason="a sum")
    with pytest.raises(ConstraintSystemError, match="claim_idle: the sum holds a product"):
        cs.claim_idle([x, x * x + 1], reason="a product")
    with pytest.raises(ConstraintSystemError, match="a product that has no wire yet"):
        cs.claim_nonzero(x * x, reason="a product")
