"""Powers of tau over BN254 (``.ptau``) as snarkjs writes them, read in place and written.

This module must not know whether the powers are honest, nor how anybody adds to them.

Sections (all integers little-endian; points affine Montgomery, infinity all zeros, the bytes of
:mod:`zkrollup.engine.interface`); n = 2^power::

    1   n8 = 32, q, power (4), power of the whole ceremony (4)
    2   tau^i in G1, i < 2n - 1             12  their Lagrange points for 1, 2, 4 .. n and 2n
    3   tau^i in G2, i < n                  13  for 1, 2, 4 .. n
    4   alpha tau^i in G1, i < n            14  for 1, 2, 4 .. n
    5   beta tau^i in G1, i < n             15  for 1, 2, 4 .. n
    6   beta in G2
    7   contributions

Sections 12 to 15 are there once the file is *prepared*. The Lagrange points of level k are [L_i(tau)] for the
2^k powers of the root w = 5^((r-1)/2^k), that is the inverse NTT of the first 2^k powers; they begin at point
2^k - 1. For 2n one power is missing and counted as zero, so the sums below degree 2n - 1 are right and each
single point is not. A file cut out of a larger ceremony has a smaller power than that one, and its level 2n
is complete.

Reference: snarkjs 0.7, src/powersoftau_new.js, _preparephase2.js, _truncate.js.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zkrollup.bn254.fields import FQ_MODULUS
from zkrollup.engine.interface import U64

from .binfile import BinFile, BinFileWriter, Reader, SectionWriter
from .contributions import TauContribution, read_tau_contributions, write_tau_contributions

__all__ = ["LagrangePoints", "Ptau", "write_ptau"]

_KIND, _VERSION = b"ptau", 1
_HEADER, _CONTRIBUTIONS = 1, 7
_TAU_G1, _TAU_G2, _ALPHA, _BETA, _BETA_G2 = 2, 3, 4, 5, 6
_LAGRANGE = {"tau_g1": 12, "tau_g2": 13, "alpha_tau_g1": 14, "beta_tau_g1": 15}
_MAX_POWER = 28
_PIECE = 1 << 16  # points copied at a time


@dataclass(frozen=True, eq=False)
class LagrangePoints:
    """[L_i(tau)] in G1 and G2, [alpha L_i(tau)], [beta L_i(tau)] in G1: (2^level, 8) or (2^level, 16)."""

    tau_g1: U64
    tau_g2: U64
    alpha_tau_g1: U64
    beta_tau_g1: U64


@dataclass(frozen=True, eq=False)
class Ptau:
    """An opened file. Arrays are views of the mapping, read-only and perhaps unaligned.

    ``following`` are the 64 bytes after section 2 (zeros where the file ends): snarkjs's circuit hash reads
    them in one case, see :func:`zkrollup.groth16.ceremony.circuit_hash`.
    """

    path: Path
    power: int
    ceremony_power: int
    tau_g1: U64
    tau_g2: U64
    alpha_tau_g1: U64
    beta_tau_g1: U64
    beta_g2: U64
    contributions: tuple[TauContribution, ...]
    following: bytes
    _prepared: dict[str, U64]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Ptau:
        """Maps the file; checks sizes, and the coordinates of contributions, not the other points.

        Raises FormatError naming file, section and field.
        """
        file = BinFile.open(path, _KIND, _VERSION)
        header = file.reader(_HEADER)
        size = header.u32("n8")
        if size != 32:
            raise header.error("n8", size, "32, as BN254 has")
        modulus = header.integer("q", 32)
        if modulus != FQ_MODULUS:
            raise header.error("q", modulus, f"BN254's, {FQ_MODULUS}")
        power, whole = header.u32("power"), header.u32("power of the ceremony")
        header.finish()
        if not 1 <= power <= _MAX_POWER:
            raise header.error("power", power, f"1 to {_MAX_POWER}")
        if not power <= whole <= _MAX_POWER:
            raise header.error("power of the ceremony", whole, f"{power} to {_MAX_POWER}")
        n = 1 << power
        prepared: dict[str, U64] = {}
        present = [name for name, number in _LAGRANGE.items() if number in file.sections]
        if present:
            for name, number in _LAGRANGE.items():
                count = 4 * n - 1 if name == "tau_g1" else 2 * n - 1
                prepared[name] = _points(
                    file.reader(number), f"Lagrange points of {name}", count, 16 if name == "tau_g2" else 8
                )
        end = sum(file.sections[_TAU_G1][0]) if _TAU_G1 in file.sections else 0
        return cls(
            path=Path(path),
            power=power,
            ceremony_power=whole,
            tau_g1=_points(file.reader(_TAU_G1), "powers of tau in G1", 2 * n - 1, 8),
            tau_g2=_points(file.reader(_TAU_G2), "powers of tau in G2", n, 16),
            alpha_tau_g1=_points(file.reader(_ALPHA), "alpha times powers of tau", n, 8),
            beta_tau_g1=_points(file.reader(_BETA), "beta times powers of tau", n, 8),
            beta_g2=_points(file.reader(_BETA_G2), "beta in G2", 1, 16)[0],
            contributions=read_tau_contributions(file.reader(_CONTRIBUTIONS)),
            following=file.data[end : end + 64].tobytes().ljust(64, b"\0"),
            _prepared=prepared,
        )

    @property
    def prepared(self) -> bool:
        """Whether the file has Lagrange points."""
        return bool(self._prepared)

    def lagrange(self, level: int) -> LagrangePoints | None:
        """The Lagrange points for a domain of 2^level, or None when the file is not prepared.

        Raises ValueError unless 0 <= level <= power.
        """
        if not 0 <= level <= self.power:
            raise ValueError(f"{self.path}: Lagrange points for 2^{level}, there are 2^0 to 2^{self.power}")
        if not self._prepared:
            return None
        return LagrangePoints(**{name: self._level(name, level) for name in _LAGRANGE})

    def lagrange_tau_g1(self, level: int) -> U64 | None:
        """[L_i(tau)] in G1 alone, up to level power + 1; None when the file is not prepared."""
        if not 0 <= level <= self.power + 1:
            raise ValueError(
                f"{self.path}: Lagrange points for 2^{level}, there are 2^0 to 2^{self.power + 1}"
            )
        return self._level("tau_g1", level) if self._prepared else None

    def _level(self, name: str, level: int) -> U64:
        return self._prepared[name][(1 << level) - 1 : (2 << level) - 1]


def write_ptau(
    path: str | os.PathLike[str],
    *,
    power: int,
    ceremony_power: int | None = None,
    tau_g1: U64,
    tau_g2: U64,
    alpha_tau_g1: U64,
    beta_tau_g1: U64,
    beta_g2: U64,
    contributions: tuple[TauContribution, ...] = (),
    lagrange: Callable[[str, int], U64] | None = None,
) -> None:
    """Writes the file as snarkjs does; it appears complete or not at all.

    ``lagrange(name, level)``, where given, is asked for the Lagrange points of each of ``tau_g1``,
    ``tau_g2``, ``alpha_tau_g1``, ``beta_tau_g1`` at each level from 0 on, in the order of the file, which is
    then prepared.
    Raises ValueError when the parts do not fit the power.
    """
    if not 1 <= power <= _MAX_POWER:
        raise ValueError(f"power {power}, expected 1 to {_MAX_POWER}")
    n = 1 << power
    parts = (
        (_TAU_G1, "tau_g1", tau_g1, 2 * n - 1, 8),
        (_TAU_G2, "tau_g2", tau_g2, n, 16),
        (_ALPHA, "alpha_tau_g1", alpha_tau_g1, n, 8),
        (_BETA, "beta_tau_g1", beta_tau_g1, n, 8),
        (_BETA_G2, "beta_g2", beta_g2.reshape(1, -1), 1, 16),
    )
    for _, name, points, count, limbs in parts:
        _sized(name, points, count, limbs)
    with BinFileWriter(path, _KIND, _VERSION) as out:
        with out.section(_HEADER) as section:
            section.u32(32)
            section.integer(FQ_MODULUS)
            section.u32(power)
            section.u32(power if ceremony_power is None else ceremony_power)
        for number, _, points, _, _ in parts:
            with out.section(number) as section:
                _write_points(section, points)
        with out.section(_CONTRIBUTIONS) as section:
            write_tau_contributions(section, contributions)
        if lagrange is None:
            return
        for name, number in _LAGRANGE.items():
            with out.section(number) as section:
                for level in range(power + (2 if name == "tau_g1" else 1)):
                    points = lagrange(name, level)
                    _sized(f"Lagrange points of {name}", points, 1 << level, 16 if name == "tau_g2" else 8)
                    _write_points(section, points)


def _points(reader: Reader, name: str, count: int, limbs: int) -> U64:
    """All of a section as points, in place; FormatError when it holds another number of them."""
    wanted = count * limbs * 8
    if reader.remaining != wanted:
        raise reader.error(name, f"{reader.remaining} bytes", f"{wanted}: {count} points of {limbs * 8}")
    return np.asarray(reader.array(name, count, "<u8", limbs))


def _sized(name: str, points: U64, count: int, limbs: int) -> None:
    if points.dtype != np.uint64 or points.shape != (count, limbs):
        raise ValueError(f"{name}: {points.dtype} {points.shape}, expected uint64 ({count}, {limbs})")


def _write_points(section: SectionWriter, points: U64) -> None:
    for begin in range(0, len(points), _PIECE):
        section.array(points[begin : begin + _PIECE])
