"""What a ceremony hashes and draws: points as bytes, and a generator of numbers and points from a seed.

This module must not know what the points are for, nor any secret: everything here is public.

The generator is ChaCha with 20 rounds, key = seed, nonce and counter zero, read as 32-bit words. A field
element is drawn as four 64-bit numbers, each its upper word first, least significant number first, cut to
254 bits, again until it is below the modulus; it is the *Montgomery* form of the element. A point is drawn
as its x, then one word whose lowest bit says which root y is, again until there is a root; on the twist the
point is multiplied by the cofactor 2 q - r.

References: snarkjs 0.7, src/keypair.js and src/misc.js; ffjavascript, src/chacha.js and src/wasm_curve.js
(``fromRng``); D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008.
"""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from zkrollup.bn254 import g2
from zkrollup.bn254.encoding import check_g1, check_g2
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS, sqrt
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point
from zkrollup.bn254.tower import Fq2, fq2_add, fq2_mul, fq2_neg, fq2_square
from zkrollup.engine.interface import U64, Engine
from zkrollup.formats.contributions import Beacon

__all__ = [
    "ChaCha",
    "beacon_generator",
    "blake2b",
    "compressed",
    "g1_from_limbs",
    "g1_to_limbs",
    "g2_from_limbs",
    "g2_to_limbs",
    "hash_to_g2",
    "limbs",
    "uncompressed",
]

_Q, _R = FQ_MODULUS, FR_MODULUS
_MONT = (1 << 256) % _Q
_UNMONT = pow(1 << 256, -1, _Q)
_COFACTOR = 2 * _Q - _R
_HALF = (_Q - 1) // 2
_MASK = (1 << 254) - 1


def blake2b(data: bytes = b"") -> hashlib.blake2b:
    """A BLAKE2b hasher of 64 bytes that has seen ``data``."""
    return hashlib.blake2b(data, digest_size=64)


# -- points in the bytes of files ------------------------------------------------------------------


def g1_from_limbs(data: bytes, what: str) -> G1Point:
    """64 bytes, Montgomery -> a finite point of G1; MalformedInput naming ``what`` for anything else."""
    x, y = _integers(data)
    return check_g1((x, y), what)


def g2_from_limbs(data: bytes, what: str) -> G2Point:
    """128 bytes, Montgomery -> a finite point of G2; MalformedInput naming ``what`` for anything else."""
    x0, x1, y0, y1 = _integers(data)
    return check_g2(((x0, x1), (y0, y1)), what)


def g1_to_limbs(point: G1Point) -> bytes:
    """A point of G1 -> 64 bytes, Montgomery."""
    return b"".join((c * _MONT % _Q).to_bytes(32, "little") for c in point)


def g2_to_limbs(point: G2Point) -> bytes:
    """A point of G2 -> 128 bytes, Montgomery, real parts first."""
    return b"".join((c * _MONT % _Q).to_bytes(32, "little") for pair in point for c in pair)


def limbs(data: bytes) -> U64:
    """One point's bytes as an array for an engine, shape (1, 8) or (1, 16)."""
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(1, -1)


def _integers(data: bytes) -> list[int]:
    values = [int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]
    return [x if x >= _Q else x * _UNMONT % _Q for x in values]


def _canonical(engine: Engine, points: U64) -> U64:
    """(n, 8) or (n, 16) Montgomery, perhaps unaligned -> (2 n or 4 n, 4) canonical."""
    return engine.fq_from_mont(np.array(points, dtype=np.uint64, order="C").reshape(-1, 4))


def uncompressed(engine: Engine, points: U64) -> bytes:
    """(n, 8) or (n, 16) Montgomery -> 64 or 128 bytes a point, big-endian, imaginary parts first."""
    width = points.shape[1] * 4  # bytes of a coordinate of the curve
    data = _canonical(engine, points).astype("<u8", copy=False).view(np.uint8).reshape(-1, width)
    return np.ascontiguousarray(data[:, ::-1]).tobytes()


def compressed(engine: Engine, points: U64) -> bytes:
    """(n, 8) or (n, 16) Montgomery -> 32 or 64 bytes a point: x big-endian, imaginary part first.

    The first byte carries 0x80 when y is the larger of the two roots (of an imaginary part that is not zero,
    else of the real one) and is 0x40 for infinity.
    """
    count, width = len(points), points.shape[1] // 2
    canonical = _canonical(engine, points).reshape(count, 2, width)
    x, y = canonical[:, 0], canonical[:, 1]
    larger = _above_half(y[:, -4:])
    if width == 8:
        larger = np.where(y[:, 4:].any(axis=1), larger, _above_half(y[:, :4]))
    data = np.ascontiguousarray(np.ascontiguousarray(x).astype("<u8", copy=False).view(np.uint8)[:, ::-1])
    data[:, 0] |= np.where(larger, 0x80, 0).astype(np.uint8)
    data[~canonical.any(axis=(1, 2)), 0] = 0x40
    return data.tobytes()


