"""Keys whose secrets are known and proofs made with them, for any number of public inputs, without a circuit.

This module must not know circuits or engines. Such a key proves nothing: whoever knows its secrets, as
everybody does here, proves anything. It is for tests and benches of verifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254 import g1, g2
from zkrollup.groth16.keys import Proof, VerifyingKey

__all__ = ["SimulatedKey", "simulated_proof"]


class SimulatedKey:
    """A key marked insecure, its secrets derived from ``seed``, and proofs of anything under it.

    Groth's simulator: C = (A B - alpha beta - IC gamma) / delta, all of them known numbers times the
    generators.
    """

    def __init__(self, num_public: int, seed: str = "") -> None:
        names = ("alpha", "beta", "gamma", "delta", *(f"ic {i}" for i in range(num_public + 1)))
        self._secret = {name: _draw(f"{seed} {num_public} {name}") for name in names}
        one, two = g1.GENERATOR, g2.GENERATOR
        self.vk = VerifyingKey(
            g1.mul(one, self._secret["alpha"]),
            g2.mul(two, self._secret["beta"]),
            g2.mul(two, self._secret["gamma"]),
            g2.mul(two, self._secret["delta"]),
            tuple(g1.mul(one, self._secret[f"ic {i}"]) for i in range(num_public + 1)),
            insecure=True,
        )

    def prove(self, public_inputs: Sequence[int], seed: str = "") -> Proof:
        """A proof that holds; another one for another ``seed``."""
        if len(public_inputs) != self.vk.num_public:
            raise ValueError(f"expected {self.vk.num_public} public inputs, got {len(public_inputs)}")
        secret = self._secret
        a, b = _draw(f"{seed} {public_inputs} a"), _draw(f"{seed} {public_inputs} b")
        total = secret["ic 0"] + sum(secret[f"ic {i + 1}"] * x for i, x in enumerate(public_inputs))
        c = (a * b - secret["alpha"] * secret["beta"] - total * secret["gamma"]) * pow(secret["delta"], -1, R)
        return Proof(g1.mul(g1.GENERATOR, a), g2.mul(g2.GENERATOR, b), g1.mul(g1.GENERATOR, c % R))


def _draw(label: str) -> int:
    return int.from_bytes(sha256(label.encode()).digest(), "big") % R


def simulated_proof(num_public: int) -> tuple[VerifyingKey, Proof, list[int]]:
    """A key marked insecure, a proof under it, and its public inputs; the same at every call.

    The first public input is 0 and the last r - 1. Groth's simulator: C = (A B - alpha beta - IC gamma) /
    delta, all of them known numbers times the generators.
    """
    count = 6 + 2 * num_public + 1
    draw = [int.from_bytes(sha256(f"{num_public} {i}".encode()).digest(), "big") % R for i in range(count)]
    alpha, beta, gamma, delta, a, b = draw[:6]
    ic, inputs = draw[6 : 7 + num_public], draw[7 + num_public :]
    if num_public:
        inputs[0] = 0
        inputs[-1] = R - 1
    total = sum(x * y for x, y in zip(ic, [1, *inputs], strict=True))
    c = (a * b - alpha * beta - total * gamma) * pow(delta, -1, R) % R
    one, two = g1.GENERATOR, g2.GENERATOR
    vk = VerifyingKey(
        g1.mul(one, alpha),
        g2.mul(two, beta),
        g2.mul(two, gamma),
        g2.mul(two, delta),
        tuple(g1.mul(one, x) for x in ic),
        insecure=True,
    )
    return vk, Proof(g1.mul(one, a), g2.mul(two, b), g1.mul(one, c)), inputs
