"""Checks a Groth16 proof: e(A, B) = e(alpha, beta) e(vk_x, gamma) e(C, delta).

This module must not know what the public inputs mean. A proof that does not hold gives False; data that
is not a proof at all raises a :class:`MalformedInput`, as the precompiles fail on it.

Accepted are exactly n public inputs in 0 .. r - 1 and points of G1 and G2 with coordinates below q and
not at infinity (an honest prover's blinding makes that happen with probability 3/r). Nothing may key on
a proof's bytes: anyone can rerandomise a valid proof.

References: J. Groth, "On the Size of Pairing-Based Non-interactive Arguments", 2016; EIP-197.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from zkrollup.bn254 import g1
from zkrollup.bn254.encoding import MalformedInput, WrongLength, check_g1, check_g2
from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.bn254.pairing import Lines, final_exponentiation, miller_loop, prepare
from zkrollup.bn254.tower import FQ12_ONE, Fq12, fq12_mul
from zkrollup.groth16.keys import Proof, VerifyingKey

__all__ = ["PublicInputNotCanonical", "WrongNumberOfPublicInputs", "verify", "verify_bytes"]


class WrongNumberOfPublicInputs(MalformedInput):
    """The key asks for ``expected`` public inputs, ``got`` were given."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__("public inputs", f"expected {expected}, got {got}")
        self.expected, self.got = expected, got


class PublicInputNotCanonical(MalformedInput):
    """Public input ``index`` is not an integer in 0 .. r - 1, so another ``value`` would say the same."""

    def __init__(self, index: int, value: object) -> None:
        super().__init__(f"public input {index}", f"expected 0 <= x < r, got {value!r}")
        self.index, self.value = index, value


def verify(vk: VerifyingKey, public_inputs: Sequence[int], proof: Proof) -> bool:
    """Whether ``proof`` shows the statement of ``vk`` for ``public_inputs``.

    Arguments:
        vk: a verifying key; checked again here once (a key can be changed behind its constructor).
        public_inputs: ``vk.num_public`` canonical integers below r, in the circuit's order.
        proof: three points; checked here.
    Returns:
        True or False; raises :class:`MalformedInput` (one subclass a reason) for malformed arguments.
    """
    if len(public_inputs) != vk.num_public:
        raise WrongNumberOfPublicInputs(vk.num_public, len(public_inputs))
    for i, value in enumerate(public_inputs):
        if type(value) is not int or not 0 <= value < FR_MODULUS:
            raise PublicInputNotCanonical(i, value)
    if not isinstance(proof, Proof):
        raise MalformedInput("proof", f"expected a Proof, got {type(proof).__name__}")
    check_g1(proof.a, "proof A")
    check_g2(proof.b, "proof B")
    check_g1(proof.c, "proof C")
    key = _prepare(vk)
    vk_x = g1.add(vk.ic[0], g1.msm(vk.ic[1:], public_inputs))
    f = miller_loop(
        [
            (proof.a, prepare(proof.b)),
            (g1.negate(vk_x), key.gamma2),
            (g1.negate(proof.c), key.delta2),
        ]
    )
    return final_exponentiation(fq12_mul(f, key.alpha_beta)) == FQ12_ONE


def verify_bytes(vk: VerifyingKey, public: bytes, proof: bytes) -> bool:
    """:func:`verify` on bytes: 32 bytes big-endian a public input, 256 bytes the proof, no byte more."""
    if len(public) % 32:
        raise WrongLength("public inputs", 32 * vk.num_public, len(public))
    values = [int.from_bytes(public[i : i + 32], "big") for i in range(0, len(public), 32)]
    if len(values) != vk.num_public:
        raise WrongNumberOfPublicInputs(vk.num_public, len(values))
    return verify(vk, values, Proof.from_bytes(proof))


@dataclass(frozen=True)
class _Prepared:
    gamma2: Lines
    delta2: Lines
    alpha_beta: Fq12  # Miller value of (-alpha, beta); the final exponentiation is shared


@lru_cache(maxsize=32)
def _prepare(vk: VerifyingKey) -> _Prepared:
    """What depends on the key alone. Refuses a degenerate key however it came to be."""
    vk.validate()
    alpha_beta = miller_loop([(g1.negate(vk.alpha1), prepare(vk.beta2))])
    return _Prepared(prepare(vk.gamma2), prepare(vk.delta2), alpha_beta)
