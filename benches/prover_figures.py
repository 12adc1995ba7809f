"""What does the prover reach on circom's circuits, and how do other provers do beside it?

Usage: python benches/prover_figures.py FOLDER [--write] [--runs 5] [--only NAME …] [--peers groth16py gnark]

FOLDER is written by benches/chains/make.py. Prints JSON and a table; ``--write`` keeps the JSON as
benches/results/prover_figures.json and puts the table into README.md. Takes five to ten minutes, the most
of it other provers' keys and proofs.

Each row is the median of runs in which everything that is compared took its turn; a ratio is the median of
the rounds' ratios. A proof's time is that of benches/peers.py: from the .wtns, the key mapped. Peers are
those of benches/peers.py that are installed; one that is too slow for a size is left out there. Rows of
whole processes are ``zkrollup prove`` from its start to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from peers import OURS, NotInstalledError, Prover, process_command, run_process

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "prover_figures.json"
BEGIN, END = "<!-- prover:begin -->", "<!-- prover:end -->"
CHAINS = {
    "chain_16_o1": "2^16, `--O1`",
    "chain_16_o2": "2^16, `--O2` (dense)",
    "chain_18_o1": "2^18, `--O1`",
    "chain_20_o1": "2^20, `--O1`",
}
GNARK_PROVES = ("chain_16_o1", "chain_16_o2", "chain_18_o1")  # its key for 2^20 takes minutes
MEMORY = "640M"
QUIET = 0.5  # load average of one minute up to which a machine counts as free

Runs = dict[str, list[float]]


def in_turn(provers: Mapping[str, Prover], request: str, runs: int, fewer: Mapping[str, int]) -> Runs:
    """Seconds by name. Everyone is asked in every round, but those in ``fewer`` only so many times.

    Whoever is asked more than once warms up first. One that cannot is left out, and why is said.
    """
    found: Runs = {}
    asked = dict(provers)
    for turn in range(runs + 1):
        for name, prover in list(asked.items()):
            most = fewer.get(name, runs)
            if (turn == 0 and most == 1) or turn > most:
                continue
            try:
                seconds = prover.ask(request)
            except NotInstalledError as error:
                print(f"{name}: {request}: {error}", file=sys.stderr)
                found.pop(name, None)
                del asked[name]
            else:
                if turn:
                    found.setdefault(name, []).append(seconds)
    return found


def ratio(over: list[float], under: list[float]) -> float:
    """The median of the rounds' ratios, of as many rounds as both have."""
    return statistics.median(a / b for a, b in zip(over, under, strict=False))


def summary(runs: Runs, first: str) -> dict[str, Any]:
    """Median and spread by name; beside each how many times the first's time it takes."""
    return {
        name: {
            "seconds": statistics.median(taken),
            "spread": [min(taken), max(taken)],
            "runs": [round(one, 5) for one in taken],
            "times": ratio(taken, runs[first]),
        }
        for name, taken in runs.items()
    }


