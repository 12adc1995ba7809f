"""Properties of the gadgets, each learnt from a real failure elsewhere; numbers as in each docstring."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from zkrollup.crypto import babyjubjub as curve
from zkrollup.crypto import eddsa as eddsa_twin
from zkrollup.crypto import merkle as merkle_twin
from zkrollup.crypto.poseidon import permute_reference
from zkrollup.crypto.poseidon import poseidon as poseidon_twin
from zkrollup.crypto.tables import BASE8, GENERATOR, MODULUS, ORDER, poseidon_parameters
from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets import babyjubjub, bits, compare, select
from zkrollup.gadgets.babyjubjub import Edwards, Montgomery
from zkrollup.gadgets.eddsa import DUMMY_SIGNATURE, eddsa_poseidon_verify
from zkrollup.gadgets.horner import horner_step
from zkrollup.gadgets.merkle import merkle_lanes, merkle_membership, merkle_update
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.testing import (
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    assert_unsatisfied,
    find_hints,
)

TORSION = [curve.mul(GENERATOR, k * ORDER) for k in range(8)]


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


# ======================================================================================================
# Small gadgets with one honest assignment each
# ======================================================================================================
Case = tuple[Template, dict[str, object]]


def bits_case() -> Case:
    cs = ConstraintSystem("to_bits")
    cs.export_array("b", bits.to_bits(cs, cs.input("x"), 12))
    return cs.freeze(), {"x": 0b101100111010}


def strict_case() -> Case:
    cs = ConstraintSystem("to_bits_strict")
    cs.export_array("b", bits.to_bits_strict(cs, cs.input("x")))
    return cs.freeze(), {"x": pow(3, 1000, MODULUS)}


def compare_case() -> Case:
    cs = ConstraintSystem("compare")
    a, b = cs.input("a"), cs.input("b")
    cs.export("less", compare.less_than(cs, a, b, 16))
    cs.export("equal", compare.is_equal(cs, a, b))
    cs.export("zero", compare.is_zero(cs, a))
    compare.assert_less_or_equal(cs, a, b, 16)
    compare.assert_nonzero(cs, b)
    return cs.freeze(), {"a": 1000, "b": 50000}


def select_case() -> Case:
    cs = ConstraintSystem("select")
    low, high = cs.input_bool("low"), cs.input_bool("high")
    values = cs.input_array("v", 4)
    first, second = select.conditional_swap(cs, low, values[0], values[1])
    outputs = [
        select.mux4(cs, low, high, values),
        select.select(cs, low, values[2], values[3]),
        first,
        second,
    ]
    cs.export_array("out", outputs + select.one_hot4(cs, low, high))
    return cs.freeze(), {"low": 1, "high": 0, "v": [10, 21, 32, 43]}


def horner_case() -> Case:
    cs = ConstraintSystem("horner")
    flag = cs.input_bool("flag")
    cs.export("y", horner_step(cs, flag, cs.input("y0"), cs.input("z"), cs.input("d")))
    return cs.freeze(), {"flag": 1, "y0": 5, "z": 7, "d": 11}


def poseidon_case() -> Case:
    cs = ConstraintSystem("poseidon")
    cs.export("h", poseidon(cs, cs.input_array("x", 2)))
    return cs.freeze(), {"x": [1, 2]}


def path_of(leaf: int, index: int, depth: int) -> list[tuple[int, ...]]:
    rng = random.Random(depth)
    path, current = [], leaf
    for place in merkle_twin.places(index, depth):
        children = [rng.randrange(MODULUS) for _ in range(4)]
        children[place] = current
        path.append(tuple(children))
        current = merkle_twin.node(children)
    return path


def merkle_case(depth: int = 2) -> Case:
    cs = ConstraintSystem("merkle")
    index = cs.input_bool_array("index", 2 * depth)
    before, after = cs.input("before"), cs.input("after")
    lanes = [cs.input_array(f"lanes_{k}", 4) for k in range(depth)]
    roots = merkle_update(cs, index, before, after, lanes)
    cs.export("root_before", roots[0])
    cs.export("root_after", roots[1])
    path = path_of(5, 0b1101, depth)
    values: dict[str, object] = {"index": digits(0b1101, 2 * depth), "before": 5, "after": 6}
    return cs.freeze(), values | {f"lanes_{k}": lane for k, lane in enumerate(merkle_lanes(path))}


def curve_case() -> Case:
    cs = ConstraintSystem("curve")
    p, q = (Edwards(cs.input(f"{n}x"), cs.input(f"{n}y")) for n in "pq")
    babyjubjub.assert_on_curve(cs, q)
    cs.export_array("sum", babyjubjub.add(cs, p, q))
    cs.export_array("twice", babyjubjub.double(cs, p))
    cs.export_array("p8", babyjubjub.cofactor_multiple(cs, p))
    (px, py), (qx, qy) = curve.add(curve.mul_base8(77), TORSION[3]), curve.mul_base8(78)
    return cs.freeze(), {"px": px, "py": py, "qx": qx, "qy": qy}


def signed_values(seed: bytes = bytes(32), message: int = 1234567) -> dict[str, object]:
    key, signature = eddsa_twin.public_key(seed), eddsa_twin.sign(seed, message)
    return assignment(key, message, signature)


def assignment(key, message, signature, enabled=1) -> dict[str, object]:
    named = zip(("ax", "ay", "r8x", "r8y", "s"), (*key, *signature), strict=True)
    return {"enabled": enabled, "message": message, **dict(named)}


@pytest.fixture(scope="module")
def verify() -> Template:
    cs = ConstraintSystem("verify")
    enabled = cs.input_bool("enabled")
    names = ("ax", "ay", "r8x", "r8y", "s", "message")
    eddsa_poseidon_verify(cs, enabled, *(cs.input(name) for name in names))
    return cs.freeze()


CASES: list[Callable[[], Case]] = [
    bits_case,
    strict_case,
    compare_case,
    select_case,
    horner_case,
    poseidon_case,
    merkle_case,
    curve_case,
]


@pytest.mark.parametrize("case", CASES)
def test_gadget__binds_every_wire(case):
    """C1: no wire of a satisfied witness can be changed on its own."""
    template, values = case()
    assert_every_wire_bound(template, inputs=values)


def test_signature__binds_every_wire(verify):
    """C1: the same for a whole signature verification."""
    assert_every_wire_bound(verify, inputs=signed_values())


def test_is_zero__leaves_only_its_documented_wire_free():
    """C1: at zero the hinted inverse is free, as the gadget says; its answer is not."""
    cs = ConstraintSystem("is_zero")
    cs.export("zero", compare.is_zero(cs, cs.input("x")))
    template = cs.freeze()
    assert_every_wire_bound(template, inputs={"x": 0}, allowed={"inverse_or_zero#0"})
    assert template.check(inputs={"x": 0}, override={0: 12345})["zero"] == 1


@pytest.mark.parametrize("case", CASES)
def test_gadget__refuses_lies_of_every_hint(case):
    """C3, C4: a hint that lies leaves the system unsatisfied, whatever is computed from the lie. What is
    not an input or a hint is defined by a row, so outputs are a function of the inputs."""
    template, values = case()
    told = assert_lies_caught(template, inputs=values)
    assert (told > 0) == (len(template.hints) > 0)


def test_signature__refuses_lies_of_hints(verify):
    """C3, C4: of each kind of hint in each scope a sample (the 250 bits of S are one hint: see the strict
    decomposition above and the slow test below)."""
    rng = random.Random(7)
    by_place: dict[tuple[str, int], list] = {}
    for site in verify.hints:
        if len(site.columns) < 100:
            by_place.setdefault((site.scope, site.place.line), []).append(site)
    chosen = [site for sites in by_place.values() for site in rng.sample(sites, min(2, len(sites)))]
    assert assert_lies_caught(verify, inputs=signed_values(), hints=chosen) > 50


@pytest.mark.slow
def test_signature__refuses_lies_of_every_hint(verify):
    """C3, C4."""
    assert assert_lies_caught(verify, inputs=signed_values()) > 2000


def test_merkle__has_nothing_to_lie_about():
    """C3, C9: the roots are computed from the inputs without a single hint."""
    template, _ = merkle_case()
    assert template.hints == ()


# ======================================================================================================
# C5: ranges
# ======================================================================================================
def test_range_check__holds_at_its_edges_for_every_width():
    """C5: 2^n - 1 is accepted; 2^n, r - 1 and the bits of x + r are refused, for n = 1 .. 253."""
    for n in range(1, 254):
        cs = ConstraintSystem("range")
        x = cs.input("x")
        bits.range_check(cs, x, n)
        cs.export("next", x + 1)
        template = cs.freeze()
        top = (1 << n) - 1
        assert template.check(inputs={"x": top}).satisfied, n
        assert template.check(inputs={"x": 0}).satisfied, n
        for value in (top + 1, MODULUS - 1):
            assert_unsatisfied(template, inputs={"x": value}, by=f"bit of a {n}-bit number", only=True)
        if n > 1:
            lie = {0: digits(top + MODULUS, n - 1)}
            assert_unsatisfied(template, inputs={"x": top}, by=f"bit of a {n}-bit number", override=lie)


def test_to_bits_strict__refuses_the_bits_of_x_plus_r():
    """C5: 254 bits hold x + r for small x; only the comparison with r tells them apart."""
    cs = ConstraintSystem("strict")
    x = cs.input("x")
    cs.export("low", bits.to_bits_strict(cs, x)[0])
    template = cs.freeze()
    for value in (0, 1, 5, (1 << 254) - 1 - MODULUS):
        check = assert_unsatisfied(
            template,
            inputs={"x": value},
            by="bits below r",
            only=True,
            override={0: digits(value + MODULUS, 253)},
        )
        assert check["low"] == (value + MODULUS) & 1
    for value in (MODULUS - 1, MODULUS - 2, 1 << 253, (1 << 253) - 1):
        assert template.check(inputs={"x": value})["low"] == value & 1


@pytest.mark.parametrize("value", [0, 1, 77])
def test_challenge__refuses_the_digits_of_h_plus_r(value):
    """C5: the signed digits of a scalar multiplication recompose h + r just as well as h."""
    cs = ConstraintSystem("multiply")
    p = Montgomery(cs.input("u"), cs.input("v"))
    cs.export_array("p", babyjubjub.multiply(cs, p, cs.input("h")))
    template = cs.freeze()
    x, y = BASE8
    u = (1 + y) * pow(1 - y, -1, MODULUS) % MODULUS
    inputs = {"u": u, "v": u * pow(x, -1, MODULUS) % MODULUS, "h": value}
    honest = assert_satisfied(template, inputs=inputs)
    false_bits = digits(value + MODULUS, 254)
    sites = find_hints(template, "value", "digits")
    assert len(sites) == 254
    lies = {}
    for site, j in zip(sites, reversed(range(254)), strict=True):
        if false_bits[j] != value >> j & 1:
            lies[site] = (lambda told: 1 - told[0]) if j == 0 else (lambda told: -told[0])
    check = assert_unsatisfied(template, inputs=inputs, override=lies)
    assert {f.label for f in check.failures} == {"scalar is canonical"}
    assert (check["p[0]"], check["p[1]"]) == curve.mul(BASE8, value + MODULUS)
    assert (honest["p[0]"], honest["p[1]"]) == curve.mul(BASE8, value)


@pytest.mark.parametrize("n", [0, 253, 254, 256])
@pytest.mark.parametrize(
    "gadget",
    [compare.less_than, compare.less_or_equal, compare.assert_less_than, compare.assert_less_or_equal],
)
def test_comparators__refuse_widths_that_could_wrap(gadget, n):
    """C5: beyond 252 bits a difference has two decompositions."""
    cs = ConstraintSystem("compare")
    with pytest.raises(ValueError, match=f"a comparison of {n} bits; expected 1 .. 252"):
        gadget(cs, cs.input("a"), cs.input("b"), n)


def test_comparators__hold_at_their_edges_for_every_width():
    """C5: a - b at the extremes of every width, and the wrap at -1 refused."""
    for n in range(1, 253, 7):
        cs = ConstraintSystem("compare")
        a, b = cs.input("a"), cs.input("b")
        cs.export("less", compare.less_than(cs, a, b, n))
        template = cs.freeze()
        top = (1 << n) - 1
        for x, y in ((0, 0), (0, top), (top, 0), (top, top), (top - 1, top)):
            assert template.check(inputs={"a": x, "b": y})["less"] == (x < y)
        assert not template.check(inputs={"a": MODULUS - 2, "b": top}).satisfied


# ======================================================================================================
# C7, C9: selectors and paths
# ======================================================================================================
@pytest.mark.parametrize("value", [2, 3, MODULUS - 1, (MODULUS + 1) // 2])
@pytest.mark.parametrize(
    ("case", "name"), [(select_case, "low"), (select_case, "high"), (horner_case, "flag")]
)
def test_selector__must_be_zero_or_one(case, name, value):
    """C7."""
    template, values = case()
    assert_unsatisfied(template, inputs=values | {name: value}, by=f"{name} is boolean")


@pytest.mark.parametrize("value", [2, MODULUS - 1])
@pytest.mark.parametrize("place", range(4))
def test_path_bit__must_be_zero_or_one(place, value):
    """C7."""
    template, values = merkle_case()
    index = list(values["index"])
    index[place] = value
    assert_unsatisfied(template, inputs=values | {"index": index}, by=f"index[{place}] is boolean")


def test_merkle__binds_the_index_to_the_path():
    """C9: the same path at any other index is refused, at the level where the indices part."""
    template, values = merkle_case()
    for wrong in set(range(16)) - {0b1101}:
        check = template.check(inputs=values | {"index": digits(wrong, 4)})
        assert {f.label for f in check.failures} == {"the child stands at its place"}, wrong


def test_merkle__reads_the_same_siblings_before_and_after():
    """C9: another sibling changes both roots or breaks the path above; none changes for one root alone.

    The lanes are inputs of the template, four a level, and no wire can be altered on its own (C1 above).
    """
    template, values = merkle_case()
    honest = assert_satisfied(template, inputs=values)
    assert template.num_inputs == 4 + 2 + 2 * 4
    places = merkle_twin.places(0b1101, 2)
    for level, place in enumerate(places):
        for lane in range(4):
            lanes = list(values[f"lanes_{level}"])
            lanes[lane] = (lanes[lane] + 1) % MODULUS
            check = template.check(inputs=values | {f"lanes_{level}": lanes})
            if level == 1 and lane != place:
                assert check.satisfied
                assert check["root_before"] != honest["root_before"]
                assert check["root_after"] != honest["root_after"]
            else:
                assert {f.label for f in check.failures} == {"the child stands at its place"}
                assert f"level {level if lane == place else 1}" in {f.scope for f in check.failures}


def test_merkle__does_not_take_a_node_for_a_leaf():
    """C9: a path one level short of the template's, or one that starts at an inner node, is not a path."""
    leaf_hash = poseidon_twin([1, 2, 3, 4, 5])
    path = path_of(leaf_hash, 0b1101, 2)
    root = merkle_twin.root_from_path(leaf_hash, 0b1101, path)
    cs = ConstraintSystem("membership")
    index = cs.input_bool_array("index", 4)
    words = cs.input_array("leaf", 5)
    lanes = [cs.input_array(f"lanes_{k}", 4) for k in range(2)]
    cs.export("root", merkle_membership(cs, index, poseidon(cs, words), lanes))
    template = cs.freeze()
    honest = {"index": digits(0b1101, 4), "leaf": [1, 2, 3, 4, 5]}
    honest |= {f"lanes_{k}": lane for k, lane in enumerate(merkle_lanes(path))}
    assert assert_satisfied(template, inputs=honest)["root"] == root
    # The children of an inner node offered as a leaf's words: another permutation, another hash.
    for words5 in ([*path[0], 0], [0, *path[0]]):
        assert_unsatisfied(
            template, inputs=honest | {"leaf": words5}, by="level 0/the child stands at its place"
        )
    # The upper level taken for the lower one.
    shifted = honest | {"lanes_0": honest["lanes_1"], "index": digits(0b1111, 4)}
    assert_unsatisfied(template, inputs=shifted, by="level 0/the child stands at its place")
    with pytest.raises(ValueError, match="a path of 1 levels needs 2 index bits, got 4"):
        merkle_membership(cs, index, words[0], lanes[:1])


