"""The native engine's batch Poseidon and tape replay.

Must not know what a circuit means: programs and parameters are plain arrays.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from zkrollup.engine.interface import U64, EngineError, PoseidonParameters
from zkrollup.engine.native_base import NativeBase

__all__ = ["CircuitsMixin"]

# What C derived from a parameter set, by the identity of the latter: engines share it.
_poseidons: WeakKeyDictionary[PoseidonParameters, Any] = WeakKeyDictionary()


class CircuitsMixin(NativeBase):
    """Batch Poseidon and tape replay over the native core."""

    def _prepare_poseidon(self, parameters: PoseidonParameters) -> Any:
        what = "poseidon: parameters"
        t, full, partial = (
            parameters.t,
            parameters.rounds_full,
            parameters.rounds_partial,
        )
        for name, value, low in (
            ("t", t, 2),
            ("rounds_full", full, 2),
            ("rounds_partial", partial, 0),
        ):
            high = 17 if name == "t" else 1024
            if (
                isinstance(value, bool)
                or not isinstance(value, int)
                or not low <= value <= high
            ):
                raise EngineError(
                    f"{what}: {name} must be an integer in {low}..{high}, got {value!r}"
                )
        if full % 2:
            raise EngineError(f"{what}: rounds_full must be even, got {full}")
        self._check(
            f"{what}: round_constants",
            parameters.round_constants,
            ((full + partial) * t, 4),
        )
        self._check(f"{what}: mds", parameters.mds, (t * t, 4))
        out, bad = self._ffi.new("zkr_poseidon **"), self._ffi.new("size_t *")
        status = self._lib.zkr_poseidon_new(
            out,
            t,
            full,
            partial,
            self._in(parameters.round_constants),
            self._in(parameters.mds),
            bad,
        )
        if status == self._lib.ZKR_NOTCANONICAL:
            rest = bad[0] - (full + partial) * t
            raise (
                self._not_canonical(f"{what}: round_constants", bad[0], "fr")
                if rest < 0
                else self._not_canonical(f"{what}: mds", rest, "fr")
            )
        if status == self._lib.ZKR_UNSUPPORTED:
            raise EngineError(
                f"{what}: mds has no sparse form: it is not an MDS matrix"
            )
        self._ok(what, status)
        return self._ffi.gc(out[0], self._lib.zkr_poseidon_free)

    def poseidon(self, parameters: PoseidonParameters, inputs: U64) -> U64:
        """Hashes each run of ``t - 1`` inputs; the parameter set is prepared once and then remembered.

        ``inputs``: ``(n, t - 1, 4)`` Montgomery; returns ``(n, 4)`` Montgomery. Raises EngineError for
        a wrong shape and for elements that are not below r.
        """
        prepared = _poseidons.get(parameters)
        if prepared is None:
            prepared = _poseidons[parameters] = self._prepare_poseidon(parameters)
        self._check("poseidon: inputs", inputs, (None, parameters.t - 1, 4))
        n = len(inputs)
        out = np.empty((n, 4), dtype=np.uint64)
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_poseidon_hash(
            self._handle, prepared, self._out(out), self._in(inputs), n, bad
        )
        if status == self._lib.ZKR_NOTCANONICAL:
            raise self._not_canonical("poseidon: inputs", bad[0], "fr")
        self._ok("poseidon", status)
        return out
