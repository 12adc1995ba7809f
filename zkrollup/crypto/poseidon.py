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
    corner = rows[0][0]
    for constant, row, column in fast.partial:
        x = lane + constant
        s = x * x % r
        x = x * (s * s % r) % r
        lane = (corner * x + sum(map(mul, row, rest))) % r
        rest = [(v + w * x) % r for v, w in zip(rest, column, strict=True)]
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
    """The permutation with sparse partial rounds; equal to the plain one, ~3 times fewer products.

    With M = [[m, v], [w, N]] (m a number, N the lower right block), write the lanes after the first
    at partial round k as N^k y: the S-box on lane 0 does not touch them, so
    ``lane' = m s + (v N^k) y`` and ``y' = y + (N^-(k+1) w) s``. Constants of those lanes pass through
    the S-box too and are moved forward into the next round's.
    """

    mds: tuple[tuple[int, ...], ...]
    first: tuple[tuple[int, ...], ...]  # constants of the first full rounds
    partial: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]  # constant of lane 0, v N^k, N^-(k+1) w
    exit: tuple[tuple[int, ...], ...]  # N^partial
    last: tuple[tuple[int, ...], ...]  # constants of the last full rounds


@cache
def _sparse(t: int) -> _Sparse:
    table = poseidon_parameters(t)
    r, half = MODULUS, table.rounds_full // 2
    rounds = table.rounds_full + table.rounds_partial
    constants = [table.round_constants[i * t : (i + 1) * t] for i in range(rounds)]
    v = list(table.mds[0][1:])
    block = [list(row[1:]) for row in table.mds[1:]]
    inverse_block = _matrix_inverse(block)
    column = [row[0] for row in table.mds[1:]]
    partial = []
    carried = [0] * t  # constants moved forward from the rounds before
    columns_of_block = list(zip(*block, strict=True))
    for k in range(table.rounds_partial):
        now = [(a + b) % r for a, b in zip(carried, constants[half + k], strict=True)]
        carried = [sum(map(mul, row[1:], now[1:])) % r for row in table.mds]
        column = [sum(map(mul, row, column)) % r for row in inverse_block]
        partial.append((now[0], tuple(v), tuple(column)))
        v = [sum(map(mul, v, c)) % r for c in columns_of_block]
    power = _matrix_power(block, table.rounds_partial)
    last = [list(c) for c in constants[half + table.rounds_partial :]]
    last[0] = [(a + b) % r for a, b in zip(carried, last[0], strict=True)]
    return _Sparse(
        table.mds,
        tuple(constants[:half]),
        tuple(partial),
        tuple(tuple(row) for row in power),
        tuple(tuple(row) for row in last),
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
