"""Powers of tau: begun, contributed to, prepared for circuits and checked; phase 1 of a ceremony.

The module must not know any circuit, nor see a secret: an engine draws, uses and wipes it.

Everything agrees with snarkjs to the bit. A contribution multiplies tau^i by x^i, alpha tau^i by y x^i and
beta tau^i by z x^i, proves with a point of G2, which a hash gives, that its maker knows x, y and z, and
hashes what it wrote: the *response* is BLAKE2b of the challenge before, all powers compressed, and the public
key; the next challenge is BLAKE2b of the response and all powers uncompressed.

References: S. Bowe, A. Gabizon, I. Miers, "Scalable Multi-party Computation for zk-SNARK Parameters in the
Random Beacon Model", 2017; snarkjs 0.7, src/powersoftau_*.js and src/keypair.js.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.encoding import g1_to_bytes, g2_to_bytes
from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point
from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.interface import U64, Engine
from zkrollup.formats.contributions import Beacon, KnowledgeProof, TauContribution
from zkrollup.formats.ptau import Ptau, write_ptau

from .blake2b import Blake2b
from .ceremony import (
    MAX_ITERATIONS_EXP,
    Progress,
    PublicScalar,
    checked,
    nobody,
    random_scalars,
    require_beacon,
    same_ratio,
)
from .transcript import (
    ChaCha,
    beacon_generator,
    blake2b,
    compressed,
    g1_from_limbs,
    g1_to_limbs,
    g2_from_limbs,
    g2_to_limbs,
    hash_to_g2,
    limbs,
    uncompressed,
)

__all__ = [
    "CheckedPowers",
    "InvalidPowers",
    "contribute_ptau",
    "contribute_ptau_beacon",
    "first_challenge",
    "new_ptau",
    "prepare_ptau",
    "verify_ptau",
]

_PIECE = 1 << 16  # points scaled or hashed at a time
_PARTS = ("tau_g1", "tau_g2", "alpha_tau_g1", "beta_tau_g1")
_SECRETS = ("tau", "alpha", "beta")
_ONE_G1 = limbs(g1_to_limbs(g1.GENERATOR))
_ONE_G2 = limbs(g2_to_limbs(g2.GENERATOR))


class InvalidPowers(ValueError):
    """Powers of tau are not powers of one tau, or a contribution to them is not honest."""


@dataclass(frozen=True)
class CheckedPowers:
    """What :func:`verify_ptau` found: who contributed, with each one's response (64 bytes), and whether the
    file is prepared for circuits."""

    contributions: tuple[tuple[TauContribution, bytes], ...]
    prepared: bool


class _Scales(Protocol):
    def g1_scale(self, points: U64, *, inverse: bool = False) -> U64: ...
    def g2_scale(self, points: U64, *, inverse: bool = False) -> U64: ...
    def g1_scale_powers(self, points: U64, start: Any = None, first_exponent: int = 0) -> U64: ...
    def g2_scale_powers(self, points: U64, start: Any = None, first_exponent: int = 0) -> U64: ...


class _PublicPowers(PublicScalar):
    """A beacon's number, with powers."""

    def g1_scale_powers(
        self, points: U64, start: _PublicPowers | None = None, first_exponent: int = 0
    ) -> U64:
        return self._engine.g1_scale(points, self._factors(len(points), start, first_exponent))

    def g2_scale_powers(
        self, points: U64, start: _PublicPowers | None = None, first_exponent: int = 0
    ) -> U64:
        return self._engine.g2_scale(points, self._factors(len(points), start, first_exponent))

    def _factors(self, count: int, start: _PublicPowers | None, first_exponent: int) -> U64:
        """start self^(first_exponent + i), Montgomery."""
        x, out = self.value, []
        factor = pow(x, first_exponent, FR_MODULUS) * (1 if start is None else start.value) % FR_MODULUS
        for _ in range(count):
            out.append(factor << 256)
            factor = factor * x % FR_MODULUS
        return fr_from_ints(out)


# -- begin, contribute, prepare ----------------------------------------------------------------------


def new_ptau(path: str | os.PathLike[str], power: int) -> bytes:
    """Writes powers of tau = alpha = beta = 1 for circuits of up to 2^power rows, to be contributed to.

    Returns the first challenge (64 bytes). Raises ValueError unless 1 <= power <= 28.
    """
    n = 1 << power if 1 <= power <= 28 else 1
    write_ptau(
        path,
        power=power,
        tau_g1=np.broadcast_to(_ONE_G1, (2 * n - 1, 8)),
        tau_g2=np.broadcast_to(_ONE_G2, (n, 16)),
        alpha_tau_g1=np.broadcast_to(_ONE_G1, (n, 8)),
        beta_tau_g1=np.broadcast_to(_ONE_G1, (n, 8)),
        beta_g2=_ONE_G2[0],
    )
    return first_challenge(power)


