"""What `assert_conforms` finds wrong with a definition, and that all of netc_std's parts pass it."""

from __future__ import annotations

import pytest

from netc.layer import Example, Float, Int, Layer, Reject, Value
from netc.plugins import load_registry
from netc.recipe import Loss, Optimizer, Part
from netc.testing import assert_conforms

REGISTRY = load_registry()
OWN = {"cosine", "linear", "polynomial", "warmup"}
"""Schedules with defaults of their own, which go by lower-case names."""
PARTS: list[type[Part]] = [
    REGISTRY.find(category, name)
    for category in ("losses", "optimizers", "schedules", "data", "transforms", "metrics")
    for name in REGISTRY.names(category)
    if name not in OWN
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_parts_have_the_arguments_of_pytorch(part: type[Part]) -> None:
    if part.module.startswith("torchvision"):
        pytest.importorskip("torchvision")
    assert_conforms(part)


class Bare(Layer):
    module = "own:Bare"
    times = Int(2)
    imports = ("import os", "from torch import nn", "from netc.layer import Layer")
    source = """
class Bare(nn.Module):
    def __init__(self, times: int = 3) -> None:
        super().__init__()

    def forward(self, input):
        return math.tau * input * len(Layer)
"""

    def infer(self, input: Value) -> Value:
        return input


class Ranged(Layer):
    """Multiplies by a number."""

    module = "own:Ranged"
    by = Float(1.0, min=0.0, doc="what it is multiplied by")
    imports = ("from torch import Tensor", "from torch import nn")
    source = '''
class Ranged(nn.Module):
    """Multiplies by a number."""

    def __init__(self, by: float = 1.0) -> None:
        super().__init__()
        self.by = by

    def forward(self, input: Tensor) -> Tensor:
        return input * self.by
'''
    examples = (Example("8", "Ranged(0.5)", "8"),)

    def infer(self, input: Value) -> Value:
        return input


class Off(Ranged):
    """Says another default than its source."""

    by = Float(2.0, doc="what it is multiplied by")


class Lossy(Loss):
    """Is none of PyTorch's."""

    module = "torch.nn.MSELos"


class Steep(Optimizer):
    """Has other arguments."""

    module = "torch.optim.SGD"
    lr = Float(0.5)
    slope = Float(1.0)


WRONG = {
    Bare: (
        "Bare: has no docstring, which its reference page begins with",
        "Bare: `times` has no `doc`",
        "Bare: has no examples",
        "Bare: its source does not need `import os`",
        "Bare: its source reads `math`, which nothing in it defines; `imports` holds the lines that it needs",
        "Bare: its source imports netc, which an emitted file must do without",
    ),
    Off: ("own:Ranged: `by` is 2.0 here and 1.0 in its source",),
    Lossy: ("Lossy: there is no torch.nn.MSELos",),
    Steep: (
        "Steep: `lr` is 0.5 here and 0.001 in torch.optim.SGD",
        "Steep: torch.optim.SGD has no argument `slope`",
    ),
}


@pytest.mark.parametrize("definition", WRONG, ids=lambda definition: definition.__name__)
def test_all_that_is_wrong_is_said(definition: type[Layer | Part]) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_conforms(definition, configurations=10)
    assert [line for line in WRONG[definition] if line not in str(caught.value)] == []


class Choosy(Ranged):
    """Refuses by its rule alone."""

    def infer(self, input: Value) -> Value:
        if input.rank > 2:
            raise Reject("takes vectors")
        return input


def test_own_source_need_not_check_ranges_but_what_the_rule_refuses() -> None:
    assert_conforms(Ranged)
    with pytest.raises(AssertionError, match=r"refused \(takes vectors\), torch gives"):
        assert_conforms(Choosy)
