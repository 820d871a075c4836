"""Every layer against its own source by netc's conformance suite, and against the layer of torchvision."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision import ops
from torchvision.models import swin_transformer
from torchvision.models.video import swin_transformer as video

import netc_vision
from netc.allowed import refusals
from netc.diagnostics import Source, SpecError
from netc.layer import Layer
from netc.pipeline import compile
from netc.registry import Registry
from netc.testing import check_layer, materialize
from netc_vision.deformable import DeformConv2d
from netc_vision.dropping import StochasticDepth
from netc_vision.patches import pad_to_multiple, patch_merging
from netc_vision.squeezing import SqueezeExcitation
from netc_vision.windows import ShiftedWindowAttention, ShiftedWindowAttention3d, ShiftedWindowAttentionV2

README = Path(__file__).parents[1] / "README.md"
REGISTRY = Registry()
REGISTRY.add("layers", "vision", netc_vision.netc_layers())
LAYERS: list[type[Layer]] = list({REGISTRY.find("layers", name): None for name in REGISTRY.names("layers")})
every_layer = pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)


@every_layer
@pytest.mark.filterwarnings("ignore")
def test_rule_agrees_with_the_source(cls: type[Layer]) -> None:
    report = check_layer(cls, configurations=25)
    assert report.ok, report


@every_layer
def test_is_documented(cls: type[Layer]) -> None:
    assert cls.summary().rstrip(".") and cls.examples
    assert all(field.doc for field in cls.fields.values())
    text = README.read_text(encoding="utf-8")
    assert all(f"`{name}" in text for name in cls.names() if name)


@every_layer
def test_source_may_be_executed_and_fits(cls: type[Layer]) -> None:
    text = "\n".join([*cls.imports, *cls.helpers, cls.source or ""])
    assert refusals(text) == []
    assert max(map(len, text.splitlines())) <= 88
    named = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    assert {line.split()[-1] for line in cls.imports} <= named


def test_sources_are_clean(tmp_path: Path) -> None:
    for cls in LAYERS:
        parts = [part.strip("\n") for part in (*cls.helpers, cls.source or "") if part]
        text = "\n".join(sorted(cls.imports)) + "\n\n\n" + "\n\n\n".join(parts) + "\n"
        (tmp_path / f"{cls.__name__}.py").write_text(text, encoding="utf-8")
    isolated = ["--isolated", "--no-cache", str(tmp_path)]
    for command in (["check", "--select", "C4,E,F,PIE,RET,SIM,UP,W"], ["format", "--diff"]):
        words = [sys.executable, "-m", "ruff", *command, *isolated]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.nightly
def test_sources_have_right_types(tmp_path: Path) -> None:
    for cls in LAYERS:
        text = "\n".join([*cls.imports, *cls.helpers, cls.source or ""])
        (tmp_path / f"{cls.__name__}.py").write_text(text, encoding="utf-8")
    words = [sys.executable, "-m", "mypy", "--strict", "--no-warn-return-any", "--allow-untyped-calls", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_readme_shows_a_net_that_works() -> None:
    text = README.read_text(encoding="utf-8").partition("```net\n")[2].partition("```")[0]
    model = compile(Source("readme.net", text)).load()
    assert model(torch.randn(2, 3, 36, 40)).shape == (2, 10)


def windows(name: str, sizes: list[tuple[int, ...]]) -> Iterator[tuple[str, list[Any], list[tuple[int, ...]]]]:
    n = len(sizes[0]) - 2
    yield name, [16, [7, 6, 5][:n], [3, 0, 2][:n], 4], sizes
    yield name, [16, [4, 6, 4][:n], [2, 3, 1][:n], 2, False, False, 0.1, 0.2], sizes
    yield name, [16, [4, 4, 4][:n], [0, 0, 0][:n], 2, True, False, 0.0, 0.1], sizes


PICTURES = [(2, 14, 15, 16), (2, 7, 6, 16), (1, 3, 20, 16)]
VIDEOS = [(2, 3, 14, 15, 16), (1, 9, 6, 4, 16)]
OURS = {cls.__name__: cls for cls in (ShiftedWindowAttention, ShiftedWindowAttentionV2, ShiftedWindowAttention3d)}
OTHERS = {
    "ShiftedWindowAttention": swin_transformer.ShiftedWindowAttention,
    "ShiftedWindowAttentionV2": swin_transformer.ShiftedWindowAttentionV2,
    "ShiftedWindowAttention3d": video.ShiftedWindowAttention3d,
}
ATTENTIONS = [
    *windows("ShiftedWindowAttention", PICTURES),
    *windows("ShiftedWindowAttentionV2", PICTURES),
    *windows("ShiftedWindowAttention3d", VIDEOS),
]


def made(build: Any, *arguments: Any) -> tuple[nn.Module, Tensor]:
    """A module made under a seed, and the state of the random numbers afterwards."""
    torch.manual_seed(0)
    return build(*arguments), torch.get_rng_state()


def run(module: nn.Module, shape: tuple[int, ...], training: bool) -> list[Tensor]:
    """Output, gradients, and the state of the random numbers, under weights that make every part count."""
    for index, parameter in enumerate(module.parameters()):
        nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(index))
    module.train(training).zero_grad()
    input = torch.randn(shape, generator=torch.Generator().manual_seed(1)).requires_grad_()
    torch.manual_seed(2)
    output = module(input)
    random = torch.get_rng_state()
    (output * torch.randn(output.shape, generator=torch.Generator().manual_seed(3))).sum().backward()
    gradients = [input.grad, *(parameter.grad for parameter in module.parameters())]
    return [output.detach(), random, *(gradient for gradient in gradients if gradient is not None)]


@pytest.mark.parametrize(("name", "arguments", "shapes"), ATTENTIONS)
def test_attention_is_torchvisions(name: str, arguments: list[Any], shapes: list[tuple[int, ...]]) -> None:
    cls = OURS[name]
    ours, drawn = made(materialize(cls, cls.module or ""), *arguments)
    other, expected = made(OTHERS[name], *(list(a) if isinstance(a, list) else a for a in arguments))
    assert torch.equal(drawn, expected)
    assert list(ours.state_dict()) == list(other.state_dict())
    for key, tensor in other.state_dict().items():
        assert ours.state_dict()[key].dtype == tensor.dtype
        assert torch.equal(ours.state_dict()[key], tensor), key
    for shape in shapes:
        for training in (False, True):
            found, wanted = run(ours, shape, training), run(other, shape, training)
            assert len(found) == len(wanted)
            assert all(map(torch.equal, found, wanted)), (shape, training)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([8, 16, 3, 1, 1], 1),
        ([8, 4, (3, 2), (2, 1), (0, 2), (1, 2), 2, False], 2),
        ([8, 4, (1, 5), 1, 2, (2, 1), 4], 4),
    ],
)
@pytest.mark.parametrize("masked", [False, True])
def test_deformable_convolution_is_torchvisions(arguments: list[Any], parts: int, masked: bool) -> None:
    """To rounding: the samples are summed in another order."""
    ours, drawn = made(materialize(DeformConv2d, "own:DeformConv2d"), *arguments)
    other, expected = made(ops.DeformConv2d, *arguments)
    assert torch.equal(drawn, expected)
    assert all(map(torch.equal, ours.parameters(), other.parameters()))
    ours, other = ours.double(), other.double()
    torch.manual_seed(1)
    points = other.kernel_size[0] * other.kernel_size[1]
    flat = nn.Conv2d(8, 1, *(getattr(other, name) for name in ("kernel_size", "stride", "padding", "dilation")))
    input = torch.randn(2, 8, 9, 10)
    places = flat(input).shape[2:]
    offset, mask = 3 * torch.randn(2, 2 * parts * points, *places), torch.rand(2, parts * points, *places)
    inputs = [tensor.double().requires_grad_() for tensor in (input, offset, mask)[: 2 + masked]]
    found = [module(*inputs) for module in (ours, other)]
    assert torch.allclose(*found, rtol=1e-12, atol=1e-12)
    weights = torch.randn(found[0].shape).double()
    gradients = [
        torch.autograd.grad((output * weights).sum(), [*inputs, *module.parameters()])
        for output, module in zip(found, (ours, other), strict=True)
    ]
    assert all(torch.allclose(a, b, rtol=1e-10, atol=1e-10) for a, b in zip(*gradients, strict=True))


def test_deformable_convolution_refuses_other_places() -> None:
    module = materialize(DeformConv2d, "own:DeformConv2d")(8, 4, 3)
    with pytest.raises(ValueError, match="offsets are for"):
        module(torch.zeros(1, 8, 9, 9), torch.zeros(1, 18, 9, 9))


@pytest.mark.parametrize("mode", ["row", "batch"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("training", [True, False])
def test_stochastic_depth_is_torchvisions(mode: str, p: float, training: bool) -> None:
    ours, other = materialize(StochasticDepth, "own:StochasticDepth")(p, mode), ops.StochasticDepth(p, mode)
    assert repr(ours) == repr(other)
    found, wanted = run(ours, (5, 3, 4), training), run(other, (5, 3, 4), training)
    assert all(map(torch.equal, found, wanted))
    function = materialize(StochasticDepth, "own:stochastic_depth")
    input = torch.randn(5, 3, 4)
    torch.manual_seed(2)
    expected = ops.stochastic_depth(input, p, mode, training)
    torch.manual_seed(2)
    assert torch.equal(function(input, p, mode, training=training), expected)


@pytest.mark.parametrize("shape", [(2, 8, 6, 3), (2, 7, 5, 3), (1, 3, 7, 8, 2)])
def test_patch_merging_is_torchvisions(shape: tuple[int, ...]) -> None:
    input = torch.randn(shape)
    assert torch.equal(
        materialize(patch_merging, "own:patch_merging")(input), swin_transformer._patch_merging_pad(input)
    )


@pytest.mark.parametrize("shape", [(2, 3, 5, 30, 33), (1, 3, 4, 32, 32)])
def test_padding_is_at_the_end(shape: tuple[int, ...]) -> None:
    input = torch.randn(shape)
    missing = video._compute_pad_size_3d(shape[2:], (2, 4, 4))
    padded = materialize(pad_to_multiple, "own:pad_to_multiple")(input, (2, 4, 4))
    assert torch.equal(padded, nn.functional.pad(input, [p for m in reversed(missing) for p in (0, m)]))


ACTIVATIONS = [
    {},
    {"activation": nn.SiLU},
    {"activation": nn.GELU, "scale_activation": nn.Hardsigmoid},
    {"activation": nn.Hardswish},
]


@pytest.mark.parametrize("activations", ACTIVATIONS, ids=str)
@pytest.mark.parametrize("shape", [(2, 6, 7, 5), (1, 6, 1, 1)])
def test_squeeze_excitation_is_torchvisions(activations: dict[str, Any], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours = materialize(SqueezeExcitation, "own:SqueezeExcitation")(6, 3, **activations)
    drawn = torch.get_rng_state()
    torch.manual_seed(0)
    other = ops.SqueezeExcitation(6, 3, **activations)
    assert torch.equal(drawn, torch.get_rng_state())
    assert repr(ours) == repr(other)
    assert list(ours.state_dict()) == list(other.state_dict())
    assert all(map(torch.equal, ours.state_dict().values(), other.state_dict().values()))
    for training in (False, True):
        found, wanted = run(ours, shape, training), run(other, shape, training)
        assert len(found) == len(wanted) == 7
        assert all(map(torch.equal, found, wanted))


PICTURE = """
needs "netc-vision"

