"""What `netc build` of the largest networks of torchvision costs: read, checked, emitted, compared and written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.startup import NETC, cpu_time
from benchmarks.table import show

SPECS = Path(__file__).parents[1] / "specs" / "torchvision"
LARGEST = {"regnet_y_128gf": "regnet", "vit_h_14": "vit", "efficientnet_b7": "efficientnet", "swin_v2_b": "swin"}
RUNS = 9


def main() -> None:
    """Builds each in fresh processes that find their bytecode compiled, and prints the medians."""
    rows = []
    with TemporaryDirectory() as folder:
        for name, family in LARGEST.items():
            command = ["-c", NETC, "build", str(SPECS / f"{family}.net"), "--net", name, "--force"]
            times = [(cpu_time(command, folder), clock_time(command, folder)) for _ in range(RUNS + 1)][1:]
            cpu, clock = (median(column) for column in zip(*times, strict=True))
            rows.append([name, f"{1000 * cpu:.0f} ms", f"{1000 * clock:.0f} ms"])
    show(f"`netc build`, as a process, median of {RUNS} (wanted: at most 300 ms)", ["network", "CPU", "wall"], rows)


def clock_time(arguments: list[str], folder: str) -> float:
    """Seconds of the clock for one run of Python."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began
