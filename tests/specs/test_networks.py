"""The specs that we ship are their hand-written twins, at every setting, and start as they do."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.specs.comparing import assert_same, assert_same_state
from tests.specs.networks import NETWORKS, SPECS, Network
from tests.specs.starting import unlike_starts

import netc
from netc.diagnostics import Source
from netc.live import load_source
from netc.naming import python_name
from netc.pipeline import nets

ALIKE = ("lenet5", "lenet_functional", "lenet_sequential", "lenet_named", "lenet_sigmoid", "mnist_dropout", "googlenet",
         "residual", "small_cnn", "linear_regression", "unet", "tcn")  # fmt: skip
"""Specs whose modules print as their twins' do."""
FROZEN = {
    "DCGAN": {"blur"},
    "LayerNorms": {"norm"}, "layer_norm": {"norm"}, "instance_norm": {"norm"}, "group_norm": {"norm"},
    "lenet_sigmoid": {"reshape"}, "lenet_sigmoid_reshape": {"reshape"},
}  # fmt: skip
"""By what makes the twin, parameters that select what there is, and are no arguments of the class therefore."""
LARGE = [
    ("bert", "BERT", {}),
    ("bert", "BERT", {"depth": 24, "heads": 16, "width": 1024, "hidden": 4096}),
    ("gpt2", "GPT", {}),
    ("gpt2", "GPT", {"depth": 48, "heads": 25, "width": 1600}),
    ("siamese_pair", "SiamesePair", {}),
    ("unet", "UNet", {}),
    ("dcgan", "DCGAN", {}),
]
every_network = pytest.mark.parametrize(
    "network",
    [pytest.param(n, id="-".join([n.spec, n.factory, *map(str, n.given.values())])) for n in NETWORKS],
)


@every_network
def test_equals_its_twin(network: Network) -> None:
    assert assert_same(network.ours, network.theirs, *network.inputs)
    printed = repr(network.theirs())
    if network.spec in ALIKE and network.factory not in ("LinearRegression", "HandMade") and "Reshape" not in printed:
        # Children, arguments and order; the class names are the author's.
        assert members(repr(network.ours())) == members(printed)


def members(text: str) -> list[str]:
    return [re.sub(r"\w+\($", "", line) for line in text.splitlines()[1:]]


@every_network
def test_emitted_class_takes_the_settings(network: Network) -> None:
    """The class that stands in the script, made for the defaults, is the twin at other settings, too."""
    compiled = netc.compile(network.path, network.net)
    built = load_source(compiled.model_source, compiled.model.class_name, network.spec)
    stated = {python_name(name) for name in compiled.graph.parameters}
    assert set(signature(built).parameters) == stated - FROZEN.get(network.factory, set())
    assert assert_same(partial(built, **network.given), network.theirs, *network.inputs)


@every_network
def test_starts_as_its_twin(network: Network) -> None:
    torch.manual_seed(0)
    ours = network.ours()
    torch.manual_seed(1)
    assert unlike_starts(ours, network.theirs()) == {}


@pytest.mark.parametrize(("spec", "net", "given"), LARGE)
def test_large_ones_have_the_same_state(spec: str, net: str, given: dict[str, Any]) -> None:
    network = Network(spec, net, net, (), given)
    assert_same_state(network.ours, network.theirs)


def test_every_net_is_compared() -> None:
    compared = {(network.spec, network.net) for network in NETWORKS}
    for path in SPECS:
        source = Source(path.name, path.read_text(encoding="utf-8"))
        first, *others = (name for name in nets(source) if f"\nnet {name}" in source.text)
        assert {(path.stem, None), (path.stem, first)} & compared, path.stem
        assert {(path.stem, name) for name in others} <= compared, path.stem


def test_emitted_modules_are_clean(tmp_path: Path) -> None:
    for network in {(n.spec, n.net): n for n in NETWORKS}.values():
        source = netc.compile(network.path, network.net).model_source
        (tmp_path / f"{network.spec}_{network.factory}.py").write_text(source.rstrip("\n") + "\n", encoding="utf-8")
    for command in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--check", "--diff"]):
        line = [sys.executable, "-m", "ruff", *command, "--isolated", str(tmp_path)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
