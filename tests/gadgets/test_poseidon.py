"""The Poseidon gadget against its twin and circomlibjs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import poseidon as twin
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets.poseidon import first_sbox, poseidon, poseidon_from_first_sbox

ELEMENTS = st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, MODULUS - 1])


@pytest.fixture(scope="module")
def hash_of():
    """The template of a hash of n inputs, each recorded once."""
    made: dict[int, Template] = {}

    def get(n: int) -> Template:
        if n not in made:
            cs = ConstraintSystem("poseidon")
            cs.export("out", poseidon(cs, cs.input_array("x", n)))
            made[n] = cs.freeze()
        return made[n]

    return get


@pytest.mark.parametrize("n", range(1, 17))
def test_poseidon__equals_its_twin_at_edges(n, hash_of):
    for inputs in ([0] * n, [MODULUS - 1] * n, list(range(n)), [pow(7, 50 + i, MODULUS) for i in range(n)]):
        check = hash_of(n).check(inputs={"x": inputs})
        assert check.satisfied
        assert check["out"] == twin.poseidon(inputs)


@settings(max_examples=15, deadline=None)
@given(data=st.data(), n=st.sampled_from([1, 2, 3, 4, 5, 15, 16]))
def test_poseidon__equals_its_twin(data, n, hash_of):
    inputs = data.draw(st.lists(ELEMENTS, min_size=n, max_size=n))
    check = hash_of(n).check(inputs={"x": inputs})
    assert check.satisfied
    assert check["out"] == twin.poseidon(inputs)


@pytest.mark.parametrize("n", [0, 17])
def test_poseidon__refuses_another_number_of_inputs(n):
    cs = ConstraintSystem("poseidon")
    with pytest.raises(ValueError, match=f"takes 1 .. 16 inputs, got {n}"):
        poseidon(cs, cs.input_array("x", n))


def test_poseidon__of_known_inputs_is_the_twins_and_saves_their_s_boxes():
    cs = ConstraintSystem("poseidon")
    cs.export("out", poseidon(cs, [cs.constant(3), cs.input("x"), cs.constant(MODULUS - 1)]))
    template = cs.freeze()
    assert template.check(inputs={"x": 9})["out"] == twin.poseidon([3, 9, MODULUS - 1])
    assert template.num_constraints == 259 - 6


def test_poseidon_from_first_sbox__continues_from_the_images_of_the_inputs():
    inputs = [0, 1, MODULUS - 1, 12345]
    cs = ConstraintSystem("poseidon")
    cs.export("out", poseidon_from_first_sbox(cs, cs.input_array("y", 4)))
    template = cs.freeze()
    lanes = [first_sbox(4, k, value) for k, value in enumerate(inputs)]
    assert template.check(inputs={"y": lanes})["out"] == twin.poseidon(inputs)
    assert template.num_constraints == 283
