"""A bitwise operation is computed with `<--` and no row states it.

Source: aes-circuits in the field's bug trackers: XOR of bytes by `<--`.
Exploit: the output, and with it the ciphertext, is any byte.
Repair: bit by bit `out = a + b - 2 a b`.
"""

PROPERTIES = ("C3", "C4")
FLAGGED_BY = {"free": ("out[0]", "out[3]")}
VALID = [{"a": 0b1100, "b": 0b1010}]


def rows(c, repaired):
    a, b = c.bits("a", c.input("a"), 4), c.bits("b", c.input("b"), 4)
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        out = c.output(f"out[{i}]", lambda v, i=i: v[f"a[{i}]"] ^ v[f"b[{i}]"])
        if repaired:
            c.enforce(2 * x, y, x + y - out, f"out[{i}] is the exclusive or")
        else:
            c.enforce(out, out - 1, 0, f"out[{i}] is a bit")
