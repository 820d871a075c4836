"""Whether every data set of torchvision is said by a source of a recipe, or has a reason to have none."""

from __future__ import annotations

import tomllib
from importlib import import_module

import pytest
from tests.torchvision.reference import HERE

import netc_std

datasets = pytest.importorskip("torchvision.datasets")
TABLE: dict[str, list[str] | str] = tomllib.loads((HERE / "datasets.toml").read_text(encoding="utf-8"))
NAMES = [
    name for name in datasets.__all__
    if isinstance(cls := getattr(datasets, name), type) and issubclass(cls, datasets.VisionDataset)
]  # fmt: skip


@pytest.mark.parametrize("name", sorted({*NAMES} - {"VisionDataset"}))
def test_every_set_is_listed(name: str) -> None:
    assert TABLE.get(name), f"tests/torchvision/datasets.toml says no source of {name}, and no reason"


def test_every_source_is_listed() -> None:
    """Those of torchvision's sets, and no other; a set without one has no source of its name."""
    said = {source for sources in TABLE.values() if isinstance(sources, list) for source in sources}
    files = ("images", "imagefiles", "masks", "folders")
    assert sorted(said) == sorted(name for file in files for name in netc_std.DATA[f"netc_std.{file}"].split())
    assert not {name for name, said in TABLE.items() if isinstance(said, str)} & netc_std.netc_data().keys()


def test_the_classes_of_flowers_are_torchvisions() -> None:
    """Which knows those of the other sets from their files."""
    flowers = import_module("netc_std.imagefiles").Flowers102
    known = getattr(datasets.Flowers102, "classes", None)  # from torchvision 0.22 on
    assert known is None or len(known) == flowers.classes