class Bench:
    """The figures' parts; each returns plain data."""

    def __init__(self, folder: Path, runs: int, peers: list[str]) -> None:
        self.folder, self.runs, self.peers = folder, runs, peers

    def provers(self, chain: str, wanted: Mapping[str, tuple[str, int, dict[str, str]]]) -> dict[str, Prover]:
        """Processes by label; those that are not installed are named and left out."""
        found = {}
        for label, (name, threads, environment) in wanted.items():
            if name != OURS and name not in self.peers:
                continue
            try:
                found[label] = Prover(name, self.folder, chain, threads, **environment)
            except NotInstalledError as error:
                print(f"{label}: {error}", file=sys.stderr)
        return found

    def ask(
        self,
        chain: str,
        request: str,
        wanted: Mapping[str, tuple[str, int, dict[str, str]]],
        fewer: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """One request to all of them in turn, and the summary over the first."""
        provers = self.provers(chain, wanted)
        try:
            runs = in_turn(provers, request, self.runs, fewer or {})
        finally:
            for prover in provers.values():
                prover.close()
        return summary(runs, next(iter(wanted)))

    def prove(self) -> dict[str, Any]:
        """The chains by two threads, one thread, other instruction sets and other provers."""
        found = {}
        for chain in CHAINS:
            wanted: dict[str, tuple[str, int, dict[str, str]]] = {
                "2 threads": (OURS, 2, {}),
                "1 thread": (OURS, 1, {}),
            }
            if chain == "chain_18_o1":
                wanted["adx"] = (OURS, 2, {"ZKROLLUP_CPU": "adx"})
            wanted["groth16py"] = ("groth16py", 2, {})
            if chain in GNARK_PROVES:
                wanted["gnark"] = ("gnark", 2, {})
            large = chain == "chain_20_o1"
            found[chain] = self.ask(chain, "prove", wanted, {"groth16py": 1 if large else 3})
        return found

    def process(self) -> dict[str, Any]:
        """``zkrollup prove`` as a whole process, with its peak memory; 2^20 also with bounded memory."""
        found: dict[str, Any] = {}
        for chain in CHAINS:
            ways: dict[str, tuple[int, list[str]]] = {"2 threads": (2, []), "1 thread": (1, [])}
            if chain == "chain_20_o1":
                ways[f"2 threads, `--memory {MEMORY}`"] = (2, ["--memory", MEMORY])
            taken: Runs = {}
            peaks: dict[str, int] = {}
            with tempfile.TemporaryDirectory() as scratch:
                files = [str(self.folder / f"{chain}.{kind}") for kind in ("zkey", "wtns")]
                command = process_command(OURS, *files, f"{scratch}/proof.json", f"{scratch}/public.json")
                for _ in range(max(3, self.runs // 2)):
                    for way, (threads, options) in list(ways.items()):
                        try:
                            seconds, peak = run_process([*command, *options], threads)
                        except NotInstalledError as error:
                            print(f"{chain}, {way}: {error}", file=sys.stderr)
                            del ways[way]
                        else:
                            taken.setdefault(way, []).append(seconds)
                            peaks[way] = max(peaks.get(way, 0), peak)
            found[chain] = summary(taken, "2 threads")
            for way, peak in peaks.items():
                found[chain][way]["peak_memory_bytes"] = peak
        return found

    def setup(self) -> dict[str, Any]:
        """A one-party key from the .r1cs, two threads."""
        return {
            chain: self.ask(
                chain,
                "setup",
                {"2 threads": (OURS, 2, {})}
                | ({"groth16py": ("groth16py", 2, {})} if chain == "chain_18_o1" else {}),
                {"2 threads": 3, "groth16py": 1},
            )
            for chain in ("chain_18_o1", "chain_20_o1")
        }

    def parts(self) -> dict[str, Any]:
        """Sums and transforms on one thread."""
        return {
            request: self.ask(
                "chain_16_o1",
                request,
                {"1 thread": (OURS, 1, {}), "gnark": ("gnark", 1, {})},
                {"gnark": 3},
            )
            for request in ("msm_g1 20", "msm_g2 18", "ntt 20", "coset_ntt 20")
        }


def beside(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What the others took, and how many times as long."""
    return "; ".join(
        f"{text} {shown(found[name]['seconds'])}, {found[name]['times']:.1f} ×"
        for name, text in names.items()
        if name in found
    )


def shown(seconds: float) -> str:
    """Three digits or so."""
    return (
        f"{seconds * 1e3:.0f} ms"
        if seconds < 1
        else f"{seconds:.2f} s"
        if seconds < 10
        else f"{seconds:.1f} s"
    )


PARTS = {
    "msm_g1 20": "G1 sum of 2^20 points, random scalars, one thread",
    "msm_g2 18": "G2 sum of 2^18 points, random scalars, one thread",
    "ntt 20": "NTT of 2^20 elements, one thread",
    "coset_ntt 20": "the same on a coset",
}


def table(found: Mapping[str, Any]) -> str:
    """The figures as a Markdown table."""
    where = found["machine"]
    rows: list[tuple[str, str, str]] = []
    proofs, processes = found.get("prove", {}), found.get("process", {})
    for chain, words in CHAINS.items():
        if chain in proofs:
            one = proofs[chain]
            others = beside(one, {"groth16py": "groth16py", "gnark": "gnark"})
            rows.append((f"proof, Poseidon chain of {words}", shown(one["2 threads"]["seconds"]), others))
            rows.append(
                ("— on one thread", shown(one["1 thread"]["seconds"]),
                 f"two threads {one['1 thread']['times']:.2f} × faster")
            )  # fmt: skip
            if "adx" in one:
                times = f"{one['adx']['times']:.1f} × as long as with AVX-512 IFMA"
                rows.append(("— with MULX and ADX only", shown(one["adx"]["seconds"]), times))
        if chain in processes:
            for way, run in processes[chain].items():
                rows.append(
                    (f"— `zkrollup prove`, whole process, {way}",
                     shown(run["seconds"]), f"peak {run['peak_memory_bytes'] / 1e6:,.0f} MB")
                )  # fmt: skip
    for chain, one in found.get("setup", {}).items():
        rows.append(
            (f"one-party key from the .r1cs, chain of {CHAINS[chain]}", shown(one["2 threads"]["seconds"]),
             beside(one, {"groth16py": "groth16py"}))
        )  # fmt: skip
    for request, one in found.get("parts", {}).items():
        rows.append(
            (PARTS[request], shown(one["1 thread"]["seconds"]), beside(one, {"gnark": "gnark-crypto"}))
        )
    head = (
        f"{where['processor']}, {where['cores']} cores, {where['cpu']}, two threads unless said, "
        f"{where['date']}, commit {where['commit']}"
        + (f"; load average {where['load_before']} before the start" if where["load_before"] > QUIET else "")
        + ".\n\n"
    )
    lines = "".join(f"| {what} | {time} | {others} |\n" for what, time, others in rows)
    return head + "| What | Measured | Beside it |\n|---|---:|---|\n" + lines


def machine() -> dict[str, Any]:
    """Where and when, as the other figures have it, and how busy the machine was before the start."""
    from figures import machine

    return machine() | {"load_before": round(os.getloadavg()[0], 2)}


def main() -> None:
    """Measures, prints, and writes when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--write", action="store_true", help="update README.md and the JSON in benches/results"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", nargs="*", default=["groth16py", "gnark"])
    parser.add_argument("--only", nargs="*", help="some of: prove process setup parts")
    options = parser.parse_args()
    bench = Bench(options.folder, options.runs, options.peers)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "prove": bench.prove,
        "process": bench.process,
        "setup": bench.setup,
        "parts": bench.parts,
    }
    found: dict[str, Any] = {"machine": machine()}
    for name, part in parts.items():
        if not options.only or name in options.only:
            start = time.perf_counter()
            found[name] = part()
            print(f"{name}: done in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    print(json.dumps(found, indent=1))
    print(table(found))
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        readme = HERE.parent / "README.md"
        before, _, rest = readme.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        readme.write_text(f"{before}{BEGIN}\n{table(found)}{END}{after}")


if __name__ == "__main__":
    main()
