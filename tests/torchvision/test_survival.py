"""What the loaded networks go through in a project: compilers, exporters and tracers of PyTorch."""

from __future__ import annotations

import pytest
import torch
from tests.specs.comparing import fill, flat
from tests.torchvision.reference import MODELS, Model
from torch import Tensor, fx, nn

pytestmark = pytest.mark.nightly
# The first network of each family.
FIRST = {model.family: model for model in reversed(MODELS.values())}.values()


def prepared(model: Model) -> tuple[nn.Module, Tensor, dict[str, Tensor | None]]:
    """The network in evaluation, an input, and what it makes of it."""
    torch.manual_seed(0)
    module = model.load().eval()
    fill(module)
    input = torch.randn(2, *model.shape)
    with torch.no_grad():
        return module, input, flat(module(input))


def assert_close(found: dict[str, Tensor | None], expected: dict[str, Tensor | None]) -> None:
    assert list(found) == list(expected)
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key], tensor, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", FIRST, ids=lambda model: model.name)
@torch.no_grad()
def test_compiles_in_one_graph(model: Model) -> None:
    module, input, expected = prepared(model)
    torch._dynamo.reset()
    assert_close(flat(torch.compile(module, backend="aot_eager", fullgraph=True)(input)), expected)


@pytest.mark.parametrize("model", FIRST, ids=lambda model: model.name)
def test_compiles_in_training(model: Model) -> None:
    """Heads that only training has, dropout and stochastic depth are in the one graph, too."""
    module, input, _ = prepared(model)
    module.train()
    torch._dynamo.reset()
    found = []
    for forward in (module, torch.compile(module, backend="eager", fullgraph=True)):
        torch.manual_seed(1)
        found.append(flat(forward(input)))
        torch.stack([tensor.sum() for tensor in found[-1].values() if tensor is not None]).sum().backward()
    assert_close(found[1], found[0])


@pytest.mark.parametrize("model", FIRST, ids=lambda model: model.name)
@torch.no_grad()
def test_exports(model: Model) -> None:
    module, input, expected = prepared(model)
    assert_close(flat(torch.export.export(module, (input,)).module()(input)), expected)


@pytest.mark.parametrize("model", FIRST, ids=lambda model: model.name)
@torch.no_grad()
def test_traces_where_torchvision_does(model: Model) -> None:
    with torch.device("meta"):
        theirs = model.reference().eval()
    try:
        fx.symbolic_trace(theirs)
    except Exception:
        pytest.skip(f"torchvision's {model.name} cannot be traced")
    module, input, expected = prepared(model)
    assert_close(flat(fx.symbolic_trace(module)(input)), expected)
