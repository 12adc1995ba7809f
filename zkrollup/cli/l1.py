"""``zkrollup l1``: the contract's calls that need no operator, and where they may be made.

It must not know how a call is carried out: it finds the L1, asks whether the call is due, makes it, and says
what was done.

An L1 is named by what it is: the address of an Ethereum node (``http://...``, with ``--contract``), or the
directory of a node of ours, with the chain that is embedded in it. Calls cost gas at an Ethereum node, which
the owner of ``--l1-key`` pays; the embedded chain takes anybody's, while no node runs in the directory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zkrollup.l1.events import RequestQueued
    from zkrollup.l1.interface import L1
    from zkrollup.node.devchain import DevChain

__all__ = [
    "AsJson",
    "Caller",
    "Contract",
    "Genesis",
    "KeyFile",
    "Source",
    "address_of",
    "called_l1",
    "l1_commands",
    "opened_l1",
    "pending_text",
    "private_key",
    "require_frozen",
    "withdraw_pending",
]

l1_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What stands on L1, and calls of the contract that need no operator: the way in, and the way out.",
)

Source = Annotated[
    str,
    typer.Argument(metavar="L1", help="http://... of an Ethereum node, or the directory of `zkrollup node`."),
]
Contract = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="The rollup's contract, at an Ethereum node.")
]
Genesis = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The accounts that the rollup began with, JSON (default: none)."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Who calls and pays the gas at an Ethereum node: a private key in hexadecimal."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@l1_commands.command("status")
def show_status(
    source: Source, contract: Contract = None, genesis: Genesis = None, json_output: AsJson = False
) -> None:
    """Show the last batches, who waits, and when the contract can be frozen."""
    from zkrollup.restore import waiting_requests

    with opened_l1(source, contract, genesis) as l1:
        waiting = waiting_requests(l1, l1.header(l1.executed))
        facts: dict[str, Any] = {
            "block": l1.block_number,
            "committed": l1.committed,
            "proved": l1.proved,
            "executed": l1.executed,
            "root": f"{l1.root:#066x}",
            "frozen": l1.frozen,
            "freeze": "frozen" if l1.frozen else when_to_freeze(l1)[1],
            "waiting": [_request(event) if json_output else _request_text(event) for event in waiting],
        }
    _tell("the contract", facts, json_output)


@l1_commands.command()
def deposit(
    source: Source,
    wallet: Annotated[
        Path, typer.Argument(metavar="WALLET", help="Whose account it becomes: its key and address.")
    ],
    amount: Annotated[str, typer.Option(help="How much, in the token's smallest unit.")],
    token: Annotated[int, typer.Option(help="The token's number; 0 is ETH.", min=0)] = 0,
    contract: Contract = None,
    genesis: Genesis = None,
    l1_key: KeyFile = None,
    for_another: Annotated[
        bool, typer.Option("--for-another", help="Also when the wallet's address is not the caller's.")
    ] = False,
    json_output: AsJson = False,
) -> None:
    """Pay in for a wallet's account, at an Ethereum node; an ERC-20's amount is approved first.

    Withdrawals and exits are paid to the wallet's address: make it with `wallet new --eth-address`.
    """
    from zkrollup.cli.node import number_of
    from zkrollup.node.client import Wallet

    if not is_url(source):
        raise ValueError(f"{source}: a chain inside a node takes deposits by `zkrollup wallet deposit`")
    paid, owner = number_of("--amount", amount), Wallet.load(wallet)
    with called_l1(source, contract, l1_key, genesis) as caller:
        if owner.eth_address != caller.sender and not for_another:
            raise ValueError(
                f"{wallet}: its address is {owner.eth_address:#042x}, the caller {caller.sender:#042x}; make "
                "a wallet with `zkrollup wallet new --eth-address`, or say --for-another"
            )
        number = caller.l1.deposit(
            token, paid, *owner.key.public_key, owner.eth_address, sender=caller.sender
        )
        facts = {
            "request": number,
            "token": token,
            "amount": str(paid),
            "owner": f"{owner.eth_address:#042x}",
        }
    _tell("paid in", facts, json_output)


@l1_commands.command()
def request_exit(
    source: Source,
    account: Annotated[int, typer.Argument(metavar="ACCOUNT", help="The account's index.", min=0)],
    contract: Contract = None,
    genesis: Genesis = None,
    l1_key: KeyFile = None,
    sender: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Who calls, on an embedded chain (elsewhere: the key's owner)."),
    ] = None,
    json_output: AsJson = False,
) -> None:
    """Demand the whole balance of your account; whoever is kept waiting may freeze the contract."""
    with called_l1(source, contract, l1_key, genesis) as caller:
        address = caller.sender
        if sender is not None:
            if l1_key is not None:
                raise ValueError("--sender: at an Ethereum node the owner of --l1-key calls")
            address = address_of("--sender", sender)
        number = caller.l1.request_exit(account, sender=address)
        facts = {"request": number, "account": account, "deadline": caller.l1.request(number).deadline}
    _tell("exit requested", facts, json_output)


@l1_commands.command()
def freeze(
    source: Source,
    contract: Contract = None,
    genesis: Genesis = None,
    l1_key: KeyFile = None,
    json_output: AsJson = False,
) -> None:
    """Freeze the contract for good, once a request is overdue: then everybody can exit."""
    from zkrollup.cli import StatementFalse

    with called_l1(source, contract, l1_key, genesis) as caller:
        l1 = caller.l1
        if l1.frozen:
            raise StatementFalse(
                f"{source}: the contract is frozen already; leave with `zkrollup exit --send`"
            )
        due, when = when_to_freeze(l1)
        if not due:
            raise StatementFalse(f"{source}: the contract cannot be frozen yet: {when}")
        number = l1.requests_consumed
        l1.freeze(sender=caller.sender)
        facts = {"frozen": True, "overdue request": number, "last batch": l1.executed}
    _tell("frozen", facts, json_output)


@l1_commands.command()
def withdraw(
    source: Source,
    owner: Annotated[str, typer.Argument(metavar="OWNER", help="The address that is paid.")],
    token: Annotated[int, typer.Option(help="The token's number; 0 is ETH.", min=0)] = 0,
    contract: Contract = None,
    genesis: Genesis = None,
    l1_key: KeyFile = None,
    json_output: AsJson = False,
) -> None:
    """Have the contract pay out all that is pending for an owner; frozen or not."""
    from zkrollup.cli import StatementFalse

    address = address_of("OWNER", owner)
    with called_l1(source, contract, l1_key, genesis) as caller:
        paid = withdraw_pending(caller, address, token)
    if not paid:
        raise StatementFalse(f"{source}: nothing of token {token} is pending for {address:#042x}")
    _tell("paid", {"owner": f"{address:#042x}", "token": token, "amount": str(paid)}, json_output)


@l1_commands.command()
def cancel_deposit(
    source: Source,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The request's number.", min=0)],
    contract: Contract = None,
    genesis: Genesis = None,
    l1_key: KeyFile = None,
    json_output: AsJson = False,
) -> None:
    """Take a deposit back that no batch took before the freeze, and pay it out to its owner."""
    from zkrollup.cli import StatementFalse
    from zkrollup.l1.headers import ZERO_HASH
    from zkrollup.restore import waiting_requests
    from zkrollup.state.trace import Kind
    from zkrollup.state.transactions import Deposit

    with called_l1(source, contract, l1_key, genesis) as caller:
        l1 = caller.l1
        require_frozen(l1, source)
        if number >= l1.num_requests:
            raise StatementFalse(f"{source}: there is no request {number}; there are {l1.num_requests}")
        if number < l1.requests_consumed:
            raise StatementFalse(
                f"{source}: request {number} is in an executed batch; "
                "leave with the account by `zkrollup exit`"
            )
        event = waiting_requests(l1, l1.header(l1.executed))[number - l1.requests_consumed]
        if event.kind != Kind.DEPOSIT:
            raise StatementFalse(
                f"{source}: request {number} is no deposit but an exit of account {event.target}; "
                "leave with that account by `zkrollup exit`"
            )
        if l1.request(number).hash == ZERO_HASH:
            left = pending_text(l1, event.owner, event.target)
            raise StatementFalse(f"{source}: deposit {number} is cancelled already; {left}")
        deposit = Deposit(event.target, event.amount, event.ax, event.ay, event.owner)
        l1.cancel_deposit(number, deposit, sender=caller.sender)
        paid = withdraw_pending(caller, event.owner, event.target)
    facts = {"request": number, "owner": f"{event.owner:#042x}", "token": event.target, "paid": str(paid)}
    _tell("cancelled", facts, json_output)


@l1_commands.command()
def credit(
    source: Source,
    batch: Annotated[int, typer.Argument(metavar="BATCH", help="An executed batch.", min=1)],
    contract: Contract = None,
    genesis: Genesis = None,
    l1_key: KeyFile = None,
    json_output: AsJson = False,
) -> None:
    """Credit what a batch that was executed without its payments still owes, in as many calls as it takes."""
    from zkrollup.cli import StatementFalse
    from zkrollup.node.submitter import credit_next

    calls = payments = 0
    with called_l1(source, contract, l1_key, genesis) as caller:
        if batch > caller.l1.executed:
            raise StatementFalse(f"{source}: batch {batch} is not executed; {caller.l1.executed} are")
        while count := credit_next(caller.l1, batch, caller.sender):
            calls, payments = calls + 1, payments + count
    if not calls:
        raise StatementFalse(f"{source}: batch {batch} owes nothing")
    _tell("credited", {"batch": batch, "payments": payments, "calls": calls}, json_output)


# -- what stands -----------------------------------------------------------------------------------------


def when_to_freeze(l1: L1) -> tuple[bool, str]:
    """Whether anybody can freeze the contract now, and in words since when, from when or why not."""
    number, block = l1.requests_consumed, l1.block_number
    if number == l1.num_requests:
        return False, "no request waits; `zkrollup l1 request-exit` makes one"
    deadline = l1.request(number).deadline
    if deadline < block:
        return True, f"now, by `zkrollup l1 freeze`: request {number} was due by block {deadline}"
    left = deadline + 1 - block
    return False, (
        f"from block {deadline + 1} on, when the oldest request, {number}, is overdue; "
        f"the next block is {block}, {left:,} earlier"
    )


def require_frozen(l1: L1, source: str) -> None:
    """StatementFalse, saying when it can be, unless the contract is frozen."""
    from zkrollup.cli import StatementFalse

    if not l1.frozen:
        raise StatementFalse(f"{source}: the contract is not frozen; it can be {when_to_freeze(l1)[1]}")


def withdraw_pending(caller: Caller, owner: int, token: int) -> int:
    """Pays an owner all that is pending; 0 where that is nothing."""
    if not caller.l1.pending_withdrawal(owner, token):
        return 0
    return caller.l1.withdraw(owner, token, sender=caller.sender)


def pending_text(l1: L1, owner: int, token: int) -> str:
    """What is still to be paid to an owner, in words."""
    amount = l1.pending_withdrawal(owner, token)
    if not amount:
        return "it is paid out"
    return f"{amount} is pending: `zkrollup l1 withdraw L1 {owner:#042x} --token {token}` pays it"


def _request(event: RequestQueued) -> dict[str, Any]:
    from zkrollup.state.trace import Kind

    facts: dict[str, Any] = {"request": event.number, "owner": f"{event.owner:#042x}"}
    if event.kind == Kind.DEPOSIT:
        facts |= {"kind": "deposit", "token": event.target, "amount": str(event.amount)}
    else:
        facts |= {"kind": "exit", "account": event.target}
    return facts | {"deadline": event.deadline}


def _request_text(event: RequestQueued) -> str:
    facts = _request(event)
    what = (
        f"deposit of {event.amount} of token {event.target}"
        if facts["kind"] == "deposit"
        else f"exit of account {event.target}"
    )
    return f"{event.number}: {what} for {facts['owner']}, due by block {event.deadline}"


def _tell(title: str, facts: dict[str, Any], json_output: bool) -> None:
    from zkrollup.cli.show import print_mapping

    if json_output:
        print(json.dumps({name.replace(" ", "_"): value for name, value in facts.items()}))
    else:
        print_mapping(title, facts)


# -- what is named ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Caller:
    """A contract, and the address that calls it."""

    l1: L1
    sender: int


@contextmanager
def called_l1(
    source: str, contract: str | None, key: Path | None, genesis: Path | None = None
) -> Iterator[Caller]:
    """The contract that a command line names, to be called: what it refuses is StatementFalse."""
    from zkrollup.cli import StatementFalse
    from zkrollup.l1.evm import signing
    from zkrollup.l1.reverts import Revert
    from zkrollup.node.opening import begin

    with ExitStack() as opened:
        try:
            if is_url(source):
                if key is None:
                    raise ValueError("--l1-key FILE: expected beside http://..., who calls and pays the gas")
                signer = private_key(key)
                l1 = opened.enter_context(opened_l1(source, contract, genesis, key=signer))
                yield Caller(l1, signing.address_of(signer))
                return
            if key is not None:
                raise ValueError("--l1-key: the chain in a directory takes calls without one")
            if (Path(source) / "l1.db").is_file():
                begin(Path(source), opened)  # a node that runs there would not see the call
            l1 = opened.enter_context(opened_l1(source, contract, genesis))
            yield Caller(l1, l1.operator)
        except Revert as error:
            raise StatementFalse(f"{source}: the contract refuses: {error}") from error


@contextmanager
def opened_l1(
    source: str, contract: str | None, genesis: Path | None = None, *, key: int | None = None
) -> Iterator[L1]:
    """The contract that a command line names; ValueError saying what is wrong with the name.

    ``genesis`` is the file of the accounts that a contract at an Ethereum node began with. ``key`` signs for
    its owner there; what that node refuses is ValueError too.
    """
    from zkrollup.l1.evm.transport import EvmError

    if is_url(source):
        if contract is None:
            raise ValueError(f"{source}: an Ethereum node has many contracts; say which with --contract")
        address = address_of("--contract", contract)
        try:
            yield contract_at(source, address, () if key is None else (key,), genesis)
        except EvmError as error:
            raise ValueError(str(error)) from error
        return
    if contract is not None:
        raise ValueError("--contract: only an Ethereum node (http://...) has more than one")
    chain = chain_in(Path(source))
    try:
        yield chain.world
    finally:
        chain.close()


def is_url(source: str) -> bool:
    """Whether an L1 is an Ethereum node's."""
    return source.startswith(("http://", "https://"))


