"""A flag is computed, and the row that should use it was forgotten.

Source: Polygon's zkEVM, where an `isNeg` flag was computed and constrained nothing.
Exploit: a negative difference is treated as a positive one.
Repair: the magnitude is d or -d by the flag.
"""

PROPERTIES = ("C16", "C2")
FLAGGED_BY = {"unused": ("isNeg",), "mutation": ("isNeg",), "accepted": ()}
VALID = [{"a": 9, "b": 4, "magnitude": 5}]
INVALID = [({"a": 4, "b": 9, "magnitude": -5}, "magnitude by sign")]


def rows(c, repaired):
    a, b, magnitude = c.input("a"), c.input("b"), c.input("magnitude")
    c.bits("a", a, 8)
    c.bits("b", b, 8)
    is_negative = c.signal("isNeg", lambda v: int(v["a"] < v["b"]))
    if repaired:
        bits = c.bits("difference", a - b + 256, 9)
        c.enforce(1, 1 - bits[8], is_negative, "the sign is that of the difference")
        c.enforce(1 - 2 * is_negative, a - b, magnitude, "magnitude by sign")
    else:
        c.enforce(1, a - b, magnitude, "magnitude")
