"""Emulated arithmetic: bounds, congruences and lies; each operation against Python's integers."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import weierstrass as twin
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem, ConstraintSystemError
from zkrollup.gadgets import weierstrass
from zkrollup.gadgets.emulated import EmulatedField, plan
from zkrollup.gadgets.select import one_hot_bits
from zkrollup.gadgets.weierstrass import EmulatedPoint
from zkrollup.testing import (
    assert_every_row_needed,
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    assert_unsatisfied,
    find_hints,
)

PRIMES = {
    "secp256k1 p": 2**256 - 2**32 - 977,
    "secp256k1 n": twin.SECP256K1.order,
    "ed25519 p": 2**255 - 19,
    "bls12-381 r": 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001,
    "bn254 q": 21888242871839275222246405745257275088696311157297823662689037894645226208583,
    "bls12-381 q": int(
        "1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB", 16
    ),
    "p384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "2^61 - 1": 2**61 - 1,
}
SECP = EmulatedField(PRIMES["secp256k1 p"])


def limbs(f, value):
    """The limbs of a value as it is, though it may not be below p."""
    return [value >> f.limb_bits * i & (1 << f.limb_bits) - 1 for i in range(f.num_limbs)]


def recorded(f, body, names="a b"):
    cs = ConstraintSystem("emulated")
    with cs.scope("inputs"):
        operands = [f.input(cs, name) for name in names.split()]
    out = body(cs, *operands)
    if out is not None:
        cs.export_array("out", out.limbs)
    return cs.freeze()


def run(f, template, engine=None, **values):
    check = assert_satisfied(template, inputs={k: limbs(f, v) for k, v in values.items()}, engine=engine)
    return f.value_of([check[f"out[{i}]"] for i in range(f.num_limbs)])


def edges(f):
    p, top = f.modulus, (1 << f.modulus.bit_length()) - 1
    return [0, 1, p - 1, min(p, top), top, MODULUS % top, random.Random(p).randrange(p)]


@pytest.mark.parametrize("name", PRIMES)
def test_multiply__is_that_of_integers(name):
    f = EmulatedField(PRIMES[name])
    template = recorded(f, f.multiply)
    for a, b in itertools.combinations_with_replacement(edges(f), 2):
        assert run(f, template, a=a, b=b) == a * b % f.modulus


@pytest.mark.parametrize("width", [20, 43, 64])
def test_multiply__does_with_limbs_of_any_width(width):
    f = EmulatedField(SECP.modulus, width)
    template = recorded(f, f.multiply)
    for a, b in itertools.combinations_with_replacement(edges(f)[2:], 2):
        assert run(f, template, a=a, b=b) == a * b % f.modulus
    assert_lies_caught(
        template, inputs={"a": limbs(f, edges(f)[-1]), "b": limbs(f, 5)}, hints=find_hints(template, "python")
    )


def test_sums_and_differences__cost_no_row():
    f = SECP

    def body(cs, a, b):
        x = f.subtract(cs, f.add(cs, a, b), f.multiple(cs, 3, b))
        return f.negative(cs, f.subtract(cs, x, f.constant(cs, 5)))

    template = recorded(f, body)
    assert template.counts_by_scope() == {"inputs": 512, "": f.num_limbs}  # the exports
    for a, b in itertools.product(edges(f), repeat=2):
        assert run(f, template, a=a, b=b) == (2 * b - a + 5) % f.modulus


def test_inverse_division_reduction__are_those_of_integers():
    f = SECP
    p = f.modulus
    inverse = recorded(f, f.inverse, "a")
    divide = recorded(f, f.divide)
    reduce = recorded(f, lambda cs, a, b: f.reduce(cs, f.multiple(cs, 1000, f.subtract(cs, a, b))))
    for a in (1, p - 1, p + 1, 12345):
        assert run(f, inverse, a=a) == pow(a, -1, p)
        assert run(f, divide, a=7, b=a) == 7 * pow(a, -1, p) % p
        assert run(f, reduce, a=7, b=a) == 1000 * (7 - a) % p
    for zero in (0, p):
        check = assert_unsatisfied(inverse, inputs={"a": limbs(f, zero)})
        assert all("the element is invertible" in failure.scope for failure in check.failures)


@pytest.mark.parametrize("name", ["secp256k1 p", "bls12-381 r", "bls12-381 q"])
def test_canonical_and_is_zero__see_through_representatives(name):
    f = EmulatedField(PRIMES[name])
    p = f.modulus
    canonical = recorded(f, f.canonical, "a")

    def zero(cs, a, b):
        with cs.scope("flags"):
            cs.export("zero", f.is_zero(cs, a))
            cs.export("equal", f.is_equal(cs, a, b))
            cs.export("is", f.select(cs, f.is_zero(cs, b), a, b).limbs[0])

    flags = recorded(f, zero)
    top = (1 << p.bit_length()) - 1
    for a in (0, 1, p - 1, p, min(p + 1, top), top):
        check = assert_satisfied(canonical, inputs={"a": limbs(f, a)})
        assert [check[f"out[{i}]"] for i in range(f.num_limbs)] == f.limbs_of(a)
        for b in (0, p):
            check = assert_satisfied(flags, inputs={"a": limbs(f, a), "b": limbs(f, b)})
            assert check["zero"] == check["equal"] == (a % p == 0)
            assert check["is"] == limbs(f, a)[0]


def test_assert_canonical__takes_the_least_only():
    f = SECP
    cs = ConstraintSystem("least")
    f.assert_canonical(cs, f.input(cs, "a"))
    template = cs.freeze()
    assert template.num_constraints == 256 + 4
    for value in (0, 1, f.modulus - 1):
        assert_satisfied(template, inputs={"a": limbs(f, value)})
    for value in (f.modulus, f.modulus + 1, 2**256 - 1):
        assert_unsatisfied(template, inputs={"a": limbs(f, value)}, by="bits below a constant of 256 bits")


def shifted(site, f, by):
    """A hint's honest answer plus so much, as limbs; None if it does not fit them."""

    def answer(honest):
        value = sum(x << f.limb_bits * i for i, x in enumerate(honest)) + by
        return [value >> f.limb_bits * i & (1 << f.limb_bits) - 1 for i in range(len(honest))]

    return {site: answer}


