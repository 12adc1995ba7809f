"""What each party of a ceremony leaves in a file: section 10 of ``.zkey`` and section 7 of ``.ptau``.

This module must not know whether a contribution is honest, nor how one is made.

Points are ``bytes`` as the files hold them: affine, each coordinate 32 bytes little-endian, Montgomery, real
part first; 64 bytes for G1, 128 for G2, infinity all zeros. Coordinates are below q; nothing says that a
point lies on its curve: that is for whoever checks the ceremony.

A contribution to a key::

    delta after it (G1), s (G1), s times its secret (G1), s' times its secret (G2), transcript (64),
    type (4): 0 a person's, 1 a beacon's, length of the parameters (4), parameters

to powers of tau::

    tau (G1), tau (G2), alpha (G1), beta (G1), beta (G2) after it, then for tau, alpha, beta: s, s times the
    secret (G1 each), then for tau, alpha, beta: s' times the secret (G2), state of the hash of the response
    (216), hash of the next challenge (64), type and parameters as above

Parameters are a tag (1) and, for a name (tag 1) and a beacon's value (tag 3), a length (1) and the bytes; for
the exponent of a beacon's iterations (tag 2) one byte. Tags ascend.

Reference: snarkjs 0.7, src/zkey_utils.js and src/powersoftau_utils.js.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.bn254.fields import FQ_MODULUS

from .binfile import Reader, SectionWriter

__all__ = [
    "Beacon",
    "Contribution",
    "KnowledgeProof",
    "TauContribution",
    "read_contributions",
    "read_tau_contributions",
    "write_contributions",
    "write_tau_contributions",
]

G1, G2 = 64, 128
HASH, PARTIAL_HASH = 64, 216
_NAME, _ITERATIONS, _BEACON = 1, 2, 3
_MAX_NAME_UNITS = 64  # of UTF-16: where snarkjs cuts a name


@dataclass(frozen=True)
class Beacon:
    """A public value nobody could choose: ``value`` hashed ``2**iterations_exp`` times gives the secret."""

    value: bytes
    iterations_exp: int


@dataclass(frozen=True)
class Contribution:
    """One contribution to a key. ``beacon`` is None for a person's."""

    delta_after: bytes
    g1_s: bytes
    g1_sx: bytes
    g2_spx: bytes
    transcript: bytes
    name: str = ""
    beacon: Beacon | None = None


@dataclass(frozen=True)
class KnowledgeProof:
    """Shows that its maker knows x: ``g1_sx = x g1_s``, and ``g2_spx = x s'`` for an s' that a hash gives."""

    g1_s: bytes
    g1_sx: bytes
    g2_spx: bytes


@dataclass(frozen=True)
class TauContribution:
    """One contribution to powers of tau: the first powers after it, and a proof for each of three secrets.

    ``partial_hash`` is the state of BLAKE2b over the response without the public key at its end.
    """

    tau_g1: bytes
    tau_g2: bytes
    alpha_g1: bytes
    beta_g1: bytes
    beta_g2: bytes
    tau: KnowledgeProof
    alpha: KnowledgeProof
    beta: KnowledgeProof
    partial_hash: bytes
    next_challenge: bytes
    name: str = ""
    beacon: Beacon | None = None


def read_contributions(reader: Reader) -> tuple[bytes, tuple[Contribution, ...]]:
    """Section 10 of a key: the hash of its circuit (64 bytes) and who contributed, first to last.

    Raises FormatError for anything else than the whole section.
    """
    circuit_hash = reader.bytes("hash of the circuit", HASH)
    count = reader.u32("number of contributions")
    found = []
    for number in range(1, count + 1):
        at = f"contribution {number}"
        after = _point(reader, f"{at}, delta", G1)
        s, sx = _point(reader, f"{at}, s", G1), _point(reader, f"{at}, s times the secret", G1)
        proof = _point(reader, f"{at}, proof in G2", G2)
        transcript = reader.bytes(f"{at}, transcript", HASH)
        name, beacon = _read_parameters(reader, at)
        found.append(Contribution(after, s, sx, proof, transcript, name, beacon))
    reader.finish()
    return circuit_hash, tuple(found)


def write_contributions(
    section: SectionWriter, circuit_hash: bytes, contributions: tuple[Contribution, ...]
) -> None:
    """Section 10 of a key; ValueError when a part has another length than the file gives it."""
    _sized(section, "hash of the circuit", circuit_hash, HASH)
    section.u32(len(contributions))
    for number, one in enumerate(contributions, 1):
        at = f"contribution {number}"
        for name in ("delta_after", "g1_s", "g1_sx"):
            _sized(section, f"{at}, {name}", getattr(one, name), G1)
        _sized(section, f"{at}, g2_spx", one.g2_spx, G2)
        _sized(section, f"{at}, transcript", one.transcript, HASH)
        _write_parameters(section, at, one.name, one.beacon)


