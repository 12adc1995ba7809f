"""EdDSA verification with MiMC7, MiMC-sponge and Pedersen in a circuit, against circomlibjs and the twin."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import eddsa_variants as twin
from zkrollup.crypto.eddsa import public_key
from zkrollup.crypto.pedersen import bits_of
from zkrollup.crypto.tables import BASE8, MODULUS, ORDER
from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets import eddsa
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied

LABELS = ["R8 = s BASE8 - h 8A (x)", "R8 = s BASE8 - h 8A (y)"]
FIELDS = ("ax", "ay", "r8x", "r8y", "s")


@pytest.fixture(scope="module")
def template():
    """``template(name, message_bits)``; a message without bits is one field element."""
    made: dict[tuple[str, int], Template] = {}

    def get(name: str, bits: int = -1) -> Template:
        if (name, bits) not in made:
            cs = ConstraintSystem(name)
            with cs.scope("inputs"):
                enabled = cs.input_bool("enabled")
                fields = [cs.input(field) for field in FIELDS]
                message = cs.input("message") if bits < 0 else cs.input_bool_array("message", bits)
            getattr(eddsa, f"eddsa_{name}_verify")(cs, enabled, *fields, message)
            made[name, bits] = cs.freeze()
        return made[name, bits]

    return get


def assignment(key, message, r8, s, enabled=1):
    named = dict(zip(FIELDS, (*key, *r8, s), strict=True))
    return {"enabled": enabled, "message": message, **named}


def pedersen_case(case):
    message = bytes.fromhex(case["message"][2:])
    return 8 * len(message), assignment(case["key"], bits_of(message), case["r8"], case["s"])


@pytest.mark.parametrize(("name", "rows"), [("mimc7", 4129), ("mimc_sponge", 5606)])
def test_verify__accepts_what_circomlibjs_signed(name, rows, template, vectors, rows_of, engine):
    cases = vectors(f"eddsa/signatures_{name}")
    assert len(cases) == 8
    for case in cases:
        assert getattr(twin, f"verify_{name}")(case["key"], case["message"], (*case["r8"], case["s"]))
        signature = getattr(twin, f"sign_{name}")(bytes.fromhex(case["seed"]), case["message"])
        assert signature == (*case["r8"], case["s"])
        values = assignment(case["key"], case["message"], case["r8"], case["s"])
        assert_satisfied(template(name), inputs=values, engine=engine)
    assert rows_of(template(name)) == rows


def test_verify_pedersen__accepts_what_circomlibjs_signed(template, vectors, rows_of, engine):
    for case in vectors("eddsa/signatures_pedersen"):
        message = bytes.fromhex(case["message"][2:])
        assert twin.verify_pedersen(case["key"], message, (*case["r8"], case["s"]))
        assert twin.sign_pedersen(bytes.fromhex(case["seed"]), message) == (*case["r8"], case["s"])
        bits, values = pedersen_case(case)
        assert_satisfied(template("pedersen", bits), inputs=values, engine=engine)
        assert rows_of(template("pedersen", bits)) == 4790 + 6 * bits // 4


@pytest.mark.parametrize("name", ["mimc7", "mimc_sponge"])
@settings(max_examples=5, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, MODULUS - 1), st.data())
def test_verify__agrees_with_the_twin(name, template, seed, message, data):
    key = public_key(seed)
    *r8, s = getattr(twin, f"sign_{name}")(seed, message)
    honest = assignment(key, message, r8, s)
    assert template(name).check(inputs=honest).satisfied
    field = data.draw(st.sampled_from([*FIELDS, "message"]))
    values = honest | {field: data.draw(st.integers(0, MODULUS - 1))}
    signature = (values["r8x"], values["r8y"], values["s"])
    accepted = getattr(twin, f"verify_{name}")((values["ax"], values["ay"]), values["message"], signature)
    assert template(name).check(inputs=values).satisfied == accepted


@settings(max_examples=6, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=2, max_size=2))
def test_verify_pedersen__agrees_with_the_twin(template, seed, message):
    """Over random hashes both signs and both top bits of y come up, so all cases of the reduction."""
    *r8, s = twin.sign_pedersen(seed, message)
    values = assignment(public_key(seed), bits_of(message), r8, s)
    assert template("pedersen", 16).check(inputs=values).satisfied
    flipped = values | {"message": [1 - values["message"][0], *values["message"][1:]]}
    assert_unsatisfied(template("pedersen", 16), inputs=flipped, by=LABELS, only=True)


def test_verify_pedersen__is_right_for_both_signs_and_both_top_bits(template):
    seed, seen = bytes(32), set()
    for number in range(40):
        message = number.to_bytes(2, "little")
        *r8, s = twin.sign_pedersen(seed, message)
        challenge = twin.pedersen_challenge(tuple(r8), public_key(seed), message)
        case = challenge >> 255, challenge >> 253 & 1
        if case not in seen:
            seen.add(case)
            values = assignment(public_key(seed), bits_of(message), r8, s)
            assert_satisfied(template("pedersen", 16), inputs=values)
    assert len(seen) == 4


@pytest.mark.parametrize("name", ["mimc7", "mimc_sponge"])
def test_verify__where_disabled_accepts_the_dummy_and_still_bounds_s(name, template):
    r8x, r8y, s = eddsa.DUMMY_SIGNATURE
    message = random.Random(4).randrange(MODULUS)
    for key in ((0, 0), (5, 7), BASE8):
        assert_satisfied(template(name), inputs=assignment(key, message, (r8x, r8y), s, enabled=0))
    values = assignment((0, 0), message, (r8x, r8y), ORDER, enabled=0)
    label = "s below l/bits below a constant of 251 bits"
    assert_unsatisfied(template(name), inputs=values, by=label, only=True)
    values = assignment(BASE8, message, (r8x, r8y), s)
    assert_unsatisfied(template(name), inputs=values, by=LABELS, only=True)


def test_verify_pedersen__refuses_a_message_that_does_not_fit():
    cs = ConstraintSystem("pedersen")
    fields = [cs.input(field) for field in FIELDS]
    bits = [cs.constant_bool(False)] * 1489
    with pytest.raises(ValueError, match="Pedersen hash of 2001 bits: expected 1 to 2000"):
        eddsa.eddsa_pedersen_verify(cs, cs.input_bool("enabled"), *fields, bits)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mimc7", "mimc_sponge", "pedersen"])
def test_verify__binds_every_wire_and_catches_lies(name, template, vectors):
    case = vectors(f"eddsa/signatures_{name}")[-1]
    if name == "pedersen":
        bits, values = pedersen_case(case)
    else:
        bits, values = -1, assignment(case["key"], case["message"], case["r8"], case["s"])
    chosen = template(name, bits)
    assert_every_wire_bound(chosen, inputs=values)
    assert assert_lies_caught(chosen, inputs=values, hints=chosen.hints[::40]) > 0
