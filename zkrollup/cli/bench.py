"""``zkrollup bench``: what the library costs on this machine. It must not know how anything is measured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zkrollup.cli import StatementFalse

if TYPE_CHECKING:
    from zkrollup.bench.report import Report
    from zkrollup.bench.subjects import Case, Variant

__all__ = ["bench"]

bench = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Time the parts of the library, beside the limit that the cost of their field products sets.",
)

Threads = Annotated[str, typer.Option(metavar="N,N,..", help="Threads (default: one, and every core).")]
Cpu = Annotated[
    str, typer.Option(metavar="PATH,..", help="ifma, adx, portable, numba (default: the best one here).")
]
Runs = Annotated[int, typer.Option(help="Timed runs of each; one more warms up.", min=1, max=10000)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page with plots.")]
LogN = Annotated[str, typer.Option(metavar="K,K,..", help="Sizes 2^K.")]
Slots = Annotated[str, typer.Option(metavar="N,N,..", help="Transactions in our own batch.")]
Depth = Annotated[int, typer.Option(help="Levels of the batch's state tree.", min=1, max=16)]


def numbers(option: str, text: str, low: int, high: int) -> list[int]:
    """``"1,2"`` -> [1, 2]; ValueError names the option."""
    found = []
    for piece in text.split(","):
        digits = piece.strip()
        if not (digits.isascii() and digits.isdigit() and low <= int(digits[:12]) <= high):
            raise ValueError(
                f"{option}: expected numbers in {low} .. {high} with commas between, got {text!r}"
            )
        found.append(int(digits))
    return list(dict.fromkeys(found))


def variants(cpu: str, threads: str) -> list[Variant]:
    """Every path with every number of threads; ValueError for a path that does not run here."""
    from zkrollup.bench.machine import cores
    from zkrollup.bench.subjects import Variant
    from zkrollup.engine import available_cpu_paths, get_engine

    here = [*reversed(available_cpu_paths()), "numba"]
    paths = [path.strip() for path in cpu.split(",")] if cpu else [get_engine().cpu]
    for path in paths:
        if path not in here:
            raise ValueError(f"--cpu: {path!r} does not run here; available: {', '.join(here)}")
    counts = numbers("--threads", threads, 1, 1024) if threads else sorted({1, cores()})
    return [Variant(path, count) for path in dict.fromkeys(paths) for count in counts]


def carry_out(
    name: str, groups: Iterable[list[Case]], *, runs: int, json_output: bool, html: Path | None
) -> None:
    """Measures, prints a table or JSON, and writes the page."""
    from zkrollup.bench.run import measure
    from zkrollup.cli.export import hand_over
    from zkrollup.cli.files import require_outputs

    require_outputs([html])
    report = measure(name, groups, runs=runs, tell=_teller())
    if json_output:
        print(report.to_json(), end="")
    else:
        show(report)
    if html is not None:
        from zkrollup.bench.page import page

        hand_over(page(report), html, quiet=json_output)


def _teller() -> Callable[[str], None]:
    """Progress on standard error, where a person looks at it."""
    if not sys.stderr.isatty():
        return lambda text: None
    return lambda text: print(f"\r\033[Kmeasuring {text}", end="\r", file=sys.stderr, flush=True)


def show(report: Report) -> None:
    """A table for people."""
    from zkrollup.bench.page import count, duration, percent
    from zkrollup.cli.show import print_plain, say

    facts = report.machine
    print_plain(
        (
            "what",
            "size",
            "path",
            "threads",
            "median",
            "min .. max",
            "products",
            "ns each",
            "limit",
            "reached",
        ),
        (
            (
                row.subject,
                row.label,
                row.cpu,
                row.threads,
                duration(row.seconds),
                f"{duration(row.best)} .. {duration(row.worst)}",
                count(row.products),
                "" if row.product_ns is None else f"{row.product_ns:.2f}",
                "" if row.limit is None else duration(row.limit),
                percent(row.share),
            )
            for row in report.rows
        ),
    )
    say(
        f"{facts['processor']}, {facts['cores']} cores, load {facts['load']}; zkrollup {facts['zkrollup']}, "
        f"commit {facts['commit']}; {facts['date']}"
    )


@bench.command()
def msm(
    log_n: LogN = "14,16,18",
    group: Annotated[str, typer.Option(metavar="g1,g2", help="Groups.")] = "g1,g2",
    bits: Annotated[int, typer.Option(help="Per cent of the scalars that are 0 or 1.", min=0, max=100)] = 0,
    threads: Threads = "",
    cpu: Cpu = "",
    runs: Runs = 5,
    json_output: Json = False,
    html: Html = None,
) -> None:
    """Multi-scalar multiplication of random bases."""
    from zkrollup.bench.subjects import msm_cases

    groups = [name.strip() for name in group.split(",")]
    if not set(groups) <= {"g1", "g2"}:
        raise ValueError(f"--group: expected g1, g2 or g1,g2, got {group!r}")
    cases = msm_cases(numbers("--log-n", log_n, 1, 26), variants(cpu, threads), groups, bits)
    carry_out("msm", cases, runs=runs, json_output=json_output, html=html)


@bench.command()
def ntt(
    log_n: LogN = "14,16,18",
    threads: Threads = "",
    cpu: Cpu = "",
    runs: Runs = 7,
    json_output: Json = False,
    html: Html = None,
) -> None:
    """Transforms, plain and on a coset, and the quotient of a proof, which takes six."""
    from zkrollup.bench.subjects import ntt_cases

    cases = ntt_cases(numbers("--log-n", log_n, 2, 26), variants(cpu, threads))
    carry_out("ntt", cases, runs=runs, json_output=json_output, html=html)


@bench.command()
def witness(
    slots: Slots = "1,8,64",
    depth: Depth = 16,
    threads: Threads = "",
    cpu: Cpu = "",
    runs: Runs = 7,
    json_output: Json = False,
    html: Html = None,
) -> None:
    """The witness of our own batch from its transactions."""
    from zkrollup.bench.subjects import witness_cases

    cases = witness_cases(numbers("--slots", slots, 1, 1 << 14), variants(cpu, threads), depth)
    carry_out("witness", cases, runs=runs, json_output=json_output, html=html)


@bench.command()
def setup(
    slots: Slots = "1,4",
    depth: Depth = 16,
    r1cs: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="circom's circuits instead of our batch.")
    ] = None,
    threads: Threads = "",
    cpu: Cpu = "",
    runs: Runs = 3,
    json_output: Json = False,
    html: Html = None,
) -> None:
    """One-party setup of our own batch, or of circuits of circom's."""
    from zkrollup.bench.subjects import setup_cases

    chosen = variants(cpu, threads)
    if r1cs:
        from zkrollup.formats.r1cs import R1csFile

        layouts = [(path.stem, R1csFile.read(path).layout()) for path in r1cs]
    else:
        from zkrollup.bench.subjects import slots_label
        from zkrollup.circuits.batch import batch_circuit
        from zkrollup.state import BatchParameters

        layouts = [
            (slots_label(count), batch_circuit(BatchParameters(count, depth)).r1cs.layout)
            for count in numbers("--slots", slots, 1, 1 << 14)
        ]
    carry_out("setup", setup_cases(layouts, chosen), runs=runs, json_output=json_output, html=html)


