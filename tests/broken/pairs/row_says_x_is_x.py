"""A row compares a signal with itself.

Source: class, a slip of copying; C2: such a row can be deleted and nothing notices.
Exploit: the root that was computed is never compared with the root that is claimed.
Repair: the row compares the two.
"""

PROPERTIES = ("C2", "C10")
FLAGGED_BY = {"idle row": ("the roots agree",), "accepted": ()}
VALID = [{"leaf": 5, "root": 25, "salt": 3}]
INVALID = [({"leaf": 6, "root": 25, "salt": 3}, "the roots agree")]


def rows(c, repaired):
    leaf, root, salt = c.input("leaf"), c.input("root"), c.input("salt")
    computed = c.product("computed", leaf, leaf)
    c.enforce(1, root if repaired else computed, computed, "the roots agree")
    c.product("binding", root, salt)
