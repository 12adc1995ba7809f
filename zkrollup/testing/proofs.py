"""Keys whose secrets are known and proofs made with them, for any number of public inputs, without a circuit.

This module must not know circuits or engines. Such a key proves nothing: whoever knows its secrets, as
everybody does here, proves anything. It is for tests and benches of verifiers.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from zkrollup.bn254 import FR_MODULUS, g1, g2
from zkrollup.groth16.keys import Proof, VerifyingKey

__all__ = ["SimulatedKey", "simulated_proof"]


class SimulatedKey:
    """A verifying key together with its toxic waste: :meth:`unsafe_prove` proves whatever is asked.

    The key is marked insecure and follows from ``seed``; a rollup has three public inputs.
    e(A, B) = e(alpha, beta) e(vk_x, gamma) e(C, delta) is solved for C in the exponents.
    """

    def __init__(self, num_public: int = 3, seed: int | str = 1) -> None:
        self._random = random.Random(seed)
        self._alpha, self._beta, self._gamma, self._delta, *self._ic = (
            self._scalar() for _ in range(5 + num_public)
        )
        self.verifying_key = VerifyingKey(
            g1.mul(g1.GENERATOR, self._alpha),
            g2.mul(g2.GENERATOR, self._beta),
            g2.mul(g2.GENERATOR, self._gamma),
            g2.mul(g2.GENERATOR, self._delta),
            tuple(g1.mul(g1.GENERATOR, scalar) for scalar in self._ic),
            insecure=True,
        )

    def unsafe_prove(self, public: Sequence[int]) -> Proof:
        """A proof that verifies for exactly these public inputs, another one at every call."""
        a, b = self._scalar(), self._scalar()
        inputs = sum(ic * x for ic, x in zip(self._ic, (1, *public), strict=True))
        c = (a * b - self._alpha * self._beta - self._gamma * inputs) * pow(self._delta, -1, FR_MODULUS)
        return Proof(g1.mul(g1.GENERATOR, a), g2.mul(g2.GENERATOR, b), g1.mul(g1.GENERATOR, c % FR_MODULUS))

    def _scalar(self) -> int:
        return self._random.randrange(1, FR_MODULUS)


def simulated_proof(num_public: int) -> tuple[VerifyingKey, Proof, list[int]]:
    """A key marked insecure, a proof under it, and its public inputs; the same at every call.

    The first public input is 0 and the last r - 1.
    """
    key, draw = SimulatedKey(num_public), random.Random(num_public)
    inputs = [draw.randrange(FR_MODULUS) for _ in range(num_public)]
    if inputs:
        inputs[0] = 0
        inputs[-1] = FR_MODULUS - 1
    return key.verifying_key, key.unsafe_prove(inputs), inputs
