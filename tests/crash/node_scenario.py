"""A process that runs a node with an L1 inside, step by step, and tells what it was told is done.

It must not know that it is watched. Usage: node_scenario.py FOLDER NAME. The node is FOLDER/node; each
request that was answered is a line of FOLDER/acknowledged: what was asked for, and the ids of transactions.
Proofs are not the matter: stamps take their place, which node and L1 compare with the public inputs.

Between the requests the node is moved on one step at a time, so that at some time a batch is built and not
proved, proved and not on L1, on L1 and not known to be; once L1 forgets a batch. Every request can be made
any number of times, as a client does who heard no answer, so a script can be begun again at any moment.

Of the two scripts, the second goes back to a copy of the node's file that L1 has left behind: the node then
has to take over batches that it does not know, and to undo one that it built.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from zkrollup.l1.world import stamp
from zkrollup.node.errors import ForeignBatch
from zkrollup.node.follow import follow
from zkrollup.node.policy import Policy
from zkrollup.state import ChangeKey, Transfer, TransferToAddress, TransferToNew, Withdraw, sign_group
from zkrollup.testing.node import StepNode, _simulated_key
from zkrollup.testing.rollup import make_wallets

FIRST = 2
"""The wallets' first account; the operator's is account 1."""

MONEY = 1_000
SCRIPTS: dict[str, tuple[str, ...]] = {
    "alone": (
        "pay in 0", "pay in 1", "pay in 2", "build", "prove", "call", "settle",
        "transfer 0 0", "transfer 1 0", "build", "swap 1", "prove", "transfer 0 2", "build", "call", "forget",
        "prove", "call", "exit", "to new 0 3", "withdraw 1 2", "build", "settle",
        "change key 1 3", "by address 0 4", "settle", "after change 1 4", "transfer 0 5", "build", "prove",
        "call", "settle",
    ),
    "goes back": (
        "pay in 0", "pay in 1", "pay in 2", "settle",
        "transfer 0 0", "transfer 1 0", "build", "swap 1", "copy", "settle",
        "go back", "transfer 0 2", "build", "prove", "settle", "withdraw 1 2", "settle",
    ),
}  # fmt: skip
EXIT_REQUEST = 4
"""The number of the exit: after the operator's deposit and those of three wallets."""


def num_transactions(name: str) -> int:
    """How many transactions a script hands in."""
    return sum(1 + step.startswith("swap") for step in SCRIPTS[name] if step[-1].isdigit()) - num_deposits(
        name
    )


def num_deposits(name: str) -> int:
    """How many deposits a script makes, without the operator's."""
    return sum(step.startswith("pay in") for step in SCRIPTS[name])


def num_requests(name: str) -> int:
    """How many requests a script makes of L1, the operator's deposit among them."""
    return 1 + num_deposits(name) + ("exit" in SCRIPTS[name])


class StampProver:
    """Stamps on the public inputs."""

    def __init__(self) -> None:
        self.verifying_key = _simulated_key().verifying_key

    def prove(self, trace: Any, inputs: Any) -> Any:
        """What costs nothing, and is another for other inputs."""
        return stamp(inputs)

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def stamps() -> Iterator[None]:
    """Node and L1 take stamps for proofs."""

    def verifier(key: Any, *, allow_insecure_key: bool) -> Any:
        return lambda inputs, proof: proof == stamp(inputs)

    with (
        mock.patch("zkrollup.testing.node.SimulatedProver", StampProver),
        mock.patch("zkrollup.node.prover.verify", lambda key, inputs, proof: proof == stamp(inputs)),
        mock.patch("zkrollup.node.embedded.KeyVerifier", verifier),
    ):
        yield


def open_node(folder: Path) -> StepNode:
    """The node in FOLDER/node, new or as it was left."""
    policy = Policy(max_in_flight=3, keep=1, confirmations=4)  # so that it soon has something to forget
    return StepNode(folder / "node", slots=4, depth=3, policy=policy)


