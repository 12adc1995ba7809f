"""A padded slot is skipped in the data but not in the state: its update still counts.

Source: Scroll in review (TOB-3-10): padding that takes part in accumulators.
Exploit: the prover changes the state in a slot that no published data describes.
Repair: the root after is the root before where the slot is padding.
"""

from zkrollup.gadgets.select import select

PROPERTIES = ("C14",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"real": 1, "before": 5, "updated": 8, "after": 8}]
INVALID = [({"real": 0, "before": 5, "updated": 8, "after": 8}, "the root after")]


def record(cs, repaired):
    real = cs.input_bool("real")
    before, updated, after = cs.input("before"), cs.input("updated"), cs.input("after")
    cs.export("published", select(cs, real, updated - before, 0))
    root = select(cs, real, updated, before) if repaired else updated
    cs.assert_equal(root, after, label="the root after")
