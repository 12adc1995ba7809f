"""Every gadget on a small instance, with assignments that show its cases: what mutation and dropping run on.

It must not know what becomes of the mutations; what may survive stands in ``explained.json``.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from zkrollup.crypto import babyjubjub as curve
from zkrollup.crypto import eddsa_variants
from zkrollup.crypto import merkle as merkle_twin
from zkrollup.crypto.eddsa import public_key, sign
from zkrollup.crypto.pedersen import bits_of
from zkrollup.crypto.smt import SparseMerkleTree
from zkrollup.crypto.tables import BASE8, GENERATOR, MODULUS, ORDER
from zkrollup.cs import ConstraintSystem, Field, Template
from zkrollup.gadgets import (
    babyjubjub,
    bits,
    compare,
    ecdsa,
    eddsa,
    endomorphism,
    horner,
    integers,
    keccak,
    merkle,
    mimc,
    partial_rounds,
    pedersen,
    points,
    poseidon,
    poseidon2,
    secp256k1,
    select,
    sha256,
    smt,
    sort,
    weierstrass,
    words,
)
from zkrollup.gadgets.babyjubjub import Edwards, Montgomery
from zkrollup.gadgets.curve_tables import montgomery_coordinates
from zkrollup.gadgets.emulated import EmulatedField
from zkrollup.gadgets.endomorphism import EndomorphicCurve
from zkrollup.gadgets.weierstrass import EmulatedPoint
from zkrollup.testing import Explained, find_hints

EXPLAINED = Path(__file__).with_name("explained.json")

Inputs = Mapping[str, object]


@dataclasses.dataclass(frozen=True)
class Case:
    """One gadget on one instance.

    ``declare`` and ``gadget`` record it; ``valid`` are assignments of the inputs; ``invalid`` makes, of the
    template, assignments and witnesses that must be refused. ``cuts``: rows may be missed by the circuit cut
    off behind them (see :func:`zkrollup.testing.drop_constraints`). ``slow``: takes seconds.
    """

    name: str
    inputs: str
    gadget: Callable[..., Any]
    valid: Sequence[Inputs]
    invalid: Callable[[Template], Mapping[str, Any]]
    cuts: bool
    slow: bool

    def record(self) -> Template:
        cs = ConstraintSystem(self.name)
        with cs.scope("inputs"):
            given = [_declare(cs, word) for word in self.inputs.split()]
        out = list(_fields(self.gadget(cs, *given)))
        if out:
            with cs.scope("results"):
                cs.export_array("out", out)
        return cs.freeze()


def _declare(cs: ConstraintSystem, word: str) -> Any:
    """``x`` a field, ``x:1`` a flag, ``x:b8`` 8 bits, ``x:f4`` 4 fields, ``x:u8`` an integer of 8 bits."""
    name, _, kind = word.partition(":")
    if not kind:
        return cs.input(name)
    if kind == "1":
        return cs.input_bool(name)
    size = int(kind[1:])
    if kind[0] == "u":
        return cs.input_uint(name, size)
    return (cs.input_bool_array if kind[0] == "b" else cs.input_array)(name, size)


def _fields(out: Any) -> Iterator[Field]:
    """The signals of whatever a gadget returns."""
    if isinstance(out, Field):
        yield out
    elif isinstance(out, integers.Signed):
        yield from (out.value, out.negative)
    elif isinstance(out, smt.SparseChange):
        yield from (out.before, out.after)
    elif isinstance(out, EmulatedPoint):
        yield from (*out.x.limbs, *out.y.limbs)
    elif hasattr(out, "limbs"):
        yield from out.limbs
    elif out is not None:
        for part in out:
            yield from _fields(part)


CASES: dict[str, Case] = {}


def case(
    name: str,
    inputs: str,
    gadget: Callable[..., Any],
    valid: Sequence[Inputs],
    invalid: Sequence[Inputs] | Callable[[Template], Mapping[str, Any]] = (),
    *,
    cuts: bool = False,
    slow: bool = False,
) -> None:
    if name in CASES:
        raise ValueError(f"two cases are called {name}")
    if callable(invalid):
        make = invalid
    else:
        listed = {f"#{k}": ({}, given) for k, given in enumerate(invalid)}

        def make(_: Template) -> Mapping[str, Any]:
            return listed

    CASES[name] = Case(name, inputs, gadget, valid, make, cuts, slow)


# -- values --------------------------------------------------------------------------------------------
def rng(*of: object) -> random.Random:
    """Its own for each purpose, so that a new case leaves the others' values alone."""
    return random.Random(repr(of))


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


def numbers(names: str, *rows: tuple[int, ...]) -> list[Inputs]:
    """Assignments of elements: one for each tuple."""
    return [{n: v % MODULUS for n, v in zip(names.split(), row, strict=True)} for row in rows]


def bit_words(names: str, n: int, *rows: tuple[int, ...]) -> list[Inputs]:
    return [{name: digits(v, n) for name, v in zip(names.split(), row, strict=True)} for row in rows]


def random_words(names: str, n: int, count: int = 3) -> list[Inputs]:
    source = rng(names, n)
    return [{name: digits(source.randrange(1 << n), n) for name in names.split()} for _ in range(count)]


def elements(n: int, count: int = 2) -> list[Inputs]:
    source = rng(n)
    return [{"x": [source.randrange(MODULUS) for _ in range(n)]} for _ in range(count)]


P = curve.mul_base8(1234567)
Q = curve.add(curve.mul_base8(ORDER - 3), curve.mul(GENERATOR, ORDER))
IN_SUBGROUP = curve.mul_base8(98765)


def edwards(f: Callable[..., Any]) -> Callable[..., Any]:
    """A gadget of points given by pairs of fields."""
    return lambda cs, x, *more: f(cs, *(Edwards(*x[i : i + 2]) for i in range(0, len(x), 2)), *more)


