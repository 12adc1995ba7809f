"""A note's nullifier contains a number that the note does not commit to.

Source: class, "nullifier not unique" (StealthDrop, several mixers): a note has more than one nullifier.
Exploit: with another salt the note is spent again.
Repair: the salt is part of the commitment.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C4", "C10")
FLAGGED_BY = {"accepted": ()}


def case(repaired, salt):
    committed = [31, 20, *([8] if repaired else [])]
    return {"secret": 31, "amount": 20, "salt": salt, "note": hash_of(committed)}


VALID = {repaired: [case(repaired, 8)] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired, 9), "the note opens")] for repaired in (False, True)}


def record(cs, repaired):
    secret, amount, salt, note = (cs.input(n) for n in ("secret", "amount", "salt", "note"))
    committed = [secret, amount, *([salt] if repaired else [])]
    cs.assert_equal(poseidon(cs, committed), note, label="the note opens")
    cs.export("nullifier", poseidon(cs, [secret, salt]))
