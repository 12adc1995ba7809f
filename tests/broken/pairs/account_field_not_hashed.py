"""An account's hash leaves out one of its fields.

Source: class, MACI and Scroll's trie circuits: state that the root does not commit to.
Exploit: the token of a balance is chosen at each use: a worthless token becomes a valuable one.
Repair: the field is hashed.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C10",)
FLAGGED_BY = {"accepted": ()}


def case(repaired, token):
    return {"owner": 4, "balance": 9, "token": token, "leaf": hash_of([4, 9, *([1] if repaired else [])])}


VALID = {repaired: [case(repaired, 1)] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired, 2), "the leaf opens")] for repaired in (False, True)}


def record(cs, repaired):
    owner, balance, token, leaf = (cs.input(n) for n in ("owner", "balance", "token", "leaf"))
    fields = [owner, balance, *([token] if repaired else [])]
    cs.assert_equal(poseidon(cs, fields), leaf, label="the leaf opens")
    cs.export("withdrawn", balance + (1 << 128) * token)
