"""Emitted scripts at work on Digits: they learn, and a run that is stopped or killed ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.recipes.making import block, script_of

torch = pytest.importorskip("torch")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
CLASSIFIER = block(
    "data: Digits(batch_size=100)",
    "loss: CrossEntropyLoss(label_smoothing=0.01)",
    "optimizer: AdamW(lr=1e-2, weight_decay=0.05)\n    group bias, norm: weight_decay=0\n    group fc: lr=2e-2",
    "schedule: warmup(1) -> cosine",
    "epochs: 4",
    "log_every: 1",
    "keep: best",
    "evaluate_first: true",
    "print_shapes: true",
    "plot: (loss, accuracy)",
    "samples: 6",
)
LINE = block(
    "data: Polynomial(coefficients=(5, 10), stop=100, noise=1, batch_size=100, shuffle=false)",
    "loss: MSELoss(reduction=sum)",
    "optimizer: Adam(lr=0.1, weight_decay=0.1)",
    "epochs: 5",
    "log_every: 20",
)
STOPPED = 1


@pytest.fixture(scope="module", autouse=True)
def untouched() -> Iterator[None]:
    """One thread, and the signal handlers as they were."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs a script in this process, as its command line would; `stop_after` sends SIGTERM after so many steps."""

    def run(text: str, output: Path, *flags: str, kind: str = "classifier 1x8x8", stop_after: int = 0) -> Path:
        source = script_of(text, kind)
        module = ModuleType("__main__")
        module.__dict__["__file__"] = "small.py"
        head, _, tail = source.rpartition("\n\nif __name__")
        count = iter(range(1, 1_000_000))

        def say(text: str, end: str = "\n") -> None:
            if "step" in text and next(count) == stop_after:
                signal.raise_signal(signal.SIGTERM)

        argv, sys.argv = sys.argv, ["small.py", "--device", "cpu", "--output", str(output), *flags]
        try:
            exec(compile(head, "small.py", "exec"), module.__dict__)
            if stop_after:
                module.__dict__["say"] = say
            exec(compile("if __name__" + tail, "small.py", "exec"), module.__dict__)
        finally:
            sys.argv = argv
        return output

    return run


