"""Every claim of a gadget that rests on the sizes of numbers only, at small widths: all inputs and witnesses.

A claim is a statement about all satisfying witnesses. Here it is checked on each of them, over a small prime
below which nothing wraps that does not wrap below the large one: the wires that a claim calls determined have
one value for each value of those that determine them, and wires that no claim calls idle have one value for
each input. Claims of gadgets whose constants have no meaning modulo a small prime (curves) are not here.
"""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import bits
from zkrollup.gadgets.bits import assert_bits_less_than, assert_first_difference, from_bits
from zkrollup.gadgets.compare import less_than_bits
from zkrollup.gadgets.sort import assert_distinct, assert_permutation, sort
from zkrollup.testing import record_gadget
from zkrollup.testing.small_field import _Search, _small_rows

GADGETS = Path(__file__).resolve().parents[2] / "zkrollup" / "gadgets"


def examine(template, prime):
    """Check the template's claims over all witnesses modulo a prime; how many inputs have a witness.

    AssertionError names the claim and two witnesses against it.
    """
    count = template.num_links + template.num_own
    given = range(1, template.num_links + template.num_inputs)
    columns = {
        kind: {c for claim in template.claims if claim.kind == kind for c in claim.columns}
        for kind in ("idle", "determined")
    }
    idle = columns["idle"] - columns["determined"]
    others = [c for c in range(count) if c not in idle]
    of_inputs, of_claims = {}, {}
    for values in _Search(_small_rows(template, prime), count, prime).witnesses(given):
        key = tuple(values[c] for c in given)
        known = of_inputs.setdefault(key, [values[c] for c in others])
        assert known == [values[c] for c in others], f"not only idle wires differ: {key}"
        for claim in template.claims:
            if claim.kind == "determined":
                sums = [sum(k * values[c] for c, k in terms) % prime for terms in claim.sums]
                shown = [*(values[c] for c in claim.columns), *sums]
                by = (id(claim), tuple(values[c] for c in claim.by))
                assert of_claims.setdefault(by, shown) == shown, f"false: {claim.reason} at {by[1]}"
    assert of_inputs
    return len(of_inputs)


@pytest.mark.parametrize(("n", "prime"), [(2, 17), (3, 37), (4, 67), (5, 131)])
def test_claims_of_less_than_bits__hold_for_all_pairs(n, prime):
    template = record_gadget(less_than_bits, {"a": ["bool"] * n, "b": ["bool"] * n})
    assert {claim.kind for claim in template.claims} == {"determined", "idle"}
    assert examine(template, prime) == 4**n


@pytest.mark.parametrize("n", [3, 5])
def test_claims_of_bits_less_than__hold_for_all_bounds(n, monkeypatch):
    # for so few bits its other way, by runs of zeros, is cheaper and needs no claim
    monkeypatch.setattr(bits, "_zero_runs", lambda c, n: [(0, 0)] * 99)
    claimed = 0
    for bound in range(1, 1 << n):

        def gadget(cs, number, bound=bound):
            assert_bits_less_than(cs, number, bound)
            return cs.materialise(from_bits(cs, number))

        template = record_gadget(gadget, {"number": ["bool"] * n})
        if template.claims:
            claimed += 1
            assert examine(template, 131) == bound
    assert claimed == (1 << n) - 1


@pytest.mark.parametrize(("width", "scaled"), [(1, False), (2, False), (1, True)])
def test_claims_of_first_difference__hold_for_all_differences(width, scaled):
    def gadget(cs, x, y, s=None):
        scale = None if s is None else 2 * s - 1
        assert_first_difference(cs, [x, y], [x, y], width, "differs", scale)

    fields = {"x": "field", "y": "field"}
    assert examine(record_gadget(gadget, fields | ({"s": "bool"} if scaled else {})), 11)


@pytest.mark.parametrize(("count", "prime"), [(2, 11), (3, 11), (4, 11)])
def test_claims_of_sort__hold_for_all_values(count, prime):
    template = record_gadget(
        lambda cs, v: {f"v{i}": value for i, value in enumerate(sort(cs, v, 2))}, {"v": [2] * count}
    )
    assert {claim.kind for claim in template.claims} == {"determined", "idle"}
    assert examine(template, prime) == 4**count


@pytest.mark.parametrize("count", [2, 3, 4])
def test_claims_of_distinct__hold_for_all_values(count):
    template = record_gadget(lambda cs, v: assert_distinct(cs, v, 2), {"v": [2] * count})
    distinct = sum(len(set(v)) == count for v in itertools.product(range(4), repeat=count))
    assert examine(template, 11) == distinct


@pytest.mark.parametrize(("count", "prime"), [(2, 7), (3, 3)])
def test_claims_of_permutation__hold_for_all_values(count, prime):
    fields = ["field"] * count
    template = record_gadget(assert_permutation, {"a": fields, "b": fields})
    pairs = itertools.product(itertools.product(range(prime), repeat=count), repeat=2)
    assert examine(template, prime) == sum(sorted(a) == sorted(b) for a, b in pairs)


def test_false_claims__are_found_out():
    cs = ConstraintSystem("root")
    x = cs.input("x")
    root = cs.hint_value(x)
    cs.enforce(root, root, cs.materialise(x * x), label="square")
    cs.claim_determined([root], by=[x], reason="one root")
    with pytest.raises(AssertionError, match="not only idle wires differ"):
        examine(cs.freeze(), 7)
    cs = ConstraintSystem("by too little")
    x = cs.input("x")
    one, out = cs.materialise(x * x), cs.materialise(x * (x + 1))
    cs.claim_determined([out], by=[one], reason="of the square alone")
    with pytest.raises(AssertionError, match="false: of the square alone"):
        examine(cs.freeze(), 7)


def test_claims__are_made_by_gadgets_that_are_examined_here_or_rest_on_a_curve():
    """A new claim needs a test here, or a reason that belongs to a curve."""
    found = set()
    for path in sorted(GADGETS.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr.startswith("claim_")
                for call in ast.walk(function)
            ):
                found.add((path.stem, function.name))
    examined = {
        ("bits", "assert_first_difference"),
        ("compare", "less_than_bits"),
        ("sort", "_claim_idle"),
        ("sort", "_claim_order"),
    }
    of_curves = {
        ("babyjubjub", "_quotient"),
        ("babyjubjub", "multiply_plus_t2"),
        ("points", "assert_in_subgroup"),
    }
    assert found == examined | of_curves
