"""A nullifier is derived from a signature of which there are two.

Source: StealthDrop (2022): nullifiers from ECDSA signatures, and (r, n - s) verifies where (r, s) does.
Exploit: the holder claims twice, once with each signature. (A square root stands in for the signature.)
Repair: of the two the lower one is demanded.
"""

from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets.bits import assert_bits_less_than, to_bits
from zkrollup.gadgets.poseidon import poseidon

UNDECIDED = {"comparison": "a hint that names one of two small differences; nothing else depends on which"}
PROPERTIES = ("C4", "C11")
FLAGGED_BY = {"accepted": ()}
S = 1234567
VALID = [{"key": S * S, "s": S}]
INVALID = [({"key": S * S, "s": MODULUS - S}, "bit of a 253-bit number")]


def record(cs, repaired):
    key, s = cs.input("key"), cs.input("s")
    s.square().assert_equal(key, label="the signature verifies")
    if repaired:
        bits = to_bits(cs, s, 253)
        with cs.scope("comparison"):
            assert_bits_less_than(cs, bits, (MODULUS + 1) // 2)
    cs.export("nullifier", poseidon(cs, [s]))
