"""Sender and recipient are both proved against the root before the transaction.

Source: MACI and gnark's example rollup in review: a leaf that is used is not proved against the current root.
Exploit: in a transfer to oneself the recipient's update starts from the balance before the debit, and
overwrites it: money appears. (A sum stands in for the tree of two leaves.)
Repair: the recipient is proved against the root after the sender's update.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C10", "C9")
FLAGGED_BY = {"accepted": ()}
# Account 0 has 10 and sends 4 to itself; the other leaf holds 77.
MIDDLE = hash_of([6, 77])
HONEST = {"before": hash_of([10, 77]), "sender": 10, "recipient": 6, "amount": 4, "sibling": 77}
VALID = {True: [HONEST], False: [HONEST | {"sender": 10, "recipient": 10, "amount": 0}]}
FORGED = HONEST | {"recipient": 10}
INVALID = {repaired: [(FORGED, "the recipient's leaf is current")] for repaired in (False, True)}


def record(cs, repaired):
    before, sender, recipient, amount, sibling = (
        cs.input(n) for n in ("before", "sender", "recipient", "amount", "sibling")
    )
    cs.assert_equal(poseidon(cs, [sender, sibling]), before, label="the sender's leaf is current")
    middle = cs.materialise(poseidon(cs, [sender - amount, sibling]))
    root = middle if repaired else before
    cs.assert_equal(poseidon(cs, [recipient, sibling]), root, label="the recipient's leaf is current")
    cs.export("after", poseidon(cs, [recipient + amount, sibling]))
