"""A number is reduced modulo 251 and the remainder only has 8 bits.

Source: class; Era's HAL-01 and non-canonical field elements in emulated arithmetic.
Exploit: 755 = 3 * 251 + 2 = 2 * 251 + 253: a residue below 5 has two forms.
Repair: the residue is below 251.
"""

from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_less_than

PROPERTIES = ("C8", "C15")
FLAGGED_BY = {"free": ("residue",)}
VALID = [{"x": 755}, {"x": 250}]


def record(cs, repaired):
    x = cs.input_uint("x", 16)
    q, residue = cs.hint_divmod(x, 251)
    range_check(cs, q, 16)
    range_check(cs, residue, 8)
    if repaired:
        assert_less_than(cs, residue, cs.constant(251), 8)
    cs.assert_equal(x, q * 251 + residue, label="x = 251 q + residue")
    cs.export("residue", residue)
