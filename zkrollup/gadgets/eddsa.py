"""EdDSA verification over BabyJubJub by the rules of ``crypto.eddsa`` and ``crypto.eddsa_variants``.

This module must not know what is signed: a message is one field element, or bits for Pedersen's variant.

Statement
---------
Given a key (ax, ay), a signature (r8x, r8y, s) and a message m, if ``enabled`` is 1 then

A. (ax, ay) is on the curve and 8 A is not the identity;
B. h = H(r8x, r8y, ax, ay, m), an integer 0 <= h < r, for H one of Poseidon, MiMC7, MiMC-sponge; for
   Pedersen's variant an integer 0 <= h < r that is congruent modulo l to the packed hash;
C. 0 <= s < l;
D. (r8x, r8y) = s * BASE8 - h * 8 A.

D says that R8 is on the curve: it is a point that the circuit has computed. All coordinates are field
elements, hence canonical. Torsion: a component in R8 fails D; one in A vanishes from 8 A and stays in h.

If ``enabled`` is 0 the key is replaced by BASE8, s must still be below l, and D is not demanded: any
message and key are accepted with the dummy signature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zkrollup.crypto.tables import BASE8, ORDER
from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.babyjubjub import (
    Edwards,
    Montgomery,
    add_distinct,
    add_t4,
    cofactor_multiple,
    multiply_base8,
    multiply_base8_plus_t4,
    multiply_plus_t2,
    to_edwards,
)
from zkrollup.gadgets.bits import assert_bits_less_than, to_bits
from zkrollup.gadgets.mimc import mimc7_hash, mimc_sponge
from zkrollup.gadgets.pedersen import pedersen_hash
from zkrollup.gadgets.points import compress
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import select

__all__ = [
    "DUMMY_SIGNATURE",
    "eddsa_mimc7_verify",
    "eddsa_mimc_sponge_verify",
    "eddsa_pedersen_verify",
    "eddsa_poseidon_verify",
    "public_key",
]

DUMMY_SIGNATURE = (*BASE8, 0)
"""(r8x, r8y, s) for a verification that is not enabled: R8 = BASE8, s = 0."""


def public_key(cs: ConstraintSystem, scalar: Field) -> Edwards:
    """The key k BASE8 of a scalar k, and the demand 0 <= k < l; ``crypto.babyjubjub.mul_base8``.

    Ranges: any field element. Assumes: nothing. Rows: 700. For a seed's key k is an eighth of its pruned
    digest, reduced modulo l: below l a key has one scalar.
    """
    bits = to_bits(cs, scalar, ORDER.bit_length())
    assert_bits_less_than(cs, bits, ORDER)
    return multiply_base8(cs, bits)


def eddsa_poseidon_verify(
    cs: ConstraintSystem,
    enabled: Bool,
    ax: Field,
    ay: Field,
    r8x: Field,
    r8y: Field,
    s: Field,
    message: Field,
) -> None:
    """Demand a valid signature where ``enabled`` is 1: the statement at the head of this file.

    Ranges: any field elements. Assumes: nothing. Rows: 2627.
    """
    _verify(
        cs, enabled, Edwards(ax, ay), Edwards(r8x, r8y), s, lambda r8, a: poseidon(cs, [*r8, *a, message])
    )


def eddsa_mimc7_verify(
    cs: ConstraintSystem,
    enabled: Bool,
    ax: Field,
    ay: Field,
    r8x: Field,
    r8y: Field,
    s: Field,
    message: Field,
) -> None:
    """Demand a valid signature with MiMC7 as the hash; ``crypto.eddsa_variants.verify_mimc7``.

    Ranges: any field elements. Assumes: nothing. Rows: 4129, of which the hash 1820.
    """
    _verify(
        cs, enabled, Edwards(ax, ay), Edwards(r8x, r8y), s, lambda r8, a: mimc7_hash(cs, [*r8, *a, message])
    )


def eddsa_mimc_sponge_verify(
    cs: ConstraintSystem,
    enabled: Bool,
    ax: Field,
    ay: Field,
    r8x: Field,
    r8y: Field,
    s: Field,
    message: Field,
) -> None:
    """Demand a valid signature with MiMC-sponge as the hash; ``crypto.eddsa_variants.verify_mimc_sponge``.

    Ranges: any field elements. Assumes: nothing. Rows: 5606, of which the hash 3297.
    """
    _verify(
        cs,
        enabled,
        Edwards(ax, ay),
        Edwards(r8x, r8y),
        s,
        lambda r8, a: mimc_sponge(cs, [*r8, *a, message])[0],
    )


def eddsa_pedersen_verify(
    cs: ConstraintSystem,
    enabled: Bool,
    ax: Field,
    ay: Field,
    r8x: Field,
    r8y: Field,
    s: Field,
    message: Sequence[Bool],
) -> None:
    """Demand a valid signature with Pedersen's hash; ``crypto.eddsa_variants.verify_pedersen``.

    Ranges: any field elements; a message of at most 1488 bits (``ValueError``), those of its bytes from the
    least significant up. Assumes: each bit is 0 or 1; not to be used where the proof of these
    signatures matters, which asks for a random oracle. Rows: 4790 and 6 for each four bits of the message.

    The packed hash is y + 2^255 g, with the sign g; 2^255 = c modulo l. Taken is h = y + g (c - l t), t the
    top bit of y. Let g be 1: for t = 1, y >= 2^253 > l and h lies between y - l > 0 and y; for t = 0, h is at
    most y + c < 2^253 + l < r. So 0 <= h < r as an integer, and h is congruent.
    """

    def challenge(r8: Edwards, key: Edwards) -> Field:
        with cs.scope("packed"):
            packed = [*compress(cs, r8), *compress(cs, key)]
        with cs.scope("hash"):
            *y, _, sign = compress(cs, pedersen_hash(cs, [*packed, *message]))
        c = (1 << 255) % ORDER
        terms: list[tuple[Field, int]] = [(bit, 1 << i) for i, bit in enumerate(y)]
        return cs.materialise(cs.linear([*terms, (sign, c), (sign & y[253], -ORDER)]))

    _verify(cs, enabled, Edwards(ax, ay), Edwards(r8x, r8y), s, challenge)


def _verify(
    cs: ConstraintSystem,
    enabled: Bool,
    claimed: Edwards,
    r8: Edwards,
    s: Field,
    hash_of: Callable[[Edwards, Edwards], Field],
) -> None:
    """The statement at the head of this file; ``hash_of(R8, A)`` is h."""
    with cs.scope("key"):
        key = Edwards(select(cs, enabled, claimed.x, BASE8[0]), select(cs, enabled, claimed.y, BASE8[1]))
        key8 = cofactor_multiple(cs, key)
    with cs.scope("challenge"):
        challenge = hash_of(r8, key)
    with cs.scope("s below l"):
        bits = to_bits(cs, s, ORDER.bit_length())
        assert_bits_less_than(cs, bits, ORDER)
    with cs.scope("s times BASE8"):
        left = multiply_base8_plus_t4(cs, bits)
    with cs.scope("challenge times key"):
        right = multiply_plus_t2(cs, key8, challenge)
    with cs.scope("equation"):
        # (s BASE8 + T4) - (h 8A + T2) = R8 - T4: distinct torsion, so the chord is distinct and the point has
        # Edwards coordinates. Adding T4 again is linear.
        difference = add_distinct(cs, left, Montgomery(right.u, -right.v))
        shifted = to_edwards(cs, difference)
        expected = add_t4(shifted)
        with cs.when(enabled):
            cs.assert_equal(r8.x, expected.x, label="R8 = s BASE8 - h 8A (x)")
            cs.assert_equal(r8.y, expected.y, label="R8 = s BASE8 - h 8A (y)")
