"""Pedersen hash against circomlibjs."""

from __future__ import annotations

import pytest

from zkrollup.crypto import babyjubjub
from zkrollup.crypto.pedersen import bits_of, pedersen_hash
from zkrollup.crypto.tables import PEDERSEN_BASES


def test_pedersen_hash__equals_circomlibjs(vectors):
    cases = vectors("pedersen/hash")
    lengths = set()
    for case in cases:
        message = bytes.fromhex(case["message"][2:])
        point = pedersen_hash(bits_of(message))
        assert point == tuple(case["point"])
        assert babyjubjub.pack(point).hex() == case["packed"]
        lengths.add(8 * len(message))
    assert {200, 208, 400, 408} <= lengths  # on both sides of a segment's end


def test_bases__are_those_that_circomlibjs_derives(vectors):
    assert [tuple(case["base"]) for case in vectors("pedersen/bases")] == list(PEDERSEN_BASES)
    for base in PEDERSEN_BASES:
        assert babyjubjub.in_subgroup(base)
        assert base != babyjubjub.IDENTITY


def test_pedersen_hash__does_not_separate_lengths_within_a_window():
    assert pedersen_hash([1, 0, 1]) == pedersen_hash([1, 0, 1, 0])
    assert pedersen_hash([1, 0, 1]) != pedersen_hash([1, 0, 1, 0, 0])


@pytest.mark.parametrize("count", [0, 2001])
def test_pedersen_hash__refuses_another_number_of_bits(count):
    with pytest.raises(ValueError, match=f"of {count} bits: expected 1 to 2000"):
        pedersen_hash([0] * count)


def test_pedersen_hash__refuses_what_is_no_bit():
    with pytest.raises(ValueError, match="expected bits, each 0 or 1"):
        pedersen_hash([0, 2])
