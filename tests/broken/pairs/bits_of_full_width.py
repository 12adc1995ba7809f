"""254 bits recompose a field element, and nothing keeps them below r.

Source: zkopru's issue 116; gnark's advisory GHSA-rjjm-x32p-m3f7 on comparisons of full-width numbers.
Exploit: for x < 2^254 - r the bits of x + r satisfy the same rows, so a comparison or a parity taken from
them can be chosen.
Repair: the bits are also shown to be below r.
"""

from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets.bits import assert_bits_less_than, from_bits

UNDECIDED = {"comparison": "a hint that names one of two small differences; nothing else depends on which"}
PROPERTIES = ("C5", "C15")
FLAGGED_BY = {"free": ("parity",)}
SLOW = True
VALID = [{"x": 5}, {"x": MODULUS - 1}]


def record(cs, repaired):
    x = cs.input("x")
    bits = [cs.assert_bool(b, label="bit") for b in cs.hint_bits(x, 254)]
    cs.assert_equal(from_bits(cs, bits), x, label="bits recompose x")
    if repaired:
        with cs.scope("comparison"):
            assert_bits_less_than(cs, bits, MODULUS)
    cs.export("parity", bits[0])
