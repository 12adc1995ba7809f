"""Profiles: every count is somewhere once, in the scope and on the line where it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zkrollup.circuits.batch import batch_circuit
from zkrollup.cs import ConstraintSystem, System, Template
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.gadgets.bits import range_check
from zkrollup.profile import WEIGHTS, density, profile
from zkrollup.profile.model import Node
from zkrollup.state import BatchParameters

CIRCOM = Path(__file__).parents[1] / "vectors" / "circom"
HERE = "tests/profile/test_profile.py"


BITS = "zkrollup/gadgets/bits.py"


def line_of(text: str, file: str = HERE) -> str:
    """The place of the line with this text."""
    lines = (Path(__file__).parents[2] / file).read_text().splitlines()
    return f"{file}:{next(i for i, line in enumerate(lines, 1) if text in line and 'line_of' not in line)}"


def small() -> Template:
    cs = ConstraintSystem("small")
    x, y = cs.input("x"), cs.link("y")
    with cs.scope("outer"):
        with cs.scope("range"):
            range_check(cs, x, 4)
        (x * y).assert_equal(7 * x + 3, label="product of inputs")
    cs.export("out", x * x)
    return cs.freeze()


@pytest.fixture(autouse=True)
def _at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])


def test_profile__of_a_template_has_every_row_in_its_scope_and_line() -> None:
    found = profile(small())
    scopes = found.by_scope()
    assert {path: counts["constraints"] for path, counts in scopes.items()} == {
        "": 6,
        "outer": 5,
        "outer/range": 4,
    }
    lines = found.by_line()
    assert lines[line_of("-bit number", BITS)]["constraints"] == 4
    assert lines[line_of("range_check(cs, x, 4)")]["constraints"] == 4
    assert lines[line_of("product of inputs")]["constraints"] == 1
    assert found.totals == {"constraints": 6, "nonzeros": 25, "wires": 5, "b_columns": 4}


def test_profile__totals_are_those_of_the_matrices_times_instances() -> None:
    whole = batch_circuit(BatchParameters(2, 2))
    found = profile(whole.r1cs)
    blocks = [part.block for part in whole.r1cs.parts]
    nonzeros = sum(b.instances * (len(b.a.cols) + len(b.b.cols) + len(b.c.cols)) for b in blocks)
    assert found.totals["constraints"] == whole.r1cs.num_constraints
    assert found.totals["nonzeros"] == nonzeros
    assert found.totals["wires"] == whole.r1cs.num_columns - 1 - len(whole.r1cs.public_names)
    assert found.by_scope()["slots ×2/C signature"]["constraints"] == 2 * sum(
        count
        for path, count in whole.templates["slots"].counts_by_scope().items()
        if path.startswith("C signature")
    )


def test_columns_in_b__made_here_are_those_of_the_matrix() -> None:
    template = small()
    own = np.unique(template.matrices.b.cols)
    assert profile(template).totals["b_columns"] == int((own >= template.num_links).sum())


def test_tree__adds_up_at_every_node() -> None:
    def check(node: Node) -> None:
        inside = sum((child.total for child in node.children.values()), node.own)
        assert (node.total == inside).all()
        for child in node.children.values():
            check(child)

    tree = profile(batch_circuit(BatchParameters(2, 2)).r1cs).tree()
    check(tree)
    check(tree.merged())
    assert (tree.merged().total == tree.total).all()


def test_tree__merges_siblings_that_differ_only_in_numbers() -> None:
    cs = ConstraintSystem("rounds")
    x = cs.input("x")
    for i in range(4):
        with cs.scope(f"round {i}"):
            x = cs.materialise(x * x + i)
    for name in ("left 1", "left 2"):
        with cs.scope(name):
            x = cs.materialise(x * x)
    tree = profile(cs.freeze()).tree(lines=False)
    assert list(tree.merged().children) == ["round … (4)", "left 1", "left 2"]
    assert tree.merged().children["round … (4)"].weight("constraints") == 4


@pytest.mark.parametrize("weight", WEIGHTS)
def test_folded__stacks_add_up_and_have_no_strange_characters(weight: str) -> None:
    found = profile(batch_circuit(BatchParameters(2, 2)).r1cs, name="a;b")
    total = 0
    for line in found.folded(weight).splitlines():
        frames, _, count = line.rpartition(" ")
        assert frames.split(";")[0] == "a,b"
        total += int(count)
    assert total == found.totals[weight]


def test_folded__names_scopes_caller_and_gadget() -> None:
    lines = profile(small()).folded().splitlines()
    caller = line_of("range_check(cs, x, 4)")
    assert f"small;outer;range;{caller};{line_of('-bit number', BITS)} 4" in lines


def test_profile__freezes_what_is_still_open() -> None:
    cs = ConstraintSystem("open")
    cs.assert_equal(cs.input("x") * cs.input("y"), 6)
    assert profile(cs).totals["constraints"] == 1
    system = System("whole", public=["y"])
    system.add("parts", small(), 3).connect("y", system.public("y"))
    found = profile(system)
    assert found.totals["constraints"] == 18
    assert found.by_scope()["parts ×3/outer/range"]["constraints"] == 12


def test_circom__rows_belong_to_the_innermost_component_that_names_their_wires() -> None:
    file = R1csFile.read(CIRCOM / "mixed.r1cs")
    found = profile(file, sym=SymFile.read(CIRCOM / "mixed.sym"), name="mixed")
    assert found.totals["constraints"] == file.num_constraints
    assert found.totals["wires"] == file.num_wires - 1
    assert found.by_scope().keys() >= {"", "main"}
    assert found.by_scope()["main"]["constraints"] == file.num_constraints
    plain = profile(file)
    assert plain.totals == found.totals
    assert list(plain.by_scope()) == [""]


def test_circom__elements_of_an_array_of_components_are_one(tmp_path: Path) -> None:
    """main.h[0] and main.h[1] have a row each; a third joins their outputs in main."""
    from zkrollup.engine.interface import Matrix

    def matrix(rows: list[list[int]]) -> Matrix:
        ends = np.cumsum([0, *map(len, rows)]).astype(np.uint32)
        cols = np.array([w for row in rows for w in row], dtype=np.uint32)
        return Matrix(ends, cols, np.ones(len(cols), dtype=np.uint32))

    constants = np.zeros((3, 4), dtype=np.uint64)
    constants[1, 0] = 1
    file = R1csFile(
        6, 0, 0, 5, 6, 3, matrix([[1], [3], [2]]), matrix([[1], [3], [4]]), matrix([[2], [4], [5]]),
        constants, np.arange(6, dtype=np.uint64),
    )  # fmt: skip
    sym = tmp_path / "two.sym"
    names = ["main.h[0].in", "main.h[0].out", "main.h[1].in", "main.h[1].out", "main.out"]
    sym.write_text("".join(f"{i},{i},0,{name}\n" for i, name in enumerate(names, 1)))
    scopes = profile(file, sym=SymFile.read(sym)).by_scope()
    assert {path: counts["constraints"] for path, counts in scopes.items()} == {
        "": 3,
        "main": 3,
        "main/h[…]": 2,
    }


def test_density__counts_all_instances() -> None:
    whole = batch_circuit(BatchParameters(2, 2))
    found = density(whole.r1cs.layout)
    assert found.rows == whole.r1cs.num_constraints
    assert found.a.nonzeros + found.b.nonzeros + found.c.nonzeros == profile(whole.r1cs).totals["nonzeros"]
    assert found.a.per_row == pytest.approx(found.a.nonzeros / found.rows)
    of_small = density(profile(small()).layout)
    assert (of_small.rows, of_small.columns, of_small.linear_rows) == (6, 7, 0)
    assert of_small.columns_in_b == 4  # x and three bits; the link is in A
