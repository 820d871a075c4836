"""`modes`: what a script does beside training says the same as the training did, and leaves its results alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import rows
from tests.recipes.test_optimizers import script_module

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")
MODES = ("evaluate", "predict", "export", "dry_run", "overfit")
DATA = ("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)")
TEXT = block(*DATA, "epochs: 2", "keep: best", "ema: 0.9", f"modes: ({', '.join(MODES)})")


@pytest.fixture(scope="module")
def trained(run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(TEXT, tmp_path_factory.mktemp("trained"), "--seed", "3")


@pytest.fixture
def call(run: Callable[..., Path], trained: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Runs the script again with flags, sees that the results stay as they are, and gives the lines it prints."""

    def call(*flags: str) -> list[str]:
        capsys.readouterr()
        kept = ("last.pt", "best.pt", "log.jsonl", "settings.json")
        before = [(trained / name).read_bytes() for name in kept]
        run(TEXT, trained, *flags)
        assert [(trained / name).read_bytes() for name in kept] == before
        return capsys.readouterr().out.splitlines()

    return call


def best(trained: Path) -> tuple[Any, Any]:
    """The network as it is at its best, in double reading of the checkpoint, and the data of the run."""
    script = script_module(script_of(TEXT))
    state = torch.load(trained / "best.pt", weights_only=True)["average"]
    model = script.Small()
    model.load_state_dict({key.removeprefix("module."): v for key, v in state.items() if key != "n_averaged"})
    return model.eval(), script.load_data(type("", (), {"seed": 3}))


def test_evaluate_says_what_the_log_has(call: Callable[..., list[str]], trained: Path) -> None:
    """With the settings of the run, whose seed splits the data."""
    (line,) = call("--evaluate", str(trained / "last.pt"))
    last = rows(trained)[-1]
    assert json.loads(line) == {key: last[key] for key in ("test_loss", "accuracy")}


@pytest.mark.parametrize("metrics", ["metrics: (F1, TopK(3))", "keep: last"])
def test_evaluate_has_the_metrics(
    run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], metrics: str
) -> None:
    text = block(*DATA, "epochs: 1", "modes: evaluate", metrics)
    run(text, tmp_path)
    capsys.readouterr()
    run(text, tmp_path, "--evaluate", str(tmp_path / "last.pt"))
    figures = json.loads(capsys.readouterr().out)
    assert figures.items() <= rows(tmp_path)[-1].items()
    assert ("f1" in figures) == ("F1" in metrics)


def test_predict(call: Callable[..., list[str]], trained: Path, tmp_path: Path) -> None:
    model, (_, _, pictures, _) = best(trained)
    numpy.save(tmp_path / "x.npy", pictures[:7].numpy())
    lines = [json.loads(line) for line in call("--predict", str(tmp_path / "x.npy"))]
    shares = model(pictures[:7]).softmax(1)
    assert [line["class"] for line in lines] == shares.argmax(1).tolist()
    assert [line["share"] for line in lines] == pytest.approx(shares.amax(1).tolist(), rel=1e-5)


@pytest.mark.parametrize("what", ["shape", "text", "none"])
def test_predict_from_something_else(call: Callable[..., list[str]], tmp_path: Path, what: str) -> None:
    path = tmp_path / "x.npy"
    if what == "shape":
        numpy.save(path, numpy.zeros((2, 3)))
    elif what == "text":
        path.write_text("no numbers\n")
    with pytest.raises(SystemExit, match=r"x\.npy") as caught:
        call("--predict", str(path))
    assert isinstance(caught.value.code, str)


@pytest.mark.parametrize("form", ["torch", "safetensors", "onnx"])
def test_exports_load_again(call: Callable[..., list[str]], trained: Path, form: str) -> None:
    for name in {"safetensors": ("safetensors",), "onnx": ("onnx", "onnxscript", "onnxruntime"), "torch": ()}[form]:
        pytest.importorskip(name)
    model, (_, _, pictures, _) = best(trained)
    call("--export", form)
    expected = model(pictures[:5])
    if form == "torch":
        found = torch.export.load(trained / "model.pt2").module()(pictures[:5])
    elif form == "safetensors":
        from safetensors.torch import load_model

        load_model(fresh := script_module(script_of(TEXT)).Small(), str(trained / "model.safetensors"))
        found = fresh.eval()(pictures[:5])
    else:
        import onnxruntime  # type: ignore[import-untyped]

        session = onnxruntime.InferenceSession(trained / "model.onnx")
        found = torch.tensor(session.run(None, {session.get_inputs()[0].name: pictures[:5].numpy()})[0])
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_missing_package_is_said(call: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(SystemExit, match="pip install safetensors"):
        call("--export", "safetensors")


def test_dry_run_and_one_batch(call: Callable[..., list[str]]) -> None:
    assert call("--dry-run")[-1] == "the dry run went well"
    assert call("--overfit")[-1].startswith("one batch is learnt: loss 2.")


def test_one_batch_that_is_not_learnt(run: Callable[..., Path], tmp_path: Path) -> None:
    text = block(*DATA[:2], "optimizer: SGD(1e-6)", "epochs: 2", "modes: overfit")
    with pytest.raises(SystemExit, match="one batch is not learnt: loss 2"):
        run(text, tmp_path / "a", "--overfit")
    assert not (tmp_path / "a").exists()


def test_a_checkpoint_of_something_else(call: Callable[..., list[str]], tmp_path: Path) -> None:
    torch.save({"average": {}}, tmp_path / "other.pt")
    for name in ("other.pt", "none.pt"):
        with pytest.raises(SystemExit, match=f"{name} is not of this script"):
            call("--evaluate", str(tmp_path / name))


def test_scripts_are_clean(tmp_path: Path) -> None:
    """Every subset of the modes, with what they read."""
    more = (("metrics: F1",), ("ema: 0.9", "keep: best"), ("distributed: ddp",), ("precision: bf16", "accumulate: 2"))
    subsets = [subset for size in (1, 2, 5) for subset in combinations(MODES, size)]
    for number, subset in enumerate(subsets):
        text = block(*DATA, "epochs: 2", *more[number % 4], f"modes: ({', '.join(subset)})")
        (tmp_path / f"script_{number}.py").write_text(script_of(text))
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
