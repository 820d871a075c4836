"""What layers say of themselves beyond shapes: the range of their numbers, the least batch that trains them."""

from __future__ import annotations

import pytest
import torch

from netc.diagnostics import Source
from netc.layer import Example, Layer
from netc.pipeline import Compiled, compile
from netc.plugins import load_registry

REGISTRY = load_registry()
LAYERS = sorted({cls for name in REGISTRY.names("layers") if (cls := REGISTRY.layer(name))}, key=lambda c: c.__name__)
ONE_INPUT = [
    pytest.param(cls, example, id=f"{cls.__name__}-{number}")
    for cls in LAYERS
    if cls.inputs == ("input",) and cls.kinds == ("float",)
    for number, example in enumerate(cls.examples)
    if "," not in example.output
]
RANGED = [case for case in ONE_INPUT if case.values[0].range != (None, None)]  # type: ignore[union-attr]


def compiled(example: Example) -> Compiled:
    label = "layer: " if example.call[:1].isupper() else ""
    return compile(Source("example.net", f"net A:\n    input {example.inputs}\n    {label}{example.call}\n"))


def batch(made: Compiled, size: int) -> torch.Tensor:
    (value,) = made.graph.inputs.values()
    return torch.randn([size, *(size for size in value.shape[1:] if isinstance(size, int))]) * 20


@pytest.mark.parametrize(("cls", "example"), RANGED)
def test_range_holds_what_comes_out(cls: type[Layer], example: Example) -> None:
    made = compiled(example)
    torch.manual_seed(1)
    found = made.load()(batch(made, 64))
    low, high = cls.range
    assert (low is None or found.min() >= low) and (high is None or found.max() <= high)
    assert low is None or found.min() < low + 0.05
    assert high is None or found.max() > high - 0.05


@pytest.mark.parametrize(("cls", "example"), ONE_INPUT)
def test_least_batch_is_what_training_needs(cls: type[Layer], example: Example) -> None:
    made = compiled(example)
    layers = [module.layer.least_batch(*module.inputs) for _, module in made.graph.root.walk() if module.layer]
    least = max(layers, default=1)
    model = made.load().train()
    model(batch(made, least))
    if least > 1:
        with pytest.raises(ValueError, match="more than 1"):
            model(batch(made, least - 1))


def test_some_layers_promise_something() -> None:
    assert {"Softmax", "Sigmoid", "LogSoftmax"} <= {case.values[0].__name__ for case in RANGED}  # type: ignore[union-attr]
    assert len(ONE_INPUT) > 100
