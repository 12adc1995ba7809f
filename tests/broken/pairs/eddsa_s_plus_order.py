"""A signature's scalar S is decomposed and not shown to be below the order l.

Source: gnark's advisory GHSA-95v9-hv42-pwrj (2023) and gnark-crypto's issue 859.
Exploit: S + l gives the same point, so one signature has two forms; where S enters an identifier, a
message that was executed once is executed again. (A congruence modulo l stands in for the points.)
Repair: the bits of S are below l.
"""

from zkrollup.crypto.babyjubjub import ORDER
from zkrollup.gadgets.bits import assert_bits_less_than, to_bits

UNDECIDED = {"comparison": "a hint that names one of two small differences; nothing else depends on which"}
PROPERTIES = ("C11",)
FLAGGED_BY = {"accepted": ()}
S = 123456789
VALID = [{"s": S, "signed": S}]
INVALID = [({"s": S + ORDER, "signed": S}, "bits below a constant of 251 bits")]


def record(cs, repaired):
    s, signed = cs.input("s"), cs.input("signed")
    bits = to_bits(cs, s, 252)
    if repaired:
        with cs.scope("comparison"):
            assert_bits_less_than(cs, bits, ORDER)
    ((s - signed) * (s - signed - ORDER)).assert_equal(0, label="S B = R8 + h A")
    cs.export("identifier", 2 * s + 1)
