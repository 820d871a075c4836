"""What a start costs: the CPU time of `netc build` and `netc check` in a fresh process against `import torch`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import show

SPEC = Path(__file__).parents[1] / "specs" / "googlenet.net"
NETC = "from netc.cli import run; run()"
RUNS = 15


def main() -> None:
    """Runs the commands in turn and prints the median of each and its ratio to `import torch`.

    All of them find their bytecode compiled, as an installation leaves it.
    """
    commands = {
        "python -c 'import torch'": ["-c", "import torch"],
        "netc build specs/googlenet.net": ["-c", NETC, "build", str(SPEC), "--force"],
        "netc check specs/googlenet.net": ["-c", NETC, "check", str(SPEC)],
        "python -c 'pass'": ["-c", "pass"],
    }
    with TemporaryDirectory() as folder:
        rounds = [{name: cpu_time(command, folder) for name, command in commands.items()} for _ in range(RUNS + 1)][1:]
    rows = []
    for name in commands:
        ratio = median(times[name] / times["python -c 'import torch'"] for times in rounds)
        rows.append([name, f"{1000 * median(times[name] for times in rounds):.0f} ms", f"{ratio:.3f}"])
    show(f"CPU time, median of {RUNS} (wanted: build at most 0.1)", ["command", "CPU", "ratio"], rows)


def cpu_time(arguments: list[str], folder: str) -> float:
    """Seconds of user and system time of one run of Python."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