def _above_half(values: U64) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which of the (n, 4) canonical values exceed (q - 1) / 2."""
    above = np.zeros(len(values), dtype=np.bool_)
    for limb in range(4):  # the most significant limb has the last word
        bound = np.uint64(_HALF >> (64 * limb) & (2**64 - 1))
        column = values[:, limb]
        above = (column > bound) | ((column == bound) & above)
    return above


# -- the generator ---------------------------------------------------------------------------------


class ChaCha:
    """The stream for a seed of 32 bytes, whose words are big-endian."""

    def __init__(self, seed: bytes) -> None:
        self._key = struct.unpack(">8I", seed)
        self._counter = 0
        self._words: list[int] = []

    def word(self) -> int:
        """The next 32 bits."""
        if not self._words:
            self._words = self._block()[::-1]
        return self._words.pop()

    def fq_mont(self) -> int:
        """A uniform number below q: the Montgomery form of a base field element."""
        return self._below(_Q)

    def fr_mont(self) -> int:
        """A uniform number below r: the Montgomery form of a scalar."""
        return self._below(_R)

    def g1(self) -> G1Point:
        """A point of G1, finite."""
        while True:
            x = self.fq_mont() * _UNMONT % _Q
            greatest = self.word() & 1
            y = sqrt((x * x * x + 3) % _Q, _Q)
            if y is not None:
                return (x, y if (y > _HALF) == bool(greatest) else -y % _Q)

    def g2(self) -> G2Point:
        """A point of G2."""
        while True:
            x = (self.fq_mont() * _UNMONT % _Q, self.fq_mont() * _UNMONT % _Q)
            greatest = self.word() & 1
            y = _fq2_sqrt(fq2_add(fq2_mul(fq2_square(x), x), g2.B))
            if y is not None:
                larger = (y[1] or y[0]) > _HALF
                return g2.mul((x, y if larger == bool(greatest) else fq2_neg(y)), _COFACTOR)

    def _below(self, modulus: int) -> int:
        while True:
            value = 0
            for i in range(4):
                high = self.word()
                value |= (high << 32 | self.word()) << (64 * i)
            value &= _MASK
            if value < modulus:
                return value

    def _block(self) -> list[int]:
        counter = self._counter
        self._counter += 1
        start = [
            0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *self._key,
            *(counter >> (32 * i) & 0xFFFFFFFF for i in range(4)),
        ]  # fmt: skip
        s = list(start)
        for _ in range(10):
            for a, b, c, d in _QUARTERS:
                for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    s[x] = (s[x] + s[y]) & 0xFFFFFFFF
                    mixed = s[z] ^ s[x]
                    s[z] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF
        return [(x + y) & 0xFFFFFFFF for x, y in zip(s, start, strict=True)]


_QUARTERS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _fq2_sqrt(a: Fq2) -> Fq2 | None:
    """A square root in Fq2, or None: with s^2 the norm of a, the real part's square is (a0 +- s) / 2.

    Reference: G. Adj, F. Rodríguez-Henríquez, "Square root computation over even extension fields", 2012.
    """
    norm = sqrt((a[0] * a[0] + a[1] * a[1]) % _Q, _Q)
    if norm is None:
        return None
    if a[1] == 0:
        real = sqrt(a[0], _Q)
        if real is not None:
            return (real, 0)
        imaginary = sqrt(-a[0] % _Q, _Q)  # -1 is no square: one of a0, -a0 is
        return None if imaginary is None else (0, imaginary)
    half = (_Q + 1) // 2
    for s in (norm, -norm):
        real = sqrt((a[0] + s) * half % _Q, _Q)
        if real:
            root = (real, a[1] * half * pow(real, -1, _Q) % _Q)
            return root if fq2_square(root) == a else None
    return None


def hash_to_g2(digest: bytes) -> G2Point:
    """The point of G2 that nobody knows the logarithm of, from the first 32 bytes of a hash."""
    return ChaCha(digest[:32]).g2()


def beacon_generator(beacon: Beacon) -> ChaCha:
    """The stream of a public beacon: its value hashed 2^iterations_exp times with SHA-256 is the seed."""
    digest = beacon.value
    for _ in range(1 << beacon.iterations_exp):
        digest = hashlib.sha256(digest).digest()
    return ChaCha(digest)
