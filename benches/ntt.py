"""What does a transform cost against the processor's multiply-adds? By size, path and threads.

Usage: python benches/ntt.py [--log-n 16 18 20] [--threads 1 2] [--runs 9] --ghz 4.5 [--per-cycle 2]

`zkrollup bench ntt` compares with the measured cost of a product; this one with what the hardware's
multiply-add units could do at ``--ghz``, the clock under load (the system's own figure is seldom that), at
``--per-cycle`` multiply-adds of eight lanes a cycle. Milliseconds of wall time (median, best of the runs),
the call from Python, its fresh result and the check of its input included. Runs of all thread counts
alternate.
"""

from __future__ import annotations

import argparse

from zkrollup.bench.machine import commit, cores, processor_name
from zkrollup.bench.products import ntt_products
from zkrollup.bench.stopwatch import alternate
from zkrollup.bench.subjects import Variant, ntt_cases

MULTIPLY_ADDS = 100  # of a product of eight lanes


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--log-n", type=int, nargs="+", default=[16, 18, 20])
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, cores()}))
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--ghz", type=float, required=True)
    parser.add_argument("--per-cycle", type=float, default=2.0, help="2 on Zen 5, 1 on Zen 4")
    arguments = parser.parse_args()
    print(f"{processor_name()}; commit {commit()}")
    print(f"{'':24}{'threads':>8}{'median':>10}{'best':>10}{'limit':>10}{'reached':>9}")
    variants = [Variant("ifma", threads) for threads in arguments.threads]
    for cases in ntt_cases(arguments.log_n, variants):
        timings = alternate({case.variant.threads: case.work for case in cases}, arguments.runs)
        for threads, timing in timings.items():
            log_n = cases[0].size.bit_length() - 1
            adds = MULTIPLY_ADDS / 8 * ntt_products(log_n, cases[0].subject.lower(), "ifma")
            limit = adds / (arguments.per_cycle * arguments.ghz * 1e9 * threads)
            print(
                f"{f'{cases[0].subject} {cases[0].label}':24}{threads:>8}{1e3 * timing.median:>10.2f}"
                f"{1e3 * timing.best:>10.2f}{1e3 * limit:>10.2f}{limit / timing.best:>9.0%}"
            )


if __name__ == "__main__":
    main()