@bench.command()
def prove(
    slots: Slots = "1,4",
    depth: Depth = 16,
    zkey: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A circuit of circom's instead of our batch.")
    ] = None,
    wtns: Annotated[Path | None, typer.Option(metavar="FILE", help="Its witness.")] = None,
    threads: Threads = "",
    cpu: Cpu = "",
    runs: Runs = 5,
    json_output: Json = False,
    html: Html = None,
) -> None:
    """Proofs, key and witness in memory, of our own batch or of a circuit of circom's."""
    from zkrollup.bench.subjects import batch_circuit_with_key, file_circuit, prove_cases

    chosen = variants(cpu, threads)
    if (zkey is None) != (wtns is None):
        raise ValueError("--zkey and --wtns: expected both or neither")
    if zkey is not None and wtns is not None:
        circuits = [file_circuit(zkey, wtns)]
    else:
        circuits = [batch_circuit_with_key(count, depth) for count in numbers("--slots", slots, 1, 1 << 14)]
    carry_out("prove", prove_cases(circuits, chosen), runs=runs, json_output=json_output, html=html)


@bench.command()
def verify(
    proofs: Annotated[str, typer.Option(metavar="N,N,..", help="Proofs in one call.")] = "1,16,256",
    public: Annotated[int, typer.Option(help="Public inputs of the key.", min=0, max=10000)] = 3,
    threads: Threads = "",
    cpu: Cpu = "",
    runs: Runs = 7,
    json_output: Json = False,
    html: Html = None,
) -> None:
    """Verification of proofs under one key."""
    from zkrollup.bench.subjects import verify_cases

    cases = verify_cases(numbers("--proofs", proofs, 1, 1 << 20), variants(cpu, threads), public)
    carry_out("verify", cases, runs=runs, json_output=json_output, html=html)