class Script:
    """The requests and moves by their names. ``answered`` are the requests that were answered, with ids."""

    def __init__(self, node: StepNode) -> None:
        self.node = node
        self.wallets = [node.for_here(wallet) for wallet in make_wallets(5)]

    def take(self, step: str) -> list[int] | None:
        """One step; the ids of what was handed in (none of a request to L1), ``None`` of a move."""
        node = self.node
        match step.split():
            case ["build"]:
                node.build()
            case ["prove"]:
                node.prove()
            case ["call"]:
                self._follow()
                node.submit_to_l1()
            case ["settle"]:
                self._follow()
                node.settle()
            case ["copy"]:
                self._copy()
            case ["go", "back"]:
                self._go_back()
            case ["forget"]:
                self._forget()
            case ["pay", "in", place]:
                self._pay_in(int(place))
                return []
            case ["exit"]:
                if node.l1.num_requests <= EXIT_REQUEST:
                    node.l1.request_exit(FIRST + 2, sender=self.wallets[2].eth_address)
                return []
            case ["swap", nonce]:
                return [receipt.id for receipt in node.submit(*self._swap(int(nonce)))]
            case [*words, place, nonce]:
                receipts = node.submit(*self._signed(" ".join(words), int(place), int(nonce)))
                return [receipt.id for receipt in receipts]
        return None

    def _follow(self) -> None:
        """Take over what L1 has and the node does not."""
        try:
            self.node.look()
        except ForeignBatch:
            follow(self.node.sequencer, self.node.l1)

    def _copy(self) -> None:
        """An operator's copy of the node's file."""
        copy = self.node.directory / "copy.db"
        copy.unlink(missing_ok=True)
        self.node.store._db.execute("VACUUM INTO ?", (str(copy),))
        sync(copy)
        sync(copy.parent)

    def _go_back(self) -> None:
        """The node's file is the copy; all that was answered after the copy was made is on L1."""
        self.node.parts.close()
        os.replace(self.node.directory / "copy.db", self.node.directory / "node.db")
        sync(self.node.directory)
        self.node._open()

    def _forget(self) -> None:
        """L1 drops its last block, if that executed a batch."""
        if self.node.chain.num_calls and self.node.l1.executed > 1:
            name = self.node.chain._db.execute(
                "SELECT name FROM calls ORDER BY place DESC LIMIT 1"
            ).fetchone()
            if name == ("submit_batch",):
                self.node.chain.forget(1)

    def _pay_in(self, place: int) -> None:
        """The owner looks whether L1 has the deposit already."""
        if self.node.l1.num_requests <= place + 1:
            wallet, l1 = self.wallets[place], self.node.l1
            held = l1.balance_of(wallet.eth_address, 0)
            if held < MONEY:
                l1.fund(wallet.eth_address, 0, MONEY - held)
            l1.deposit(0, MONEY, *wallet.key.public_key, wallet.eth_address, sender=wallet.eth_address)

    def _signed(self, kind: str, place: int, nonce: int) -> list[Any]:
        sender, signer = FIRST + place, self.wallets[place]
        common = {"token": 0, "fee": 1, "nonce": nonce}
        other, unsigned = FIRST + 1 - place, None
        match kind:
            case "transfer":
                unsigned = Transfer(sender, other, amount=5, **common)
            case "by address":
                address = self.wallets[1 - place].eth_address
                unsigned = TransferToAddress(sender, address, amount=6, **common)
            case "to new":
                there = self.wallets[3]
                key = there.key.public_key
                unsigned = TransferToNew(sender, *key, there.eth_address, amount=20, **common)
            case "withdraw":
                unsigned = Withdraw(sender, signer.eth_address, amount=9, **common)
            case "change key":
                unsigned = ChangeKey(sender, *self.wallets[4].key.public_key, **common)
            case "after change":
                unsigned, signer = Transfer(sender, other, amount=3, **common), self.wallets[4]
        return [signer.sign(unsigned)]

    def _swap(self, nonce: int) -> list[Any]:
        """Two transfers that go together or not at all."""
        pair = [Transfer(FIRST + i, FIRST + 1 - i, 0, 7 + i, 1, nonce) for i in range(2)]
        identity = self.node.store.identity
        keys = [self.wallets[i].key for i in range(2)]
        return list(sign_group(pair, keys, identity.chain_id, identity.rollup_id))


def sync(path: Path) -> None:
    """What is in this file or folder is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def main(folder: Path, name: str) -> None:
    """Everything; may be begun again on what an earlier process left."""
    said = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with stamps():
        script = Script(open_node(folder))
        for step in SCRIPTS[name]:
            ids = script.take(step)
            if ids is not None:
                os.write(said, (" ".join([step.replace(" ", "_"), *map(str, ids)]) + "\n").encode())
        script.node.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
