"""ResNet-50 on an accelerator: the emitted script in bf16, channels last and compiled, against the usual recipe."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision import models

from benchmarks.table import show
from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

RESNET = Path(__file__).parents[1] / "specs" / "torchvision" / "resnet.net"
RECIPE = """
train measured:
    data: NumPy("pictures.npz", classes={classes}, batch_size={batch}, test=0.01)
    loss: CrossEntropyLoss
    optimizer: SGD(lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule: StepLR(step_size=30)
    precision: bf16
    channels_last: true
    compile: true
    epochs: {epochs}
"""
EPOCHS = 4
"""Of which the first compiles and tunes, and is not counted."""


def main(count: int = 6400, size: int = 224, batch: int = 128, classes: int = 1000, device: str | None = None) -> None:
    """Prints the pictures per second of each; `size` is in pixels, the pictures are random and in memory."""
    accelerator = torch.accelerator.current_accelerator(True)
    if accelerator is None and device is None:
        print("accelerator: PyTorch finds none here, nothing is measured")
        return
    where = torch.device(device or accelerator or "cpu")
    generator = np.random.default_rng(0)
    pictures = generator.standard_normal((count, 3, size, size), dtype=np.float32)
    labels = generator.integers(0, classes, count)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        np.savez(root / "pictures.npz", x=pictures, y=labels)
        seconds = emitted(root, where, batch, classes)
    trained = count - round(count * 0.01)
    ours = trained / seconds
    rows = []
    data = torch.from_numpy(pictures[:trained]).to(where), torch.from_numpy(labels[:trained]).to(where)
    for name, amp in (("float32", False), ("float16, scaled", True)):
        usual = trained / by_hand(*data, batch, classes, amp)
        rows.append([f"the usual recipe in {name}", f"{usual:,.0f}/s", f"{ours:,.0f}/s", f"{ours / usual:.2f}"])
    header = ["against", "by hand", "emitted", "ratio"]
    show(f"ResNet-50, {size} pixels, batches of {batch}, on {where.type}: pictures per second", header, rows)


def emitted(root: Path, device: torch.device, batch: int, classes: int) -> float:
    """The seconds of an epoch of the emitted script, its test and checkpoint left out as far as its log does."""
    recipe = RECIPE.format(classes=classes, batch=batch, epochs=EPOCHS)
    source = Source(str(RESNET), RESNET.read_text(encoding="utf-8") + recipe)
    script = root / "resnet50.py"
    script.write_text(compile_spec(source, "resnet50", params={"classes": classes}).script, encoding="utf-8")
    line = [sys.executable, str(script), "--output", "run", "--device", device.type]
    subprocess.run(line, cwd=root, check=True, stdout=subprocess.DEVNULL)
    rows = [json.loads(row) for row in (root / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return median(float(row["seconds"]) for row in rows[1:])


def by_hand(inputs: Any, targets: Any, batch: int, classes: int, amp: bool) -> float:
    """The seconds of an epoch as torchvision's references train, with pictures that are on the device already.

    Source of the recipe: SGD, momentum 0.9, weight decay 1e-4, a step after 30 epochs, `--amp` with a scaler.
    """
    torch.manual_seed(0)
    model = models.resnet50(num_classes=classes).to(inputs.device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    scaler = torch.amp.GradScaler(inputs.device.type, enabled=amp)
    found = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        model.train()
        total = torch.zeros((), device=inputs.device)
        order = torch.randperm(len(inputs), device=inputs.device)
        for chosen in torch.split(order, batch):
            with torch.autocast(inputs.device.type, torch.float16, enabled=amp):
                loss = criterion(model(inputs[chosen]), targets[chosen])
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            total += loss.detach()
        total.item()  # waits for the device
        found.append(time.perf_counter() - began)
    return median(found[1:])
