"""What a file is and what is in it. It must not know any format's bytes: the readers of ``formats`` do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from zkrollup.bn254.encoding import MalformedInput
from zkrollup.cli.show import print_mapping, print_plain
from zkrollup.engine import get_engine
from zkrollup.engine.interface import Engine, Layout, Matrix
from zkrollup.formats.binfile import BinFile, FormatError

__all__ = ["inspect", "show"]

Facts = dict[str, Any]

_FIELD = "BN254"
_SECTIONS = {
    b"r1cs": {1: "header", 2: "constraints", 3: "labels", 4: "custom gates", 5: "uses of custom gates"},
    b"wtns": {1: "header", 2: "values"},
    b"zkey": {
        1: "protocol",
        2: "header",
        3: "IC",
        4: "coefficients",
        5: "A",
        6: "B1",
        7: "B2",
        8: "C",
        9: "H",
        10: "contributions",
    },
    b"ptau": {
        1: "header",
        2: "tau in G1",
        3: "tau in G2",
        4: "alpha tau in G1",
        5: "beta tau in G1",
        6: "beta in G2",
        7: "contributions",
        12: "Lagrange, tau in G1",
        13: "Lagrange, tau in G2",
        14: "Lagrange, alpha tau in G1",
        15: "Lagrange, beta tau in G1",
    },
}
_VERSIONS = {b"r1cs": 1, b"wtns": 2, b"zkey": 1, b"ptau": 1}
_INSECURE = "INSECURE: one party made it, or could have, and can then forge proofs"


def show(path: Path, *, json_output: bool) -> None:
    """Prints what :func:`inspect` finds, for people or as one JSON object."""
    facts = inspect(path)
    if json_output:
        print(json.dumps(facts))
        return
    sections = facts.pop("sections", None)
    print_mapping(str(path), {name: _shown(value) for name, value in facts.items()})
    if sections:
        print_plain(
            ("section", "number", "bytes"),
            ((section["name"], section["number"], f"{section['bytes']:,}") for section in sections),
        )


def _shown(value: Any) -> Any:
    if type(value) is int:
        return f"{value:,}"
    if type(value) is float:
        return f"{value:.3g}"
    if isinstance(value, dict):
        return {name.replace("_", " "): _shown(inner) for name, inner in value.items()}
    return value


def inspect(path: Path) -> Facts:
    """Facts about a file by name; sections as a list where it has them.

    Raises ValueError naming the file for anything that is damaged or not known, OSError when it cannot be
    read.
    """
    from zkrollup.groth16.proving_key import MAGIC

    with path.open("rb") as file:
        start = file.read(64)
    kinds: dict[bytes, Callable[[Path], Facts]] = {
        b"r1cs": _r1cs,
        b"wtns": _wtns,
        b"zkey": _zkey,
        b"ptau": _ptau,
    }
    facts: Facts = {"bytes": path.stat().st_size}
    if start[:4] in kinds:
        opened = BinFile.open(path, start[:4], _VERSIONS[start[:4]])
        found = kinds[start[:4]](path)
        sections = [
            {"name": _SECTIONS[opened.kind].get(number, "unknown"), "number": number, "bytes": length}
            for number, places in opened.sections.items()
            for _, length in places
        ]
        return facts | found | {"version": opened.version, "sections": sections}
    if start == b"":
        raise FormatError(path, None, "file", "nothing", "a file with contents")
    if start[: len(MAGIC)] == MAGIC:
        return facts | _proving_key(path)
    if start.lstrip()[:1] in (b"{", b"["):
        return facts | _json(path)
    if path.suffix == ".sym" or (start[:1].isdigit() and b"," in start):
        return facts | _sym(path)
    raise FormatError(
        path, None, "beginning", start[:8], "a .r1cs, .wtns, .zkey, .ptau or .sym, one of our keys, or JSON"
    )


# -- circuits, witnesses, keys ------------------------------------------------------------------


def _matrix(matrix: Matrix, rows: int, columns: int) -> Facts:
    units = int(np.count_nonzero((matrix.coefs == 1) | (matrix.coefs == 2)))
    count = len(matrix.coefs)
    return {
        "nonzeros": count,
        "per_row": round(count / rows, 3) if rows else 0.0,
        "density": count / (rows * columns) if rows else 0.0,
        "share_of_1_and_-1": round(units / count, 4) if count else 0.0,
    }


def _r1cs(path: Path) -> Facts:
    from zkrollup.bench.subjects import present
    from zkrollup.formats.r1cs import R1csFile

    engine = get_engine()
    circuit = R1csFile.read(path, engine)
    layout = circuit.layout()
    rows = circuit.num_constraints
    linear = ~(np.diff(circuit.a.indptr).astype(bool) & np.diff(circuit.b.indptr).astype(bool))
    in_b = np.flatnonzero(present(layout, "b")).astype(np.uint32)
    own = layout.num_columns - layout.num_public - 1
    key_bytes = 64 * (layout.num_columns + len(in_b) + own + layout.domain_size) + 128 * len(in_b)
    nothing = np.zeros((0, 8), dtype=np.uint64)
    queries = SimpleNamespace(b_columns=in_b, **dict.fromkeys(("a", "b1", "b2", "l", "h"), nothing))
    return {
        "kind": "circuit of circom's (r1cs)",
        "field": _FIELD,
        "constraints": rows,
        "linear_constraints": int(np.count_nonzero(linear)),
        "wires": circuit.num_wires,
        "public_outputs": circuit.num_public_outputs,
        "public_inputs": circuit.num_public_inputs,
        "private_inputs": circuit.num_private_inputs,
        "labels": circuit.num_labels,
        "domain": layout.domain_size,
        "A": _matrix(circuit.a, rows, circuit.num_wires),
        "B": _matrix(circuit.b, rows, circuit.num_wires),
        "C": _matrix(circuit.c, rows, circuit.num_wires),
        "distinct_coefficients": len(circuit.constants),
        "wires_in_B": len(in_b),
        "key_bytes": key_bytes,
        **_needs(queries, layout, engine, key_bytes),
    }


def _needs(key: Any, layout: Layout, engine: Engine, mapped: int = 0) -> Facts:
    """What a proof takes here; ``mapped``: bytes of the key that the arrays do not show."""
    from zkrollup.bench.run import TYPICAL_SHARE, product_cost
    from zkrollup.bench.subjects import proof_products
    from zkrollup.groth16.prove import memory_need

    needed = proof_products(key, layout, None)
    facts: Facts = {
        "proof_memory_bytes": memory_need(key, layout, engine.threads) + mapped,
        "proof_products": round(needed),
    }
    share = TYPICAL_SHARE.get(engine.cpu)
    if share is not None:
        limit = needed * product_cost(engine.cpu) * 1e-9 / engine.threads
        facts["proof_seconds"] = {
            "about": round(limit / share, 4),
            "limit": round(limit, 4),
            "path": engine.cpu,
            "threads": engine.threads,
        }
    return facts


def _wtns(path: Path) -> Facts:
    from zkrollup.bench.products import scalar_kinds
    from zkrollup.formats.wtns import WtnsFile

    values = WtnsFile.read(path).values
    zeros, ones, others = scalar_kinds(values)
    words = int(np.count_nonzero(~values[:, 1:].any(axis=1)))
    return {
        "kind": "witness (wtns)",
        "field": _FIELD,
        "values": len(values),
        "zeros": zeros,
        "ones": ones,
        "other_values_below_2^64": words - zeros - ones,
        "larger_values": len(values) - words,
        "share_of_0_and_1": round(1 - others / len(values), 4),
    }


def _zkey(path: Path) -> Facts:
    from zkrollup.formats.zkey import Zkey
    from zkrollup.groth16.prove import memory_need

    engine = get_engine()
    key = Zkey.load(path, engine, uncontributed=True)
    layout = key.layout
    (block,) = layout.blocks
    facts: Facts = {"kind": "proving key of snarkjs's (zkey, Groth16)", "field": _FIELD}
    try:
        facts["key_digest"] = key.verifying_key.digest
        facts["insecure"] = key.verifying_key.insecure
    except MalformedInput as error:
        facts["refused"] = str(error)
        facts["insecure"] = True
    if facts["insecure"]:
        facts["warning"] = _INSECURE
    return facts | {
        "constraints": layout.num_rows,
        "wires": layout.num_columns,
        "public": layout.num_public,
        "domain": layout.domain_size,
        "A": _matrix(block.a, layout.num_rows, layout.num_columns),
        "B": _matrix(block.b, layout.num_rows, layout.num_columns),
        "distinct_coefficients": len(block.constants),
        "wires_in_B": len(key.b_columns),
        "contributions": [_name(c.name, c.beacon) for c in key.contributions],
        "circuit_hash": key.circuit_hash.hex(),
        **_needs(key, layout, engine),
        "least_memory_bytes": memory_need(key, layout, engine.threads, least=True),
    }


def _name(name: str, beacon: object) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return (printable or "unnamed") + (" (beacon)" if beacon is not None else "")


def _ptau(path: Path) -> Facts:
    from zkrollup.formats.ptau import Ptau

    tau = Ptau.load(path)
    return {
        "kind": "powers of tau (ptau)",
        "field": _FIELD,
        "power": tau.power,
        "power_of_the_ceremony": tau.ceremony_power,
        "largest_circuit": (1 << tau.power) - 1,
        "prepared": tau.prepared,
        "contributions": [_name(c.name, c.beacon) for c in tau.contributions],
        "insecure": not tau.contributions,
        **({} if tau.contributions else {"warning": _INSECURE}),
    }


def _proving_key(path: Path) -> Facts:
    from zkrollup.groth16.prove import memory_need
    from zkrollup.groth16.proving_key import ProvingKey

    engine = get_engine()
    key = ProvingKey.load(path)
    layout = Layout(key.num_columns, key.num_public, key.num_rows, ())
    return {
        "kind": "our proving key",
        "field": _FIELD,
        "circuit_digest": key.circuit_digest,
        "key_digest": key.verifying_key.digest,
        "insecure": key.insecure,
        **({"warning": _INSECURE} if key.insecure else {}),
        "constraints": key.num_rows,
        "wires": key.num_columns,
        "public": key.num_public,
        "domain": key.domain_size,
        "wires_in_B": len(key.b_columns),
        **_needs(key, layout, engine),
        "least_memory_bytes": memory_need(key, layout, engine.threads, least=True),
    }


# -- text ---------------------------------------------------------------------------------------


def _sym(path: Path) -> Facts:
    from zkrollup.formats.sym import SymFile

    symbols = SymFile.read(path)
    kept = symbols.wires[symbols.wires >= 0]
    return {
        "kind": "symbols of circom's (sym)",
        "signals": len(symbols.names),
        "wires": len(np.unique(kept)),
        "simplified_away": len(symbols.names) - len(kept),
        "components": len(np.unique(symbols.components)),
    }


def _json(path: Path) -> Facts:
    from zkrollup.groth16.keys import Proof, VerifyingKey, load_public_inputs, parse_object

    text = path.read_bytes() if path.stat().st_size <= 1 << 26 else None
    if text is None:
        raise FormatError(path, None, "file", f"{path.stat().st_size} bytes", f"JSON of at most {1 << 26}")
    if text.lstrip()[:1] == b"[":
        return {"kind": "public inputs (JSON)", "field": _FIELD, "public": len(load_public_inputs(path))}
    document = parse_object(text, str(path))
    if document.get("format") == "zkrollup bench":
        from zkrollup.bench.report import Report

        report = Report.load(path)
        return {
            "kind": f"report of zkrollup bench {report.bench}",
            "rows": len(report.rows),
            **report.machine,
        }
    if "pi_a" in document:
        proof = Proof.load(path)
        holds = {"a": _finite(proof.a), "b": _finite(proof.b), "c": _finite(proof.c)}
        return {"kind": "Groth16 proof (JSON)", "field": _FIELD, "points": holds}
    if "vk_alpha_1" in document:
        vk = VerifyingKey.load(path)
        return {
            "kind": "verification key (JSON, Groth16)",
            "field": _FIELD,
            "public": vk.num_public,
            "key_digest": vk.digest,
            "circuit_digest": vk.circuit_digest,
            "insecure": vk.insecure,
            **({"warning": _INSECURE} if vk.insecure else {}),
        }
    raise FormatError(
        path,
        None,
        "object",
        sorted(document)[:6],
        "a proof, a verification key or a report of zkrollup bench",
    )


def _finite(point: Any) -> str:
    """Whether a proof's point lies where it must."""
    from zkrollup.bn254.encoding import check_g1, check_g2

    try:
        (check_g2 if isinstance(point[0], tuple) else check_g1)(point, "point")
    except MalformedInput as error:
        return str(error).removeprefix("point: ")
    return "in its group"
