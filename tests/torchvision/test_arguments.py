"""Whether every argument of torchvision's constructors has a parameter in the specs, or a reason to have none."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from tests.torchvision.reference import HERE, MODELS, SPECS
from tests.torchvision.test_parameters import CASES

from netc import syntax
from netc.diagnostics import Source
from netc.files import read_text
from netc.parse import parse

TABLE: dict[str, dict[str, Any]] = tomllib.loads((HERE / "arguments.toml").read_text(encoding="utf-8"))
FAMILIES = sorted({model.family for model in MODELS.values()})


def arguments(places: list[str]) -> Iterator[str]:
    """The names of what torchvision's constructors take."""
    for place in places:
        module, _, path = place.partition(":")
        found: Any = import_module(f"torchvision.models.{module}")
        for name in path.split("."):
            found = getattr(found, name)
        yield from inspect.signature(found).parameters


def parameters(family: str) -> set[str]:
    """What the net of a spec takes."""
    path = SPECS / f"{family}.net"
    items = parse(Source(path.name, read_text(path))).items
    (net,) = [item for item in items if isinstance(item, syntax.Define) and item.kind == "net"]
    return {param.name for param in net.params}


def said_by(row: dict[str, Any]) -> dict[str, list[str]]:
    return {name: said for name, said in row.items() if name != "of" and isinstance(said, list)}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_argument_is_listed(family: str) -> None:
    row = TABLE[family]
    assert sorted(set(arguments(row["of"]))) == sorted(row.keys() - {"of"})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_is_listed(family: str) -> None:
    listed = {name for names in said_by(TABLE[family]).values() for name in names}
    assert listed == parameters(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_is_tried(family: str) -> None:
    """At another value than in the network that the case starts from."""
    tried = {name for case in CASES if MODELS[case.name].family == family for name in case.params}
    assert parameters(family) - tried == set()


def test_no_family_is_left_out() -> None:
    assert sorted(TABLE) == FAMILIES


def test_a_new_argument_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import alexnet

    monkeypatch.setattr(import_module("torchvision.models.alexnet"), "AlexNet", lambda num_classes, depth: alexnet)
    with pytest.raises(AssertionError, match="depth"):
        test_every_argument_is_listed("alexnet")
