"""A public key is registered without the curve's equation.

Source: class; circomlib's issue 152 discusses keys that are no points.
Exploit: formulas applied to other points live on weaker curves, where logarithms are easy.
Repair: the key is on the curve.
"""

from zkrollup.crypto.babyjubjub import BASE8
from zkrollup.gadgets.babyjubjub import Edwards, assert_on_curve
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C11",)
FLAGGED_BY = {"accepted": ()}
VALID = [{"x": BASE8[0], "y": BASE8[1]}]
INVALID = [
    ({"x": BASE8[0], "y": BASE8[1] + 1}, "point is on BabyJubJub"),
    ({"x": 0, "y": 0}, "point is on BabyJubJub"),
]


def record(cs, repaired):
    key = Edwards(cs.input("x"), cs.input("y"))
    if repaired:
        assert_on_curve(cs, key)
    cs.export("registered key", poseidon(cs, [key.x, key.y]))
