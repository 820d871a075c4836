"""An emitted script that is killed at random instants, and resumed each time, ends as one that was left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import assert_same

pytest.importorskip("torch")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
ONE = (sys.executable,)
TWO = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
KILLS = 30
SHARED = ("data: Digits(batch_size=50)", "log_every: 5", "keep: best(3)")
LOSS = "loss: CrossEntropyLoss"
CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "plain": (ONE, ("optimizer: AdamW(1e-3)", "schedule: cosine", "epochs: 60")),
    "accumulated": (ONE, ("optimizer: SGD(0.01, momentum=0.9)", "accumulate: 4", "clip_norm: 1", "epochs: 60")),
    "averaged": (ONE, ("optimizer: Adam(1e-3)", "ema: 0.99", "patience: 60", "epochs: 60")),
    "bf16": (ONE, ("optimizer: AdamW(1e-3)", "precision: bf16", "accumulate: 2", "epochs: 40")),
    "fp16": (ONE, ("optimizer: AdamW(1e-3)", "precision: fp16", "clip_norm: 1", "ema: 0.9", "epochs: 40")),
    "by steps": (ONE, ("optimizer: SGD(momentum=0.9)", "schedule: OneCycleLR(max_lr=0.1)", "epochs: 60")),
    "in steps": (ONE, ("optimizer: AdamW(1e-3)", "steps_per_epoch: 23", "schedule: warmup(20) -> cosine",
                       "schedule_interval: step", "epochs: 60")),
    "turns": (ONE, ("optimizer conv1: SGD(0.1)", "optimizer fc: AdamW(1e-3)", "optimizer norm: Adam(1e-2)",
                    "steps: conv1(a, every=3) -> fc(b) -> norm(a, every=2)", "loss a: CrossEntropyLoss",
                    "loss b: CrossEntropyLoss(label_smoothing=0.1)", "schedule: cosine", "epochs: 40")),
    "two processes": (TWO, ("optimizer: AdamW(1e-3)", "distributed: ddp", "accumulate: 2", "ema: 0.9", "epochs: 40")),
    "two in turns": (TWO, ("optimizer conv1: SGD(0.1)", "optimizer fc: AdamW(1e-3)", "optimizer norm: Adam(1e-2)",
                           "steps: conv1(a, every=3) -> fc(b) -> norm(a)", "loss a: CrossEntropyLoss",
                           "loss b: CrossEntropyLoss", "distributed: ddp", "epochs: 30")),
    "sharded": (TWO, ("optimizer: AdamW(1e-3)", "distributed: fsdp", "accumulate: 2", "epochs: 30")),
}  # fmt: skip
"""The command that runs a script, and what its recipe has beside `SHARED`."""


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
def test_killed_at_random_instants(tmp_path: Path, name: str) -> None:
    command, settings = CASES[name]
    script = tmp_path / "small.py"
    loss = [LOSS] * (not any(setting.startswith("loss") for setting in settings))
    script.write_text(script_of(block(*SHARED, *loss, *settings)))
    line = [*command, str(script), "--device", "cpu", "--output"]
    subprocess.run([*line, str(tmp_path / "a")], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    chance = random.Random(name)
    run, kills = 0, KILLS
    while kills:
        resumed = [*line, str(tmp_path / f"b{run}"), "--resume"]
        ended = False
        while kills and not ended:
            ended = run_killed(resumed, chance)
            kills -= not ended
        subprocess.run(resumed, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        assert_same(tmp_path / "a", tmp_path / f"b{run}")
        run += 1


def run_killed(line: list[str], chance: random.Random) -> bool:
    """Kills a run with all its processes while it starts or, more often, some time after its first line of the log.

    Gives whether it came to its end before.
    """
    with subprocess.Popen(line, stdout=subprocess.PIPE, env=ENVIRONMENT, start_new_session=True) as process:
        assert process.stdout is not None
        if chance.random() < 0.8:
            process.stdout.readline()
        time.sleep(chance.random() ** 2)
        if process.poll() is not None:
            return True
        os.killpg(process.pid, signal.SIGKILL)
    return False
