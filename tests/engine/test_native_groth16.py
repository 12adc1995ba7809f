"""R1CS products, the Groth16 quotient and setup of the native engine, against Python integers."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zkrollup.engine import (
    Block,
    EngineError,
    Layout,
    Matrix,
    available_cpu_paths,
    fr_from_ints,
    get_engine,
    ints_from_limbs,
)
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64, SetupResult

PATHS = available_cpu_paths()
pytestmark = pytest.mark.skipif(not PATHS, reason="the native engine was not built")

Rows = list[dict[int, int]]
Entries = list[tuple[int, int]]


@dataclass(frozen=True)
class Part:
    """A block in plain integers: rows as lists of (local column, coefficient)."""

    num_own: int
    rows: tuple[list[Entries], list[Entries], list[Entries]]
    links: list[list[int]]
    own_base: int
    row_base: int


def engine_of(cpu: str, threads: int = 2) -> Any:
    return get_engine("native", cpu=cpu, threads=threads)


def to_layout(parts: list[Part], num_columns: int, num_public: int, num_rows: int) -> Layout:
    engine = engine_of(PATHS[0])
    blocks = []
    for part in parts:
        constants = [0, 1, R - 1]
        index = {value: i for i, value in enumerate(constants)}
        matrices = []
        for rows in part.rows:
            indptr, cols, coefs = [0], [], []
            for row in rows:
                for column, value in row:
                    if value % R not in index:
                        index[value % R] = len(constants)
                        constants.append(value % R)
                    cols.append(column)
                    coefs.append(index[value % R])
                indptr.append(len(cols))
            matrices.append(Matrix(*(np.array(x, dtype=np.uint32) for x in (indptr, cols, coefs))))
        blocks.append(
            Block(
                num_rows=len(part.rows[0]),
                num_links=len(part.links[0]),
                num_own=part.num_own,
                instances=len(part.links),
                a=matrices[0],
                b=matrices[1],
                c=matrices[2],
                constants=engine.fr_to_mont(fr_from_ints(constants)),
                links=np.array(part.links, dtype=np.uint32),
                own_base=part.own_base,
                row_base=part.row_base,
            )
        )
    return Layout(num_columns, num_public, num_rows, tuple(blocks))


def global_rows(parts: list[Part], num_rows: int) -> tuple[Rows, Rows, Rows]:
    """The same system, every row written out over global columns."""
    out: tuple[Rows, Rows, Rows] = tuple([{} for _ in range(num_rows)] for _ in range(3))  # type: ignore[assignment]
    for part in parts:
        for instance, links in enumerate(part.links):
            for m in range(3):
                for j, row in enumerate(part.rows[m]):
                    target = out[m][part.row_base + instance * len(part.rows[m]) + j]
                    for column, value in row:
                        own = part.own_base + instance * part.num_own + column - len(links)
                        at = links[column] if column < len(links) else own
                        target[at] = (target.get(at, 0) + value) % R
    return out


def times(rows: Rows, witness: list[int]) -> list[int]:
    return [sum(value * witness[column] for column, value in row.items()) % R for row in rows]


@dataclass(frozen=True)
class Circuit:
    parts: list[Part]
    layout: Layout
    witness: list[int]


def random_circuit(seed: int, *, instances: int = 5, rows: int = 7, num_public: int = 2) -> Circuit:
    """Two templates, satisfied: a head of one instance, then a chain in which instance i links to the
    last column of instance i - 1 and all share the public inputs and a column of the head.

    Row j of a template says that its own column j + 2 is a product of two sums over earlier columns.
    """
    rng = random.Random(seed)

    def value() -> int:
        return rng.choice([0, 1, R - 1, 2, rng.randrange(R)])

    def template(links: int) -> tuple[list[Entries], list[Entries], list[Entries]]:
        a, b, c = [], [], []
        for j in range(rows):
            known = range(links + 2 + j)
            a.append([(rng.choice(known), value()) for _ in range(rng.randrange(1, 6))])
            # some rows are empty in B, so that some columns have the zero polynomial there
            b.append([(rng.choice(known), value()) for _ in range(rng.randrange(0, 4))])
            c.append([(links + 2 + j, 1)])
        return a, b, c

    own = rows + 2
    head_base = 1 + num_public
    chain_base = head_base + own
    public = list(range(1, num_public + 1))
    head_links = [[0, *public]]
    chain_links = [
        [0, *public, head_base + 3, chain_base - 1 if i == 0 else chain_base + i * own - 1]
        for i in range(instances)
    ]
    parts = [
        Part(own, template(1 + num_public), head_links, head_base, 0),
        Part(own, template(3 + num_public), chain_links, chain_base, rows),
    ]
    witness = [1, *(rng.randrange(R) for _ in public)]
    for part in parts:
        for links in part.links:
            local = [witness[column] for column in links] + [rng.randrange(R), rng.randrange(2)]
            for j in range(rows):
                a, b = (sum(local[c] * v for c, v in part.rows[m][j]) for m in (0, 1))
                local.append(a * b % R)
            witness += local[len(links) :]
    num_rows = rows * (1 + instances)
    return Circuit(parts, to_layout(parts, len(witness), num_public, num_rows), witness)


def mont(values: list[int]) -> U64:
    out: U64 = engine_of(PATHS[0]).fr_to_mont(fr_from_ints(values))
    return out


def canonical(values: U64) -> list[int]:
    return ints_from_limbs(engine_of(PATHS[0]).fr_from_mont(values))


# -- R1CS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cpu", PATHS)
@pytest.mark.parametrize("threads", [1, 3])
def test_r1cs_products__agree_with_integers(cpu: str, threads: int) -> None:
    for seed in range(6):
        circuit = random_circuit(seed, instances=1 + 3 * seed, rows=5 + 60 * seed, num_public=seed)
        rng = random.Random(seed)
        witness = [rng.choice([0, 1, R - 1, rng.randrange(R)]) for _ in circuit.witness]
        got = engine_of(cpu, threads).r1cs_products(circuit.layout, mont(witness))
        want = [times(rows, witness) for rows in global_rows(circuit.parts, circuit.layout.num_rows)]
        assert [canonical(x) for x in got] == want


@pytest.mark.parametrize("cpu", PATHS)
@pytest.mark.parametrize("instances", [1, 9])
def test_r1cs_products__reduce_long_rows_of_the_largest_values(cpu: str, instances: int) -> None:
    """Rows of 5,000 entries, all values and coefficients r - 1 or beside it; then all of one kind."""
    rng = random.Random(1)
    row = [(rng.randrange(4), rng.choice([R - 1, R - 2, R - 3, 1, 0])) for _ in range(5000)]
    same = [[(1, value)] * 200 for value in (R - 1, 1, R - 2)]
    part = Part(
        3, ([row, [], same[0]], [[], row, same[1]], [row[:1], row[:65], same[2]]), [[0]] * instances, 1, 0
    )
    layout = to_layout([part], 1 + 3 * instances, 0, 3 * instances)
    witness = [R - 1, *[R - 2, R - 1, R - 3] * instances]
    got = engine_of(cpu).r1cs_products(layout, mont(witness))
    assert [canonical(x) for x in got] == [
        times(rows, witness) for rows in global_rows([part], 3 * instances)
    ]


@pytest.mark.parametrize("cpu", PATHS)
def test_r1cs_violations__names_exactly_the_broken_rows(cpu: str) -> None:
    engine = engine_of(cpu)
    for seed in range(4):
        circuit = random_circuit(seed, instances=70, rows=9)
        assert engine.r1cs_violations(circuit.layout, mont(circuit.witness)).tolist() == []
        witness = list(circuit.witness)
        for column in random.Random(seed).sample(range(1, len(witness)), 3):
            witness[column] = (witness[column] + 1) % R
        a, b, c = (times(rows, witness) for rows in global_rows(circuit.parts, circuit.layout.num_rows))
        want = [i for i in range(circuit.layout.num_rows) if a[i] * b[i] % R != c[i]]
        assert want
        assert engine.r1cs_violations(circuit.layout, mont(witness)).tolist() == want


def test_r1cs__rows_that_belong_to_no_block_are_zero() -> None:
    part = Part(1, ([[(0, 5)]], [[(1, 1)]], [[(1, 5)]]), [[0], [0]], 2, 3)
    layout = to_layout([part], 6, 0, 9)
    a, b, c = engine_of(PATHS[-1]).r1cs_products(layout, mont([1, 9, 7, 8, 9, 9]))
    assert canonical(a) == [0, 0, 0, 5, 5, 0, 0, 0, 0]
    assert canonical(b) == [0, 0, 0, 7, 8, 0, 0, 0, 0]
    assert canonical(c) == [0, 0, 0, 35, 40, 0, 0, 0, 0]


def replaced(matrix: Matrix, name: str, at: int, value: int) -> Matrix:
    array = getattr(matrix, name).copy()
    array[at] = value
    return dataclasses.replace(matrix, **{name: array})


def links_with(block: Block, at: tuple[int, int], value: int) -> Block:
    links = block.links.copy()
    links[at] = value
    return dataclasses.replace(block, links=links)


BROKEN: list[tuple[str, Callable[[Block], Block], str]] = [
    (
        "column",
        lambda b: dataclasses.replace(b, a=replaced(b.a, "cols", 0, b.num_links + b.num_own)),
        r"blocks\[1\]\.a\.cols\[0\] = 14: expected below 14",
    ),
    (
        "coefficient",
        lambda b: dataclasses.replace(b, c=replaced(b.c, "coefs", 2, 1 << 31)),
        r"blocks\[1\]\.c\.coefs\[2\] = 2147483648: expected below",
    ),
    (
        "indptr start",
        lambda b: dataclasses.replace(b, b=replaced(b.b, "indptr", 0, 1)),
        r"blocks\[1\]\.b\.indptr\[0\]",
    ),
    (
        "indptr order",
        lambda b: dataclasses.replace(b, a=replaced(b.a, "indptr", 3, 0)),
        r"blocks\[1\]\.a\.indptr\[3\]",
    ),
    (
        "indptr end",
        lambda b: dataclasses.replace(b, c=replaced(b.c, "indptr", 7, 99)),
        r"blocks\[1\]\.c\.indptr\[7\]",
    ),
    ("link", lambda b: links_with(b, (2, 4), 1 << 30), r"blocks\[1\]\.links\[2, 4\] = 1073741824: expected"),
    (
        "constant's link",
        lambda b: links_with(b, (2, 0), 1),
        r"blocks\[1\]\.links\[2, 0\] = 1: .* 0 in place 0",
    ),
    ("own base", lambda b: dataclasses.replace(b, own_base=b.own_base - 1), r"blocks\[1\]: own columns"),
    ("own end", lambda b: dataclasses.replace(b, own_base=b.own_base + 1), r"blocks\[1\]: own columns"),
    ("row base", lambda b: dataclasses.replace(b, row_base=b.row_base - 1), r"blocks\[1\]: rows from"),
    ("row end", lambda b: dataclasses.replace(b, row_base=(1 << 32) - 1), r"blocks\[1\]: rows from"),
    (
        "instances",
        lambda b: dataclasses.replace(b, instances=1 << 31),
        r"blocks\[1\]\.links: expected shape",
    ),
    ("negative", lambda b: dataclasses.replace(b, num_own=-1), r"num_own: expected an integer in 0\.\."),
    (
        "constants",
        lambda b: dataclasses.replace(b, constants=b.constants[[1, 0, 2]]),
        r"blocks\[1\]\.constants: expected 0, 1, -1",
    ),
    (
        "dtype",
        lambda b: dataclasses.replace(b, links=b.links.astype(np.int64)),
        r"links: expected dtype uint32",
    ),
]


@pytest.mark.parametrize(("change", "message"), [x[1:] for x in BROKEN], ids=[x[0] for x in BROKEN])
def test_layout__refuses_what_cannot_be_and_says_where(
    change: Callable[[Block], Block], message: str
) -> None:
    """V12: no size or index of a layout reaches a kernel unchecked."""
    circuit = random_circuit(0)
    blocks = (circuit.layout.blocks[0], change(circuit.layout.blocks[1]))
    layout = dataclasses.replace(circuit.layout, blocks=blocks)
    engine, witness = engine_of(PATHS[-1]), mont(circuit.witness)
    for call in (
        lambda: engine.r1cs_products(layout, witness),
        lambda: engine.r1cs_violations(layout, witness),
        lambda: engine.groth16_quotient(layout, witness),
        lambda: engine.groth16_setup(layout),
    ):
        with pytest.raises(EngineError, match=message):
            call()


def test_r1cs__refuses_a_wrong_witness() -> None:
    """V12: lengths and encodings."""
    circuit = random_circuit(0)
    engine, witness = engine_of(PATHS[-1]), mont(circuit.witness)
    for wrong in (
        witness[:-1],
        np.concatenate([witness, witness[:1]]),
        witness.astype(np.int64),
        witness[::-1],
    ):
        with pytest.raises(EngineError, match="witness: expected"):
            engine.r1cs_products(circuit.layout, wrong)
    too_large = witness.copy()
    too_large[5] = fr_from_ints([0])[0]
    too_large[5, 3] = 1 << 62
    for call in (engine.r1cs_products, engine.r1cs_violations, engine.groth16_quotient):
        with pytest.raises(EngineError, match="witness: element 5 is not below the modulus r"):
            call(circuit.layout, too_large)
    with pytest.raises(EngineError, match=r"3 columns cannot hold the constant and 3 public columns"):
        engine.groth16_setup(Layout(3, 3, 1, ()))
    with pytest.raises(EngineError, match=r"rows need a domain above 2\^27"):
        engine.groth16_setup(Layout(3, 0, 1 << 27, ()))


# -- Groth16 ---------------------------------------------------------------------------------------


def quotient_by_definition(circuit: Circuit) -> list[int]:
    """A B - C at the odd powers, by Lagrange interpolation over the domain, quadratic."""
    n = circuit.layout.domain_size
    g = pow(5, (R - 1) // (2 * n), R)
    w = g * g % R
    rows = global_rows(circuit.parts, circuit.layout.num_rows)
    a, b = times(rows[0], circuit.witness), times(rows[1], circuit.witness)
    a += circuit.witness[: circuit.layout.num_public + 1]
    a, b = ([*x, *[0] * (n - len(x))] for x in (a, b))
    c = [x * y % R for x, y in zip(a, b, strict=True)]
    points = [pow(w, i, R) for i in range(n)]

    def at(values: list[int], x: int) -> int:
        scale = (pow(x, n, R) - 1) * pow(n, -1, R)
        return sum(v * p * pow(x - p, -1, R) for v, p in zip(values, points, strict=True)) * scale % R

    odd = [g * p % R for p in points]
    return [(at(a, x) * at(b, x) - at(c, x)) % R for x in odd]


@pytest.mark.parametrize("cpu", PATHS)
def test_groth16_quotient__is_the_definition(cpu: str) -> None:
    for seed, (instances, num_public) in enumerate([(1, 0), (2, 1), (5, 3), (8, 2)]):
        circuit = random_circuit(seed, instances=instances, rows=6, num_public=num_public)
        got = engine_of(cpu).groth16_quotient(circuit.layout, mont(circuit.witness))
        assert canonical(got) == quotient_by_definition(circuit)


def prove(engine: Any, circuit: Circuit, key: SetupResult, r: int, s: int) -> U64:
    """Groth16's prover, written down once more; ``(32,)``."""
    values = mont(circuit.witness)
    one, r_, s_, rs = mont([1, r, s, -r * s % R])

    def sum1(points: list[U64], scalars: list[U64]) -> U64:
        out: U64 = engine.g1_msm(np.stack(points), np.stack(scalars))
        return out

    a = sum1([key.alpha1, engine.g1_msm(key.a, values), key.delta1], [one, one, r_])
    b_values = np.ascontiguousarray(values[key.b_columns])
    b1 = sum1([key.beta1, engine.g1_msm(key.b1, b_values), key.delta1], [one, one, s_])
    b2_points = np.stack([key.beta2, engine.g2_msm(key.b2, b_values), key.delta2])
    b2 = engine.g2_msm(b2_points, np.stack([one, one, s_]))
    secret = np.ascontiguousarray(values[circuit.layout.num_public + 1 :])
    h = engine.g1_msm(key.h, engine.groth16_quotient(circuit.layout, values))
    c = sum1([engine.g1_msm(key.l, secret), h, a, b1, key.delta1], [one, one, s_, r_, rs])
    return np.concatenate([a, b2, c])


