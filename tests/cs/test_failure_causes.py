"""Why a row does not hold: what did not fit, what was divided by, which hint lied; in Python and natively."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zkrollup.cs import AssignmentError, ConstraintSystem, HintError, System, Template
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine import get_engine
from zkrollup.gadgets.bits import range_check, to_bits, to_bits_strict
from zkrollup.gadgets.compare import assert_less_or_equal, assert_nonzero, is_zero
from zkrollup.gadgets.integers import divide

HERE = Path(__file__)


def plain(text: object) -> str:
    """Without line numbers and folders."""
    return re.sub(r"[^\s(]*?(\w+\.py):\d+", r"\1:LINE", str(text))


def source_of(place: object) -> str:
    """The line of this file that a place, or its caller, names."""
    line = next(int(n) for n in re.findall(rf"{HERE.name}:(\d+)", str(place)))
    return HERE.read_text().splitlines()[line - 1].strip()


def failures_natively(template: Template, *inputs: dict[str, object]) -> object:
    system = System("whole")
    system.add("steps", template, instances=len(inputs))
    r1cs, engine = system.freeze(), get_engine()
    return r1cs.check(engine, r1cs.witness(engine, {}, {"steps": list(inputs)}))


def byte() -> Template:
    cs = ConstraintSystem("byte")
    x = cs.input("x")
    with cs.scope("range"):
        range_check(cs, x + 100, 8)
    return cs.freeze()


def test_range__says_what_does_not_fit_how_many_bits_and_who_asked() -> None:
    check = byte().check({}, {"x": 200})
    (failure,) = check.failures
    (cause,) = failure.causes
    assert cause.kind == "range"
    assert cause.text == "x + 100 = 300 does not fit 8 bits"
    assert source_of(cause.place) == "range_check(cs, x + 100, 8)"
    assert plain(failure).splitlines()[-1] == (
        "  because x + 100 = 300 does not fit 8 bits; asked for at bits.py:LINE (called at "
        "test_failure_causes.py:LINE)"
    )


def test_range__is_explained_natively_too_and_in_the_instance_that_fails() -> None:
    failures = failures_natively(byte(), {"x": 155}, {"x": 156}, {"x": 3})
    (failure,) = failures
    assert failure.path == "steps[1]/range"
    assert [c.text for c in failure.causes] == ["x + 100 = 256 does not fit 8 bits"]


def test_range__that_fits_the_width_asked_for_is_no_cause() -> None:
    """to_bits hints seven bits of eight; 200 does not fit seven, and nothing is wrong with it."""
    template = byte()
    values = template.check({}, {"x": 100}).values
    values[template.column("bits#0[0]")] = 2
    failures = template.check_wires(values).failures
    assert failures
    assert {c.kind for f in failures for c in f.causes} == {"hint"}


@pytest.mark.parametrize("amount", [51, MODULUS - 1])
def test_comparison__shows_the_difference_that_went_below_zero(amount: int) -> None:
    cs = ConstraintSystem("spend")
    balance, amount_in = cs.input("balance"), cs.input("amount")
    assert_less_or_equal(cs, amount_in, balance, 16)
    check = cs.freeze().check({}, {"balance": 50, "amount": amount})
    difference = (50 - amount) % MODULUS
    if amount == 51:
        assert check.failures[0].causes[0].text == "balance - amount = -1 does not fit 16 bits"
    else:
        assert difference == 51
        assert check.satisfied


def test_uint_of_253_bits__is_named_with_its_width() -> None:
    cs = ConstraintSystem("wide")
    to_bits(cs, cs.input("x"), 253)
    failures = cs.freeze().check({}, {"x": 1 << 253}).failures
    assert failures[0].causes[0].text == f"x = {1 << 253:#066x} does not fit 253 bits"


def test_strict_bits__of_every_element_fit() -> None:
    cs = ConstraintSystem("strict")
    to_bits_strict(cs, cs.input("x"))
    assert cs.freeze().check({}, {"x": MODULUS - 1}).satisfied


def test_division__names_the_divisor_that_is_zero_and_the_line() -> None:
    cs = ConstraintSystem("price")
    total, count = cs.input("total"), cs.input("count")
    each = cs.hint_divide_or_zero(total, count - 2)
    (each * (count - 2)).assert_equal(total, label="each of count")
    template = cs.freeze()
    (failure,) = template.check({}, {"total": 10, "count": 2}).failures
    (cause,) = failure.causes
    assert (cause.kind, cause.text) == ("division", "count - 2 = 0 is a divisor")
    assert source_of(cause.place) == "each = cs.hint_divide_or_zero(total, count - 2)"
    (native,) = failures_natively(template, {"total": 10, "count": 2})
    assert native.causes == failure.causes


def test_inverse__of_zero_is_named() -> None:
    cs = ConstraintSystem("key")
    assert_nonzero(cs, cs.input("x") - cs.input("y"), label="keys differ")
    (failure,) = cs.freeze().check({}, {"x": 4, "y": 4}).failures
    assert [c.text for c in failure.causes] == ["x - y = 0 has no inverse"]


def test_integer_division__by_zero_is_named() -> None:
    cs = ConstraintSystem("divide")
    a, b = cs.input("a"), cs.input("b")
    quotient, remainder = cs.hint_divmod(a, b)
    (quotient * b).assert_equal(a - remainder, label="identity")
    range_check(cs, b - remainder - 1, 8)
    check = cs.freeze().check({}, {"a": 9, "b": 0})
    texts = [c.text for f in check.failures for c in f.causes]
    assert "b = 0 is a divisor" in texts
    assert "b - divmod#0[1] - 1 = -10 does not fit 8 bits" in texts


def test_division_gadget__natively_names_divisor_and_range_with_a_legible_formula() -> None:
    cs = ConstraintSystem("divide")
    a, b = cs.input_uint("a", 8), cs.input_uint("b", 8)
    quotient, remainder = divide(cs, a, b, 8, 8)
    cs.export("sum", quotient + remainder)
    (failure,) = failures_natively(cs.freeze(), {"a": 9, "b": 0})
    assert failure.formula == (
        "(b/128 - divmod#0[1]/128 - bits#3/128 - 129/128) * "
        "(b/128 - divmod#0[1]/128 - bits#3/128 - 1/128) = 0"
    )
    assert [c.text for c in failure.causes] == [
        "b = 0 is a divisor",
        "b - divmod#0[1] - 1 = -10 does not fit 8 bits",
    ]
    assert {source_of(c.place) for c in failure.causes} == {"quotient, remainder = divide(cs, a, b, 8, 8)"}


def test_boolean__that_is_neither_is_named() -> None:
    cs = ConstraintSystem("flag")
    flag = cs.input_bool("flag")
    (flag * 3).assert_equal(cs.input("y"))
    (failure,) = cs.freeze().check({}, {"flag": 7, "y": 21}).failures
    assert [str(c) for c in failure.causes] == ["because flag = 7 is neither 0 nor 1"]


def test_lie__of_a_hint_is_compared_with_what_it_computes() -> None:
    cs = ConstraintSystem("lie")
    x = cs.input("x")
    inverse = cs.hint_inverse_or_zero(x)
    (x * inverse).assert_equal(1, label="inverse")
    template = cs.freeze()
    (failure,) = template.check({}, {"x": 1}, override={0: 5}).failures
    assert [c.text for c in failure.causes] == ["inverse_or_zero#0 = 5, but hint_inverse_or_zero computes 1"]


def test_operand__that_is_a_product_of_scratch_values_is_told_by_its_value() -> None:
    cs = ConstraintSystem("scratch")
    x, y = cs.input("x"), cs.input("y")
    bits = cs.hint_bits(cs.scratch_product(x, y + 1) - 1, 4)
    cs.assert_equal(cs.linear([(b, 1 << i) for i, b in enumerate(bits)]), x * y, label="sum of bits")
    (failure,) = cs.freeze().check({}, {"x": 10, "y": 2}).failures
    assert [c.text for c in failure.causes] == ["a computed value, 29, does not fit 4 bits"]


def test_low_bit__of_a_number_that_may_be_large_is_no_cause() -> None:
    """Parity takes bit 0 of 7; when its row fails for another reason, 7 not fitting a bit is not why."""
    cs = ConstraintSystem("parity")
    x = cs.input("x")
    (odd,) = cs.hint_bits(x, 1, demanded=254)
    cs.assert_equal(odd, cs.input("y"), label="odd")
    cs.export("square", x * x)
    (failure,) = cs.freeze().check({}, {"x": 7, "y": 0}).failures
    assert failure.causes == ()


def test_definition__that_fails_has_no_division_for_a_cause() -> None:
    """is_zero divides by zero rightly; its product fails only when somebody changed the wire."""
    cs = ConstraintSystem("zero")
    x = cs.input("x")
    cs.assert_equal(is_zero(cs, x), 1, label="x is zero")
    template = cs.freeze()
    values = template.check({}, {"x": 0}).values
    values[-1] = 9
    failures = template.check_wires(values).failures
    product = next(f for f in failures if f.label == "product")
    assert "inverse_or_zero#0 * x = " in product.formula or "x * inverse_or_zero#0 = " in product.formula
    assert product.causes == ()


# -- hints written in Python -----------------------------------------------------------------------------
def square_root(n: int) -> int:
    if n == 7:
        raise ValueError("7 has no integer root")
    return round(n**0.5)


def roots() -> Template:
    cs = ConstraintSystem("roots")
    n = cs.input("n")
    with cs.scope("root"):
        (root,) = cs.hint_python(square_root, [n], 1)
        (root * root).assert_equal(n, label="root")
    return cs.freeze()


def test_python_hint__that_raises_names_line_operands_part_instance_and_subject() -> None:
    system = System("whole")
    system.add("steps", roots(), instances=3)
    r1cs, engine = system.freeze(), get_engine()
    values = {"steps": [{"n": 4}, {"n": 9}, {"n": 7}]}
    with pytest.raises(HintError) as caught:
        r1cs.witness(engine, {}, values, describe={"steps": ["Pay(1)", "Pay(2)", "Pay(3)"]})
    error = caught.value
    assert plain(error) == (
        "steps[2]/root: the Python hint square_root raised ValueError: 7 has no integer root; asked for at "
        "test_failure_causes.py:LINE with n = 7 in Pay(3)"
    )
    assert source_of(error.place) == "(root,) = cs.hint_python(square_root, [n], 1)"
    assert isinstance(error.__cause__, ValueError)


def test_python_hint__that_raises_in_a_check_names_the_template() -> None:
    with pytest.raises(HintError, match=r"^roots/root: the Python hint square_root raised ValueError"):
        roots().check({}, {"n": 7})


# -- values that cannot be assigned ----------------------------------------------------------------------
def test_assignment__out_of_range_says_part_instance_input_range_line_and_subject() -> None:
    cs = ConstraintSystem("pay")
    amount, wide, flag = cs.input_uint("amount", 8), cs.input_uint("wide", 40), cs.input_bool("flag")
    (amount * wide).assert_equal(flag * cs.input("x"))
    system = System("whole")
    system.add("slots", cs.freeze(), instances=2)
    r1cs, engine = system.freeze(), get_engine()
    good = {"amount": 1, "wide": 1, "flag": 1, "x": 1}

    def error(**change: object) -> AssignmentError:
        given = {"slots": [good, good | change]}
        with pytest.raises(AssignmentError) as caught:
            r1cs.witness(engine, {}, given, describe={"slots": lambda i: f"Transfer({i})"})
        return caught.value

    low = error(amount=300)
    assert plain(low) == (
        "slots[1]: input 'amount' = 300 does not fit its 8 bits: expected 0 .. 255, declared at "
        "test_failure_causes.py:LINE (in Transfer(1))"
    )
    assert (low.part, low.instance, low.name, low.expected) == ("slots", 1, "amount", "0 .. 255")
    assert low.subject == "Transfer(1)"
    assert error(wide=1 << 40).expected == "0 .. 2^40 - 1"
    assert str(error(flag="yes")) == (
        "slots[1]: input 'flag' must be an integer, not str: expected 0 or 1 (in Transfer(1))"
    )
    assert str(error(x=MODULUS)).endswith("reduce it mod r: expected 0 .. r - 1 (in Transfer(1))")
    assert str(error(x=1 << 20000)).startswith(
        "slots[1]: input 'x' = an integer of 20,001 bits is not a field"
    )
    assert "; did you mean 'amount'? (in Transfer(1))" in str(error(amuont=1))


def test_subject__of_an_unknown_part_is_refused() -> None:
    system = System("whole")
    system.add("steps", byte())
    with pytest.raises(AssignmentError, match="'whole' has no part 'slots'"):
        system.freeze().witness(get_engine(), {}, {"steps": [{"x": 1}]}, describe={"slots": ["a"]})
