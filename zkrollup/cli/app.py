"""The commands and their options; what they do is in the modules beside this one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

import zkrollup
from zkrollup.cli.bench import bench
from zkrollup.cli.export import export
from zkrollup.cli.l1 import l1_commands
from zkrollup.cli.leave import exit_account, restore_state
from zkrollup.cli.node import node, wallet_commands
from zkrollup.cli.setup import check_key, contribute, ptau_commands, setup

__all__ = ["app"]

# as the README has them
COMMANDS = [
    "demo",
    "prove",
    "verify",
    "setup",
    "contribute",
    "check-key",
    "ptau",
    "export",
    "inspect",
    "check",
]
COMMANDS += ["audit", "profile", "bench", "node", "wallet", "restore", "exit", "l1", "doctor"]


class InOrder(TyperGroup):
    """Commands as a newcomer meets them; typer has those with commands of their own at the end."""

    def list_commands(self, ctx: object) -> list[str]:
        return [
            *(name for name in COMMANDS if name in self.commands),
            *(self.commands.keys() - set(COMMANDS)),
        ]


app = typer.Typer(
    cls=InOrder,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Proves batches of rollup transactions, and circom's circuits, and verifies as an Ethereum contract "
    "would.",
)


app.add_typer(export, name="export", short_help="Keys, verifiers in Solidity, calldata, circuits.")
app.command(short_help="Make a circuit's proving key.")(setup)
app.command(short_help="Contribute a secret to a key, or a beacon.")(contribute)
app.command(short_help="Check a key against circuit and powers of tau.")(check_key)
app.add_typer(ptau_commands, name="ptau", short_help="Powers of tau: new, contribute, prepare, verify.")
app.command("restore", short_help="Rebuild the state from L1 alone.")(restore_state)
app.command("exit", short_help="Prove an account, to leave a frozen rollup.")(exit_account)
app.add_typer(l1_commands, name="l1", short_help="What stands on L1, and calls without an operator.")
app.add_typer(bench, name="bench", short_help="Time the parts, beside the limit that products set.")
app.command(short_help="Run a rollup's node: HTTP, batches, proofs, L1.")(node)
app.add_typer(wallet_commands, name="wallet", short_help="Keys, signatures made offline, calls of a node.")


def show_version(wanted: bool) -> None:
    """Prints the version and stops."""
    if wanted:
        print(zkrollup.__version__)
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command(short_help="Transactions, batch, proof, verification, L1.")
def demo(
    slots: Annotated[int, typer.Option(help="Transactions in a batch.", min=1, max=1 << 14)] = 8,
    txs: Annotated[
        str | None,
        typer.Option(
            metavar="K|FILE",
            help="How many transactions to generate (default: as many as slots), or a JSON-lines file of "
            "signed ones.",
        ),
    ] = None,
    depth: Annotated[int, typer.Option(help="Levels of the 4-ary state tree.", min=1, max=16)] = 16,
    fee_tokens: Annotated[int, typer.Option(help="Tokens in which a batch takes fees.", min=1, max=16)] = 2,
    save_txs: Annotated[
        Path | None, typer.Option(help="Write the transactions as JSON lines, for --txs.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Create accounts, sign transactions, batch, prove, verify, and submit to the L1 model."""
    from zkrollup.cli.demo import run_demo

    run_demo(
        slots=slots,
        transactions=txs,
        depth=depth,
        fee_tokens=fee_tokens,
        save=save_txs,
        json_output=json_output,
    )


@app.command(short_help="Prove with circom's and snarkjs's files.")
def prove(
    circuit: Annotated[Path, typer.Argument(metavar="CIRCUIT.zkey", help="snarkjs's Groth16 key, BN254.")],
    witness: Annotated[Path, typer.Argument(metavar="WITNESS.wtns", help="circom's witness.")],
    proof: Annotated[Path, typer.Argument(metavar="PROOF.json", help="Where the proof goes.")],
    public: Annotated[Path, typer.Argument(metavar="PUBLIC.json", help="Where the public inputs go.")],
    threads: Annotated[
        int | None, typer.Option(help="Threads (default: every core).", min=1, max=1024)
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Take at most this much memory, for example 700M or 2G, and longer."
        ),
    ] = None,
) -> None:
    """Prove a circom circuit with the files that circom and snarkjs write."""
    from zkrollup.cli.groth16 import prove_files

    prove_files(circuit, witness, proof, public, threads=threads, memory=memory)


@app.command(short_help="Verify a Groth16 proof, ours or snarkjs's.")
def verify(
    key: Annotated[Path, typer.Argument(metavar="VKEY.json", help="snarkjs's verification key.")],
    public: Annotated[Path, typer.Argument(metavar="PUBLIC.json", help="The public inputs.")],
    proof: Annotated[Path, typer.Argument(metavar="PROOF.json", help="The proof.")],
) -> None:
    """Verify a Groth16 proof, ours or snarkjs's, with the pure-Python verifier."""
    from zkrollup.cli.groth16 import verify_files

    verify_files(key, public, proof)


