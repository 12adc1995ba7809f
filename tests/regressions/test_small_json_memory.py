"""A key or proof of a kilobyte was read into 64 MiB, the most that such a file may have."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from zkrollup.groth16.keys import VerifyingKey

KEY = Path(__file__).parents[1] / "vectors" / "groth16_files" / "verification_key.json"


def test_verification_key__of_a_few_kilobytes_takes_no_64_megabytes() -> None:
    VerifyingKey.load(KEY)
    tracemalloc.start()
    try:
        VerifyingKey.load(KEY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
