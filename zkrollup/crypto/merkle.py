"""Paths of dense Merkle trees: 4-ary, hashed with Poseidon of the four children, and binary with any hash.

This module must not know what a leaf holds, nor how a tree is stored.

A tree of depth n has 4^n leaves. The base-4 digits of an index, least significant digit first, are the
places of the node among its siblings from the leaf level up. A *path* lists for each level, leaf level
first, all four children of the parent, the node's own place included. Leaves are Poseidon hashes of
five inputs in the rollup and nodes of four: two different permutations, so neither passes for the other.

A binary tree's node is a hash of two, Poseidon when nothing else is given; the bits of an index, least
significant first, are the places from the leaf level up, and a path lists one sibling a level. What its
leaves are is the caller's: where they are hashes of two as well, only the fixed depth keeps a node from
passing for a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from zkrollup.crypto.poseidon import poseidon

__all__ = [
    "ARITY",
    "Children",
    "binary_path",
    "binary_root",
    "binary_root_from_path",
    "empty_nodes",
    "node",
    "places",
    "root_from_path",
    "verify_path",
]

ARITY = 4

Children = tuple[int, int, int, int]


def node(children: Sequence[int]) -> int:
    """The hash of four canonical children."""
    if len(children) != ARITY:
        raise ValueError(f"node: expected {ARITY} children, got {len(children)}")
    return poseidon(children)


def places(index: int, depth: int) -> list[int]:
    """The base-4 digits of ``index``, leaf level first; ``ValueError`` unless 0 <= index < 4^depth."""
    if not 0 <= index < ARITY**depth:
        raise ValueError(f"leaf index: expected 0 <= index < 4^{depth}, got {index}")
    return [index >> 2 * level & 3 for level in range(depth)]


@cache
def empty_nodes(depth: int, leaf: int) -> tuple[int, ...]:
    """The nodes of a tree all of whose leaves are ``leaf``: level 0 (the leaf) to ``depth`` (the root)."""
    levels = [leaf]
    for _ in range(depth):
        levels.append(node([levels[-1]] * ARITY))
    return tuple(levels)


def root_from_path(leaf: int, index: int, path: Sequence[Children]) -> int:
    """The root when ``leaf`` stands at ``index`` and the siblings are those of ``path``.

    What ``path`` says of the leaf's own place is not read, so the same path gives the root before a
    change and the root after it.
    """
    current = leaf
    for place, children in zip(places(index, len(path)), path, strict=True):
        current = node((*children[:place], current, *children[place + 1 :]))
    return current


def verify_path(root: int, leaf: int, index: int, path: Sequence[Children]) -> bool:
    """Whether ``leaf`` stands at ``index`` under ``root``, and ``path`` says so at every level."""
    current = leaf
    for place, children in zip(places(index, len(path)), path, strict=True):
        if children[place] != current:
            return False
        current = node(children)
    return current == root


Hash = Callable[[Sequence[int]], int]


def binary_root_from_path(leaf: int, index: int, siblings: Sequence[int], node: Hash = poseidon) -> int:
    """The root of a binary tree when ``leaf`` stands at ``index`` beside these siblings, leaf level first."""
    if not 0 <= index < 1 << len(siblings):
        raise ValueError(f"leaf index: expected 0 <= index < 2^{len(siblings)}, got {index}")
    current = leaf
    for level, sibling in enumerate(siblings):
        current = node((sibling, current) if index >> level & 1 else (current, sibling))
    return current


def binary_root(leaves: Sequence[int], node: Hash = poseidon) -> int:
    """The root over a power of two of leaves."""
    return _binary_levels(leaves, node)[-1][0]


def binary_path(leaves: Sequence[int], index: int, node: Hash = poseidon) -> list[int]:
    """The siblings of the leaf at ``index``, leaf level first."""
    levels = _binary_levels(leaves, node)
    if not 0 <= index < len(leaves):
        raise ValueError(f"leaf index: expected 0 <= index < {len(leaves)}, got {index}")
    return [nodes[index >> level ^ 1] for level, nodes in enumerate(levels[:-1])]


def _binary_levels(leaves: Sequence[int], node: Hash) -> list[list[int]]:
    if not leaves or len(leaves) & len(leaves) - 1:
        raise ValueError(f"a binary tree has a power of two of leaves, not {len(leaves)}")
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node(below[i : i + 2]) for i in range(0, len(below), 2)])
    return levels
