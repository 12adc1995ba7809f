"""The authorised message leaves out the fee.

Source: Hermez in review (TOB-17): every field of the transaction belongs under the signature.
Exploit: the operator sets the fee of a signed transfer to whatever the sender still has.
Repair: the fee is hashed with the rest.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C12",)
FLAGGED_BY = {"accepted": ()}


def case(repaired, fee):
    message = [99, 7, *([1] if repaired else [])]
    return {"key": 99, "amount": 7, "fee": fee, "balance": 1000, "tag": hash_of(message)}


VALID = {repaired: [case(repaired, 1)] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired, 900), "the transaction is authorised")] for repaired in (False, True)}


def record(cs, repaired):
    key, amount, fee, balance, tag = (cs.input(n) for n in ("key", "amount", "fee", "balance", "tag"))
    message = [key, amount, *([fee] if repaired else [])]
    cs.assert_equal(poseidon(cs, message), tag, label="the transaction is authorised")
    after = cs.export("balance after", balance - amount - fee)
    for value in (amount, fee, balance, after):
        range_check(cs, value, 32)
