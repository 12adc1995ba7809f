"""Values and arguments of the wrong type or size are refused by name; numpy's integers are integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zkrollup.cs import AssignmentError, ConstraintSystem, ConstraintSystemError, HintError, System, Template
from zkrollup.engine import get_engine


def product(name: str = "product") -> Template:
    cs = ConstraintSystem(name)
    n, p, q = cs.link("n"), cs.input_uint("p", 8), cs.input("q")
    (p * q).assert_equal(n, label="product")
    cs.export("sum", p + q)
    return cs.freeze()


def hinted(function: Any) -> Template:
    cs = ConstraintSystem("hinted")
    a = cs.input("a")
    (answer,) = cs.hint_python(function, [a], 1)
    (answer * a).assert_equal(6, label="product")
    return cs.freeze()


def test_check__takes_numpys_integers() -> None:
    template = product()
    check = template.check({"n": np.uint64(6)}, {"p": np.int8(2), "q": np.int64(3)})
    assert check.satisfied
    assert all(type(value) is int for value in check.values)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.0, "must be an integer, not float"),
        (np.float64(2), "must be an integer, not numpy.float64"),
        (np.bool_(True), "must be an integer, not numpy.bool"),
        ("2", "must be an integer, not str"),
        (None, "must be an integer, not NoneType"),
        (np.int64(-2), "= -2 is not a field element"),
        (np.int64(256), "= 256 does not fit its 8 bits"),
    ],
)
def test_check_and_witness__say_of_the_same_value_the_same(value: object, said: str) -> None:
    template, engine = product(), get_engine()
    system = System("s", public=["n"])
    system.add("part", template).connect("n", system.public("n"))
    whole = system.freeze()
    with pytest.raises(AssignmentError) as checked:
        template.check({"n": 6}, {"p": value, "q": 3})
    with pytest.raises(AssignmentError) as computed:
        whole.witness(engine, {"n": 6}, {"part": [{"p": value, "q": 3}]})
    assert f"input 'p' {said}" in str(checked.value)
    assert f"part[0]: input 'p' {said}" in str(computed.value)


def test_witness__takes_numpys_integers() -> None:
    system, engine = System("s", public=["n"]), get_engine()
    system.add("part", product()).connect("n", system.public("n"))
    whole = system.freeze()
    witness = whole.witness(engine, {"n": np.int64(6)}, {"part": [{"p": np.uint8(2), "q": np.int64(3)}]})
    assert not whole.check(engine, witness)
    assert witness.public == (6,)


def test_check__a_misspelt_name_is_said_beside_the_missing_one() -> None:
    with pytest.raises(AssignmentError, match=r"no value for input 'q', .*; 'kew' is given and not known"):
        product().check({"n": 6}, {"p": 2, "kew": 3})


@pytest.mark.parametrize(
    ("links", "inputs"), [([6], {"p": 2, "q": 3}), ({"n": 6}, [2, 3]), ({"n": 6}, ("p", "q"))]
)
def test_check__values_without_names_are_refused(links: Any, inputs: Any) -> None:
    with pytest.raises(AssignmentError, match=r"expected a mapping, names to values, not (list|tuple)"):
        product().check(links, inputs)


@pytest.mark.parametrize(
    ("public", "parts", "said"),
    [
        (None, {}, "public: expected a mapping by name, not NoneType"),
        ([6], {}, "public: expected a mapping by name, not list"),
        ({"n": 6}, [{}], "parts: expected a mapping by name, not list"),
        ({"n": 6}, {"part": {"p": 2, "q": 3}}, "part 'part': expected a list, one mapping an instance"),
        ({"n": 6}, {"part": [None]}, "expected a mapping, names to values, not NoneType"),
    ],
)
def test_witness__values_in_the_wrong_shape_are_refused(public: Any, parts: Any, said: str) -> None:
    system = System("s", public=["n"])
    system.add("part", product()).connect("n", system.public("n"))
    with pytest.raises(AssignmentError, match=said):
        system.freeze().witness(get_engine(), public, parts)


def test_r1cs_check__refuses_what_is_no_witness_of_it() -> None:
    engine, systems = get_engine(), []
    for instances in (1, 2):
        system = System(f"of {instances}", public=["n"])
        system.add("part", product(), instances=instances).connect("n", system.public("n"))
        systems.append(system.freeze())
    witness = systems[0].witness(engine, {"n": 6}, {"part": [{"p": 2, "q": 3}]})
    with pytest.raises(AssignmentError, match=r"expected one of \d+ wires, as system 'of 2' has, not of \d+"):
        systems[1].check(engine, witness)
    with pytest.raises(AssignmentError, match="as system 'of 1' has, not a list"):
        systems[0].check(engine, [1, 6])  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [3, [3], (3,), np.int64(3), np.array([3]), iter([3])])
def test_hint__answers_with_integers_in_any_form(answer: object) -> None:
    assert hinted(lambda _: answer).check({}, {"a": 2}).satisfied


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (1.5, "gave 1.5 (float), expected an integer"),
        ([2.0], "gave 2.0 (float), expected an integer"),
        ("3", "gave '3' (str), expected an integer"),
        (None, "gave None (NoneType), expected an integer"),
        ([], "gave 0 values, not 1"),
        ([1, 2], "gave 2 values, not 1"),
    ],
)
def test_hint__other_answers_are_not_called_exceptions(answer: object, said: str) -> None:
    with pytest.raises(HintError) as refused:
        hinted(lambda _: answer).check({}, {"a": 2})
    assert said in str(refused.value)
    assert "raised" not in str(refused.value)


Wrong = Callable[[ConstraintSystem], object]


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        (lambda cs: cs.input_uint("x", 8.0), TypeError, "input 'x': bits must be an integer, not float"),
        (lambda cs: cs.input_uint("x", "8"), TypeError, "input 'x': bits must be an integer, not str"),
        (lambda cs: cs.hint_python(3, [cs.one], 1), TypeError, "expected a function of integers, not int"),
        (lambda cs: cs.hint_python(abs, cs.one, 1), TypeError, "expected a list of operands"),
        (
            lambda cs: cs.enforce(2, 3, 7, label="l"),
            ConstraintSystemError,
            "'l' can never hold: 2 * 3 is not 7",
        ),
        (lambda cs: cs.input("x") // 2, TypeError, "zkrollup.gadgets.integers.divide"),
        (lambda cs: 7 % cs.input("x"), TypeError, "zkrollup.gadgets.integers.divide"),
        (lambda cs: ConstraintSystem(5), TypeError, "a template's name must be a string, not 5"),
        (lambda cs: System("s", public="ab"), TypeError, "public must be a sequence of names, not 'ab'"),
        (lambda cs: System("s", public=[1]), TypeError, "public must be a sequence of names"),
        (lambda cs: System("s").add("p", cs), TypeError, "ConstraintSystem; freeze() makes one"),
        (
            lambda cs: System("s").add("p", product(), 2.0),
            TypeError,
            "instances must be an integer, not float",
        ),
        (lambda cs: System("s").add("p", product()).connect("n", 5), TypeError, "expected a Wire"),
    ],
)
def test_recording__refuses_what_has_no_meaning(wrong: Wrong, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as refused:
        wrong(ConstraintSystem("t"))
    assert said in str(refused.value)


def test_range_check__refuses_a_width_that_is_no_int() -> None:
    from zkrollup.gadgets.bits import range_check

    cs = ConstraintSystem("t")
    for width in (8.0, np.int32(8)):
        with pytest.raises(TypeError, match=r"a range of .* bits: expected an int, not (float|int32)"):
            range_check(cs, cs.input(f"x{width!r}"), width)  # type: ignore[arg-type]
