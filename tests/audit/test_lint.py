"""Signals used as bits: those that are forced to be, in whatever way, are not reported."""

from __future__ import annotations

import pytest

from zkrollup.audit import Constraints, propagate
from zkrollup.audit.lint import unforced_booleans
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.compare import less_than


def packed(change):
    """The answer of a comparison, changed, becomes a wire and the lowest bit of a number."""
    cs = ConstraintSystem("packed")
    a, b = cs.input_uint("a", 8), cs.input_uint("b", 8)
    answer = cs.export("answer", change(less_than(cs, a, b, 8)))
    cs.export("number", cs.linear([(answer, 1), *((bit, 2 << i) for i, bit in enumerate(a.bits))]))
    return propagate(Constraints.from_template(cs.freeze()))


@pytest.mark.parametrize("change", [lambda less: less + 0, lambda less: 1 - less])
def test_unforced_booleans__a_comparison_or_its_opposite_is_a_bit(change):
    assert unforced_booleans(packed(change)) == []


@pytest.mark.parametrize("change", [lambda less: less + 1, lambda less: 2 * less, lambda less: -less])
def test_unforced_booleans__what_takes_two_other_values_is_none(change):
    rules = packed(change)
    ((wire, use),) = unforced_booleans(rules)
    assert wire in rules.system.outputs
    assert use == "weighted as a bit of a number"
