"""How well does ``zkrollup profile`` predict a proof's cost, whole and by phase?

Usage: python benches/profile_accuracy.py [--write] [--runs 5] [--slots 1 8] [--depth 16]

Proves our batches on one thread of each native path and compares the processor's time with the prediction
from sizes and witness; the sums and the quotient also for themselves. Prints a table; ``--write`` keeps it as
benches/results/profile_accuracy.json. Takes a minute or two, most of it keys.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zkrollup.bench.machine import machine
from zkrollup.bench.subjects import batch_circuit_with_key
from zkrollup.engine import available_cpu_paths, get_engine
from zkrollup.engine.interface import U64, Engine, Layout
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.profile import predict

RESULTS = Path(__file__).resolve().parent / "results" / "profile_accuracy.json"


def processor_seconds(work: Callable[[], object], runs: int) -> float:
    """The median of some runs after one to warm up."""
    taken = []
    for turn in range(runs + 1):
        start = time.process_time()
        work()
        if turn:
            taken.append(time.process_time() - start)
    return statistics.median(taken)


def works(key: Any, layout: Layout, witness: U64, engine: Engine) -> dict[str, Callable[[], object]]:
    """The phases that can be run for themselves; the quotient's includes A w and B w."""
    in_b = witness[key.b_columns]
    own = witness[layout.num_public + 1 :]
    h = engine.groth16_quotient(layout, witness)
    return {
        "quotient: 6 transforms": lambda: engine.groth16_quotient(layout, witness),
        "sum A (G1)": lambda: engine.g1_msm(np.asarray(key.a), witness),
        "sum B1 (G1)": lambda: engine.g1_msm(np.asarray(key.b1), in_b),
        "sum B2 (G2)": lambda: engine.g2_msm(np.asarray(key.b2), in_b),
        "sum L (G1)": lambda: engine.g1_msm(np.asarray(key.l), own),
        "sum H (G1)": lambda: engine.g1_msm(np.asarray(key.h), h[: len(key.h)]),
        "together": lambda: prove_unchecked(key, layout, witness, engine),
    }


def measure(slots: int, depth: int, path: str, runs: int) -> dict[str, Any]:
    label, key, layout, canonical = batch_circuit_with_key(slots, depth)
    engine = get_engine("native", cpu=path, threads=1)
    witness = engine.fr_to_mont(canonical)
    predicted = predict(layout, engine, canonical)
    expected = {phase.name: phase.seconds for phase in predicted.phases}
    expected["quotient: 6 transforms"] += expected.pop("A w, B w")
    expected["together"] = predicted.seconds
    phases = {}
    for name, work in works(key, layout, witness, engine).items():
        taken = processor_seconds(work, runs)
        phases[name] = {
            "predicted": round(expected[name], 5),
            "measured": round(taken, 5),
            "ratio": round(taken / expected[name], 3),
        }
    return {"circuit": label, "depth": depth, "constraints": layout.num_rows, "path": path, "phases": phases}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--depth", type=int, default=16)
    options = parser.parse_args()
    rows = []
    for slots in options.slots:
        for path in available_cpu_paths():
            row = measure(slots, options.depth, path, options.runs)
            rows.append(row)
            print(
                f"{row['circuit']}, {row['constraints']:,} constraints, {path}, processor's time, one thread"
            )
            for name, phase in row["phases"].items():
                print(f"  {name:24} {phase['predicted']:9.4f} {phase['measured']:9.4f} {phase['ratio']:7.3f}")
    if options.write:
        RESULTS.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
