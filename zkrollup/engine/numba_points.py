"""Vectors of points for the numba engine: scalings, inverse transforms, sparse sums, secret scalars.

This module must not know what the points are for. It is the plain twin: every scaling is a double-and-add,
in variable time.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from zkrollup.engine import numba_checks as checks
from zkrollup.engine import numba_curve as curve
from zkrollup.engine import numba_ntt as transform
from zkrollup.engine.convert import FR_MODULUS
from zkrollup.engine.interface import U32, U64, EngineError
from zkrollup.engine.numba_field import (
    FQ,
    FR,
    FR_ONE,
    ONE,
    ZERO,
    Element,
    Index,
    Vector,
    first_unreduced,
    fr_inverse,
    fr_mul,
    fr_power,
    is_reduced,
    is_zero,
    load,
    mont_words,
    mul_mod,
    store,
    vec_sub,
)
from zkrollup.engine.numba_jit import kernel

__all__ = ["NumbaSecretScalar", "PointVectors"]

LOW_BITS = np.uint64(2**62 - 1)
MAX_EXPONENT = 2**63
GROUPS: dict[str, tuple[int, Any]] = {"g1": (8, ZERO), "g2": (16, curve.FQ2_ZERO)}
"""Words of a point, and a zero of its field, by the group's name."""


@kernel
def multiple(points: Vector, i: Any, scalar: Element, sums: Vector, slot: Index, like: Any) -> None:
    """sums[slot] = scalar points[i]; Montgomery scalar."""
    x = curve.get(like, points, i, 0)
    y = curve.get(like, points, i, 1)
    if curve.zero(x) and curve.zero(y):
        curve.store_point(sums, slot, curve.infinity(like))
    else:
        curve.store_point(sums, slot, curve.scalar_multiple(x, y, mul_mod(scalar, ONE, FR)))


@kernel
def scale(points: Vector, scalars: Vector, step: int, out: Vector, start: int, stop: int, like: Any) -> None:
    """out[i] = scalars[step i] points[i]."""
    sums = np.empty((min(curve.BATCH, stop - start), 2 * points.shape[1]), np.uint64)
    for base in range(start, stop, curve.BATCH):
        count = min(curve.BATCH, stop - base)
        for i in range(count):
            multiple(points, base + i, load(scalars, step * (base + i)), sums, i, like)
        curve.to_affine(sums, out, base, count, like)


@kernel
def scale_powers(
    points: Vector, secret: Vector, begin: Vector, first: Any, out: Vector, start: int, stop: int, like: Any
) -> None:
    """out[i] = begin[0] secret[0]^(first + i) points[i]."""
    sums = np.empty((min(curve.BATCH, stop - start), 2 * points.shape[1]), np.uint64)
    ratio = load(secret, 0)
    power = fr_mul(load(begin, 0), fr_power(ratio, first + start))
    for base in range(start, stop, curve.BATCH):
        count = min(curve.BATCH, stop - base)
        for i in range(count):
            multiple(points, base + i, power, sums, i, like)
            power = fr_mul(power, ratio)
        curve.to_affine(sums, out, base, count, like)


@kernel
def sparse_sums(
    points: Vector,
    indptr: Any,
    rows: Any,
    coefs: Any,
    constants: Vector,
    out: Vector,
    start: int,
    stop: int,
    like: Any,
) -> None:
    """out[j] = sum over the entries e of column j of constants[coefs[e]] points[rows[e]]."""
    sums = np.empty((2, 2 * points.shape[1]), np.uint64)
    for j in range(start, stop):
        total = curve.infinity(like)
        for e in range(np.int64(indptr[j]), np.int64(indptr[j + 1])):
            multiple(points, rows[e], load(constants, coefs[e]), sums, 0, like)
            total = curve.xyzz_add(total, curve.load_point(sums, 0, like))
        curve.store_point(sums, 1, total)
        curve.to_affine(sums[1:], out, j, 1, like)


@kernel
def accept(secret: Vector) -> bool:
    """Cut random words to 254 bits, put the inverse beside; whether they are a scalar that may be used."""
    secret[0, 3] &= LOW_BITS
    x = load(secret, 0)
    if is_zero(x) or not is_reduced(x, FR):
        return False
    store(secret, 1, fr_inverse(x))
    return True


