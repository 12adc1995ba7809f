"""A multiplexer's selector is any field element.

Source: RollupNC (path bits), Polygon's zkEVM reviewed by Hexens (selectors).
Exploit: with s = (wanted - b) / (a - b) the output is any number the prover wants.
Repair: `s (s - 1) = 0`.
"""

from zkrollup.cs import Bool

PROPERTIES = ("C7",)
FLAGGED_BY = {"accepted": (), "boolean": ("s",)}
VALID = [{"s": 1, "a": 5, "b": 9}, {"s": 0, "a": 5, "b": 9}]
INVALID = [({"s": 2, "a": 5, "b": 9}, "selector is 0 or 1")]


def record(cs, repaired):
    s, a, b = cs.input("s"), cs.input("a"), cs.input("b")
    flag = cs.assert_bool(s, label="selector is 0 or 1") if repaired else Bool.unchecked(s)
    cs.export("chosen", flag.select(a, b))
