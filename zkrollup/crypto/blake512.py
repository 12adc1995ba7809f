"""BLAKE-512, the SHA-3 finalist (not BLAKE2), which circomlibjs uses to derive EdDSA keys and nonces.

This module must not know what is hashed.

Reference: J.-P. Aumasson, L. Henzen, W. Meier, R. C.-W. Phan, "SHA-3 proposal BLAKE", version 1.3,
section 2.2. Not constant time in principle, though it has no secret-dependent branch or index.
"""

from __future__ import annotations

__all__ = ["blake512"]

_MASK = (1 << 64) - 1

_IV = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)

# The first digits of pi.
_PI = (
    0x243F6A8885A308D3,
    0x13198A2E03707344,
    0xA4093822299F31D0,
    0x082EFA98EC4E6C89,
    0x452821E638D01377,
    0xBE5466CF34E90C6C,
    0xC0AC29B7C97C50DD,
    0x3F84D5B5B5470917,
    0x9216D5D98979FB1B,
    0xD1310BA698DFB5AC,
    0x2FFD72DBD01ADFB7,
    0xB8E1AFED6A267E96,
    0xBA7C9045F12C7F99,
    0x24A19947B3916CF7,
    0x0801F2E2858EFC16,
    0x636920D871574E69,
)

_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)

# (a, b, c, d) of the eight G functions of a round: columns, then diagonals.
_LANES = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)

_BLOCK = 128
_ROUNDS = 16


def blake512(data: bytes) -> bytes:
    """The 64-byte BLAKE-512 digest of ``data`` (no salt)."""
    bits = 8 * len(data)
    # 1, zeros, 1, then the length as 128 bits: the two ones coincide when one byte is left for both.
    zeros = -(len(data) + 17) % _BLOCK
    padding = b"\x81" if zeros == 0 else b"\x80" + bytes(zeros - 1) + b"\x01"
    padded = data + padding + bits.to_bytes(16, "big")
    chain = list(_IV)
    for start in range(0, len(padded), _BLOCK):
        # The counter is the number of message bits hashed so far, 0 in a block of padding alone.
        counter = min(bits, 8 * (start + _BLOCK)) if start * 8 < bits else 0
        _compress(chain, padded[start : start + _BLOCK], counter)
    return b"".join(word.to_bytes(8, "big") for word in chain)


def _compress(chain: list[int], block: bytes, counter: int) -> None:
    m = [int.from_bytes(block[i : i + 8], "big") for i in range(0, _BLOCK, 8)]
    low, high = counter & _MASK, counter >> 64
    pi = _PI
    v = [*chain, *pi[:4], pi[4] ^ low, pi[5] ^ low, pi[6] ^ high, pi[7] ^ high]
    for i in range(_ROUNDS):
        sigma = _SIGMA[i % 10]
        for g, (ia, ib, ic, id_) in enumerate(_LANES):
            p, q = sigma[2 * g], sigma[2 * g + 1]
            a, b, c, d = v[ia], v[ib], v[ic], v[id_]
            a = (a + b + (m[p] ^ pi[q])) & _MASK
            d ^= a
            d = (d >> 32 | d << 32) & _MASK
            c = (c + d) & _MASK
            b ^= c
            b = (b >> 25 | b << 39) & _MASK
            a = (a + b + (m[q] ^ pi[p])) & _MASK
            d ^= a
            d = (d >> 16 | d << 48) & _MASK
            c = (c + d) & _MASK
            b ^= c
            b = (b >> 11 | b << 53) & _MASK
            v[ia], v[ib], v[ic], v[id_] = a, b, c, d
    for i in range(8):
        chain[i] ^= v[i] ^ v[i + 8]
