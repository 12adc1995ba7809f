"""Properties of PROPERTIES.md that the constraint system itself must give every circuit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.cs import ConstraintSystem, ConstraintSystemError, FreezeError, System, Template
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.interface import Engine
from zkrollup.testing import (
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    assert_unsatisfied,
    mutate_witness,
)


def every_form() -> Template:
    """A circuit that uses every operator, assertion and hint, with nothing left free."""
    cs = ConstraintSystem("every form")
    x, y, limit = cs.input("x"), cs.input("y"), cs.link("limit")
    n, flag, other = cs.input_uint("n", 6), cs.input_bool("flag"), cs.input_bool("other")
    with cs.scope("bits"):
        bits = [cs.assert_bool(b, "bit of n + x") for b in cs.hint_bits(n + x, 8)]
        cs.assert_equal(cs.linear([(b, 1 << i) for i, b in enumerate(bits)]), n + x, "n + x has 8 bits")
    with cs.scope("inverse"):
        (y * cs.hint_inverse_or_zero(y)).assert_equal(1, "y is not zero")
    with cs.scope("quotient"):
        ratio = cs.hint_divide_or_zero(x, y)
        (ratio * y).assert_equal(x, "ratio")
        cs.export("ratio", ratio)
    with cs.scope("integers"):
        quotient, rest = cs.hint_divmod(limit, 8)
        for name, value, width in (("quotient", quotient, 6), ("rest", rest, 3)):
            parts = [cs.assert_bool(b) for b in cs.hint_bits(value, width)]
            cs.assert_equal(cs.linear([(b, 1 << i) for i, b in enumerate(parts)]), value, f"{name} in range")
        cs.assert_equal(8 * quotient + rest, limit, "limit is divided")
    with cs.scope("choice"):
        cs.export("chosen", flag.select(x, y) * (flag & other) + (flag ^ other) + (flag | other))
        with cs.when(flag):
            x.assert_equal(7, "x is seven when flagged")
            with cs.when(other):
                (y * y).assert_equal(9, "y squared is nine when both")
    return cs.freeze()


GOOD = ({"limit": 61}, {"x": 7, "y": 3, "n": 33, "flag": 1, "other": 1})


def test_every_wire__is_bound_by_some_row(engine: Engine) -> None:
    """C1: changing any single wire of a satisfied witness breaks some constraint."""
    check = assert_satisfied(every_form(), *GOOD, engine=engine)
    assert mutate_witness(every_form(), check.values) == []
    assert_every_wire_bound(every_form(), *GOOD)


def test_mutation__reports_the_wire_that_an_assignment_without_a_row_leaves_free() -> None:
    """C1: the mistake of the class - a value computed and never constrained - is found by mutation even
    where freeze cannot see it: the output is used, but not tied to its input."""
    cs = ConstraintSystem("free")
    x = cs.input("x")
    square_root = cs.hint_divide_or_zero(x, 3)
    cs.assert_bool(x)
    (square_root * (x - 1)).assert_equal(0, "tied only when x is not 1")
    template = cs.freeze()
    values = assert_satisfied(template, {}, {"x": 1}).values
    assert [w.name for w in mutate_witness(template, values)] == ["divide_or_zero#0"]


def test_lying_hints__leave_the_system_unsatisfied() -> None:
    """C3: whatever any one hint answers instead of the truth, some constraint fails."""
    assert assert_lies_caught(every_form(), *GOOD) > 50


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_lying_hints__with_any_values_at_once_are_refused(data) -> None:
    """C3: any hint may be overridden with any values, and none of them is accepted."""
    template = every_form()
    honest = template.check(*GOOD)
    site = data.draw(st.sampled_from(template.hints))
    truth = [honest.values[c] for c in site.columns]
    answer = data.draw(
        st.lists(
            st.one_of(st.integers(0, 3), st.integers(0, MODULUS - 1)),
            min_size=len(truth),
            max_size=len(truth),
        )
    )
    check = template.check(*GOOD, override={site: answer})
    assert check.satisfied == (answer == truth)
    assert [check.values[c] for c in site.columns] == answer


def test_override__reaches_hints_by_index_wires_by_name_and_functions_of_the_truth() -> None:
    """C3: the test interface can override any hint, and any wire."""
    template = every_form()
    assert_unsatisfied(
        template, *GOOD, override={0: lambda bits: [1 - bits[0], *bits[1:]]}, by="n + x has 8 bits"
    )
    assert_unsatisfied(template, *GOOD, override={"bits#0[0]": 2}, by="bit of n + x")
    assert_unsatisfied(template, *GOOD, override={"ratio": 5}, by="ratio", only=False)
    assert_unsatisfied(template, *GOOD, override={"x": 8}, by="x is seven when flagged")
    with pytest.raises(ConstraintSystemError, match="has 8 outputs, the override gives 1"):
        template.check(*GOOD, override={0: 1})


@pytest.mark.parametrize("value", [2, 3, MODULUS - 1, (MODULUS + 1) // 2])
@pytest.mark.parametrize("name", ["flag", "other", "n.bits[0]", "n.bits[5]"])
def test_selectors_and_bits__other_than_0_and_1_are_unsatisfiable(name: str, value: int) -> None:
    """C7: creating a Bool or a UInt from an input constrains it."""
    assert_unsatisfied(every_form(), *GOOD, override={name: value}, by=f"{name} is boolean")


@pytest.mark.parametrize("bits", [1, 2, 8, 32, 40, 128, 160, 252, 253])
def test_uint_input__holds_its_range_and_refuses_one_more(bits: int) -> None:
    """C5: 0 and 2^n-1 are accepted, 2^n cannot be expressed, no assignment of the bits reaches it."""
    cs = ConstraintSystem("range", {"bits": bits})
    cs.export("out", cs.input_uint("n", bits) * 1)
    template = cs.freeze()
    for good in (0, 1, (1 << bits) - 1):
        assert assert_satisfied(template, {}, {"n": good}).exports["out"] == good
    with pytest.raises(ValueError, match=f"does not fit its {bits} bits"):
        template.check({}, {"n": 1 << bits})
    # Reaching 2^n, r-1 or -1 takes a wire that is not a bit.
    for bad in (1 << bits, MODULUS - 1):
        rest = (bad - ((1 << bits) - 1)) * pow(1 << (bits - 1), -1, MODULUS) + 1
        assert_unsatisfied(
            template,
            {},
            {"n": (1 << bits) - 1},
            override={f"n.bits[{bits - 1}]": rest},
            by=f"n.bits[{bits - 1}] is boolean",
        )


def test_uint__of_254_bits_is_refused_because_x_plus_r_would_fit() -> None:
    """C5: bits of x + r cannot pass for bits of x: a width that holds both is refused."""
    with pytest.raises(ConstraintSystemError, match="254 bits can hold x \\+ r as well as x"):
        ConstraintSystem("t").input_uint("n", 254)


@pytest.mark.parametrize("declare", ["input", "input_bool", "link"])
def test_unused_input__is_an_error_with_its_place(declare: str) -> None:
    """C16: every secret input and link is constrained by more than its own type."""
    cs = ConstraintSystem("t")
    cs.input("used").assert_equal(1)
    getattr(cs, declare)("unused")
    with pytest.raises(FreezeError, match=r"test_constraint_system\.py:\d+: (input|link) 'unused' is in no"):
        cs.freeze()


def test_unused_public_input__is_an_error() -> None:
    """C16: a public input that no part is connected to is refused at assembly."""
    cs = ConstraintSystem("t")
    cs.link("x").assert_equal(3)
    system = System("s", public=["x", "forgotten"])
    system.add("only", cs.freeze()).connect("x", system.public("x"))
    with pytest.raises(FreezeError, match="public input 'forgotten' is connected to no link"):
        system.freeze()


def test_every_public_input__changes_what_holds(engine: Engine) -> None:
    """C16: a public input that is connected is in a row that notices another value."""
    template = every_form()
    system = System("s", public=["limit"])
    system.add("only", template).connect("limit", system.public("limit"))
    r1cs = system.freeze()
    links, inputs = GOOD
    good = r1cs.witness(engine, links, {"only": [inputs]})
    assert r1cs.check(engine, good) == []
    wrong = r1cs.witness(engine, {"limit": 60}, {"only": [inputs]})
    good.values[1] = wrong.values[1]
    labels = [f.label for f in r1cs.check(engine, good)]
    assert labels == ["limit is divided"]


def test_outputs__are_a_function_of_the_inputs() -> None:
    """C4: for a small field of candidates, no two satisfying witnesses share inputs and differ in outputs."""
    cs = ConstraintSystem("zero test")
    x = cs.input("x")
    inverse, zero = cs.hint_inverse_or_zero(x), cs.hint_is_zero(x)
    cs.enforce(x, inverse, 1 - zero, "inverse")
    cs.enforce(x, zero, 0, "zero")
    cs.export("zero", zero)
    template = cs.freeze()
    candidates = [0, 1, 2, MODULUS - 1, pow(2, -1, MODULUS)]
    for value in (0, 1, 2):
        outputs = {
            check.exports["zero"]
            for a in candidates
            for b in candidates
            if (check := template.check({}, {"x": value}, override={0: a, 1: b})).satisfied
        }
        assert outputs == {int(value == 0)}
