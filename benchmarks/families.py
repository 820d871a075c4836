"""How long the loaded networks of specs/torchvision take, forward and in training, beside torchvision's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from tests.torchvision.reference import MODELS
from torch import Tensor, nn

from benchmarks.steps import step_time
from benchmarks.table import show

NAMES = (
    "resnet18", "densenet121", "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0", "regnet_y_400mf",
    "efficientnet_b0", "convnext_tiny", "googlenet", "vit_b_32", "swin_t", "r3d_18",
)  # fmt: skip
BATCH = 2
ROUNDS = 15


def main() -> None:
    """Runs both in turn, on one thread and with the same weights, and prints the median of the ratios."""
    torch.set_num_threads(1)
    rows = []
    for name in NAMES:
        model = MODELS[name]
        theirs, ours = model.reference(), model.load()
        ours.load_state_dict(theirs.state_dict())
        size = (3, 8, 64, 64) if len(model.shape) == 4 else (3, 224, 224) if name.startswith("vit") else (3, 128, 128)
        inputs = torch.randn(BATCH, *size)
        forward = ratio(ours.eval(), theirs.eval(), forward_time, inputs)
        step = ratio(ours.train(), theirs.train(), training_time, inputs)
        rows.append([name, f"{forward:.3f}", f"{step:.3f}"])
    middle = [median(float(row[column]) for row in rows) for column in (1, 2)]
    rows.append(["median", *(f"{value:.3f}" for value in middle)])
    header = ["network", "forward", "training step"]
    show(f"Loaded / torchvision, batch {BATCH}, median of {ROUNDS} rounds (wanted: median at most 1.02)", header, rows)


class Single(nn.Module):
    """A network of which the first output counts, where training gives several."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        output = self.model(x)
        first: Tensor = output if isinstance(output, Tensor) else output[0]
        return first


def ratio(ours: nn.Module, theirs: nn.Module, seconds: Callable[[nn.Module, Tensor], float], inputs: Tensor) -> float:
    """The median of ours / theirs over rounds in which each goes first in turn; the first two are not counted."""
    found = []
    for number in range(ROUNDS + 2):
        pair = (ours, theirs) if number % 2 else (theirs, ours)
        times = {id(model): seconds(model, inputs) for model in pair}
        found.append(times[id(ours)] / times[id(theirs)])
    return median(found[2:])


def forward_time(model: nn.Module, inputs: Tensor) -> float:
    with torch.inference_mode():
        began = time.perf_counter()
        model(inputs)
        return time.perf_counter() - began


def training_time(model: nn.Module, inputs: Tensor) -> float:
    return step_time(Single(model), inputs)
