"""What Poseidon and Poseidon2 share in a circuit: S-box, linear layers, partial rounds in short combinations.

This module must not know either hash: matrices and constants are its callers'.

Partial rounds. Spelled out, the input of the k-th partial round is a sum of k + t terms, and it would
appear three times. Here it is made the wire of the row that ends the round before, so that it appears
once, in C, where it costs a prover nothing, and the columns of B stay few. Write M = [[m, v], [w, N]]
(m a number). A partial round with S-box input a, other lanes z (constants added) and s = a^5 leads to
the next S-box input ``a' = m s + v z + c'`` and to ``N z + w s = P z + (w / m) (a' - c')`` with
``P = N - w v / m``, invertible since M is MDS. So with z = P^k (u + o), o constant, the other lanes
need only ``u' = u + P^-(k+1) (w / m) a'``, one term a lane and round.
A matrix is fit when it and its corner m are invertible: then P, whose determinant is det(M) / m, is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem, Field

__all__ = [
    "Matrix",
    "PartialRounds",
    "Vector",
    "apply_partial_rounds",
    "fifth_power",
    "inverse",
    "mix",
    "partial_rounds",
    "weighted_fifth_powers",
]

Vector = tuple[int, ...]
Matrix = tuple[Vector, ...]


def fifth_power(x: Field) -> Field:
    """x^5, for one S-box. Rows: 3, none for a constant."""
    square = x.square()
    return x * square.square()


def mix(cs: ConstraintSystem, matrix: Matrix, state: Sequence[Field], constants: Vector) -> list[Field]:
    """``matrix * state + constants``; no row."""
    return [
        cs.linear(list(zip(state, row, strict=True)), c) for row, c in zip(matrix, constants, strict=True)
    ]


def weighted_fifth_powers(cs: ConstraintSystem, weights: Vector, lanes: Sequence[Field]) -> Field:
    """``sum(weight * lane^5)``. Rows: 5 a pair of lanes and 3 for an odd one."""
    root = pow(5, -1, MODULUS - 1)
    scale = pow(16, -1, MODULUS)
    terms: list[tuple[Field, int]] = []
    for i in range(0, len(lanes) - 1, 2):
        a, b = pow(weights[i], root, MODULUS), pow(weights[i + 1], root, MODULUS)
        s = cs.linear([(lanes[i], a), (lanes[i + 1], b)])
        d = cs.linear([(lanes[i], a), (lanes[i + 1], -b)])
        dd = d.square()
        sum_square = cs.linear([(s.square(), 1), (dd, 5)]).square()
        terms.append((s * cs.linear([(sum_square, 1), (dd.square(), -20)]), scale))
    if len(lanes) % 2:
        terms.append((fifth_power(lanes[-1]), weights[-1]))
    return cs.linear(terms)


@dataclass(frozen=True)
class PartialRounds:
    """Rounds that apply the S-box to the first lane, a matrix, and constants."""

    corner: int
    rounds: tuple[tuple[Vector, Vector, int], ...]  # v P^k; P^-(k+1) w / m; constant of a'
    exit: Matrix  # P^rounds
    exit_constants: Vector


def apply_partial_rounds(cs: ConstraintSystem, table: PartialRounds, state: Sequence[Field]) -> list[Field]:
    """The lanes after the rounds, the constants of the round after each included. Rows: 3 a round."""
    box, rest = state[0], list(state[1:])
    for row, column, constant in table.rounds:
        square = box.square()
        quartic = square.square()
        box = cs.materialise(
            cs.linear([(quartic * box, table.corner), *zip(rest, row, strict=True)], constant)
        )
        rest = [cs.linear([(u, 1), (box, k)]) for u, k in zip(rest, column, strict=True)]
    return [box, *mix(cs, table.exit, rest, table.exit_constants)]


def partial_rounds(matrix: Matrix, constants: Sequence[Vector]) -> PartialRounds:
    """The numbers of ``len(constants)`` rounds; ``constants[k]`` is added after the k-th."""
    m, v = matrix[0][0], matrix[0][1:]
    w_over_m = [row[0] * pow(m, -1, MODULUS) % MODULUS for row in matrix[1:]]
    p = [
        [(n - w * x) % MODULUS for n, x in zip(row[1:], v, strict=True)]
        for row, w in zip(matrix[1:], w_over_m, strict=True)
    ]
    p_inverse = [list(row) for row in inverse(p)]
    width = range(len(matrix) - 1)
    power = [[int(i == j) for j in width] for i in width]  # P^k
    inverse_power = [row[:] for row in power]  # P^-k
    offset = [0] * len(width)
    rounds = []
    for c in constants:
        row = _times_matrix(list(v), power)
        constant = (_dot(row, offset) + c[0]) % MODULUS
        power = _product(power, p)
        inverse_power = _product(inverse_power, p_inverse)
        column = _times_vector(inverse_power, w_over_m)
        change = [(a - w * c[0]) % MODULUS for a, w in zip(c[1:], w_over_m, strict=True)]
        offset = [
            (a + b) % MODULUS for a, b in zip(offset, _times_vector(inverse_power, change), strict=True)
        ]
        rounds.append((tuple(row), tuple(column), constant))
    return PartialRounds(
        m, tuple(rounds), tuple(tuple(row) for row in power), tuple(_times_vector(power, offset))
    )


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True)) % MODULUS


def _times_vector(matrix: list[list[int]], vector: Sequence[int]) -> list[int]:
    return [_dot(row, vector) for row in matrix]


def _times_matrix(vector: list[int], matrix: list[list[int]]) -> list[int]:
    return [_dot(vector, column) for column in zip(*matrix, strict=True)]


def _product(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    return [_times_matrix(row, b) for row in a]


def inverse(matrix: Sequence[Sequence[int]]) -> Matrix:
    """The inverse modulo r by Gauss-Jordan elimination. Assumes: the matrix is invertible."""
    n = len(matrix)
    rows = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for i in range(n):
        at = next(j for j in range(i, n) if rows[j][i])
        rows[i], rows[at] = rows[at], rows[i]
        scale = pow(rows[i][i], -1, MODULUS)
        rows[i] = [x * scale % MODULUS for x in rows[i]]
        for j in range(n):
            if j != i and (factor := rows[j][i]):
                rows[j] = [(x - factor * y) % MODULUS for x, y in zip(rows[j], rows[i], strict=True)]
    return tuple(tuple(row[n:]) for row in rows)
