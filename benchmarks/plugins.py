"""What discovery costs: the time in which a fresh process knows what 50 installed plugins bring."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import show

COUNT = 50
RUNS = 15
HOOKS = """\
from netc.hooks import hookimpl


@hookimpl
def netc_layers():
    return {"LayerNUMBER": "netc_madeNUMBER.layers"}
"""
LAYER = """\
from netc.layer import Layer


class LayerNUMBER(Layer):
    \"\"\"Changes nothing.\"\"\"

    module = "torch.nn.Identity"

    def infer(self, input):
        return input
"""
MEASURED = """\
import sys
from pathlib import Path
from time import perf_counter
from netc.plugins import load_registry
start = perf_counter()
registry = load_registry(Path(sys.argv[1]))
stop = perf_counter()
print(1000 * (stop - start), len(registry.plugins), "pluggy" in sys.modules)
"""


def main() -> None:
    """Prints the median of a start without a manifest, and of one with it, beside no further and 50 further plugins.

    The least of the latter, too: on a machine that does other things the median says how busy it is.
    """
    rows = []
    for count in (0, COUNT):
        with TemporaryDirectory() as folder:
            site = Path(folder, "site")
            site.mkdir()
            for i in range(count):
                install(site, i)
            times = measured(Path(folder), count)
        rows.append([f"{count} further plugins", *(f"{time:.1f} ms" for time in times)])
    heads = ["installed", "first", "warm", "warm at best"]
    show(f"Discovery, median of {RUNS} starts (wanted: warm at most 5 ms)", heads, rows)


def install(site: Path, number: int) -> None:
    """Puts a distribution with one plugin, a package of two modules, where Python finds it."""
    info = site / f"netc_made{number}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: netc-made{number}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[netc]\nmade = netc_made{number}\n")
    package = site / f"netc_made{number}"
    package.mkdir()
    (package / "__init__.py").write_text(HOOKS.replace("NUMBER", str(number)))
    (package / "layers.py").write_text(LAYER.replace("NUMBER", str(number)))


def measured(folder: Path, count: int) -> tuple[float, float, float]:
    """Milliseconds of the first start, a later one, and the least; checks that each found all, and asked only once."""
    first: list[float] = []
    later: list[float] = []
    for run in range(RUNS):
        cache = folder / f"cache{run}"
        for times, asked in ((first, True), (later, False)):
            time, found, imported = start(folder, cache)
            assert found > count and imported is asked, (found, imported)
            times.append(time)
    return median(first), median(later), min(later)


def start(folder: Path, cache: Path) -> tuple[float, int, bool]:
    path = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    command = [sys.executable, "-c", MEASURED, str(cache)]
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    time, found, imported = done.stdout.split()
    return float(time), int(found), imported == "True"


if __name__ == "__main__":
    main()
