"""A comparison is computed and its result is used nowhere.

Source: circom-pairing (2022): `BigLessThan` was called on every coordinate and its output never read.
Exploit: a coordinate above the bound passes, so a signature has many encodings.
Repair: the result is asserted to be 1.
"""

from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import less_than

PROPERTIES = ("C2", "C5")
FLAGGED_BY = {"accepted": ()}
VALID = [{"x": 99}, {"x": 0}]
INVALID = [({"x": 100}, "x is below the bound"), ({"x": 255}, "x is below the bound")]


def record(cs, repaired):
    x = cs.input("x")
    range_check(cs, x, 8)
    below = less_than(cs, x, cs.constant(100), 8)
    if repaired:
        cs.assert_equal(below, 1, label="x is below the bound")
    cs.export("coordinate", x)
