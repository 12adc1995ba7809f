"""A program that damages one file again and again and reads what comes of it, under a memory limit (V10).

    python fuzz_files.py FORMAT GOOD_FILE WORK_FOLDER COUNT SEED

Prints one JSON object: how many were read and refused. Ends with an error on the first that gives anything
else than a key, a proof, ... or one line that names the file; a crash is a signal, and an allocation out of
proportion a MemoryError, since the address space is limited to what the program has and ``ROOM`` more.

First comes all systematic damage: every length or count replaced by absurd numbers, and truncations (with
COUNT >= 10,000 at every length). Then COUNT times random damage that knows the structure: sections and their
lengths, counts, elements near r and q, runs of JSON.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import resource
import sys
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path

from zkrollup.bn254 import FQ_MODULUS, FR_MODULUS
from zkrollup.bn254.encoding import MalformedInput, check_g2
from zkrollup.engine import get_engine
from zkrollup.formats.binfile import FormatError
from zkrollup.formats.ptau import Ptau
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16 import keys
from zkrollup.groth16.keys import Proof, VerifyingKey, load_public_inputs
from zkrollup.groth16.proving_key import KeyFileError, ProvingKey

ROOM = 64 << 20  # bytes of address space that reading files of a few KB may take
ENGINE = get_engine(threads=1)
TURN = count()
ABSURD = (0, 1, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)
BINARY = ("r1cs", "wtns", "zkey", "ptau")


def load_zkey(path: Path) -> None:
    """The curve checks of the single points take longer than all others, so they are made now and then."""
    Zkey.load(path, ENGINE, uncontributed=path.stat().st_size % 16 != 0)


def load_key(path: Path) -> None:
    """Likewise: subgroups are looked at in one file of sixteen."""
    keys.check_g2 = check_g2 if next(TURN) % 16 == 0 else lambda point, what: None
    ProvingKey.load(path)


def load_witness(path: Path) -> None:
    """Both readers must say the same."""
    told = []
    for read in (lambda: WtnsFile.read(path).values, lambda: WtnsFile.read_montgomery(path, ENGINE)):
        try:
            told.append(f"{len(read())} values")
        except FormatError as error:
            told.append(str(error))
    assert told[0] == told[1], told
    if not told[0].endswith(" values"):
        raise ValueError(told[0])


def load_constraints(path: Path) -> None:
    """Both readers must say the same."""
    told = []
    for engine in (None, ENGINE):
        try:
            told.append(str(R1csFile.read(path, engine).layout().num_rows))
        except FormatError as error:
            told.append(str(error))
    assert told[0] == told[1], told
    if not told[0].isdigit():
        raise ValueError(told[0])


READERS: dict[str, Callable[[Path], object]] = {
    "r1cs": load_constraints,
    "wtns": load_witness,
    "sym": SymFile.read,
    "zkey": load_zkey,
    "ptau": Ptau.load,
    "key": load_key,
    "proof": Proof.load,
    "public": load_public_inputs,
    "vkey": VerifyingKey.load,
    "greedy": lambda path: bytes(2 * ROOM),  # shows that the limit is one
}
REFUSALS = (FormatError, MalformedInput, KeyFileError, ValueError)


# -- damage ----------------------------------------------------------------------------------------


def sections(data: bytes) -> list[tuple[int, int]]:
    """Offset and length of the contents of every section of a good file."""
    found, at = [], 12
    for _ in range(int.from_bytes(data[8:12], "little")):
        length = int.from_bytes(data[at + 4 : at + 12], "little")
        found.append((at + 12, length))
        at += 12 + length
    return found


def fields(kind: str, data: bytes) -> list[tuple[int, int]]:
    """Offset and width of lengths and counts, and of what may be one: the first words of each section."""
    if kind == "key":
        return [(8, 8)]
    if kind not in BINARY:
        return []
    found = [(4, 4), (8, 4)]
    for at, length in sections(data):
        found += [(at - 12, 4), (at - 8, 8)]
        found += [(at + i, 4) for i in range(0, min(length, 92) // 4 * 4, 4)]
        found += [(at + i, 8) for i in range(0, min(length, 92) // 8 * 8, 4)]
    return found


def with_number(data: bytes, at: int, width: int, value: int) -> bytes:
    return data[:at] + (value % (1 << 8 * width)).to_bytes(width, "little") + data[at + width :]


def systematic(kind: str, data: bytes, step: int) -> Iterator[bytes]:
    """Every absurd number in every field; truncations around the fields, and at every ``step`` bytes."""
    for at, width in fields(kind, data):
        for value in ABSURD:
            if value < 1 << 8 * width:
                yield with_number(data, at, width, value)
    edges = {at + shift for at, _ in fields(kind, data) for shift in (0, 1)}
    for length in sorted(edges | set(range(0, len(data), step))):
        yield data[:length]


def signed_header(data: bytes) -> bytes:
    """A key file whose header's checksum holds again."""
    length = int.from_bytes(data[8:16], "little")
    return data[:16] + hashlib.sha256(data[48 : 48 + length]).digest() + data[48:]


def damaged_numbers(kind: str, data: bytes, draw: random.Random) -> bytes:
    at, width = draw.choice(fields(kind, data))
    old = int.from_bytes(data[at : at + width], "little")
    return with_number(
        data, at, width, draw.choice([*ABSURD, old + 1, old - 1, old * 2, draw.getrandbits(8)])
    )


def damaged_bytes(kind: str, data: bytes, draw: random.Random) -> bytes:
    new = bytearray(data)
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(new))
        new[at] = draw.choice([0, 1, 127, 128, 255, draw.randrange(256), new[at] ^ 1 << draw.randrange(8)])
    return bytes(new)


