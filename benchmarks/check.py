"""What `netc check` of a file of 1,000 lines costs: a file that is generated, with many blocks, nets and variants."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.generator import long_spec, written

from benchmarks.startup import NETC
from benchmarks.table import show

LINES = 1_000
RUNS = 9


def main() -> None:
    """Checks the file in fresh processes that find their bytecode compiled, and prints the medians."""
    with TemporaryDirectory() as folder:
        texts = {
            f"{LINES:,} lines: blocks, nets, variants": long_spec(LINES),
            f"{LINES:,} lines: one net": written(LINES // 3 - 2),
            "3 lines": "net N:\n    input 4\n    fc: Linear(2)\n",
        }
        rows = []
        for name, text in texts.items():
            path = Path(folder) / "spec.net"
            path.write_text(text, encoding="utf-8")
            times = [cost(path, folder) for _ in range(RUNS + 1)][1:]
            rows.append([name, *(f"{1000 * median(column):.0f} ms" for column in zip(*times, strict=True))])
    show(f"`netc check`, as a process, median of {RUNS} (wanted: at most 300 ms)", ["", "CPU", "wall"], rows)


def cost(path: Path, folder: str) -> tuple[float, float]:
    """Seconds of CPU and of the clock for one check."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", NETC, "check", str(path)]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began
