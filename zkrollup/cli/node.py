"""``zkrollup node`` and ``zkrollup wallet``. It must not know how a node works: it starts or asks one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zkrollup.cli.l1 import address_of, private_key
from zkrollup.cli.show import print_mapping, say

if TYPE_CHECKING:
    from zkrollup.node.client import NodeClient, Wallet
    from zkrollup.state.transactions import SignedTransaction

__all__ = ["node", "number_of", "wallet_commands"]

wallet_commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Keys, signatures made offline, and calls of a node."
)

DEFAULT_URL = "http://127.0.0.1:8545"

KeyFile = Annotated[Path, typer.Argument(metavar="WALLET", help="The wallet's file.")]
Url = Annotated[str, typer.Option("--node", metavar="URL", help="The node.")]
Token = Annotated[int, typer.Option(help="The token's number; 0 is ETH.", min=0)]
Amount = Annotated[str, typer.Option(help="How much, in the token's smallest unit.")]
Fee = Annotated[str, typer.Option(help="For the operator, in the same unit.")]


def node(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is kept; made when missing.")],
    slots: Annotated[
        int | None,
        typer.Option(
            help="Transactions in a batch (default: what DIR was begun with, or 16).", min=1, max=1 << 14
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Levels of the 4-ary state tree (default: DIR's, or 16).", min=1, max=16),
    ] = None,
    fee_tokens: Annotated[
        int | None,
        typer.Option(help="Tokens in which a batch takes fees (default: DIR's, or 1).", min=0, max=16),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port to listen on; 0 takes any free one.", min=0, max=65535)
    ] = 8545,
    batch_seconds: Annotated[
        float, typer.Option(help="How long a transaction waits for its batch to fill up.", min=0.0)
    ] = 1.0,
    in_flight: Annotated[
        int, typer.Option(help="Batches built ahead of what L1 has executed.", min=1, max=128)
    ] = 8,
    keep: Annotated[
        int | None,
        typer.Option(help="Final batches whose transactions and proofs are kept (default: all).", min=256),
    ] = None,
    confirmations: Annotated[
        int, typer.Option(help="Blocks of L1 after which an executed batch is final.", min=1)
    ] = 64,
    batch_gas: Annotated[
        int | None,
        typer.Option(help="The most gas of a batch on L1 (default: what L1 allows).", min=1),
    ] = None,
    min_fee: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TOKEN:]AMOUNT",
            help="The least fee in a token (default: ETH, 0); may be repeated, and then no others are taken.",
        ),
    ] = None,
    pool: Annotated[int, typer.Option(help="Transactions that may wait.", min=1)] = 10_000,
    rate: Annotated[int, typer.Option(help="Requests a second of one client.", min=1)] = 200,
    burst: Annotated[int, typer.Option(help="Requests at once of one client.", min=1)] = 1_000,
    body_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="In which the body of a request must come.", min=0.1)
    ] = 30.0,
    idle_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="After which a silent connection is closed.", min=0.1)
    ] = 60.0,
    threads: Annotated[
        int | None, typer.Option(help="The prover's threads (default: every core).", min=1, max=1024)
    ] = None,
    proof_seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="How long a proof may take before the prover is started again.", min=1.0
        ),
    ] = 3600.0,
    key_directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where proving keys are (default: the user's cache).")
    ] = None,
    l1: Annotated[
        str | None, typer.Option(metavar="URL", help="An Ethereum node's JSON-RPC (default: an L1 inside).")
    ] = None,
    l1_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The operator's private key there, in hexadecimal.")
    ] = None,
    l1_max_fee: Annotated[
        float, typer.Option(metavar="GWEI", help="The most to be paid there for a unit of gas.", min=1e-9)
    ] = 500.0,
    l1_patience: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="After which a transaction that no block takes pays an eighth more.",
            min=1.0,
        ),
    ] = 60.0,
    contract: Annotated[
        str | None, typer.Option(help="A rollup that was deployed there before (default: a new one).")
    ] = None,
    allow_insecure: Annotated[
        bool,
        typer.Option("--allow-insecure", help="Deploy a one-party key on a chain not for development, too."),
    ] = False,
    fee_account: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKEN:ACCOUNT", help="Who gets the fees in a token; may be repeated."),
    ] = None,
) -> None:
    """Run a rollup's node, on an L1 inside or elsewhere: HTTP, batches, proofs, submission."""
    from zkrollup.node.api import ServerLimits
    from zkrollup.node.mempool import Limits
    from zkrollup.node.opening import known_parameters
    from zkrollup.node.policy import Policy
    from zkrollup.node.run import ExternalL1, run_node
    from zkrollup.state.parameters import BatchParameters

    external = None
    if l1 is not None:
        if l1_key is None:
            raise ValueError("--l1: expected --l1-key FILE beside it, who signs as the operator")
        address = None if contract is None else address_of("--contract", contract)
        external = ExternalL1(
            l1, private_key(l1_key), address, allow_insecure, round(l1_max_fee * 10**9), l1_patience
        )
    begun = known_parameters(data) or BatchParameters(16, 16, 1)
    run_node(
        data,
        BatchParameters(
            begun.slots if slots is None else slots,
            begun.depth if depth is None else depth,
            begun.fee_tokens if fee_tokens is None else fee_tokens,
        ),
        Policy(
            limits=Limits(transactions=pool),
            fee_accounts=dict(_fee_account(text) for text in fee_account or []),
            min_fees=dict(_min_fee(text) for text in min_fee or []),
            batch_seconds=batch_seconds,
            max_in_flight=in_flight,
            keep=keep,
            confirmations=confirmations,
            batch_gas=batch_gas,
        ),
        ServerLimits(rate=rate, burst=burst, body_seconds=body_seconds, idle_seconds=idle_seconds),
        host=host,
        port=port,
        threads=threads,
        key_directory=key_directory,
        proof_seconds=proof_seconds,
        l1=external,
    )


