"""A comparator is instantiated so wide that the decomposition inside it wraps.

Source: circomlib's LessThan beyond 252 bits, and gnark's advisory GHSA-rjjm-x32p-m3f7.
Exploit: a - b + 2^253 has two decompositions of 254 bits where it is below 2^254 - r, and they differ in
the bit that is the answer.
Repair: as many bits as the numbers have, 252 at most, and the numbers are shown to have so many.
"""

PROPERTIES = ("C5",)
FLAGGED_BY = {"free": ("less",), "accepted": ()}
SLOW = True
VALID = [{"a": 3, "b": 5}, {"a": 2**64 - 1, "b": 0}]
INVALID = [({"a": 0, "b": 2**253 - 1}, "b has 64 bits recompose")]


def rows(c, repaired):
    a, b = c.input("a"), c.input("b")
    n = 64 if repaired else 253
    if repaired:
        c.bits("a has 64 bits", a, n)
        c.bits("b has 64 bits", b, n)
    bits = c.bits("difference", a - b + (1 << n), n + 1)
    less = c.output("less", lambda v: 1 - v[f"difference[{n}]"])
    c.enforce(1, 1 - bits[n], less, "less")
