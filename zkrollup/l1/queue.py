"""A request of the queue: its form on L1, the hash that stands for it, and its deadline.

This module must not know how the queue moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.crypto.keccak import keccak256
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import Deposit, ForcedExit, Request

__all__ = ["QueuedRequest", "hash_request", "request_hash"]


@dataclass(frozen=True, slots=True)
class QueuedRequest:
    """A request with its place in the queue, and the last block in which it is not yet due."""

    number: int
    deadline: int
    request: Request

    @property
    def hash(self) -> bytes:
        """What the contract stores of it."""
        return hash_request(self.request)


def hash_request(request: Request) -> bytes:
    """The hash of a deposit or a forced exit."""
    if isinstance(request, Deposit):
        return request_hash(
            Kind.DEPOSIT, request.token, request.amount, request.ax, request.ay, request.eth_address
        )
    assert isinstance(request, ForcedExit)
    return request_hash(Kind.FORCED_EXIT, request.account, 0, 0, 0, request.eth_address)


def request_hash(kind: int, target: int, amount: int, ax: int, ay: int, owner: int) -> bytes:
    """``keccak256(abi.encodePacked(uint8, uint32, uint128, uint256, uint256, address))``: 105 bytes."""
    return keccak256(
        kind.to_bytes(1, "big")
        + target.to_bytes(4, "big")
        + amount.to_bytes(16, "big")
        + ax.to_bytes(32, "big")
        + ay.to_bytes(32, "big")
        + owner.to_bytes(20, "big")
    )
