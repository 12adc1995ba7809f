"""``setup``, ``contribute``, ``check-key``, ``ptau``: ceremonies. It must not know how a key is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zkrollup.cli.files import require_outputs

if TYPE_CHECKING:
    from zkrollup.formats.contributions import Beacon

__all__ = ["check_key", "contribute", "ptau_commands", "setup"]

Tell = Callable[[str, int, int], None]

ptau_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make, contribute to, prepare and check powers of tau, as snarkjs's powersoftau does.",
)

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

    require_outputs([key], [circuit, ptau])
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

    require_outputs([after], [before])
    name = name_of(name)
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
    """Check that a key belongs to the circuit and the powers of tau, and every contribution to it.

    The powers themselves are for `zkrollup ptau verify`.
    """
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


@ptau_commands.command("new")
def new_powers(
    power: Annotated[
        int, typer.Argument(metavar="POWER", help="For circuits of up to 2^POWER rows.", min=1, max=28)
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.ptau", help="Where the powers go.")],
) -> None:
    """Begin: powers of tau = 1, to be contributed to."""
    from zkrollup.cli.show import say
    from zkrollup.groth16.powers import new_ptau

    require_outputs([out])
    say(f"{out}: first challenge {new_ptau(out, power).hex()}")


@ptau_commands.command("contribute")
def contribute_powers(
    before: Annotated[Path, typer.Argument(metavar="IN.ptau", help="The powers so far.")],
    after: Annotated[Path, typer.Argument(metavar="OUT.ptau", help="Where the new powers go.")],
    name: Name = "",
    beacon: BeaconValue = None,
    iterations: Iterations = 10,
    threads: Threads = None,
) -> None:
    """Contribute secrets to powers of tau, which are forgotten at once, or end with a beacon."""
    from zkrollup.cli.show import say
    from zkrollup.engine import get_engine
    from zkrollup.formats.ptau import Ptau
    from zkrollup.groth16 import powers

    require_outputs([after], [before])
    name = name_of(name)
    engine, given = get_engine(threads=threads), Ptau.load(before)
    with told("contribution", 5) as tell:
        if beacon is None:
            digest = powers.contribute_ptau(given, after, name, engine, tell)
        else:
            public = beacon_of(beacon, iterations)
            digest = powers.contribute_ptau_beacon(given, after, name, public, engine, tell)
    say(f"{after}: contribution hash {digest.hex()}")


@ptau_commands.command("prepare")
def prepare_powers(
    before: Annotated[Path, typer.Argument(metavar="IN.ptau", help="The powers.")],
    after: Annotated[Path, typer.Argument(metavar="OUT.ptau", help="Where the prepared powers go.")],
    threads: Threads = None,
) -> None:
    """Add what setups of circuits read, so that each is faster."""
    from zkrollup.cli.show import say
    from zkrollup.engine import get_engine
    from zkrollup.formats.ptau import Ptau
    from zkrollup.groth16.powers import prepare_ptau

    require_outputs([after], [before])
    engine, given = get_engine(threads=threads), Ptau.load(before)
    with told("preparation", 4) as tell:
        prepare_ptau(given, after, engine, tell)
    say(f"{after}: prepared for circuits of up to 2^{given.power} rows")


@ptau_commands.command("verify")
def verify_powers(ptau: Powers, threads: Threads = None) -> None:
    """Check that a file holds the powers of one tau, and every contribution to it."""
    from zkrollup.cli import StatementFalse
    from zkrollup.cli.show import say
    from zkrollup.engine import get_engine
    from zkrollup.formats.ptau import Ptau
    from zkrollup.groth16.powers import InvalidPowers, verify_ptau

    engine, given = get_engine(threads=threads), Ptau.load(ptau)
    try:
        with told("check", 3) as tell:
            found = verify_ptau(given, engine, tell)
    except InvalidPowers as error:
        raise StatementFalse(str(error)) from None
    for number, (one, digest) in enumerate(found.contributions, 1):
        say(f"{'contribution' if one.beacon is None else 'beacon'} {number} {one.name!r}: {digest.hex()}")
    state = "prepared" if found.prepared else "not prepared"
    say(f"{ptau}: powers of one tau for circuits of up to 2^{given.power} rows, {state}")


def name_of(name: str) -> str:
    """A contributor's name; ValueError when the file's record would cut it."""
    units = len(name.encode("utf-16-le", "surrogatepass")) // 2
    if units > 64:
        raise ValueError(f"--name: {units} letters, expected at most 64")
    return name


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
