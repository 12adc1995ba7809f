"""254 bits given from outside are packed into a field element and the sum wraps.

Source: class, Bits2Num(254) and C15: a field element must have one accepted form in bits.
Exploit: the bits of x + r pack to x: a hash given in bits has two spellings, and what is marked as used under
one is used again under the other.
Repair: the bits are below r.
"""

from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets.bits import assert_bits_less_than, from_bits

UNDECIDED = {"comparison": "a hint that names one of two small differences; nothing else depends on which"}
PROPERTIES = ("C5", "C15")
FLAGGED_BY = {"accepted": ()}
SLOW = True


def bits(n):
    return [n >> i & 1 for i in range(254)]


VALID = [{"bits": bits(5), "spent": 5}]
INVALID = [({"bits": bits(5 + MODULUS), "spent": 5}, "bits below r")]


def record(cs, repaired):
    given, spent = cs.input_bool_array("bits", 254), cs.input("spent")
    if repaired:
        with cs.scope("comparison"):
            assert_bits_less_than(cs, given, MODULUS)
    cs.assert_equal(from_bits(cs, given), spent, label="the number that is marked as used")
    cs.export("first bit", given[0])
