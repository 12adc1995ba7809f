"""Writes ecdsa/signatures.json: signatures over secp256k1 by eth_keys, and what must be refused beside them.

Usage: python tests/vectors/generate_ecdsa.py (needs ``pip install eth-keys``, which the extra l1 brings).
Keys and messages are hashes of counters; eth_keys takes its nonces from RFC 6979, so that the file is the
same each time. Whether a case is valid is what eth_keys says where it takes the numbers at all.
"""

from __future__ import annotations

import json
from pathlib import Path

from eth_keys import keys
from eth_keys.backends.native.ecdsa import ecdsa_raw_verify
from eth_utils import keccak

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FILE = Path(__file__).parent / "ecdsa" / "signatures.json"


def said(digest: bytes, r: int, s: int, key: keys.PublicKey) -> bool:
    return 0 < r < N and 0 < s < N and ecdsa_raw_verify(digest, (r, s), key.to_bytes())


def main() -> None:
    cases = []
    for i in range(3):
        private = keys.PrivateKey(keccak(b"key" + bytes([i])))
        digest = [keccak(b"message" + bytes([i])), b"\xff" * 32, bytes(32)][i]
        signature, key = private.sign_msg_hash(digest), private.public_key
        r, s = signature.r, signature.s
        x, y = (int.from_bytes(key.to_bytes()[at : at + 32], "big") for at in (0, 32))
        numbers = {
            "signed": (digest, r, s),
            "s is high": (digest, r, N - s),
            "another message": (keccak(b"other"), r, s),
            "r is 0": (digest, 0, s),
            "s is 0": (digest, r, 0),
            "r is n": (digest, N, s),
            "s is n": (digest, r, N),
            "r is n + 1": (digest, N + 1, s),
            "s is n + 1": (digest, r, N + 1),
            "r and s exchanged": (digest, s, r),
        }
        for name, (told, a, b) in numbers.items():
            cases.append(
                {
                    "name": name,
                    "digest": hex(int.from_bytes(told, "big")),
                    "r": hex(a),
                    "s": hex(b),
                    "key": [hex(x), hex(y)],
                    "address": key.to_address(),
                    "valid": said(told, a, b, key),
                }
            )
    FILE.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
