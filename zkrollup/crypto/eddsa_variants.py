"""EdDSA over BabyJubJub with circomlib's other challenge hashes: MiMC7, MiMC-sponge, Pedersen.

This module must not know Poseidon's variant, which is :mod:`zkrollup.crypto.eddsa`; keys, nonces and the
rule of verification are the same as there. The message of the first two is one field element; that of
Pedersen's variant is bytes. Its challenge is the packed hash as an integer of 256 bits, sign bit included.

These exist for systems that already use them: MiMC costs a circuit five times as much as Poseidon, and a
Pedersen hash is no random oracle, which the security proof of these signatures asks for.

References: circomlibjs (``signMiMC``, ``signMiMCSponge``, ``signPedersen``).
"""

from __future__ import annotations

from zkrollup.bn254.fields import require_canonical
from zkrollup.crypto import babyjubjub
from zkrollup.crypto.babyjubjub import Point
from zkrollup.crypto.eddsa import PrivateKey, Signature, verify_with
from zkrollup.crypto.mimc import mimc7_hash, mimc_sponge
from zkrollup.crypto.pedersen import bits_of, pedersen_hash
from zkrollup.crypto.tables import MODULUS

__all__ = [
    "pedersen_challenge",
    "sign_mimc7",
    "sign_mimc_sponge",
    "sign_pedersen",
    "verify_mimc7",
    "verify_mimc_sponge",
    "verify_pedersen",
]


def sign_mimc7(seed: bytes, message: int) -> Signature:
    """Sign one canonical field element; the challenge is ``mimc7_hash(R8, A, message)``."""
    require_canonical(message, MODULUS, "message")
    return PrivateKey(seed).sign_with(
        message.to_bytes(32, "little"), lambda r8, key: mimc7_hash([*r8, *key, message])
    )


def verify_mimc7(key: Point, message: int, signature: Signature | tuple[int, int, int]) -> bool:
    """Whether the signature is valid; ``message`` must be canonical (``ValueError``)."""
    require_canonical(message, MODULUS, "message")
    return verify_with(key, signature, lambda r8, a: mimc7_hash([*r8, *a, message]))


def sign_mimc_sponge(seed: bytes, message: int) -> Signature:
    """Sign one canonical field element; the challenge is ``mimc_sponge(R8, A, message)``."""
    require_canonical(message, MODULUS, "message")
    return PrivateKey(seed).sign_with(
        message.to_bytes(32, "little"), lambda r8, key: mimc_sponge([*r8, *key, message])[0]
    )


def verify_mimc_sponge(key: Point, message: int, signature: Signature | tuple[int, int, int]) -> bool:
    """Whether the signature is valid; ``message`` must be canonical (``ValueError``)."""
    require_canonical(message, MODULUS, "message")
    return verify_with(key, signature, lambda r8, a: mimc_sponge([*r8, *a, message])[0])


def sign_pedersen(seed: bytes, message: bytes) -> Signature:
    """Sign at most 186 bytes; see :func:`pedersen_challenge`."""
    return PrivateKey(seed).sign_with(message, lambda r8, key: pedersen_challenge(r8, key, message))


def verify_pedersen(key: Point, message: bytes, signature: Signature | tuple[int, int, int]) -> bool:
    """Whether the signature is valid."""
    return verify_with(key, signature, lambda r8, a: pedersen_challenge(r8, a, message))


def pedersen_challenge(r8: Point, key: Point, message: bytes) -> int:
    """The Pedersen hash of packed R8, packed A and the message, packed, as an integer below 2^256."""
    data = babyjubjub.pack(r8) + babyjubjub.pack(key) + message
    return int.from_bytes(babyjubjub.pack(pedersen_hash(bits_of(data))), "little")
