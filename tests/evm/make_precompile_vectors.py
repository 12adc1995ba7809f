"""Writes tests/vectors/evm/precompiles.json: edge cases of the chain's three contracts for BN254.

Usage: python tests/evm/make_precompile_vectors.py [--check]

Inputs are chosen here, answers come from zkrollup.l1.evm.precompiles, the pure-Python twin;
tests/evm/test_precompiles.py asks real EVMs the same. ``--check`` writes nothing and exits with 1 when the
file is not what would be written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from zkrollup.bn254 import FQ_MODULUS as Q
from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254 import g1, g2
from zkrollup.bn254.encoding import g1_to_bytes, g2_to_bytes
from zkrollup.l1.evm.precompiles import EC_ADD, EC_MUL, EC_PAIRING, PRECOMPILES, gas_cost

RESULT = Path(__file__).resolve().parents[1] / "vectors" / "evm" / "precompiles.json"

ONE, TWO = g1.GENERATOR, g2.GENERATOR
MAX = (1 << 256) - 1
Case = tuple[int, str, bytes]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def number(label: str) -> int:
    """A scalar that looks random and is the same every time."""
    return int.from_bytes(sha256(label.encode()).digest(), "big") % R


def some(label: str) -> g1.G1Point:
    return g1.mul(ONE, number(label))


def bad_points() -> list[tuple[str, bytes]]:
    """What is no point of G1."""
    x, y = ONE
    return [
        ("off the curve", word(1) + word(3)),
        ("x and y exchanged", word(y) + word(x)),
        ("x = q", word(Q) + word(y)),
        ("y = q", word(x) + word(Q)),
        ("x + q", word(x + Q) + word(y)),
        ("y + q", word(x) + word(y + Q)),
        ("(q, q), infinity not reduced", word(Q) + word(Q)),
        ("(0, q)", word(0) + word(Q)),
        ("(q, 0)", word(Q) + word(0)),
        ("(0, 1)", word(0) + word(1)),
        ("(1, 0)", word(1) + word(0)),
        ("all ones", word(MAX) + word(MAX)),
    ]


def additions() -> Iterator[Case]:
    p, q = some("p"), some("q")
    pairs = [
        ("two points", p, q),
        ("a point and itself", p, p),
        ("a point and its negation", p, g1.negate(p)),
        ("infinity and a point", g1.INFINITY, p),
        ("a point and infinity", p, g1.INFINITY),
        ("infinity twice", g1.INFINITY, g1.INFINITY),
        ("the generator and its double", ONE, g1.double(ONE)),
        ("the generator and (r - 1) times it", ONE, g1.mul(ONE, R - 1)),
        ("the generator and (r - 2) times it", ONE, g1.mul(ONE, R - 2)),
    ]
    for name, left, right in pairs:
        yield EC_ADD, name, g1_to_bytes(left) + g1_to_bytes(right)
    for name, bad in bad_points():
        yield EC_ADD, f"left: {name}", bad + g1_to_bytes(p)
        yield EC_ADD, f"right: {name}", g1_to_bytes(p) + bad
    whole = g1_to_bytes(p) + g1_to_bytes(q)
    for size in (0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127):
        yield EC_ADD, f"only the first {size} bytes", whole[:size]
    yield EC_ADD, "a byte behind", whole + b"\xff"
    yield EC_ADD, "64 bytes behind, no point", whole + bad_points()[0][1]
    yield EC_ADD, "a low y whose last byte is cut off", (word(1) + word(2))[:63]


def multiplications() -> Iterator[Case]:
    p = some("p")
    scalars = [
        ("0", 0),
        ("1", 1),
        ("2", 2),
        ("r - 1", R - 1),
        ("r", R),
        ("r + 1", R + 1),
        ("2 r", 2 * R),
        ("5 r + 3", 5 * R + 3),
        ("q - 1", Q - 1),
        ("q", Q),
        ("q + 1", Q + 1),
        ("2^128", 1 << 128),
        ("2^255", 1 << 255),
        ("2^256 - 1", MAX),
        ("a random one", number("s")),
    ]
    for name, scalar in scalars:
        yield EC_MUL, f"a point times {name}", g1_to_bytes(p) + word(scalar)
        yield EC_MUL, f"the generator times {name}", g1_to_bytes(ONE) + word(scalar)
        yield EC_MUL, f"infinity times {name}", bytes(64) + word(scalar)
    for name, bad in bad_points():
        yield EC_MUL, f"{name}, times 2", bad + word(2)
        yield EC_MUL, f"{name}, times 0", bad + word(0)
    whole = g1_to_bytes(p) + word(number("s"))
    for size in (0, 1, 32, 63, 64, 65, 80, 95):
        yield EC_MUL, f"only the first {size} bytes", whole[:size]
    yield EC_MUL, "a byte behind", whole + b"\xff"
    yield EC_MUL, "32 bytes behind", whole + word(MAX)


def outside_subgroup(label: str) -> g2.G2Point:
    """A point of the twist that is not in G2; by square roots in Fq2."""
    inverse = pow(82, -1, Q)  # b = 3 / (9 + i) = 3 (9 - i) / 82
    for x in range(number(label), Q):
        real, imaginary = (x**3 + 27 * inverse) % Q, -3 * inverse % Q
        root = pow(real * real + imaginary * imaginary, (Q + 1) // 4, Q)
        for half in ((real + root) * pow(2, -1, Q) % Q, (real - root) * pow(2, -1, Q) % Q):
            y0 = pow(half, (Q + 1) // 4, Q)
            if y0 and y0 * y0 % Q == half:
                point = ((x, 0), (y0, imaginary * pow(2 * y0, -1, Q) % Q))
                if g2.is_on_curve(point) and not g2.in_subgroup(point):
                    return point
    raise AssertionError("no such point")


def bad_twist_points() -> list[tuple[str, bytes]]:
    """What is no point of G2."""
    (x0, x1), (y0, y1) = TWO
    words = [x1, x0, y1, y0]
    found = []
    for i, name in enumerate(("x.im", "x.re", "y.im", "y.re")):
        for change, value in (
            ("= q", Q),
            ("+ q", words[i] + Q),
            ("+ 1", words[i] + 1),
            ("= 2^256 - 1", MAX),
            ("= 0", 0),
        ):
            changed = [value if k == i else w for k, w in enumerate(words)]
            found.append((f"{name} {change}", b"".join(map(word, changed))))
    order_2 = outside_subgroup("twist")
    # A point of the twist times r has an order that divides the cofactor 2 q - r alone.
    cofactor_part = g2.mul(order_2, R)
    found += [
        ("parts exchanged", b"".join(map(word, (x0, x1, y0, y1)))),
        ("on the twist, outside the subgroup", g2_to_bytes(order_2)),
        ("on the twist, outside the subgroup, negated", g2_to_bytes(g2.negate(order_2))),
        ("on the twist, of an order that divides the cofactor", g2_to_bytes(cofactor_part)),
        ("a point of G2 plus one of the cofactor's order", g2_to_bytes(g2.add(TWO, cofactor_part))),
        ("infinity not reduced", word(Q) * 4),
    ]
    return found


def pairings() -> Iterator[Case]:
    p, s = some("p"), number("s")
    pair, cancel = g1_to_bytes(ONE) + g2_to_bytes(TWO), g1_to_bytes(g1.negate(ONE)) + g2_to_bytes(TWO)
    yield EC_PAIRING, "no pairs", b""
    yield EC_PAIRING, "one pair", pair
    yield EC_PAIRING, "a pair and its inverse", pair + cancel
    yield EC_PAIRING, "a pair twice", pair + pair
    yield EC_PAIRING, "infinity twice", bytes(192)
    yield EC_PAIRING, "infinity of G1", bytes(64) + g2_to_bytes(TWO)
    yield EC_PAIRING, "infinity of G2", g1_to_bytes(p) + bytes(128)
    yield EC_PAIRING, "infinity before a pair and its inverse", bytes(192) + pair + cancel
    yield EC_PAIRING, "infinity between a pair and its inverse", pair + bytes(192) + cancel
    yield EC_PAIRING, "infinity of G1 behind one pair", pair + bytes(64) + g2_to_bytes(TWO)
    moved = g1_to_bytes(g1.negate(g1.mul(p, s))) + g2_to_bytes(TWO)
    yield EC_PAIRING, "a scalar moved across", g1_to_bytes(p) + g2_to_bytes(g2.mul(TWO, s)) + moved
    wrong = g1_to_bytes(g1.negate(g1.mul(p, s + 1))) + g2_to_bytes(TWO)
    yield EC_PAIRING, "another scalar moved across", g1_to_bytes(p) + g2_to_bytes(g2.mul(TWO, s)) + wrong
    yield EC_PAIRING, "the inverse in G2", pair + g1_to_bytes(ONE) + g2_to_bytes(g2.negate(TWO))
    # in the exponent: 2 * 3 + 3 * 2 + (r - 12) * 1 + 5 * 7 + (r - 5) * 7 = 0 modulo r
    left, right = [2, 3, R - 12, 5, R - 5], [3, 2, 1, 7, 7]
    many = b"".join(
        g1_to_bytes(g1.mul(ONE, a)) + g2_to_bytes(g2.mul(TWO, b)) for a, b in zip(left, right, strict=True)
    )
    yield EC_PAIRING, "five pairs whose product is one", many
    yield EC_PAIRING, "four of five pairs whose product is one", many[:-192]
    yield EC_PAIRING, "ten pairs whose product is one", many + many
    for name, bad in bad_points():
        yield EC_PAIRING, f"G1: {name}", bad + g2_to_bytes(TWO)
        yield EC_PAIRING, f"G1 of the last pair: {name}", pair + cancel + bad + bytes(128)
    for name, bad in bad_twist_points():
        yield EC_PAIRING, f"G2: {name}", g1_to_bytes(p) + bad
        yield EC_PAIRING, f"G2 beside infinity: {name}", bytes(64) + bad
    for size in (1, 32, 64, 128, 191, 193, 256, 383, 385):
        yield EC_PAIRING, f"{size} bytes", (pair + cancel + pair)[:size]
        yield EC_PAIRING, f"{size} zeros", bytes(size)


def document() -> str:
    """The file's text: answer ``null`` is a failed call."""
    lines = []
    for address, name, data in (*additions(), *multiplications(), *pairings()):
        answer = PRECOMPILES[address](data)
        case = {
            "address": address,
            "name": name,
            "input": data.hex(),
            "answer": None if answer is None else answer.hex(),
            "gas": gas_cost(address, data),
        }
        lines.append(json.dumps(case))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    text = document()
    if options.check:
        return int(RESULT.read_text() != text)
    RESULT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
