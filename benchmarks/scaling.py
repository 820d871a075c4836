"""How the time of a check grows with the number of layers: in a text, in a loop, in repeats of a block."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import show
from netc.diagnostics import Source
from netc.pipeline import compile
from netc.plugins import load_registry

SIZES = (1_000, 10_000, 100_000)
HEAD = "net N:\n    input 8x16x16\n"
CONV = "Conv(8, 3, padding=1)"


def text(kind: str, size: int) -> str:
    """A net of so many layers; for `repeated`, of one block in so many places."""
    if kind == "written":
        return HEAD + "".join(f"    c{i}: {CONV}\n" for i in range(size))
    if kind == "sequential":
        return f"{HEAD}    s:\n" + f"        {CONV}\n" * size
    if kind == "loop":
        return f'{HEAD}    for i in range({size}):\n        "c{{i}}": Conv(8 + i % 4, 3, padding=1)\n'
    return f"def B:\n    c: Conv(x.c, 3, padding=1)\n    + x\n\n{HEAD}    b: {size} * B\n"


def main() -> None:
    """Checks each kind of text at each size in a process of its own, and prints the CPU time and its growth."""
    rows = []
    for kind in ("written", "sequential", "loop", "repeated"):
        times = [in_fresh_process(kind, size) for size in SIZES]
        growth = times[-1] / times[0] / (SIZES[-1] / SIZES[0])
        rows.append([kind, *(f"{seconds:.2f} s" for seconds in times), f"{growth:.2f}"])
    header = ["layers", *(f"{size:,}" for size in SIZES), "a layer, last / first"]
    show("CPU time of a check (wanted: 1,000 layers below 0.5 s; 1 is linear)", header, rows)


def in_fresh_process(kind: str, size: int) -> float:
    command = [sys.executable, "-m", "benchmarks.scaling", kind, str(size)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], check=True, capture_output=True, text=True)
    return float(done.stdout)


def check_time(kind: str, size: int) -> float:
    """Seconds to check a net and to list its flow, imports left out."""
    load_registry()
    compile(Source("warm.net", text(kind, 2)))
    source = Source("large.net", text(kind, size))
    began = time.process_time()
    compiled = compile(source)
    assert len(compiled.shapes) >= size
    assert compiled.graph.root.parameter_count >= size
    return time.process_time() - began


if __name__ == "__main__":
    print(check_time(sys.argv[1], int(sys.argv[2])))
