"""How long does a multi-scalar multiplication take, by group, size, instruction set and threads?

Usage: python benches/msm.py [--group g1 g2] [--log-n 16 18 20] [--paths adx ifma] [--threads 1 2]
                             [--runs 5] [--bits 0] [--json]

Random bases (multiples of the generator by random scalars) and random scalars; ``--bits 90`` makes that
share of the scalars 0 or 1, as most of a witness is. Medians, the call from Python included. The
last column is the cost of one addition: time and threads over one addition for each base in each window of
c bits and two for each bucket, at the best c; an addition is at least 6 products of Fq in G1, 17 in G2.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np

from zkrollup.engine import available_cpu_paths, get_engine
from zkrollup.engine.convert import fq_from_ints
from zkrollup.engine.interface import U64, Engine

G1 = (1, 2)
G2 = (
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
)


def random_scalars(engine: Engine, count: int, seed: int, bits_share: int = 0) -> U64:
    """Montgomery scalars below 2^253, that share (in per cent) of them 0 or 1."""
    draw = np.random.default_rng(seed)
    limbs = draw.integers(0, 1 << 64, size=(count, 4), dtype=np.uint64)
    limbs[:, 3] >>= np.uint64(11)
    few = draw.random(count) * 100 < bits_share
    limbs[few] = 0
    limbs[few, 0] = draw.integers(0, 2, size=int(few.sum()), dtype=np.uint64)
    return engine.fr_to_mont(limbs)


def window_additions(count: int) -> int:
    """Additions of bases into buckets, and of buckets, for the best window."""
    return min(-(-254 // c) * (count + (1 << c)) for c in range(4, 20))


def measure(group: str, log_n: int, path: str, threads: int, runs: int, bits_share: int) -> dict[str, Any]:
    """One row of the table."""
    engine = get_engine("native", cpu=path, threads=threads)
    count = 1 << log_n
    generator = engine.fq_to_mont(fq_from_ints(G1 if group == "g1" else G2)).reshape(-1)
    fixed_base = engine.g1_fixed_base if group == "g1" else engine.g2_fixed_base
    msm = engine.g1_msm if group == "g1" else engine.g2_msm
    bases = fixed_base(generator, random_scalars(engine, count, 1))
    scalars = random_scalars(engine, count, 2, bits_share)
    msm(bases, scalars)
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        msm(bases, scalars)
        taken.append(time.perf_counter() - start)
    seconds = statistics.median(taken)
    return {
        "group": group,
        "log_n": log_n,
        "path": path,
        "threads": threads,
        "bits_share": bits_share,
        "seconds": seconds,
        "spread": [min(taken), max(taken)],
        "ns_per_addition": None if bits_share else seconds * threads / window_additions(count) * 1e9,
    }


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
    options = parser.parse_args()
    if not options.json:
        print("group  log2 n  path      threads  median s   min .. max          ns an addition")
    for group in options.group:
        for log_n in options.log_n:
            for path in options.paths:
                for threads in options.threads:
                    row = measure(group, log_n, path, threads, options.runs, options.bits)
                    if options.json:
                        print(json.dumps(row))
                        continue
                    low, high = row["spread"]
                    each = "" if row["ns_per_addition"] is None else f"{row['ns_per_addition']:.1f}"
                    print(
                        f"{group:5}  {log_n:6}  {path:8}  {threads:7}  {row['seconds']:8.4f}"
                        f"   {low:.4f} .. {high:.4f}   {each}"
                    )


if __name__ == "__main__":
    main()
