"""Imports go one way. This table is the architecture; it must not know what the modules do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ANYTHING = frozenset({"*"})

# Room -> what of ours it may import. The longest matching prefix counts; a room may import itself.
ALLOWED: dict[str, frozenset[str]] = {
    "zkrollup": frozenset(),
    "zkrollup.__main__": frozenset({"zkrollup.cli"}),
    "zkrollup.bn254": frozenset(),
    "zkrollup.crypto": frozenset({"zkrollup.bn254"}),
    "zkrollup.state": frozenset({"zkrollup.crypto", "zkrollup.bn254"}),
    "zkrollup.engine": frozenset(),
    "zkrollup.cs": frozenset({"zkrollup.engine"}),
    "zkrollup.gadgets": frozenset({"zkrollup.cs", "zkrollup.crypto.tables", "zkrollup.crypto.hash_tables"}),
    "zkrollup.circuits": frozenset(
        {
            "zkrollup.cs",
            "zkrollup.gadgets",
            "zkrollup.state.accounts",
            "zkrollup.state.amounts",
            "zkrollup.state.parameters",
            "zkrollup.state.trace",
        }
    ),
    "zkrollup.formats": frozenset(
        {
            "zkrollup.engine.interface",
            "zkrollup.engine.convert",
            "zkrollup.engine.file_arrays",
            "zkrollup.bn254",
        }
    ),
    "zkrollup.groth16": frozenset({"zkrollup.cs", "zkrollup.bn254", "zkrollup.engine"}),
    "zkrollup.groth16.keys": frozenset({"zkrollup.bn254"}),
    "zkrollup.groth16.transcript": frozenset({"zkrollup.bn254", "zkrollup.engine", "zkrollup.formats"}),
    "zkrollup.groth16.solidity": frozenset(
        {"zkrollup.bn254", "zkrollup.groth16.keys", "zkrollup.crypto.keccak"}
    ),
    "zkrollup.groth16.ceremony": frozenset(
        {"zkrollup.bn254", "zkrollup.engine", "zkrollup.formats", "zkrollup.groth16.transcript"}
    ),
    "zkrollup.groth16.powers": frozenset(
        {
            "zkrollup.bn254",
            "zkrollup.engine",
            "zkrollup.formats",
            "zkrollup.groth16.blake2b",
            "zkrollup.groth16.ceremony",
            "zkrollup.groth16.transcript",
        }
    ),
    "zkrollup.formats.zkey": frozenset(
        {
            "zkrollup.formats",
            "zkrollup.engine.interface",
            "zkrollup.engine.convert",
            "zkrollup.engine.file_arrays",
            "zkrollup.bn254",
            "zkrollup.groth16.keys",
        }
    ),
    "zkrollup.audit": frozenset({"zkrollup.cs", "zkrollup.engine", "zkrollup.formats", "zkrollup.bn254"}),
    "zkrollup.profile": frozenset(
        {"zkrollup.cs", "zkrollup.engine", "zkrollup.formats", "zkrollup.bench", "zkrollup.bn254"}
    ),
    "zkrollup.verifier": frozenset({"zkrollup.bn254", "zkrollup.groth16.keys"}),
    "zkrollup.l1": frozenset(
        {
            "zkrollup.verifier",
            "zkrollup.groth16.keys",
            "zkrollup.groth16.solidity",
            "zkrollup.state",
            "zkrollup.crypto",
            "zkrollup.bn254",
        }
    ),
    "zkrollup.testing": frozenset(
        {
            "zkrollup.audit",
            "zkrollup.bn254",
            "zkrollup.crypto",
            "zkrollup.state",
            "zkrollup.engine",
            "zkrollup.cs",
            "zkrollup.gadgets",
            "zkrollup.circuits",
            "zkrollup.groth16",
            "zkrollup.verifier",
            "zkrollup.l1",
        }
    ),
    "zkrollup.operator": ANYTHING,
    "zkrollup.node": ANYTHING,
    "zkrollup.testing.node": ANYTHING,
    "zkrollup.testing.served": ANYTHING,
    "zkrollup.exit_proof": ANYTHING,
    "zkrollup.restore": ANYTHING,
    "zkrollup.bench": ANYTHING,
    "zkrollup.cli": ANYTHING,
}

# Loaded on first use only, so that `import zkrollup` stays cheap.
HEAVY = {"aiohttp", "numba", "galois", "py_ecc", "matplotlib", "rich", "typer"}
HEAVY |= {"eth", "eth_abi", "eth_account", "eth_tester", "pyrevm"}
HEAVY_AT_TOP = ("zkrollup.engine.numba", "zkrollup.cli")


def modules() -> dict[str, Path]:
    """Every module of ours by the name under which it is imported."""
    found = {}
    for folder, name in ((ROOT / "zkrollup", "zkrollup"), (ROOT / "circuits", "zkrollup.circuits")):
        for path in folder.rglob("*.py"):
            relative = path.relative_to(folder)
            if folder.name == "zkrollup" and relative.parts[0] == "circuits":
                continue  # a development link to the folder at the top
            parts = [name, *relative.with_suffix("").parts]
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(path: Path, module: str) -> list[tuple[str, int, bool]]:
    """Absolute names imported, their lines, and whether the import runs with the module."""
    tree = ast.parse(path.read_text())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    nested = {
        id(child)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(function)
    }
    typing_only = {
        id(child)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for child in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        at_top = id(node) not in nested and id(node) not in typing_only
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, at_top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - (node.level - 1)]
                base = ".".join([*anchor, base] if base else anchor)
            found += [(f"{base}.{alias.name}", node.lineno, at_top) for alias in node.names]
    return found


def room_of(name: str, rooms: dict[str, frozenset[str]]) -> str | None:
    """The longest room that holds this dotted name."""
    holders = [room for room in rooms if name == room or name.startswith(room + ".")]
    return max(holders, key=len, default=None)


MODULES = modules()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports__go_one_way(module: str) -> None:
    room = room_of(module, ALLOWED)
    assert room is not None, f"{module} is in no room of the table"
    wrong = []
    for name, line, at_top in imports(MODULES[module], module):
        if room == "zkrollup" and not at_top:
            continue  # the root package fetches its names from anywhere, on first use
        if not (name == "zkrollup" or name.startswith("zkrollup.")):
            continue
        target = room_of(name, ALLOWED)
        allowed = ALLOWED[room]
        inside = room != "zkrollup" and (name == room or name.startswith(room + "."))
        if inside or "*" in allowed or any(name == a or name.startswith(a + ".") for a in allowed):
            continue
        wrong.append(f"{MODULES[module]}:{line}: {module} imports {name} (room {target})")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports__plain_circuits_is_forbidden(module: str) -> None:
    names = [name for name, _, _ in imports(MODULES[module], module)]
    assert not [name for name in names if name == "circuits" or name.startswith("circuits.")]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports__heavy_libraries_load_on_first_use(module: str) -> None:
    if module.startswith(HEAVY_AT_TOP):
        pytest.skip("this module is itself loaded on first use")
    top = {name.split(".")[0] for name, _, at_top in imports(MODULES[module], module) if at_top}
    assert not top & HEAVY


def test_layering__catches_a_forbidden_import(tmp_path: Path) -> None:
    """The checker itself is able to fail."""
    path = tmp_path / "bad.py"
    path.write_text("from zkrollup.engine import get_engine\nfrom . import keys\n")
    assert imports(path, "zkrollup.verifier.bad") == [
        ("zkrollup.engine.get_engine", 1, True),
        ("zkrollup.verifier.keys", 2, True),
    ]
    assert room_of("zkrollup.groth16.keys", ALLOWED) == "zkrollup.groth16.keys"
    assert room_of("zkrollup.groth16.prove", ALLOWED) == "zkrollup.groth16"
