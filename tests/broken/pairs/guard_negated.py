"""A conditional demand holds where its flag is 0 instead of where it is 1.

Source: class, negated selectors; PSE's and Polygon's zkEVM reviews list several.
Exploit: every enabled signature check is skipped, and no honest test with valid data notices.
Repair: `when(enabled)`.
"""

PROPERTIES = ("C6", "C12")
FLAGGED_BY = {"accepted": ()}
VALID = [{"enabled": 1, "tag": 5, "expected": 5}, {"enabled": 0, "tag": 5, "expected": 5}]
INVALID = [({"enabled": 1, "tag": 6, "expected": 5}, "the tag verifies")]


def record(cs, repaired):
    enabled, tag, expected = cs.input_bool("enabled"), cs.input("tag"), cs.input("expected")
    with cs.when(enabled if repaired else ~enabled):
        cs.assert_equal(tag, expected, label="the tag verifies")
