"""A deposit pays no fee, but its fee is not forced to be zero.

Source: ZKSwap V3 in review (CVF-18, CVF-24).
Exploit: the fee is credited to the operator and debited from nobody: tokens out of nothing.
Repair: fee = 0 where the operation has none.
"""

PROPERTIES = ("C13",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"is_deposit": 0, "fee": 3, "collected": 10}, {"is_deposit": 1, "fee": 0, "collected": 10}]
INVALID = [({"is_deposit": 1, "fee": 3, "collected": 10}, "a deposit has no fee")]


def record(cs, repaired):
    is_deposit, fee, collected = cs.input_bool("is_deposit"), cs.input("fee"), cs.input("collected")
    if repaired:
        with cs.when(is_deposit):
            cs.assert_equal(fee, 0, label="a deposit has no fee")
    cs.export("collected after", collected + fee)
    cs.export("debited", (1 - is_deposit) * fee)
