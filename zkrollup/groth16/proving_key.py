"""The proving key as plain data, and its file: a header and page-aligned arrays, memory-mapped.

The module must not know how a key is made or used.

File layout (all integers little-endian)::

    0   8   magic b"zkrpk\\x00\\x01\\n"
    8   8   length of the JSON header in bytes
    16  32  SHA-256 of the JSON header
    48  ..  JSON header: circuit digest, sizes, ``insecure``, the verifying key, and for every array its
            name, dtype, shape and offset
    ..      arrays, each at a multiple of 4096 bytes: affine points in Montgomery form
            (zkrollup.engine.interface says which bytes), columns as uint32

The checksum tells damage, not malice: whoever supplies a file can write any header. So the header is
not followed but compared: where each array lies and what it is follows from the sizes alone
(:func:`sections`), and the points that a proof is blinded with are checked. The queries are not: wrong
ones make proofs that do not hold, which a verifier sees.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zkrollup.bn254.encoding import MalformedInput, check_g1
from zkrollup.bn254.fields import FQ_MODULUS
from zkrollup.engine.interface import U32, U64, Layout, SetupResult

from .keys import VerifyingKey, parse_object

__all__ = ["KeyFileError", "ProvingKey", "WrongCircuitError"]

MAGIC = b"zkrpk\x00\x01\n"
PAGE = 4096
MAX_HEADER_BYTES = 1 << 24
SINGLE_POINTS = {"alpha1": 8, "beta1": 8, "delta1": 8, "beta2": 16, "delta2": 16}
QUERIES = {"a": 8, "b1": 8, "b2": 16, "l": 8, "h": 8}
ARRAYS = (*SINGLE_POINTS, *QUERIES, "b_columns")
SIZES = ("num_columns", "num_public", "num_rows", "domain_size")
_MAX_SIZE = 1 << 32  # columns and rows have indices of 32 bits


class KeyFileError(ValueError):
    """A proving key file is damaged, truncated, or no proving key at all; says what and where."""


class WrongCircuitError(ValueError):
    """A key and a circuit do not belong together; carries both digests.

    ``difference`` says what else differs where the digests agree.
    """

    def __init__(self, key_digest: str, circuit_digest: str, difference: str = "") -> None:
        self.key_digest, self.circuit_digest = key_digest, circuit_digest
        super().__init__(
            f"key: made for circuit {key_digest[:16]}…, used with circuit {circuit_digest[:16]}…; "
            + (f"{difference}; " if difference else "")
            + "run setup for this circuit, or load the key that belongs to it"
        )


@dataclass(frozen=True, eq=False)
class ProvingKey:
    """Everything a Groth16 prover needs besides the R1CS: group elements, no secrets.

    Points are affine, Montgomery; queries as :class:`zkrollup.engine.interface.SetupResult` says.
    ``insecure`` is True for a key whose toxic waste one party could have kept.
    """

    circuit_digest: str
    num_columns: int
    num_public: int
    num_rows: int
    domain_size: int
    insecure: bool
    verifying_key: VerifyingKey
    alpha1: U64
    beta1: U64
    delta1: U64
    beta2: U64
    delta2: U64
    a: U64
    b_columns: U32
    b1: U64
    b2: U64
    l: U64  # noqa: E741
    h: U64

    @classmethod
    def from_setup(
        cls, result: SetupResult, vk: VerifyingKey, *, num_columns: int, num_public: int, num_rows: int
    ) -> ProvingKey:
        """Joins what an engine's setup returned with the verifying key made of it."""
        return cls(
            circuit_digest=vk.circuit_digest or "",
            num_columns=num_columns,
            num_public=num_public,
            num_rows=num_rows,
            domain_size=len(result.h),
            insecure=vk.insecure,
            verifying_key=vk,
            **{name: getattr(result, name) for name in ARRAYS},
        )

    def require_circuit(self, digest: str) -> None:
        """Raises WrongCircuitError unless this key was made for the circuit with that digest."""
        if digest != self.circuit_digest:
            raise WrongCircuitError(self.circuit_digest, digest)

    def require_layout(self, layout: Layout) -> None:
        """Raises WrongCircuitError unless the sizes are the circuit's: the digest is only the key's claim."""
        mine = tuple(getattr(self, name) for name in SIZES)
        wanted = tuple(getattr(layout, name) for name in SIZES)
        if mine != wanted:
            difference = f"{', '.join(SIZES)} are {mine} in the key and {wanted} in the circuit"
            raise WrongCircuitError(self.circuit_digest, self.circuit_digest, difference)
        self.check_shapes("key")

    @property
    def num_bytes(self) -> int:
        """Size of the arrays."""
        return sum(getattr(self, name).nbytes for name in ARRAYS)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the key: all of it or, when interrupted, nothing under that name."""
        path = Path(path)
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}
        placed, end = sections(
            self.num_columns, self.num_public, self.domain_size, num_b_columns=len(self.b_columns)
        )
        header = json.dumps(
            {
                "circuit_digest": self.circuit_digest,
                "num_columns": self.num_columns,
                "num_public": self.num_public,
                "num_rows": self.num_rows,
                "domain_size": self.domain_size,
                "setup": "INSECURE: one party made this key" if self.insecure else "ceremony",
                "insecure": self.insecure,
                "verifying_key": json.loads(self.verifying_key.to_json()),
                "sections": placed,
                "bytes": end,
            }
        ).encode()
        start = data_start(len(header))
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(MAGIC + len(header).to_bytes(8, "little") + hashlib.sha256(header).digest())
                file.write(header)
                for section in placed:
                    file.seek(start + section["offset"])
                    array = arrays[section["name"]]
                    if array.nbytes:
                        file.write(array.data.cast("B"))
                file.truncate(start + end)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ProvingKey:
        """Maps a key file. Raises KeyFileError when it is damaged, FileNotFoundError when absent."""
        path = Path(path)
        header, start = read_header(path)
        try:
            vk = VerifyingKey.from_json(json.dumps(header["verifying_key"]), source=str(path))
        except MalformedInput as error:
            raise KeyFileError(str(error)) from error
        arrays = {section["name"]: map_section(path, start, section) for section in header["sections"]}
        key = cls(
            circuit_digest=header["circuit_digest"],
            insecure=header["insecure"],
            verifying_key=vk,
            **{name: header[name] for name in SIZES},
            **arrays,
        )
        key.check_shapes(str(path))
        key.check_points(str(path))
        return key

    def check_shapes(self, source: str) -> None:
        """Raises KeyFileError when the arrays do not fit each other or the stated sizes."""
        wanted, _ = sections(
            self.num_columns, self.num_public, self.domain_size, num_b_columns=len(self.b_columns)
        )
        for section in wanted:
            name, shape, dtype = section["name"], tuple(section["shape"]), np.dtype(section["dtype"])
            found = getattr(self, name)
            if found.shape != shape or found.dtype != dtype:
                raise KeyFileError(
                    f"{source}: array {name} is {found.dtype}{found.shape}; expected {dtype}{shape}"
                )
        if len(self.b_columns) and int(self.b_columns.max()) >= self.num_columns:
            raise KeyFileError(f"{source}: array b_columns names a column beyond {self.num_columns}")

    def check_points(self, source: str) -> None:
        """Raises KeyFileError unless the single points are finite points, and the verifying key's own.

        That leaves delta different from infinity, so that whatever else a hostile key holds, A and B of
        a proof are blinded.
        """
        vk = self.verifying_key
        for name, mine, theirs in (
            ("insecure", self.insecure, vk.insecure),
            ("circuit_digest", self.circuit_digest, vk.circuit_digest),
            ("num_public", self.num_public, vk.num_public),
        ):
            if mine != theirs:
                raise KeyFileError(f"{source}: {name} is {mine!r}, and {theirs!r} in its verifying key")
        alpha1, beta2, _, delta2 = np.split(
            np.frombuffer(vk.to_montgomery_bytes(), dtype="<u8", count=56), (8, 24, 40)
        )
        for name, point in (("alpha1", alpha1), ("beta2", beta2), ("delta2", delta2)):
            if not np.array_equal(getattr(self, name), point):
                raise KeyFileError(f"{source}: {name} is not the one of the verifying key")
        for name in ("beta1", "delta1"):
            try:
                check_g1(_from_montgomery(getattr(self, name)), name)
            except MalformedInput as error:
                raise KeyFileError(f"{source}: {error}") from error


def sections(
    num_columns: int, num_public: int, domain_size: int, *, num_b_columns: int
) -> tuple[list[dict[str, Any]], int]:
    """Name, dtype, shape and offset of every array of a key of these sizes, and where the last one ends."""
    shapes: dict[str, tuple[int, ...]] = {name: (width,) for name, width in SINGLE_POINTS.items()}
    rows = {
        "a": num_columns,
        "b1": num_b_columns,
        "b2": num_b_columns,
        "l": num_columns - num_public - 1,
        "h": domain_size,
    }
    shapes |= {name: (rows[name], width) for name, width in QUERIES.items()}
    shapes["b_columns"] = (num_b_columns,)
    placed: list[dict[str, Any]] = []
    offset = 0
    for name in ARRAYS:
        shape, dtype = shapes[name], "<u4" if name == "b_columns" else "<u8"
        placed.append({"name": name, "dtype": dtype, "shape": list(shape), "offset": offset})
        offset += -(-math.prod(shape) * int(dtype[2]) // PAGE) * PAGE
    return placed, offset


def _from_montgomery(point: U64) -> tuple[int, int]:
    """The coordinates as integers; not below q where the limbs are not."""
    x, y = (int.from_bytes(point[4 * i : 4 * i + 4].tobytes(), "little") for i in range(2))
    if max(x, y) >= FQ_MODULUS:
        return x, y
    inverse = pow(1 << 256, -1, FQ_MODULUS)
    return x * inverse % FQ_MODULUS, y * inverse % FQ_MODULUS


def data_start(header_bytes: int) -> int:
    """Offset of the first array behind a header of that length."""
    return -(-(48 + header_bytes) // PAGE) * PAGE


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """The JSON header of a key file and the offset of its arrays, after checking length and checksum."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(48)
        if len(prefix) < 48 or prefix[:8] != MAGIC:
            raise KeyFileError(f"{path}: not a zkrollup proving key; expected magic {MAGIC!r}")
        length = int.from_bytes(prefix[8:16], "little")
        if length > MAX_HEADER_BYTES or 48 + length > size:
            raise KeyFileError(f"{path}: header of {length} bytes in a file of {size}; the file is truncated")
        raw = file.read(length)
    if hashlib.sha256(raw).digest() != prefix[16:48]:
        raise KeyFileError(f"{path}: header does not match its checksum; the file is damaged")
    try:
        header = parse_object(raw, f"{path}: header")
    except MalformedInput as error:
        raise KeyFileError(str(error)) from error
    start = data_start(length)
    _require_header(str(path), header)
    if size != start + header["bytes"]:
        what = "truncated" if size < start + header["bytes"] else "longer than its header says"
        raise KeyFileError(f"{path}: {size} bytes; expected {start + header['bytes']}: the file is {what}")
    return header, start


