"""What an engine offers: bulk arithmetic on numpy buffers, and the plain data it works on.

This module must not know which engine exists, nor anything of circuits, gadgets or rollup rules.

Encodings. A field element is four little-endian 64-bit limbs, so a vector of n elements is a
C-contiguous ``numpy.uint64`` array of shape ``(n, 4)``. *Montgomery* means ``x * 2**256 mod p``,
*canonical* means ``0 <= x < p``; every name or docstring says which. A G1 point is affine, shape
``(8,)``: x then y, Montgomery; a G2 point has shape ``(16,)``: x.c0, x.c1, y.c0, y.c1, Montgomery,
for ``x = x.c0 + x.c1 * i``. The point at infinity is all zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "TEMPORARY",
    "Block",
    "Engine",
    "EngineError",
    "Layout",
    "Matrix",
    "Opcode",
    "PoseidonParameters",
    "Program",
    "SecretScalar",
    "ProofSums",
    "ProvingQueries",
    "SetupResult",
    "U32",
    "U64",
    "ZkeyEntries",
]

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]

TEMPORARY = 1 << 31
"""Set in an operand of a :class:`Program` that names a temporary instead of a local column."""


class EngineError(ValueError):
    """An engine refused its arguments: a wrong shape, encoding or index. Nothing was computed."""


class Opcode:
    """Instructions of a :class:`Program`.

    An instruction is a run of 32-bit words. Its first word is ``opcode | (total words << 8)``.
    ``dst``, ``a``, ``b`` are operands; ``k``, ``coef`` index ``Program.constants``.
    All hints are total functions: they never fail, whatever the operands.
    """

    MUL = 1  # dst a b              dst = a * b
    LC = 2  # dst k (a coef)*       dst = constants[k] + sum(constants[coef] * a)
    ADD = 3  # dst a b
    SUB = 4  # dst a b
    COPY = 5  # dst a
    BITS = 16  # dst a n            dst, dst+1, ... dst+n-1 = bits 0..n-1 of canonical a (n <= 254)
    INVERSE_OR_ZERO = 17  # dst a   1/a, or 0 when a = 0
    DIVIDE_OR_ZERO = 18  # dst a b  a/b, or 0 when b = 0
    IS_ZERO = 19  # dst a           1 when a = 0, else 0
    DIVMOD = 20  # q r a b          integer quotient and remainder of canonical a, b; (0, a) when b = 0
    LESS_THAN = 21  # dst a b       1 when canonical a < canonical b, else 0


@dataclass(frozen=True, eq=False)
class Program:
    """A recorded tape, replayed once for each instance of a template.

    Local columns: ``0 .. num_links-1`` are *links* (column 0 is always the constant one), wires that
    belong to somebody else; then come the template's ``num_own`` own wires, of which the first
    ``num_inputs`` are given by the caller and the others are written by instructions, each exactly
    once. An operand without :data:`TEMPORARY` is a local column; with it, its low 31 bits are the
    index of one of ``num_temporaries`` scratch values (these may be reused).
    ``constants`` (Montgomery, shape ``(k, 4)``) begins with 0, 1, -1.
    """

    words: U32
    constants: U64
    num_links: int
    num_inputs: int
    num_own: int
    num_temporaries: int


@dataclass(frozen=True, eq=False)
class Matrix:
    """A sparse matrix in CSR form over local columns; ``coefs`` index ``Block.constants``."""

    indptr: U32  # rows + 1
    cols: U32
    coefs: U32


@dataclass(frozen=True, eq=False)
class Block:
    """``instances`` copies of one template's rows: uniform R1CS.

    A local column ``c < num_links`` of instance i is the global column ``links[i, c]``; otherwise it
    is ``own_base + i * num_own + (c - num_links)``. ``links[:, 0]`` is 0, the constant one.
    Row j of instance i is the global row ``row_base + i * num_rows + j``.
    """

    num_rows: int
    num_links: int
    num_own: int
    instances: int
    a: Matrix
    b: Matrix
    c: Matrix
    constants: U64  # Montgomery, begins with 0, 1, -1
    links: U32  # (instances, num_links)
    own_base: int
    row_base: int


@dataclass(frozen=True, eq=False)
class Layout:
    """A whole R1CS: columns ``[1, public_1 .. public_n, wires of block 0, wires of block 1, ...]``."""

    num_columns: int
    num_public: int
    num_rows: int
    blocks: tuple[Block, ...]

    @property
    def domain_size(self) -> int:
        """The power of two that holds all rows and one row per public column and the constant.

        Those ``num_public + 1`` additional rows have A = that column, B = C = 0; they follow the last
        row and make the A-polynomials of public columns independent (as snarkjs and libsnark do).
        """
        need = self.num_rows + self.num_public + 1
        return max(2, 1 << (need - 1).bit_length())


@dataclass(frozen=True, eq=False)
class PoseidonParameters:
    """Parameters of one Poseidon width t over Fr, canonical; S-box x^5.

    ``round_constants`` has shape ``((full + partial) * t, 4)``, ``mds`` shape ``(t * t, 4)`` in
    row-major order (new_state[i] = sum_j mds[i, j] * state[j]).
    """

    t: int
    rounds_full: int
    rounds_partial: int
    round_constants: U64
    mds: U64


@dataclass(frozen=True, eq=False)
class ZkeyEntries:
    """A key's coefficients without the rows of its public columns; constants are Montgomery."""

    num_rows: int
    a: Matrix
    b: Matrix
    constants: U64


