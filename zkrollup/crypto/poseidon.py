"""Poseidon over the scalar field of BN254, as circomlib has it: 1 to 16 inputs, one output.

This module must not know circuits or engines; bulk hashing is an engine's work.

The state is ``[0, inputs...]``, the output its first lane after the permutation. The permutation is
invertible, so what makes this compress is that the input's first lane is fixed and only one lane
leaves: an attacker who picks a final state and walks backwards meets a first lane that is 0 with
probability 1/r only. No lane but the first may ever be used as an output, nor the first lane as an
input, without thinking about this again.

References: eprint 2019/458; appendix B for the sparse form of the partial rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul

from zkrollup.crypto.tables import MODULUS, POSEIDON_MAX_INPUTS, poseidon_parameters

__all__ = ["permute_reference", "poseidon", "poseidon_reference"]


def poseidon(inputs: Sequence[int]) -> int:
    """The hash of 1 to 16 canonical field elements.

    Raises ``ValueError`` for another number of inputs or an input outside ``0 .. r - 1``. The number
    of inputs selects the permutation, so hashes of different lengths are independent functions.
    """
    _check(inputs)
    fast = _sparse(len(inputs) + 1)
    r = MODULUS
    rows = fast.mds
    state = [0, *inputs]
    for constants in fast.first:
        boxed = [(x := v + c) * ((s := x * x % r) * s % r) % r for v, c in zip(state, constants, strict=True)]
        state = [sum(map(mul, row, boxed)) % r for row in rows]
    lane, *rest = state
    for rounds, columns in fast.partial:
        known = list(rest)
        for constant, row in rounds:
            x = lane + constant
            s = x * x % r
            known.append(x * (s * s % r) % r)
            lane = sum(map(mul, row, known)) % r
        boxes = known[len(rest) :]
        rest = [(v + sum(map(mul, column, boxes))) % r for v, column in zip(rest, columns, strict=True)]
    state = [lane, *(sum(map(mul, row, rest)) % r for row in fast.exit)]
    for constants in fast.last:
        boxed = [(x := v + c) * ((s := x * x % r) * s % r) % r for v, c in zip(state, constants, strict=True)]
        state = [sum(map(mul, row, boxed)) % r for row in rows]
    return state[0]


def poseidon_reference(inputs: Sequence[int]) -> int:
    """:func:`poseidon` as the paper states it: the slow twin, for reading and for tests."""
    _check(inputs)
    return permute_reference([0, *inputs])[0]


def permute_reference(state: Sequence[int]) -> list[int]:
    """The permutation of t = 2 .. 17 lanes: add constants, S-box on all lanes or the first, matrix."""
    table = poseidon_parameters(len(state))
    t, half = table.t, table.rounds_full // 2
    lanes = list(state)
    for i in range(table.rounds_full + table.rounds_partial):
        lanes = [(lane + c) % MODULUS for lane, c in zip(lanes, table.round_constants[i * t :], strict=False)]
        if half <= i < half + table.rounds_partial:
            lanes[0] = pow(lanes[0], 5, MODULUS)
        else:
            lanes = [pow(lane, 5, MODULUS) for lane in lanes]
        lanes = [sum(m * lane for m, lane in zip(row, lanes, strict=True)) % MODULUS for row in table.mds]
    return lanes


def _check(inputs: Sequence[int]) -> None:
    if not 1 <= len(inputs) <= POSEIDON_MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 .. {POSEIDON_MAX_INPUTS} inputs, got {len(inputs)}")
    for i, value in enumerate(inputs):
        if not 0 <= value < MODULUS:
            raise ValueError(f"Poseidon input {i}: expected 0 <= value < r, got {value}")


@dataclass(frozen=True)
class _Sparse:
    """The permutation with sparse partial rounds; equal to the plain one, some three times faster.

    With M = [[m, v], [w, N]] (m a number, N the lower right block), write the lanes after the first
    at partial round k as N^k y: the S-box on lane 0 does not touch them, so with s its output
    ``lane' = m s + (v N^k) y`` and ``y' = y + (N^-(k+1) w) s``. Constants of those lanes pass through
    the S-box too and are moved forward into the next round's.

    A reduction costs more than a product, so y is brought up to date once in a block of rounds; within
    a block, lane 0 takes what y lacks from the block's earlier s, whose coefficients are numbers.
    """

    mds: tuple[tuple[int, ...], ...]
    first: tuple[tuple[int, ...], ...]  # constants of the first full rounds
    partial: tuple[_Block, ...]
    exit: tuple[tuple[int, ...], ...]  # N^(partial rounds)
    last: tuple[tuple[int, ...], ...]  # constants of the last full rounds


# For each round: the constant of lane 0, and the coefficients of y and of s_0 .. s_k in the next lane 0.
# Then for each lane of y the coefficients of s_0 .. s_(n-1).
_Block = tuple[tuple[tuple[int, tuple[int, ...]], ...], tuple[tuple[int, ...], ...]]

_ROUNDS_IN_BLOCK = 6


@cache
def _sparse(t: int) -> _Sparse:
    table = poseidon_parameters(t)
    r, half = MODULUS, table.rounds_full // 2
    rounds = table.rounds_full + table.rounds_partial
    constants = [table.round_constants[i * t : (i + 1) * t] for i in range(rounds)]
    v = list(table.mds[0][1:])
    block = [list(row[1:]) for row in table.mds[1:]]
    inverse_block = _matrix_inverse(block)
    w = [row[0] for row in table.mds[1:]]
    partial = []  # constant of lane 0, v N^k, N^-(k+1) w
    carried = [0] * t  # constants moved forward from the rounds before
    columns_of_block = list(zip(*block, strict=True))
    for k in range(table.rounds_partial):
        now = [(a + b) % r for a, b in zip(carried, constants[half + k], strict=True)]
        carried = [sum(map(mul, row[1:], now[1:])) % r for row in table.mds]
        w = [sum(map(mul, row, w)) % r for row in inverse_block]
        partial.append((now[0], tuple(v), tuple(w)))
        v = [sum(map(mul, v, c)) % r for c in columns_of_block]
    last = [list(c) for c in constants[half + table.rounds_partial :]]
    last[0] = [(a + b) % r for a, b in zip(carried, last[0], strict=True)]
    return _Sparse(
        table.mds,
        tuple(constants[:half]),
        tuple(
            _in_block(partial[i : i + _ROUNDS_IN_BLOCK], table.mds[0][0])
            for i in range(0, len(partial), _ROUNDS_IN_BLOCK)
        ),
        tuple(tuple(row) for row in _matrix_power(block, table.rounds_partial)),
        tuple(tuple(row) for row in last),
    )


def _in_block(rounds: list[tuple[int, tuple[int, ...], tuple[int, ...]]], corner: int) -> _Block:
    """Rounds ``(constant, v, w)`` as a block: s_j of an earlier round comes into lane 0 as (v . w_j) s_j."""
    w = [column for _, _, column in rounds]
    return (
        tuple(
            (constant, (*v, *(sum(map(mul, v, w[j])) % MODULUS for j in range(k)), corner))
            for k, (constant, v, _) in enumerate(rounds)
        ),
        tuple(zip(*w, strict=True)),
    )


def _matrix_product(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    columns = list(zip(*b, strict=True))
    return [[sum(map(mul, row, column)) % MODULUS for column in columns] for row in a]


def _matrix_power(matrix: list[list[int]], exponent: int) -> list[list[int]]:
    out = [[int(i == j) for j in range(len(matrix))] for i in range(len(matrix))]
    for bit in bin(exponent)[2:]:
        out = _matrix_product(out, out)
        if bit == "1":
            out = _matrix_product(out, matrix)
    return out


def _matrix_inverse(matrix: list[list[int]]) -> list[list[int]]:
    """Gauss-Jordan. Every square block of an MDS matrix is invertible, so a pivot always exists."""
    n = len(matrix)
    rows = [list(row) + [int(i == j) for j in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        scale = pow(rows[i][i], -1, MODULUS)
        rows[i] = [x * scale % MODULUS for x in rows[i]]
        for k in range(n):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [(x - factor * p) % MODULUS for x, p in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]
