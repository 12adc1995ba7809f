"""The predicted cost: sizes and products of the phases; and that it predicts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from zkrollup.bench.products import scalar_kinds
from zkrollup.bench.run import TYPICAL_SHARE
from zkrollup.bench.subjects import batch_witness, present, proof_products
from zkrollup.circuits.batch import batch_circuit
from zkrollup.engine import get_engine
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.groth16.setup import unsafe_setup
from zkrollup.profile import predict
from zkrollup.profile.cost import ACCURACY
from zkrollup.state import BatchParameters

RESULTS = Path(__file__).parents[2] / "benches" / "results" / "profile_accuracy.json"


def test_phases__have_the_sizes_of_the_keys_queries() -> None:
    engine = get_engine()
    layout = batch_circuit(BatchParameters(2, 2)).r1cs.layout
    sizes = {phase.name: phase.size for phase in predict(layout, engine).phases}
    in_b = int(present(layout, "b").sum())
    assert sizes == {
        "A w, B w": layout.num_rows,
        "quotient: 6 transforms": layout.domain_size,
        "sum A (G1)": layout.num_columns,
        "sum B1 (G1)": in_b,
        "sum B2 (G2)": in_b,
        "sum L (G1)": layout.num_columns - 4,
        "sum H (G1)": layout.domain_size,
    }


def test_products__are_those_that_a_proof_is_measured_against() -> None:
    engine = get_engine()
    batch = batch_witness(2, 2, engine)
    layout = batch.circuit.r1cs.layout
    witness = batch.circuit.r1cs.witness(engine, public=batch.public, parts=batch.parts)
    canonical = engine.fr_from_mont(witness.values)
    key = SimpleNamespace(b_columns=np.flatnonzero(present(layout, "b")))
    for scalars in (None, canonical):
        needed = predict(layout, SimpleNamespace(cpu="none", threads=1), scalars)  # type: ignore[arg-type]
        assert needed.products == pytest.approx(proof_products(key, layout, scalars))
        assert needed.seconds is None
    zeros, ones, _ = scalar_kinds(canonical)
    of_a = next(p for p in predict(layout, engine, canonical).phases if p.name == "sum A (G1)")
    assert (of_a.zeros, of_a.ones) == (zeros, ones)


def test_accuracy__is_what_was_measured() -> None:
    rows = json.loads(RESULTS.read_text())["rows"]
    assert {row["constraints"] for row in rows} == {44864, 209670}
    whole = [row["phases"].pop("together")["ratio"] for row in rows]
    parts = [phase["ratio"] for row in rows for phase in row["phases"].values()]
    assert (
        f"whole proofs took {min(whole):.2f} to {max(whole):.2f} of this, single phases {min(parts):.2f} to "
        f"{max(parts):.2f}"
    ) == ACCURACY


@pytest.mark.slow
@pytest.mark.parametrize(("slots", "depth"), [(1, 4), (4, 8)])
def test_prediction__is_within_half_of_a_measured_proof(slots: int, depth: int) -> None:
    """benches/profile_accuracy.py has the close figures, on a quiet machine."""
    if get_engine().cpu not in TYPICAL_SHARE:
        pytest.skip("no share of the limit is known for this path")
    engine = get_engine("native", cpu=get_engine().cpu, threads=1)
    batch = batch_witness(slots, depth, engine)
    r1cs = batch.circuit.r1cs
    witness = r1cs.witness(engine, public=batch.public, parts=batch.parts)
    key = unsafe_setup(r1cs, engine)
    predicted = predict(r1cs.layout, engine, engine.fr_from_mont(witness.values)).seconds
    taken = []
    for _ in range(3):
        start = time.process_time()
        prove_unchecked(key, r1cs.layout, witness.values, engine)
        taken.append(time.process_time() - start)
    assert predicted is not None
    assert 0.5 < min(taken) / predicted < 1.5