# -- wallets -----------------------------------------------------------------------------------------


@wallet_commands.command()
def new(
    file: KeyFile,
    eth_address: Annotated[
        str | None, typer.Option(help="The address on L1 that withdrawals go to (default: one made up).")
    ] = None,
) -> None:
    """Make a key, in a new file that only you can read."""
    from zkrollup.node.client import Wallet

    address = None if eth_address is None else address_of("--eth-address", eth_address)
    try:
        _show_wallet(Wallet.create(file, address))
    except FileExistsError:
        raise ValueError(f"{file}: exists already; expected a new file") from None


@wallet_commands.command()
def show(file: KeyFile) -> None:
    """Show a wallet's public key and address."""
    _show_wallet(_load(file))


@wallet_commands.command()
def deposit(file: KeyFile, amount: Amount, node: Url = DEFAULT_URL, token: Token = 0) -> None:
    """Pay in on the node's embedded L1, with money made for it."""
    from zkrollup.node.client import CallRefused
    from zkrollup.node.errors import MethodNotFound

    wallet = _load(file)
    ax, ay = wallet.key.public_key
    try:
        found = _client(node).call(
            "dev_deposit",
            token=token,
            amount=str(number_of("--amount", amount)),
            ax=str(ax),
            ay=str(ay),
            eth_address=f"0x{wallet.eth_address:040x}",
        )
    except CallRefused as refused:
        if refused.code != MethodNotFound.code:
            raise
        raise ValueError(
            f"{node}: its L1 is an Ethereum node, where you pay in yourself: `zkrollup l1 deposit`"
        ) from refused
    say(f"request {found['request']} waits on L1")


@wallet_commands.command()
def balance(file: KeyFile, node: Url = DEFAULT_URL, token: Token = 0) -> None:
    """Show the wallet's account as the node has it."""
    found = _find(_client(node), _load(file), token)
    print_mapping(f"Account {found['account']}", found)


@wallet_commands.command()
def send(
    file: KeyFile,
    to: Annotated[int, typer.Option(help="The account that receives.", min=1)],
    amount: Amount,
    fee: Fee = "0",
    node: Url = DEFAULT_URL,
    token: Token = 0,
    nonce: Annotated[int | None, typer.Option(help="Default: the next one.", min=0)] = None,
) -> None:
    """Sign a transfer and hand it to the node."""
    from zkrollup.state.transactions import Transfer

    client, wallet = _client(node), _load(file)
    found = _find(client, wallet, token)
    _submit(
        client,
        wallet,
        Transfer(
            found["account"],
            to,
            token,
            number_of("--amount", amount),
            number_of("--fee", fee),
            found["next_nonce"] if nonce is None else nonce,
        ),
    )


