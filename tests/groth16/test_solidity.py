"""The contract's text and the calldata: every number is the key's or the proof's, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254 import FQ_MODULUS, FR_MODULUS, g1, g2
from zkrollup.bn254.encoding import MalformedInput
from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import DegenerateKey, Proof, VerifyingKey, load_public_inputs
from zkrollup.groth16.solidity import (
    MAX_PUBLIC_INPUTS,
    InsecureKey,
    calldata,
    function_signature,
    verifier_contract,
)

VECTORS = Path(__file__).parents[1] / "vectors"
SNARKJS = VECTORS / "groth16_files"


@pytest.fixture(scope="module")
def vk() -> VerifyingKey:
    return VerifyingKey.load(SNARKJS / "verification_key.json")


@pytest.fixture(scope="module")
def proof() -> Proof:
    return Proof.load(SNARKJS / "proof.json")


def test_contract__is_the_snapshot(vk: VerifyingKey) -> None:
    assert verifier_contract(vk) == (VECTORS / "evm" / "verifier.sol").read_text()


def test_contract__constants_are_the_key_and_nothing_else(vk: VerifyingKey) -> None:
    found = dict(re.findall(r"uint256 private constant (\w+) = (\d+);", verifier_contract(vk)))
    expected = {"Q": FQ_MODULUS, "R": FR_MODULUS, "ALPHA_X": vk.alpha1[0], "ALPHA_Y": vk.alpha1[1]}
    for name, (x, y) in (("BETA", vk.beta2), ("GAMMA", vk.gamma2), ("DELTA", vk.delta2)):
        expected |= {f"{name}_X_RE": x[0], f"{name}_X_IM": x[1]}
        expected |= {f"{name}_Y_RE": y[0], f"{name}_Y_IM": y[1]}
    for i, (a, b) in enumerate(vk.ic):
        expected |= {f"IC{i}_X": a, f"IC{i}_Y": b}
    assert {name: int(value) for name, value in found.items()} == expected
    uses = verifier_contract(vk).partition("assembly {")[2]
    assert {name for name in expected if not re.search(rf"\b{name}\b", uses)} == set()


def test_contract__every_public_input_is_used_once_and_compared_with_r(vk: VerifyingKey) -> None:
    source = verifier_contract(vk)
    assert re.findall(r"calldataload\((?:add\()?inputs(?:, (\w+))?", source) == ["", "0x20", "0x40"]
    assert source.count("lt(s, R)") == 1
    assert source.count(", Q))") + source.count(", Q)\n") == 8


def test_contract__without_public_inputs_has_no_empty_array(vk: VerifyingKey) -> None:
    source = verifier_contract(replace(vk, ic=vk.ic[:1]))
    assert "inputs" not in source.partition("function verifyProof")[2]
    assert "uint256[0]" not in source


def test_contract__gamma_equal_delta_up_to_sign_is_refused_even_behind_the_constructor(
    vk: VerifyingKey,
) -> None:
    for delta in (vk.gamma2, g2.negate(vk.gamma2)):
        forged = replace(vk)
        object.__setattr__(forged, "delta2", delta)
        with pytest.raises(DegenerateKey, match="gamma2 equals delta2 up to sign"):
            verifier_contract(forged)


def test_contract__one_partys_key_is_refused_unless_allowed_and_then_says_so(vk: VerifyingKey) -> None:
    insecure = replace(vk, insecure=True)
    with pytest.raises(InsecureKey, match=r"INSECURE, one party made it .* --allow-insecure"):
        verifier_contract(insecure)
    source = verifier_contract(insecure, allow_insecure=True)
    assert source.index("INSECURE") < source.index("pragma")
    assert "/// @custom:security INSECURE" in source
    assert "INSECURE" not in verifier_contract(vk, allow_insecure=True)


@pytest.mark.parametrize("name", ["", "2fast", "a b", "A{}", "x" * 65, "Ä"])
def test_contract__a_name_that_is_none_is_refused(vk: VerifyingKey, name: str) -> None:
    with pytest.raises(MalformedInput, match="contract name: expected a Solidity identifier"):
        verifier_contract(vk, name=name)


def test_contract__too_many_public_inputs_are_refused(vk: VerifyingKey) -> None:
    wide = replace(vk, ic=(g1.GENERATOR,) * (MAX_PUBLIC_INPUTS + 2))
    with pytest.raises(MalformedInput, match="251 public inputs: at most 250"):
        verifier_contract(wide)
    assert verifier_contract(replace(wide, ic=wide.ic[:-1])).count("addTerm(sum, IC") == MAX_PUBLIC_INPUTS


def test_signature__has_the_selector_of_snarkjs_verifier() -> None:
    assert function_signature(3) == "verifyProof(uint256[2],uint256[2][2],uint256[2],uint256[3])"
    assert keccak256(function_signature(3).encode())[:4].hex() == "11479fea"
    assert function_signature(0) == "verifyProof(uint256[2],uint256[2][2],uint256[2])"


def test_calldata__decodes_to_the_numbers_that_snarkjs_prints(proof: Proof) -> None:
    inputs = load_public_inputs(SNARKJS / "public.json")
    data = calldata(proof, inputs)
    words = [data[i : i + 32].hex() for i in range(4, len(data), 32)]
    assert words == re.findall(r"0x([0-9a-f]{64})", proof.to_calldata(inputs))
    assert data[:4].hex() == "11479fea"


coordinates = st.integers(0, FQ_MODULUS - 1)
pairs = st.tuples(coordinates, coordinates)


@given(
    a=pairs, b=st.tuples(pairs, pairs), c=pairs, inputs=st.lists(st.integers(0, FR_MODULUS - 1), max_size=5)
)
@settings(max_examples=50, deadline=None)
def test_calldata__is_static_arrays_end_to_end(a, b, c, inputs) -> None:
    data = calldata(Proof(a, b, c), inputs)
    words = [int.from_bytes(data[i : i + 32], "big") for i in range(4, len(data), 32)]
    assert words == [*a, b[0][1], b[0][0], b[1][1], b[1][0], *c, *inputs]


def test_calldata__an_input_that_is_not_below_r_is_refused(proof: Proof) -> None:
    for wrong in (-1, FR_MODULUS, 1 << 300):
        with pytest.raises(MalformedInput, match="public input 1: expected 0 <= x < r"):
            calldata(proof, [0, wrong])
