"""ECDSA on a small curve against the twin, case by case; on secp256k1 against eth_keys' signatures, and
proved."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import ecdsa as twin
from zkrollup.crypto.tables import MODULUS
from zkrollup.crypto.weierstrass import SECP256K1 as PLAIN
from zkrollup.cs import ConstraintSystem, ConstraintSystemError, System
from zkrollup.gadgets import secp256k1
from zkrollup.gadgets.ecdsa import ecdsa_verify, ethereum_address
from zkrollup.gadgets.endomorphism import SECP256K1
from zkrollup.gadgets.weierstrass import EmulatedPoint
from zkrollup.groth16.prove import prove
from zkrollup.groth16.setup import unsafe_setup
from zkrollup.testing import assert_lies_caught, assert_satisfied, assert_unsatisfied, find_hints
from zkrollup.verifier import verify

from .small_curves import CURVE_24, CURVE_31, twin_of

SMALL = twin_of(CURVE_31)
N, P = CURVE_31.order, CURVE_31.p
SECRET = 987654321 % N
KEY = SMALL.multiply(SECRET, SMALL.generator)
VECTORS = Path(__file__).parents[1] / "vectors" / "ecdsa" / "signatures.json"


def limbs(f, value):
    """The limbs of a value as it is, though it may not be below the modulus."""
    return [value >> f.limb_bits * i & (1 << f.limb_bits) - 1 for i in range(f.num_limbs)]


def recorded(curve, low_s=False, public=False):
    f, modulo_n = secp256k1.coordinates(curve), secp256k1.scalars(curve)
    cs = ConstraintSystem("ecdsa")
    with cs.scope("inputs"):
        digest, r, s = (modulo_n.input(cs, name) for name in ("digest", "r", "s"))
        key = EmulatedPoint(f.input(cs, "x"), f.input(cs, "y"))
    if public:
        weighted = [(limb, 1 << modulo_n.limb_bits * i) for i, limb in enumerate(digest.limbs)]
        cs.linear(weighted).assert_equal(cs.link("digest"), label="the hash modulo r is public")
    ecdsa_verify(cs, digest, r, s, key, low_s=low_s, curve=curve)
    return cs.freeze()


def inputs(curve, digest, r, s, key):
    f, modulo_n = secp256k1.coordinates(curve), secp256k1.scalars(curve)
    numbers = {"digest": digest, "r": r, "s": s}
    out = {name: limbs(modulo_n, value) for name, value in numbers.items()}
    return out | {c: limbs(f, v) for c, v in zip("xy", key, strict=True)}


@pytest.fixture(scope="module")
def small():
    return recorded(CURVE_31)


@pytest.fixture(scope="module")
def small_low():
    return recorded(CURVE_31, low_s=True)


def agree(template, digest, r, s, key, low_s=False):
    """Gadget and twin say the same; returns what."""
    valid = twin.verify(digest, r, s, key, low_s=low_s, curve=SMALL)
    (assert_satisfied if valid else assert_unsatisfied)(template, inputs=inputs(CURVE_31, digest, r, s, key))
    return valid


def signed(i):
    """(digest, r, s), which differ with i."""
    rng = random.Random(i)
    digest = rng.randrange(N)
    return digest, *twin.sign(SECRET, digest, rng.randrange(1, N), SMALL)


# -- valid ------------------------------------------------------------------------------------------------
def test_verify__takes_signatures_and_refuses_them_for_anything_else(small):
    other = SMALL.multiply(5, SMALL.generator)
    for i in range(8):
        digest, r, s = signed(i)
        assert agree(small, digest, r, s, KEY)
        assert agree(small, digest, r, N - s, KEY)
        for wrong in (
            (digest ^ 1, r, s, KEY),
            (digest, r ^ 1, s, KEY),
            (digest, r, s ^ 1, KEY),
            (digest, s, r, KEY),
            (digest, N - r, s, KEY),
            (digest, r, s, other),
            (digest, r, s, (KEY[0], P - KEY[1])),
        ):
            assert not agree(small, *wrong)


def test_verify__counts_the_hash_modulo_n(small):
    digest, r, s = signed(3)
    assert digest + N < 1 << 31
    assert agree(small, digest + N, r, s, KEY)


def test_verify__takes_a_hash_of_zero(small):
    """u1 = 0: R is a multiple of the key alone."""
    for digest in (0, N):
        r, s = twin.sign(SECRET, digest, 424242, SMALL)
        assert agree(small, digest, r, s, KEY)


def test_verify__takes_equal_parts_and_refuses_opposite_ones(small):
    """u1 G = u2 key: with u2 chosen, digest = u2 secret s. u1 G = -u2 key: R would be infinity."""
    u = 1357911
    point = SMALL.multiply(2 * u * SECRET % N, SMALL.generator)
    r = point[0] % N
    s = r * pow(u, -1, N) % N
    digest = u * SECRET * s % N
    assert agree(small, digest, r, s, KEY)
    assert not agree(small, N - digest, r, s, KEY)


def with_large_abscissa():
    """A signature whose R has an x of n or more: R first, then the key that it belongs to."""
    x = next(x for x in range(N, P) if (y := square_root(x**3 + CURVE_31.b)) is not None)
    point = (x, y)
    r, s, digest = x - N, 1122334455 % N, 99887766
    inverse = pow(r, -1, N)
    minus = SMALL.multiply((-digest * inverse) % N, SMALL.generator)
    return digest, r, s, SMALL.add(SMALL.multiply(s * inverse % N, point), minus)


def square_root(value):
    root = pow(value, (P + 1) // 4, P)
    return root if root * root % P == value % P else None


def test_verify__compares_r_modulo_n_where_x_exceeds_it(small):
    digest, r, s, key = with_large_abscissa()
    assert agree(small, digest, r, s, key)
    # r + n, which is the x itself, is no r.
    assert not agree(small, digest, r + N, s, key)


# -- ranges -----------------------------------------------------------------------------------------------
def failing(template, *case):
    check = assert_unsatisfied(template, inputs=inputs(CURVE_31, *case))
    return {(failure.scope, failure.label) for failure in check.failures}


def test_verify__refuses_r_and_s_out_of_range(small):
    digest, r, s = signed(1)
    for wrong in (0, N, N + 1, (1 << 31) - 1):
        assert not agree(small, digest, wrong, s, KEY)
        assert not agree(small, digest, r, wrong, KEY)
    assert ("ranges/r", "r is not zero") in failing(small, digest, 0, s, KEY)
    assert ("ranges/s", "s is not zero") in failing(small, digest, r, 0, KEY)
    # A signature with s + n or r + n: nothing but the range refuses it.
    digest, r, s = next(one for one in map(signed, range(99)) if max(one[1:]) + N < 1 << 31)
    assert {scope for scope, _ in failing(small, digest, r, s + N, KEY)} == {"ranges/s"}
    assert {scope for scope, _ in failing(small, digest, r + N, s, KEY)} == {"ranges/r"}


def test_low_s__refuses_the_higher_of_both(small_low):
    for i in range(6):
        digest, r, s = signed(i)
        low, high = sorted((s, N - s))
        assert agree(small_low, digest, r, low, KEY, low_s=True)
        assert not agree(small_low, digest, r, high, KEY, low_s=True)
        assert {scope for scope, _ in failing(small_low, digest, r, high, KEY)} == {"ranges/low s"}
    # The bound itself.
    middle = (N - 1) // 2
    r, key = key_for(middle)
    assert agree(small_low, 5, r, middle, key, low_s=True)
    assert not agree(small_low, 5, r, middle + 1, key, low_s=True)


def key_for(s):
    """r and a key for which (r, s) signs 5: R first, then the key."""
    point = SMALL.multiply(31337, SMALL.generator)
    r = point[0] % N
    return r, SMALL.multiply((s * 31337 - 5) * pow(r, -1, N) % N, SMALL.generator)


def test_verify__refuses_keys_that_are_no_points(small):
    digest, r, s = signed(2)
    for key in ((0, 0), (KEY[0], KEY[1] ^ 1), (KEY[0] ^ 1, KEY[1]), (1, 0)):
        assert not agree(small, digest, r, s, key)
        scopes = {scope for scope, _ in failing(small, digest, r, s, key)}
        assert any(scope.startswith("key/identity/the point is on the curve") for scope in scopes)


def test_verify__refuses_coordinates_that_are_not_below_p(small):
    """A key of small coordinates has others modulo p; the congruences do not mind, the range does."""
    secret, key = next(
        (k, q)
        for k in range(1, 999)
        if (q := SMALL.multiply(k, SMALL.generator))[0] + P < 1 << 31 and q[1] + P < 1 << 31
    )
    r, s = twin.sign(secret, 77, 4567, SMALL)
    assert agree(small, 77, r, s, key)
    for shifted in ((key[0] + P, key[1]), (key[0], key[1] + P)):
        assert not agree(small, 77, r, s, shifted)
        assert {scope for scope, _ in failing(small, 77, r, s, shifted)} == {"key"}


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.integers(1, N - 1),
    st.integers(0, 2**31 - 1),
    st.integers(1, N - 1),
    st.sampled_from(["", "digest", "r", "s", "key"]),
    st.integers(1, 2**31 - 1),
)
def test_verify__agrees_with_the_twin(small, secret, digest, nonce, changed, by):
    key = SMALL.multiply(secret, SMALL.generator)
    r, s = twin.sign(secret, digest, nonce, SMALL)
    values = {"digest": digest, "r": r, "s": s}
    if changed == "key":
        key = SMALL.multiply(by % N or 1, SMALL.generator)
    elif changed:
        values[changed] ^= by
    # What the docstring excludes: R is a unit times the key, or a sum meets the table.
    inverse = pow(values["s"], -1, N) if values["s"] % N else 0
    u, t = values["r"] * inverse % N, values["digest"] * inverse % N
    point = SMALL.add(SMALL.multiply(u, key), SMALL.multiply(t, SMALL.generator))
    units = [pow(CURVE_31.beta, k, P) * key[0] % P for k in range(3)]
    if point is None or point[0] not in units:
        agree(small, values["digest"], values["r"], values["s"], key)


def test_verify__is_refused_under_a_condition():
    f, modulo_n = secp256k1.coordinates(CURVE_24), secp256k1.scalars(CURVE_24)
    cs = ConstraintSystem("conditional")
    flag = cs.input_bool("flag")
    digest, r, s = (modulo_n.input(cs, name) for name in ("digest", "r", "s"))
    key = EmulatedPoint(f.input(cs, "x"), f.input(cs, "y"))
    with cs.when(flag), pytest.raises(ConstraintSystemError, match="compute it outside"):
        ecdsa_verify(cs, digest, r, s, key, curve=CURVE_24)


# -- lies -------------------------------------------------------------------------------------------------
def test_verify__catches_lies_about_the_relation(small):
    digest, r, s = signed(4)
    (relation, *_) = find_hints(small, "python", scope="relation")
    told = assert_lies_caught(small, inputs=inputs(CURVE_31, digest, r, s, KEY), hints=[relation])
    assert told > 100


def test_verify__takes_no_point_but_the_one_that_it_is_about(small):
    """r is the abscissa of a point of the prover's choice: its own relation holds for other scalars only."""
    digest, _, s = signed(5)
    (relation, *_) = find_hints(small, "python", scope="relation")
    chosen = signed(6)
    values = small.check({}, inputs(CURVE_31, *chosen, KEY)).values
    told = {relation: [values[column] for column in relation.columns]}
    check = assert_unsatisfied(small, inputs=inputs(CURVE_31, digest, chosen[1], s, KEY), override=told)
    assert all(
        failure.scope.startswith("scalars/identity/the relation is that of") for failure in check.failures
    )


