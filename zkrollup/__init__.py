"""zkrollup proves batches of rollup transactions and verifies them as an Ethereum contract would.

Importing the package loads nothing else: the names below are fetched from their modules on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zkrollup.crypto.eddsa import PrivateKey
    from zkrollup.operator import ProvenBatch, Rollup
    from zkrollup.state import BatchParameters, Transfer, Withdraw

__all__ = ["BatchParameters", "PrivateKey", "ProvenBatch", "Rollup", "Transfer", "Withdraw", "__version__"]

__version__ = "0.1.0"

_HOME = {
    "BatchParameters": "zkrollup.state",
    "PrivateKey": "zkrollup.crypto.eddsa",
    "ProvenBatch": "zkrollup.operator",
    "Rollup": "zkrollup.operator",
    "Transfer": "zkrollup.state",
    "Withdraw": "zkrollup.state",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'zkrollup' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
