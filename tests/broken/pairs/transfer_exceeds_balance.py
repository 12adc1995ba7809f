"""A transfer subtracts the amount from the balance and does not compare them.

Source: RollupNC's `update_state_verifier` (2019).
Exploit: an amount above the balance leaves r minus something: an unlimited balance.
Repair: the balance after has 64 bits.
"""

from zkrollup.gadgets.bits import range_check

PROPERTIES = ("C6",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"balance": 9, "amount": 9}, {"balance": 9, "amount": 0}]
INVALID = [({"balance": 9, "amount": 10}, "bit of a 64-bit number")]


def record(cs, repaired):
    balance, amount = cs.input_uint("balance", 64), cs.input_uint("amount", 64)
    after = balance - amount
    if repaired:
        range_check(cs, after, 64)
    cs.export("balance after", after)
