"""Verifying keys and proofs of Groth16 over BN254 as plain data, in snarkjs's JSON and in bytes.

This module must not know how a proof is made or checked, nor engines: it needs ``bn254`` only.

References: J. Groth, "On the Size of Pairing-Based Non-interactive Arguments", 2016; snarkjs's
``verification_key.json`` and ``proof.json``; EIP-196 and EIP-197 for bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from zkrollup.bn254 import g2
from zkrollup.bn254.encoding import (
    G1_BYTES,
    G2_BYTES,
    MalformedInput,
    WrongLength,
    check_g1,
    check_g2,
    g1_to_bytes,
    g2_to_bytes,
)
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point
from zkrollup.bn254.pairing import pairing

__all__ = [
    "PROOF_BYTES",
    "DegenerateKey",
    "MalformedFile",
    "Proof",
    "VerifyingKey",
    "load_public_inputs",
    "parse_object",
    "public_inputs_from_json",
    "public_inputs_to_json",
]

PROOF_BYTES = 2 * G1_BYTES + G2_BYTES

_MAX_JSON_BYTES = 1 << 26
_PIECE = 1 << 20  # read at a time: memory for a small file is that of the file
_MAX_JSON_DEPTH = 16
_BRACKETS_AND_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,76}", re.ASCII)
_NOTHING = object()
_HEX_DIGEST = re.compile(r"([0-9a-f]{64})?", re.ASCII)


class DegenerateKey(MalformedInput):
    """A verifying key under which anyone can forge, whatever was proved: gamma = delta or -delta."""


class MalformedFile(MalformedInput):
    """A JSON file that is not what it should be: ``file``, the ``place`` in it and what was ``expected``."""

    def __init__(self, file: str, place: str, expected: str, got: object = _NOTHING) -> None:
        text = "nothing" if got is _NOTHING else repr(got)
        shown = text if len(text) <= 80 else text[:77] + "..."
        super().__init__(f"{file}: {place}" if place else file, f"expected {expected}, got {shown}")
        self.file, self.place, self.expected = file, place, expected


@dataclass(frozen=True)
class VerifyingKey:
    """What a verifier needs. Points are affine integers; ``ic`` holds one point more than there are inputs.

    Construction refuses (:class:`MalformedInput`) points off the curve, outside the subgroup or at
    infinity (an infinite ``ic`` entry leaves its public input unbound), and gamma = +-delta
    (:class:`DegenerateKey`). ``insecure`` says that one party made the key and could forge;
    ``circuit_digest`` is the sha256 (hex) of the circuit it belongs to, empty where it is not known.
    """

    alpha1: G1Point
    beta2: G2Point
    gamma2: G2Point
    delta2: G2Point
    ic: tuple[G1Point, ...]
    insecure: bool = field(kw_only=True)
    circuit_digest: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """The checks of construction once more, for whoever does not trust where a key has been."""
        check_g1(self.alpha1, "verifying key alpha1")
        check_g2(self.beta2, "verifying key beta2")
        check_g2(self.gamma2, "verifying key gamma2")
        check_g2(self.delta2, "verifying key delta2")
        if not self.ic:
            raise MalformedInput("verifying key ic", "expected at least one point, got none")
        for i, point in enumerate(self.ic):
            check_g1(point, f"verifying key ic[{i}]")
        # A = alpha, B = beta, C = -+vk_x would pass for every public input.
        if self.gamma2 in (self.delta2, g2.negate(self.delta2)):
            raise DegenerateKey(
                "verifying key",
                "gamma2 equals delta2 up to sign: proofs under this key can be forged by anyone",
            )
        if not _HEX_DIGEST.fullmatch(self.circuit_digest):
            raise MalformedInput(
                "verifying key circuit_digest", f"expected 64 hex digits, got {self.circuit_digest!r}"
            )

    @property
    def num_public(self) -> int:
        """How many public inputs a proof under this key has."""
        return len(self.ic) - 1

    @property
    def digest(self) -> str:
        """sha256 (hex) of the points: which key this is, whatever its file says besides."""
        return sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """alpha1, beta2, gamma2, delta2, ic in EIP-196/197 form, end to end."""
        return b"".join(
            (
                g1_to_bytes(self.alpha1),
                *map(g2_to_bytes, (self.beta2, self.gamma2, self.delta2)),
                *map(g1_to_bytes, self.ic),
            )
        )

    def to_montgomery_bytes(self) -> bytes:
        """The same points as little-endian limbs, Montgomery, real part first: what engines read.

        Refuses a key that became degenerate behind its constructor, as :meth:`validate` does.
        """
        self.validate()
        return _montgomery(
            (*self.alpha1, *_flat(self.beta2), *_flat(self.gamma2), *_flat(self.delta2)),
            (value for point in self.ic for value in point),
        )

    def to_json(self) -> str:
        """snarkjs's ``verification_key.json`` and ``circuit_digest``, ``insecure``; canonical text.

        Refuses a key that became degenerate behind its constructor, as :meth:`validate` does.
        """
        self.validate()
        target = pairing(self.alpha1, self.beta2)
        pairs = [[str(target[2 * i]), str(target[2 * i + 1])] for i in range(6)]
        return _dump(
            {
                "protocol": "groth16",
                "curve": "bn128",
                "nPublic": self.num_public,
                "vk_alpha_1": _g1_json(self.alpha1),
                "vk_beta_2": _g2_json(self.beta2),
                "vk_gamma_2": _g2_json(self.gamma2),
                "vk_delta_2": _g2_json(self.delta2),
                "vk_alphabeta_12": [pairs[:3], pairs[3:]],
                "IC": [_g1_json(point) for point in self.ic],
                "circuit_digest": self.circuit_digest,
                "insecure": self.insecure,
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = "verification_key.json") -> VerifyingKey:
        """Read snarkjs's shape; ``source`` is what errors call the file.

        Raises :class:`MalformedFile` naming file, place and what was expected, or the errors of
        construction. A file without ``insecure`` (snarkjs's own) is read as not insecure: where it
        comes from is the reader's to know. ``vk_alphabeta_12`` follows from the rest and is not read.
        """
        reader = _Reader.of(text, source)
        reader.expect("protocol", "groth16")
        reader.expect("curve", "bn128")
        points = reader.array("IC")
        count = reader.get("nPublic")
        if type(count) is not int or count != len(points) - 1:
            raise MalformedFile(
                source, "nPublic", f"{len(points) - 1}, one less than the points of IC", count
            )
        digest = reader.document.get("circuit_digest", "")
        if not (isinstance(digest, str) and _HEX_DIGEST.fullmatch(digest)):
            raise MalformedFile(source, "circuit_digest", "64 hex digits or an empty string", digest)
        insecure = reader.document.get("insecure", False)
        if type(insecure) is not bool:
            raise MalformedFile(source, "insecure", "true or false", insecure)
        try:
            return cls(
                reader.g1("vk_alpha_1"),
                reader.g2("vk_beta_2"),
                reader.g2("vk_gamma_2"),
                reader.g2("vk_delta_2"),
                tuple(reader.g1_at(f"IC[{i}]", value) for i, value in enumerate(points)),
                insecure=insecure,
                circuit_digest=digest,
            )
        except MalformedFile:
            raise
        except MalformedInput as error:
            error.args = (f"{source}: {error}",)
            raise

    @classmethod
    def load(cls, path: str | Path) -> VerifyingKey:
        """:meth:`from_json` of a file."""
        return cls.from_json(_read(path), source=str(path))

    def save(self, path: str | Path) -> None:
        """Write :meth:`to_json` to a file."""
        Path(path).write_text(self.to_json(), encoding="ascii")


@dataclass(frozen=True)
class Proof:
    """A proof: three points, affine integers. Plain data: a verifier checks them, construction does not.

    A valid proof can be rerandomised by anyone into other valid bytes: never use them as an identity.
    """

    a: G1Point
    b: G2Point
    c: G1Point

    def to_bytes(self) -> bytes:
        """256 bytes: A, B, C as EIP-196 and EIP-197 have them."""
        return g1_to_bytes(self.a) + g2_to_bytes(self.b) + g1_to_bytes(self.c)

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """The inverse of :meth:`to_bytes`. Only the length is checked here: :class:`WrongLength`."""
        if len(data) != PROOF_BYTES:
            raise WrongLength("proof", PROOF_BYTES, len(data))
        ax, ay, bx1, bx0, by1, by0, cx, cy = (
            int.from_bytes(data[i : i + 32], "big") for i in range(0, PROOF_BYTES, 32)
        )
        return cls((ax, ay), ((bx0, bx1), (by0, by1)), (cx, cy))

    def to_montgomery_bytes(self) -> bytes:
        """A, B, C as 32 little-endian limbs, Montgomery, real part first: what engines read."""
        return _montgomery((*self.a, *_flat(self.b), *self.c))

    def to_calldata(self, public_inputs: Sequence[int]) -> str:
        """The arguments of ``verifyProof(uint[2] a, uint[2][2] b, uint[2] c, uint[n] inputs)``, as snarkjs
        prints them for its Solidity verifier."""

        def words(values: Sequence[int], separator: str = ", ") -> str:
            return "[" + separator.join(f'"0x{value:064x}"' for value in values) + "]"

        (x0, x1), (y0, y1) = self.b
        b = f"[{words((x1, x0))},{words((y1, y0))}]"
        return f"{words(self.a)},{b},{words(self.c)},{words(public_inputs, ',')}"

    def to_json(self) -> str:
        """snarkjs's ``proof.json``, canonical text."""
        return _dump(
            {
                "pi_a": _g1_json(self.a),
                "pi_b": _g2_json(self.b),
                "pi_c": _g1_json(self.c),
                "protocol": "groth16",
                "curve": "bn128",
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = "proof.json") -> Proof:
        """Read snarkjs's shape; :class:`MalformedFile` names file, place and what was expected."""
        reader = _Reader.of(text, source)
        reader.expect("protocol", "groth16")
        reader.expect("curve", "bn128")
        return cls(reader.g1("pi_a"), reader.g2("pi_b"), reader.g1("pi_c"))

    @classmethod
    def load(cls, path: str | Path) -> Proof:
        """:meth:`from_json` of a file."""
        return cls.from_json(_read(path), source=str(path))

    def save(self, path: str | Path) -> None:
        """Write :meth:`to_json` to a file."""
        Path(path).write_text(self.to_json(), encoding="ascii")


def _flat(point: G2Point) -> tuple[int, int, int, int]:
    return (*point[0], *point[1])


def _montgomery(*groups: Any) -> bytes:
    return b"".join(
        ((value << 256) % FQ_MODULUS).to_bytes(32, "little") for values in groups for value in values
    )


def _g1_json(point: G1Point) -> list[str]:
    if point == (0, 0):
        return ["0", "1", "0"]
    return [str(point[0]), str(point[1]), "1"]


def _g2_json(point: G2Point) -> list[list[str]]:
    if point == g2.INFINITY:
        return [["0", "0"], ["1", "0"], ["0", "0"]]
    return [*([str(c[0]), str(c[1])] for c in point), ["1", "0"]]


def _dump(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"


def _read(path: str | Path) -> bytes:
    text = b""
    with Path(path).open("rb") as file:  # its size is not asked for: a pipe's or a device's is 0
        while piece := file.read(_PIECE):
            text += piece
            if len(text) > _MAX_JSON_BYTES:
                raise MalformedFile(str(path), "", f"at most {_MAX_JSON_BYTES} bytes", "more")
    return text


def public_inputs_to_json(values: Sequence[int]) -> str:
    """snarkjs's ``public.json``: an array of decimal strings, canonical text."""
    return json.dumps([str(value) for value in values], indent=1) + "\n"


def public_inputs_from_json(text: str | bytes, *, source: str = "public.json") -> list[int]:
    """Read snarkjs's ``public.json``; :class:`MalformedFile` for anything but decimal numbers below r."""
    document = _parse(text, source)
    if not isinstance(document, list):
        raise MalformedFile(source, "", "a JSON array", document)
    for i, value in enumerate(document):
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or int(value) >= FR_MODULUS:
            raise MalformedFile(source, f"[{i}]", "a decimal number below r in a string", value)
    return [int(value) for value in document]


def load_public_inputs(path: str | Path) -> list[int]:
    """:func:`public_inputs_from_json` of a file."""
    return public_inputs_from_json(_read(path), source=str(path))


def parse_object(text: str | bytes, file: str) -> dict[str, Any]:
    """The object in a JSON text from a stranger; :class:`MalformedFile` names ``file``."""
    return _Reader.of(text, file).document


def _parse(text: str | bytes, file: str) -> Any:
    """What a JSON text from a stranger holds; :class:`MalformedFile` names ``file``."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise MalformedFile(file, key, "each name once", "it twice")
            seen[key] = value
        return seen

    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8")
        # Whatever the recursion limit is set to, the parser must not be led down by brackets.
        depth = 0
        for token in _BRACKETS_AND_STRINGS.finditer(decoded):
            depth += (token[0] in "[{") - (token[0] in "]}")
            if depth > _MAX_JSON_DEPTH:
                raise MalformedFile(file, "", f"JSON of at most {_MAX_JSON_DEPTH} levels", "more")
        document = json.loads(decoded, object_pairs_hook=unique)
    except MalformedFile:
        raise
    except ValueError as error:
        raise MalformedFile(file, "", "JSON", str(error)) from None
    return document


@dataclass(frozen=True)
class _Reader:
    """A JSON object whose errors name the file and the place."""

    document: dict[str, Any]
    file: str

    @classmethod
    def of(cls, text: str | bytes, file: str) -> _Reader:
        document = _parse(text, file)
        if not isinstance(document, dict):
            raise MalformedFile(file, "", "a JSON object", document)
        return cls(document, file)

    def get(self, name: str) -> Any:
        if name not in self.document:
            raise MalformedFile(self.file, name, "this field")
        return self.document[name]

    def expect(self, name: str, value: str) -> None:
        got = self.get(name)
        if got != value:
            raise MalformedFile(self.file, name, repr(value), got)

    def array(self, name: str) -> list[Any]:
        value = self.get(name)
        if not isinstance(value, list) or not value:
            raise MalformedFile(self.file, name, "an array that is not empty", value)
        return value

    def g1(self, name: str) -> G1Point:
        return self.g1_at(name, self.get(name))

    def g1_at(self, place: str, value: Any) -> G1Point:
        x, y, z = self.items(place, value, 3)
        coordinates = (self.number(f"{place}[0]", x), self.number(f"{place}[1]", y))
        if z == "0" and coordinates == (0, 1):
            return (0, 0)
        if z != "1":
            raise MalformedFile(self.file, f"{place}[2]", '"1" (an affine point)', z)
        return coordinates

    def g2(self, name: str) -> G2Point:
        x, y, z = self.items(name, self.get(name), 3)
        point = (self.pair(f"{name}[0]", x), self.pair(f"{name}[1]", y))
        if z == ["0", "0"] and point == ((0, 0), (1, 0)):
            return g2.INFINITY
        if z != ["1", "0"]:
            raise MalformedFile(self.file, f"{name}[2]", '["1", "0"] (an affine point)', z)
        return point

    def pair(self, place: str, value: Any) -> tuple[int, int]:
        re_, im = self.items(place, value, 2)
        return (self.number(f"{place}[0]", re_), self.number(f"{place}[1]", im))

    def items(self, place: str, value: Any, count: int) -> list[Any]:
        if not isinstance(value, list) or len(value) != count:
            raise MalformedFile(self.file, place, f"an array of {count}", value)
        return value

    def number(self, place: str, value: Any) -> int:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or int(value) >= FQ_MODULUS:
            raise MalformedFile(self.file, place, "a decimal number below q in a string", value)
        return int(value)
