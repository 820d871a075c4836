"""The live module: what is executed, refused, copied, pickled, compiled and exported."""

import copy
import inspect
import io
import linecache
import pickle
import subprocess
import sys
import threading
import traceback
from typing import Any

import pytest
import torch
from torch import fx, nn

import netc
from netc.allowed import refusals
from netc.diagnostics import InternalError
from netc.live import check_state, live_module, load_source

RESIDUAL = '''\
"""Residual: emitted by netc."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


class Found(NamedTuple):
    logits: torch.Tensor
    depth: int


class Bottleneck(nn.Module):
    """Three convolutions and a shortcut, projected where it must be."""

    def __init__(self, in_channels, width, stride=1, base=64):
        super().__init__()
        mid = int(width * base / 64)
        self.conv1 = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.conv2 = nn.Conv2d(mid, mid, 3, stride=stride, padding=1, bias=False)
        self.conv3 = nn.Conv2d(mid, 4 * width, 1, bias=False)
        self.bn = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or in_channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x):
        out = F.relu(self.conv1(x))
        out = F.relu(self.conv2(out))
        out = self.bn(self.conv3(out))
        out = out + (x if self.downsample is None else self.downsample(x))
        return F.relu(out)


class DenseBlock(nn.ModuleDict):
    def __init__(self, in_channels, n, k):
        super().__init__()
        for j in range(n):
            self[f"denselayer{j + 1}"] = nn.Conv2d(in_channels + j * k, k, 3, padding=1)

    def forward(self, x):
        for layer in self.values():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class ResNet(nn.Module):
    def __init__(self, depths=(1, 2), classes=10):
        super().__init__()
        self.dense = DenseBlock(3, 2, 4)
        channels = 11
        for i, n in enumerate(depths):
            width = 4 * 2**i
            layers = [Bottleneck(channels, width, stride=1 if i == 0 else 2)]
            channels = 4 * width
            layers += [Bottleneck(channels, width) for _ in range(n - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.dense(x)
        x = self.layer2(self.layer1(x))
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.fc(F.dropout(x, training=self.training))
'''


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    return load_source(RESIDUAL, "ResNet", "residual")().eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def in_another_process(script: str, data: bytes) -> bytes:
    """What a fresh interpreter, which has netc and has not seen the source, makes of a pickle."""
    return subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True).stdout


def test_source_is_executed_once_and_exactly(model: Any) -> None:
    module = sys.modules[type(model).__module__]
    assert module.__name__.startswith("netc_live_")
    assert load_source(RESIDUAL, "ResNet", "residual") is type(model)
    assert inspect.getsource(module) == RESIDUAL
    other = load_source(RESIDUAL.replace("classes=10", "classes=7"), "ResNet", "residual")
    assert other.__module__ != module.__name__
    made: Any = other()
    assert made.fc.out_features == 7


