"""``zkrollup restore`` and ``zkrollup exit``: the way out for whoever has L1 only.

The module must not know how state is rebuilt or proofs are made: it finds the L1 and says what was done.

An L1 is named by what it is: the address of an Ethereum node (``http://...``, with ``--contract``), or the
directory of a node of ours, with the chain that is embedded in it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zkrollup.engine.interface import Engine
    from zkrollup.formats.zkey import Zkey
    from zkrollup.groth16.proving_key import ProvingKey
    from zkrollup.l1.interface import L1
    from zkrollup.node.devchain import DevChain
    from zkrollup.state import StateTree
    from zkrollup.state.hashing import Hasher

__all__ = ["exit_account", "restore_state"]

Source = Annotated[
    str,
    typer.Argument(metavar="L1", help="http://... of an Ethereum node, or the directory of `zkrollup node`."),
]
StateFile = Annotated[Path, typer.Argument(metavar="STATE.db", help="The state's file.")]
Contract = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="The rollup's contract, at an Ethereum node.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def restore_state(
    source: Source, state: StateFile, contract: Contract = None, json_output: AsJson = False
) -> None:
    """Rebuild the state from L1's calldata and events alone, and end with the contract's root.

    Everything that L1 hands out is checked against what the contract stores. A file that was restored
    before is brought up to date.
    """
    from zkrollup.cli.show import print_mapping, progress_steps
    from zkrollup.restore import restore

    with opened_l1(source, contract) as l1, opened_state(state, l1.parameters.depth) as tree:
        with progress_steps("restore", 1, quiet=json_output or not sys.stderr.isatty()) as step:
            done = restore(l1, tree, progress=lambda at, of: step("batches", at / of))
        facts: dict[str, Any] = {
            "batches": done.batches,
            "bytes": done.num_bytes,
            "last batch": done.batch_number,
            "root": f"{done.root:#066x}",
            "accounts": done.next_index - 1,
            "waiting requests": len(done.waiting),
            "frozen": l1.frozen,
        }
    if json_output:
        print(json.dumps({name.replace(" ", "_"): value for name, value in facts.items()}))
    else:
        print_mapping(f"{state}: the contract's state", facts)


def exit_account(
    state: StateFile,
    account: Annotated[int, typer.Argument(metavar="ACCOUNT", help="The account's index.", min=0)],
    proof: Annotated[Path, typer.Argument(metavar="PROOF.json", help="Where the proof goes.")],
    public: Annotated[Path, typer.Argument(metavar="PUBLIC.json", help="Where its public inputs go.")],
    key: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="A .zkey, or one of our proving keys (default: an INSECURE one)."),
    ] = None,
    l1: Annotated[
        str | None, typer.Option("--l1", metavar="L1", help="Also check that this L1 has the same root.")
    ] = None,
    contract: Contract = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads (default: every core).", min=1, max=1024)
    ] = None,
    json_output: AsJson = False,
) -> None:
    """Prove that an account stands in the state, so that a frozen contract pays its balance to its owner.

    Prints the arguments of the contract's exit; anyone may send it, and the account's owner is paid.
    """
    from zkrollup.cli.setup import require_folder
    from zkrollup.cli.show import print_mapping
    from zkrollup.engine import get_engine
    from zkrollup.exit_proof import make_exit_proof
    from zkrollup.groth16.keys import public_inputs_to_json
    from zkrollup.operator import engine_hasher

    for path in (proof, public):
        require_folder(path)
    if not state.is_file():
        raise FileNotFoundError(f"{state}: no such file; make it with `zkrollup restore`")
    engine = get_engine(threads=threads)
    with known_state(state, engine_hasher(engine)) as tree:
        if l1 is not None:
            require_root(l1, contract, tree, state)
        made = make_exit_proof(tree, account, load_key(key, tree.depth, engine), engine=engine)
        batch = tree.batch_number
    made.proof.save(proof)
    public.write_text(public_inputs_to_json(made.inputs), encoding="ascii")
    facts: dict[str, Any] = {
        "batch": batch,
        "root": f"{made.inputs.root:#066x}",
        "account": made.account,
        "token": made.token,
        "balance": str(made.balance),
        "owner": f"{made.owner:#042x}",
        "proof": str(proof),
        "public inputs": str(public),
    }
    if json_output:
        print(json.dumps({name.replace(" ", "_"): value for name, value in facts.items()}))
    else:
        print_mapping("exit", facts)


# -- what is named ---------------------------------------------------------------------------------------


@contextmanager
def opened_l1(source: str, contract: str | None) -> Iterator[L1]:
    """The contract that a command line names; ValueError saying what is wrong with the name."""
    if source.startswith(("http://", "https://")):
        if contract is None:
            raise ValueError(f"{source}: an Ethereum node has many contracts; say which with --contract")
        yield contract_at(source, address_of(contract))
        return
    if contract is not None:
        raise ValueError("--contract: only an Ethereum node (http://...) has more than one")
    chain = chain_in(Path(source))
    try:
        yield chain.world
    finally:
        chain.close()


def chain_in(directory: Path) -> DevChain:
    """The chain embedded in a node's directory; the node may be running."""
    import sqlite3

    from zkrollup.groth16.keys import VerifyingKey
    from zkrollup.node.embedded import open_chain
    from zkrollup.state import BatchParameters

    path = directory / "l1.db"
    if not path.is_file():
        raise FileNotFoundError(f"{directory}: no chain there; expected http://... or a node's directory")
    reader = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        (text,) = reader.execute("SELECT text FROM genesis").fetchone()
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{path}: no chain of `zkrollup node`: {error}") from error
    finally:
        reader.close()
    genesis = json.loads(text)
    parameters = BatchParameters(genesis["slots"], genesis["depth"], genesis["fee tokens"])
    return open_chain(path, parameters, VerifyingKey.load(directory / "verifying_key.json"))


