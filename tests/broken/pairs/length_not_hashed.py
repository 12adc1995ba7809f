"""A list is padded with zeros to a fixed length and hashed without its length.

Source: class, "hash collision by padding"; C15's packing that is not injective.
Exploit: the lists [a] and [a, 0] have the same hash: a payment of nothing is added to a signed batch.
Repair: the length is hashed too.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C14", "C15")
FLAGGED_BY = {"accepted": ()}


def case(repaired, length):
    return {"items": [5, 0], "length": length, "hash": hash_of([5, 0, *([1] if repaired else [])])}


VALID = {repaired: [case(repaired, 1)] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired, 2), "hash of the list")] for repaired in (False, True)}


def record(cs, repaired):
    items, length, expected = cs.input_array("items", 2), cs.input("length"), cs.input("hash")
    cs.assert_equal(
        poseidon(cs, [*items, *([length] if repaired else [])]), expected, label="hash of the list"
    )
    ((length - 1) * (length - 2)).assert_equal(0, label="one or two items")
    ((length - 2) * items[1]).assert_equal(0, label="what is beyond the length is zero")
