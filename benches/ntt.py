"""What does a transform cost? NTT, INTT and the quotient by size, path and threads, and the limit beside.

Usage: python benches/ntt.py [--log-n 16 18 20] [--threads 1 2] [--runs 9] [--ghz 4.5]

One row per size, instruction set and thread count: milliseconds of wall time (median, and best of the
runs), the call from Python, its fresh result and the check of its input included. Runs of all thread counts
alternate. With ``--ghz``, the clock under load (the system's own figure is seldom that), the eight-lane
path's last columns say how much of the hardware's limit the best run reached: the multiply-adds that the
operation needs (counted below, as native/src/ifma_ntt.c argues), at ``--per-cycle`` of eight lanes a cycle.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zkrollup.engine import available_cpu_paths, fr_from_ints, get_engine
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64, Block, Engine, Layout, Matrix

KNOWN, MONTGOMERY = 75, 100  # multiply-adds of a product of eight lanes by a known factor, and of any two


def commit() -> str:
    root = Path(__file__).resolve().parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def cpuinfo(field: str) -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith(field)]


def vector_products(log_n: int, *, coset: bool) -> float:
    """Products an element in the butterflies of one pass over 2^log_n; factors 1 are not multiplied."""
    return log_n / 2 - (0 if coset else 1 - 2.0**-log_n)


def multiply_adds(log_n: int, operation: str) -> float:
    """Of a whole operation on eight lanes, an element."""
    rows, columns = log_n // 2, log_n - log_n // 2
    twist = KNOWN + MONTGOMERY
    if operation == "quotient":
        down = vector_products(rows, coset=False) + vector_products(columns, coset=False)
        up = vector_products(rows, coset=False) + vector_products(columns, coset=True)
        return (3 * (KNOWN * (down + up) + 2 * twist) + 2 * MONTGOMERY) / 8
    coset = operation.endswith("coset")
    if operation == "intt coset":
        butterflies = vector_products(columns, coset=False) + vector_products(rows, coset=False) + 1
    else:
        butterflies = vector_products(columns, coset=coset) + vector_products(rows, coset=False)
    return (KNOWN * butterflies + twist) / 8


def random_vector(n: int) -> U64:
    limbs = np.random.default_rng(1).integers(0, 1 << 64, (n, 4), dtype=np.uint64)
    limbs[:, 3] >>= np.uint64(3)  # below 2^253, so below r
    return limbs


def products(instances: int) -> Layout:
    """instances rows x y = z: the least that a quotient can follow."""

    def row(column: int) -> Matrix:
        return Matrix(np.array([0, 1], np.uint32), np.array([column], np.uint32), np.array([1], np.uint32))

    constants = get_engine("native", threads=1).fr_to_mont(fr_from_ints([0, 1, R - 1]))
    links = np.zeros((instances, 1), np.uint32)
    block = Block(1, 1, 3, instances, row(1), row(2), row(3), constants, links, 2, 0)
    return Layout(2 + 3 * instances, 1, instances, (block,))


def operations(log_n: int) -> dict[str, Callable[[Engine], object]]:
    vector, layout = random_vector(1 << log_n), products((1 << log_n) - 2)
    witness = random_vector(layout.num_columns)
    return {
        "ntt": lambda engine: engine.ntt(vector),
        "ntt coset": lambda engine: engine.ntt(vector, coset=True),
        "intt": lambda engine: engine.intt(vector),
        "intt coset": lambda engine: engine.intt(vector, coset=True),
        "quotient": lambda engine: engine.groth16_quotient(layout, witness),
    }


def milliseconds(work: Callable[[Engine], object], engine: Engine) -> float:
    start = time.perf_counter()
    work(engine)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--log-n", type=int, nargs="+", default=[16, 18, 20])
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--paths", nargs="+", default=[p for p in available_cpu_paths() if p != "portable"])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--ghz", type=float, default=0.0)
    parser.add_argument("--per-cycle", type=float, default=2.0, help="2 on Zen 5, 1 on Zen 4")
    arguments = parser.parse_args()
    name = next(iter(cpuinfo("model name")), platform.processor())
    print(f"{name}; commit {commit()}")
    print(f"{'':24}{'path':>9}{'threads':>8}{'median':>10}{'best':>10}{'limit':>10}{'reached':>9}")
    for log_n in arguments.log_n:
        for operation, work in operations(log_n).items():
            for path in arguments.paths:
                engines = {t: get_engine("native", cpu=path, threads=t) for t in arguments.threads}
                taken: dict[int, list[float]] = {t: [] for t in engines}
                for _ in range(arguments.runs + 1):  # the first makes tables and threads
                    for threads, engine in engines.items():
                        taken[threads].append(milliseconds(work, engine))
                for threads, times in taken.items():
                    best = min(times[1:])
                    row = f"{f'{operation} 2^{log_n}':24}{path:>9}{threads:>8}"
                    row += f"{statistics.median(times[1:]):>10.2f}{best:>10.2f}"
                    if path == "ifma" and arguments.ghz > 0:
                        adds = multiply_adds(log_n, operation) * 2.0**log_n
                        limit = adds / (arguments.per_cycle * arguments.ghz * 1e6 * threads)
                        row += f"{limit:>10.2f}{limit / best:>9.0%}"
                    print(row)


if __name__ == "__main__":
    main()
