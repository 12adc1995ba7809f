"""EdDSA-Poseidon against circomlibjs. What a verifier must refuse is in tests/security/test_crypto.py."""

from __future__ import annotations

import pytest

from zkrollup.crypto import babyjubjub, eddsa
from zkrollup.crypto.babyjubjub import ORDER
from zkrollup.crypto.eddsa import PrivateKey, Signature
from zkrollup.crypto.tables import MODULUS

SEED = bytes(range(32))


def test_public_key__equals_circomlibjs(vectors):
    for case in vectors("eddsa/keys"):
        key = eddsa.public_key(bytes.fromhex(case["seed"]))
        assert key == tuple(case["key"])
        assert babyjubjub.pack(key).hex() == case["packed"]


def test_sign__equals_circomlibjs_byte_for_byte(vectors):
    for case in vectors("eddsa/signatures"):
        signature = eddsa.sign(bytes.fromhex(case["seed"]), case["message"])
        assert signature == (*case["r8"], case["s"])
        assert signature.pack().hex() == case["packed"]
        assert Signature.unpack(bytes.fromhex(case["packed"])) == signature


def test_verify__accepts_circomlibjs_signatures_and_no_neighbour(vectors):
    for case in vectors("eddsa/signatures")[::4]:
        key, message, signature = tuple(case["key"]), case["message"], (*case["r8"], case["s"])
        assert eddsa.verify(key, message, signature)
        assert not eddsa.verify(key, (message + 1) % MODULUS, signature)
        assert not eddsa.verify(babyjubjub.negate(key), message, signature)
        assert not eddsa.verify(key, message, (*case["r8"], (case["s"] + 1) % ORDER))
        assert not eddsa.verify(key, message, (-case["r8"][0] % MODULUS, case["r8"][1], case["s"]))


@pytest.mark.parametrize("message", [-1, MODULUS, MODULUS + 1])
def test_message__must_be_canonical(message):
    key = PrivateKey(SEED)
    with pytest.raises(ValueError, match="message: expected 0 <= value < "):
        key.sign(message)
    with pytest.raises(ValueError, match="message: expected 0 <= value < "):
        eddsa.verify(key.public_key, message, key.sign(0))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_private_key__must_be_32_bytes(length):
    with pytest.raises(ValueError, match=f"private key: expected 32 bytes, got {length}"):
        PrivateKey(bytes(length))


@pytest.mark.parametrize("seed", ["a" * 32, 5, None])
def test_private_key__refuses_what_is_no_bytes(seed: object) -> None:
    with pytest.raises(TypeError, match=f"private key: expected 32 bytes, not {type(seed).__name__}"):
        PrivateKey(seed)  # type: ignore[arg-type]


def test_private_key__does_not_show_its_secret():
    key = PrivateKey(SEED)
    assert str(key._scalar) not in repr(key)
    assert SEED.hex() not in repr(key)


def test_unpack__refuses_wrong_lengths_and_unreduced_scalars():
    packed = PrivateKey(SEED).sign(7).pack()
    for data in (packed[:-1], packed + b"\0"):
        with pytest.raises(ValueError, match="packed signature: expected 64 bytes"):
            Signature.unpack(data)
    with pytest.raises(ValueError, match="expected s < l"):
        Signature.unpack(packed[:32] + ORDER.to_bytes(32, "little"))
    with pytest.raises(ValueError, match="packed point"):
        Signature.unpack(MODULUS.to_bytes(32, "little") + packed[32:])
