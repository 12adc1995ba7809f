"""Poseidon2 over the scalar field of BN254 for t = 2, 3, 4, 8: permutation, compression, sponge hash.

This module must not know circuits or engines.

The permutation is invertible and no hash: :func:`compress` adds its input to its output (feed-forward),
without which anyone walks back from a digest; :func:`poseidon2_hash` is a sponge whose last lane, the
capacity, never leaves.

References: L. Grassi, D. Khovratovich, M. Schofnegger, "Poseidon2", eprint 2023/323 (permutation; section 3.1
for compression); Noir's and barretenberg's ``poseidon2`` (sponge: t = 4, the length in the capacity).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.tables import MODULUS, POSEIDON2_ROUNDS_PARTIAL, poseidon2_parameters

__all__ = ["POSEIDON2_RATE", "compress", "permute", "poseidon2_hash"]

POSEIDON2_RATE = 3
"""Field elements that the sponge takes in before each permutation of t = 4 lanes."""


def permute(state: Sequence[int]) -> list[int]:
    """The permutation of 2, 3, 4 or 8 canonical field elements, as the paper states it.

    Raises ``ValueError`` for another number of lanes or a value outside ``0 .. r - 1``.
    """
    _check(state)
    table = poseidon2_parameters(len(state))
    half = len(table.full_constants) // 2

    def full_round(lanes: list[int], constants: tuple[int, ...]) -> list[int]:
        return _times(
            table.full_matrix, [pow(x + c, 5, MODULUS) for x, c in zip(lanes, constants, strict=True)]
        )

    lanes = _times(table.full_matrix, state)
    for constants in table.full_constants[:half]:
        lanes = full_round(lanes, constants)
    for constant in table.partial_constants:
        lanes[0] = pow(lanes[0] + constant, 5, MODULUS)
        lanes = _times(table.partial_matrix, lanes)
    for constants in table.full_constants[half:]:
        lanes = full_round(lanes, constants)
    return lanes


def compress(inputs: Sequence[int]) -> int:
    """2, 3, 4 or 8 field elements to one: the first lane of the permutation plus the first input.

    For t = 2 this is the node of a binary Merkle tree, for t = 4 of a 4-ary one. Raises as :func:`permute`.
    """
    return (permute(inputs)[0] + inputs[0]) % MODULUS


def poseidon2_hash(inputs: Sequence[int]) -> int:
    """The sponge's digest of any number of field elements; Noir's ``Poseidon2::hash(inputs, len)``.

    The capacity starts at ``len * 2^64``, so lengths are separate functions; blocks of three are added to
    the other lanes, the last filled up with zeros, with a permutation after each.
    """
    for i, value in enumerate(inputs):
        if not 0 <= value < MODULUS:
            raise ValueError(f"Poseidon2 input {i}: expected 0 <= value < r, got {value}")
    state = [0, 0, 0, len(inputs) << 64]
    for start in range(0, max(len(inputs), 1), POSEIDON2_RATE):
        for lane, value in enumerate(inputs[start : start + POSEIDON2_RATE]):
            state[lane] = (state[lane] + value) % MODULUS
        state = permute(state)
    return state[0]


def _check(state: Sequence[int]) -> None:
    if len(state) not in POSEIDON2_ROUNDS_PARTIAL:
        raise ValueError(f"Poseidon2 permutes 2, 3, 4 or 8 lanes, got {len(state)}")
    for i, value in enumerate(state):
        if not 0 <= value < MODULUS:
            raise ValueError(f"Poseidon2 lane {i}: expected 0 <= value < r, got {value}")


def _times(matrix: Sequence[Sequence[int]], lanes: Sequence[int]) -> list[int]:
    return [sum(m * x for m, x in zip(row, lanes, strict=True)) % MODULUS for row in matrix]
