"""A demand is made conditional on the wrong flag.

Source: class, ZKSwap V3 in review: checks attached to another operation's selector.
Exploit: a withdrawal that nobody authorised passes, as its check only runs for deposits.
Repair: the check runs for withdrawals.
"""

PROPERTIES = ("C6", "C13")
FLAGGED_BY = {"accepted": ()}
GOOD = {"is_deposit": 0, "is_withdrawal": 1, "amount": 5, "authorised": 5}
VALID = [GOOD]
INVALID = [(GOOD | {"amount": 500}, "the amount is authorised")]


def record(cs, repaired):
    is_deposit, is_withdrawal = cs.input_bool("is_deposit"), cs.input_bool("is_withdrawal")
    amount, authorised = cs.input("amount"), cs.input("authorised")
    cs.assert_equal(is_deposit + is_withdrawal, 1, label="one operation")
    with cs.when(is_withdrawal if repaired else is_deposit):
        cs.assert_equal(amount, authorised, label="the amount is authorised")
    cs.export("change", (is_deposit - is_withdrawal) * amount)