def Block(act=ReLU):
    offset: Conv(18, 3, padding=1); move = _
    mask: x -> Conv(9, 3, padding=1); weigh = sigmoid(_)
    conv: (x, move, weigh) -> DeformConv2d(8, 3, padding=1)
    se: SqueezeExcitation(4, act)

net Picture:
    input 3x12x10
    first: Block
    second: Block(act=SiLU)
    last: SqueezeExcitation(2, ReLU, Hardsigmoid)
"""


class Block(nn.Module):
    """The block by hand, of torchvision's layers."""

    def __init__(self, channels: int, act: Any = nn.ReLU) -> None:
        super().__init__()
        self.offset = nn.Conv2d(channels, 18, 3, padding=1)
        self.mask = nn.Sequential(nn.Conv2d(channels, 9, 3, padding=1))
        self.conv = ops.DeformConv2d(channels, 8, 3, padding=1)
        self.se = ops.SqueezeExcitation(8, 4, act)

    def forward(self, x: Tensor) -> Tensor:
        return self.se(self.conv(x, self.offset(x), self.mask(x).sigmoid()))  # type: ignore[no-any-return]


class Picture(nn.Sequential):
    def __init__(self) -> None:
        super().__init__()
        self.first = Block(3)
        self.second = Block(8, nn.SiLU)
        self.last = ops.SqueezeExcitation(8, 2, scale_activation=nn.Hardsigmoid)


