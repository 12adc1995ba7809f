"""What is measured: for every size, works on every path and number of threads, and the products they need.

This module must not know how times are taken or shown. Inputs are random from a fixed seed. Works include
the call from Python and its fresh result, not the making of their inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.bn254 import g1, g2
from zkrollup.engine import get_engine
from zkrollup.engine.convert import fq_from_ints, fr_from_ints
from zkrollup.engine.interface import U64, Block, Engine, Layout, Matrix

from . import products

__all__ = [
    "NTT_OPERATIONS",
    "Case",
    "Variant",
    "batch_circuit_with_key",
    "file_circuit",
    "bases",
    "batch_witness",
    "msm_cases",
    "ntt_cases",
    "present",
    "prove_cases",
    "random_scalars",
    "setup_cases",
    "setup_products",
    "slots_label",
    "proof_products",
    "verify_cases",
    "witness_cases",
]

NTT_OPERATIONS = ("ntt", "ntt coset", "intt", "intt coset", "quotient")


@dataclass(frozen=True)
class Variant:
    """A path and a number of threads."""

    cpu: str
    threads: int

    def engine(self) -> Engine:
        """``numba`` is a path too."""
        if self.cpu == "numba":
            return get_engine("numba", threads=self.threads)
        return get_engine("native", cpu=self.cpu, threads=self.threads)


@dataclass(frozen=True)
class Case:
    """One work of the kind that a :class:`zkrollup.bench.report.Row` tells of."""

    subject: str
    size: int
    label: str
    variant: Variant
    products: float | None
    work: Callable[[], object]


def random_scalars(engine: Engine, count: int, seed: int, bits_share: int = 0) -> U64:
    """Montgomery scalars below 2^253, that share (in per cent) of them 0 or 1."""
    draw = np.random.default_rng(seed)
    limbs = draw.integers(0, 1 << 64, size=(count, 4), dtype=np.uint64)
    limbs[:, 3] >>= np.uint64(11)
    few = draw.random(count) * 100 < bits_share
    limbs[few] = 0
    limbs[few, 0] = draw.integers(0, 2, size=int(few.sum()), dtype=np.uint64)
    return engine.fr_to_mont(limbs)


def bases(engine: Engine, group: str, count: int) -> U64:
    """Random multiples of the group's generator."""
    point: tuple[int, ...] = g1.GENERATOR
    if group == "g2":
        (x0, x1), (y0, y1) = g2.GENERATOR
        point = (x0, x1, y0, y1)
    generator = engine.fq_to_mont(fq_from_ints(point)).reshape(-1)
    fixed_base = engine.g1_fixed_base if group == "g1" else engine.g2_fixed_base
    return fixed_base(generator, random_scalars(engine, count, 1))


def msm_cases(
    log_n: Sequence[int], variants: Sequence[Variant], groups: Sequence[str], bits_share: int = 0
) -> Iterator[list[Case]]:
    """Multi-scalar multiplications of random bases; cases of one list belong to one size and group."""
    maker = get_engine()
    for group in groups:
        for log in log_n:
            points, scalars = (
                bases(maker, group, 1 << log),
                random_scalars(maker, 1 << log, 2, bits_share),
            )
            _, ones, others = products.scalar_kinds(maker.fr_from_mont(scalars))
            needed = products.msm_products(group, others, ones)
            subject = f"{group.upper()} MSM" + (f", {bits_share} % bits" if bits_share else "")
            cases = []
            for variant in variants:
                engine = variant.engine()
                msm = engine.g1_msm if group == "g1" else engine.g2_msm
                work = partial(msm, points, scalars)
                cases.append(Case(subject, 1 << log, f"2^{log}", variant, needed, work))
            yield cases


def ntt_cases(
    log_n: Sequence[int], variants: Sequence[Variant], operations: Sequence[str] = NTT_OPERATIONS
) -> Iterator[list[Case]]:
    """Transforms of random vectors, and the quotient of a circuit of rows x y = z that fills its domain."""
    maker = get_engine()
    for log in log_n:
        vector, layout = random_scalars(maker, 1 << log, 1), _rows_of_products(maker, (1 << log) - 2)
        witness = random_scalars(maker, layout.num_columns, 2)
        for operation in operations:
            cases = []
            for variant in variants:
                work = _transform(variant.engine(), operation, vector, layout, witness)
                needed = products.ntt_products(log, operation, variant.cpu)
                name = operation.replace("intt", "INTT").replace("ntt", "NTT")
                cases.append(Case(name, 1 << log, f"2^{log}", variant, needed, work))
            yield cases


