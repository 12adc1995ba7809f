"""Phase 2: keys from powers of tau, contributions, and the check of both, against snarkjs's own files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.encoding import g1_to_bytes
from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.engine import Engine, get_engine
from zkrollup.engine.interface import Block, Layout, Matrix, SetupResult
from zkrollup.formats.binfile import BinFile, BinFileWriter, FormatError
from zkrollup.formats.contributions import Beacon, read_contributions, write_contributions
from zkrollup.formats.ptau import Ptau
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey, write_zkey
from zkrollup.groth16.ceremony import (
    InvalidKey,
    circuit_hash,
    contribute,
    contribute_beacon,
    contribution_hash,
    minus_as_if_points,
    setup_from_ptau,
    verify_key,
)
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.groth16.transcript import g1_from_limbs, g1_to_limbs, g2_to_limbs
from zkrollup.verifier import verify

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
CEREMONY = VECTORS / "ceremony"
SECTIONS = (1, 2, 4, 3, 9, 8, 5, 6, 7, 10)


@pytest.fixture(scope="module", params=["native", pytest.param("numba", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Engine:
    return get_engine(request.param)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return R1csFile.read(VECTORS / "circom" / "mixed.r1cs").layout()


@pytest.fixture(scope="module")
def powers() -> Ptau:
    return Ptau.load(CEREMONY / "prepared_5.ptau")


def section(path: Path, number: int) -> bytes:
    return BinFile.open(path, b"zkey", 1).section(number).tobytes()


def changed(source: Path, to: Path, number: int, data: bytes) -> Path:
    """A key's copy with another section."""
    file = BinFile.open(source, b"zkey", 1)
    with BinFileWriter(to, b"zkey", 1) as out:
        for other in SECTIONS:
            with out.section(other) as writer:
                writer.bytes(data if other == number else file.section(other).tobytes())
    return to


def with_point(data: bytes, index: int, point: bytes) -> bytes:
    size = len(point)
    return data[: index * size] + point + data[(index + 1) * size :]


@pytest.mark.parametrize(
    ("powers_name", "key_name"),
    [
        ("prepared_5.ptau", "initial_5.zkey"),
        ("raw_5.ptau", "initial_5.zkey"),
        ("raw_6.ptau", "initial_6.zkey"),
    ],
)
def test_key_from_powers__has_the_bytes_of_snarkjs(
    engine: Engine, layout: Layout, tmp_path: Path, powers_name: str, key_name: str
) -> None:
    """Prepared or not, and where the powers just suffice (so that one is missing for H)."""
    powers = Ptau.load(CEREMONY / powers_name)
    result = setup_from_ptau(layout, powers, engine)
    path = tmp_path / "x.zkey"
    write_zkey(path, layout, result, engine, circuit_hash=circuit_hash(result, powers, engine))
    assert path.read_bytes() == (CEREMONY / key_name).read_bytes()


def test_key_of_snarkjs__passes_the_check(engine: Engine, layout: Layout, powers: Ptau) -> None:
    assert verify_key(layout, powers, CEREMONY / "initial_5.zkey", engine).contributions == ()
    found = verify_key(layout, powers, CEREMONY / "contributed_5.zkey", engine)
    assert [(one.name, one.beacon is None) for one, _ in found.contributions] == [
        ("one", True),
        ("", True),
        ("a beacon", False),
    ]
    assert all(digest == contribution_hash(one) for one, digest in found.contributions)
    assert found.circuit_hash == section(CEREMONY / "initial_5.zkey", 10)[:64]


def test_contributions__make_a_key_that_proves(
    engine: Engine, layout: Layout, powers: Ptau, tmp_path: Path
) -> None:
    """Ours after snarkjs's, a person's and a beacon's; progress is told; the key proves and verifies."""
    told: list[tuple[str, int, int]] = []
    first = contribute(
        CEREMONY / "contributed_5.zkey", tmp_path / "1.zkey", "Ada", engine, lambda *a: told.append(a)
    )
    beacon = Beacon(b"a public value", 10)
    second = contribute_beacon(tmp_path / "1.zkey", tmp_path / "2.zkey", "", beacon, engine)
    found = verify_key(layout, powers, tmp_path / "2.zkey", engine)
    assert [digest for _, digest in found.contributions][3:] == [first, second]
    assert found.contributions[3][0].name == "Ada"
    assert found.contributions[4][0].beacon == beacon
    assert ("l", 16, 16) in told
    assert ("h", 32, 32) in told

    key = Zkey.load(tmp_path / "2.zkey", engine)
    assert len(key.contributions) == 5
    values = WtnsFile.read(VECTORS / "circom" / "mixed.wtns").values
    proof = prove_unchecked(key, key.layout, engine.fr_to_mont(values), engine)
    public = [int.from_bytes(v.tobytes(), "little") for v in values[1 : key.num_public + 1]]
    assert verify(key.verifying_key, public, proof)
    public[0] += 1
    assert not verify(key.verifying_key, public, proof)


