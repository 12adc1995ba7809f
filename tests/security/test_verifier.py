"""PROPERTIES V1 to V5 for the pure-Python verifier, on keys made from known toy toxic waste."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS as Q
from zkrollup.bn254.fields import FR_MODULUS as R
from zkrollup.bn254.pairing import pairing_check
from zkrollup.groth16.keys import DegenerateKey, Proof, VerifyingKey
from zkrollup.verifier import (
    CoordinateNotCanonical,
    MalformedInput,
    NotInSubgroup,
    NotOnCurve,
    PointAtInfinity,
    PublicInputNotCanonical,
    WrongLength,
    WrongNumberOfPublicInputs,
    verify,
    verify_bytes,
)

# On the twist, outside the subgroup of order r.
OUTSIDE = (
    (1, 0),
    (
        3610091866386166428467545612961983990332663701371483510632385378352395651980,
        15975588672102553735566230729081043132501226101599136527557730645158523614371,
    ),
)

# "The prover knows a, b, c with a b = t, t c = p, (a + b + c) 1 = s", public p and s.
# Wires 1, p, s, a, b, c, t; a row is three maps wire -> coefficient.
ROWS = (
    ({3: 1}, {4: 1}, {6: 1}),
    ({6: 1}, {5: 1}, {1: 1}),
    ({3: 1, 4: 1, 5: 1}, {0: 1}, {2: 1}),
)
NUM_WIRES, NUM_PUBLIC = 7, 2
DOMAIN = (1, 2, 3)


def inverse(x):
    return pow(x, -1, R)


def on_g1(k):
    return g1.mul(g1.GENERATOR, k)


def on_g2(k):
    return g2.mul(g2.GENERATOR, k % R)


@dataclass(frozen=True)
class Toy:
    """Groth16 over the QAP of ROWS in plain integers: everything an honest setup forgets is kept."""

    tau: int = 1111111
    alpha: int = 2222222
    beta: int = 3333333
    gamma: int = 4444444
    delta: int = 5555555

    def columns(self):
        """A_j, B_j, C_j at tau for each wire j, by Lagrange's formula."""
        lagrange = []
        for i in DOMAIN:
            value = 1
            for j in DOMAIN:
                if i != j:
                    value = value * (self.tau - j) * inverse(i - j) % R
            lagrange.append(value)
        return [
            tuple(
                sum(row[m].get(j, 0) * lag for row, lag in zip(ROWS, lagrange, strict=True)) % R
                for m in range(3)
            )
            for j in range(NUM_WIRES)
        ]

    def combined(self):
        return [(self.beta * a + self.alpha * b + c) % R for a, b, c in self.columns()]

    def verifying_key(self):
        ic = [on_g1(x * inverse(self.gamma)) for x in self.combined()[: NUM_PUBLIC + 1]]
        return VerifyingKey(
            on_g1(self.alpha),
            on_g2(self.beta),
            on_g2(self.gamma),
            on_g2(self.delta),
            tuple(ic),
            insecure=True,
        )

    def prove(self, a, b, c, seed=1):
        """The public inputs and an honest proof for a, b, c."""
        generator = random.Random(seed)
        blind_a, blind_b = generator.randrange(R), generator.randrange(R)
        t = a * b % R
        wires = [1, t * c % R, (a + b + c) % R, a, b, c, t]
        at = [
            sum(w * column[m] for w, column in zip(wires, self.columns(), strict=True)) % R for m in range(3)
        ]
        quotient_times_z = at[0] * at[1] - at[2]  # H(tau) Z(tau): the rows hold, so Z divides
        proof_a = self.alpha + at[0] + blind_a * self.delta
        proof_b = self.beta + at[1] + blind_b * self.delta
        secret = sum(w * x for w, x in list(zip(wires, self.combined(), strict=True))[NUM_PUBLIC + 1 :])
        proof_c = (
            (secret + quotient_times_z) * inverse(self.delta)
            + proof_a * blind_b
            + proof_b * blind_a
            - blind_a * blind_b * self.delta
        )
        return wires[1 : NUM_PUBLIC + 1], Proof(on_g1(proof_a), on_g2(proof_b), on_g1(proof_c))


TOY = Toy()


@pytest.fixture(scope="module")
def vk():
    return TOY.verifying_key()


@pytest.fixture(scope="module")
def honest():
    return TOY.prove(3, 5, 7)


def as_bytes(values):
    return b"".join(value.to_bytes(32, "big") for value in values)


def test_honest_proof__verifies(vk, honest):
    public, proof = honest
    assert public == [105, 15]
    assert verify(vk, public, proof)
    assert verify_bytes(vk, as_bytes(public), proof.to_bytes())
    assert not verify(vk, [106, 15], proof)
    assert not verify(vk, [105, 16], proof)


