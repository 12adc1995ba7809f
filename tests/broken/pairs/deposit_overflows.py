"""A balance grows without a range check on the sum.

Source: RollupNC's state update; Loopring and ZKSwap in review: sums of amounts beyond their field.
Exploit: deposits push a 64-bit balance to 2^64; what packs or compares it afterwards sees a wrapped number.
Repair: the balance after has 64 bits.
"""

from zkrollup.gadgets.bits import range_check

PROPERTIES = ("C6",)
FLAGGED_BY = {"accepted": ()}
TOP = 2**64 - 1
VALID = [{"balance": 5, "amount": 7}, {"balance": TOP - 7, "amount": 7}]
INVALID = [({"balance": TOP, "amount": 1}, "bit of a 64-bit number")]


def record(cs, repaired):
    balance, amount = cs.input_uint("balance", 64), cs.input_uint("amount", 64)
    after = balance + amount
    if repaired:
        range_check(cs, after, 64)
    cs.export("balance after", after)
