"""A square root is demanded by its square alone.

Source: class, "two roots": square roots, inverses of maps, decompression.
Exploit: the prover returns r - s instead of s, which is no small number.
Repair: the root has 126 bits, and of s and r - s only one has.
"""

from math import isqrt

from zkrollup.gadgets.bits import range_check

PROPERTIES = ("C3", "C4")
FLAGGED_BY = {"free": ("root",)}
VALID = [{"x": 49}, {"x": (2**125 + 3) ** 2}]


def record(cs, repaired):
    x = cs.input("x")
    (root,) = cs.hint_python(lambda n: isqrt(n), [x], 1)
    if repaired:
        range_check(cs, root, 126)
    root.square().assert_equal(x, label="the square of the root")
    cs.export("root", root)
