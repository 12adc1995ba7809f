"""A withdrawal's recipient is declared as an input and is in no row.

Source: class, described in Tornado Cash's circuit by its remedy: the recipient is squared so that a compiler
keeps it, and a proof cannot be taken over with another recipient.
Exploit: a compiler that drops unused inputs drops the recipient, and anybody may claim the withdrawal.
Repair: a row mentions it.
"""

PROPERTIES = ("C16", "C13")
FLAGGED_BY = {"unused": ("recipient",)}
VALID = [{"secret": 5, "recipient": 77}]


def rows(c, repaired):
    secret, recipient = c.input("secret"), c.input("recipient")
    nullifier = c.output("nullifier", lambda v: v["secret"] ** 2 + 3)
    c.enforce(secret, secret, nullifier - 3, "nullifier")
    if repaired:
        c.product("recipient squared", recipient, recipient)
