"""The change of coordinates divides by x, which is zero at the point (0, -1).

Source: circomlib's Edwards2Montgomery, whose rows are `u (1 - y) = 1 + y` and `v x = u`.
Exploit: at (0, -1) u is 0 and v any number: a point of order two becomes any point with u = 0.
Repair: x has an inverse.
"""

from zkrollup.cs.scalar_field import MODULUS

PROPERTIES = ("C4", "C11")
FLAGGED_BY = {"free": ("v",), "accepted": ()}
VALID = [{"x": 3, "y": 5}]
INVALID = [({"x": 0, "y": MODULUS - 1}, "x is not zero")]


def divide(a, b):
    return a * pow(b, -1, MODULUS) if b % MODULUS else 0


def rows(c, repaired):
    x, y = c.input("x"), c.input("y")
    u = c.output("u", lambda v: divide(1 + v["y"], 1 - v["y"]))
    v = c.output("v", lambda w: divide(w["u"], w["x"]))
    c.enforce(1 - y, u, 1 + y, "u")
    c.enforce(x, v, u, "v")
    if repaired:
        inverse = c.signal("inverse", lambda w: divide(1, w["x"]))
        c.enforce(x, inverse, 1, "x is not zero")
