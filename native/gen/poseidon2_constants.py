"""Writes ``zkrollup/crypto/poseidon2_constants.bin``: Poseidon2's constants over Fr of BN254, t = 2, 3, 4, 8.

This script must not know the package that reads its output: it states the construction on its own.

    python native/gen/poseidon2_constants.py          # writes the file
    python native/gen/poseidon2_constants.py --check  # exits 1 when the committed file differs

Construction: L. Grassi, D. Khovratovich, M. Schofnegger, "Poseidon2: A Faster Version of the Poseidon Hash
Function" (eprint 2023/323), with the authors' parameter script: the Grain LFSR in self-shrinking mode of
eprint 2019/458, appendix E, seeded with the field, t and the numbers of rounds; a full round draws t
constants, a partial round one. For t = 2 and 3 the matrix of partial rounds is fixed; for t = 4 and 8 its
diagonal is drawn next, without rejection (as elements modulo r), and taken when the minimal polynomials of
the matrix's first 2 t powers are irreducible of degree t.

Format: 32-byte little-endian canonical elements, no header. For t = 2, 3, 4, 8 in turn: ``8 t + R_P``
round constants in order of use, then the t diagonal entries mu_i of the partial matrix, all of whose
other entries are 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from output import finish

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
FIELD_BITS = 254
ROUNDS_FULL = 8
ROUNDS_PARTIAL = {2: 56, 3: 56, 4: 56, 8: 57}
FIXED_DIAGONAL = {2: [2, 3], 3: [2, 2, 3]}

Polynomial = list[int]  # coefficients, lowest first, no leading zero


def grain(t: int) -> Iterator[int]:
    """The bits of the Grain LFSR, seeded with the instance's description."""
    seed = ""
    for value, width in (
        (1, 2),  # a prime field
        (0, 4),  # the S-box is a power
        (FIELD_BITS, 12),
        (t, 12),
        (ROUNDS_FULL, 10),
        (ROUNDS_PARTIAL[t], 10),
        ((1 << 30) - 1, 30),
    ):
        seed += format(value, f"0{width}b")
    # As a number whose bit i is the i-th oldest bit.
    state = int(seed[::-1], 2)
    taps = (62, 51, 38, 23, 13, 0)

    def step() -> int:
        nonlocal state
        bit = 0
        for tap in taps:
            bit ^= state >> tap & 1
        state = state >> 1 | bit << 79
        return bit

    for _ in range(160):
        step()
    while True:
        # Of each pair the first bit says whether the second is taken.
        if step():
            yield step()
        else:
            step()


def draw(bits: Iterator[int]) -> int:
    """A number of ``FIELD_BITS`` bits, most significant bit first."""
    value = 0
    for _ in range(FIELD_BITS):
        value = value << 1 | next(bits)
    return value


def constants(t: int) -> list[int]:
    """Round constants (drawn again while they are not below r), then the diagonal."""
    bits = grain(t)
    out: list[int] = []
    while len(out) < ROUNDS_FULL * t + ROUNDS_PARTIAL[t]:
        value = draw(bits)
        if value < MODULUS:
            out.append(value)
    diagonal = FIXED_DIAGONAL.get(t)
    while diagonal is None:
        drawn = [draw(bits) % MODULUS for _ in range(t)]
        if resists_invariant_subspaces(drawn):
            diagonal = drawn
    return out + diagonal


# -- the condition on the matrix -------------------------------------------------------------------------
def resists_invariant_subspaces(diagonal: list[int]) -> bool:
    """Whether M, M^2, .. M^(2t) have irreducible minimal polynomials of degree t.

    Such a polynomial is then the characteristic one, so that is what is computed.
    """
    t = len(diagonal)
    matrix = [[diagonal[i] if i == j else 1 for j in range(t)] for i in range(t)]
    power = matrix
    for _ in range(2 * t):
        if not is_irreducible(characteristic_polynomial(power)):
            return False
        power = product(power, matrix)
    return True


def product(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    columns = list(zip(*b, strict=True))
    return [[sum(x * y for x, y in zip(row, c, strict=True)) % MODULUS for c in columns] for row in a]


def characteristic_polynomial(matrix: list[list[int]]) -> Polynomial:
    """By Faddeev and LeVerrier."""
    t = len(matrix)
    coefficients = [0] * t + [1]
    auxiliary = [[0] * t for _ in range(t)]
    for k in range(1, t + 1):
        auxiliary = [
            [(x + coefficients[t - k + 1] * (i == j)) % MODULUS for j, x in enumerate(row)]
            for i, row in enumerate(product(matrix, auxiliary))
        ]
        trace = sum(product(matrix, auxiliary)[i][i] for i in range(t))
        coefficients[t - k] = -trace * pow(k, -1, MODULUS) % MODULUS
    return coefficients


def is_irreducible(f: Polynomial) -> bool:
    """Rabin's test; the degree is 4 or 8, so its only prime divisor is 2."""
    degree = len(f) - 1
    power = [0, 1]  # x^(r^i) mod f
    for i in range(1, degree + 1):
        power = power_modulo(power, MODULUS, f)
        if i == degree // 2 and len(gcd(minus_x(power), f)) != 1:
            return False
    return not minus_x(power)


def minus_x(f: Polynomial) -> Polynomial:
    out = f + [0] * (2 - len(f))
    out[1] = (out[1] - 1) % MODULUS
    return trim(out)


def trim(f: Polynomial) -> Polynomial:
    while f and not f[-1]:
        f = f[:-1]
    return f


def remainder(f: Polynomial, g: Polynomial) -> Polynomial:
    f = f[:]
    inverse = pow(g[-1], -1, MODULUS)
    while len(f) >= len(g):
        k = f[-1] * inverse % MODULUS
        shift = len(f) - len(g)
        for i, c in enumerate(g):
            f[shift + i] = (f[shift + i] - k * c) % MODULUS
        f = trim(f[:-1])
    return trim(f)


def gcd(f: Polynomial, g: Polynomial) -> Polynomial:
    while g:
        f, g = g, remainder(f, g)
    return f


def power_modulo(base: Polynomial, exponent: int, f: Polynomial) -> Polynomial:
    out: Polynomial = [1]
    for bit in bin(exponent)[2:]:
        out = multiply_modulo(out, out, f)
        if bit == "1":
            out = multiply_modulo(out, base, f)
    return out


def multiply_modulo(a: Polynomial, b: Polynomial, f: Polynomial) -> Polynomial:
    out = [0] * (len(a) + len(b))
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] = (out[i + j] + x * y) % MODULUS
    return remainder(trim(out), f)


if __name__ == "__main__":
    data = b"".join(value.to_bytes(32, "little") for t in ROUNDS_PARTIAL for value in constants(t))
    finish(__doc__, {"zkrollup/crypto/poseidon2_constants.bin": data})
