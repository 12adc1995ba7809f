"""A point is decompressed and the sign of its abscissa is not bound to the sign given.

Source: class; decompression gadgets of several libraries returned either root.
Exploit: -P in place of P: the negative of a key, of a commitment, of an amount.
Repair: x is m or -m by the sign, and m has 252 bits, which of m and r - m at most one has. (To accept every
point a circuit compares m with (r - 1) / 2.)
"""

from zkrollup.crypto.babyjubjub import BASE8
from zkrollup.crypto.tables import MODULUS, A, D
from zkrollup.gadgets.bits import range_check

PROPERTIES = ("C4", "C11", "C15")
FLAGGED_BY = {"free": ("x",)}
HALF = (MODULUS + 1) // 2
VALID = [{"y": BASE8[1], "sign": int(BASE8[0] >= HALF)}, {"y": BASE8[1], "sign": int(BASE8[0] < HALF)}]


def square_root(n):
    """A root of n modulo r by Tonelli and Shanks, 0 if there is none."""
    r = MODULUS
    if pow(n, (r - 1) // 2, r) != 1:
        return 0
    odd, s = r - 1, 0
    while odd % 2 == 0:
        odd, s = odd // 2, s + 1
    z = next(z for z in range(2, 100) if pow(z, (r - 1) // 2, r) == r - 1)
    m, c, t, root = s, pow(z, odd, r), pow(n, odd, r), pow(n, (odd + 1) // 2, r)
    while t != 1:
        i, power = 0, t
        while power != 1:
            power, i = power * power % r, i + 1
        b = pow(c, 1 << (m - i - 1), r)
        m, c, t, root = i, b * b % r, t * b * b % r, root * b % r
    return root


def abscissa(y, sign):
    x = square_root((1 - y * y) * pow(A - D * y * y, -1, MODULUS) % MODULUS)
    return x if int(x >= HALF) == sign else -x % MODULUS


def record(cs, repaired):
    y, sign = cs.input("y"), cs.input_bool("sign")
    if repaired:
        (m,) = cs.hint_python(lambda y: abscissa(y, 0), [y], 1)
        range_check(cs, m, 252)
        x = cs.materialise(m * (1 - 2 * sign))
    else:
        (m,) = cs.hint_python(abscissa, [y, sign], 1)
        x = m
    yy = y.square()
    (m.square() * (A - D * yy)).assert_equal(1 - yy, label="the point is on the curve")
    cs.export("x", x)
    cs.export("sign byte", 128 * sign)
