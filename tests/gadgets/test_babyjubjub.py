"""Curve gadgets against the twin: formulas, conversions, scalar multiplication at every hard scalar."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import babyjubjub as twin
from zkrollup.crypto.tables import BASE8, GENERATOR, MODULUS, ORDER
from zkrollup.cs import Check, ConstraintSystem
from zkrollup.gadgets import babyjubjub as gadget
from zkrollup.gadgets.babyjubjub import Edwards, Montgomery
from zkrollup.testing import assert_satisfied, assert_unsatisfied

TORSION = [twin.mul(GENERATOR, k * ORDER) for k in range(8)]
SAMPLES = [*TORSION, BASE8, GENERATOR, twin.negate(BASE8), twin.add(BASE8, TORSION[3]), twin.mul_base8(5)]


def montgomery(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    u = (1 + y) * pow(1 - y, -1, MODULUS) % MODULUS
    return u, u * pow(x, -1, MODULUS) % MODULUS


def assert_no_free_slope(check: Check) -> None:
    """No quotient of the witness is 0/0: what divides is not zero in any row that defines a quotient."""
    labels = {"chord", "tangent", "to Edwards form", "to Montgomery form", "key to Montgomery form"}
    template = check.template
    for row in range(template.num_constraints):
        if template.row_label(row) in labels:
            denominator = sum(k * check.values[c] for c, k in template.rows.terms(0, row)) % MODULUS
            assert denominator, template.explain(row, check.values)


# -- formulas -------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def formulas(record):
    def body(cs, i):
        p, q = Edwards(i["px"], i["py"]), Edwards(i["qx"], i["qy"])
        total, twice = gadget.add(cs, p, q), gadget.double(cs, p)
        back = gadget.subtract_t4(gadget.add_t4(p))
        minus = gadget.negate(p)
        return {
            "sum": [*total],
            "twice": [*twice],
            "t4": [*gadget.add_t4(p)],
            "back": [*back],
            "minus": [*minus],
        }

    return record(body, "px py qx qy")


@pytest.mark.parametrize("i", range(len(SAMPLES)))
def test_edwards_formulas__are_complete(i, formulas, engine):
    p = SAMPLES[i]
    for q in SAMPLES:
        inputs = {"px": p[0], "py": p[1], "qx": q[0], "qy": q[1]}
        check = assert_satisfied(formulas, inputs=inputs, engine=engine)

        def got(name, check=check):
            return check[f"{name}[0]"], check[f"{name}[1]"]

        assert got("sum") == twin.add(p, q)
        assert got("twice") == twin.add(p, p)
        assert got("back") == p
        assert got("minus") == twin.negate(p)
        assert got("t4") == twin.add(p, TORSION[2])


def test_assert_on_curve__accepts_the_curve_only(record, rows_of):
    template = record(lambda cs, i: gadget.assert_on_curve(cs, Edwards(i["x"], i["y"])), "x y")
    assert rows_of(template) == 3
    for x, y in SAMPLES:
        assert template.check(inputs={"x": x, "y": y}).satisfied
        assert_unsatisfied(template, inputs={"x": x, "y": (y + 1) % MODULUS}, by="point is on BabyJubJub")
        assert_unsatisfied(template, inputs={"x": (x + 1) % MODULUS, "y": y}, by="point is on BabyJubJub")


def test_montgomery_formulas__agree_with_the_twin(record, engine):
    def body(cs, i):
        p, q = Edwards(i["px"], i["py"]), Edwards(i["qx"], i["qy"])
        mp, mq = gadget.to_montgomery(cs, p), gadget.to_montgomery(cs, q)
        outputs = {
            "back": gadget.to_edwards(cs, mp),
            "sum": gadget.to_edwards(cs, gadget.add_distinct(cs, mp, mq)),
            "twice": gadget.to_edwards(cs, gadget.double_montgomery(cs, mp)),
            "both": gadget.to_edwards(cs, gadget.double_add_distinct(cs, mp, mq)),
        }
        return {name: [*point] for name, point in outputs.items()}

    template = record(body, "px py qx qy")
    for a, b in ((1, 2), (5, ORDER - 7), (ORDER - 1, 3), (123456789, 987654321)):
        p, q = twin.mul_base8(a), twin.add(twin.mul_base8(b), TORSION[a % 8])
        check = assert_satisfied(
            template, inputs={"px": p[0], "py": p[1], "qx": q[0], "qy": q[1]}, engine=engine
        )
        wanted = {
            "back": p,
            "sum": twin.add(p, q),
            "twice": twin.double(p),
            "both": twin.add(twin.double(p), q),
        }
        for name, point in wanted.items():
            assert (check[f"{name}[0]"], check[f"{name}[1]"]) == point, name


@pytest.fixture(scope="module")
def cofactor(record):
    return record(lambda cs, i: {"p8": [*gadget.cofactor_multiple(cs, Edwards(i["x"], i["y"]))]}, "x y")


def test_cofactor_multiple__takes_off_torsion(cofactor, rows_of, engine):
    assert rows_of(cofactor) == 16
    for k in (1, 2, ORDER - 1, 99):
        for t in TORSION:
            x, y = twin.add(twin.mul_base8(k), t)
            check = assert_satisfied(cofactor, inputs={"x": x, "y": y}, engine=engine)
            assert (check["p8[0]"], check["p8[1]"]) == montgomery(twin.mul_base8(8 * k))
            assert_no_free_slope(check)


@pytest.mark.parametrize("k", range(8))
def test_cofactor_multiple__refuses_points_of_low_order(k, cofactor):
    x, y = TORSION[k]
    assert_unsatisfied(cofactor, inputs={"x": x, "y": y})


def test_cofactor_multiple__refuses_points_off_the_curve(cofactor):
    rng = random.Random(3)
    for x, y in ((5, MODULUS - 1), (0, 5), (7, 1), (0, 0), (BASE8[0], BASE8[1] + 1)):
        assert_unsatisfied(cofactor, inputs={"x": x, "y": y})
    for _ in range(20):
        x, y = rng.randrange(MODULUS), rng.randrange(MODULUS)
        assert twin.is_on_curve((x, y)) == cofactor.check(inputs={"x": x, "y": y}).satisfied


# -- fixed base -----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def fixed():
    cs = ConstraintSystem("fixed")
    cs.export_array("p", gadget.multiply_base8(cs, cs.input_bool_array("b", 251)))
    return cs.freeze()


def assert_fixed(template, scalar, engine=None):
    bits = [scalar >> i & 1 for i in range(251)]
    check = assert_satisfied(template, inputs={"b": bits}, engine=engine)
    assert (check["p[0]"], check["p[1]"]) == twin.mul_base8(scalar)
    assert_no_free_slope(check)


@pytest.mark.parametrize(
    "scalar",
    [
        0,
        1,
        2,
        7,
        8,
        1 << 249,
        ORDER - 1,
        ORDER,
        ORDER + 1,
        (ORDER + 1) // 2,
        (1 << 251) - 1,
        8**83,
        8**83 - 1,
    ],
)
def test_multiply_base8__is_right_in_all_cases(scalar, fixed, engine):
    assert_fixed(fixed, scalar, engine)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, (1 << 251) - 1))
def test_multiply_base8__is_right_at_random(fixed, scalar):
    assert_fixed(fixed, scalar)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8])
def test_multiply_base8__is_right_for_all_short_scalars(n):
    cs = ConstraintSystem("fixed")
    cs.export_array("p", gadget.multiply_base8(cs, cs.input_bool_array("b", n)))
    template = cs.freeze()
    for scalar in range(1 << n):
        check = assert_satisfied(template, inputs={"b": [scalar >> i & 1 for i in range(n)]})
        assert (check["p[0]"], check["p[1]"]) == twin.mul_base8(scalar)
        assert_no_free_slope(check)


def test_multiply_base8__refuses_widths_that_could_wrap():
    cs = ConstraintSystem("fixed")
    with pytest.raises(ValueError, match="a scalar of 254 bits: expected 1 to 253"):
        gadget.multiply_base8(cs, cs.input_bool_array("b", 254))


# -- variable base --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def variable():
    cs = ConstraintSystem("variable")
    p = Montgomery(cs.input("u"), cs.input("v"))
    cs.export_array("p", gadget.multiply(cs, p, cs.input("h")))
    return cs.freeze()


def assert_variable(template, base, scalar, engine=None):
    u, v = montgomery(base)
    check = assert_satisfied(template, inputs={"u": u, "v": v, "h": scalar}, engine=engine)
    assert (check["p[0]"], check["p[1]"]) == twin.mul(base, scalar)
    assert_no_free_slope(check)


def hard_scalars() -> list[int]:
    """Scalars with a prefix near a multiple of l/2, where an unguarded chain would meet m = 0, 1 or -1."""
    found = {0, 1, 2, 3, MODULUS - 1, MODULUS - 2}
    for shift in range(7):
        for multiple in range(17):
            prefix = multiple * ORDER // 2
            for near in range(prefix - 1, prefix + 2):
                for low in {0, 1, (1 << shift) - 1}:
                    found.add((near << shift) + low)
    found |= {1 << k for k in range(254)} | {(1 << k) - 1 for k in range(254)}
    return sorted(h for h in found if 0 <= h < MODULUS)


@pytest.mark.parametrize(
    "scalar",
    [
        0,
        1,
        2,
        15,
        16,
        17,
        31,
        32,
        33,
        ORDER - 1,
        ORDER,
        ORDER + 1,
        2 * ORDER,
        7 * ORDER,
        (ORDER - 1) // 2,
        MODULUS - 1,
    ],
)
def test_multiply__is_right_in_all_cases(scalar, variable, engine):
    for k in (1, 2, ORDER - 1, 0xFEDCBA987654321):
        assert_variable(variable, twin.mul_base8(k), scalar, engine)


def test_multiply__has_no_exception_near_multiples_of_the_order(variable):
    scalars = hard_scalars()
    for scalar in random.Random(1).sample(scalars, 60):
        assert_variable(variable, BASE8, scalar)


@pytest.mark.slow
def test_multiply__has_no_exception_at_any_hard_scalar(variable):
    for i, scalar in enumerate(hard_scalars()):
        assert_variable(variable, twin.mul_base8(1 + i * i % 1000), scalar)


@pytest.mark.slow
def test_multiply__is_right_for_all_scalars_of_nine_bits(variable):
    for scalar in range(512):
        assert_variable(variable, BASE8, scalar)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, ORDER - 1), st.integers(0, MODULUS - 1))
def test_multiply__is_right_at_random(variable, k, scalar):
    assert_variable(variable, twin.mul_base8(k), scalar)


def test_multiply__agrees_with_circomlibjs(variable, vectors):
    checked = 0
    for case in vectors("babyjubjub/mul"):
        base, scalar = tuple(case["p"]), case["scalar"]
        if scalar < MODULUS and twin.in_subgroup(base) and base != twin.IDENTITY:
            assert_variable(variable, base, scalar)
            assert twin.mul(base, scalar) == tuple(case["product"])
            checked += 1
    assert checked >= 3


def test_rows__are_as_documented(fixed, variable):
    assert fixed.num_constraints == 251 + 416 + 2 + 2  # two outputs are combinations
    assert variable.num_constraints == 1586 + 5 + 2
