"""What the author of a layer need not write: import lines, the name of the class, sizes that must be numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from netc.contract import ContractError
from netc.diagnostics import Source, SpecError
from netc.layer import Example, Int, Layer, Shape, State, Value, unchanged
from netc.pipeline import Compiled, compile
from netc.plugins import load_registry
from netc.testing import assert_conforms


class Heads(Layer):
    """Multiplies features by learned numbers, head by head."""

    heads = Int(2, min=1, divides="features", doc="groups of features")
    parts = Int(None, min=1, divides="heads", doc="groups of heads")
    from_shape = {"features": -1}
    infer = unchanged
    source = """
class Heads(nn.Module):
    def __init__(self, features: int, heads: int = 2, parts: int | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(heads, features // heads))

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input) * self.weight.flatten()
"""
    examples = (Example("16", "Heads(4)", "16"), Example("8x12", "Heads(6, parts=2)", "8x12"))

    def state(self, input: Value) -> Mapping[str, State | Shape]:
        return {"weight": (self.heads, input.shape[-1] // self.heads)}


class Misdivided(Heads):
    """Divides what there is not."""

    heads = Int(2, divides="feature", doc="groups of features")


class Kept(Layer):
    """Keeps a number for each feature, and is not made for a number of them."""

    infer = unchanged
    source = "class Kept(nn.Module):\n    def forward(self, input):\n        return input\n"

    def state(self, input: Value) -> Mapping[str, State | Shape]:
        return {"weight": (input.shape[-1],)}


class Deep(Layer):
    """Wants a dimension that few have."""

    from_shape = {"depth": 4}
    infer = unchanged
    source = "class Deep(nn.Module):\n    def __init__(self, depth):\n        super().__init__()\n"


def compiled(text: str) -> Compiled:
    registry = load_registry()
    registry.add("layers", "mine", [Heads, Misdivided, Kept, Deep])
    return compile(Source("a.net", text), registry=registry)


def said(size: str, call: str) -> str:
    """What is said of a layer, with the way out."""
    with pytest.raises(SpecError) as caught:
        compiled(f"net A:\n    input {size}\n    it: {call}\n")
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.message}; {diagnostic.help}"


def test_a_class_that_says_little_conforms() -> None:
    assert_conforms(Heads)


def test_imports_are_those_that_are_read() -> None:
    source = compiled("net A:\n    input 8\n    it: Heads\n").model_source
    assert source.startswith(
        "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n\n\nclass Heads"
    )
    source = compiled("net A:\n    input 8\n    it: Kept\n").model_source
    assert source.startswith("from torch import nn\n\n\nclass Kept")


def test_names_that_mean_something_else_are_left() -> None:
    """A source that imports another `F`, or has a local one, is not given torch's."""
    other = "from math import floor as F\n" + Kept.source.replace("return input", "return F(2.5) * input")
    local = Kept.source.replace("return input", "F = 3\n        return F * input")
    for source, line in ((other, "from math import floor as F\n"), (local, "")):
        cls = type("Kept", (Kept,), {"__doc__": "Keeps.", "source": source})
        registry = load_registry()
        registry.add("layers", "mine", [cls])
        text = compile(Source("a.net", "net A:\n    input 8\n    it: Kept\n"), registry=registry).model_source
        assert text.startswith(f"{line}\nfrom torch import nn\n\n" if line else "from torch import nn\n\n")


@pytest.mark.parametrize(
    ("size", "call", "wanted"),
    [
        ("D", "Heads", "`Heads` needs `features` before the run, but it is D"),
        ("D", "Kept", "`Kept` needs the sizes of `weight` before the run, but it is D"),
        ("16", "Heads(3)", "`Heads` cannot divide 16 `features` by `heads=3`; numbers that divide it: 2 or 4"),
        ("16", "Heads(8, parts=3)", "`Heads` cannot divide 8 `heads` by `parts=3`; numbers that divide it: 2 or 4"),
        ("4x4", "Deep", "`Deep` needs dimension 4 for `depth`, and there are 3"),
    ],
)
def test_what_is_refused(size: str, call: str, wanted: str) -> None:
    assert said(size, call).startswith(wanted)


def test_what_is_divided_must_be_known() -> None:
    wanted = "`heads` divides `feature`, which is neither an argument nor `inferred`"
    with pytest.raises(ContractError, match=re.escape(wanted)):
        compiled("net A:\n    input 16\n    it: Misdivided\n")
