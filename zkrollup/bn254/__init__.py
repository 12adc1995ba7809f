"""The pairing curve BN254 (alt_bn128) in plain Python integers: fields, groups, pairing, encodings.

This package must not know of proofs, hashes, circuits or engines. It is not constant time and is
meant for public data: verifying, decoding, testing.
"""

from __future__ import annotations

from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS

__all__ = ["FQ_MODULUS", "FR_MODULUS"]
