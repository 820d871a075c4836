"""torchvision's weights in our networks."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from tests.torchvision.reference import MODELS, SPECS

import netc


def test_a_file_of_weights(tmp_path: Path) -> None:
    theirs = MODELS["resnet18"].reference().eval()
    torch.save(theirs.state_dict(), tmp_path / "resnet18.pth")
    ours = netc.load(SPECS / "resnet.net", "resnet18", weights=tmp_path / "resnet18.pth").eval()
    picture = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(picture), theirs(picture))


def test_densenet_as_it_is_published() -> None:
    """Its published keys have `norm.1` for `norm1`; the spec says how to rename them."""
    theirs = MODELS["densenet121"].reference().state_dict()
    published = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): t for key, t in theirs.items()}
    assert published.keys() != theirs.keys()
    (line,) = [line for line in MODELS["densenet121"].spec.read_text().splitlines() if "rename=" in line]
    (pattern, replacement) = re.findall(r'r"(.*?)"', line)
    ours = netc.load(SPECS / "densenet.net", weights=published, rename={pattern: replacement})
    assert all(torch.equal(t, theirs[key]) for key, t in ours.state_dict().items())