def vk_bytes(key: SetupResult) -> bytes:
    parts = [key.alpha1, key.beta2, key.gamma2, key.delta2, key.ic.reshape(-1)]
    return b"".join(part.astype("<u8").tobytes() for part in parts)


@pytest.mark.parametrize("cpu", PATHS)
def test_groth16_setup__makes_keys_whose_proofs_verify(cpu: str) -> None:
    engine = engine_of(cpu)
    for seed, (instances, rows, num_public) in enumerate([(1, 3, 0), (4, 8, 1), (9, 20, 3)]):
        circuit = random_circuit(seed, instances=instances, rows=rows, num_public=num_public)
        key = engine.groth16_setup(circuit.layout)
        public = fr_from_ints(circuit.witness[1 : num_public + 1]).reshape(1, num_public, 4)
        rng = random.Random(seed)
        proof = prove(engine, circuit, key, rng.randrange(R), rng.randrange(R))
        assert engine.groth16_verify(vk_bytes(key), proof.reshape(1, 32), public).tolist() == [True]
        for column in (num_public + 1, len(circuit.witness) - 1):
            witness = list(circuit.witness)
            witness[column] = (witness[column] + 1) % R
            false = Circuit(circuit.parts, circuit.layout, witness)
            if not engine.r1cs_violations(circuit.layout, mont(witness)).size:
                continue
            proof = prove(engine, false, key, 1, 1)
            assert engine.groth16_verify(vk_bytes(key), proof.reshape(1, 32), public).tolist() == [False]