# ======================================================================================================
# C11: signatures
# ======================================================================================================
@pytest.mark.parametrize("i", range(8))
def test_signature__follows_one_rule_for_mixed_order_points(i, verify):
    """C11: A and R8 with every torsion component, the signature otherwise right: a component in A goes with
    the cofactor, one in R8 is refused; circuit and primitive agree."""
    rng = random.Random(i)
    accepted = 0
    for j in range(8):
        a, r = rng.randrange(1, ORDER), rng.randrange(ORDER)
        key = curve.add(curve.mul_base8(a), TORSION[i])
        r8 = curve.add(curve.mul_base8(r), TORSION[j])
        message = rng.randrange(MODULUS)
        h = poseidon_twin([*r8, *key, message])
        signature = (*r8, (r + h * 8 * a) % ORDER)
        holds = eddsa_twin.verify(key, message, signature)
        assert verify.check(inputs=assignment(key, message, signature)).satisfied == holds
        assert holds == (j == 0)
        accepted += holds
    assert accepted == 1


@pytest.mark.parametrize("i", range(8))
def test_signature__refuses_every_key_of_low_order(i, verify):
    """C11: 8 A is the identity, so S = 0 and R8 = identity would satisfy the bare equation."""
    for r8, s in ((curve.IDENTITY, 0), (BASE8, 1), (TORSION[4], 0)):
        values = assignment(TORSION[i], 99, (*r8, s))
        assert not eddsa_twin.verify(TORSION[i], 99, (*r8, s))
        check = assert_unsatisfied(verify, inputs=values)
        assert any(f.scope == "key" for f in check.failures)


