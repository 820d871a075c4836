"""What Python limits while a spec is compiled: how deep calls nest, and how long work rests to look for garbage."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEPTH = 30_000
"""Calls within calls. Blocks in blocks take about twelve a level; what is deeper is refused as a mistake."""


@contextmanager
def lifted() -> Iterator[None]:
    """Room for deep trees, and no search for cyclic garbage: a compilation keeps nearly all that it makes."""
    depth, collects = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(depth, DEPTH))
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        sys.setrecursionlimit(depth)
