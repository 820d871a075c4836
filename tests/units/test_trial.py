"""What the rules of plugins say is held to what comes out when a module is loaded."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from netc.diagnostics import Source
from netc.layer import Class, Int, Layer, Shape, State, Value, unchanged
from netc.pipeline import compile
from netc.plugins import load_registry
from netc.registry import PluginError

SOURCE = """
class {0}(nn.Module):
    def __init__(self, features: int, every: int = 2, activation=nn.ReLU) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.activation, self.every = activation(), every
        self.calls = 0

    def forward(self, input):
        self.calls += 1
        {1}
"""


class Every(Layer):
    """Says that nothing changes."""

    every = Int(2, min=1, doc="which features are kept")
    activation = Class("torch.nn.ReLU", "torch.nn.Tanh", default="torch.nn.ReLU", doc="comes after it")
    from_shape = {"features": -1}
    infer = unchanged
    source = SOURCE.format("Every", "return self.activation(input)[..., :: self.every]")

    def state(self, input: Value) -> Mapping[str, State | Shape]:
        return {"weight": (input.shape[-1],)}


def made(name: str, forward: str) -> type[Layer]:
    return type(name, (Every,), {"module": f"own:{name}", "source": SOURCE.format(name, forward)})


Counts = made("Counts", "return input[: int(torch.rand(3).sum().item() + len(input)) or 1]")
Elsewhere = made("Elsewhere", "return input.to(torch.device('nowhere'))")


class total(Layer):
    """A function that says that nothing changes."""

    function = "own:total"
    helpers = ("def total(input: Tensor) -> Tensor:\n    return input.sum(-1)\n",)
    infer = unchanged


REGISTRY = load_registry()
REGISTRY.add("layers", "mine", [Every, Counts, Elsewhere, total])


def load(text: str, input: str = "5x6") -> Any:
    return compile(Source("a.net", f"net A:\n    input {input}\n    fc: Linear(6)\n{text}"), registry=REGISTRY).load()


@pytest.mark.parametrize(
    ("line", "input", "where", "said", "given"),
    [
        ("it: Every", "5x6", "`Every` of {} (`it`)", "(2, 5, 6)", "(2, 5, 3)"),
        ("it: Every(3)", "(L, 6)", "`Every` of {} (`it`)", "(2, 12, 6)", "(2, 12, 2)"),
        ("part: (relu; it: Every(activation=Tanh))", "5x6", "`Every` of {} (`part.it`)", "(2, 5, 6)", "(2, 5, 3)"),
        ("tail: (ReLU; Every)", "5x6", "`Every` of {} (`tail.1`)", "(2, 5, 6)", "(2, 5, 3)"),
        ("total", "5x6", "`total` of {}", "(2, 5, 6)", "(2, 5)"),
        ("it: Every", "600x1000", "`Every` of {} (`it`)", "(2, 600, 6)", "(2, 600, 3)"),
    ],
)
def test_a_rule_that_is_wrong_is_blamed(line: str, input: str, where: str, said: str, given: str) -> None:
    place = Path(__file__).relative_to(Path.cwd())
    with pytest.raises(PluginError) as caught:
        load(f"    {line}\n", input)
    wanted = f"{where.format(place)}: its shape rule says {said} for {said}, but it gives {given}"
    assert str(caught.value) == wanted


def test_a_rule_that_is_right_costs_nothing_that_is_seen() -> None:
    torch.manual_seed(3)
    model = load("    it: Every(1)\n    two: Counts\n")
    drawn = torch.rand(3)
    torch.manual_seed(3)
    load("")
    assert torch.equal(torch.rand(3), drawn)
    assert model.it.calls == 0 and model.training
    assert torch.get_default_device() == torch.device("cpu")


def test_sizes_that_are_not_alike_are_found() -> None:
    text = "net A:\n    input low: 8xHx6\n    input high: 8xKx6\n"
    text += "    high -> max_pool((2, 1))\n    & low\n    it: Every(1)\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(Source("a.net", text), registry=REGISTRY).load()


def test_what_cannot_be_run_is_said() -> None:
    with pytest.warns(RuntimeWarning, match=re.escape("its shape rule could not be checked: for (2, 5, 6) it raises ")):
        load("    it: Elsewhere\n")


def test_other_numbers_and_devices() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with torch.device("meta"):
            assert load("    it: Every(1)\n").it.weight.is_meta
        torch.set_default_dtype(torch.float64)
        try:
            assert load("    it: Every(1)\n").it.weight.dtype == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)


def test_all_layers_of_the_plugins_keep_their_promises() -> None:
    """The layers that are shipped beside netc are tried as those of strangers are."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = "net A:\n    input 8x12x16\n    a: SqueezeExcitation(2, activation=SiLU)\n"
        text += "    StochasticDepth(0.1, row)\n"
        compile(Source("a.net", text)).load()
        text = "net A:\n    input 5x16\n    a: GroupedQueryAttention(4, 2)\n    rotary_embedding\n    b: SwiGLU(8)\n"
        compile(Source("a.net", text)).load()
