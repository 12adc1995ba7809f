"""The circuit half of an engine in plain Python: the slow twin of replay and of the sparse products.

This module must not know of templates or of the check interpreter: it reads programs and layouts as
engines do, Montgomery arrays in and out, so that comparing the two means something.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zkrollup.engine import fr_from_ints, ints_from_limbs
from zkrollup.engine.convert import FR_MODULUS
from zkrollup.engine.interface import (
    TEMPORARY,
    U64,
    Block,
    EngineError,
    Layout,
    Matrix,
    Opcode,
    Program,
)

__all__ = ["ReferenceEngine"]

_R = 1 << 256
_R_INVERSE = pow(_R, -1, FR_MODULUS)


class ReferenceEngine:
    """``fr_to_mont``, ``fr_from_mont``, ``replay``, ``r1cs_products`` and ``r1cs_violations`` of
    :class:`zkrollup.engine.Engine`; the rest of the interface is not here."""

    name = "reference"
    cpu = "python"
    threads = 1

    def fr_to_mont(self, canonical: U64) -> U64:
        values = ints_from_limbs(canonical)
        if any(v >= FR_MODULUS for v in values):
            raise EngineError("fr_to_mont: an element is not below r")
        return fr_from_ints([v * _R for v in values])

    def fr_from_mont(self, mont: U64) -> U64:
        return fr_from_ints([v * _R_INVERSE for v in ints_from_limbs(mont)])

    def replay(self, program: Program, links: U64, inputs: U64, out: U64 | None = None) -> U64:
        instances = len(links)
        if links.shape != (instances, program.num_links, 4):
            raise EngineError(f"replay: links have shape {links.shape}")
        if inputs.shape != (instances, program.num_inputs, 4):
            raise EngineError(f"replay: inputs have shape {inputs.shape}")
        if out is None:
            out = np.zeros((instances, program.num_own, 4), dtype=np.uint64)
        if out.shape != (instances, program.num_own, 4):
            raise EngineError(f"replay: out has shape {out.shape}")
        constants = self._ints(program.constants)
        words = program.words.tolist()
        for i in range(instances):
            columns = self._ints(links[i]) + self._ints(inputs[i])
            columns += [0] * (program.num_own - program.num_inputs)
            _replay_one(words, constants, columns, [0] * program.num_temporaries)
            out[i] = fr_from_ints([v * _R for v in columns[program.num_links :]])
        return out

    def r1cs_products(self, layout: Layout, witness: U64) -> tuple[U64, U64, U64]:
        if witness.shape != (layout.num_columns, 4):
            raise EngineError(f"r1cs_products: the witness has shape {witness.shape}")
        values = self._ints(witness)
        sides: tuple[list[int], list[int], list[int]] = ([], [], [])
        for block in layout.blocks:
            constants = self._ints(block.constants)
            for i in range(block.instances):
                for out, matrix in zip(sides, (block.a, block.b, block.c), strict=True):
                    out.extend(_product(matrix, block, i, constants, values))
        a, b, c = (fr_from_ints([v * _R for v in side]) for side in sides)
        return a, b, c

    def r1cs_violations(self, layout: Layout, witness: U64) -> npt.NDArray[np.int64]:
        a, b, c = (self._ints(side) for side in self.r1cs_products(layout, witness))
        wrong = [j for j in range(layout.num_rows) if (a[j] * b[j] - c[j]) % FR_MODULUS]
        return np.array(wrong, dtype=np.int64)

    @staticmethod
    def _ints(mont: U64) -> list[int]:
        return [v * _R_INVERSE % FR_MODULUS for v in ints_from_limbs(mont)]


def _product(
    matrix: Matrix, block: Block, instance: int, constants: list[int], values: list[int]
) -> list[int]:
    out = []
    for j in range(block.num_rows):
        total = 0
        for k in range(int(matrix.indptr[j]), int(matrix.indptr[j + 1])):
            column = int(matrix.cols[k])
            if column < block.num_links:
                at = int(block.links[instance, column])
            else:
                at = block.own_base + instance * block.num_own + column - block.num_links
            total += constants[int(matrix.coefs[k])] * values[at]
        out.append(total % FR_MODULUS)
    return out


def _replay_one(words: list[int], constants: list[int], columns: list[int], scratch: list[int]) -> None:
    def get(operand: int) -> int:
        return scratch[operand - TEMPORARY] if operand >= TEMPORARY else columns[operand]

    def put(operand: int, value: int) -> None:
        if operand >= TEMPORARY:
            scratch[operand - TEMPORARY] = value % FR_MODULUS
        else:
            columns[operand] = value % FR_MODULUS

    position = 0
    while position < len(words):
        opcode, size = words[position] & 255, words[position] >> 8
        body = words[position + 1 : position + size]
        if opcode in _SIMPLE:
            put(body[0], _SIMPLE[opcode](*(get(x) for x in body[1:])))
        elif opcode == Opcode.LC:
            dst, k, *terms = body
            pairs = zip(terms[::2], terms[1::2], strict=True)
            put(dst, constants[k] + sum(constants[coef] * get(x) for x, coef in pairs))
        elif opcode == Opcode.BITS:
            dst, x, n = body
            value = get(x)
            for i in range(n):
                put(dst + i, value >> i & 1)
        elif opcode == Opcode.DIVMOD:
            q, r, x, y = body
            a, b = get(x), get(y)
            put(q, a // b if b else 0)
            put(r, a % b if b else a)
        else:
            raise EngineError(f"replay: unknown opcode {opcode}")
        position += size


_SIMPLE: dict[int, Callable[..., int]] = {
    Opcode.MUL: lambda a, b: a * b,
    Opcode.ADD: lambda a, b: a + b,
    Opcode.SUB: lambda a, b: a - b,
    Opcode.COPY: lambda a: a,
    Opcode.INVERSE_OR_ZERO: lambda a: pow(a, FR_MODULUS - 2, FR_MODULUS),
    Opcode.DIVIDE_OR_ZERO: lambda a, b: a * pow(b, FR_MODULUS - 2, FR_MODULUS),
    Opcode.IS_ZERO: lambda a: int(a == 0),
    Opcode.LESS_THAN: lambda a, b: int(a < b),
}