@dataclass(frozen=True, eq=False)
class SetupResult:
    """What a one-party Groth16 setup leaves behind; points affine Montgomery.

    ``h[i] = [L_(2i+1)(tau) / delta]_1`` where L are the Lagrange polynomials of the domain of twice
    the size, over powers of its generator w: the quotient is given by its values at the odd powers
    of w (snarkjs's convention). ``a[j] = [A_j(tau)]_1`` for every column; ``b1``/``b2`` only for the
    columns listed in ``b_columns`` (where B_j is not the zero polynomial);
    ``l[j] = [(beta A_j + alpha B_j + C_j)(tau) / delta]_1`` for the columns after the public ones;
    ``ic[j]`` the same over gamma for columns 0 .. num_public.
    """

    alpha1: U64
    beta1: U64
    delta1: U64
    beta2: U64
    gamma2: U64
    delta2: U64
    ic: U64
    a: U64
    b_columns: U32
    b1: U64
    b2: U64
    l: U64  # noqa: E741  (the name of the paper's query)
    h: U64


class SecretScalar(Protocol):
    """A uniform nonzero scalar s from the operating system that never becomes a number of Python's.

    A context manager: leaving it, or :meth:`wipe`, overwrites the scalar, and what is asked of it later
    raises :class:`EngineError`. Points are ``(n, 8)`` or ``(n, 16)``, affine Montgomery, of the group's
    prime order. Time and memory accesses do not depend on the scalar on the native engine's ifma path;
    on the others they do.
    """

    def g1_scale(self, points: U64, *, inverse: bool = False) -> U64: ...  # s points[i], or 1/s
    def g2_scale(self, points: U64, *, inverse: bool = False) -> U64: ...
    def g1_scale_powers(self, points: U64, start: Any = None, first_exponent: int = 0) -> U64: ...
    def g2_scale_powers(self, points: U64, start: Any = None, first_exponent: int = 0) -> U64: ...
    # start s^(first_exponent + i) points[i]; start: another secret scalar of the same engine, or None for one
    def wipe(self) -> None: ...
    def __enter__(self) -> SecretScalar: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ProvingQueries(Protocol):
    """The points of a key that a proof sums up, as :class:`SetupResult` has them.

    Arrays may be unaligned and read-only, as a mapped file has them. ``b1`` and ``b2`` hold a point for
    each column in ``b_columns``, or for each column, of which only those in ``b_columns`` are looked at.
    """

    @property
    def a(self) -> U64: ...
    @property
    def b_columns(self) -> U32: ...
    @property
    def b1(self) -> U64: ...
    @property
    def b2(self) -> U64: ...
    @property
    def l(self) -> U64: ...  # noqa: E743
    @property
    def h(self) -> U64: ...


