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
from collections.abc import Iterator
from typing import Any

from zkrollup.bench.products import msm_additions
from zkrollup.bench.stopwatch import alternate
from zkrollup.bench.subjects import Case, Variant, msm_cases
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