def chain_in(directory: Path) -> DevChain:
    """The chain embedded in a node's directory; to be read, the node may be running."""
    import sqlite3

    from zkrollup.groth16.keys import VerifyingKey
    from zkrollup.node.embedded import open_chain
    from zkrollup.node.opening import BATCH_KEY, EXIT_KEY, load_key
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
    return open_chain(
        path, parameters, VerifyingKey.load(directory / BATCH_KEY), load_key(directory, EXIT_KEY)
    )


def contract_at(url: str, address: int, keys: tuple[int, ...] = (), genesis: Path | None = None) -> L1:
    """The rollup's contract at an Ethereum node; ``keys`` sign. Raises :class:`WrongGenesis` where it did not
    begin with these accounts."""
    from zkrollup.l1.evm.abi import Abi
    from zkrollup.l1.evm.artifacts import load_artifact
    from zkrollup.l1.evm.contract import EvmL1
    from zkrollup.l1.evm.json_rpc_transport import JsonRpcTransport
    from zkrollup.state.tree import empty_root

    transport = JsonRpcTransport(url, keys=keys)
    if not transport.code(address):
        raise ValueError(f"--contract {address:#042x}: there is no contract at {url}")
    abi = Abi(load_artifact("Rollup").abi)
    depth = abi.decode_answer("depth", transport.call(address, abi.encode_call("depth")))
    root, next_index = empty_root(depth), 1
    if genesis is not None:
        root, next_index = begun_with(genesis, depth)
    return EvmL1.attach(transport, address, genesis_root=root, genesis_next_index=next_index)


