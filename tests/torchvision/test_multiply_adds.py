"""What netc-budget counts is what PyTorch counts, for every network of torchvision: half of its floating operations."""

from __future__ import annotations

import pytest
import torch
from tests.torchvision.reference import Model
from tests.torchvision.test_models import chosen
from torch.utils.flop_counter import FlopCounterMode

from netc.pipeline import compile
from netc_budget.costs import applied, cost, symbols


@pytest.mark.parametrize("model", chosen("test", "nightly"))
def test_multiply_adds_are_those_of_pytorch(model: Model) -> None:
    graph = compile(model.spec, model.name).graph
    names = symbols(graph.inputs.values())
    sizes = dict(zip(names, model.shape[len(model.shape) - len(names) :], strict=True))
    costs = [cost(call.layer, call.inputs, sizes) for _, call in applied(graph.root) if call.layer is not None]
    with torch.device("meta"):
        reference = model.reference().to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        reference(torch.empty(1, *model.shape, device="meta"))
    assert None not in costs
    assert 2 * sum(filter(None, costs)) == counter.get_total_flops() > 0
