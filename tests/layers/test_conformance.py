"""Every layer that netc_std registers against the PyTorch object it stands for; and what PyTorch does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest

import netc_std
from netc.layer import Example, Int, Layer, Reject
from netc.registry import Registry
from netc.shapes import Value
from netc.terms import Ledger, Symbol, Term
from netc.testing import check_layer
from netc.testing.cases import read_call

REGISTRY = Registry()
REGISTRY.add("layers", "std", netc_std.netc_layers())
LAYERS = list(dict.fromkeys(REGISTRY.layer(name) for name in REGISTRY.names("layers")))
every_layer = pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)


@every_layer
@pytest.mark.filterwarnings("ignore")
def test_rule_agrees_with_torch(cls):
    report = check_layer(cls, configurations=25)
    assert report.ok, report


@pytest.mark.nightly
@every_layer
@pytest.mark.filterwarnings("ignore")
def test_rule_agrees_with_torch_at_length(cls):
    report = check_layer(cls, configurations=500, seed=1)
    assert report.ok, report
    assert report.valid + report.invalid + report.stricter >= 200, report


@every_layer
def test_is_documented(cls):
    assert cls.summary().rstrip(".") and cls.examples
    assert all(field.doc for field in cls.fields.values())


class Wrong(Layer):
    """A flatten that takes torch's name and gets everything wrong that it can."""

    module = "torch.nn.Flatten"
    start_dim = Int(0)
    end_dim = Int(-1, min=-1)
    examples = (Example("3x4", "Wrong(1)", "13"),)

    def infer(self, input: Value) -> Value:
        if input.rank > 3:
            raise Reject("too many dimensions")
        return input.with_shape((*input.shape[:-2], input.shape[-1]))


@pytest.mark.parametrize(
    "complaint",
    [
        "torch.nn.Flatten: `start_dim` is 0 here and 1 in torch",
        "example module(start_dim=1) on (2, 3, 4): says (2, 13), gives (2, 4)",
        "module(start_dim=1) on (2, 3, 4): gives (2, 4), torch (2, 12)",
        "refused (too many dimensions), torch gives",
        "torch refuses (IndexError: Dimension out of range",
    ],
)
def test_a_wrong_rule_is_found_out(complaint):
    report = check_layer(Wrong, configurations=200)
    assert not report.ok
    assert complaint in "\n".join(report.disagreements)


class Misplaced(Layer):
    """A rule that loses the channels."""

    function = "torch.relu"
    examples = (Example("4", "relu", "4"),)

    def infer(self, input: Value) -> Value:
        return replace(input, channel=input.rank)


def test_channels_that_do_not_exist_are_found_out():
    assert "says that the channels of (2, 4) are in a dimension which does not exist" in str(check_layer(Misplaced))


class Halved(Layer):
    """A rule that is right for numbers and wrong for symbols."""

    function = "torch.relu"
    examples = (Example("4", "relu", "4"),)

    def infer(self, input: Value) -> Value:
        return input.with_shape(size * 2 // 3 if isinstance(size, Term) else size for size in input.shape)


def test_a_rule_that_is_wrong_for_symbols_is_found_out():
    assert "gives (" in str(check_layer(Halved, configurations=50))


def apply(text: str, *values: Value):
    name = text.partition("(")[0]
    cls = REGISTRY.layer(name)
    assert cls is not None, name
    return cls.bind((), read_call(text, cls)[1]).infer(*values)


N, H, W = (Term.atom(Symbol(name, Ledger())) for name in "NHW")
PICTURE = Value((N, 16, H, W))


@pytest.mark.parametrize(
    ("text", "value", "shape", "channel"),
    [
        ("flatten", Value((N, 16, 4, 4)), "(N, 256)", 1),
        ("flatten(2)", PICTURE, "(N, 16, H * W)", 1),
        ("flatten(0, 1)", Value((N, 7, 16), channel=2), "(7 * N, 16)", 1),
        ("permute(0, 2, 3, 1)", PICTURE, "(N, H, W, 16)", 3),
        ("transpose(1, 2)", Value((N, 768, 196)), "(N, 196, 768)", 2),
        ("reshape(-1, 1, 28, 28)", Value((N, 784)), "(N, 1, 28, 28)", None),
        ("unflatten(1, (64, 4, 4))", Value((N, 1024)), "(N, 64, 4, 4)", 1),
        ("squeeze((2, 3))", Value((N, 16, 1, 1)), "(N, 16)", 1),
        ("unsqueeze(-1)", Value((N, 16)), "(N, 16, 1)", 1),
        ("unsqueeze(1)", Value((N, 28, 28)), "(N, 1, 28, 28)", None),
        ("mean((2, 3))", PICTURE, "(N, 16)", 1),
        ("mean(1)", Value((N, 7, 16), channel=2), "(N, 16)", 1),
        ("mean(1)", PICTURE, "(N, H, W)", None),
        ("select(1, 0)", Value((N, 7, 16), channel=2), "(N, 16)", 1),
        ("interpolate(scale_factor=2)", PICTURE, "(N, 16, 2 * H, 2 * W)", 1),
        ("interpolate(scale_factor=0.5)", PICTURE, "(N, 16, H // 2, W // 2)", 1),
        ("pad((1, 1, 2, 2))", PICTURE, "(N, 16, H + 4, W + 2)", 1),
        ("pixel_shuffle(2)", PICTURE, "(N, 4, 2 * H, 2 * W)", 1),
    ],
)
def test_channels_and_symbols(text, value, shape, channel):
    result = apply(text, value)
    assert (str(result), result.channel) == (shape, channel)


def test_parts_and_joints_follow_the_channels():
    left, right = apply("chunk(2)", PICTURE)
    assert str(left) == str(right) == "(N, 8, H, W)"
    last = Value((N, 7, 16), channel=2)
    assert str(apply("cat", last, last)) == "(N, 7, 32)"
    cat = REGISTRY.layer("cat")
    assert cat is not None and cat.bind((), {}).function_arguments(last, last) == {"dim": 2}
    unknown = Value((N, 7, 16), channel=None)
    with pytest.raises(Reject, match="not known which dimension holds the channels"):
        apply("cat", unknown, unknown)


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        (
            "add",
            (Value((N, 64, 8, 8)), Value((N, 32, 8, 8))),
            "64 and 32 in dimension 1",
        ),
        (
            "cat",
            (Value((N, 16, 8, 8)), Value((N, 16, 7, 8))),
            "(N, 16, 8, 8) and (N, 16, 7, 8) differ in dimension 2: 8 and 7",
        ),
        (
            "matmul",
            (Value((N, 9, 16)), Value((8, 4))),
            "(N, 9, 16) times (8, 4): the rows of the first have 16 values, the columns of the second 8",
        ),
        ("reshape(-1, 5)", (Value((2, 8)),), "(2, 8) cannot become (-1, 5): 5 does not divide 16"),
        ("reshape(3, 5)", (Value((2, 8)),), "(2, 8) holds 16 values and (3, 5) 15"),
        ("squeeze(2)", (PICTURE,), "dimension 2 of (N, 16, H, W) is H, which may or may not be 1"),
        ("softmax(dim=4)", (PICTURE,), "there is no dimension 4 among 4"),
        ("split((4, 8))", (PICTURE,), "the parts (4, 8) sum to 12 and dimension 1 of (N, 16, H, W) is 16"),
    ],
)
def test_refusals(text, values, message):
    with pytest.raises(Reject) as caught:
        apply(text, *values)
    assert str(caught.value) == message