def _require_header(source: str, header: dict[str, Any]) -> None:
    """Raises KeyFileError unless every field is of its type and the sections are those of the sizes."""

    def require(holds: bool, name: str, expected: str) -> None:
        if not holds:
            shown = repr(header.get(name, "nothing"))
            got = shown if len(shown) <= 80 else shown[:77] + "..."
            raise KeyFileError(f"{source}: header: {name}: expected {expected}, got {got}")

    for name in (*SIZES, "bytes"):
        value = header.get(name)
        high = 1 << 48 if name == "bytes" else _MAX_SIZE
        require(type(value) is int and 0 <= value < high, name, f"an integer in 0 .. {high - 1}")
    require(type(header.get("insecure")) is bool, "insecure", "true or false")
    require(type(header.get("circuit_digest")) is str, "circuit_digest", "a string")
    require(type(header.get("verifying_key")) is dict, "verifying_key", "an object")
    columns, public, rows, domain = (header[name] for name in SIZES)
    require(public < columns, "num_public", f"fewer than {columns} columns")
    wanted = Layout(columns, public, rows, ()).domain_size
    require(domain == wanted, "domain_size", f"{wanted} for {rows} rows and {public} public inputs")
    found = header.get("sections")
    # The one number that the sections add: how many columns have a B.
    last = found[-1] if isinstance(found, list) and found else None
    shape = last.get("shape") if isinstance(last, dict) else None
    num_b = shape[0] if isinstance(shape, list) and len(shape) == 1 and type(shape[0]) is int else -1
    require(0 <= num_b <= columns, "sections", "b_columns, at most all, as the last")
    placed, end = sections(columns, public, domain, num_b_columns=num_b)
    require(found == placed, "sections", f"the {len(ARRAYS)} arrays of these sizes, end to end")
    require(header["bytes"] == end, "bytes", f"{end} for these sizes")
    header["sections"] = placed  # equal, and of the right types: 1.0 == 1 == True


def map_section(path: Path, start: int, section: dict[str, Any]) -> Any:
    """One array of a key file, mapped read-only."""
    shape = tuple(section["shape"])
    if 0 in shape:
        return np.zeros(shape, dtype=section["dtype"])
    return np.memmap(path, dtype=section["dtype"], mode="r", offset=start + section["offset"], shape=shape)
