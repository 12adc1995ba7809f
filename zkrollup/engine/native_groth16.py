"""The native engine's R1CS products and its Groth16 setup, quotient and verification.

Must not know what a circuit means: layouts and keys are plain arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.engine.interface import U64, Block, EngineError, Layout, Matrix, SetupResult
from zkrollup.engine.native_base import NativeBase

__all__ = ["Groth16Mixin", "Progress"]

Progress = Callable[[str, int, int], None]
"""Called with a phase's name, how many of its points are done, and how many there are."""

_CHUNK_G1 = 1 << 18
_CHUNK_G2 = 1 << 16
_KEY_LIMBS = 56  # alpha1, beta2, gamma2, delta2
_KEY_POINTS = ("alpha1", "beta2", "gamma2", "delta2")


class Groth16Mixin(NativeBase):
    """R1CS and Groth16 over the native core."""

    # -- layouts -------------------------------------------------------------------------------

    def _matrix(self, what: str, to: Any, matrix: Matrix, rows: int) -> None:
        self._check(f"{what}.indptr", matrix.indptr, (rows + 1,), np.uint32)
        self._check(f"{what}.cols", matrix.cols, (None,), np.uint32)
        self._check(f"{what}.coefs", matrix.coefs, (len(matrix.cols),), np.uint32)
        to.indptr = self._in(matrix.indptr, "uint32_t")
        to.cols = self._in(matrix.cols, "uint32_t")
        to.coefs = self._in(matrix.coefs, "uint32_t")
        to.num_indptr, to.num_entries = rows + 1, len(matrix.cols)

    def _block(self, what: str, to: Any, block: Block) -> None:
        for name in ("num_rows", "num_links", "num_own", "instances", "own_base", "row_base"):
            self._count(f"{what}.{name}", getattr(block, name))
            setattr(to, name, getattr(block, name))
        self._check(f"{what}.constants", block.constants, (None, 4))
        self._check(f"{what}.links", block.links, (block.instances, block.num_links), np.uint32)
        to.constants, to.num_constants = self._in(block.constants), len(block.constants)
        to.links = self._in(block.links, "uint32_t")
        for name in "abc":
            self._matrix(f"{what}.{name}", getattr(to, name), getattr(block, name), block.num_rows)

    def _count(self, what: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 1 << 32:
            raise EngineError(f"{what}: expected an integer in 0..2^32-1, got {value!r}")

    def _layout(self, what: str, layout: Layout) -> tuple[Any, Any]:
        """The layout in C and what keeps its memory alive. Raises EngineError naming block and entry."""
        blocks = self._ffi.new("zkr_block[]", max(1, len(layout.blocks)))
        for i, block in enumerate(layout.blocks):
            self._block(f"{what}: blocks[{i}]", blocks[i], block)
        c = self._ffi.new("zkr_layout *")
        for name in ("num_columns", "num_public", "num_rows"):
            self._count(f"{what}: {name}", getattr(layout, name))
            setattr(c, name, getattr(layout, name))
        c.blocks, c.num_blocks = blocks, len(layout.blocks)
        fault = self._ffi.new("zkr_layout_fault *")
        if self._lib.zkr_layout_check(c, fault) != self._lib.ZKR_OK:
            raise EngineError(f"{what}: {self._fault_text(layout, fault)}")
        return c, blocks

    def _fault_text(self, layout: Layout, fault: Any) -> str:
        lib = self._lib
        if fault.kind == lib.ZKR_FAULT_COLUMNS:
            have, public = layout.num_columns, layout.num_public
            return f"{have} columns cannot hold the constant and {public} public columns"
        block = layout.blocks[fault.block]
        at, matrix = f"blocks[{fault.block}]", "abc"[fault.matrix]
        if fault.kind == lib.ZKR_FAULT_SIZE:
            return f"{at}: it needs at least one link, and links and own columns below 2^32"
        if fault.kind == lib.ZKR_FAULT_OWN_BASE:
            return f"{at}: own columns from {block.own_base} on overlap others or leave the layout"
        if fault.kind == lib.ZKR_FAULT_ROW_BASE:
            return f"{at}: rows from {block.row_base} on overlap others or leave the layout"
        if fault.kind == lib.ZKR_FAULT_CONSTANTS:
            return f"{at}.constants: expected 0, 1, -1 in Montgomery form first"
        if fault.kind == lib.ZKR_FAULT_LINK:
            instance, link = divmod(int(fault.index), block.num_links)
            value = int(block.links[instance, link])
            return (
                f"{at}.links[{instance}, {link}] = {value}: expected a column below {layout.num_columns}"
                + (", and 0 in place 0" if link == 0 else "")
            )
        if fault.kind == lib.ZKR_FAULT_INDPTR:
            end = len(getattr(block, matrix).cols)
            return f"{at}.{matrix}.indptr[{fault.index}]: expected 0 .. {end}, ascending"
        entries = getattr(block, matrix)
        if fault.kind == lib.ZKR_FAULT_COLUMN:
            limit = block.num_links + block.num_own
            return f"{at}.{matrix}.cols[{fault.index}] = {entries.cols[fault.index]}: expected below {limit}"
        limit = len(block.constants)
        return f"{at}.{matrix}.coefs[{fault.index}] = {entries.coefs[fault.index]}: expected below {limit}"

    def _values_ok(self, what: str, status: int, bad: int) -> None:
        if status == self._lib.ZKR_NOTCANONICAL:
            if bad < 1 << 32:
                raise self._not_canonical(f"{what}: witness", bad, "fr")
            raise EngineError(f"{what}: a block's constant is not below the modulus r")
        self._ok(what, status)

    # -- R1CS ----------------------------------------------------------------------------------

    def r1cs_products(self, layout: Layout, witness: U64) -> tuple[U64, U64, U64]:
        c, _alive = self._layout("r1cs_products", layout)
        self._check("r1cs_products: witness", witness, (layout.num_columns, 4))
        a, b, o = (self._empty(layout.num_rows, 4) for _ in range(3))
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_r1cs_products(
            self._handle, self._out(a), self._out(b), self._out(o), c, self._in(witness), len(witness), bad
        )
        self._values_ok("r1cs_products", status, bad[0])
        return a, b, o

    def r1cs_violations(self, layout: Layout, witness: U64) -> npt.NDArray[np.int64]:
        c, _alive = self._layout("r1cs_violations", layout)
        self._check("r1cs_violations: witness", witness, (layout.num_columns, 4))
        violated = np.empty(layout.num_rows, dtype=np.uint8)
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_r1cs_violations(
            self._handle, self._out(violated, "uint8_t"), c, self._in(witness), len(witness), bad
        )
        self._values_ok("r1cs_violations", status, bad[0])
        return np.flatnonzero(violated).astype(np.int64)

    # -- Groth16 -------------------------------------------------------------------------------

    def _domain(self, what: str, c: Any, layout: Layout) -> int:
        size: int = self._lib.zkr_groth16_domain(c)
        if size == 0:
            raise EngineError(f"{what}: {layout.num_rows} rows need a domain above 2^27")
        return size

    def groth16_quotient(self, layout: Layout, witness: U64) -> U64:
        c, _alive = self._layout("groth16_quotient", layout)
        self._check("groth16_quotient: witness", witness, (layout.num_columns, 4))
        out = self._empty(self._domain("groth16_quotient", c, layout), 4)
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_groth16_quotient(
            self._handle, self._out(out), len(out), c, self._in(witness), len(witness), bad
        )
        self._values_ok("groth16_quotient", status, bad[0])
        return out

    def groth16_setup(self, layout: Layout, progress: Progress | None = None) -> SetupResult:
        """As :class:`zkrollup.engine.interface.Engine` says.

        ``progress`` hears of the phases "scalars", "a", "b1", "b2", "l", "h" as they advance. When it
        raises, the setup ends, its secrets wiped.
        """
        c, _alive = self._layout("groth16_setup", layout)
        self._domain("groth16_setup", c, layout)
        lib = self._lib
        if progress is not None:
            progress("scalars", 0, 1)
        handle, bad = self._ffi.new("zkr_setup **"), self._ffi.new("size_t *")
        self._values_ok("groth16_setup", lib.zkr_setup_new(self._handle, handle, c, bad), bad[0])
        setup = handle[0]
        try:
            if progress is not None:
                progress("scalars", 1, 1)
            b_columns = np.empty(lib.zkr_setup_count(setup, lib.ZKR_SETUP_B1), dtype=np.uint32)
            status = lib.zkr_setup_b_columns(setup, self._out(b_columns, "uint32_t"), len(b_columns))
            self._ok("groth16_setup", status)
            alpha1, beta1, delta1 = self._points(setup, lib.ZKR_SETUP_G1, 8)
            beta2, gamma2, delta2 = self._points(setup, lib.ZKR_SETUP_G2, 16)
            return SetupResult(
                alpha1=alpha1,
                beta1=beta1,
                delta1=delta1,
                beta2=beta2,
                gamma2=gamma2,
                delta2=delta2,
                ic=self._points(setup, lib.ZKR_SETUP_IC, 8),
                a=self._points(setup, lib.ZKR_SETUP_A, 8, "a", progress),
                b_columns=b_columns,
                b1=self._points(setup, lib.ZKR_SETUP_B1, 8, "b1", progress),
                b2=self._points(setup, lib.ZKR_SETUP_B2, 16, "b2", progress),
                l=self._points(setup, lib.ZKR_SETUP_L, 8, "l", progress),
                h=self._points(setup, lib.ZKR_SETUP_H, 8, "h", progress),
            )
        finally:
            lib.zkr_setup_free(setup)

    def _points(
        self, setup: Any, part: int, limbs: int, name: str = "", progress: Progress | None = None
    ) -> U64:
        total: int = self._lib.zkr_setup_count(setup, part)
        out = self._empty(total, limbs)
        chunk = _CHUNK_G1 if limbs == 8 else _CHUNK_G2
        if progress is None:
            chunk = max(1, total)
        for begin in range(0, total, chunk):
            if progress is not None:
                progress(name, begin, total)
            piece = out[begin : begin + chunk]
            status = self._lib.zkr_setup_points(
                self._handle, setup, self._out(piece), part, begin, len(piece)
            )
            self._ok("groth16_setup", status)
        if progress is not None:
            progress(name, total, total)
        return out

    def groth16_verify(self, vk: bytes, proofs: U64, public: U64) -> npt.NDArray[np.bool_]:
        what = "groth16_verify"
        if not isinstance(vk, bytes):
            raise EngineError(f"{what}: vk: expected bytes, got {type(vk).__name__}")
        if len(vk) % 64 or len(vk) < 8 * (_KEY_LIMBS + 8):
            raise EngineError(f"{what}: vk: expected 512 + 64 n bytes, got {len(vk)}")
        n = len(vk) // 64 - 8
        self._check(f"{what}: proofs", proofs, (None, 32))
        self._check(f"{what}: public", public, (len(proofs), n, 4))
        if vk[8 * 24 : 8 * 40] == vk[8 * 40 : 8 * 56]:
            raise EngineError(f"{what}: vk: gamma2 equals delta2, so anyone can forge proofs for this key")
        key = np.frombuffer(vk, dtype="<u8").astype(np.uint64)
        holds = np.empty(len(proofs), dtype=np.uint8)
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_groth16_verify(
            self._handle,
            self._out(holds, "uint8_t"),
            self._in(key),
            n,
            self._in(proofs),
            self._in(public),
            len(proofs),
            bad,
        )
        if status == self._lib.ZKR_BADARGS and bad[0] <= 4 + n:
            point = _KEY_POINTS[bad[0]] if bad[0] < 4 else f"ic[{bad[0] - 4}]"
            raise EngineError(
                f"{what}: vk: {point} is not a finite point of its group with coordinates below the modulus q"
            )
        self._ok(what, status)
        return holds.astype(np.bool_)

    def pairing_product(self, g1: U64, g2: U64) -> U64:
        """The product of the optimal ate pairings e(g1[i], g2[i]).

        Arguments: ``(n, 8)`` and ``(n, 16)``, affine Montgomery, infinity allowed. Returns ``(12, 4)``
        Montgomery Fq: element ``6 i + 2 j + k`` is the coefficient of ``w^i v^j u^k``, where u^2 = -1,
        v^3 = 9 + u, w^2 = v. Raises :class:`EngineError` naming the pair for a point outside its group.
        """
        self._check("pairing_product: g1", g1, (None, 8))
        self._check("pairing_product: g2", g2, (len(g1), 16))
        out = self._empty(12, 4)
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_pairing_product(
            self._handle, self._out(out), self._in(g1), self._in(g2), len(g1), bad
        )
        if status == self._lib.ZKR_BADARGS and bad[0] < len(g1):
            raise EngineError(f"pairing_product: pair {bad[0]}: a point outside its group")
        self._ok("pairing_product", status)
        return out