def test_groth16_setup__gives_each_query_its_shape_and_columns() -> None:
    """V7 (part): the key holds these elements and no others."""
    circuit = random_circuit(3)
    layout = circuit.layout
    key = engine_of(PATHS[-1]).groth16_setup(layout)
    b_rows = global_rows(circuit.parts, layout.num_rows)[1]
    assert key.b_columns.tolist() == sorted({c for row in b_rows for c, v in row.items() if v})
    columns, n = layout.num_columns, len(key.b_columns)
    shapes = {f.name: getattr(key, f.name).shape for f in dataclasses.fields(key)}
    assert shapes == {
        **dict.fromkeys(("alpha1", "beta1", "delta1"), (8,)),
        **dict.fromkeys(("beta2", "gamma2", "delta2"), (16,)),
        "ic": (layout.num_public + 1, 8),
        "a": (columns, 8),
        "b_columns": (n,),
        "b1": (n, 8),
        "b2": (n, 16),
        "l": (columns - layout.num_public - 1, 8),
        "h": (layout.domain_size, 8),
    }
    a_rows = global_rows(circuit.parts, layout.num_rows)[0]
    used = {c for row in a_rows for c, v in row.items() if v} | set(range(layout.num_public + 1))
    assert np.flatnonzero(key.a.any(axis=1)).tolist() == sorted(used)


