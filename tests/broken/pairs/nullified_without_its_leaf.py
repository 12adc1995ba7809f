"""A forced transaction is nullified for lack of funds by a balance that nobody opened.

Source: Solidified's finding 3 on Hermez and C17: nullification needs the true leaf.
Exploit: the prover claims a balance of zero and skips the withdrawal.
Repair: the leaf is opened in any case, not only where the transaction applies.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.compare import less_or_equal
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import select

PROPERTIES = ("C10", "C17")
FLAGGED_BY = {"accepted": ()}
LEAF = hash_of([4, 9])
VALID = [
    {"amount": 5, "owner": 4, "balance": 9, "leaf": LEAF},
    {"amount": 10, "owner": 4, "balance": 9, "leaf": LEAF},
]
INVALID = [({"amount": 5, "owner": 4, "balance": 0, "leaf": LEAF}, "the leaf opens")]


def record(cs, repaired):
    amount, balance = cs.input_uint("amount", 32), cs.input_uint("balance", 32)
    owner, leaf = cs.input("owner"), cs.input("leaf")
    applies = less_or_equal(cs, amount, balance, 32)
    opened = poseidon(cs, [owner, balance])
    if repaired:
        cs.assert_equal(opened, leaf, label="the leaf opens")
    else:
        with cs.when(applies):
            cs.assert_equal(opened, leaf, label="the leaf opens")
    cs.export("leaf after", select(cs, applies, poseidon(cs, [owner, balance - amount]), leaf))
