"""README's figures: what the library costs on this machine, each from its own fresh process or median.

Usage: python benches/figures.py [--write] [--slots 64] [--runs 5] [--only NAME ...]

Prints one JSON object and a table; ``--write`` stores the JSON in benches/results/figures.json and puts
the table into README.md. Times are medians of ``--runs`` runs unless the row says otherwise; machine,
instruction set, threads, commit and date are recorded beside them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zkrollup.bench.stopwatch import alternate

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"


def median_seconds(runs: int, work: Callable[[], object]) -> dict[str, Any]:
    """Median and all runs of something that takes a while; the first run counts too."""
    timing = alternate({"": work}, runs, warm_up=0)[""]
    return {"seconds": timing.median, "runs": [round(t, 5) for t in timing.runs]}


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints for this code."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def import_time(runs: int) -> dict[str, Any]:
    """``import zkrollup`` in a fresh interpreter, without the interpreter's own start."""
    code = "import time; t = time.perf_counter(); import zkrollup; print(time.perf_counter() - t)"
    taken = [float(python(code)) for _ in range(max(runs, 5))]
    return {"seconds": statistics.median(taken), "runs": taken}


def recording(runs: int) -> dict[str, Any]:
    """Recording the slot template; then a 256-slot batch's R1CS around it."""
    from zkrollup.circuits import batch as circuit
    from zkrollup.circuits.transaction import record_transaction
    from zkrollup.state import BatchParameters

    record = median_seconds(runs, lambda: record_transaction(16, 2))
    template = record_transaction(16, 2)
    original = circuit.record_transaction
    try:
        circuit.record_transaction = lambda *_: template  # the part that is not recording the slot
        build = median_seconds(runs, lambda: circuit.BatchCircuit(BatchParameters(256)).r1cs.layout)
    finally:
        circuit.record_transaction = original
    built = circuit.batch_circuit(BatchParameters(64))
    return {
        "record slot": record,
        "build 256 slots": build,
        "rows of the slot": template.num_constraints,
        "constraints per slot": built.constraints_per_slot,
        "constraints of 64 slots": built.r1cs.num_constraints,
    }


def witness(runs: int, slots: int) -> dict[str, Any]:
    """Tape replay over all slots of a generated batch: integers already turned into field elements."""
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.cli.demo import generate
    from zkrollup.crypto.tables import MODULUS
    from zkrollup.engine import get_engine
    from zkrollup.operator import DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, engine_hasher
    from zkrollup.state import BatchContext, BatchParameters, StateTree, apply_batch

    engine = get_engine()
    hasher = engine_hasher(engine)
    parameters = BatchParameters(slots)
    scenario = generate(
        slots, chain_id=DEFAULT_CHAIN_ID, rollup_id=DEFAULT_CONTRACT, capacity=parameters.capacity
    )
    state = StateTree.in_memory(16, hasher)
    context = BatchContext(parameters, DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, 1, ((0, 1),))
    start = time.perf_counter()
    trace = apply_batch(state, scenario.transactions, context)
    executed = time.perf_counter() - start
    circuit = batch_circuit(parameters)
    public, parts = circuit.assignment(trace, z=12345, hasher=hasher, modulus=MODULUS)
    made = median_seconds(runs, lambda: circuit.r1cs.witness(engine, public=public, parts=parts))
    return {"witness": made, "execute": executed}


def poseidon(runs: int) -> dict[str, Any]:
    """Two-input hashes a second on one thread, the call from Python included."""
    from zkrollup.crypto.tables import poseidon_parameters
    from zkrollup.engine import get_engine
    from zkrollup.engine.convert import fr_from_ints
    from zkrollup.engine.interface import PoseidonParameters

    engine = get_engine(threads=1)
    table = poseidon_parameters(3)
    parameters = PoseidonParameters(
        3, table.rounds_full, table.rounds_partial, table.round_constants_canonical(), table.mds_canonical()
    )
    count = 1 << 16 if engine.name == "native" else 1 << 10
    inputs = engine.fr_to_mont(fr_from_ints(list(range(2 * count)))).reshape(count, 2, 4)
    engine.poseidon(parameters, inputs[:16])
    taken = median_seconds(runs, lambda: engine.poseidon(parameters, inputs))
    return taken | {"hashes_per_second": count / taken["seconds"]}


