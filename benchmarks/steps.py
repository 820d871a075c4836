"""How long a training step takes: the loaded and the emitted model against the twin that was written by hand."""

from __future__ import annotations

import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import ModuleType

import torch
from torch import Tensor, nn

import netc
from benchmarks.table import show

ROOT = Path(__file__).parents[1]
NAMES = ("googlenet", "lenet5", "lenet_named", "mnist_dropout", "residual")
BATCH = 64
STEPS = 3
ROUNDS = 60


def main() -> None:
    """Takes steps with each model in turn, on one thread, and prints the median ratio to the twin."""
    torch.set_num_threads(1)
    rows = []
    for name in NAMES:
        models, inputs = three(name)
        rounds = [{kind: step_time(model, inputs) for kind, model in models.items()} for _ in range(ROUNDS + 3)][3:]
        ratios = [median(r[kind] / r["twin"] for r in rounds) for kind in ("loaded", "emitted")]
        rows.append([name, f"{1000 * median(r['twin'] for r in rounds):.2f} ms", *(f"{ratio:.3f}" for ratio in ratios)])
    header = ["network", "twin's step", "loaded / twin", "emitted / twin"]
    show(f"Forward, backward and update, batch {BATCH}, median of {ROUNDS} (wanted: at most 1.02)", header, rows)


def three(name: str) -> tuple[dict[str, nn.Module], Tensor]:
    """The loaded model, the emitted one and the twin, with the same weights; and inputs for them."""
    spec = ROOT / "specs" / f"{name}.net"
    compiled = netc.compile(spec)
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{name}_emitted.py")
        path.write_text(compiled.model_source, encoding="utf-8")
        emitted = getattr(module_at(path), compiled.model.class_name)()
    twin = getattr(module_at(ROOT / "tests" / "twins" / f"{name}.py"), compiled.model.class_name)()
    models = {"twin": twin, "loaded": netc.load(spec), "emitted": emitted}
    for model in models.values():
        model.load_state_dict(twin.state_dict())
    (value,) = compiled.graph.inputs.values()
    return models, torch.randn(BATCH, *(int(str(size)) for size in value.shape[1:]))


def module_at(path: Path) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def step_time(model: nn.Module, inputs: Tensor) -> float:
    """Seconds for one step: forward, backward, and an update without momentum."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    began = time.perf_counter()
    for _ in range(STEPS):
        loss = model(inputs).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - began) / STEPS
