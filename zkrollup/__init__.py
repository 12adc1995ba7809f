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


def _leave_the_checkout() -> None:
    """Python started in a checkout finds this folder first, without circuits and the built engine.

    Then the modules of the installed package are used; when none is installed, say what to do.
    """
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    if os.path.exists(os.path.join(here, "circuits")):
        return
    for entry in sys.path:
        candidate = os.path.join(os.path.abspath(entry), "zkrollup")
        if os.path.exists(os.path.join(candidate, "circuits", "__init__.py")):
            __path__[:] = [candidate]
            return
    raise ImportError(
        f"zkrollup: {here} is a source folder, and no installed zkrollup was found; run 'pip install .' there"
    )


_leave_the_checkout()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'zkrollup' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
