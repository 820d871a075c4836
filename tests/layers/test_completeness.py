"""netc has what PyTorch has, but for what is left out for a reason."""

from __future__ import annotations

import pytest
from tests.layers.completeness import THEIRS, missing, omissions, ours, std

from netc.layer import Layer
from netc.plugins import load_registry

every_area = pytest.mark.parametrize("area", THEIRS)


@every_area
def test_what_is_missing_has_a_reason(area: str) -> None:
    assert [name for name, reason in missing(std(), area).items() if not reason] == []


@every_area
def test_nothing_is_called_missing_that_is_there(area: str) -> None:
    assert omissions()[area].keys() & ours(std(), area) == set()


def test_each_area_is_compared() -> None:
    assert omissions().keys() == THEIRS.keys()
    assert all(len(theirs()) > 10 for theirs in THEIRS.values())
    assert {"Conv2d", "LSTM", "TransformerEncoderLayer"} <= ours(std(), "modules")


def test_a_name_without_reason_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(THEIRS, "optimizers", lambda: {"SGD", "Novel"})
    assert missing(std(), "optimizers") == {"Novel": ""}


def test_every_layer_says_what_it_multiplies() -> None:
    registry = load_registry()
    layers = [registry.find("layers", name) for name in registry.names("layers")]
    assert [cls.__name__ for cls in layers if not cls.free and cls.multiply_adds is Layer.multiply_adds] == []
