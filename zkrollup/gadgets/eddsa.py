"""EdDSA-Poseidon verification over BabyJubJub, by the rule of ``crypto.eddsa.verify``.

This module must not know what is signed: a message is one field element.

Statement
---------
Given a key (ax, ay), a signature (r8x, r8y, s) and a message m, if ``enabled`` is 1 then

A. (ax, ay) is on the curve and 8 A is not the identity;
B. h = Poseidon(r8x, r8y, ax, ay, m), an integer 0 <= h < r;
C. 0 <= s < l;
D. (r8x, r8y) = s * BASE8 - h * 8 A.

D says that R8 is on the curve: it is a point that the circuit has computed. All coordinates are field
elements, hence canonical. Torsion: a component in R8 fails D; one in A vanishes from 8 A and stays in h.

If ``enabled`` is 0 the key is replaced by BASE8, s must still be below l, and D is not demanded: any
message and key are accepted with the dummy signature.
"""

from __future__ import annotations

from zkrollup.crypto.tables import BASE8, ORDER
from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.babyjubjub import (
    Edwards,
    Montgomery,
    add_distinct,
    add_t4,
    cofactor_multiple,
    multiply_base8_plus_t4,
    multiply_plus_t2,
    to_edwards,
)
from zkrollup.gadgets.bits import assert_bits_less_than, to_bits
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import select

__all__ = ["DUMMY_SIGNATURE", "eddsa_poseidon_verify"]

DUMMY_SIGNATURE = (*BASE8, 0)
"""(r8x, r8y, s) for a verification that is not enabled: R8 = BASE8, s = 0."""


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
    with cs.scope("key"):
        key = Edwards(select(cs, enabled, ax, BASE8[0]), select(cs, enabled, ay, BASE8[1]))
        key8 = cofactor_multiple(cs, key)
    with cs.scope("challenge"):
        challenge = poseidon(cs, [r8x, r8y, key.x, key.y, message])
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
            cs.assert_equal(r8x, expected.x, label="R8 = s BASE8 - h 8A (x)")
            cs.assert_equal(r8y, expected.y, label="R8 = s BASE8 - h 8A (y)")