def contract_at(url: str, address: int) -> L1:
    """The rollup's contract at an Ethereum node, begun with the empty tree."""
    from zkrollup.l1.evm.abi import Abi
    from zkrollup.l1.evm.artifacts import load_artifact
    from zkrollup.l1.evm.contract import EvmL1
    from zkrollup.l1.evm.json_rpc_transport import JsonRpcTransport
    from zkrollup.l1.evm.transport import EvmError
    from zkrollup.state.tree import empty_root

    try:
        transport = JsonRpcTransport(url, keys=())
        if not transport.code(address):
            raise ValueError(f"--contract {address:#042x}: there is no contract at {url}")
        abi = Abi(load_artifact("Rollup").abi)
        depth = abi.decode_answer("depth", transport.call(address, abi.encode_call("depth")))
        return EvmL1.attach(transport, address, genesis_root=empty_root(depth))
    except EvmError as error:
        raise ValueError(str(error)) from error


def address_of(text: str) -> int:
    """An address; ValueError when it is none."""
    digits = text.removeprefix("0x")
    if len(digits) != 40 or text == digits:
        raise ValueError(f"--contract {text}: expected 0x and 40 hexadecimal digits")
    try:
        return int(digits, 16)
    except ValueError:
        raise ValueError(f"--contract {text}: expected 0x and 40 hexadecimal digits") from None


@contextmanager
def opened_state(path: Path, depth: int) -> Iterator[StateTree]:
    """The state's file, with the engine's hasher."""
    from zkrollup.cli.setup import require_folder
    from zkrollup.engine import get_engine
    from zkrollup.operator import engine_hasher
    from zkrollup.state import StateTree

    require_folder(path)
    tree = StateTree.open(path, depth, engine_hasher(get_engine()))
    try:
        yield tree
    finally:
        tree.close()


@contextmanager
def known_state(path: Path, hasher: Hasher) -> Iterator[StateTree]:
    """A state's file that exists, of whatever depth it is."""
    from zkrollup.state import StateTree
    from zkrollup.state.exceptions import StoreMismatch
    from zkrollup.state.parameters import MAX_DEPTH

    try:
        tree = StateTree.open(path, MAX_DEPTH, hasher)
    except StoreMismatch as error:
        if error.name != "depth" or type(error.found) is not int:
            raise
        tree = StateTree.open(path, error.found, hasher)
    try:
        yield tree
    finally:
        tree.close()


def require_root(source: str, contract: str | None, tree: StateTree, path: Path) -> None:
    """StatementFalse unless the contract's last executed batch is the state's."""
    from zkrollup.cli import StatementFalse

    with opened_l1(source, contract) as l1:
        if (l1.executed, l1.root) != (tree.batch_number, tree.root):
            raise StatementFalse(
                f"{path}: batch {tree.batch_number} with root {tree.root:#x}, but the contract's last "
                f"executed batch is {l1.executed} with root {l1.root:#x}; run `zkrollup restore` first"
            )


def load_key(path: Path | None, depth: int, engine: Engine) -> ProvingKey | Zkey:
    """The exit circuit's key: a file's, or one that is made here and worth nothing to a real contract."""
    from zkrollup.cli.setup import warn
    from zkrollup.exit_proof import exit_key
    from zkrollup.formats.zkey import Zkey
    from zkrollup.groth16.proving_key import MAGIC, ProvingKey

    if path is None:
        warn("no --key: using an INSECURE one-party key, which only a test contract accepts")
        return exit_key(depth, engine=engine)[0]
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    return ProvingKey.load(path) if start == MAGIC else Zkey.load(path, engine)
