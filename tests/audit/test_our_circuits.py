"""The rollup's own circuits, given their authors' claims: nothing on which something depends stays open."""

from __future__ import annotations

import pytest

from zkrollup.audit import Constraints, audit
from zkrollup.circuits.transaction import record_transaction
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import eddsa, points
from zkrollup.gadgets.babyjubjub import Edwards
from zkrollup.gadgets.keccak import keccak_f


def test_signature__is_decided_given_the_claims():
    cs = ConstraintSystem("signature")
    names = ("ax", "ay", "r8x", "r8y", "s", "message")
    eddsa.eddsa_poseidon_verify(cs, cs.input_bool("enabled"), *(cs.input(name) for name in names))
    template = cs.freeze()
    key = PrivateKey(b"\1" * 32)
    signature = key.sign(77)
    values = dict(zip(names, (*key.public_key, *signature, 77), strict=True))
    witness = template.check({}, {"enabled": 1, **values})
    assert witness.satisfied
    report = audit(Constraints.from_template(template), [witness.values])
    assert (report.exit_code, report.decided_share, report.claims.refuted) == (0, 1, ())
    assert report.decided_share_without_claims < 0.5


def test_multiple_of_a_point__is_decided_given_the_claims():
    cs = ConstraintSystem("multiple")
    p = Edwards(cs.input("x"), cs.input("y"))
    points.assert_in_subgroup(cs, p)
    product = points.multiply_point(cs, p, cs.input("h"))
    cs.export("x'", product.x)
    cs.export("y'", product.y)
    report = audit(Constraints.from_template(cs.freeze()), special_inputs=False)
    assert report.exit_code == 0
    assert all(report.verdicts[w].idle for w in report.undecided)


@pytest.mark.slow
def test_slot__is_decided_given_the_claims():
    """Undecided are only inverses in is-zero tests, on which nothing depends when the test is zero."""
    report = audit(Constraints.from_template(record_transaction(16, 4)))
    assert (report.exit_code, report.claims.refuted, report.claims.ignored) == (0, (), ())
    assert report.decided_share > 0.999
    assert not report.open


@pytest.mark.slow
def test_keccak__is_decided_without_a_claim():
    cs = ConstraintSystem("keccak")
    keccak_f(cs, [cs.input_bool_array(f"lane{k}", 64) for k in range(25)])
    report = audit(Constraints.from_template(cs.freeze()))
    assert (report.decided_share, report.claims.accepted) == (1, ())
