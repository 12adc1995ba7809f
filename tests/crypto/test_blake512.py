"""BLAKE-512 against the npm package that circomlibjs uses, at every padding edge."""

from __future__ import annotations

from zkrollup.crypto.blake512 import blake512


def test_blake512__equals_blake_hash_at_all_padding_edges(vectors):
    cases = vectors("blake512/lengths")
    assert {len(case["data"]) // 2 for case in cases} >= {0, 111, 112, 127, 128, 239, 240}
    for case in cases:
        assert blake512(bytes.fromhex(case["data"])).hex() == case["digest"]


def test_blake512__gives_the_proposals_own_example():
    # SHA-3 proposal BLAKE, version 1.3, section 2.2.6: one zero byte
    assert (
        blake512(b"\0").hex().startswith("97961587f6d970faba6d2478045de6d1fabd09b61ae50932054d52bc29d31be4")
    )
