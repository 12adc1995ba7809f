"""A circuit's key from powers of tau, the contributions to it, and the check of both: phase 2 of a ceremony.

The module must not know any circuit, nor see a secret: an engine draws, uses and wipes it.

Everything agrees with snarkjs to the bit, so that its ``zkey verify`` accepts keys made here and
:func:`verify_key` accepts its own.

The sums. With L_i the Lagrange polynomials of the circuit's domain of n rows, a prepared file of powers has
[L_i(tau)], [alpha L_i(tau)] and [beta L_i(tau)]. So column j, with entries A_ij, B_ij, C_ij, gets
A_j(tau) = sum_i A_ij L_i(tau), and beta A_j + alpha B_j + C_j likewise, without anybody knowing tau.

H. Let w be the root of order 2n. A B - C vanishes on the even powers of w, has degree below 2n, and so is the
sum of its values at the odd powers times those Lagrange polynomials, M_(2i+1), of the doubled domain. Writing
M_m(x) = 1/(2n) sum_(j<2n) w^(-mj) x^j and, for odd m, w^(-m(k+n)) = -w^(-mk),

    M_(2i+1)(tau) = 1/n sum_(k<n) w^(-2ik) [ w^(-k) / 2 (tau^k - tau^(k+n)) ],

an inverse NTT of n points. Backwards, for every k < n,

    tau^(k+n) - tau^k = sum_i w^(2ik) (-2 w^k) M_(2i+1)(tau),

which the check of H combines with random factors r_k: the factors of H are the values of sum_k -2 r_k x^k at
the odd powers. For k = n - 1 the power tau^(2n-1) may be missing from the file; no A B - C of a satisfied
circuit has that component, since its quotient by x^n - 1 has degree at most n - 2, so r_(n-1) = 0.

References: S. Bowe, A. Gabizon, I. Miers, "Scalable Multi-party Computation for zk-SNARK Parameters in the
Random Beacon Model", 2017; snarkjs 0.7, src/zkey_new.js, _contribute.js, _beacon.js, _verify_frominit.js.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.encoding import MalformedInput, g1_to_bytes, g2_to_bytes
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point
from zkrollup.bn254.pairing import pairing_check
from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.file_arrays import ZKEY_ENTRY
from zkrollup.engine.interface import U32, U64, Engine, Layout, Matrix, SetupResult
from zkrollup.formats.binfile import BinFile, BinFileWriter, FormatError
from zkrollup.formats.contributions import Beacon, Contribution, read_contributions, write_contributions
from zkrollup.formats.ptau import LagrangePoints, Ptau
from zkrollup.formats.zkey import read_sizes
from zkrollup.formats.zkey_write import MAX_DOMAIN

from .transcript import (
    ChaCha,
    beacon_generator,
    blake2b,
    g1_from_limbs,
    g1_to_limbs,
    g2_from_limbs,
    g2_to_limbs,
    hash_to_g2,
    limbs,
    uncompressed,
)

__all__ = [
    "MAX_ITERATIONS_EXP",
    "CheckedKey",
    "InvalidKey",
    "Progress",
    "PublicScalar",
    "checked",
    "circuit_hash",
    "contribute",
    "contribute_beacon",
    "contribution_hash",
    "minus_as_if_points",
    "nobody",
    "random_scalars",
    "require_beacon",
    "same_ratio",
    "setup_from_ptau",
    "verify_key",
]

Progress = Callable[[str, int, int], None]
"""Called with a phase's name, how many of its points are done, and how many there are."""

T = TypeVar("T")

_PIECE = 1 << 16  # points hashed, scaled or compared at a time
_HASHED_AT_ONCE = 1 << 14  # of snarkjs's differences for H, see circuit_hash
MAX_ITERATIONS_EXP = 32
"""The longest beacon that is computed or checked here: 2^32 hashes take about an hour."""

_HEADER_POINTS = (
    ("alpha1", 64),
    ("beta1", 64),
    ("beta2", 128),
    ("gamma2", 128),
    ("delta1", 64),
    ("delta2", 128),
)
_FQ_ONE = limbs(g1_to_limbs((1, 0)))[0, :4]
_IC, _COEFS, _A, _B1, _B2, _L, _H, _CONTRIBUTIONS = 3, 4, 5, 6, 7, 8, 9, 10


class InvalidKey(ValueError):
    """A key is not what its circuit, its powers of tau and its contributions make of it."""


