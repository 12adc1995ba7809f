"""Poseidon2 over the scalar field, t = 2, 3, 4, 8: permutation, compression with feed-forward, sponge hash.

This module must not know what is hashed. It shares the tables of constants with ``crypto.poseidon2`` and
nothing else.

Rows. The S-box x^5 costs three, linear layers none: ``3 (8 t + R_P)`` for the permutation, 216 for t = 2,
240 for t = 3, 264 for t = 4, 363 for t = 8. Where only the first lane leaves, as in the compression and
the last block of the sponge, the last round is one sum of t fifth powers, two of which cost five rows
instead of six (:func:`zkrollup.gadgets.partial_rounds.weighted_fifth_powers`).

Which lane stays secret. The permutation is invertible and demands nothing of its lanes: it is a building
block. Use :func:`compress` for nodes and :func:`poseidon2_hash` for messages.

References: L. Grassi, D. Khovratovich, M. Schofnegger, "Poseidon2", eprint 2023/323; Noir's and
barretenberg's ``poseidon2`` (sponge).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from zkrollup.crypto.tables import POSEIDON2_ROUNDS_PARTIAL, poseidon2_parameters
from zkrollup.cs import ConstraintSystem, Field
from zkrollup.gadgets.partial_rounds import (
    Matrix,
    PartialRounds,
    apply_partial_rounds,
    fifth_power,
    inverse,
    mix,
    partial_rounds,
    weighted_fifth_powers,
)

__all__ = ["compress", "permute", "poseidon2_hash"]

_RATE = 3


def permute(cs: ConstraintSystem, state: Sequence[Field]) -> list[Field]:
    """The permutation of 2, 3, 4 or 8 lanes (``ValueError`` for another number).

    Theorem: the results are ``crypto.poseidon2.permute(state)``. Assumes: nothing. Rows: 216, 240, 264 or
    363; the results are wires.

    The last linear layer costs no row although its results are wires: the matrix is invertible, so that
    instead of a wire for each fifth power and rows that mix them, the row of a fifth power names it as the
    combination of the results that it is.
    """
    table = poseidon2_parameters(_width(state))
    lanes = _until_last_boxes(cs, state)
    no_constants = (0,) * len(state)
    if all(x.constant_value is not None for x in lanes):
        return mix(cs, table.full_matrix, [fifth_power(x) for x in lanes], no_constants)
    quartics = [cs.materialise(x.square().square()) for x in lanes]
    boxed = [cs.scratch_product(q, x) for q, x in zip(quartics, lanes, strict=True)]
    out = [cs.hint_value(x) for x in mix(cs, table.full_matrix, boxed, no_constants)]
    for q, x, y in zip(
        quartics, lanes, mix(cs, _inverse_of_full(len(state)), out, no_constants), strict=True
    ):
        cs.enforce(q, x, y, label="last S-box")
    return out


def compress(cs: ConstraintSystem, inputs: Sequence[Field]) -> Field:
    """2, 3, 4 or 8 field elements to one, one way (``ValueError`` for another number).

    Theorem: the result is ``crypto.poseidon2.compress(inputs)``, the first lane of the permutation plus
    the first input; without that input, whoever knows the other lanes walks back. Assumes: nothing.
    Rows: 215, 239, 262 or 359; the result is a linear combination whose last product is not settled.
    """
    return _first_lane(cs, inputs) + inputs[0]


def poseidon2_hash(cs: ConstraintSystem, inputs: Sequence[Field]) -> Field:
    """The digest of one or more field elements by the sponge of rate 3 (``ValueError`` for none).

    Theorem: the result is ``crypto.poseidon2.poseidon2_hash(inputs)``. Assumes: nothing. Rows: 264 a block
    of three inputs, two less for the last; the number of inputs is part of the circuit.
    """
    if not inputs:
        raise ValueError("Poseidon2 hashes 1 or more inputs, got 0")
    state = [cs.constant(0)] * _RATE + [cs.constant(len(inputs) << 64)]
    for start in range(0, len(inputs), _RATE):
        block = inputs[start : start + _RATE]
        absorbed = [state[i] + value for i, value in enumerate(block)]
        state = [*absorbed, *state[len(block) :]]
        if start + _RATE < len(inputs):
            state = permute(cs, state)
    return _first_lane(cs, state)


def _first_lane(cs: ConstraintSystem, state: Sequence[Field]) -> Field:
    table = poseidon2_parameters(_width(state))
    return weighted_fifth_powers(cs, table.full_matrix[0], _until_last_boxes(cs, state))


def _until_last_boxes(cs: ConstraintSystem, state: Sequence[Field]) -> list[Field]:
    """The inputs of the last round's S-boxes."""
    t = len(state)
    table = poseidon2_parameters(t)
    half = len(table.full_constants) // 2
    entry = (table.partial_constants[0], *(0,) * (t - 1))
    lanes = list(state)
    for i, constants in enumerate(table.full_constants[:half]):
        lanes = mix(cs, table.full_matrix, lanes if i == 0 else [fifth_power(x) for x in lanes], constants)
    lanes = mix(cs, table.full_matrix, [fifth_power(x) for x in lanes], entry)
    lanes = apply_partial_rounds(cs, _partial(t), lanes)
    for constants in table.full_constants[half + 1 :]:
        lanes = mix(cs, table.full_matrix, [fifth_power(x) for x in lanes], constants)
    return lanes


@cache
def _partial(t: int) -> PartialRounds:
    table = poseidon2_parameters(t)
    after = [(c, *(0,) * (t - 1)) for c in table.partial_constants[1:]]
    return partial_rounds(
        table.partial_matrix, [*after, table.full_constants[len(table.full_constants) // 2]]
    )


@cache
def _inverse_of_full(t: int) -> Matrix:
    return inverse(poseidon2_parameters(t).full_matrix)


def _width(state: Sequence[Field]) -> int:
    if len(state) not in POSEIDON2_ROUNDS_PARTIAL:
        raise ValueError(f"Poseidon2 permutes 2, 3, 4 or 8 lanes, got {len(state)}")
    return len(state)