def test_lies__remainder_and_quotient_off_by_p_or_one():
    f = SECP
    p = f.modulus
    product = recorded(f, f.multiply)
    given = {"a": limbs(f, p - 2), "b": limbs(f, p - 3)}  # remainder 6: 6 + p still has 256 bits
    (result,) = find_hints(product, "python")
    (quotient,) = [h for h in find_hints(product, "bits") if h.scope.endswith("/quotient")]
    assert_unsatisfied(product, inputs=given, override=shifted(result, f, 1))
    # The quotient is whatever makes the identity hold modulo r: its bits only say that it is small.
    assert_lies_caught(product, inputs=given, hints=[quotient], allowed=())
    # Another representative with the quotient that belongs to it is no lie: p + 6 is congruent to 6.
    check = product.check({}, given, override=shifted(result, f, p))
    assert check.satisfied
    assert f.value_of([check[f"out[{i}]"] for i in range(f.num_limbs)]) == 6
    # But the canonical element is one.
    canonical = recorded(f, f.canonical, "a")
    (result,) = find_hints(canonical, "python")
    check = canonical.check({}, {"a": limbs(f, 6)}, override=shifted(result, f, p))
    assert {failure.label for failure in check.failures} == {"bits below a constant of 256 bits"}


def test_lies__carries_and_limbs_moved_to_a_neighbour():
    """B less in one limb and 1 more in the next is the same integer; the limbs' ranges refuse it."""
    f = SECP
    template = recorded(f, f.multiply)
    given = {"a": limbs(f, f.modulus - 2), "b": limbs(f, 2**200 + 17)}
    for site in find_hints(template, "python"):
        for i in range(len(site.columns) - 1):

            def moved(honest, i=i):
                honest[i] += 1 << f.limb_bits
                honest[i + 1] -= 1
                return honest

            assert_unsatisfied(template, inputs=given, override={site: moved})
    carries = [h for h in find_hints(template, "bits") if h.scope.endswith("/carry")]
    assert assert_lies_caught(template, inputs=given, hints=carries, allowed=()) >= 50


