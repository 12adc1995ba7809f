"""Numbers of two limbs are added with a carry that has no range.

Source: class; emulated arithmetic of circom-pairing and halo2 libraries stands and falls with its carries.
Exploit: the low limb of the sum is any number in range, the carry is (a0 + b0 - low) / 2^16 in the field,
and the high limb takes up the rest.
Repair: the carry is 0 or 1.
"""

from zkrollup.gadgets.bits import range_check

PROPERTIES = ("C5", "C15")
FLAGGED_BY = {"free": ("low", "high")}
VALID = [{"a": [65000, 3], "b": [1000, 4]}, {"a": [1, 3], "b": [2, 4]}]


def record(cs, repaired):
    a, b = cs.input_uint_array("a", 2, 16), cs.input_uint_array("b", 2, 16)
    carry, low = cs.hint_divmod(a[0] + b[0], 1 << 16)
    range_check(cs, low, 16)
    if repaired:
        cs.assert_bool(carry, label="carry is 0 or 1")
    cs.assert_equal(a[0] + b[0], low + carry * (1 << 16), label="low limbs")
    cs.export("low", low)
    cs.export("high", a[1] + b[1] + carry)
