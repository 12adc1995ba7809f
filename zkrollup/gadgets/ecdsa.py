"""ECDSA over secp256k1, and the Ethereum address of a key.

This module must not know what is signed. Source: SEC 1, version 2.0, section 4.1.4.
"""

from __future__ import annotations

from zkrollup.cs import Bool, ConstraintSystem, UInt
from zkrollup.gadgets.bits import assert_long_bits_less_than, from_bits
from zkrollup.gadgets.compare import assert_nonzero
from zkrollup.gadgets.emulated import Element
from zkrollup.gadgets.endomorphism import SECP256K1, EndomorphicCurve
from zkrollup.gadgets.keccak import keccak256
from zkrollup.gadgets.secp256k1 import Solved, assert_relation, coordinates, scalars
from zkrollup.gadgets.weierstrass import EmulatedCurve, EmulatedPoint, assert_on_curve

__all__ = ["ecdsa_verify", "ethereum_address"]


def ecdsa_verify(
    cs: ConstraintSystem,
    message_hash: Element,
    r: Element,
    s: Element,
    public_key: EmulatedPoint,
    *,
    low_s: bool = False,
    curve: EndomorphicCurve = SECP256K1,
) -> None:
    """Demand that (r, s) is a signature of the hash under the key.

    Theorem: 0 < r < n and 0 < s < n, or s <= (n - 1) / 2 with ``low_s``; both coordinates of the key are
    below p and it is on the curve, so not infinity; and with u = r / s, t = hash / s modulo n there is a
    point R = u key + t G whose x, below p, is r modulo n: r or r + n.

    Ranges: ``message_hash``, ``r``, ``s`` are elements of ``scalars(curve)``, the coordinates of
    ``coordinates(curve)``; all but the hash have known bits, as :meth:`EmulatedField.input` makes them
    (``ValueError`` otherwise). The hash may be any 256 bits: it counts modulo n.

    Assumes: nothing for soundness. A valid signature has no witness where R is one of the six points
    +-w^i key or a partial sum is exceptional: see ``zkrollup.gadgets.secp256k1``. Rows: 122,406.

    Phases. (a) Ranges. (b) ``v R + a key + k G = O``, R on the curve and v, a not both 0 modulo n.
    (c) ``a s + v r = 0`` and ``k s + v hash = 0`` modulo n: s is not 0, so v = 0 would give a = 0; hence
    R = -(a / v) key - (k / v) G. (d) x(R) < p, and x(R) = r (mod n).

    Free: v, a and k, which have several short values.
    """
    f, modulo_n, n = coordinates(curve), scalars(curve), curve.order
    with cs.scope("ranges"):
        for scalar, name in ((r, "r"), (s, "s")):
            with cs.scope(name):
                modulo_n.assert_canonical(cs, scalar)
                # Of a canonical element the sum of the limbs is 0 only if all are.
                assert_nonzero(cs, cs.sum(scalar.limbs), label=f"{name} is not zero")
        if low_s:
            assert s.bits is not None
            with cs.scope("low s"):
                assert_long_bits_less_than(cs, s.bits, (n - 1) // 2 + 1)
    with cs.scope("key"):
        for c in (public_key.x, public_key.y):
            f.assert_canonical(cs, c)
        assert_on_curve(cs, EmulatedCurve(f, 0, curve.b), public_key)

    def solve(digest: int, r: int, s: int, x: int, y: int) -> Solved:
        inverse = pow(s, -1, n) if s % n else 0
        u, t = r * inverse % n, digest * inverse % n
        return Solved(curve.add(curve.multiply(u, (x, y)), curve.multiply(t, curve.generator)), u, t)

    operands = [message_hash, r, s, public_key.x, public_key.y]
    point, v, a, k = assert_relation(cs, public_key, operands, solve, True, curve)
    assert k is not None
    with cs.scope("scalars"):
        modulo_n.assert_zero(cs, [(1, a, s), (1, v, r)], label="the relation is that of r by s")
        modulo_n.assert_zero(cs, [(1, k, s), (1, v, message_hash)], label="the relation is that of hash by s")
    with cs.scope("abscissa"):
        f.assert_canonical(cs, point.x)
        x = Element(modulo_n, point.x.limbs, point.x.bounds)
        modulo_n.assert_equal(cs, x, r, label="r is the abscissa modulo n")


def ethereum_address(cs: ConstraintSystem, public_key: EmulatedPoint) -> UInt:
    """The Ethereum address of a key, 160 bits: the last of Keccak-256 of both coordinates, big-endian.

    Ranges: coordinates of secp256k1 with known bits (``ValueError`` otherwise). **Assumes: they are below
    p**, as :func:`ecdsa_verify` demands; else a key has more than one address.
    """
    message: list[Bool] = []
    for coordinate in (public_key.x, public_key.y):
        if coordinate.bits is None or len(coordinate.bits) != 256:
            raise ValueError("an address is of reduced coordinates of 256 bits; use reduce(cs, x)")
        for at in range(248, -1, -8):
            message += coordinate.bits[at : at + 8]
    digest = keccak256(cs, message)
    bits = [bit for at in range(248, 88, -8) for bit in digest[at : at + 8]]
    return UInt.unchecked(from_bits(cs, bits), 160, bits)
