"""The Poseidon2 gadgets against their twin, at edges, with lying hints and mutated wires."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import poseidon2 as twin
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets import poseidon2 as gadget
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, find_hints

WIDTHS = (2, 3, 4, 8)
ELEMENTS = st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, MODULUS - 1])


@pytest.fixture(scope="module")
def template():
    """``template(name, n)``: a gadget over n inputs, each recorded once."""
    made: dict[tuple[str, int], Template] = {}

    def get(name: str, n: int) -> Template:
        if (name, n) not in made:
            cs = ConstraintSystem(name)
            out = getattr(gadget, name)(cs, cs.input_array("x", n))
            cs.export_array("out", out if isinstance(out, list) else [out])
            made[name, n] = cs.freeze()
        return made[name, n]

    return get


def assert_equals_twin(template, name, inputs, engine=None):
    check = assert_satisfied(template(name, len(inputs)), inputs={"x": inputs}, engine=engine)
    want = getattr(twin, name)(inputs)
    for i, value in enumerate(want if isinstance(want, list) else [want]):
        assert check[f"out[{i}]"] == value


@pytest.mark.parametrize("t", WIDTHS)
@pytest.mark.parametrize("name", ["permute", "compress"])
def test_permutation__equals_its_twin_at_edges(name, t, template, engine):
    for inputs in ([0] * t, [MODULUS - 1] * t, list(range(t)), [pow(7, 50 + i, MODULUS) for i in range(t)]):
        assert_equals_twin(template, name, inputs, engine)


@settings(max_examples=10, deadline=None)
@given(data=st.data(), t=st.sampled_from(WIDTHS), name=st.sampled_from(["permute", "compress"]))
def test_permutation__equals_its_twin(data, t, name, template):
    assert_equals_twin(template, name, data.draw(st.lists(ELEMENTS, min_size=t, max_size=t)))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 7])
def test_hash__equals_its_twin(n, template, engine):
    for inputs in ([0] * n, [MODULUS - 1] * n, [pow(11, 50 + i, MODULUS) for i in range(n)]):
        assert_equals_twin(template, "poseidon2_hash", inputs, engine)


def test_rows__are_as_documented(template):
    assert [template("permute", t).num_constraints for t in WIDTHS] == [216, 240, 264, 363]
    assert [template("compress", t).num_constraints for t in WIDTHS] == [215, 239, 262, 359]
    assert [template("poseidon2_hash", n).num_constraints for n in (1, 3, 4, 7)] == [262, 262, 526, 790]


@pytest.mark.parametrize("t", WIDTHS)
def test_permute__catches_lies_about_its_results(t, template):
    """Its results are hints that the rows of the last S-boxes pin."""
    chosen = template("permute", t)
    assert len(find_hints(chosen)) == t
    assert_lies_caught(chosen, inputs={"x": list(range(t))})


@pytest.mark.parametrize("name", ["permute", "compress"])
def test_permutation__binds_every_wire(name, template):
    assert_every_wire_bound(template(name, 4), inputs={"x": [5, 6, 7, 8]})


def test_permute__of_known_lanes_is_the_twins_without_rows():
    cs = ConstraintSystem("known")
    out = gadget.permute(cs, [cs.constant(value) for value in (1, 2, 3, 4)])
    assert [x.constant_value for x in out] == twin.permute([1, 2, 3, 4])
    out = gadget.compress(cs, [cs.constant(9), cs.constant(MODULUS - 1)])
    assert out.constant_value == twin.compress([9, MODULUS - 1])


@pytest.mark.parametrize("n", [0, 1, 5, 9])
def test_permutation__refuses_another_number_of_lanes(n):
    cs = ConstraintSystem("poseidon2")
    lanes = cs.input_array("x", n)
    for function in (gadget.permute, gadget.compress):
        with pytest.raises(ValueError, match=f"permutes 2, 3, 4 or 8 lanes, got {n}"):
            function(cs, lanes)


def test_hash__refuses_no_input():
    with pytest.raises(ValueError, match="hashes 1 or more inputs, got 0"):
        gadget.poseidon2_hash(ConstraintSystem("poseidon2"), [])
