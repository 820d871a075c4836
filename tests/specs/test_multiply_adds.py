"""What netc-budget counts in the shipped networks is what PyTorch counts when they run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from netc.pipeline import compile
from netc.trial import make_tensor
from netc_budget.costs import applied, cost, sized, symbols

SPECS = Path(__file__).parents[2] / "specs"
ANY = 32
"""What stands for sizes that only a run decides."""


@pytest.mark.parametrize("spec", sorted(SPECS.glob("*.net")), ids=lambda spec: spec.stem)
def test_multiply_adds_are_those_of_pytorch(spec: Path) -> None:
    compiled = compile(spec)
    inputs = list(compiled.graph.inputs.values())
    sizes = dict.fromkeys(symbols(inputs), ANY)
    calls = [call for _, call in applied(compiled.graph.root)]
    costs = [cost(call.layer, call.inputs, sizes) for call in calls if call.layer is not None]
    model = compiled.load().to("meta").eval()
    given = [each for each in (sized(value, sizes) for value in inputs) if each is not None]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*(make_tensor(value, "meta") for value in given))
    assert None not in costs
    assert 2 * sum(filter(None, costs)) == counter.get_total_flops() > 0
