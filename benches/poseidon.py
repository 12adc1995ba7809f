"""How many Poseidon hashes a second? By inputs, batch size, path and threads; a single call's cost beside.

Usage: python benches/poseidon.py [--inputs 2 4 16] [--batch 8192] [--runs 7]

Rows give hashes a second for the batch (best of the runs, call from Python included) and the microseconds
of one call that hashes once, which is what a state tree pays outside a batch.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np

from zkrollup.bench.machine import commit, cores, processor_name
from zkrollup.bench.stopwatch import alternate
from zkrollup.crypto.tables import poseidon_parameters
from zkrollup.engine import PoseidonParameters, available_cpu_paths, fr_from_ints, get_engine


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, nargs="+", default=[2, 4, 16])
    parser.add_argument("--batch", type=int, default=8192)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    print(f"{processor_name()}; commit {commit()}")
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
            for threads in sorted({1, cores()}):
                engine = get_engine("native", cpu=cpu, threads=threads)
                engine.poseidon(parameters, one)  # prepares the parameter set, which then stays
                works = {
                    name: partial(engine.poseidon, parameters, x)
                    for name, x in (("many", many), ("one", one))
                }
                rate = arguments.batch / alternate({"many": works["many"]}, arguments.runs)["many"].best
                call = alternate({"one": works["one"]}, 100)["one"].best
                print(
                    f"  {inputs:2} inputs {cpu:8} {threads:3} threads: {rate:11,.0f} hashes/s; "
                    f"one alone {1e6 * call:6.1f} us"
                )


if __name__ == "__main__":
    main()
