"""``setup``, ``contribute``, ``check-key``: keys for circuits. It must not know how a key is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zkrollup.formats.contributions import Beacon

__all__ = ["check_key", "contribute", "setup"]

Tell = Callable[[str, int, int], None]

Circuit = Annotated[Path, typer.Argument(metavar="CIRCUIT.r1cs", help="circom's constraints, BN254.")]
Powers = Annotated[Path, typer.Argument(metavar="POT.ptau", help="Powers of tau, as snarkjs writes them.")]
Name = Annotated[str, typer.Option(help="Who contributes, for the file's record; 64 letters at most.")]
BeaconValue = Annotated[
    str | None,
    typer.Option(
        "--beacon",
        metavar="HEX",
        help="End the ceremony with a public value nobody could choose, instead of a secret.",
    ),
]
Iterations = Annotated[
    int, typer.Option(help="With --beacon: it is hashed 2^ITERATIONS times.", min=10, max=32)
]
Threads = Annotated[int | None, typer.Option(help="Threads (default: every core).", min=1, max=1024)]


def setup(
    circuit: Circuit,
    key: Annotated[Path, typer.Argument(metavar="OUT.zkey", help="Where the key goes.")],
    ptau: Annotated[
        Path | None,
        typer.Option(
            "--ptau", metavar="POT.ptau", help="Make the key of a ceremony from these powers of tau."
        ),
    ] = None,
    one_party: Annotated[
        bool,
        typer.Option("--one-party", help="Make a key alone. INSECURE: for tests and demonstrations only."),
    ] = False,
    threads: Threads = None,
) -> None:
    """Make a circuit's proving key: from powers of tau (then contribute to it), or alone, for tests."""
    if (ptau is None) != one_party:
        raise ValueError(
            "setup: give either --ptau POT.ptau, for a ceremony's key, or --one-party, for an INSECURE one"
        )
    from zkrollup.cli.show import say
    from zkrollup.engine import get_engine
    from zkrollup.formats.r1cs import R1csFile
    from zkrollup.formats.zkey_write import write_zkey

    require_folder(key)
    engine = get_engine(threads=threads)
    layout = R1csFile.read(circuit).layout()
    if ptau is None:
        with told("one-party setup", 6) as tell:
            write_zkey(key, layout, engine.groth16_setup(layout, tell), engine)
        warn(
            f"INSECURE: {key} was made by one party; whoever ran this could have kept the secrets and forge "
            "proofs. For tests only."
        )
        say(f"{key}: one-party key for {layout.num_rows} constraints, marked INSECURE")
        return
    from zkrollup.formats.ptau import Ptau
    from zkrollup.groth16.ceremony import circuit_hash, setup_from_ptau

    powers = Ptau.load(ptau)
    with told("setup", 5 if powers.prepared else 6) as tell:
        result = setup_from_ptau(layout, powers, engine, tell)
        digest = circuit_hash(result, powers, engine)
        write_zkey(key, layout, result, engine, circuit_hash=digest)
    say(f"{key}: initial key for {layout.num_rows} constraints; circuit hash {digest.hex()}")
    say("nobody can prove with it before somebody contributes: zkrollup contribute")


def contribute(
    before: Annotated[Path, typer.Argument(metavar="IN.zkey", help="The key so far.")],
    after: Annotated[Path, typer.Argument(metavar="OUT.zkey", help="Where the new key goes.")],
    name: Name = "",
    beacon: BeaconValue = None,
    iterations: Iterations = 10,
    threads: Threads = None,
) -> None:
    """Contribute a secret to a key, which is forgotten at once, or end its ceremony with a beacon."""
    from zkrollup.cli.show import say
    from zkrollup.engine import get_engine
    from zkrollup.groth16 import ceremony

    require_folder(after)
    engine = get_engine(threads=threads)
    with told("contribution", 2) as tell:
        if beacon is None:
            digest = ceremony.contribute(before, after, name, engine, tell)
        else:
            public = beacon_of(beacon, iterations)
            digest = ceremony.contribute_beacon(before, after, name, public, engine, tell)
    say(f"{after}: contribution hash {digest.hex()}")


def check_key(
    circuit: Circuit,
    ptau: Powers,
    key: Annotated[Path, typer.Argument(metavar="KEY.zkey", help="The key to check.")],
    threads: Threads = None,
) -> None:
    """Check that a key belongs to the circuit and the powers of tau, and every contribution to it."""
    from zkrollup.cli import StatementFalse
    from zkrollup.cli.show import say
    from zkrollup.engine import get_engine
    from zkrollup.formats.ptau import Ptau
    from zkrollup.formats.r1cs import R1csFile
    from zkrollup.groth16.ceremony import InvalidKey, verify_key

    engine = get_engine(threads=threads)
    layout, powers = R1csFile.read(circuit).layout(), Ptau.load(ptau)
    try:
        with told("check", 7 if powers.prepared else 8) as tell:
            found = verify_key(layout, powers, key, engine, tell)
    except InvalidKey as error:
        raise StatementFalse(str(error)) from None
    for number, (one, digest) in enumerate(found.contributions, 1):
        kind = "contribution" if one.beacon is None else "beacon"
        say(f"{kind} {number} {one.name!r}: {digest.hex()}")
    if not found.contributions:
        raise StatementFalse(
            f"{key}: made from {circuit} and {ptau}, but nobody contributed to it: anybody could forge proofs"
        )
    say(f"{key}: made from {circuit} and {ptau}; circuit hash {found.circuit_hash.hex()}")


def require_folder(path: Path) -> None:
    """FileNotFoundError when the folder of a file to be written is missing: said before the work."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")


def beacon_of(value: str, iterations: int) -> Beacon:
    """The beacon for a value in hex; ValueError saying what is wrong."""
    from zkrollup.formats.contributions import Beacon

    try:
        data = bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise ValueError(f"--beacon: expected an even number of hex digits, got {value!r}") from None
    if not 1 <= len(data) <= 255:
        raise ValueError(f"--beacon: {len(data)} bytes, expected 1 to 255")
    return Beacon(data, iterations)


def warn(text: str) -> None:
    """One line on standard error."""
    import sys

    print(f"zkrollup: {text}", file=sys.stderr)


@contextmanager
def told(title: str, phases: int) -> Iterator[Tell]:
    """A bar on standard error for what reports (phase, done, total)."""
    import sys

    from zkrollup.cli.show import progress_steps

    with progress_steps(title, phases, quiet=not sys.stderr.isatty()) as step:
        yield lambda phase, done, total: step(phase, done / total if total else 1.0)