@dataclass(frozen=True)
class CheckedKey:
    """What :func:`verify_key` found: the circuit's hash, and who contributed, with each one's hash."""

    circuit_hash: bytes
    contributions: tuple[tuple[Contribution, bytes], ...]


class _Scales(Protocol):
    """A number that multiplies points: a secret that an engine keeps, or a beacon's."""

    def g1_scale(self, points: U64, *, inverse: bool = False) -> U64: ...
    def g2_scale(self, points: U64, *, inverse: bool = False) -> U64: ...


# -- a key from powers of tau ------------------------------------------------------------------------


def setup_from_ptau(
    layout: Layout, ptau: Ptau, engine: Engine, progress: Progress | None = None
) -> SetupResult:
    """The key of a circuit before any contribution: gamma = delta = 1, so nobody may prove with it yet.

    ``layout`` must have all three matrices (a key's own layout has an empty C). Whether the powers are honest
    is for :func:`zkrollup.groth16.powers.verify_ptau`. A file that is not prepared works, and takes longer.
    Raises ValueError when the circuit needs more powers than there are.
    """
    tell = progress or nobody
    domain = layout.domain_size
    level = domain.bit_length() - 1
    if level > ptau.power:
        raise ValueError(
            f"{ptau.path}: powers for 2^{ptau.power} rows; the circuit needs 2^{level} for its "
            f"{layout.num_rows} constraints and {layout.num_public + 1} public columns"
        )
    if domain > MAX_DOMAIN:
        raise ValueError(f"a domain of 2^{level}: 2^{MAX_DOMAIN.bit_length() - 1} at most")
    lagrange = _lagrange(ptau, level, engine, tell)
    sums = _Sums(layout)

    tell("a", 0, 1)
    a = engine.g1_sparse_sums(_own(lagrange.tau_g1), *sums.csc([("a", 0)], identity=0))
    tell("b1", 0, 1)
    indptr, rows, coefs, constants = sums.csc([("b", 0)])
    b_columns = np.flatnonzero(np.diff(indptr)).astype(np.uint32)
    starts = np.append(indptr[b_columns], indptr[-1:]).astype(np.uint32)
    b1 = engine.g1_sparse_sums(_own(lagrange.tau_g1), starts, rows, coefs, constants)
    tell("b2", 0, 1)
    b2 = engine.g2_sparse_sums(_own(lagrange.tau_g2), starts, rows, coefs, constants)
    tell("l", 0, 1)
    points = np.concatenate([lagrange.beta_tau_g1, lagrange.alpha_tau_g1, lagrange.tau_g1]).astype(np.uint64)
    l_and_ic = engine.g1_sparse_sums(
        points, *sums.csc([("a", 0), ("b", domain), ("c", 2 * domain)], identity=0)
    )
    del points
    tell("h", 0, 1)
    h = _odd_lagrange(ptau, level, engine)
    tell("h", 1, 1)
    public = layout.num_public + 1
    generator1, generator2 = limbs(g1_to_limbs(g1.GENERATOR))[0], limbs(g2_to_limbs(g2.GENERATOR))[0]
    return SetupResult(
        alpha1=_own(ptau.alpha_tau_g1[0]),
        beta1=_own(ptau.beta_tau_g1[0]),
        delta1=generator1,
        beta2=_own(ptau.beta_g2),
        gamma2=generator2,
        delta2=generator2.copy(),
        ic=l_and_ic[:public].copy(),
        a=a,
        b_columns=b_columns,
        b1=b1,
        b2=b2,
        l=l_and_ic[public:].copy(),
        h=h,
    )


