"""``zkrollup restore`` and ``zkrollup exit``: the way out for whoever has L1 only.

The module must not know how state is rebuilt, proofs are made or calls sent: it asks, and says what was done.
Where an L1 is found is :mod:`zkrollup.cli.l1`'s matter.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zkrollup.cli.l1 import (
    AsJson,
    Caller,
    Contract,
    Genesis,
    KeyFile,
    Source,
    called_l1,
    opened_l1,
    pending_text,
    require_frozen,
    withdraw_pending,
)

if TYPE_CHECKING:
    from zkrollup.engine.interface import Engine
    from zkrollup.exit_proof import ExitProof
    from zkrollup.formats.zkey import Zkey
    from zkrollup.groth16.proving_key import ProvingKey
    from zkrollup.l1.interface import L1
    from zkrollup.state import StateTree
    from zkrollup.state.hashing import Hasher

__all__ = ["exit_account", "restore_state"]

StateFile = Annotated[Path, typer.Argument(metavar="STATE.db", help="The state's file.")]


def restore_state(
    source: Source,
    state: StateFile,
    contract: Contract = None,
    genesis: Genesis = None,
    json_output: AsJson = False,
) -> None:
    """Rebuild the state from L1's calldata and events alone, and end with the contract's root.

    Everything that L1 hands out is checked against what the contract stores. A file that was restored
    before is brought up to date. Accounts that were there before the first batch are not on L1: --genesis
    has them, a JSON list of {"token", "balance", "ax", "ay", "eth_address"}, account 1 first.
    """
    from zkrollup.cli.show import print_mapping, progress_steps
    from zkrollup.restore import read_genesis, restore

    accounts = [] if genesis is None else read_genesis(genesis)
    with opened_l1(source, contract, genesis) as l1, opened_state(state, l1.parameters.depth) as tree:
        with progress_steps("restore", 1, quiet=json_output or not sys.stderr.isatty()) as step:
            done = restore(l1, tree, genesis=accounts, progress=lambda at, of: step("batches", at / of))
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
    genesis: Genesis = None,
    send: Annotated[
        bool, typer.Option("--send", help="Also call exit on --l1, and have the owner paid.")
    ] = False,
    l1_key: KeyFile = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads (default: every core).", min=1, max=1024)
    ] = None,
    json_output: AsJson = False,
) -> None:
    """Prove that an account stands in the state, so that a frozen contract pays its balance to its owner.

    Prints the arguments of the contract's exit, and with --send calls it; anyone may, and the account's owner
    is paid.
    """
    from zkrollup.cli.files import require_outputs, write_text
    from zkrollup.cli.show import print_mapping
    from zkrollup.engine import get_engine
    from zkrollup.exit_proof import make_exit_proof
    from zkrollup.groth16.keys import public_inputs_to_json
    from zkrollup.operator import engine_hasher

    require_outputs([proof, public], [state, key])
    if not state.is_file():
        raise FileNotFoundError(f"{state}: no such file; make it with `zkrollup restore`")
    if l1 is None and (send or l1_key is not None):
        raise ValueError("--send, --l1-key: expected --l1 L1 beside them, where the exit is called")
    if l1_key is not None and not send:
        raise ValueError("--l1-key: nobody pays for a proof; add --send to call exit")
    engine = get_engine(threads=threads)
    with ExitStack() as opened:
        tree = opened.enter_context(known_state(state, engine_hasher(engine)))
        caller: Caller | None = None
        if l1 is not None and send:
            caller = opened.enter_context(called_l1(l1, contract, l1_key, genesis))
            require_root(caller.l1, tree, state)
            require_frozen(caller.l1, l1)
            require_inside(caller.l1, tree, account, l1)
        elif l1 is not None:
            with opened_l1(l1, contract, genesis) as found:
                require_root(found, tree, state)
        made = make_exit_proof(tree, account, load_key(key, tree.depth, engine), engine=engine)
        write_text(proof, made.proof.to_json())
        write_text(public, public_inputs_to_json(made.inputs))
        facts: dict[str, Any] = {
            "batch": tree.batch_number,
            "root": f"{made.inputs.root:#066x}",
            "account": made.account,
            "token": made.token,
            "balance": str(made.balance),
            "owner": f"{made.owner:#042x}",
            "proof": str(proof),
            "public inputs": str(public),
        }
        if caller is not None:
            facts["paid"] = str(leave(caller, made))
    if json_output:
        print(json.dumps({name.replace(" ", "_"): value for name, value in facts.items()}))
    else:
        print_mapping("exit", facts)


def leave(caller: Caller, made: ExitProof) -> int:
    """Calls exit, and has the owner paid; returns the amount, which may hold what was pending before."""
    l1 = caller.l1
    header = l1.header(l1.executed)
    l1.exit(header, made.account, made.token, made.balance, made.owner, made.proof, sender=caller.sender)
    return withdraw_pending(caller, made.owner, made.token)


# -- what is named ---------------------------------------------------------------------------------------


@contextmanager
def opened_state(path: Path, depth: int) -> Iterator[StateTree]:
    """The state's file, with the engine's hasher."""
    from zkrollup.cli.files import require_outputs
    from zkrollup.engine import get_engine
    from zkrollup.operator import engine_hasher
    from zkrollup.state import StateTree

    require_outputs([path])
    with _database(path):
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

    with _database(path):
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


@contextmanager
def _database(path: Path) -> Iterator[None]:
    """What SQLite finds wrong with a state's file, as an error that names the file."""
    import sqlite3

    try:
        yield
    except sqlite3.OperationalError as error:  # a full disk, a lock, no permission
        raise OSError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{path}: damaged ({error}); remove it and run `zkrollup restore` again") from error


def require_root(l1: L1, tree: StateTree, path: Path) -> None:
    """StatementFalse unless the contract's last executed batch is the state's."""
    from zkrollup.cli import StatementFalse

    if (l1.executed, l1.root) != (tree.batch_number, tree.root):
        raise StatementFalse(
            f"{path}: batch {tree.batch_number} with root {tree.root:#x}, but the contract's last "
            f"executed batch is {l1.executed} with root {l1.root:#x}; run `zkrollup restore` first"
        )


def require_inside(l1: L1, tree: StateTree, account: int, source: str) -> None:
    """StatementFalse when the account has left, saying what is still to be paid."""
    from zkrollup.cli import StatementFalse

    if account < tree.capacity and l1.exited(account):
        held = tree.account(account)
        raise StatementFalse(
            f"{source}: account {account} has left already; {pending_text(l1, held.eth_address, held.token)}"
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
