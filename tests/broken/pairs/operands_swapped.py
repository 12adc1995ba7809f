"""A comparison has its operands the wrong way round.

Source: class; C6, where valid tests use equal numbers.
Exploit: only amounts above the balance pass.
Repair: amount <= balance.
"""

from zkrollup.gadgets.compare import assert_less_or_equal

PROPERTIES = ("C6",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"amount": 9, "balance": 9}]
INVALID = [({"amount": 10, "balance": 9}, "bit of a 32-bit number")]


def record(cs, repaired):
    amount, balance = cs.input_uint("amount", 32), cs.input_uint("balance", 32)
    pair = (amount, balance) if repaired else (balance, amount)
    assert_less_or_equal(cs, *pair, 32)
    cs.export("packed", amount + (1 << 32) * balance)