@dataclass(frozen=True, eq=False)
class ProofSums:
    """The five sums over a key's points that a Groth16 proof consists of; affine Montgomery.

    ``a``: over all columns; ``b1``, ``b2``: over ``b_columns``; ``l``: over the columns after the public
    ones; ``h``: over the quotient's values. G1 points have shape ``(8,)``, ``b2`` has ``(16,)``.
    """

    a: U64
    b1: U64
    b2: U64
    l: U64  # noqa: E741
    h: U64


class Engine(Protocol):
    """Bulk arithmetic. Every method checks shapes and raises :class:`EngineError`, never crashes.

    ``threads=None`` in the constructor means all cores this process may use.
    """

    name: str  # "native" or "numba"
    cpu: str  # "ifma", "adx", "portable"; "numba" for the numba engine
    threads: int

    # -- field vectors -------------------------------------------------------------------------
    def fr_to_mont(self, canonical: U64) -> U64: ...  # raises EngineError when an element is >= r
    def fr_from_mont(self, mont: U64) -> U64: ...
    def fq_to_mont(self, canonical: U64) -> U64: ...
    def fq_from_mont(self, mont: U64) -> U64: ...
    def fr_add(self, a: U64, b: U64) -> U64: ...  # Montgomery or canonical alike
    def fr_sub(self, a: U64, b: U64) -> U64: ...
    def fr_mul(self, a: U64, b: U64) -> U64: ...  # Montgomery
    def fr_mul_repeat(self, a: U64, b: U64, rounds: int) -> U64: ...
    # (32,4), (4,) Montgomery -> a * b^rounds by ``rounds`` products an element on one thread: their cost
    def fr_inverse(self, a: U64) -> U64: ...  # Montgomery; 0 maps to 0
    def fq_add(self, a: U64, b: U64) -> U64: ...
    def fq_sub(self, a: U64, b: U64) -> U64: ...
    def fq_mul(self, a: U64, b: U64) -> U64: ...
    def fq_inverse(self, a: U64) -> U64: ...

    # -- NTT over Fr, Montgomery, natural order in and out, length a power of two <= 2^28 --------
    # ntt: values at w^i; intt: the inverse. coset=True: values at g * w^i, where g is the generator
    # of the domain of twice the size (g^2 = w), so that ntt(coset=True) gives the odd powers of g.
    # w is 5^((r-1)/n): circom's and snarkjs's choice of root.
    def ntt(self, a: U64, *, coset: bool = False) -> U64: ...
    def intt(self, a: U64, *, coset: bool = False) -> U64: ...

    # -- curve ---------------------------------------------------------------------------------
    def g1_msm(self, bases: U64, scalars: U64) -> U64: ...  # (n,8), Montgomery scalars (n,4) -> (8,)
    def g2_msm(self, bases: U64, scalars: U64) -> U64: ...  # (n,16) -> (16,)
    def g1_fixed_base(self, base: U64, scalars: U64) -> U64: ...  # Montgomery scalars -> (n,8)
    def g2_fixed_base(self, base: U64, scalars: U64) -> U64: ...
    def g1_add(self, a: U64, b: U64) -> U64: ...  # pairwise, (n,8) -> (n,8), complete
    def g2_add(self, a: U64, b: U64) -> U64: ...
    def g1_is_on_curve(self, points: U64) -> npt.NDArray[np.bool_]: ...
    def g2_is_in_subgroup(self, points: U64) -> npt.NDArray[np.bool_]: ...

    # -- vectors of points, of the groups' prime order --------------------------------------------
    def g1_scale(self, points: U64, scalars: U64) -> U64: ...
    def g2_scale(self, points: U64, scalars: U64) -> U64: ...
    # out[i] = scalars[i] points[i]; Montgomery scalars (n, 4), or (1, 4) for one in common
    def g1_intt_points(self, points: U64) -> U64: ...
    def g2_intt_points(self, points: U64) -> U64: ...
    # out[i] = (1/n) sum_j w^(-ij) points[j], natural order, n a power of two <= 2^28, w as in ntt:
    # powers of tau become Lagrange polynomials at tau
    def g1_sparse_sums(self, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64) -> U64: ...
    def g2_sparse_sums(self, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64) -> U64: ...
    # out[j] = sum over e in indptr[j] .. indptr[j+1]-1 of constants[coefs[e]] points[rows[e]]; Montgomery
    # constants (k, 4). A column costs one scaling for each distinct constant but 1 and -1 in it.
    def secret_scalar(self) -> SecretScalar: ...

    # -- circuits --------------------------------------------------------------------------------
    def poseidon(self, parameters: PoseidonParameters, inputs: U64) -> U64: ...
    # inputs (n, t-1, 4) Montgomery -> (n, 4) Montgomery: state [0, inputs], first output (circomlib)
    def replay(self, program: Program, links: U64, inputs: U64, out: U64 | None = None) -> U64: ...
    # links (N, num_links, 4) with links[:,0] = 1, inputs (N, num_inputs, 4), Montgomery
    # -> (N, num_own, 4) Montgomery, written into ``out`` when given
    def r1cs_products(self, layout: Layout, witness: U64) -> tuple[U64, U64, U64]: ...
    # (num_rows, 4) each: A w, B w, C w, Montgomery
    def r1cs_violations(self, layout: Layout, witness: U64) -> npt.NDArray[np.int64]: ...

    # global rows with (A w)(B w) != (C w), ascending

    # -- Groth16 -----------------------------------------------------------------------------------
    def groth16_quotient(self, layout: Layout, witness: U64) -> U64: ...
    # (domain_size, 4) Montgomery: values of A B - C at the odd powers of the generator of the
    # doubled domain, C taken as the product of A and B at the domain (public rows included)
    def groth16_sums(
        self, key: ProvingQueries, layout: Layout, witness: U64, *, memory: int | None = None
    ) -> ProofSums: ...
    # witness (num_columns, 4) Montgomery. ``memory`` bounds the bytes taken at once beyond the arguments,
    # a mapped key's pages included (MemoryBoundError, an EngineError, when that is too little)
    def groth16_setup(
        self, layout: Layout, progress: Callable[[str, int, int], None] | None = None
    ) -> SetupResult: ...
    # Toxic waste comes from the operating system, never becomes a Python integer and is wiped.
    # progress(phase, done, total) hears of the phases scalars, a, b1, b2, l, h.
    def groth16_verify(self, vk: bytes, proofs: U64, public: U64) -> npt.NDArray[np.bool_]: ...

    # vk: alpha1 (8) | beta2 (16) | gamma2 (16) | delta2 (16) | ic ((1+n)*8) as little-endian uint64
    # bytes, Montgomery; proofs (m, 32): A (8) B (16) C (8), Montgomery; public (m, n, 4) CANONICAL.
    # False for a proof that does not hold; also for points off the curve or outside the subgroup,
    # coordinates >= q, points at infinity, and public inputs >= r.

    # -- files (zkrollup.engine.file_arrays; FileFault says what is wrong with the bytes) ----------
    def fr_from_bytes(self, data: npt.NDArray[np.uint8]) -> U64: ...

    # canonical elements, 32 bytes each, at any address -> (n, 4) Montgomery
    def zkey_entries(
        self, data: npt.NDArray[np.uint8], domain: int, columns: int, num_public: int
    ) -> ZkeyEntries: ...

    # entries of a .zkey, 44 bytes each: A and B by rows, in the order of the file within a row. The
    # native engine takes 8 bytes an entry and 8 a domain element, and 40 a distinct value at most.
    def r1cs_terms(
        self, data: npt.NDArray[np.uint8], rows: int, columns: int
    ) -> tuple[Matrix, Matrix, Matrix, U64]: ...

    # the constraints of an .r1cs: A, B, C and constants, canonical, beginning with 0, 1, -1

    # -- ceremonies --------------------------------------------------------------------------------
    def blake2b_blocks(self, chain: U64, blocks: npt.NDArray[np.uint8], hashed: int) -> U64: ...

    # BLAKE2b's chain value (8,) after whole blocks of 128 bytes, none of them the last, at any address;
    # ``hashed`` bytes came before, and with these fewer than 2^63. zkrollup.groth16.blake2b is the hash.
