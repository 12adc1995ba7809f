"""The remainder may equal the divisor: `<=` where `<` is meant.

Source: class; found in division gadgets of Polygon's and PSE's zkEVM reviews.
Exploit: 20 = 2 * 10 + 0 = 1 * 10 + 10, so a multiple of the divisor has two quotients.
Repair: remainder < 10.
"""

from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_less_or_equal, assert_less_than

PROPERTIES = ("C8",)
FLAGGED_BY = {"free": ("q",)}
VALID = [{"a": 20}, {"a": 37}]


def record(cs, repaired):
    a = cs.input_uint("a", 8)
    q, r = cs.hint_divmod(a, 10)
    range_check(cs, q, 8)
    range_check(cs, r, 4)
    compare = assert_less_than if repaired else assert_less_or_equal
    compare(cs, r, cs.constant(10), 4)
    cs.assert_equal(a, 10 * q + r, label="a = 10 q + r")
    cs.export("q", q)
