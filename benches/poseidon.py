"""How many Poseidon hashes a second? By inputs, batch size, path and threads; a single call's cost beside.

Usage: python benches/poseidon.py [--inputs 2 4 16] [--batch 8192] [--runs 7]

Rows give hashes a second for the batch (best of the runs, call from Python included) and the microseconds
of one call that hashes once, which is what a state tree pays outside a batch.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from zkrollup.crypto.tables import poseidon_parameters
from zkrollup.engine import PoseidonParameters, available_cpu_paths, fr_from_ints, get_engine


def commit() -> str:
    root = Path(__file__).resolve().parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def best(runs: int, work: Callable[[], object]) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, nargs="+", default=[2, 4, 16])
    parser.add_argument("--batch", type=int, default=8192)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    print(f"{processor()}; commit {commit()}")
    for inputs in arguments.inputs:
        table = poseidon_parameters(inputs + 1)
        parameters = PoseidonParameters(
            table.t,
            table.rounds_full,
            table.rounds_partial,
            fr_from_ints(table.round_constants),
            fr_from_ints(x for row in table.mds for x in row),
        )
        many = np.zeros((arguments.batch, inputs, 4), dtype=np.uint64)
        many[..., 0] = np.arange(arguments.batch * inputs).reshape(arguments.batch, inputs)
        one = many[:1].copy()
        for cpu in reversed(available_cpu_paths()):
            for threads in sorted({1, len(os.sched_getaffinity(0))}):
                engine = get_engine("native", cpu=cpu, threads=threads)
                engine.poseidon(parameters, one)  # prepares the parameter set, which then stays
                rate = arguments.batch / best(arguments.runs, partial(engine.poseidon, parameters, many))
                call = best(100, partial(engine.poseidon, parameters, one))
                print(
                    f"  {inputs:2} inputs {cpu:8} {threads:3} threads: {rate:11,.0f} hashes/s; "
                    f"one alone {1e6 * call:6.1f} us"
                )


if __name__ == "__main__":
    main()
