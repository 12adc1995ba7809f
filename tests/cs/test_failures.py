"""Failures: values first, and their text, which people read."""

from __future__ import annotations

import re
from pathlib import Path

from zkrollup.cs import ConstraintSystem, Failure
from zkrollup.cs.failures import formula, sum_text, value_text
from zkrollup.cs.scalar_field import MODULUS


def template():
    cs = ConstraintSystem("transfer")
    amount, fee = cs.input_uint("amount", 8), cs.input("fee")
    balance = cs.link("balance")
    with cs.scope("debit"), cs.scope("range"):
        cs.enforce(amount + fee, fee - 3, 2 * balance - 1, label="what is spent is there")
    with cs.scope("key"):
        cs.assert_equal(balance - 7, amount + fee, label="linear")
    return cs.freeze()


def test_failure__is_a_value_with_place_formula_and_operands() -> None:
    check = template().check({"balance": 17}, {"amount": 200, "fee": 5})
    first, second = check.failures
    assert isinstance(first, Failure)
    assert (first.template, first.scope, first.label) == ("transfer", "debit/range", "what is spent is there")
    assert first.file == __file__
    assert "enforce(amount + fee" in Path(__file__).read_text().splitlines()[first.line - 1]
    assert first.formula == "(amount + fee) * (fee - 3) = 2*balance - 1"
    assert (first.left, first.right) == (205 * 2, 33)
    assert {o.name: o.value for o in first.operands} == {"amount": 200, "fee": 5, "balance": 17}
    assert second.formula == "balance = amount + fee + 7"
    assert (first.part, first.instance) == ("", None)
    assert first.path == "transfer/debit/range"


def test_failure__text_names_label_place_formula_and_values() -> None:
    first = template().check({"balance": 17}, {"amount": 200, "fee": 5}).failures[0]
    text = re.sub(r"[^\s(]*test_failures\.py:\d+", "PLACE", str(first))
    assert text == (
        "transfer/debit/range: 'what is spent is there' does not hold\n"
        "  at PLACE\n"
        "  (amount + fee) * (fee - 3) = 2*balance - 1\n"
        "  left 410, right 33, where\n"
        "    amount = 200   (PLACE)\n"
        "    fee = 5   (PLACE)\n"
        "    balance = 17   (PLACE)"
    )


def test_check__reports_all_failures_at_once() -> None:
    check = template().check({"balance": 17}, {"amount": 200, "fee": 5})
    assert len(check.failures) == 2
    assert not check.satisfied
    assert check.by_label("linear")[0].label == "linear"
    text = repr(check)
    assert text.startswith("<Check of 'transfer': 2 of 10 constraints do not hold>")
    assert "what is spent is there" in text
    assert "'linear'" in text
    good = template().check({"balance": 16}, {"amount": 0, "fee": 9})
    assert [f.label for f in good.failures] == ["what is spent is there"]


def test_failure__shows_few_operands_of_a_long_row() -> None:
    cs = ConstraintSystem("long")
    xs = cs.input_array("x", 30)
    cs.assert_equal(cs.linear([(x, i + 2) for i, x in enumerate(xs)]), 1, "long sum")
    (failure,) = cs.freeze().check({}, {"x": [0] * 30}).failures
    assert len(failure.operands) == 30
    assert "… and 18 more" in str(failure)
    assert failure.formula == (
        "2*x[0] + 3*x[1] + 4*x[2] + 5*x[3] + 6*x[4] + 7*x[5] + 8*x[6] + 9*x[7] + … 22 more terms = 1"
    )


def test_formula__writes_sums_without_products_as_an_equality() -> None:
    x, y, one = ("x", 1), ("y", MODULUS - 2), ("", 1)
    assert formula([], [], [x, y]) == "x = 2*y"
    assert formula([], [], [y]) == "2*y = 0"
    assert formula([], [], []) == "0 = 0"
    assert formula([x], [one], [y]) == "x = -2*y"
    assert formula([x], [x, one], [one]) == "x * (x + 1) = 1"
    assert formula([y], [x], []) == "(-2*y) * x = 0"


def test_values__small_and_negative_ones_are_decimal() -> None:
    assert value_text(5) == "5"
    assert value_text(MODULUS - 5) == "-5"
    assert value_text((1 << 72) - 1) == str((1 << 72) - 1)
    assert value_text(1 << 200) == f"0x{1 << 200:064x}"
    assert sum_text([("x", 1 << 100)]) == "0x1000…0000*x"


def test_values__fractions_with_a_power_of_two_below_are_written_as_such() -> None:
    half, tiny = pow(2, -1, MODULUS), pow(1 << 127, -1, MODULUS)
    assert sum_text([("x", half), ("y", -3 * half), ("", 5 * half)]) == "x/2 - 3*y/2 + 5/2"
    assert sum_text([("x", -tiny), ("", pow(1 << 16, -1, MODULUS))]) == "-x/2^127 + 1/65536"
    assert sum_text([("x", pow(3, -1, MODULUS))]) == "-0x1021…0000*x"


def test_failure__inside_a_gadget_also_names_the_line_that_called_it(tmp_path, monkeypatch) -> None:
    import zkrollup.cs.places as places

    gadget = tmp_path / "gadget.py"
    gadget.write_text("def demand(x):\n    x.assert_equal(4, 'x is four')\n")
    monkeypatch.setattr(places, "_GADGETS", f"{tmp_path}/")
    scope: dict = {}
    exec(compile(gadget.read_text(), str(gadget), "exec"), scope)
    cs = ConstraintSystem("t")
    scope["demand"](cs.input("x"))
    (failure,) = cs.freeze().check({}, {"x": 5}).failures
    assert (failure.file, failure.line) == (str(gadget), 2)
    assert failure.place.caller_file == __file__
    assert "demand" in Path(__file__).read_text().splitlines()[failure.place.caller_line - 1]
    assert "(called at " in str(failure)
