"""Initializers against the functions of `torch.nn.init` that they stand for: arguments, defaults, and a run of each."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from tests.layers.completeness import std

from netc.layer import Initializer, Word
from netc.trial import locate

REGISTRY = std()
INITIALIZERS: list[type[Initializer]] = [
    REGISTRY.find("initializers", name) for name in REGISTRY.names("initializers")
]
SHAPES = {"dirac": (4, 4, 3)}
REQUIRED: dict[str, Any] = {"val": 0.5, "sparsity": 0.25}
every_initializer = pytest.mark.parametrize("cls", INITIALIZERS, ids=lambda cls: cls.__name__)


@every_initializer
def test_arguments_and_defaults_are_those_of_pytorch(cls: type[Initializer]) -> None:
    theirs = dict(list(inspect.signature(locate(cls.call)).parameters.items())[1:])
    theirs.pop("generator", None)
    assert list(cls.fields) == list(theirs)
    for name, field in cls.fields.items():
        required = theirs[name].default is inspect.Parameter.empty
        assert field.required == required and (required or field.default == theirs[name].default), name


@every_initializer
def test_each_value_of_an_argument_runs(cls: type[Initializer]) -> None:
    given = {name: REQUIRED[name] for name, field in cls.fields.items() if field.required}
    trials = [given]
    for name, field in cls.fields.items():
        trials += [{**given, name: word} for word in field.words] if isinstance(field, Word) else []
    for arguments in trials:
        made = cls.bind((), arguments)
        tensor = torch.full(SHAPES.get(cls.__name__, (4, 6)), torch.nan)
        locate(made.call)(tensor, **{name: getattr(made, name) for name in cls.fields})
        assert not tensor.isnan().any()
