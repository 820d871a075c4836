"""Weights from files: what is read, what is renamed, and what is said where they do not fit."""

import re
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import netc
from netc.files import FileError
from netc.weights import WeightsError

TEXT = """
net Small(classes=4):
    input 3x8x8
    conv: Conv(6, 3, bias=false)
    norm: BatchNorm
    relu; mean((2, 3))
    fc: Linear(classes)
"""


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return netc.loads(TEXT).state_dict()


def same(module: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, state[key]) for key, tensor in module.state_dict().items())


def test_a_state_dict_and_its_file(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "small.pth")
    assert not same(netc.loads(TEXT), state)
    assert same(netc.loads(TEXT, weights=state), state)
    assert same(netc.loads(TEXT, weights=tmp_path / "small.pth"), state)
    assert same(netc.loads(TEXT, weights=str(tmp_path / "small.pth")), state)


def test_a_checkpoint_of_a_script(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save({"model": state, "optimizer": {"state": {}}, "epoch": 3}, tmp_path / "last.pt")
    assert same(netc.loads(TEXT, weights=tmp_path / "last.pt"), state)


def test_safetensors(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    torch_files.save_file(state, tmp_path / "small.safetensors")
    assert same(netc.loads(TEXT, weights=tmp_path / "small.safetensors"), state)
    (tmp_path / "text.safetensors").write_text("weights")
    with pytest.raises(WeightsError, match=r"text\.safetensors is not a file of safetensors"):
        netc.loads(TEXT, weights=tmp_path / "text.safetensors")


def test_safetensors_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(WeightsError, match="needs a package: `pip install safetensors`"):
        netc.loads(TEXT, weights=tmp_path / "small.safetensors")


def test_counts_of_batches_may_lack(state: dict[str, torch.Tensor]) -> None:
    old = {key: tensor for key, tensor in state.items() if not key.endswith("num_batches_tracked")}
    assert same(netc.loads(TEXT, weights=old), state)


def test_renaming(state: dict[str, torch.Tensor]) -> None:
    other = {re.sub(r"^norm\.", "bn.1.", f"{key}"): tensor for key, tensor in state.items()}
    assert same(netc.loads(TEXT, weights=other, rename={r"bn\.(\d)": r"norm\1", "norm1": "norm"}), state)


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        ({"layer": "norm"}, "renaming by 'layer' changes no key of the state dict"),
        ({r"\.(weight|bias)$": ".value"}, "makes `norm.value` of both `norm.weight` and `norm.bias`"),
        ({"(": ""}, "cannot rename by '(': missing ), unterminated subpattern at position 0"),
    ],
)
def test_renaming_that_does_not_work(state: dict[str, torch.Tensor], rename: dict[str, str], said: str) -> None:
    with pytest.raises(WeightsError, match=re.escape(said)):
        netc.loads(TEXT, weights=state, rename=rename)


def test_renaming_nothing() -> None:
    with pytest.raises(ValueError, match="`rename` is for the keys of `weights`, and none are given"):
        netc.loads(TEXT, rename={"a": "b"})


def test_every_misfit_is_named(state: dict[str, torch.Tensor]) -> None:
    state["norms.weight"] = state.pop("norm.weight")
    state["head.weight"] = torch.zeros(9, 9)
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=state, classes=7)
    assert str(caught.value) == (
        "the state dict does not fit Small\n"
        "  only in the network:\n"
        "    norm.weight (6,)\n"
        "  only in the weights:\n"
        "    norms.weight (6,), did you mean norm.weight?\n"
        "    head.weight (9, 9)\n"
        "  of another shape:\n"
        "    fc.weight is (4, 6) in the weights and (7, 6) in the network\n"
        "    fc.bias is (4,) in the weights and (7,) in the network"
    )
    assert caught.value.missing == ("norm.weight",)
    assert caught.value.unexpected == ("norms.weight", "head.weight")
    assert caught.value.mismatched == {"fc.weight": ((4, 6), (7, 6)), "fc.bias": ((4,), (7,))}


def test_other_sizes(state: dict[str, torch.Tensor]) -> None:
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=state, classes=7)
    assert str(caught.value).endswith("help: give the network the parameters that the weights were made with")


def test_a_prefix_of_all_keys(state: dict[str, torch.Tensor]) -> None:
    wrapped = {f"module.{key}": tensor for key, tensor in state.items()}
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=wrapped)
    assert str(caught.value).endswith('help: `rename={r"^module\\.": ""}` takes `module.` off each key')
    assert same(netc.loads(TEXT, weights=wrapped, rename={r"^module\.": ""}), state)


def test_nothing_is_copied_if_something_lacks(state: dict[str, torch.Tensor]) -> None:
    from netc.weights import load_weights

    module = netc.loads(TEXT)
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    with pytest.raises(WeightsError):
        load_weights(module, {"conv.weight": state["conv.weight"]})
    assert same(module, before)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        netc.loads(TEXT, weights=tmp_path / "absent.pth")
    (tmp_path / "text.pth").write_text("weights")
    with pytest.raises(WeightsError, match=r"text\.pth is not a file of `torch\.save`"):
        netc.loads(TEXT, weights=tmp_path / "text.pth")
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    with pytest.raises(WeightsError, match=r"would run code; save a `state_dict\(\)` instead"):
        netc.loads(TEXT, weights=tmp_path / "module.pth")
    torch.save({"state_dict": {}, "epoch": 3}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="it holds `state_dict`, `epoch`, which are no tensors"):
        netc.loads(TEXT, weights=tmp_path / "other.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="holds list, not a state dict"):
        netc.loads(TEXT, weights=tmp_path / "list.pth")
