"""Looking for under-constrained signals: which wires do the inputs determine, and which are free?

This package must not know how a circuit was written or proved; it reads rows, see
:class:`~zkrollup.audit.model.Constraints`.
"""

from zkrollup.audit.model import Constraints

__all__ = ["Constraints"]