def first_challenge(power: int) -> bytes:
    """The hash that the first contribution to powers for 2^power rows answers to."""
    n = 1 << power
    h = blake2b(blake2b().digest())
    for point, count in (
        (g1_to_bytes(g1.GENERATOR), 2 * n - 1),
        (g2_to_bytes(g2.GENERATOR), n),
        (g1_to_bytes(g1.GENERATOR), 2 * n),
        (g2_to_bytes(g2.GENERATOR), 1),
    ):
        for begin in range(0, count, _PIECE):
            h.update(point * min(_PIECE, count - begin))
    return h.digest()


def contribute_ptau(
    before: Ptau,
    after: str | os.PathLike[str],
    name: str,
    engine: Engine,
    progress: Progress | None = None,
) -> bytes:
    """Multiplies tau, alpha and beta by secrets from the operating system, which are wiped; writes the file.

    Returns the contribution's hash (64 bytes), for its maker to publish. What was prepared must be prepared
    again. Raises ValueError for powers cut out of a larger ceremony, and InvalidPowers for points outside
    their groups, whose products would tell about the secrets.
    """
    _require_contributable(before, engine)
    with ExitStack() as stack:
        scalars = [stack.enter_context(engine.secret_scalar()) for _ in _SECRETS]
        points = [ChaCha(secrets.token_bytes(32)).g1() for _ in _SECRETS]
        return _contribute(before, after, name, None, scalars, points, engine, progress or nobody)


def contribute_ptau_beacon(
    before: Ptau,
    after: str | os.PathLike[str],
    name: str,
    beacon: Beacon,
    engine: Engine,
    progress: Progress | None = None,
) -> bytes:
    """:func:`contribute_ptau` with numbers that everybody can compute from a public value."""
    require_beacon(beacon)
    _require_contributable(before, engine)
    draw = beacon_generator(beacon)
    scalars = [_PublicPowers(draw.fr_mont(), engine) for _ in _SECRETS]
    points = [draw.g1() for _ in _SECRETS]
    return _contribute(before, after, name, beacon, scalars, points, engine, progress or nobody)


def _require_contributable(before: Ptau, engine: Engine) -> None:
    if before.power != before.ceremony_power:
        raise ValueError(
            f"{before.path}: cut out of a ceremony for 2^{before.ceremony_power}; only whole powers can be "
            "contributed to"
        )
    _require_in_groups(before, engine)


def _contribute(
    before: Ptau,
    after: str | os.PathLike[str],
    name: str,
    beacon: Beacon | None,
    scalars: Sequence[_Scales],
    points: Sequence[G1Point],
    engine: Engine,
    tell: Progress,
) -> bytes:
    challenge = (
        before.contributions[-1].next_challenge if before.contributions else first_challenge(before.power)
    )
    proofs = []
    for number, (scalar, s) in enumerate(zip(scalars, points, strict=True)):
        g1_s = g1_to_limbs(s)
        g1_sx = scalar.g1_scale(limbs(g1_s)).tobytes()
        sp = _challenge_point(number, challenge, s, g1_from_limbs(g1_sx, "s times the secret"))
        proofs.append(KnowledgeProof(g1_s, g1_sx, scalar.g2_scale(limbs(g2_to_limbs(sp))).tobytes()))
    tau, alpha, beta = scalars
    starts = {"tau_g1": None, "tau_g2": None, "alpha_tau_g1": alpha, "beta_tau_g1": beta}
    made: dict[str, U64] = {}
    for part in _PARTS:
        source = getattr(before, part)
        scale = tau.g2_scale_powers if part == "tau_g2" else tau.g1_scale_powers
        made[part] = np.empty(source.shape, dtype=np.uint64)
        for begin, piece in _pieces(source):
            tell(part, begin, len(source))
            made[part][begin : begin + len(piece)] = scale(piece, starts[part], begin)
        tell(part, len(source), len(source))
    made["beta_g2"] = beta.g2_scale(np.array(before.beta_g2, dtype=np.uint64).reshape(1, 16))

    response = Blake2b(challenge, engine)
    total = sum(map(len, made.values()))
    done = 0
    for array in made.values():
        for _, piece in _pieces(array):
            tell("hash", done, total)
            response.update(compressed(engine, piece))
            done += len(piece)
    tell("hash", total, total)
    partial = response.partial()
    response.update(_public_key(proofs))
    answer = response.digest()
    following = blake2b(answer)
    for array in made.values():
        for _, piece in _pieces(array):
            following.update(uncompressed(engine, piece))
    contribution = TauContribution(
        made["tau_g1"][1].tobytes(),
        made["tau_g2"][1].tobytes(),
        made["alpha_tau_g1"][0].tobytes(),
        made["beta_tau_g1"][0].tobytes(),
        made["beta_g2"][0].tobytes(),
        proofs[0],
        proofs[1],
        proofs[2],
        partial,
        following.digest(),
        name,
        beacon,
    )
    write_ptau(
        after,
        power=before.power,
        tau_g1=made["tau_g1"],
        tau_g2=made["tau_g2"],
        alpha_tau_g1=made["alpha_tau_g1"],
        beta_tau_g1=made["beta_tau_g1"],
        beta_g2=made["beta_g2"][0],
        contributions=(*before.contributions, contribution),
    )
    return answer


