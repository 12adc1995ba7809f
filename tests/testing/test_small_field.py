"""Exhaustive checking over small primes: right gadgets pass, each planted flaw is shown with its inputs."""

from __future__ import annotations

import pytest

from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import babyjubjub
from zkrollup.gadgets.bits import range_check, to_bits
from zkrollup.gadgets.compare import is_equal, is_zero, less_than
from zkrollup.gadgets.select import conditional_swap, mux4, one_hot4
from zkrollup.testing import exhaustive, record_gadget


def test_is_zero__is_a_function_whatever_the_inverse() -> None:
    report = exhaustive(is_zero, 17, lambda x: x == 0, inputs={"x": "field"})
    assert (report.inputs, report.witnesses) == (17, 16 + 17)
    assert report.free_wires == ("inverse_or_zero#0",)


def test_is_equal__over_every_pair() -> None:
    assert exhaustive(is_equal, 11, lambda a, b: a == b, inputs={"a": "field", "b": "field"}).inputs == 121


def forgetful(cs, x):
    """is_zero without its second row."""
    inverse, zero = cs.hint_inverse_or_zero(x), cs.hint_is_zero(x)
    cs.enforce(x, inverse, 1 - zero, "x has an inverse unless it is zero")
    return zero


def test_forgotten_row__two_outputs_are_shown() -> None:
    with pytest.raises(
        AssertionError, match=r"modulo 7: x=1 gives \{'out': 1\} and \{'out': 0\}; different wires"
    ):
        exhaustive(forgetful, 7, inputs={"x": "field"})


def refuse_above(bits):
    def function(x):
        if x >> bits:
            raise ValueError("too large")

    return function


def test_range_check__refuses_every_other_value() -> None:
    def gadget(cs, x):
        range_check(cs, x, 4)

    report = exhaustive(gadget, 37, refuse_above(4), inputs={"x": "field"})
    assert (report.inputs, report.witnesses, report.free_wires) == (16, 16, ())
    with pytest.raises(AssertionError, match="modulo 37: x=8 has a witness; the function refuses it: too"):
        exhaustive(gadget, 37, refuse_above(3), inputs={"x": "field"})
    with pytest.raises(AssertionError, match="modulo 37: x=16 has no witness; the function gives None"):
        exhaustive(gadget, 37, refuse_above(5), inputs={"x": "field"})


def test_bits__that_reach_beyond_the_prime_are_ambiguous() -> None:
    """What happens to a decomposition of as many bits as the field has."""

    def gadget(cs, x):
        return {"low": to_bits(cs, x, 5)[0]}

    with pytest.raises(AssertionError, match=r"modulo 29: x=. gives \{'low': .\} and \{'low': .\}"):
        exhaustive(gadget, 29, inputs={"x": "field"})
    assert exhaustive(
        gadget, 37, lambda x: {"low": x & 1} if x < 32 else refuse_above(5)(x), inputs={"x": "field"}
    )


def test_less_than__over_every_pair_of_small_numbers() -> None:
    report = exhaustive(
        lambda cs, x, y: less_than(cs, x, y, 3), 17, lambda x, y: x < y, inputs={"x": 3, "y": 3}
    )
    assert report.inputs == 64


def test_selectors__over_every_input() -> None:
    pair = {"b": "bool", "x": "field", "y": "field"}
    report = exhaustive(
        lambda cs, b, x, y: dict(zip("pq", conditional_swap(cs, b, x, y), strict=True)),
        7,
        lambda b, x, y: {"p": y, "q": x} if b else {"p": x, "q": y},
        inputs=pair,
    )
    assert report.inputs == 2 * 49
    exhaustive(
        lambda cs, b, c: {f"o{i}": f for i, f in enumerate(one_hot4(cs, b, c))},
        5,
        lambda b, c: {f"o{i}": i == b + 2 * c for i in range(4)},
        inputs={"b": "bool", "c": "bool"},
    )
    four = {"b": "bool", "c": "bool", "v": ["field"] * 4}
    assert exhaustive(lambda cs, b, c, v: mux4(cs, b, c, v), 3, inputs=four).inputs == 4 * 81


def test_output__that_is_not_the_functions_is_shown() -> None:
    with pytest.raises(AssertionError, match=r"modulo 5: x=2 gives \{'out': 4\}; the function \{'out': 0\}"):
        exhaustive(lambda cs, x: x * x, 5, lambda x: x * x if x < 2 else 0, inputs={"x": "field"})


def test_halves__are_quotients_and_keep_their_meaning() -> None:
    half = (21888242871839275222246405745257275088548364400416034343698204186575808495617 + 1) // 2

    def gadget(cs, x):
        return cs.materialise(x * half)

    exhaustive(gadget, 11, lambda x: x * 6, inputs={"x": "field"})


def test_links__are_inputs_too() -> None:
    cs = ConstraintSystem("linked")
    cs.export("sum", cs.link("l") + cs.input("x"))
    assert exhaustive(cs.freeze(), 5, lambda l, x: l + x).inputs == 25  # noqa: E741


def test_exhaustive__refuses_what_would_mean_nothing() -> None:
    def curve(cs, x, y):
        babyjubjub.assert_on_curve(cs, babyjubjub.Edwards(x, y))

    with pytest.raises(ValueError, match=r"the coefficient \d+ of .* is no quotient of integers below 13"):
        exhaustive(curve, 13, inputs={"x": "field", "y": "field"})
    with pytest.raises(ValueError, match="15 is not an odd prime"):
        exhaustive(is_zero, 15, inputs={"x": "field"})
    template = record_gadget(is_zero, {"x": "field"})
    with pytest.raises(ValueError, match="more than 10 witnesses mod 17"):
        exhaustive(template, 17, max_witnesses=10)