@wallet_commands.command()
def withdraw(
    file: KeyFile,
    amount: Amount,
    fee: Fee = "0",
    node: Url = DEFAULT_URL,
    token: Token = 0,
    to: Annotated[str | None, typer.Option(help="An address on L1 (default: the wallet's).")] = None,
    nonce: Annotated[int | None, typer.Option(help="Default: the next one.", min=0)] = None,
) -> None:
    """Sign a withdrawal to L1 and hand it to the node."""
    from zkrollup.state.transactions import Withdraw

    client, wallet = _client(node), _load(file)
    found = _find(client, wallet, token)
    _submit(
        client,
        wallet,
        Withdraw(
            found["account"],
            wallet.eth_address if to is None else address_of("--to", to),
            token,
            number_of("--amount", amount),
            number_of("--fee", fee),
            found["next_nonce"] if nonce is None else nonce,
        ),
    )


@wallet_commands.command()
def sign(
    file: KeyFile,
    transactions: Annotated[Path, typer.Argument(metavar="TXS", help="JSON lines of unsigned transactions.")],
    chain_id: Annotated[int, typer.Option(help="The chain that they are for.", min=0)],
    rollup_id: Annotated[str, typer.Option(help="The rollup that they are for.")],
) -> None:
    """Sign transactions offline; prints them as JSON lines."""
    from zkrollup.state.transactions import SignedTransaction, format_transactions, read_transactions

    wallet, rollup = _load(file), address_of("--rollup-id", rollup_id)
    signed: list[SignedTransaction] = []
    for place, transaction in enumerate(read_transactions(transactions), start=1):
        if not isinstance(transaction, SignedTransaction):
            raise ValueError(f"{transactions}: transaction {place} is one that nobody signs")
        signed.append(wallet.sign(transaction, chain_id, rollup))
    say(format_transactions(signed).rstrip("\n"))


@wallet_commands.command()
def submit(
    transactions: Annotated[Path, typer.Argument(metavar="TXS", help="JSON lines of signed transactions.")],
    node: Url = DEFAULT_URL,
) -> None:
    """Hand transactions that were signed before to the node."""
    from zkrollup.state.transactions import SignedTransaction, read_transactions

    client = _client(node)
    info = client.call("info")
    for transaction in read_transactions(transactions):
        if isinstance(transaction, SignedTransaction):
            receipt = client.submit(transaction, info["chain_id"], int(info["rollup_id"], 16))
            say(f"{receipt['id']} {receipt['status']}")


@wallet_commands.command()
def status(
    transaction_id: Annotated[str, typer.Argument(metavar="ID", help="What the node answered.")],
    node: Url = DEFAULT_URL,
) -> None:
    """Show what became of a transaction."""
    say(json.dumps(_client(node).call("transaction", id=transaction_id), indent=2))


def _client(url: str) -> NodeClient:
    from zkrollup.node.client import NodeClient

    return NodeClient(url)


def _load(file: Path) -> Wallet:
    from zkrollup.node.client import Wallet

    return Wallet.load(file)


def _show_wallet(wallet: Wallet) -> None:
    ax, ay = wallet.key.public_key
    print_mapping("Wallet", {"ax": ax, "ay": ay, "eth_address": f"0x{wallet.eth_address:040x}"})


def _find(client: NodeClient, wallet: Wallet, token: int) -> dict[str, int]:
    ax, ay = wallet.key.public_key
    found = client.call(
        "find_account", token=token, ax=str(ax), ay=str(ay), eth_address=f"0x{wallet.eth_address:040x}"
    )
    return dict(found)


def _submit(client: NodeClient, wallet: Wallet, transaction: SignedTransaction) -> None:
    info = client.call("info")
    rollup = int(info["rollup_id"], 16)
    receipt = client.submit(wallet.sign(transaction, info["chain_id"], rollup), info["chain_id"], rollup)
    say(f"{receipt['id']} {receipt['status']}")


def _fee_account(text: str) -> tuple[int, int]:
    token, colon, account = text.partition(":")
    if not colon:
        raise ValueError(f"--fee-account: expected TOKEN:ACCOUNT, got {text!r}")
    return number_of("--fee-account", token), number_of("--fee-account", account)


def _min_fee(text: str) -> tuple[int, int]:
    token, colon, amount = text.rpartition(":")
    return number_of("--min-fee", token) if colon else 0, number_of("--min-fee", amount)


def number_of(name: str, text: str) -> int:
    """An amount in decimal digits; ValueError for anything else."""
    if not text.isascii() or not text.isdigit() or len(text) > 39:
        raise ValueError(f"{name}: expected decimal digits, got {text!r}")
    return int(text)
