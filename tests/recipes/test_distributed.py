"""Emitted scripts in two processes of `torchrun`, over gloo: the steps of one process, and the same after a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.recipes.making import block, registry, script_of
from tests.recipes.results import assert_same, rows

import netc

torch = pytest.importorskip("torch")
NIGHTLY = pytest.mark.nightly
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
ONE = [sys.executable]
SHARED = ("data: Digits(batch_size=91)", "log_every: 5", "evaluate_first: true")
DDP, FSDP = "distributed: ddp", "distributed: fsdp"
CASES = {
    "plain": ("loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "schedule: cosine", "epochs: 2", "keep: best"),
    "accumulated": (
        "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "epochs: 2", "accumulate: 3", "clip_norm: 1", "ema: 0.9",
    ),
    "summed": ("loss: CrossEntropyLoss(reduction=sum)", "optimizer: SGD(1e-3)", "epochs: 2"),
    "two optimizers": ("loss: CrossEntropyLoss", "optimizer conv1: SGD(0.1)", "optimizer: AdamW(1e-2)", "epochs: 2"),
    "grouped": (
        "loss: CrossEntropyLoss", "optimizer: SGD(0.1, momentum=0.9)\n    group bias: lr=0.01", "epochs: 2",
        "freeze: conv1", "clip_value: 0.1", "metrics: (F1, TopK(3))", "plot: (loss, F1)", "samples: 4",
        "print_shapes: true",
    ),
    "unfrozen": ("loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "epochs: 3", "freeze: conv1", "unfreeze: 1"),
    "turns": (
        "loss a: CrossEntropyLoss", "loss b: CrossEntropyLoss(label_smoothing=0.1)", "optimizer conv1: SGD(0.1)",
        "optimizer fc: AdamW(1e-2)", "freeze: norm", "steps: conv1(a) -> fc(a, b, every=3)", "epochs: 2",
    ),
}  # fmt: skip
WHOLE = ("unfrozen", "turns")
"""What needs whole parameters."""


def write(folder: Path, *settings: str, kind: str = "plain 1x8x8") -> Path:
    script = folder / "small.py"
    script.write_text(script_of(block(*settings), kind))
    return script


def train(command: list[str], script: Path, output: Path, *flags: str) -> None:
    line = [*command, str(script), "--device", "cpu", "--output", str(output), *flags]
    subprocess.run(line, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, timeout=200)


AFTERWARDS = """\
import atexit, pathlib, runpy, sys

def tell():
    threads = {(task / "comm").read_text().strip() for task in pathlib.Path("/proc/self/task").iterdir()}
    own = sorted(thread for thread in threads if "gloo" in thread)
    sys.stderr.write(" ".join(["still running:", *own]) + "\\n")  # at once, beside the other process

atexit.register(tell)  # the first to be registered is called last
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="tells the threads of a process by /proc")
@pytest.mark.parametrize("ended", ["in the end", pytest.param("in an error", marks=NIGHTLY)])
@pytest.mark.parametrize("way", [DDP, pytest.param(FSDP, marks=NIGHTLY)])
def test_the_threads_of_the_group_end_before_the_interpreter(tmp_path: Path, ended: str, way: str) -> None:
    """One that gives a tensor back while the interpreter ends aborts the process."""
    script = write(tmp_path, way, *SHARED, "loss: CrossEntropyLoss", "optimizer: SGD(0.1)", "epochs: 1")
    if ended == "in an error":
        script.write_text(script.read_text().replace("optimizer.step()", "raise SystemExit('enough')"))
    (tmp_path / "told.py").write_text(AFTERWARDS)
    line = [*TWO, str(tmp_path / "told.py"), str(script), "--device", "cpu", "--output", str(tmp_path / "out")]
    run = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=200, check=False)
    told = [each.strip() for each in run.stderr.splitlines() if each.startswith("still running:")]
    assert told
    assert set(told) == {"still running:"}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        pytest.param(name, way, marks=[NIGHTLY] * (name != "accumulated"))
        for name in CASES
        for way in (DDP, FSDP)
        if way == DDP or name not in WHOLE
    ],
)
def test_two_processes_take_the_steps_of_one(tmp_path: Path, name: str, way: str) -> None:
    """Batches of 91 are shared unevenly, the last of 72 evenly; the losses of the log are those of whole batches.

    Of summed losses batches have 287, and the last one example, of which the second process has none.
    The test's 361 examples are 181, three batches of 90, and 180, two of them.
    """
    settings = [each for each in CASES[name] if way == DDP or not each.startswith("ema")]
    script = write(tmp_path, way, *SHARED, *settings)
    text = script.read_text()
    assert "test_size=360" in text
    script.write_text(text.replace("test_size=360", "test_size=361"))
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", str(script)], check=True)
    for output, command in (("one", ONE), ("two", TWO)):
        size = ["--batch-size", "287"] if name == "summed" else []
        train(command, script, tmp_path / output, "--test-batch-size", "90", *size)
    one, two = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("one", "two"))
    for part in {"model", "average"} & set(one):
        assert all(torch.allclose(one[part][k], two[part][k], atol=1e-4, rtol=1e-4) for k in one[part])
    assert len(one["rng"]) == 1
    assert len(two["rng"]) == 2
    for a, b in zip(rows(tmp_path / "one"), rows(tmp_path / "two"), strict=True):
        assert a.pop("lr", None) == b.pop("lr", None)
        assert a.pop("losses", {}) == pytest.approx(b.pop("losses", {}), rel=2e-3)
        assert a == pytest.approx(b, rel=2e-3)