def test_wires__are_bound():
    f = EmulatedField(2**61 - 1, 24)

    def body(cs, a, b):
        f.assert_equal(cs, f.multiply(cs, a, b), f.multiply(cs, b, a))
        return f.canonical(cs, f.inverse(cs, a))

    template = recorded(f, body)
    given = {"a": limbs(f, 2**60 + 12345), "b": limbs(f, 2**59 + 1)}
    assert_every_wire_bound(template, inputs=given)
    assert_lies_caught(template, inputs=given)


def test_rows__are_all_needed():
    f = EmulatedField(2**61 - 1, 24)
    p = f.modulus
    product = recorded(f, f.multiply)
    assert_every_row_needed(
        product,
        [
            {"a": limbs(f, 2**60 + 5), "b": limbs(f, 2**59 + 1)},
            {"a": limbs(f, p - 1), "b": limbs(f, p - 1)},
        ],
    )
    canonical = recorded(f, f.canonical, "a")
    # A quotient of no range would make any element congruent to any other.
    (result,) = find_hints(canonical, "python")
    endless = (5 + p) * pow(p, -1, MODULUS) % MODULUS
    (low, *_) = find_hints(canonical, "bits", scope="identity")
    forged = {}
    for name, lie in (("top bit", {}), ("low bit", {low: [endless]})):
        check = canonical.check({}, {"a": limbs(f, 5)}, override={result: [0, 0, 0], **lie})
        assert {failure.label for failure in check.failures} == {"bit of a 2-bit number"}
        forged[name] = check
    assert_every_row_needed(canonical, [{"a": limbs(f, 12345**4)}, {"a": limbs(f, 0)}], forged)


@pytest.mark.parametrize("width", [2, 4])
def test_soundness__exhaustive_over_a_field_of_13(width):
    """Every answer of the hint, for every product: accepted just when congruent."""
    f = EmulatedField(13, width)
    template = recorded(f, f.multiply)
    (result,) = find_hints(template, "python")
    for a, b in itertools.product(range(16), repeat=2):
        given = {"a": limbs(f, a), "b": limbs(f, b)}
        links, inputs = template.link_values({}), template.input_values(given)
        accepted = {
            c for c in range(16) if template.holds(template.solve(links, inputs, {result: limbs(f, c)}))
        }
        assert accepted == {c for c in range(16) if (c - a * b) % 13 == 0}


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(PRIMES.values())),
    st.integers(10, 90),
    st.lists(st.tuples(st.integers(0, 2**200), st.integers(0, 2**200)), min_size=1, max_size=9),
)
def test_plan__keeps_its_inequalities(modulus, width, bounds):
    """The proof at the head of the module, in integers and by another way of counting."""
    columns = [(-lo, hi) for lo, hi in bounds]
    if (1 << width) * 9 * max(max(pair) for pair in bounds) << width >= MODULUS:
        return  # such bounds may be refused, see below
    how = plan(modulus, width, columns)
    for k, weight in enumerate(how.weights):
        assert (weight - (1 << width * k)) % modulus == 0
        assert weight == 1 << width * k or 2 * abs(weight) < modulus
    s = [
        sum(pick(c[0] * r, c[1] * r) for c, r in zip(columns, how.weights, strict=True))
        for pick in (min, max)
    ]
    top = (1 << how.quotient_bits) - 1
    assert s[0] + how.offset * modulus >= 0
    assert s[1] + how.offset * modulus <= top * modulus + modulus - 1
    # The least and the greatest E, and the modulus of both congruences together.
    total = width * (how.groups[-1][1] if how.groups else 0)
    lowest, highest = s[0] + (how.offset - top) * modulus, s[1] + how.offset * modulus
    assert max(-lowest, highest) < MODULUS << total
    # Group by group: what the rows show to be 0 modulo r is 0, and honest carries have their bits. A number's
    # digits first to end are (|x| mod B^end - |x| mod B^first) / B^first, with its sign.
    carry, at = (0, 0), 0
    for first, end, least, bits in how.groups:
        assert first == at
        at, shift = end, width * (end - first)

        def digits(x, first=first, end=end):
            part = (abs(x) % (1 << width * end) - abs(x) % (1 << width * first)) >> width * first
            return part if x >= 0 else -part

        extremes = [
            (lo * digits(r), hi * digits(r)) for (lo, hi), r in zip(columns, how.weights, strict=True)
        ]
        known = digits(how.offset * modulus)
        low = carry[0] + known + sum(map(min, extremes)) - top * digits(modulus)
        high = carry[1] + known + sum(map(max, extremes))
        carry = (least, least + (1 << bits) - 1)
        assert carry[0] << shift <= low + (1 << shift) - 1
        assert high < carry[1] + 1 << shift
        assert max(high - (carry[0] << shift), (carry[1] << shift) - low) < MODULUS


