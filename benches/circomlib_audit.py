"""circomlib's templates under the audit: how many signals are decided, in what time, and what is found.

Usage: python benches/circomlib_audit.py [--write] [--only NAME ...] [--seconds 60] [--folder FOLDER]

Compiles the templates listed in circomlib_audit.mjs with circom2 at --O1 and --O2 into an ignored folder
(npm installs circom2 and circomlib there), computes witnesses by circom's WASM and audits each file with
them. Every pair of witnesses is evaluated on all rows again here, so that no verdict "free" is taken on
trust. Prints one JSON object; ``--write`` stores it in benches/results/circomlib_audit.json and puts the
table into docs/circomlib-audit.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from zkrollup.audit import AuditReport, Constraints, audit
from zkrollup.bench.machine import machine
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.formats.wtns import WtnsFile

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benches" / "results" / "circomlib_audit.json"
PAGE = ROOT / "docs" / "circomlib-audit.md"
BEGIN, END = "<!-- circomlib-audit:begin -->", "<!-- circomlib-audit:end -->"
PACKAGES = ("circom2@0.2.23", "circomlib@2.0.5")

# What is known of a template, looked at by hand: why signals are free or stay undecided. Each note is about
# what the audit found; the tests demand one for every template with such a signal.
NOTES: dict[str, str] = {
    "IsZero": "At in = 0 the inverse is multiplied by zero; the output does not depend on it.",
    "IsEqual": "The inverse of its IsZero, where both inputs are equal.",
    "ForceEqualIfEnabled": "The inverse of its IsZero, where both inputs are equal.",
    "Num2BitsNeg": "The inverse of its IsZero, where the number is zero.",
    "Num2Bits 254": (
        "254 bits hold x and, below 2^254 - r, x + r: what Num2Bits_strict exists for. Each bit has "
        "its pair of decompositions."
    ),
    "Decoder": (
        "Where the index is in range all outputs and `success` may be 0 instead: `success` is "
        "only shown to be 0 or 1. A caller must demand success = 1, as Multiplexer does."
    ),
    "Edwards2Montgomery": ("At (0, -1), the point of order two, v x = u is 0 = 0. A caller must exclude it."),
    "Montgomery2Edwards": ("At (0, 0), the point of order two, x v = u is 0 = 0. A caller must exclude it."),
    "MontgomeryAdd": "For equal points the slope is 0/0. A caller must add different points.",
    "MontgomeryDouble": (
        "With y = 0 and x a root of 3 x^2 + 2 A x + 1 the slope is 0/0; shown at a witness with "
        "such an input. No point of the curve is like that: a caller must pass points of the "
        "curve."
    ),
    "EscalarMulAny": (
        "Shown at a point off the curve: circomlib's chords and tangents are the group law of B v^2 = u^3 "
        "+ A u^2 + u + c for every c, and of a point of order five 8 P = 3 P, so a slope is 0/0. A caller "
        "must pass a point of the subgroup. The tangents are all determined, on the curve or not. "
        "Undecided are chords that this point does not make free. The idle signal is the inverse of the "
        "test for x = 0."
    ),
    "EscalarMulFix": (
        "Free for scalars whose bits are no bits: then a window's point is chosen such that a chord meets "
        "equal points. With bits that are bits every signal is unique, see BabyPbk. A caller must demand "
        "bits; the template does not."
    ),
    "BitElementMulAny": "As MontgomeryDouble, at the same point, which is not on the curve.",
    "WindowMulFix": (
        "As MontgomeryDouble: for a base that is the singular point of another curve all multiples are open. "
        "The undecided ones would need a second coincidence."
    ),
    "Pedersen": (
        "Free for inputs that are no bits: then a window's point is chosen such that a chord "
        "meets equal points, and the hash is any point of a line. A caller must demand bits; the "
        "template does not."
    ),
    "EdDSAPoseidonVerifier": (
        "Shown with enabled = 0 and a key that is not on the curve, such that 8 A has order five by the "
        "template's formulas (see EscalarMulAny). The template does not demand that Ax, Ay is on the "
        "curve: a caller must know it. All of S B8 is unique, and so are the tangents of the first half "
        "of h 8A. Undecided: those of the second half, since it starts with a quotient by x, which "
        "nothing here keeps from being zero off the curve (2^148 8A with u = 0; no such key was found); "
        "and what follows from signals that are free."
    ),
    "SMTVerifier": "The free signals are inverses of is-zero tests, at zero.",
    "SMTProcessor": "The free signals are inverses of is-zero tests, at zero.",
}


def compile_templates(folder: Path, only: list[str]) -> list[dict[str, Any]]:
    """Install, compile, compute witnesses; returns the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules" / "circomlib").is_dir():
        (folder / "package.json").write_text('{"private": true}\n')
        subprocess.run(["npm", "install", "--silent", "--no-fund", *PACKAGES], cwd=folder, check=True)
    script = ROOT / "benches" / "circomlib_small_order.py"
    with (folder / "small_order.json").open("w") as file:
        subprocess.run([sys.executable, str(script)], stdout=file, check=True)
    script = ROOT / "benches" / "circomlib_audit.mjs"
    subprocess.run(["node", str(script), str(folder), *only], check=True)
    manifest: list[dict[str, Any]] = json.loads((folder / "manifest.json").read_text())
    return manifest


