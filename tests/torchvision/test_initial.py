"""How the networks start: constants as torchvision sets them, random numbers from the same distributions."""

from __future__ import annotations

import pytest
import torch
from tests.specs.starting import unlike_starts
from tests.torchvision.reference import MODELS

SAMPLES = (
    "resnet18", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "regnet_y_400mf",
    "efficientnet_b0", "convnext_tiny", "googlenet", "mc3_18",
)  # fmt: skip
LARGE = ("alexnet", "vgg11_bn", "deeplabv3_resnet50", "efficientnet_v2_s")


@pytest.mark.parametrize("name", [*SAMPLES, *(pytest.param(name, marks=pytest.mark.nightly) for name in LARGE)])
def test_starts_as_torchvision_does(name: str) -> None:
    model = MODELS[name]
    arguments = {"init_weights": True} if name == "googlenet" else {}
    torch.manual_seed(0)
    ours = model.load()
    torch.manual_seed(1)
    assert unlike_starts(ours, model.reference(**arguments)) == {}


@torch.no_grad()
@pytest.mark.parametrize("fault", ["constant", "deviation", "distribution"])
def test_another_start_is_seen(fault: str) -> None:
    torch.manual_seed(0)
    ours = MODELS["resnet18"].load()
    weight = ours.get_parameter("layer1.0.conv1.weight")
    if fault == "constant":
        ours.get_parameter("bn1.bias").fill_(0.1)
    elif fault == "deviation":
        weight.mul_(2**0.5)
    else:
        weight.uniform_(-1, 1).mul_(3**0.5 * (2 / (64 * 9)) ** 0.5)
    torch.manual_seed(1)
    key = "bn1.bias" if fault == "constant" else "layer1.0.conv1.weight"
    assert list(unlike_starts(ours, MODELS["resnet18"].reference())) == [key]
