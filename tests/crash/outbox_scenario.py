"""A process that sends transactions to a chain, replaces those that are stuck, and notes what it sent.

It must not know that it is watched. Usage: outbox_scenario.py FOLDER. The outbox is FOLDER/sent.json; the
chain, which outlives everything, is FOLDER/acknowledged: a line for each transaction that reached it, and for
each that came into a block. As a node does, whoever begins again looks at what stands before it calls.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.evm.json_rpc_sending import Call, FeePolicy, NotMined, Sending
from zkrollup.l1.evm.outbox import Outbox
from zkrollup.l1.evm.signing import Senders, address_of

KEY = 1
CALLS = 4
PATIENCE = 60.0


class Chain:
    """What the lines say, and a node's answers from that."""

    def __init__(self, lines: list[str], say: Any = None) -> None:
        self.lines = lines
        self._say = say
        self.now = 0.0

    def note(self, *words: object) -> None:
        """One more line; it is there when this returns."""
        line = " ".join(map(str, words))
        self.lines.append(line)
        if self._say is not None:
            self._say(line)

    def words(self, first: str) -> list[str]:
        """What stands behind this word, in order."""
        return [line.split()[1] for line in self.lines if line.split()[0] == first]

    def sent(self, nonce: int) -> list[str]:
        """The transactions that came when so many were mined."""
        lines = (line.split() for line in self.lines if line.startswith("sent "))
        return [name for _, name, count in lines if int(count) == nonce]

    def request(self, method: str, *params: Any) -> Any:
        """A node's answer."""
        match method:
            case "eth_chainId":
                return "0x1"
            case "eth_getBlockByNumber":
                return {"baseFeePerGas": hex(10**9), "gasLimit": hex(30_000_000)}
            case "eth_getBalance":
                return hex(10**18)
            case "eth_estimateGas":
                return hex(50_000)
            case "eth_getTransactionCount":
                return hex(len(self.words("mined")))
            case "eth_sendRawTransaction":
                name = "0x" + keccak256(bytes.fromhex(params[0][2:])).hex()
                if name not in self.words("sent"):
                    self.note("sent", name, len(self.words("mined")))
                return name
            case "eth_getTransactionReceipt":
                receipt = {"gasUsed": "0x1", "effectiveGasPrice": "0x1", "transactionHash": params[0]}
                return receipt if params[0] in self.words("mined") else None
        raise AssertionError(method)


def sending(folder: Path, chain: Chain) -> Sending:
    """A sender that knows what the file says."""
    return Sending(
        chain.request,
        lambda call, block: b"",
        Senders([KEY]),
        fees=FeePolicy(patience=PATIENCE),
        outbox=Outbox(folder / "sent.json"),
        one_at_a_time=True,
        mined_within=0.0,
        clock=lambda: chain.now,
    )


def play(folder: Path, chain: Chain) -> None:
    """Every call that is not done: sent, replaced, and mined by one of its transactions."""
    sends = sending(folder, chain)
    for number in range(len(chain.words("mined")), CALLS):
        call = Call(0xC0, bytes([number]), address_of(KEY), 0)
        while len(chain.words("mined")) == number:
            try:
                sends.send(call)
            except NotMined:
                chain.now += PATIENCE
            if len(sent := chain.sent(number)) == 2:
                chain.note("mined", sent[number % 2])
        sends.send(call)  # which finds it, and says so


def main(folder: Path) -> None:
    """Everything, from nothing."""
    said = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    play(folder, Chain([], lambda line: os.write(said, (line + "\n").encode())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
