"""Planted flaws in ECDSA and its multiples: without one demand, what must be refused is accepted.

Each statement is recorded twice from the same parts, on a curve like secp256k1 over a prime of 16 bits. The
broken one leaves out a demand that somebody really forgot; inputs that exploit it satisfy every row of the
broken one and are refused by the repaired one. So each demand is needed, and a test that tried these inputs
would tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets.compare import assert_nonzero
from zkrollup.gadgets.ecdsa import ecdsa_verify
from zkrollup.gadgets.emulated import Element
from zkrollup.gadgets.endomorphism import EndomorphicCurve, Point
from zkrollup.gadgets.secp256k1 import Solved, assert_relation, coordinates, scalars
from zkrollup.gadgets.weierstrass import EmulatedCurve, EmulatedPoint, assert_on_curve, double
from zkrollup.testing import assert_satisfied, assert_unsatisfied

CURVE = EndomorphicCurve(p=60763, b=3, generator=(1, 60761), order=60271, beta=246, root=245, limb_bits=16)
P, N, G = CURVE.p, CURVE.order, CURVE.generator
F, MODULO_N = coordinates(CURVE), scalars(CURVE)

Inputs = Mapping[str, object]


@dataclass(frozen=True)
class Flaw:
    """``record(cs, repaired)``; inputs that both take; inputs that only the broken one takes, and where the
    repaired one refuses them."""

    name: str
    record: Callable[[ConstraintSystem, bool], None]
    valid: Inputs
    forged: Inputs
    refused_in: str

    def template(self, repaired: bool) -> Template:
        cs = ConstraintSystem(self.name)
        self.record(cs, repaired)
        return cs.freeze()


def point_of(cs: ConstraintSystem, name: str = "") -> EmulatedPoint:
    return EmulatedPoint(F.input(cs, f"{name}x"), F.input(cs, f"{name}y"))


def coordinates_of(point: Point | None, name: str = "") -> dict[str, object]:
    assert point is not None
    return {f"{name}x": [point[0]], f"{name}y": [point[1]]}


# -- s is not shown to be below n: SEC 1, section 4.1.4, step 1 ------------------------------------------
def verify(cs: ConstraintSystem, repaired: bool, *, s_ranged: bool = True, x_reduced: bool = True) -> None:
    """:func:`ecdsa_verify`, or the same without one of its demands."""
    digest, r, s = (MODULO_N.input(cs, name) for name in "hrs")
    key = point_of(cs)
    if repaired:
        ecdsa_verify(cs, digest, r, s, key, curve=CURVE)
        return
    MODULO_N.assert_canonical(cs, r)
    assert_nonzero(cs, r.limbs[0])
    if s_ranged:
        MODULO_N.assert_canonical(cs, s)
    MODULO_N.inverse(cs, s)
    assert_on_curve(cs, EmulatedCurve(F, 0, CURVE.b), key)

    def solve(h: int, r: int, s: int, x: int, y: int) -> Solved:
        u, t = r * pow(s, -1, N) % N, h * pow(s, -1, N) % N
        return Solved(CURVE.add(CURVE.multiply(u, (x, y)), CURVE.multiply(t, G)), u, t)

    point, v, a, k = assert_relation(cs, key, [digest, r, s, key.x, key.y], solve, True, CURVE)
    assert k is not None
    MODULO_N.assert_zero(cs, [(1, a, s), (1, v, r)])
    MODULO_N.assert_zero(cs, [(1, k, s), (1, v, digest)])
    x = Element(MODULO_N, point.x.limbs, point.x.bounds)
    if x_reduced:
        F.assert_canonical(cs, point.x)
        MODULO_N.assert_equal(cs, x, r)
    else:
        # The number modulo r, as if the field of the proof were the curve's.
        cs.assert_equal(x.limbs[0], r.limbs[0])


def signature(digest: int) -> dict[str, int]:
    secret, nonce = 4321, 777
    point = CURVE.multiply(nonce, G)
    assert point is not None
    r = point[0] % N
    return {"h": digest, "r": r, "s": pow(nonce, -1, N) * (digest + r * secret) % N}


def signed(numbers: Mapping[str, int], key: Point | None) -> dict[str, object]:
    return {name: [value] for name, value in numbers.items()} | coordinates_of(key)


KEY = CURVE.multiply(4321, G)
SIGNED = next(one for one in map(signature, range(1, 999)) if one["s"] + N < 1 << 16)
S_PLUS_N = Flaw(
    "s is not below n",
    lambda cs, repaired: verify(cs, repaired, s_ranged=False),
    signed(SIGNED, KEY),
    signed({**SIGNED, "s": SIGNED["s"] + N}, KEY),
    "ranges/s",
)


# -- the numbers of a decomposition by an endomorphism are not shown to be the scalar's ----------------
@cache
def logarithm(point: Point) -> int:
    found: Point | None = G
    k = 1
    while found != point:
        found, k = CURVE.add(found, G), k + 1
    return k


def multiple(cs: ConstraintSystem, repaired: bool) -> None:
    """R = u G, of which a prover who wants another R tells R's own relation: it knows R's logarithm."""
    u = MODULO_N.input(cs, "u")
    base, claimed = point_of(cs), point_of(cs, "r")

    def solve(x: int, y: int) -> Solved:
        return Solved((x, y), logarithm((x, y)), None)

    result, v, a, _ = assert_relation(cs, base, [claimed.x, claimed.y], solve, False, CURVE)
    with cs.scope("binding"):
        if repaired:
            MODULO_N.assert_zero(cs, [(1, v, u)], [(1, a)])
        else:
            MODULO_N.inverse(cs, u)
    F.assert_equal(cs, result.x, claimed.x)
    F.assert_equal(cs, result.y, claimed.y)


def claim(u: int, v: int) -> dict[str, object]:
    return {"u": [u], **coordinates_of(G), **coordinates_of(CURVE.multiply(v, G), "r")}


RELATION = Flaw(
    "the relation is not bound to the scalar", multiple, claim(12345, 12345), claim(12345, 54321), "binding"
)


# -- a key is not shown to be on the curve: Biehl, Meyer, Mueller, CRYPTO 2000 ---------------------------
def key_and_double(cs: ConstraintSystem, repaired: bool) -> None:
    """Sums never use b: a pair off the curve is on another one, of an order that may be small."""
    curve = EmulatedCurve(F, 0, CURVE.b)
    key, claimed = point_of(cs), point_of(cs, "d")
    if repaired:
        with cs.scope("on the curve"):
            assert_on_curve(cs, curve, key)
    twice = double(cs, curve, key)
    F.assert_equal(cs, twice.x, claimed.x)
    F.assert_equal(cs, twice.y, claimed.y)


def doubled(x: int, y: int) -> dict[str, object]:
    return {**coordinates_of((x, y)), **coordinates_of(CURVE.add((x, y), (x, y)), "d")}


OFF_CURVE = Flaw("the key is on no curve", key_and_double, doubled(*G), doubled(5, 7), "on the curve")


# -- r is compared with x itself, where x may be n or more -----------------------------------------------
def large_abscissa() -> tuple[dict[str, int], Point | None]:
    """A signature whose R has an x of n or more, and the key that it belongs to: R first."""
    point = next((x, y) for x in range(N, P) for y in range(1, 400) if CURVE.contains((x, y)))
    r, s, digest = point[0] - N, 999, 888
    inverse = pow(r, -1, N)
    key = CURVE.add(CURVE.multiply(s * inverse % N, point), CURVE.multiply(-digest * inverse % N, G))
    return {"h": digest, "r": r, "s": s}, key


FLAWS = [S_PLUS_N, RELATION, OFF_CURVE]


@pytest.mark.parametrize("flaw", FLAWS, ids=[flaw.name for flaw in FLAWS])
def test_broken__takes_what_the_repaired_one_refuses(flaw: Flaw) -> None:
    """C3, C5, C11, of another curve."""
    broken, repaired = flaw.template(False), flaw.template(True)
    for template in (broken, repaired):
        assert_satisfied(template, inputs=flaw.valid)
    assert_satisfied(broken, inputs=flaw.forged)
    check = assert_unsatisfied(repaired, inputs=flaw.forged)
    assert all(failure.scope.startswith(flaw.refused_in) for failure in check.failures)


def test_broken__refuses_a_valid_signature_where_x_is_not_taken_modulo_n() -> None:
    numbers, key = large_abscissa()
    cs = ConstraintSystem("x is not reduced")
    verify(cs, False, x_reduced=False)
    broken = cs.freeze()
    assert_satisfied(broken, inputs=signed(SIGNED, KEY))
    assert_unsatisfied(broken, inputs=signed(numbers, key))
    assert_satisfied(S_PLUS_N.template(True), inputs=signed(numbers, key))
