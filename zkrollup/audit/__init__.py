"""Looking for under-constrained signals: which wires do the inputs determine, and which are free?

This package must not know how a circuit was written or proved; it reads rows, see
:class:`~zkrollup.audit.model.Constraints`.
"""

from zkrollup.audit.analysis import UnsatisfiedError, audit
from zkrollup.audit.jacobian import Jacobian
from zkrollup.audit.model import Constraints
from zkrollup.audit.propagate import Propagation, propagate
from zkrollup.audit.report import AuditReport, Kind, Verdict
from zkrollup.audit.search import Freedom, WitnessPair, find_witness
from zkrollup.audit.without import Without

__all__ = [
    "AuditReport",
    "Constraints",
    "Freedom",
    "Jacobian",
    "Kind",
    "Propagation",
    "UnsatisfiedError",
    "Verdict",
    "Without",
    "WitnessPair",
    "audit",
    "find_witness",
    "propagate",
]
