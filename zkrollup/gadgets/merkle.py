"""Dense Merkle trees in a circuit, 4-ary and binary: membership of a leaf, and its replacement.

This module must not know what a leaf holds.

Siblings as lanes. A node is Poseidon of its four children, and the permutation begins with
x -> (x + c_k)^5 on each. That is a bijection of the field, and nothing else in the circuit looks at a
sibling, so siblings enter as free inputs *after* it: ``lanes[level][k] = (child_k + c_k)^5``, three
rows saved for each. The child on the path passes through its S-box in the circuit, with the constant
of its place, and must equal the lane of that place.

One set of siblings (C9). The hash before and the hash after read the same four lanes; the one after
adds, at the place on the path and nowhere else, the difference of the two S-boxes. No witness can
therefore change a sibling on the way.

Leaves and nodes (C9). The depth is a constant of the circuit: each path has exactly that many levels,
so a node can only be taken for a leaf if a leaf hash equals a node hash, which are (in the rollup)
hashes of different permutations. The index is given by its bits, two a level, which name the place
among the children: a path proves the leaf at that index and at no other.

Binary trees. The same with one sibling and one bit a level, for any hash of two fields
(:class:`NodeHash`); Poseidon's siblings enter as lanes, those of a hash given as a function as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.poseidon import fifth_power, first_constants, first_sbox, poseidon_from_first_sbox
from zkrollup.gadgets.select import conditional_swap, mux4

__all__ = [
    "ARITY",
    "POSEIDON_NODE",
    "NodeHash",
    "binary_lanes",
    "binary_membership",
    "binary_update",
    "merkle_lanes",
    "merkle_membership",
    "merkle_update",
]

ARITY = 4


def merkle_lanes(path: Sequence[Sequence[int]]) -> list[list[int]]:
    """In plain integers: the lanes of a path: four children at each level, leaf level first."""
    return [[first_sbox(ARITY, k, child) for k, child in enumerate(children)] for children in path]


def merkle_membership(
    cs: ConstraintSystem, index_bits: Sequence[Bool], leaf: Field, lanes: Sequence[Sequence[Field]]
) -> Field:
    """The root of the tree in which ``leaf`` stands at the index.

    Theorem: there are siblings such that the path from ``leaf`` at the index with these bits (least
    significant first, two a level, leaf level first) leads to the result. Ranges: ``len(lanes)`` levels
    of four lanes, any field elements. Assumes: nothing. Rows: 290 a level.
    """
    _check_shape(index_bits, lanes)
    current = leaf
    for level, lane in enumerate(lanes):
        with cs.scope(f"level {level}"):
            low, high = index_bits[2 * level], index_bits[2 * level + 1]
            _place(cs, low, high, current, lane)
            current = poseidon_from_first_sbox(cs, lane)
    return current


def merkle_update(
    cs: ConstraintSystem,
    index_bits: Sequence[Bool],
    leaf_before: Field,
    leaf_after: Field,
    lanes: Sequence[Sequence[Field]],
) -> tuple[Field, Field]:
    """The roots of a tree before and after the leaf at the index was replaced.

    Theorem: there are siblings such that the path from ``leaf_before`` leads to the first result and,
    with the same siblings, the path from ``leaf_after`` to the second. Ranges and order of bits as
    :func:`merkle_membership`. Assumes: nothing. Rows: 579 a level: 7 to place the child (its constant,
    its S-box, the multiplexer), 3 for the new child's S-box, 3 to place the difference, 283 for each hash.
    """
    _check_shape(index_bits, lanes)
    before, after = leaf_before, leaf_after
    for level, lane in enumerate(lanes):
        with cs.scope(f"level {level}"):
            low, high = index_bits[2 * level], index_bits[2 * level + 1]
            boxed_before, constant = _place(cs, low, high, before, lane)
            change = fifth_power(after + constant) - boxed_before
            # change times one-hot(low + 2 high): three products, as many as the four must add up to it.
            in_upper = high * change
            at_3 = low * in_upper
            at_1 = low * (change - in_upper)
            moved = [change - in_upper - at_1, at_1, in_upper - at_3, at_3]
            before = poseidon_from_first_sbox(cs, lane)
            after = poseidon_from_first_sbox(cs, [y + d for y, d in zip(lane, moved, strict=True)])
    return before, after


# -- binary trees ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NodeHash:
    """How a binary tree hashes two children, in two parts: what befalls each child alone, and the rest.

    ``enter(cs, child, is_right)``: a bijection of the field for each side; ``combine(cs, left, right)``:
    the hash of two children that have entered; ``lane(sibling, is_right)``: ``enter`` in plain integers,
    for the siblings, which enter outside the circuit. A hash that cannot be parted: :meth:`whole`.
    """

    name: str
    enter: Callable[[ConstraintSystem, Field, Bool], Field]
    combine: Callable[[ConstraintSystem, Field, Field], Field]
    lane: Callable[[int, bool], int]

    @staticmethod
    def whole(name: str, combine: Callable[[ConstraintSystem, Field, Field], Field]) -> NodeHash:
        """A hash of two fields as it is; its lanes are the siblings."""
        return NodeHash(name, lambda cs, child, is_right: child, combine, lambda sibling, is_right: sibling)


def _poseidon_enter(cs: ConstraintSystem, child: Field, is_right: Bool) -> Field:
    left, right = first_constants(2)
    return fifth_power(cs.linear([(child, 1), (is_right, right - left)], left))


POSEIDON_NODE = NodeHash(
    "poseidon",
    _poseidon_enter,
    lambda cs, left, right: poseidon_from_first_sbox(cs, [left, right]),
    lambda sibling, is_right: first_sbox(2, int(is_right), sibling),
)
"""Poseidon of two inputs: 236 rows a node, 3 of them for the child's S-box."""


