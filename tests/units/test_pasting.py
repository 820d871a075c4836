"""Sources of strangers side by side: names that clash are told apart, and what they compute stays what it was."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from netc.diagnostics import Source, SpecError
from netc.emit.renaming import renamed
from netc.layer import Float, Layer, State, Value
from netc.pipeline import compile
from netc.plugins import PluginError, load_registry
from netc.recipe import Loss, Target
from netc_std.data import Digits

TORCH = ("import torch", "from torch import nn")


def layer(name: str, *helpers: str, forward: str, imports: tuple[str, ...] = TORCH, **more: Any) -> type[Layer]:
    """A layer of one size that computes `forward` of `input`."""
    source = f"class {name}(nn.Module):\n    def forward(self, input):\n        return {forward}\n"
    values = {"__doc__": "Computes.", "module": f"own:{name}", "imports": imports, "helpers": helpers, "source": source}
    cls: type[Layer] = type(name, (Layer,), values | {"infer": lambda self, input: input} | more)
    return cls


def compiled(text: str, *layers: type[Layer], losses: tuple[type[Loss], ...] = ()) -> Any:
    """A network of single layers, each from a plugin of its own."""
    registry = load_registry()
    for each in layers:
        registry.add("layers", f"plugin of {each.__name__}", [each])
    registry.add("losses", "losses", losses)
    return compile(Source("net.net", text), registry=registry)


def computed(text: str, *layers: type[Layer], of: float = 1.0) -> float:
    """The first number that the network makes of one, live and in its emitted file alike."""
    result = compiled(text, *layers)
    input = torch.full((1, 4), of)
    live = result.load()(input)[0, 0].item()
    space: dict[str, Any] = {}
    exec(result.model_source, space)
    assert space["A"]()(input)[0, 0].item() == live
    return float(live)


def chain(*names: str) -> str:
    return "net A:\n    input 4\n" + "".join(f"    {name}\n" for name in names)


def scaled(name: str, by: int) -> type[Layer]:
    return layer(name, f"def scale(x):\n    return {by} * x\n", forward="scale(input)")


def test_helpers_of_one_name_are_told_apart() -> None:
    assert computed(chain("Two", "Three"), scaled("Two", 2), scaled("Three", 3)) == 6
    source = compiled(chain("Two", "Three"), scaled("Two", 2), scaled("Three", 3)).model_source
    assert "def scale(x):\n    return 2 * x" in source and "def scale2(x):\n    return 3 * x" in source


def test_what_two_share_stands_once() -> None:
    source = compiled(chain("Two", "Too"), scaled("Two", 2), scaled("Too", 2)).model_source
    assert source.count("def scale") == 1


def test_same_text_that_means_something_else_is_told_apart() -> None:
    """The function `twice` of both is the same text, but calls another `step`."""
    twice = "def twice(x):\n    return step(step(x))\n"
    one = layer("One", "def step(x):\n    return x + 1\n", twice, forward="twice(input)")
    ten = layer("Ten", "def step(x):\n    return x + 10\n", twice, forward="twice(input)")
    assert computed(chain("One", "Ten"), one, ten) == 1 + 2 + 20


def test_class_of_a_layer_stays_and_helpers_give_way() -> None:
    inner = "class Two(nn.Module):\n    def forward(self, x):\n        return 5 * x\n"
    five = layer("Five", inner, forward="Two()(input)")
    assert computed(chain("Five", "Two"), five, scaled("Two", 2)) == 10
    assert computed(chain("Two", "Five"), five, scaled("Two", 2)) == 10


NEEDY = """
SIZES = [4, 5]

def Block(n):
    for size in SIZES:
        "fc{size}": Linear(divisible(n * size))

net A(n=2):
    input 4
    b: Block(n)
    Odd
