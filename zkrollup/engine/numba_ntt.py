"""The number-theoretic transform over Fr for the numba engine, in kernels that cover a range each.

This module must not know what is transformed, nor which thread takes which range.

Decimation in time: rows are written in bit-reversed order, then log2(n) passes of n/2 butterflies. A
pass s joins blocks of 2^s; a range of butterflies that is aligned to a power of two 2^k only touches
its own rows in all passes below k, so threads may run those passes on their own. The inverse is the
same transform read backwards: intt(a)[i] = ntt(a)[-i mod n] / n.

References: J. W. Cooley, J. W. Tukey, "An algorithm for the machine calculation of complex Fourier
series", Math. Comp. 19 (1965).
"""

from __future__ import annotations

from zkrollup.engine.convert import FR_MODULUS
from zkrollup.engine.numba_field import (
    FR_ONE,
    Element,
    Vector,
    fr_add,
    fr_mul,
    fr_power,
    fr_sub,
    load,
    store,
)
from zkrollup.engine.numba_jit import kernel

__all__ = ["butterflies", "fill_powers", "root_of_unity", "scale_by_powers", "scatter_reversed"]


def root_of_unity(size: int) -> int:
    """5^((r-1)/size), canonical: of that order for a power of two up to 2^28."""
    return pow(5, (FR_MODULUS - 1) // size, FR_MODULUS)


@kernel
def fill_powers(out: Vector, base: Element, start: int, stop: int) -> None:
    """out[i] = base^i, Montgomery."""
    power = fr_power(base, start)
    for i in range(start, stop):
        store(out, i, power)
        power = fr_mul(power, base)


@kernel
def scatter_reversed(a: Vector, out: Vector, bits: int, base: Element, start: int, stop: int) -> None:
    """out[reversed bits of i] = a[i] base^i for i in start..stop-1; ``out`` must not be ``a``."""
    plain = base == FR_ONE
    power = fr_power(base, start)
    for i in range(start, stop):
        mirrored = 0
        left = i
        for _ in range(bits):
            mirrored = (mirrored << 1) | (left & 1)
            left >>= 1
        x = load(a, i)
        if not plain:
            x = fr_mul(x, power)
            power = fr_mul(power, base)
        store(out, mirrored, x)


@kernel
def butterflies(a: Vector, twiddles: Vector, bits: int, first: int, last: int, start: int, stop: int) -> None:
    """Passes first..last-1 over butterflies start..stop-1 of 2^(bits-1); twiddles[i] = w^i."""
    for level in range(first, last):
        half = 1 << level
        for k in range(start, stop):
            j = k & (half - 1)
            i = ((k - j) << 1) + j
            x = load(a, i)
            y = load(a, i + half)
            if j != 0:
                y = fr_mul(y, load(twiddles, j << (bits - 1 - level)))
            store(a, i, fr_add(x, y))
            store(a, i + half, fr_sub(x, y))


@kernel
def scale_by_powers(a: Vector, out: Vector, scale: Element, base: Element, start: int, stop: int) -> None:
    """out[i] = a[-i mod n] scale base^i for i in start..stop-1; ``out`` must not be ``a``."""
    n = a.shape[0]
    plain = base == FR_ONE
    power = fr_mul(fr_power(base, start), scale)
    for i in range(start, stop):
        store(out, i, fr_mul(load(a, n - i if i != 0 else 0), power))
        if not plain:
            power = fr_mul(power, base)
