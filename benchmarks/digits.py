"""How well the first networks learn scikit-learn's digits: the accuracy after the last epoch, over several seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import show

SPECS = Path(__file__).parents[1] / "specs"
NETWORKS = ("lenet5", "lenet_functional", "lenet_sequential", "lenet_named", "lenet_sigmoid", "mnist_dropout",
            "googlenet", "residual")  # fmt: skip
SEEDS = 5


def main(jobs: int) -> None:
    """Builds the script of each network for its recipe `digits`, runs it with each seed, and prints a table.

    `jobs` runs go on at once, each with one thread.
    """
    specs = [SPECS / f"{name}.net" for name in NETWORKS]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        place = Path(folder)
        for spec in specs:
            run(place, "-m", "netc.cli", "build", str(spec), "--train", "digits", "-o", f"{spec.stem}.py")
        runs = {(spec, seed): pool.submit(accuracy, spec.stem, seed, place) for spec in specs for seed in range(SEEDS)}
        rows = []
        for spec in specs:
            found = [runs[spec, seed].result() for seed in range(SEEDS)]
            rows.append([spec.stem, *(f"{value:.2%}" for value in (*found, median(found), min(found)))])
    header = ["network", *(f"seed {seed}" for seed in range(SEEDS)), "median", "worst"]
    show("Accuracy on Digits after the last epoch (wanted: median at least 97 %, worst at least 96 %)", header, rows)


def accuracy(name: str, seed: int, folder: Path) -> float:
    """The accuracy after the last epoch of one run of a script."""
    output = f"{name}-{seed}"
    run(folder, f"{name}.py", "--seed", str(seed), "--output", output)
    last = (folder / output / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    return float(json.loads(last)["accuracy"])


def run(folder: Path, *arguments: str) -> None:
    """Runs Python with one thread; what it says is shown only where it fails."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed:\n{done.stderr}")