"""


@pytest.mark.parametrize("name", ["Block", "SIZES", "make_divisible", "Tensor"])
def test_helpers_give_way_to_what_the_network_needs(name: str) -> None:
    odd = layer("Odd", f"def {name}(x):\n    return 2 * x\n", forward=f"{name}(input)")
    space: dict[str, Any] = {}
    exec(compiled(NEEDY, odd).model_source, space)
    model, input = space["A"](), torch.randn(2, 4)
    assert torch.equal(model(input), 2 * model.b(input))


def test_imports_of_one_name_are_told_apart() -> None:
    one = layer("One", forward="input * pi", imports=("from math import pi", *TORCH))
    other = layer("Other", forward="input * pi", imports=("from torch import e as pi", *TORCH))
    found = computed(chain("One", "Other"), one, other)
    assert found == pytest.approx(3.14159 * 2.71828, rel=1e-4)


def test_imports_at_the_top_of_a_source_go_to_the_top_of_the_file() -> None:
    cls = layer("Own", forward="math.tau * input", imports=())
    cls.source = f"import math\nfrom torch import Tensor, nn\n\n\n{cls.source}"
    source = compiled(chain("Own"), cls).model_source
    assert source.startswith("import math\n\nfrom torch import nn\n\n\nclass Own")
    assert computed(chain("Own"), cls) == pytest.approx(6.28319, rel=1e-4)


def test_several_names_in_one_import_line() -> None:
    cls = layer("Own", forward="relu(input)", imports=("from torch import nn, relu",))
    assert computed(chain("Own"), cls) == 1


def test_submodules_of_a_package_are_imported() -> None:
    forward = "torch.utils.checkpoint.checkpoint(lambda x: 2 * x, input, use_reentrant=False)"
    cls = layer("Own", forward=forward, imports=("import torch.utils.checkpoint", "from torch import nn"))
    assert computed(chain("Own"), cls) == 2
    assert "import torch.utils.checkpoint\n" in compiled(chain("Own"), cls).model_source


def test_two_layers_of_one_class_name_are_refused() -> None:
    one = layer("One", forward="input", module="own:Same", source="class Same(nn.Module):\n    pass\n")
    two = layer("Two", forward="input", module="own:Same", source="class Same(nn.Module):\n    a = 1\n")
    with pytest.raises(SpecError) as caught:
        print(compiled(chain("One", "Two"), one, two).model_source)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message.startswith("`A` cannot be written as PyTorch classes: `Two` of ")
    assert diagnostic.message.endswith("brings `Same`, and so does `One` of tests/units/test_pasting.py")


def test_a_block_of_the_spec_gives_way_to_a_layer() -> None:
    class Taken(Layer):
        """Is imported from a package, under a name that a block has, too."""

        module = "torchvision.ops.Permute"

        def infer(self, input: Value) -> Value:
            return input

        def arguments(self, input: Value) -> dict[str, Any]:
            return {"dims": (0, 1)}

    text = "def Permute:\n    fc: Linear(3)\n\nnet A:\n    input 4\n    Taken\n    p: Permute\n"
    source = compiled(text, Taken).model_source
    assert "from torchvision.ops import Permute\n" in source and "class Permute2(nn.Sequential)" in source


# ---- what plugins may do --------------------------------------------------------------------------


def test_a_layer_may_be_imported_from_an_installed_package() -> None:
    class Pooled(Layer):
        """The layer of an installed package."""

        module = "torchvision.ops.SqueezeExcitation"
        ranks = (4,)

        def inferred(self, input: Value) -> dict[str, Any]:
            return {"input_channels": input.shape[1], "squeeze_channels": 2}

        def infer(self, input: Value) -> Value:
            return input

        def state(self, input: Value) -> Any:
            weights = {"fc1.weight": (2, 4, 1, 1), "fc1.bias": (2,), "fc2.weight": (4, 2, 1, 1), "fc2.bias": (4,)}
            return {name: State(shape) for name, shape in weights.items()}

    result = compiled("net A:\n    input 4x6x6\n    se: Pooled\n", Pooled)
    assert "from torchvision.ops import SqueezeExcitation\n" in result.model_source
    model = result.load()
    assert type(model.se).__module__ == "torchvision.ops.misc"
    assert torch.equal(pickle.loads(pickle.dumps(model)).se.fc1.weight, model.se.fc1.weight)


def test_own_source_may_be_any_python() -> None:
    helper = (
        "TABLE = {n: n**2 for n in range(4)}\nSIZES = [float(n) for n in TABLE.values() if n]\n\n\n"
        "def step(x):\n    try:\n        return getattr(x, 'missing')\n    except AttributeError:\n"
        "        return x + TABLE[3] + os.path.sep.count('x')\n"
    )
    cls = layer("Own", helper, forward="step(input)", imports=("import os", *TORCH))
    assert computed(chain("Own"), cls) == 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "class Own:\n    pas s\n"}, "has source that is not Python: invalid syntax in line 2: pas s"),
        ({"source": "class Other(nn.Module):\n    pass\n"}, "is `own:Own`, which its source does not define"),
        ({"helpers": ("def f(:\n    pass",)}, "has source that is not Python: invalid syntax in line 1: def f(:"),
        ({"imports": ("from torch import",)}, "has source that is not Python: "),
    ],
)
def test_source_that_cannot_be_pasted_is_named(change: dict[str, Any], said: str) -> None:
    cls = layer("Own", forward="input", **change)
    with pytest.raises(PluginError) as caught:
        print(compiled(chain("Own"), cls).model_source)
    assert str(caught.value).startswith(f"`Own` of tests/units/test_pasting.py {said}")


# ---- the script -----------------------------------------------------------------------------------

RECIPE = """
net A:
    input 1x28x28
    flatten
    fc: Linear(10)
    Odd

train:
    data: Digits(batch_size=200)
    loss: Distance(2.0)
    optimizer: Adam(lr=1e-3)
    epochs: 1
