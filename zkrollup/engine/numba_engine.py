"""The numba engine: all of the engine interface without a C compiler, and the native engine's twin.

This module must not know circuits, gadgets or rollup rules. It checks arguments, cuts work into ranges
and hands them to kernels, which run on threads of its own and release the interpreter's lock (numba's
own threading layers are left alone: not all of them bear calls from several threads).

The first call of a method in a fresh installation compiles its kernels, which takes seconds; they are
cached on disk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.engine import file_arrays
from zkrollup.engine import numba_blake2b as blake2b
from zkrollup.engine import numba_checks as checks
from zkrollup.engine import numba_circuit as circuit
from zkrollup.engine import numba_curve as curve
from zkrollup.engine import numba_field as field
from zkrollup.engine import numba_ntt as transform
from zkrollup.engine import numba_pairing as pairing
from zkrollup.engine import numba_setup as trusted
from zkrollup.engine.blake2b_tables import require_blocks
from zkrollup.engine.convert import FQ_MODULUS, FR_MODULUS
from zkrollup.engine.interface import (
    U64,
    Block,
    EngineError,
    Layout,
    Matrix,
    PoseidonParameters,
    Program,
    ProofSums,
    ProvingQueries,
    SetupResult,
    ZkeyEntries,
)
from zkrollup.engine.numba_points import PointVectors
from zkrollup.engine.prove_memory import query_lengths, release, steps_within

__all__ = ["NumbaEngine", "Progress"]

MAX_DOMAIN_BITS = 28
TWIDDLES_KEPT = 3

Task = Callable[[], object]
Progress = Callable[[str, int, int], None]
"""Called with a phase's name, how many of its points are done, and how many there are."""


class _Group:
    """What tells G1 from G2 here: the width of an affine point, and a zero of its field."""

    def __init__(self, name: str, width: int, zero: Any, b: Any) -> None:
        self.name = name
        self.width = width
        self.zero = zero
        self.b = b


_G1 = _Group("g1", 8, field.ZERO, curve.G1_B)
_G2 = _Group("g2", 16, curve.FQ2_ZERO, curve.G2_B)

_FIELDS = {
    "fr": (field.FR, field.FR_ONE, field.FR_SQUARED),
    "fq": (field.FQ, field.FQ_ONE, field.words(pow(2, 512, FQ_MODULUS))),
}


