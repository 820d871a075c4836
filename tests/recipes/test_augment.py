"""`augment`: rules against torchvision, scripts that resume, mixtures that a loss takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.recipes.making import block, script_of
from tests.recipes.results import assert_same, noise_of_bytes, rows

from netc.layer import BadArgument, Dotted, Reject
from netc.plugins import load_registry
from netc.recipe import Transform
from netc.shapes import Value

v2 = pytest.importorskip("torchvision.transforms.v2")
REGISTRY = load_registry()
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "Resize": [{"size": 20}, {"size": (10, 30)}, {"size": 20, "interpolation": "nearest"}],
    "CenterCrop": [{"size": 20}, {"size": (40, 10)}],
    "Pad": [{"padding": 2}, {"padding": (1, 2)}, {"padding": (1, 2, 3, 4), "fill": 9}],
    "RandomCrop": [
        {"size": 24}, {"size": 30}, {"size": 32, "padding": 4}, {"size": (24, 40), "padding": (8, 0)},
        {"size": 50, "pad_if_needed": True}, {"size": 28, "padding": 4, "padding_mode": "reflect"},
    ],
    "RandomResizedCrop": [{"size": 24}, {"size": (24, 20), "scale": (0.5, 1.0)}],
    "RandomRotation": [{"degrees": 10}, {"degrees": (-5, 20), "interpolation": "bilinear"}],
    "RandomAffine": [{"degrees": 0, "translate": (0.1, 0.05), "scale": (0.9, 1.1), "shear": 5}],
    "ElasticTransform": [{}, {"sigma": 1.8}],
    "GaussianBlur": [{"kernel_size": 3}, {"kernel_size": 33}, {"kernel_size": (3, 5), "sigma": 1.0}],
    "GaussianNoise": [{}, {"clip": False}],
    "ColorJitter": [{"brightness": 0.4, "contrast": (0.8, 1.2), "saturation": 0.4, "hue": 0.1}],
    "RandomErasing": [{}, {"p": 1.0, "scale": (0.1, 0.2), "value": (1, 2, 3)}],
    "RandomPosterize": [{"bits": 3}],
    "RandomSolarize": [{"threshold": 128}],
    "RandomAdjustSharpness": [{"sharpness_factor": 2.0}],
    "RandAugment": [{}, {"num_ops": 3, "magnitude": 5}],
}  # fmt: skip
SHAPES = ((1, 28, 28), (3, 32, 24), (4, 16, 28))
CASES = [
    pytest.param(name, arguments, shape, id=f"{name}-{number}-{shape[0]}")
    for name in REGISTRY.names("transforms")
    for number, arguments in enumerate(ARGUMENTS.get(name, [{}]))
    for shape in SHAPES
    if name not in ("MixUp", "CutMix")
]


def made(part: Transform) -> Any:
    """torchvision's object with the arguments that a script gives it."""
    given = {
        name: v2.InterpolationMode[value.name.rpartition(".")[2]] if isinstance(value, Dotted) else value
        for name, value in part.given().items()
    }
    return getattr(v2, type(part).__name__)(**given)


