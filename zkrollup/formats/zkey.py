"""snarkjs's Groth16 proving keys over BN254 (``.zkey``), read in place; :mod:`.zkey_write` writes them.

This module must not know how a proof is made: it gives a prover points and a layout, a verifier its key.

Sections (all integers little-endian; points affine Montgomery, infinity all zeros, the bytes of
:mod:`zkrollup.engine.interface`)::

    1   the protocol: 1 is Groth16
    2   n8q = 32, q, n8r = 32, r, number of wires, of public wires, domain size (4 bytes each),
        alpha1, beta1, beta2, gamma2, delta1, delta2
    3   IC: a point for the constant and each public wire
    4   number of entries of A and B (4 bytes), then for each: matrix (0 A, 1 B), row, wire (4 bytes
        each), value times 2^512 mod r
    5   A, 6 B1, 7 B2: a point for each wire
    8   C: a point for each wire that is not public
    9   H: a point for each element of the domain, in the odd Lagrange basis (see ``SetupResult.h``)
    10  the hash of the circuit and who contributed (:mod:`zkrollup.formats.contributions`)

The C of an R1CS is not in the file. Public wires have one more row of A each, the identity, at the end;
:class:`zkrollup.engine.interface.Layout` implies these, so they are checked here and left away.

Reference: snarkjs 0.7, src/zkey_utils.js (the format) and src/groth16_prove.js (its use).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zkrollup.bn254.encoding import MalformedInput, check_g1
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.file_arrays import ZKEY_ENTRY as ENTRY
from zkrollup.engine.file_arrays import FileFault
from zkrollup.engine.interface import U32, U64, Block, Engine, Layout, Matrix
from zkrollup.groth16.keys import VerifyingKey

from .binfile import BinFile, FormatError, Reader
from .contributions import Contribution, read_contributions
from .zkey_write import MAX_DOMAIN, write_zkey

__all__ = ["Zkey", "read_sizes", "write_zkey"]

_PROTOCOLS = {1: "groth16", 2: "plonk", 10: "fflonk"}
_FROM_MONTGOMERY = pow(1 << 256, -1, FQ_MODULUS)
_CHUNK = 1 << 16  # rows looked at in one piece, so that a check of a mapped section stays small


@dataclass(frozen=True, eq=False)
class Zkey:
    """A key: a prover's points (``zkrollup.groth16.prove.ProvingPoints``) and its layout.

    Queries are views of the mapped file and may be unaligned; ``b1`` and ``b2`` have a point for each wire,
    finite for those listed in ``b_columns``. ``layout`` has an empty C. ``contributions`` are
    who changed delta, first to last, and ``circuit_hash`` (64 bytes) what they were bound to; neither is
    verified here.
    """

    path: Path
    layout: Layout
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
    l: U64  # noqa: E741
    h: U64
    circuit_hash: bytes
    contributions: tuple[Contribution, ...]

    @property
    def num_public(self) -> int:
        """How many public inputs a proof has."""
        return self.layout.num_public

    @cached_property
    def verifying_key(self) -> VerifyingKey:
        """The verifier's part, marked insecure when nobody contributed: then one party made the key.

        Raises MalformedInput as :meth:`load` says, and DegenerateKey for gamma = +-delta.
        """
        try:
            for name, point in (("beta1", self.beta1), ("delta1", self.delta1)):
                check_g1(_g1(point), name)
            return VerifyingKey(
                alpha1=_g1(self.alpha1),
                beta2=_g2(self.beta2),
                gamma2=_g2(self.gamma2),
                delta2=_g2(self.delta2),
                ic=tuple(_g1(point) for point in self.ic),
                insecure=not self.contributions,
            )
        except MalformedInput as error:
            error.args = (f"{self.path}: {error}",)
            raise

    @classmethod
    def load(cls, path: str | os.PathLike[str], engine: Engine, *, uncontributed: bool = False) -> Zkey:
        """Maps the file, checks its sizes and single points, and sorts its coefficients into a layout.

        Raises FormatError naming file, section and field; MalformedInput naming the file for a single
        point that is off its curve, outside its subgroup or infinite, and for gamma = +-delta (the key
        before anyone contributed to it). With ``uncontributed`` that is left to whoever asks for
        ``verifying_key``. The queries' points are not looked at: see :meth:`check_points`.
        """
        file = BinFile.open(path, b"zkey", 1)
        header, wires, public, domain = read_sizes(file)
        alpha1, beta1 = _point(header, "alpha1", 8), _point(header, "beta1", 8)
        beta2, gamma2 = _point(header, "beta2", 16), _point(header, "gamma2", 16)
        delta1, delta2 = _point(header, "delta1", 8), _point(header, "delta2", 16)
        header.finish()

        ic, a, b1, b2, c, h = (
            _points(file.reader(number), name, count, width)
            for number, name, count, width in (
                (3, "IC", public + 1, 8),
                (5, "A", wires, 8),
                (6, "B1", wires, 8),
                (7, "B2", wires, 16),
                (8, "C", wires - public - 1, 8),
                (9, "H", domain, 8),
            )
        )
        layout = _layout(file.reader(4), wires, public, domain, engine)
        b_columns = np.flatnonzero(_finite(b1) | _finite(b2)).astype(np.uint32)
        circuit_hash, contributions = read_contributions(file.reader(10))
        key = cls(
            path=Path(path),
            layout=layout,
            alpha1=alpha1,
            beta1=beta1,
            delta1=delta1,
            beta2=beta2,
            gamma2=gamma2,
            delta2=delta2,
            ic=ic,
            a=a,
            b_columns=b_columns,
            b1=b1,
            b2=b2,
            l=c,
            h=h,
            circuit_hash=circuit_hash,
            contributions=contributions,
        )
        if not uncontributed:
            _ = key.verifying_key  # looks at every single point
        return key

    def check_points(self, engine: Engine) -> None:
        """Raises FormatError unless every point of the queries lies on its curve (B2: in its subgroup).

        Takes a while, and a prover does not need it: wrong points make proofs that do not verify.
        """
        for section, name, points in (
            (5, "A", self.a),
            (6, "B1", self.b1),
            (7, "B2", self.b2),
            (8, "C", self.l),
            (9, "H", self.h),
        ):
            holds = engine.g2_is_in_subgroup if name == "B2" else engine.g1_is_on_curve
            for begin in range(0, len(points), _CHUNK):
                piece = np.array(points[begin : begin + _CHUNK])
                wrong = np.flatnonzero(~holds(piece) & piece.any(axis=1))
                if len(wrong):
                    place = begin + int(wrong[0])
                    raise FormatError(
                        self.path, section, f"{name}[{place}]", "another point", "a point of its group"
                    )


def read_sizes(file: BinFile) -> tuple[Reader, int, int, int]:
    """The header of a key of Groth16 over BN254, read up to its points; wires, public wires, domain size.

    Raises FormatError naming section and field for a key of anything else, or sizes that cannot be.
    """
    protocol = file.reader(1)
    number = protocol.u32("protocol")
    if number != 1:
        raise protocol.error("protocol", _PROTOCOLS.get(number, number), "groth16 (1)")
    protocol.finish()

    header = file.reader(2)
    for name, modulus in (("q", FQ_MODULUS), ("r", FR_MODULUS)):
        size = header.u32(f"n8{name}")
        if size != 32:
            raise header.error(f"n8{name}", size, "32, as BN254 has")
        found = header.integer(name, 32)
        if found != modulus:
            raise header.error(name, found, f"BN254's, {modulus}")
    wires, public, domain = (header.u32(name) for name in ("wires", "public wires", "domain size"))
    if not public < wires:
        raise header.error("public wires", public, f"fewer than the {wires} wires")
    if not 2 <= domain <= MAX_DOMAIN or domain & (domain - 1):
        raise header.error("domain size", domain, f"a power of two, 2 to {MAX_DOMAIN}")
    return header, wires, public, domain


def _point(reader: Reader, name: str, limbs: int) -> U64:
    """One point of the header, copied."""
    return np.array(reader.array(name, limbs, "<u8"), dtype=np.uint64)


def _points(reader: Reader, name: str, count: int, limbs: int) -> U64:
    """All of a section as points, in place; FormatError when it holds another number of them."""
    wanted = count * limbs * 8
    if reader.remaining != wanted:
        raise reader.error(name, f"{reader.remaining} bytes", f"{wanted}: {count} points of {limbs * 8}")
    return np.asarray(reader.array(name, count, "<u8", limbs))


def _integers(point: U64) -> list[int]:
    """Montgomery coordinates as integers; not below q where the limbs are not."""
    return [
        x if x >= FQ_MODULUS else x * _FROM_MONTGOMERY % FQ_MODULUS
        for x in ints_from_limbs(np.ascontiguousarray(point, dtype=np.uint64).reshape(-1, 4))
    ]


def _g1(point: U64) -> tuple[int, int]:
    x, y = _integers(point)
    return x, y


def _g2(point: U64) -> tuple[tuple[int, int], tuple[int, int]]:
    x0, x1, y0, y1 = _integers(point)
    return (x0, x1), (y0, y1)


def _finite(points: U64) -> npt.NDArray[np.bool_]:
    """Which points are not infinity."""
    finite = np.empty(len(points), dtype=np.bool_)
    for begin in range(0, len(points), _CHUNK):
        finite[begin : begin + _CHUNK] = points[begin : begin + _CHUNK].any(axis=1)
    return finite


def _layout(reader: Reader, wires: int, public: int, domain: int, engine: Engine) -> Layout:
    """The coefficients as a uniform R1CS of one instance, with an empty C."""
    count = reader.u32("number of entries")
    data = reader.view("entries", count * ENTRY.itemsize)
    reader.finish()
    try:
        entries = engine.zkey_entries(data, domain, wires, public)
    except FileFault as fault:
        raise reader.error(fault.field, fault.found, fault.expected) from None
    num_rows = entries.num_rows
    empty = np.zeros(0, dtype=np.uint32)
    block = Block(
        num_rows=num_rows,
        num_links=public + 1,
        num_own=wires - public - 1,
        instances=1,
        a=entries.a,
        b=entries.b,
        c=Matrix(np.zeros(num_rows + 1, dtype=np.uint32), empty, empty),
        constants=entries.constants,
        links=np.arange(public + 1, dtype=np.uint32).reshape(1, -1),
        own_base=public + 1,
        row_base=0,
    )
    layout = Layout(num_columns=wires, num_public=public, num_rows=num_rows, blocks=(block,))
    if layout.domain_size != domain:
        raise reader.error(
            "number of rows", num_rows, f"one for a domain of {domain}, not of {layout.domain_size}"
        )
    return layout
