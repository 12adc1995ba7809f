"""Many failures: their order, groups and bounds; text, rich, HTML and JSON; the transaction they are of."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from zkrollup.cs import R1CS, ConstraintSystem, Failure, Failures, Place, System, Template, Witness
from zkrollup.cs.failures import instances_text
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine import get_engine


def step() -> Template:
    cs = ConstraintSystem("step")
    before, n = cs.link("before"), cs.input_uint("n", 4)
    with cs.scope("<move>"):
        square = before * n
        cs.assert_equal(n * n, cs.input("nn"), label="nn is n & n")
        cs.export("after", square + 1)
    return cs.freeze()


def chain(instances: int) -> R1CS:
    system = System("chain", public=["start", "end"])
    part = system.add("steps", step(), instances)
    part.connect("before", first=system.public("start"), chain="after")
    last = ConstraintSystem("last")
    last.assert_equal(last.link("end"), last.link("value"), label="the end is public")
    end = system.add("last", last.freeze())
    end.connect("end", system.public("end"))
    end.connect("value", part.wire("after", instance=-1))
    return system.freeze()


def witness(r1cs: R1CS, wrong: set[int], end: int = 0, describe: object = None) -> Witness:
    n = r1cs.parts[0].block.instances
    inputs, value = [], 2
    for i in range(n):
        inputs.append({"before": value, "n": 3, "nn": 10 if i in wrong else 9})
        value = (value * 3 + 1) % MODULUS
    public = {"start": 2, "end": value + end}
    engine = get_engine()
    return r1cs.witness(engine, public, {"steps": inputs}, describe=describe)  # type: ignore[arg-type]


def plain(text: object) -> str:
    return re.sub(r"[^\s(]*?(\w+\.py):\d+", r"\1:LINE", str(text))


def test_text__shows_the_first_in_full_with_its_transaction_and_counts_the_rest() -> None:
    r1cs = chain(6)
    bad = witness(r1cs, {1, 3, 4}, end=1, describe={"steps": [f"Transfer(nonce={i})" for i in range(6)]})
    failures = r1cs.check(get_engine(), bad)
    assert plain(failures) == (
        "chain: 4 of 37 constraints do not hold; in the order of computation:\n"
        "steps[1]/<move>: 'nn is n & n' does not hold\n"
        "  in Transfer(nonce=1)\n"
        "  at test_failure_list.py:LINE\n"
        "  n * n = nn\n"
        "  left 9, right 10, where\n"
        "    n = 3   (test_failure_list.py:LINE)\n"
        "    nn = 10   (test_failure_list.py:LINE)\n"
        "last[0]: 'the end is public' does not hold\n"
        "  at test_failure_list.py:LINE\n"
        "  end = value\n"
        "  left 0, right 1, where\n"
        "    end = 1823   (test_failure_list.py:LINE)\n"
        "    value = 1822   (test_failure_list.py:LINE)\n"
        "2 more follow:\n"
        "      2 more of steps[1, 3..4]/<move> 'nn is n & n'"
    )
    assert repr(failures).startswith("<Failures of chain: 4 of 37 constraints do not hold;")
    assert str(r1cs.check(get_engine(), witness(r1cs, set()))) == "chain: all 37 constraints hold"


def test_order__what_is_computed_first_stands_first() -> None:
    """The row that was recorded first uses the value that is computed last."""
    cs = ConstraintSystem("order")
    x = cs.input("x")
    first = cs.hint_inverse_or_zero(x)
    second = cs.hint_inverse_or_zero(first + 1)
    cs.enforce(second, first + 1, 1, label="on the second")
    cs.enforce(first, x, 1, label="on the first")
    failures = cs.freeze().check({}, {"x": 3}, override={0: 5, 1: 7}).failures
    assert [f.label for f in failures] == ["on the first", "on the second"]
    assert [f.row for f in failures] == [1, 0]


def test_order__a_seam_stands_before_the_rows_of_its_instance() -> None:
    r1cs = chain(4)
    engine = get_engine()
    inputs = [{"before": 2, "n": 3, "nn": 10}, {"before": 8, "n": 3, "nn": 9}]
    inputs += [{"before": 25, "n": 3, "nn": 10}, {"before": 76, "n": 3, "nn": 9}]
    failures = r1cs.check(engine, r1cs.witness(engine, {"start": 2, "end": 229}, {"steps": inputs}))
    assert [(f.path, f.label) for f in failures] == [
        ("steps[0]/<move>", "nn is n & n"),
        ("steps[1]", "seam before"),
        ("steps[1]/<move>", "export after"),
        ("steps[2]/<move>", "nn is n & n"),
    ]
    assert failures.summary == ("chain: 3 of 25 constraints do not hold, 1 link differs from its source")


def test_thousands__are_found_at_once_grouped_and_bounded_in_every_form() -> None:
    r1cs = chain(3000)
    values = witness(r1cs, set()).values.copy()
    values[3:] = get_engine().fr_to_mont(
        np.random.default_rng(1).integers(0, 1 << 60, size=values[3:].shape, dtype=np.uint64)
    )
    bad = replace(witness(r1cs, set()), values=values)
    failures = r1cs.check(get_engine(), bad)
    assert len(failures) == r1cs.num_constraints == 18001
    assert len(failures._known) == 0  # none is explained before it is read
    groups = failures.groups
    assert sum(g.count for g in groups) == len(failures)
    assert groups[0].heading.label == "n.bits[…] is boolean"
    assert (groups[0].count, groups[0].where) == (12000, "steps[0..2999]")
    assert len(failures._known) == len(groups) == 4
    assert len(str(failures).splitlines()) < 40
    assert len(failures._repr_html_()) < 20_000
    told = failures.to_json(limit=7)
    assert (len(told["failures"]), told["left_out"], told["failing"]) == (7, 17994, 18001)


def test_json__has_every_value_as_text_and_every_place() -> None:
    r1cs = chain(2)
    bad = witness(r1cs, {1}, describe={"steps": lambda i: {"index": i}})
    told = json.loads(json.dumps(r1cs.check(get_engine(), bad).to_json()))
    assert (told["system"], told["constraints"], told["failing"], told["left_out"]) == ("chain", 13, 1, 0)
    (failure,) = told["failures"]
    assert failure["path"] == "steps[1]/<move>"
    assert (failure["left"], failure["right"], failure["subject"]) == ("9", "10", "{'index': 1}")
    assert failure["file"] == __file__
    assert [(o["name"], o["value"]) for o in failure["operands"]] == [("n", "3"), ("nn", "10")]
    (group,) = told["groups"]
    assert (group["where"], group["count"], group["instances"]) == ("steps[1]/<move>", 1, [1])


class Text(HTMLParser):
    """Tags in balance, and what is written between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html__is_escaped_self_contained_and_shows_the_source_line() -> None:
    r1cs = chain(2)
    failures = r1cs.check(get_engine(), witness(r1cs, {1}, describe={"steps": ["", "Pay('<script>')"]}))
    page = failures._repr_html_()
    assert "<script>" not in page
    assert "<move>" not in page
    assert "http" not in page
    read = Text(page)
    assert read.open == []
    assert "steps[1]/<move>: 'nn is n & n' does not hold" in read.text
    assert "in Pay('<script>')" in read.text
    assert 'cs.assert_equal(n * n, cs.input("nn"), label="nn is n & n")' in read.text
    assert "n * n = nn" in read.text
    assert Text(failures[0]._repr_html_()).open == []
    good = r1cs.check(get_engine(), witness(r1cs, set()))
    assert "all 13 constraints hold" in good._repr_html_()


