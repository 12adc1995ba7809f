"""Is any transaction lost or repeated when a node is killed again and again? (Its speed, besides.)

Starts ``zkrollup node`` in a new directory, submits signed transfers over HTTP, kills the node with SIGKILL
at random moments and starts it again, until all transfers are executed on the embedded L1. Then the chain's
own file is read: each transfer must be in exactly one executed batch, in the slot that the node named, and
every balance and nonce must be what the transfers say. Real proofs.

    python benches/node.py --transactions 1000 --kills 10 --slots 16 --depth 4

Prints one JSON object. It must not know the node's insides: it talks HTTP, and reads the chain as L1 shows
it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zkrollup.groth16.keys import VerifyingKey
from zkrollup.node.client import CallRefused, NodeClient, NodeUnreachable, Wallet, check_inclusion
from zkrollup.node.embedded import open_chain
from zkrollup.node.opening import BATCH_KEY, EXIT_KEY
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import decode
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import Transfer

BALANCE = 10**12
CLIENTS = 4
DEADLINE_SECONDS = 1_800


@dataclass
class Killed:
    """A node process that is killed and started again."""

    command: list[str]
    log: Path
    kills: int
    chance: random.Random
    least: float = 0.3
    most: float = 5.0
    done: int = 0
    process: subprocess.Popen[bytes] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Starts the node."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def kill_again_and_again(self) -> None:
        """Kills it ``kills`` times, each time so long after its start as chance says."""
        while self.done < self.kills and not self.over.wait(self.chance.uniform(self.least, self.most)):
            assert self.process is not None
            if self.process.poll() is not None:
                return  # it stopped by itself: an error, which its log shows
            self.process.kill()
            self.process.wait()
            self.done += 1
            self.start()

    def stop(self) -> int:
        """Stops it as an operator would; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def run(
    *,
    transactions: int,
    kills: int,
    slots: int,
    depth: int,
    directory: Path,
    key_directory: Path | None = None,
    wallets: int = 20,
    seed: int | None = None,
    most_seconds_alive: float = 5.0,
    threads: int | None = None,
) -> dict[str, Any]:
    """The whole run; raises ``AssertionError`` naming what was lost, repeated or wrong."""
    chance = random.Random(seed)
    data = directory / "node"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "zkrollup", "node", "--data", str(data), "--slots", str(slots)]
    command += ["--depth", str(depth), "--port", str(port), "--batch-seconds", "0.5"]
    command += ["--rate", "100000", "--burst", "100000"]
    command += [] if key_directory is None else ["--key-directory", str(key_directory)]
    command += [] if threads is None else ["--threads", str(threads)]
    node = Killed(command, directory / "node.log", kills, chance, most=most_seconds_alive)
    began = time.monotonic()
    node.start()
    killer = threading.Thread(target=node.kill_again_and_again, daemon=True)
    try:
        owners = [Wallet.create(directory / f"wallet-{i}") for i in range(wallets)]
        client = NodeClient(url)
        info = retry(lambda: client.call("info"), node)
        accounts = open_accounts(client, owners, node)
        signed = sign_transfers(owners, accounts, transactions, chance, info)
        ready = time.monotonic()
        killer.start()
        ids = submit_all(url, signed, info, node)
        submitted = time.monotonic()
        wait_executed(client, ids, node)
        executed, in_time = time.monotonic(), node.done
        killer.join()
        retry(lambda: client.call("info"), node)
        found = [retry(lambda i=i: client.call("transaction", id=i), node) for i in ids]
        balances = {account: client.call("account", account=account) for account in accounts}
        assert all(check_inclusion(client.call("proof", account=account)) for account in accounts[:3])
        code = node.stop()
    finally:
        node.over.set()
        if node.process is not None and node.process.poll() is None:
            node.process.kill()
    assert code == 0, f"the node stopped with code {code}: {node.log}"
    batches = check(data, BatchParameters(slots, depth, 1), signed, found)
    check_balances(signed, accounts, balances)
    return {
        "transactions": len(signed),
        "kills": node.done,
        "kills before all were executed": in_time,
        "batches": batches,
        "slots": slots,
        "depth": depth,
        "lost": 0,
        "repeated": 0,
        "seconds": {
            "start and deposits": round(ready - began, 2),
            "submitting": round(submitted - ready, 2),
            "until all are executed": round(executed - ready, 2),
        },
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def retry(call: Any, node: Killed) -> Any:
    """The call's result, as soon as the node answers."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return call()
        except NodeUnreachable:
            assert node.process is not None
            code = node.process.poll()
            if code is not None and code != -signal.SIGKILL:
                raise RuntimeError(
                    f"the node stopped with code {code}: {node.log.read_text()[-2000:]}"
                ) from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def open_accounts(client: NodeClient, owners: list[Wallet], node: Killed) -> list[int]:
    """Deposits for everybody; their accounts."""
    keys = []
    for owner in owners:
        ax, ay = owner.key.public_key
        key = {"token": 0, "ax": str(ax), "ay": str(ay), "eth_address": f"0x{owner.eth_address:040x}"}
        keys.append(key)
        retry(lambda key=key: client.call("dev_deposit", amount=str(BALANCE), **key), node)
    accounts = []
    for key in keys:
        while True:
            try:
                accounts.append(client.call("find_account", **key)["account"])
                break
            except CallRefused:
                time.sleep(0.1)
    return accounts


def sign_transfers(
    owners: list[Wallet], accounts: list[int], count: int, chance: random.Random, info: dict[str, Any]
) -> list[Transfer]:
    """Transfers among the wallets, each account's nonces from 0 on."""
    nonces: Counter[int] = Counter()
    signed = []
    for _ in range(count):
        place = chance.randrange(len(owners))
        recipient = chance.choice(accounts)
        nonce = nonces[place]
        nonces[place] += 1
        transfer = Transfer(
            accounts[place], recipient, 0, chance.randrange(1, 10**6), chance.randrange(100), nonce
        )
        signed.append(owners[place].sign(transfer, info["chain_id"], int(info["rollup_id"], 16)))
    return signed


def submit_all(url: str, signed: list[Transfer], info: dict[str, Any], node: Killed) -> list[str]:
    """Submits from several clients at once, each account's in order, until each is acknowledged."""
    ids: list[str] = [""] * len(signed)
    failures: list[BaseException] = []

    def work(share: int) -> None:
        client = NodeClient(url)
        try:
            for place, transfer in enumerate(signed):
                if transfer.sender % CLIENTS == share:
                    ids[place] = retry(lambda t=transfer: submit(client, t, info), node)["id"]
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(share,)) for share in range(CLIENTS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return ids


def submit(client: NodeClient, transfer: Transfer, info: dict[str, Any]) -> dict[str, Any]:
    """One submission; waits while the account's queue is full or its nonce too far ahead."""
    while True:
        try:
            return client.submit(transfer, info["chain_id"], int(info["rollup_id"], 16))
        except CallRefused as refusal:
            if refusal.data.get("reason") not in ("AccountQueueFull", "NonceTooFar", "PoolFull"):
                raise
            time.sleep(0.1)


def wait_executed(client: NodeClient, ids: list[str], node: Killed) -> None:
    """Returns when every transaction is executed on L1."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    for identifier in ids:
        while True:
            found = retry(lambda i=identifier: client.call("transaction", id=i), node)
            if found["status"] == "executed":
                break
            assert found["status"] != "dropped", found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)


def check(
    data: Path, parameters: BatchParameters, signed: list[Transfer], found: list[dict[str, Any]]
) -> int:
    """Each transfer is in the one place on L1 that the node named; returns the number of batches."""
    places = Counter((one["batch"], one["slot"]) for one in found)
    assert max(places.values()) == 1, [place for place, times in places.items() if times > 1]
    keys = [VerifyingKey.load(data / name) for name in (BATCH_KEY, EXIT_KEY)]
    chain = open_chain(data / "l1.db", parameters, *keys)
    world = chain.world
    records = {
        number: decode(world.batch_data(number), parameters).records
        for number in range(1, world.executed + 1)
    }
    for transfer, one in zip(signed, found, strict=True):
        record = records[one["batch"]][one["slot"]]
        seen = (record.kind, record.first, record.second, record.fee_code, record.amount_field >> 96)
        wanted = (
            transfer.sender,
            transfer.recipient,
            encode_fee(transfer.fee),
            encode_amount(transfer.amount),
        )
        assert seen == (Kind.TRANSFER, *wanted), (one, seen, wanted)
    transfers = sum(record.kind == Kind.TRANSFER for batch in records.values() for record in batch)
    assert transfers == len(signed), f"{transfers} transfers on L1, {len(signed)} were submitted"
    batches = world.executed
    chain.close()
    return int(batches)


def check_balances(signed: list[Transfer], accounts: list[int], balances: dict[int, dict[str, Any]]) -> None:
    """Every balance and nonce is what the transfers say."""
    expected = dict.fromkeys(accounts, BALANCE)
    nonces = dict.fromkeys(accounts, 0)
    for transfer in signed:
        expected[transfer.sender] -= transfer.amount + transfer.fee
        expected[transfer.recipient] += transfer.amount
        nonces[transfer.sender] += 1
    for account in accounts:
        assert int(balances[account]["balance"]) == expected[account], balances[account]
        assert balances[account]["nonce"] == nonces[account], balances[account]


def main() -> None:
    """Reads the options and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transactions", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--most-seconds-alive", type=float, default=5.0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--key-directory", type=Path)
    parser.add_argument("--keep", type=Path, help="work in this new directory and leave it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) if options.keep is None else options.keep
        directory.mkdir(parents=True, exist_ok=options.keep is None)
        result = run(
            transactions=options.transactions,
            kills=options.kills,
            slots=options.slots,
            depth=options.depth,
            directory=directory,
            key_directory=options.key_directory,
            seed=options.seed,
            most_seconds_alive=options.most_seconds_alive,
            threads=options.threads,
        )
    result["cpus"] = os.cpu_count()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
