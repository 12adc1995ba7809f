"""Membership and update in 4-ary and binary trees, against the paths of the twin."""

from __future__ import annotations

import random

import pytest

from zkrollup.crypto import merkle as twin
from zkrollup.crypto import mimc as mimc_twin
from zkrollup.crypto import poseidon as poseidon_twin
from zkrollup.crypto import poseidon2 as poseidon2_twin
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import mimc, poseidon2
from zkrollup.gadgets.merkle import (
    POSEIDON_NODE,
    NodeHash,
    binary_lanes,
    binary_membership,
    binary_update,
    merkle_lanes,
    merkle_membership,
    merkle_update,
)
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.testing import (
    assert_every_row_needed,
    assert_every_wire_bound,
    assert_satisfied,
    assert_unsatisfied,
)


def lane_inputs(cs, depth):
    return [cs.input_array(f"lanes_{k}", 4) for k in range(depth)]


def make_path(leaf: int, index: int, depth: int, seed: int = 0) -> list[tuple[int, ...]]:
    """A path of random siblings through ``leaf``."""
    rng = random.Random(seed)
    path, current = [], leaf
    for place in twin.places(index, depth):
        children = [rng.choice([0, MODULUS - 1, rng.randrange(MODULUS)]) for _ in range(4)]
        children[place] = current
        path.append(tuple(children))
        current = twin.node(children)
    return path


def assignment(index: int, path: list[tuple[int, ...]], **leaves: int) -> dict[str, object]:
    values: dict[str, object] = {"index": [index >> k & 1 for k in range(2 * len(path))], **leaves}
    for level, lanes in enumerate(merkle_lanes(path)):
        values[f"lanes_{level}"] = lanes
    return values


@pytest.fixture(scope="module")
def update():
    """A tree of depth 2."""
    cs = ConstraintSystem("update")
    index = cs.input_bool_array("index", 4)
    before, after = cs.input("before"), cs.input("after")
    for name, root in zip(
        ("root_before", "root_after"),
        merkle_update(cs, index, before, after, lane_inputs(cs, 2)),
        strict=True,
    ):
        cs.export(name, root)
    return cs.freeze()


@pytest.fixture(scope="module")
def membership():
    cs = ConstraintSystem("membership")
    index = cs.input_bool_array("index", 4)
    cs.export("root", merkle_membership(cs, index, cs.input("leaf"), lane_inputs(cs, 2)))
    return cs.freeze()


@pytest.mark.parametrize("index", range(16))
def test_update__gives_both_roots_at_every_index(index, update, engine):
    for before, after in ((0, 5), (MODULUS - 1, 0), (7, 7), (index, index + 1)):
        path = make_path(before, index, 2, seed=index)
        check = assert_satisfied(
            update, inputs=assignment(index, path, before=before, after=after), engine=engine
        )
        assert check["root_before"] == twin.root_from_path(before, index, path)
        assert check["root_after"] == twin.root_from_path(after, index, path)


@pytest.mark.parametrize("index", [0, 6, 15])
def test_membership__gives_the_root(index, membership, engine):
    path = make_path(99, index, 2)
    check = assert_satisfied(membership, inputs=assignment(index, path, leaf=99), engine=engine)
    assert check["root"] == twin.root_from_path(99, index, path)


def test_rows__are_as_documented(update, membership):
    assert update.num_constraints == 4 + 2 * 579
    assert membership.num_constraints == 4 + 2 * 290


@pytest.mark.parametrize("level", [0, 1])
def test_membership__refuses_another_index_or_leaf(level, membership):
    path = make_path(99, 6, 2)
    for bit in (2 * level, 2 * level + 1):
        wrong = 6 ^ 1 << bit
        check = assert_unsatisfied(
            membership, inputs=assignment(wrong, path, leaf=99), by="the child stands at its place", only=True
        )
        assert {f.scope for f in check.failures} == {f"level {level}"}
    assert_unsatisfied(
        membership, inputs=assignment(6, path, leaf=98), by="level 0/the child stands at its place"
    )


def test_paths__of_wrong_shape_are_refused():
    cs = ConstraintSystem("shape")
    index, leaf = cs.input_bool_array("index", 3), cs.input("leaf")
    with pytest.raises(ValueError, match="a path of 2 levels needs 4 index bits, got 3"):
        merkle_membership(cs, index, leaf, lane_inputs(cs, 2))
    with pytest.raises(ValueError, match="level 0: expected 4 lanes, got 3"):
        merkle_update(cs, index[:2], leaf, leaf, [cs.input_array("short", 3)])


