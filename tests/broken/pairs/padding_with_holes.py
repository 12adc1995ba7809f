"""Flags say which slots of a batch are real, and may have holes.

Source: Scroll in review (TOB-3-4, TOB-3-10): padding flags that were boolean and not monotone.
Exploit: two batches with the same transactions at other places have the same count and another hash chain;
a transaction hides behind a padded slot.
Repair: after a padded slot there is no real one.
"""

from itertools import pairwise

PROPERTIES = ("C14",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"real": [1, 1, 0, 0]}, {"real": [0, 0, 0, 0]}, {"real": [1, 1, 1, 1]}]
INVALID = [({"real": [1, 0, 1, 0]}, "padding is at the end")]


def record(cs, repaired):
    real = cs.input_bool_array("real", 4)
    if repaired:
        for earlier, later in pairwise(real):
            ((1 - earlier) * later).assert_equal(0, label="padding is at the end")
    cs.export("count", cs.sum(real))
