"""Each row of the hashes' and the curve's gadgets is missed when it is dropped."""

from __future__ import annotations

import random

import pytest

from zkrollup.crypto import babyjubjub as curve
from zkrollup.crypto.tables import BASE8, GENERATOR, MODULUS, ORDER
from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets import babyjubjub, eddsa, mimc, pedersen, points, poseidon2
from zkrollup.gadgets.babyjubjub import Edwards, Montgomery
from zkrollup.gadgets.curve_tables import montgomery_coordinates
from zkrollup.testing import assert_every_row_needed

P = curve.mul_base8(1234567)
Q = curve.add(curve.mul_base8(ORDER - 3), curve.mul(GENERATOR, ORDER))


def bits(number: int, n: int) -> list[int]:
    return [number >> i & 1 for i in range(n)]


def packed(point) -> list[int]:
    return bits(int.from_bytes(curve.pack(point), "little"), 256)


def fields(n: int) -> list[dict]:
    rng = random.Random(n)
    return [{"x": [rng.randrange(MODULUS) for _ in range(n)]} for _ in range(2)]


def points_of(*given) -> list[dict]:
    return [{"x": [*point]} for point in given]


def over_fields(n, gadget):
    def body(cs):
        return gadget(cs, cs.input_array("x", n))

    return body


def over_bits(n, gadget):
    def body(cs):
        return gadget(cs, cs.input_bool_array("x", n))

    return body


EDWARDS = [[*P, *Q], [*BASE8, *BASE8]]
MONTGOMERY = [[*montgomery_coordinates(P), *montgomery_coordinates(Q)]]

CASES = {
    "poseidon2 permutation": (over_fields(4, poseidon2.permute), fields(4)),
    "poseidon2 compression": (over_fields(2, lambda cs, x: [poseidon2.compress(cs, x)]), fields(2)),
    "mimc7": (over_fields(2, lambda cs, x: [mimc.mimc7_hash(cs, x)]), fields(2)),
    "mimc sponge": (over_fields(2, mimc.mimc_sponge), fields(2)),
    "pedersen": (over_bits(16, pedersen.pedersen_hash), [{"x": bits(k, 16)} for k in (0, 12345, 54321)]),
    "pedersen, two segments": (
        over_bits(204, pedersen.pedersen_hash),
        [{"x": bits(k, 204)} for k in (1, 3**128, (1 << 204) - 1)],
    ),
    "on curve": (
        over_fields(2, lambda cs, x: babyjubjub.assert_on_curve(cs, Edwards(*x))),
        points_of(P, Q),
    ),
    "edwards addition": (
        over_fields(4, lambda cs, x: babyjubjub.add(cs, Edwards(*x[:2]), Edwards(*x[2:]))),
        [{"x": x} for x in EDWARDS],
    ),
    "edwards doubling": (over_fields(2, lambda cs, x: babyjubjub.double(cs, Edwards(*x))), points_of(P, Q)),
    "to montgomery": (
        over_fields(2, lambda cs, x: babyjubjub.to_montgomery(cs, Edwards(*x))),
        points_of(P, Q),
    ),
    "chord": (
        over_fields(4, lambda cs, x: babyjubjub.add_distinct(cs, Montgomery(*x[:2]), Montgomery(*x[2:]))),
        [{"x": x} for x in MONTGOMERY],
    ),
    "eight times, of order l": (
        over_fields(2, lambda cs, x: babyjubjub.cofactor_multiple(cs, Edwards(*x))),
        points_of(P, Q),
    ),
    "subgroup": (
        over_fields(2, lambda cs, x: points.assert_in_subgroup(cs, Edwards(*x))),
        points_of(P, BASE8, curve.IDENTITY),
    ),
    "packing": (over_fields(2, lambda cs, x: points.compress(cs, Edwards(*x))), points_of(P, Q, (0, 1))),
    "fixed base": (
        over_bits(20, lambda cs, x: babyjubjub.multiply_fixed(cs, P, x)),
        [{"x": bits(k, 20)} for k in (0, 54321, 1048575)],
    ),
    "key of a scalar": (
        over_fields(1, lambda cs, x: eddsa.public_key(cs, *x)),
        [{"x": [k]} for k in (0, 1 << 250, ORDER - 1, ORDER // 3)],
    ),
}


SLOW = {"packing"}  # two comparisons with r, whose rows only propagation misses: 16 s


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CASES]
)
def test_every_row__is_missed(name, engine):
    body, valid = CASES[name]
    report = assert_every_row_needed(
        recorded(name, body), [(None, inputs) for inputs in valid], engine=engine
    )
    assert not report.survivors


def test_every_row_of_unpacking__is_missed(engine):
    """Its inputs are bits, so that dropping a row makes no wire free but lets in what must be refused."""
    template = recorded("unpacking", over_bits(256, points.decompress))
    (abscissa,) = (h for h in template.hints if h.kind == "value" and not h.scope)
    small = next(p for p in map(curve.mul_base8, range(1, 99)) if 2 * p[0] % MODULUS < (1 << 254) - MODULUS)
    too_large = bits(small_ordinate() + MODULUS, 256)
    flipped = packed(small)
    flipped[255] ^= 1
    honest = template.check(inputs={"x": packed(P)})
    wrong = template.check(inputs={"x": packed(P)}, override={abscissa: [(P[0] + 1) % MODULUS]})
    invalid = {
        **but_for_a_product(template, template.check(inputs={"x": too_large}), "y"),
        **but_for_a_product(
            template,
            template.check(inputs={"x": flipped}, override={abscissa: [small[0]]}),
            "sign of x",
        ),
        **{
            f"another x, row {row}": [*wrong.values[:wire], honest.values[wire], *wrong.values[wire + 1 :]]
            for row, wire in products(template, "")
        },
    }
    report = assert_every_row_needed(
        template,
        [(None, {"x": packed(p)}) for p in (P, Q, (0, 1), small)],
        invalid,
        explained={"x[254] is boolean": "bit 254 is demanded to be zero"},
        engine=engine,
    )
    assert not report.survivors


def small_ordinate() -> int:
    for y in range(2, 99):
        try:
            curve.unpack(y.to_bytes(32, "little"))
        except ValueError:
            continue
        return y
    raise AssertionError("no point has a small ordinate")


def products(template: Template, scope: str) -> list[tuple[int, int]]:
    """(row, wire) of the products in a scope, in order."""
    found = []
    for row in range(template.num_constraints):
        if template.row_label(row) == "product" and template.row_scope(row) == scope:
            ((wire, _),) = template.rows.terms(2, row)
            found.append((row, wire))
    return found


def but_for_a_product(template: Template, check, scope: str) -> dict[str, list[int]]:
    """Witnesses of an invalid input that only one product of the comparison refuses: it and the products
    after it are said to be zero."""
    chain = products(template, scope)
    witnesses = {}
    for i, (row, _) in enumerate(chain):
        values = list(check.values)
        for _, wire in chain[i:]:
            values[wire] = 0
        witnesses[f"{scope}, row {row}"] = values
    return witnesses


def recorded(name: str, body) -> Template:
    cs = ConstraintSystem(name)
    out = body(cs)
    if out is not None:
        cs.export_array("out", [*out])
    return cs.freeze()
