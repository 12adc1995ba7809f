"""A compression function is a permutation whose output is cut, without adding its input again.

Source: Lighter's finding 00: a permutation can be run backwards.
Exploit: from the true hash and any second half of the state the prover computes backwards an input with the
same hash: a forged leaf under the true root.
Repair: the input is added to the output (feed-forward). (Four rounds of x^5 stand in for the permutation.)
"""

from zkrollup.cs.scalar_field import MODULUS

PROPERTIES = ("C18",)
FLAGGED_BY = {"accepted": ()}
CONSTANTS = (11, 23, 37, 53)
ROOT5 = pow(5, -1, MODULUS - 1)


def forward(x, y):
    for constant in CONSTANTS:
        x, y = y, (x + pow(y + constant, 5, MODULUS)) % MODULUS
    return x, y


def backward(x, y):
    for constant in reversed(CONSTANTS):
        x, y = (y - pow(x + constant, 5, MODULUS)) % MODULUS, x
    return x, y


def hash_of(left, right, repaired):
    return (forward(left, right)[0] + (left if repaired else 0)) % MODULUS


def case(repaired):
    value = hash_of(5, 6, repaired)
    left, right = backward(value, 999)  # any second half
    return {"left": 5, "right": 6, "hash": value}, {"left": left, "right": right, "hash": value}


VALID = {repaired: [case(repaired)[0]] for repaired in (False, True)}
INVALID = {repaired: [(case(repaired)[1], "the hash")] for repaired in (False, True)}


def record(cs, repaired):
    left, right, expected = cs.input("left"), cs.input("right"), cs.input("hash")
    x, y = left, right
    for constant in CONSTANTS:
        t = y + constant
        square = t.square()
        x, y = y, x + square.square() * t
    cs.assert_equal(x + left if repaired else x, expected, label="the hash")
    cs.export("second half", y)