def test_verify__takes_no_abscissa_above_p(small):
    """x + p is another number modulo n: r = x + p - n would be forged."""
    found = None
    for i in range(999):
        nonce = i + 2
        point = SMALL.multiply(nonce, SMALL.generator)
        if point[0] + P < 1 << 31:
            found = nonce, point
            break
    nonce, point = found
    r = (point[0] + P) % N
    digest = 2468
    s = pow(nonce, -1, N) * (digest + r * SECRET) % N
    (relation, *_) = find_hints(small, "python", scope="relation")
    f = secp256k1.coordinates(CURVE_31)

    def above(honest):
        x = f.value_of(honest[: f.num_limbs])
        assert x == point[0]
        return [*limbs(f, x + P), *honest[f.num_limbs :]]

    case = inputs(CURVE_31, digest, r, s, KEY)
    check = assert_unsatisfied(small, inputs=case, override={relation: above})
    assert {failure.scope for failure in check.failures} == {"abscissa"}


@pytest.mark.slow
def test_verify__catches_all_lies():
    template = recorded(CURVE_24)
    plain = twin_of(CURVE_24)
    r, s = twin.sign(4711, 815, 12345, plain)
    key = plain.multiply(4711, plain.generator)
    free = {"divide_or_zero#*": "the w of a comparison by runs, where D = Z = 0"}
    assert assert_lies_caught(template, inputs=inputs(CURVE_24, 815, r, s, key), allowed=free) > 1000


