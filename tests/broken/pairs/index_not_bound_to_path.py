"""A Merkle proof's bits and the index that the rest of the circuit uses are different signals.

Source: Polygon's zkEVM and Scroll's trie circuits in review: the key was not bound to the path.
Exploit: the leaf at index 1 is opened while a nullifier is computed for index 0, 2, 3: spent four times.
Repair: the index is the number with the path's bits.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.bits import from_bits
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import conditional_swap

PROPERTIES = ("C9", "C13")
FLAGGED_BY = {"accepted": ()}
LEAVES = [71, 72, 73, 74]
NODES = [hash_of(LEAVES[:2]), hash_of(LEAVES[2:])]
GOOD = {"root": hash_of(NODES), "leaf": 72, "siblings": [71, NODES[1]], "path": [1, 0], "index": 1}
VALID = [GOOD]
INVALID = [(GOOD | {"index": 3}, "the index is that of the path")]


def record(cs, repaired):
    root, leaf, index = cs.input("root"), cs.input("leaf"), cs.input("index")
    path, siblings = cs.input_bool_array("path", 2), cs.input_array("siblings", 2)
    current = leaf
    for bit, sibling in zip(path, siblings, strict=True):
        current = poseidon(cs, conditional_swap(cs, bit, current, sibling))
    cs.assert_equal(current, root, label="the leaf is under the root")
    if repaired:
        cs.assert_equal(from_bits(cs, path), index, label="the index is that of the path")
    cs.export("nullifier", poseidon(cs, [index, leaf]))
