"""`netc sweep` trains a grid, and `netc runs` compares what is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netc.cli import main

SPEC = """\
net Small(width=16):
    input 1x8x8
    flatten
    fc1: Linear(width); relu
    fc2: Linear(10)

train:
    data: Digits(batch_size=500)
    loss: CrossEntropyLoss
    optimizer: Adam(lr=3e-3)
    epochs: 1
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.net").write_text(SPEC)
    return tmp_path


def test_a_grid(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sets = ("--set", "width=4,8", "--set", "train.optimizer.lr=1e-2", "--set", "train.seed=1")
    assert main(["sweep", "small.net", *sets, "-o", "out", "--", "--device", "cpu"]) == 0
    header, *rows = capfd.readouterr().out.splitlines()[-3:]
    assert header.split() == ["width", "epochs", "train", "loss", "test", "loss", "accuracy", "best", "time"]
    assert [row.split()[:2] for row in rows] == [["4", "1/1"], ["8", "1/1"]]
    settings = [json.loads((place / f"out/width={n}/settings.json").read_text()) for n in (4, 8)]
    assert [(each["lr"], each["seed"]) for each in settings] == [(0.01, 1)] * 2
    logged = [json.loads((place / f"out/width={n}/log.jsonl").read_text().splitlines()[-1]) for n in (4, 8)]
    assert [f"{row['accuracy']:.2%}" in line for row, line in zip(logged, rows, strict=True)] == [True, True]
    assert main(["runs", "out"]) == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == ["run", "width=4", "width=8"]


def left(folder: Path, settings: object, rows: list[object]) -> None:
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def epoch(number: int, loss: float, accuracy: float) -> dict[str, object]:
    return {"epoch": number, "train_loss": loss, "test_loss": loss, "accuracy": accuracy, "seconds": 1.5}


def test_runs_are_compared(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    left(place / "runs/a", {"lr": 0.1, "seed": 0, "epochs": 2}, [epoch(1, 2.0, 0.9), {"loss": 1.0}, epoch(2, 1.0, 0.8)])
    left(place / "runs/b/c", {"lr": 0.2, "seed": 0, "epochs": 3}, [{"epoch": 0, "test_loss": 3.0}])
    assert main(["runs"]) == 0
    assert [line.split() for line in capfd.readouterr().out.splitlines()] == [
        ["run", "lr", "epochs", "train", "loss", "test", "loss", "accuracy", "best", "time"],
        ["a", "0.1", "2/2", "1.0000", "1.0000", "80.00%", "90.00%", "3.0", "s"],
        ["b/c", "0.2", "0/3", "-", "-", "-", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sweep", "small.net", "--set", "width=8"], 2, "needs a --set with several values"),
        (["sweep", "small.net", "--set", "width=8,,9"], 2, "has an empty value"),
        (["sweep", "small.net", "--set", "width=8,8"], 2, "has a value twice"),
        (["sweep", "small.net", "--set", "width=8,x"], 1, "`out_features` must be an integer"),
        (["sweep", "small.net", "--set", "with=8,9"], 1, "with"),
        (["sweep", "none.net", "--set", "width=8,9"], 1, "cannot read none.net"),
        (["sweep", "bare.net", "--set", "width=8,9"], 1, "has no `train:`"),
        (["sweep", "small.net", "--set", "width=8,9", "-o", "small.net"], 1, "cannot write to small.net"),
        (["runs", "nowhere"], 1, "there is no folder nowhere"),
        (["runs", "empty"], 1, "empty holds no run"),
        (["runs", "broken"], 1, "cannot read broken/settings.json"),
        (["runs", "listed"], 1, "listed holds no run"),
    ],
)
def test_bad_input(place: Path, capfd: pytest.CaptureFixture[str], words: list[str], code: int, said: str) -> None:
    (place / "bare.net").write_text(SPEC.partition("train:")[0])
    (place / "empty").mkdir()
    left(place / "broken", {}, [])
    (place / "broken/settings.json").write_text("{")
    left(place / "listed", [], [])
    assert main(words) == code
    assert said in capfd.readouterr().err
    assert not (place / "runs").exists()
