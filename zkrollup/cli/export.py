"""``zkrollup export``: keys, contracts and calldata for others. It must not know how any of them is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zkrollup.cli.files import is_stream, require_outputs, write_text

if TYPE_CHECKING:
    from zkrollup.groth16.keys import VerifyingKey

__all__ = ["export"]

export = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write verification keys, Solidity verifiers, calldata, and our circuits as circom's files.",
)

KeyFile = Annotated[
    Path,
    typer.Argument(metavar="KEY", help="A .zkey, a verification key's JSON, or one of our proving keys."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where it goes (default: standard output).")]


def load_verifying_key(path: Path) -> VerifyingKey:
    """The verifying key in a .zkey, in one of our proving keys, or in a JSON file, told by its contents."""
    from zkrollup.groth16.keys import VerifyingKey
    from zkrollup.groth16.proving_key import MAGIC, ProvingKey

    with path.open("rb") as file:
        start = file.read(8)
    if start == MAGIC:
        return ProvingKey.load(path).verifying_key
    if start[:4] == b"zkey":
        from zkrollup.engine import get_engine
        from zkrollup.formats.zkey import Zkey

        return Zkey.load(path, get_engine()).verifying_key
    return VerifyingKey.load(path)


def hand_over(text: str, out: Path | None, *, quiet: bool = False) -> None:
    """Writes a file, complete or not at all, or prints."""
    if out is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    from zkrollup.cli.show import say

    write_text(out, text)
    if not quiet and not is_stream(out):
        say(f"{out}: {out.stat().st_size:,} bytes written")


@export.command()
def vkey(key: KeyFile, out: Out = None) -> None:
    """Write verification_key.json as snarkjs takes it; `insecure` in it marks a one-party key."""
    require_outputs([out], [key])
    hand_over(load_verifying_key(key).to_json(), out)


@export.command()
def solidity(
    key: KeyFile,
    out: Out = None,
    name: Annotated[str, typer.Option(help="The contract's name.")] = "Groth16Verifier",
    allow_insecure: Annotated[
        bool, typer.Option("--allow-insecure", help="Also for a one-party key, for test networks only.")
    ] = False,
) -> None:
    """Write a Solidity contract that verifies proofs under this key.

    verifyProof has the arguments of snarkjs's. A key with gamma = delta or -delta is refused, since anyone
    can forge proofs under it; a one-party key is refused without --allow-insecure.
    """
    import zkrollup
    from zkrollup.groth16.solidity import InsecureKey, verifier_contract

    require_outputs([out], [key])
    made_by = f"zkrollup {zkrollup.__version__}"
    vk = load_verifying_key(key)
    try:
        source = verifier_contract(vk, name=name, allow_insecure=allow_insecure, made_by=made_by)
    except InsecureKey as error:
        raise InsecureKey(f"{key}: {error}") from None
    hand_over(source, out)


@export.command()
def calldata(
    proof: Annotated[Path, typer.Argument(metavar="PROOF.json", help="The proof.")],
    public: Annotated[Path, typer.Argument(metavar="PUBLIC.json", help="The public inputs.")],
    arguments: Annotated[
        bool,
        typer.Option(
            "--arguments", help="As arguments to paste, the way snarkjs's generatecall prints them."
        ),
    ] = False,
    out: Out = None,
) -> None:
    """Write the ABI-encoded call of verifyProof, in hex."""
    from zkrollup.groth16.keys import Proof, load_public_inputs
    from zkrollup.groth16.solidity import calldata as encoded

    require_outputs([out], [proof, public])
    made, inputs = Proof.load(proof), load_public_inputs(public)
    hand_over(made.to_calldata(inputs) if arguments else "0x" + encoded(made, inputs).hex(), out)


@export.command()
def r1cs(
    out: Annotated[Path, typer.Argument(metavar="OUT.r1cs", help="Where the constraints go.")],
    slots: Annotated[int, typer.Option(help="Transactions in a batch.", min=1, max=1 << 14)] = 8,
    depth: Annotated[int, typer.Option(help="Levels of the 4-ary state tree.", min=1, max=16)] = 16,
    sym: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also the wires' names, as circom's .sym.")
    ] = None,
    wtns: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also the witness of a batch on an empty state.")
    ] = None,
    txs: Annotated[
        str | None,
        typer.Option(metavar="K|FILE", help="Its transactions: so many generated, or a file of them."),
    ] = None,
    circuit: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:NAME",
            help="Another circuit: a template, a system, or a function that makes one; integers for it in "
            "parentheses.",
        ),
    ] = None,
    shapes: Annotated[
        str | None,
        typer.Option(metavar="JSON", help='NAME is a gadget with these inputs: {"a": 16, "b": "field"}.'),
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Of that circuit, for --wtns: values by name.")
    ] = None,
) -> None:
    """Write a circuit of ours as circom's files, for snarkjs, another prover or an analysis.

    Wires are in circom's order: public outputs, public inputs, private inputs, the others. Of a template
    alone, links are public inputs and exports outputs. The default is the batch circuit; its witness is of a
    batch whose challenge z is a fixed number, not one that an L1 would draw.
    """
    from zkrollup.cli.circuits import NamedCircuit, find_circuit, read_values, write_files
    from zkrollup.engine import get_engine

    require_outputs([out, sym, wtns], [inputs, None if txs is None else Path(txs)])
    engine = get_engine()
    if circuit is not None:
        if txs is not None:
            raise ValueError("--txs: transactions of the batch circuit; a circuit of yours has --inputs")
        if (wtns is None) != (inputs is None):
            raise ValueError("--inputs says what goes into --wtns: give both or neither")
        found = find_circuit(circuit, shapes, option="--circuit")
        witness = None if inputs is None else found.witness(engine, read_values(inputs), str(inputs))
        if witness is not None and (failures := found.r1cs.check(engine, witness)):
            from zkrollup.cli import StatementFalse

            raise StatementFalse(f"{inputs}: the witness does not satisfy {circuit}: {failures[0]}")
        write_files(found, engine, out, sym=sym, wtns=wtns, witness=witness)
        _say_written(out, sym, wtns)
        return
    if shapes is not None or inputs is not None:
        raise ValueError("--shapes and --inputs are those of a --circuit, which is missing")

    from zkrollup.bench.subjects import batch_witness
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.cli.demo import load
    from zkrollup.state import BatchParameters

    if txs is not None and wtns is None:
        raise ValueError("--txs: says what goes into --wtns, which is missing")
    parameters = BatchParameters(slots, depth)
    system = batch_circuit(parameters).r1cs
    values = None
    if wtns is not None:
        scenario = load(txs or str(slots), slots=slots, capacity=parameters.capacity)
        batch = batch_witness(slots, depth, engine, scenario.transactions)
        values = system.witness(engine, public=batch.public, parts=batch.parts)
    write_files(NamedCircuit(system), engine, out, sym=sym, wtns=wtns, witness=values)
    _say_written(out, sym, wtns)


def _say_written(*paths: Path | None) -> None:
    from zkrollup.cli.show import say

    for path in paths:
        if path is not None:
            say(f"{path}: {path.stat().st_size:,} bytes written")
