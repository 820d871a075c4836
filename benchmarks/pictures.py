"""How quickly pictures in files reach the network: scripts against torchvision's ImageFolder and a DataLoader."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2

from benchmarks.table import show
from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

COUNT = 320
BATCH = 64
ROUNDS = 5
WORKERS = (0, 2)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SPEC = f"""\
net Classifier(classes=2):
    input 3x224x224
    conv: Conv(8, 7, stride=4); relu
    adaptive_avg_pool(1); flatten
    fc: Linear(classes)

train:
    data: ImageFolder("pictures", classes=2, test=0, normalize=({MEAN}, {STD}))
    augment: RandomResizedCrop(224) -> RandomHorizontalFlip
    loss: CrossEntropyLoss
    optimizer: AdamW(1e-3)
    epochs: 1
"""


def main() -> None:
    """Reads an epoch by each in turn, and prints the medians; torch has one thread in each thread or process."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        write_pictures(root)
        pictures, prepare = emitted(root)
        loaders = {workers: loader(root, workers) for workers in WORKERS}
        rounds = [epoch(pictures, prepare, loaders, number) for number in range(ROUNDS + 1)][1:]
    hand = [f"{COUNT / median(row[workers] for row in rounds):,.0f}/s" for workers in WORKERS]
    rows = []
    for name in ("bytes, for a device", "numbers, on the CPU"):
        ratio = median(min(row[workers] for workers in WORKERS) / row[name] for row in rounds)
        rows.append([name, *hand, f"{COUNT / median(row[name] for row in rounds):,.0f}/s", f"{ratio:.2f}"])
    header = ["pictures", *(f"DataLoader, {workers} workers" for workers in WORKERS), "emitted", "ratio to the best"]
    show(f"Input from {COUNT} JPEGs of 500 x 375, median of {ROUNDS}", header, rows)


def epoch(pictures: Any, prepare: Any, loaders: dict[int, DataLoader[Any]], seed: int) -> dict[Any, float]:
    """Seconds of an epoch for each, in turn; the workers of the loaders have been started."""
    augment = v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip()])
    batches = torch.randperm(COUNT).view(-1, BATCH)
    ways: dict[Any, Iterable[Any]] = {**loaders, "bytes, for a device": pictures.read(batches, augment, seed)}
    ways["numbers, on the CPU"] = map(prepare, pictures.read(batches, augment, seed))
    found = {}
    for name, way in ways.items():
        began = time.perf_counter()
        for _ in way:
            pass
        found[name] = time.perf_counter() - began
    return found


def write_pictures(root: Path) -> None:
    """Blurred noise, which takes about as many bytes a pixel as photographs do."""
    generator = torch.Generator().manual_seed(0)
    for number in range(COUNT):
        noise = torch.randint(0, 256, (3, 375, 500), generator=generator, dtype=torch.uint8)
        path = root / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        v2.functional.to_pil_image(v2.functional.gaussian_blur(noise, [5, 5], [1.0, 1.0])).save(path, quality=90)


def emitted(root: Path) -> tuple[Any, Any]:
    """The training part of a script, and what brings a batch to the network's numbers."""
    module = ModuleType("pictures")
    source = compile_spec(Source("pictures.net", SPEC)).script.rpartition("\n\nif __name__")[0]
    exec(compile(source, "pictures.py", "exec"), module.__dict__)
    pictures, _ = module.load_data(SimpleNamespace(root=str(root), seed=0))
    return pictures, module.prepare


def loader(root: Path, workers: int) -> DataLoader[Any]:
    """As torchvision's references read pictures."""
    ready = [v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), v2.PILToTensor()]
    ready += [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    data = datasets.ImageFolder(str(root), v2.Compose(ready))
    return DataLoader(data, BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