def test_signature__accepts_the_identity_as_r8_by_the_rule(verify):
    """C11: R8 = identity is a commitment like any other; R8 = (0, -1) is not in the subgroup."""
    a, message = 1234, 5
    key = curve.mul_base8(a)
    for r8, holds in ((curve.IDENTITY, True), (TORSION[4], False)):
        h = poseidon_twin([*r8, *key, message])
        signature = (*r8, h * 8 * a % ORDER)
        assert eddsa_twin.verify(key, message, signature) == holds
        assert verify.check(inputs=assignment(key, message, signature)).satisfied == holds


def test_signature__refuses_s_plus_l_and_s_from_l_on(verify):
    """C11: S + k l signs the same, so that only S < l may pass."""
    values = signed_values()
    for s in (values["s"] + ORDER, values["s"] + 2 * ORDER, ORDER, ORDER + 1, MODULUS - 1, 1 << 251):
        check = assert_unsatisfied(verify, inputs=values | {"s": s})
        assert any(f.scope == "s below l" for f in check.failures)
    # Below l the comparison is silent: S = l - 1 fails in the equation only.
    check = assert_unsatisfied(verify, inputs=values | {"s": ORDER - 1})
    assert {f.scope for f in check.failures} == {"equation"}


def test_signature__refuses_points_off_the_curve(verify):
    """C11: a key off the curve fails in its own rows, an R8 off the curve in the equation."""
    values = signed_values()
    check = assert_unsatisfied(verify, inputs=values | {"ay": (values["ay"] + 1) % MODULUS})
    assert any(f.scope == "key" for f in check.failures)
    for name in ("r8x", "r8y"):
        check = assert_unsatisfied(verify, inputs=values | {name: (values[name] + 1) % MODULUS})
        assert {f.scope for f in check.failures} == {"equation"}


