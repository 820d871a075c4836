"""Definitions of strangers that are not what the contract says: each is named, with what it should be, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.cli import main
from netc.plugins import load_registry
from netc.registry import CATEGORIES, base_of

LAYER = '''
from netc.layer import *

class Foo(Layer):
    """Does nothing."""

    module = "own:Foo"
    imports = ("from torch import nn",)
    source = """
class Foo(nn.Module):
    def forward(self, input):
        return input
"""
    examples = (Example("8", "Foo", "8"),)
    width = Int(3, min=1, doc="a width")

    def infer(self, input):
        return input
'''
PARTS = "from netc.layer import *\nfrom netc.recipe import *\nfrom netc.passes import *\n"
SPEC = """
net A:
    input 1x28x28
    flatten
    fc: Linear(8)
    foo: Foo
    out: Linear(10)

train:
    data: Digits(batch_size=64)
    loss: CrossEntropyLoss
    optimizer: Adam(lr=1e-3)
    epochs: 1
"""
TEXTS = 'must be a tuple of texts, such as `("a", "b")` or `("a",)`'
DOTTED = "must be a dotted name such as `torch.nn.Linear`, or `own:` and a name in its source"
SIZES = "`infer` must give a `Value` whose sizes are integers, or a tuple of them"
STATES = "`state` must give a dict of names and shapes (tuples of integers), or `State`s"
PLAIN = "must give a dict of names and plain values (numbers, texts, tuples of them)"

# Lines that are added to the class, and what is said once it is defined.
ATTRIBUTES = [
    ("module = 3", f"`module` of `Foo` {DOTTED}, not 3"),
    ('module = "nodots"', f"`module` of `Foo` {DOTTED}, not 'nodots'"),
    ('module = "own:a b"', f"`module` of `Foo` {DOTTED}, not 'own:a b'"),
    ('imports = "from torch import nn"', f"`imports` of `Foo` {TEXTS}, not 'from torch import nn'"),
    ('helpers = "def f(): pass"', f"`helpers` of `Foo` {TEXTS}, not 'def f(): pass'"),
    ("source = 3", "`source` of `Foo` must be a text or None, not 3"),
    ('inputs = "input"', f"`inputs` of `Foo` {TEXTS}; `\"mask?\"` may be left out, not 'input'"),
    ("from_shape = -1", "`from_shape` of `Foo` must be a dict of names and dimensions, not -1"),
    ("ranks = 4", "`ranks` of `Foo` must be a tuple of integers, such as `(4,)`, or None, not 4"),
    ('kinds = "float"', '`kinds` of `Foo` must be a tuple of "float", "int" and "bool", or None, not \'float\''),
    ('examples = Example("8", "Foo", "8")', "`examples` of `Foo` must be a tuple of `Example`s, such as `(Example("),
    ("infer = 3", "`infer` of `Foo` must be a method, not 3"),
    ("state = Int(3)", "`state` of `Foo` must be a method, not <netc.fields.Int object"),
    ("names = Int(3)", "`names` of `Foo` cannot be an argument: the name means something else"),
    ("self = Int(3)", "`self` of `Foo` cannot be an argument: the name means something else"),
    ("fields = {}", "`fields` of `Foo` must be left to netc, not {}"),
    ('width = Int("a")', 'the default of `Foo`: `width` must be an integer, not "a"'),
    ("width = Int(0, min=1)", "the default of `Foo`: `width` must be an integer of at least 1, not 0"),
    ("width = Int", "`width` of `Foo` is a type of argument: write `Int(...)`"),
    ("width = Int(3, doc=5)", "`doc` of `width` of `Foo` must be a text, not 5"),
]
# Bodies of methods, and what is said of the file p.py when the layer is used.
RESULTS = [
    ("infer", "return None", f"`Foo` of p.py: {SIZES}, not None"),
    ("infer", "return (1, 2)", f"`Foo` of p.py: {SIZES}, not (1, 2)"),
    ("infer", "return ()", f"`Foo` of p.py: {SIZES}, not ()"),
    ("infer", "return input.shape", f"`Foo` of p.py: {SIZES}, not (N, 8)"),
    ("infer", "return Value((2, -3))", f"`Foo` of p.py: {SIZES}, not Value(shape=(2, -3),"),
    ("infer", "return Value((2, 1 / 2))", f"`Foo` of p.py: {SIZES}, not Value(shape=(2, 0.5),"),
    ("infer", "raise KeyError('k')", "`Foo` of p.py failed: KeyError: 'k' (p.py:21)"),
    ("infer", "raise SystemExit(3)", "`Foo` of p.py failed: SystemExit: 3 (p.py:21)"),
    ("infer", "return self.infer(input)", "`Foo` of p.py failed: RecursionError: maximum recursion depth exceeded"),
    ("infer", "raise Reject(3)", "`Foo` of p.py failed: TypeError: a Reject says why, in words, not 3 (p.py:21)"),
    ("infer", "import json; json.loads('{')", "`Foo` of p.py failed: JSONDecodeError: "),
    ("state", "return []", f"`Foo` of p.py: {STATES}, not []"),
    ("state", "return {'w': (3, 0.5)}", f"`Foo` of p.py: {STATES}, not {{'w': (3, 0.5)}}"),
    ("state", "return {'w': [3, 4]}", f"`Foo` of p.py: {STATES}, not {{'w': [3, 4]}}"),
    ("inferred", "return {'a b': 3}", f"`Foo` of p.py: `inferred` {PLAIN}, not {{'a b': 3}}"),
    ("inferred", "return {'a': float('nan')}", f"`Foo` of p.py: `inferred` {PLAIN}, not {{'a': nan}}"),
    ("arguments", "return {'a': input}", f"`Foo` of p.py: `arguments` {PLAIN}, not {{'a': Value(shape=(N, 8),"),
    ("remark", "return 'odd'", "`Foo` of p.py: `remark` must give a `Reject` or None, not 'odd'"),
    ("least_batch", "return 0", "`Foo` of p.py: `least_batch` must give an integer of at least 1, not 0"),
]
HOOKS = [
    ("return None", "plugin `p.py` must give classes, or names and modules, from `netc_layers`, not None"),
    ("return [int]", "plugin `p.py` gives `int` among the layers, which is no `netc.layer.Layer`"),
    ("return [Foo, Foo]", "plugin `p.py` defines `Foo` among the layers twice"),
    ("return {'Linear': 'json'}", "both `netc` and `p.py` define `Linear` among the layers"),
    ("return {'a b': 'json'}", "plugin `p.py` gives 'a b' among the layers, which is no name"),
    ("return {'Foo': 'json'}", "plugin `p.py` cannot provide `Foo`: LookupError: module json has no class for 'Foo'"),
    (
        "return {'Foo': 'fractions', 'Fraction': 'fractions'}",
        "plugin `p.py` cannot provide `Foo`: LookupError: module fractions has no class for 'Foo'",
    ),
    ("raise SystemExit", "plugin `p.py` failed in `netc_layers`: SystemExit: (p.py:28)"),
]


def said(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a failing command says."""
    assert main(words) == 1
    out, err = capfd.readouterr()
    line = err.removesuffix("\n")
    assert not out and "\n" not in line and line.startswith("error: "), out + err
    return line.removeprefix("error: ")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.net").write_text(SPEC)
    return tmp_path


