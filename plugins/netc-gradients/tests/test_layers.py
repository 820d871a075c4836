"""Every layer against its own source, its gradients by hand and by numbers, and a script that stands alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from netc.diagnostics import Source
from netc.layer import Layer
from netc.pipeline import compile
from netc.testing import assert_conforms, materialize
from netc_gradients.layers import GradientReversal, StraightThroughSign

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8").partition("```net\n")[2].partition("```")[0]
LAYERS = (GradientReversal, StraightThroughSign)


@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
def test_conforms(cls: type[Layer]) -> None:
    assert_conforms(cls)
    assert all(f"`{name}" in README.read_text(encoding="utf-8") for name in cls.names())


def gradient(call: Any, input: Tensor, weight: Tensor) -> tuple[Tensor, Tensor | None]:
    """The output, and the gradient of its product with `weight`."""
    input = input.detach().requires_grad_()
    output = call(input)
    (output * weight).sum().backward()
    return output.detach(), input.grad


@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0])
def test_the_gradient_is_turned_round(scale: float) -> None:
    input, weight = torch.randn(5, 3), torch.randn(5, 3)
    function = materialize(GradientReversal, "own:gradient_reversal")
    module = materialize(GradientReversal, "own:GradientReversal")(scale)
    for call in (lambda x: function(x, scale), module):
        output, found = gradient(call, input, weight)
        assert torch.equal(output, input)
        assert found is not None and torch.equal(found, -scale * weight)


def test_the_gradient_passes_inside_the_bounds() -> None:
    input = torch.tensor([-3.0, -1.0, -0.2, 0.0, 0.4, 1.0, 1.5])
    weight = torch.arange(1.0, 8.0)
    function = materialize(StraightThroughSign, "own:straight_through_sign")
    module = materialize(StraightThroughSign, "own:StraightThroughSign")()
    for call in (function, module):
        output, found = gradient(call, input, weight)
        assert output.tolist() == [-1, -1, -1, 1, 1, 1, 1]
        assert found is not None and found.tolist() == [0, 2, 3, 4, 5, 6, 0]
        assert call(input.half()).dtype == torch.float16


def test_the_features_unlearn_what_the_domain_learns() -> None:
    """Through the compiled network: what the domain's loss asks of the features comes with -0.1."""
    torch.manual_seed(0)
    model: Any = compile(Source("domains.net", TEXT)).load()
    input, target = torch.randn(6, 64), torch.randint(0, 2, (6,))
    scores, domains = model(input)
    assert scores.shape == (6, 10)
    torch.nn.functional.nll_loss(domains, target).backward()
    found = model.features.weight.grad.clone()
    model.zero_grad()
    plain = torch.log_softmax(model.domain(torch.relu(model.features(input))), 1)
    torch.nn.functional.nll_loss(plain, target).backward()
    torch.testing.assert_close(found, -0.1 * model.features.weight.grad)


def test_the_emitted_file_stands_alone(tmp_path: Path) -> None:
    source = compile(Source("domains.net", TEXT)).model_source
    assert "netc" not in source
    (tmp_path / "domains.py").write_text(source)
    script = (
        "import sys, torch, domains; model = domains.Domains();"
        "sum(part.sum() for part in model(torch.randn(2, 64))).backward();"
        "assert model.features.weight.grad is not None;"
        "assert not [name for name in sys.modules if name.startswith('netc')]"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
