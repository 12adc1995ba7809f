"""Poseidon over the scalar field, circomlib's, 1 to 16 inputs, in as few rows as its S-boxes need.

This module must not know what is hashed. It shares the tables of constants with ``crypto.poseidon``
and nothing else.

Rows. The S-box x^5 costs three (x^2, x^4, x^5), its linear surroundings none; the first lane of the
first round is a constant and costs none. The last round matters only through one sum of fifth powers,
and a pair of those costs five rows instead of six: with s = x + y, d = x - y,

    16 (x^5 + y^5) = s ((s^2 + 5 d^2)^2 - 20 d^4),

the weights of the sum being fifth powers themselves, since x -> x^5 is a bijection. In all
``3 (8 t + R_P - 1) - floor(t / 2)`` rows for t - 1 inputs: 295 for four, 318 for five.

Short combinations: the partial rounds are those of :mod:`zkrollup.gadgets.partial_rounds`.

References: L. Grassi, D. Khovratovich, C. Rechberger, A. Roy, M. Schofnegger, "Poseidon", eprint
2019/458; circomlib (parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from zkrollup.crypto.tables import MODULUS, POSEIDON_MAX_INPUTS, poseidon_parameters
from zkrollup.cs import ConstraintSystem, Field
from zkrollup.gadgets.partial_rounds import (
    Matrix,
    PartialRounds,
    Vector,
    apply_partial_rounds,
    fifth_power,
    mix,
    partial_rounds,
    weighted_fifth_powers,
)

__all__ = ["fifth_power", "first_constants", "first_sbox", "poseidon", "poseidon_from_first_sbox"]


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
        state = [fifth_power(x) for x in mix(cs, schedule.mds, state, constants)]
    state = mix(cs, schedule.mds, state, schedule.entry)
    state = apply_partial_rounds(cs, schedule.partial, state)
    for constants in schedule.last:
        state = mix(cs, schedule.mds, [fifth_power(x) for x in state], constants)
    return weighted_fifth_powers(cs, schedule.mds[0], state)


def first_sbox(inputs: int, lane: int, value: int) -> int:
    """In plain integers: ``(value + c)^5`` for lane 0 <= lane < inputs of a hash of that many inputs."""
    return pow(value + _schedule(inputs + 1).first[0][lane + 1], 5, MODULUS)


def first_constants(inputs: int) -> Vector:
    """The constants added to the inputs before the first S-box."""
    return _schedule(inputs + 1).first[0][1:]


# -- constants ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Schedule:
    mds: Matrix
    first: Matrix  # constants of the first full rounds
    entry: Vector  # constants of the first partial round
    partial: PartialRounds
    last: Matrix  # constants after each of the last full rounds but the final one


@cache
def _schedule(t: int) -> _Schedule:
    table = poseidon_parameters(t)
    half, partial = table.rounds_full // 2, table.rounds_partial
    c = [table.round_constants[i * t : (i + 1) * t] for i in range(table.rounds_full + partial)]
    return _Schedule(
        mds=table.mds,
        first=tuple(c[:half]),
        entry=c[half],
        # The constants of the first partial round are added by ``entry``.
        partial=partial_rounds(table.mds, c[half + 1 : half + partial + 1]),
        last=tuple(c[half + partial + 1 :]),
    )
