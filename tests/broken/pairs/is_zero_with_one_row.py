"""The is-zero test has only the row `out = 1 - x w`.

Source: class; the second row of circomlib's IsZero looks redundant and is not (MACI, StealthDrop: outputs
that are no function of the inputs).
Exploit: w is the prover's, so out is any value whenever x is not zero.
Repair: the row `x out = 0`.
"""

from zkrollup.cs.scalar_field import MODULUS

PROPERTIES = ("C3", "C4")
FLAGGED_BY = {"free": ("out",)}
VALID = [{"x": 7}]


def rows(c, repaired):
    x = c.input("x")
    inverse = c.signal("inverse", lambda v: pow(v["x"], -1, MODULUS) if v["x"] else 0)
    out = c.output("out", lambda v: 1 - v["x"] * v["inverse"])
    c.enforce(x, inverse, 1 - out, "out = 1 - x inverse")
    if repaired:
        c.enforce(x, out, 0, "x out = 0")
