"""The pairing curve BN254 (alt_bn128) in plain Python integers: fields, groups, pairing, encodings.

This package must not know of proofs, hashes, circuits or engines. It is not constant time and is
meant for public data: verifying, decoding, testing.

    fields    Fr, Fq             g1, g2    the groups, affine integers
    tower     Fq2, Fq6, Fq12     pairing   optimal ate, shared Miller loop
    encoding  EIP-196 and EIP-197 bytes, and the checks for points from outside
"""

from __future__ import annotations

from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point

__all__ = ["FQ_MODULUS", "FR_MODULUS", "G1Point", "G2Point"]
