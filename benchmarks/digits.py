"""How well each classifier learns scikit-learn's digits: the accuracy after the last epoch, over several seeds."""

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
SEEDS = 5


def main(jobs: int) -> None:
    """Builds the script of each spec with a recipe `digits`, runs it with each seed, and prints a table.

    `jobs` runs go on at once, each with one thread.
    """
    specs = [spec for spec in sorted(SPECS.glob("*.net")) if "train digits:" in spec.read_text(encoding="utf-8")]
    with TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        runs = {(spec, seed): pool.submit(accuracy, spec, seed, Path(folder)) for spec in specs for seed in range(SEEDS)}
        rows = []
        for spec in specs:
            found = [runs[spec, seed].result() for seed in range(SEEDS)]
            rows.append([spec.stem, *(f"{value:.2%}" for value in (*found, median(found), min(found)))])
    header = ["digits, last epoch", *(f"seed {seed}" for seed in range(SEEDS)), "median", "worst"]
    show(f"Accuracy on Digits, {SEEDS} seeds", header, rows)


def accuracy(spec: Path, seed: int, folder: Path) -> float:
    """The accuracy after the last epoch of one run of a spec's script."""
    place = folder / f"{spec.stem}-{seed}"
    place.mkdir()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    build = [sys.executable, "-m", "netc.cli", "build", str(spec), "--train", "digits", "-o", "script.py"]
    for command in (build, [sys.executable, "script.py", "--seed", str(seed), "--output", "run"]):
        subprocess.run(command, cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL)
    last = (place / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    return float(json.loads(last)["accuracy"])
