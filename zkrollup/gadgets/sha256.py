"""SHA-256 (FIPS 180-4): the compression of a block, and messages whose length is fixed.

This module must not know what is hashed. Words are bits, least significant first; messages and digests
are bits in the order of the standard, the first bit of a byte its most significant one.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.hash_tables import SHA256_ROUNDS, sha256_initial_state, sha256_round_constants
from zkrollup.cs import Bool, ConstraintSystem
from zkrollup.gadgets.words import (
    Word,
    add,
    choose,
    constant,
    majority,
    rotate_right,
    shift_right,
    xor,
)

__all__ = ["sha256", "sha256_compress"]

_BLOCK_BITS = 512


def sha256_compress(cs: ConstraintSystem, state: Sequence[Word], block: Sequence[Word]) -> list[list[Bool]]:
    """The state after a block: FIPS 180-4, section 6.2.2.

    Ranges: 8 words of 32 bits, 16 words of 32 bits (``ValueError`` otherwise). Assumes: each bit is 0 or
    1. Rows: 17,445 for a state of signals, 17,247 for the known initial state; fewer for known words.

    Where rows go: Sigma_0, Sigma_1, Maj, Ch, sigma_0 and sigma_1 take one row a bit
    (:mod:`zkrollup.gadgets.words`). The carries are resolved as seldom as possible:

    - e is decomposed from ``d + h + Sigma_1 + Ch + K + W``, 35 bits. a is not decomposed from seven words
      but from ``e + Sigma_0 + Maj - d + 2^32``, the same residue in 34 bits;
    - W of rounds 62 and 63 enters no later sigma: it stays a sum, at one more bit of carry in e;
    - e and a of the last round enter the result only: they are added to the state before they are
      decomposed.
    """
    for name, words, count in (("state", state, 8), ("block", block, 16)):
        if [len(word) for word in words] != [32] * count:
            raise ValueError(f"the {name} of SHA-256: expected {count} words of 32 bits")
    # A schedule entry is the words whose sum it is.
    schedule: list[list[Word]] = [[word] for word in block]
    for t in range(16, SHA256_ROUNDS):
        with cs.scope("schedule"):
            (early,), (late,) = schedule[t - 15], schedule[t - 2]
            small0 = xor(cs, rotate_right(early, 7), rotate_right(early, 18), shift_right(cs, early, 3))
            small1 = xor(cs, rotate_right(late, 17), rotate_right(late, 19), shift_right(cs, late, 10))
            parts = [small1, *schedule[t - 7], small0, *schedule[t - 16]]
            schedule.append([add(cs, parts, 32)] if t < SHA256_ROUNDS - 2 else parts)
    a, b, c, d, e, f, g, h = state
    for t, key in enumerate(sha256_round_constants()):
        with cs.scope("round"):
            big1 = xor(cs, rotate_right(e, 6), rotate_right(e, 11), rotate_right(e, 25))
            big0 = xor(cs, rotate_right(a, 2), rotate_right(a, 13), rotate_right(a, 22))
            most = majority(cs, a, b, c)
            t1 = [h, big1, choose(cs, e, f, g), *schedule[t]]
            if t == SHA256_ROUNDS - 1:
                last_e = add(cs, [d, *t1, state[4]], 32, plus=key)
                last_a = add(cs, [last_e, big0, most, state[0]], 32, minus=[d, state[4]])
                break
            next_e = add(cs, [d, *t1], 32, plus=key)
            next_a = add(cs, [next_e, big0, most], 32, minus=[d])
            a, b, c, d, e, f, g, h = next_a, a, b, c, next_e, e, f, g
    with cs.scope("result"):
        # Of the last round: b, c, d, f, g, h are the a, b, c, e, f, g before it.
        sums = [
            add(cs, [old, new], 32)
            for old, new in zip([*state[1:4], *state[5:]], [a, b, c, e, f, g], strict=True)
        ]
    return [last_a, *sums[:3], last_e, *sums[3:]]


def sha256(cs: ConstraintSystem, message: Sequence[Bool]) -> list[Bool]:
    """The 256 bits of the digest of a message whose length is fixed, padded as the standard says.

    Ranges: any number of bits below 2^64. Assumes: each bit is 0 or 1. Rows: 17,247 for the first block
    and 17,445 for each further one, fewer for the bits of padding; a message of m bits has
    ``(m + 64) // 512 + 1`` blocks.
    """
    m = len(message)
    length = constant(cs, m, 64)
    zeros = -(m + 65) % _BLOCK_BITS
    padded = [*message, cs.constant_bool(True), *constant(cs, 0, zeros), *reversed(length)]
    state: Sequence[Word] = [constant(cs, word, 32) for word in sha256_initial_state()]
    for i in range(0, len(padded), _BLOCK_BITS):
        block = [padded[j : j + 32][::-1] for j in range(i, i + _BLOCK_BITS, 32)]
        with cs.scope(f"block {i // _BLOCK_BITS}"):
            state = sha256_compress(cs, state, block)
    return [bit for word in state for bit in reversed(word)]
