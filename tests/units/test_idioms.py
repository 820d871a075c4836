"""What other frameworks call things: each name of the tables leads to something that can be written here."""

from __future__ import annotations

import pytest

from netc.diagnostics import Source, SpecError
from netc.pipeline import compile
from netc.plugins import load_registry

REGISTRY = load_registry()
LAYERS = REGISTRY.names("layers")
CLASSES = [cls for name in LAYERS if (cls := REGISTRY.layer(name)) is not None]
JOINS = ("fork add", "fork cat")


@pytest.mark.parametrize("name", REGISTRY.foreign)
def test_foreign_name_leads_to_a_layer(name):
    written = REGISTRY.foreign[name]
    assert name not in LAYERS, "a name that can be written needs no way out"
    assert written in JOINS or written.partition("(")[0] in LAYERS


def test_foreign_arguments_are_fields_somewhere():
    told = {(word, field) for cls in CLASSES for word, field in cls.elsewhere.items()}
    held = {(word, field) for cls in CLASSES for word, field in cls.elsewhere.items() if field in cls.fields}
    assert told and told == held
    assert not any(word in cls.fields for cls in CLASSES for word in cls.elsewhere)


SPELLED = {
    "nn.Conv2d(3, 64, 3, padding=1)": "Conv(64, 3, padding=1)",
    "nn.Conv2d(in_channels=3, out_channels=64, kernel_size=3)": "Conv(out_channels=64, kernel_size=3)",
    "nn.Conv2d(3, 64, 3, bias=False)": "Conv(64, 3, bias=false)",
    "Conv2d(64, 3)": "Conv(64, 3)",
    "torch.nn.BatchNorm2d(3)": "BatchNorm",
    "keras.layers.Conv2D(filters=8, kernel_size=3, strides=2)": "Conv(out_channels=8, kernel_size=3, stride=2)",
    "nn.MaxPool2d(2, stride=2)": "MaxPool(2, stride=2)",
    "nn.ReLU(inplace=True)": "ReLU(inplace=true)",
    "nn.ConvTranspose2d(3, 8, 2, stride=2)": "ConvTranspose(8, 2, stride=2)",
}


@pytest.mark.parametrize("call", SPELLED)
def test_spelling_is_right_as_it_is_written(call):
    """What the message says to write is in it, and compiles."""
    spec = "net A:\n    input 3x32x32\n    a: {}\n    relu\n"
    with pytest.raises(SpecError) as caught:
        compile(Source("a.net", spec.format(call)))
    (found,) = caught.value.diagnostics
    assert f"`{SPELLED[call]}`" in (found.help or "")
    assert compile(Source("a.net", spec.format(SPELLED[call]))).diagnostics == ()