def read_tau_contributions(reader: Reader) -> tuple[TauContribution, ...]:
    """Section 7 of powers of tau, first to last. Raises FormatError for anything else than the section."""
    count = reader.u32("number of contributions")
    found = []
    for number in range(1, count + 1):
        at = f"contribution {number}"
        tau_g1, tau_g2 = _point(reader, f"{at}, tau in G1", G1), _point(reader, f"{at}, tau in G2", G2)
        alpha_g1, beta_g1 = _point(reader, f"{at}, alpha in G1", G1), _point(reader, f"{at}, beta in G1", G1)
        beta_g2 = _point(reader, f"{at}, beta in G2", G2)
        secrets = ("tau", "alpha", "beta")
        pairs = [(_point(reader, f"{at}, s of {x}", G1), _point(reader, f"{at}, s {x}", G1)) for x in secrets]
        tau, alpha, beta = (
            KnowledgeProof(s, sx, _point(reader, f"{at}, proof of {x} in G2", G2))
            for (s, sx), x in zip(pairs, secrets, strict=True)
        )
        partial = reader.bytes(f"{at}, state of its hash", PARTIAL_HASH)
        challenge = reader.bytes(f"{at}, next challenge", HASH)
        name, beacon = _read_parameters(reader, at)
        found.append(
            TauContribution(
                tau_g1, tau_g2, alpha_g1, beta_g1, beta_g2, tau, alpha, beta, partial, challenge, name, beacon
            )
        )
    reader.finish()
    return tuple(found)


def write_tau_contributions(section: SectionWriter, contributions: tuple[TauContribution, ...]) -> None:
    """Section 7 of powers of tau; ValueError when a part has another length than the file gives it."""
    section.u32(len(contributions))
    for number, one in enumerate(contributions, 1):
        at = f"contribution {number}"
        for name in ("tau_g1", "tau_g2", "alpha_g1", "beta_g1", "beta_g2"):
            size = G2 if name.endswith("g2") else G1
            _sized(section, f"{at}, {name}", getattr(one, name), size)
        proofs = (one.tau, one.alpha, one.beta)
        for proof in proofs:
            _sized(section, f"{at}, g1_s", proof.g1_s, G1)
            _sized(section, f"{at}, g1_sx", proof.g1_sx, G1)
        for proof in proofs:
            _sized(section, f"{at}, g2_spx", proof.g2_spx, G2)
        _sized(section, f"{at}, partial_hash", one.partial_hash, PARTIAL_HASH)
        _sized(section, f"{at}, next_challenge", one.next_challenge, HASH)
        _write_parameters(section, at, one.name, one.beacon)


def _point(reader: Reader, name: str, size: int) -> bytes:
    data = reader.bytes(name, size)
    for begin in range(0, size, 32):
        value = int.from_bytes(data[begin : begin + 32], "little")
        if value >= FQ_MODULUS:
            raise reader.error(name, value, "coordinates below q")
    return data


def _sized(section: SectionWriter, name: str, data: bytes, size: int) -> None:
    if len(data) != size:
        raise ValueError(f"{name}: {len(data)} bytes, expected {size}")
    section.bytes(data)


def _read_parameters(reader: Reader, at: str) -> tuple[str, Beacon | None]:
    kind = reader.u32(f"{at}, type")
    if kind > 1:
        raise reader.error(f"{at}, type", kind, "0, a person's, or 1, a beacon's")
    length = reader.u32(f"{at}, length of its parameters")
    inner = Reader(reader.view(f"{at}, parameters", length), reader.path, reader.section)
    name, iterations, value, last = "", None, None, 0
    while inner.remaining:
        tag = inner.integer(f"{at}, parameter", 1)
        if not last < tag <= _BEACON:
            raise reader.error(f"{at}, parameter", tag, f"{last + 1} to {_BEACON}, ascending")
        last = tag
        number = inner.integer(f"{at}, parameter {tag}", 1)
        if tag == _ITERATIONS:
            iterations = number
            continue
        content = inner.bytes(f"{at}, parameter {tag}", number)
        if tag == _NAME:
            try:
                name = content.decode("utf-8")
            except UnicodeDecodeError:
                raise reader.error(f"{at}, name", content, "UTF-8") from None
        else:
            value = content
    if kind == 0 and iterations is None and value is None:
        return name, None
    if kind == 1 and iterations is not None and value:
        return name, Beacon(value, iterations)
    raise reader.error(
        f"{at}, parameters",
        f"type {kind} with iterations {iterations} and a value of {len(value or b'')} bytes",
        "iterations and value for a beacon (type 1), neither for a person (type 0)",
    )


def _write_parameters(section: SectionWriter, at: str, name: str, beacon: Beacon | None) -> None:
    section.u32(0 if beacon is None else 1)
    # As snarkjs does: 64 units of UTF-16; half a pair at the cut is replaced.
    cut = name.encode("utf-16-le", "surrogatepass")[: 2 * _MAX_NAME_UNITS]
    encoded = cut.decode("utf-16-le", "replace").encode("utf-8")
    parameters = bytes([_NAME, len(encoded)]) + encoded if encoded else b""
    if beacon is not None:
        if not 1 <= len(beacon.value) <= 255 or not 0 <= beacon.iterations_exp <= 255:
            raise ValueError(f"{at}: a beacon has 1 to 255 bytes and an exponent of 0 to 255")
        parameters += bytes([_ITERATIONS, beacon.iterations_exp, _BEACON, len(beacon.value)]) + beacon.value
    section.u32(len(parameters))
    section.bytes(parameters)