def test_contributions_to_one_key__differ(layout: Layout, tmp_path: Path) -> None:
    engine = get_engine()
    for name in ("a", "b"):
        contribute(CEREMONY / "initial_5.zkey", tmp_path / name, "", engine)
    one, two = ((tmp_path / name).read_bytes() for name in ("a", "b"))
    assert one != two
    assert len(one) == len(two)


POINT = g1_to_limbs(g1.mul(g1.GENERATOR, 77))
POINT2 = g2_to_limbs(g2.mul(g2.GENERATOR, 77))


@pytest.mark.parametrize(
    ("number", "index", "point", "text"),
    [
        (3, 1, POINT, r"section 3 \(IC\): point 1 is not that of the circuit and the powers of tau"),
        (5, 20, POINT, r"section 5 \(A\): point 20 is not"),
        (6, 3, POINT, r"section 6 \(B1\): point 3 is not"),
        (7, 0, POINT2, r"section 7 \(B2\): point 0 is not"),
        (8, 15, POINT, r"section 8 \(L\) is not that of the circuit, divided by delta"),
        (9, 31, POINT, r"section 9 \(H\) is not that of the powers of tau, divided by delta"),
        (8, 2, bytes(63) + b"\x01", r"section 8 \(L\): point 2 is not on the curve"),
        (9, 2, bytes(63) + b"\x01", r"section 9 \(H\): point 2 is not on the curve"),
        (9, 5, bytes(64), r"section 9 \(H\) is not"),
    ],
    ids=["IC", "A", "B1", "B2", "L", "H", "L off the curve", "H off the curve", "H infinite"],
)
def test_key_with_one_point_changed__is_refused(
    layout: Layout, powers: Ptau, tmp_path: Path, number: int, index: int, point: bytes, text: str
) -> None:
    source = CEREMONY / "contributed_5.zkey"
    data = with_point(section(source, number), index, point)
    path = changed(source, tmp_path / "x.zkey", number, data)
    with pytest.raises(InvalidKey, match=text):
        verify_key(layout, powers, path, get_engine())


@pytest.mark.parametrize(
    ("name", "offset", "point"),
    [
        ("alpha1", 0, POINT),
        ("beta1", 64, POINT),
        ("beta2", 128, POINT2),
        ("gamma2", 256, POINT2),
        ("delta1", 384, POINT),
        ("delta2", 448, POINT2),
    ],
    ids=["alpha1", "beta1", "beta2", "gamma2", "delta1", "delta2"],
)
def test_key_with_another_point_in_its_header__is_refused(
    layout: Layout, powers: Ptau, tmp_path: Path, name: str, offset: int, point: bytes
) -> None:
    source = CEREMONY / "contributed_5.zkey"
    data, at = section(source, 2), 84 + offset
    path = changed(source, tmp_path / "x.zkey", 2, data[:at] + point + data[at + len(point) :])
    with pytest.raises(InvalidKey, match=f"{name} is not"):
        verify_key(layout, powers, path, get_engine())


def test_key_with_another_coefficient__is_refused(layout: Layout, powers: Ptau, tmp_path: Path) -> None:
    source = CEREMONY / "contributed_5.zkey"
    data = section(source, 4)
    for at in (4 + 44 * 5 + 12, 4 + 44 * 7 + 8):
        damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(
            InvalidKey, match=rf"section 4: entry {(at - 4) // 44} is not that of the circuit"
        ):
            verify_key(layout, powers, changed(source, tmp_path / "x", 4, damaged), get_engine())
    shorter = (int.from_bytes(data[:4], "little") - 1).to_bytes(4, "little") + data[4:-44]
    with pytest.raises(InvalidKey, match=r"section 4: \d+ entries, the circuit has \d+"):
        verify_key(layout, powers, changed(source, tmp_path / "x", 4, shorter), get_engine())