def montgomery(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda cs, x, *more: f(cs, *(Montgomery(*x[i : i + 2]) for i in range(0, len(x), 2)), *more)


def of_points(*given: Sequence[int]) -> list[Inputs]:
    return [{"x": [*point]} for point in given]


# -- bits and comparison -------------------------------------------------------------------------------
case("bits.to_bits(8)", "x", lambda cs, x: bits.to_bits(cs, x, 8), numbers("x", (0,), (165,), (255,)))
case("bits.range_check(8)", "x", lambda cs, x: bits.range_check(cs, x, 8), numbers("x", (0,), (90,), (255,)))
STRICT = numbers("x", (0,), (MODULUS - 1,), (MODULUS // 3,), (1 << 253,), (12345,))
case("bits.to_bits_strict", "x", lambda cs, x: bits.to_bits_strict(cs, x), STRICT)
case("bits.from_bits(8)", "b:b8", lambda cs, b: bits.from_bits(cs, b), bit_words("b", 8, (0,), (165,)))
for n, bound in ((8, 0b11101101), (16, 1001), (12, 0b101010101011)):
    # With the largest numbers that lack a bit, every bit is one that cannot be set.
    lacking = [max(v for v in range(bound) if not v >> k & 1) for k in range(n)]
    edge = [(v,) for v in sorted({0, 1, bound - 1, bound // 2, bound - 2, *lacking})]
    case(
        f"bits.assert_bits_less_than({n} bits, {bound})",
        f"b:b{n}",
        lambda cs, b, bound=bound: bits.assert_bits_less_than(cs, b, bound),
        bit_words("b", n, *edge),
        bit_words("b", n, *((v,) for v in range(bound, min(1 << n, bound + 40)))),
    )
    case(
        f"bits.assert_long_bits_less_than({n} bits, {bound})",
        f"b:b{n}",
        lambda cs, b, bound=bound: bits.assert_long_bits_less_than(cs, b, bound),
        bit_words("b", n, *edge),
        bit_words("b", n, *((v,) for v in range(bound, 1 << n, 1 if n == 8 else 37))),
    )
case("compare.is_zero", "x", compare.is_zero, numbers("x", (5,), (0,), (MODULUS - 1,)))
case("compare.is_equal", "x y", compare.is_equal, numbers("x y", (5, 5), (5, 6)))
case("compare.assert_nonzero", "x", compare.assert_nonzero, numbers("x", (5,), (-1,)), numbers("x", (0,)))
PAIRS = numbers("x y", (7, 9), (9, 9), (9, 7), (0, 255), (255, 0))
for name in ("less_than", "less_or_equal", "greater_than", "greater_or_equal"):
    case(
        f"compare.{name}(8)",
        "x y",
        lambda cs, x, y, name=name: getattr(compare, name)(cs, x, y, 8),
        PAIRS,
    )
case(
    "compare.assert_less_than(8)",
    "x y",
    lambda cs, x, y: compare.assert_less_than(cs, x, y, 8),
    numbers("x y", (7, 9), (0, 255)),
    numbers("x y", (9, 9), (9, 7)),
)
case(
    "compare.assert_less_or_equal(8)",
    "x y",
    lambda cs, x, y: compare.assert_less_or_equal(cs, x, y, 8),
    numbers("x y", (7, 9), (9, 9)),
    numbers("x y", (9, 7)),
)


def lying_comparison(template: Template) -> Mapping[str, Any]:
    """Only the answer's boolean row refuses l = 2 with g = 1 where a window differs by 3."""
    hints = {h.kind: h for h in template.hints}
    width = len(hints["bits"].columns)
    told = {hints["less_than"]: 2, hints["bits"]: [0] * width}
    given = {"a": digits(0, 16), "b": digits(3 << (16 - width), 16)}
    return {"l = 2": template.check(inputs=given, override=told)}


case(
    "compare.less_than_bits(16)",
    "a:b16 b:b16",
    compare.less_than_bits,
    bit_words("a b", 16, (7, 9), (9, 9), (9, 7), (1 << 15, 5), (300, 3000)),
    lying_comparison,
)
case(
    "compare.less_than_field",
    "x y",
    compare.less_than_field,
    numbers("x y", (7, 9), (9, 9), (-7, 9), (1 << 253, 1 << 252), (-1, -2), (MODULUS // 3, MODULUS // 2)),
)

# -- selection -----------------------------------------------------------------------------------------
case("select.select", "b:1 x y", select.select, [{"b": b, "x": 5, "y": 9} for b in (0, 1)])
FOUR = [{"i": digits(k, 2), "v": [5, 9, 7, 3]} for k in range(4)]
case("select.mux4", "i:b2 v:f4", lambda cs, i, v: select.mux4(cs, *i, v), FOUR)
case("select.one_hot4", "i:b2", lambda cs, i: select.one_hot4(cs, *i), bit_words("i", 2, *product(range(4))))
MUX = [5, 9, 7, 3, 1, 8]
case(
    "select.mux(6)",
    "i:b3 v:f6",
    select.mux,
    [{"i": digits(k, 3), "v": MUX} for k in range(6)],
    [{"i": digits(k, 3), "v": MUX} for k in (6, 7)],
)
case("select.one_hot_bits(3)", "i:b3", select.one_hot_bits, bit_words("i", 3, *product(range(8))))
case(
    "select.one_hot(6)",
    "x",
    lambda cs, x: select.one_hot(cs, x, 6),
    numbers("x", *product(range(6))),
    numbers("x", (6,), (-1,)),
)
case(
    "select.mux_one_hot(6)",
    "x v:f6",
    lambda cs, x, v: select.mux_one_hot(cs, select.one_hot(cs, x, 6), v),
    [{"x": k, "v": MUX} for k in range(6)],
)
case(
    "select.conditional_swap", "b:1 x y", select.conditional_swap, [{"b": b, "x": 5, "y": 9} for b in (0, 1)]
)
case(
    "select.polynomial(7)",
    "x",
    lambda cs, x: select.polynomial(cs, [3, 1, 4, 1, 5, 9, 2, 6], x),
    numbers("x", (7,), (-3,)),
)
TABLE = [pow(5, k * k + 1, MODULUS) for k in range(32)]
case(
    "select.lookup(32)",
    "i:b5",
    lambda cs, i: select.lookup(cs, i, TABLE),
    bit_words("i", 5, (3,), (17,), (31,)),
)
case(
    "select.lookup_number(8)",
    "x",
    lambda cs, x: select.lookup_number(cs, x, TABLE[:8]),
    numbers("x", *product(range(8))),
)
case(
    "select.assert_member(4)",
    "x v:f4",
    select.assert_member,
    [{"x": v, "v": [5, 9, 7, 3]} for v in (5, 9, 7, 3)],
    [{"x": 4, "v": [5, 9, 7, 3]}],
)
case(
    "select.is_member(4)",
    "x v:f4",
    select.is_member,
    [{"x": v, "v": [5, 9, 7, 3]} for v in (5, 9, 7, 3, 4)],
)
case(
    "horner.horner_step",
    "b:1 y z d",
    horner.horner_step,
    [{"b": b, "y": 5, "z": 9, "d": 11} for b in (0, 1)],
)

# -- integers and words --------------------------------------------------------------------------------
OPERANDS = numbers("x y", (200, 55), (0, 0), (12, 12), (255, 0), (9, 7))
for name in ("add", "subtract", "multiply"):
    fits = {"multiply": numbers("x y", (15, 17), (0, 9), (12, 12)), "add": OPERANDS, "subtract": OPERANDS}
    case(
        f"integers.{name}(8)",
        "x y",
        lambda cs, x, y, name=name: getattr(integers, name)(cs, x, y, 8),
        fits[name],
    )
for name in ("add_wrapping", "subtract_wrapping", "multiply_wrapping", "minimum", "maximum"):
    case(
        f"integers.{name}(8)",
        "x y",
        lambda cs, x, y, name=name: getattr(integers, name)(cs, x, y, 8),
        [*OPERANDS, *numbers("x y", (7, 9), (255, 254))],
    )
case(
    "integers.divide(32, 32)",
    "a b",
    lambda cs, a, b: integers.divide(cs, a, b, 32, 32),
    numbers("a b", (12345678, 789), ((1 << 32) - 1, 1 << 31)),
    numbers("a b", (5, 0)),
)
for divisor in (10, 16):
    case(
        f"integers.divide_by_constant(8, {divisor})",
        "a",
        lambda cs, a, divisor=divisor: integers.divide_by_constant(cs, a, divisor, 8),
        numbers("a", (0,), (99,), (255,), (9,), (250,)),
    )
for name in ("shift_left_by", "shift_right_by", "rotate_left_by"):
    case(
        f"integers.{name}(8, 3)",
        "x s:b3",
        lambda cs, x, s, name=name: getattr(integers, name)(cs, x, s, 8),
        [{"x": x, "s": digits(k, 3)} for x, k in ((165, 0), (165, 3), (255, 7), (1, 5), (90, 6))],
    )
SIGNED = numbers("x y", (100, 20), (-100, -20), (7, -6), (-7, 6), (0, -1))


def signed_of(name: str, n: int = 8) -> Callable[..., Any]:
    def body(cs: ConstraintSystem, x: Field, y: Field) -> Any:
        return getattr(integers, f"signed_{name}")(cs, integers.signed(cs, x, n), integers.signed(cs, y, n))

    return body


for name in ("add", "subtract", "less_than"):
    case(f"integers.signed_{name}(8)", "x y", signed_of(name), SIGNED)
case(
    "integers.signed_multiply(8)",
    "x y",
    signed_of("multiply"),
    numbers("x y", (11, 11), (-11, 11), (-8, -8), (0, -1), (-1, 127)),
)
for name in ("negate", "absolute"):
    case(
        f"integers.signed_{name}(8)",
        "x",
        lambda cs, x, name=name: getattr(integers, f"signed_{name}")(cs, integers.signed(cs, x, 8)),
        numbers("x", (100,), (-100,), (0,), (127,), (-127,)),
    )
case(
    "integers.signed_from_word(8)",
    "x",
    lambda cs, x: integers.signed_from_word(cs, x, 8),
    numbers("x", (0,), (127,), (128,), (255,)),
)
case(
    "integers.signed_shift_right_by(8, 3)",
    "x s:b3",
    lambda cs, x, s: integers.signed_shift_right_by(cs, integers.signed(cs, x, 8), s),
    [{"x": x % MODULUS, "s": digits(k, 3)} for x, k in ((100, 0), (-100, 3), (-1, 7), (127, 5), (-128, 6))],
)


def signed_divide(cs: ConstraintSystem, a: Field, b: Field) -> list[Field]:
    q, rest = integers.signed_divide(cs, integers.signed(cs, a, 8), integers.signed(cs, b, 8))
    return [q.value, q.word, rest.word]


SIGNED_DIVISIONS = numbers("a b", *product((100, -100, 7, -6), (7, -7, 2)))


def wrong_divisions(template: Template) -> Mapping[str, Any]:
    """The quotient may have another value that fits only where the row of its sign is gone."""
    return {
        "by zero": ({}, {"a": 5, "b": 0}),
        "too large": ({}, {"a": -128 % MODULUS, "b": MODULUS - 1}),
        "another quotient": template.check(inputs=SIGNED_DIVISIONS[0], override={"out[0]": 5}),
    }


case("integers.signed_divide(8)", "a b", signed_divide, SIGNED_DIVISIONS, wrong_divisions)
CORNERS = bit_words(
    "a b c", 8, (0xF0, 0xCC, 0xAA), (0x0F, 0xCC, 0xAA), (0xF0, 0x33, 0xAA), (0xF0, 0xCC, 0x55)
)
for name in ("xor", "majority", "chi", "choose"):
    case(f"words.{name}(3 words of 8)", "a:b8 b:b8 c:b8", getattr(words, name), CORNERS)
TWOS = [(0xFF, 0xFF), (0, 0), (0xF0, 0xAA), (0x0F, 0x55)]
for name in ("and_", "or_", "xor"):
    case(f"words.{name}(2 words of 8)", "a:b8 b:b8", getattr(words, name), bit_words("a b", 8, *TWOS))
case(
    "words.add(3 words of 8)",
    "a:b8 b:b8 c:b8",
    lambda cs, a, b, c: words.add(cs, [a, b, c], 8),
    random_words("a b c", 8),
)
case(
    "words.add(2 words of 8, minus 1)",
    "a:b8 b:b8 c:b8",
    lambda cs, a, b, c: words.add(cs, [a, b], 8, minus=[c], plus=5),
    random_words("a b c", 8),
)
case(
    "words moved",
    "a:b8",
    lambda cs, a: [
        words.rotate_left(a, 3),
        words.rotate_right(a, 3),
        words.shift_left(cs, a, 3),
        words.shift_right(cs, a, 3),
        words.invert(a),
        words.xor(cs, a, words.constant(cs, 99, 8)),
    ],
    random_words("a", 8),
)

# -- sorting -------------------------------------------------------------------------------------------
case(
    "sort.sort(8 of 16)",
    "v:f8",
    lambda cs, v: sort.sort(cs, v, 16),
    [{"v": [rng(k, i).randrange(1 << 16) for i in range(8)]} for k in range(3)],
)
RECORDS = [[40, 1, 30, 2, 20, 3, 10, 4], [1, 9, 2, 8, 3, 7, 4, 6], [10, 5, 30, 6, 20, 7, 40, 8]]
case(
    "sort.sort_records(4 of 2)",
    "v:f8",
    lambda cs, v: sort.sort_records(cs, [v[i : i + 2] for i in range(0, 8, 2)], 8),
    [{"v": v} for v in RECORDS],
)
case(
    "sort.assert_sorted(4 of 8)",
    "v:f4",
    lambda cs, v: sort.assert_sorted(cs, v, 8),
    [{"v": [1, 1, 20, 255]}, {"v": [0, 3, 90, 91]}],
    [{"v": [1, 0, 20, 255]}],
)
case(
    "sort.assert_distinct(4 of 8)",
    "v:f4",
    lambda cs, v: sort.assert_distinct(cs, v, 8),
    [{"v": [40, 1, 20, 255]}, {"v": [0, 3, 90, 91]}, {"v": [7, 5, 3, 1]}],
    [{"v": [40, 1, 20, 1]}],
)
case(
    "sort.assert_permutation(5)",
    "v:f5 w:f5",
    sort.assert_permutation,
    [{"v": [5, 9, 7, 3, 1], "w": [9, 7, 1, 3, 5]}],
    [{"v": [5, 9, 7, 3, 1], "w": [9, 7, 1, 3, 6]}],
)

# -- hashes --------------------------------------------------------------------------------------------
case("poseidon.poseidon(2)", "x:f2", poseidon.poseidon, elements(2))
case("poseidon.poseidon_from_first_sbox(4)", "x:f4", poseidon.poseidon_from_first_sbox, elements(4))
for n in (2, 3, 4, 8):
    case(f"poseidon2.permute({n})", f"x:f{n}", poseidon2.permute, elements(n))
case("poseidon2.compress(2)", "x:f2", poseidon2.compress, elements(2))
case("poseidon2.poseidon2_hash(4)", "x:f4", poseidon2.poseidon2_hash, elements(4))
case(
    "partial_rounds.weighted_fifth_powers(3)",
    "x:f3",
    lambda cs, x: partial_rounds.weighted_fifth_powers(cs, (3, 5, 7), x),
    elements(3),
)
case("mimc.mimc7", "x k", mimc.mimc7, numbers("x k", (3, 4), (-1, 12345)))
case("mimc.mimc7_hash(2)", "x:f2 k", mimc.mimc7_hash, [{**e, "k": 7} for e in elements(2)])
case("mimc.mimc_feistel", "x y k", mimc.mimc_feistel, numbers("x y k", (3, 4, 5), (-1, 7, 12345)))
case("mimc.mimc_sponge(2)", "x:f2 k", mimc.mimc_sponge, [{**e, "k": 7} for e in elements(2)])
case(
    "pedersen.pedersen_hash(16)",
    "x:b16",
    pedersen.pedersen_hash,
    bit_words("x", 16, (0,), (12345,), (54321,)),
)
case(
    "pedersen.pedersen_hash(204)",
    "x:b204",
    pedersen.pedersen_hash,
    bit_words("x", 204, (1,), (3**128,), ((1 << 204) - 1,)),
)
SHA = " ".join(f"{letter}{k}:b32" for letter, count in (("s", 8), ("w", 16)) for k in range(count))
case(
    "sha256.sha256_compress",
    SHA,
    lambda cs, *w: sha256.sha256_compress(cs, w[:8], w[8:]),
    random_words(" ".join(word.split(":")[0] for word in SHA.split()), 32, 2),
    cuts=True,
)
case("sha256.sha256(24)", "m:b24", sha256.sha256, random_words("m", 24, 1), cuts=True)
case(
    "keccak.keccak_f",
    " ".join(f"l{k}:b64" for k in range(25)),
    lambda cs, *lanes: keccak.keccak_f(cs, lanes),
    random_words(" ".join(f"l{k}" for k in range(25)), 64, 1),
    cuts=True,
)
for name in ("keccak256", "sha3_256"):
    case(f"keccak.{name}(8)", "m:b8", getattr(keccak, name), random_words("m", 8, 1), cuts=True, slow=True)

# -- trees ---------------------------------------------------------------------------------------------


def quad_paths(depth: int) -> Iterator[tuple[list[int], dict[str, list[int]], list[list[int]]]]:
    for index in (0, 6, 11, 13):
        path, current = [], 7
        for place in merkle_twin.places(index, depth):
            children = [rng(index, place, k).randrange(MODULUS) for k in range(4)]
            children[place] = current
            path.append(tuple(children))
            current = merkle_twin.node(children)
        lanes = merkle.merkle_lanes(path)
        yield digits(index, 2 * depth), {f"l{k}": lane for k, lane in enumerate(lanes)}, lanes


QUADS = [{"i": index, "x": 7, "y": 9, **lanes} for index, lanes, _ in quad_paths(2)]
case(
    "merkle.merkle_membership(depth 2)",
    "i:b4 x l0:f4 l1:f4",
    lambda cs, i, x, *lanes: merkle.merkle_membership(cs, i, x, lanes),
    [{k: v for k, v in q.items() if k != "y"} for q in QUADS],
)
case(
    "merkle.merkle_update(depth 2)",
    "i:b4 x y l0:f4 l1:f4",
    lambda cs, i, x, y, *lanes: merkle.merkle_update(cs, i, x, y, lanes),
    QUADS,
)
LEAVES = [3, 4, 12345, MODULUS - 2]
BINARY = [
    {
        "i": digits(index, 2),
        "x": leaf,
        "y": 77,
        "l": merkle.binary_lanes(index, merkle_twin.binary_path(LEAVES, index)),
    }
    for index, leaf in enumerate(LEAVES)
]
case(
    "merkle.binary_membership(depth 2)",
    "i:b2 x l:f2",
    merkle.binary_membership,
    [{k: v for k, v in q.items() if k != "y"} for q in BINARY],
)
case("merkle.binary_update(depth 2)", "i:b2 x y l:f2", merkle.binary_update, BINARY)
LEVELS = 3


def sparse_tree() -> SparseMerkleTree:
    tree = SparseMerkleTree()
    tree.insert(0, 1)
    tree.insert(3, 2)
    return tree


def reading(key: int, **more: int) -> Inputs:
    found = sparse_tree().find(key)
    other = found.other or (key, 0)
    return {
        "a": int(found.value is None),
        "e": int(found.is_empty),
        "k": key,
        "v": found.value or 0,
        "ok": other[0],
        "ov": other[1],
        "l": smt.sparse_lanes(key, found.siblings, LEVELS),
        **more,
    }


def chosen(assignments: Sequence[Inputs], names: str) -> list[Inputs]:
    return [{name: given[name] for name in names.split()} for given in assignments]


BESIDE, THERE, NOWHERE = reading(2), reading(0, ok=1), reading(6, ok=5)
case("smt.sparse_inclusion(3 levels)", f"k v l:f{LEVELS}", smt.sparse_inclusion, chosen([THERE], "k v l"))
case(
    "smt.sparse_exclusion(3 levels)",
    f"k ok ov e:1 l:f{LEVELS}",
    smt.sparse_exclusion,
    chosen([BESIDE, NOWHERE], "k ok ov e l"),
)
case(
    "smt.sparse_verify(3 levels)",
    f"a:1 k v ok ov e:1 l:f{LEVELS}",
    smt.sparse_verify,
    [BESIDE, THERE, NOWHERE],
)
case(
    "smt.sparse_update(3 levels)",
    f"k v w l:f{LEVELS}",
    smt.sparse_update,
    [{**given, "w": 9} for given in chosen([THERE], "k v l")],
)


def writes() -> list[Inputs]:
    tree = sparse_tree()
    made = [tree.update(0, 9), tree.insert(4, 3), tree.insert(2, 8), tree.delete(4)]
    made.insert(2, SparseMerkleTree().insert(5, 1))  # into an empty tree, whose path has no sibling
    return [
        {
            "f": w.fnc[0],
            "g": w.fnc[1],
            "e": int(w.is_old0),
            "r": w.root_before,
            "k": w.key,
            "w": w.value,
            "ok": w.old_key,
            "ov": w.old_value,
            "l": smt.sparse_lanes(w.key, w.siblings, LEVELS),
        }
        for w in made
    ]


WRITES = writes()


def depths(template: Template) -> list[Any]:
    return [h for h in template.hints if h.kind == "value" and h.scope.startswith("level")]


def misplaced(template: Template) -> Mapping[str, Any]:
    """An update that leaves the leaf one level lower than it may stand, the same map of another root; and
    two keys that part in bit 2 made to part in bit 1, the other leaf on a wrong path."""
    last = len(SparseMerkleTree.find(sparse_tree(), 0).siblings)
    sunk = {depths(template)[LEVELS + last]: [1]}
    early = {depths(template)[LEVELS + 2]: [0]}
    return {
        "sunk": template.check({}, WRITES[0], override=sunk),
        "early": template.check({}, WRITES[1], override=early),
    }


NOTHING = {**WRITES[1], "f": 0, "g": 0, "ok": 4, "r": 5}
case(
    "smt.sparse_process(3 levels)",
    f"f:1 g:1 r k w ok ov e:1 l:f{LEVELS}",
    lambda cs, f, g, r, k, w, ok, ov, e, lanes: smt.sparse_process(cs, (f, g), r, k, w, ok, ov, e, lanes),
    [*WRITES, NOTHING],
    misplaced,
    slow=True,
)
case(
    "smt.sparse_write(3 levels)",
    f"f:1 k w ok ov e:1 l:f{LEVELS}",
    smt.sparse_write,
    chosen(WRITES[:4], "f k w ok ov e l"),
    lambda template: {
        "sunk": template.check(
            {},
            chosen(WRITES[:1], "f k w ok ov e l")[0],
            override={depths(template)[LEVELS + len(sparse_tree().find(0).siblings)]: [1]},
        )
    },
    slow=True,
)

# -- curves --------------------------------------------------------------------------------------------
on_curve = edwards(babyjubjub.assert_on_curve)
case("babyjubjub.assert_on_curve", "x:f2", on_curve, of_points(P, Q), of_points((P[0], P[1] + 1)))
case(
    "babyjubjub.curve_residue",
    "x:f2",
    edwards(lambda cs, p: babyjubjub.curve_residue(p)),
    of_points(P, (P[0], P[1] + 1), (3, 4)),
)
case("babyjubjub.add", "x:f4", edwards(babyjubjub.add), of_points([*P, *Q], [*BASE8, *BASE8]))
case("babyjubjub.double", "x:f2", edwards(babyjubjub.double), of_points(P, Q))
case(
    "babyjubjub.assert_double",
    "x:f4",
    edwards(lambda cs, p, q: babyjubjub.assert_double(cs, p, q, "is double")),
    of_points([*P, *curve.add(P, P)], [*Q, *curve.add(Q, Q)]),
    of_points([*P, *Q]),
)
case(
    "babyjubjub, moved by T4 and turned",
    "x:f2",
    edwards(
        lambda cs, p: [
            babyjubjub.double(cs, babyjubjub.negate(p)),
            babyjubjub.double(cs, babyjubjub.add_t4(p)),
            babyjubjub.double(cs, babyjubjub.subtract_t4(p)),
        ]
    ),
    of_points(P, Q),
)
MONTGOMERY = of_points([*montgomery_coordinates(P), *montgomery_coordinates(Q)])
ONE = of_points(montgomery_coordinates(P), montgomery_coordinates(Q))
case("babyjubjub.to_montgomery", "x:f2", edwards(babyjubjub.to_montgomery), of_points(P, Q))
case("babyjubjub.to_edwards", "x:f2", montgomery(babyjubjub.to_edwards), ONE)
case("babyjubjub.add_distinct", "x:f4", montgomery(babyjubjub.add_distinct), MONTGOMERY)
case("babyjubjub.double_add_distinct", "x:f4", montgomery(babyjubjub.double_add_distinct), MONTGOMERY)
case("babyjubjub.double_montgomery", "x:f2", montgomery(babyjubjub.double_montgomery), ONE)
case(
    "babyjubjub.cofactor_multiple",
    "x:f2",
    edwards(babyjubjub.cofactor_multiple),
    of_points(P, Q),
    of_points((P[0], P[1] + 1)),
)
SCALARS = bit_words("b", 20, (0,), (54321,), (1048575,))
case("babyjubjub.multiply_base8(20)", "b:b20", babyjubjub.multiply_base8, SCALARS)
case("babyjubjub.multiply_base8_plus_t4(20)", "b:b20", babyjubjub.multiply_base8_plus_t4, SCALARS)
case("babyjubjub.multiply_fixed(20)", "b:b20", lambda cs, b: babyjubjub.multiply_fixed(cs, P, b), SCALARS)
SCALED = [
    {"x": [*montgomery_coordinates(p)], "h": h}
    for p, h in ((IN_SUBGROUP, MODULUS // 3), (BASE8, 12345), (BASE8, MODULUS - 1), (IN_SUBGROUP, 0))
]
for name in ("multiply", "multiply_plus_t2"):
    case(f"babyjubjub.{name}", "x:f2 h", montgomery(getattr(babyjubjub, name)), SCALED)
case(
    "points.assert_in_subgroup",
    "x:f2",
    edwards(points.assert_in_subgroup),
    of_points(P, BASE8, curve.IDENTITY),
)
case("points.clear_cofactor", "x:f2", edwards(points.clear_cofactor), of_points(P, Q))
case("points.compress", "x:f2", edwards(points.compress), of_points(P, Q, (0, 1)), slow=True)
case(
    "points.multiply_point",
    "x:f2 h",
    edwards(points.multiply_point),
    [
        {"x": [*p], "h": h}
        for p, h in ((IN_SUBGROUP, MODULUS // 3), (BASE8, 12345), (curve.IDENTITY, 77), (BASE8, MODULUS - 1))
    ],
)


def packed(point: tuple[int, int]) -> list[int]:
    return digits(int.from_bytes(curve.pack(point), "little"), 256)


def small_ordinate() -> int:
    for y in range(2, 99):
        try:
            curve.unpack(y.to_bytes(32, "little"))
        except ValueError:
            continue
        return y
    raise AssertionError("no point has a small ordinate")


SMALL = next(p for p in map(curve.mul_base8, range(1, 99)) if 2 * p[0] % MODULUS < (1 << 254) - MODULUS)


def badly_packed(template: Template) -> Mapping[str, Any]:
    """Its inputs are bits, so that dropping a row makes no wire free but lets in what must be refused."""
    (abscissa,) = (h for h in template.hints if h.kind == "value" and not h.scope)
    flipped = packed(SMALL)
    flipped[255] ^= 1
    honest = template.check(inputs={"b": packed(P)})
    wrong = template.check(inputs={"b": packed(P)}, override={abscissa: [(P[0] + 1) % MODULUS]})
    too_large = template.check(inputs={"b": digits(small_ordinate() + MODULUS, 256)})
    turned = template.check(inputs={"b": flipped}, override={abscissa: [SMALL[0]]})
    return {
        **but_for_a_product(template, too_large, "y"),
        **but_for_a_product(template, turned, "sign of x"),
        **{
            f"another x, row {row}": [*wrong.values[:wire], honest.values[wire], *wrong.values[wire + 1 :]]
            for row, wire in products(template, "")
        },
    }


def products(template: Template, scope: str) -> list[tuple[int, int]]:
    """(row, wire) of the products in a scope, in order."""
    found = []
    for row in range(template.num_constraints):
        if template.row_label(row) == "product" and template.row_scope(row) == scope:
            ((wire, _),) = template.rows.terms(2, row)
            found.append((row, wire))
    return found


def but_for_a_product(template: Template, check: Any, scope: str) -> dict[str, list[int]]:
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


case(
    "points.decompress",
    "b:b256",
    points.decompress,
    [{"b": packed(p)} for p in (P, Q, (0, 1), SMALL)],
    badly_packed,
)
case(
    "eddsa.public_key",
    "k",
    eddsa.public_key,
    numbers("k", (0,), (1 << 250,), (ORDER - 1,), (ORDER // 3,)),
)
NAMES = "ax ay r8x r8y s"


def signed_message(name: str, seed: bytes, message: int) -> tuple[tuple[int, ...], Any]:
    """A signature and the message as the gadget takes it."""
    if name == "pedersen":
        told = message.to_bytes(4, "little")
        return eddsa_variants.sign_pedersen(seed, told), bits_of(told)
    if name == "poseidon":
        return sign(seed, message), message
    return getattr(eddsa_variants, f"sign_{name}")(seed, message), message


def signature_cases(name: str) -> list[dict[str, Any]]:
    """A signature whose s + l has the bits of s, and a slot of nobody: the flag off, the dummy signature."""
    seed = bytes(range(32))
    signature, given = next(
        made
        for made in (signed_message(name, seed, message) for message in range(0x1234567, 0x1244567))
        if made[0][2] + ORDER < 1 << ORDER.bit_length()
    )
    key = public_key(seed)
    fields = dict(zip(NAMES.split(), (*key, *signature), strict=True))
    dummy = dict(zip(NAMES.split(), (*BASE8, *eddsa.DUMMY_SIGNATURE), strict=True))
    return [{"on": 1, **fields, "m": given}, {"on": 0, **dummy, "m": given}]


for name in ("poseidon", "mimc7", "mimc_sponge", "pedersen"):
    case(
        f"eddsa.eddsa_{name}_verify",
        f"on:1 {NAMES} " + ("m:b32" if name == "pedersen" else "m"),
        getattr(eddsa, f"eddsa_{name}_verify"),
        signature_cases(name),
        [{**signature_cases(name)[0], "s": signature_cases(name)[0]["s"] + ORDER}],
        cuts=name == "pedersen",
        slow=name == "pedersen",
    )

# -- other fields --------------------------------------------------------------------------------------
TINY = EmulatedField(2**61 - 1, 24)


def emulated(name: str, operands: str = "a b", over: EmulatedField = TINY) -> Callable[..., Any]:
    """A method on reduced elements, whose limbs are inputs of their widths."""
    return lambda cs, *_: getattr(over, name)(cs, *(over.input(cs, operand) for operand in operands.split()))


def limbs(value: int, over: EmulatedField = TINY) -> list[int]:
    """The limbs of a value as it is, though it may not be below p."""
    return [value >> over.limb_bits * i & (1 << over.limb_bits) - 1 for i in range(over.num_limbs)]


def emulated_values(names: str, *rows: tuple[int, ...]) -> list[Inputs]:
    return [{n: limbs(v) for n, v in zip(names.split(), row, strict=True)} for row in rows]


TOP = TINY.modulus - 1
TWO = emulated_values("a b", (2**60 + 5, 2**59 + 1), (TOP, TOP), (7, 3))
ANY = emulated_values("a", (2**60 + 5,), (TOP,), (7,))
for name in ("multiply", "divide"):
    case(f"emulated.{name}(2^61 - 1)", "", emulated(name), TWO)
for name in ("square", "inverse", "reduce"):
    case(f"emulated.{name}(2^61 - 1)", "", emulated(name, "a"), ANY)
case(
    "emulated.divide_unchecked(2^61 - 1)",
    "",
    lambda cs: (lambda a, b: TINY.divide_unchecked(cs, [(1, a, a)], [(1, b)], b))(
        TINY.input(cs, "a"), TINY.input(cs, "b")
    ),
    TWO,
)
case(
    "emulated.assert_equal(2^61 - 1)",
    "",
    emulated("assert_equal"),
    emulated_values("a b", (5, 5), (0, TOP + 1), (TOP + 1, 0)),
    emulated_values("a b", (5, 6)),
)
case(
    "emulated.assert_canonical(2^61 - 1)",
    "",
    emulated("assert_canonical", "a"),
    ANY,
    emulated_values("a", (TOP + 1,)),
)


def endless(template: Template) -> Mapping[str, Any]:
    """A quotient of no range would make any element congruent to any other."""
    result = find_hints(template, "python")[0]
    far = (5 + TINY.modulus) * pow(TINY.modulus, -1, MODULUS) % MODULUS
    (low, *_) = find_hints(template, "bits", scope="identity")
    told = {result: [0, 0, 0]}
    return {
        "top bit": template.check({}, {"a": limbs(5)}, override=told),
        "low bit": template.check({}, {"a": limbs(5)}, override={**told, low: [far]}),
    }


REDUNDANT = emulated_values("a", (12345**4,), (0,), (TOP,))
case("emulated.canonical(2^61 - 1)", "", emulated("canonical", "a"), REDUNDANT, endless)
case("emulated.is_zero(2^61 - 1)", "", emulated("is_zero", "a"), REDUNDANT, endless)
case(
    "emulated.is_equal(2^61 - 1)",
    "",
    emulated("is_equal"),
    emulated_values("a b", (5, 5), (TOP + 1, 0), (7, 3)),
)
case(
    "emulated.select(2^61 - 1)",
    "b:1",
    lambda cs, b: TINY.select(cs, b, TINY.input(cs, "x"), TINY.input(cs, "y")),
    [{"b": b, "x": limbs(7), "y": limbs(9)} for b in (0, 1)],
)
case(
    "emulated, without rows(2^61 - 1)",
    "",
    lambda cs: (
        lambda a, b: TINY.multiply(
            cs, TINY.add(cs, TINY.multiple(cs, 3, a), TINY.negative(cs, b)), TINY.constant(cs, 12345)
        )
    )(TINY.input(cs, "a"), TINY.input(cs, "b")),
    TWO,
)
CURVE = weierstrass.EmulatedCurve(TINY, -3 % TINY.modulus, 11)
ZERO_A = weierstrass.EmulatedCurve(TINY, 0, 7)


def plain_points(over: weierstrass.EmulatedCurve, count: int) -> list[tuple[int, int]]:
    """The points of the smallest abscissas."""
    p, found = over.field.modulus, []
    for x in range(1, 99):
        square = (x**3 + over.a * x + over.b) % p
        y = pow(square, (p + 1) // 4, p)  # p = 3 modulo 4
        if y * y % p == square and y:
            found.append((x, y))
    return found[:count]


def on_tiny(name: str, names: str, over: weierstrass.EmulatedCurve) -> Callable[..., Any]:
    def body(cs: ConstraintSystem) -> Any:
        given = [EmulatedPoint(*(TINY.input(cs, f"{n}{c}") for c in "xy")) for n in names]
        return getattr(weierstrass, name)(cs, over, *given)

    return body


def tiny_points(names: str, over: weierstrass.EmulatedCurve) -> list[Inputs]:
    found = plain_points(over, 4)
    rows = (found[: len(names)], found[-len(names) :])
    return [
        {
            f"{n}{c}": limbs(v)
            for n, point in zip(names, row, strict=True)
            for c, v in zip("xy", point, strict=True)
        }
        for row in rows
    ]


for name, names in (("assert_on_curve", "p"), ("add_distinct", "pq"), ("double", "p")):
    for what, over in (("a = -3", CURVE), ("a = 0", ZERO_A)):
        case(
            f"weierstrass.{name}(2^61 - 1, {what})", "", on_tiny(name, names, over), tiny_points(names, over)
        )


def distinct(cs: ConstraintSystem) -> None:
    x, y = TINY.input(cs, "x"), TINY.input(cs, "y")
    weierstrass.assert_distinct(cs, CURVE, EmulatedPoint(x, x), EmulatedPoint(y, y))


case(
    "weierstrass.assert_distinct(2^61 - 1)",
    "",
    distinct,
    emulated_values("x y", (5, 6), (TOP, 0)),
    emulated_values("x y", (5, 5), (TOP + 1, 0)),
)


# A curve like secp256k1 over a prime of 24 bits: see small_curves.py.
SMALL_CURVE = EndomorphicCurve(
    p=9279607, b=3, generator=(1, 2), order=9278053, beta=7238693, root=5472441, limb_bits=12
)
MULTIPLIED = SMALL_CURVE.multiply(4321, SMALL_CURVE.generator)


def on_small(name: str, scalars: str, points: str) -> Callable[..., Any]:
    """A gadget of scalars and points, given as their limbs."""
    f, modulo_n = secp256k1.coordinates(SMALL_CURVE), secp256k1.scalars(SMALL_CURVE)

    def body(cs: ConstraintSystem) -> Any:
        given: list[Any] = [modulo_n.input(cs, scalar) for scalar in scalars.split()]
        given += [EmulatedPoint(*(f.input(cs, f"{point}{c}") for c in "xy")) for point in points]
        gadget = ecdsa.ecdsa_verify if name == "ecdsa_verify" else getattr(secp256k1, name)
        return gadget(cs, *given, curve=SMALL_CURVE)

    return body


def small_values(names: str, point: tuple[int, int] | None, *rows: tuple[int, ...]) -> list[Inputs]:
    modulo_n, f = secp256k1.scalars(SMALL_CURVE), secp256k1.coordinates(SMALL_CURVE)
    at = {f"q{c}": limbs(v, f) for c, v in zip("xy", point or (), strict=False)}
    return [{n: limbs(v, modulo_n) for n, v in zip(names.split(), row, strict=True)} | at for row in rows]


def small_signature(digest: int, secret: int, nonce: int) -> tuple[int, int, int]:
    n = SMALL_CURVE.order
    point = SMALL_CURVE.multiply(nonce, SMALL_CURVE.generator)
    assert point is not None
    return digest, point[0] % n, pow(nonce, -1, n) * (digest + point[0] * secret) % n


case(
    "secp256k1.multiply_generator(24 bits)",
    "",
    on_small("multiply_generator", "u", ""),
    small_values("u", None, (1234567,), (2,)),
    small_values("u", None, (0,)),
    cuts=True,
)
case(
    "secp256k1.multiply(24 bits)",
    "",
    on_small("multiply", "u", "q"),
    small_values("u", MULTIPLIED, (1234567,), (2,)),
    small_values("u", MULTIPLIED, (0,)),
    cuts=True,
)
case(
    "secp256k1.multiply_two(24 bits)",
    "",
    on_small("multiply_two", "u t", "q"),
    small_values("u t", MULTIPLIED, (1234567, 89), (2, 7654321)),
    small_values("u t", MULTIPLIED, (0, 0)),
    cuts=True,
)
SIGNATURES = [small_signature(815, 4321, 12345), small_signature(0, 4321, 777)]
case(
    "ecdsa.ecdsa_verify(24 bits)",
    "",
    on_small("ecdsa_verify", "h r s", "q"),
    small_values("h r s", MULTIPLIED, *SIGNATURES),
    small_values(
        "h r s",
        MULTIPLIED,
        *((h, r, s + SMALL_CURVE.order) for h, r, s in SIGNATURES),
        *((h, r + SMALL_CURVE.order, s) for h, r, s in SIGNATURES),
        (1, 1, 0),
        (1, 0, 1),
    ),
    cuts=True,
)


def addressed(cs: ConstraintSystem) -> Any:
    f = secp256k1.coordinates()
    return ecdsa.ethereum_address(cs, EmulatedPoint(f.input(cs, "x"), f.input(cs, "y")))


case(
    "ecdsa.ethereum_address",
    "",
    addressed,
    [
        {
            c: limbs(v, secp256k1.coordinates())
            for c, v in zip("xy", endomorphism.SECP256K1.generator, strict=True)
        }
    ],
    cuts=True,
    slow=True,
)


def explained(what: str, name: str) -> Explained:
    """The explanations of one case, ``what`` being "wires" or "rows"."""
    entries = json.loads(EXPLAINED.read_text(encoding="utf-8"))
    reasons = {e["pattern"]: e["reason"] for e in entries if e["what"] == what and name in e["cases"]}
    return Explained(reasons, f"{EXPLAINED.name}, {what} of {name}")
