"""The native engine's sums of a Groth16 proof, all of them in one call.

Must not know what a circuit means, nor how a proof is blinded or written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine.interface import U32, U64, EngineError, Layout, ProofSums, ProvingQueries
from zkrollup.engine.native_groth16 import Groth16Mixin
from zkrollup.engine.prove_memory import Step, query_lengths, release, steps_within

__all__ = ["ProveMixin"]

_WIDTHS = {"a": 8, "b1": 8, "b2": 16, "l": 8, "h": 8}


class ProveMixin(Groth16Mixin):
    """A proof's sums over the native core."""

    def groth16_sums(
        self, key: ProvingQueries, layout: Layout, witness: U64, *, memory: int | None = None
    ) -> ProofSums:
        """As :class:`zkrollup.engine.interface.Engine` says.

        Without ``memory`` everything is overlapped in one call; with it, in the steps of
        :func:`zkrollup.engine.prove_memory.steps_within`, of which a mapped key's pages are given back
        one by one.
        """
        what = "groth16_sums"
        self._check(f"{what}: witness", witness, (layout.num_columns, 4))
        for name, count in query_lengths(what, key, layout).items():
            self._check(f"{what}: {name}", getattr(key, name), (count, _WIDTHS[name]))
        self._check(f"{what}: b_columns", key.b_columns, (None,), np.uint32)
        if len(key.b_columns) and (
            int(key.b_columns[-1]) >= layout.num_columns or np.any(key.b_columns[1:] <= key.b_columns[:-1])
        ):
            raise EngineError(f"{what}: b_columns: expected columns below {layout.num_columns}, ascending")
        if memory is None:
            return self._sums(key, Step(range(layout.num_columns), "abl", range(len(key.h))), witness, layout)
        total: ProofSums | None = None
        quotient: U64 | None = None
        for step in steps_within(memory, key, layout, self.threads):
            if len(step.values) and quotient is None:
                quotient = self.groth16_quotient(layout, witness)
            part = self._sums(key, step, witness, layout, quotient)
            release(key, step)
            if step.values and step.values.stop == len(key.h):
                quotient = None
            total = part if total is None else self._added(total, part)
        assert total is not None
        return total

    def _added(self, one: ProofSums, other: ProofSums) -> ProofSums:
        """Sum by sum."""
        engine: Any = self  # its g1_add and g2_add are another mixin's
        pairs = {name: (getattr(one, name)[None], getattr(other, name)[None]) for name in _WIDTHS}
        return ProofSums(
            **{
                name: (engine.g2_add if name == "b2" else engine.g1_add)(*pair)[0]
                for name, pair in pairs.items()
            }
        )

    def _sums(
        self, key: ProvingQueries, step: Step, witness: U64, layout: Layout, quotient: U64 | None = None
    ) -> ProofSums:
        """One call: the step's wires and queries, and its values of the quotient."""
        wires, values = step.wires, step.values
        points = self._ffi.new("zkr_proof_points *")
        alive: list[Any] = []

        def place(array: Any, ctype: str = "uint64_t") -> Any:
            alive.append(array)
            return self._in(array, ctype)

        points.num_b_points = 0
        if "a" in step.queries:
            points.a, points.num_a = place(key.a[wires.start : wires.stop]), len(wires)
        if "l" in step.queries:
            skipped = layout.num_public + 1
            own = key.l[max(0, wires.start - skipped) : max(0, wires.stop - skipped)]
            points.l, points.num_l = place(own), len(own)
        first, last = (int(np.searchsorted(key.b_columns, at)) for at in (wires.start, wires.stop))
        columns: U32 = key.b_columns[first:last]
        if wires.start:
            columns = columns - np.uint32(wires.start)
        for name in ("b1", "b2"):
            if name in step.arrays and len(columns):
                array = getattr(key, name)
                whole = len(array) == layout.num_columns
                own = array[wires.start : wires.stop] if whole else array[first:last]
                setattr(points, name, place(own))
                points.num_b_points = len(own)
                points.b_columns, points.num_b = place(columns, "uint32_t"), len(columns)
        if len(values):
            points.h, points.num_h = place(key.h[values.start : values.stop]), len(values)
        own_witness = witness[wires.start : wires.stop]
        scalars = self._ffi.NULL if quotient is None else place(quotient[values.start : values.stop])
        c: Any = self._ffi.NULL
        if quotient is None and len(values):
            c, keep = self._layout("groth16_sums", layout)
            alive.append(keep)
            self._domain("groth16_sums", c, layout)
        out = self._empty(48)
        bad, which = self._ffi.new("size_t *"), self._ffi.new("int *")
        status = self._lib.zkr_groth16_sums(
            self._handle,
            self._out(out),
            points,
            c,
            self._in(own_witness),
            len(own_witness),
            scalars,
            bad,
            which,
        )
        if status == self._lib.ZKR_NOTCANONICAL and which[0] != self._lib.ZKR_SUMS_WITNESS:
            name = ("a", "b1", "b2", "l", "h")[which[0] - self._lib.ZKR_SUMS_A]
            raise EngineError(
                f"groth16_sums: {name}: point {bad[0]} has a coordinate that is not below the modulus q"
            )
        self._values_ok("groth16_sums", status, bad[0])
        a, b1, b2, l_sum, h = np.split(out, (8, 16, 32, 40))
        return ProofSums(a=a, b1=b1, b2=b2, l=l_sum, h=h)
