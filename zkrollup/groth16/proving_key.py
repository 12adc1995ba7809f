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
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zkrollup.engine.interface import U32, U64, SetupResult

from .keys import VerifyingKey

__all__ = ["KeyFileError", "ProvingKey", "WrongCircuitError"]

MAGIC = b"zkrpk\x00\x01\n"
PAGE = 4096
MAX_HEADER_BYTES = 1 << 24
SINGLE_POINTS = {"alpha1": 8, "beta1": 8, "delta1": 8, "beta2": 16, "delta2": 16}
QUERIES = {"a": 8, "b1": 8, "b2": 16, "l": 8, "h": 8}
ARRAYS = (*SINGLE_POINTS, *QUERIES, "b_columns")


class KeyFileError(ValueError):
    """A proving key file is damaged, truncated, or no proving key at all; says what and where."""


class WrongCircuitError(ValueError):
    """A key and a circuit do not belong together; carries both digests."""

    def __init__(self, key_digest: str, circuit_digest: str) -> None:
        self.key_digest, self.circuit_digest = key_digest, circuit_digest
        super().__init__(
            f"key: made for circuit {key_digest[:16]}…, used with circuit {circuit_digest[:16]}…; "
            "run setup for this circuit, or load the key that belongs to it"
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

    @property
    def num_bytes(self) -> int:
        """Size of the arrays."""
        return sum(getattr(self, name).nbytes for name in ARRAYS)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the key: all of it or, when interrupted, nothing under that name."""
        path = Path(path)
        sections: list[dict[str, Any]] = []
        placed = []
        offset = 0
        for name in ARRAYS:
            array = np.ascontiguousarray(getattr(self, name))
            sections.append(
                {"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "offset": offset}
            )
            placed.append((offset, array))
            offset += -(-array.nbytes // PAGE) * PAGE
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
                "sections": sections,
                "bytes": offset,
            }
        ).encode()
        start = data_start(len(header))
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(MAGIC + len(header).to_bytes(8, "little") + hashlib.sha256(header).digest())
                file.write(header)
                for position, array in placed:
                    file.seek(start + position)
                    if array.nbytes:
                        file.write(array.data.cast("B"))
                file.truncate(start + offset)
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
            arrays = {section["name"]: map_section(path, start, section) for section in header["sections"]}
            key = cls(
                circuit_digest=header["circuit_digest"],
                num_columns=header["num_columns"],
                num_public=header["num_public"],
                num_rows=header["num_rows"],
                domain_size=header["domain_size"],
                insecure=header["insecure"],
                verifying_key=VerifyingKey.from_json(json.dumps(header["verifying_key"]), source=str(path)),
                **arrays,
            )
        except (KeyError, TypeError) as error:
            raise KeyFileError(f"{path}: header lacks or misstates a field: {error!r}") from error
        key.check_shapes(str(path))
        return key

    def check_shapes(self, source: str) -> None:
        """Raises KeyFileError when the arrays do not fit each other or the stated sizes."""
        wanted: dict[str, tuple[int, ...]] = {name: (width,) for name, width in SINGLE_POINTS.items()}
        rows = {
            "a": self.num_columns,
            "b1": len(self.b_columns),
            "b2": len(self.b_columns),
            "l": self.num_columns - self.num_public - 1,
            "h": self.domain_size,
        }
        wanted |= {name: (rows[name], width) for name, width in QUERIES.items()}
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found.shape != shape or found.dtype != np.uint64:
                raise KeyFileError(
                    f"{source}: array {name} is {found.dtype}{found.shape}; expected uint64{shape}"
                )
        if len(self.b_columns) and int(self.b_columns.max()) >= self.num_columns:
            raise KeyFileError(f"{source}: array b_columns names a column beyond {self.num_columns}")


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
    header: dict[str, Any] = json.loads(raw)
    start = data_start(length)
    if size != start + header["bytes"]:
        what = "truncated" if size < start + header["bytes"] else "longer than its header says"
        raise KeyFileError(f"{path}: {size} bytes; expected {start + header['bytes']}: the file is {what}")
    return header, start


def map_section(path: Path, start: int, section: dict[str, Any]) -> Any:
    """One array of a key file, mapped read-only."""
    shape = tuple(section["shape"])
    if 0 in shape:
        return np.zeros(shape, dtype=section["dtype"])
    return np.memmap(path, dtype=section["dtype"], mode="r", offset=start + section["offset"], shape=shape)