# -- secp256k1 --------------------------------------------------------------------------------------------
def cases():
    out = []
    for case in json.loads(VECTORS.read_text()):
        numbers = {name: int(case[name], 16) for name in ("digest", "r", "s", "address")}
        out.append(case | numbers | {"key": tuple(int(c, 16) for c in case["key"])})
    return out


def test_twin__says_what_eth_keys_says():
    assert len(cases()) == 30
    for case in cases():
        assert twin.verify(case["digest"], case["r"], case["s"], case["key"]) == case["valid"], case["name"]
        assert twin.ethereum_address(case["key"]) == case["address"]
    low = [twin.verify(c["digest"], c["r"], c["s"], c["key"], low_s=True) for c in cases()[:2]]
    assert low == [True, False]


def test_twin__refuses_a_nonce_that_makes_r_or_s_zero():
    with pytest.raises(ValueError, match="this nonce makes r or s zero; take another"):
        twin.sign(1, -PLAIN.generator[0], 1)


@pytest.fixture(scope="module")
def full():
    return recorded(SECP256K1, public=True)


@pytest.mark.slow
def test_verify__of_secp256k1_says_what_eth_keys_says(full):
    for case in cases()[:16]:
        given = inputs(SECP256K1, *(case[name] for name in ("digest", "r", "s", "key")))
        public = {"digest": case["digest"] % MODULUS}
        (assert_satisfied if case["valid"] else assert_unsatisfied)(full, links=public, inputs=given)


