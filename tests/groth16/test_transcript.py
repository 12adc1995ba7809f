"""What a ceremony hashes and draws, against its twins and against what snarkjs left in files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.encoding import MalformedInput, g1_to_bytes, g2_to_bytes
from zkrollup.bn254.fields import FQ_MODULUS as Q
from zkrollup.engine import get_engine
from zkrollup.formats.contributions import Beacon
from zkrollup.formats.ptau import Ptau
from zkrollup.groth16.blake2b import Blake2b
from zkrollup.groth16.transcript import (
    ChaCha,
    beacon_generator,
    compressed,
    g1_from_limbs,
    g1_to_limbs,
    g2_from_limbs,
    g2_to_limbs,
    hash_to_g2,
    limbs,
    uncompressed,
)

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "ceremony"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.binary(max_size=300), max_size=4))
def test_blake2b__agrees_with_hashlib_and_survives_being_taken_apart(pieces: list[bytes]) -> None:
    ours, theirs = Blake2b(), hashlib.blake2b(digest_size=64)
    for piece in pieces:
        ours = Blake2b.resume(ours.partial())
        ours.update(piece)
        theirs.update(piece)
        assert ours.digest() == theirs.digest()


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 256, 257])
def test_blake2b__agrees_around_the_ends_of_blocks(length: int) -> None:
    data = bytes(range(256)) * 2
    assert Blake2b(data[:length]).digest() == hashlib.blake2b(data[:length], digest_size=64).digest()


def test_blake2b__refuses_a_state_that_cannot_be() -> None:
    state = bytearray(Blake2b(b"x").partial())
    state[200] = 129
    with pytest.raises(ValueError, match="0 bytes hashed and 129 waiting"):
        Blake2b.resume(bytes(state))


def test_state_of_snarkjs__finishes_to_the_response_that_its_challenge_begins_with() -> None:
    """The recorded state, resumed, gives the hash that the next challenge was computed from."""
    powers, engine = Ptau.load(VECTORS / "raw_5.ptau"), get_engine()
    last = powers.contributions[-1]
    h = Blake2b.resume(last.partial_hash)
    for proof in (last.tau, last.alpha, last.beta):
        for point in (proof.g1_s, proof.g1_sx):
            h.update(g1_to_bytes(g1_from_limbs(point, "s")))
    for proof in (last.tau, last.alpha, last.beta):
        h.update(g2_to_bytes(g2_from_limbs(proof.g2_spx, "s")))
    challenge = hashlib.blake2b(h.digest(), digest_size=64)
    for points in (powers.tau_g1, powers.tau_g2, powers.alpha_tau_g1, powers.beta_tau_g1):
        challenge.update(uncompressed(engine, points))
    challenge.update(uncompressed(engine, powers.beta_g2.reshape(1, 16)))
    assert challenge.digest() == last.next_challenge
    # and the state itself is that of the compressed response
    response = Blake2b(powers.contributions[-2].next_challenge)
    for points in (powers.tau_g1, powers.tau_g2, powers.alpha_tau_g1, powers.beta_tau_g1):
        response.update(compressed(engine, points))
    response.update(compressed(engine, powers.beta_g2.reshape(1, 16)))
    assert response.partial()[128:] == last.partial_hash[128:]


def test_stream__is_that_of_rfc_8439() -> None:
    """Appendix A.1, test vectors 1 and 2: everything zero, then counter 1."""
    zero = ChaCha(bytes(32))
    assert [zero.word() for _ in range(4)] == [0xADE0B876, 0x903DF1A0, 0xE56A5D40, 0x28BD8653]
    assert [zero.word() for _ in range(13)][-1] == 0xBEE7079F  # the first word of the second block


def test_drawn_points__are_in_their_groups_and_follow_from_the_seed() -> None:
    one, two = ChaCha(b"\x07" * 32), ChaCha(b"\x07" * 32)
    points = [one.g1() for _ in range(3)]
    assert points == [two.g1() for _ in range(3)]
    assert all(map(g1.is_on_curve, points))
    assert len(set(points)) == 3
    twist = one.g2()
    assert g2.in_subgroup(twist)
    assert twist == two.g2() != ChaCha(b"\x08" * 32).g2()
    assert hash_to_g2(b"\x08" * 64) == ChaCha(b"\x08" * 32).g2()


def test_beacon__hashes_its_value_as_often_as_it_says() -> None:
    digest = b"abc"
    for _ in range(8):
        digest = hashlib.sha256(digest).digest()
    assert beacon_generator(Beacon(b"abc", 3)).word() == ChaCha(digest).word()


def test_points__survive_bytes_in_montgomery_form() -> None:
    p, q = g1.mul(g1.GENERATOR, 12345), g2.mul(g2.GENERATOR, 6789)
    assert g1_from_limbs(g1_to_limbs(p), "p") == p
    assert g2_from_limbs(g2_to_limbs(q), "q") == q
    with pytest.raises(MalformedInput, match="delta1: "):
        g1_from_limbs(bytes(64), "delta1")
    with pytest.raises(MalformedInput, match="delta2: "):
        g2_from_limbs(g2_to_limbs(q)[:-1] + b"\xff", "delta2")


def test_bytes_of_points__agree_with_the_plain_twin() -> None:
    engine = get_engine()
    ps = [g1.mul(g1.GENERATOR, k) for k in (1, 2, 3, 77)]
    qs = [g2.mul(g2.GENERATOR, k) for k in (1, 2, 3, 77)]
    ps += [g1.negate(p) for p in ps]
    qs += [g2.negate(q) for q in qs]
    a = np.concatenate([limbs(g1_to_limbs(p)) for p in ps] + [np.zeros((1, 8), np.uint64)])
    b = np.concatenate([limbs(g2_to_limbs(q)) for q in qs] + [np.zeros((1, 16), np.uint64)])
    assert uncompressed(engine, a) == b"".join(map(g1_to_bytes, ps)) + bytes(64)
    assert uncompressed(engine, b) == b"".join(map(g2_to_bytes, qs)) + bytes(128)
    wanted = b""
    for p in ps:
        x = p[0] | (1 << 255 if p[1] > Q // 2 else 0)
        wanted += x.to_bytes(32, "big")
    assert compressed(engine, a) == wanted + b"\x40" + bytes(31)
    wanted = b""
    for (x0, x1), (y0, y1) in qs:
        larger = (y1 or y0) > Q // 2
        wanted += (x1 | (1 << 255 if larger else 0)).to_bytes(32, "big") + x0.to_bytes(32, "big")
    assert compressed(engine, b) == wanted + b"\x40" + bytes(63)
