"""Files and keys that the cross-checks start from. Nothing here knows how another tool works."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import Engine
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.formats.zkey_write import write_zkey
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.verifier import verify

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


@dataclass(frozen=True)
class Case:
    """A circuit's files: constraints, a witness, a key, and who made the key."""

    r1cs: Path
    wtns: Path
    zkey: Path
    engine: Engine

    @property
    def key(self) -> Zkey:
        return Zkey.load(self.zkey, self.engine)

    @property
    def public(self) -> list[int]:
        return ints_from_limbs(WtnsFile.read(self.wtns).values[1 : 1 + self.key.num_public])

    def prove(self) -> Proof:
        """Our proof."""
        witness = self.engine.fr_to_mont(WtnsFile.read(self.wtns).values)
        key = self.key
        return prove_unchecked(key, key.layout, witness, self.engine)

    def holds(self, proof: Proof, public: list[int] | None = None) -> bool:
        """Our verdict."""
        return verify(self.key.verifying_key, self.public if public is None else public, proof)


@pytest.fixture(scope="session")
def ours(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A circuit that circom2 compiled, a witness of circom's program, and our one-party key."""
    folder = tmp_path_factory.mktemp("ours")
    for kind in ("r1cs", "wtns"):
        shutil.copy(VECTORS / "circom" / f"mixed.{kind}", folder)
    return with_our_key(folder / "mixed.r1cs", folder / "mixed.wtns", engine)


def with_our_key(r1cs: Path, wtns: Path, engine: Engine) -> Case:
    """Sets up a circuit, writing the key beside its .r1cs."""
    layout = R1csFile.read(r1cs).layout()
    zkey = r1cs.with_suffix(".zkey")
    write_zkey(zkey, layout, engine.groth16_setup(layout), engine)
    return Case(r1cs, wtns, zkey, engine)


@pytest.fixture(scope="session")
def snarkjs_key(engine: Engine) -> Case:
    """A circuit that circom2 compiled with a key and a witness that snarkjs made."""
    folder = VECTORS / "groth16_files"
    return Case(folder / "chain.r1cs", folder / "chain.wtns", folder / "chain.zkey", engine)
