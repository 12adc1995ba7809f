"""Verifying keys and proofs as files and bytes, against what snarkjs writes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.encoding import MalformedInput, NotInSubgroup, NotOnCurve, PointAtInfinity, WrongLength
from zkrollup.bn254.fields import FQ_MODULUS
from zkrollup.groth16.keys import DegenerateKey, MalformedFile, Proof, VerifyingKey

SNARKJS = Path(__file__).parents[1] / "vectors" / "groth16" / "product"

# On the twist, outside the subgroup of order r.
OUTSIDE = (
    (1, 0),
    (
        3610091866386166428467545612961983990332663701371483510632385378352395651980,
        15975588672102553735566230729081043132501226101599136527557730645158523614371,
    ),
)


@pytest.fixture(scope="module")
def vk():
    return VerifyingKey.load(SNARKJS / "verification_key.json")


@pytest.fixture(scope="module")
def proof():
    return Proof.load(SNARKJS / "proof.json")


def edited(name, **changes):
    return json.dumps(json.loads((SNARKJS / name).read_text()) | changes)


def test_verifying_key__is_written_as_snarkjs_writes_it(vk):
    ours, theirs = json.loads(vk.to_json()), json.loads((SNARKJS / "verification_key.json").read_text())
    assert ours == theirs | {"circuit_digest": "", "insecure": False}


def test_verifying_key__returns_from_json_with_its_extra_fields(vk, tmp_path):
    key = replace(vk, insecure=True, circuit_digest="ab" * 32)
    assert VerifyingKey.from_json(key.to_json()) == key
    key.save(tmp_path / "vk.json")
    assert VerifyingKey.load(tmp_path / "vk.json") == key
    assert key.to_json() == VerifyingKey.from_json(key.to_json()).to_json()


def test_digest__names_the_points_and_nothing_else(vk):
    assert replace(vk, insecure=True).digest == vk.digest
    assert replace(vk, alpha1=g1.GENERATOR).digest != vk.digest
    assert replace(vk, ic=vk.ic[:-1]).digest != vk.digest


def test_proof__is_written_as_snarkjs_writes_it(proof, tmp_path):
    assert json.loads(proof.to_json()) == json.loads((SNARKJS / "proof.json").read_text())
    proof.save(tmp_path / "proof.json")
    assert Proof.load(tmp_path / "proof.json") == proof


def test_calldata__is_what_snarkjs_prints(proof):
    public = [int(value) for value in json.loads((SNARKJS / "public.json").read_text())]
    assert proof.to_calldata(public) == (SNARKJS / "calldata.txt").read_text().strip()


def test_proof_bytes__are_256_and_return(proof):
    data = proof.to_bytes()
    assert len(data) == 256
    assert Proof.from_bytes(data) == proof
    for wrong in (data[:-1], data + b"\0", b""):
        with pytest.raises(WrongLength, match=f"proof: expected 256 bytes, got {len(wrong)}"):
            Proof.from_bytes(wrong)


def test_infinity__returns_from_json():
    proof = Proof(g1.INFINITY, g2.INFINITY, g1.GENERATOR)
    assert Proof.from_json(proof.to_json()) == proof


def test_montgomery_bytes__are_little_endian_limbs_real_part_first(vk, proof):
    data = proof.to_montgomery_bytes()
    values = [int.from_bytes(data[i : i + 32], "little") for i in range(0, 256, 32)]
    flat = [*proof.a, *proof.b[0], *proof.b[1], *proof.c]
    assert [v * pow(1 << 256, -1, FQ_MODULUS) % FQ_MODULUS for v in values] == flat
    assert all(v < FQ_MODULUS for v in values)
    data = vk.to_montgomery_bytes()
    assert len(data) == 64 + 3 * 128 + 64 * len(vk.ic)
    assert int.from_bytes(data[64:96], "little") == vk.beta2[0][0] * (1 << 256) % FQ_MODULUS
    assert int.from_bytes(data[-32:], "little") == vk.ic[-1][1] * (1 << 256) % FQ_MODULUS


def test_key_before_any_contribution__is_refused():
    """V3: snarkjs's key before phase 2 has gamma = delta; two deployed systems used it."""
    with pytest.raises(DegenerateKey, match=r"uncontributed_key\.json: .*gamma2 equals delta2"):
        VerifyingKey.load(SNARKJS / "uncontributed_key.json")


def test_construction__refuses_opposite_gamma_and_delta(vk):
    """V3: with delta = -gamma the same forgery works with C negated."""
    with pytest.raises(DegenerateKey):
        replace(vk, delta2=g2.negate(vk.gamma2))


@pytest.mark.parametrize("name", ["beta2", "gamma2", "delta2"])
def test_construction__refuses_bad_points_of_g2(vk, name):
    with pytest.raises(NotInSubgroup, match=f"verifying key {name}"):
        replace(vk, **{name: OUTSIDE})
    with pytest.raises(PointAtInfinity, match=f"verifying key {name}"):
        replace(vk, **{name: g2.INFINITY})
    with pytest.raises(NotOnCurve, match=f"verifying key {name}"):
        replace(vk, **{name: ((1, 0), (1, 0))})


