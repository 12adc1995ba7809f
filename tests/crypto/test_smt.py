"""The sparse Merkle tree's twin, step by step as circomlibjs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.smt import SparseMerkleTree, sparse_leaf, sparse_root
from zkrollup.crypto.tables import MODULUS

VECTORS = Path(__file__).parents[1] / "vectors/smt/operations.json"
HISTORIES = {h["name"]: h["steps"] for h in json.loads(VECTORS.read_text())}


@pytest.mark.parametrize("name", HISTORIES)
def test_tree__answers_as_circomlibjs(name):
    tree = SparseMerkleTree()
    for step in HISTORIES[name]:
        key = int(step["key"])
        siblings = tuple(map(int, step["siblings"]))
        if step["op"] == "find":
            found = tree.find(key)
            assert (found.value is not None) == step["found"]
            if step["found"]:
                assert found.value == int(step["foundValue"])
            elif step["isOld0"]:
                assert found.is_empty
            else:
                assert found.other == (int(step["notFoundKey"]), int(step["notFoundValue"]))
            assert found.siblings == siblings
        else:
            before = tree.root
            write = getattr(tree, step["op"])(key, *([int(step["value"])] if "value" in step else []))
            assert (write.root_before, write.root_after) == (before, tree.root)
            assert write.siblings == siblings
            if "isOld0" in step:
                assert write.is_old0 == step["isOld0"]
                if not write.is_old0:
                    assert (write.old_key, write.old_value) == (int(step["oldKey"]), int(step["oldValue"]))
        assert tree.root == int(step["root"])


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 3)), max_size=24), st.randoms())
def test_root__is_a_function_of_the_map(steps, rng):
    """Keys that share long prefixes; any history with the same result has the same root."""
    tree, plain = SparseMerkleTree(), {}
    for key, value in steps:
        if key not in plain:
            tree.insert(key << 4, value)
            plain[key] = value
        elif value:
            tree.update(key << 4, value)
            plain[key] = value
        else:
            tree.delete(key << 4)
            del plain[key]
        assert len(tree) == len(plain)
    other, keys = SparseMerkleTree(), list(plain)
    rng.shuffle(keys)
    for key in keys:
        other.insert(key << 4, plain[key])
        found = other.find(key << 4)
        assert sparse_root(key << 4, sparse_leaf(key << 4, plain[key]), found.siblings) == other.root
    assert other.root == tree.root
    assert (tree.root == 0) == (not plain)


def test_tree__names_what_is_wrong():
    tree = SparseMerkleTree()
    tree.insert(5, 6)
    assert 5 in tree
    assert tree[5] == 6
    assert 6 not in tree
    with pytest.raises(KeyError, match="insert: key 5 is in the tree; update it"):
        tree.insert(5, 7)
    with pytest.raises(KeyError, match="update: key 6 is not in the tree; insert it"):
        tree.update(6, 7)
    with pytest.raises(KeyError, match="delete: key 6 is not in the tree"):
        tree.delete(6)
    with pytest.raises(ValueError, match="key: expected 0 <= key < r, got -1"):
        tree.find(-1)
    with pytest.raises(ValueError, match="value: expected 0 <= value < r"):
        tree.insert(1, MODULUS)