def prepare_ptau(
    before: Ptau, after: str | os.PathLike[str], engine: Engine, progress: Progress | None = None
) -> None:
    """Writes the file with the Lagrange points of every level, which setups of circuits read."""
    tell = progress or nobody

    def lagrange(part: str, level: int) -> U64:
        n = 1 << level
        tell(part, n - 1, 4 << before.power if part == "tau_g1" else 2 << before.power)
        source = getattr(before, part)
        points = np.zeros((n, source.shape[1]), dtype=np.uint64)
        points[: len(source[:n])] = source[:n]  # one power is missing at the highest level of tau_g1
        return engine.g2_intt_points(points) if part == "tau_g2" else engine.g1_intt_points(points)

    write_ptau(
        after,
        power=before.power,
        ceremony_power=before.ceremony_power,
        tau_g1=before.tau_g1,
        tau_g2=before.tau_g2,
        alpha_tau_g1=before.alpha_tau_g1,
        beta_tau_g1=before.beta_tau_g1,
        beta_g2=before.beta_g2,
        contributions=before.contributions,
        lagrange=lagrange,
    )


# -- the check ---------------------------------------------------------------------------------------


def verify_ptau(powers: Ptau, engine: Engine, progress: Progress | None = None) -> CheckedPowers:
    """Checks that a file holds the powers of one tau, and that each contribution to it is honest.

    Each section must be a geometric row with the ratio tau of the last contribution (a random linear
    combination and a pairing), begin with that contribution's points, and hash to the challenge it names
    (not for powers cut out of a larger ceremony); Lagrange points must be the transforms of the powers; and
    every contribution must follow from the one before. Random factors are of 253 bits.

    Raises InvalidPowers naming the first thing that does not hold.
    """
    tell = progress or nobody
    path = powers.path
    if not powers.contributions:
        raise InvalidPowers(f"{path}: nobody contributed: tau is 1, and everybody knows it")
    _require_in_groups(powers, engine)
    for part, index, wanted, what in (
        ("tau_g1", 0, _ONE_G1.tobytes(), "the generator"),
        ("tau_g1", 1, powers.contributions[-1].tau_g1, "the last contribution's"),
        ("tau_g2", 0, _ONE_G2.tobytes(), "the generator"),
        ("tau_g2", 1, powers.contributions[-1].tau_g2, "the last contribution's"),
        ("alpha_tau_g1", 0, powers.contributions[-1].alpha_g1, "the last contribution's"),
        ("beta_tau_g1", 0, powers.contributions[-1].beta_g1, "the last contribution's"),
    ):
        if getattr(powers, part)[index].tobytes() != wanted:
            raise InvalidPowers(f"{path}: section {_SECTION[part]} ({part}): point {index} is not {what}")
    if powers.beta_g2.tobytes() != powers.contributions[-1].beta_g2:
        raise InvalidPowers(f"{path}: section 6 (beta_g2) is not the last contribution's")
    last = checked(f"{path}: section 7", lambda: _State.after(powers.contributions[-1]), InvalidPowers)
    for number, part in enumerate(_PARTS):
        tell("powers", number, len(_PARTS))
        if not _is_geometric(getattr(powers, part), last, engine):
            raise InvalidPowers(f"{path}: section {_SECTION[part]} ({part}): no powers of one tau")
    tell("powers", len(_PARTS), len(_PARTS))
    tell("contributions", 0, len(powers.contributions))
    responses = []
    state = _State.first(powers.ceremony_power)
    for number, one in enumerate(powers.contributions, 1):
        responses.append(_verify_contribution(powers, number, one, state, engine))
        state = _State.after(one)
        tell("contributions", number, len(powers.contributions))
    if powers.power == powers.ceremony_power:
        h = blake2b(responses[-1])
        for part in (*_PARTS, "beta_g2"):
            for _, piece in _pieces(getattr(powers, part).reshape(-1, 16 if "g2" in part else 8)):
                h.update(uncompressed(engine, piece))
        if h.digest() != powers.contributions[-1].next_challenge:
            raise InvalidPowers(f"{path}: section 7: the last contribution names another challenge")
    if powers.prepared:
        _verify_lagrange(powers, engine, tell)
    return CheckedPowers(tuple(zip(powers.contributions, responses, strict=True)), powers.prepared)


