"""Poseidon against circomlibjs and against its slow twin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.poseidon import permute_reference, poseidon, poseidon_reference
from zkrollup.crypto.tables import MODULUS, poseidon_parameters

REPOSITORY = Path(__file__).parents[2]
ELEMENTS = st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, MODULUS - 1])


@pytest.mark.parametrize("n", range(1, 17))
def test_poseidon__equals_circomlibjs(n, vectors):
    cases = vectors(f"poseidon/{n:02}_inputs")
    assert [len(case["inputs"]) for case in cases] == [n] * 4
    for case in cases:
        assert poseidon(case["inputs"]) == case["output"]
        assert poseidon_reference(case["inputs"]) == case["output"]


@settings(max_examples=60, deadline=None)
@given(st.lists(ELEMENTS, min_size=1, max_size=16))
def test_poseidon__equals_its_slow_twin(inputs):
    assert poseidon(inputs) == poseidon_reference(inputs)


@pytest.mark.parametrize("function", [poseidon, poseidon_reference])
@pytest.mark.parametrize("value", [-1, MODULUS, MODULUS + 1, 1 << 256])
def test_poseidon__refuses_a_value_that_is_not_canonical(function, value):
    with pytest.raises(ValueError, match="Poseidon input 1: expected 0 <= value < r"):
        function([0, value])


@pytest.mark.parametrize("function", [poseidon, poseidon_reference])
@pytest.mark.parametrize("count", [0, 17])
def test_poseidon__refuses_another_number_of_inputs(function, count):
    with pytest.raises(ValueError, match=f"takes 1 .. 16 inputs, got {count}"):
        function([0] * count)


def test_poseidon__separates_lengths():
    assert len({poseidon([0] * n) for n in range(1, 17)}) == 16


def test_constants__are_what_the_generator_writes():
    script = REPOSITORY / "native" / "gen" / "poseidon_constants.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True)


@pytest.mark.parametrize("t", range(2, 18))
def test_parameters__have_their_shapes_and_canonical_limbs(t):
    table = poseidon_parameters(t)
    rounds = table.rounds_full + table.rounds_partial
    assert len(table.round_constants) == rounds * t
    assert [len(row) for row in table.mds] == [t] * t
    for array, values in (
        (table.round_constants_canonical(), table.round_constants),
        (table.mds_canonical(), [m for row in table.mds for m in row]),
    ):
        assert array.shape == (len(values), 4)
        assert array.dtype.str == "<u8"
        assert array.flags.c_contiguous
        assert [sum(int(limb) << 64 * i for i, limb in enumerate(row)) for row in array] == list(values)
        assert all(0 <= value < MODULUS for value in values)


@pytest.mark.parametrize("t", [1, 18])
def test_parameters__refuse_another_width(t):
    with pytest.raises(ValueError, match=r"expected 2 \.\. 17"):
        poseidon_parameters(t)


def test_permutation__mixes_every_lane_into_every_lane():
    before = permute_reference([0, 0, 0])
    for lane in range(3):
        after = permute_reference([int(i == lane) for i in range(3)])
        assert all(x != y for x, y in zip(before, after, strict=True))
