"""Groth16's one-party setup for the numba engine: the secret point and what is evaluated at it.

This module must not know points, keys or files, and no secret may leave it as a number of Python's:
kernels read and write buffers that the caller wipes.

References: J. Groth, "On the size of pairing-based non-interactive arguments", EUROCRYPT 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine.numba_field import (
    FR,
    FR_ONE,
    Element,
    Vector,
    equal,
    fr_add,
    fr_inverse,
    fr_mul,
    fr_power,
    fr_sub,
    is_reduced,
    is_zero,
    load,
    store,
    vec_inverse,
)
from zkrollup.engine.numba_jit import kernel

__all__ = [
    "ALPHA",
    "BETA",
    "DELTA",
    "GAMMA",
    "NUM_SECRETS",
    "TAU",
    "accept_secrets",
    "accumulate",
    "combine",
    "lagrange",
    "vanishing",
]

TAU, ALPHA, BETA, GAMMA, DELTA = range(5)
"""Rows of the secrets' buffer."""
NUM_SECRETS = 5

LOW_BITS = np.uint64(2**62 - 1)


@kernel
def accept_secrets(secrets: Vector, domain: int) -> bool:
    """Cut random rows to 254 bits and say whether they may be used.

    They may when each is below r and not zero, gamma is not delta, and tau is no root of unity of
    twice the domain. Uniform words are uniform elements, in the Montgomery form as in the other.
    """
    good = True
    for i in range(NUM_SECRETS):
        secrets[i, 3] &= LOW_BITS
        x = load(secrets, i)
        if is_zero(x) or not is_reduced(x, FR):
            good = False
    if equal(load(secrets, GAMMA), load(secrets, DELTA)):
        good = False
    if good and equal(fr_power(load(secrets, TAU), 2 * domain), FR_ONE):
        good = False
    return good


@kernel
def vanishing(secrets: Vector, size: int, size_inverse: Element, out: Vector) -> None:
    """out[0] = (tau^size - 1)/size; Montgomery."""
    store(out, 0, fr_mul(fr_sub(fr_power(load(secrets, TAU), size), FR_ONE), size_inverse))


@kernel
def lagrange(
    secrets: Vector, factor: Vector, out: Vector, offset: Element, step: Element, start: int, stop: int
) -> None:
    """out[i] = factor[0] u/(tau - u) with u = offset step^i: Lagrange polynomials at tau.

    Over a domain of n powers of w, L_i(tau) = (tau^n - 1)/n w^i/(tau - w^i).
    """
    tau = load(secrets, TAU)
    first = fr_mul(offset, fr_power(step, start))
    u = first
    for i in range(start, stop):
        store(out, i, fr_sub(tau, u))
        u = fr_mul(u, step)
    vec_inverse(out, out, FR_ONE, FR, start, stop)
    u = fr_mul(first, load(factor, 0))
    for i in range(start, stop):
        store(out, i, fr_mul(load(out, i), u))
        u = fr_mul(u, step)


@kernel
def accumulate(
    indptr: Any,
    cols: Any,
    coefs: Any,
    constants: Vector,
    links: Any,
    own_base: int,
    num_own: int,
    num_rows: int,
    row_base: int,
    basis: Vector,
    out: Vector,
) -> None:
    """out[column] += coefficient basis[row] over all entries of a block's matrix."""
    num_links = links.shape[1]
    for i in range(links.shape[0]):
        shift = own_base + i * num_own - num_links
        for row in range(num_rows):
            value = load(basis, row_base + i * num_rows + row)
            for k in range(np.int64(indptr[row]), np.int64(indptr[row + 1])):
                column = np.int64(cols[k])
                if column < num_links:
                    column = np.int64(links[i, column])
                else:
                    column += shift
                coef = np.int64(coefs[k])
                total = load(out, column)
                if coef == 1:
                    total = fr_add(total, value)
                elif coef == 2:
                    total = fr_sub(total, value)
                else:
                    total = fr_add(total, fr_mul(load(constants, coef), value))
                store(out, column, total)


@kernel
def combine(
    secrets: Vector, divisor: int, a: Vector, b: Vector, c: Vector, out: Vector, start: int, stop: int
) -> None:
    """out[i] = (beta a[i] + alpha b[i] + c[i]) / secrets[divisor]."""
    inverse = fr_inverse(load(secrets, divisor))
    alpha = fr_mul(load(secrets, ALPHA), inverse)
    beta = fr_mul(load(secrets, BETA), inverse)
    for i in range(start, stop):
        x = fr_add(fr_mul(beta, load(a, i)), fr_mul(alpha, load(b, i)))
        store(out, i, fr_add(x, fr_mul(inverse, load(c, i))))
