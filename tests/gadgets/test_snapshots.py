"""Row counts of every gadget, as committed in ``snapshots.json``: a change is a reviewed line.

To accept new counts: ``ZKROLLUP_UPDATE_SNAPSHOTS=1 pytest tests/gadgets/test_snapshots.py``. Gadgets that
take seconds to record stand in ``snapshots_long.json``; for them also ``-m slow --slow-part all``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from zkrollup.crypto.tables import BASE8, MODULUS, ORDER
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import (
    babyjubjub,
    bits,
    compare,
    ecdsa,
    eddsa,
    integers,
    mimc,
    pedersen,
    points,
    poseidon2,
    secp256k1,
    select,
    smt,
    sort,
    weierstrass,
    words,
)
from zkrollup.gadgets.babyjubjub import Edwards, Montgomery
from zkrollup.gadgets.eddsa import eddsa_poseidon_verify
from zkrollup.gadgets.emulated import EmulatedField
from zkrollup.gadgets.horner import horner_step
from zkrollup.gadgets.keccak import keccak256, keccak_f
from zkrollup.gadgets.merkle import binary_membership, binary_update, merkle_membership, merkle_update
from zkrollup.gadgets.poseidon import poseidon, poseidon_from_first_sbox
from zkrollup.gadgets.sha256 import sha256, sha256_compress

FILE = Path(__file__).with_name("snapshots.json")
LONG = FILE.with_name("snapshots_long.json")


def edwards(i, n="p"):
    return Edwards(i[f"{n}x"], i[f"{n}y"])


def montgomery(i, n="p"):
    return Montgomery(i[f"{n}u"], i[f"{n}v"])


def lanes(i, depth):
    return [i[f"lanes_{k}"] for k in range(depth)]


def test_rows__are_those_of_the_snapshot(record, rows_of):
    counts: dict[str, int] = {}

    def count(name, body, *args, **kwargs):
        counts[name] = rows_of(record(body, *args, **kwargs))

    def exported(function):
        """The rows of a gadget whose results are made wires."""

        def body(cs, i):
            out = function(cs, i)
            for field in out if isinstance(out, list | tuple) else [out]:
                cs.materialise(field)

        return body

    def unused(function):
        """The rows of a gadget whose result nobody uses."""

        def body(cs, i):
            function(cs, i)

        return body

    for n in (8, 64, 253):
        count(f"bits.range_check({n})", unused(lambda cs, i, n=n: bits.range_check(cs, i["x"], n)), "x")
    count("bits.to_bits_strict", unused(lambda cs, i: bits.to_bits_strict(cs, i["x"])), "x")
    for name, n, bound in (("r", 254, MODULUS), ("l", 251, ORDER)):

        def less_than(cs, i, bound=bound):
            bits.assert_bits_less_than(cs, i["b"], bound)
            with cs.scope("inputs"):
                cs.assert_equal(bits.from_bits(cs, i["b"]), i["x"])  # the lowest bits are in no row yet

        count(f"bits.assert_bits_less_than({name})", less_than, "x", bool_arrays={"b": n})
    count("compare.is_zero", unused(lambda cs, i: compare.is_zero(cs, i["x"])), "x")
    count("compare.is_equal", unused(lambda cs, i: compare.is_equal(cs, i["x"], i["y"])), "x y")
    count("compare.assert_nonzero", unused(lambda cs, i: compare.assert_nonzero(cs, i["x"])), "x")
    count("compare.less_than(64)", unused(lambda cs, i: compare.less_than(cs, i["x"], i["y"], 64)), "x y")
    count(
        "compare.assert_less_than(64)", lambda cs, i: compare.assert_less_than(cs, i["x"], i["y"], 64), "x y"
    )
    count(
        "select.select", exported(lambda cs, i: select.select(cs, i["b"], i["x"], i["y"])), "x y", bools="b"
    )
    count(
        "select.mux4",
        exported(lambda cs, i: select.mux4(cs, *i["b"], i["v"])),
        arrays={"v": 4},
        bool_arrays={"b": 2},
    )
    count("select.one_hot4", exported(lambda cs, i: select.one_hot4(cs, *i["b"])[3]), bool_arrays={"b": 2})
    count(
        "select.conditional_swap",
        exported(lambda cs, i: select.conditional_swap(cs, i["b"], i["x"], i["y"])[0]),
        "x y",
        bools="b",
    )
    count(
        "horner.horner_step",
        exported(lambda cs, i: horner_step(cs, i["b"], i["y"], i["z"], i["d"])),
        "y z d",
        bools="b",
    )
    for n in range(1, 17):
        count(f"poseidon.poseidon({n})", exported(lambda cs, i: poseidon(cs, i["x"])), arrays={"x": n})
    count(
        "poseidon.poseidon_from_first_sbox(4)",
        exported(lambda cs, i: poseidon_from_first_sbox(cs, i["x"])),
        arrays={"x": 4},
    )
    for n in (2, 3, 4, 8):
        for name in ("permute", "compress"):
            count(
                f"poseidon2.{name}({n})",
                exported(lambda cs, i, name=name: getattr(poseidon2, name)(cs, i["x"])),
                arrays={"x": n},
            )
    for n in (3, 6):
        count(
            f"poseidon2.poseidon2_hash({n})",
            exported(lambda cs, i: poseidon2.poseidon2_hash(cs, i["x"])),
            arrays={"x": n},
        )
    for n in (1, 2, 5):
        count(
            f"mimc.mimc7_hash({n})",
            exported(lambda cs, i: mimc.mimc7_hash(cs, i["x"], i["key"])),
            "key",
            arrays={"x": n},
        )
        count(
            f"mimc.mimc_sponge({n})",
            exported(lambda cs, i: mimc.mimc_sponge(cs, i["x"], i["key"])),
            "key",
            arrays={"x": n},
        )
    count(
        "mimc.mimc_feistel",
        exported(lambda cs, i: mimc.mimc_feistel(cs, i["x"], i["y"], i["key"])),
        "x y key",
    )
    for n in (8, 200, 256, 512):
        count(
            f"pedersen.pedersen_hash({n})",
            unused(lambda cs, i: pedersen.pedersen_hash(cs, i["b"])),
            bool_arrays={"b": n},
        )
    for depth in (1, 2):
        shape = {f"lanes_{k}": 4 for k in range(depth)}
        count(
            f"merkle.merkle_update(depth {depth})",
            exported(
                lambda cs, i, depth=depth: merkle_update(cs, i["index"], i["x"], i["y"], lanes(i, depth))
            ),
            "x y",
            arrays=shape,
            bool_arrays={"index": 2 * depth},
        )
        count(
            f"merkle.merkle_membership(depth {depth})",
            exported(lambda cs, i, depth=depth: merkle_membership(cs, i["index"], i["x"], lanes(i, depth))),
            "x",
            arrays=shape,
            bool_arrays={"index": 2 * depth},
        )
    for name, gadget, leaves in (("membership", binary_membership, "x"), ("update", binary_update, "x y")):

        def binary(cs, i, gadget=gadget, leaves=leaves):
            return gadget(cs, i["index"], *(i[n] for n in leaves.split()), i["lanes"])

        count(
            f"merkle.binary_{name}(depth 2)",
            exported(binary),
            leaves,
            arrays={"lanes": 2},
            bool_arrays={"index": 2},
        )
    for name, prime in (("secp256k1", 2**256 - 2**32 - 977), ("2^255 - 19", 2**255 - 19)):
        f = EmulatedField(prime)
        operations = ("multiply", "square", "inverse", "divide", "reduce", "canonical", "assert_canonical")
        for operation in (*operations, "assert_equal", "is_zero", "is_equal"):

            def emulated(cs, i, f=f, operation=operation):
                with cs.scope("inputs"):
                    a, b = f.input(cs, "a"), f.input(cs, "b")
                    cs.sum(b.limbs).assert_equal(i["x"])  # where it is no operand
                two = operation in ("multiply", "divide", "assert_equal", "is_equal")
                getattr(f, operation)(cs, a, *([b] if two else []))

            count(f"emulated.{operation}({name})", emulated, "x")
    for gadget in ("assert_on_curve", "assert_distinct", "add_distinct", "double"):

        def on_secp256k1(cs, i, gadget=gadget):
            curve = weierstrass.SECP256K1
            with cs.scope("inputs"):
                points = [
                    weierstrass.EmulatedPoint(*(curve.field.input(cs, f"{n}{c}") for c in "xy")) for n in "pq"
                ]
                total = cs.sum(limb for p in points for e in (p.x, p.y) for limb in e.limbs)
                total.assert_equal(i["x"])
            two = gadget in ("assert_distinct", "add_distinct")
            getattr(weierstrass, gadget)(cs, curve, *points[: 1 + two])

        count(f"weierstrass.{gadget}(secp256k1)", on_secp256k1, "x")
    for n in (1, 10, 32):

        def sparse(name, fields, flags="", n=n):
            def body(cs, i):
                out = getattr(smt, f"sparse_{name}")(
                    cs, *(i[f] for f in fields.replace("+", " ").split()), i["lanes"]
                )
                return [out.before, out.after] if isinstance(out, smt.SparseChange) else out

            count(
                f"smt.sparse_{name}({n} levels)",
                exported(body),
                " ".join(f for f in fields.split() if not f.startswith("+")),
                bools=flags,
                arrays={"lanes": n},
            )

        sparse("inclusion", "k v")
        sparse("exclusion", "k ok ov +empty", "empty")
        sparse("verify", "+absent k v ok ov +empty", "absent empty")
        sparse("update", "k v w")
        sparse("write", "+insert k v ok ov +empty", "insert empty")

        def process(cs, i):
            return smt.sparse_process(cs, (i["f"], i["g"]), *(i[x] for x in "rkvow"), i["empty"], i["lanes"])

        count(
            f"smt.sparse_process({n} levels)",
            exported(process),
            "r k v o w",
            bools="f g empty",
            arrays={"lanes": n},
        )
    curve = babyjubjub
    count("babyjubjub.assert_on_curve", lambda cs, i: curve.assert_on_curve(cs, edwards(i)), "px py")
    count("babyjubjub.add", exported(lambda cs, i: curve.add(cs, edwards(i), edwards(i, "q"))), "px py qx qy")
    count("babyjubjub.double", exported(lambda cs, i: curve.double(cs, edwards(i))), "px py")
    count("babyjubjub.to_montgomery", exported(lambda cs, i: curve.to_montgomery(cs, edwards(i))), "px py")
    count("babyjubjub.to_edwards", exported(lambda cs, i: curve.to_edwards(cs, montgomery(i))), "pu pv")
    for name in ("add_distinct", "double_add_distinct"):
        count(
            f"babyjubjub.{name}",
            exported(lambda cs, i, name=name: getattr(curve, name)(cs, montgomery(i), montgomery(i, "q"))),
            "pu pv qu qv",
        )
    count(
        "babyjubjub.double_montgomery",
        exported(lambda cs, i: curve.double_montgomery(cs, montgomery(i))),
        "pu pv",
    )
    count(
        "babyjubjub.cofactor_multiple",
        exported(lambda cs, i: curve.cofactor_multiple(cs, edwards(i))),
        "px py",
    )
    count(
        "babyjubjub.multiply_base8_plus_t4(251)",
        exported(lambda cs, i: curve.multiply_base8_plus_t4(cs, i["b"])),
        bool_arrays={"b": 251},
    )
    count(
        "babyjubjub.multiply_plus_t2",
        exported(lambda cs, i: curve.multiply_plus_t2(cs, montgomery(i), i["h"])),
        "pu pv h",
    )
    count(
        "eddsa.eddsa_poseidon_verify",
        lambda cs, i: eddsa_poseidon_verify(
            cs, i["enabled"], *(i[n] for n in ("ax", "ay", "r8x", "r8y", "s", "message"))
        ),
        "ax ay r8x r8y s message",
        bools="enabled",
    )
    for n in (8, 64, 254):
        count(
            f"compare.less_than_bits({n})",
            unused(lambda cs, i: compare.less_than_bits(cs, i["a"], i["b"])),
            bool_arrays={"a": n, "b": n},
        )
    count("compare.less_than_field", unused(lambda cs, i: compare.less_than_field(cs, i["x"], i["y"])), "x y")
    for name in ("add", "subtract", "multiply", "add_wrapping", "multiply_wrapping", "minimum"):
        rows = exported if name == "minimum" else unused
        count(
            f"integers.{name}(64)",
            rows(lambda cs, i, name=name: getattr(integers, name)(cs, i["x"], i["y"], 64)),
            "x y",
        )
    count("integers.divide(64, 64)", unused(lambda cs, i: integers.divide(cs, i["x"], i["y"], 64, 64)), "x y")
    count(
        "integers.divide_by_constant(64, 1000)",
        unused(lambda cs, i: integers.divide_by_constant(cs, i["x"], 1000, 64)),
        "x",
    )
    for name in ("shift_left_by", "shift_right_by", "rotate_left_by"):
        count(
            f"integers.{name}(64, 6)",
            unused(lambda cs, i, name=name: getattr(integers, name)(cs, i["x"], i["b"], 64)),
            "x",
            bool_arrays={"b": 6},
        )
    for name in ("add", "multiply", "less_than", "divide"):

        def body(cs, i, name=name):
            with cs.scope("inputs"):
                a, b = integers.signed(cs, i["x"], 64), integers.signed(cs, i["y"], 64)
            out = getattr(integers, f"signed_{name}")(cs, a, b)
            if name == "divide":
                cs.materialise(out[1].value)
                cs.materialise(out[1].negative)

        count(f"integers.signed_{name}(64)", body, "x y")
    for n in (8, 16, 256):
        k = n.bit_length() - 1
        count(
            f"select.mux({n})",
            exported(lambda cs, i: select.mux(cs, i["b"], i["v"])),
            arrays={"v": n},
            bool_arrays={"b": k},
        )
        table = [pow(3, i * i + 5, MODULUS) for i in range(n)]
        rows = unused if n == 8 else exported  # no product is left to settle after eight entries
        count(
            f"select.lookup({n})",
            rows(lambda cs, i, table=table: select.lookup(cs, i["b"], table)),
            bool_arrays={"b": k},
        )
    count("select.one_hot(16)", unused(lambda cs, i: select.one_hot(cs, i["x"], 16)), "x")
    count(
        "select.one_hot_bits(4)",
        exported(lambda cs, i: select.one_hot_bits(cs, i["b"])[8:-1]),
        bool_arrays={"b": 4},
    )
    count(
        "select.is_member(8)",
        exported(lambda cs, i: select.is_member(cs, i["x"], i["v"])),
        "x",
        arrays={"v": 8},
    )
    count("sort.sort(8 of 64)", unused(lambda cs, i: sort.sort(cs, i["v"], 64)), arrays={"v": 8})
    count(
        "sort.assert_permutation(8)",
        lambda cs, i: sort.assert_permutation(cs, i["a"], i["b"]),
        arrays={"a": 8, "b": 8},
    )
    for name, m in (("xor", 2), ("xor", 3), ("xor", 5), ("majority", 3), ("chi", 3), ("choose", 3)):
        count(
            f"words.{name}({m} words of 32)",
            unused(
                lambda cs, i, name=name, m=m: [
                    cs.materialise(bit) for bit in getattr(words, name)(cs, *list(i.values())[:m])
                ]
            ),
            bool_arrays=dict.fromkeys("abcde"[:m], 32),
        )
    for m in (2, 5):
        count(
            f"words.add({m} words of 32)",
            unused(lambda cs, i: words.add(cs, list(i.values()), 32)),
            bool_arrays=dict.fromkeys("abcde"[:m], 32),
        )
    count(
        "sha256.sha256_compress",
        unused(lambda cs, i: sha256_compress(cs, list(i.values())[:8], list(i.values())[8:])),
        bool_arrays={f"w{k}": 32 for k in range(24)},
    )
    count("sha256.sha256(512)", unused(lambda cs, i: sha256(cs, i["m"])), bool_arrays={"m": 512})
    count(
        "keccak.keccak_f",
        unused(lambda cs, i: keccak_f(cs, list(i.values()))),
        bool_arrays={f"l{k}": 64 for k in range(25)},
    )
    count("keccak.keccak256(1080)", unused(lambda cs, i: keccak256(cs, i["m"])), bool_arrays={"m": 1080})
    count(
        "babyjubjub.multiply_fixed(251)",
        unused(lambda cs, i: curve.multiply_fixed(cs, BASE8, i["b"])),
        bool_arrays={"b": 251},
    )
    for name in ("assert_in_subgroup", "clear_cofactor", "compress"):
        count(
            f"points.{name}",
            unused(lambda cs, i, name=name: getattr(points, name)(cs, edwards(i))),
            "px py",
        )
    count("points.decompress", unused(lambda cs, i: points.decompress(cs, i["b"])), bool_arrays={"b": 256})
    count(
        "points.multiply_point",
        exported(lambda cs, i: points.multiply_point(cs, edwards(i), i["h"])),
        "px py h",
    )
    count("eddsa.public_key", unused(lambda cs, i: eddsa.public_key(cs, i["k"])), "k")
    for name in ("mimc7", "mimc_sponge"):
        count(
            f"eddsa.eddsa_{name}_verify",
            lambda cs, i, name=name: getattr(eddsa, f"eddsa_{name}_verify")(
                cs, i["enabled"], *(i[n] for n in ("ax", "ay", "r8x", "r8y", "s", "message"))
            ),
            "ax ay r8x r8y s message",
            bools="enabled",
        )
    count(
        "eddsa.eddsa_pedersen_verify(80)",
        lambda cs, i: eddsa.eddsa_pedersen_verify(
            cs, i["enabled"], *(i[n] for n in ("ax", "ay", "r8x", "r8y", "s")), i["message"]
        ),
        "ax ay r8x r8y s",
        bools="enabled",
        bool_arrays={"message": 80},
    )
    if os.environ.get("ZKROLLUP_UPDATE_SNAPSHOTS"):
        FILE.write_text(json.dumps(counts, indent=1) + "\n")
    assert counts == json.loads(FILE.read_text())


@pytest.mark.slow
def test_long_gadgets__take_the_rows_in_the_file():
    f, modulo_n = secp256k1.coordinates(), secp256k1.scalars()
    counts = {}
    for name, scalars, with_point, gadget in (
        ("secp256k1.multiply_generator", 1, 0, secp256k1.multiply_generator),
        ("secp256k1.multiply", 1, 1, secp256k1.multiply),
        ("secp256k1.multiply_two", 2, 1, secp256k1.multiply_two),
        ("ecdsa.ecdsa_verify", 3, 1, ecdsa.ecdsa_verify),
        ("ecdsa.ethereum_address", 0, 1, ecdsa.ethereum_address),
    ):
        cs = ConstraintSystem(name)
        with cs.scope("inputs"):
            given = [modulo_n.input(cs, f"scalar{i}") for i in range(scalars)]
            if with_point:
                given.append(weierstrass.EmulatedPoint(f.input(cs, "x"), f.input(cs, "y")))
        gadget(cs, *given)
        template = cs.freeze()
        counts[name] = template.num_constraints - template.counts_by_scope()["inputs"]
    if os.environ.get("ZKROLLUP_UPDATE_SNAPSHOTS"):
        LONG.write_text(json.dumps(counts, indent=1) + "\n")
    assert counts == json.loads(LONG.read_text())