def binary_lanes(index: int, siblings: Sequence[int], node: NodeHash = POSEIDON_NODE) -> list[int]:
    """In plain integers: the lanes of a path, one sibling a level, leaf level first."""
    # The sibling of a right child is a left one.
    return [node.lane(sibling, not index >> level & 1) for level, sibling in enumerate(siblings)]


def binary_membership(
    cs: ConstraintSystem,
    index_bits: Sequence[Bool],
    leaf: Field,
    lanes: Sequence[Field],
    node: NodeHash = POSEIDON_NODE,
) -> Field:
    """The root of the binary tree in which ``leaf`` stands at the index.

    Theorem: there are siblings such that the path from ``leaf`` at the index with these bits (one a level,
    leaf level first) leads to the result. Ranges: ``len(lanes)`` levels, any field elements. Assumes:
    nothing of the leaf; of ``node``, that it is a hash. Rows: 237 a level with Poseidon, 1 and the hash's
    with another.
    """
    _check_bits(index_bits, lanes)
    current = leaf
    for level, (bit, lane) in enumerate(zip(index_bits, lanes, strict=True)):
        with cs.scope(f"level {level}"):
            current = _binary_node(cs, bit, current, lane, node)
    return current


def binary_update(
    cs: ConstraintSystem,
    index_bits: Sequence[Bool],
    leaf_before: Field,
    leaf_after: Field,
    lanes: Sequence[Field],
    node: NodeHash = POSEIDON_NODE,
) -> tuple[Field, Field]:
    """The roots of a binary tree before and after the leaf at the index was replaced.

    Theorem: there are siblings such that the path from ``leaf_before`` leads to the first result and,
    with the same siblings, which are the same wires, the path from ``leaf_after`` to the second. Ranges,
    order of bits and ``Assumes:`` as :func:`binary_membership`. Rows: twice those of it.
    """
    _check_bits(index_bits, lanes)
    before, after = leaf_before, leaf_after
    for level, (bit, lane) in enumerate(zip(index_bits, lanes, strict=True)):
        with cs.scope(f"level {level}"):
            before = _binary_node(cs, bit, before, lane, node)
            after = _binary_node(cs, bit, after, lane, node)
    return before, after


def _binary_node(cs: ConstraintSystem, is_right: Bool, child: Field, lane: Field, node: NodeHash) -> Field:
    return node.combine(cs, *conditional_swap(cs, is_right, node.enter(cs, child, is_right), lane))


def _check_bits(index_bits: Sequence[Bool], lanes: Sequence[Field]) -> None:
    if len(index_bits) != len(lanes):
        raise ValueError(
            f"a binary path of {len(lanes)} levels needs {len(lanes)} index bits, got {len(index_bits)}"
        )


# -- parts -----------------------------------------------------------------------------------------------


def _place(
    cs: ConstraintSystem, low: Bool, high: Bool, child: Field, lane: Sequence[Field]
) -> tuple[Field, Field]:
    """Demand that the lane at the child's place is its S-box. Returns that S-box and the place's constant."""
    c = first_constants(ARITY)
    # The constant of the place, by bits: one row for their product.
    constant = cs.linear(
        [(low, c[1] - c[0]), (high, c[2] - c[0]), (low & high, c[3] - c[2] - c[1] + c[0])], c[0]
    )
    # Made a wire first, so that the assertion takes over the multiplexer's last product.
    boxed = cs.materialise(fifth_power(child + constant))
    cs.assert_equal(mux4(cs, low, high, lane), boxed, label="the child stands at its place")
    return boxed, constant


def _check_shape(index_bits: Sequence[Bool], lanes: Sequence[Sequence[Field]]) -> None:
    if len(index_bits) != 2 * len(lanes):
        raise ValueError(
            f"a path of {len(lanes)} levels needs {2 * len(lanes)} index bits, got {len(index_bits)}"
        )
    for level, lane in enumerate(lanes):
        if len(lane) != ARITY:
            raise ValueError(f"level {level}: expected {ARITY} lanes, got {len(lane)}")