def test_html__without_the_source_file_says_the_same_but_that_line() -> None:
    r1cs = chain(2)
    (failure,) = r1cs.check(get_engine(), witness(r1cs, {1}))
    moved = replace(failure, place=Place("/nowhere/gone.py", 5))
    assert "<pre>" in failure._repr_html_()
    assert "<pre>" not in moved._repr_html_()
    assert "/nowhere/gone.py:5" in moved._repr_html_()


def test_rich__shows_source_line_formula_and_values() -> None:
    from rich.console import Console

    r1cs = chain(6)
    failures = r1cs.check(get_engine(), witness(r1cs, {1, 2}, describe={"steps": ["Pay()"] * 6}))
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(failures)
    console.print(failures[0])
    text = console.export_text()
    assert "chain: 2 of 37 constraints do not hold; in the order of computation:" in text
    assert '│ cs.assert_equal(n * n, cs.input("nn"), label="nn is n & n")' in text
    assert text.count("n * n = nn") == 2
    assert "1 more of steps[1..2]/<move> 'nn is n & n'" in text
    console.print(r1cs.check(get_engine(), witness(r1cs, set())))
    assert "all 37 constraints hold" in console.export_text()


def test_check__of_a_template_renders_as_its_failures() -> None:
    check = step().check({"before": 2}, {"n": 3, "nn": 10})
    assert "nn is n &amp; n" in check._repr_html_()
    assert check.to_json()["failing"] == 1
    assert check.__rich__() is not None


def test_failures__are_a_sequence_equal_to_a_list() -> None:
    r1cs = chain(6)
    failures = r1cs.check(get_engine(), witness(r1cs, {0, 5}))
    assert failures == list(failures)
    assert failures != []
    assert failures[-1] is failures[1]
    assert failures[:1] == [failures[0]]
    with pytest.raises(IndexError, match="failure 2 of 2"):
        failures[2]
    again = Failures.of("chain", 37, failures)
    assert (again, plain(again)) == (failures, plain(failures))
    assert isinstance(failures[0], Failure)


@pytest.mark.parametrize(
    ("instances", "text"),
    [
        ([3], "3"),
        ([0, 1, 2], "0..2"),
        ([0, 2, 3, 9], "0, 2..3, 9"),
        ([0, 2, 4, 6, 8], "0, 2, 4, … of 5 instances"),
        ([], ""),
    ],
)
def test_instances__are_written_as_runs(instances: list[int], text: str) -> None:
    assert instances_text(instances) == text