@pytest.mark.parametrize("p", [0, 1, R - 1, R - 2, Q % R, (Q - 1) % R, ((1 << 256) - 1) % R])
def test_public_input__plus_a_multiple_of_r_is_refused(vk, p):
    """V1: the statement about p holds, said as p + k r it is refused for every k below 2^256."""
    public, proof = TOY.prove(p, 1, 1)
    assert public[0] == p
    assert verify(vk, public, proof)
    aliases = [*range(p + R, 1 << 256, R), p - R, p + R * R, p + (1 << 256) * R]
    assert len(aliases) >= 7
    for alias in aliases:
        with pytest.raises(PublicInputNotCanonical, match="public input 0: expected 0 <= x < r") as caught:
            verify(vk, [alias, public[1]], proof)
        assert (caught.value.index, caught.value.value) == (0, alias)
        if 0 <= alias < 1 << 256:
            with pytest.raises(PublicInputNotCanonical):
                verify_bytes(vk, as_bytes([alias, public[1]]), proof.to_bytes())


@pytest.mark.parametrize(
    ("value", "accepted"), [(R - 1, True), (R, False), (R + 1, False), (Q - 1, False), (Q, False)]
)
def test_public_input__is_bounded_by_r_and_not_by_q(vk, value, accepted):
    """V1: r - 1, r, r + 1, q - 1, q."""
    public, proof = TOY.prove(value % R, 1, 1)
    if accepted:
        assert verify(vk, [value, public[1]], proof)
    else:
        with pytest.raises(PublicInputNotCanonical):
            verify(vk, [value, public[1]], proof)


@pytest.mark.parametrize("value", [True, 105.0, "105", None])
def test_public_input__must_be_an_integer(vk, honest, value):
    """V1"""
    with pytest.raises(PublicInputNotCanonical):
        verify(vk, [value, 15], honest[1])


@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_public_inputs__must_be_exactly_n(vk, honest, count):
    """V2"""
    public, proof = honest
    given_inputs = [*public, 0, 0][:count]
    with pytest.raises(WrongNumberOfPublicInputs, match=f"public inputs: expected 2, got {count}"):
        verify(vk, given_inputs, proof)
    with pytest.raises(WrongNumberOfPublicInputs):
        verify_bytes(vk, as_bytes(given_inputs), proof.to_bytes())


@pytest.mark.parametrize("extra", [b"\0", b"\1", bytes(31), bytes(33)])
def test_bytes__may_not_trail_or_lack(vk, honest, extra):
    """V2"""
    public, proof = as_bytes(honest[0]), honest[1].to_bytes()
    for wrong in (public + extra, public[: -len(extra)]):
        with pytest.raises(WrongLength, match="public inputs: expected 64 bytes"):
            verify_bytes(vk, wrong, proof)
    for wrong in (proof + extra, proof[: -len(extra)], b""):
        with pytest.raises(WrongLength, match="proof: expected 256 bytes"):
            verify_bytes(vk, public, wrong)


def unchecked(vk, **changes):
    """A key changed behind its constructor, as a careless caller or a bug could."""
    key = object.__new__(VerifyingKey)
    for name, value in (vars(vk) | changes).items():
        object.__setattr__(key, name, value)
    return key


@pytest.mark.parametrize("sign", [1, -1])
def test_key_with_gamma_equal_to_delta__is_refused_by_constructor_loader_verifier_exporter(vk, sign):
    """V3: A = alpha, B = beta, C = -+vk_x satisfies the equation for any public inputs at all."""
    delta = vk.gamma2 if sign == 1 else g2.negate(vk.gamma2)
    key = unchecked(vk, delta2=delta)
    public = [123, 456]  # no a, b, c were ever chosen
    vk_x = g1.add(key.ic[0], g1.msm(key.ic[1:], public))
    forged = Proof(key.alpha1, key.beta2, g1.negate(vk_x) if sign == 1 else vk_x)
    equation = [
        (forged.a, forged.b),
        (g1.negate(key.alpha1), key.beta2),
        (g1.negate(vk_x), key.gamma2),
        (g1.negate(forged.c), key.delta2),
    ]
    assert pairing_check(equation), "the forgery is one"
    with pytest.raises(DegenerateKey, match="can be forged by anyone"):
        verify(key, public, forged)
    with pytest.raises(DegenerateKey):
        VerifyingKey(key.alpha1, key.beta2, key.gamma2, key.delta2, key.ic, insecure=True)
    document = json.loads(vk.to_json())
    document["vk_delta_2"] = [*([str(re), str(im)] for re, im in delta), ["1", "0"]]
    with pytest.raises(DegenerateKey):
        VerifyingKey.from_json(json.dumps(document))
    for exporter in (key.to_json, key.to_montgomery_bytes):
        with pytest.raises(DegenerateKey):
            exporter()
    with pytest.raises(DegenerateKey):
        Toy(delta=sign * TOY.gamma % R).verifying_key()


def test_forgery_for_gamma_equal_to_delta__fails_under_a_sound_key(vk):
    """V3"""
    public = [123, 456]
    vk_x = g1.add(vk.ic[0], g1.msm(vk.ic[1:], public))
    assert not verify(vk, public, Proof(vk.alpha1, vk.beta2, g1.negate(vk_x)))