def test_groth16_setup__draws_new_secrets_every_time() -> None:
    layout = random_circuit(0).layout
    engine = engine_of(PATHS[-1])
    one, two = engine.groth16_setup(layout), engine.groth16_setup(layout)
    for name in ("alpha1", "beta1", "delta1", "beta2", "gamma2", "delta2"):
        assert not np.array_equal(getattr(one, name), getattr(two, name))
    points = [one.alpha1, one.beta1, one.delta1]
    assert len({p.tobytes() for p in points}) == 3
    assert not np.array_equal(one.gamma2, one.delta2)
    assert not (one.h == two.h).all(axis=1).any()


def test_groth16_setup__reports_its_phases_and_stops_when_told() -> None:
    layout = random_circuit(0).layout
    engine = engine_of(PATHS[-1])
    heard: list[tuple[str, int, int]] = []
    key = engine.groth16_setup(layout, progress=lambda *event: heard.append(event))
    ends = [(name, total) for name, done, total in heard if done == total]
    n = len(key.b_columns)
    assert ends == [
        ("scalars", 1),
        ("a", layout.num_columns),
        ("b1", n),
        ("b2", n),
        ("l", layout.num_columns - layout.num_public - 1),
        ("h", layout.domain_size),
    ]

    class Stop(Exception):
        pass

    def stop(name: str, done: int, total: int) -> None:
        if name == "l":
            raise Stop

    with pytest.raises(Stop):
        engine.groth16_setup(layout, progress=stop)