def test_threads_share_one_module() -> None:
    source = RESIDUAL + "# loaded by threads\n"
    found: list[type] = []
    threads = [threading.Thread(target=lambda: found.append(load_source(source, "ResNet", "x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_source_of_classes_can_be_read(model: Any) -> None:
    linecache.checkcache()
    source = inspect.getsource(type(model.layer1[0]))
    assert source.startswith("class Bottleneck(nn.Module):\n")
    assert source.endswith("return F.relu(out)\n")
    assert inspect.getdoc(type(model.layer1[0])) == "Three convolutions and a shortcut, projected where it must be."
    assert "x = self.dense(x)" in inspect.getsource(type(model).forward)


def test_traceback_shows_the_line(model: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        model(torch.zeros(1, 4, 8, 8))
    text = "".join(traceback.format_exception(caught.value))
    assert "<netc residual " in text
    assert "x = torch.cat([x, layer(x)], dim=1)" in text


def test_deepcopy(model: Any, images: torch.Tensor) -> None:
    twin = copy.deepcopy(model)
    assert type(twin) is type(model)
    assert torch.equal(twin(images), model(images))
    assert not set(map(id, twin.parameters())) & set(map(id, model.parameters()))


def test_deepcopy_keeps_shared_weights(model: Any) -> None:
    model.layer2[1].conv1.weight = model.layer2[0].conv3.weight
    twin = copy.deepcopy(model)
    assert twin.layer2[1].conv1.weight is twin.layer2[0].conv3.weight


def test_pickle_into_another_process(model: Any, images: torch.Tensor) -> None:
    script = (
        "import pickle, sys; m, x = pickle.load(sys.stdin.buffer); "
        "sys.stdout.buffer.write(pickle.dumps((m, m(x))))"
    )
    back, output = pickle.loads(in_another_process(script, pickle.dumps((model, images))))
    assert torch.equal(output, model(images))
    assert type(back) is type(model)
    assert isinstance(back.dense, nn.ModuleDict)
    assert list(back.dense) == ["denselayer1", "denselayer2"]
    assert not back.training
    assert back.state_dict().keys() == model.state_dict().keys()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(model: Any, images: torch.Tensor, protocol: int) -> None:
    assert torch.equal(pickle.loads(pickle.dumps(model, protocol))(images), model(images))


def test_named_tuples_travel() -> None:
    module = live_module(RESIDUAL, "residual")
    found = module.Found(torch.ones(2), depth=3)
    assert copy.deepcopy(found).depth == 3
    script = "import pickle, sys; f = pickle.load(sys.stdin.buffer); print(type(f).__name__, f.depth, f.logits.sum())"
    assert in_another_process(script, pickle.dumps(found)).split() == [b"Found", b"3", b"tensor(2.)"]


def test_save_and_load_in_another_process(model: Any, images: torch.Tensor) -> None:
    file = io.BytesIO()
    torch.save(model, file)
    assert torch.equal(torch.load(io.BytesIO(file.getvalue()), weights_only=False)(images), model(images))
    script = (
        "import io, sys, torch; m = torch.load(io.BytesIO(sys.stdin.buffer.read()), weights_only=False); "
        "print(type(m).__name__, type(m.layer1[0]).__name__)"
    )
    assert in_another_process(script, file.getvalue()).split() == [b"ResNet", b"Bottleneck"]


def test_training_goes_on_after_a_pickle(model: Any, images: torch.Tensor) -> None:
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        each(images).square().sum().backward()
    gradients = zip(model.parameters(), twin.parameters(), strict=True)
    assert all(torch.equal(a.grad, b.grad) for a, b in gradients)


@pytest.mark.parametrize(
    "backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.nightly)]
)
def test_compile(model: Any, images: torch.Tensor, backend: str) -> None:
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    torch.testing.assert_close(compiled(images), model(images))


def test_export(model: Any, images: torch.Tensor) -> None:
    program = torch.export.export(model, (images,))
    torch.testing.assert_close(program.module()(images), model(images))


def test_symbolic_trace(model: Any, images: torch.Tensor) -> None:
    traced = fx.symbolic_trace(model)
    torch.testing.assert_close(traced(images), model(images))


def test_failure_leaves_nothing_behind() -> None:
    before = set(sys.modules)
    with pytest.raises(AttributeError):
        load_source("from torch import nn\nlayer = nn.Nothing\n", "Model", "bad")
    assert set(sys.modules) == before


def test_missing_class() -> None:
    with pytest.raises(InternalError, match="the source emitted for `residual` has no model `Nothing`"):
        load_source(RESIDUAL, "Nothing", "residual")
    with pytest.raises(InternalError, match="no model `Found`"):
        load_source(RESIDUAL, "Found", "residual")


def test_refused_source_is_not_executed() -> None:
    with pytest.raises(InternalError, match=r"the source emitted for `bad` is refused: line 1: the import of os"):
        load_source("import os\n", "Model", "bad")


def test_allowed() -> None:
    assert refusals(RESIDUAL) == []
    assert refusals("from torch.fx import wrap\ndef f(x):\n    return x\nwrap('f')\n") == []
    assert refusals("import torch\n@torch.no_grad()\ndef f(w):\n    torch.nn.init.xavier_uniform_(w)\n") == []


# Each alone in a source that imports torch.
REFUSED = {
    "import os": "the import of os",
    "import torch.hub": "the import of torch.hub",
    "from torch import hub": "the import of torch.hub",
    "from torch import load": "the import of torch.load",
    "from torch.fx import GraphModule": "the import of torch.fx.GraphModule",
    "from torch.nn import *": "the import of torch.nn.*",
    "from . import x": "the import of ..x",
    "from netc_std import x": "the import of netc_std.x",
    "eval('1')": "the name eval",
    "exec('1')": "the name exec",
    "open('f')": "the name open",
    "getattr(torch, 'hub')": "the name getattr",
    "__import__('os')": "the name __import__",
    "__builtins__": "the name __builtins__",
    "().__class__.__base__.__subclasses__()": "the attribute __subclasses__",
    "super.__getattribute__": "the attribute __getattribute__",
    "torch.__dict__": "the attribute __dict__",
    "torch.load('f')": "the function torch.load",
    "torch.hub.load('f')": "the module torch.hub",
    "h = torch.hub": "the module torch.hub",
    "torch.serialization.os.system('true')": "the module torch.serialization",
    "torch.ops.load_library('f')": "the module torch.ops",
    "torch._C": "the module torch._C",
    "torch.nn.functional.torch": "the module torch.nn.functional.torch",
    "torch.relu = 1": "an assignment to torch.relu",
    "(i for i in ()).gi_frame": "the attribute gi_frame",
    "def f():\n    yield 1": "a Yield expression",
    "async def f():\n    pass": "a AsyncFunctionDef statement",
    "try:\n    pass\nfinally:\n    pass": "a Try statement",
    "global x": "a Global statement",
    "del torch": "a Delete statement",
    "class A:\n    def __reduce__(self):\n        pass": "the definition of __reduce__",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line: str) -> None:
    found = refusals(f"import torch\n{line}\n")
    assert any(each.endswith(f": {REFUSED[line]}") for each in found), found


def test_refuses_what_is_not_python() -> None:
    assert refusals("class :") == ["not Python: invalid syntax (<unknown>, line 1)"]
    assert refusals("x = '\0'")[0].startswith("not Python: ")


def expected(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


def test_state_as_predicted(model: Any) -> None:
    check_state(model, expected(model))


def test_state_not_as_predicted() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    right = expected(model)
    start = "the state of Sequential is not as predicted: "

    def message(wrong: dict[str, tuple[int, ...]]) -> str:
        with pytest.raises(InternalError) as caught:
            check_state(model, wrong, "netc check a.net")
        assert caught.value.reproducer == "netc check a.net"
        return str(caught.value).removeprefix(start)

    assert message({**right, "0.weight": (4, 4)}) == "`0.weight` has shape (4, 3), not (4, 4)"
    assert message({**right, "2.weight": (4,)}) == "`2.weight` is missing"
    assert message({k: v for k, v in right.items() if k != "0.bias"}) == "`0.bias` was not expected"
    assert message(dict(reversed(right.items()))) == "`0.weight` stands where `1.num_batches_tracked` was expected"


def test_a_second_key_in_a_sequential():
    model = netc.loads("net A:\n    input 8\n    first: Linear(8)\n    twin: first\n")
    assert model.twin is model.first
    assert list(model.state_dict()) == ["first.weight", "first.bias", "twin.weight", "twin.bias"]
