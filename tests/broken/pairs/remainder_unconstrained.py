"""Quotient and remainder are tied by one row, and the remainder has no range.

Source: Aztec Connect's claim proof (2021), where a division's remainder was not bounded.
Exploit: any quotient does, with remainder a - b q: the prover claims a share as large as the range allows.
Repair: remainder < divisor, which a zero divisor cannot satisfy.
"""

from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_less_than

PROPERTIES = ("C8",)
FLAGGED_BY = {"free": ("q", "r")}
VALID = [{"a": 1000, "b": 7}]


def record(cs, repaired):
    a, b = cs.input_uint("a", 32), cs.input_uint("b", 16)
    q, r = cs.hint_divmod(a, b)
    range_check(cs, q, 32)
    if repaired:
        assert_less_than(cs, range_check(cs, r, 16), b, 16)
    (b * q).assert_equal(a - r, label="a = b q + r")
    cs.export("q", q)
    cs.export("r", r)
