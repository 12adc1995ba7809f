"""How does proving scale from one thread to all cores?

Usage: python benches/scaling.py [FOLDER --chain chain_20_o1 | --slots 64] [--threads 1 2 4 …] [--rounds 5]
                                 [--json] [--write NAME]

With FOLDER (written by benches/chains/make.py) a chain of Poseidon hashes is proved, otherwise a batch of
this rollup, whose key is made first; that needs nothing but zkrollup. Beside the whole proof: the check of
the witness, the quotient, a G1 sum and a transform of the circuit's size. Thread counts take turns in every
round; printed are medians, how many times faster than one thread, and that over the threads. ``--write``
keeps the JSON as benches/results/scaling_NAME.json and a curve beside it as .svg.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from figures import machine

from zkrollup.engine import get_engine
from zkrollup.engine.interface import U64, Engine, Layout
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.prove import ProvingPoints, prove_unchecked
from zkrollup.groth16.setup import unsafe_setup

RESULTS = Path(__file__).resolve().parent / "results"


def chain(folder: Path, name: str, engine: Engine) -> tuple[str, ProvingPoints, Layout, U64]:
    """Key and witness of files."""
    key = Zkey.load(folder / f"{name}.zkey", engine)
    values = engine.fr_to_mont(WtnsFile.read(folder / f"{name}.wtns").values)
    return name, key, key.layout, values


def batch(slots: int, engine: Engine) -> tuple[str, ProvingPoints, Layout, U64]:
    """Key and witness of a generated batch of this rollup."""
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.cli.demo import generate
    from zkrollup.crypto.tables import MODULUS
    from zkrollup.operator import DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, engine_hasher
    from zkrollup.state import BatchContext, BatchParameters, StateTree, apply_batch

    hasher = engine_hasher(engine)
    parameters = BatchParameters(slots)
    scenario = generate(
        slots, chain_id=DEFAULT_CHAIN_ID, rollup_id=DEFAULT_CONTRACT, capacity=parameters.capacity
    )
    context = BatchContext(parameters, DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, 1, ((0, 1),))
    trace = apply_batch(StateTree.in_memory(16, hasher), scenario.transactions, context)
    circuit = batch_circuit(parameters)
    public, parts = circuit.assignment(trace, z=12345, hasher=hasher, modulus=MODULUS)
    witness = circuit.r1cs.witness(engine, public=public, parts=parts)
    key = unsafe_setup(circuit.r1cs, engine)
    return f"batch of {slots} slots", key, circuit.r1cs.layout, witness.values


def thread_counts(cores: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, 24 … and all cores."""
    steps = {1, *(count << shift for shift in range(12) for count in (2, 3))}
    return sorted({step for step in steps if step <= cores} | {cores})


def measure(
    key: ProvingPoints, layout: Layout, witness: U64, threads: list[int], rounds: int
) -> dict[str, dict[int, list[float]]]:
    """Seconds of every task, by threads; the counts take turns."""
    scalars = np.ascontiguousarray(witness[: len(key.a)])
    dense = np.random.default_rng(1).integers(0, 1 << 61, (layout.domain_size, 4), dtype=np.uint64)
    h = np.array(key.h)
    tasks: dict[str, Callable[[Engine], object]] = {
        "prove": lambda engine: prove_unchecked(key, layout, witness, engine),
        "check": lambda engine: engine.r1cs_violations(layout, scalars),
        "quotient": lambda engine: engine.groth16_quotient(layout, scalars),
        "msm g1": lambda engine: engine.g1_msm(h, dense),
        "ntt": lambda engine: engine.ntt(dense),
    }
    found: dict[str, dict[int, list[float]]] = {}
    engines = {count: get_engine(threads=count) for count in threads}
    for name, task in tasks.items():
        found[name] = {count: [] for count in threads}
        for turn in range(rounds + 1):  # the first warms up
            for count, engine in engines.items():
                start = time.perf_counter()
                task(engine)
                if turn:
                    found[name][count].append(time.perf_counter() - start)
    return found


def svg(task_medians: dict[str, dict[int, float]], title: str) -> str:
    """Speed-up against threads as a small picture, the ideal dashed."""
    most = max(count for medians in task_medians.values() for count in medians)
    size, edge = 420, 46
    colours = ["#1b6ca8", "#b03a2e", "#2e7d32", "#6a4c93", "#b9770e"]

    def place(threads: float, times: float) -> str:
        span = size - 2 * edge
        return f"{edge + span * threads / most:.1f},{size - edge - span * times / most:.1f}"

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size + 110} {size}" font-family="sans-serif" '
        'font-size="12">',
        f'<text x="{edge}" y="20" font-size="14">{title}</text>',
        f'<polyline points="{place(0, most)} {place(0, 0)} {place(most, 0)}" fill="none" stroke="#888"/>',
        f'<polyline points="{place(0, 0)} {place(most, most)}" fill="none" stroke="#bbb" '
        'stroke-dasharray="4 4"/>',
        f'<text x="{size / 2 - 24}" y="{size - 10}">threads</text>',
        f'<text x="14" y="{size / 2 + 60}" transform="rotate(-90 14 {size / 2 + 60})">times faster</text>',
    ]
    for count in next(iter(task_medians.values())):
        x, y = place(count, 0).split(",")
        lines.append(f'<text x="{x}" y="{float(y) + 16}" text-anchor="middle">{count}</text>')
    for index, (name, medians) in enumerate(task_medians.items()):
        points = " ".join(place(count, medians[1] / seconds) for count, seconds in medians.items())
        colour = colours[index % len(colours)]
        width = 3 if name == "prove" else 1.5
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
            f'<text x="{size - 20}" y="{60 + 18 * index}" fill="{colour}">{name}</text>'
        )
    return "\n".join([*lines, "</svg>\n"])


def main() -> None:
    """Prints a table or JSON, and keeps it when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--chain", default="chain_20_o1")
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--threads", nargs="+", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", metavar="NAME", help="keep as benches/results/scaling_NAME.json and .svg")
    options = parser.parse_args()
    threads = options.threads or thread_counts(len(os.sched_getaffinity(0)))
    threads = sorted({1, *threads})  # everything is compared with one thread
    engine = get_engine()
    what, key, layout, witness = (
        chain(options.folder, options.chain, engine) if options.folder else batch(options.slots, engine)
    )
    print(f"{what}: {layout.num_rows} constraints", file=sys.stderr)
    found = measure(key, layout, witness, threads, options.rounds)
    medians = {
        task: {count: statistics.median(taken) for count, taken in runs.items()}
        for task, runs in found.items()
    }
    result: dict[str, Any] = {
        "machine": machine(),
        "circuit": what,
        "constraints": layout.num_rows,
        "runs": {
            task: {str(count): [round(run, 5) for run in taken] for count, taken in runs.items()}
            for task, runs in found.items()
        },
    }
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        for task, by_threads in medians.items():
            for count, seconds in by_threads.items():
                times = by_threads[1] / seconds
                print(f"{task:9} {count:3} threads  {seconds:8.4f} s  {times:5.2f} ×  {times / count:5.0%}")
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"scaling_{options.write}.json").write_text(json.dumps(result, indent=1) + "\n")
        title = f"{what}, {result['machine']['processor']}, {result['machine']['cpu']}"
        (RESULTS / f"scaling_{options.write}.svg").write_text(svg(medians, title))


if __name__ == "__main__":
    main()
