"""One-party setup, and the cache that keeps a circuit's key under the circuit's digest.

The module must not know any circuit, nor see toxic waste: an engine draws, uses and wipes it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import U64, Engine, SetupResult

from .keys import VerifyingKey
from .proving_key import KeyFileError, ProvingKey, WrongCircuitError

if TYPE_CHECKING:
    from zkrollup.cs import R1CS

Progress = Callable[[str, int, int], None]

__all__ = ["cache_directory", "cached_key", "g1_ints", "g2_ints", "key_path", "unsafe_setup"]


def g1_ints(engine: Engine, point: U64) -> tuple[int, int]:
    """An affine Montgomery G1 point as canonical integers."""
    x, y = ints_from_limbs(engine.fq_from_mont(point.reshape(2, 4)))
    return x, y


def g2_ints(engine: Engine, point: U64) -> tuple[tuple[int, int], tuple[int, int]]:
    """An affine Montgomery G2 point as canonical integers, each coordinate (c0, c1)."""
    x0, x1, y0, y1 = ints_from_limbs(engine.fq_from_mont(point.reshape(4, 4)))
    return (x0, x1), (y0, y1)


def unsafe_setup(r1cs: R1CS, engine: Engine, progress: Progress | None = None) -> ProvingKey:
    """Makes a key alone. INSECURE: whoever runs this could have kept the toxic waste and forge proofs.

    Good for demonstrations, tests and benchmarks; the key and its verifying key are marked so.
    ``progress`` is called with phase, points done and points in all.
    Reference: Groth, On the Size of Pairing-based Non-interactive Arguments, 2016, section 3.2.
    """
    layout = r1cs.layout
    result = engine.groth16_setup(layout, progress)
    vk = verifying_key(result, engine, r1cs.digest)
    return ProvingKey.from_setup(
        result,
        vk,
        num_columns=layout.num_columns,
        num_public=layout.num_public,
        num_rows=layout.num_rows,
    )


def verifying_key(result: SetupResult, engine: Engine, digest: str) -> VerifyingKey:
    """The part of a setup that a verifier needs, checked point by point."""
    return VerifyingKey(
        alpha1=g1_ints(engine, result.alpha1),
        beta2=g2_ints(engine, result.beta2),
        gamma2=g2_ints(engine, result.gamma2),
        delta2=g2_ints(engine, result.delta2),
        ic=tuple(g1_ints(engine, point) for point in result.ic),
        circuit_digest=digest,
        insecure=True,
    )


def cache_directory() -> Path:
    """Where keys are kept: ``$ZKROLLUP_CACHE``, else ``zkrollup`` in the user's cache directory."""
    chosen = os.environ.get("ZKROLLUP_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zkrollup"


def key_path(digest: str, directory: Path | None = None) -> Path:
    """The cache's file for the circuit with that digest."""
    return (directory or cache_directory()) / f"{digest}.zkrpk"


@contextmanager
def _about_the_cache(path: Path) -> Iterator[None]:
    """Errors of the system name this file, and say how another folder is chosen."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror}; ZKROLLUP_CACHE names another folder for keys"
        raise OSError(error.errno, reason, str(path)) from error


def cached_key(
    r1cs: R1CS, engine: Engine, directory: Path | None = None, progress: Progress | None = None
) -> tuple[ProvingKey, bool]:
    """The circuit's key, and whether it came from the cache; made with :func:`unsafe_setup` if not.

    A damaged file in the cache, or a key of another circuit, is reported with a warning, kept beside under
    the suffix ``.damaged``, and replaced.
    """
    path = key_path(r1cs.digest, directory)
    with _about_the_cache(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)  # before a setup whose key could not be kept
    try:
        key = ProvingKey.load(path)
        key.require_circuit(r1cs.digest)
        key.require_layout(r1cs.layout)
        return key, True
    except FileNotFoundError:
        damage: ValueError | None = None
    except (KeyFileError, WrongCircuitError) as error:
        damage = error
    if damage is not None:
        warnings.warn(f"{damage}; making a new key", stacklevel=2)
        os.replace(path, path.with_suffix(".damaged"))
    key = unsafe_setup(r1cs, engine, progress)
    with _about_the_cache(path):
        key.save(path)
    return ProvingKey.load(path), False