def _transform(
    engine: Engine, operation: str, vector: U64, layout: Layout, witness: U64
) -> Callable[[], object]:
    if operation == "quotient":
        return partial(engine.groth16_quotient, layout, witness)
    transform = engine.ntt if operation.startswith("ntt") else engine.intt
    return partial(transform, vector, coset=operation.endswith("coset"))


def _rows_of_products(engine: Engine, instances: int) -> Layout:
    """instances rows x y = z: the least that a quotient can follow."""

    def row(column: int) -> Matrix:
        return Matrix(np.array([0, 1], np.uint32), np.array([column], np.uint32), np.array([1], np.uint32))

    constants = engine.fr_to_mont(fr_from_ints([0, 1, -1]))
    links = np.zeros((instances, 1), np.uint32)
    block = Block(1, 1, 3, instances, row(1), row(2), row(3), constants, links, 2, 0)
    return Layout(2 + 3 * instances, 1, instances, (block,))


# -- our own batches ----------------------------------------------------------------------------


def slots_label(slots: int) -> str:
    """For people."""
    return f"{slots} slot{'' if slots == 1 else 's'}"


@dataclass(frozen=True, eq=False)
class BatchInputs:
    """A generated batch as its circuit takes it."""

    circuit: Any
    public: Any
    parts: Any


def batch_witness(
    slots: int, depth: int, engine: Engine, transactions: Sequence[Any] | None = None
) -> BatchInputs:
    """Executes transactions, by default generated ones, one a slot, on an empty state, and gathers what the
    circuit's witness starts from. Account 1 takes the fees in token 0.

    Raises TransactionError or BatchFull for transactions that do not make such a batch.
    """
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.cli.demo import generate
    from zkrollup.crypto.tables import MODULUS
    from zkrollup.operator import DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, engine_hasher
    from zkrollup.state import BatchContext, BatchParameters, StateTree, apply_batch

    hasher = engine_hasher(engine)
    parameters = BatchParameters(slots, depth)
    if transactions is None:
        ids = {"chain_id": DEFAULT_CHAIN_ID, "rollup_id": DEFAULT_CONTRACT}
        transactions = generate(slots, **ids, capacity=parameters.capacity).transactions
    context = BatchContext(parameters, DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, 1, ((0, 1),))
    trace = apply_batch(StateTree.in_memory(depth, hasher), transactions, context)
    circuit = batch_circuit(parameters)
    public, parts = circuit.assignment(trace, z=12345, hasher=hasher, modulus=MODULUS)
    return BatchInputs(circuit, public, parts)


def witness_cases(slots: Sequence[int], variants: Sequence[Variant], depth: int) -> Iterator[list[Case]]:
    """All wires of a batch from its transactions: integers encoded, tapes replayed, everything wired."""
    for count in slots:
        batch = batch_witness(count, depth, get_engine())
        needed = 0
        for part in batch.circuit.r1cs.parts:
            counts = products.program_counts(part.template.program)
            needed += part.block.instances * (counts["products"] + 3 * counts["inversions"])
        cases = []
        for variant in variants:
            work = partial(
                batch.circuit.r1cs.witness, variant.engine(), public=batch.public, parts=batch.parts
            )
            cases.append(Case("witness", count, slots_label(count), variant, needed, work))
        yield cases


# -- Groth16 ------------------------------------------------------------------------------------


def present(layout: Layout, name: str) -> npt.NDArray[np.bool_]:
    """Which columns have an entry in this matrix ("a" or "b"; public rows are A's)."""
    seen = np.zeros(layout.num_columns, dtype=np.bool_)
    seen[: layout.num_public + 1] = name == "a"
    for block in layout.blocks:
        columns = np.unique(getattr(block, name).cols).astype(np.int64)
        linked = columns[columns < block.num_links]
        seen[block.links[:, linked].reshape(-1)] = True
        own = columns[columns >= block.num_links] - block.num_links + block.own_base
        for instance in range(block.instances):
            seen[own + instance * block.num_own] = True
    return seen


def setup_products(layout: Layout) -> float:
    """The points of a one-party key as multiples of the generators, each query for itself; per row of the
    domain five products for the Lagrange values and per entry one."""
    domain = layout.domain_size
    a, b = (int(np.count_nonzero(present(layout, name))) for name in "ab")
    entries = sum(
        block.instances * (len(block.a.cols) + len(block.b.cols) + len(block.c.cols))
        for block in layout.blocks
    )
    points = products.fixed_base_products("g1", a + b + layout.num_columns + domain)
    return points + products.fixed_base_products("g2", b) + 5 * domain + entries