def circuit_hash(result: SetupResult, ptau: Ptau, engine: Engine) -> bytes:
    """The hash (64 bytes) that binds contributions to a circuit, of a key that nobody contributed to.

    BLAKE2b of alpha1, beta1, beta2, gamma2, delta1, delta2, then IC, the differences tau^(i+n) - tau^i for
    i < n - 1, L, A, B1, B2, each after its number (4 bytes, big-endian), all points uncompressed.

    snarkjs reads the differences 2^14 at a time and does not shorten the last piece, so from n = 2^15 on one
    more follows, for i = n - 1. Where the powers end before, it takes the 64 bytes of the file that follow
    section 2 as a point. This does the same.
    """
    h = blake2b()
    for point in (result.alpha1, result.beta1, result.beta2, result.gamma2, result.delta1, result.delta2):
        h.update(uncompressed(engine, point.reshape(1, -1)))
    n, wires = len(result.h), len(result.a)

    def absorb(points: U64, limbs: int, columns: U32 | None = None) -> None:
        h.update((len(points) if columns is None else wires).to_bytes(4, "big"))
        if columns is not None:  # the others are zero
            whole = np.zeros((wires, limbs), dtype=np.uint64)
            whole[columns] = points
            points = whole
        for begin in range(0, len(points), _PIECE):
            h.update(uncompressed(engine, points[begin : begin + _PIECE]))

    absorb(result.ic, 8)
    h.update((n - 1).to_bytes(4, "big"))
    for begin in range(0, n - 1, _PIECE):
        h.update(
            uncompressed(engine, _differences(ptau.tau_g1, n, begin, min(begin + _PIECE, n - 1), engine))
        )
    if n > _HASHED_AT_ONCE:
        if len(ptau.tau_g1) > 2 * n - 1:
            h.update(uncompressed(engine, _differences(ptau.tau_g1, n, n - 1, n, engine)))
        else:
            h.update(minus_as_if_points(ptau.following, ptau.tau_g1[n - 1].tobytes()))
    absorb(result.l, 8)
    absorb(result.a, 8)
    absorb(result.b1, 8, result.b_columns)
    absorb(result.b2, 16, result.b_columns)
    return h.digest()


def minus_as_if_points(p: bytes, q: bytes) -> bytes:
    """p - q, uncompressed, as snarkjs computes it for 64 bytes p whose halves may be no field elements.

    Its field operations correct a result once by the modulus, whatever that leaves, so for such halves the
    order of its formulas counts; this repeats them (Z = 2 (x2 - x1); wasmcurves, build_curve_jacobian_a0.js).
    """
    full, inverse = (1 << 256) - 1, -pow(FQ_MODULUS, -1, 1 << 256) % (1 << 256)

    def add(a: int, b: int) -> int:
        return (a + b - FQ_MODULUS if a + b >= FQ_MODULUS else a + b) & full

    def sub(a: int, b: int) -> int:
        return (a - b + (FQ_MODULUS if a < b else 0)) & full

    def mul(a: int, b: int) -> int:
        found = (a * b + (a * b * inverse & full) * FQ_MODULUS) >> 256
        return (found - FQ_MODULUS if found >= FQ_MODULUS else found) & full

    x1, y1, x2, y2 = (int.from_bytes(d[i : i + 32], "little") for d in (p, q) for i in (0, 32))
    y2 = sub(0, y2)
    h, slope = sub(x2, x1), sub(y2, y1)
    four = add(mul(h, h), mul(h, h))
    four = add(four, four)
    j, r, v = mul(h, four), add(slope, slope), mul(x1, four)
    x = sub(sub(mul(r, r), j), add(v, v))
    y = mul(y1, j)
    y = sub(mul(sub(v, x), r), add(y, y))
    # From Jacobian and Montgomery form to plain numbers, where only remainders count.
    shift = pow(1 << 256, -1, FQ_MODULUS)
    z = add(h, h) * shift % FQ_MODULUS
    if not z:
        return bytes(64)
    z = pow(z, -1, FQ_MODULUS)
    return g1_to_bytes((x * shift * z * z % FQ_MODULUS, y * shift * z * z * z % FQ_MODULUS))


def _differences(tau_g1: U64, n: int, begin: int, end: int, engine: Engine) -> U64:
    """tau^(i+n) - tau^i for i in begin .. end - 1; a power beyond the end of the file counts as zero."""
    return engine.g1_add(_padded(tau_g1, n + begin, n + end), _negated(tau_g1[begin:end], engine))


def _padded(points: U64, begin: int, end: int) -> U64:
    piece = np.zeros((end - begin, points.shape[1]), dtype=np.uint64)
    have = points[begin:end]
    piece[: len(have)] = have
    return piece


def _negated(points: U64, engine: Engine) -> U64:
    """G1 points -> their opposites."""
    out = _own(points)
    y = np.ascontiguousarray(out[:, 4:])
    out[:, 4:] = engine.fq_sub(np.zeros_like(y), y)
    return out


def _lagrange(ptau: Ptau, level: int, engine: Engine, tell: Progress) -> LagrangePoints:
    prepared = ptau.lagrange(level)
    if prepared is not None:
        return prepared
    n = 1 << level
    tell("lagrange", 0, 4)
    tau_g1 = engine.g1_intt_points(_own(ptau.tau_g1[:n]))
    tell("lagrange", 1, 4)
    alpha = engine.g1_intt_points(_own(ptau.alpha_tau_g1[:n]))
    tell("lagrange", 2, 4)
    beta = engine.g1_intt_points(_own(ptau.beta_tau_g1[:n]))
    tell("lagrange", 3, 4)
    return LagrangePoints(tau_g1, engine.g2_intt_points(_own(ptau.tau_g2[:n])), alpha, beta)