def begun_with(genesis: Path, depth: int) -> tuple[int, int]:
    """Root and next index of a tree with the accounts of a genesis file."""
    from zkrollup.engine import get_engine
    from zkrollup.operator import engine_hasher
    from zkrollup.restore import read_genesis
    from zkrollup.state import StateTree

    tree = StateTree.in_memory(depth, engine_hasher(get_engine()))
    tree.seed(read_genesis(genesis))
    return tree.root, tree.next_index


def address_of(name: str, text: str) -> int:
    """An address; ValueError when it is none."""
    digits = text.removeprefix("0x")
    if len(digits) != 40 or text == digits or not all(digit in _HEXADECIMAL for digit in digits):
        raise ValueError(f"{name}: expected 0x and 40 hexadecimal digits, got {text!r}")
    return int(digits, 16)


def private_key(path: Path) -> int:
    """The private key in a file; ValueError when there is none."""
    digits = path.read_text().strip().removeprefix("0x")
    if len(digits) != 64 or not all(digit in _HEXADECIMAL for digit in digits):
        raise ValueError(f"{path}: expected a private key of 64 hexadecimal digits")
    key = int(digits, 16)
    if not 0 < key < _SECP256K1_ORDER:
        raise ValueError(f"{path}: expected a private key, above 0 and below the order of secp256k1")
    return key


_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HEXADECIMAL = "0123456789abcdefABCDEF"