@pytest.mark.parametrize(("name", "arguments", "shape"), CASES)
def test_rules(name: str, arguments: dict[str, Any], shape: tuple[int, int, int]) -> None:
    """What the rule says comes out, of bytes and where it may of floats; what it refuses torchvision refuses."""
    if name == "GaussianNoise" and not noise_of_bytes():
        pytest.skip("this torchvision adds no noise to bytes")
    part = REGISTRY.find("transforms", name).bind((), arguments)
    pictures = torch.randint(0, 256, shape, dtype=torch.uint8)
    try:
        expected = part.infer(Value((1, *shape))).shape[1:]
    except Reject:
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            [made(part)(pictures) for _ in range(30)]
        return
    if part.batched and name != "GaussianNoise":  # which draws for each pixel
        several = torch.randint(0, 256, (3, *shape), dtype=torch.uint8)
        assert torch.equal(made(part)(several), torch.stack([made(part)(each) for each in several]))
    kinds = [pictures] + [torch.randn(shape)] * (not part.bytes_only)
    for kind in kinds:
        outputs = []
        for _ in range(2):
            torch.manual_seed(5)
            outputs.append([made(part)(kind) for _ in range(5)])
        assert all(output.shape == expected and output.dtype == kind.dtype for output in outputs[0])
        assert all(map(torch.equal, *outputs))  # all that is random comes from torch's generator


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomRotation", {"degrees": -5}),
        ("RandomRotation", {"degrees": (10, 5)}),
        ("RandomHorizontalFlip", {"p": 1.5}),
        ("ColorJitter", {"hue": 0.7}),
        ("ColorJitter", {"brightness": -0.1}),
        ("RandomAffine", {"degrees": 0, "translate": (0.5, 2.0)}),
        ("RandomAffine", {"degrees": 0, "scale": (0.0, 1.0)}),
        ("GaussianBlur", {"kernel_size": 4}),
        ("RandomErasing", {"scale": (0.5, 1.5)}),
        ("RandomErasing", {"p": -1.0}),
    ],
)
def test_what_torchvision_refuses(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        getattr(v2, name)(**arguments)(torch.zeros(3, 8, 8))
    with pytest.raises((BadArgument, Reject)):
        REGISTRY.find("transforms", name).bind((), arguments).infer(Value((1, 3, 8, 8)))


SETTINGS = ("optimizer: AdamW(lr=1e-2)", "epochs: 3", "log_every: 1")


def test_it_resumes(run: Callable[..., Path], tmp_path: Path) -> None:
    """In the midst of an epoch, too: what is drawn goes on where it was."""
    chain = "RandomCrop(8, padding=1) -> RandomRotation(10) -> RandomErasing -> MixUp(alpha=0.2) -> CutMix"
    text = block("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", f"augment: {chain}", *SETTINGS)
    run(text, tmp_path / "a")
    for flags, steps in (((), 6), (("--resume",), 17)):
        with pytest.raises(SystemExit):
            run(text, tmp_path / "b", *flags, stop_after=steps)
    run(text, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")
    losses = [row["train_loss"] for row in rows(tmp_path / "a") if "train_loss" in row]
    assert losses[-1] < losses[0]


def test_each_picture_is_changed_by_itself() -> None:
    source = script_of(block("data: MNIST", "augment: RandomHorizontalFlip", "loss: CrossEntropyLoss", *SETTINGS),
                       "classifier 1x28x28")  # fmt: skip
    line = next(line.strip() for line in source.splitlines() if "augment(image)" in line)
    pictures = torch.arange(64 * 4, dtype=torch.uint8).reshape(64, 1, 2, 2)
    scope = {"torch": torch, "augment": v2.RandomHorizontalFlip(), "inputs": pictures}
    exec(line, scope)
    flipped = [torch.equal(new, old.flip(-1)) for new, old in zip(scope["inputs"], pictures, strict=True)]
    kept = [torch.equal(new, old) for new, old in zip(scope["inputs"], pictures, strict=True)]
    assert 10 < sum(flipped) < 54
    assert all(a != b for a, b in zip(flipped, kept, strict=True))


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "0.5 * CrossEntropyLoss(label_smoothing=0.1)"])
@pytest.mark.parametrize("more", ["precision: bf16", "accumulate: 2", "ema: 0.9"])
def test_mixtures_learn(run: Callable[..., Path], tmp_path: Path, loss: str, more: str) -> None:
    text = block("data: Digits", f"loss: {loss}", "augment: MixUp(0.2)", *SETTINGS, more)
    run(text, tmp_path)
    losses = [row["train_loss"] for row in rows(tmp_path) if "train_loss" in row]
    assert losses[-1] < losses[0]
    assert rows(tmp_path)[-1]["accuracy"] > 0.7
