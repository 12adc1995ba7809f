"""The files that circom2 and snarkjs made (tests/vectors/circom/generate.mjs), and layouts made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.interface import Block, Layout, Matrix


@pytest.fixture(scope="session")
def circom() -> Path:
    return Path(__file__).resolve().parent.parent / "vectors" / "circom"


def made_up_layout(seed: int, instances: tuple[int, ...]) -> Layout:
    """Random rows, some empty, in blocks with these numbers of instances, linked to each other."""
    draw = np.random.default_rng(seed)
    public = int(draw.integers(0, 4))
    column, row = 1 + public, 0
    values = [0, 1, -1, *(int.from_bytes(draw.bytes(32), "little") for _ in range(5))]
    blocks = []
    for copies in instances:
        rows, num_links, own = (int(x) for x in draw.integers(1, 6, size=3))
        links = draw.integers(0, column, size=(copies, num_links)).astype(np.uint32)
        links[:, 0] = 0

        def matrix(rows: int = rows, width: int = num_links + own) -> Matrix:
            counts = draw.integers(0, 4, size=rows)
            total = int(counts.sum())
            return Matrix(
                np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
                draw.integers(0, width, size=total).astype(np.uint32),
                draw.integers(0, len(values), size=total).astype(np.uint32),
            )

        constants = fr_from_ints([x % R << 256 for x in values])
        a, b, c = matrix(), matrix(), matrix()
        blocks.append(Block(rows, num_links, own, copies, a, b, c, constants, links, column, row))
        column += copies * own
        row += copies * rows
    return Layout(column, public, row, tuple(blocks))


@pytest.fixture(scope="session")
def make_layout() -> Callable[[int, tuple[int, ...]], Layout]:
    return made_up_layout
