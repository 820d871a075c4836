"""Every network of torchvision that the specs say: the same state, numbers, randomness and gradients."""

from __future__ import annotations

import pytest
from tests.specs.comparing import assert_same, assert_same_state
from tests.torchvision.reference import MODELS, SPECS, Model
from torch import nn


def chosen(*times: str) -> list[object]:
    """The networks to be run then; those of the nightly run are marked."""
    nightly = pytest.mark.nightly
    found = [model for model in MODELS.values() if model.when in times]
    return [pytest.param(m, id=m.name, marks=[nightly] if m.when == "nightly" else []) for m in found]


@pytest.mark.parametrize("model", chosen("test", "nightly"))
def test_equals_torchvision(model: Model) -> None:
    assert assert_same(model.load, model.reference, model.shape)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_has_the_state_of_torchvision(model: Model) -> None:
    assert assert_same_state(model.load, model.reference) > 0


def test_every_spec_is_compared() -> None:
    assert {path.stem for path in SPECS.glob("*.net")} - {"blocks"} == {model.family for model in MODELS.values()}


def faulty(fault: str) -> nn.Module:
    """MobileNetV2 with one thing wrong that its state dict does not show."""
    module = MODELS["mobilenet_v2"].reference()
    norm, dropout = module.get_submodule("features.0.1"), module.get_submodule("classifier.0")
    assert isinstance(norm, nn.BatchNorm2d) and isinstance(dropout, nn.Dropout)
    if fault == "eps":
        norm.eps = 1e-4
    elif fault == "momentum":
        norm.momentum = 0.2
    elif fault == "dropout":
        dropout.p = 0.1
    else:
        module.get_submodule("features.0").add_module("2", nn.ReLU())
    return module


@pytest.mark.parametrize("fault", ["eps", "momentum", "dropout", "activation"])
def test_a_fault_is_seen(fault: str) -> None:
    """The comparison has power: one wrong number or layer, and it fails."""
    model = MODELS["mobilenet_v2"]
    with pytest.raises(AssertionError):
        assert_same(model.load, lambda: faulty(fault), model.shape)