def test_bounds__that_would_wrap_are_refused_with_a_remedy():
    f = EmulatedField(SECP.modulus, 43)
    cs = ConstraintSystem("wide")
    a = f.input(cs, "a")
    wide = f.multiple(cs, 1 << 80, a)
    with pytest.raises(ValueError, match=r"a column of limbs may reach 28\d bits, .*reduce an operand first"):
        f.multiply(cs, wide, wide)
    with pytest.raises(ValueError, match=r"a column may take 29\d bits .*reduce an operand first"):
        f.wide(cs, [(1 << 210, a, a)])
    with pytest.raises(ValueError, match=r"a quotient may have 255 bits, more than the 253 "):
        plan(13, 4, [(0, MODULUS - 1)] * 8)
    with pytest.raises(ValueError, match=r"a limb may reach 256 bits .*reduce an operand first"):
        f.multiple(cs, 1 << 213, a)
    assert f.multiply(cs, f.reduce(cs, wide), a).bounds == a.bounds
    with pytest.raises(ValueError, match="an element modulo 0xd with limbs of 4 bits was used modulo 0xff"):
        f.add(cs, a, EmulatedField(13).constant(cs, 1))
    with pytest.raises(ValueError, match=r"assert_canonical needs a reduced element, .*use canonical"):
        f.assert_canonical(cs, wide)
    with pytest.raises(ValueError, match="an element has 6 limbs, got 1"):
        f.from_limbs(cs, [cs.input("x")])
    with pytest.raises(ValueError, match="an emulated field has an odd prime modulus of at most 384 bits"):
        EmulatedField(2**385 + 1)
    with pytest.raises(ValueError, match=r"a multiple by -1: expected 0 or more; use negative\(cs, a\)"):
        f.multiple(cs, -1, a)


def test_conditions__are_obeyed_by_demands_and_refused_by_results():
    f = EmulatedField(2**61 - 1, 24)
    cs = ConstraintSystem("conditional")
    flag, a, b = cs.input_bool("flag"), f.input(cs, "a"), f.input(cs, "b")
    with cs.when(flag):
        f.assert_equal(cs, a, b)
        with pytest.raises(ConstraintSystemError, match=r"compute it outside"):
            f.multiply(cs, a, b)
    template = cs.freeze()
    for x, y in ((5, 5), (0, f.modulus), (5, 6)):
        given = {"a": limbs(f, x), "b": limbs(f, y)}
        assert_satisfied(template, inputs=given | {"flag": 0})
        check = template.check({}, given | {"flag": 1})
        assert check.satisfied == (x % f.modulus == y % f.modulus)


def test_products__demanded_under_a_condition_hold_only_there():
    f = EmulatedField(2**61 - 1, 24)
    cs = ConstraintSystem("conditional product")
    flag, a, b, c = cs.input_bool("flag"), f.input(cs, "a"), f.input(cs, "b"), f.input(cs, "c")
    with cs.when(flag):
        f.assert_zero(cs, [(1, a, b)], [(-1, c)])
    template = cs.freeze()
    for x, y, z in ((5, 7, 35), (2**60, 2**60, 2**59), (5, 7, 36), (0, 9, f.modulus)):
        given = {"a": limbs(f, x), "b": limbs(f, y), "c": limbs(f, z)}
        assert_satisfied(template, inputs=given | {"flag": 0})
        assert template.check({}, given | {"flag": 1}).satisfied == ((x * y - z) % f.modulus == 0)


