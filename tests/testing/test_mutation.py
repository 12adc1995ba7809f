"""Mutated witnesses and lies: quick and slow must agree, and circuits that deserve it must be caught."""

from __future__ import annotations

import random

import pytest

from zkrollup.cs import ConstraintSystem, Template
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.gadgets import babyjubjub
from zkrollup.gadgets.compare import less_than
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.gadgets.select import one_hot4
from zkrollup.testing import (
    Explained,
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    mutate_witness,
    mutate_witness_slow,
    tell_lies,
)
from zkrollup.testing.batched import Batched, patched_program, solve_forced

RANDOM = random.Random(7)


def record(body, fields: str = "", bools: str = "", links: str = "") -> Template:
    cs = ConstraintSystem("t")
    given = {name: cs.link(name) for name in links.split()}
    given |= {name: cs.input(name) for name in fields.split()}
    given |= {name: cs.input_bool(name) for name in bools.split()}
    out = body(cs, **given)
    if out is not None:
        cs.export("out", out)
    return cs.freeze()


def unordered_factors(cs, n):
    """Two factors of n: their order is nobody's business, so they can be swapped but not changed."""
    p, q = cs.hint_python(lambda n: (n // 5, 5), [n], 2)
    cs.enforce(p, q, n, "p q = n")


def squares(cs, x, y):
    """Rows in which a wire stands on two or three sides."""
    z = cs.hint_value(x)
    cs.enforce(z, z, z + x.square() - x, "z^2 = z + x^2 - x")
    return z * (z + y) + y.square()


def sum_of_two_hints(cs, x):
    """The two halves of a sum are free against each other: each alone is noticed."""
    a, b = cs.hint_value(x), cs.hint_is_zero(x)
    cs.enforce(a + b, 1, x, "a + b = x")


CASES = {
    "factors": (record(unordered_factors, "n"), [{"n": 35}, {"n": 25}]),
    "squares": (record(squares, "x y"), [{"x": 0, "y": 0}, {"x": 1, "y": 5}, {"x": 77, "y": 3}]),
    "sum": (record(sum_of_two_hints, "x"), [{"x": 3}]),
    "poseidon": (record(lambda cs, x, y: poseidon(cs, [x, y]), "x y"), [{"x": 1, "y": 2}, {"x": 0, "y": 0}]),
    "less_than": (
        record(lambda cs, x, y: less_than(cs, x, y, 8), "x y"),
        [{"x": 3, "y": 200}, {"x": 9, "y": 9}],
    ),
    "one_hot": (record(lambda cs, b, c: one_hot4(cs, b, c)[2], bools="b c"), [{"b": 0, "c": 1}]),
    "add": (
        record(
            lambda cs, x, y: babyjubjub.add(cs, babyjubjub.Edwards(x, y), babyjubjub.Edwards(x, y)).x, "x y"
        ),
        [{"x": 0, "y": 1}],
    ),
}
INPUTS = [
    pytest.param(name, given, id=f"{name}-{i}") for name, c in CASES.items() for i, given in enumerate(c[1])
]


@pytest.mark.parametrize(("name", "given"), INPUTS)
def test_mutate_witness__finds_what_its_slow_twin_finds(name: str, given: dict[str, int]) -> None:
    template = CASES[name][0]
    values = assert_satisfied(template, {}, given).values
    for seed, links in ((0, True), (1, False)):
        assert mutate_witness(template, values, seed=seed, include_links=links) == mutate_witness_slow(
            template, values, seed=seed, include_links=links
        )


def test_mutate_witness__agrees_with_its_twin_on_random_rows() -> None:
    """Sparse random rows made to hold by their constants; many wires are free, many rows degenerate."""
    for _ in range(30):
        cs = ConstraintSystem("random")
        wires = [cs.input(f"x{i}") for i in range(3)] + [cs.hint_value(cs.constant(0)) for _ in range(4)]
        values = [RANDOM.choice([0, 0, 1, 2, 5]) for _ in range(3)]
        known = dict(zip(wires, [*values, 0, 0, 0, 0], strict=True))
        for wire in wires:
            cs.enforce(wire, 0, 0, "so that each wire is in a row")
        for _ in range(RANDOM.randrange(1, 5)):
            sides = [RANDOM.sample(wires, 2) for _ in range(3)]
            got = [known[x] for side in sides for x in side]
            a, b, c = sides[0][0] + sides[0][1], sides[1][0] - sides[1][1], sides[2][0] * 3 + sides[2][1]
            constant = (got[0] + got[1]) * (got[2] - got[3]) - (3 * got[4] + got[5])
            cs.enforce(a, b, c + constant, "random")
        template = cs.freeze()
        check = assert_satisfied(template, {}, {f"x{i}": v for i, v in enumerate(values)})
        assert mutate_witness(template, check.values) == mutate_witness_slow(template, check.values)


def test_mutate_witness__finds_neighbours_that_can_be_swapped() -> None:
    template = CASES["factors"][0]
    (free,) = mutate_witness(template, assert_satisfied(template, {}, {"n": 35}).values)
    assert (free.name, free.value, free.swapped_with) == ("python#0[0]", 5, "python#0[1]")
    assert "may be 5 instead of 7 (swapped with python#0[1])" in str(free)
    assert mutate_witness(template, assert_satisfied(template, {}, {"n": 25}).values) == []


@pytest.mark.parametrize("mutate", [mutate_witness, mutate_witness_slow])
def test_mutate_witness__refuses_values_that_do_not_hold(mutate) -> None:
    template = CASES["factors"][0]
    with pytest.raises(
        ValueError, match="the values do not satisfy 1 rows, the first is row 0, 'p q = n' at"
    ):
        mutate(template, [1, 36, 7, 5])


def test_every_wire_bound__takes_patterns_with_reasons() -> None:
    template = CASES["factors"][0]
    with pytest.raises(AssertionError, match="1 wires are not bound"):
        assert_every_wire_bound(template, {}, {"n": 35})
    known = Explained({"python#0[*]": "factors have no order", "gone": "was there once"}, "factors.json")
    assert_every_wire_bound(template, {}, {"n": 35}, allowed=known)
    assert known.stale == ["gone"]
    with pytest.raises(
        AssertionError, match=r"factors\.json: stale explanations.*\n  'gone': was there once"
    ):
        known.assert_used()


def test_explained__brackets_are_letters_and_reasons_are_demanded(tmp_path) -> None:
    known = Explained({"a[0]": "first", "scope/*": "all of it"})
    assert known.reason("a[0]") == "first"
    assert known.reason("a0") is None
    assert known.reason("x", "scope/inner/x") == "all of it"
    with pytest.raises(ValueError, match="'x' has no reason"):
        Explained({"x": " "})
    file = tmp_path / "known.json"
    file.write_text('{"slot": {"x": "unused"}}')
    assert Explained.read(file, "slot").reason("x") == "unused"
    assert len(Explained.read(file, "other")) == 0
    assert [len(part) for part in Explained.read_sections(file, "slot", "other")] == [1, 0]
    with pytest.raises(ValueError, match=r"known\.json: unknown section 'slot', expected 'wires' and 'rows'"):
        Explained.read_sections(file, "wires", "rows")
    file.write_text('{"slot": ["x"]}')
    with pytest.raises(ValueError, match=r"known\.json \[slot\]: expected an object of patterns and reasons"):
        Explained.read(file, "slot")
    file.write_text("[1]")
    with pytest.raises(ValueError, match=r"known\.json: expected an object of patterns and reasons"):
        Explained.read(file)
    file.write_text("{")
    with pytest.raises(ValueError, match=r"known\.json: not JSON"):
        Explained.read(file)


@pytest.mark.parametrize(("name", "given"), INPUTS)
def test_tell_lies__agrees_with_a_python_replay_of_each_lie(name: str, given: dict[str, int]) -> None:
    """Every computed wire lies, as far as the native path goes; each verdict by evaluating every row."""
    template = CASES[name][0]
    values = assert_satisfied(template, {}, given).values
    first = template.num_links + template.num_inputs
    links, inputs = values[: template.num_links], values[template.num_links : first]
    got = tell_lies(template, values, columns=range(first, len(values)), seed=3, want_alone=True)
    rng = random.Random(3)
    accepted, alone = [], set()
    told = 0
    for column in range(first, len(values)):
        for value in dict.fromkeys([values[column] + 1, 0, rng.randrange(MODULUS)]):
            if value == values[column]:
                continue
            told += 1
            solved = solve_forced(template, links, inputs, {column: value})
            failing = [f.row for f in template.check_wires(solved).failures]
            if not failing:
                accepted.append((column, value))
            elif len(failing) == 1:
                alone.add(failing[0])
    assert got.told == told
    assert [(lie.column, lie.value) for lie in got.accepted] == sorted(accepted)
    assert set(got.alone) == alone


def test_patched_program__without_a_lie_computes_what_the_template_does() -> None:
    template = CASES["less_than"][0]
    values = assert_satisfied(template, {}, {"x": 3, "y": 200}).values
    batched = Batched(template)
    first = template.num_links + template.num_inputs
    program = patched_program(template, range(first, len(values)))
    links = batched.columns([[1] + [0] * (len(values) - first)])
    own = batched.engine.replay(program, links, batched.columns([[3, 200]]))
    assert (own[0] == batched.columns([values])[0, template.num_links :]).all()


def test_lies__of_half_a_sum_are_found() -> None:
    template, _ = CASES["factors"]
    assert assert_lies_caught(template, {}, {"n": 35}) == 6
    cs = ConstraintSystem("halves")
    x = cs.input("x")
    a = cs.hint_value(x)
    cs.enforce(a + (x - a), 1, x, "says nothing of a")
    cs.enforce(a, 0, 0, "nor does this")
    template = cs.freeze()
    with pytest.raises(
        AssertionError, match=r"'halves' accepts a lie: value#0 = 0 instead of 3.*\(and 2 more\)"
    ):
        assert_lies_caught(template, {}, {"x": 3})
    assert assert_lies_caught(template, {}, {"x": 3}, allowed={"value#*": "nothing is said of it"}) == 3
