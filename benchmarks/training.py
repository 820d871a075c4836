"""What emitted scripts are quick at: input from memory, whole runs, fused optimizers, and `--help`."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.steps import module_at
from benchmarks.table import show
from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

ROOT = Path(__file__).parents[1]
COUNT = 12_000
TEST_COUNT = 2_000
BATCH = 64
ROUNDS = 5
TUTORIALS = ("googlenet", "residual")
"""Specs whose recipe is a tutorial's; the twins of their networks are trained by the tutorial's loop."""
EPOCHS = 3
"""Of the tutorials' networks, for each run."""
SPEC = """\
net MLP(classes=10):
    input 1x28x28
    flatten
    fc1: Linear(128); relu
    fc2: Linear(classes)

train:
    data: MNIST(batch_size=64, normalize=(0.1307, 0.3081))
    loss: CrossEntropyLoss
    optimizer: SGD(lr=0.01, momentum=0.5)
    epochs: 1
"""


def main() -> None:
    """Measures each in turn, on one thread, and prints the medians of the ratios."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        write_pictures(root)
        source = compile_spec(Source("mlp.net", SPEC)).script
        script = root / "mlp.py"
        script.write_text(source, encoding="utf-8")
        module = ModuleType("mlp")
        exec(compile(source.rpartition("\n\nif __name__")[0], "mlp.py", "exec"), module.__dict__)
        rows = [batches(root, module), epochs(root, script, module)]
        rows += [tutorial(root, name) for name in TUTORIALS]
        rows += [optimizers(), quick_help(script)]
    header = ["what", "by hand", "emitted", "ratio", "wanted"]
    show(f"Training on {COUNT:,} generated pictures, median of {ROUNDS} (networks: of 3)", header, rows)


def write_pictures(root: Path) -> None:
    """scikit-learn's digits, enlarged, moved about and with noise, as MNIST's files have them.

    The digits of the test part are others than those of the training part.
    """
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    digits = load_digits()
    small = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) * 14
    large = F.interpolate(small, size=(22, 22), mode="bilinear").squeeze(1)
    generator = torch.Generator().manual_seed(0)
    for part, count, first, last in (("train", COUNT, 0, 1437), ("t10k", TEST_COUNT, 1437, 1797)):
        chosen = torch.randint(first, last, (count,), generator=generator)
        places = torch.randint(0, 7, (count, 2), generator=generator).tolist()
        pictures = 20 * torch.rand(count, 28, 28, generator=generator)
        for picture, number, (top, left) in zip(pictures, chosen, places, strict=True):
            picture[top : top + 22, left : left + 22] += large[number]
        pictures = pictures.clamp(max=255).to(torch.uint8)
        labels = torch.tensor(digits.target)[chosen].to(torch.uint8)
        head = struct.pack(">IIII", 2051, count, 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(head + pictures.numpy().tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.numpy().tobytes())


def tutorial_data(root: Path, train: bool) -> Any:
    ready = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    return datasets.MNIST(str(root), train=train, transform=ready)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def batches(root: Path, module: ModuleType) -> list[str]:
    """The same batches, bit by bit, from a DataLoader with a transform for each picture and from memory."""
    data = tutorial_data(root, train=True)
    pictures, labels, *_ = module.load_data(type("", (), {"root": str(root)}))
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(1))
    loader = DataLoader(data, BATCH, sampler=order.tolist())
    chosen = torch.split(order, BATCH)
    for (inputs, targets), batch in zip(loader, chosen, strict=True):
        assert torch.equal(inputs, module.prepare(pictures[batch]))
        assert torch.equal(targets, labels[batch])
    pairs = []
    for _ in range(ROUNDS):
        by_hand = timed(lambda: [None for _ in loader])
        pairs.append((by_hand, timed(lambda: [(module.prepare(pictures[b]), labels[b]) for b in chosen])))
    rate = [f"{COUNT / median(side):,.0f}/s" for side in zip(*pairs, strict=True)]
    return ["input, samples", *rate, f"{median(a / b for a, b in pairs):.1f}", ">= 15"]


def epochs(root: Path, script: Path, module: ModuleType) -> list[str]:
    """An epoch of an MLP and its test, as tutorials write it and as the script logs it."""
    pairs = []
    for number in range(ROUNDS):
        model = module.MLP()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
        loaders = [DataLoader(tutorial_data(root, train), BATCH, shuffle=train) for train in (True, False)]
        by_hand = timed(partial(epoch, model, optimizer, *loaders))
        output = root / f"run{number}"
        run([str(script), "--root", str(root), "--output", str(output), "--device", "cpu"])
        log = (output / "log.jsonl").read_text(encoding="utf-8").splitlines()
        pairs.append((by_hand, float(json.loads(log[-1])["seconds"])))
    times = [f"{median(side):.2f} s" for side in zip(*pairs, strict=True)]
    return ["an epoch of an MLP", *times, f"{median(a / b for a, b in pairs):.1f}", ">= 3"]


def tutorial(root: Path, name: str) -> list[str]:
    """A run of a tutorial's network: its loop over a DataLoader, and the script of the same recipe."""
    compiled = compile_spec(ROOT / "specs" / f"{name}.net")
    script = root / f"{name}.py"
    script.write_text(compiled.script, encoding="utf-8")
    network = getattr(module_at(ROOT / "tests" / "twins" / f"{name}.py"), compiled.model.class_name)
    pairs = []
    for seed in range(3):
        torch.manual_seed(seed)
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
        loaders = [DataLoader(tutorial_data(root, train), BATCH, shuffle=train) for train in (True, False)]
        began = time.perf_counter()
        for _ in range(EPOCHS):
            correct = epoch(model, optimizer, *loaders)
        by_hand = time.perf_counter() - began, correct / TEST_COUNT
        output = root / f"{name}{seed}"
        flags = ["--root", str(root), "--output", str(output), "--device", "cpu", "--seed", str(seed)]
        run([str(script), *flags, "--epochs", str(EPOCHS)])
        log = [json.loads(line) for line in (output / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        pairs.append((by_hand, (sum(row["seconds"] for row in log), log[-1]["accuracy"])))
    sides = list(zip(*pairs, strict=True))
    shown = [f"{median(s for s, _ in side):.1f} s, {median(a for _, a in side):.1%}" for side in sides]
    ratio = median(a / b for (a, _), (b, _) in pairs)
    return [f"{EPOCHS} epochs of {name}, accuracy", *shown, f"{ratio:.2f}", ">= 1"]


def epoch(model: nn.Module, optimizer: torch.optim.Optimizer, train: Any, test: Any) -> int:
    """As tutorials write it; gives how many examples of the test are told right."""
    criterion = nn.CrossEntropyLoss()
    model.train()
    for inputs, targets in train:
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for inputs, targets in test:
            correct += int((model(inputs).argmax(1) == targets).sum().item())
    return correct


def optimizers() -> list[str]:
    """A step of AdamW with PyTorch's fused kernel against the loop over parameters."""
    model = nn.Sequential(*(nn.Linear(32, 32) for _ in range(100)))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    loop = torch.optim.AdamW(model.parameters(), foreach=False, fused=False)
    fused = torch.optim.AdamW(model.parameters(), fused=True)
    pairs = [[timed(partial(steps, each)) / 20 for each in (loop, fused)] for _ in range(ROUNDS + 1)]
    times = [f"{1000 * median(side):.2f} ms" for side in zip(*pairs[1:], strict=True)]
    return ["a step of AdamW", *times, f"{median(a / b for a, b in pairs[1:]):.1f}", ">= 2.5"]


def steps(optimizer: torch.optim.Optimizer) -> None:
    for _ in range(20):
        optimizer.step()


def quick_help(script: Path) -> list[str]:
    """How long `--help` takes, the start of Python in it; the hand-written column is `python -c pass`."""
    bare = median(timed(lambda: run(["-c", "pass"])) for _ in range(ROUNDS))
    helped = median(timed(lambda: run([str(script), "--help"])) for _ in range(ROUNDS))
    return ["--help", f"{1000 * bare:.0f} ms", f"{1000 * helped:.0f} ms", "", "<= 100 ms"]


def run(arguments: list[str]) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)
