"""A comparator assumes small inputs, and nobody checks that they are.

Source: Dark Forest (2020): distances compared by circomlib's LessThan without range checks.
Exploit: r - 1, which stands for -1, counts as less than 10 although its canonical value is not.
Repair: both inputs are range checked first.
"""

from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_less_than

PROPERTIES = ("C5",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"a": 3, "b": 10}]
INVALID = [({"a": MODULUS - 1, "b": 10}, "bit of a 32-bit number")]


def record(cs, repaired):
    a, b = cs.input("a"), cs.input("b")
    if repaired:
        a, b = range_check(cs, a, 32), range_check(cs, b, 32)
    assert_less_than(cs, a, b, 32)
    cs.export("distance", b - a)
