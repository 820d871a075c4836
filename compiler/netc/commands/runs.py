"""`netc runs`: compares the runs of emitted scripts that a folder holds, from their settings and logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from netc.commands.common import Failure

ASIDE = ("output", "resume", "epochs")
"""Settings that say where a run stands rather than what it is."""
FIGURES = ("train_loss", "test_loss", "accuracy")


class Run(NamedTuple):
    """What a run left: its settings, and the rows of its log that end an epoch."""

    name: str
    settings: dict[str, Any]
    epochs: list[dict[str, Any]]

    @property
    def cells(self) -> tuple[str, ...]:
        """How far it came, the figures of its last epoch, the best of its score, and how long it took."""
        trained = [row for row in self.epochs if "train_loss" in row]
        if not trained:
            return (f"0/{self.settings.get('epochs', '?')}", *["-"] * (len(FIGURES) + 2))
        last = trained[-1]
        seconds = sum(row.get("seconds", 0.0) for row in trained)
        progress = f"{last['epoch']}/{self.settings.get('epochs', '?')}"
        return (progress, *(shown(key, last.get(key)) for key in FIGURES), self.best(trained), f"{seconds:.1f} s")

    def best(self, trained: Sequence[dict[str, Any]]) -> str:
        key = next((key for key in ("accuracy", "test_loss") if key in trained[-1]), "train_loss")
        values = [row[key] for row in trained if key in row]
        return shown(key, max(values) if key == "accuracy" else min(values))


def shown(key: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.2%}" if key == "accuracy" else f"{value:.4f}"


@click.command()
@click.argument("folder", default="runs")
def runs(folder: str) -> None:
    """Compare the runs in FOLDER, by default in runs."""
    place = Path(folder)
    if not place.is_dir():
        raise Failure(f"there is no folder {folder}")
    found = [read_run(path.parent, place) for path in sorted(place.rglob("settings.json"))]
    if not found:
        raise Failure(f"{folder} holds no run: a script leaves settings.json and log.jsonl in its --output")
    click.echo("\n".join(compared(found)))


def read_run(folder: Path, within: Path) -> Run:
    """A run from its folder; raises Failure where its files are not what a script writes."""
    name = folder.relative_to(within).as_posix() if folder != within else folder.name or "."
    path = folder / "settings.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        path = folder / "log.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise Failure(f"cannot read {path}: {error}") from None
    if not isinstance(settings, dict) or not all(isinstance(row, dict) for row in rows):
        raise Failure(f"{folder} holds no run: its files are not those of a script")
    return Run(name, settings, [row for row in rows if "epoch" in row])


def compared(found: Sequence[Run]) -> list[str]:
    """A line for each run, with the settings in which they differ."""
    keys = list(dict.fromkeys(key for run in found for key in run.settings if key not in ASIDE))
    keys = [key for key in keys if len({json.dumps(run.settings.get(key)) for run in found}) > 1]
    rows = [(run.name, *(said(run.settings.get(key)) for key in keys), *run.cells) for run in found]
    return tabled(("run", *(key.replace("_", "-") for key in keys)), rows)


def tabled(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows under their names and those of the figures; figures that no run has are left out."""
    from netc.reference import columns

    header = (*names, "epochs", *(key.replace("_", " ") for key in FIGURES), "best", "time")
    kept = [index for index in range(len(header)) if index < len(names) or any(row[index] != "-" for row in rows)]
    return columns(tuple(row[index] for index in kept) for row in (header, *rows))


def said(value: Any) -> str:
    return "-" if value is None else str(value)