@bench.command()
def gas(
    sizes: Annotated[str, typer.Option(metavar="N,N,..", help="Transactions in a batch.")] = "8,64",
    kinds: Annotated[str, typer.Option(metavar="KIND,..", help="Of transactions (default: all).")] = "",
    prove: Annotated[str, typer.Option(metavar="N,N,..", help="Slots of batches to prove, too.")] = "",
    threads: Annotated[int | None, typer.Option(help="For proofs (default: every core).", min=1)] = None,
    json_output: Json = False,
    write: Annotated[
        Path | None, typer.Option(metavar="PAGE.md", help="Put the tables into a page, between its marks.")
    ] = None,
) -> None:
    """Gas and bytes on L1 by kind of transaction and size of batch, rows and seconds of proofs.

    The contract runs in py-evm (pip install 'zkrollup[l1-exact]'), by the rules of Prague.
    """
    from zkrollup.bench import gas as costs
    from zkrollup.bench.machine import cores
    from zkrollup.cli.export import hand_over
    from zkrollup.cli.show import print_plain, say

    counts = numbers("--sizes", sizes, 1, 1 << 12)
    chosen = [kind.strip() for kind in kinds.split(",")] if kinds else list(costs.BATCH_KINDS)
    if unknown := [kind for kind in chosen if kind not in costs.BATCH_KINDS]:
        raise ValueError(f"--kinds: expected some of {', '.join(costs.BATCH_KINDS)}, got {unknown[0]!r}")
    if write is not None and "transfer" not in chosen:
        raise ValueError("--kinds: a page needs transfers")
    page = None if write is None else write.read_text(encoding="utf-8")
    proved = numbers("--prove", prove, 1, 1 << 12) if prove else []
    report = costs.measure_gas(counts, chosen, tell=_teller())
    report.proving = costs.measure_proving(counts, proved, threads=threads or cores())
    if page is not None:
        hand_over(costs.costs_page(page, report), write, quiet=json_output)
    if json_output:
        print(report.to_json(), end="")
        return
    for header, rows in (
        (costs.BATCH_HEADER, costs.batch_rows(report)),
        (costs.CALL_HEADER, costs.call_rows(report)),
        (costs.PROVING_HEADER, costs.proving_rows(report)),
    ):
        print_plain(header, rows)
        say("")
    say(costs.fixed_line(report))


@bench.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE.json", help="What --json printed before.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER.json", help="And after.")],
    threshold: Annotated[
        float, typer.Option(help="Exit code 1 when a row is slower by more per cent.", min=0, max=1e6)
    ] = 5.0,
) -> None:
    """Ratios of two reports' medians; a regression ends with exit code 1.

    Marked ~ are rows whose runs overlap with the other report's: such a ratio may be noise.
    """
    from zkrollup.bench.page import duration
    from zkrollup.bench.report import Report
    from zkrollup.bench.report import compare as compared
    from zkrollup.cli.show import print_plain, say

    first, second = Report.load(before), Report.load(after)
    changes, missing = compared(first, second)
    if not changes:
        raise ValueError(f"{after}: no row in common with {before}")
    print_plain(
        ("what", "size", "path", "threads", "before", "after", "after / before", ""),
        (
            (
                change.after.subject,
                change.after.label,
                change.after.cpu,
                change.after.threads,
                duration(change.before.seconds),
                duration(change.after.seconds),
                f"{change.ratio:.3f}",
                "" if change.clear else "~",
            )
            for change in changes
        ),
    )
    if first.machine.get("processor") != second.machine.get("processor"):
        say("The two were measured on different processors.")
    for row in missing:
        say(f"only in one: {row.subject}, {row.label}, {row.cpu}, {row.threads} threads")
    slower = [change for change in changes if change.ratio > 1 + threshold / 100]
    if slower:
        worst = max(slower, key=lambda change: change.ratio)
        raise StatementFalse(
            f"{len(slower)} of {len(changes)} rows slower by more than {threshold:g} %; the worst: "
            f"{worst.after.subject}, {worst.after.label}, {worst.after.cpu}, {worst.after.threads} threads: "
            f"{(worst.ratio - 1) * 100:.1f} % slower"
        )
