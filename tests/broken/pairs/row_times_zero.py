"""A row is multiplied by a constant that is zero.

Source: class: a selector's constant, left at zero by a template parameter, switches a demand off.
Exploit: the demand is there to read and has no effect.
Repair: the constant is one.
"""

PROPERTIES = ("C2", "C6")
FLAGGED_BY = {"idle row": ("supply is kept",), "accepted": ()}
VALID = [{"before": 9, "after": 9}]
INVALID = [({"before": 9, "after": 90}, "supply is kept")]


def rows(c, repaired):
    before, after = c.input("before"), c.input("after")
    c.enforce(1 if repaired else 0, before - after, 0, "supply is kept")
    c.product("published", before, after)
