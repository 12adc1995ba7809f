"""Checks on vectors of scalars as files hold them: 32 bytes, little-endian, canonical.

This module must not know which file they come from.
"""

from __future__ import annotations

from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.file_arrays import first_not_canonical
from zkrollup.engine.interface import U64

from .binfile import Reader

__all__ = ["check_field", "first_not_canonical", "montgomery"]

# Other fields in which circom compiles, to be named when refused.
_PRIMES = {
    0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001: "BLS12-381",
    2**64 - 2**32 + 1: "Goldilocks",
    21888242871839275222246405745257275088696311157297823662689037894645226208583: "Grumpkin",
    28948022309329048855892746252171976963363056481941560715954676764349967630337: "Pallas",
    28948022309329048855892746252171976963363056481941647379679742748393362948097: "Vesta",
    115792089210356248762697446949407573530086143415290314195533631308867097853951: "secp256r1",
}


def check_field(reader: Reader) -> None:
    """Reads the size of an element and the prime; FormatError unless they are BN254's scalar field."""
    size = reader.u32("n8")
    if size > 256:
        raise reader.error("n8", size, "32")
    prime = reader.integer("prime", size)
    if prime != FR_MODULUS:
        found = f"{_PRIMES[prime]}'s {prime}" if prime in _PRIMES else prime
        raise reader.error("prime", found, f"BN254's r = {FR_MODULUS}; compile with --prime bn128")
    if size != 32:
        raise reader.error("n8", size, "32")


def montgomery(values: list[int]) -> U64:
    """Canonical integers -> ``(n, 4)`` Montgomery limbs."""
    return fr_from_ints([x << 256 for x in values])
