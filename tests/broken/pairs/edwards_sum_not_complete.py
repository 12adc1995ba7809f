"""Edwards addition with a parameter d that is a square: a denominator can vanish.

Source: class; addition is complete only where a is a square and d is none (Bernstein and Lange, 2007), and
circomlib's BabyAdd relies on it.
Exploit: with x1 y2 = 1/sqrt(d) and y1 x2 = -1/sqrt(d) the row of x is 0 = 0: it may be chosen.
Repair: BabyJubJub's d, a non-square: 1 + d x1 x2 y1 y2 = 0 and x1 y2 = -y1 x2 would make it a square.
"""

from zkrollup.cs.scalar_field import MODULUS

PROPERTIES = ("C4", "C11")
FLAGGED_BY = {"free": ("x",)}
ROOT = 4242
SQUARE, NONSQUARE = ROOT * ROOT % MODULUS, 168696
HALF = pow(ROOT, -1, MODULUS)
ORDINARY = {"x1": 3, "y1": 5, "x2": 7, "y2": 2}
VALID = {False: [ORDINARY, {"x1": 1, "y1": -HALF % MODULUS, "x2": 1, "y2": HALF}], True: [ORDINARY]}
UNDECIDED = {"x": "needs an argument over both rows: numerator and denominator never vanish together"}


def divide(a, b):
    return a * pow(b, -1, MODULUS) if b % MODULUS else 0


def rows(c, repaired):
    d = NONSQUARE if repaired else SQUARE
    x1, y1, x2, y2 = (c.input(name) for name in ("x1", "y1", "x2", "y2"))
    beta, gamma = c.product("beta", x1, y2), c.product("gamma", y1, x2)
    tau = c.product("tau", beta, gamma)
    x = c.output("x", lambda v: divide(v["beta"] + v["gamma"], 1 + d * v["tau"]))
    c.enforce(1 + d * tau, x, beta + gamma, "x")
