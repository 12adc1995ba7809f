"""The native engine's batch Poseidon and tape replay.

Must not know what a circuit means: programs and parameters are plain arrays.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from zkrollup.engine.interface import TEMPORARY, U64, EngineError, PoseidonParameters, Program
from zkrollup.engine.native_base import NativeBase

__all__ = ["CircuitsMixin"]

# What C derived from a parameter set, by the identity of the latter: engines share it.
_poseidons: WeakKeyDictionary[PoseidonParameters, Any] = WeakKeyDictionary()
# Compiled tapes, by the identity of the program.
_programs: WeakKeyDictionary[Program, Any] = WeakKeyDictionary()

# What is wrong at a word of a tape, by the status's name in zkr.h; {0} is the word there.
_TAPE_ERRORS = {
    "ZKR_TAPE_OPCODE": "no instruction has the opcode {0[opcode]}",
    "ZKR_TAPE_LENGTH": "an instruction with the opcode {0[opcode]} cannot have {0[length]} words",
    "ZKR_TAPE_TRUNCATED": "the instruction has {0[length]} words, which goes beyond the end",
    "ZKR_TAPE_OPERAND": "there is no {0[operand]}",
    "ZKR_TAPE_UNWRITTEN": "{0[operand]} is read before it is written",
    "ZKR_TAPE_CONSTANT": "there is no constant {0[word]}",
    "ZKR_TAPE_DESTINATION": "{0[operand]} cannot be written, or a run of results from it goes too far: "
    "results are temporaries, or own wires after the inputs",
    "ZKR_TAPE_REWRITTEN": "{0[operand]}, or one in a run of results from it, is written a second time",
    "ZKR_TAPE_BITS": "an element has at most 254 bits, not {0[word]}",
}


class CircuitsMixin(NativeBase):
    """Batch Poseidon and tape replay over the native core."""

    def _prepare_poseidon(self, parameters: PoseidonParameters) -> Any:
        what = "poseidon: parameters"
        t, full, partial = (parameters.t, parameters.rounds_full, parameters.rounds_partial)
        for name, value, low in (("t", t, 2), ("rounds_full", full, 2), ("rounds_partial", partial, 0)):
            high = 17 if name == "t" else 1024
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise EngineError(f"{what}: {name} must be an integer in {low}..{high}, got {value!r}")
        if full % 2:
            raise EngineError(f"{what}: rounds_full must be even, got {full}")
        self._check(f"{what}: round_constants", parameters.round_constants, ((full + partial) * t, 4))
        self._check(f"{what}: mds", parameters.mds, (t * t, 4))
        out, bad = self._ffi.new("zkr_poseidon **"), self._ffi.new("size_t *")
        status = self._lib.zkr_poseidon_new(
            out, t, full, partial, self._in(parameters.round_constants), self._in(parameters.mds), bad
        )
        if status == self._lib.ZKR_NOTCANONICAL:
            rest = bad[0] - (full + partial) * t
            raise (
                self._not_canonical(f"{what}: round_constants", bad[0], "fr")
                if rest < 0
                else self._not_canonical(f"{what}: mds", rest, "fr")
            )
        if status == self._lib.ZKR_UNSUPPORTED:
            raise EngineError(f"{what}: mds has no sparse form: it is not an MDS matrix")
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
        status = self._lib.zkr_poseidon_hash(self._handle, prepared, self._out(out), self._in(inputs), n, bad)
        if status == self._lib.ZKR_NOTCANONICAL:
            raise self._not_canonical("poseidon: inputs", bad[0], "fr")
        self._ok("poseidon", status)
        return out

    def _tape_error(self, program: Program, status: int, offset: int) -> EngineError | None:
        what = "replay: program"
        if status == self._lib.ZKR_NOTCANONICAL:
            return self._not_canonical(f"{what}: constants", offset, "fr")
        if status == self._lib.ZKR_TAPE_CONSTANTS:
            return EngineError(
                f"{what}: constants: must begin with 0, 1, -1 (Montgomery); element {offset} differs"
            )
        if status == self._lib.ZKR_TAPE_MISSING:
            return EngineError(f"{what}: own wire {offset} is never written")
        for name, text in _TAPE_ERRORS.items():
            if status == getattr(self._lib, name):
                word = int(program.words[offset])
                column = f"local column {word}"
                fields = {
                    "word": word,
                    "opcode": word & 0xFF,
                    "length": word >> 8,
                    "operand": f"temporary {word - TEMPORARY}" if word & TEMPORARY else column,
                }
                return EngineError(f"{what}: word {offset}: {text.format(fields)}")
        return None

    def _prepare_program(self, program: Program) -> Any:
        what = "replay: program"
        sizes = (program.num_links, program.num_inputs, program.num_own, program.num_temporaries)
        names = ("num_links", "num_inputs", "num_own", "num_temporaries")
        for name, size in zip(names, sizes, strict=True):
            low = 1 if name == "num_links" else 0
            if isinstance(size, bool) or not isinstance(size, int) or not low <= size <= 1 << 28:
                raise EngineError(f"{what}: {name} must be an integer in {low}..2^28, got {size!r}")
        if program.num_inputs > program.num_own:
            raise EngineError(
                f"{what}: {program.num_inputs} inputs among {program.num_own} own wires cannot be"
            )
        self._check(f"{what}: words", program.words, (None,), np.uint32)
        self._check(f"{what}: constants", program.constants, (None, 4))
        if len(program.constants) < 3:
            raise EngineError(f"{what}: constants: must begin with 0, 1, -1, got {len(program.constants)}")
        out, offset = self._ffi.new("zkr_program **"), self._ffi.new("size_t *")
        words, constants = self._in(program.words, "uint32_t"), self._in(program.constants)
        status = self._lib.zkr_program_new(
            out, words, len(program.words), constants, len(program.constants), *sizes, offset
        )
        error = self._tape_error(program, status, offset[0])
        if error is not None:
            raise error
        self._ok(what, status)
        return self._ffi.gc(out[0], self._lib.zkr_program_free)

    def replay(self, program: Program, links: U64, inputs: U64, out: U64 | None = None) -> U64:
        """Runs a tape over ``n`` instances; the program is checked and compiled once and then remembered.

        ``links``: ``(n, num_links, 4)`` with ``links[:, 0]`` one; ``inputs``: ``(n, num_inputs, 4)``.
        Returns all own wires, inputs first: ``(n, num_own, 4)``, in ``out`` when that is given (a
        C-contiguous array, perhaps part of a larger witness, that links and inputs do not overlap). All
        Montgomery. Memory beyond that: one scratch per thread, of 320 bytes for each value alive at once.

        Raises EngineError for a malformed program (naming the word), wrong shapes, elements that are
        not below r, and links 0 that are not one.
        """
        prepared = _programs.get(program)
        if prepared is None:
            prepared = _programs[program] = self._prepare_program(program)
        self._check("replay: links", links, (None, program.num_links, 4))
        n = len(links)
        self._check("replay: inputs", inputs, (n, program.num_inputs, 4))
        if out is None:
            out = np.empty((n, program.num_own, 4), dtype=np.uint64)
        else:
            self._check("replay: out", out, (n, program.num_own, 4))
            if np.may_share_memory(out, links) or np.may_share_memory(out, inputs):
                raise EngineError("replay: out: overlaps links or inputs in memory")
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_replay(
            self._handle, prepared, self._out(out), self._in(links), self._in(inputs), n, bad
        )
        if status == self._lib.ZKR_NOTCANONICAL:
            at = bad[0] - n * program.num_links
            raise (
                self._not_canonical("replay: links", bad[0], "fr")
                if at < 0
                else self._not_canonical("replay: inputs", at, "fr")
            )
        if status == self._lib.ZKR_TAPE_NOT_ONE:
            raise EngineError(f"replay: links: link 0 of instance {bad[0]} is not one")
        self._ok("replay", status)
        return out
