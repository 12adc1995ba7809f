"""Keccak-256 against published digests."""

from __future__ import annotations

from zkrollup.crypto.keccak import keccak256


def test_keccak256__is_ethereums_and_not_sha3():
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    # ERC-20: the topic of Transfer(address,address,uint256)
    topic = keccak256(b"Transfer(address,address,uint256)").hex()
    assert topic == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
