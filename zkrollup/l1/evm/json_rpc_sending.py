"""Transactions on their way into a block: priced, noted, sent, followed, and replaced by ones that pay more.

This module must not know what is called, nor read anything of a contract. What was sent is in an
:class:`~zkrollup.l1.evm.outbox.Outbox` before it is sent, so that a call which is made again, in this process
or the next, follows the transactions that were sent for it: whichever of them comes into a block is
recognised, and no second nonce is used for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from zkrollup.crypto.keccak import keccak256

from .outbox import Attempt, Outbox, Sent
from .signing import Senders
from .transport import GAS_LIMIT, EvmError, address_bytes, address_text

__all__ = [
    "Call",
    "FeeAboveCap",
    "FeePolicy",
    "JsonRpcError",
    "NotEnoughEther",
    "NotMined",
    "Sending",
    "Superseded",
    "TooMuchGas",
    "gas_limit_of",
]

GWEI = 10**9


class JsonRpcError(EvmError):
    """The node refused a request."""

    def __init__(self, method: str, code: object, message: object, data: object) -> None:
        super().__init__(f"{method}: the node answered error {code}: {message}")
        self.method, self.code, self.message, self.data = method, code, message, data


class NotMined(EvmError):
    """A transaction was sent and is in no block yet; the same call again follows it."""

    def __init__(self, transaction: str, seconds: float, fee: int, *, capped: bool = False) -> None:
        most = ", the most that is to be paid" if capped else ""
        super().__init__(
            f"transaction {transaction} is in no block after {seconds:g} s; it may still come "
            f"(it offers {fee / GWEI:g} gwei{most})"
        )
        self.transaction, self.fee, self.capped = transaction, fee, capped


class Superseded(EvmError):
    """An earlier transaction of the same nonce came into a block, so that the call was not made."""

    def __init__(self, transaction: str) -> None:
        super().__init__(f"transaction {transaction}, sent before with the same nonce, was mined instead")
        self.transaction = transaction


class FeeAboveCap(EvmError):
    """Blocks cost more than is to be paid."""

    def __init__(self, base: int, cap: int) -> None:
        super().__init__(
            f"the base fee is {base / GWEI:g} gwei, the most that is to be paid {cap / GWEI:g}; "
            "wait until it falls, or allow more"
        )
        self.base, self.cap = base, cap


class TooMuchGas(EvmError):
    """A transaction that no block can hold."""

    def __init__(self, needed: int, limit: int) -> None:
        super().__init__(f"the transaction takes {needed:,} gas; here one may take {limit:,}")
        self.needed, self.limit = needed, limit


class NotEnoughEther(EvmError):
    """A sender that cannot pay for a transaction."""

    def __init__(self, sender: int, balance: int, gas: int, price: int, value: int) -> None:
        needed = gas * price + value
        sent = f", and {value:,} sent along" if value else ""
        super().__init__(
            f"sender {address_text(sender)} has {balance:,} wei; the transaction may take {needed:,}: "
            f"{gas:,} gas at up to {price:,} wei{sent}; send it {needed - balance:,} wei or more"
        )
        self.sender, self.balance, self.needed = sender, balance, needed


@dataclass(frozen=True)
class FeePolicy:
    """What is paid for gas, in wei for each unit.

    A new transaction offers ``tip``, and twice the base fee of the latest block beside it. One that is in no
    block after ``patience`` seconds is replaced by one that offers an eighth more of both, which satisfies
    every node (Geth demands a tenth), or what a new one would offer if that is more. Nothing offers more than
    ``cap``.
    """

    tip: int = GWEI
    cap: int = 500 * GWEI
    patience: float = 60.0

    def first(self, base: int) -> tuple[int, int]:
        """Fee and tip of a new transaction; raises :class:`FeeAboveCap`."""
        if base >= self.cap:
            raise FeeAboveCap(base, self.cap)
        fee = min(2 * base + self.tip, self.cap)
        return fee, min(self.tip, fee)

    def next(self, base: int, fee: int, tip: int) -> tuple[int, int] | None:
        """Fee and tip of what replaces one that offers these; ``None`` where the cap is in the way."""
        least, tip = fee + -(-fee // 8), tip + -(-tip // 8)
        return None if least > self.cap else (min(max(least, 2 * base + tip), self.cap), min(tip, self.cap))


class Call(NamedTuple):
    """What a transaction is to do; ``to`` is ``None`` for one that creates a contract."""

    to: int | None
    data: bytes
    sender: int
    value: int

    @property
    def digest(self) -> str:
        """Tells one call from another."""
        to = b"" if self.to is None else address_bytes(self.to)
        return keccak256(self.value.to_bytes(32, "big") + keccak256(self.data) + to).hex()

    @property
    def fields(self) -> dict[str, str]:
        """As JSON-RPC has it."""
        form = {
            "from": address_text(self.sender),
            "data": "0x" + self.data.hex(),
            "value": hex(self.value),
        }
        return form if self.to is None else form | {"to": address_text(self.to)}


class Sending:
    """Sends transactions by ``request``, a node's JSON-RPC, one after the other.

    ``attempt`` tries a call on a block (``latest`` or ``pending``) and raises what it reverts with. With
    ``one_at_a_time`` a call takes the place of another one that is in no block yet.
    """

    def __init__(
        self,
        request: Callable[..., Any],
        attempt: Callable[[Call, str], bytes],
        senders: Senders,
        *,
        fees: FeePolicy,
        outbox: Outbox,
        one_at_a_time: bool,
        mined_within: float,
        clock: Callable[[], float],
    ) -> None:
        self._request = request
        self._attempt = attempt
        self._senders = senders
        self._fees = fees
        self._outbox = outbox
        self._one_at_a_time = one_at_a_time
        self._mined_within = mined_within
        self._clock = clock
        self._chain_id = self._number("eth_chainId")

    def send(self, call: Call) -> tuple[Any, bytes]:
        """The receipt of the transaction that made the call, and what the call returned where it was tried.

        Raises what trying it raises, :class:`NotMined`, :class:`Superseded`, :class:`NotEnoughEther`,
        :class:`FeeAboveCap`, :class:`TooMuchGas`, :class:`JsonRpcError`.
        """
        self._senders.require(call.sender)
        sent = self._outbox.last(call.sender)
        if sent is not None and (found := self._mined(sent)) is not None:
            if not sent.told and found[0].call == call.digest:
                return self._tell(call, sent, *found), b""  # the answer was lost
            sent = None
        elif sent is not None:
            next_nonce = self._count(call.sender, "latest")
            if next_nonce > sent.nonce or (next_nonce < sent.nonce and sent.last.call != call.digest):
                sent = None  # something else has used its nonce; or L1 dropped those before it, too
        if sent is None or (sent.last.call != call.digest and not self._one_at_a_time):
            output = self._begin(call)
        elif sent.last.call != call.digest:
            output = self._replace(call, sent)
        else:
            output = b""
            self._send_again(sent)
        return self._follow(call), output

    def _begin(self, call: Call) -> bytes:
        """Sends a call with the next nonce."""
        block = self._latest_block()
        fee, tip = self._fees.first(_base_fee(block))
        held = self._number("eth_getBalance", address_text(call.sender), "latest")
        if held < _LEAST_GAS * fee + call.value:  # not even tried: nodes say so in words of their own
            raise NotEnoughEther(call.sender, held, _LEAST_GAS, fee, call.value)
        output = self._attempt(call, "pending")
        gas = self._gas(call, "pending", gas_limit_of(block))
        if held < gas * fee + call.value:
            raise NotEnoughEther(call.sender, held, gas, fee, call.value)
        nonce = self._count(call.sender, "pending")
        self._offer(call, None, nonce, gas, fee, tip)
        return output

    def _replace(self, call: Call, sent: Sent) -> bytes:
        """Sends a call in the place of another one, so on the block that does not have that one."""
        block = self._latest_block()
        output = self._attempt(call, "latest")
        gas = self._gas(call, "latest", gas_limit_of(block))
        higher = self._fees.next(_base_fee(block), sent.last.max_fee, sent.last.tip)
        if higher is None:
            raise NotMined(sent.last.hash, self._mined_within, sent.last.max_fee, capped=True)
        self._offer(call, sent, sent.nonce, gas, *higher)
        return output

    def _raise_fee(self, call: Call, sent: Sent) -> Attempt:
        """Replaces a transaction by one that pays more, unless it offers the most already; the one that pays
        most now."""
        last = sent.last
        higher = self._fees.next(_base_fee(self._latest_block()), last.max_fee, last.tip)
        return last if higher is None else self._offer(call, sent, sent.nonce, last.gas, *higher)

    def _offer(self, call: Call, sent: Sent | None, nonce: int, gas: int, fee: int, tip: int) -> Attempt:
        """Notes a transaction, and sends it. ``sent`` is what it replaces."""
        fields: dict[str, Any] = {} if call.to is None else {"to": call.to}
        fields |= {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
            "data": call.data,
            "value": call.value,
        }
        signed = self._senders.sign(call.sender, fields)
        raw = "0x" + signed.hex()
        attempt = Attempt("0x" + keccak256(signed).hex(), call.digest, gas, fee, tip, self._clock())
        before = self._outbox.last(call.sender)
        after = Sent(nonce, (attempt,), raw) if sent is None else sent.with_attempt(attempt, raw)
        self._outbox.keep(call.sender, after)
        try:
            self._request("eth_sendRawTransaction", raw)
        except JsonRpcError as error:
            said = str(error.message).lower()
            there = any(words in said for words in _THERE_ALREADY)
            if there or (sent is not None and "nonce too low" in said):
                return attempt  # or another one of this nonce is in a block, which following finds
            self._outbox.keep(call.sender, before)
            higher = self._fees.next(0, fee, tip)
            if sent is None or "underpriced" not in said or higher is None:
                raise
            return self._offer(call, sent, nonce, gas, *higher)  # this node demands more than most
        return attempt

    def _send_again(self, sent: Sent) -> None:
        """A node may have forgotten it, or never got it."""
        try:
            self._request("eth_sendRawTransaction", sent.raw)
        except JsonRpcError:
            return  # it has it, or one of the same nonce: the receipt decides

    def _follow(self, call: Call) -> Any:
        """The receipt, once there is one."""
        end = time.monotonic() + self._mined_within
        pause = 0.01
        while True:
            sent = self._outbox.last(call.sender)
            assert sent is not None
            found = self._mined(sent)
            if found is not None:
                return self._tell(call, sent, *found)
            last = sent.last
            if self._clock() - last.sent_at >= self._fees.patience:
                last = self._raise_fee(call, sent)
            if time.monotonic() >= end:
                capped = self._fees.next(0, last.max_fee, last.tip) is None
                raise NotMined(last.hash, self._mined_within, last.max_fee, capped=capped)
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _mined(self, sent: Sent) -> tuple[Attempt, Any] | None:
        """Whichever of its transactions is in a block, and the receipt."""
        for attempt in reversed(sent.attempts):
            receipt = self._request("eth_getTransactionReceipt", attempt.hash)
            if receipt is not None:
                return attempt, receipt
        return None

    def _tell(self, call: Call, sent: Sent, attempt: Attempt, receipt: Any) -> Any:
        self._outbox.keep(call.sender, replace(sent, told=True))
        self._senders.paid(call.sender, int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16))
        if attempt.call != call.digest:
            raise Superseded(attempt.hash)
        return receipt

    def _gas(self, call: Call, block: str, limit: int) -> int:
        """A quarter more than the node says that it takes: a chain wants all of it paid in advance."""
        try:
            needed = self._number("eth_estimateGas", call.fields, block)
        except JsonRpcError as error:
            if error.code != _NO_SUCH_METHOD:
                raise
            return limit
        if needed > limit:
            raise TooMuchGas(needed, limit)
        return min(needed + needed // 4, limit)

    def _latest_block(self) -> Any:
        return self._request("eth_getBlockByNumber", "latest", False)

    def _count(self, sender: int, block: str) -> int:
        return self._number("eth_getTransactionCount", address_text(sender), block)

    def _number(self, method: str, *params: Any) -> int:
        return int(self._request(method, *params), 16)


def gas_limit_of(block: Any) -> int:
    """What one transaction may take: all of a block like this one, unless rules set less."""
    return min(int(block.get("gasLimit", hex(GAS_LIMIT)), 16), GAS_LIMIT)


def _base_fee(block: Any) -> int:
    return int(block.get("baseFeePerGas", "0x0"), 16)


_NO_SUCH_METHOD = -32601

_THERE_ALREADY = ("already known", "already imported", "already exists", "known transaction")
"""What nodes say of a transaction that they have."""

_LEAST_GAS = 21_000
"""Of any transaction."""
