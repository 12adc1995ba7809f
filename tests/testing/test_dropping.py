"""Dropped constraints: a row that nobody would miss must survive, one that matters must not."""

from __future__ import annotations

import random

import numpy as np
import pytest

from zkrollup.audit import Constraints, Jacobian
from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets.compare import is_zero
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.testing import Explained, assert_every_row_needed, drop_constraints
from zkrollup.testing.batched import Batched
from zkrollup.testing.bulk import peel
from zkrollup.testing.mutation import Touches


def product(*, redundant: bool = False) -> Template:
    cs = ConstraintSystem("product")
    x, y = cs.input("x"), cs.input("y")
    with cs.scope("inner"):
        z = x * y
        cs.export("z", z)
        if redundant:
            cs.enforce(y, x, z, "the same once more")
    return cs.freeze()


def ways(template: Template, *args, **kwargs) -> dict[str, str]:
    report = drop_constraints(template, *args, **kwargs)
    return {template.row_label(row): notice.how for row, notice in report.noticed.items()}


def test_drop_constraints__a_needed_row_is_missed() -> None:
    report = assert_every_row_needed(product(), [{"x": 2, "y": 3}])
    assert report.counts == {"mutation": 1}
    assert report.survivors == ()
    assert "1 of 1 rows are missed when dropped (1 by mutation)" in str(report)


def test_drop_constraints__repeated_rows_survive_with_label_line_and_formula() -> None:
    template = product(redundant=True)
    report = drop_constraints(template, [{"x": 2, "y": 3}])
    assert [s.row for s in report.survivors] == [0, 1]
    assert report.survivors[1].label == "the same once more"
    with pytest.raises(
        AssertionError, match=r"row 1 'inner/the same once more' at .*test_dropping.py:\d+: y \* x = "
    ):
        assert_every_row_needed(template, [{"x": 2, "y": 3}])


def test_drop_constraints__survivors_may_be_explained() -> None:
    known = Explained({"inner/*": "each follows from the other", "nobody": "not there"})
    report = assert_every_row_needed(product(redundant=True), [{"x": 2, "y": 3}], explained=known)
    assert [s.reason for s in report.explained] == ["each follows from the other"] * 2
    assert known.stale == ["nobody"]


def test_drop_constraints__rows_of_a_case_that_no_valid_assignment_shows_survive() -> None:
    """A rule that only binds when a flag is set looks useless where it never is."""
    cs = ConstraintSystem("guarded")
    flag, x = cs.input_bool("flag"), cs.input("x")
    with cs.when(flag):
        x.square().assert_equal(x, "x is 0 or 1 when it matters")
    template = cs.freeze()
    idle = drop_constraints(template, [{"flag": 0, "x": 0}])
    assert any(s.label == "x is 0 or 1 when it matters" for s in idle.survivors)
    shown = drop_constraints(template, [{"flag": 0, "x": 5}, {"flag": 1, "x": 1}])
    assert shown.survivors == ()


def test_drop_constraints__an_invalid_assignment_notices_its_row() -> None:
    cs = ConstraintSystem("four")
    cs.input("x").assert_equal(4, "x is four")
    template = cs.freeze()
    report = drop_constraints(template, [{"x": 4}], {"five": {"x": 5}})
    (notice,) = report.noticed.values()
    assert (notice.how, notice.by) == ("invalid", "invalid assignment five")
    with pytest.raises(ValueError, match="invalid assignment #0 breaks no row"):
        drop_constraints(template, [{"x": 4}], [{"x": 4}])
    with pytest.raises(ValueError, match="valid assignment #0 breaks 1 rows, the first is 'x is four' at"):
        drop_constraints(template, [{"x": 5}])
    with pytest.raises(ValueError, match="no valid assignment was given"):
        drop_constraints(template, [])


def test_drop_constraints__a_hash_inside_an_equality_is_missed_as_a_relation() -> None:
    """Every row of the hash and the equality together determine less than they restrict."""
    cs = ConstraintSystem("opening")
    root, x = cs.link("root"), cs.input("x")
    cs.assert_equal(poseidon(cs, [x]), root, "x hashes to root")
    template = cs.freeze()
    honest = hash_of(7)
    report = drop_constraints(template, [({"root": honest}, {"x": 7})])
    assert report.survivors == ()
    assert report.noticed[template.num_constraints - 1].how == "mutation"
    assert report.counts["relation"] > 100


