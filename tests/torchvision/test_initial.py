"""How the networks start: constants as torchvision sets them, random numbers from the same distributions."""

from __future__ import annotations

import pytest
import torch
from tests.torchvision.reference import MODELS
from torch import Tensor, nn

SAMPLES = (
    "resnet18", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "regnet_y_400mf",
    "efficientnet_b0", "convnext_tiny", "googlenet", "mc3_18",
)  # fmt: skip
LARGE = ("alexnet", "vgg11_bn", "deeplabv3_resnet50", "efficientnet_v2_s")
FEW = 64
"""Of fewer numbers nothing is known of the distribution but its bounds."""


def moments(tensor: Tensor) -> Tensor:
    """Mean, deviation, and mean distance from zero by deviation: 0.87 if uniform, 0.80 if normal."""
    return torch.stack([tensor.mean() / tensor.std(), tensor.std().log(), tensor.abs().mean() / tensor.std()])


def unlike(ours: Tensor, theirs: Tensor) -> str | None:
    """In what two tensors that were drawn apart differ more than chance allows."""
    a, b = ours.detach().double().flatten(), theirs.detach().double().flatten()
    if (b == b[0]).all():
        return None if torch.equal(a, b) else f"is not {b[0]:.3g} everywhere"
    if (a == a[0]).all():
        return "is constant"
    if a.numel() < FEW:
        bounds = a.abs().max(), b.abs().max()
        return None if 0.2 < bounds[0] / bounds[1] < 5 else f"reaches to {bounds[0]:.3g}, not {bounds[1]:.3g}"
    off = (moments(a) - moments(b)).abs().max()
    return f"has moments {moments(a).tolist()}, not {moments(b).tolist()}" if off > 8 / a.numel() ** 0.5 else None


def differences(ours: nn.Module, theirs: nn.Module) -> dict[str, str]:
    state = ours.state_dict()
    found = {key: unlike(state[key], tensor) for key, tensor in theirs.state_dict().items()}
    return {key: text for key, text in found.items() if text is not None}


@pytest.mark.parametrize("name", [*SAMPLES, *(pytest.param(name, marks=pytest.mark.nightly) for name in LARGE)])
def test_starts_as_torchvision_does(name: str) -> None:
    model = MODELS[name]
    arguments = {"init_weights": True} if name == "googlenet" else {}
    torch.manual_seed(0)
    ours = model.load()
    torch.manual_seed(1)
    assert differences(ours, model.reference(**arguments)) == {}


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
    assert list(differences(ours, MODELS["resnet18"].reference())) == [key]
