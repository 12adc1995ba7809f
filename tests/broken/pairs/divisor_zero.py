"""A price is defined by `quantity * price = paid`, also where the quantity is zero.

Source: class, "division by zero" in 0xPARC's collection; Polygon's zkEVM review.
Exploit: with quantity = paid = 0 any price satisfies the row.
Repair: the quantity has an inverse.
"""

from zkrollup.gadgets.compare import assert_nonzero

PROPERTIES = ("C8", "C4")
FLAGGED_BY = {"free": ("price",), "accepted": ()}
VALID = [{"paid": 12, "quantity": 4}]
INVALID = [({"paid": 0, "quantity": 0}, "quantity is not zero")]


def record(cs, repaired):
    paid, quantity = cs.input("paid"), cs.input("quantity")
    price = cs.hint_divide_or_zero(paid, quantity)
    if repaired:
        assert_nonzero(cs, quantity, "quantity is not zero")
    cs.enforce(quantity, price, paid, label="quantity times price is what was paid")
    cs.export("price", price)