@pytest.mark.parametrize("name", ["secp256k1 p", "bls12-381 r", "2^61 - 1"])
def test_wide__sums_of_products_of_any_degree_and_sign_are_those_of_integers(name):
    f = EmulatedField(PRIMES[name])
    p = f.modulus

    def body(cs, a, b):
        difference = f.wide(cs, (), [(1, a), (-3, b)])
        square = f.wide(cs, [(-1, difference, difference)], [(5, a)])
        known = f.wide(cs, [(1, f.constant(cs, p - 2), square)])
        cube = f.wide(cs, [(1, square, a), (-2, a, b)], [(7, square), (1, known)])
        return f.reduced(cs, [(1, cube, b)], [(-1, difference)])

    template = recorded(f, body)
    for a, b in itertools.product(edges(f), repeat=2):
        difference = a - 3 * b
        square = 5 * a - difference**2
        cube = square * a - 2 * a * b + 7 * square + (p - 2) * square
        assert run(f, template, a=a, b=b) == (cube * b - difference) % p


def test_wide__takes_one_row_for_each_column_and_product():
    f = SECP
    size = 2 * f.num_limbs - 1

    def rows(body):
        def demanded(cs, a, b):
            with cs.scope("wide"):
                total = body(cs, a, b)
            cs.export_array("columns", total.columns)

        return recorded(f, demanded).counts_by_scope().get("wide", 0)

    assert rows(lambda cs, a, b: f.wide(cs, (), [(1, a), (-1, b)])) == 0
    assert rows(lambda cs, a, b: f.wide(cs, [(1, f.constant(cs, 5), b)], [(1, a)])) == 0
    assert rows(lambda cs, a, b: f.wide(cs, [(3, a, b)], [(-1, a)])) == size
    assert rows(lambda cs, a, b: f.wide(cs, [(3, a, b), (1, a, a)], [(-1, a)])) == 2 * size
    chained = rows(lambda cs, a, b: f.wide(cs, [(1, a, b)], [(-1, f.wide(cs, [(1, b, b)]))]))
    assert chained == 2 * size
    assert (
        rows(lambda cs, a, b: f.wide(cs, [(1, f.wide(cs, [(1, a, a)]), b)])) == size + size + f.num_limbs - 1
    )


def test_assert_apart__refuses_equal_elements_in_any_form_and_few_others():
    f = SECP
    p = f.modulus
    template = recorded(f, f.assert_apart)
    assert template.counts_by_scope()[""] == 3
    top = (1 << 256) - 1
    for a, b in ((0, 1), (5, 4), (p - 1, 0), (top, 5), (0, top), (1, p)):
        assert_satisfied(template, inputs={"a": limbs(f, a), "b": limbs(f, b)})
    for a, b in ((0, 0), (7, 7), (p, 0), (0, p), (p + 7, 7), (top, top)):
        assert_unsatisfied(template, inputs={"a": limbs(f, a), "b": limbs(f, b)}, by="the elements are apart")
    # What it refuses too, as its docstring says: a difference of r, or of r and p.
    for a, b in ((MODULUS + 5, 5), (5, MODULUS + 5), (p, MODULUS)):
        assert_unsatisfied(template, inputs={"a": limbs(f, a), "b": limbs(f, b)}, by="the elements are apart")
    # Larger bounds have more multiples.
    wider = recorded(f, lambda cs, a, b: f.assert_apart(cs, f.multiple(cs, 3, a), b))
    for a, b in ((p, 5), (1, 4)):
        assert_satisfied(wider, inputs={"a": limbs(f, a), "b": limbs(f, b)})
    for a, b in ((p, 0), (1, 3), (p + 1, 3), (top, (3 * top) % p)):
        assert_unsatisfied(wider, inputs={"a": limbs(f, a), "b": limbs(f, b)}, by="the elements are apart")