def _odd_lagrange(ptau: Ptau, level: int, engine: Engine) -> U64:
    """[M_(2i+1)(tau)] for the domain of 2^(level+1): see the module's identity."""
    prepared = ptau.lagrange_tau_g1(level + 1)
    if prepared is not None:
        return _own(prepared[1::2])
    n = 1 << level
    unit = np.zeros((2 * n, 4), dtype=np.uint64)
    unit[2 * n - 1] = engine.fr_to_mont(fr_from_ints([pow(-2, -1, FR_MODULUS)]))[0]
    factors = engine.ntt(unit)[:n].copy()  # -1/2 w^(-k)
    return engine.g1_intt_points(engine.g1_scale(_differences(ptau.tau_g1, n, 0, n, engine), factors))


class _Sums:
    """A layout's entries by column, all blocks and instances together."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        first = fr_from_ints([x << 256 for x in (0, 1, -1)])
        self.constants = np.concatenate([first, *(block.constants for block in layout.blocks)])

    def entries(self, name: str) -> tuple[U32, U32, U32]:
        """(rows, columns, places in ``constants``) of matrix ``a``, ``b`` or ``c``, by block and row."""
        parts: list[tuple[U32, U32, U32]] = []
        base = 3
        for block in self.layout.blocks:
            matrix: Matrix = getattr(block, name)
            row = np.repeat(np.arange(block.num_rows, dtype=np.uint32), np.diff(matrix.indptr))
            linked = matrix.cols < block.num_links
            instance = np.arange(block.instances, dtype=np.uint32)[:, None]
            places = instance * np.uint32(block.num_rows) + (row + np.uint32(block.row_base))
            # what wraps around here are places of links, which are taken from the table
            own = matrix.cols - np.uint32(block.num_links) + np.uint32(block.own_base)
            wires = np.where(
                linked,
                block.links[:, np.where(linked, matrix.cols, 0)],
                instance * np.uint32(block.num_own) + own,
            )
            constants = np.broadcast_to(matrix.coefs + np.uint32(base), places.shape)
            parts.append((places.reshape(-1), wires.reshape(-1), constants.reshape(-1)))
            base += len(block.constants)
        if not parts:
            nothing = np.zeros(0, dtype=np.uint32)
            return nothing, nothing, nothing
        rows, columns, coefs = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return rows, columns, coefs

    def csc(self, parts: list[tuple[str, int]], identity: int | None = None) -> tuple[U32, U32, U32, U64]:
        """indptr, rows, coefs, constants of several matrices, each with its rows moved by an offset.

        ``identity`` adds the rows of public columns that follow the last constraint, at that offset.
        """
        found = [(rows + np.uint32(offset), columns, coefs) for (rows, columns, coefs), offset in
                 ((self.entries(name), offset) for name, offset in parts)]  # fmt: skip
        if identity is not None:
            public = np.arange(self.layout.num_public + 1, dtype=np.uint32)
            found.append((public + np.uint32(identity + self.layout.num_rows), public, np.ones_like(public)))
        rows, columns, coefs = (np.concatenate(x) for x in zip(*found, strict=True))
        order = np.argsort(columns, kind="stable")
        indptr = np.zeros(self.layout.num_columns + 1, dtype=np.uint32)
        np.cumsum(np.bincount(columns, minlength=self.layout.num_columns), out=indptr[1:])
        return indptr, rows[order], coefs[order], self.constants


# -- key files ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _KeyFile:
    """A key's file, contributed to or not; ``points`` are those of its header as bytes."""

    file: BinFile
    header: bytes
    wires: int
    public: int
    domain: int
    points: dict[str, bytes]
    circuit_hash: bytes
    contributions: tuple[Contribution, ...]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> _KeyFile:
        """Raises FormatError when the sizes of the sections do not agree."""
        file = BinFile.open(path, b"zkey", 1)
        reader, wires, public, domain = read_sizes(file)
        header = reader.data[: reader.position].tobytes()
        points = {name: reader.bytes(name, size) for name, size in _HEADER_POINTS}
        reader.finish()
        for section, name, count, size in (
            (_IC, "IC", public + 1, 64),
            (_A, "A", wires, 64),
            (_B1, "B1", wires, 64),
            (_B2, "B2", wires, 128),
            (_L, "L", wires - public - 1, 64),
            (_H, "H", domain, 64),
        ):
            length = len(file.section(section))
            if length != count * size:
                wanted = f"{count * size}: {count} points of {size}"
                raise FormatError(path, section, name, f"{length} bytes", wanted)
        file.section(_COEFS)
        circuit, contributions = read_contributions(file.reader(_CONTRIBUTIONS))
        return cls(file, header, wires, public, domain, points, circuit, contributions)

    def pieces(self, section: int) -> Iterator[tuple[int, U64]]:
        """A section of G1 or (7) G2 points in pieces, aligned copies, each with its place."""
        size = 128 if section == _B2 else 64
        data = self.file.section(section)
        for begin in range(0, len(data) // size, _PIECE):
            piece = data[begin * size : (begin + _PIECE) * size].tobytes()
            yield begin, np.frombuffer(piece, dtype="<u8").astype(np.uint64).reshape(-1, size // 8)


def contribute(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    name: str,
    engine: Engine,
    progress: Progress | None = None,
) -> bytes:
    """Multiplies a key's delta by a secret from the operating system, which is wiped; writes the new key.

    Returns the contribution's hash (64 bytes), for its maker to publish. The key stays sound as long as one
    of all contributors forgets their secret. Raises FormatError for a damaged file and InvalidKey for points
    outside their groups, whose products would tell about the secret; whether ``before`` belongs to a circuit
    is for :func:`verify_key`.
    """
    key = _opened_for_contribution(before, engine)
    with engine.secret_scalar() as secret:
        return _contribute(key, after, name, None, secret, ChaCha(secrets.token_bytes(32)).g1(), progress)


def contribute_beacon(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    name: str,
    beacon: Beacon,
    engine: Engine,
    progress: Progress | None = None,
) -> bytes:
    """:func:`contribute` with a number that everybody can compute from a public value, to end a ceremony.

    Raises ValueError unless the beacon has 1 to 255 bytes and an exponent of 10 to ``MAX_ITERATIONS_EXP``.
    """
    require_beacon(beacon)
    key = _opened_for_contribution(before, engine)
    draw = beacon_generator(beacon)
    scalar = PublicScalar(draw.fr_mont(), engine)
    return _contribute(key, after, name, beacon, scalar, draw.g1(), progress)


def require_beacon(beacon: Beacon) -> None:
    """ValueError unless the beacon can be computed here and written."""
    if not 1 <= len(beacon.value) <= 255:
        raise ValueError(f"beacon: {len(beacon.value)} bytes, expected 1 to 255")
    if not 10 <= beacon.iterations_exp <= MAX_ITERATIONS_EXP:
        raise ValueError(
            f"beacon: an exponent of {beacon.iterations_exp} for its iterations, expected 10 to "
            f"{MAX_ITERATIONS_EXP}"
        )


class PublicScalar:
    """A scalar everybody knows, given in Montgomery form, with the methods of an engine's secret one."""

    def __init__(self, mont: int, engine: Engine) -> None:
        self._engine = engine
        self.value = mont * pow(1 << 256, -1, FR_MODULUS) % FR_MODULUS
        self.mont = np.frombuffer(mont.to_bytes(32, "little"), dtype="<u8").astype(np.uint64).reshape(1, 4)

    def g1_scale(self, points: U64, *, inverse: bool = False) -> U64:
        return self._engine.g1_scale(points, self._engine.fr_inverse(self.mont) if inverse else self.mont)

    def g2_scale(self, points: U64, *, inverse: bool = False) -> U64:
        return self._engine.g2_scale(points, self._engine.fr_inverse(self.mont) if inverse else self.mont)


def _opened_for_contribution(path: str | os.PathLike[str], engine: Engine) -> _KeyFile:
    key = _KeyFile.open(path)
    checked(path, lambda: _Deltas(key))
    _require_on_curve(key, engine)
    return key


def _contribute(
    key: _KeyFile,
    after: str | os.PathLike[str],
    name: str,
    beacon: Beacon | None,
    scalar: _Scales,
    s: G1Point,
    progress: Progress | None,
) -> bytes:
    tell = progress or nobody
    g1_s = g1_to_limbs(s)
    g1_sx = scalar.g1_scale(limbs(g1_s)).tobytes()
    h = blake2b(key.circuit_hash)
    for one in key.contributions:
        h.update(_public_bytes(one))
    h.update(g1_to_bytes(s) + g1_to_bytes(g1_from_limbs(g1_sx, "s times the secret")))
    transcript = h.digest()
    g2_spx = scalar.g2_scale(limbs(g2_to_limbs(hash_to_g2(transcript)))).tobytes()
    delta1 = scalar.g1_scale(limbs(key.points["delta1"])).tobytes()
    delta2 = scalar.g2_scale(limbs(key.points["delta2"])).tobytes()
    made = Contribution(delta1, g1_s, g1_sx, g2_spx, transcript, name, beacon)
    with BinFileWriter(after, b"zkey", 1) as out:
        with out.section(1) as section:
            section.u32(1)
        with out.section(2) as section:
            section.bytes(key.header)
            for point, _ in _HEADER_POINTS:
                section.bytes({"delta1": delta1, "delta2": delta2}.get(point, key.points[point]))
        for number in (_IC, _COEFS, _A, _B1, _B2):
            data = key.file.section(number)
            with out.section(number) as section:
                for begin in range(0, len(data), 64 * _PIECE):
                    section.array(data[begin : begin + 64 * _PIECE])
        for number, phase, total in ((_L, "l", key.wires - key.public - 1), (_H, "h", key.domain)):
            with out.section(number) as section:
                for begin, points in key.pieces(number):
                    tell(phase, begin, total)
                    section.array(scalar.g1_scale(points, inverse=True))
            tell(phase, total, total)
        with out.section(_CONTRIBUTIONS) as section:
            write_contributions(section, key.circuit_hash, (*key.contributions, made))
    return contribution_hash(made)


def contribution_hash(contribution: Contribution) -> bytes:
    """The hash (64 bytes) under which a contribution is published."""
    return blake2b(_public_bytes(contribution)).digest()


def _public_bytes(one: Contribution) -> bytes:
    points = [g1_to_bytes(g1_from_limbs(x, "contribution")) for x in (one.delta_after, one.g1_s, one.g1_sx)]
    return b"".join(points) + g2_to_bytes(g2_from_limbs(one.g2_spx, "contribution")) + one.transcript


# -- the check ---------------------------------------------------------------------------------------


def verify_key(
    layout: Layout,
    ptau: Ptau,
    path: str | os.PathLike[str],
    engine: Engine,
    progress: Progress | None = None,
) -> CheckedKey:
    """Checks that a key was made from this circuit and these powers, and that its contributions are honest.

    Makes the circuit's key again from the powers; IC, A, B1, B2, the coefficients and the hash of the circuit
    must be the same, L and H the same divided by delta (shown by random linear combinations, with factors of
    253 bits, and pairings), and delta the product of what each contributor proved to know.

    Raises InvalidKey naming the first thing that does not hold, FormatError for a damaged file, ValueError
    when the powers do not suffice for the circuit. The powers themselves are for
    :func:`zkrollup.groth16.powers.verify_ptau`, and a key nobody contributed to passes: look at the result.
    """
    key = _KeyFile.open(path)
    path = key.file.path
    for name, found, wanted in (
        ("wires", key.wires, layout.num_columns),
        ("public wires", key.public, layout.num_public),
        ("rows of the domain", key.domain, layout.domain_size),
    ):
        if found != wanted:
            raise InvalidKey(f"{path}: {found} {name}, the circuit has {wanted}")
    parsed = checked(path, lambda: _Deltas(key))
    delta = _verify_contributions(key, engine)
    if parsed.delta1 != delta:
        raise InvalidKey(f"{path}: delta1 is not the product of the contributions")
    if not same_ratio(g1.GENERATOR, delta, g2.GENERATOR, parsed.delta2, engine):
        raise InvalidKey(f"{path}: delta2 is not delta1 in G2")
    _require_on_curve(key, engine)

    initial = setup_from_ptau(layout, ptau, engine, progress)
    tell = progress or nobody
    tell("compare", 0, 1)
    for name in ("alpha1", "beta1", "beta2", "gamma2"):
        if key.points[name] != getattr(initial, name).astype("<u8").tobytes():
            raise InvalidKey(
                f"{path}: {name} is not that of {ptau.path if name != 'gamma2' else 'a ceremony'}"
            )
    _compare_entries(key, layout, engine)
    for number, name, points, columns in (
        (_IC, "IC", initial.ic, None),
        (_A, "A", initial.a, None),
        (_B1, "B1", initial.b1, initial.b_columns),
        (_B2, "B2", initial.b2, initial.b_columns),
    ):
        _compare_points(key, number, name, points, columns)
    if circuit_hash(initial, ptau, engine) != key.circuit_hash:
        raise InvalidKey(f"{path}: section 10: the hash of the circuit is another one")
    tell("ratios", 0, 2)
    if len(initial.l):
        factors = random_scalars(len(initial.l))
        whole = engine.g1_msm(initial.l, factors)
        divided = engine.g1_msm(_whole(key, _L), factors)
        if not _divided(whole, divided, parsed.delta2, engine):
            raise InvalidKey(f"{path}: section 8 (L) is not that of the circuit, divided by delta")
    tell("ratios", 1, 2)
    n = key.domain
    factors = random_scalars(n)
    factors[n - 1] = 0
    whole = engine.g1_msm(_differences(ptau.tau_g1, n, 0, n, engine), factors)
    minus_two = engine.fr_to_mont(fr_from_ints([-2]))
    values = engine.ntt(engine.fr_mul(factors, np.repeat(minus_two, n, axis=0)), coset=True)
    divided = engine.g1_msm(_whole(key, _H), values)
    if not _divided(whole, divided, parsed.delta2, engine):
        raise InvalidKey(f"{path}: section 9 (H) is not that of the powers of tau, divided by delta")
    tell("ratios", 2, 2)
    return CheckedKey(key.circuit_hash, tuple((one, contribution_hash(one)) for one in key.contributions))


class _Deltas:
    """The header's deltas, checked to be in their groups."""

    def __init__(self, key: _KeyFile) -> None:
        self.delta1 = g1_from_limbs(key.points["delta1"], "delta1")
        self.delta2 = g2_from_limbs(key.points["delta2"], "delta2")


def _verify_contributions(key: _KeyFile, engine: Engine) -> G1Point:
    """Each contribution's transcript and proof; returns delta after the last."""
    path = key.file.path
    delta = g1.GENERATOR
    h = blake2b(key.circuit_hash)
    for number, one in enumerate(key.contributions, 1):
        at = f"{path}: section 10: contribution {number}"
        if one.name:
            at += f" ({one.name})"
        s, sx, after = (
            checked(at, lambda data=data, name=name: g1_from_limbs(data, name))  # type: ignore[misc]
            for data, name in ((one.g1_s, "s"), (one.g1_sx, "s times its secret"), (one.delta_after, "delta"))
        )
        spx = checked(at, lambda data=one.g2_spx: g2_from_limbs(data, "its proof in G2"))  # type: ignore[misc]
        own = h.copy()
        own.update(g1_to_bytes(s) + g1_to_bytes(sx))
        if own.digest() != one.transcript:
            raise InvalidKey(f"{at}: its transcript does not follow from the circuit and those before")
        sp = hash_to_g2(one.transcript)
        if not same_ratio(s, sx, sp, spx, engine):
            raise InvalidKey(f"{at}: its proof does not show that its maker knew the secret")
        if not same_ratio(delta, after, sp, spx, engine):
            raise InvalidKey(f"{at}: its delta is not the one before times its secret")
        if one.beacon is not None:
            _verify_beacon(at, one.beacon, s, sx)
        h.update(_public_bytes(one))
        delta = after
    return delta


def _verify_beacon(at: str, beacon: Beacon, s: G1Point, sx: G1Point) -> None:
    if beacon.iterations_exp > MAX_ITERATIONS_EXP:
        raise InvalidKey(
            f"{at}: a beacon of 2^{beacon.iterations_exp} iterations; 2^{MAX_ITERATIONS_EXP} can be checked"
        )
    draw = beacon_generator(beacon)
    secret = draw.fr_mont() * pow(1 << 256, -1, FR_MODULUS) % FR_MODULUS
    if draw.g1() != s or g1.mul(s, secret) != sx:
        raise InvalidKey(f"{at}: its points are not those of its beacon")


def same_ratio(p: G1Point, px: G1Point, q: G2Point, qx: G2Point, engine: Engine) -> bool:
    """Whether px = x p and qx = x q for one x; the points are finite and in their groups.

    An engine that multiplies pairings does; otherwise the plain Python twin, some ten times slower.
    """
    pairs = [(p, qx), (g1.negate(px), q)]
    product = getattr(engine, "pairing_product", None)
    if product is None:
        return pairing_check(pairs)
    left = np.concatenate([limbs(g1_to_limbs(pair[0])) for pair in pairs])
    found = product(left, np.concatenate([limbs(g2_to_limbs(pair[1])) for pair in pairs]))
    return bool(np.array_equal(found[0], _FQ_ONE) and not found[1:].any())


def _divided(whole: U64, divided: U64, delta2: G2Point, engine: Engine) -> bool:
    """Whether ``whole`` = delta ``divided``, two sums of points that are not zero."""
    if not (whole.any() and divided.any()):
        return bool(whole.any() == divided.any())
    p, px = (g1_from_limbs(x.astype("<u8").tobytes(), "a sum") for x in (divided, whole))
    return same_ratio(p, px, g2.GENERATOR, delta2, engine)


def _compare_entries(key: _KeyFile, layout: Layout, engine: Engine) -> None:
    """Section 4, in snarkjs's order: by row, first A's, then B's; the identity rows last."""
    path, sums = key.file.path, _Sums(layout)
    stored = engine.fr_to_mont(sums.constants)  # times 2^512
    parts = [(*sums.entries(name), matrix) for matrix, name in enumerate("ab")]
    public = np.arange(layout.num_public + 1, dtype=np.uint32)
    parts.append((public + np.uint32(layout.num_rows), public, np.ones_like(public), 0))
    rows, columns, coefs = (np.concatenate([part[i] for part in parts]) for i in range(3))
    matrix = np.concatenate([np.full(len(part[0]), part[3], dtype=np.uint32) for part in parts])
    order = np.lexsort((matrix, rows))
    reader = key.file.reader(_COEFS)
    count = reader.u32("number of entries")
    entries = reader.array("entries", count, ZKEY_ENTRY)
    reader.finish()
    if count != len(order):
        raise InvalidKey(f"{path}: section 4: {count} entries, the circuit has {len(order)}")
    for begin in range(0, count, _PIECE):
        chosen, found = order[begin : begin + _PIECE], entries[begin : begin + _PIECE]
        same = (
            (found["matrix"] == matrix[chosen])
            & (found["row"] == rows[chosen])
            & (found["column"] == columns[chosen])
            & (found["value"] == stored[coefs[chosen]]).all(axis=1)
        )
        if not same.all():
            place = begin + int(np.argmin(same))
            raise InvalidKey(f"{path}: section 4: entry {place} is not that of the circuit")


def _compare_points(key: _KeyFile, section: int, name: str, points: U64, columns: U32 | None) -> None:
    """A section against the points it must hold; with ``columns`` the others must be zero."""
    for begin, piece in key.pieces(section):
        end = begin + len(piece)
        if columns is None:
            wanted = points[begin:end]
        else:
            wanted = np.zeros_like(piece)
            low, high = np.searchsorted(columns, (begin, end))
            wanted[columns[low:high] - begin] = points[low:high]
        same = (piece == wanted).all(axis=1)
        if not same.all():
            place = begin + int(np.argmin(same))
            raise InvalidKey(
                f"{key.file.path}: section {section} ({name}): point {place} is not that of the circuit and "
                "the powers of tau"
            )


def _require_on_curve(key: _KeyFile, engine: Engine) -> None:
    for section, name in ((_L, "L"), (_H, "H")):
        for begin, piece in key.pieces(section):
            good = engine.g1_is_on_curve(piece) | ~piece.any(axis=1)
            if not good.all():
                place = begin + int(np.argmin(good))
                raise InvalidKey(
                    f"{key.file.path}: section {section} ({name}): point {place} is not on the curve"
                )


def _whole(key: _KeyFile, section: int) -> U64:
    return np.concatenate([piece for _, piece in key.pieces(section)])


def checked(place: object, parse: Callable[[], T], error: type[ValueError] = InvalidKey) -> T:
    """``parse()``, with the place before what a malformed point's error says, as an ``error``."""
    try:
        return parse()
    except MalformedInput as malformed:
        raise error(f"{place}: {malformed}") from None


def random_scalars(count: int) -> U64:
    """Uniform below 2^253, read as Montgomery."""
    out = np.frombuffer(secrets.token_bytes(32 * count), dtype=np.uint64).reshape(-1, 4).copy()
    out[:, 3] &= np.uint64((1 << 61) - 1)
    return out


def _own(points: U64) -> U64:
    """An aligned, contiguous copy."""
    return np.array(points, dtype=np.uint64, order="C")


def nobody(phase: str, done: int, total: int) -> None:
    """Nobody listens."""
