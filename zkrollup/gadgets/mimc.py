"""MiMC7 and MiMC-sponge over the scalar field, circomlib's, in a circuit.

This module must not know what is hashed. It shares the constants with ``crypto.mimc`` and nothing else.

Rows. x^7 costs four (x^2, x^4, x^6, x^7) and x^5 three, since a product at most doubles the degree and 7 is
no sum of two degrees that two products reach. So the 91 rounds of MiMC7 cost 364 rows and the 220 of the
Feistel network 660, as in circomlib. One saving: the last round writes the right lane alone, which nobody
reads after the last permutation of a sponge.

References: eprint 2016/492; circomlib (constants, modes).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.tables import mimc7_constants, mimc_sponge_constants
from zkrollup.cs import ConstraintSystem, Field

__all__ = ["mimc7", "mimc7_hash", "mimc_feistel", "mimc_sponge"]


def mimc7(cs: ConstraintSystem, x: Field, key: Field) -> Field:
    """The cipher of one field element under a key.

    Theorem: the result is ``crypto.mimc.mimc7(x, key)``. Assumes: nothing. Rows: 364; the result is a
    linear combination whose last product is not settled.
    """
    for constant in mimc7_constants():
        base = cs.linear([(x, 1), (key, 1)], constant)
        square = base.square()
        sixth = square * square.square()
        x = sixth * base
    return x + key


def mimc7_hash(cs: ConstraintSystem, inputs: Sequence[Field], key: Field | int = 0) -> Field:
    """The hash of one or more field elements (``ValueError`` for none).

    Theorem: the result is ``crypto.mimc.mimc7_hash(inputs, key)``. Assumes: nothing; the number of inputs
    is part of the circuit. Rows: 364 an input.
    """
    if not inputs:
        raise ValueError("MiMC7 hashes 1 or more inputs, got 0")
    state = key if isinstance(key, Field) else cs.constant(key)
    for i, value in enumerate(inputs):
        state = cs.linear([(state, 1), (value, 1), (mimc7(cs, value, state), 1)])
        if i + 1 < len(inputs):
            # The key of 91 rounds: one wire of the last product's row, not a sum.
            state = cs.materialise(state)
    return state


def mimc_feistel(cs: ConstraintSystem, left: Field, right: Field, key: Field | int) -> tuple[Field, Field]:
    """The permutation of two field elements under a key.

    Theorem: the results are ``crypto.mimc.mimc_feistel(left, right, key)``. Assumes: nothing. Rows: 660.
    """
    left, right = _all_but_last(cs, left, right, key)
    return left, _last(cs, left, right, key)


def mimc_sponge(
    cs: ConstraintSystem, inputs: Sequence[Field], key: Field | int = 0, outputs: int = 1
) -> list[Field]:
    """``outputs`` digests of one or more field elements (``ValueError`` for none of either).

    Theorem: the results are ``crypto.mimc.mimc_sponge(inputs, key, outputs)``. Assumes: nothing; the
    number of inputs is part of the circuit. Rows: ``660 (inputs + outputs - 1) - 3``.
    """
    if not inputs or outputs < 1:
        raise ValueError(
            f"MiMC-sponge takes 1 or more inputs to 1 or more outputs, got {len(inputs)} to {outputs}"
        )
    left = cs.constant(0)
    pending: Field | None = None  # the right lane before its last round
    out = []
    for i in range(len(inputs) + outputs - 1):
        right = cs.constant(0) if pending is None else cs.materialise(_last(cs, left, pending, key))
        if i < len(inputs):
            left = left + inputs[i]
        left, pending = _all_but_last(cs, left, right, key)
        if i >= len(inputs) - 1:
            out.append(left)
    return out


def _all_but_last(cs: ConstraintSystem, left: Field, right: Field, key: Field | int) -> tuple[Field, Field]:
    for constant in mimc_sponge_constants()[:-1]:
        left, right = cs.materialise(right + _fifth(left + key + constant)), left
    return left, right


def _last(cs: ConstraintSystem, left: Field, right: Field, key: Field | int) -> Field:
    return right + _fifth(left + key + mimc_sponge_constants()[-1])


def _fifth(x: Field) -> Field:
    return x * x.square().square()