def test_signature__of_the_opposite_points_is_refused(verify):
    """C11: (A, R8) and (-A, -R8) share ordinates; the signature is for one of them."""
    values = signed_values()
    flipped = {"ax": -values["ax"] % MODULUS, "r8x": -values["r8x"] % MODULUS}
    for change in (dict([item]) for item in flipped.items()):
        assert_unsatisfied(verify, inputs=values | change)
    assert_unsatisfied(verify, inputs=values | flipped)


@pytest.mark.parametrize("relation", [1, -1, 2, -2, 3])
def test_signature__with_related_key_and_nonce_has_no_exception(relation, verify):
    """C11: R8 a small multiple of A or of BASE8, where sums meet equal and opposite points."""
    for a in (1, 2, ORDER - 1, (ORDER + 1) // 2, pow(8, -1, ORDER)):
        key = curve.mul_base8(a)
        for r in (relation * a % ORDER, relation % ORDER):
            r8 = curve.mul_base8(r)
            h = poseidon_twin([*r8, *key, 7])
            signature = (*r8, (r + h * 8 * a) % ORDER)
            assert_satisfied(verify, inputs=assignment(key, 7, signature))
            wrong = (*r8, (r - h * 8 * a) % ORDER)
            assert not verify.check(inputs=assignment(key, 7, wrong)).satisfied


def test_signature__switch_cannot_be_other_than_a_bit(verify):
    """C7, C11: a signature is either demanded or not; with enabled = 0 nothing but the dummy is at stake."""
    bad = assignment(BASE8, 3, DUMMY_SIGNATURE)
    for enabled in (2, MODULUS - 1):
        assert_unsatisfied(verify, inputs=bad | {"enabled": enabled}, by="enabled is boolean")


# ======================================================================================================
# C18: compression
# ======================================================================================================
def inverse_permutation(state: list[int]) -> list[int]:
    """Poseidon's permutation backwards."""
    table = poseidon_parameters(len(state))
    t, half = table.t, table.rounds_full // 2
    root = pow(5, -1, MODULUS - 1)
    for i in reversed(range(table.rounds_full + table.rounds_partial)):
        state = solve([list(row) for row in table.mds], state)
        full = not half <= i < half + table.rounds_partial
        state = [pow(x, root, MODULUS) if full or k == 0 else x for k, x in enumerate(state)]
        state = [(x - c) % MODULUS for x, c in zip(state, table.round_constants[i * t :], strict=False)]
    return state


def solve(matrix: list[list[int]], right: list[int]) -> list[int]:
    n = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(n):
        scale = pow(rows[i][i], -1, MODULUS)
        rows[i] = [x * scale % MODULUS for x in rows[i]]
        for j in range(n):
            if j != i:
                rows[j] = [(x - rows[j][i] * y) % MODULUS for x, y in zip(rows[j], rows[i], strict=True)]
    return [row[n] for row in rows]


def test_poseidon__cannot_be_run_backwards():
    """C18: walking back from a chosen digest gives inputs, but the lane that the circuit fixes at zero
    does not come out zero, and the circuit has no signal through which to say otherwise."""
    cs = ConstraintSystem("poseidon")
    cs.export("h", poseidon(cs, cs.input_array("x", 4)))
    template = cs.freeze()
    assert template.num_inputs == 4
    rng = random.Random(18)
    for _ in range(3):
        digest = rng.randrange(MODULUS)
        start = inverse_permutation([digest, *(rng.randrange(MODULUS) for _ in range(4))])
        assert permute_reference(start)[0] == digest
        assert start[0] != 0
        assert assert_satisfied(template, inputs={"x": start[1:]})["h"] != digest
