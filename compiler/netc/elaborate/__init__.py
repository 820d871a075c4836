"""Elaboration: a syntax tree and parameters to a checked network, every size inferred as layers are placed."""

from netc.elaborate.network import elaborate, evaluate_in, open_file, runnable

__all__ = ["elaborate", "evaluate_in", "open_file", "runnable"]
