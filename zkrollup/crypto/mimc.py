"""MiMC over the scalar field of BN254: MiMC7 and the Feistel sponge, with circomlib's constants and modes.

This module must not know circuits or engines.

MiMC7 is a block cipher of 91 rounds x -> (x + k + c)^7; 7 does not divide r - 1, so it is a permutation. Its
multi-input hash chains it as Miyaguchi and Preneel do: ``key' = key + input + cipher(input, key)``.
MiMC-sponge is a Feistel network of 220 rounds of x -> x^5 on two lanes, of which one takes inputs.

References: M. Albrecht, L. Grassi, C. Rechberger, A. Roy, T. Tiessen, "MiMC", eprint 2016/492; circomlib
(constants, modes).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.bn254.fields import require_canonical
from zkrollup.crypto.tables import MODULUS, mimc7_constants, mimc_sponge_constants

__all__ = ["mimc7", "mimc7_hash", "mimc_feistel", "mimc_sponge"]


def mimc7(x: int, key: int) -> int:
    """The cipher of one canonical field element under a key (circomlibjs: ``mimc7.hash``)."""
    require_canonical(x, MODULUS, "MiMC7 input")
    require_canonical(key, MODULUS, "MiMC7 key")
    for constant in mimc7_constants():
        x = pow(x + key + constant, 7, MODULUS)
    return (x + key) % MODULUS


def mimc7_hash(inputs: Sequence[int], key: int = 0) -> int:
    """The hash of any number of field elements (circomlibjs: ``mimc7.multiHash``).

    The number of inputs is not hashed: fix it, or make it an input.
    """
    require_canonical(key, MODULUS, "MiMC7 key")
    for value in inputs:
        key = (key + value + mimc7(value, key)) % MODULUS
    return key


def mimc_feistel(left: int, right: int, key: int) -> tuple[int, int]:
    """The permutation of two canonical field elements under a key (circomlibjs: ``mimcSponge.hash``)."""
    for value in (left, right, key):
        require_canonical(value, MODULUS, "MiMC-sponge lane or key")
    for constant in mimc_sponge_constants():
        left, right = (right + pow(left + key + constant, 5, MODULUS)) % MODULUS, left
    return right, left  # the last round does not swap


def mimc_sponge(inputs: Sequence[int], key: int = 0, outputs: int = 1) -> list[int]:
    """The sponge's ``outputs`` digests of any number of field elements (circomlibjs: ``multiHash``).

    The number of inputs is not hashed: fix it, or make it an input.
    """
    if outputs < 1:
        raise ValueError(f"MiMC-sponge gives 1 or more outputs, not {outputs}")
    left = right = 0
    for i, value in enumerate(inputs):
        require_canonical(value, MODULUS, f"MiMC-sponge input {i}")
        left, right = mimc_feistel((left + value) % MODULUS, right, key)
    out = [left]
    for _ in range(outputs - 1):
        left, right = mimc_feistel(left, right, key)
        out.append(left)
    return out
