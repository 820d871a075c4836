"""How the networks start: constants as torchvision sets them, random numbers from the same distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.specs.starting import unlike_starts
from tests.torchvision.reference import MODELS
from torch import nn
from torchvision import models
from torchvision.models.resnet import Bottleneck

SAMPLES = (
    "resnet18", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "regnet_y_400mf",
    "efficientnet_b0", "convnext_tiny", "googlenet", "mc3_18",
)  # fmt: skip
LARGE = (
    "alexnet", "vgg11_bn", "resnet50", "deeplabv3_resnet50", "fcn_resnet50", "efficientnet_v2_s", "vit_b_32", "r3d_18",
    "swin_t", "swin_v2_t", "swin3d_t",
)  # fmt: skip


VIT = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 32, "mlp_dim": 48, "image_size": 32}
SWIN = {"embed_dim": 24, "depths": [2, 2], "num_heads": [2, 4], "window_size": [2, 7, 7], "patch_size": [2, 4, 4]}


def bottlenecks(**arguments: Any) -> nn.Module:
    module: nn.Module = models.ResNet(Bottleneck, **arguments)
    return module


@pytest.mark.parametrize("name", [*SAMPLES, *(pytest.param(name, marks=pytest.mark.nightly) for name in LARGE)])
def test_starts_as_torchvision_does(name: str) -> None:
    model = MODELS[name]
    arguments = {"init_weights": True} if name == "googlenet" else {}
    torch.manual_seed(0)
    ours = model.load()
    torch.manual_seed(1)
    assert unlike_starts(ours, model.reference(**arguments)) == {}


@pytest.mark.parametrize(
    ("name", "params", "build"),
    [
        ("vit_b_32", VIT | {"representation_size": 24}, models.VisionTransformer),
        ("swin_t", SWIN | {"window_size": [7, 7], "patch_size": [4, 4]}, models.SwinTransformer),
        ("swin3d_t", SWIN, models.video.SwinTransformer3d),
        ("resnet50", {"layers": [1, 1, 1, 1], "groups": 4}, bottlenecks),
    ],
)
def test_starts_as_torchvision_does_with_other_parameters(
    name: str, params: dict[str, Any], build: Callable[..., nn.Module]
) -> None:
    torch.manual_seed(0)
    ours = MODELS[name].load(**params)
    torch.manual_seed(1)
    assert unlike_starts(ours, build(**params)) == {}


def test_every_family_starts() -> None:
    assert {MODELS[name].family for name in (*SAMPLES, *LARGE)} == {model.family for model in MODELS.values()}


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