BAD_G1 = [
    ("infinity", lambda p: g1.INFINITY, PointAtInfinity),
    ("off the curve", lambda p: (p[0], (p[1] + 1) % Q), NotOnCurve),
    ("x zero", lambda p: (0, p[1]), NotOnCurve),
    ("x + q", lambda p: (p[0] + Q, p[1]), CoordinateNotCanonical),
    ("y + q", lambda p: (p[0], p[1] + Q), CoordinateNotCanonical),
    ("x = q", lambda p: (Q, 0), CoordinateNotCanonical),
]
BAD_G2 = [
    ("infinity", lambda p: g2.INFINITY, PointAtInfinity),
    ("off the curve", lambda p: (p[0], (p[1][0], (p[1][1] + 1) % Q)), NotOnCurve),
    ("parts swapped", lambda p: (p[0][::-1], p[1][::-1]), NotOnCurve),
    ("x.re + q", lambda p: ((p[0][0] + Q, p[0][1]), p[1]), CoordinateNotCanonical),
    ("x.im + q", lambda p: ((p[0][0], p[0][1] + Q), p[1]), CoordinateNotCanonical),
    ("y.re + q", lambda p: (p[0], (p[1][0] + Q, p[1][1])), CoordinateNotCanonical),
    ("y.im + q", lambda p: (p[0], (p[1][0], p[1][1] + Q)), CoordinateNotCanonical),
    ("outside the subgroup", lambda p: OUTSIDE, NotInSubgroup),
    ("shifted out of the subgroup", lambda p: g2.add(p, g2.mul(OUTSIDE, R)), NotInSubgroup),
]


@pytest.mark.parametrize("place", ["a", "c"])
@pytest.mark.parametrize(("change", "error"), [case[1:] for case in BAD_G1], ids=[case[0] for case in BAD_G1])
def test_proof__with_a_bad_point_of_g1_is_refused(vk, honest, place, change, error):
    """V4"""
    public, proof = honest
    points = {"a": proof.a, "b": proof.b, "c": proof.c}
    bad = Proof(**(points | {place: change(points[place])}))
    with pytest.raises(error, match=f"proof {place.upper()}: "):
        verify(vk, public, bad)
    with pytest.raises(error):
        verify_bytes(vk, as_bytes(public), bad.to_bytes())


@pytest.mark.parametrize(("change", "error"), [case[1:] for case in BAD_G2], ids=[case[0] for case in BAD_G2])
def test_proof__with_a_bad_point_of_g2_is_refused(vk, honest, change, error):
    """V4: on the curve is not enough; infinity is a point of EIP-197 and still no proof."""
    public, proof = honest
    bad = Proof(proof.a, change(proof.b), proof.c)
    with pytest.raises(error, match="proof B: "):
        verify(vk, public, bad)
    with pytest.raises(error):
        verify_bytes(vk, as_bytes(public), bad.to_bytes())


@pytest.mark.parametrize("name", ["alpha1", "beta2", "gamma2", "delta2", "ic"])
def test_key__changed_behind_its_constructor_is_refused(vk, honest, name):
    """V4: a point at infinity in the key would make part of the equation vanish."""
    zero = {"alpha1": g1.INFINITY, "ic": (vk.ic[0], g1.INFINITY, vk.ic[2])}.get(name, g2.INFINITY)
    with pytest.raises(PointAtInfinity, match=f"verifying key {name}"):
        verify(unchecked(vk, **{name: zero}), *honest)


@pytest.mark.parametrize("bad", [g1.INFINITY, (0, 0)])
def test_all_zero_proof__is_refused(vk, bad):
    """V4: all zero bytes."""
    with pytest.raises(PointAtInfinity):
        verify(vk, [0, 0], Proof(bad, g2.INFINITY, bad))
    with pytest.raises(PointAtInfinity):
        verify_bytes(vk, bytes(64), bytes(256))


@settings(max_examples=5, deadline=None)
@given(st.integers(1, R - 1), st.integers(0, R - 1))
def test_proof__rerandomised_by_anyone_verifies(vk, honest, k, m):
    """V5: (A / k, k B + k m delta, C + m A) is another valid proof of the same statement."""
    public, proof = honest
    other = Proof(
        g1.mul(proof.a, inverse(k)),
        g2.add(g2.mul(proof.b, k), g2.mul(vk.delta2, k * m % R)),
        g1.add(proof.c, g1.mul(proof.a, m)),
    )
    assert verify(vk, public, other)
    if (k, m) != (1, 0):
        assert other.to_bytes() != proof.to_bytes()
    assert not verify(vk, [public[0] + 1, public[1]], other)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8 * (256 + 64) - 1))
def test_bit_flip__is_never_accepted(vk, honest, bit):
    """V1, V4: any single bit of proof or public inputs."""
    data = bytearray(honest[1].to_bytes() + as_bytes(honest[0]))
    data[bit // 8] ^= 1 << bit % 8
    try:
        accepted = verify_bytes(vk, bytes(data[256:]), bytes(data[:256]))
    except MalformedInput:
        accepted = False
    assert accepted is False


def test_proof__of_one_key_fails_under_another(honest):
    """V11, as far as a verifier sees it: another key is another statement."""
    assert not verify(Toy(tau=7654321).verifying_key(), *honest)
