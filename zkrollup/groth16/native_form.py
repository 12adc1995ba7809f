"""Keys and proofs as the engine's bulk verifier takes them.

The module must not verify anything itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.engine.convert import fq_from_ints
from zkrollup.engine.interface import U64, Engine

from .keys import G1Point, G2Point, Proof, VerifyingKey

__all__ = ["proof_limbs", "verifying_key_bytes"]


def flat(points: Sequence[G1Point | G2Point]) -> list[int]:
    """The coordinates of affine points in the engine's order."""
    values: list[int] = []
    for point in points:
        for coordinate in point:
            values += coordinate if isinstance(coordinate, tuple) else (coordinate,)
    return values


def verifying_key_bytes(engine: Engine, vk: VerifyingKey) -> bytes:
    """alpha1 | beta2 | gamma2 | delta2 | ic as little-endian limbs, Montgomery."""
    values = flat([vk.alpha1, vk.beta2, vk.gamma2, vk.delta2, *vk.ic])
    return engine.fq_to_mont(fq_from_ints(values)).tobytes()


def proof_limbs(engine: Engine, proofs: Sequence[Proof]) -> U64:
    """Shape (m, 32): A, B, C of each proof, Montgomery.

    Raises EngineError for a coordinate that is not below q; such a proof needs no pairing to be refused.
    """
    values = [value for proof in proofs for value in flat([proof.a, proof.b, proof.c])]
    return engine.fq_to_mont(fq_from_ints(values)).reshape(len(proofs), 32)
