"""What goes wrong with an emitted script is one clear line and a non-zero exit, and the last good checkpoint stays."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of

torch = pytest.importorskip("torch")
NIGHTLY = pytest.mark.nightly
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
RECIPE = block("data: Digits(batch_size=500)", "loss: CrossEntropyLoss", "optimizer: Adam(1e-2)", "epochs: 2")
RARER = ("empty", "text", "weights alone", "another optimizer", "a list")
FILE_LIMIT = 8000
"""Less than a checkpoint takes."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a script and the results of a run."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.py").write_text(script_of(RECIPE))
    assert start(folder, "--output", "whole").returncode == 0
    return folder


@pytest.fixture
def begun(made: Path, tmp_path: Path) -> Path:
    """The results of that run, to be spoilt."""
    for path in (made / "whole").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))


def start(
    folder: Path, *flags: str, before: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(folder / "small.py"), "--device", "cpu", *flags]
    return subprocess.run(
        line, cwd=folder, env=ENVIRONMENT | environment, capture_output=True, text=True, check=False, preexec_fn=before
    )


def assert_said(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def damaged(what: str, path: Path) -> None:
    """A checkpoint that is not one of this script."""
    whole = path.read_bytes()
    state = torch.load(path, weights_only=True)
    if what == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "text":
        path.write_text("not a checkpoint\n")
    elif what == "another network":
        state["model"]["fc.weight"] = torch.zeros(3, 7)
    elif what == "weights alone":
        state = state["model"]
    elif what == "another optimizer":
        state["optimizer"]["param_groups"].append(state["optimizer"]["param_groups"][0])
    elif what == "a list":
        state = [1, 2]
    if path.read_bytes() == whole:
        torch.save(state, path)


@pytest.mark.parametrize(
    "what",
    ["cut", "another network", *(pytest.param(what, marks=NIGHTLY) for what in RARER)],
)
def test_a_checkpoint_that_is_not_its_own(made: Path, begun: Path, what: str) -> None:
    damaged(what, begun / "last.pt")
    before = (begun / "last.pt").read_bytes()
    done = start(made, "--output", str(begun), "--resume", "--epochs", "3")
    assert_said(done, "last.pt is not of this script")
    assert (begun / "last.pt").read_bytes() == before


@NIGHTLY
def test_code_in_a_checkpoint_is_not_run(made: Path, begun: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(begun / "ran"),)

    torch.save({"model": Evil()}, begun / "last.pt")
    assert_said(start(made, "--output", str(begun), "--resume", "--epochs", "3"), "last.pt is not of this script")
    assert not (begun / "ran").exists()


def test_a_full_disk_keeps_the_checkpoint_before(made: Path, begun: Path) -> None:
    before = (begun / "last.pt").read_bytes()
    assert len(before) > FILE_LIMIT
    done = start(made, "--output", str(begun), "--resume", "--epochs", "4", before=limited)
    assert_said(done, "last.tmp", "disk full?")
    assert (begun / "last.pt").read_bytes() == before
    assert start(made, "--output", str(begun), "--resume", "--epochs", "4").returncode == 0


@NIGHTLY
@pytest.mark.parametrize("text", ["{", "[1]", "{}"])
def test_settings_of_something_else(made: Path, begun: Path, text: str) -> None:
    (begun / "settings.json").write_text(text)
    done = start(made, "--output", str(begun), "--resume")
    assert_said(done, "settings.json" if text != "{}" else "a resumed run keeps its", code=2)
    assert (begun / "last.pt").exists()


def test_a_folder_that_is_a_file(made: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert_said(start(made, "--output", str(tmp_path / "taken")), "taken", code=2)


def test_a_log_that_cannot_be_written(made: Path, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    assert_said(start(made, "--output", str(tmp_path)), "error: ", "log.jsonl")


def test_flags_that_do_not_exist_or_are_none(made: Path, begun: Path) -> None:
    before = (begun / "last.pt").read_bytes()
    for flags in (("--epoch", "3"), ("--lr", "much"), ("--epochs",), ("more",)):
        assert_said(start(made, "--output", str(begun), *flags), "error: ", code=2)
    assert (begun / "last.pt").read_bytes() == before


def test_a_package_that_is_missing_is_said_with_what_installs_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError(\"No module named 'sklearn'\")\n")
    done = start(made, "--output", str(tmp_path / "run"), PYTHONPATH=str(tmp_path))
    assert_said(done, "No module named 'sklearn': pip install scikit-learn")


@pytest.mark.parametrize("name", ["MNIST", "CIFAR10"])
def test_data_that_cannot_be_fetched(tmp_path: Path, name: str) -> None:
    recipe = block(f"data: {name}", "loss: CrossEntropyLoss", "optimizer: Adam(1e-2)", "epochs: 2")
    (tmp_path / "small.py").write_text(script_of(recipe, f"classifier {'1x28x28' if name == 'MNIST' else '3x32x32'}"))
    nowhere = "http://127.0.0.1:9"
    done = start(tmp_path, "--output", str(tmp_path / "run"), http_proxy=nowhere, https_proxy=nowhere)
    assert_said(done, f"no {name} in data: ")