@pytest.mark.slow
def test_update__at_the_depth_of_the_rollup(engine):
    cs = ConstraintSystem("update")
    index = cs.input_bool_array("index", 32)
    roots = merkle_update(cs, index, cs.input("before"), cs.input("after"), lane_inputs(cs, 16))
    cs.export_array("root", roots)
    template = cs.freeze()
    assert template.num_constraints == 32 + 16 * 579
    for place in (0, 1, 4**16 - 1, 0x12345678):
        path = make_path(3, place, 16, seed=place)
        check = assert_satisfied(template, inputs=assignment(place, path, before=3, after=4), engine=engine)
        assert check["root[0]"] == twin.root_from_path(3, place, path)
        assert check["root[1]"] == twin.root_from_path(4, place, path)


# -- binary trees ----------------------------------------------------------------------------------------

# A node in the circuit, its twin, and the rows of a level.
NODES = {
    "poseidon by lanes": (POSEIDON_NODE, poseidon_twin.poseidon, 237),
    "poseidon": (NodeHash.whole("poseidon", lambda cs, *x: poseidon(cs, x)), poseidon_twin.poseidon, 240),
    "poseidon2": (
        NodeHash.whole("poseidon2", lambda cs, *x: poseidon2.compress(cs, x)),
        poseidon2_twin.compress,
        216,
    ),
    "mimc7": (NodeHash.whole("mimc7", lambda cs, *x: mimc.mimc7_hash(cs, x)), mimc_twin.mimc7_hash, 729),
    "mimc sponge": (
        NodeHash.whole("mimc sponge", lambda cs, *x: mimc.mimc_sponge(cs, x)[0]),
        lambda x: mimc_twin.mimc_sponge(x)[0],
        1318,
    ),
}


def binary_template(node, depth):
    """Membership of ``before`` and the update to ``after`` in one template."""
    cs = ConstraintSystem("binary")
    index = cs.input_bool_array("index", depth)
    before, after, root = cs.input("before"), cs.input("after"), cs.input("root")
    lanes = cs.input_array("lanes", depth)
    with cs.scope("membership"):
        cs.assert_equal(binary_membership(cs, index, before, lanes, node), root, label="the root")
    with cs.scope("update"):
        cs.export_array("roots", binary_update(cs, index, before, after, lanes, node))
    return cs.freeze()


@pytest.mark.parametrize("name", NODES)
def test_binary__gives_the_roots_at_every_index(name, engine):
    node, plain, rows = NODES[name]
    depth = 3
    template = binary_template(node, depth)
    counts = template.counts_by_scope()
    assert sum(n for scope, n in counts.items() if scope.startswith("update")) == 2 * depth * rows
    leaves = [0, MODULUS - 1, 1, 3, 4, 12345, 2, MODULUS - 2]
    root = twin.binary_root(leaves, plain)
    for index, leaf in enumerate(leaves):
        siblings = twin.binary_path(leaves, index, plain)
        given = {
            "index": [index >> k & 1 for k in range(depth)],
            "before": leaf,
            "after": 77,
            "root": root,
            "lanes": binary_lanes(index, siblings, node),
        }
        check = assert_satisfied(template, inputs=given, engine=engine)
        assert check["roots[0]"] == root == twin.binary_root_from_path(leaf, index, siblings, plain)
        assert check["roots[1]"] == twin.binary_root([*leaves[:index], 77, *leaves[index + 1 :]], plain)
        for wrong in range(8) if index < 2 else ():
            if wrong != index:
                # The path is of one index: with another one, and honest siblings, the root is another.
                lie = {
                    "index": [wrong >> k & 1 for k in range(depth)],
                    "lanes": binary_lanes(wrong, siblings, node),
                }
                assert_unsatisfied(template, inputs=given | lie, by="membership/the root", only=True)
        assert_unsatisfied(
            template, inputs=given | {"before": (leaf + 1) % MODULUS}, by="membership/the root"
        )
    assert_every_wire_bound(template, inputs=given)


def test_binary__rows_are_all_needed():
    template = binary_template(POSEIDON_NODE, 1)
    valid = [
        {
            "index": [index],
            "before": leaf,
            "after": 77,
            "root": twin.binary_root([3, 4]),
            "lanes": binary_lanes(index, [7 - leaf]),
        }
        for index, leaf in enumerate((3, 4))
    ]
    assert_every_row_needed(template, valid, explained={"index[0] is boolean": "the test's own index"})


def test_binary__shapes_are_refused_by_name():
    cs = ConstraintSystem("shape")
    index, leaf = cs.input_bool_array("index", 3), cs.input("leaf")
    with pytest.raises(ValueError, match="a binary path of 2 levels needs 2 index bits, got 3"):
        binary_membership(cs, index, leaf, cs.input_array("lanes", 2))
    with pytest.raises(ValueError, match="a binary tree has a power of two of leaves, not 3"):
        twin.binary_root([1, 2, 3])
    with pytest.raises(ValueError, match=r"leaf index: expected 0 <= index < 2\^1, got 2"):
        twin.binary_root_from_path(0, 2, [0])
    with pytest.raises(ValueError, match="leaf index: expected 0 <= index < 4, got 4"):
        twin.binary_path([1, 2, 3, 4], 4)
