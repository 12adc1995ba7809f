"""The testing tools themselves: each must fail on a circuit that deserves it."""

from __future__ import annotations

import pytest

from zkrollup.cs import ConstraintSystem, Template
from zkrollup.engine.interface import Engine, EngineError
from zkrollup.testing import (
    ReferenceEngine,
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    assert_unsatisfied,
    find_hints,
    lie,
    mutate_witness,
)


def is_zero(*, forget: str = "") -> Template:
    """The textbook zero test; ``forget`` leaves one of its rows out."""
    cs = ConstraintSystem("is_zero")
    x = cs.input("x")
    with cs.scope("test"):
        inverse, zero = cs.hint_inverse_or_zero(x), cs.hint_is_zero(x)
        cs.enforce(x, inverse, 1 - zero, "x has an inverse unless it is zero")
        if forget != "zero":
            cs.enforce(x, zero, 0, "x or its zero test is zero")
    cs.export("zero", zero)
    return cs.freeze()


def test_assert_satisfied__returns_the_check_and_compares_the_engine(engine: Engine) -> None:
    assert assert_satisfied(is_zero(), {}, {"x": 5}, engine=engine).exports == {"zero": 0}
    assert assert_satisfied(is_zero(), {}, {"x": 0}, engine=engine).exports == {"zero": 1}


def test_assert_satisfied__shows_the_failures() -> None:
    cs = ConstraintSystem("t")
    cs.input("x").assert_equal(4, "x is four")
    with pytest.raises(AssertionError, match="'x is four' does not hold"):
        assert_satisfied(cs.freeze(), {}, {"x": 5})


def test_assert_satisfied__notices_an_engine_that_computes_something_else() -> None:
    class Wrong(ReferenceEngine):
        def replay(self, program, links, inputs, out=None):
            values = super().replay(program, links, inputs, out)
            values[:, -1] = values[:, 0]
            return values

    with pytest.raises(AssertionError, match="engine reference computes another value of is_zero#1"):
        assert_satisfied(is_zero(), {}, {"x": 5}, engine=Wrong())


def test_assert_unsatisfied__demands_the_named_constraint() -> None:
    template = is_zero()
    told = lie(template, 1, kind="is_zero")
    assert_unsatisfied(template, {}, {"x": 5}, by="x or its zero test is zero", override=told)
    assert_unsatisfied(template, {}, {"x": 5}, by="test/x or its zero test is zero", override=told)
    with pytest.raises(AssertionError, match="'nobody' holds"):
        assert_unsatisfied(template, {}, {"x": 5}, by="nobody", override=told)
    with pytest.raises(AssertionError, match="beside"):
        assert_unsatisfied(template, {}, {"x": 5}, by="x or its zero test is zero", only=True, override=told)
    with pytest.raises(AssertionError, match="every constraint holds"):
        assert_unsatisfied(template, {}, {"x": 5})


def test_find_hints__by_kind_and_scope() -> None:
    template = is_zero()
    assert [h.kind for h in find_hints(template)] == ["inverse_or_zero", "is_zero"]
    assert [h.kind for h in find_hints(template, "is_zero", "test")] == ["is_zero"]
    assert find_hints(template, scope="tes") == []
    with pytest.raises(ValueError, match="has 0 hints"):
        lie(template, 1, kind="bits")


def test_lies__accepted_by_a_forgotten_row_are_found() -> None:
    assert assert_lies_caught(is_zero(), {}, {"x": 5}) == 5
    with pytest.raises(AssertionError, match="accepts a lie: inverse_or_zero#0 = 0 instead of"):
        assert_lies_caught(_forgotten(), {}, {"x": 5})
    with pytest.raises(AssertionError, match="accepts a lie: inverse_or_zero#0"):
        assert_lies_caught(is_zero(), {}, {"x": 0})
    assert assert_lies_caught(is_zero(), {}, {"x": 0}, allowed=["inverse_or_zero#0"]) > 0


def _forgotten() -> Template:
    """A zero test whose result follows from its hint and is not tied to x."""
    cs = ConstraintSystem("is_zero")
    x = cs.input("x")
    inverse = cs.hint_inverse_or_zero(x)
    cs.export("zero", 1 - x * inverse)
    return cs.freeze()


def test_mutation__finds_free_wires_and_accepts_listed_ones() -> None:
    template = is_zero()
    check = assert_every_wire_bound(template, {}, {"x": 5})
    assert mutate_witness(template, check.values) == []
    check = assert_satisfied(template, {}, {"x": 0})
    (free,) = mutate_witness(template, check.values)
    assert free.name == "inverse_or_zero#0"
    assert "may be 1 instead of 0" in str(free)
    with pytest.raises(AssertionError, match="1 wires are not bound by any row"):
        assert_every_wire_bound(template, {}, {"x": 0})
    assert_every_wire_bound(template, {}, {"x": 0}, allowed=["inverse_or_zero#0"])


def test_mutation__agrees_with_evaluating_every_row_again() -> None:
    cs = ConstraintSystem("t")
    x, y, l = cs.input("x"), cs.input("y"), cs.link("l")  # noqa: E741
    (x * y).assert_equal(x * l)
    (y - l).square().assert_equal(0)
    template = cs.freeze()
    values = assert_satisfied(template, {"l": 3}, {"x": 0, "y": 3}).values
    slow = []
    for column in range(1, len(values)):
        for value in (values[column] + 1, 0, 12345):
            changed = [*values]
            changed[column] = value
            if value != values[column] and template.check_wires(changed).satisfied:
                slow.append(template.wire_name(column))
                break
    assert [w.name for w in mutate_witness(template, values)] == slow


def test_reference_engine__refuses_wrong_shapes() -> None:
    program = is_zero().program
    engine = ReferenceEngine()
    good = engine.replay(program, _elements(2, 1), _elements(2, 1))
    assert good.shape == (2, program.num_own, 4)
    for links, inputs in (((2, 2), (2, 1)), ((2, 1), (2, 2)), ((2, 1), (1, 1))):
        with pytest.raises(EngineError, match="have shape"):
            engine.replay(program, _elements(*links), _elements(*inputs))
    with pytest.raises(EngineError, match="not below r"):
        engine.fr_to_mont(_elements(1, 1)[0] - 1)


def _elements(*shape: int):
    import numpy as np

    return np.zeros((*shape, 4), dtype=np.uint64)
