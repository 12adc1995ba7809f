"""groth16py (arkworks) as one of the provers that benches/peers.py runs; see benches/peers/protocol.py.

Usage: python benches/peers/groth16py_peer.py KEY.zkey WITNESS.wtns CIRCUIT.r1cs
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import groth16py

sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol import serve

ZKEY, WTNS, R1CS = sys.argv[1:4]
_keys: list[Any] = []


def load() -> float:
    start = time.perf_counter()
    _keys[:] = groth16py.import_zkey(ZKEY)
    return time.perf_counter() - start


def prove() -> float:
    if not _keys:
        load()
    start = time.perf_counter()
    groth16py.prove_wtns(_keys[0], WTNS)
    return time.perf_counter() - start


def setup() -> float:
    start = time.perf_counter()
    groth16py.setup(R1CS)
    return time.perf_counter() - start


serve({"load": load, "prove": prove, "setup": setup})
