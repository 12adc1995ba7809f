"""Two points in Montgomery form are added by the chord, also when they are equal.

Source: circomlib's MontgomeryAdd, which says nothing where both abscissas agree.
Exploit: the slope is 0/0, any number satisfies its row, and the sum may be chosen.
Repair: the difference of the abscissas has an inverse.
"""

from zkrollup.cs.scalar_field import MODULUS

PROPERTIES = ("C4", "C11")
FLAGGED_BY = {"free": ("u",), "accepted": ()}
VALID = [{"u1": 7, "v1": 9, "u2": 11, "v2": 4}]
INVALID = [({"u1": 7, "v1": 9, "u2": 7, "v2": 9}, "the abscissas differ")]
MONTGOMERY_A = 168698


def divide(a, b):
    return a * pow(b, -1, MODULUS) if b % MODULUS else 0


def rows(c, repaired):
    u1, v1, u2, v2 = (c.input(name) for name in ("u1", "v1", "u2", "v2"))
    slope = c.signal("slope", lambda v: divide(v["v2"] - v["v1"], v["u2"] - v["u1"]))
    c.enforce(slope, u2 - u1, v2 - v1, "slope")
    if repaired:
        inverse = c.signal("inverse", lambda v: divide(1, v["u2"] - v["u1"]))
        c.enforce(u2 - u1, inverse, 1, "the abscissas differ")
    u = c.output("u", lambda v: v["slope"] ** 2 - MONTGOMERY_A - v["u1"] - v["u2"])
    c.enforce(slope, slope, u + MONTGOMERY_A + u1 + u2, "u")
    v = c.output("v", lambda w: w["slope"] * (w["u1"] - w["u"]) - w["v1"])
    c.enforce(slope, u1 - u, v + v1, "v")
