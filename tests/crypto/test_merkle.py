"""Merkle paths against a tree hashed level by level."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import merkle
from zkrollup.crypto.poseidon import poseidon_reference

DEPTH = 3


def levels_of(leaves):
    """All levels of the tree, the leaves first, by the definition."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([poseidon_reference(below[i : i + 4]) for i in range(0, len(below), 4)])
    return levels


def path_of(levels, index):
    return [tuple(level[(i := index >> 2 * k & ~3) : i + 4]) for k, level in enumerate(levels[:-1])]


@pytest.fixture(scope="module")
def levels():
    return levels_of(range(1000, 1000 + 4**DEPTH))


@pytest.mark.parametrize("index", [0, 1, 3, 4, 27, 63])
def test_path__leads_every_leaf_to_the_root(levels, index):
    path = path_of(levels, index)
    assert merkle.root_from_path(1000 + index, index, path) == levels[-1][0]
    assert merkle.verify_path(levels[-1][0], 1000 + index, index, path)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 63), st.integers(0, 63), st.integers(0, 2), st.integers(0, 3))
def test_verify_path__refuses_another_index_leaf_root_or_sibling(levels, index, other, level, place):
    path, root = path_of(levels, index), levels[-1][0]
    if other != index:
        assert not merkle.verify_path(root, 1000 + index, other, path)
    assert not merkle.verify_path(root, 1001 + index, index, path)
    assert not merkle.verify_path(root + 1, 1000 + index, index, path)
    changed = list(path)
    changed[level] = tuple(child + (i == place) for i, child in enumerate(path[level]))
    assert not merkle.verify_path(root, 1000 + index, index, changed)


def test_root_from_path__gives_the_root_after_a_change(levels):
    leaves = list(levels[0])
    leaves[27] = 5
    assert merkle.root_from_path(5, 27, path_of(levels, 27)) == levels_of(leaves)[-1][0]


def test_empty_nodes__are_those_of_a_tree_of_equal_leaves():
    assert [level[0] for level in levels_of([9] * 16)] == list(merkle.empty_nodes(2, 9))


@pytest.mark.parametrize("index", [-1, 4**DEPTH])
def test_index__must_lie_in_the_tree(levels, index):
    with pytest.raises(ValueError, match=r"leaf index: expected 0 <= index < 4\^3"):
        merkle.verify_path(levels[-1][0], 1000, index, path_of(levels, 0))


def test_node__takes_four_children():
    with pytest.raises(ValueError, match="expected 4 children, got 3"):
        merkle.node([1, 2, 3])
