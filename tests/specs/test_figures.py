"""The recipes of the shipped networks reach what figures.toml says; the page of networks lists each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from tests.recipes.test_folders import draw
from tests.specs.test_shipped import train

import netc

ROOT = Path(__file__).parents[2]
FIGURES = tomllib.loads((Path(__file__).parent / "figures.toml").read_text(encoding="utf-8"))["figure"]
PAGE = ROOT / "docs" / "networks.md"


def cases() -> list[Any]:
    return [pytest.param(f, id=f["spec"], marks=[] if f.get("quick") else [pytest.mark.nightly]) for f in FIGURES]


@pytest.mark.parametrize("case", cases())
def test_reaches_its_figure(case: dict[str, Any], tmp_path: Path) -> None:
    path = ROOT / "specs" / f"{case['spec']}.net"
    if "pictures" in case:
        draw(tmp_path / case["pictures"], 60)
    (row, *_), _ = train(path, case.get("recipe"), tmp_path, net=case.get("net"))
    reached = row[case["figure"]]
    assert case.get("least", reached) <= reached <= case.get("most", reached)


def test_the_page_lists_every_network() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for path in sorted((ROOT / "specs").glob("*.net")):
        assert f"[{path.stem}](../specs/{path.name})" in page
    for case in FIGURES:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| [{case['spec']}](")]
        assert case["figure"].replace("_", " ") in line
        if "net" in case:
            assert f"`{case['net']}`" in line


def nearest(pictures: torch.Tensor, others: torch.Tensor) -> float:
    """How far each picture is from the nearest of the others, on average: the root mean square, seen at 8 x 8."""
    one, other = (F.interpolate(each, size=(8, 8), mode="area").flatten(1) for each in (pictures, others))
    return torch.cdist(one, other).min(1).values.mean().item() / 8


@pytest.mark.nightly
def test_a_generator_draws_digits(tmp_path: Path) -> None:
    """Each of its pictures is near to a digit, each digit is near to one of its pictures; digits themselves are 0.2."""
    spec = ROOT / "specs" / "dcgan.net"
    torch.manual_seed(0)
    noise = torch.randn(360, 32, 1, 1)
    digits = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    digits = F.interpolate(digits, size=(64, 64), mode="bilinear")
    assert nearest(digits[:360], digits[360:]) < 0.2
    untrained: Any = netc.load(spec, "dcgan_small").eval()
    assert nearest(untrained.generator(noise), digits) > 0.6
    logs, folder = train(spec, "digits", tmp_path, net="dcgan_small")
    assert set(logs[0]["losses"]) == {"discriminator", "generator"}
    model: Any = netc.load(spec, "dcgan_small", weights=folder / "last.pt").eval()
    with torch.inference_mode():
        pictures = model.generator(noise)
    assert nearest(pictures, digits) < 0.3 and nearest(digits, pictures) < 0.33


def test_both_losses_of_an_adversarial_pair_are_told(tmp_path: Path) -> None:
    """And what the generator has learnt draws pictures in a module that is loaded."""
    dcgan = ROOT / "specs" / "dcgan.net"
    logs, folder = train(dcgan, "digits", tmp_path, "--epochs", "1", net="dcgan_small")
    assert set(logs[0]["losses"]) == {"discriminator", "generator"}
    model: Any = netc.load(dcgan, "dcgan_small", weights=folder / "last.pt").eval()
    pictures = model.generator(torch.randn(4, 32, 1, 1))
    assert pictures.shape == (4, 1, 64, 64) and pictures.std() > 0