_SECTION = {"tau_g1": 2, "tau_g2": 3, "alpha_tau_g1": 4, "beta_tau_g1": 5}


@dataclass(frozen=True)
class _State:
    """The first powers, and the challenge, after a contribution."""

    tau_g1: G1Point
    tau_g2: G2Point
    alpha_g1: G1Point
    beta_g1: G1Point
    beta_g2: G2Point
    challenge: bytes

    @classmethod
    def first(cls, power: int) -> _State:
        return cls(
            g1.GENERATOR, g2.GENERATOR, g1.GENERATOR, g1.GENERATOR, g2.GENERATOR, first_challenge(power)
        )

    @classmethod
    def after(cls, one: TauContribution) -> _State:
        return cls(
            g1_from_limbs(one.tau_g1, "tau in G1"),
            g2_from_limbs(one.tau_g2, "tau in G2"),
            g1_from_limbs(one.alpha_g1, "alpha in G1"),
            g1_from_limbs(one.beta_g1, "beta in G1"),
            g2_from_limbs(one.beta_g2, "beta in G2"),
            one.next_challenge,
        )


def _verify_contribution(
    powers: Ptau, number: int, one: TauContribution, before: _State, engine: Engine
) -> bytes:
    """Returns the response, when the contribution's proofs hold and its points follow from those before."""
    at = f"{powers.path}: section 7: contribution {number}"
    if one.name:
        at += f" ({one.name})"
    after = checked(at, lambda: _State.after(one), InvalidPowers)
    given = (one.tau, one.alpha, one.beta)
    proofs: dict[str, tuple[G1Point, G1Point, G2Point, G2Point]] = {}
    for which, (name, proof) in enumerate(zip(_SECRETS, given, strict=True)):
        s, sx, spx = checked(at, lambda proof=proof: _knowledge(proof), InvalidPowers)  # type: ignore[misc]
        sp = _challenge_point(which, before.challenge, s, sx)
        if not same_ratio(s, sx, sp, spx, engine):
            raise InvalidPowers(f"{at}: its proof does not show that its maker knew {name}")
        proofs[name] = s, sx, sp, spx
    for name, old, new in (
        ("tau", before.tau_g1, after.tau_g1),
        ("alpha", before.alpha_g1, after.alpha_g1),
        ("beta", before.beta_g1, after.beta_g1),
    ):
        if not same_ratio(old, new, *proofs[name][2:], engine):
            raise InvalidPowers(f"{at}: its {name} in G1 is not the one before times its secret")
    for name, old_g2, new_g2 in (
        ("tau", before.tau_g2, after.tau_g2),
        ("beta", before.beta_g2, after.beta_g2),
    ):
        if not same_ratio(*proofs[name][:2], old_g2, new_g2, engine):
            raise InvalidPowers(f"{at}: its {name} in G2 is not the one before times its secret")
    if one.beacon is not None:
        if one.beacon.iterations_exp > MAX_ITERATIONS_EXP:
            raise InvalidPowers(
                f"{at}: a beacon of 2^{one.beacon.iterations_exp} iterations; 2^{MAX_ITERATIONS_EXP} can be "
                "checked"
            )
        draw = beacon_generator(one.beacon)
        factors = [draw.fr_mont() * pow(1 << 256, -1, FR_MODULUS) % FR_MODULUS for _ in _SECRETS]
        for name, factor in zip(_SECRETS, factors, strict=True):
            s = draw.g1()
            if proofs[name][:2] != (s, g1.mul(s, factor)):
                raise InvalidPowers(f"{at}: its points for {name} are not those of its beacon")
    try:
        response = Blake2b.resume(one.partial_hash)
    except ValueError as error:
        raise InvalidPowers(f"{at}: {error}") from None
    response.update(_public_key(given))
    return response.digest()


