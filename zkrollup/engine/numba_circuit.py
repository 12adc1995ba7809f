"""Poseidon, tapes and rank-1 rows for the numba engine.

This module must not know which circuit a tape or a row belongs to, nor anything of curves.

Words of a tape are checked by :func:`check_program` before :func:`replay` trusts them: after the check
no index of any instruction leaves its array.

References: L. Grassi et al., "Poseidon: a new hash function for zero-knowledge proof systems", USENIX
Security 2021 (the plain form: every round adds its constants, raises to the fifth power, multiplies
by the matrix).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine.interface import TEMPORARY, Opcode
from zkrollup.engine.numba_field import (
    FR,
    FR_ONE,
    FR_SQUARED,
    ONE,
    ZERO,
    Element,
    Index,
    Vector,
    equal,
    fr_add,
    fr_inverse,
    fr_mul,
    fr_sub,
    is_zero,
    load,
    mul_mod,
    store,
)
from zkrollup.engine.numba_jit import kernel

__all__ = [
    "BAD_CONSTANT",
    "BAD_COUNT",
    "BAD_DESTINATION",
    "BAD_LENGTH",
    "BAD_OPCODE",
    "BAD_OPERAND",
    "REPEATED",
    "TRUNCATED",
    "UNWRITTEN",
    "check_program",
    "poseidon",
    "products",
    "replay",
    "violations",
]

# Opcodes as plain globals: numba folds them into the machine code.
MUL = Opcode.MUL
LC = Opcode.LC
ADD = Opcode.ADD
SUB = Opcode.SUB
COPY = Opcode.COPY
BITS = Opcode.BITS
INVERSE_OR_ZERO = Opcode.INVERSE_OR_ZERO
DIVIDE_OR_ZERO = Opcode.DIVIDE_OR_ZERO
IS_ZERO = Opcode.IS_ZERO
DIVMOD = Opcode.DIVMOD
LESS_THAN = Opcode.LESS_THAN

TEMP = TEMPORARY
MAX_BITS = 254

# What check_program finds wrong.
BAD_OPCODE = 1
BAD_LENGTH = 2
TRUNCATED = 3
BAD_OPERAND = 4
UNWRITTEN = 5
BAD_CONSTANT = 6
BAD_DESTINATION = 7
REPEATED = 8
BAD_COUNT = 9

NIL = np.uint64(0)
UNIT = np.uint64(1)
TOP = np.uint64(63)


# -- Poseidon ------------------------------------------------------------------------------------
@kernel
def poseidon(
    inputs: Any,
    constants: Vector,
    mds: Vector,
    full: Index,
    partial: Index,
    out: Vector,
    start: Index,
    stop: Index,
) -> None:
    """out[i] = the first lane of the permutation of [0, inputs[i]]; all Montgomery."""
    t = inputs.shape[1] + 1
    state = np.empty((t, 4), np.uint64)
    mixed = np.empty((t, 4), np.uint64)
    for i in range(start, stop):
        store(state, 0, ZERO)
        for j in range(1, t):
            for k in range(4):
                state[j, k] = inputs[i, j - 1, k]
        for r in range(full + partial):
            in_partial = r >= full // 2 and r < full // 2 + partial
            for j in range(t):
                x = fr_add(load(state, j), load(constants, r * t + j))
                if j == 0 or not in_partial:
                    square = fr_mul(x, x)
                    x = fr_mul(fr_mul(square, square), x)
                store(state, j, x)
            for j in range(t):
                total = ZERO
                for k in range(t):
                    total = fr_add(total, fr_mul(load(mds, j * t + k), load(state, k)))
                store(mixed, j, total)
            state, mixed = mixed, state
        store(out, i, load(state, 0))


# -- tapes ---------------------------------------------------------------------------------------
@kernel
def _check_operand(operand: Index, num_local: Index, written: Any, temporary: Any) -> int:
    """0, or what is wrong with a value read."""
    if operand >= TEMP:
        index = operand - TEMP
        if index >= temporary.shape[0]:
            return BAD_OPERAND
        return 0 if temporary[index] else UNWRITTEN
    if operand >= num_local:
        return BAD_OPERAND
    return 0 if written[operand] else UNWRITTEN


@kernel
def _check_destination(operand: Index, given: Index, num_local: Index, written: Any, temporary: Any) -> int:
    """0, or what is wrong with a value written; marks it as written."""
    if operand >= TEMP:
        index = operand - TEMP
        if index >= temporary.shape[0]:
            return BAD_DESTINATION
        temporary[index] = True
        return 0
    if operand < given or operand >= num_local:
        return BAD_DESTINATION
    if written[operand]:
        return REPEATED
    written[operand] = True
    return 0


@kernel
def check_program(words: Any, num_constants: Index, given: Index, written: Any, temporary: Any) -> Any:
    """Walk a tape without running it.

    Arguments:
        words: the tape.
        given: the first local column that instructions write (links and inputs lie before it).
        written: one flag a local column, true for the first ``given``; marks are left in it.
        temporary: one flag a temporary, all false.

    Returns: (what is wrong or 0, position of the word).
    """
    num_local = written.shape[0]
    at = np.int64(0)
    end = words.shape[0]
    while at < end:
        head = np.int64(words[at])
        opcode = head & 0xFF
        length = head >> 8
        reads = 0  # operands read, after the destinations
        writes = 1
        if opcode in (MUL, ADD, SUB, DIVIDE_OR_ZERO, LESS_THAN):
            reads = 2
        elif opcode in (COPY, INVERSE_OR_ZERO, IS_ZERO, BITS):
            reads = 1
        elif opcode == DIVMOD:
            writes = 2
            reads = 2
        elif opcode != LC:
            return BAD_OPCODE, at
        if opcode == LC:
            if length < 3 or length % 2 == 0:
                return BAD_LENGTH, at
        elif length != 1 + writes + reads + (1 if opcode == BITS else 0):
            return BAD_LENGTH, at
        if length > end - at:
            return TRUNCATED, at
        if opcode == LC:
            if np.int64(words[at + 2]) >= num_constants:
                return BAD_CONSTANT, at + 2
            for k in range(at + 3, at + length, 2):
                wrong = _check_operand(np.int64(words[k]), num_local, written, temporary)
                if wrong != 0:
                    return wrong, k
                if np.int64(words[k + 1]) >= num_constants:
                    return BAD_CONSTANT, k + 1
        else:
            for k in range(at + 1 + writes, at + 1 + writes + reads):
                wrong = _check_operand(np.int64(words[k]), num_local, written, temporary)
                if wrong != 0:
                    return wrong, k
        count = np.int64(1)
        if opcode == BITS:
            count = np.int64(words[at + 3])
            if count > MAX_BITS:
                return BAD_COUNT, at + 3
        for k in range(at + 1, at + 1 + writes):
            first = np.int64(words[k])
            if first < TEMP and first + count > TEMP:
                return BAD_DESTINATION, k
            for j in range(count):
                wrong = _check_destination(first + j, given, num_local, written, temporary)
                if wrong != 0:
                    return wrong, k
        if writes == 2 and words[at + 1] == words[at + 2]:
            return REPEATED, at + 2
        at += length
    return 0, at


@kernel(inline=True)
def _read(operand: Index, links: Any, i: Index, num_links: Index, own: Any, scratch: Vector) -> Element:
    """The value of an operand for instance i."""
    if operand >= TEMP:
        return load(scratch, operand - TEMP)
    if operand >= num_links:
        k = operand - num_links
        return own[i, k, 0], own[i, k, 1], own[i, k, 2], own[i, k, 3]
    return links[i, operand, 0], links[i, operand, 1], links[i, operand, 2], links[i, operand, 3]


@kernel(inline=True)
def _write(operand: Index, i: Index, num_links: Index, own: Any, scratch: Vector, x: Element) -> None:
    if operand >= TEMP:
        store(scratch, operand - TEMP, x)
    else:
        k = operand - num_links
        own[i, k, 0] = x[0]
        own[i, k, 1] = x[1]
        own[i, k, 2] = x[2]
        own[i, k, 3] = x[3]


@kernel(inline=True)
def _bit(a: Element, i: Index) -> Any:
    """Bit i of 256."""
    word = a[0]
    if i >= 192:
        word = a[3]
    elif i >= 128:
        word = a[2]
    elif i >= 64:
        word = a[1]
    return (word >> np.uint64(i & 63)) & UNIT


@kernel(inline=True)
def _less(a: Element, b: Element) -> bool:
    """a < b as integers."""
    if a[3] != b[3]:
        return bool(a[3] < b[3])
    if a[2] != b[2]:
        return bool(a[2] < b[2])
    if a[1] != b[1]:
        return bool(a[1] < b[1])
    return bool(a[0] < b[0])


@kernel(inline=True)
def _minus(a: Element, b: Element) -> Element:
    """a - b as 256-bit integers for a >= b."""
    d0 = a[0] - b[0]
    c = UNIT if a[0] < b[0] else NIL
    d1 = a[1] - b[1] - c
    c = UNIT if a[1] < b[1] or (a[1] == b[1] and c == UNIT) else NIL
    d2 = a[2] - b[2] - c
    c = UNIT if a[2] < b[2] or (a[2] == b[2] and c == UNIT) else NIL
    return d0, d1, d2, a[3] - b[3] - c


@kernel(inline=True)
def _double(a: Element, low: Any) -> Element:
    """2 a + low over 256 bits."""
    return (
        (a[0] << UNIT) | low,
        (a[1] << UNIT) | (a[0] >> TOP),
        (a[2] << UNIT) | (a[1] >> TOP),
        (a[3] << UNIT) | (a[2] >> TOP),
    )


@kernel
def divide_integers(a: Element, b: Element) -> Any:
    """Quotient and remainder of integers a, b < 2^255; (0, a) when b = 0. Shift and subtract."""
    if is_zero(b):
        return ZERO, a
    quotient = ZERO
    rest = ZERO
    for k in range(256):
        rest = _double(rest, _bit(a, 255 - k))
        low = NIL
        if not _less(rest, b):
            rest = _minus(rest, b)
            low = UNIT
        quotient = _double(quotient, low)
    return quotient, rest


@kernel
def to_mont(a: Element) -> Element:
    """Montgomery words of a canonical element."""
    return mul_mod(a, FR_SQUARED, FR)


@kernel
def from_mont(a: Element) -> Element:
    """Canonical words of a Montgomery element."""
    return mul_mod(a, ONE, FR)


@kernel
def replay(
    words: Any,
    constants: Vector,
    num_temporaries: Index,
    links: Any,
    inputs: Any,
    own: Any,
    start: Index,
    stop: Index,
) -> None:
    """Run a checked tape for instances start..stop-1, writing their own wires; Montgomery."""
    num_links = links.shape[1]
    num_inputs = inputs.shape[1]
    end = words.shape[0]
    scratch = np.zeros((max(1, num_temporaries), 4), np.uint64)
    for i in range(start, stop):
        for j in range(num_inputs):
            for k in range(4):
                own[i, j, k] = inputs[i, j, k]
        at = np.int64(0)
        while at < end:
            head = np.int64(words[at])
            opcode = head & 0xFF
            length = head >> 8
            target = np.int64(words[at + 1])
            value = ZERO
            if opcode == LC:
                value = load(constants, np.int64(words[at + 2]))
                for k in range(at + 3, at + length, 2):
                    a = _read(np.int64(words[k]), links, i, num_links, own, scratch)
                    coef = np.int64(words[k + 1])
                    if coef == 1:
                        value = fr_add(value, a)
                    elif coef == 2:
                        value = fr_sub(value, a)
                    else:
                        value = fr_add(value, fr_mul(load(constants, coef), a))
            elif opcode == DIVMOD:
                a = _read(np.int64(words[at + 3]), links, i, num_links, own, scratch)
                b = _read(np.int64(words[at + 4]), links, i, num_links, own, scratch)
                quotient, rest = divide_integers(from_mont(a), from_mont(b))
                _write(target, i, num_links, own, scratch, to_mont(quotient))
                target = np.int64(words[at + 2])
                value = to_mont(rest)
            else:
                a = _read(np.int64(words[at + 2]), links, i, num_links, own, scratch)
                if opcode == BITS:
                    a = from_mont(a)
                    count = np.int64(words[at + 3])
                    for k in range(count):
                        value = ZERO
                        if _bit(a, k) == UNIT:
                            value = FR_ONE
                        _write(target + k, i, num_links, own, scratch, value)
                    at += length
                    continue
                if opcode == COPY:
                    value = a
                elif opcode == INVERSE_OR_ZERO:
                    value = fr_inverse(a)
                elif opcode == IS_ZERO:
                    if is_zero(a):
                        value = FR_ONE
                else:
                    b = _read(np.int64(words[at + 3]), links, i, num_links, own, scratch)
                    if opcode == MUL:
                        value = fr_mul(a, b)
                    elif opcode == ADD:
                        value = fr_add(a, b)
                    elif opcode == SUB:
                        value = fr_sub(a, b)
                    elif opcode == DIVIDE_OR_ZERO:
                        value = fr_mul(a, fr_inverse(b))
                    elif _less(from_mont(a), from_mont(b)):  # LESS_THAN
                        value = FR_ONE
            _write(target, i, num_links, own, scratch, value)
            at += length


# -- rows ----------------------------------------------------------------------------------------
@kernel
def _row(
    indptr: Any,
    cols: Any,
    coefs: Any,
    constants: Vector,
    links: Any,
    own_base: Index,
    witness: Vector,
    instance: Index,
    row: Index,
) -> Element:
    """<row of a matrix, witness> for one instance; ``own_base`` is that instance's first own column."""
    num_links = links.shape[1]
    total = ZERO
    for k in range(np.int64(indptr[row]), np.int64(indptr[row + 1])):
        column = np.int64(cols[k])
        if column < num_links:
            column = np.int64(links[instance, column])
        else:
            column += own_base - num_links
        x = load(witness, column)
        coef = np.int64(coefs[k])
        if coef == 1:
            total = fr_add(total, x)
        elif coef == 2:
            total = fr_sub(total, x)
        else:
            total = fr_add(total, fr_mul(load(constants, coef), x))
    return total


@kernel
def products(
    indptr: Any,
    cols: Any,
    coefs: Any,
    constants: Vector,
    links: Any,
    own_base: Index,
    num_own: Index,
    num_rows: Index,
    witness: Vector,
    out: Vector,
    start: Index,
    stop: Index,
) -> None:
    """out[k] = row k of a block times the witness, k = instance num_rows + row in start..stop-1."""
    for k in range(start, stop):
        i = k // num_rows
        store(
            out,
            k,
            _row(indptr, cols, coefs, constants, links, own_base + i * num_own, witness, i, k - i * num_rows),
        )


@kernel
def violations(a: Vector, b: Vector, c: Vector, out: Any, start: Index, stop: Index) -> None:
    """out[k] = whether a[k] b[k] != c[k]."""
    for k in range(start, stop):
        out[k] = not equal(fr_mul(load(a, k), load(b, k)), load(c, k))
