"""Elaboration: a syntax tree and parameters to a checked network, every size inferred as layers are placed."""

from netc.elaborate.network import Elaborator, elaborate, evaluate_in, open_file, runnable
from netc.elaborate.values import FileScope

__all__ = ["Elaborator", "FileScope", "elaborate", "evaluate_in", "open_file", "runnable"]
