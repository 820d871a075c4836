"""`samples` of networks that make pictures: what is drawn is what the network gives, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.test_optimizers import script_module

import netc

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")
MASKS = """\
net Masks:
    input 3x16x16
    conv1: Conv(4, 3, padding=1); relu
    head: Conv(2, 1)

train:
    data: Discs(count=50)
    loss: CrossEntropyLoss
    optimizer: Adam(3e-3)
    epochs: 1
    samples: 3
"""
CODES = """\
net Codes:
    input 1x8x8
    flatten
    encoder: Linear(8); relu
    code = _
    decoder: Linear(64); sigmoid; unflatten(1, (1, 8, 8))
    picture = _
    return code, picture

train:
    data: Digits(batch_size=500)
    loss picture: (picture, input) -> MSELoss
    optimizer: Adam(3e-3)
    epochs: 1
    distributed: ddp
    samples: 3
"""


@pytest.mark.parametrize(
    ("text", "made"),
    [(MASKS, lambda output: output.argmax(1)[:, :, :, None]), (CODES, lambda output: output[1].permute(0, 2, 3, 1))],
    ids=["classes of pixels", "the second output"],
)
def test_pictures_that_a_network_makes(
    run: Callable[..., Path], tmp_path: Path, text: str, made: Callable[[Any], Any]
) -> None:
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    spec = tmp_path / "pictures.net"
    spec.write_text(text)
    folder = run(spec, tmp_path)
    model: Any = netc.load(spec, weights=folder / "last.pt").eval()
    script = script_module(netc.compile(spec).script)
    *_, pictures, _ = script.load_data(type("", (), {"seed": 0, "noise": 0.3, "count": 50}))
    with torch.no_grad():
        images = made(model(pictures[:3])).float()
    images = (images - images.min()) / (images.max() - images.min())
    figure = Figure(figsize=(4.5, 2), layout="constrained")
    for axes, image in zip(figure.subplots(1, 3), images.numpy(), strict=True):
        axes.imshow(image, cmap="gray")
        axes.set(xticks=[], yticks=[])
    figure.savefig(tmp_path / "expected.png")
    assert (imread(folder / "predictions.png") == imread(tmp_path / "expected.png")).all()
    assert not (imread(folder / "samples.png") == imread(tmp_path / "expected.png")).all()
