"""Leaves and inner nodes are hashed alike, and a proof may be shorter.

Source: class, "second preimage by tree depth"; Scroll's trie circuits separated the two domains later.
Exploit: the two children of an inner node are presented as key and value of a leaf that nobody wrote.
Repair: a leaf's hash has a third input, its tag.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import select

PROPERTIES = ("C9", "C10")
FLAGGED_BY = {"accepted": ()}
TAG = 1


def case(repaired):
    """A valid opening at depth two, and the inner node's children as a leaf at depth one."""

    def leaf(key, value):
        return hash_of([key, value, TAG] if repaired else [key, value])

    inner, third = [leaf(5, 50), leaf(6, 60)], leaf(7, 70)
    root = hash_of([hash_of(inner), third])
    valid = {"root": root, "key": 5, "value": 50, "siblings": [inner[1], third], "short": 0}
    forged = {"root": root, "key": inner[0], "value": inner[1], "siblings": [0, third], "short": 1}
    return valid, forged


VALID = {repaired: [case(repaired)[0]] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired)[1], "the leaf is under the root")] for repaired in (False, True)}


def record(cs, repaired):
    root, key, value = cs.input("root"), cs.input("key"), cs.input("value")
    siblings, short = cs.input_array("siblings", 2), cs.input_bool("short")
    leaf = poseidon(cs, [key, value, cs.constant(TAG)] if repaired else [key, value])
    node = select(cs, short, leaf, poseidon(cs, [leaf, siblings[0]]))
    cs.assert_equal(poseidon(cs, [node, siblings[1]]), root, label="the leaf is under the root")
