"""How many field products a piece of work needs: what a limit is made of.

This module must not know engines or times. The counts are of the algorithm named beside each, at its best
parameters; an implementation that finds a better algorithm can exceed the limit. Additions, transposes,
conversions, sorting, memory and everything else count nothing: that is what the share of the limit shows.
Products of Fr and of Fq cost the same; a product of Fq2 is three, a square two.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from zkrollup.engine.interface import U64, Block, Matrix, Opcode, Program

__all__ = [
    "ADDITION",
    "fixed_base_products",
    "msm_additions",
    "msm_products",
    "ntt_products",
    "program_counts",
    "scalar_kinds",
    "sparse_products",
    "verify_products",
]

ADDITION = {"g1": 6, "g2": 17}
"""Products of one addition among many (batch-affine): slope, its square, y: 2 + 1 and 3 for the shared
inversion; in G2 five products and one square of Fq2."""

_SCALAR_BITS = 254
KNOWN = {"ifma": 75 / 100}
"""What a product by a factor known beforehand (Shoup's trick) costs against one of any two: on eight lanes
75 against 100 multiply-adds (native/src/ifma_ntt.c); one elsewhere."""


def msm_additions(count: int) -> int:
    """Additions of ``count`` bases with random scalars: signed windows of c bits, c the best.

    Each base goes into one of 2^(c-1) buckets in each of ceil(254 / c) windows, and a bucket costs two
    additions to weigh (Pippenger 1976; Bernstein, Doumen, Lange, Oosterwijk 2012, section 4).
    """
    return min(-(-_SCALAR_BITS // c) * (count + (1 << c)) for c in range(2, 24)) if count else 0


def msm_products(group: str, count: int, ones: int = 0) -> int:
    """Of an MSM of ``count`` bases with random scalars and ``ones`` more whose scalar is one."""
    return ADDITION[group] * (msm_additions(count) + ones)


def fixed_base_products(group: str, count: int) -> int:
    """Of ``count`` multiples of one base: a table of signed windows of c bits, then an addition a window."""
    if not count:
        return 0
    additions = min(-(-_SCALAR_BITS // c) * (count + (1 << (c - 1))) for c in range(2, 24))
    return ADDITION[group] * additions


def scalar_kinds(canonical: U64) -> tuple[int, int, int]:
    """How many of the scalars (n, 4) are zero, one, and others."""
    small = ~canonical[:, 1:].any(axis=1)
    zeros = int(np.count_nonzero(small & (canonical[:, 0] == 0)))
    ones = int(np.count_nonzero(small & (canonical[:, 0] == 1)))
    return zeros, ones, len(canonical) - zeros - ones


def _butterflies(log_n: int, *, coset: bool) -> float:
    """Products an element in one pass over 2^log_n elements; factors that are one cost nothing."""
    return log_n / 2 - (0 if coset else 1 - 2.0**-log_n)


def ntt_products(log_n: int, operation: str, cpu: str = "") -> float:
    """Of a transform of 2^log_n elements: two passes, over rows and columns, and a twist between them.

    ``operation``: ``ntt``, ``ntt coset``, ``intt``, ``intt coset``, or ``quotient``: six transforms, a
    product for A B and one for C. Butterflies multiply by factors known beforehand, which on the ifma path
    cost less than a product (:data:`KNOWN`) and are counted so; a twist makes its factor and multiplies.
    """
    known = KNOWN.get(cpu, 1.0)
    rows, columns = log_n // 2, log_n - log_n // 2
    twist = known + 1.0
    plain = _butterflies(rows, coset=False) + _butterflies(columns, coset=False)
    on_coset = _butterflies(rows, coset=False) + _butterflies(columns, coset=True)
    each = {
        "ntt": known * plain + twist,
        "ntt coset": known * on_coset + twist,
        "intt": known * plain + twist,
        "intt coset": known * (plain + 1) + twist,
        "quotient": 3 * (known * (plain + on_coset) + 2 * twist) + 2,
    }[operation]
    return each * 2.0**log_n


def sparse_products(block: Block, matrices: tuple[Matrix, ...]) -> int:
    """Of a block's matrices times a witness: entries that are none of 0, 1, -1, in every instance."""
    return block.instances * sum(int(np.count_nonzero(matrix.coefs > 2)) for matrix in matrices)


def program_counts(program: Program) -> Counter[str]:
    """Instructions, products and inversions of one instance of a tape.

    A product is a multiplication or a term of a linear combination whose coefficient is none of 0, 1, -1.
    Inversions are counted apart: instances share one, at three products each.
    """
    words, at = program.words.tolist(), 0
    counts: Counter[str] = Counter()
    while at < len(words):
        opcode, length = words[at] & 0xFF, words[at] >> 8
        counts["instructions"] += 1
        counts["products"] += opcode == Opcode.MUL
        counts["inversions"] += opcode in (Opcode.INVERSE_OR_ZERO, Opcode.DIVIDE_OR_ZERO)
        if opcode == Opcode.LC:
            counts["products"] += sum(coef > 2 for coef in words[at + 4 : at + length : 2])
        at += length
    return counts


# The pairing's parts over Fq: a product of Fq12 is 54 (18 of Fq2), by a line 39 (13 of Fq2), a square 36
# (12), a square in the cyclotomic subgroup 18 (Granger and Scott 2010). How many of each there are is that
# of zkrollup.bn254.pairing, whose calls tests/bench counts.
_LOOP_STEPS, _LOOP_ADDITIONS = 65, 23  # of 6 X + 2 in signed digits, its two Frobenius steps included
_FINAL_SQUARES, _FINAL_PRODUCTS = 189, 81


def verify_products(num_public: int) -> int:
    """Of one Groth16 verification with a prepared key: e(A, B) and two pairings whose lines are known.

    Lines of B: 27 products a doubling, 33 an addition; each line of each of three pairs is scaled (4) and
    multiplied (39). Then the final exponentiation, its inversion counted as 100, and the product with the
    prepared pairing. Public inputs: 11 products an addition, one in each of 64 windows.
    """
    lines_of_b = 27 * _LOOP_STEPS + 33 * _LOOP_ADDITIONS
    lines = 3 * (_LOOP_STEPS + _LOOP_ADDITIONS) * (4 + 39)
    final = 18 * _FINAL_SQUARES + 54 * (_FINAL_PRODUCTS + 1) + 100
    return lines_of_b + lines + 36 * _LOOP_STEPS + final + num_public * 64 * 11