def setup_cases(layouts: Sequence[tuple[str, Layout]], variants: Sequence[Variant]) -> Iterator[list[Case]]:
    """One-party keys of circuits, given as a name for people and a layout each."""
    for label, layout in layouts:
        needed = setup_products(layout)
        yield [
            Case(
                "setup",
                layout.num_rows,
                label,
                variant,
                needed,
                partial(variant.engine().groth16_setup, layout),
            )
            for variant in variants
        ]


def proof_products(key: Any, layout: Layout, canonical: U64 | None) -> float:
    """Of one proof: A and B times the witness, the quotient, and the sums over the key's five queries, with
    the scalars that are 0 left out and those that are 1 added once.

    Without a witness: of one that has neither. ``key`` needs only ``b_columns``.
    """
    log_n = layout.domain_size.bit_length() - 1
    needed = products.ntt_products(log_n, "quotient")
    needed += sum(products.sparse_products(block, (block.a, block.b)) for block in layout.blocks)
    in_b = key.b_columns
    first = layout.num_public + 1
    if canonical is None:
        b = (len(in_b), 0)
        sums = [("g1", layout.num_columns, 0), ("g1", *b), ("g2", *b), ("g1", layout.num_columns - first, 0)]
    else:
        of_b = products.scalar_kinds(canonical[in_b])
        everything, own = products.scalar_kinds(canonical), products.scalar_kinds(canonical[first:])
        sums = [
            (group, others, ones)
            for group, (_, ones, others) in (("g1", everything), ("g1", of_b), ("g2", of_b), ("g1", own))
        ]
    needed += sum(products.msm_products(group, others, ones) for group, others, ones in sums)
    return needed + products.msm_products("g1", layout.domain_size)


def prove_cases(
    circuits: Sequence[tuple[str, Any, Layout, U64]], variants: Sequence[Variant]
) -> Iterator[list[Case]]:
    """Proofs: a name for people, the key's points, the layout and the witness (canonical) each."""
    from zkrollup.groth16.prove import prove_unchecked

    for label, key, layout, canonical in circuits:
        needed = proof_products(key, layout, canonical)
        witness = get_engine().fr_to_mont(canonical)
        yield [
            Case(
                "prove",
                layout.num_rows,
                label,
                variant,
                needed,
                partial(prove_unchecked, key, layout, witness, variant.engine()),
            )
            for variant in variants
        ]


def verify_cases(proofs: Sequence[int], variants: Sequence[Variant], num_public: int) -> Iterator[list[Case]]:
    """So many proofs under one key in one call, each for itself (no batching across proofs)."""
    from zkrollup.testing.proofs import simulated_proof

    vk, proof, inputs = simulated_proof(num_public)
    key = vk.to_montgomery_bytes()
    limbs = np.frombuffer(proof.to_montgomery_bytes(), dtype="<u8").astype(np.uint64)
    for count in proofs:
        many = np.tile(limbs, (count, 1))
        public = np.tile(fr_from_ints(inputs).reshape(1, num_public, 4), (count, 1, 1))
        needed = count * products.verify_products(num_public)
        cases = []
        for variant in variants:
            engine = variant.engine()
            if not engine.groth16_verify(key, many[:1], public[:1])[0]:
                raise RuntimeError(f"{variant.cpu}: refuses a valid proof")
            work = partial(engine.groth16_verify, key, many, public)
            cases.append(Case("verify", count, f"{count} proof{'s' * (count != 1)}", variant, needed, work))
        yield cases


def file_circuit(zkey: Path, wtns: Path) -> tuple[str, Any, Layout, U64]:
    """A circuit of circom's for :func:`prove_cases`; ValueError when the files do not fit each other."""
    from zkrollup.formats.wtns import WtnsFile
    from zkrollup.formats.zkey import Zkey

    key = Zkey.load(zkey, get_engine())
    values = WtnsFile.read(wtns).values
    if len(values) != key.layout.num_columns:
        raise ValueError(f"{wtns}: {len(values)} values, but {zkey} has {key.layout.num_columns} wires")
    return zkey.stem, key, key.layout, values


def batch_circuit_with_key(slots: int, depth: int) -> tuple[str, Any, Layout, U64]:
    """Our batch of so many slots for :func:`prove_cases`, its key from the cache or made now."""
    from zkrollup.groth16.setup import cached_key

    engine = get_engine()
    batch = batch_witness(slots, depth, engine)
    key, _ = cached_key(batch.circuit.r1cs, engine)
    witness = batch.circuit.r1cs.witness(engine, public=batch.public, parts=batch.parts)
    layout = batch.circuit.r1cs.layout
    return slots_label(slots), key, layout, engine.fr_from_mont(witness.values)
