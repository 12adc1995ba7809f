"""What does the witness cost? Replays the transaction slot's tape over many instances, by path and threads.

Usage: python benches/replay.py [--instances 64] [--depth 16] [--fee-tokens 2] [--runs 9]

One row per instruction set and thread count: milliseconds (best and median), nanoseconds an instance's
product (a multiplication, or a term of a linear combination whose coefficient is neither one nor minus
one), the call from Python and writing the witness included. Checking and compiling the tape, done once,
is a row of its own.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np

from zkrollup.bench.machine import commit, cores, processor_name
from zkrollup.bench.products import program_counts
from zkrollup.bench.stopwatch import alternate, time_once
from zkrollup.circuits.transaction import record_transaction
from zkrollup.engine import available_cpu_paths, fr_from_ints
from zkrollup.engine.native_circuits import CircuitsMixin


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=64)
    parser.add_argument("--depth", type=int, default=16)
    parser.add_argument("--fee-tokens", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    n, program = arguments.instances, record_transaction(arguments.depth, arguments.fee_tokens).program
    counts = program_counts(program)
    print(f"{processor_name()}; commit {commit()}; {n} instances of {program.num_own} own wires:")
    print("  " + ", ".join(f"{value} {name}" for name, value in counts.items()))

    source = np.random.default_rng(1)
    rows = n * (program.num_links + program.num_inputs)
    values = fr_from_ints(int.from_bytes(source.bytes(32), "little") for _ in range(rows))
    links = values[: n * program.num_links].reshape(n, -1, 4).copy()
    links[:, 0] = program.constants[1]
    inputs = values[n * program.num_links :].reshape(n, -1, 4).copy()
    out = np.zeros((n, program.num_own, 4), dtype=np.uint64)
    engine = CircuitsMixin(threads=1)
    compiling = time_once(partial(engine._prepare_program, program))
    print(f"  check and compile the tape once: {1e3 * compiling:.1f} ms")
    for cpu in reversed(available_cpu_paths()):
        for threads in sorted({1, cores()}):
            engine = CircuitsMixin(threads=threads, cpu=cpu)
            work = partial(engine.replay, program, links, inputs, out)
            taken = alternate({cpu: work}, arguments.runs)[cpu]
            each = 1e9 * taken.best / n / counts["products"]
            print(
                f"  {cpu:8} {threads:3} threads: {1e3 * taken.best:7.1f} ms best, "
                f"{1e3 * taken.median:7.1f} ms median, {each:5.2f} ns a product"
            )


if __name__ == "__main__":
    main()