@pytest.mark.slow
def test_verify__of_secp256k1_is_proved_on_a_domain_of_2_to_the_17(full, engine):
    assert 1 << 16 < full.num_constraints < 1 << 17
    system = System("ecdsa", public=["digest"])
    system.add("verify", full).connect("digest", system.public("digest"))
    r1cs = system.freeze()
    key = unsafe_setup(r1cs, engine)
    case = cases()[10]
    given = inputs(SECP256K1, *(case[name] for name in ("digest", "r", "s", "key")))
    digest = case["digest"] % MODULUS
    proof = prove(key, r1cs, r1cs.witness(engine, {"digest": digest}, {"verify": [given]}), engine)
    assert verify(key.verifying_key, [digest], proof) is True
    assert verify(key.verifying_key, [digest + 1], proof) is False


@pytest.mark.slow
def test_address__is_that_of_eth_keys():
    f = secp256k1.coordinates()
    cs = ConstraintSystem("address")
    with cs.scope("inputs"):
        key = EmulatedPoint(f.input(cs, "x"), f.input(cs, "y"))
    cs.export("address", ethereum_address(cs, key))
    template = cs.freeze()
    for case in cases()[::10]:
        given = {c: limbs(f, v) for c, v in zip("xy", case["key"], strict=True)}
        assert assert_satisfied(template, inputs=given)["address"] == case["address"]


def test_address__refuses_coordinates_without_their_bits():
    f = secp256k1.coordinates()
    cs = ConstraintSystem("address")
    x = f.input(cs, "x")
    with pytest.raises(ValueError, match=r"reduced coordinates of 256 bits; use reduce\(cs, x\)"):
        ethereum_address(cs, EmulatedPoint(x, f.add(cs, x, x)))