def verify_pairs(report: AuditReport) -> None:
    """AssertionError unless every pair shown is two satisfying witnesses with the same inputs."""
    system = report.system
    for pair in report.pairs:
        assert system.violations(pair.first) == system.violations(pair.second) == [], (
            "a pair does not satisfy"
        )
        assert all(pair.first[w] == pair.second[w] for w in system.inputs), "a pair's inputs differ"
    for wire in report.free:
        shown = report.verdicts[wire].pair
        assert shown is not None
        assert shown.first[wire] != shown.second[wire], "a free wire does not differ"


def plain(name: str) -> str:
    """A signal's name without ``main.``, indices as they are."""
    return name.removeprefix("main.")


def examine(folder: Path, entry: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Audit one compiled template."""
    system = Constraints.from_file(folder / entry["r1cs"], folder / entry["sym"])
    witnesses = [ints_from_limbs(WtnsFile.read(folder / name).values) for name in entry["witnesses"]]
    start = time.perf_counter()
    report = audit(system, witnesses, seconds=seconds)
    taken = time.perf_counter() - start
    verify_pairs(report)
    outputs = set(system.outputs)

    def names(wires: list[int]) -> list[str]:
        return [plain(system.name(w)) for w in wires]

    unique = len(report.verdicts) - len(report.free) - len(report.undecided)
    return {
        "name": entry["name"],
        "call": entry["call"] if len(entry["call"]) < 60 else entry["call"].partition("(")[0] + "(…)",
        "level": entry["level"],
        "constraints": system.num_rows,
        "asked": len(report.verdicts),
        "unique": unique,
        "free": len(report.harmful),
        "free_idle": len(report.free) - len(report.harmful),
        "undecided": len(report.undecided),
        "conditional": sum(1 for v in report.verdicts.values() if v.conditional),
        "decided": round(report.decided_share, 4),
        "seconds": round(taken, 2),
        "free_names": names(report.harmful)[:6],
        "idle_names": names([w for w in report.free if report.verdicts[w].idle])[:6],
        "undecided_names": names(report.undecided)[:6],
        "free_outputs": names([w for w in report.harmful if w in outputs])[:6],
        "unforced_booleans": len(report.unforced_booleans),
        "redundant_rows": len(report.redundant_rows),
        "notes": list(report.notes),
        "pairs_verified": len(report.pairs),
        "seconds_limit": seconds,
    }


def table(result: dict[str, Any]) -> str:
    """The page's table and what was found, from the stored result."""
    rows = result["templates"]
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["name"], {})[row["level"]] = row
    limits = sorted({row["seconds_limit"] for row in rows})
    lines = [
        f"{len(by_name)} templates, each at `--O1` and `--O2`; {result['machine']}, commit "
        f"{result['commit']}, {result['date']}; on a shared machine, at most "
        f"{' or '.join(f'{s:.0f}' for s in limits)} s a file for the search.",
        "",
        "| Template | | Constraints | Signals asked for | Unique | Free | Free, idle | Undecided | Decided | "
        "Seconds |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for levels in by_name.values():
        for level, row in levels.items():
            lines.append(
                f"| `{row['call']}` | {level} | {row['constraints']:,} | {row['asked']:,} | "
                f"{row['unique']:,} | {row['free']:,} | {row['free_idle']:,} | {row['undecided']:,} | "
                f"{row['decided']:.1%} | {row['seconds']:.2f} |"
            )
    for level in ("O1", "O2"):
        mine = [row for row in rows if row["level"] == level]
        asked, undecided = (sum(row[key] for row in mine) for key in ("asked", "undecided"))
        whole = sum(row["undecided"] == 0 for row in mine)
        lines.append(
            f"| **all** | {level} | {sum(r['constraints'] for r in mine):,} | {asked:,} | "
            f"{sum(r['unique'] for r in mine):,} | {sum(r['free'] for r in mine):,} | "
            f"{sum(r['free_idle'] for r in mine):,} | {undecided:,} | {(asked - undecided) / asked:.1%} | "
            f"{sum(r['seconds'] for r in mine):.2f} |"
        )
        lines.append(f"| **decided in full** | {level} | {whole} of {len(mine)} templates | | | | | | | |")
    lines += ["", "What was found:", ""]
    for name, levels in by_name.items():
        row = next((r for r in levels.values() if r["free"] or r["free_idle"] or r["undecided"]), None)
        if row is None:
            continue
        parts = []
        for kind, key in (("free", "free"), ("free but idle", "idle"), ("undecided", "undecided")):
            found = row[f"{key}_names"]
            if found:
                count = row["free_idle"] if key == "idle" else row[key]
                more = f" and {count - len(found):,} more" if count > len(found) else ""
                parts.append(f"{kind}: {', '.join(f'`{n}`' for n in found)}{more}")
        lines.append(f"- **{name}** ({'; '.join(parts)}). {NOTES.get(name, '')}".rstrip())
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=60.0, help="a file, at most")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "circomlib_audit")
    words = parser.parse_args()
    entries = compile_templates(words.folder, words.only)
    templates = []
    for entry in entries:
        templates.append(examine(words.folder, entry, words.seconds))
        row = templates[-1]
        print(
            f"{row['name']} {row['level']}: decided {row['decided']:.1%}, free {row['free']} + "
            f"{row['free_idle']}, undecided {row['undecided']}, {row['seconds']} s "
            f"{row['free_names']} {row['undecided_names']}",
            file=sys.stderr,
            flush=True,
        )
    here = machine()
    result = {
        "date": here["date"][:10],
        "commit": here["commit"],
        "machine": here["processor"],
        "packages": list(PACKAGES),
        "templates": templates,
    }
    print(json.dumps(result, indent=1))
    if words.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n{table(result)}\n{END}{rest.partition(END)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
