"""Two fields are packed into one element with a shift smaller than the lower field.

Source: class, "packing is not injective" (Era HAL-01 for byte forms): tags and amounts that collide.
Exploit: (amount 2^32, token 0) and (amount 0, token 1) have the same packed form, so one is signed and the
other executed.
Repair: the shift is the lower field's width.
"""

PROPERTIES = ("C15",)
FLAGGED_BY = {"accepted": ()}
VALID = {
    False: [{"amount": 7, "token": 1, "packed": 7 + 2**32}],
    True: [{"amount": 7, "token": 1, "packed": 7 + 2**40}],
}
# the packed form of (0, token 1), presented with another amount and token 0
INVALID = {
    False: [({"amount": 2**32, "token": 0, "packed": 2**32}, "packed")],
    True: [({"amount": 2**32, "token": 0, "packed": 2**40}, "packed")],
}


def record(cs, repaired):
    amount, token = cs.input_uint("amount", 40), cs.input_uint("token", 16)
    packed = cs.input("packed")
    cs.assert_equal(amount + (1 << (40 if repaired else 32)) * token, packed, label="packed")