@app.command(short_help="What is in a file; what a proof with it takes.")
def inspect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=".r1cs .wtns .zkey .ptau .sym .json, our keys.")
    ],
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a file is, what is in it, and what a proof with it will need."""
    from zkrollup.cli.inspect import show

    show(file, json_output=json_output)


@app.command(short_help="Explain the constraints that a witness violates.")
def check(
    r1cs: Annotated[Path, typer.Argument(metavar="FILE.r1cs", help="circom's constraints, BN254.")],
    wtns: Annotated[Path, typer.Argument(metavar="FILE.wtns", help="The witness.")],
    sym: Annotated[Path | None, typer.Option(help="The names of the signals.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Write the failures as a page.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Evaluate every constraint on a witness and explain those that fail. Exit code 1: one does."""
    from zkrollup.cli.check import check_file

    raise typer.Exit(check_file(r1cs, wtns, sym=sym, html=html, json_output=json_output))


@app.command()
def audit(
    circuit: Annotated[
        str, typer.Argument(metavar="CIRCUIT", help="FILE.r1cs of circom's, slot or MODULE:FUNCTION.")
    ],
    wtns: Annotated[
        Path | None, typer.Option(help="A witness; without one, the audit looks for one.")
    ] = None,
    sym: Annotated[Path | None, typer.Option(help="The names of the signals.")] = None,
    seconds: Annotated[float | None, typer.Option(help="About how long it may take.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of all random choices.", min=0)] = 0,
    write_witness: Annotated[
        Path | None, typer.Option(metavar="OUT.wtns", help="Where a second witness goes, when one is found.")
    ] = None,
    claims: Annotated[
        bool, typer.Option("--claims/--no-claims", help="Take the author's claims for true, and list them.")
    ] = True,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find signals that the inputs do not determine. Exit code 1: some are free; 3: some are undecided."""
    from zkrollup.cli.audit import audit_circuit

    raise typer.Exit(
        audit_circuit(
            circuit,
            wtns=wtns,
            sym=sym,
            seconds=seconds,
            seed=seed,
            write_witness=write_witness,
            claims=claims,
            json_output=json_output,
        )
    )


@app.command()
def profile(
    circuit: Annotated[
        str, typer.Argument(metavar="CIRCUIT", help="batch, slot, FILE.r1cs or MODULE:FUNCTION.")
    ],
    slots: Annotated[int, typer.Option(help="Of batch: transactions.", min=1, max=1 << 14)] = 8,
    depth: Annotated[int, typer.Option(help="Of batch and slot: levels of the tree.", min=1, max=16)] = 16,
    sym: Annotated[Path | None, typer.Option(help="Of FILE.r1cs: the names of the signals.")] = None,
    wtns: Annotated[Path | None, typer.Option(help="A witness, to count its zeros and ones.")] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Of batch: the witness of a generated one.")
    ] = False,
    by: Annotated[
        str, typer.Option(metavar="WEIGHT", help="constraints, nonzeros, wires or b_columns.")
    ] = "constraints",
    levels: Annotated[int, typer.Option(help="How deep the tree is printed.", min=0)] = 4,
    lines: Annotated[bool, typer.Option("--lines", help="Source lines below the scopes.")] = False,
    folded: Annotated[
        Path | None, typer.Option(metavar="OUT.folded", help="Write folded stacks, as speedscope reads them.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="OUT.html", help="Write a flame graph.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Show the change since --write wrote this.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(metavar="PERCENT", help="Of --against: growth that is no failure.", min=0)
    ] = 0.0,
    write: Annotated[
        Path | None, typer.Option(metavar="OUT.json", help="Write the counts by scope, to commit.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show where constraints come from and what a proof costs. Exit code 1: larger than --against."""
    from zkrollup.cli.profile import profile_circuit

    raise typer.Exit(
        profile_circuit(
            circuit,
            slots=slots,
            depth=depth,
            sym=sym,
            wtns=wtns,
            sample=sample,
            by=by,
            levels=levels,
            lines=lines,
            folded=folded,
            html=html,
            against=against,
            threshold=threshold,
            write=write,
            json_output=json_output,
        )
    )


@app.command(short_help="CPU, threads, engine, versions, a self-test.")
def doctor(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show CPU, instruction set, threads, engine and versions, and test the arithmetic."""
    from zkrollup.cli.doctor import examine
    from zkrollup.cli.show import print_mapping

    facts = examine()
    if json_output:
        print(json.dumps(facts))
    else:
        print_mapping("zkrollup doctor", facts)
    if not facts["arithmetic_correct"]:
        from zkrollup.cli import StatementFalse

        raise StatementFalse("doctor: the engine's products are wrong on this machine; report this, please")
