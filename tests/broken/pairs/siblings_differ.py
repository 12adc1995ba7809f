"""A leaf's update proves the roots before and after with different siblings.

Source: class; gnark's example rollup and Scroll's trie circuits, where one update has two paths.
Exploit: the second path brings in another sibling, so an untouched leaf is replaced in the same step.
Repair: both roots are computed from the same sibling.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C9", "C10")
FLAGGED_BY = {"accepted": ()}
BEFORE, AFTER, SIBLING, THEFT = 10, 11, 500, 501
VALID = [
    {
        "leaf": [BEFORE, AFTER],
        "sibling": [SIBLING, SIBLING],
        "root": [hash_of([BEFORE, SIBLING]), hash_of([AFTER, SIBLING])],
    }
]
INVALID = [
    (
        {
            "leaf": [BEFORE, AFTER],
            "sibling": [SIBLING, THEFT],
            "root": [hash_of([BEFORE, SIBLING]), hash_of([AFTER, THEFT])],
        },
        "the sibling is not touched",
    )
]


def record(cs, repaired):
    leaf, sibling, root = (cs.input_array(name, 2) for name in ("leaf", "sibling", "root"))
    if repaired:
        cs.assert_equal(*sibling, label="the sibling is not touched")
    for when, a, b, r in zip(("before", "after"), leaf, sibling, root, strict=True):
        cs.assert_equal(poseidon(cs, [a, b]), r, label=f"root {when}")