def hash_of(x: int) -> int:
    from zkrollup.crypto.poseidon import poseidon as twin

    return twin([x])


def test_drop_constraints__rank_notices_a_hint_that_becomes_free() -> None:
    cs = ConstraintSystem("zero")
    cs.export("zero", is_zero(cs, cs.input("x")))
    report = drop_constraints(cs.freeze(), [{"x": 5}, {"x": 0}])
    assert report.survivors == ()


def test_drop_constraints__takes_checks_values_and_pairs_alike() -> None:
    template = product()
    check = template.check({}, {"x": 2, "y": 3})
    report = drop_constraints(template, [check, check.values, ({}, {"x": 4, "y": 5}), {"x": 0, "y": 0}])
    assert report.survivors == ()


def test_drop_constraints__a_python_hint_is_no_obstacle() -> None:
    cs = ConstraintSystem("root")
    x = cs.input("x")
    (y,) = cs.hint_python(lambda v: 3 if v == 9 else 0, [x], 1)
    cs.enforce(y, y, x, "y squared is x")
    cs.enforce(y, 1, 3, "y is three")
    report = drop_constraints(cs.freeze(), [{"x": 9}])
    assert report.survivors == ()


def bit_demanded_twice() -> Template:
    """A bit whose boolean row follows from what is recorded later, and one that is demanded twice at once."""
    cs = ConstraintSystem("twice")
    early, late = cs.input_bool("early"), cs.input("late")
    square = cs.materialise(early * early)
    cs.enforce(square, 1, early, "a bit is its square")
    for k in range(2):
        cs.enforce(late, late - 1, 0, f"late is a bit, {k}")
    return cs.freeze()


def test_drop_constraints__a_cut_does_not_hear_what_comes_later() -> None:
    """So it is asked only where somebody says so; a row that is implied before its end survives even then."""
    template = bit_demanded_twice()
    valid = [{"early": b, "late": b} for b in (0, 1)]
    whole = {s.label for s in drop_constraints(template, valid).survivors}
    assert {"early is boolean", "late is a bit, 0", "late is a bit, 1"} <= whole
    report = drop_constraints(template, valid, cuts=True)
    assert {s.label for s in report.survivors} == whole - {"early is boolean"}
    (row,) = (r for r in report.noticed if template.row_label(r) == "early is boolean")
    assert (report.noticed[row].how, report.noticed[row].by) == ("cut", "valid assignment #0 with early -1")


@pytest.mark.parametrize("seed", range(3))
def test_peel__shows_only_what_elimination_shows(seed: int) -> None:
    rng = random.Random(seed)
    cs = ConstraintSystem("mixed")
    x, y = cs.input("x"), cs.input("y")
    signals = [x, y]
    for _ in range(30):
        a, b, c = (rng.choice(signals) for _ in range(3))
        kind = rng.randrange(3)
        if kind == 0:
            signals.append(cs.materialise(a * b + c))
        elif kind == 1:
            (other,) = cs.hint_python(lambda v: 3 * v, [a], 1)
            cs.enforce(other, 5, 15 * a + b - b, "three times")
            signals.append(other)
        else:
            (same,) = cs.hint_python(lambda v: v, [a], 1)
            cs.enforce(same, 1, a, "the same")
            cs.enforce(same, b, cs.materialise(a * b), "the same again")
            signals.append(same)
    template = cs.freeze()
    values = template.check(inputs={"x": 3 + seed, "y": 5}).values
    batched = Batched(template)
    touches = Touches(batched, batched.columns([values])[0])
    given = template.num_links + template.num_inputs
    every = np.ones(template.num_constraints, dtype=bool)
    shown = peel(touches, np.arange(batched.num_columns) >= given, every)
    jacobian = Jacobian(Constraints.from_template(template), values, keep_operations=True)
    dependent = jacobian.dependent_rows()
    assert dependent
    assert shown.any()
    assert not shown[dependent].any()
