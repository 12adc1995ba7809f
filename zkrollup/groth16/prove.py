"""The Groth16 prover: a witness and a key become three group elements.

The module must not know any circuit, nor where a key comes from; the arithmetic is the engine's.

Reference: Groth, On the Size of Pairing-based Non-interactive Arguments, 2016, section 3.2.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.interface import U64, Engine, Layout, ProvingQueries
from zkrollup.engine.prove_memory import MemoryBoundError, least_memory, release, sums_memory

from .keys import Proof
from .proving_key import ProvingKey
from .setup import g1_ints, g2_ints

if TYPE_CHECKING:
    from zkrollup.cs import R1CS, Failures, Witness

__all__ = [
    "MemoryBoundError",
    "ProvingPoints",
    "UnsatisfiedError",
    "memory_need",
    "prove",
    "prove_unchecked",
    "release",
]

Observer = Callable[[str, float], None]
"""Called after each phase with its name and the seconds it took."""


class UnsatisfiedError(ValueError):
    """A witness does not satisfy its circuit, so there is nothing to prove; carries every failure.

    Its text shows the first in full and counts what follows.
    """

    def __init__(self, failures: Failures) -> None:
        self.failures = failures
        super().__init__(f"witness: {failures}")


class ProvingPoints(ProvingQueries, Protocol):
    """What of a key becomes part of a proof: affine Montgomery points, as ``SetupResult`` says."""

    @property
    def num_public(self) -> int: ...
    @property
    def alpha1(self) -> U64: ...
    @property
    def beta1(self) -> U64: ...
    @property
    def delta1(self) -> U64: ...
    @property
    def beta2(self) -> U64: ...
    @property
    def delta2(self) -> U64: ...


def prove(
    key: ProvingKey,
    r1cs: R1CS,
    witness: Witness,
    engine: Engine,
    *,
    check: bool = True,
    observe: Observer | None = None,
    memory: int | None = None,
) -> Proof:
    """Proves that the prover knows ``witness``, a satisfying one with its public inputs.

    Blinding comes from the operating system, so two proofs of one witness differ in every element.
    Raises WrongCircuitError when key and circuit differ, KeyFileError when the key's arrays do not fit
    each other, UnsatisfiedError when ``check`` finds failing rows or seams. Arrays are handed to the
    engine as they lie in the key's memory map. ``memory`` bounds the bytes that the sums take at once, the
    map's pages included (see :func:`memory_need`); MemoryBoundError when they cannot do with that.
    """
    key.require_circuit(r1cs.digest)
    key.require_layout(r1cs.layout)
    clock = Phases(observe)
    if check:
        failures = r1cs.check(engine, witness)
        if failures:
            raise UnsatisfiedError(failures)
        clock.done("check")
    return _prove(key, r1cs.layout, witness.values, engine, clock, memory)


def prove_unchecked(
    key: ProvingPoints,
    layout: Layout,
    values: U64,
    engine: Engine,
    *,
    observe: Observer | None = None,
    memory: int | None = None,
) -> Proof:
    """A proof for the witness ``values`` ((num_columns, 4) Montgomery) that holds only if they satisfy.

    For keys without their circuit's C, as a .zkey is: ``layout.blocks[...].c`` is not read. The caller
    answers for sizes that fit each other, and verifies the proof before handing it on. ``memory`` as for
    :func:`prove`.
    """
    return _prove(key, layout, values, engine, Phases(observe), memory)


def memory_need(key: ProvingPoints, layout: Layout, threads: int, *, least: bool = False) -> int:
    """The bytes that proving takes beyond the process as it is: at most, or at least when bounded.

    Counts the key's points where they are mapped from a file, the quotient, and what the sums work with;
    not the witness, the layout, and arrays that the caller holds already.
    :mod:`zkrollup.engine.prove_memory` has the formula.
    """
    return (least_memory if least else sums_memory)(key, layout, threads)


def _prove(
    key: ProvingPoints, layout: Layout, values: U64, engine: Engine, clock: Phases, memory: int | None
) -> Proof:
    """The sums over the key's points, the quotient's included, and the blinding."""
    sums = engine.groth16_sums(key, layout, values, memory=memory)
    clock.done("sums")

    r, s = secrets.randbelow(R), secrets.randbelow(R)
    one, r_mont, s_mont, minus_rs = engine.fr_to_mont(fr_from_ints([1, r, s, -r * s % R]))

    def blinded1(offset: U64, blinding: U64, total: U64) -> U64:
        """offset + blinding * delta1 + total, in G1."""
        return engine.g1_msm(np.stack([offset, key.delta1, total]), np.stack([one, blinding, one]))

    a = blinded1(key.alpha1, r_mont, sums.a)
    b1 = blinded1(key.beta1, s_mont, sums.b1)
    b2 = engine.g2_msm(np.stack([key.beta2, key.delta2, sums.b2]), np.stack([one, s_mont, one]))
    c = engine.g1_msm(
        np.stack([sums.l, sums.h, a, b1, key.delta1]), np.stack([one, one, s_mont, r_mont, minus_rs])
    )
    clock.done("blinding")
    return Proof(a=g1_ints(engine, a), b=g2_ints(engine, b2), c=g1_ints(engine, c))


class Phases:
    """A stopwatch that names what it has just timed."""

    def __init__(self, observe: Observer | None) -> None:
        self.observe = observe
        self.last = time.perf_counter()

    def done(self, name: str) -> None:
        """Reports the phase that ends now."""
        now = time.perf_counter()
        if self.observe is not None:
            self.observe(name, now - self.last)
        self.last = now
