"""Poseidon over the scalar field, circomlib's, 1 to 16 inputs, in as few rows as its S-boxes need.

This module must not know what is hashed. It shares the tables of constants with ``crypto.poseidon``
and nothing else.

Rows. The S-box x^5 costs three (x^2, x^4, x^5), its linear surroundings none; the first lane of the
first round is a constant and costs none. The last round matters only through one sum of fifth powers,
and a pair of those costs five rows instead of six: with s = x + y, d = x - y,

    16 (x^5 + y^5) = s ((s^2 + 5 d^2)^2 - 20 d^4),

the weights of the sum being fifth powers themselves, since x -> x^5 is a bijection. In all
``3 (8 t + R_P - 1) - floor(t / 2)`` rows for t - 1 inputs: 295 for four, 318 for five.

Short combinations. Spelled out, the input of the k-th partial round is a sum of k + t terms, and it would
appear three times. Here it is made the wire of the row that ends the round before, so that it appears
once, in C, where it costs a prover nothing, and the columns of B stay few. Write M = [[m, v], [w, N]]
(m a number). A partial round with S-box input a, other lanes z (constants added) and s = a^5 leads to
the next S-box input ``a' = m s + v z + c'`` and to ``N z + w s = P z + (w / m) (a' - c')`` with
``P = N - w v / m``, invertible since M is MDS. So with z = P^k (u + o), o constant, the other lanes
need only ``u' = u + P^-(k+1) (w / m) a'``, one term a lane and round.

References: L. Grassi, D. Khovratovich, C. Rechberger, A. Roy, M. Schofnegger, "Poseidon", eprint
2019/458; circomlib (parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from zkrollup.crypto.tables import MODULUS, POSEIDON_MAX_INPUTS, poseidon_parameters
from zkrollup.cs import ConstraintSystem, Field

__all__ = ["fifth_power", "first_constants", "first_sbox", "poseidon", "poseidon_from_first_sbox"]

Vector = tuple[int, ...]
Matrix = tuple[Vector, ...]


def poseidon(cs: ConstraintSystem, inputs: Sequence[Field]) -> Field:
    """The hash of 1 to 16 field elements (``ValueError`` for another number).

    Theorem: the result is ``crypto.poseidon.poseidon(inputs)``. Assumes: nothing. Rows: see the head
    of this file; inputs known while recording cost no S-box. The result is a linear combination whose
    last product is not settled: asserting it equal to something saves that row.
    """
    if not 1 <= len(inputs) <= POSEIDON_MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 .. {POSEIDON_MAX_INPUTS} inputs, got {len(inputs)}")
    constants = _schedule(len(inputs) + 1).first[0]
    return poseidon_from_first_sbox(
        cs, [fifth_power(x + c) for x, c in zip(inputs, constants[1:], strict=True)]
    )


def poseidon_from_first_sbox(cs: ConstraintSystem, lanes: Sequence[Field]) -> Field:
    """The hash whose inputs, after the constants and the S-box of the first round, are ``lanes``.

    Theorem: the result is ``poseidon(inputs)`` for the only inputs with
    ``lanes[k] = first_sbox(len(lanes), k, inputs[k])``. Assumes: nothing; every lane is the image of
    one field element. Rows: 3 less a lane than :func:`poseidon`; 283 for four.
    """
    t = len(lanes) + 1
    schedule = _schedule(t)
    state = [cs.constant(pow(schedule.first[0][0], 5, MODULUS)), *lanes]
    for constants in schedule.first[1:]:
        state = [fifth_power(x) for x in _mix(cs, schedule.mds, state, constants)]
    state = _mix(cs, schedule.mds, state, schedule.entry)
    box, rest = state[0], state[1:]
    for row, column, constant in schedule.partial:
        square = box.square()
        quartic = square.square()
        box = cs.materialise(
            cs.linear([(quartic * box, schedule.mds[0][0]), *zip(rest, row, strict=True)], constant)
        )
        rest = [cs.linear([(u, 1), (box, k)]) for u, k in zip(rest, column, strict=True)]
    state = [box, *_mix(cs, schedule.exit, rest, schedule.exit_constants)]
    for constants in schedule.last:
        state = _mix(cs, schedule.mds, [fifth_power(x) for x in state], constants)
    return _weighted_fifth_powers(cs, schedule.mds[0], state)


def first_sbox(inputs: int, lane: int, value: int) -> int:
    """In plain integers: ``(value + c)^5`` for lane 0 <= lane < inputs of a hash of that many inputs."""
    return pow(value + _schedule(inputs + 1).first[0][lane + 1], 5, MODULUS)


def first_constants(inputs: int) -> Vector:
    """The constants added to the inputs before the first S-box."""
    return _schedule(inputs + 1).first[0][1:]


def fifth_power(x: Field) -> Field:
    """x^5, for one S-box. Rows: 3, none for a constant."""
    square = x.square()
    return x * square.square()


def _mix(cs: ConstraintSystem, matrix: Matrix, state: Sequence[Field], constants: Vector) -> list[Field]:
    return [
        cs.linear(list(zip(state, row, strict=True)), c) for row, c in zip(matrix, constants, strict=True)
    ]


def _weighted_fifth_powers(cs: ConstraintSystem, weights: Vector, lanes: Sequence[Field]) -> Field:
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


# -- constants ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Schedule:
    mds: Matrix
    first: Matrix  # constants of the first full rounds
    entry: Vector  # constants of the first partial round
    partial: tuple[tuple[Vector, Vector, int], ...]  # a round: v P^k; P^-(k+1) w / m; constant of a'
    exit: Matrix  # P^partial
    exit_constants: Vector
    last: Matrix  # constants after each of the last full rounds but the final one


@cache
def _schedule(t: int) -> _Schedule:
    table = poseidon_parameters(t)
    half, partial = table.rounds_full // 2, table.rounds_partial
    c = [table.round_constants[i * t : (i + 1) * t] for i in range(table.rounds_full + partial)]
    m, v = table.mds[0][0], table.mds[0][1:]
    w_over_m = [row[0] * pow(m, -1, MODULUS) % MODULUS for row in table.mds[1:]]
    p = [
        [(n - w * x) % MODULUS for n, x in zip(row[1:], v, strict=True)]
        for row, w in zip(table.mds[1:], w_over_m, strict=True)
    ]
    p_inverse = _inverse(p)
    width = range(t - 1)
    power = [[int(i == j) for j in width] for i in width]  # P^k
    inverse_power = [row[:] for row in power]  # P^-k
    offset = [0] * (t - 1)
    rounds = []
    for k in range(half, half + partial):
        row = _times_matrix(list(v), power)
        constant = (_dot(row, offset) + c[k + 1][0]) % MODULUS
        power = _product(power, p)
        inverse_power = _product(inverse_power, p_inverse)
        column = _times_vector(inverse_power, w_over_m)
        change = [(a - w * c[k + 1][0]) % MODULUS for a, w in zip(c[k + 1][1:], w_over_m, strict=True)]
        offset = [
            (a + b) % MODULUS for a, b in zip(offset, _times_vector(inverse_power, change), strict=True)
        ]
        rounds.append((tuple(row), tuple(column), constant))
    # The constants of the first partial round's other lanes are added by ``entry``, so offsets start at 0.
    return _Schedule(
        mds=table.mds,
        first=tuple(c[:half]),
        entry=c[half],
        partial=tuple(rounds),
        exit=tuple(tuple(row) for row in power),
        exit_constants=tuple(_times_vector(power, offset)),
        last=tuple(c[half + partial + 1 :]),
    )


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True)) % MODULUS


def _times_vector(matrix: list[list[int]], vector: Sequence[int]) -> list[int]:
    return [_dot(row, vector) for row in matrix]


def _times_matrix(vector: list[int], matrix: list[list[int]]) -> list[int]:
    return [_dot(vector, column) for column in zip(*matrix, strict=True)]


def _product(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    return [_times_matrix(row, b) for row in a]


def _inverse(matrix: list[list[int]]) -> list[list[int]]:
    """Gauss-Jordan elimination; the matrix is invertible."""
    n = len(matrix)
    rows = [row + [int(i == j) for j in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        at = next(j for j in range(i, n) if rows[j][i])
        rows[i], rows[at] = rows[at], rows[i]
        scale = pow(rows[i][i], -1, MODULUS)
        rows[i] = [x * scale % MODULUS for x in rows[i]]
        for j in range(n):
            if j != i and (factor := rows[j][i]):
                rows[j] = [(x - factor * y) % MODULUS for x, y in zip(rows[j], rows[i], strict=True)]
    return [row[n:] for row in rows]
