"""PROPERTIES C11 and C18: which signatures pass, and why Poseidon's permutation compresses."""

from __future__ import annotations

import pytest

from zkrollup.crypto import babyjubjub as curve
from zkrollup.crypto import eddsa
from zkrollup.crypto.babyjubjub import BASE8, GENERATOR, IDENTITY, ORDER
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.poseidon import permute_reference, poseidon
from zkrollup.crypto.tables import MODULUS, poseidon_parameters

KEY = PrivateKey(bytes(range(32)))
MESSAGE = 1234567890
TORSION = [curve.mul(GENERATOR, i * ORDER) for i in range(8)]


def challenge(r8, key, message):
    return poseidon([*r8, *key, message])


def test_torsion__has_eight_points():
    """C11"""
    assert len(set(TORSION)) == 8
    assert all(curve.is_on_curve(point) and curve.mul(point, 8) == IDENTITY for point in TORSION)


def test_verify__refuses_s_that_is_not_below_l():
    """C11"""
    r8x, r8y, s = KEY.sign(MESSAGE)
    assert eddsa.verify(KEY.public_key, MESSAGE, (r8x, r8y, s))
    assert curve.mul(BASE8, s + ORDER) == curve.mul(BASE8, s)  # only the range stands against S + l
    for other in (*(s + k * ORDER for k in range(1, 8)), s - ORDER, -s, MODULUS, ORDER, (1 << 256) - 1):
        assert not eddsa.verify(KEY.public_key, MESSAGE, (r8x, r8y, other))


@pytest.mark.parametrize("key", TORSION)
@pytest.mark.parametrize("r8", TORSION)
def test_verify__refuses_every_key_of_low_order(key, r8):
    """C11: with 8 A = identity, S = 0 and R8 = identity would hold for every message."""
    assert not eddsa.verify(key, MESSAGE, (*r8, 0))
    nonce = 99
    assert not eddsa.verify(key, MESSAGE, (*curve.mul(BASE8, nonce), nonce))


@pytest.mark.parametrize("torsion", TORSION[1:])
def test_verify__refuses_a_torsion_component_in_r8(torsion):
    """C11: the equation is cofactorless in R8, so R8 + T passes for no T but the identity."""
    nonce = 424242
    r8 = curve.add(curve.mul(BASE8, nonce), torsion)
    s = (nonce + challenge(r8, KEY.public_key, MESSAGE) * KEY._scalar) % ORDER
    assert not eddsa.verify(KEY.public_key, MESSAGE, (*r8, s))
    honest = curve.mul(BASE8, nonce)
    s = (nonce + challenge(honest, KEY.public_key, MESSAGE) * KEY._scalar) % ORDER
    assert eddsa.verify(KEY.public_key, MESSAGE, (*honest, s))


@pytest.mark.parametrize("torsion", TORSION[1:])
def test_verify__treats_a_key_of_mixed_order_as_another_key(torsion):
    """C11: 8 (A + T) = 8 A, so the owner of A can sign for A + T, but no signature serves both."""
    mixed = curve.add(KEY.public_key, torsion)
    r8x, r8y, s = KEY.sign(MESSAGE)
    assert not eddsa.verify(mixed, MESSAGE, (r8x, r8y, s))
    nonce = 77
    r8 = curve.mul(BASE8, nonce)
    s = (nonce + challenge(r8, mixed, MESSAGE) * KEY._scalar) % ORDER
    assert eddsa.verify(mixed, MESSAGE, (*r8, s))
    assert not eddsa.verify(KEY.public_key, MESSAGE, (*r8, s))


@pytest.mark.parametrize("r8", TORSION)
def test_verify__follows_the_equation_for_r8_of_low_order(r8):
    """C11: R8 = identity is an honest nonce of 0 (circomlibjs accepts it too); other torsion fails."""
    s = challenge(r8, KEY.public_key, MESSAGE) * KEY._scalar % ORDER
    assert eddsa.verify(KEY.public_key, MESSAGE, (*r8, s)) is (r8 == IDENTITY)


def test_verify__refuses_coordinates_that_are_not_canonical_or_off_the_curve():
    """C11"""
    (x, y), (r8x, r8y, s) = KEY.public_key, KEY.sign(MESSAGE)
    for key in [(x + MODULUS, y), (x, y + MODULUS), (x - MODULUS, y), (x, y + 1), (0, 0)]:
        assert not eddsa.verify(key, MESSAGE, (r8x, r8y, s))
    for r8 in [(r8x + MODULUS, r8y), (r8x, r8y + MODULUS), (r8x, r8y - MODULUS), (r8x + 1, r8y), (0, 0)]:
        assert not eddsa.verify((x, y), MESSAGE, (*r8, s))


def invert(state):
    """The inverse of Poseidon's permutation: what an attacker computes."""
    table = poseidon_parameters(len(state))
    t, half = table.t, table.rounds_full // 2
    fifth_root = pow(5, -1, MODULUS - 1)
    rows = [[*row, *(int(i == j) for j in range(t))] for i, row in enumerate(table.mds)]
    for i in range(t):
        scale = pow(rows[i][i], -1, MODULUS)
        rows[i] = [value * scale % MODULUS for value in rows[i]]
        for k in range(t):
            if k != i:
                rows[k] = [(a - rows[k][i] * b) % MODULUS for a, b in zip(rows[k], rows[i], strict=True)]
    unmix = [row[t:] for row in rows]
    lanes = list(state)
    for i in reversed(range(table.rounds_full + table.rounds_partial)):
        lanes = [sum(m * lane for m, lane in zip(row, lanes, strict=True)) % MODULUS for row in unmix]
        partial = half <= i < half + table.rounds_partial
        for lane in range(1 if partial else t):
            lanes[lane] = pow(lanes[lane], fifth_root, MODULUS)
        constants = table.round_constants[i * t : (i + 1) * t]
        lanes = [(lane - c) % MODULUS for lane, c in zip(lanes, constants, strict=True)]
    return lanes


@pytest.mark.parametrize("inputs", [2, 4, 5])
def test_poseidon__resists_the_inversion_attack(inputs):
    """C18: the permutation is invertible, and inverting it gives no preimage of the hash.

    The attacker knows a digest, makes up the lanes that are not output and walks backwards. That gives
    a state which the permutation does map to the digest, but whose first lane is not the 0 it must be.
    Were the first lane an input or all lanes outputs, the same walk would be a preimage.
    """
    digest = poseidon(list(range(inputs)))
    for guess in range(3):
        start = invert([digest, *range(guess, guess + inputs)])
        assert permute_reference(start)[0] == digest
        assert start[0] != 0
        assert poseidon(start[1:]) != digest
    everything = permute_reference([0, *range(inputs)])
    assert invert(everything) == [0, *range(inputs)]
