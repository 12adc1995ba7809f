"""Dropped constraints: a row that nobody would miss must survive, one that matters must not."""

from __future__ import annotations

import pytest

from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets.compare import is_zero
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.testing import Explained, assert_every_row_needed, drop_constraints


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
    assert report.counts["relation"] > 200


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
