"""The chain's three contracts for BN254 in plain Python: addition, multiplication, pairing check.

This module must not know who calls them or what the points mean. It is the slow, clear twin of what an EVM
has at addresses 6, 7 and 8: bytes in, bytes out, ``None`` for a failed call, which burns all gas given.

References: EIP-196 (addition and multiplication), EIP-197 (pairing), EIP-1108 (what they cost).
"""

from __future__ import annotations

from collections.abc import Callable

from zkrollup.bn254 import g1
from zkrollup.bn254.encoding import G1_BYTES, MalformedInput, g1_from_bytes, g1_to_bytes, g2_from_bytes
from zkrollup.bn254.pairing import pairing_check

__all__ = ["EC_ADD", "EC_MUL", "EC_PAIRING", "PRECOMPILES", "ec_add", "ec_mul", "ec_pairing", "gas_cost"]

EC_ADD = 6
EC_MUL = 7
EC_PAIRING = 8

PAIR_BYTES = 192
"""A point of G1 and one of G2."""


def ec_add(data: bytes) -> bytes | None:
    """The sum of two points: 128 bytes, missing ones are zeros, further ones are not read."""
    data = data.ljust(2 * G1_BYTES, b"\0")
    try:
        left, right = g1_from_bytes(data[:64]), g1_from_bytes(data[64:128])
    except MalformedInput:
        return None
    return g1_to_bytes(g1.add(left, right))


def ec_mul(data: bytes) -> bytes | None:
    """A point times any 256-bit number: 96 bytes, missing ones are zeros, further ones are not read."""
    data = data.ljust(G1_BYTES + 32, b"\0")
    try:
        point = g1_from_bytes(data[:64])
    except MalformedInput:
        return None
    return g1_to_bytes(g1.mul(point, int.from_bytes(data[64:96], "big")))


def ec_pairing(data: bytes) -> bytes | None:
    """1 or 0 in 32 bytes: whether the product of the pairings of all pairs is one; it is for no pairs.

    Here no byte may lack or trail: a length that is no multiple of 192 fails.
    """
    if len(data) % PAIR_BYTES:
        return None
    try:
        pairs = [
            (g1_from_bytes(data[i : i + 64]), g2_from_bytes(data[i + 64 : i + PAIR_BYTES]))
            for i in range(0, len(data), PAIR_BYTES)
        ]
    except MalformedInput:
        return None
    return int(pairing_check(pairs)).to_bytes(32, "big")


PRECOMPILES: dict[int, Callable[[bytes], bytes | None]] = {
    EC_ADD: ec_add,
    EC_MUL: ec_mul,
    EC_PAIRING: ec_pairing,
}
"""By address."""


def gas_cost(address: int, data: bytes) -> int:
    """Gas of the call itself since EIP-1108 (Istanbul); a failed one costs all that it was given."""
    if address == EC_PAIRING:
        return 45_000 + 34_000 * (len(data) // PAIR_BYTES)
    return {EC_ADD: 150, EC_MUL: 6_000}[address]
