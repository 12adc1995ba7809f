"""How many rows do our gadgets take, and how many circomlib's templates?

Usage: python benches/gadgets.py [--write]

Ours are counted from the recorded templates by ``tests/gadgets/test_snapshots.py``, which runs first and
must agree with its snapshots. circomlib's are those of ``benches/circomlib/counts.json``, made by
``benches/circomlib/count.mjs``: each template compiled alone by circom2, --O1 and --O2. --write puts the
table into ``docs/gadgets.md``; otherwise it is printed.

To show another gadget, add a line to ROWS: its name, its key in the snapshots, the
template's call in ``counts.json`` or None, and a note where the two do not state the same thing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COUNTS = ROOT / "benches" / "circomlib" / "counts.json"
SNAPSHOTS = ROOT / "tests" / "gadgets" / "snapshots.json"
LONG = ROOT / "tests" / "gadgets" / "snapshots_long.json"
PAGE = ROOT / "docs" / "gadgets.md"
BEGIN, END = "<!-- gadgets: begin -->", "<!-- gadgets: end -->"


class Row(NamedTuple):
    """One line of the table; several keys of ours are added up."""

    gadget: str
    ours: str | tuple[str, ...]
    circomlib: str | None = None
    note: str = ""


L_MINUS_1 = "2736030358979909402780800718157159386076813972158567259200215660948447373040"

DEEPER = "a path of ours may be as deep as there are levels, the template's one less"

ROWS = (
    Row("bits of a number below 2^64", "bits.range_check(64)", "Num2Bits(64)"),
    Row("bits of a number below 2^253", "bits.range_check(253)", "Num2Bits(253)"),
    Row("canonical bits of any element", "bits.to_bits_strict", "Num2Bits_strict()"),
    Row("254 bits stay below r", "bits.assert_bits_less_than(r)", "AliasCheck()"),
    Row("251 bits stay below l", "bits.assert_bits_less_than(l)", f"CompConstant({L_MINUS_1})"),
    Row("is zero", "compare.is_zero", "IsZero()"),
    Row("is equal", "compare.is_equal", "IsEqual()"),
    Row("less than, 64 bits", "compare.less_than(64)", "LessThan(64)"),
    Row("1 of 2", "select.select", "Mux1()"),
    Row("1 of 4", "select.mux4", "Mux2()"),
    Row("1 of 8", "select.mux(8)", "Mux3()"),
    Row("1 of 16", "select.mux(16)", "Mux4()"),
    Row("1 of 8 constants", "select.lookup(8)"),
    Row("1 of 256 constants", "select.lookup(256)"),
    Row("conditional swap", "select.conditional_swap", "Switcher()"),
    Row("less than, any two elements", "compare.less_than_field"),
    Row("less than, 64 bits given", "compare.less_than_bits(64)"),
    Row("product of 64-bit integers, in range", "integers.multiply(64)"),
    Row("quotient and remainder, 64 bits", "integers.divide(64, 64)"),
    Row("signed less than, 64 bits", "integers.signed_less_than(64)"),
    Row("rotation of 64 bits by a signal", "integers.rotate_left_by(64, 6)"),
    Row("sort of 8 numbers of 64 bits", "sort.sort(8 of 64)"),
    Row("xor of 3 words of 32 bits", "words.xor(3 words of 32)", "Xor3(32)"),
    Row("majority of 3 words of 32 bits", "words.majority(3 words of 32)", "Maj_t(32)"),
    Row("choice among 2 words of 32 bits", "words.choose(3 words of 32)", "Ch_t(32)"),
    Row("sum of 2 words of 32 bits", "words.add(2 words of 32)", "BinSum(32, 2)"),
    Row("sum of 5 words of 32 bits", "words.add(5 words of 32)", "BinSum(32, 5)"),
    Row("SHA-256, one block", "sha256.sha256_compress", "Sha256compression()"),
    Row("SHA-256 of 512 bits", "sha256.sha256(512)", "Sha256(512)"),
    Row("Keccak-f[1600]", "keccak.keccak_f"),
    Row("Keccak-256 of 1080 bits", "keccak.keccak256(1080)"),
    Row("Poseidon, 1 input", "poseidon.poseidon(1)", "Poseidon(1)"),
    Row("Poseidon, 2 inputs", "poseidon.poseidon(2)", "Poseidon(2)"),
    Row("Poseidon, 4 inputs", "poseidon.poseidon(4)", "Poseidon(4)"),
    Row("Poseidon, 5 inputs", "poseidon.poseidon(5)", "Poseidon(5)"),
    Row("Poseidon, 16 inputs", "poseidon.poseidon(16)", "Poseidon(16)"),
    Row("Poseidon2 permutation, t = 2", "poseidon2.permute(2)"),
    Row("Poseidon2 permutation, t = 3", "poseidon2.permute(3)"),
    Row("Poseidon2 permutation, t = 4", "poseidon2.permute(4)"),
    Row("Poseidon2 permutation, t = 8", "poseidon2.permute(8)"),
    Row("Poseidon2 compression of 2", "poseidon2.compress(2)"),
    Row("Poseidon2 compression of 4", "poseidon2.compress(4)"),
    Row("Poseidon2 sponge, 3 inputs", "poseidon2.poseidon2_hash(3)"),
    Row("MiMC7, 1 input", "mimc.mimc7_hash(1)", "MiMC7(91)", "the template is the cipher, not the hash"),
    Row("MiMC7, 5 inputs", "mimc.mimc7_hash(5)", "MultiMiMC7(5, 91)"),
    Row("MiMC Feistel permutation", "mimc.mimc_feistel", "MiMCFeistel(220)"),
    Row("MiMC-sponge, 2 inputs", "mimc.mimc_sponge(2)", "MiMCSponge(2, 220, 1)"),
    Row("MiMC-sponge, 5 inputs", "mimc.mimc_sponge(5)", "MiMCSponge(5, 220, 1)"),
    Row("Pedersen hash of 8 bits", "pedersen.pedersen_hash(8)", "Pedersen(8)"),
    Row("Pedersen hash of 200 bits", "pedersen.pedersen_hash(200)", "Pedersen(200)"),
    Row("Pedersen hash of 256 bits", "pedersen.pedersen_hash(256)", "Pedersen(256)"),
    Row("Pedersen hash of 512 bits", "pedersen.pedersen_hash(512)", "Pedersen(512)"),
    Row("point on BabyJubJub", "babyjubjub.assert_on_curve", "BabyCheck()"),
    Row("Edwards addition", "babyjubjub.add", "BabyAdd()"),
    Row("Edwards doubling", "babyjubjub.double", "BabyDbl()"),
    Row("Edwards to Montgomery", "babyjubjub.to_montgomery", "Edwards2Montgomery()"),
    Row("Montgomery to Edwards", "babyjubjub.to_edwards", "Montgomery2Edwards()"),
    Row("Montgomery chord", "babyjubjub.add_distinct", "MontgomeryAdd()"),
    Row("Montgomery tangent", "babyjubjub.double_montgomery", "MontgomeryDouble()"),
    Row("Montgomery 2P + Q", "babyjubjub.double_add_distinct"),
    Row("point in the subgroup", "points.assert_in_subgroup"),
    Row("8 P, complete", "points.clear_cofactor"),
    Row("8 P, of order l, P on the curve", "babyjubjub.cofactor_multiple"),
    Row("fixed base, 251 bits", "babyjubjub.multiply_fixed(251)", "EscalarMulFix(251, BASE8)"),
    Row(
        "any base of the subgroup",
        "points.multiply_point",
        "EscalarMulAny(254)",
        "ours takes a field element and makes its canonical bits, the template takes 254 bits",
    ),
    Row("point to 256 bits", "points.compress", "Point2Bits_Strict()"),
    Row("256 bits to a point", "points.decompress", "Bits2Point_Strict()"),
    Row(
        "key of a scalar",
        "eddsa.public_key",
        "BabyPbk()",
        "ours bounds the scalar by l, the template by 2^253",
    ),
    Row("EdDSA, Poseidon", "eddsa.eddsa_poseidon_verify", "EdDSAPoseidonVerifier()"),
    Row("EdDSA, MiMC7", "eddsa.eddsa_mimc7_verify", "EdDSAMiMCVerifier()"),
    Row("EdDSA, MiMC-sponge", "eddsa.eddsa_mimc_sponge_verify", "EdDSAMiMCSpongeVerifier()"),
    Row(
        "EdDSA, Pedersen, 80 bits",
        "eddsa.eddsa_pedersen_verify(80)",
        "EdDSAVerifier(80)",
        "ours takes points and packs them, the template takes packed points and s as bits",
    ),
    Row("4-ary Merkle membership, depth 2", "merkle.merkle_membership(depth 2)"),
    Row("4-ary Merkle update, depth 2", "merkle.merkle_update(depth 2)"),
    Row("binary Merkle membership, depth 2", "merkle.binary_membership(depth 2)"),
    Row("binary Merkle update, depth 2", "merkle.binary_update(depth 2)"),
    Row("sparse Merkle proof, 10 levels", "smt.sparse_verify(10 levels)", "SMTVerifier(10)", DEEPER),
    Row("sparse Merkle proof, 32 levels", "smt.sparse_verify(32 levels)", "SMTVerifier(32)", DEEPER),
    Row("sparse Merkle change, 10 levels", "smt.sparse_process(10 levels)", "SMTProcessor(10)", DEEPER),
    Row("sparse Merkle change, 32 levels", "smt.sparse_process(32 levels)", "SMTProcessor(32)", DEEPER),
    Row("sparse Merkle update alone, 32 levels", "smt.sparse_update(32 levels)"),
    Row("product modulo secp256k1's prime", "emulated.multiply(secp256k1)"),
    Row("inverse modulo secp256k1's prime", "emulated.inverse(secp256k1)"),
    Row("least residue modulo secp256k1's prime", "emulated.canonical(secp256k1)"),
    Row("product modulo 2^255 - 19", "emulated.multiply(2^255 - 19)"),
    Row("inverse modulo 2^255 - 19", "emulated.inverse(2^255 - 19)"),
    Row("point on secp256k1", "weierstrass.assert_on_curve(secp256k1)"),
    Row("sum of points of secp256k1, apart", "weierstrass.add_distinct(secp256k1)"),
    Row("doubling on secp256k1", "weierstrass.double(secp256k1)"),
    Row("multiple of secp256k1's generator", "secp256k1.multiply_generator"),
    Row("multiple of any point of secp256k1", "secp256k1.multiply"),
    Row("sum of both", "secp256k1.multiply_two"),
    Row("ECDSA over secp256k1", "ecdsa.ecdsa_verify"),
    Row("Ethereum address of a key", "ecdsa.ethereum_address"),
)


def ours(row: Row, snapshots: dict[str, int]) -> int:
    return sum(snapshots[key] for key in ((row.ours,) if isinstance(row.ours, str) else row.ours))


def table(snapshots: dict[str, int], circomlib: dict[str, dict[str, int]]) -> str:
    """The table in Markdown; the ratio is to --O2."""
    notes: list[str] = []
    lines = [
        "| Gadget | Rows | circomlib | `--O1` | `--O2` | Ratio |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for row in ROWS:
        count = ours(row, snapshots)
        name = row.gadget
        if row.note:
            notes.append(row.note)
            name += f" [{len(notes)}]"
        if row.circomlib is None:
            lines.append(f"| {name} | {count:,} | none | | | |")
            continue
        theirs = circomlib[row.circomlib]
        template = row.circomlib if len(row.circomlib) < 40 else row.circomlib.partition("(")[0] + "(l - 1)"
        ratio = count / theirs["O2"]
        lines.append(
            f"| {name} | {count:,} | `{template}` | {theirs['O1']:,} | {theirs['O2']:,} | {ratio:.3f} |"
        )
    return "\n".join([*lines, "", *(f"[{i}] {note}.  " for i, note in enumerate(notes, 1))])


def current() -> str:
    """The table of the committed counts."""
    snapshots = json.loads(SNAPSHOTS.read_text()) | json.loads(LONG.read_text())
    return table(snapshots, json.loads(COUNTS.read_text())["constraints"])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/gadgets.md")
    arguments = parser.parse_args()
    test = SNAPSHOTS.with_name("test_snapshots.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "slow or not slow",
        "--slow-part",
        "all",
        str(test),
    ]
    counted = subprocess.run(command, cwd=ROOT, check=False)
    if counted.returncode:
        print(f"{SNAPSHOTS}: differs from the templates, see above", file=sys.stderr)
        return 1
    if not arguments.write:
        print(current())
        return 0
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        print(f"{PAGE}: expected {BEGIN} and {END}", file=sys.stderr)
        return 1
    PAGE.write_text(f"{before}{BEGIN}\n{current()}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