def test_construction__refuses_bad_points_of_g1(vk):
    with pytest.raises(NotOnCurve, match="verifying key alpha1"):
        replace(vk, alpha1=(1, 1))
    with pytest.raises(PointAtInfinity, match=r"verifying key ic\[1\]"):
        replace(vk, ic=(vk.ic[0], g1.INFINITY, vk.ic[2]))
    with pytest.raises(MalformedInput, match="expected at least one point"):
        replace(vk, ic=())
    with pytest.raises(MalformedInput, match="circuit_digest: expected 64 hex digits, got 'xyz'"):
        replace(vk, circuit_digest="xyz")


BIG = str(FQ_MODULUS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "plonk"}, "k.json: protocol: expected 'groth16', got 'plonk'"),
        ({"curve": "bls12381"}, "k.json: curve: expected 'bn128', got 'bls12381'"),
        ({"nPublic": 3}, "k.json: nPublic: expected 2, one less than the points of IC, got 3"),
        ({"nPublic": True}, "k.json: nPublic: expected 2"),
        ({"nPublic": 2**64 - 1}, "k.json: nPublic: expected 2"),
        ({"IC": []}, "k.json: IC: expected an array that is not empty"),
        ({"IC": 7}, "k.json: IC: expected an array that is not empty, got 7"),
        ({"IC": [["1", "2"]], "nPublic": 0}, "k.json: IC[0]: expected an array of 3"),
        ({"vk_alpha_1": ["1", "2", "3"]}, 'k.json: vk_alpha_1[2]: expected "1" (an affine point)'),
        ({"vk_alpha_1": [1, "2", "1"]}, "k.json: vk_alpha_1[0]: expected a decimal number below q"),
        ({"vk_alpha_1": ["01", "2", "1"]}, "k.json: vk_alpha_1[0]: expected a decimal number below q"),
        ({"vk_alpha_1": ["-1", "2", "1"]}, "k.json: vk_alpha_1[0]: expected a decimal number below q"),
        ({"vk_alpha_1": ["1", BIG, "1"]}, "k.json: vk_alpha_1[1]: expected a decimal number below q"),
        ({"vk_alpha_1": ["1", "9" * 10_000, "1"]}, "k.json: vk_alpha_1[1]: expected a decimal number"),
        ({"vk_beta_2": [["1", "2"], ["3"], ["1", "0"]]}, "k.json: vk_beta_2[1]: expected an array of 2"),
        ({"vk_beta_2": [["1", "2"], ["3", BIG], ["1", "0"]]}, "k.json: vk_beta_2[1][1]: expected a decimal"),
        ({"vk_beta_2": [["1", "2"], ["3", "4"], ["2", "0"]]}, "k.json: vk_beta_2[2]: expected"),
        ({"vk_alpha_1": ["1", "1", "1"]}, "k.json: verifying key alpha1: not on the curve"),
        (
            {"circuit_digest": "12"},
            "k.json: circuit_digest: expected 64 hex digits or an empty string, got '12'",
        ),
        ({"insecure": "yes"}, "k.json: insecure: expected true or false, got 'yes'"),
    ],
)
def test_json__errors_name_file_place_and_what_was_expected(changes, message):
    with pytest.raises(MalformedInput) as caught:
        VerifyingKey.from_json(edited("verification_key.json", **changes), source="k.json")
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["protocol", "curve", "nPublic", "IC", "vk_alpha_1", "vk_delta_2"])
def test_json__names_a_missing_field(name):
    document = json.loads((SNARKJS / "verification_key.json").read_text())
    del document[name]
    with pytest.raises(MalformedFile, match=f"k.json: {name}: expected this field, got nothing"):
        VerifyingKey.from_json(json.dumps(document), source="k.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p.json: expected JSON"),
        ("[" * 1_000_000, "p.json: expected JSON of at most 16 levels"),
        ('{"a": ' * 1_000_000, "p.json: expected JSON of at most 16 levels"),
        ('["[[[[[[[[[[[[[[[[[[[[[[[[["]', "p.json: expected a JSON object"),
        (b"\xff\xfe\x00", "p.json: expected JSON"),
        ("[]", r"p.json: expected a JSON object, got \[\]"),
        ('{"curve": "bn128", "curve": "bn128"}', "p.json: curve: expected each name once"),
    ],
)
def test_json__refuses_what_is_no_object(text, message):
    with pytest.raises(MalformedFile, match=message):
        Proof.from_json(text, source="p.json")


def test_json__every_truncation_is_a_clear_error():
    text = (SNARKJS / "proof.json").read_text().strip()
    for length in range(0, len(text), 7):
        with pytest.raises(MalformedFile, match=r"p\.json: expected JSON"):
            Proof.from_json(text[:length], source="p.json")


def test_load__refuses_a_huge_file_unread(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(MalformedFile, match="expected at most"):
        VerifyingKey.load(path)
