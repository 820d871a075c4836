"""torchvision's weights in our networks, as torchvision itself loads the same files."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.specs.comparing import fill
from tests.torchvision.reference import MODELS
from torch import Tensor, nn
from torchvision.models import VisionTransformer, densenet

import netc

VIT = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 24, "image_size": 32}


def filled(module: nn.Module) -> nn.Module:
    fill(module)
    return module.eval()


def renaming(name: str) -> dict[str, str]:
    """What the comment beside a network says of its published weights."""
    (text,) = re.findall(r"rename=(\{.*\})", MODELS[name].spec.read_text(encoding="utf-8"))
    found = eval(text)
    assert isinstance(found, dict)
    return found


def assert_loads_as(theirs: nn.Module, name: str, file: Path, shape: tuple[int, ...], **options: Any) -> None:
    ours = netc.load(MODELS[name].spec, name, weights=file, **options).eval()
    assert all(torch.equal(tensor, theirs.state_dict()[key]) for key, tensor in ours.state_dict().items())
    picture = torch.randn(1, *shape)
    assert torch.equal(ours(picture), theirs.eval()(picture))


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "googlenet", "swin_t"])
@torch.no_grad()
def test_a_file_of_weights(tmp_path: Path, name: str) -> None:
    theirs = filled(MODELS[name].reference())
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    assert_loads_as(theirs, name, tmp_path / "weights.pth", MODELS[name].shape)


def test_a_file_of_safetensors(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    theirs = filled(MODELS["resnet18"].reference())
    save_file(theirs.state_dict(), tmp_path / "resnet18.safetensors")
    with torch.no_grad():
        assert_loads_as(theirs, "resnet18", tmp_path / "resnet18.safetensors", (3, 64, 64))


@torch.no_grad()
def test_densenet_as_it_is_published(tmp_path: Path) -> None:
    """With `norm.1` for `norm1`, and of a time when norms counted nothing."""
    state = filled(MODELS["densenet121"].reference()).state_dict()
    published = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): tensor for key, tensor in state.items()}
    published = {key: tensor for key, tensor in published.items() if not key.endswith("num_batches_tracked")}
    torch.save(published, tmp_path / "densenet121.pth")
    theirs = MODELS["densenet121"].reference()
    weights = SimpleNamespace(get_state_dict=lambda **_: torch.load(tmp_path / "densenet121.pth", weights_only=True))
    densenet._load_state_dict(theirs, weights, False)
    shape = MODELS["densenet121"].shape
    assert_loads_as(theirs, "densenet121", tmp_path / "densenet121.pth", shape, rename=renaming("densenet121"))


@pytest.fixture
def published_vit(tmp_path: Path) -> Path:
    """With `linear_1` for `0` and `linear_2` for `3`, and without the versions of a `state_dict()`."""
    numbers = {"0": "linear_1", "3": "linear_2"}
    state = filled(VisionTransformer(**VIT)).state_dict()
    published = {re.sub(r"mlp\.(\d)", lambda found: f"mlp.{numbers[found[1]]}", key): t for key, t in state.items()}
    torch.save(published, tmp_path / "vit.pth")
    return tmp_path / "vit.pth"


def loaded_vit(file: Path) -> nn.Module:
    theirs: nn.Module = VisionTransformer(**VIT)
    theirs.load_state_dict(torch.load(file, weights_only=True))
    return theirs


@torch.no_grad()
def test_vit_as_it_is_published(published_vit: Path) -> None:
    theirs = loaded_vit(published_vit)
    assert_loads_as(theirs, "vit_b_16", published_vit, (3, 32, 32), rename=renaming("vit_b_16"), **VIT)


@pytest.mark.parametrize("name", ["densenet121", "vit_b_16"])
def test_the_message_says_how_to_rename(name: str, published_vit: Path) -> None:
    """Who did not read the comment is told a renaming that makes published weights fit."""
    params: dict[str, Any] = VIT
    weights: Any = published_vit
    if name == "densenet121":
        params = {"block_config": (2, 3)}
        state = MODELS[name].load(**params).state_dict()
        weights = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): t for key, t in state.items()}
    with pytest.raises(ValueError, match=r"makes all keys fit$") as caught:
        MODELS[name].load(weights=weights, **params)
    (text,) = re.findall(r"rename=(\{.*\})` makes", str(caught.value))
    assert MODELS[name].load(weights=weights, rename=eval(text), **params)


def test_torchvision_renames_nothing_else() -> None:
    """Where its networks that the specs say have loading of their own, there is a test above."""
    modules, builders = set(), set()
    for model in {model.family: model for model in MODELS.values()}.values():
        with torch.device("meta"):
            theirs = model.reference()
        builders |= {model.family} if hasattr(sys.modules[type(theirs).__module__], "_load_state_dict") else set()
        for kind in {type(module) for module in theirs.modules()}:
            own = kind._load_from_state_dict.__module__.startswith("torchvision")
            modules |= {kind.__name__} if own else set()
    assert (modules, builders) == ({"MLPBlock"}, {"densenet"})


def test_weights_of_another_variant() -> None:
    state: dict[str, Tensor] = MODELS["shufflenet_v2_x0_5"].reference().state_dict()
    with pytest.raises(ValueError, match=r"help: these are weights of `shufflenet_v2_x0_5`$"):
        MODELS["shufflenet_v2_x1_0"].load(weights=state)
    with pytest.raises(ValueError, match=r"help: these are weights of `shufflenet_v2_x0_5` as the file has it$"):
        MODELS["shufflenet_v2_x0_5"].load(weights=state, classes=10)