"""


class Distance(Loss):
    """The cross entropy, scaled."""

    module = "own:Distance"
    by = Float(1.0, doc="what it is multiplied by")
    imports = ("from torch import nn", "from math import tau as scale")
    source = '''
def evaluate(x):
    return x * scale


def shared(x):
    return evaluate(x) / scale


class Distance(nn.Module):
    def __init__(self, by: float = 1.0) -> None:
        super().__init__()
        self.by = by

    def forward(self, output, target):
        return shared(self.by * nn.functional.cross_entropy(output, target))
'''

    def check(self, output: Value, target: Target) -> None:
        pass


def test_names_of_layers_losses_and_the_script_are_told_apart(tmp_path: Path) -> None:
    names = ["main", "evaluate", "save", "json", "F", "arguments", "shared", "scale", "Distance"]
    calls = "".join(f"{name}(" for name in names) + "input" + ")" * len(names)
    odd = layer("Odd", *(f"def {name}(x):\n    return 1 * x\n" for name in names), forward=calls)
    (tmp_path / "net.py").write_text(compiled(RECIPE, odd, losses=(Distance,)).script)
    run = [sys.executable, "net.py", "--device", "cpu"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout


@pytest.mark.parametrize("name", ["main", "save", "json"])
def test_a_net_may_have_the_name_of_a_function_of_the_script(name: str) -> None:
    text = RECIPE.replace("net A", f"net {name}").replace("    Odd\n", "").replace("Distance(2.0)", "CrossEntropyLoss")
    script = compiled(text).script
    assert f"class {name}Net(nn.Module)" in script and f"model = {name}Net().to(device)" in script


class Numerals(Digits):
    """Digits, whose source needs a name in capitals."""

    imports = (*Digits.imports, "from math import tau as SIZES")  # type: ignore[assignment]


def test_a_constant_of_the_spec_that_the_script_needs_is_said() -> None:
    text = RECIPE.replace("    Odd\n", "").replace("Distance(2.0)", "CrossEntropyLoss").replace("Digits", "Numerals")
    registry = load_registry()
    registry.add("data", "numerals", [Numerals])
    text = f"sizes = [10, 10]\n{text.replace('Linear(10)', 'Linear(sizes[0])')}"
    found = compile(Source("net.net", text), registry=registry)
    assert "SIZES = [10, 10]" in found.model_source
    with pytest.raises(SpecError) as caught:
        print(found.script)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message.endswith("as PyTorch classes: `SIZES` is something else in the script")


# ---- renaming -------------------------------------------------------------------------------------

# Before and after `f` is called `g`.
RENAMED = [
    ("f(x)", "g(x)"),
    ("a.f(f=f)", "a.f(f=g)"),
    ("def f(x):\n    return f(x - 1)", "def g(x):\n    return g(x - 1)"),
    ("def h(f):\n    return f(f=1)\nf()", "def h(f):\n    return f(f=1)\ng()"),
    ("def h(x=f, *, y: f = f) -> f:\n    return f", "def h(x=g, *, y: g = g) -> g:\n    return g"),
    ("def h():\n    f = 1\n    return f\nf", "def h():\n    f = 1\n    return f\ng"),
    ("def h():\n    return [f for f in f]", "def h():\n    return [f for f in g]"),
    ("def h():\n    return [f(i) for i in f]", "def h():\n    return [g(i) for i in g]"),
    ("def h():\n    [f for f in x]\n    return f", "def h():\n    [f for f in x]\n    return g"),
    ("def h():\n    def f(): return f\n    return f\nf()", "def h():\n    def f(): return f\n    return f\ng()"),
    (
        "class C(f):\n    f = f\n    def f(self):\n        return f(self.f)",
        "class C(g):\n    f = f\n    def f(self):\n        return g(self.f)",
    ),
    ("lambda f: f\nlambda x: f", "lambda f: f\nlambda x: g"),
    ("@f\nclass f:\n    pass", "@g\nclass g:\n    pass"),
    ("x = 'ä'; f('f')  # f", "x = 'ä'; g('f')  # f"),
    ('s = f"{f(1)} f"', 's = f"{g(1)} f"'),
    ("try:\n    f()\nexcept E as e:\n    f", "try:\n    g()\nexcept E as e:\n    g"),
    ("def h():\n    try: f()\n    except E as f: f", "def h():\n    try: f()\n    except E as f: f"),
    ("def h():\n    for i in f: f(i)", "def h():\n    for i in g: g(i)"),
    ("def h():\n    with x as f: f", "def h():\n    with x as f: f"),
    ("async def f(): pass", "async def g(): pass"),
]


@pytest.mark.parametrize(("before", "after"), RENAMED)
def test_renaming_keeps_to_what_is_meant(before: str, after: str) -> None:
    assert renamed(before, {"f": "g"}) == after
    ast.parse(after)


def test_renaming_refuses_what_it_cannot_see() -> None:
    with pytest.raises(ValueError, match="global f"):
        renamed("def h():\n    global f\n    f = 1", {"f": "g"})


def test_two_names_change_places() -> None:
    assert renamed("def f():\n    return g\ndef g():\n    return f", {"f": "g", "g": "f"}) == (
        "def g():\n    return f\ndef f():\n    return g"
    )
    assert renamed("f", {}) == "f"
