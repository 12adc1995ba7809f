"""The signed recipient and the index of the credited leaf are different signals.

Source: ZKSwap V3 in review (CVF-16, CVF-17).
Exploit: the operator credits its own leaf for somebody's transfer.
Repair: they are equal where the transfer is enabled.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C13",)
FLAGGED_BY = {"accepted": ()}
GOOD = {"key": 4, "to": 7, "credited": 7, "balance": 10, "amount": 3, "tag": hash_of([4, 7, 3])}
VALID = [GOOD]
INVALID = [(GOOD | {"credited": 8}, "the signed recipient is credited")]


def record(cs, repaired):
    key, to, credited, balance, amount, tag = (
        cs.input(n) for n in ("key", "to", "credited", "balance", "amount", "tag")
    )
    cs.assert_equal(poseidon(cs, [key, to, amount]), tag, label="the transfer is authorised")
    if repaired:
        cs.assert_equal(to, credited, label="the signed recipient is credited")
    cs.export("leaf after", poseidon(cs, [credited, balance + amount]))