def demo(slots: int, **environment: str) -> dict[str, Any]:
    """``zkrollup demo --slots N --json`` as a whole process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "zkrollup", "demo", "--slots", str(slots), "--json"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    result["process_seconds"] = time.perf_counter() - start
    assert result["verified"]
    assert result["l1_accepted"]
    return result


def demos(runs: int, slots: int) -> dict[str, Any]:
    """The demo from nothing and with its key cached; then the big batch, once from nothing, once cached."""
    with tempfile.TemporaryDirectory() as cache:
        cold = demo(8, ZKROLLUP_CACHE=cache)
        warm = [demo(8, ZKROLLUP_CACHE=cache) for _ in range(runs)]
        big = demo(slots, ZKROLLUP_CACHE=cache)
        again = [demo(slots, ZKROLLUP_CACHE=cache) for _ in range(max(1, runs // 2))]
    return {
        "8 slots from nothing": cold["process_seconds"],
        "8 slots with key": statistics.median(run["process_seconds"] for run in warm),
        "big slots": slots,
        "big setup": big["seconds"]["key"],
        "big prove": statistics.median(run["seconds"]["prove"] for run in again),
        "big phases": again[-1]["seconds"],
        "big total with key": statistics.median(run["process_seconds"] for run in again),
        "big peak memory": max(run["peak_memory_bytes"] for run in [big, *again]),
        "big constraints": big["constraints"],
        "big public data bytes": big["public_data_bytes"],
        "big key bytes": big["key_bytes"],
    }


def verification(runs: int) -> dict[str, Any]:
    """The pure-Python verifier and the native one on one proof of a small batch."""
    import numpy as np

    from zkrollup import PrivateKey, Rollup
    from zkrollup.engine.convert import fr_from_ints
    from zkrollup.verifier import verify

    with tempfile.TemporaryDirectory() as cache:
        rollup = Rollup(1, depth=1, key_directory=Path(cache))
        rollup.deposit(PrivateKey(b"f" * 32), token=0, amount=1, eth_address=1)
        batch = rollup.prove_batch()
    vk = rollup.key.verifying_key
    assert verify(vk, list(batch.inputs), batch.proof)
    pure = median_seconds(runs, lambda: verify(vk, list(batch.inputs), batch.proof))
    engine = rollup.engine
    many = 64
    limbs = np.frombuffer(batch.proof.to_montgomery_bytes(), dtype=np.uint64)
    proofs = np.tile(limbs, (many, 1))
    public = np.tile(fr_from_ints(list(batch.inputs)).reshape(1, 3, 4), (many, 1, 1))
    key = vk.to_montgomery_bytes()
    assert engine.groth16_verify(key, proofs, public).all()
    bulk = median_seconds(runs, lambda: engine.groth16_verify(key, proofs, public))
    return {"pure python": pure, "native each": bulk["seconds"] / many}


def machine() -> dict[str, Any]:
    """Where and when."""
    from zkrollup.cli.doctor import examine

    facts = examine()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "processor": facts["processor"],
        "cores": facts["cores"],
        "engine": facts["engine"],
        "cpu": facts["cpu"],
        "threads": facts["threads"],
        "python": facts["python"],
        "commit": commit or "unknown",
        "date": datetime.date.today().isoformat(),
    }


def table(found: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    where = found["machine"]
    rows: list[tuple[str, str]] = []
    if "recording" in found:
        r = found["recording"]
        rows += [
            ("constraints a transaction slot, depth 16, all-in", f"{r['constraints per slot']:,}"),
            ("constraints of a 64-slot batch", f"{r['constraints of 64 slots']:,}"),
            ("recording the slot template", f"{r['record slot']['seconds']:.2f} s"),
            ("building a 256-slot batch from it", f"{r['build 256 slots']['seconds']:.3f} s"),
        ]
    if "witness" in found:
        rows += [
            ("executing 64 transactions", f"{found['witness']['execute']:.2f} s"),
            ("witness of 64 slots", f"{found['witness']['witness']['seconds']:.3f} s"),
        ]
    if "demos" in found:
        d = found["demos"]
        phases = d["big phases"]
        rows += [
            (
                "`zkrollup demo --slots 8` from nothing, key made on the way",
                f"{d['8 slots from nothing']:.1f} s",
            ),
            ("`zkrollup demo --slots 8`, key cached", f"{d['8 slots with key']:.1f} s"),
            (
                f"setup of a {d['big slots']}-slot batch ({d['big constraints']:,} constraints)",
                f"{d['big setup']:.1f} s",
            ),
            (f"proof of a {d['big slots']}-slot batch", f"{d['big prove']:.1f} s"),
            (
                "— of which quotient and sums, overlapped / check of the witness",
                f"{phases['prove: sums']:.2f} / {phases['prove: check']:.2f} s",
            ),
            (
                f"`zkrollup demo --slots {d['big slots']}`, key cached, whole process",
                f"{d['big total with key']:.1f} s",
            ),
            ("peak memory of that, setup included", f"{d['big peak memory'] / 1e9:.2f} GB"),
            (f"public data of the {d['big slots']}-slot batch", f"{d['big public data bytes']:,} bytes"),
        ]
    if "verification" in found:
        v = found["verification"]
        rows += [
            ("pure-Python verification of a proof", f"{v['pure python']['seconds']:.3f} s"),
            ("native verification, each of 64", f"{v['native each'] * 1e3:.2f} ms"),
        ]
    if "poseidon" in found:
        rows.append(
            ("two-input Poseidon, one thread", f"{found['poseidon']['hashes_per_second']:,.0f} a second")
        )
    if "import" in found:
        rows.append(("`import zkrollup`", f"{found['import']['seconds'] * 1e3:.0f} ms"))
    head = (
        f"{where['processor']}, {where['cores']} cores, engine {where['engine']} ({where['cpu']}), "
        f"{where['threads']} threads, Python {where['python']}, {where['date']}, commit {where['commit']}."
        "\n\n"
    )
    return head + "| What | Measured |\n|---|---:|\n" + "".join(f"| {a} | {b} |\n" for a, b in rows)


def main() -> None:
    """Measures, prints, and writes when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--write", action="store_true", help="update README.md and benches/results/figures.json"
    )
    parser.add_argument("--slots", type=int, default=64, help="size of the big batch")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--only", nargs="*", help="some of: import recording witness demos verification poseidon"
    )
    options = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "import": lambda: import_time(options.runs),
        "recording": lambda: recording(options.runs),
        "poseidon": lambda: poseidon(options.runs),
        "witness": lambda: witness(options.runs, options.slots),
        "verification": lambda: verification(options.runs),
        "demos": lambda: demos(options.runs, options.slots),
    }
    found: dict[str, Any] = {"machine": machine()}
    for name, part in parts.items():
        if not options.only or name in options.only:
            found[name] = part()
            print(f"{name}: done", file=sys.stderr)
    text = table(found)
    print(json.dumps(found, indent=1))
    print(text)
    if options.write:
        results = ROOT / "benches" / "results"
        results.mkdir(exist_ok=True)
        (results / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
        readme = ROOT / "README.md"
        before, _, rest = readme.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


if __name__ == "__main__":
    main()
