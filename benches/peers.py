"""How fast are the other Groth16 provers beside us, on the same circuit, machine and threads?

Usage: python benches/peers.py [FOLDER] [--chains chain_16_o1 …] [--tasks prove setup msm_g1:18 …]
                               [--peers NAME …] [--threads N …] [--rounds 3] [--processes] [--json]

FOLDER holds NAME.zkey, NAME.wtns and NAME.r1cs, as benches/chains/make.py writes them. Each prover is a
process of its own that keeps its key; they are asked in turn (A B C A B C), so that whatever else the
machine does meets all of them. Printed are medians and spread (least to most) and how many times our time
each peer takes (the median of the rounds' ratios). A peer that is not installed is named, and why.

``--processes`` also times whole processes from the files to the written proof, with their peak memory.
Tasks: prove, setup (one-party key from the .r1cs), msm_g1:N, msm_g2:N, ntt:N, coset_ntt:N (sizes 2^N).

What a proof's time includes. zkrollup: reading the witness; the key is mapped. groth16py: reading the
witness; one thread only, however many are allowed. snarkjs: reading key and witness. gnark: the check of
every row from the witness in memory; its own key for the same rows. arkworks: as gnark, without that check.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
BUILD = HERE.parent / "build" / "peers"
MODULES = HERE / "chains" / "node_modules"
FILES = HERE.parent / "build" / "chains"
OURS = "zkrollup"


class NotInstalledError(Exception):
    """Why a prover cannot run here."""


def _python_path() -> dict[str, str]:
    """Lets a prover of ours be imported from this tree whatever is installed."""
    paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}


def _built(tool: str, command: Sequence[str], folder: Path, **environment: str) -> None:
    if shutil.which(tool) is None:
        raise NotInstalledError(f"needs {tool}")
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotInstalledError(f"{tool} does not build it: {done.stderr.strip().splitlines()[-1]}")


def _ours(threads: int) -> list[str]:
    return [sys.executable, str(PEERS / "ours.py")]


def _groth16py(threads: int) -> list[str]:
    if importlib.util.find_spec("groth16py") is None:
        raise NotInstalledError("pip install groth16py")
    return [sys.executable, str(PEERS / "groth16py_peer.py")]


def _snarkjs(threads: int) -> list[str]:
    if shutil.which("node") is None or not (MODULES / "snarkjs").is_dir():
        raise NotInstalledError("needs node, and npm install in benches/chains")
    return ["node", str(PEERS / "snarkjs_peer.mjs")]


def _gnark(threads: int) -> list[str]:
    program = BUILD / "gnark-peer"
    BUILD.mkdir(parents=True, exist_ok=True)
    _built("go", ["go", "build", "-o", str(program), "."], PEERS / "gnark")
    return [str(program)]


def _arkworks(threads: int) -> list[str]:
    target = BUILD / "arkworks"
    _built("cargo", ["cargo", "build", "--release", "--locked", "--quiet"], PEERS / "arkworks",
           CARGO_TARGET_DIR=str(target))  # fmt: skip
    return [str(target / "release" / "arkworks-peer")]


PROVERS = {OURS: _ours, "groth16py": _groth16py, "snarkjs": _snarkjs, "gnark": _gnark, "arkworks": _arkworks}


class Prover:
    """One prover's process, for one circuit and number of threads."""

    def __init__(self, name: str, folder: Path, chain: str, threads: int, **environment: str) -> None:
        self.name = name
        files = [str(folder / f"{chain}.{kind}") for kind in ("zkey", "wtns", "r1cs")]
        command = [*PROVERS[name](threads), *files]
        if name == "snarkjs":
            command += [str(threads), str(MODULES)]
        environment |= {
            "ZKROLLUP_THREADS": str(threads),
            "RAYON_NUM_THREADS": str(threads),
            "GOMAXPROCS": str(threads),
        }
        self._process = subprocess.Popen(
            command,
            env=os.environ | environment | _python_path(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: str) -> float:
        """Seconds; NotInstalledError with the prover's own words when it cannot."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(request, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise NotInstalledError(f"ended with exit code {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise NotInstalledError(answer["error"])
        return float(answer["seconds"])

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


@dataclass
class Row:
    """One task by all provers: seconds of each round by name, and why others are missing."""

    chain: str
    task: str
    threads: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)

    def ratio(self, name: str) -> float | None:
        """How many times our time the peer takes: the median over the rounds."""
        ours = self.seconds.get(OURS)
        if ours is None or name not in self.seconds:
            return None
        return statistics.median(b / a for a, b in zip(ours, self.seconds[name], strict=True))

    def as_json(self) -> dict[str, Any]:
        """The row as plain data."""
        found = {
            name: {
                "median": statistics.median(runs),
                "spread": [min(runs), max(runs)],
                "runs": [round(run, 5) for run in runs],
                "times_ours": self.ratio(name),
            }
            | ({"peak_memory_bytes": self.peak[name]} if name in self.peak else {})
            for name, runs in self.seconds.items()
        }
        return {
            "chain": self.chain, "task": self.task, "threads": self.threads, "found": found,
            "missing": self.missing,
        }  # fmt: skip


def measure(
    folder: Path, chain: str, tasks: Sequence[str], names: Sequence[str], threads: int, rounds: int
) -> list[Row]:
    """Rows for these tasks; all provers are up at once and asked in turn."""
    rows = [Row(chain, task, threads) for task in tasks]
    provers: dict[str, Prover] = {}
    absent: dict[str, str] = {}
    for name in names:
        try:
            provers[name] = Prover(name, folder, chain, threads)
        except NotInstalledError as error:
            absent[name] = str(error)
    try:
        for row in rows:
            row.missing |= absent
            request = row.task.replace(":", " ")
            asked = dict(provers)
            for turn in range(rounds + 1):  # the first warms up
                for name, prover in list(asked.items()):
                    if turn == 0 and row.task == "setup":
                        continue  # takes long, and nothing of it is kept
                    try:
                        seconds = prover.ask(request)
                    except NotInstalledError as error:
                        row.missing[name] = str(error)
                        row.seconds.pop(name, None)
                        del asked[name]
                    else:
                        if turn:
                            row.seconds.setdefault(name, []).append(seconds)
    finally:
        for prover in provers.values():
            prover.close()
    return rows


GROTH16PY_PROCESS = """
import sys, groth16py
pk, _ = groth16py.import_zkey(sys.argv[1])
open(sys.argv[3], "wb").write(groth16py.prove_wtns(pk, sys.argv[2]))
"""


def process_command(name: str, zkey: str, wtns: str, proof: str, public: str) -> list[str]:
    """The command that reads key and witness and writes a proof."""
    if name == OURS:
        return [sys.executable, "-P", "-m", "zkrollup", "prove", zkey, wtns, proof, public]
    if name == "groth16py":
        _groth16py(1)
        return [sys.executable, "-c", GROTH16PY_PROCESS, zkey, wtns, proof]
    if name == "snarkjs":
        _snarkjs(1)
        return [
            "node",
            str(MODULES / "snarkjs" / "build" / "cli.cjs"),
            "groth16",
            "prove",
            zkey,
            wtns,
            proof,
            public,
        ]
    if name == "rapidsnark":
        program = shutil.which("rapidsnark")
        if program is None:
            raise NotInstalledError("no rapidsnark on PATH")
        return [program, zkey, wtns, proof, public]
    raise NotInstalledError("has no command on .zkey and .wtns")


def run_process(command: Sequence[str], threads: int) -> tuple[float, int]:
    """Seconds and peak memory in bytes of a whole process that may use so many cores."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    environment = (
        os.environ | {"ZKROLLUP_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)} | _python_path()
    )
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise NotInstalledError(f"exit code {process.returncode}: {' '.join(last)}")
    return taken, usage.ru_maxrss * 1024


def measure_processes(folder: Path, chain: str, names: Sequence[str], threads: int, rounds: int) -> Row:
    """Whole processes in turn, from files to files."""
    row = Row(chain, "process", threads)
    zkey, wtns = str(folder / f"{chain}.zkey"), str(folder / f"{chain}.wtns")
    asked = list(names)
    with tempfile.TemporaryDirectory() as scratch:
        proof, public = f"{scratch}/proof.json", f"{scratch}/public.json"
        for _ in range(rounds):
            for name in list(asked):
                try:
                    taken, peak = run_process(process_command(name, zkey, wtns, proof, public), threads)
                except NotInstalledError as error:
                    row.missing[name] = str(error)
                    asked.remove(name)
                else:
                    row.seconds.setdefault(name, []).append(taken)
                    row.peak[name] = max(row.peak.get(name, 0), peak)
    for name in row.missing:
        row.seconds.pop(name, None)
    return row


def show(row: Row) -> None:
    """The row as lines of a table."""
    for name, runs in row.seconds.items():
        ratio = row.ratio(name)
        print(
            f"{row.chain:12} {row.task:13} {row.threads:2}  {name:10} {statistics.median(runs):9.4f} s "
            f"({min(runs):.4f} to {max(runs):.4f})"
            + (f"  {ratio:6.2f} ×" if ratio is not None else "")
            + (f"  {row.peak[name] / 1e6:6.0f} MB" if name in row.peak else "")
        )
    for name, why in row.missing.items():
        print(f"{row.chain:12} {row.task:13} {row.threads:2}  {name:10} — {why}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FILES)
    parser.add_argument("--chains", nargs="+", default=["chain_16_o1"])
    parser.add_argument("--tasks", nargs="*", default=["prove"])
    parser.add_argument(
        "--peers", nargs="*", choices=[name for name in [*PROVERS, "rapidsnark"] if name != OURS]
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, len(os.sched_getaffinity(0))])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", action="store_true", help="whole processes, too")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    options = parser.parse_args()
    for chain in options.chains:
        for kind in ("zkey", "wtns", "r1cs"):
            if not (options.folder / f"{chain}.{kind}").is_file():
                raise SystemExit(
                    f"{options.folder / chain}.{kind} is not there; "
                    f"python benches/chains/make.py {options.folder} makes it"
                )
    chosen = [name for name in PROVERS if name != OURS] if options.peers is None else options.peers
    workers = [OURS, *(name for name in chosen if name in PROVERS)]
    for chain in options.chains:
        for threads in dict.fromkeys(options.threads):
            rows = measure(options.folder, chain, options.tasks, workers, threads, options.rounds)
            if options.processes:
                names = [OURS, *(name for name in [*chosen, "rapidsnark"] if name != OURS)]
                rows.append(
                    measure_processes(
                        options.folder, chain, list(dict.fromkeys(names)), threads, options.rounds
                    )
                )
            for row in rows:
                if options.json:
                    print(json.dumps(row.as_json()), flush=True)
                else:
                    show(row)


if __name__ == "__main__":
    main()
