"""One bit of a decomposition has no row that makes it 0 or 1.

Source: the commonest class of circuit bugs, "missing bit constraint" in 0xPARC's collection; a test of ours
deletes any one row.
Exploit: that wire takes up any difference: 3 = 1 + 2 * 0 + 4 * (1/2), so the other bits are free too.
Repair: the row `b (b - 1) = 0` for every bit.
"""

PROPERTIES = ("C1", "C2", "C7")
FLAGGED_BY = {"free": ("bits[2]", "bits[0]"), "boolean": ("bits[2]",)}
VALID = [{"x": 11}]


def rows(c, repaired):
    x = c.input("x")
    bits = c.bits("bits", x, 5, boolean=lambda i: repaired or i != 2)
    top = c.output("top", lambda v: v["bits[4]"])
    c.enforce(1, bits[4], top, "top bit")