def _knowledge(proof: KnowledgeProof) -> tuple[G1Point, G1Point, G2Point]:
    return (
        g1_from_limbs(proof.g1_s, "s"),
        g1_from_limbs(proof.g1_sx, "s times its secret"),
        g2_from_limbs(proof.g2_spx, "its proof in G2"),
    )


def _challenge_point(which: int, challenge: bytes, s: G1Point, sx: G1Point) -> G2Point:
    """The point of G2 that a proof for secret ``which`` (0 tau, 1 alpha, 2 beta) must multiply."""
    return hash_to_g2(blake2b(bytes([which]) + challenge + g1_to_bytes(s) + g1_to_bytes(sx)).digest())


def _public_key(proofs: Sequence[KnowledgeProof]) -> bytes:
    """The points of three proofs, uncompressed, in the order in which they are hashed."""
    data = b""
    for proof in proofs:
        data += g1_to_bytes(g1_from_limbs(proof.g1_s, "s"))
        data += g1_to_bytes(g1_from_limbs(proof.g1_sx, "s times its secret"))
    return data + b"".join(g2_to_bytes(g2_from_limbs(proof.g2_spx, "proof")) for proof in proofs)


def _is_geometric(points: U64, last: _State, engine: Engine) -> bool:
    """Whether each point is tau times the one before, up to one chance in 2^253."""
    factors = random_scalars(len(points) - 1)
    if points.shape[1] == 8:
        low, high = (_sum(engine.g1_msm, points[i : i + len(factors)], factors) for i in (0, 1))
        if not (low.any() and high.any()):
            return False
        return same_ratio(_g1(low), _g1(high), g2.GENERATOR, last.tau_g2, engine)
    low, high = (_sum(engine.g2_msm, points[i : i + len(factors)], factors) for i in (0, 1))
    if not (low.any() and high.any()):
        return False
    return same_ratio(g1.GENERATOR, last.tau_g1, _g2(low), _g2(high), engine)


def _verify_lagrange(powers: Ptau, engine: Engine, tell: Progress) -> None:
    """sum r_j P_j = sum R_i L_i for random r and its transform R, since L is the inverse transform of P."""
    for part in _PARTS:
        msm = engine.g2_msm if part == "tau_g2" else engine.g1_msm
        top = powers.power + (1 if part == "tau_g1" else 0)
        for level in range(top + 1):
            tell(
                "lagrange", _PARTS.index(part) * (powers.power + 1) + min(level, powers.power), 4 * (top + 1)
            )
            factors = random_scalars(1 << level)
            if level > powers.power:
                factors[-1] = 0  # the power that the file has no room for
            lagrange = powers.lagrange_tau_g1(level) if part == "tau_g1" else None
            if lagrange is None:
                lagrange = getattr(powers.lagrange(level), part)
            plain = getattr(powers, part)[: 1 << level]
            one = _sum(msm, plain, factors[: len(plain)])
            if not np.array_equal(one, _sum(msm, lagrange, engine.ntt(factors))):
                raise InvalidPowers(
                    f"{powers.path}: section {_SECTION[part] + 10} ({part}): level {level} does not hold the "
                    "Lagrange points of its powers"
                )


def _require_in_groups(powers: Ptau, engine: Engine) -> None:
    for part in (*_PARTS, "beta_g2"):
        holds = engine.g2_is_in_subgroup if "g2" in part else engine.g1_is_on_curve
        array = getattr(powers, part).reshape(-1, 16 if "g2" in part else 8)
        for begin, piece in _pieces(array):
            good = holds(piece) & piece.any(axis=1)
            if not good.all():
                raise InvalidPowers(
                    f"{powers.path}: section {_SECTION.get(part, 6)} ({part}): point "
                    f"{begin + int(np.argmin(good))} is not a finite point of its group"
                )


def _pieces(points: U64) -> Iterator[tuple[int, U64]]:
    """The points in aligned copies, each with its place."""
    for begin in range(0, len(points), _PIECE):
        yield begin, np.array(points[begin : begin + _PIECE], dtype=np.uint64, order="C")


def _sum(msm: Callable[[U64, U64], U64], points: U64, factors: U64) -> U64:
    return msm(np.array(points, dtype=np.uint64, order="C"), np.ascontiguousarray(factors))


def _g1(point: U64) -> G1Point:
    return g1_from_limbs(point.tobytes(), "a sum")


def _g2(point: U64) -> G2Point:
    return g2_from_limbs(point.tobytes(), "a sum")
