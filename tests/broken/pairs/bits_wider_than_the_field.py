"""A field element is decomposed into 256 bits.

Source: Hermez's circuits, audit by Solidified: `Num2Bits(256)` on a field element.
Exploit: x, x + r, x + 2r, ... up to 2^256 have different bits and satisfy the same rows; whatever is
packed from these bits has several accepted forms.
Repair: 253 bits, of which any value has one form.
"""

PROPERTIES = ("C5", "C15")
FLAGGED_BY = {"free": ("low",)}
SLOW = True
VALID = [{"x": 7}]


def rows(c, repaired):
    x = c.input("x")
    bits = c.bits("bits", x, 253 if repaired else 256)
    low = c.output("low", lambda v: v["bits[0]"] + 2 * v["bits[1]"])
    c.enforce(1, bits[0] + 2 * bits[1], low, "the lowest two bits")