class NumbaEngine(PointVectors):
    """All of :class:`zkrollup.engine.interface.Engine` in numba; see there for shapes and encodings."""

    name = "numba"
    cpu = "numba"

    def __init__(self, *, threads: int | None = None) -> None:
        """``threads``: 1..1024; None takes every core this process may use."""
        if threads is None:
            affinity = getattr(os, "sched_getaffinity", None)
            threads = len(affinity(0)) if affinity else os.cpu_count() or 1
        if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
            raise EngineError(f"threads: expected an integer in 1..1024, got {threads!r}")
        self.threads: int = threads
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._pool_owner = 0
        self._twiddles: dict[int, U64] = {}

    # -- threads -------------------------------------------------------------------------------
    def _run(self, tasks: Sequence[Task]) -> None:
        """Run tasks that do not depend on each other, on all threads; the first error is raised."""
        if self.threads == 1 or len(tasks) == 1:
            for task in tasks:
                task()
            return
        with self._lock:
            if self._pool is None or self._pool_owner != os.getpid():  # threads do not survive a fork
                self._pool = ThreadPoolExecutor(self.threads, "zkrollup-numba")
                self._pool_owner = os.getpid()
            futures = [self._pool.submit(task) for task in tasks]
        for future in futures:
            future.result()

    def _ranges(self, count: int, grain: int, work: Callable[[int, int], object]) -> None:
        """Run ``work(start, stop)`` over 0..count-1 in ranges of at least about ``grain``."""
        if count:
            pieces = max(1, min(4 * self.threads if self.threads > 1 else 1, count // grain))
            cuts = [count * i // pieces for i in range(pieces + 1)]
            self._run([_bind(work, cuts[i], cuts[i + 1]) for i in range(pieces)])

    # -- field vectors ---------------------------------------------------------------------------
    def _unary(self, name: str, a: U64) -> tuple[U64, U64]:
        a = checks.vector(f"{name}: a", a, None, name[:2])
        return a, np.empty(a.shape, np.uint64)

    def _scale(self, name: str, a: U64, factor: Any) -> U64:
        a, out = self._unary(name, a)
        p = _FIELDS[name[:2]][0]
        self._ranges(len(a), 4096, lambda i, j: field.vec_scale(a, factor, out, p, i, j))
        return out

    def _inverse(self, name: str, a: U64) -> U64:
        a, out = self._unary(name, a)
        p, one, _ = _FIELDS[name[:2]]
        self._ranges(len(a), 1024, lambda i, j: field.vec_inverse(a, out, one, p, i, j))
        return out

    def _binary(self, name: str, kernel: Callable[..., None], a: U64, b: U64) -> U64:
        a, out = self._unary(name, a)
        b = checks.vector(f"{name}: b", b, len(a), name[:2])
        p = _FIELDS[name[:2]][0]
        self._ranges(len(a), 4096, lambda i, j: kernel(a, b, out, p, i, j))
        return out

    def fr_to_mont(self, canonical: U64) -> U64:
        return self._scale("fr_to_mont", canonical, _FIELDS["fr"][2])

    def fr_from_mont(self, mont: U64) -> U64:
        return self._scale("fr_from_mont", mont, field.ONE)

    def fq_to_mont(self, canonical: U64) -> U64:
        return self._scale("fq_to_mont", canonical, _FIELDS["fq"][2])

    def fq_from_mont(self, mont: U64) -> U64:
        return self._scale("fq_from_mont", mont, field.ONE)

    def fr_add(self, a: U64, b: U64) -> U64:
        return self._binary("fr_add", field.vec_add, a, b)

    def fr_sub(self, a: U64, b: U64) -> U64:
        return self._binary("fr_sub", field.vec_sub, a, b)

    def fr_mul(self, a: U64, b: U64) -> U64:
        return self._binary("fr_mul", field.vec_mul, a, b)

    def fr_mul_repeat(self, a: U64, b: U64, rounds: int) -> U64:
        a = checks.vector("fr_mul_repeat: a", a, 32, "fr")
        if not isinstance(b, np.ndarray) or b.shape != (4,):
            raise EngineError("fr_mul_repeat: b: expected shape (4)")
        b = checks.vector("fr_mul_repeat: b", b.reshape(1, 4), 1, "fr")
        if not 0 <= rounds < 1 << 40:
            raise EngineError(f"fr_mul_repeat: rounds: expected 0 .. 2^40 - 1, got {rounds}")
        out = np.array(a)
        field.vec_repeat(out, tuple(b[0]), _FIELDS["fr"][0], rounds)
        return out

    def fr_inverse(self, a: U64) -> U64:
        return self._inverse("fr_inverse", a)

    def fq_add(self, a: U64, b: U64) -> U64:
        return self._binary("fq_add", field.vec_add, a, b)

    def fq_sub(self, a: U64, b: U64) -> U64:
        return self._binary("fq_sub", field.vec_sub, a, b)

    def fq_mul(self, a: U64, b: U64) -> U64:
        return self._binary("fq_mul", field.vec_mul, a, b)

    def fq_inverse(self, a: U64) -> U64:
        return self._inverse("fq_inverse", a)

    # -- NTT -------------------------------------------------------------------------------------
    def _domain(self, name: str, a: U64) -> tuple[U64, int]:
        a = checks.vector(f"{name}: a", a)
        n = len(a)
        if n == 0 or n & (n - 1) or n > 1 << MAX_DOMAIN_BITS:
            raise EngineError(
                f"{name}: a: expected a power of two up to 2^{MAX_DOMAIN_BITS} of rows, got {n}"
            )
        return a, n.bit_length() - 1

    def _twiddle(self, bits: int) -> U64:
        """Powers of w below w^(n/2), kept for the last few sizes."""
        with self._lock:
            table = self._twiddles.get(bits)
        if table is None:
            half = 1 << max(0, bits - 1)
            fresh = np.empty((half, 4), np.uint64)
            w = field.mont_words(transform.root_of_unity(1 << bits), FR_MODULUS)
            self._ranges(half, 4096, lambda i, j: transform.fill_powers(fresh, w, i, j))
            table = checks.readonly(fresh)
            with self._lock:
                self._twiddles[bits] = table
                while len(self._twiddles) > TWIDDLES_KEPT:
                    del self._twiddles[next(iter(self._twiddles))]
        return table

    def _transform(self, a: U64, bits: int, base: Any) -> U64:
        """Values of sum_i a[i] (base X)^i at the powers of w."""
        n = 1 << bits
        out = np.empty((n, 4), np.uint64)
        self._ranges(n, 4096, lambda i, j: transform.scatter_reversed(a, out, bits, base, i, j))
        if bits == 0:
            return out
        twiddles = self._twiddle(bits)
        share_bits = min((self.threads - 1).bit_length(), max(0, bits - 10))
        part = n >> 1 >> share_bits
        alone = bits - share_bits

        def passes(first: int, last: int) -> None:
            self._run(
                [
                    _bind(transform.butterflies, out, twiddles, bits, first, last, k * part, (k + 1) * part)
                    for k in range(1 << share_bits)
                ]
            )

        passes(0, alone)
        for level in range(alone, bits):
            passes(level, level + 1)
        return out

    def ntt(self, a: U64, *, coset: bool = False) -> U64:
        a, bits = self._domain("ntt", a)
        g = transform.root_of_unity(2 << bits) if coset else 1
        return self._transform(a, bits, field.mont_words(g, FR_MODULUS))

    def intt(self, a: U64, *, coset: bool = False) -> U64:
        a, bits = self._domain("intt", a)
        mirrored = checks.readonly(self._transform(a, bits, field.FR_ONE))
        out = np.empty(a.shape, np.uint64)
        scale = field.mont_words(pow(1 << bits, -1, FR_MODULUS), FR_MODULUS)
        g = pow(transform.root_of_unity(2 << bits), -1, FR_MODULUS) if coset else 1
        base = field.mont_words(g, FR_MODULUS)
        self._ranges(len(a), 4096, lambda i, j: transform.scale_by_powers(mirrored, out, scale, base, i, j))
        return out

    # -- curve -----------------------------------------------------------------------------------
    def _points(self, what: str, group: _Group, points: U64, count: int | None = None) -> U64:
        points = checks.array(what, points, (count, group.width))
        checks.reduced(what, points, "fq")
        return points

    def _msm(self, group: _Group, bases: U64, scalars: U64) -> U64:
        name = f"{group.name}_msm"
        bases = self._points(f"{name}: bases", group, bases)
        scalars = checks.vector(f"{name}: scalars", scalars, len(bases))
        n = len(bases)
        out = np.zeros((1, group.width), np.uint64)
        if n:
            bits = min(range(2, 16), key=lambda c: -(-_windows(c) // self.threads) * (n + 3 * (1 << c) // 2))
            windows = _windows(bits)
            fresh = np.empty((windows, n), np.int16)
            self._ranges(n, 4096, lambda i, j: curve.msm_digits(scalars, fresh, bits, i, j))
            digits = checks.readonly(fresh)
            sums = np.empty((windows, 2 * group.width), np.uint64)
            half = 1 << (bits - 1)
            self._run(
                [_bind(curve.msm_window, bases, digits, sums, w, half, group.zero) for w in range(windows)]
            )
            curve.msm_combine(sums, out, bits, group.zero)
        return out[0]

    def g1_msm(self, bases: U64, scalars: U64) -> U64:
        return self._msm(_G1, bases, scalars)

    def g2_msm(self, bases: U64, scalars: U64) -> U64:
        return self._msm(_G2, bases, scalars)

    def _fixed_base(self, group: _Group, base: U64, scalars: U64) -> U64:
        name = f"{group.name}_fixed_base"
        row = checks.array(f"{name}: base", base, (group.width,))
        checks.reduced(f"{name}: base", row, "fq")
        scalars = checks.vector(f"{name}: scalars", scalars)
        n = len(scalars)
        out = np.empty((n, group.width), np.uint64)
        if n:
            bits = min(range(2, 14), key=lambda c: _windows(c) * (n + 3 * (1 << (c - 1)) // 2))
            windows = _windows(bits)
            half = 1 << (bits - 1)
            point = checks.readonly(row.reshape(1, -1))
            fresh = np.empty((windows * half, group.width), np.uint64)
            self._run(
                [_bind(curve.fixed_table, point, fresh, bits, w, half, group.zero) for w in range(windows)]
            )
            table = checks.readonly(fresh)
            self._ranges(
                n, 256, lambda i, j: curve.fixed_base(table, scalars, out, bits, half, i, j, group.zero)
            )
        return out

    def g1_fixed_base(self, base: U64, scalars: U64) -> U64:
        return self._fixed_base(_G1, base, scalars)

    def g2_fixed_base(self, base: U64, scalars: U64) -> U64:
        return self._fixed_base(_G2, base, scalars)

    def _add_points(self, group: _Group, a: U64, b: U64) -> U64:
        a = self._points(f"{group.name}_add: a", group, a)
        b = self._points(f"{group.name}_add: b", group, b, len(a))
        out = np.empty(a.shape, np.uint64)
        self._ranges(len(a), 256, lambda i, j: curve.pairwise_add(a, b, out, i, j, group.zero))
        return out

    def g1_add(self, a: U64, b: U64) -> U64:
        return self._add_points(_G1, a, b)

    def g2_add(self, a: U64, b: U64) -> U64:
        return self._add_points(_G2, a, b)

    def _good_points(self, group: _Group, points: U64, subgroup: bool) -> npt.NDArray[np.bool_]:
        out = np.empty(len(points), np.bool_)
        self._ranges(
            len(points),
            16 if subgroup else 4096,
            lambda i, j: curve.check_points(points, out, group.b, subgroup, i, j),
        )
        return out

    def g1_is_on_curve(self, points: U64) -> npt.NDArray[np.bool_]:
        points = checks.array("g1_is_on_curve: points", points, (None, _G1.width))
        return self._good_points(_G1, points, False)

    def g2_is_in_subgroup(self, points: U64) -> npt.NDArray[np.bool_]:
        points = checks.array("g2_is_in_subgroup: points", points, (None, _G2.width))
        return self._good_points(_G2, points, True)

    # -- circuits --------------------------------------------------------------------------------
    def poseidon(self, parameters: PoseidonParameters, inputs: U64) -> U64:
        constants, mds = checks.poseidon_parameters(parameters)
        inputs = checks.array("poseidon: inputs", inputs, (None, parameters.t - 1, 4))
        checks.reduced("poseidon: inputs", inputs)
        constants = checks.readonly(self.fr_to_mont(constants))
        mds = checks.readonly(self.fr_to_mont(mds))
        out = np.empty((len(inputs), 4), np.uint64)
        full, partial = int(parameters.rounds_full), int(parameters.rounds_partial)
        self._ranges(
            len(inputs),
            16,
            lambda i, j: circuit.poseidon(inputs, constants, mds, full, partial, out, i, j),
        )
        return out

    def replay(self, program: Program, links: U64, inputs: U64, out: U64 | None = None) -> U64:
        tape, constants, temporaries = checks.program(program)
        links, inputs = checks.instances(program, links, inputs)
        shape = (len(links), int(program.num_own), 4)
        if out is None:
            out = np.empty(shape, np.uint64)
        else:
            checks.array("replay: out", out, shape)
            if not out.flags.writeable:
                raise EngineError("replay: out: the array is read-only")
            if np.may_share_memory(out, links) or np.may_share_memory(out, inputs):
                raise EngineError("replay: out: expected memory apart from links and inputs")
        own = out
        self._ranges(
            len(links),
            1,
            lambda i, j: circuit.replay(tape, constants, temporaries, links, inputs, own, i, j),
        )
        return out

    def _products(
        self, layout: Layout, witness: U64, rows: int, which: tuple[str, ...]
    ) -> list[npt.NDArray[np.uint64]]:
        """Products of the matrices named with the witness, in buffers of ``rows`` rows, zeros after."""
        results = []
        for name in which:
            out = np.zeros((rows, 4), np.uint64)
            for block in layout.blocks:
                self._block_products(block, getattr(block, name), witness, out)
            results.append(out)
        return results

    def _block_products(self, block: Block, matrix: Matrix, witness: U64, out: U64) -> None:
        count = block.instances * block.num_rows
        target = out[block.row_base : block.row_base + count]
        self._ranges(
            count,
            512,
            lambda i, j: circuit.products(
                matrix.indptr,
                matrix.cols,
                matrix.coefs,
                block.constants,
                block.links,
                block.own_base,
                block.num_own,
                block.num_rows,
                witness,
                target,
                i,
                j,
            ),
        )

    def r1cs_products(self, layout: Layout, witness: U64) -> tuple[U64, U64, U64]:
        layout = checks.layout("r1cs_products", layout)
        witness = checks.vector("r1cs_products: witness", witness, layout.num_columns)
        a, b, c = self._products(layout, witness, layout.num_rows, ("a", "b", "c"))
        return a, b, c

    def r1cs_violations(self, layout: Layout, witness: U64) -> npt.NDArray[np.int64]:
        layout = checks.layout("r1cs_violations", layout)
        witness = checks.vector("r1cs_violations: witness", witness, layout.num_columns)
        a, b, c = self._products(layout, witness, layout.num_rows, ("a", "b", "c"))
        out = np.empty(layout.num_rows, np.bool_)
        self._ranges(layout.num_rows, 4096, lambda i, j: circuit.violations(a, b, c, out, i, j))
        return np.flatnonzero(out).astype(np.int64)

    # -- ceremonies ----------------------------------------------------------------------------------

    def blake2b_blocks(self, chain: U64, blocks: npt.NDArray[np.uint8], hashed: int) -> U64:
        out = checks.array("blake2b_blocks: chain", chain, (8,)).copy()
        data = checks.array("blake2b_blocks: blocks", blocks, (None,), np.uint8)
        require_blocks(len(data), hashed)
        words = np.require(data.view("<u8"), dtype=np.uint64, requirements="A")
        blake2b.compress_blocks(out, checks.readonly(words.reshape(-1, 16)), np.uint64(hashed))
        return out

    # -- Groth16 -----------------------------------------------------------------------------------
    def _domain_size(self, what: str, layout: Layout) -> int:
        size = layout.domain_size
        if size > 1 << (MAX_DOMAIN_BITS - 1):  # the doubled domain must exist as well
            raise EngineError(f"{what}: {layout.num_rows} rows need a domain above 2^{MAX_DOMAIN_BITS - 1}")
        return size

    def groth16_quotient(self, layout: Layout, witness: U64) -> U64:
        layout = checks.layout("groth16_quotient", layout)
        witness = checks.vector("groth16_quotient: witness", witness, layout.num_columns)
        size = self._domain_size("groth16_quotient", layout)
        a, b = self._products(layout, witness, size, ("a", "b"))
        public = layout.num_public + 1
        a[layout.num_rows : layout.num_rows + public] = witness[:public]
        a, b, c = (self.ntt(self.intt(x), coset=True) for x in (a, b, self.fr_mul(a, b)))
        return self.fr_sub(self.fr_mul(a, b), c)

    def groth16_sums(
        self, key: ProvingQueries, layout: Layout, witness: U64, *, memory: int | None = None
    ) -> ProofSums:
        """One sum after the other; with ``memory``, within a bound that is checked beforehand."""
        what = "groth16_sums"
        steps = []
        if memory is not None:
            steps = steps_within(memory, key, layout, self.threads)
        columns = checks.array(f"{what}: b_columns", key.b_columns, (None,), np.uint32)
        witness = checks.vector(f"{what}: witness", witness, layout.num_columns)
        if len(columns) and (int(columns.max()) >= len(witness) or np.any(columns[1:] <= columns[:-1])):
            raise EngineError(f"{what}: b_columns: expected columns below {len(witness)}, ascending")
        lengths = query_lengths(what, key, layout)
        points = {}
        for name, count in lengths.items():
            width = 16 if name == "b2" else 8
            array = checks.array(f"{what}: {name}", getattr(key, name), (count, width))
            points[name] = np.require(array, requirements="A")
        in_b = np.ascontiguousarray(witness[columns])
        b1, b2 = (
            np.ascontiguousarray(points[name][columns]) if lengths[name] != len(columns) else points[name]
            for name in ("b1", "b2")
        )
        sums = ProofSums(
            a=self.g1_msm(points["a"], witness),
            b1=self.g1_msm(b1, in_b),
            b2=self.g2_msm(b2, in_b),
            l=self.g1_msm(points["l"], witness[layout.num_public + 1 :]),
            h=self.g1_msm(points["h"], self.groth16_quotient(layout, witness)),
        )
        for step in steps:
            release(key, step)
        return sums

    def groth16_setup(self, layout: Layout, progress: Progress | None = None) -> SetupResult:
        """A key from fresh randomness; see :class:`SetupResult`.

        ``progress`` hears of the phases "scalars", "a", "b1", "b2", "l", "h" as they begin and end.
        When it raises, the setup ends.
        Every buffer with a secret or a value derived from one is wiped, also when an error is raised.
        What machine code left in registers and on its stack is out of reach here.
        """
        layout = checks.layout("groth16_setup", layout)
        size = self._domain_size("groth16_setup", layout)
        held: list[U64] = []

        def buffer(rows: int) -> U64:
            fresh = np.zeros((rows, 4), np.uint64)
            held.append(fresh)
            return fresh

        try:
            return self._setup(layout, size, buffer, progress or _no_progress)
        finally:
            for secret in held:
                secret.fill(0)

    def _setup(
        self, layout: Layout, size: int, buffer: Callable[[int], U64], progress: Progress
    ) -> SetupResult:
        progress("scalars", 0, 1)
        secrets = buffer(trusted.NUM_SECRETS)
        _random_fill(secrets)
        while not trusted.accept_secrets(secrets, size):
            _random_fill(secrets)
        w = field.mont_words(transform.root_of_unity(size), FR_MODULUS)
        g = field.mont_words(transform.root_of_unity(2 * size), FR_MODULUS)
        factor = buffer(1)

        # A_j, B_j, C_j at tau: the matrices' columns against the Lagrange polynomials of the rows.
        trusted.vanishing(secrets, size, field.mont_words(pow(size, -1, FR_MODULUS), FR_MODULUS), factor)
        basis = buffer(size)
        self._ranges(size, 1024, lambda i, j: trusted.lagrange(secrets, factor, basis, field.FR_ONE, w, i, j))
        evaluations = {name: buffer(layout.num_columns) for name in ("a", "b", "c")}
        self._run([_bind(_accumulate, layout, name, basis, out) for name, out in evaluations.items()])
        a, b, c = evaluations["a"], evaluations["b"], evaluations["c"]
        public = layout.num_public + 1
        rows = basis[layout.num_rows : layout.num_rows + public]
        field.vec_add(checks.readonly(a[:public]), checks.readonly(rows), a[:public], field.FR, 0, public)

        l_and_ic = buffer(layout.num_columns)
        for divisor, start, stop in (
            (trusted.GAMMA, 0, public),
            (trusted.DELTA, public, layout.num_columns),
        ):
            trusted.combine(secrets, divisor, a, b, c, l_and_ic, start, stop)

        # The odd Lagrange polynomials of the doubled domain over delta.
        trusted.vanishing(
            secrets, 2 * size, field.mont_words(pow(2 * size, -1, FR_MODULUS), FR_MODULUS), factor
        )
        inverse = buffer(1)
        delta = checks.readonly(secrets[trusted.DELTA : trusted.DELTA + 1])
        field.vec_inverse(delta, inverse, field.FR_ONE, field.FR, 0, 1)
        field.vec_mul(checks.readonly(factor), checks.readonly(inverse), factor, field.FR, 0, 1)
        quotient = buffer(size)
        self._ranges(size, 1024, lambda i, j: trusted.lagrange(secrets, factor, quotient, g, w, i, j))

        b_columns = np.flatnonzero(b.any(axis=1)).astype(np.uint32)
        b_used = buffer(len(b_columns))
        np.take(b, b_columns, axis=0, out=b_used, mode="clip")  # the other modes keep a copy

        progress("scalars", 1, 1)

        one, two = _generators()

        def points(phase: str, group: _Group, scalars: U64) -> U64:
            progress(phase, 0, len(scalars))
            result = self._fixed_base(group, one if group is _G1 else two, scalars)
            progress(phase, len(scalars), len(scalars))
            return result

        heads1 = self._fixed_base(_G1, one, secrets[trusted.ALPHA :])
        heads2 = self._fixed_base(_G2, two, secrets[trusted.ALPHA :])
        head = trusted.ALPHA
        return SetupResult(
            alpha1=heads1[0].copy(),
            beta1=heads1[trusted.BETA - head].copy(),
            delta1=heads1[trusted.DELTA - head].copy(),
            beta2=heads2[trusted.BETA - head].copy(),
            gamma2=heads2[trusted.GAMMA - head].copy(),
            delta2=heads2[trusted.DELTA - head].copy(),
            ic=self._fixed_base(_G1, one, l_and_ic[:public]),
            a=points("a", _G1, a),
            b_columns=b_columns,
            b1=points("b1", _G1, b_used),
            b2=points("b2", _G2, b_used),
            l=points("l", _G1, l_and_ic[public:]),
            h=points("h", _G1, quotient),
        )

    def fr_from_bytes(self, data: npt.NDArray[np.uint8]) -> U64:
        return self.fr_to_mont(file_arrays.scalars(data))

    def zkey_entries(
        self, data: npt.NDArray[np.uint8], domain: int, columns: int, num_public: int
    ) -> ZkeyEntries:
        return file_arrays.zkey_entries(data, domain, columns, num_public)

    def r1cs_terms(
        self, data: npt.NDArray[np.uint8], rows: int, columns: int
    ) -> tuple[Matrix, Matrix, Matrix, U64]:
        return file_arrays.r1cs_terms(data, rows, columns)

    def groth16_verify(self, vk: bytes, proofs: U64, public: U64) -> npt.NDArray[np.bool_]:
        if not isinstance(vk, bytes):
            raise EngineError(f"groth16_verify: vk: expected bytes, got {type(vk).__name__}")
        if len(vk) < 512 or len(vk) % 64:
            raise EngineError(f"groth16_verify: vk: expected 512 + 64 n bytes, got {len(vk)}")
        proofs = checks.array("groth16_verify: proofs", proofs, (None, 32))
        public = checks.array("groth16_verify: public", public, (len(proofs), len(vk) // 64 - 8, 4))
        key = self._verifying_key(vk)
        m = len(proofs)
        good = np.ones(m, np.bool_)
        parts = {}
        for name, group, start in (("a", _G1, 0), ("b", _G2, 8), ("c", _G1, 24)):
            points = checks.readonly(np.ascontiguousarray(proofs[:, start : start + group.width]))
            good &= points.any(axis=1) & self._good_points(group, points, group is _G2)
            parts[name] = points
        flags = np.empty(public.shape[0] * public.shape[1], np.bool_)
        rows = checks.readonly(public.reshape(-1, 4))
        field.reduced_flags(rows, flags, field.FR, 0, len(rows))
        good &= flags.reshape(public.shape[:2]).all(axis=1)
        table, bits = pairing.frobenius_table(), pairing.loop_bits()
        self._ranges(
            m,
            1,
            lambda i, j: pairing.verify_proofs(
                key["alpha1"],
                key["beta2"],
                key["gamma2"],
                key["delta2"],
                key["ic"],
                parts["a"],
                parts["b"],
                parts["c"],
                public,
                table,
                bits,
                good,
                i,
                j,
            ),
        )
        return good

    def _verifying_key(self, vk: bytes) -> dict[str, U64]:
        """The points of a verifying key; EngineError unless they are ones that a setup may leave."""
        what = "groth16_verify: vk"
        flat = np.frombuffer(vk, "<u8").astype(np.uint64)
        if np.array_equal(flat[24:40], flat[40:56]):
            raise EngineError(f"{what}: gamma2 equals delta2, so anyone can forge proofs for this key")
        key = {
            "alpha1": flat[:8].reshape(1, 8),
            "beta2": flat[8:24].reshape(1, 16),
            "gamma2": flat[24:40].reshape(1, 16),
            "delta2": flat[40:56].reshape(1, 16),
            "ic": flat[56:].reshape(-1, 8),
        }
        for name, points in key.items():
            key[name] = checks.readonly(points)
            group = _G1 if points.shape[1] == _G1.width else _G2
            bad = ~(points.any(axis=1) & self._good_points(group, key[name], group is _G2))
            if bad.any():
                which = f"ic[{int(np.argmax(bad))}]" if name == "ic" else name
                raise EngineError(
                    f"{what}: {which} is not a finite point of its group with coordinates below the modulus q"
                )
        return key


def _bind(function: Callable[..., object], *arguments: Any) -> Task:
    return lambda: function(*arguments)


def _no_progress(phase: str, done: int, total: int) -> None:
    """Nobody listens."""


def _windows(bits: int) -> int:
    """Signed digits of that many bits that hold a scalar of 254 and its carry."""
    return -(-255 // bits)


def _random_fill(secrets: U64) -> None:
    """Random bytes from the operating system, straight into the buffer."""
    view = secrets.view(np.uint8).reshape(-1).data
    with open("/dev/urandom", "rb", buffering=0) as source:
        filled = 0
        while filled < len(view):
            filled += source.readinto(view[filled:]) or 0


def _accumulate(layout: Layout, name: str, basis: U64, out: U64) -> None:
    for block in layout.blocks:
        matrix: Matrix = getattr(block, name)
        trusted.accumulate(
            matrix.indptr,
            matrix.cols,
            matrix.coefs,
            block.constants,
            block.links,
            block.own_base,
            block.num_own,
            block.num_rows,
            block.row_base,
            basis,
            out,
        )


def _generators() -> tuple[U64, U64]:
    """The generators of EIP-196 and EIP-197, affine Montgomery."""
    one = [1, 2]
    two = [
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ]

    def rows(coordinates: list[int]) -> U64:
        return np.array([w for c in coordinates for w in field.mont_words(c, FQ_MODULUS)], np.uint64)

    return rows(one), rows(two)
