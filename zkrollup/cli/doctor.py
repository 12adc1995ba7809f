"""What this installation will run on: CPU, instruction set, threads, engine, versions."""

from __future__ import annotations

import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import zkrollup
from zkrollup.bench.machine import cores, processor_name
from zkrollup.engine import available_cpu_paths, get_engine
from zkrollup.groth16.setup import cache_directory

__all__ = ["examine"]

LIBRARIES = ("numpy", "numba", "cffi", "rich", "typer", "pycryptodome")


def examine() -> dict[str, Any]:
    """Facts and one self-test: known products, and how long 2^18 of them take."""
    from zkrollup.crypto.tables import MODULUS
    from zkrollup.engine.convert import fr_from_ints, ints_from_limbs

    engine = get_engine()
    a = engine.fr_to_mont(fr_from_ints([MODULUS - 1, 3, 1 << 200]))
    product = ints_from_limbs(engine.fr_from_mont(engine.fr_mul(a, a)))
    expected = [x * x % MODULUS for x in (MODULUS - 1, 3, 1 << 200)]
    many = engine.fr_to_mont(fr_from_ints(list(range(1 << 18))))
    engine.fr_mul(many, many)
    start = time.perf_counter()
    engine.fr_mul(many, many)
    seconds = time.perf_counter() - start
    libraries = {}
    for name in LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            libraries[name] = "missing"
    return {
        "zkrollup": zkrollup.__version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": cores(),
        "engine": engine.name,
        "cpu": engine.cpu,
        "threads": engine.threads,
        "native_paths": available_cpu_paths(),
        "arithmetic_correct": product == expected,
        "ns_per_product": round(seconds / (1 << 18) * 1e9, 2),
        "key_cache": str(cache_directory()),
        "libraries": libraries,
    }
