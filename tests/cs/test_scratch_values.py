"""Values that only feed hints: on the tape, in no wire and no row."""

from __future__ import annotations

import pytest

from zkrollup.cs import ConstraintSystem, ConstraintSystemError
from zkrollup.testing import assert_satisfied, assert_unsatisfied, find_hints, lie


@pytest.fixture(scope="module")
def template():
    """w with w * (x + 1) = 5 (x + 1), its value found in steps: 5 if x < 10 or x = 77, else 6."""
    cs = ConstraintSystem("scratch")
    x = cs.input("x")
    small, special = cs.scratch_less_than(x, 10), cs.scratch_is_zero(x - 77)
    either = small + special - cs.scratch_product(small, special)
    w = cs.hint_value(6 - either)
    (w * (x + 1)).assert_equal(5 * (x + 1), label="w is 5")
    return cs.freeze()


def test_scratch_values__are_no_wires(template):
    assert template.num_own == 2
    assert [h.kind for h in template.hints] == ["value"]


@pytest.mark.parametrize("x", [0, 9, 77])
def test_hint_value__is_replayed_by_engines(template, engine, x):
    assert assert_satisfied(template, inputs={"x": x}, engine=engine)["value#0"] == 5


def test_hint_value__can_be_overridden(template):
    assert_unsatisfied(template, inputs={"x": 10}, by="w is 5")
    assert template.check(inputs={"x": 10}, override=lie(template, lambda v: v[0] - 1)).satisfied
    assert_unsatisfied(template, inputs={"x": 9}, by="w is 5", override={find_hints(template)[0]: 7})


@pytest.mark.parametrize(
    "use",
    [
        lambda cs, s, x: s * x,
        lambda cs, s, x: cs.assert_zero(s),
        lambda cs, s, x: cs.assert_equal(2 * s + 1, x),
        lambda cs, s, x: cs.export("s", s),
        lambda cs, s, x: cs.materialise(s + x),
    ],
)
def test_scratch_value__in_a_row_is_refused(use):
    cs = ConstraintSystem("scratch")
    x = cs.input("x")
    with pytest.raises(ConstraintSystemError, match="a scratch value only feeds hints"):
        use(cs, cs.scratch_is_zero(x), x)