def check(folder: Path, text: str, capfd: pytest.CaptureFixture[str], spec: str = SPEC) -> str:
    (folder / "p.py").write_text(text)
    (folder / "a.net").write_text(spec)
    return said(capfd, "check", "a.net", "--plugin", "p.py")


@pytest.mark.parametrize(("line", "wanted"), ATTRIBUTES)
def test_attributes(line: str, wanted: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = check(folder, f"{LAYER}\n    {line}\n", capfd)
    assert text.startswith(f"plugin `p.py` cannot be loaded: ContractError: {wanted}")
    assert text.endswith(" (p.py:4)")


@pytest.mark.parametrize(("name", "body", "wanted"), RESULTS)
def test_results(name: str, body: str, wanted: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert check(folder, f"{LAYER}\n    def {name}(self, input):\n        {body}\n", capfd).startswith(wanted)


@pytest.mark.parametrize(("body", "wanted"), HOOKS)
def test_hooks(body: str, wanted: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = f"\nfrom netc.hooks import hookimpl\n\n\n@hookimpl\ndef netc_layers():\n    {body}\n"
    assert check(folder, f"{LAYER.rstrip()}\n\n\n{hook}", capfd).replace(":27)", ":28)") == wanted


LACKING = {
    "data: Digits(batch_size=64)": (
        "data: Mine", "class Mine(DataSource):\n    pass\n", "it has no `check` of the network's input",
    ),
    "loss: CrossEntropyLoss": (
        "loss: Mine", "class Mine(Loss):\n    module = 'torch.nn.MSELoss'\n",
        "`Mine` of p.py failed: NotImplementedError: it has no `check` of outputs and targets",
    ),
    "optimizer: Adam(lr=1e-3)": (
        "optimizer: Mine", "class Mine(Optimizer):\n    pass\n", "`Mine` of p.py has no `module`",
    ),
    "loss: CrossEntropyLoss\n": (
        "loss: Mine\n", "class Mine(Loss):\n    module = 'own:Mine'\n",
        "`Mine` of p.py is `own:Mine`, and has no `source` that defines it",
    ),
    "    out": (
        "    init Linear: Mine\n    out", "class Mine(Initializer):\n    pass\n", "`Mine` of p.py has no `call`",
    ),
    "    foo: Foo": (
        "    foo: Mine", "class Mine(Layer):\n    module = 'torch.nn.Identity'\n",
        "`Mine` of p.py failed: NotImplementedError: it has no `infer`, the shape rule",
    ),
    "    foo: Foo\n": (
        "    foo: Mine\n", "class Mine(Layer):\n    module = 'own:Mine'\n    def infer(self, input): return input\n",
        "`Mine` of p.py is `own:Mine`, and has no `source` that defines it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", LACKING, ids=lambda line: LACKING[line][2])
def test_what_is_lacking(line: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    instead, text, wanted = LACKING[line]
    spec = SPEC.replace(line, instead).replace("    foo: Foo\n", "")
    assert wanted in check(folder, PARTS + text, capfd, spec)


@pytest.mark.parametrize("body", ["return None", "yield 'x'", "yield Finding(3)"])
def test_passes_find_findings(body: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "pyproject.toml").write_text("[tool.netc.passes]\nMine = {}\n")
    text = f"{PARTS}class Mine(Pass):\n    def run(self, network):\n        {body}\n"
    found = check(folder, text, capfd, SPEC.replace("    foo: Foo\n", ""))
    assert found.startswith("`Mine` of p.py: `run` must yield `Finding`s, not ")


def test_an_exception_that_cannot_be_shown(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = "class E(Exception):\n    def __str__(self):\n        raise ValueError\n\nraise E\n"
    assert check(folder, text, capfd) == "plugin `p.py` cannot be loaded: E (p.py:5)"


def test_every_category_has_its_kind_of_class() -> None:
    registry = load_registry()
    for category in CATEGORIES:
        classes = [registry.find(category, name) for name in registry.names(category)]
        assert all(issubclass(cls, base_of(category)) for cls in classes)
