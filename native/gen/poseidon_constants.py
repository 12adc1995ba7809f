"""Writes ``zkrollup/crypto/poseidon_constants.bin``: Poseidon's constants over Fr of BN254, t = 2 .. 17.

This script must not know the package that reads its output: it states the construction on its own.

    python native/gen/poseidon_constants.py          # writes the file
    python native/gen/poseidon_constants.py --check  # exits 1 when the committed file differs

Construction: L. Grassi, D. Khovratovich, C. Rechberger, A. Roy, M. Schofnegger, "Poseidon: A New Hash
Function for Zero-Knowledge Proof Systems" (eprint 2019/458), appendix E (Grain LFSR in self-shrinking
mode) and section 2.3 (Cauchy matrix). Round numbers are those of its table for 128 bits, rounded as
circomlib does.

Format: 32-byte little-endian canonical elements, no header. For t = 2, 3, ... 17 in turn:
``(8 + R_P) * t`` round constants, then x_0 .. x_(t-1), y_0 .. y_(t-1) of the Cauchy matrix
``mds[i][j] = 1 / (x_i + y_j)``.
"""

from __future__ import annotations

from collections.abc import Iterator

from output import finish

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
FIELD_BITS = 254
ROUNDS_FULL = 8
ROUNDS_PARTIAL = (56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68)


def grain(t: int, rounds_full: int, rounds_partial: int) -> Iterator[int]:
    """The bits of the Grain LFSR, seeded with the instance's description."""
    seed = ""
    for value, width in (
        (1, 2),  # a prime field
        (0, 4),  # the S-box is a power
        (FIELD_BITS, 12),
        (t, 12),
        (rounds_full, 10),
        (rounds_partial, 10),
        ((1 << 30) - 1, 30),
    ):
        seed += format(value, f"0{width}b")
    state = [int(bit) for bit in seed]
    assert len(state) == 80
    position = 0

    def step() -> int:
        nonlocal position
        p = position
        bit = (
            state[(p + 62) % 80]
            ^ state[(p + 51) % 80]
            ^ state[(p + 38) % 80]
            ^ state[(p + 23) % 80]
            ^ state[(p + 13) % 80]
            ^ state[p]
        )
        state[p] = bit
        position = (p + 1) % 80
        return bit

    for _ in range(160):
        step()
    while True:  # self-shrinking: the first bit of a pair decides whether the second is used
        keep, bit = step(), step()
        if keep:
            yield bit


def draw(bits: Iterator[int]) -> int:
    """A number of ``FIELD_BITS`` bits, most significant bit first."""
    value = 0
    for _ in range(FIELD_BITS):
        value = value << 1 | next(bits)
    return value


def constants(t: int) -> list[int]:
    """Round constants (drawn again while they are not below r), then the Cauchy matrix's x and y."""
    rounds_partial = ROUNDS_PARTIAL[t - 2]
    bits = grain(t, ROUNDS_FULL, rounds_partial)
    out = []
    while len(out) < (ROUNDS_FULL + rounds_partial) * t:
        value = draw(bits)
        if value < MODULUS:
            out.append(value)
    while True:
        drawn = [draw(bits) % MODULUS for _ in range(2 * t)]
        x, y = drawn[:t], drawn[t:]
        if len(set(drawn)) == 2 * t and all((a + b) % MODULUS for a in x for b in y):
            return out + drawn


if __name__ == "__main__":
    data = b"".join(value.to_bytes(32, "little") for t in range(2, 18) for value in constants(t))
    finish(__doc__, {"zkrollup/crypto/poseidon_constants.bin": data})