def test_network_of_deformable_convolutions_and_excitation_is_torchvisions() -> None:
    torch.manual_seed(0)
    ours: nn.Module = compile(Source("picture.net", PICTURE)).load()
    torch.manual_seed(0)
    other: nn.Module = Picture()
    assert list(ours.state_dict()) == list(other.state_dict())
    assert all(map(torch.equal, ours.state_dict().values(), other.state_dict().values()))
    ours, other = ours.double(), other.double()
    input = torch.randn(2, 3, 12, 10).double()
    for training in (False, True):
        outputs = [module.train(training)(input) for module in (ours, other)]
        gradients = [
            torch.autograd.grad(output.square().sum(), list(module.parameters()))
            for output, module in zip(outputs, (ours, other), strict=True)
        ]
        assert torch.allclose(*outputs, rtol=1e-12, atol=1e-12)
        assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("Tanh", "the layer `Tanh`"),
        ("relu", "the function `relu`"),
        ("LeakyReLU(0.1)", "a layer that is not placed yet"),
        ('"ReLU"', '"ReLU"'),
        ("none", "none"),
    ],
)
def test_activation_that_is_no_option_is_refused(given: str, found: str) -> None:
    text = f'needs "netc-vision"\n\nnet A:\n    input 3x8x8\n    SqueezeExcitation(4, activation={given})\n'
    with pytest.raises(SpecError) as caught:
        compile(Source("a.net", text))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == f"`activation` must be one of `ReLU`, `SiLU`, `GELU`, `Hardswish`, not {found}"


def test_emitted_network_holds_each_class_once_and_needs_torch_alone(tmp_path: Path) -> None:
    source = compile(Source("picture.net", PICTURE)).model_source
    tree = ast.parse(source)
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert defined == ["pair", "sample", "DeformConv2d", "SqueezeExcitation", "Block", "Picture"]
    assert "self.first = Block(3)\n        self.second = Block(8, act=nn.SiLU)" in source
    assert "self.last = SqueezeExcitation(8, 2, scale_activation=nn.Hardsigmoid)" in source
    script = tmp_path / "picture.py"
    use = "assert Picture()(torch.zeros(1, 3, 12, 10)).shape == (1, 8, 12, 10)"
    lack = "import sys\nassert not {'netc', 'netc_vision', 'torchvision'} & set(sys.modules)"
    script.write_text(f"{source}\n\n{use}\n{lack}\n")
    done = subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
