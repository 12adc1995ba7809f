"""zkrollup as one of the provers that benches/peers.py runs: asked by line on stdin, answers in JSON.

Usage: python benches/peers/ours.py KEY.zkey WITNESS.wtns CIRCUIT.r1cs
Requests and answers are those of benches/peers/protocol.py. It must not know the other provers.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol import serve

from zkrollup.bn254 import g1, g2
from zkrollup.engine import get_engine
from zkrollup.engine.convert import fq_from_ints
from zkrollup.engine.interface import U64
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.prove import prove_unchecked

ZKEY, WTNS, R1CS = sys.argv[1:4]
engine = get_engine()
_made: dict[str, object] = {}


def key() -> Zkey:
    """The key, mapped once."""
    if "key" not in _made:
        _made["key"] = Zkey.load(ZKEY, engine)
    return _made["key"]  # type: ignore[return-value]


def random_scalars(count: int) -> U64:
    """Field elements, uniform but for a bit."""
    limbs = np.random.default_rng(1).integers(0, 1 << 64, (count, 4), dtype=np.uint64)
    limbs[:, 3] &= (1 << 61) - 1
    return limbs


def load() -> float:
    start = time.perf_counter()
    key()
    return time.perf_counter() - start


def prove() -> float:
    mapped = key()
    start = time.perf_counter()
    prove_unchecked(mapped, mapped.layout, engine.fr_to_mont(WtnsFile.read(WTNS).values), engine)
    return time.perf_counter() - start


def setup() -> float:
    start = time.perf_counter()
    engine.groth16_setup(R1csFile.read(R1CS).layout())
    return time.perf_counter() - start


def msm(group: str, log_size: int) -> float:
    """A sum of 2^log_size points by random scalars."""
    fixed, total = (
        (engine.g1_fixed_base, engine.g1_msm) if group == "g1" else (engine.g2_fixed_base, engine.g2_msm)
    )
    name = f"{group} {log_size}"
    if name not in _made:
        coordinates = [*g1.GENERATOR] if group == "g1" else [*g2.GENERATOR[0], *g2.GENERATOR[1]]
        base = engine.fq_to_mont(fq_from_ints(coordinates)).reshape(-1)
        _made[name] = fixed(base, random_scalars(1 << log_size))
    scalars = random_scalars(1 << log_size)[::-1].copy()
    start = time.perf_counter()
    total(_made[name], scalars)  # type: ignore[arg-type]
    return time.perf_counter() - start


def ntt(log_size: int, *, coset: bool) -> float:
    """One transform of 2^log_size elements, natural order in and out; the copy of the input included."""
    values = random_scalars(1 << log_size)
    start = time.perf_counter()
    engine.ntt(values, coset=coset)
    return time.perf_counter() - start


serve(
    {
        "load": load,
        "prove": prove,
        "setup": setup,
        "msm_g1": lambda size: msm("g1", size),
        "msm_g2": lambda size: msm("g2", size),
        "ntt": lambda size: ntt(size, coset=False),
        "coset_ntt": lambda size: ntt(size, coset=True),
    }
)
