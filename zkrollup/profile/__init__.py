"""Where a circuit's constraints come from, and what a proof of it will cost: trees, flame graphs, changes.

This package must not know any circuit, nor prove anything: it counts, and predicts from counts.
"""

from zkrollup.profile.cost import Phase, Prediction, predict
from zkrollup.profile.density import Density, density
from zkrollup.profile.flame import flame_graph
from zkrollup.profile.model import WEIGHTS, Node, Profile, profile
from zkrollup.profile.snapshot import Change, Comparison, compare, read_snapshot, write_snapshot

__all__ = [
    "WEIGHTS",
    "Change",
    "Comparison",
    "Density",
    "Node",
    "Phase",
    "Prediction",
    "Profile",
    "compare",
    "density",
    "flame_graph",
    "predict",
    "profile",
    "read_snapshot",
    "write_snapshot",
]
