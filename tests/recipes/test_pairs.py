"""All pairs of what a recipe can ask for, in few recipes: each script is clean, runs on Digits, and its loss falls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import rows
from tests.recipes.wandb_twin import Wandb

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.torch").save_file
LBFGS = "optimizer: LBFGS(lr=0.5, max_iter=3, history_size=2, line_search_fn=strong_wolfe)"
TURNS = "optimizer conv1: SGD(2e-2)\noptimizer fc: AdamW(1e-2)\noptimizer bn1: Adam(1e-2)"
OF_TURNS = """\
loss main: CrossEntropyLoss
loss plain: 0.5 * CrossEntropyLoss
steps: conv1(main) -> fc(plain, main) -> bn1(plain, every=2)"""
FACTORS: dict[str, tuple[str, ...]] = {
    "loss": (
        "loss: CrossEntropyLoss", "loss: 0.5 * CrossEntropyLoss(label_smoothing=0.1)",
        "loss main: CrossEntropyLoss\nloss plain: 0.5 * CrossEntropyLoss", "loss: CrossEntropyLoss(reduction=sum)",
        OF_TURNS,
    ),
    "optimizer": (
        "optimizer: SGD(2e-3, momentum=0.9)", "optimizer: AdamW(1e-2)\n    group vector: weight_decay=0",
        "optimizer conv1: Adam(3e-3)\noptimizer: AdamW(1e-2)", TURNS, LBFGS,
    ),
    "schedule": ("", "schedule: warmup(1) -> cosine", "schedule: StepLR(2, gamma=0.9)", "schedule: ReduceLROnPlateau"),
    "length": ("", "steps_per_epoch: 20", "drop_last: true"),
    "interval": ("", "schedule_interval: step"),
    "accumulate": ("", "accumulate: 2"),
    "clip": ("", "clip_norm: 1.0", "clip_value: 0.5"),
    "ema": ("", "ema: 0.8"),
    "precision": ("", "precision: bf16", "precision: fp16"),
    "channels_last": ("", "channels_last: true"),
    "weights": ("", 'weights: "start.pt"', 'weights: "start.pt"\nfresh: fc', 'weights: "start.safetensors"'),
    "freeze": ("", "freeze: norm", "freeze: conv1\nunfreeze: 1"),
    "patience": ("", "patience: 4"),
    "keep": ("", "keep: best", "keep: best(2)", "keep: best(F1)"),
    "log_every": ("", "log_every: 5"),
    "progress": ("", "progress: tqdm"),
    "evaluate_first": ("", "evaluate_first: true"),
    "print_shapes": ("", "print_shapes: true"),
    "plot": ("", "plot: (loss, accuracy)"),
    "samples": ("", "samples: 3"),
    "augment": ("", "augment: RandomCrop(8, padding=1)", "augment: RandomRotation(5) -> MixUp(0.1)"),
    "metrics": ("", "metrics: (F1, ConfusionMatrix)", "metrics: TopK(3)"),
    "log": ("", "log: csv", "log: (tensorboard, wandb)"),
    "compile": ("", "compile: true"),
    "modes": ("", "modes: (evaluate, predict, export, dry_run, overfit)"),
    "distributed": ("", "distributed: ddp", "distributed: fsdp"),
}  # fmt: skip
Setting = tuple[str, str]
EXCLUDED = (
    (("keep", "keep: best(F1)"), ("metrics", "")),
    (("keep", "keep: best(F1)"), ("metrics", "metrics: TopK(3)")),
    *((("loss", OF_TURNS), ("optimizer", other)) for other in FACTORS["optimizer"] if other != TURNS),
    *((("loss", other), ("optimizer", TURNS)) for other in FACTORS["loss"] if other != OF_TURNS),
    *(
        (turns, other)
        for turns in (("optimizer", TURNS), ("loss", OF_TURNS))
        for other in (
            ("accumulate", "accumulate: 2"), ("freeze", "freeze: norm"), ("freeze", "freeze: conv1\nunfreeze: 1"),
            ("modes", FACTORS["modes"][1]), ("distributed", "distributed: fsdp"),
        )
    ),
    *(
        (("optimizer", LBFGS), other)
        for other in (
            ("accumulate", "accumulate: 2"), ("precision", "precision: fp16"), ("distributed", "distributed: ddp"),
            ("distributed", "distributed: fsdp"),
        )
    ),
    (("compile", "compile: true"), ("distributed", "distributed: fsdp")),
    (("freeze", "freeze: conv1\nunfreeze: 1"), ("distributed", "distributed: fsdp")),
    (("ema", "ema: 0.8"), ("distributed", "distributed: fsdp")),
    (("precision", "precision: fp16"), ("distributed", "distributed: fsdp")),
    (("schedule", "schedule: warmup(1) -> cosine"), ("interval", "schedule_interval: step")),
)
"""What a recipe refuses, or what means something else: a warm-up of one step."""


def fits(row: dict[str, str]) -> bool:
    return not any(row.get(a[0]) == a[1] and row.get(b[0]) == b[1] for a, b in EXCLUDED)


def pairs_of(row: dict[str, str]) -> set[tuple[Setting, Setting]]:
    return set(combinations(((name, row[name]) for name in FACTORS if name in row), 2))


def covering() -> list[dict[str, str]]:
    """Rows in which all pairs that fit stand, each built around the first pair that is left."""
    singles = [(name, value) for name, values in FACTORS.items() for value in values]
    left = {pair: None for pair in combinations(singles, 2) if pair[0][0] != pair[1][0] and fits(dict(pair))}
    found = []
    while left:
        row = dict(next(iter(left)))
        for name in (name for name in FACTORS if name not in row):
            options = [value for value in FACTORS[name] if fits({**row, name: value})]
            row[name] = max(options, key=lambda value, row=row, name=name: sum(  # type: ignore[misc]
                pair in left for pair in pairs_of({**row, name: value})))  # fmt: skip
        for pair in pairs_of(row):
            left.pop(pair, None)
        found.append(row)
    return found


ROWS = covering()
SLICE = [number for number, row in enumerate(ROWS) if not row["compile"]][:3]


def text_of(row: dict[str, str]) -> str:
    settings = (value for value in (row[name] for name in FACTORS) if value)
    return block("data: Digits(batch_size=50)", "epochs: 3", *settings)


def test_all_pairs_are_there() -> None:
    pairs = set().union(*map(pairs_of, ROWS))
    for one, other in combinations(FACTORS, 2):
        for a in FACTORS[one]:
            for b in FACTORS[other]:
                assert (((one, a), (other, b)) in pairs) == fits({one: a, other: b})
    assert len(ROWS) < 40


def test_scripts_are_clean(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS):
        (tmp_path / f"script_{number}.py").write_text(script_of(text_of(row)))
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=[pytest.mark.nightly] * (n not in SLICE)) for n in range(len(ROWS))]
)
def test_each_runs_and_learns(
    run: Callable[..., Path], tmp_path: Path, state: dict[str, Any], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", Wandb())
    torch.save(state, "start.pt")
    save_file(state, "start.safetensors")
    run(text_of(ROWS[number]), tmp_path)
    losses = [row["train_loss"] for row in rows(tmp_path) if "train_loss" in row]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
