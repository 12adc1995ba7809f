"""MiMC7 and MiMC-sponge against circomlibjs."""

from __future__ import annotations

import pytest

from zkrollup.crypto.mimc import mimc7, mimc7_hash, mimc_feistel, mimc_sponge
from zkrollup.crypto.tables import MODULUS, mimc7_constants, mimc_sponge_constants


def test_mimc7__equals_circomlibjs(vectors):
    for case in vectors("mimc/mimc7"):
        assert mimc7(case["x"], case["k"]) == case["output"]
    cases = vectors("mimc/mimc7_multi")
    assert {len(case["inputs"]) for case in cases} == {1, 2, 3, 5}
    for case in cases:
        assert mimc7_hash(case["inputs"], case["key"]) == case["output"]


def test_mimc_sponge__equals_circomlibjs(vectors):
    for case in vectors("mimc/feistel"):
        assert list(mimc_feistel(case["left"], case["right"], case["k"])) == case["output"]
    cases = vectors("mimc/sponge")
    assert {len(case["output"]) for case in cases} == {1, 3}
    for case in cases:
        assert mimc_sponge(case["inputs"], case["key"], len(case["output"])) == case["output"]


def test_constants__have_zeros_at_the_ends():
    assert len(mimc7_constants()) == 91
    assert mimc7_constants()[0] == 0
    sponge = mimc_sponge_constants()
    assert len(sponge) == 220
    assert sponge[0] == sponge[-1] == 0
    assert len(set(sponge)) == 219


@pytest.mark.parametrize("value", [-1, MODULUS])
def test_mimc__refuses_a_value_that_is_not_canonical(value):
    with pytest.raises(ValueError, match="MiMC7 input"):
        mimc7_hash([value])
    with pytest.raises(ValueError, match="MiMC7 key"):
        mimc7(1, value)
    with pytest.raises(ValueError, match="MiMC-sponge input 1"):
        mimc_sponge([1, value])


def test_mimc_sponge__refuses_no_output():
    with pytest.raises(ValueError, match="1 or more outputs, not 0"):
        mimc_sponge([1], outputs=0)
