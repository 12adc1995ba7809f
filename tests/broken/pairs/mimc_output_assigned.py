"""A hash's output is assigned with `=` instead of `<==`, so that no row defines it.

Source: circomlib's MiMCSponge, found through Tornado Cash (2019): the last line assigned the output and did
not constrain it.
Exploit: the prover writes any number as the hash; every membership proof built on it can be forged.
Repair: the row `out = t7 + k`.
"""

PROPERTIES = ("C1", "C4")
FLAGGED_BY = {"free": ("out",), "mutation": ("out",), "unused": ("out",)}
VALID = [{"x": 12, "k": 34}]


def rows(c, repaired):
    x, k = c.input("x"), c.input("k")
    t = x + k
    t2 = c.product("t2", t, t)
    t4 = c.product("t4", t2, t2)
    t6 = c.product("t6", t4, t2)
    t7 = c.product("t7", t6, t)
    out = c.output("out", lambda v: v["t7"] + v["k"])
    if repaired:
        c.enforce(1, t7 + k, out, "out is the hash")
