"""The authorised message leaves out the nonce.

Source: Hermez in review (TOB-14): fields of a transaction outside the signature.
Exploit: one authorisation is replayed with every later nonce until the account is empty.
Repair: the nonce is hashed with the rest. (The tag stands in for a signature.)
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C12",)
FLAGGED_BY = {"accepted": ()}


def case(repaired, nonce):
    message = [99, 5, 7, *([3] if repaired else [])]
    return {"key": 99, "to": 5, "amount": 7, "nonce": nonce, "tag": hash_of(message)}


VALID = {repaired: [case(repaired, 3)] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired, 4), "the transaction is authorised")] for repaired in (False, True)}


def record(cs, repaired):
    key, to, amount, nonce, tag = (cs.input(name) for name in ("key", "to", "amount", "nonce", "tag"))
    message = [key, to, amount, *([nonce] if repaired else [])]
    cs.assert_equal(poseidon(cs, message), tag, label="the transaction is authorised")
    cs.export("nonce after", nonce + 1)
