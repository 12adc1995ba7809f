"""How long does a multi-scalar multiplication take, by group, size, instruction set and threads?

Usage: python benches/msm.py [--group g1 g2] [--log-n 16 18 20] [--paths adx ifma] [--threads 1 2]
                             [--runs 5] [--bits 0] [--json]
       python benches/msm.py --fit [--group g1 g2] [--paths portable adx ifma] [--runs 3]

Random bases (multiples of the generator by random scalars) and random scalars; ``--bits 90`` makes that
share of the scalars 0 or 1, as most of a witness is. Medians, the call from Python included. The
last column is the cost of one addition: time and threads over one addition for each base in each window of
c bits and two for each bucket, at the best c; an addition is at least 6 products of Fq in G1, 17 in G2.

``--fit`` prints the constants of native/src/msm.c's cost model: what a digit with its sorting and addition
costs, and what a bucket does, fitted to the processor time of one thread over forced window sizes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from zkrollup.bench.products import msm_additions
from zkrollup.bench.stopwatch import alternate
from zkrollup.bench.subjects import Case, Variant, bases, msm_cases, random_scalars
from zkrollup.engine import available_cpu_paths


def measure(cases: list[Case], runs: int, bits_share: int) -> Iterator[dict[str, Any]]:
    """A row for every path and number of threads, which take turns."""
    timings = alternate(dict(enumerate(case.work for case in cases)), runs)
    for i, case in enumerate(cases):
        group, seconds, threads = case.subject[:2].lower(), timings[i].median, case.variant.threads
        yield {
            "group": group,
            "log_n": case.size.bit_length() - 1,
            "path": case.variant.cpu,
            "threads": threads,
            "bits_share": bits_share,
            "seconds": seconds,
            "spread": [timings[i].best, timings[i].worst],
            "ns_per_addition": None if bits_share else seconds * threads / msm_additions(case.size) * 1e9,
        }


def fit(group: str, path: str, runs: int) -> tuple[float, float, float]:
    """Nanoseconds a digit and a bucket by least squares of relative errors, and the largest such error."""
    engine: Any = Variant(path, 1).engine()
    msm = engine.g1_msm if group == "g1" else engine.g2_msm
    sizes = [1 << k for k in ((12, 14, 16, 18) if group == "g1" else (11, 13, 15, 17))]
    points = bases(engine, group, sizes[-1])
    scalars = random_scalars(engine, sizes[-1], 2)
    rows, times = [], []
    try:
        for size in sizes:
            for bits in range(8, 17, 2):
                windows = -(-254 // bits)
                digits, buckets = windows * size, windows << (bits - 1)
                if not digits // 64 <= buckets <= digits:
                    continue
                if engine._lib.zkr_engine_set_window(engine._handle, bits):
                    raise RuntimeError(f"the engine refuses windows of {bits} bits")
                taken = []
                for _ in range(runs):
                    start = time.process_time()
                    msm(points[:size], scalars[:size])
                    taken.append(time.process_time() - start)
                rows.append((digits, buckets))
                times.append(min(taken) * 1e9)
    finally:
        engine._lib.zkr_engine_set_window(engine._handle, 0)
    matrix = np.array(rows) / np.array(times)[:, None]
    constants, *_ = np.linalg.lstsq(matrix, np.ones(len(rows)), rcond=None)
    return float(constants[0]), float(constants[1]), float(np.abs(matrix @ constants - 1).max())


def main() -> None:
    """Prints a table, or one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", nargs="+", choices=["g1", "g2"], default=["g1", "g2"])
    parser.add_argument("--log-n", nargs="+", type=int, default=[16, 18])
    parser.add_argument("--paths", nargs="+", default=available_cpu_paths()[-2:])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bits", type=int, default=0, help="per cent of the scalars that are 0 or 1")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fit", action="store_true", help="fit the constants of the cost model")
    options = parser.parse_args()
    if options.fit:
        for path in options.paths:
            for group in options.group:
                digit, bucket, error = fit(group, path, min(options.runs, 3))
                costs = f"digit {digit:6.1f} ns  bucket {bucket:6.1f} ns"
                print(f"{path:8}  {group}  {costs}  within {error:.0%}")
        return
    if not options.json:
        print("group  log2 n  path      threads  median s   min .. max          ns an addition")
    variants = [Variant(path, threads) for path in options.paths for threads in options.threads]
    for cases in msm_cases(options.log_n, variants, options.group, options.bits):
        for row in measure(cases, options.runs, options.bits):
            if options.json:
                print(json.dumps(row))
                continue
            low, high = row["spread"]
            each = "" if row["ns_per_addition"] is None else f"{row['ns_per_addition']:.1f}"
            print(
                f"{row['group']:5}  {row['log_n']:6}  {row['path']:8}  {row['threads']:7}"
                f"  {row['seconds']:8.4f}   {low:.4f} .. {high:.4f}   {each}"
            )


if __name__ == "__main__":
    main()
