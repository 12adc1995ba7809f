"""The remainder is in range, the quotient is any field element.

Source: class, division of PSE's zkEVM: the identity a = b q + r must hold over the integers, not mod r.
Exploit: for each remainder in range there is a field element q = (a - r) / 10.
Repair: the quotient has as many bits as the dividend.
"""

from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_less_than

PROPERTIES = ("C8",)
FLAGGED_BY = {"free": ("q", "r")}
VALID = [{"a": 37}]


def record(cs, repaired):
    a = cs.input_uint("a", 8)
    q, r = cs.hint_divmod(a, 10)
    if repaired:
        range_check(cs, q, 8)
    range_check(cs, r, 4)
    assert_less_than(cs, r, cs.constant(10), 4)
    cs.assert_equal(a, 10 * q + r, label="a = 10 q + r")
    cs.export("q", q)
    cs.export("r", r)
