"""Two lists are compared by a fingerprint at a point that the prover computes as it likes.

Source: Lighter #01 and Frozen Heart's class: a challenge that does not depend on what it challenges.
Exploit: at z = 0, or at a root of the difference, different lists agree.
Repair: the point is a hash of both lists.
"""

from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C3", "C4")
FLAGGED_BY = {"free": ("z",), "accepted": ()}
LISTS = {"a": [1, 2], "b": [1, 2]}
VALID = [LISTS]
# a[0] z + a[1] = b[0] z + b[1] at z = 1, which the prover computes from the lists
INVALID = [({"a": [1, 2], "b": [2, 1]}, "fingerprints agree")]


def record(cs, repaired):
    a, b = cs.input_array("a", 2), cs.input_array("b", 2)
    if repaired:
        z = poseidon(cs, [*a, *b])
    else:
        (z,) = cs.hint_python(lambda *lists: 1, [*a, *b], 1)
    (z * (a[0] - b[0])).assert_equal(b[1] - a[1], label="fingerprints agree")
    cs.export("z", z)