class PointVectors:
    """The part of the numba engine that works on vectors of points."""

    if TYPE_CHECKING:

        def _ranges(self, count: int, grain: int, work: Callable[[int, int], object]) -> None: ...

    def _group_points(self, what: str, group: str, points: U64) -> U64:
        points = checks.array(what, points, (None, GROUPS[group][0]))
        rows = checks.readonly(points.reshape(-1, 4))
        bad = first_unreduced(rows, FQ, 0, len(rows))
        if bad >= 0:
            raise EngineError(f"{what}: element {4 * bad // points.shape[1]} is not below the modulus q")
        return points

    def _scale_points(self, group: str, points: U64, scalars: U64) -> U64:
        name, like = f"{group}_scale", GROUPS[group][1]
        points = self._group_points(f"{name}: points", group, points)
        scalars = checks.vector(f"{name}: scalars", scalars)
        if len(scalars) not in (1, len(points)):
            raise EngineError(
                f"{name}: scalars: expected shape ({len(points)}, 4), or (1, 4) for one in common, "
                f"got {scalars.shape}"
            )
        out = np.empty(points.shape, np.uint64)
        step = 0 if len(scalars) == 1 else 1
        self._ranges(len(points), 16, lambda i, j: scale(points, scalars, step, out, i, j, like))
        return out

    def g1_scale(self, points: U64, scalars: U64) -> U64:
        return self._scale_points("g1", points, scalars)

    def g2_scale(self, points: U64, scalars: U64) -> U64:
        return self._scale_points("g2", points, scalars)

    def _intt_points(self, group: str, points: U64) -> U64:
        name, (width, like) = f"{group}_intt_points", GROUPS[group]
        x = self._group_points(f"{name}: points", group, points).copy()
        n = len(x)
        if n == 0 or n & (n - 1) or n > 1 << 28:
            raise EngineError(f"{name}: expected a power of two of points, at most 2^28, got {n}")
        bits = n.bit_length() - 1
        half = n // 2
        while half:  # decimation in frequency: outputs come in bit-reversed order
            root = pow(transform.root_of_unity(2 * half), -1, FR_MODULUS)
            twiddles = np.empty((half, 4), np.uint64)
            transform.fill_powers(twiddles, mont_words(root, FR_MODULUS), 0, half)
            blocks = x.reshape(-1, 2, half, width)
            a, b = (blocks[:, side].copy().reshape(-1, width) for side in (0, 1))
            blocks[:, 0] = self._pairwise(like, a, b).reshape(-1, half, width)
            difference = self._pairwise(like, a, _negated(b, width))
            turned = self._scale_points(group, difference, np.tile(twiddles, (n // (2 * half), 1)))
            blocks[:, 1] = turned.reshape(-1, half, width)
            half //= 2
        share = np.array([mont_words(pow(n, -1, FR_MODULUS), FR_MODULUS)], np.uint64)
        order = [int(f"{i:0{bits}b}"[::-1], 2) if bits else 0 for i in range(n)]
        return self._scale_points(group, np.ascontiguousarray(x[order]), share)

    def _pairwise(self, like: Any, a: U64, b: U64) -> U64:
        a, b = checks.readonly(a), checks.readonly(b)
        out = np.empty(a.shape, np.uint64)
        self._ranges(len(a), 256, lambda i, j: curve.pairwise_add(a, b, out, i, j, like))
        return out

    def g1_intt_points(self, points: U64) -> U64:
        return self._intt_points("g1", points)

    def g2_intt_points(self, points: U64) -> U64:
        return self._intt_points("g2", points)

    def _sparse_sums(
        self, group: str, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64
    ) -> U64:
        name, like = f"{group}_sparse_sums", GROUPS[group][1]
        points = self._group_points(f"{name}: points", group, points)
        indptr = checks.array(f"{name}: indptr", indptr, (None,), np.uint32)
        rows = checks.array(f"{name}: rows", rows, (None,), np.uint32)
        coefs = checks.array(f"{name}: coefs", coefs, (len(rows),), np.uint32)
        constants = checks.vector(f"{name}: constants", constants)
        if len(indptr) == 0:
            raise EngineError(f"{name}: indptr: expected one element more than columns, got none")
        wrong = np.concatenate(([indptr[0] != 0], indptr[1:] < indptr[:-1])) | (indptr > len(rows))
        wrong[-1] |= indptr[-1] != len(rows)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise EngineError(
                f"{name}: indptr[{at}] = {indptr[at]}: expected from 0 to {len(rows)}, ascending"
            )
        for label, indices, limit in (("rows", rows, len(points)), ("coefs", coefs, len(constants))):
            if (indices >= limit).any():
                at = int(np.argmax(indices >= limit))
                raise EngineError(f"{name}: {label}[{at}] = {indices[at]}: expected below {limit}")
        out = np.empty((len(indptr) - 1, points.shape[1]), np.uint64)
        self._ranges(
            len(out),
            16,
            lambda i, j: sparse_sums(points, indptr, rows, coefs, constants, out, i, j, like),
        )
        return out

    def g1_sparse_sums(self, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64) -> U64:
        return self._sparse_sums("g1", points, indptr, rows, coefs, constants)

    def g2_sparse_sums(self, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64) -> U64:
        return self._sparse_sums("g2", points, indptr, rows, coefs, constants)

    def secret_scalar(self) -> NumbaSecretScalar:
        return NumbaSecretScalar(self)


def _negated(points: U64, width: int) -> U64:
    """The opposite points, reduced."""
    values = checks.readonly(np.ascontiguousarray(points[:, width // 2 :]).reshape(-1, 4))
    opposite = np.empty(values.shape, np.uint64)
    vec_sub(checks.readonly(np.zeros_like(values)), values, opposite, FQ, 0, len(values))
    return np.hstack((points[:, : width // 2], opposite.reshape(len(points), -1)))


class NumbaSecretScalar:
    """A scalar in a buffer that kernels read; see :class:`zkrollup.engine.interface.SecretScalar`.

    What machine code left in registers and on its stack is out of reach here.
    """

    def __init__(self, engine: PointVectors) -> None:
        self._engine = engine
        self._buffer = np.zeros((2, 4), np.uint64)  # the scalar, its inverse
        self._open = True
        _draw(self._buffer[:1])
        while not accept(self._buffer):
            _draw(self._buffer[:1])

    def _secret(self, what: str) -> U64:
        if not self._open:
            raise EngineError(f"{what}: the secret scalar was wiped")
        return self._buffer

    def _scale(self, group: str, points: U64, inverse: bool) -> U64:
        what, like = f"secret {group}_scale", GROUPS[group][1]
        secret = checks.readonly(self._secret(what)[1:] if inverse else self._secret(what)[:1])
        points = self._engine._group_points(f"{what}: points", group, points)
        out = np.empty(points.shape, np.uint64)
        self._engine._ranges(len(points), 16, lambda i, j: scale(points, secret, 0, out, i, j, like))
        return out

    def g1_scale(self, points: U64, *, inverse: bool = False) -> U64:
        return self._scale("g1", points, inverse)

    def g2_scale(self, points: U64, *, inverse: bool = False) -> U64:
        return self._scale("g2", points, inverse)

    def _scale_powers(
        self, group: str, points: U64, start: NumbaSecretScalar | None, first_exponent: int
    ) -> U64:
        what, like = f"secret {group}_scale_powers", GROUPS[group][1]
        secret = checks.readonly(self._secret(what))
        points = self._engine._group_points(f"{what}: points", group, points)
        if start is None:
            begin = np.array([FR_ONE], np.uint64)
        elif isinstance(start, NumbaSecretScalar):
            begin = start._secret(f"{what}: start")
        else:
            raise EngineError(
                f"{what}: start: expected a secret scalar of the numba engine, got {type(start).__name__}"
            )
        if (
            isinstance(first_exponent, bool)
            or not isinstance(first_exponent, int)
            or not 0 <= first_exponent < MAX_EXPONENT
        ):
            raise EngineError(
                f"{what}: first_exponent: expected an integer in 0..2^63-1, got {first_exponent!r}"
            )
        out = np.empty(points.shape, np.uint64)
        begin = checks.readonly(begin)
        first = np.uint64(first_exponent)
        self._engine._ranges(
            len(points),
            16,
            lambda i, j: scale_powers(points, secret, begin, first, out, i, j, like),
        )
        return out

    def g1_scale_powers(
        self, points: U64, start: NumbaSecretScalar | None = None, first_exponent: int = 0
    ) -> U64:
        return self._scale_powers("g1", points, start, first_exponent)

    def g2_scale_powers(
        self, points: U64, start: NumbaSecretScalar | None = None, first_exponent: int = 0
    ) -> U64:
        return self._scale_powers("g2", points, start, first_exponent)

    def wipe(self) -> None:
        self._open = False
        self._buffer.fill(0)

    def __enter__(self) -> NumbaSecretScalar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def __del__(self) -> None:
        if hasattr(self, "_buffer"):
            self._buffer.fill(0)


def _draw(buffer: U64) -> None:
    """Random bytes from the operating system, straight into the buffer."""
    view = buffer.view(np.uint8).reshape(-1).data
    with open("/dev/urandom", "rb", buffering=0) as source:
        filled = 0
        while filled < len(view):
            filled += source.readinto(view[filled:]) or 0
