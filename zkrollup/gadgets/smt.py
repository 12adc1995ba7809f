"""Sparse Merkle trees in a circuit, circomlibjs's: inclusion, exclusion, insertion, update, deletion.

This module must not know what keys and values stand for. The tree is that of ``crypto.smt``; inputs are
those of circomlib's SMTVerifier and SMTProcessor, but for siblings, which enter as lanes.

What a root means. A root stands for a map when the tree under it is *placed*: every leaf stands on the
path that the bits of its key name, so that a key has one path and the path one end: empty, its own leaf, or
another key's. No one can show two ends under one root (Poseidon is collision resistant, nodes and
leaves are hashes of different permutations, and no input with hash 0 is known). The theorems below say
"in a placed tree", and every write leaves the tree placed if it was.

Siblings as lanes, as in :mod:`zkrollup.gadgets.merkle`: a node's hash begins with x -> (x + c)^5 on each
child, a bijection that depends on the child's side; siblings enter after it (:func:`sparse_lanes`), which
saves three rows a hash and lets the hash before and the hash after read the same wire. A sibling is 0
exactly where its lane is c^5.

What circomlib has and this has not, and why it is sound.

- The end of the path is a unary depth ``u`` (1 for the levels above the end), a hint, one row a level:
  ``u[i] (u[i-1] - u[i]) = 0`` makes it a bit and keeps it falling. circomlib derives the level from an
  is-zero of each sibling and drives a state machine of five or six states. For inclusion and exclusion
  nothing need tie the depth to the siblings: in a placed tree only the true depth meets the root.
- One leaf is hashed where SMTVerifier hashes two, chosen before and not after; the constant 1 in a
  leaf's hash costs nothing.
- The bits of the *other* key are not needed to exclude a key: the tree is placed. (To insert beside it
  they are, since where both part must be shown.)
- The key's bits are canonical, as Num2Bits_strict's: otherwise x + r would be another path for x.
  Beside the 254 bits 31 rows, not 255. A ``UInt`` of at most 253 bits needs no such rows.

Every level is of use: a path may be as deep as ``len(lanes)``, one more than circomlib's of as many levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import Bool, ConstraintSystem, Field, UInt
from zkrollup.gadgets.bits import range_check, to_bits, to_bits_strict
from zkrollup.gadgets.poseidon import (
    fifth_power,
    first_constants,
    first_sbox,
    poseidon,
    poseidon_from_first_sbox,
)
from zkrollup.gadgets.select import conditional_swap, select

__all__ = [
    "SparseChange",
    "sparse_exclusion",
    "sparse_inclusion",
    "sparse_lanes",
    "sparse_process",
    "sparse_update",
    "sparse_verify",
    "sparse_write",
]

_KEY_BITS = 254
_NODE_INPUTS = 2


@dataclass(frozen=True)
class SparseChange:
    """The roots before and after a write."""

    before: Field
    after: Field


def sparse_lanes(key: int, siblings: Sequence[int], levels: int) -> list[int]:
    """In plain integers: the lanes of a path from the root down, empty siblings added to ``levels``."""
    if len(siblings) > levels:
        raise ValueError(f"a path of {len(siblings)} siblings does not fit {levels} levels")
    padded = [*siblings, *[0] * (levels - len(siblings))]
    # The sibling of a right child (bit 1) is the left one: lane 0.
    return [first_sbox(_NODE_INPUTS, 1 - (key >> i & 1), sibling) for i, sibling in enumerate(padded)]


# -- reading ---------------------------------------------------------------------------------------------


def sparse_inclusion(cs: ConstraintSystem, key: Field, value: Field, lanes: Sequence[Field]) -> Field:
    """The root of a tree in which ``key`` has this value.

    Theorem: if the result is the root of a placed tree, then the tree maps ``key`` to ``value``, at a
    depth of at most ``len(lanes)``. Ranges: 1 to 254 lanes, from the root down, any field elements (those
    below the end of the path are not looked at). Assumes: the caller compares the result with the root of
    a placed tree. Rows: 541 + 239 a level: 285 for the key's bits (none for a ``UInt`` whose bits are
    known), 256 for the leaf. A level: 3 for the S-box
    of the child, 1 to place it, 233 for the hash, 1 for the depth, 1 to choose.
    """
    bits = _key_bits(cs, key, len(lanes))
    return _climb(cs, bits, _leaf(cs, key, value), lanes)


def sparse_exclusion(
    cs: ConstraintSystem,
    key: Field,
    other_key: Field,
    other_value: Field,
    is_empty: Bool,
    lanes: Sequence[Field],
) -> Field:
    """The root of a tree in which ``key`` is not.

    Theorem: if the result is the root of a placed tree, then the tree does not have ``key``: its path
    ends in an empty place (``is_empty``), or at the leaf of ``other_key``, another key. Ranges and
    ``Assumes:`` as :func:`sparse_inclusion`. Rows: 543 + 239 a level. Free: where ``is_empty``, the other
    leaf, of which nothing is demanded, and, when its key equals ``key``, the hinted quotient.
    """
    bits = _key_bits(cs, key, len(lanes))
    occupied = ~is_empty
    _assert_different_if(cs, occupied, other_key, key)
    return _climb(cs, bits, occupied * _leaf(cs, other_key, other_value), lanes)


def sparse_verify(
    cs: ConstraintSystem,
    is_exclusion: Bool,
    key: Field,
    value: Field,
    other_key: Field,
    other_value: Field,
    is_empty: Bool,
    lanes: Sequence[Field],
) -> Field:
    """Inclusion, or exclusion where the flag is 1: circomlib's SMTVerifier (``fnc``, ``isOld0``).

    Theorem, ranges, ``Assumes:`` and what is free: those of :func:`sparse_inclusion` where the flag is
    0, of :func:`sparse_exclusion` where it is 1. circomlib's ``enabled`` is ``cs.when(enabled)`` around
    the caller's comparison of the result with the root. Rows: 546 + 239 a level.
    """
    bits = _key_bits(cs, key, len(lanes))
    empty = is_exclusion & is_empty
    _assert_different_if(cs, Bool.unchecked(is_exclusion - empty), other_key, key)
    leaf = _leaf(cs, select(cs, is_exclusion, other_key, key), select(cs, is_exclusion, other_value, value))
    return _climb(cs, bits, ~empty * leaf, lanes)


# -- writing ---------------------------------------------------------------------------------------------


def sparse_update(
    cs: ConstraintSystem, key: Field, value_before: Field, value_after: Field, lanes: Sequence[Field]
) -> SparseChange:
    """The roots of a tree before and after the value of a key was replaced.

    Theorem: if ``before`` is the root of a placed tree, then it maps ``key`` to ``value_before``, and
    ``after`` is the root of a placed tree with the same map but for ``key``, at ``value_after``. Ranges
    and ``Assumes:`` as :func:`sparse_inclusion`. Rows: 797 + 477 a level.
    """
    bits = _key_bits(cs, key, len(lanes))
    depth = _unary(cs, _depth_hints(cs, bits, lanes), "the depth falls once")
    before, after = _leaf(cs, key, value_before), _leaf(cs, key, value_after)
    pairs = [(lane, lane) for lane in lanes]
    return _climb_twice(cs, bits, (depth, depth), (before, after), pairs)


def sparse_write(
    cs: ConstraintSystem,
    is_insert: Bool,
    key: Field,
    value: Field,
    old_key: Field,
    old_value: Field,
    is_old0: Bool,
    lanes: Sequence[Field],
) -> SparseChange:
    """The roots of the tree without a key (``before``) and with it (``after``); a deletion is this backwards.

    Theorem. Where the flag is 1: if one of the roots is that of a placed tree, so is the other, the maps
    are the same but for ``key``, which ``before`` has not and ``after`` maps to ``value``; the path of
    ``key`` in the tree ``before`` ends below the last sibling that is not 0, in an empty place
    (``is_old0``) or at the leaf of ``old_key``. Where it is 0 an update: if ``before`` is the root of a
    placed tree, it maps ``old_key`` to ``old_value``, ``old_key = key``, and ``after`` maps it to
    ``value``. Ranges: 1 to 252 lanes (``ValueError`` otherwise), those of the tree ``before``; below the
    end of the path the lanes of empty siblings. Assumes: as :func:`sparse_inclusion`, for ``before`` when
    inserting, for ``after`` when deleting. Free: where ``is_old0`` of an insertion, the leaf of ``old_key``
    but that both keys are below r; in an empty path the hinted inverse of its last sibling.

    Not stated, as in circomlib: in a deletion with ``is_old0``, that the sibling left alone is a node. If
    it is a leaf it should have risen; a prover who leaves it where it is makes a root of the right map that
    is not the one of ``crypto.smt``. Where roots must be unique, let the leaves' hashes be public.

    Rows: 1094 and the bits of ``len(lanes)``, + 482 a level: 2 for the two depths, 1 to compare the keys,
    3 for siblings (they are 0 below the depth, the last above is not, the other leaf joins them where the
    keys part), 8 for S-boxes and places, 466 for the hashes, 2 to choose.
    """
    levels = len(lanes)
    if levels > 252:
        raise ValueError(f"a write of {levels} levels: expected 1 to 252, or sums of bits would wrap")
    bits = _key_bits(cs, key, levels)
    old_bits = _key_bits(cs, old_key, levels)
    empty = is_insert & is_old0
    push = Bool.unchecked(is_insert - empty)
    with cs.when(~is_insert):
        cs.assert_equal(old_key, key, label="an update keeps the key")
    old_leaf = cs.materialise(_leaf(cs, old_key, old_value))

    # A. The depths: ``upper`` of the end of the path before, ``lower`` after. Where the other leaf is
    # pushed down, ``lower`` ends below the first bit in which the keys differ.
    upper_hints = _depth_hints(cs, bits, lanes)
    lower_hints: list[Field] = []
    agree: Field = cs.constant(1)
    for bit, old_bit, u in zip(bits, old_bits, upper_hints, strict=True):
        lower_hints.append(u + cs.scratch_product(push, agree - u))
        same = cs.scratch_is_zero(bit - old_bit)
        agree = cs.scratch_product(agree, same)
    upper = _unary(cs, upper_hints, "the depth before falls once")
    lower = _unary(cs, lower_hints, "the depth after falls once")
    pushed = cs.sum(lower) - cs.sum(upper)
    with cs.scope("depths"):
        cs.assert_zero(~push * pushed, label="the depth changes only for another leaf")
        # 0 without another leaf, at least 1 with it; both depths are at most ``levels``.
        range_check(cs, pushed - push, levels.bit_length())

    # B. Where the keys part. ``sum (old - new) 2^i`` over the bits above ``lower`` is +-2^i of its last
    # level: in powers of two no lower digit from {-1, 0, 1} can be other than 0, and no sum reaches r.
    last = [a - b for a, b in zip(lower, [*lower[1:], cs.constant(0)], strict=True)]
    difference = cs.linear(
        [(u * (o - b), 1 << i) for i, (u, o, b) in enumerate(zip(lower, old_bits, bits, strict=True))]
    )
    with cs.scope("keys part"):
        weight = cs.linear([(t, 1 << i) for i, t in enumerate(last)])
        # The key's own bit there, 0 where nothing is pushed: a bit at most ``push``.
        side = cs.hint_value(
            cs.scratch_product(
                push, cs.sum(cs.scratch_product(t, bit) for t, bit in zip(last, bits, strict=True))
            )
        )
        cs.enforce(side, push - side, 0, label="the side is a bit")
        cs.assert_zero(push * (difference - (1 - 2 * side) * weight), label="the keys part at the last level")

    # C. The siblings: empty below the end of the path, not empty just above; at the last level of the
    # path after, the other leaf, in its lane: what it adds to the lane of an empty sibling.
    c_left, c_right = first_constants(_NODE_INPUTS)
    constant = cs.linear([(side, c_left - c_right)], c_right)  # of the sibling's side
    empty_at_side = cs.linear(
        [(side, pow(c_left, 5, MODULUS) - pow(c_right, 5, MODULUS))], pow(c_right, 5, MODULUS)
    )
    change = cs.materialise(push * (fifth_power(old_leaf + constant) - empty_at_side))
    pairs = []
    above: list[Field] = []
    for level, lane in enumerate(lanes):
        with cs.scope(f"level {level}"):
            box = _boxed_sibling(cs, bits[level], lane)
            cs.assert_zero((1 - upper[level]) * box, label="siblings below the path's end are empty")
            below = upper[level + 1] if level + 1 < levels else cs.constant(0)
            above.append((upper[level] - below) * box)
            pairs.append((lane, cs.materialise(lane + last[level] * change)))
    with cs.scope("depths"):
        last_sibling = cs.materialise(cs.sum(above))
        inverse = cs.hint_divide_or_zero(upper[0], last_sibling)
        cs.assert_equal(last_sibling * inverse, upper[0], label="the last sibling is not empty")

    ends = (cs.materialise(~empty * old_leaf), cs.materialise(_leaf(cs, key, value)))
    return _climb_twice(cs, bits, (upper, lower), ends, pairs)


def sparse_process(
    cs: ConstraintSystem,
    fnc: tuple[Bool, Bool],
    root_before: Field,
    key: Field,
    value: Field,
    old_key: Field,
    old_value: Field,
    is_old0: Bool,
    lanes: Sequence[Field],
) -> Field:
    """The root after a write, chosen by ``fnc`` as circomlib's SMTProcessor: (1, 0) insert, (0, 1)
    update, (1, 1) delete, (0, 0) nothing.

    Theorem: if ``root_before`` is the root of a placed tree, so is the result, and its map is the one
    before with ``key`` inserted (it was not there), updated (it was, with ``old_value``, and ``old_key`` is
    ``key``) or deleted (it was, with ``value``). Where nothing is done the root is kept, whatever the other
    inputs but that ``old_key = key``. Ranges, ``Assumes:``, what is free and what is not stated as
    :func:`sparse_write`, where ``lanes`` are of the tree without the key.
    Rows: 4 more than :func:`sparse_write`.
    """
    both = fnc[0] & fnc[1]
    change = sparse_write(cs, fnc[0], key, value, old_key, old_value, is_old0, lanes)
    swapped = both * (change.after - change.before)
    enabled = Bool.unchecked(cs.linear([(fnc[0], 1), (fnc[1], 1), (both, -1)]))
    with cs.when(enabled):
        cs.assert_equal(change.before + swapped, root_before, label="the root before")
    return root_before + enabled * (change.after - swapped - root_before)


# -- parts -----------------------------------------------------------------------------------------------


def _leaf(cs: ConstraintSystem, key: Field, value: Field) -> Field:
    return poseidon(cs, [key, value, cs.constant(1)])


def _key_bits(cs: ConstraintSystem, key: Field, levels: int) -> list[Bool]:
    """The lowest bits of the canonical key, one a level."""
    if not 1 <= levels <= _KEY_BITS:
        raise ValueError(f"a sparse tree of {levels} levels: expected 1 to {_KEY_BITS}, the bits of a key")
    if isinstance(key, UInt):
        bits = to_bits(cs, key, key.num_bits)
        return [*bits, *[cs.constant_bool(False)] * max(0, levels - len(bits))][:levels]
    return to_bits_strict(cs, key)[:levels]


def _assert_different_if(cs: ConstraintSystem, flag: Bool, a: Field, b: Field) -> None:
    difference = a - b
    quotient = cs.hint_divide_or_zero(flag, difference)
    cs.assert_equal(difference * quotient, flag, label="the other leaf has another key")


def _boxed_sibling(cs: ConstraintSystem, bit: Bool, lane: Field) -> Field:
    """What the lane is more than that of an empty sibling on the same side: 0 when it is empty."""
    left, right = (pow(c, 5, MODULUS) for c in first_constants(_NODE_INPUTS))
    return cs.linear([(lane, 1), (bit, right - left)], -right)


def _depth_hints(cs: ConstraintSystem, bits: Sequence[Bool], lanes: Sequence[Field]) -> list[Field]:
    """Scratch: 1 for the levels down to the last sibling that is not empty, then 0."""
    hints: list[Field] = []
    deeper: Field = cs.constant(0)
    for bit, lane in zip(reversed(bits), reversed(lanes), strict=True):
        empty = cs.scratch_is_zero(_boxed_sibling(cs, bit, lane))
        deeper = 1 - cs.scratch_product(empty, 1 - deeper)
        hints.append(deeper)
    return hints[::-1]


def _unary(cs: ConstraintSystem, hints: Sequence[Field], label: str) -> list[Field]:
    """Bits that begin with ones and end with zeros. Rows: one a bit."""
    out: list[Field] = []
    before: Field = cs.constant(1)
    for level, hint in enumerate(hints):
        with cs.scope(f"level {level}"):
            bit = cs.hint_value(hint)
            cs.enforce(bit, before - bit, 0, label=label)
        out.append(bit)
        before = bit
    return out


def _hash_up(cs: ConstraintSystem, bit: Bool, child: Field, lane: Field) -> Field:
    left, right = first_constants(_NODE_INPUTS)
    boxed = cs.materialise(fifth_power(cs.linear([(child, 1), (bit, right - left)], left)))
    return poseidon_from_first_sbox(cs, conditional_swap(cs, bit, boxed, lane))


def _climb(cs: ConstraintSystem, bits: Sequence[Bool], end: Field, lanes: Sequence[Field]) -> Field:
    depth = _unary(cs, _depth_hints(cs, bits, lanes), "the depth falls once")
    end = cs.materialise(end)
    current = end
    for level in reversed(range(len(lanes))):
        with cs.scope(f"level {level}"):
            current = end + depth[level] * (_hash_up(cs, bits[level], current, lanes[level]) - end)
    return current


def _climb_twice(
    cs: ConstraintSystem,
    bits: Sequence[Bool],
    depths: tuple[Sequence[Field], Sequence[Field]],
    ends: tuple[Field, Field],
    lanes: Sequence[tuple[Field, Field]],
) -> SparseChange:
    before, after = ends
    for level in reversed(range(len(lanes))):
        with cs.scope(f"level {level}"):
            hashed = _hash_up(cs, bits[level], before, lanes[level][0])
            before = ends[0] + depths[0][level] * (hashed - ends[0])
            hashed = _hash_up(cs, bits[level], after, lanes[level][1])
            after = ends[1] + depths[1][level] * (hashed - ends[1])
    return SparseChange(before, after)
