"""Networks of torchvision, said in the language: the same state, the same numbers, the same gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.specs.comparing import assert_same
from torch import nn
from torchvision import models

import netc

HERE = Path(__file__).parent
SAME: list[tuple[str, str, dict[str, object]]] = [
    ("resnet", "resnet18", {}),
    ("resnet", "resnet50", {}),
    ("resnet", "resnext50_32x4d", {}),
    ("mobilenetv2", "mobilenet_v2", {}),
    ("densenet", "densenet121", {}),
    ("regnet", "regnet_y_400mf", {}),
    ("regnet", "regnet_x_400mf", {}),
    ("shufflenetv2", "shufflenet_v2_x0_5", {}),
]
LARGE: list[tuple[str, str, dict[str, object]]] = [
    ("resnet", "resnet34", {}),
    ("resnet", "wide_resnet50_2", {}),
]
# A parameter of the emitted class at another value than the one that it was emitted with.
KEPT = [
    ("resnet", "resnet18", {"classes": 7}, {"num_classes": 7}),
    ("resnet", "resnet50", {"groups": 2, "base": 32}, {"groups": 2, "width_per_group": 32}),
    ("mobilenetv2", "mobilenet_v2", {"width": 0.5, "classes": 5}, {"width_mult": 0.5, "num_classes": 5}),
    ("densenet", "densenet121", {"growth": 12, "depths": (2, 3), "stem": 16},
     {"growth_rate": 12, "block_config": (2, 3), "num_init_features": 16}),
]  # fmt: skip


def picture() -> torch.Tensor:
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("spec", "name", "params"),
    [*SAME, *(pytest.param(*case, marks=pytest.mark.nightly) for case in LARGE)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_torchvision(spec: str, name: str, params: dict[str, object]) -> None:
    ours = netc.load(HERE / f"{spec}.net", name, **params)
    assert_same(ours, models.get_model(name, weights=None), picture())


@pytest.mark.parametrize(("spec", "name", "params", "theirs"), KEPT, ids=lambda v: v if isinstance(v, str) else "")
def test_kept_parameters_work_at_other_values(
    spec: str, name: str, params: dict[str, object], theirs: dict[str, object]
) -> None:
    emitted = type(netc.load(HERE / f"{spec}.net", name))
    if spec == "densenet":  # its builder fixes what is varied here
        other: nn.Module = models.DenseNet(**theirs)
    else:
        other = models.get_model(name, weights=None, **theirs)
    assert_same(emitted(**params), other, picture())
    assert_same(netc.load(HERE / f"{spec}.net", name, **params), other, picture())


def test_a_fault_is_seen() -> None:
    """The comparison has power: one wrong number among the layers and it fails."""
    other = models.resnet18(weights=None)
    assert isinstance(other.bn1, nn.BatchNorm2d)
    other.bn1.eps = 1e-4
    with pytest.raises(AssertionError):
        assert_same(netc.load(HERE / "resnet.net", "resnet18"), other, picture())
