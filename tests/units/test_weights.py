"""Weights from files: what is read, what is renamed, and what is said where they do not fit."""

import io
import os
import pickle
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torchvision import models

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


def averaged(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What `torch.optim.swa_utils.AveragedModel` makes of it, as a script with `ema` saves it."""
    module = netc.loads(TEXT)
    module.load_state_dict(state)
    return AveragedModel(module).state_dict()


def test_an_average_of_a_script(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """A checkpoint with both gives what its script evaluates and exports: the average."""
    torch.save({"model": netc.loads(TEXT).state_dict(), "average": averaged(state)}, tmp_path / "last.pt")
    assert same(netc.loads(TEXT, weights=tmp_path / "last.pt"), state)
    assert same(netc.loads(TEXT, weights=averaged(state)), state)
    state.pop("fc.bias")
    torch.save({"average": {f"module.{key}": t for key, t in state.items()}}, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match=r"last\.pt does not fit Small"):
        netc.loads(TEXT, weights=tmp_path / "last.pt")


def test_safetensors(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    torch_files.save_file(state, tmp_path / "small.safetensors")
    assert same(netc.loads(TEXT, weights=tmp_path / "small.safetensors"), state)
    torch_files.save_file(state, tmp_path / "small.bin")
    assert same(netc.loads(TEXT, weights=tmp_path / "small.bin"), state)
    torch.save(state, tmp_path / "torch.safetensors")
    assert same(netc.loads(TEXT, weights=tmp_path / "torch.safetensors"), state)
    torch_files.save_file({"blocks.0.w": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(WeightsError, match=r"foreign\.safetensors does not fit Small"):
        netc.loads(TEXT, weights=tmp_path / "foreign.safetensors")
    for size in (20, 300):
        (tmp_path / "cut.safetensors").write_bytes((tmp_path / "small.bin").read_bytes()[:size])
        with pytest.raises(WeightsError, match=r"cut\.safetensors is a damaged file of safetensors: .*header"):
            netc.loads(TEXT, weights=tmp_path / "cut.safetensors")


def test_safetensors_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    (tmp_path / "small.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")
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
        ({"norm": 3}, "cannot rename by 'norm': "),
        ({3: "norm"}, "cannot rename by 3: first argument must be string or compiled pattern"),
        (["norm"], '`rename` maps patterns to texts, `{"old": "new"}`, and is not a list'),
    ],
)
def test_renaming_that_does_not_work(state: dict[str, torch.Tensor], rename: Any, said: str) -> None:
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


def test_other_sizes() -> None:
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=netc.loads(TEXT, classes=5).state_dict(), classes=7)
    assert str(caught.value).endswith("help: give the network the parameters that the weights were made with")


@pytest.mark.parametrize(
    ("names", "rename", "count"),
    [
        ((r"^", "module."), r"""{r"^module\.": ""}""", "all"),
        ((r"\bnorm\b", "bn.1"), r"""{r"\bbn\.1\b": "norm"}""", "all"),
        ((r"^(conv|norm)", r"old.\1_1"), r"""{r"\bold\.conv_1\b": "conv", r"\bold\.norm_1\b": "norm"}""", "all"),
    ],
)
def test_other_names(state: dict[str, torch.Tensor], names: tuple[str, str], rename: str, count: str) -> None:
    """Where renaming makes weights fit, the message has the patterns, and these do."""
    wrapped = {re.sub(*names, key): tensor for key, tensor in state.items()}
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=wrapped)
    assert str(caught.value).endswith(f"\n  help: `rename={rename}` makes {count} keys fit")
    assert same(netc.loads(TEXT, weights=wrapped, rename=eval(rename)), state)


def test_other_names_of_nearly_all(state: dict[str, torch.Tensor]) -> None:
    wrapped = {f"module.{key}": tensor for key, tensor in state.items() if key != "conv.weight"}
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=wrapped)
    assert str(caught.value).endswith(r"""help: `rename={r"^module\.": ""}` makes 7 of 8 keys fit""")
    inner = "net Whole:\n    input 3x8x8\n    body: Small(4)\n" + TEXT.replace("net Small", "def Small").replace(
        "    input 3x8x8\n", ""
    )
    with pytest.raises(WeightsError) as caught:
        netc.loads(inner, weights=state)
    assert str(caught.value).endswith("""help: `rename={r"^": "body."}` makes all keys fit""")


def test_no_renaming_is_offered_that_makes_one_key_of_two(state: dict[str, torch.Tensor]) -> None:
    wrapped = {f"module.{key}": tensor for key, tensor in state.items()} | {"fc.bias": state["fc.bias"]}
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=wrapped)
    assert "rename" not in str(caught.value) and "module.fc.bias" in str(caught.value)


def test_names_that_no_renaming_mends(state: dict[str, torch.Tensor]) -> None:
    other = {f"layers.{i}": tensor for i, tensor in enumerate(state.values())}
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=other)
    assert "help" not in str(caught.value)


@pytest.mark.parametrize(
    ("net", "params", "said"),
    [
        ("ten", {}, "`Small`"),
        ("six", {}, "`Small`"),
        ("Small", {"classes": 9}, "`Small` as the file has it"),
    ],
)
def test_weights_of_another_net(state: dict[str, torch.Tensor], net: str, params: dict[str, Any], said: str) -> None:
    text = f"{TEXT}\nten = Small(classes=10)\nsix = ten(classes=6)\n"
    with pytest.raises(WeightsError) as caught:
        netc.loads(text, net, weights=state, **params)
    assert str(caught.value).endswith(f"\n  help: these are weights of {said}")


@pytest.mark.parametrize("dtype", [torch.int32, torch.bool, torch.complex64])
def test_numbers_of_another_kind(state: dict[str, torch.Tensor], dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    state["fc.bias"] = state["fc.bias"].to(dtype)
    with pytest.raises(WeightsError) as caught:
        netc.loads(TEXT, weights=state)
    assert str(caught.value) == (
        f"the state dict does not fit Small\n"
        f"  of another kind:\n"
        f"    fc.bias is {name} in the weights and float32 in the network"
    )
    assert caught.value.retyped == {"fc.bias": (name, "float32")}


def test_numbers_as_exact_as_may_be(state: dict[str, torch.Tensor]) -> None:
    """Weights are kept in half precision; a count of batches is whole then, too."""
    state["norm.num_batches_tracked"] += 3
    half = netc.loads(TEXT, weights={key: tensor.half() for key, tensor in state.items()})
    assert same(half, {key: tensor.half().to(tensor) for key, tensor in state.items()})
    with pytest.raises(WeightsError, match=r"num_batches_tracked is float32 in the weights and int64 in the network"):
        netc.loads(TEXT, weights=state | {"norm.num_batches_tracked": torch.tensor(0.5)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (torch.Tensor.to_sparse, "is sparse or nested"),
        (lambda tensor: tensor.to("meta"), "is on the meta device, without numbers"),
        (lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), "is quantized"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_not_plain(state: dict[str, torch.Tensor], change: Any, said: str) -> None:
    state["fc.weight"] = change(state["fc.weight"])
    with pytest.raises(WeightsError, match=f"`fc.weight` of the state dict {said}; weights are plain tensors"):
        netc.loads(TEXT, weights=state)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (3, "not an int"),
        ([1, 2], "not a list"),
        (nn.Linear(2, 2), r"not a Linear; give what its `state_dict\(\)` gives"),
        (models.ResNet18_Weights.DEFAULT, r"not a ResNet18_Weights; give what its `get_state_dict\(\)` gives"),
        (io.BytesIO(), "not a BytesIO"),
    ],
)
def test_weights_of_another_kind(weights: Any, said: str) -> None:
    with pytest.raises(WeightsError, match=f"^weights are a state dict or the path of a file, {said}$"):
        netc.loads(TEXT, weights=weights)


def test_nothing_is_copied_if_something_lacks(state: dict[str, torch.Tensor]) -> None:
    from netc.weights import load_weights

    module = netc.loads(TEXT)
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    with pytest.raises(WeightsError):
        load_weights(module, {"conv.weight": state["conv.weight"]})
    assert same(module, before)


class Call:
    """Reading it back from a pickle would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path: Path, zipped: bool) -> None:
    torch.save({"conv.weight": Call(tmp_path / "made")}, tmp_path / "evil.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        WeightsError, match=r"evil\.pth holds more than tensors, and reading `posix\.mkdir` would run code"
    ):
        netc.loads(TEXT, weights=tmp_path / "evil.pth")
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Call(tmp_path / "made")))
    with pytest.raises(WeightsError, match=r"evil\.pkl is a pickle that `torch\.save` did not write"):
        netc.loads(TEXT, weights=tmp_path / "evil.pkl")
    assert not (tmp_path / "made").exists()
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    with pytest.raises(WeightsError, match=r"would run code; save a `state_dict\(\)` instead"):
        netc.loads(TEXT, weights=tmp_path / "module.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_files_that_are_cut_off(state: dict[str, torch.Tensor], tmp_path: Path, zipped: bool) -> None:
    torch.save(state, tmp_path / "whole.pth", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "whole.pth").read_bytes()
    assert same(netc.loads(TEXT, weights=tmp_path / "whole.pth"), state)
    for size in (10, len(whole) // 4, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        (tmp_path / "cut.pth").write_bytes(whole[:size])
        said = "is cut off: its end is missing" if zipped else "is a pickle that `torch.save` did not write, or damaged"
        with pytest.raises(WeightsError, match=rf"cut\.pth {said}$"):
            netc.loads(TEXT, weights=tmp_path / "cut.pth")
    assert whole.count(b"conv.weight") == 1
    (tmp_path / "cut.pth").write_bytes(whole.replace(b"conv.weight", b"conv.\xffeight"))
    with pytest.raises(WeightsError, match=r"cut\.pth is .*damaged$"):
        netc.loads(TEXT, weights=tmp_path / "cut.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither a file of `torch.save` nor of safetensors: it is empty"),
        (b"<html>Not Found</html>\n<!-- -->", "nor of safetensors: it begins with `<html>Not Found</html>`"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "it begins with `version https://git-lfs.github.com/spec/v1`"),
        (b"\x93NUMPY\x01\x00v\x00", "neither a file of `torch.save` nor of safetensors"),
        (pickle.dumps({"a": 1}), "a pickle that `torch.save` did not write, or damaged"),
    ],
    ids=["nothing", "page", "pointer", "array", "pickle"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_files_of_something_else(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "other.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"other\.pth is .*{re.escape(said)}$"):
        netc.loads(TEXT, weights=tmp_path / "other.pth")


@pytest.mark.filterwarnings("ignore")
def test_archives_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("conv.weight.npy", b"1")
    with pytest.raises(WeightsError, match=r"other\.zip is a zip file, but not of `torch\.save`"):
        netc.loads(TEXT, weights=tmp_path / "other.zip")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as file:
        for name in ("script/data.pkl", "script/constants.pkl", "script/version"):
            file.writestr(name, b"1")
    with pytest.raises(WeightsError, match=r"script\.pt is TorchScript, which is code"):
        netc.loads(TEXT, weights=tmp_path / "script.pt")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        netc.loads(TEXT, weights=tmp_path / "absent.pth")
    with pytest.raises(FileError, match="is a directory"):
        netc.loads(TEXT, weights=tmp_path)
    with pytest.raises(WeightsError, match=r"read from a file: download https://host/small\.pth first"):
        netc.loads(TEXT, weights="https://host/small.pth")


def test_files_that_hold_something_else(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    for held, said in (
        (
            {"state_dict": state, "epoch": 3},
            r"`state_dict`, `epoch` are no tensors\n  help: is it `.*\[\"state_dict\"\]`\?",
        ),
        ({"epoch": 3}, "is not a state dict: `epoch` is no tensor$"),
        ({"model": {"a": 3}}, r"`model` in .*other\.pth is not a state dict: `a` is no tensor$"),
        ({str(i): i for i in range(9)}, "`7` and 1 more are no tensors"),
        ({0: torch.zeros(2)}, "is not a state dict: the key 0 is no text"),
        ([1, 2], "holds a list, not a state dict"),
    ):
        torch.save(held, tmp_path / "other.pth")
        with pytest.raises(WeightsError, match=said):
            netc.loads(TEXT, weights=tmp_path / "other.pth")