def test_key_with_a_dishonest_contribution__is_refused(layout: Layout, powers: Ptau, tmp_path: Path) -> None:
    """V8: every part of section 10, one at a time; each answer says which."""
    source, engine = CEREMONY / "contributed_5.zkey", get_engine()
    file = BinFile.open(source, b"zkey", 1)
    digest, (one, two, three) = read_contributions(file.reader(10))
    other = replace(three, beacon=Beacon(b"another", 10))
    longer = replace(three, beacon=Beacon(b"another", 33))
    off_curve = bytes(63) + b"\x01"
    cases = [
        (digest, (one, two), "delta1 is not the product of the contributions"),
        (digest, (two, one, three), "contribution 1: its transcript does not follow"),
        (bytes(64), (one, two, three), r"contribution 1 \(one\): its transcript does not follow"),
        (digest, (replace(one, g1_s=POINT), two, three), "its transcript does not follow"),
        (digest, (replace(one, g1_sx=POINT), two, three), "its transcript does not follow"),
        (digest, (replace(one, transcript=bytes(64)), two, three), "its transcript does not follow"),
        (digest, (replace(one, g2_spx=POINT2), two, three), "its proof does not show that its maker knew"),
        (digest, (replace(one, delta_after=POINT), two, three), "its delta is not the one before times its"),
        (
            digest,
            (one, replace(two, delta_after=off_curve), three),
            "contribution 2: delta: not on the curve",
        ),
        (digest, (one, two, other), r"contribution 3 \(a beacon\): its points are not those of its beacon"),
        (digest, (one, two, longer), r"a beacon of 2\^33 iterations; 2\^32 can be checked"),
        (digest, (one, two, replace(three, g1_s=bytes(64))), "s: the point at infinity is not accepted"),
    ]
    for circuit, contributions, text in cases:
        with BinFileWriter(tmp_path / "x", b"zkey", 1) as out, out.section(10) as writer:
            write_contributions(writer, circuit, contributions)
        path = changed(source, tmp_path / "x.zkey", 10, section(tmp_path / "x", 10))
        with pytest.raises(InvalidKey, match=text):
            verify_key(layout, powers, path, engine)


def test_key_of_another_circuit_or_other_powers__is_refused(layout: Layout, powers: Ptau) -> None:
    engine = get_engine()
    small = R1csFile.read(VECTORS / "circom" / "unused_inputs.r1cs").layout()
    with pytest.raises(InvalidKey, match="21 wires, the circuit has 4"):
        verify_key(small, powers, CEREMONY / "contributed_5.zkey", engine)
    with pytest.raises(InvalidKey, match=r"alpha1 is not that of .*raw_6\.ptau"):
        verify_key(layout, Ptau.load(CEREMONY / "raw_6.ptau"), CEREMONY / "contributed_5.zkey", engine)


def test_key_whose_hash_is_another_circuits__is_refused(layout: Layout, powers: Ptau, tmp_path: Path) -> None:
    """Without contributions nothing else depends on the hash."""
    source = CEREMONY / "initial_5.zkey"
    data = section(source, 10)
    path = changed(source, tmp_path / "x.zkey", 10, b"\x01" + data[1:])
    with pytest.raises(InvalidKey, match="section 10: the hash of the circuit is another one"):
        verify_key(layout, powers, path, get_engine())


def test_contributing__refuses_points_outside_their_groups(tmp_path: Path) -> None:
    """A product of such a point would tell about the secret."""
    source, engine = CEREMONY / "initial_5.zkey", get_engine()
    header, off_curve = section(source, 2), bytes(63) + b"\x01"
    for number, data, text in (
        (9, with_point(section(source, 9), 4, off_curve), r"section 9 \(H\): point 4 is not on the curve"),
        (2, header[:468] + off_curve + header[532:], "delta1: not on the curve"),
        (2, header[:532] + bytes(127) + b"\x01", "delta2: not on the curve"),
    ):
        path = changed(source, tmp_path / "x.zkey", number, data)
        with pytest.raises(InvalidKey, match=text):
            contribute(path, tmp_path / "y.zkey", "", engine)
    assert not (tmp_path / "y.zkey").exists()


def test_contributing__refuses_a_damaged_key(tmp_path: Path) -> None:
    data = (CEREMONY / "initial_5.zkey").read_bytes()
    for length in range(0, len(data), 257):
        (tmp_path / "x.zkey").write_bytes(data[:length])
        with pytest.raises(FormatError):
            contribute(tmp_path / "x.zkey", tmp_path / "y.zkey", "", get_engine())


