"""What a proof will cost, phase by phase, from the sizes of a circuit: products times the cost of one.

This module must not prove anything. The products are those of :mod:`zkrollup.bench.products`, the least that
known algorithms need; an engine reaches a share of that limit, known for whole proofs only. So the sum is a
prediction (see :data:`ACCURACY`), and a phase's part of it is what the arithmetic weighs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zkrollup.bench import products
from zkrollup.bench.run import TYPICAL_SHARE, product_cost
from zkrollup.bench.subjects import present
from zkrollup.engine.interface import U64, Engine, Layout

__all__ = ["ACCURACY", "Phase", "Prediction", "predict"]

ACCURACY = "whole proofs took 0.99 to 1.20 of this, single phases 0.64 to 1.26"
"""Measured over predicted, batches of 1 and 8 slots on three native paths: benches/profile_accuracy.py."""


@dataclass(frozen=True)
class Phase:
    """``size``: bases of a sum, or elements of a transform; of a sum's scalars ``zeros`` are skipped and
    ``ones`` added once. ``seconds`` is None where the machine's share of the limit is not known."""

    name: str
    size: int
    zeros: int
    ones: int
    products: float
    seconds: float | None


@dataclass(frozen=True)
class Prediction:
    """Phases in the order of their cost's place in a proof; ``with_witness``: whether scalars were looked at
    (without, all are taken for random, which costs more)."""

    phases: tuple[Phase, ...]
    with_witness: bool
    path: str
    threads: int
    product_ns: float | None

    @property
    def products(self) -> float:
        return sum(phase.products for phase in self.phases)

    @property
    def seconds(self) -> float | None:
        known = [phase.seconds for phase in self.phases if phase.seconds is not None]
        return sum(known) if known else None

    def to_json(self) -> dict[str, Any]:
        return {
            "phases": [vars(phase) for phase in self.phases],
            "products": self.products,
            "seconds": self.seconds,
            "with_witness": self.with_witness,
            "path": self.path,
            "threads": self.threads,
            "nanoseconds_a_product": self.product_ns,
            "accuracy": ACCURACY,
        }


def predict(layout: Layout, engine: Engine, witness: U64 | None = None) -> Prediction:
    """Phases of a proof of this circuit on this engine; ``witness`` canonical, (num_columns, 4).

    Takes about 50 ms to measure what a product costs here.
    """
    log_n = layout.domain_size.bit_length() - 1
    in_b = np.flatnonzero(present(layout, "b"))
    share = TYPICAL_SHARE.get(engine.cpu)
    cost = product_cost(engine.cpu) if share is not None else None
    phases = []

    def add(name: str, size: int, needed: float, zeros: int = 0, ones: int = 0) -> None:
        seconds = None
        if cost is not None and share is not None:
            seconds = needed * cost * 1e-9 / engine.threads / share
        phases.append(Phase(name, size, zeros, ones, needed, seconds))

    def add_sum(name: str, group: str, columns: slice | np.ndarray) -> None:
        size = len(np.arange(layout.num_columns)[columns])
        zeros = ones = 0
        if witness is not None:
            zeros, ones, _ = products.scalar_kinds(witness[columns])
        add(name, size, products.msm_products(group, size - zeros - ones, ones), zeros, ones)

    entries = sum(products.sparse_products(block, (block.a, block.b)) for block in layout.blocks)
    add("A w, B w", layout.num_rows, entries)
    add("quotient: 6 transforms", layout.domain_size, products.ntt_products(log_n, "quotient", engine.cpu))
    add_sum("sum A (G1)", "g1", slice(None))
    add_sum("sum B1 (G1)", "g1", in_b)
    add_sum("sum B2 (G2)", "g2", in_b)
    add_sum("sum L (G1)", "g1", slice(layout.num_public + 1, None))
    add("sum H (G1)", layout.domain_size, products.msm_products("g1", layout.domain_size))
    return Prediction(tuple(phases), witness is not None, engine.cpu, engine.threads, cost)
