"""EdDSA verification in a circuit against the twin and circomlibjs."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import eddsa as twin
from zkrollup.crypto.babyjubjub import mul_base8
from zkrollup.crypto.tables import BASE8, MODULUS, ORDER
from zkrollup.cs import ConstraintSystem, ConstraintSystemError
from zkrollup.gadgets.eddsa import DUMMY_SIGNATURE, eddsa_poseidon_verify, public_key
from zkrollup.testing import assert_satisfied, assert_unsatisfied

X_LABEL, Y_LABEL = "R8 = s BASE8 - h 8A (x)", "R8 = s BASE8 - h 8A (y)"


@pytest.fixture(scope="module")
def verify():
    cs = ConstraintSystem("verify")
    with cs.scope("inputs"):
        enabled = cs.input_bool("enabled")
        fields = [cs.input(name) for name in ("ax", "ay", "r8x", "r8y", "s", "message")]
    eddsa_poseidon_verify(cs, enabled, *fields)
    return cs.freeze()


def assignment(key, message, signature, enabled=1):
    r8x, r8y, s = signature
    return {
        "enabled": enabled, "ax": key[0], "ay": key[1], "r8x": r8x, "r8y": r8y, "s": s, "message": message
    }  # fmt: skip


def test_rows__are_as_documented(verify, rows_of):
    assert rows_of(verify) == 2627


def test_verify__accepts_what_circomlibjs_signed(verify, vectors, engine):
    cases = vectors("eddsa/signatures")
    for case in cases[:12]:
        values = assignment(case["key"], case["message"], (*case["r8"], case["s"]))
        assert_satisfied(verify, inputs=values, engine=engine)
    assert len(cases) >= 4


@settings(max_examples=10, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, MODULUS - 1), st.data())
def test_verify__agrees_with_the_twin(verify, seed, message, data):
    key, signature = twin.public_key(seed), twin.sign(seed, message)
    honest = assignment(key, message, signature)
    assert verify.check(inputs=honest).satisfied
    field = data.draw(st.sampled_from(["ax", "ay", "r8x", "r8y", "s", "message"]))
    values = honest | {field: data.draw(st.integers(0, MODULUS - 1))}
    accepted = twin.verify(
        (values["ax"], values["ay"]), values["message"], (values["r8x"], values["r8y"], values["s"])
    )
    assert verify.check(inputs=values).satisfied == accepted


@pytest.mark.parametrize("message", [0, 1, MODULUS - 1])
def test_verify__refuses_another_message_by_its_equation(message, verify):
    seed = bytes(range(32))
    values = assignment(twin.public_key(seed), (message + 1) % MODULUS, twin.sign(seed, message))
    assert_unsatisfied(verify, inputs=values, by=[X_LABEL, Y_LABEL], only=True)


def test_verify__where_disabled_accepts_the_dummy_with_any_message_and_key(verify, engine):
    rng = random.Random(4)
    for key in ((0, 0), (0, 1), (5, 7), BASE8):
        values = assignment(key, rng.randrange(MODULUS), DUMMY_SIGNATURE, enabled=0)
        assert_satisfied(verify, inputs=values, engine=engine)
    assert_unsatisfied(verify, inputs=assignment(BASE8, 1, DUMMY_SIGNATURE), by=[X_LABEL, Y_LABEL], only=True)


def test_verify__where_disabled_still_bounds_s(verify):
    r8x, r8y, _ = DUMMY_SIGNATURE
    values = assignment((0, 0), 1, (r8x, r8y, ORDER), enabled=0)
    assert_unsatisfied(verify, inputs=values, by="s below l/bits below a constant of 251 bits", only=True)


def test_verify__does_not_go_inside_when():
    cs = ConstraintSystem("when")
    flag = cs.input_bool("flag")
    fields = [cs.input(name) for name in ("ax", "ay", "r8x", "r8y", "s", "message")]
    with pytest.raises(ConstraintSystemError, match=r"inside cs.when\(flag\)"), cs.when(flag):
        eddsa_poseidon_verify(cs, flag, *fields)


def test_public_key__is_the_twins_and_its_scalar_is_below_l(record, rows_of, engine):
    template = record(lambda cs, i: {"key": [*public_key(cs, i["k"])]}, "k")
    assert rows_of(template) == 700 + 2  # both coordinates are exported as combinations
    for k in (0, 1, 2, ORDER - 1, 123456789 << 200):
        check = assert_satisfied(template, inputs={"k": k}, engine=engine)
        assert (check["key[0]"], check["key[1]"]) == mul_base8(k)
    for k in (ORDER, ORDER + 1, MODULUS - 1):
        assert_unsatisfied(template, inputs={"k": k})
