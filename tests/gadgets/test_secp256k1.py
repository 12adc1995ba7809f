"""Multiples of points: every gadget on a small curve against the twin, and the constants of secp256k1."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import weierstrass as twin
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import eisenstein, secp256k1
from zkrollup.gadgets.endomorphism import SECP256K1
from zkrollup.gadgets.weierstrass import EmulatedPoint
from zkrollup.testing import assert_lies_caught, assert_satisfied, assert_unsatisfied, find_hints

from .small_curves import CURVE_24, CURVE_31, twin_of

CURVES = [CURVE_24, CURVE_31, SECP256K1]
N = CURVE_31.order
TWIN = twin_of(CURVE_31)
Q = TWIN.multiply(777777, TWIN.generator)


def limbs(f, value):
    """The limbs of a value as it is, though it may not be below the modulus."""
    return [value >> f.limb_bits * i & (1 << f.limb_bits) - 1 for i in range(f.num_limbs)]


def recorded(gadget, names, curve, points="q"):
    """A gadget of scalars and points, whose result is exported."""
    f, modulo_n = secp256k1.coordinates(curve), secp256k1.scalars(curve)
    cs = ConstraintSystem("secp256k1")
    with cs.scope("inputs"):
        scalars = [modulo_n.input(cs, name) for name in names.split()]
        given = [EmulatedPoint(f.input(cs, f"{p}x"), f.input(cs, f"{p}y")) for p in points]
    out = gadget(cs, *scalars, *given)
    with cs.scope("results"):
        cs.export_array("x", out.x.limbs)
        cs.export_array("y", out.y.limbs)
    return cs.freeze()


def inputs(curve, scalars, **points):
    f, modulo_n = secp256k1.coordinates(curve), secp256k1.scalars(curve)
    out = {name: limbs(modulo_n, value) for name, value in scalars.items()}
    return out | {f"{p}{c}": limbs(f, v) for p, xy in points.items() for c, v in zip("xy", xy, strict=True)}


def result(template, curve, given):
    f = secp256k1.coordinates(curve)
    check = assert_satisfied(template, inputs=given)
    return tuple(f.value_of([check[f"{c}[{i}]"] for i in range(f.num_limbs)]) for c in "xy")


# -- plain integers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: f"{curve.p.bit_length()} bits")
def test_curve__is_the_twins(curve):
    plain = twin_of(curve)
    if curve is SECP256K1:
        assert plain == twin.SECP256K1
    rng = random.Random(curve.p)
    for _ in range(5):
        k, m = rng.randrange(curve.order), rng.randrange(curve.order)
        p, q = plain.multiply(k, plain.generator), plain.multiply(m, plain.generator)
        assert curve.multiply(k, curve.generator) == p
        assert curve.add(p, q) == plain.add(p, q)
        assert curve.multiply(curve.root, p) == (curve.beta * p[0] % curve.p, p[1])
    assert plain.multiply(curve.order, plain.generator) is None
    assert (curve.beta**2 + curve.beta + 1) % curve.p == 0
    assert (curve.root**2 + curve.root + 1) % curve.order == 0
    for i in range(curve.num_windows):
        for j in (0, 1, 127):
            assert curve.windows[i][j] == plain.multiply((2 * j + 1) << 8 * i, plain.generator)
    assert curve.end == plain.multiply(1 << curve.num_steps, curve.start)
    for j, digit in ((0, -1), (127, -255), (128, 1), (255, 255)):
        turned = plain.multiply(digit % curve.order, plain.generator)
        assert plain.multiply(1 << curve.num_steps, curve.starts[j]) == plain.add(curve.end, turned)


def test_start__is_made_by_a_hash():
    x, y = SECP256K1.start
    candidates = [hashlib.sha256(b"zkrollup start" + bytes([c])).digest() for c in range(8)]
    assert x in [int.from_bytes(digest, "big") % SECP256K1.p for digest in candidates]
    assert twin.SECP256K1.contains((x, y))
    assert y % 2 == 0


def test_curve__refuses_roots_that_do_not_fit_and_small_orders():
    with pytest.raises(ValueError, match=r"expected \(beta x, y\) = root \(x, y\)"):
        replace(CURVE_31, root=CURVE_31.root**2 % N)
    with pytest.raises(ValueError, match=r"expected .*beta != 1"):
        replace(CURVE_31, beta=1, root=1)
    with pytest.raises(ValueError, match="an order of 13 bits is too small: a short relation may be trivial"):
        # (0, 0) is its own image, whatever beta.
        replace(CURVE_31, p=4_003, b=0, generator=(0, 0), order=7_039, beta=5, root=1)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(CURVES), st.integers(0))
def test_short_relation__is_short_and_holds(curve, u):
    check_relation(curve, u % curve.order)


def test_short_relation__of_scalars_with_short_ones_of_their_own():
    for curve in CURVES:
        n, root = curve.order, curve.root
        near = [0, 1, 2, 3, n - 1, n - 2, n // 2, n // 3, 1 << n.bit_length() // 2]
        for u in (*near, root, root * root, 2 * root):
            check_relation(curve, u % n)


def check_relation(curve, u):
    n = curve.order
    a, v = eisenstein.short_relation(n, curve.root, u)
    assert (a[0] + a[1] * curve.root + (v[0] + v[1] * curve.root) * u) % n == 0
    assert (a, v) != ((0, 0), (0, 0))
    assert any(number % 2 for number in (*a, *v))
    assert all(3 * number**4 <= 8 * n for number in (*a, *v))
    # The steps hold them: see "Complete" at the head of the module.
    assert all(3 * abs(number) < 1 << curve.num_steps for number in (*a, *v))


def test_short_relation__refuses_what_is_no_root_of_unity():
    with pytest.raises(ValueError, match="5 is no primitive cube root of unity modulo the prime"):
        eisenstein.short_relation(N, 5, 1)


# -- multiples ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def of_generator():
    return recorded(lambda cs, u: secp256k1.multiply_generator(cs, u, CURVE_31), "u", CURVE_31, "")


@pytest.fixture(scope="module")
def of_point():
    return recorded(lambda cs, u, q: secp256k1.multiply(cs, u, q, CURVE_31), "u", CURVE_31)


@pytest.fixture(scope="module")
def of_both():
    return recorded(lambda cs, u, t, q: secp256k1.multiply_two(cs, u, t, q, CURVE_31), "u t", CURVE_31)


def scalars_to_try():
    rng = random.Random(N)
    edges = [2, 3, N - 2, N - 3, N + 2, N // 2, N // 2 + 1, (1 << 31) - 1]
    return edges + [rng.randrange(N) for _ in range(20)]


def test_multiply_generator__is_the_twins(of_generator):
    for u in [1, N - 1, N + 1, *scalars_to_try()]:
        want = TWIN.multiply(u % N, TWIN.generator)
        assert result(of_generator, CURVE_31, inputs(CURVE_31, {"u": u})) == want


def test_multiply__is_the_twins(of_point):
    for u in scalars_to_try():
        assert result(of_point, CURVE_31, inputs(CURVE_31, {"u": u}, q=Q)) == TWIN.multiply(u % N, Q)


def test_multiply_two__is_the_twins(of_both):
    rng = random.Random(2)
    for u in scalars_to_try():
        t = rng.choice([0, 1, N - 1, N, rng.randrange(N)])
        want = TWIN.add(TWIN.multiply(u % N, Q), TWIN.multiply(t % N, TWIN.generator))
        assert result(of_both, CURVE_31, inputs(CURVE_31, {"u": u, "t": t}, q=Q)) == want


def test_multiply_two__sums_equal_and_opposite_parts(of_both):
    """Q = 777777 G: u Q and t G may be the same point, or cancel."""
    for u in (5, 12345, N - 9):
        t = u * 777777 % N
        given = inputs(CURVE_31, {"u": u, "t": t}, q=Q)
        assert result(of_both, CURVE_31, given) == TWIN.multiply(2 * u % N, Q)
        assert_unsatisfied(of_both, inputs=inputs(CURVE_31, {"u": u, "t": N - t}, q=Q))
    # Without Q: u = 0 leaves t G.
    given = inputs(CURVE_31, {"u": 0, "t": 99}, q=Q)
    assert result(of_both, CURVE_31, given) == TWIN.multiply(99, TWIN.generator)


def test_multiples__that_are_infinity_have_no_witness(of_generator, of_point, of_both):
    for zero in (0, N):
        check = assert_unsatisfied(of_generator, inputs=inputs(CURVE_31, {"u": zero}))
        assert any("the elements are apart" in failure.label for failure in check.failures)
        assert_unsatisfied(of_point, inputs=inputs(CURVE_31, {"u": zero}, q=Q))
        assert_unsatisfied(of_both, inputs=inputs(CURVE_31, {"u": zero, "t": 0}, q=Q))


def test_multiply__by_a_unit_of_the_endomorphism_has_no_witness(of_point):
    """The six results +-w^i Q that the head of the module names: loudly, in the table."""
    for u in (1, CURVE_31.root, CURVE_31.root**2 % N):
        for signed in (u, N - u):
            check = assert_unsatisfied(of_point, inputs=inputs(CURVE_31, {"u": signed}, q=Q))
            assert any(
                failure.scope == "table" and failure.label == "the elements are apart"
                for failure in check.failures
            )


def test_result__may_not_be_another_point(of_point):
    """Each limb of R, each digit: a lie about any of them is caught somewhere."""
    (relation, *_) = find_hints(of_point, "python")
    assert len(relation.columns) == 4 + 1 + 4 * CURVE_31.num_steps
    given = inputs(CURVE_31, {"u": 123456}, q=Q)
    assert assert_lies_caught(of_point, inputs=given, hints=[relation]) > 40
    # R on the curve, but not u Q: its own relation does not hold for u.
    other = TWIN.multiply(123457, Q)
    f = secp256k1.coordinates(CURVE_31)

    def another(honest):
        return [*limbs(f, other[0]), *limbs(f, other[1]), *honest[4:]]

    check = assert_unsatisfied(of_point, inputs=given, override={relation: another})
    assert any(failure.scope.startswith("end/") for failure in check.failures)


def test_relation__of_another_scalar_is_refused(of_point):
    """All of what a prover would say for the scalar 123457, told for 123456: only the congruence minds."""
    (relation, *_) = find_hints(of_point, "python")
    honest = of_point.check({}, inputs(CURVE_31, {"u": 123457}, q=Q)).values
    told = {relation: [honest[column] for column in relation.columns]}
    check = assert_unsatisfied(of_point, inputs=inputs(CURVE_31, {"u": 123456}, q=Q), override=told)
    assert {failure.scope.split("/")[1] for failure in check.failures} == {"the relation is the scalar's"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["multiply_generator", "multiply", "multiply_two"])
def test_multiples__catch_all_lies(name):
    names = "u t" if name == "multiply_two" else "u"
    template = recorded(
        lambda cs, *of: getattr(secp256k1, name)(cs, *of, CURVE_24),
        names,
        CURVE_24,
        "" if name == "multiply_generator" else "q",
    )
    q = CURVE_24.multiply(4321, CURVE_24.generator)
    points = {} if name == "multiply_generator" else {"q": q}
    given = inputs(CURVE_24, dict.fromkeys(names.split(), 1234567), **points)
    assert assert_lies_caught(template, inputs=given) > 600


# -- single steps ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def steps():
    """A + T and 2 A + T, of points with known coordinates."""
    f = secp256k1.coordinates(CURVE_31)

    def stepped(step):
        def gadget(cs, a, t):
            x, y = step(cs, f, (a.x, a.y), (t.x, t.y))
            return EmulatedPoint(x, f.reduced(cs, (), [(1, y)]))

        return recorded(gadget, "", CURVE_31, "at")

    return stepped(secp256k1._add), stepped(secp256k1._double_add)


def test_steps__are_the_twins_and_refuse_exceptional_cases_whatever_the_slope(steps):
    add, double_add = steps
    rng = random.Random(8)
    a, t = (TWIN.multiply(rng.randrange(N), TWIN.generator) for _ in range(2))
    given = inputs(CURVE_31, {}, a=a, t=t)
    assert result(add, CURVE_31, given) == TWIN.add(a, t)
    assert result(double_add, CURVE_31, given) == TWIN.add(TWIN.add(a, a), t)
    for template in steps:
        for other in (a, CURVE_31.negative(a)):
            same = inputs(CURVE_31, {}, a=a, t=other)
            for slope in (0, 1, 12345):
                told = {find_hints(template, "python")[0]: [slope, 0]}
                check = assert_unsatisfied(template, inputs=same, override=told)
                assert "the elements are apart" in {failure.label for failure in check.failures}
    # 2 A + T = O: A + T = -A.
    minus_twice = CURVE_31.negative(TWIN.add(a, a))
    assert_unsatisfied(double_add, inputs=inputs(CURVE_31, {}, a=a, t=minus_twice))
    for slope in (0, 1, 12345):
        told = {find_hints(double_add, "python")[1]: [slope, 0]}
        assert_unsatisfied(double_add, inputs=inputs(CURVE_31, {}, a=a, t=minus_twice), override=told)
