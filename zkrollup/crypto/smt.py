"""A sparse Merkle tree, circomlibjs's: keys and values are field elements, roots are equal to its roots.

This module must not know what keys and values stand for, nor of circuits.

The tree. An empty tree or subtree is 0, a leaf is ``Poseidon(key, value, 1)``, a node is
``Poseidon(left, right)``. From the root down, bit i of the canonical key, least significant first, says
which child of level i the key is under (1: the right one). A leaf stands as high as it can: where its key
is alone, so that a node is never above less than two leaves. The root is therefore a function of the map.

A node cannot pass for a leaf: they are hashes of different permutations (two inputs and three).

Reference: J. Baylina, M. Belles, "Sparse Merkle Trees", iden3; circomlibjs 0.1.7 (``smt.js``).
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.crypto.poseidon import poseidon
from zkrollup.crypto.tables import MODULUS

__all__ = ["Found", "SparseMerkleTree", "SparseWrite", "sparse_leaf", "sparse_node", "sparse_root"]

Node = tuple[int, ...]


def sparse_leaf(key: int, value: int) -> int:
    """The hash of a leaf."""
    return poseidon((key, value, 1))


def sparse_node(left: int, right: int) -> int:
    """The hash of an inner node; not of two empty children, which are empty together."""
    return poseidon((left, right))


def sparse_root(key: int, terminal: int, siblings: tuple[int, ...]) -> int:
    """The root when ``terminal`` (a leaf's hash, or 0) ends the path of ``key`` below these siblings."""
    current = terminal
    for level in reversed(range(len(siblings))):
        sibling = siblings[level]
        current = sparse_node(sibling, current) if key >> level & 1 else sparse_node(current, sibling)
    return current


@dataclass(frozen=True)
class Found:
    """Where the path of a key ends.

    ``siblings``: from the root down, as many as there are nodes above the end. When the key is not in the
    tree, ``other`` is the leaf at the end as (key, value), ``None`` if nothing is there.
    """

    key: int
    value: int | None
    siblings: tuple[int, ...]
    other: tuple[int, int] | None

    @property
    def is_empty(self) -> bool:
        """Whether the path ends in an empty place (circomlib's ``isOld0``)."""
        return self.value is None and self.other is None


@dataclass(frozen=True)
class SparseWrite:
    """An insertion, update or deletion, with what circomlib's SMTProcessor takes under its names.

    ``siblings`` are those of the smaller tree, as in circomlibjs; ``old_key``, ``old_value`` the leaf that
    ends the path there (0, 0 where ``is_old0``). ``fnc``: (1, 0) insert, (0, 1) update, (1, 1) delete.
    """

    fnc: tuple[int, int]
    root_before: int
    root_after: int
    siblings: tuple[int, ...]
    old_key: int
    old_value: int
    is_old0: bool
    key: int
    value: int


class SparseMerkleTree:
    """A whole tree in memory.

    ``find``, ``insert``, ``update`` and ``delete`` raise ``ValueError`` for a key or value outside
    0 <= x < r, and ``KeyError`` when the key is there (insert) or is not (update, delete).
    """

    def __init__(self) -> None:
        self.root = 0
        self._nodes: dict[int, Node] = {}
        self._values: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: int) -> bool:
        return key in self._values

    def __getitem__(self, key: int) -> int:
        return self._values[key]

    def find(self, key: int) -> Found:
        """The value of a key, or what ends its path, with the siblings above."""
        _check("key", key)
        siblings: list[int] = []
        current = self.root
        while current:
            node = self._nodes[current]
            if len(node) == 3:
                if node[0] == key:
                    return Found(key, node[1], tuple(siblings), None)
                return Found(key, None, tuple(siblings), (node[0], node[1]))
            bit = key >> len(siblings) & 1
            siblings.append(node[1 - bit])
            current = node[bit]
        return Found(key, None, tuple(siblings), None)

    def insert(self, key: int, value: int) -> SparseWrite:
        _check("value", value)
        found = self.find(key)
        if found.value is not None:
            raise KeyError(f"insert: key {key} is in the tree; update it")
        siblings = found.siblings
        before = self.root
        if found.other is not None:
            # Both keys go down to the first bit in which they differ.
            depth = len(siblings)
            differ = key ^ found.other[0]
            below = (differ & -differ).bit_length() - 1
            siblings += (0,) * (below - depth) + (sparse_leaf(*found.other),)
        self._values[key] = value
        self.root = self._write(key, self._leaf(key, value), siblings)
        old_key, old_value = found.other or (0, 0)
        return SparseWrite(
            (1, 0), before, self.root, found.siblings, old_key, old_value, found.is_empty, key, value
        )

    def update(self, key: int, value: int) -> SparseWrite:
        _check("value", value)
        found = self.find(key)
        if found.value is None:
            raise KeyError(f"update: key {key} is not in the tree; insert it")
        before = self.root
        self._values[key] = value
        self.root = self._write(key, self._leaf(key, value), found.siblings)
        return SparseWrite((0, 1), before, self.root, found.siblings, key, found.value, False, key, value)

    def delete(self, key: int) -> SparseWrite:
        found = self.find(key)
        if found.value is None:
            raise KeyError(f"delete: key {key} is not in the tree")
        before, siblings = self.root, found.siblings
        other = self._nodes[siblings[-1]] if siblings else ()
        terminal = 0
        if len(other) == 3:
            # The sibling is a leaf: it rises to where it is alone.
            terminal = siblings[-1]
            siblings = siblings[:-1]
            while siblings and siblings[-1] == 0:
                siblings = siblings[:-1]
        del self._values[key]
        self.root = self._write(key, terminal, siblings)
        old_key, old_value = other[:2] if terminal else (0, 0)
        return SparseWrite(
            (1, 1), before, self.root, siblings, old_key, old_value, terminal == 0, key, found.value
        )

    def _leaf(self, key: int, value: int) -> int:
        leaf = sparse_leaf(key, value)
        self._nodes[leaf] = (key, value, 1)
        return leaf

    def _write(self, key: int, terminal: int, siblings: tuple[int, ...]) -> int:
        current = terminal
        for level in reversed(range(len(siblings))):
            sibling = siblings[level]
            children = (sibling, current) if key >> level & 1 else (current, sibling)
            current = sparse_node(*children)
            self._nodes[current] = children
        return current


def _check(name: str, value: int) -> None:
    if not 0 <= value < MODULUS:
        raise ValueError(f"{name}: expected 0 <= {name} < r, got {value}")