FOUND = registry()
SHARDED = sorted(n for n in FOUND.names("optimizers") if FOUND.find("optimizers", n).sharding != "none" and n != "Muon")


@NIGHTLY
@pytest.mark.parametrize("name", SHARDED)
def test_parts_of_parameters_are_trained_like_whole_ones(tmp_path: Path, name: str) -> None:
    """By each optimizer that is not refused; one of two processes is resumed halfway. Muon takes matrices alone."""
    script = write(tmp_path, FSDP, SHARED[0], "loss: CrossEntropyLoss", f"optimizer: {name}", "epochs: 2")
    train(ONE, script, tmp_path / "one")
    train(TWO, script, tmp_path / "two", "--epochs", "1")
    train(TWO, script, tmp_path / "two", "--epochs", "2", "--resume")
    one, two = (torch.load(tmp_path / folder / "last.pt", weights_only=True) for folder in ("one", "two"))
    assert one["optimizer"]["param_groups"] == two["optimizer"]["param_groups"]
    pairs = [(one["model"], two["model"])]
    pairs += [(one["optimizer"]["state"][k], two["optimizer"]["state"][k]) for k in one["optimizer"]["state"]]
    for a, b in pairs:
        assert a.keys() == b.keys()
        assert all(torch.allclose(a[k], b[k], atol=1e-4, rtol=1e-3) for k in a if torch.is_tensor(a[k]))


RESUMED = (
    "data: Digits(batch_size=20)", "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "schedule: cosine", "epochs: 6",
    "accumulate: 2", "precision: bf16", "log_every: 5",
)  # fmt: skip


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGTERM, id="asked to stop"), pytest.param(signal.SIGKILL, id="killed", marks=NIGHTLY)],
)
@pytest.mark.parametrize(
    "way", [pytest.param((DDP, "ema: 0.99"), id="ddp"), pytest.param((FSDP,), id="fsdp", marks=NIGHTLY)]
)
def test_resumed_in_as_many_processes(tmp_path: Path, number: int, way: tuple[str, ...]) -> None:
    """Batch norm and dropout draw and count in each process by itself."""
    script = write(tmp_path, *way, *RESUMED, kind="blocks 1x8x8")
    train(TWO, script, tmp_path / "a")
    line = [*TWO, str(script), "--device", "cpu", "--output", str(tmp_path / "b")]
    log = tmp_path / "b" / "log.jsonl"
    with subprocess.Popen(line, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          start_new_session=True) as process:  # fmt: skip
        for _ in range(1200):
            if log.exists() and len(log.read_text().splitlines()) > 20:
                break
            time.sleep(0.05)
        os.killpg(process.pid, number)
    assert (tmp_path / "b" / "last.pt").exists()
    assert rows(tmp_path / "b")[-1].get("epoch") != 6
    train(TWO, script, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")
    done = subprocess.run([*ONE, str(script), "--output", str(tmp_path / "b"), "--device", "cpu", "--resume",
                           "--epochs", "7"], env=ENVIRONMENT, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    assert "is of 2 processes, this run has 1" in done.stderr


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=NIGHTLY)])
def test_words_count_alike_however_they_are_divided(tmp_path: Path, processes: int) -> None:
    """A batch is the mean over the words that are told, of which each part has another number; so is the test."""
    spec = Path(__file__).parents[2] / "specs" / "tagger.net"
    text = spec.read_text().rstrip("\n").replace("Adam(lr=3e-3)", "SGD(lr=0.5, momentum=0.9)")
    found = []
    for name, command, more, flags in (
        ("whole", ONE, "", ("--batch-size", "64", "--test-batch-size", "500")),
        ("parts", ONE if processes == 1 else TWO, "    accumulate: 4\n" + "    distributed: ddp\n" * (processes - 1),
         ("--batch-size", "16", "--test-batch-size", "7")),
    ):  # fmt: skip
        source = tmp_path / f"{name}.net"
        source.write_text(f"{text}\n    log_every: 1\n{more}")
        script = tmp_path / f"{name}.py"
        script.write_text(netc.compile(source).script)
        for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
            subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", str(script)], check=True)
        train(command, script, tmp_path / name, "--epochs", "1", *flags)
        found.append(torch.load(tmp_path / name / "last.pt", weights_only=True)["model"])
    one, other = found
    assert all(torch.allclose(one[key], other[key], atol=1e-5) for key in one)
    whole, parts = (rows(tmp_path / name)[-1] for name in ("whole", "parts"))
    for figure in ("train_loss", "test_loss", "accuracy"):
        assert whole[figure] == pytest.approx(parts[figure], rel=1e-5)
