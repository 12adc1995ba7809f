"""Subgroup, packed form and multiples of any point, against the twin and circomlibjs."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import babyjubjub as twin
from zkrollup.crypto.tables import BASE8, GENERATOR, MODULUS, ORDER
from zkrollup.cs import ClaimFailure, ConstraintSystem
from zkrollup.gadgets import babyjubjub, points
from zkrollup.gadgets.babyjubjub import Edwards
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied

TORSION = [twin.mul(GENERATOR, k * ORDER) for k in range(8)]
SUBGROUP = [twin.IDENTITY, BASE8, twin.negate(BASE8), twin.mul_base8(12345), twin.mul_base8(ORDER // 2)]
POINTS = [twin.add(p, t) for p in SUBGROUP for t in TORSION]
OFF_CURVE = [(5, 7), (0, 5), (0, 0), (BASE8[0], BASE8[1] + 1)]


def of_point(record, gadget):
    def body(cs, i):
        out = gadget(cs, Edwards(i["x"], i["y"]))
        return {} if out is None else {"out": [*out]}

    return record(body, "x y")


def at(point):
    return {"x": point[0], "y": point[1]}


def bits_of(packed: bytes) -> list[int]:
    return [byte >> i & 1 for byte in packed for i in range(8)]


# -- subgroup -------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def subgroup(record):
    return of_point(record, points.assert_in_subgroup)


def test_subgroup__holds_its_points_and_no_others(subgroup, rows_of, engine):
    assert rows_of(subgroup) == 16
    for point in POINTS:
        if twin.in_subgroup(point):
            assert_satisfied(subgroup, inputs=at(point), engine=engine)
        else:
            assert_unsatisfied(subgroup, inputs=at(point))
    for point in OFF_CURVE:
        assert_unsatisfied(subgroup, inputs=at(point))


def test_subgroup__catches_lies(subgroup):
    for point in SUBGROUP:
        assert assert_lies_caught(subgroup, inputs=at(point)) > 0
    assert_every_wire_bound(subgroup, inputs=at(BASE8))


def test_subgroup__takes_no_eighth_of_another_point(subgroup):
    """All eighths of p + t, for t of order 8, are off: whatever q the prover names."""
    p = twin.add(BASE8, TORSION[1])
    eighth = pow(8, -1, ORDER)
    sites = [h for h in subgroup.hints if h.kind == "divide_or_zero"][:2]
    for t in TORSION:
        q = twin.add(twin.mul(p, eighth), t)
        lies = {sites[0]: [q[0]], sites[1]: [q[1]]}
        assert_unsatisfied(subgroup, inputs=at(p), override=lies)


def test_subgroup__takes_any_of_the_eight_eighths(subgroup):
    """The freedom that its docstring names: q is unique up to torsion, and no result depends on it."""
    sites = [h for h in subgroup.hints if h.kind == "divide_or_zero"][:2]
    for t in TORSION:
        q = twin.add(twin.mul(BASE8, pow(8, -1, ORDER)), t)
        assert subgroup.check(inputs=at(BASE8), override={sites[0]: [q[0]], sites[1]: [q[1]]}).satisfied


def test_clear_cofactor__multiplies_by_eight(record, rows_of, engine):
    template = of_point(record, points.clear_cofactor)
    assert rows_of(template) == 15
    for point in POINTS:
        check = assert_satisfied(template, inputs=at(point), engine=engine)
        assert (check["out[0]"], check["out[1]"]) == twin.mul(point, 8)


# -- packed form ----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def packing(record):
    return of_point(record, points.compress)


@pytest.fixture(scope="module")
def unpacking(record):
    return record(lambda cs, i: {"out": [*points.decompress(cs, i["b"])]}, bool_arrays={"b": 256})


def test_compress__is_the_twins(packing, engine):
    assert packing.num_constraints == 570 + 2  # two bits are exported as combinations
    for point in [*POINTS, *((x, y % MODULUS) for x, y in OFF_CURVE), (MODULUS - 1, MODULUS - 1)]:
        check = assert_satisfied(packing, inputs=at(point), engine=engine)
        assert [check[f"out[{i}]"] for i in range(256)] == bits_of(twin.pack(point))


def test_decompress__is_the_twins(unpacking, rows_of, engine):
    assert rows_of(unpacking) == 320
    for point in POINTS:
        check = assert_satisfied(unpacking, inputs={"b": bits_of(twin.pack(point))}, engine=engine)
        assert (check["out[0]"], check["out[1]"]) == point


def test_packed_form__equals_circomlibjs(packing, unpacking, vectors):
    for case in vectors("babyjubjub/pack"):
        bits = bits_of(bytes.fromhex(case["packed"]))
        check = assert_satisfied(packing, inputs=at(case["p"]))
        assert [check[f"out[{i}]"] for i in range(256)] == bits
        check = assert_satisfied(unpacking, inputs={"b": bits})
        assert [check["out[0]"], check["out[1]"]] == case["p"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, (1 << 256) - 1))
def test_decompress__refuses_what_the_twin_refuses(unpacking, number):
    data = number.to_bytes(32, "little")
    try:
        want = twin.unpack(data)
    except ValueError:
        assert_unsatisfied(unpacking, inputs={"b": bits_of(data)})
    else:
        check = assert_satisfied(unpacking, inputs={"b": bits_of(data)})
        assert (check["out[0]"], check["out[1]"]) == want


def test_decompress__names_what_is_wrong(unpacking):
    def refused(number, label):
        bits = [number >> i & 1 for i in range(256)]
        assert_unsatisfied(unpacking, inputs={"b": bits}, by=label)

    y = BASE8[1]
    no_point = next(y for y in range(2, 50) if not _has_point(y))
    refused(y | 1 << 254, "bit 254 is zero")
    refused(1 + MODULUS, "y/bits below r")
    refused(no_point, "point is on BabyJubJub")
    refused(1 | 1 << 255, "sign of x/bits below r")  # x = 0 has no sign


def _has_point(y: int) -> bool:
    try:
        twin.unpack(y.to_bytes(32, "little"))
    except ValueError:
        return False
    return True


def test_packed_form__catches_lies(packing, unpacking):
    """The lies are told to the first hints and to the last, each of which is a decomposition of its own."""
    chosen = [*packing.hints[:2], *packing.hints[-2:]]
    assert assert_lies_caught(packing, inputs=at(BASE8), hints=chosen) > 0
    bits = bits_of(twin.pack(BASE8))
    assert assert_lies_caught(unpacking, inputs={"b": bits}, hints=unpacking.hints[:4]) > 0
    assert_every_wire_bound(packing, inputs=at(BASE8))
    assert_every_wire_bound(unpacking, inputs={"b": bits})


def test_decompress__refuses_another_number_of_bits():
    cs = ConstraintSystem("unpack")
    with pytest.raises(ValueError, match="a packed point of 255 bits: expected 256"):
        points.decompress(cs, cs.input_bool_array("b", 255))


# -- multiples ------------------------------------------------------------------------------------------
def test_multiply_point__is_right_for_the_identity_too(record, rows_of, engine):
    template = record(
        lambda cs, i: {"out": [*points.multiply_point(cs, Edwards(i["x"], i["y"]), i["h"])]}, "x y h"
    )
    assert rows_of(template) == 1599
    rng = random.Random(5)
    for point in SUBGROUP:
        for h in (0, 1, ORDER, MODULUS - 1, rng.randrange(MODULUS)):
            check = assert_satisfied(template, inputs={**at(point), "h": h}, engine=engine)
            assert (check["out[0]"], check["out[1]"]) == twin.mul(point, h)


def test_multiply_fixed__is_right_for_any_base_of_order_l(record, rows_of, engine):
    base = twin.mul_base8(987654321)
    template = record(
        lambda cs, i: {"out": [*babyjubjub.multiply_fixed(cs, base, i["b"])]}, bool_arrays={"b": 251}
    )
    assert rows_of(template) == 418 + 2  # both results are exported as combinations
    for scalar in (0, 1, ORDER - 1, ORDER, (1 << 251) - 1):
        bits = [scalar >> i & 1 for i in range(251)]
        check = assert_satisfied(template, inputs={"b": bits}, engine=engine)
        assert (check["out[0]"], check["out[1]"]) == twin.mul(base, scalar)


@pytest.mark.parametrize("base", [twin.IDENTITY, GENERATOR, TORSION[4], (5, 7)])
def test_multiply_fixed__refuses_a_base_of_another_order(base):
    cs = ConstraintSystem("fixed")
    with pytest.raises(ValueError, match="expected a point of BabyJubJub of order l"):
        babyjubjub.multiply_fixed(cs, base, cs.input_bool_array("b", 8))


def test_montgomery_form__refuses_the_identity_and_leaves_t2_free(record):
    """The exceptional cases that the conversion's docstring states."""
    template = record(lambda cs, i: {"out": [*babyjubjub.to_montgomery(cs, Edwards(i["x"], i["y"]))]}, "x y")
    assert_unsatisfied(template, inputs=at(twin.IDENTITY), by="to Montgomery form")
    sites = template.hints
    check = template.check(inputs=at(TORSION[4]), override={sites[1]: [77]})
    (false,) = check.failures  # every row holds; the assumption, which is claimed, does not
    assert isinstance(false, ClaimFailure)
    assert "not the identity, not T2" in false.label
    assert (check["out[0]"], check["out[1]"]) == (0, 77)
