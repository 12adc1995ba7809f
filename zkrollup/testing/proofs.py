"""Keys whose secrets are known and proofs made with them, for any number of public inputs, without a circuit.

This module must not know circuits or engines. Such a key proves nothing: whoever knows its secrets, as
everybody does here, proves anything. It is for tests and benches of verifiers.
"""

from __future__ import annotations

from hashlib import sha256

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254 import g1, g2
from zkrollup.groth16.keys import Proof, VerifyingKey

__all__ = ["simulated_proof"]


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
