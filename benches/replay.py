"""What does the witness cost? Replays the transaction slot's tape over many instances, by path and threads.

Usage: python benches/replay.py [--instances 64] [--depth 16] [--fee-tokens 2] [--runs 9]

One row per instruction set and thread count: milliseconds (best and median), nanoseconds an instance's
product (a multiplication, or a term of a linear combination whose coefficient is neither one nor minus
one), the call from Python and writing the witness included. Checking and compiling the tape, done once,
is a row of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import time
from collections import Counter
from pathlib import Path

import numpy as np

from zkrollup.circuits.transaction import record_transaction
from zkrollup.engine import Opcode, Program, available_cpu_paths, fr_from_ints
from zkrollup.engine.native_circuits import CircuitsMixin


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


def count(program: Program) -> Counter[str]:
    """Products, inversions and instructions of one instance."""
    words, at = program.words.tolist(), 0
    counts: Counter[str] = Counter()
    while at < len(words):
        opcode, length = words[at] & 0xFF, words[at] >> 8
        counts["instructions"] += 1
        counts["products"] += opcode == Opcode.MUL
        counts["inversions"] += opcode in (Opcode.INVERSE_OR_ZERO, Opcode.DIVIDE_OR_ZERO)
        if opcode == Opcode.LC:
            counts["products"] += sum(coef > 2 for coef in words[at + 4 : at + length : 2])
        at += length
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=64)
    parser.add_argument("--depth", type=int, default=16)
    parser.add_argument("--fee-tokens", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    n, program = arguments.instances, record_transaction(arguments.depth, arguments.fee_tokens).program
    counts = count(program)
    print(f"{processor()}; commit {commit()}; {n} instances of {program.num_own} own wires:")
    print("  " + ", ".join(f"{value} {name}" for name, value in counts.items()))

    source = np.random.default_rng(1)
    rows = n * (program.num_links + program.num_inputs)
    values = fr_from_ints(int.from_bytes(source.bytes(32), "little") for _ in range(rows))
    links = values[: n * program.num_links].reshape(n, -1, 4).copy()
    links[:, 0] = program.constants[1]
    inputs = values[n * program.num_links :].reshape(n, -1, 4).copy()
    out = np.zeros((n, program.num_own, 4), dtype=np.uint64)
    engine = CircuitsMixin(threads=1)
    start = time.perf_counter()
    engine._prepare_program(program)
    print(f"  check and compile the tape once: {1e3 * (time.perf_counter() - start):.1f} ms")
    for cpu in reversed(available_cpu_paths()):
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            engine = CircuitsMixin(threads=threads, cpu=cpu)
            taken = []
            for _ in range(arguments.runs):
                start = time.perf_counter()
                engine.replay(program, links, inputs, out)
                taken.append(time.perf_counter() - start)
            each = 1e9 * min(taken) / n / counts["products"]
            print(
                f"  {cpu:8} {threads:3} threads: {1e3 * min(taken):7.1f} ms best, "
                f"{1e3 * statistics.median(taken):7.1f} ms median, {each:5.2f} ns a product"
            )


if __name__ == "__main__":
    main()
