"""`log`: the epochs as CSV and the figures for TensorBoard, which a resumed run has once."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import rows

pytest.importorskip("torch")
DATA = ("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "epochs: 3", "log_every: 2")
BOTH = block(*DATA, "evaluate_first: true", "schedule: cosine", "log: (csv, tensorboard)")


def test_a_table_of_epochs(run: Callable[..., Path], tmp_path: Path) -> None:
    text = block(*DATA, "evaluate_first: true", "log: csv")
    with pytest.raises(SystemExit):
        run(text, tmp_path, stop_after=10)
    run(text, tmp_path, "--resume")
    with (tmp_path / "log.csv").open() as file:
        table = list(csv.DictReader(file))
    epochs = [row for row in rows(tmp_path) if "epoch" in row]
    assert [row["epoch"] for row in table] == ["0", "1", "2", "3"]
    assert [float(row["accuracy"]) for row in table] == [row["accuracy"] for row in epochs]


def test_events_for_tensorboard(run: Callable[..., Path], tmp_path: Path) -> None:
    """A run that is stopped, and one that is begun anew in its folder, leave each number once."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    run(BOTH, tmp_path, "--epochs", "1")
    with pytest.raises(SystemExit):
        run(BOTH, tmp_path, stop_after=10)
    run(BOTH, tmp_path, "--resume")
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for name in ("loss", "test_loss", "accuracy", "train_loss"):
        logged = [(row["examples"], row[name]) for row in rows(tmp_path) if name in row]
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert [step for step, _ in found] == [step for step, _ in logged]
        assert [value for _, value in found] == pytest.approx([value for _, value in logged])


def test_a_missing_package_is_said(run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SystemExit, match="pip install tensorboard"):
        run(BOTH, tmp_path)


def test_scripts_are_clean(tmp_path: Path) -> None:
    for number, log in enumerate(("csv", "tensorboard", "(csv, tensorboard)")):
        for name, more in (("one", ()), ("two", ("distributed: ddp", "evaluate_first: true", "metrics: F1"))):
            (tmp_path / f"{name}_{number}.py").write_text(script_of(block(*DATA, f"log: {log}", *more)))
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
