"""Assembly: connections, seams, witnesses, explained failures, digests, sizes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zkrollup.cs import (
    R1CS,
    AssemblyError,
    AssignmentError,
    ConstraintSystem,
    FreezeError,
    SeamFailure,
    System,
    Template,
)
from zkrollup.cs.scalar_field import MODULUS, from_mont, mont_array
from zkrollup.engine.interface import Engine
from zkrollup.testing import ReferenceEngine


def head_template() -> Template:
    cs = ConstraintSystem("head")
    start, final, square = cs.input("start"), cs.link("final"), cs.link("square")
    (start * start).assert_equal(square, "start is the root of a square")
    cs.enforce(final - start, cs.input("inverse"), 1, "something happened")
    cs.export("start", start)
    return cs.freeze()


def step_template(parameter: int = 0, bits: int = 8) -> Template:
    cs = ConstraintSystem("step", {"parameter": parameter})
    value, z, weight = cs.link("value"), cs.link("z"), cs.link("weight")
    n, skip = cs.input_uint("n", bits), cs.input_bool("skip")
    with cs.scope("move"):
        cs.export("after", skip.select(value, value * z + weight * n))
    return cs.freeze()


def system(steps: int = 4, step: Template | None = None, **changes: bool) -> R1CS:
    whole = System("chain", public=["square", "z"])
    head = whole.add("head", head_template())
    part = whole.add("steps", step or step_template(), instances=steps)
    z, square = whole.public("z"), whole.public("square")
    weight = head.wire("start")
    head.connect("square", square)
    head.connect("final", part.wire("after"))
    if changes.get("late_chain"):
        part.connect("value", [head.wire("start")] * steps)
    else:
        part.connect("value", first=head.wire("start"), chain="after")
    part.connect("z", z)
    part.connect("weight", square if changes.get("other_weight") else [weight] * steps)
    return whole.freeze()


def assignment(steps: int = 4) -> tuple[dict[str, int], dict[str, list[dict[str, object]]]]:
    value, parts = 5, []
    for i in range(steps):
        parts.append({"value": value, "n": i * 20, "skip": int(i == 2)})
        if i != 2:
            value = value * 3 + 5 * i * 20
    inverse = pow(value - 5, -1, MODULUS)
    return {"square": 25, "z": 3}, {
        "head": [{"start": 5, "inverse": inverse, "final": value}],
        "steps": parts,
    }


@pytest.fixture
def reference() -> ReferenceEngine:
    return ReferenceEngine()


def test_witness__satisfies_and_is_the_same_for_every_engine(engine: Engine, reference) -> None:
    r1cs = system()
    public, parts = assignment()
    witness = r1cs.witness(engine, public, parts)
    assert r1cs.check(engine, witness) == []
    assert witness.seams == ()
    assert witness.public == (25, 3)
    assert np.array_equal(witness.values, r1cs.witness(reference, public, parts).values)
    assert from_mont(witness.values[:3]) == [1, 25, 3]
    assert r1cs.export(witness, "steps", "after") == parts["head"][0]["final"]
    assert r1cs.export(witness, "steps", "after", 0) == 15


def test_layout__places_wires_and_rows_as_the_interface_says() -> None:
    r1cs = system(steps=3)
    head, steps = r1cs.layout.blocks
    assert (head.own_base, head.row_base) == (3, 0)
    assert steps.own_base == 3 + head.num_own
    assert steps.row_base == head.num_rows == 2
    assert r1cs.num_columns == steps.own_base + 3 * steps.num_own
    assert r1cs.num_constraints == 2 + 3 * steps.num_rows
    template = r1cs.parts[1].template
    after = template.exports["after"] - template.num_links
    assert steps.links.dtype == np.uint32
    assert steps.links.tolist() == [
        [0, 3, 2, 3],
        [0, steps.own_base + after, 2, 3],
        [0, steps.own_base + steps.num_own + after, 2, 3],
    ]


def test_seam__a_link_given_another_value_is_reported_with_its_source(engine: Engine) -> None:
    r1cs = system()
    public, parts = assignment()
    parts["steps"][2]["value"] += 1
    parts["head"][0]["final"] = 7
    witness = r1cs.witness(engine, public, parts)
    first, second, third = witness.seams
    assert isinstance(first, SeamFailure)
    assert str(first).startswith("head[0]: link 'final' was given 7, but steps[3].after is ")
    assert (second.part, second.instance, second.link) == ("steps", 2, "value")
    assert (second.source, second.left, second.right) == ("steps[1].after", 146, 145)
    assert (third.instance, third.left, third.right) == (3, 145, 146)
    failures = r1cs.check(engine, witness)
    assert [(f.path, f.label) for f in failures] == [
        ("steps[2]", "seam value"),
        ("steps[2]/move", "product"),
        ("steps[2]/move", "export after"),
        ("steps[3]", "seam value"),
        ("steps[3]/move", "product"),
        ("head[0]", "seam final"),  # its source is computed last
    ]
    assert [failures[0], failures[3], failures[5]] == [second, third, first]


def test_check__explains_a_row_by_part_instance_scope_and_values(engine: Engine) -> None:
    r1cs = system()
    public, parts = assignment()
    witness = r1cs.witness(engine, {**public, "square": 26}, parts)
    (failure,) = r1cs.check(engine, witness)
    assert (failure.part, failure.instance, failure.label) == ("head", 0, "start is the root of a square")
    assert failure.formula == "start * start = square"
    assert (failure.left, failure.right) == (25, 26)
    assert failure.file == __file__


def test_link__whose_source_is_earlier_may_be_left_out_and_a_later_one_may_not(engine: Engine) -> None:
    r1cs = system()
    public, parts = assignment()
    del parts["steps"][0]["value"]
    assert r1cs.check(engine, r1cs.witness(engine, public, parts)) == []
    del parts["steps"][1]["value"]
    with pytest.raises(
        AssignmentError, match=r"steps\[1\]: no value for link 'value', whose source steps\[0\]"
    ):
        r1cs.witness(engine, public, parts)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p, q: p.pop("z"), "no value for the public input 'z'"),
        (lambda p, q: p.update(w=1), "there is no public input 'w'"),
        (lambda p, q: p.update(z=MODULUS), "public input 'z' = .* not a field element"),
        (lambda p, q: q.pop("steps"), r"steps\[0\]: no value for input 'n', declared at"),
        (lambda p, q: q["steps"].pop(), "part 'steps' has 4 instances, 3 were given"),
        (lambda p, q: q.update(tail=[]), "has no part 'tail'"),
        (lambda p, q: q["steps"][1].pop("n"), r"steps\[1\]: no value for input 'n', declared at"),
        (lambda p, q: q["steps"][1].update(m=1), r"steps\[1\]: template 'step' has no input or link 'm'"),
        (lambda p, q: q["steps"][1].update(n=256), r"steps\[1\]: input 'n' = 256 does not fit its 8 bits"),
        (lambda p, q: q["steps"][1].update(n=-1), r"steps\[1\]: input 'n' = -1 is not a field element"),
        (lambda p, q: q["steps"][3].update(skip=MODULUS), r"steps\[3\]: input 'skip' = .* reduce it mod r"),
        (lambda p, q: q["steps"][3].update(skip=1 << 256), r"steps\[3\]: input 'skip' = .* reduce it mod r"),
        (
            lambda p, q: q["steps"][3].update(skip="1"),
            "input 'skip' must be an integer, not str",
        ),
        (lambda p, q: q["steps"][3].update(value=1.5), r"steps\[3\]: link 'value' must be an integer"),
    ],
)
def test_witness__names_part_instance_and_name_of_bad_values(engine: Engine, change, text: str) -> None:
    public, parts = assignment()
    change(public, parts)
    with pytest.raises(AssignmentError, match=text):
        system().witness(engine, public, parts)


def test_arrays__are_linked_exported_connected_and_assigned_by_name(engine: Engine) -> None:
    cs = ConstraintSystem("rotate")
    before = cs.link_array("lanes", 3)
    shift = cs.input_array("shift", 3)
    cs.export_array("after", [a + b for a, b in zip(before[1:] + before[:1], shift, strict=True)])
    template = cs.freeze()
    whole = System("rotations", public=["p[0]", "p[1]", "p[2]"])
    part = whole.add("rotate", template, instances=3)
    part.connect_array("lanes", first=[whole.public(f"p[{i}]") for i in range(3)], chain="after")
    r1cs = whole.freeze()
    lanes, parts = [1, 2, 3], []
    for i in range(3):
        parts.append({"lanes": lanes, "shift": [i, 10 * i, 100 * i]})
        lanes = [a + b for a, b in zip(lanes[1:] + lanes[:1], parts[-1]["shift"], strict=True)]
    witness = r1cs.witness(engine, {"p[0]": 1, "p[1]": 2, "p[2]": 3}, {"rotate": parts})
    assert r1cs.check(engine, witness) == []
    assert [r1cs.export(witness, "rotate", f"after[{i}]") for i in range(3)] == lanes


def test_python_hint__makes_its_part_slow_and_nothing_else(engine: Engine) -> None:
    cs = ConstraintSystem("root")
    square = cs.link("square")
    (root,) = cs.hint_python(lambda a: next(v for v in range(100) if v * v == a), [square], 1)
    (root * root).assert_equal(square, "a root")
    cs.export("root", root)
    whole = System("roots", public=["a", "b"])
    part = whole.add("roots", cs.freeze(), instances=2)
    part.connect("square", [whole.public("a"), whole.public("b")])
    r1cs = whole.freeze()
    assert r1cs.report().slow_parts == ("roots",)
    assert "SLOW: roots has hints written in Python" in str(r1cs.report())
    witness = r1cs.witness(engine, {"a": 49, "b": 64}, {})
    assert r1cs.check(engine, witness) == []
    assert [r1cs.export(witness, "roots", "root", i) for i in (0, 1)] == [7, 8]


# -- what is refused -----------------------------------------------------------------------------------
def test_freeze__refuses_links_and_public_inputs_that_are_not_connected() -> None:
    whole = System("chain", public=["a", "b"])
    part = whole.add("steps", step_template())
    part.connect("z", whole.public("a"))
    with pytest.raises(FreezeError) as caught:
        whole.freeze()
    assert [(p.kind, p.name) for p in caught.value.problems] == [
        ("not connected", "value"),
        ("not connected", "weight"),
        ("unused public input", "b"),
    ]
    assert caught.value.problems[0].file == __file__


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda s, p: p.connect("valu", s.public("a")), "has no link 'valu'; did you mean 'value'"),
        (lambda s, p: p.connect("z", s.public("a")), "is already connected"),
        (lambda s, p: p.connect("value", [s.public("a")] * 2), "2 wires for 3 instances"),
        (lambda s, p: p.connect("value"), "give a source, or both first= and chain="),
        (lambda s, p: p.connect("value", first=s.public("a")), "give a source, or both"),
        (lambda s, p: p.connect("value", s.public("a"), chain="after"), "either a source, or"),
        (lambda s, p: p.connect("value", first=s.public("a"), chain="aftr"), "did you mean 'after'"),
        (lambda s, p: p.connect("value", System("o", ["a"]).public("a")), "belongs to another system"),
        (lambda s, p: p.wire("aftre"), "exports no 'aftre'; did you mean 'after'"),
        (lambda s, p: p.wire("after", 3), "has 3 instances, no instance 3"),
        (lambda s, p: p.wire("after", -4), "no instance -4"),
        (lambda s, p: s.public("c"), "has no public input 'c'"),
        (lambda s, p: s.add("steps", p.template), "already has a part 'steps'"),
        (lambda s, p: s.add("none", p.template, instances=0), "at least one instance"),
        (lambda s, p: System("s", ["a", "a"]), "named twice"),
    ],
)
def test_assembly__refuses_what_has_no_meaning(use, text: str) -> None:
    whole = System("chain", public=["a"])
    part = whole.add("steps", step_template(), instances=3)
    part.connect("z", whole.public("a"))
    with pytest.raises(AssemblyError, match=text):
        use(whole, part)


def test_system__is_closed_once_frozen() -> None:
    whole = System("chain", public=["a"])
    part = whole.add("steps", step_template())
    for link in part.template.links:
        part.connect(link, whole.public("a"))
    whole.freeze()
    for use in (
        whole.freeze,
        lambda: whole.add("x", part.template),
        lambda: part.connect("z", part.wire("after")),
    ):
        with pytest.raises(AssemblyError, match="is frozen"):
            use()


# -- digests -------------------------------------------------------------------------------------------
def variants() -> dict[str, str]:
    def single(build, name: str = "t", parameters: dict | None = None) -> str:
        cs = ConstraintSystem(name, parameters)
        x, y = cs.input("x"), cs.input("y")
        build(cs, x, y)
        return cs.freeze().digest

    def plain(cs, x, y) -> None:
        (x * y).assert_equal(x + y + 3)

    def renamed(cs, x, y) -> None:
        plain(cs, x, y)
        cs.export("x", x)

    return {
        "plain": single(plain),
        "name": single(plain, name="u"),
        "parameters": single(plain, parameters={"d": 1}),
        "constant": single(lambda cs, x, y: (x * y).assert_equal(x + y + 4)),
        "coefficient": single(lambda cs, x, y: (x * y).assert_equal(x + 2 * y + 3)),
        "column": single(lambda cs, x, y: (x * y).assert_equal(x + x + 3)),
        "extra row": single(lambda cs, x, y: (plain(cs, x, y), plain(cs, x, y))),
        "export": single(renamed),
        "another input": single(lambda cs, x, y: plain(cs, x + cs.input("z"), y)),
        "a number instead": single(lambda cs, x, y: plain(cs, x + cs.input_uint("z", 1), y)),
        "a bit instead": single(lambda cs, x, y: plain(cs, x + cs.input_bool("z"), y)),
        "a link instead": single(lambda cs, x, y: plain(cs, x + cs.link("z"), y)),
        "a hint": single(lambda cs, x, y: plain(cs, x + cs.hint_is_zero(x), y)),
        "another hint": single(lambda cs, x, y: plain(cs, x + cs.hint_inverse_or_zero(x), y)),
    }


def test_template_digest__changes_with_names_parameters_tape_and_rows() -> None:
    digests = variants()
    assert len(set(digests.values())) == len(digests)


def test_template_digest__does_not_depend_on_scopes_labels_or_lines() -> None:
    digests = []
    for scope, label in (("a", "b"), ("c", "d")):
        cs = ConstraintSystem("t")
        x = cs.input("x")
        with cs.scope(scope):
            x.assert_equal(3, label)
        digests.append(cs.freeze().digest)
    assert digests[0] == digests[1]


def test_system_digest__changes_with_templates_instances_and_connections() -> None:
    digests = [
        system().digest,
        system(steps=5).digest,
        system(step=step_template(parameter=1)).digest,
        system(step=step_template(bits=9)).digest,
        system(other_weight=True).digest,
        system(late_chain=True).digest,
    ]
    assert len(set(digests)) == len(digests)
    assert system().digest == digests[0]
    assert len(bytes.fromhex(digests[0])) == 32


def test_digest__is_the_same_in_another_process() -> None:
    program = (
        "from zkrollup.cs import ConstraintSystem\n"
        "cs = ConstraintSystem('t', {'b': [1, 2], 'a': 'x'})\n"
        "x = cs.input_uint('x', 20)\n"
        "(x * x + cs.hint_bits(x, 1)[0]).assert_equal(cs.sum(cs.hint_bits(x + 1, 3)))\n"
        "cs.export('o', x.square().square())\n"
        "print(cs.freeze().digest)\n"
    )
    digests = set()
    for seed in ("0", "1"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


# -- sizes -----------------------------------------------------------------------------------------------
def test_report__lists_parts_templates_and_exports_that_nobody_uses() -> None:
    whole = System("chain", public=["a"])
    part = whole.add("steps", step_template(), instances=3)
    for link in part.template.links:
        part.connect(link, whole.public("a"))
    report = whole.freeze().report()
    assert report.parts == (("steps", 3, part.template.num_constraints),)
    assert report.unused_exports == ("steps.after",)
    text = str(report)
    assert "steps: 3 x 12 constraints = 36" in text
    assert "domain 2^6" in text
    assert "export steps.after is connected to nothing" in text


def test_assembly__of_many_instances_costs_no_python_per_instance() -> None:
    r1cs = system(steps=50_000)
    block = r1cs.layout.blocks[1]
    assert block.links.shape == (50_000, 4)
    assert r1cs.num_constraints == 2 + 50_000 * block.num_rows
    assert len(block.a.cols) < 50  # one template's rows, whatever the number of instances


def test_mutated_public_input__is_noticed(engine: Engine) -> None:
    r1cs = system()
    public, parts = assignment()
    witness = r1cs.witness(engine, public, parts)
    for column in (1, 2):
        honest = witness.values[column].copy()
        witness.values[column] = mont_array([99])[0]
        assert r1cs.check(engine, witness)
        witness.values[column] = honest
    assert r1cs.check(engine, witness) == []
