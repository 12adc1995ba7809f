"""A Merkle path's bit may be any field element.

Source: RollupNC (2019): path positions were inputs without a boolean row.
Exploit: the swap keeps left + right; for a foreign leaf take sibling = L + R - leaf and the bit
(L - leaf) / (sibling - leaf), and the two children L, R of the true root come out.
Repair: each path bit is 0 or 1.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.cs import Bool
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import conditional_swap

PROPERTIES = ("C7", "C9")
FLAGGED_BY = {"accepted": ()}

LEFT, RIGHT, FOREIGN = 1001, 2002, 666
ROOT = hash_of([LEFT, RIGHT])
SIBLING = LEFT + RIGHT - FOREIGN
BIT = (LEFT - FOREIGN) * pow(SIBLING - FOREIGN, -1, MODULUS) % MODULUS

VALID = [
    {"root": ROOT, "leaf": LEFT, "sibling": RIGHT, "bit": 0},
    {"root": ROOT, "leaf": RIGHT, "sibling": LEFT, "bit": 1},
]
INVALID = [({"root": ROOT, "leaf": FOREIGN, "sibling": SIBLING, "bit": BIT}, "path bit is 0 or 1")]


def record(cs, repaired):
    root, leaf, sibling, bit = (cs.input(name) for name in ("root", "leaf", "sibling", "bit"))
    flag = cs.assert_bool(bit, label="path bit is 0 or 1") if repaired else Bool.unchecked(bit)
    children = conditional_swap(cs, flag, leaf, sibling)
    cs.assert_equal(poseidon(cs, children), root, label="the leaf is under the root")
