"""The sum of two amounts is checked for one bit more than the state stores.

Source: class, off by one in a range; found in several rollups' balance checks.
Exploit: 2^64 passes the check of 65 bits and is stored in 64: the account is emptied, or money appears.
Repair: 64 bits.
"""

from zkrollup.gadgets.bits import range_check

PROPERTIES = ("C5", "C6")
FLAGGED_BY = {"accepted": ()}
TOP = 2**64 - 1
VALID = [{"balance": 5, "amount": 7}, {"balance": TOP - 7, "amount": 7}]
INVALID = [({"balance": TOP, "amount": 1}, "bit of a 64-bit number")]


def record(cs, repaired):
    balance, amount = cs.input_uint("balance", 64), cs.input_uint("amount", 64)
    after = range_check(cs, balance + amount, 64 if repaired else 65)
    cs.export("balance after", after)
