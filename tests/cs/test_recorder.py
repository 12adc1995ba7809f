"""Recording: conditions, hints, freezing, what the template remembers."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from zkrollup.cs import AssignmentError, Bool, ConstraintSystem, ConstraintSystemError, FreezeError
from zkrollup.cs.hints import HINTS
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.interface import Opcode
from zkrollup.testing import assert_satisfied, assert_unsatisfied


def line() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


# -- conditions --------------------------------------------------------------------------------------
def test_when__conditions_each_assertion_under_its_own_label() -> None:
    cs = ConstraintSystem("t")
    x, flag = cs.input("x"), cs.input_bool("flag")
    with cs.when(flag):
        cs.assert_equal(x, 5, "x is five")
        cs.assert_zero(x - 5, "x minus five is zero")
        (x * x).assert_equal(25, "x squared is twenty-five")
    template = cs.freeze()
    assert_satisfied(template, {}, {"x": 5, "flag": 1})
    assert_satisfied(template, {}, {"x": 6, "flag": 0})
    check = assert_unsatisfied(template, {}, {"x": 6, "flag": 1})
    assert [f.label for f in check.failures] == [
        "x is five",
        "x minus five is zero",
        "x squared is twenty-five",
    ]


def test_when__nested_flags_multiply() -> None:
    cs = ConstraintSystem("t")
    x, outer, inner = cs.input("x"), cs.input_bool("outer"), cs.input_bool("inner")
    with cs.when(outer):
        cs.assert_equal(x, 5, "outer rule")
        with cs.when(inner):
            cs.assert_equal(x, 6, "inner rule")
    template = cs.freeze()
    for x_value in (5, 6, 7):
        for a in (0, 1):
            for b in (0, 1):
                labels = {
                    f.label for f in template.check({}, {"x": x_value, "outer": a, "inner": b}).failures
                }
                want = {"outer rule"} if a and x_value != 5 else set()
                want |= {"inner rule"} if a and b and x_value != 6 else set()
                assert labels == want


def test_when__true_is_no_condition_and_the_outer_one_returns() -> None:
    cs = ConstraintSystem("t")
    x, flag = cs.input("x"), cs.input_bool("flag")
    with cs.when(cs.constant_bool(True)):
        cs.assert_equal(x, 5, "always")
    with pytest.raises(ZeroDivisionError), cs.when(flag):
        raise ZeroDivisionError
    cs.assert_equal(x, flag + 4, "unconditional")
    template = cs.freeze()
    check = assert_unsatisfied(template, {}, {"x": 6, "flag": 0})
    assert [f.label for f in check.failures] == ["always", "unconditional"]


def test_when__leaves_booleans_of_bit_hints_plain_and_conditions_others() -> None:
    cs = ConstraintSystem("t")
    x, flag = cs.input("x"), cs.input_bool("flag")
    with cs.when(flag):
        before = len(cs._row_kinds)
        bits = [cs.assert_bool(b) for b in cs.hint_bits(x, 2)]
        assert len(cs._row_kinds) - before == 2
        cs.assert_equal(bits[0] + 2 * bits[1], x, "recomposed")
        before = len(cs._row_kinds)
        cs.assert_bool(x, "x is a bit here")
        assert len(cs._row_kinds) - before == 2
    template = cs.freeze()
    assert_satisfied(template, {}, {"x": 1, "flag": 1})
    assert_satisfied(template, {}, {"x": 100, "flag": 0})
    assert_unsatisfied(template, {}, {"x": 2, "flag": 1}, by="x is a bit here", only=True)


# -- hints -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("opcode", "operands", "answer"),
    [
        (Opcode.BITS, (6, 4), [0, 1, 1, 0]),
        (Opcode.BITS, (MODULUS - 1, 2), [0, 0]),
        (Opcode.INVERSE_OR_ZERO, (0,), 0),
        (Opcode.INVERSE_OR_ZERO, (MODULUS - 1,), MODULUS - 1),
        (Opcode.DIVIDE_OR_ZERO, (6, 3), 2),
        (Opcode.DIVIDE_OR_ZERO, (6, 0), 0),
        (Opcode.IS_ZERO, (0,), 1),
        (Opcode.IS_ZERO, (MODULUS - 1,), 0),
        (Opcode.DIVMOD, (17, 5), (3, 2)),
        (Opcode.DIVMOD, (17, 0), (0, 17)),
        (Opcode.LESS_THAN, (3, MODULUS - 1), 1),
        (Opcode.LESS_THAN, (3, 3), 0),
    ],
)
def test_hint__is_total_and_says_what_its_opcode_says(opcode: int, operands, answer) -> None:
    assert HINTS[opcode](*operands) == answer


def test_hint_python__is_replayed_by_the_interpreter_and_reported_as_slow() -> None:
    def square_root(a: int) -> int:
        return next((v for v in range(100) if v * v == a), 0)

    cs = ConstraintSystem("t")
    x = cs.input("x")
    (root,) = cs.hint_python(square_root, [x], 1)
    (root * root).assert_equal(x, "x is a square")
    template = cs.freeze()
    assert_satisfied(template, {}, {"x": 49})
    assert_unsatisfied(template, {}, {"x": 50}, by="x is a square")
    assert not template.is_native
    with pytest.raises(ConstraintSystemError, match="1 hints written in Python"):
        _ = template.program
    assert "SLOW: hint written in Python" in str(template.report())
    assert "square_root" in template.report().python_hints[0]


def test_hint_python__that_gives_another_number_of_values_is_an_error() -> None:
    cs = ConstraintSystem("t")
    x = cs.input("x")
    a, b = cs.hint_python(lambda v: [v], [x], 2)
    cs.enforce(a, b, x)
    with pytest.raises(ConstraintSystemError, match="gave 1 values, not 2"):
        cs.freeze().check({}, {"x": 1})


# -- freezing ----------------------------------------------------------------------------------------
def frozen_problems(build) -> tuple:
    cs = ConstraintSystem("t")
    build(cs)
    with pytest.raises(FreezeError) as caught:
        cs.freeze()
    return caught.value.problems


@pytest.mark.parametrize(
    ("declare", "kind", "text"),
    [
        (lambda cs: cs.input("x"), "unused input", "input 'x' is in no constraint"),
        (lambda cs: cs.input_bool("b"), "unused input", "input 'b' is in no constraint"),
        (lambda cs: cs.input_uint("n", 4), "unused input", "input 'n' is in no constraint"),
        (lambda cs: cs.link("l"), "unused link", "link 'l' is in no constraint"),
        (lambda cs: cs.input_array("a", 1), "unused input", "input 'a[0]' is in no constraint"),
    ],
)
def test_freeze__refuses_what_nothing_constrains_with_its_line(declare, kind: str, text: str) -> None:
    def build(cs) -> None:
        declare(cs)

    (problem,) = frozen_problems(build)
    assert problem.kind == kind
    assert text in problem.text
    assert problem.file == __file__
    assert problem.line == declare.__code__.co_firstlineno
    assert str(problem) == f"{__file__}:{problem.line}: {problem.text}"


def test_freeze__refuses_a_number_with_an_unused_bit() -> None:
    def build(cs) -> None:
        cs.assert_zero(cs.input_uint("n", 3).bits[0], "one bit is used")

    (problem,) = frozen_problems(build)
    assert problem.text.startswith("bit 1 of input 'n' is in no constraint but its own 0-or-1 row")


@pytest.mark.parametrize(
    "hint",
    [
        lambda cs, x: cs.hint_bits(x, 3),
        lambda cs, x: cs.hint_inverse_or_zero(x),
        lambda cs, x: cs.hint_divide_or_zero(x, x),
        lambda cs, x: cs.hint_is_zero(x),
        lambda cs, x: cs.hint_divmod(x, x),
        lambda cs, x: cs.hint_less_than(x, x),
        lambda cs, x: cs.hint_python(lambda v: v, [x], 1),
        lambda cs, x: cs.assert_bool(cs.hint_is_zero(x)),
    ],
)
def test_freeze__refuses_each_unconstrained_hint_with_its_line(hint) -> None:
    def build(cs) -> None:
        x = cs.input("x")
        x.assert_equal(5)
        hint(cs, x)

    (problem,) = frozen_problems(build)
    assert problem.kind == "unconstrained hint"
    assert "any value would be accepted" in problem.text
    assert (problem.file, problem.line) == (__file__, hint.__code__.co_firstlineno)


def test_freeze__does_not_count_a_use_that_cancels() -> None:
    def build(cs) -> None:
        x, y = cs.input("x"), cs.input("y")
        cs.assert_equal(x + y, y + 3)

    (problem,) = frozen_problems(build)
    assert problem.name == "y"


def test_freeze__refuses_duplicate_names_and_reports_every_problem() -> None:
    first = 0

    def build(cs) -> None:
        nonlocal first
        first = line() + 1
        x = cs.input("x")
        y = cs.link("x")
        cs.assert_equal(x, y)
        cs.export("out", x)
        cs.export("out", x)
        cs.input("unused")

    problems = frozen_problems(build)
    assert [(p.kind, p.name, p.line - first) for p in problems] == [
        ("duplicate name", "x", 1),
        ("duplicate name", "out", 4),
        ("unused input", "unused", 5),
    ]
    assert f"declared twice, first at {Path(__file__).relative_to(Path.cwd())}:{first}" in problems[0].text


def test_freeze__ends_recording_and_refuses_open_scopes() -> None:
    cs = ConstraintSystem("t")
    x = cs.input("x")
    with cs.scope("open"):
        x.assert_equal(3)
        with pytest.raises(ConstraintSystemError, match="freeze inside"):
            cs.freeze()
    cs.freeze()
    for use in (lambda: cs.input("y"), lambda: x.assert_equal(4), lambda: cs.enforce(x, x, x), cs.freeze):
        with pytest.raises(ConstraintSystemError, match="is frozen"):
            use()


# -- what a template remembers -------------------------------------------------------------------------
def test_template__counts_rows_by_scope() -> None:
    cs = ConstraintSystem("t")
    x = cs.input("x")
    x.assert_equal(3)
    for _ in range(2):
        with cs.scope("outer"):
            x.assert_equal(3)
            with cs.scope("inner"):
                product = x * x
    product.assert_equal(9)
    cs.export("p", product)
    template = cs.freeze()
    assert template.counts_by_scope() == {"": 2, "outer": 2, "outer/inner": 1}
    assert template.counts_by_scope(inclusive=True) == {"": 5, "outer": 3, "outer/inner": 1}
    assert sum(template.counts_by_scope().values()) == template.num_constraints


@pytest.mark.parametrize("name", ["", "a/b"])
def test_scope__refuses_names_that_would_read_as_other_paths(name: str) -> None:
    with pytest.raises(ConstraintSystemError, match="has no '/'"):
        ConstraintSystem("t").scope(name)


def test_report__shows_scopes_as_a_tree_in_order_of_first_use() -> None:
    cs = ConstraintSystem("t")
    x = cs.input("x")
    for path in (("level 2", "z"), ("level 10",), ("level 2", "a")):
        with cs.scope(path[0]):
            x.assert_equal(1)
            if len(path) > 1:
                with cs.scope(path[1]):
                    x.assert_equal(2)
    lines = str(cs.freeze().report()).split("constraints by scope:\n")[1].splitlines()[:5]
    assert [" ".join(line.split()) for line in lines] == ["5 (all)", "4 level 2", "1 z", "1 a", "1 level 10"]


def test_report__names_rows_that_repeat_an_earlier_one() -> None:
    cs = ConstraintSystem("t")
    x, y = cs.input("x"), cs.input("y")
    cs.enforce(x, y, 3, "once")
    cs.enforce(x, y, 4, "another")
    cs.enforce(x, y, 3, "twice")
    (repeat,) = cs.freeze().report().repeated
    assert repeat[:3] == (2, 0, "twice")


def test_constants__are_stored_once_and_begin_with_zero_one_minus_one() -> None:
    cs = ConstraintSystem("t")
    x, y = cs.input("x"), cs.input("y")
    cs.assert_equal(7 * x + 7 * y, 7)
    cs.assert_equal(x - y, 0)
    assert cs.freeze().matrices.values == (0, 1, MODULUS - 1, 7, MODULUS - 7)


def test_tape__reuses_scratch_slots() -> None:
    cs = ConstraintSystem("t")
    x = cs.input("x")
    for _ in range(200):
        sum_of_three = x + x.square() + 3
        x = sum_of_three * (sum_of_three + 1)
    cs.export("x", x)
    template = cs.freeze()
    assert template.program.num_temporaries <= 3
    assert template.num_instructions == 200 * 4


def test_check__reads_values_by_name() -> None:
    cs = ConstraintSystem("t")
    n, lanes = cs.input_uint("n", 8), cs.input_array("lanes", 2)
    cs.export("out", n * lanes[1] + lanes[0])
    check = assert_satisfied(cs.freeze(), {}, {"n": 200, "lanes": [5, 7]})
    assert (check["n"], check["lanes[1]"], check["n.bits[3]"], check["out"]) == (200, 7, 1, 1405)
    with pytest.raises(AssignmentError, match="did you mean 'lanes\\[0\\]'"):
        _ = check["lane[0]"]


@pytest.mark.parametrize(
    ("links", "inputs", "text"),
    [
        ({}, {"x": 1, "n": 1, "b": 1}, "no value for link 'l', declared at"),
        ({"l": 1}, {"x": 1, "b": 1}, "no value for input 'n', declared at"),
        ({"l": 1}, {"x": 1, "n": 1, "b": 1, "xx": 1}, "no input 'xx'; did you mean 'x'"),
        ({"l": 1}, {"x": 1, "n": 16, "b": 1}, "input 'n' = 16 does not fit its 4 bits"),
        ({"l": 1}, {"x": MODULUS, "n": 1, "b": 1}, "not a field element; reduce it mod r"),
        ({"l": 1}, {"x": -1, "n": 1, "b": 1}, "not a field element; reduce it mod r"),
        ({"l": "1"}, {"x": 1, "n": 1, "b": 1}, "link 'l' must be an integer, not str"),
    ],
)
def test_check__refuses_bad_assignments_by_name(links, inputs, text: str) -> None:
    cs = ConstraintSystem("t")
    cs.assert_equal(cs.input("x") * cs.input_uint("n", 4), cs.link("l") + cs.input_bool("b"))
    with pytest.raises(AssignmentError, match=text):
        cs.freeze().check(links, inputs)


def test_unchecked__adds_no_row() -> None:
    cs = ConstraintSystem("t")
    x = cs.input("x")
    Bool.unchecked(x)
    assert len(cs._row_kinds) == 0


def test_parameters__that_are_not_plain_data_are_refused() -> None:
    with pytest.raises(ConstraintSystemError, match="must be integers, strings or lists"):
        ConstraintSystem("t", {"f": object()})  # type: ignore[dict-item]
