"""Recipes and scripts for the tests, from the text of a `train` block and a model written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import netc_std
from netc import syntax
from netc.diagnostics import Source
from netc.emit.script import render_script
from netc.parse.driver import parse
from netc.recipe import NetParameter, NetworkFacts, Recipe
from netc.recipes import elaborate_recipe
from netc.registry import Registry
from netc.shapes import Value
from netc.sources import Header, ModelSource

HEADER = Header("specs/small.net", "0123456789abcdef", "0.1.0", "netc build specs/small.net")

CLASSIFIER = ModelSource(
    """\
class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.bn1 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(144, 10)

    def forward(self, x):
        x = F.dropout(F.relu(self.bn1(self.conv1(x))), 0.1, self.training)
        return self.fc(torch.flatten(x, 1))
""",
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
    "Small",
)

PLAIN = ModelSource(
    """\
class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(144, 10)

    def forward(self, x):
        return self.fc(torch.flatten(F.relu(self.conv1(x)), 1))
""",
    CLASSIFIER.imports,
    "Small",
)

BLOCKS = ModelSource(
    """\
class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return x + F.relu(self.bn(self.conv(x)))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.blocks = nn.ModuleList([nn.Sequential(Residual(4), Residual(4)), Residual(4)])
        self.fc = nn.Linear(144, 10)

    def forward(self, x):
        x = F.dropout(F.relu(self.conv1(x)), 0.1, self.training)
        for block in self.blocks:
            x = block(x)
        return self.fc(torch.flatten(x, 1))
""",
    CLASSIFIER.imports,
    "Small",
)

LINE = ModelSource(
    """\
class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(1, 1)

    def forward(self, x):
        return self.fc1(x)
""",
    ("from torch import nn",),
    "Line",
)

PARAMETERS = (
    NetParameter("conv1.weight", "Conv", "torch.nn.Conv2d", (4, 1, 3, 3)),
    NetParameter("conv1.bias", "Conv", "torch.nn.Conv2d", (4,)),
    NetParameter("bn1.weight", "BatchNorm", "torch.nn.BatchNorm2d", (4,)),
    NetParameter("bn1.bias", "BatchNorm", "torch.nn.BatchNorm2d", (4,)),
    NetParameter("fc.weight", "Linear", "torch.nn.Linear", (10, 144)),
    NetParameter("fc.bias", "Linear", "torch.nn.Linear", (10,)),
)
LINE_PARAMETERS = (
    NetParameter("fc1.weight", "Linear", "torch.nn.Linear", (1, 1)),
    NetParameter("fc1.bias", "Linear", "torch.nn.Linear", (1,)),
)


def registry() -> Registry:
    found = Registry()
    found.add("losses", "netc_std", netc_std.netc_losses())
    found.add("optimizers", "netc_std", netc_std.netc_optimizers())
    found.add("schedules", "netc_std", netc_std.netc_schedules())
    found.add("data", "netc_std", netc_std.netc_data())
    found.add("transforms", "netc_std", netc_std.netc_transforms())
    found.add("metrics", "netc_std", netc_std.netc_metrics())
    return found


def facts(train: syntax.Train, kind: str) -> NetworkFacts:
    """`classifier 1x8x8`, `plain 1x8x8`, `blocks 1x8x8`, `line`: the network that a recipe is for."""
    if kind == "line":
        return NetworkFacts("Line", (("x", Value((1, 1))),), Value((1, 1)), LINE_PARAMETERS, train.span)
    size = tuple(int(n) for n in kind.split()[1].split("x"))
    classes = int([*kind.split(), "10"][2])
    return NetworkFacts("Small", (("x", Value((1, *size))),), Value((1, classes)), PARAMETERS, train.span)


def evaluate(expr: syntax.Expr) -> Any:
    """Literals, and tuples of them."""
    if isinstance(expr, syntax.Literal_):
        return expr.value
    if isinstance(expr, syntax.TupleExpr):
        return tuple(evaluate(item) for item in expr.items)
    if isinstance(expr, syntax.String):
        return "".join(str(part) for part in expr.parts)
    if isinstance(expr, syntax.Unary):
        return -evaluate(expr.operand)
    return expr.span.text


def recipe_of(text: str, kind: str = "classifier 1x8x8", overrides: Mapping[str, str] | None = None) -> Recipe:
    train = parse(Source("small.net", text)).items[0]
    assert isinstance(train, syntax.Train)
    return elaborate_recipe(train, facts(train, kind), registry(), evaluate, overrides)


def block(*settings: str) -> str:
    """A `train` block of some settings."""
    lines = [line for setting in settings for line in setting.splitlines()]
    return "train:\n" + "".join(f"    {line}\n" for line in lines)


def script_of(text: str, kind: str = "classifier 1x8x8") -> str:
    models = {"line": LINE, "plain": PLAIN, "blocks": BLOCKS}
    return render_script(models.get(kind.split()[0], CLASSIFIER), recipe_of(text, kind), HEADER)
