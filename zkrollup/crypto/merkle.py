"""Paths of a dense 4-ary Merkle tree hashed with Poseidon of the four children.

This module must not know what a leaf holds, nor how a tree is stored.

A tree of depth n has 4^n leaves. The base-4 digits of an index, least significant digit first, are the
places of the node among its siblings from the leaf level up. A *path* lists for each level, leaf level
first, all four children of the parent, the node's own place included. Leaves are Poseidon hashes of
five inputs in the rollup and nodes of four: two different permutations, so neither passes for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from zkrollup.crypto.poseidon import poseidon

__all__ = ["ARITY", "Children", "empty_nodes", "node", "places", "root_from_path", "verify_path"]

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