def damaged_element(kind: str, data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(max(1, len(data) - 32))
    if kind in BINARY and draw.randrange(4):
        begin, length = draw.choice(sections(data))
        at = begin + draw.randrange(0, max(1, length - 31), 4)
    value = draw.choice([0, 1, FR_MODULUS - 1, FR_MODULUS, FQ_MODULUS - 1, FQ_MODULUS, (1 << 256) - 1])
    return data[:at] + value.to_bytes(32, "little") + data[at + 32 :]


def damaged_section(kind: str, data: bytes, draw: random.Random) -> bytes:
    """A section that is longer, shorter, elsewhere, twice or not there, and a table that says so."""
    if kind not in BINARY:
        return spliced(kind, data, draw)
    pieces = [data[at - 12 : at + length] for at, length in sections(data)]
    which = draw.randrange(len(pieces))
    number, contents = pieces[which][:4], bytearray(pieces[which][12:])
    action = draw.randrange(5)
    if action == 0:
        del contents[draw.randrange(len(contents) + 1) :]
    elif action == 1:
        at = draw.randrange(len(contents) + 1)
        contents[at:at] = draw.randbytes(draw.choice([1, 4, 32, 36, 44, 64, 128]))
    elif action == 2:
        at = draw.randrange(len(contents) + 1)
        del contents[at : at + draw.choice([1, 4, 32, 36, 44, 64, 128])]
    elif action == 3:
        pieces.insert(draw.randrange(len(pieces)), pieces[draw.randrange(len(pieces))])
        return data[:8] + len(pieces).to_bytes(4, "little") + b"".join(pieces)
    else:
        del pieces[which]
        draw.shuffle(pieces)
        return data[:8] + len(pieces).to_bytes(4, "little") + b"".join(pieces)
    pieces[which] = number + len(contents).to_bytes(8, "little") + bytes(contents)
    return data[:12] + b"".join(pieces)


def spliced(kind: str, data: bytes, draw: random.Random) -> bytes:
    """A run of the file copied, moved or left out."""
    begin, at = draw.randrange(len(data)), draw.randrange(len(data))
    run = data[begin : begin + draw.randrange(1, 64)]
    return data[:at] + run + data[at + draw.choice([0, len(run)]) :]


def cut(kind: str, data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


WORDS = re.compile(rb"[0-9]+|[A-Za-z_0-9]+|[\[\]{},:\"]")
REPLACEMENTS = (
    b"0", b"1", b"-1", b"1e9", b"00", b"[", b"]", b"{", b"}", b'"', b",", b"null", b"true", b"[]", b"NaN",
    b"", b"\xff", b"[" * 5000, str(FQ_MODULUS).encode(), str(FR_MODULUS).encode(), str(1 << 31).encode(),
    str((1 << 32) - 1).encode(), str((1 << 64) - 1).encode(), b"9" * 5000, b'"bls12381"', b"\x00",
)  # fmt: skip


def damaged_text(kind: str, data: bytes, draw: random.Random) -> bytes:
    """A number, a word or a bracket replaced by something else; in a key file, of its header."""
    begin, end = (48, 48 + int.from_bytes(data[8:16], "little")) if kind == "key" else (0, len(data))
    text = data[begin:end]
    found = draw.choice(list(WORDS.finditer(text)))
    new = text[: found.start()] + draw.choice(REPLACEMENTS) + text[found.end() :]
    if kind != "key":
        return new
    new = new[: len(text)].ljust(len(text))
    return signed_header(data[:48] + new + data[end:])


def damages(kind: str) -> list[Callable[[str, bytes, random.Random], bytes]]:
    if kind in BINARY:
        return [
            damaged_numbers,
            damaged_bytes,
            damaged_element,
            damaged_section,
            damaged_section,
            spliced,
            cut,
        ]
    if kind == "key":
        return [damaged_numbers, damaged_bytes, damaged_element, damaged_text, damaged_text, spliced, cut]
    return [damaged_bytes, damaged_text, damaged_text, damaged_text, spliced, cut]


# -- reading ---------------------------------------------------------------------------------------


def limit_memory() -> None:
    """No more address space than there is now, and ``ROOM``."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def run(kind: str, good: Path, folder: Path, times: int, seed: int) -> dict[str, int]:
    data, draw, path = good.read_bytes(), random.Random(seed), folder / f"damaged.{kind}"
    read = READERS[kind]
    read(good)  # what it imports and keeps is there before the limit
    if sys.platform == "linux":
        limit_memory()
    result = {"read": 0, "refused": 0}
    choices = damages(kind)

    def at_random() -> bytes:
        new = draw.choice(choices)(kind, data, draw)
        for _ in range(draw.choice([0, 0, 0, 1, 2])):
            new = spliced(kind, new, draw) if new else new
        return new

    step = 1 if times >= 10_000 else max(1, len(data) // 200)
    for number, new in enumerate(chain(systematic(kind, data, step), (at_random() for _ in range(times)))):
        # a new file each time: whoever maps the old one keeps it
        path.unlink(missing_ok=True)
        path.write_bytes(new)
        try:
            read(path)
            result["read"] += 1
        except REFUSALS as error:
            text = str(error)
            if "\n" in text or not text.startswith(str(path)) or len(text) > 500:
                place = f"{kind}, damage {number} of seed {seed}"
                raise SystemExit(f"{place}: not one clear line: {text!r}") from error
            result["refused"] += 1
        except BaseException:
            print(f"{kind}, damage {number} of seed {seed}", file=sys.stderr)
            raise
    return result


if __name__ == "__main__":
    print(
        json.dumps(run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
    )
