"""The networks of torchvision that the specs are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tests.specs.comparing import constructing
from torch import nn
from torchvision import models

import netc

HERE = Path(__file__).parent
SPECS = HERE.parents[1] / "specs" / "torchvision"


class Model(NamedTuple):
    """A line of `models.txt`: a network, its spec, the shape of an example without the batch, and when it is run."""

    name: str
    family: str
    shape: tuple[int, ...]
    when: str

    @property
    def spec(self) -> Path:
        return SPECS / f"{self.family}.net"

    def load(self, **params: Any) -> nn.Module:
        return netc.load(self.spec, self.name, **params)

    def reference(self, **arguments: Any) -> nn.Module:
        """What torchvision builds under this name, without published weights."""
        if self.family == "segmentation":
            arguments.setdefault("weights_backbone", None)
        if self.family == "googlenet":
            arguments.setdefault("init_weights", False)
        if self.family == "regnet" and torch.get_default_device().type == "meta":  # it computes with tensors
            with constructing(), torch.device("cpu"):
                return built(self.name, **arguments)
        return built(self.name, **arguments)


def built(name: str, **arguments: Any) -> nn.Module:
    module = models.get_model(name, weights=None, **arguments)
    assert isinstance(module, nn.Module)
    return module


def read() -> Iterator[Model]:
    for line in (HERE / "models.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, family, shape, when = line.split()
            yield Model(name, family, tuple(map(int, shape.split("x"))), when)


MODELS = {model.name: model for model in read()}
