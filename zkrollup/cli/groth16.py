"""``prove`` and ``verify`` on the files of circom and snarkjs. It must not know a circuit or a format."""

from __future__ import annotations

import mmap
import re
import sys
import time
from pathlib import Path

import numpy as np

from zkrollup.cli import StatementFalse
from zkrollup.cli.files import require_outputs, write_text
from zkrollup.cli.show import say
from zkrollup.engine import get_engine
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.keys import Proof, VerifyingKey, load_public_inputs, public_inputs_to_json
from zkrollup.groth16.prove import MemoryBoundError, memory_need, prove_unchecked, release
from zkrollup.verifier import verify

__all__ = ["prove_files", "verify_files"]


def prove_files(
    circuit: Path,
    witness: Path,
    proof: Path,
    public: Path,
    *,
    threads: int | None,
    memory: str | None = None,
) -> None:
    """Makes a proof, verifies it, and only then writes it and the public inputs.

    ``memory`` bounds what the process takes, as :func:`size_of` reads it; what proving needs is said before
    it starts.

    Raises StatementFalse when the proof does not verify, ValueError or OSError for bad input, points off
    their curves among it: these are looked for when a proof does not verify, since that takes long.
    """
    require_outputs([proof, public], [circuit, witness])
    bound = None if memory is None else size_of(memory)
    start = time.perf_counter()
    engine = get_engine(threads=threads)
    key = Zkey.load(circuit, engine)
    values = WtnsFile.read_montgomery(witness, engine)
    wires = key.layout.num_columns
    if len(values) != wires:
        raise ValueError(f"{witness}: {len(values)} values, but {circuit} is for a circuit of {wires} wires")
    loaded = time.perf_counter()
    release(key)  # what loading looked at
    taken = resident_bytes()
    most = max(peak_bytes(), taken + memory_need(key, key.layout, engine.threads))
    say(f"{circuit}: {key.layout.num_rows} constraints, proved in up to {mebibytes(most)} of memory")
    if bound is not None and bound < peak_bytes():
        least = max(peak_bytes(), taken + memory_need(key, key.layout, engine.threads, least=True))
        raise ValueError(f"--memory {memory}: proving {circuit} takes at least {mebibytes(least)}")
    try:
        made = prove_unchecked(
            key, key.layout, values, engine, memory=None if bound is None else max(0, bound - taken)
        )
    except MemoryBoundError as error:
        raise ValueError(
            f"--memory {memory}: proving {circuit} takes at least "
            f"{mebibytes(max(peak_bytes(), taken + error.least))}"
        ) from error
    public_values = engine.fr_from_mont(values[1 : key.num_public + 1])
    holds = engine.groth16_verify(
        key.verifying_key.to_montgomery_bytes(),
        np.frombuffer(made.to_montgomery_bytes(), dtype="<u8").astype(np.uint64).reshape(1, 32),
        public_values.reshape(1, -1, 4),
    )
    if not holds[0]:
        key.check_points(engine)  # a damaged key is another matter than a wrong witness
        raise StatementFalse(
            f"{witness}: does not satisfy the circuit of {circuit}: the proof made from it does not hold, "
            "and nothing was written"
        )
    done = time.perf_counter()
    write_text(proof, made.to_json())
    write_text(public, public_inputs_to_json(ints_from_limbs(public_values)))
    say(
        f"{proof}: proof of {key.layout.num_rows} constraints, verified; files read in "
        f"{loaded - start:.2f} s, proved in {done - loaded:.2f} s"
    )


def size_of(text: str) -> int:
    """Bytes from ``700M`` or ``2G`` (powers of 1024) or a plain number of bytes; ValueError for others."""
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)([KMGT]?)(?:i?B)?", text, re.IGNORECASE)
    if found is None:
        raise ValueError(f"--memory {text}: expected a size such as 700M or 2G")
    return int(float(found[1]) * 1024 ** "_KMGT".index(found[2].upper() or "_"))


def mebibytes(size: int) -> str:
    """A size for people, in the form that ``--memory`` takes, rounded up."""
    return f"{-(-size >> 20)}M"


def peak_bytes() -> int:
    """The most memory that this process has held so far; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """Memory that this process holds now, or held at most where the system says no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return peak_bytes()
    return pages * mmap.PAGESIZE


def verify_files(key: Path, public: Path, proof: Path) -> None:
    """Says that the proof holds; raises StatementFalse when it does not, ValueError for bad input."""
    vk = VerifyingKey.load(key)
    inputs = load_public_inputs(public)
    if len(inputs) != vk.num_public:
        raise ValueError(f"{public}: {len(inputs)} public inputs; {key} expects {vk.num_public}")
    if not verify(vk, inputs, Proof.load(proof)):
        raise StatementFalse(f"{proof}: the proof does not hold for {public} under {key}")
    say(f"{proof}: the proof holds")