@pytest.mark.parametrize(
    ("value", "exponent", "text"),
    [(b"", 10, "0 bytes, expected 1 to 255"), (b"x", 9, "9 .* 10 to 32"), (b"x", 33, "33 .* 10 to 32")],
)
def test_beacon__out_of_range_is_refused(tmp_path: Path, value: bytes, exponent: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        contribute_beacon(
            CEREMONY / "initial_5.zkey", tmp_path / "x", "", Beacon(value, exponent), get_engine()
        )


def test_circuit_larger_than_the_powers__is_refused(layout: Layout, powers: Ptau) -> None:
    larger = replace(layout, num_rows=29)
    with pytest.raises(ValueError, match=r"prepared_5\.ptau: powers for 2\^5 rows; the circuit needs 2\^6"):
        setup_from_ptau(larger, powers, get_engine())


def test_sums__of_several_instances_are_those_of_their_rows_written_out(powers: Ptau) -> None:
    """A template's block gives the same key as the same rows as one block."""
    engine = get_engine()

    def matrix(*rows: list[tuple[int, int]]) -> Matrix:
        indptr = np.cumsum([0, *map(len, rows)]).astype(np.uint32)
        flat = [entry for row in rows for entry in row]
        cols, coefs = (np.array([e[i] for e in flat], dtype=np.uint32) for i in range(2))
        return Matrix(indptr, cols, coefs)

    constants = np.zeros((4, 4), np.uint64)
    for i, x in enumerate((0, 1, -1, 5)):
        number = (x << 256) % FR_MODULUS
        constants[i] = [number >> (64 * j) & (2**64 - 1) for j in range(4)]
    rows = ([(1, 1), (2, 3)], [(2, 2)], [(0, 3), (3, 1)])  # local: 0, 1 links; 2, 3 own
    template = Block(
        1, 2, 2, 3, matrix(rows[0]), matrix(rows[1]), matrix(rows[2]), constants,
        np.array([[0, 1], [0, 1], [0, 2]], np.uint32), 2, 0,
    )  # fmt: skip
    uniform = Layout(8, 1, 3, (template,))

    def spelled(row: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
        links = ((0, 1), (0, 1), (0, 2))
        return [[(links[i][c] if c < 2 else 2 + 2 * i + c - 2, k) for c, k in row] for i in range(3)]

    a, b, c = (matrix(*spelled(row)) for row in rows)
    whole = Block(3, 2, 6, 1, a, b, c, constants, np.array([[0, 1]], np.uint32), 2, 0)
    one = setup_from_ptau(uniform, powers, engine)
    two = setup_from_ptau(Layout(8, 1, 3, (whole,)), powers, engine)
    for name in ("ic", "a", "b_columns", "b1", "b2", "l", "h"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    assert g1_from_limbs(two.a[0].tobytes(), "a") != g1_from_limbs(two.a[1].tobytes(), "a")


def test_difference_with_bytes_that_are_no_point__is_that_of_snarkjs() -> None:
    """What it hashes at 2^15 rows when the powers end there: the file's bytes after section 2, minus a point.

    With powers that this package made, snarkjs 0.7.6 gave a key for 32758 rows these bytes and no others.
    """
    following = bytes.fromhex(
        "0300000000004000000000002620bc02d1b5838e72017b493519ebdcdf1a81974726b8fb3b5096af4138571940614ca8"
        "7d73b4afc4d802585add4360862fa052"
    )
    last = bytes.fromhex(
        "6cfa97616bf17a5aa4229edcdb9c1db178717d03f148af18718177402247fa08ce02400b57dc290b439b99cda2671d2a"
        "9b0ecbdcd37f297cbe1683fd852d220d"
    )
    wanted = bytes.fromhex(
        "1edec8211f51d091d2a6e4f67ef3e094b8572d712b859c6db0bcb10d17fa87121ae2f061c6536a108d676d9c0f2be521"
        "43a4fec2f0dfb808ca7e8561a4e32c44"
    )
    assert minus_as_if_points(following, last) == wanted
    one, two = (g1.mul(g1.GENERATOR, k) for k in (123, 456))
    minus = g1.add(one, g1.negate(two))
    assert minus_as_if_points(g1_to_limbs(one), g1_to_limbs(two)) == g1_to_bytes(minus)


def test_circuit_hash__takes_one_difference_more_from_32768_rows_on() -> None:
    """As snarkjs does, which reads them 16384 at a time; the bytes after the powers count there only."""
    engine = get_engine()
    limbs = np.frombuffer(POINT, dtype="<u8").astype(np.uint64).reshape(1, 8)
    for rows, counts in ((1 << 14, False), (1 << 15, True)):
        zero1, zero2 = np.zeros(8, np.uint64), np.zeros(16, np.uint64)
        result = SetupResult(
            zero1, zero1, zero1, zero2, zero2, zero2, zero1.reshape(1, 8), zero1.reshape(1, 8),
            np.zeros(0, np.uint32), np.zeros((0, 8), np.uint64), np.zeros((0, 16), np.uint64),
            np.zeros((0, 8), np.uint64), np.zeros((rows, 8), np.uint64),
        )  # fmt: skip
        powers = Ptau.load(CEREMONY / "raw_5.ptau")
        powers = replace(powers, tau_g1=np.broadcast_to(limbs, (2 * rows - 1, 8)))
        one, two = (circuit_hash(result, replace(powers, following=bytes([i]) * 64), engine) for i in (1, 2))
        assert (one != two) == counts