def test_choose__takes_the_value_whose_bit_is_one():
    f = SECP
    cs = ConstraintSystem("choose")
    with cs.scope("inputs"):
        bits = cs.input_bool_array("bits", 2)
        values = [f.input(cs, f"v{i}") for i in range(4)]
    with cs.scope("hot"):
        hot = one_hot_bits(cs, bits)
    chosen = f.choose(cs, hot, values)
    cs.export_array("out", chosen.limbs)
    template = cs.freeze()
    assert template.counts_by_scope()[""] == 3 * f.num_limbs
    told = [1, f.modulus - 1, 2**256 - 1, 2**200 + 3]
    for i in range(4):
        given = {f"v{k}": limbs(f, v) for k, v in enumerate(told)} | {"bits": [i & 1, i >> 1]}
        check = assert_satisfied(template, inputs=given)
        assert [check[f"out[{k}]"] for k in range(f.num_limbs)] == limbs(f, told[i])


# -- secp256k1 ---------------------------------------------------------------------------------------------

CURVE = twin.SECP256K1


def point(cs, name):
    return EmulatedPoint(SECP.input(cs, f"{name}x"), SECP.input(cs, f"{name}y"))


def given_points(**points):
    return {f"{n}{c}": limbs(SECP, v) for n, p in points.items() for c, v in zip("xy", p, strict=True)}


def test_twin__is_secp256k1():
    assert CURVE.contains(CURVE.generator)
    assert CURVE.multiply(CURVE.order, CURVE.generator) is None
    assert CURVE.multiply(CURVE.order - 1, CURVE.generator) == (
        CURVE.generator[0],
        CURVE.p - CURVE.generator[1],
    )
    # 2 G, as SEC 2 implementations print it.
    assert CURVE.multiply(2, CURVE.generator)[0] == (
        0xC6047F9441ED7D6D3045406E95C07CD85C778E4B8CEF3CA7ABAC09B95C709EE5
    )


@pytest.fixture(scope="module")
def points_template():
    cs = ConstraintSystem("points")
    with cs.scope("inputs"):
        p, q = point(cs, "p"), point(cs, "q")
    for name, gadget in (
        ("on", lambda: weierstrass.assert_on_curve(cs, weierstrass.SECP256K1, p)),
        ("distinct", lambda: weierstrass.assert_distinct(cs, weierstrass.SECP256K1, p, q)),
        ("sum", lambda: weierstrass.add_distinct(cs, weierstrass.SECP256K1, p, q)),
        ("double", lambda: weierstrass.double(cs, weierstrass.SECP256K1, p)),
    ):
        with cs.scope(name):
            out = gadget()
        if out is not None:
            with cs.scope("exports"):
                cs.export_array(f"{name}.x", out.x.limbs)
                cs.export_array(f"{name}.y", out.y.limbs)
    return cs.freeze()


def test_points__are_those_of_the_twin(points_template):
    template = points_template
    for k, m in ((1, 2), (2, 1), (CURVE.order - 1, 5), (2**200 + 1, 12345)):
        p, q = CURVE.multiply(k, CURVE.generator), CURVE.multiply(m, CURVE.generator)
        check = assert_satisfied(template, inputs=given_points(p=p, q=q))
        for name, want in (("sum", CURVE.add(p, q)), ("double", CURVE.add(p, p))):
            got = tuple(
                SECP.value_of([check[f"{name}.{c}[{i}]"] for i in range(SECP.num_limbs)]) for c in "xy"
            )
            assert got == want


def test_points__refuse_what_is_not_on_the_curve_or_not_distinct(points_template):
    p, q = CURVE.generator, CURVE.multiply(2, CURVE.generator)

    def failing(**points):
        check = assert_unsatisfied(points_template, inputs=given_points(**points))
        return {failure.scope.split("/")[0] for failure in check.failures}

    assert failing(p=(p[0], p[1] + 1), q=q) == {"on"}
    assert failing(p=p, q=(p[0], CURVE.p - p[1])) >= {"distinct"}
    assert failing(p=p, q=p) == {"distinct"}


@pytest.mark.slow
def test_points__lies_are_caught(points_template):
    p, q = CURVE.multiply(77, CURVE.generator), CURVE.multiply(78, CURVE.generator)
    hints = find_hints(points_template, "python")
    assert_lies_caught(points_template, inputs=given_points(p=p, q=q), hints=hints)


def test_curve__has_the_width_that_would_be_chosen():
    assert weierstrass.SECP256K1.field == EmulatedField(CURVE.p)