@pytest.fixture(scope="module")
def finished(run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(CLASSIFIER, tmp_path_factory.mktemp("finished"))


def rows(output: Path) -> list[dict[str, Any]]:
    lines = (output / "log.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


def assert_same(a: Path, b: Path) -> None:
    """The same weights, optimizer, schedule and random states, bit by bit, and the same log."""
    for name in ("last.pt", "best.pt"):
        if (a / name).exists():
            one, two = (torch.load(path / name, weights_only=True) for path in (a, b))
            one.pop("log"), two.pop("log")
            assert flat(one) == flat(two)
    assert rows(a) == rows(b)


def flat(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy().tobytes()
    if isinstance(value, dict):
        return {key: flat(item) for key, item in value.items()}
    return [flat(item) for item in value] if isinstance(value, list | tuple) else value


def test_it_learns(finished: Path) -> None:
    losses = [row["train_loss"] for row in rows(finished) if "train_loss" in row]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 4
    assert rows(finished)[-1]["accuracy"] > 0.9
    assert rows(finished)[0]["epoch"] == 0


def test_what_was_asked_for_is_there(finished: Path) -> None:
    files = {path.name for path in finished.iterdir()}
    pictures = {"samples.png", "predictions.png", "loss.png", "accuracy.png"}
    assert files == {"last.pt", "best.pt", "log.jsonl", "settings.json"} | pictures
    assert json.loads((finished / "settings.json").read_text())["bias_norm_weight_decay"] == 0.0


def test_groups(finished: Path) -> None:
    groups = torch.load(finished / "last.pt", weights_only=True)["optimizer"]["param_groups"]
    assert [(len(g["params"]), g["weight_decay"], g["initial_lr"]) for g in groups] == [
        (1, 0.05, 0.01),
        (4, 0.0, 0.01),
        (1, 0.05, 0.02),
    ]


@pytest.mark.parametrize("steps", [1, 15, 22, 30, 47], ids="after {} steps".format)
def test_stopped_and_resumed(run: Callable[..., Path], finished: Path, tmp_path: Path, steps: int) -> None:
    """15 steps are an epoch."""
    with pytest.raises(SystemExit) as caught:
        run(CLASSIFIER, tmp_path, stop_after=steps)
    assert caught.value.code == STOPPED
    run(CLASSIFIER, tmp_path, "--resume")
    assert_same(finished, tmp_path)


def test_resumed_twice(run: Callable[..., Path], finished: Path, tmp_path: Path) -> None:
    for flags in ((), ("--resume",)):
        with pytest.raises(SystemExit):
            run(CLASSIFIER, tmp_path, *flags, stop_after=17)
    run(CLASSIFIER, tmp_path, "--resume")
    assert_same(finished, tmp_path)


def test_a_line(run: Callable[..., Path], tmp_path: Path) -> None:
    run(LINE, tmp_path / "a", kind="line")
    state = torch.load(tmp_path / "a/last.pt", weights_only=True)
    assert state["model"]["fc1.weight"].item() == pytest.approx(9.95, abs=0.1)
    with pytest.raises(SystemExit):
        run(LINE, tmp_path / "b", kind="line", stop_after=8)
    run(LINE, tmp_path / "b", "--resume", kind="line")
    assert_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("optimizer", ["SGD(0.1, momentum=0.9, nesterov=true)", "Adadelta", "Adam(amsgrad=true)"])
@pytest.mark.parametrize("schedule", ["StepLR(1, gamma=0.5)", "MultiStepLR((1, 2))", "LinearLR -> ExponentialLR(0.9)"])
def test_every_part_resumes(run: Callable[..., Path], tmp_path: Path, optimizer: str, schedule: str) -> None:
    text = block(
        "data: Digits", "loss: CrossEntropyLoss", f"optimizer: {optimizer}", f"schedule: {schedule}", "epochs: 6",
        "log_every: 1",
    )  # fmt: skip
    run(text, tmp_path / "a", "--batch-size", "500")
    with pytest.raises(SystemExit):
        run(text, tmp_path / "b", "--batch-size", "500", stop_after=8)
    run(text, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


def test_longer(run: Callable[..., Path], tmp_path: Path) -> None:
    """More epochs on resuming; another learning rate is refused."""
    text = block("data: Digits", "loss: CrossEntropyLoss", "optimizer: SGD(0.1)", "epochs: 1")
    run(text, tmp_path / "a", "--epochs", "2")
    run(text, tmp_path / "b")
    run(text, tmp_path / "b", "--resume", "--epochs", "2")
    assert_same(tmp_path / "a", tmp_path / "b")
    with pytest.raises(SystemExit):
        run(text, tmp_path / "b", "--resume", "--lr", "0.2")


def command(tmp_path: Path, *flags: str) -> list[str]:
    (tmp_path / "small.py").write_text(script_of(CLASSIFIER))
    return [sys.executable, str(tmp_path / "small.py"), *flags]


def test_killed_at_any_instant(finished: Path, tmp_path: Path) -> None:
    """Once before the first checkpoint, once later."""
    line = command(tmp_path, "--output", str(tmp_path / "out"), "--device", "cpu", "--resume")
    for printed in (10, 24):
        with subprocess.Popen(line, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
            assert process.stdout is not None
            for _ in range(printed):
                process.stdout.readline()
            process.kill()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    assert_same(finished, tmp_path / "out")


def test_bytes_become_what_torchvision_makes_of_them() -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    images = torch.randint(0, 256, (20, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
    text = block(f"data: CIFAR10(normalize=({mean}, {std}))", "loss: CrossEntropyLoss", "optimizer: SGD", "epochs: 1")
    source = script_of(text, "classifier 3x32x32")
    namespace = {"torch": torch}
    exec(source[source.index("def prepare") : source.index("@torch.inference_mode")], namespace)
    ready = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    one_by_one = torch.stack([ready(image.permute(1, 2, 0).numpy()) for image in images])
    assert torch.equal(namespace["prepare"](images), one_by_one)


def test_help_is_quick_and_unknown_flags_are_errors(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path, "--help"), check=True, capture_output=True, text=True)
    assert "--fc-lr" in done.stdout
    assert "--warmup-epochs" in done.stdout
    timed = subprocess.run([sys.executable, "-X", "importtime", *command(tmp_path, "--help")[1:]], check=True,
                           capture_output=True, text=True)  # fmt: skip
    assert "torch" not in timed.stderr
    wrong = subprocess.run(command(tmp_path, "--lrr", "1"), check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "unrecognized arguments: --lrr" in wrong.stderr
