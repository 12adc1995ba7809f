"""What the contract keeps of a batch, and of a request: structs of which it stores the hash.

This module must not know how a batch is read or accepted.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.solidity import Bytes32, UInt64, UInt256, abi_encode

__all__ = ["ZERO_HASH", "BatchHeader", "genesis_header"]

ZERO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """The Solidity struct of the same name, its fields in order; whoever calls hands it over again.

    ``root_before`` to ``fingerprint`` are what the proof says. ``skeleton`` is the keccak of the data with
    the 32 bytes of ``root_after`` zeroed: two headers with one skeleton and two roots contradict each
    other. ``withdrawals`` is the keccak of (address 20 bytes, token 4, amount 16) of each payment.
    ``next_index`` and ``requests_consumed`` are totals after the batch.
    """

    number: UInt64
    root_before: UInt256
    root_after: UInt256
    next_index: UInt64
    requests_consumed: UInt64
    commitment: UInt256
    challenge: UInt256
    fingerprint: UInt256
    skeleton: Bytes32
    withdrawals: Bytes32
    requests_before: UInt64

    @property
    def hash(self) -> bytes:
        """``keccak256(abi.encode(header))``; raises :class:`OutOfRange`."""
        return keccak256(abi_encode(self))


def genesis_header(root: int, next_index: int) -> BatchHeader:
    """Batch 0, which everything starts from: the root, the next free index, and zeros."""
    return BatchHeader(0, 0, root, next_index, 0, 0, 0, 0, ZERO_HASH, ZERO_HASH, 0)
