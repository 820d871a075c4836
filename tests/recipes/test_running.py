"""Emitted scripts at work on Digits: they learn, and a run that is stopped or killed ends as one that was not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import assert_same, rows

import netc

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
STOPPED = "--resume continues"


@pytest.fixture(scope="module")
def finished(run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(CLASSIFIER, tmp_path_factory.mktemp("finished"))


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
    assert STOPPED in str(caught.value.code)
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


FEATURES = block(
    "data: Digits(batch_size=100)",
    "loss main: CrossEntropyLoss(label_smoothing=0.1)",
    "loss plain: 0.5 * CrossEntropyLoss",
    "optimizer: AdamW(lr=1e-2)",
    "schedule: cosine",
    "epochs: 4",
    "accumulate: 4",
    "clip_norm: 1.0",
    "clip_value: 0.5",
    "ema: 0.9",
    "freeze: conv1",
    "unfreeze: 2",
    "patience: 3",
    "keep: best",
    "log_every: 1",
)


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_features_together_resume(run: Callable[..., Path], tmp_path: Path, precision: str) -> None:
    """A step is 4 batches, the last one of an epoch 3; a signal in between waits for the end of the step."""
    text = FEATURES + f"    precision: {precision}\n"
    run(text, tmp_path / "a")
    assert rows(tmp_path / "a")[-1]["train_loss"] < rows(tmp_path / "a")[0]["loss"]
    for flags, steps in (((), 6), (("--resume",), 15), (("--resume",), 22)):
        with pytest.raises(SystemExit):
            run(text, tmp_path / "b", *flags, stop_after=steps)
    run(text, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


def test_accumulated_batches_are_one_step(run: Callable[..., Path], tmp_path: Path) -> None:
    """Four batches of 50 give the steps of one of 200, the last and smaller one too; dropout and batch norm aside."""
    settings = ("loss: CrossEntropyLoss", "optimizer: SGD(lr=0.1, momentum=0.9)", "epochs: 2")
    for name, data, more in (("a", "Digits(batch_size=200)", ()), ("b", "Digits(batch_size=50)", ("accumulate: 4",))):
        run(block(f"data: {data}", *settings, *more), tmp_path / name, kind="plain 1x8x8")
    one, two = (torch.load(tmp_path / name / "last.pt", weights_only=True)["model"] for name in "ab")
    assert all(torch.allclose(one[key], two[key], atol=1e-5) for key in one)


def test_what_is_frozen_stays(run: Callable[..., Path], tmp_path: Path) -> None:
    text = block("data: Digits", "loss: CrossEntropyLoss", "optimizer: SGD(lr=0.1)", "epochs: 2", "freeze: conv1",
                 "unfreeze: 1", "keep: best")  # fmt: skip
    run(text, tmp_path / "one", "--epochs", "1")
    run(text, tmp_path / "two")
    torch.manual_seed(0)
    first = torch.nn.Conv2d(1, 4, 3).weight
    one, two = (torch.load(tmp_path / name / "last.pt", weights_only=True)["model"] for name in ("one", "two"))
    assert torch.equal(one["conv1.weight"], first)
    assert not torch.equal(two["conv1.weight"], first)


def test_the_average_is_what_is_evaluated(run: Callable[..., Path], tmp_path: Path) -> None:
    """The average follows `decay * average + (1 - decay) * weights`, from the weights after the first step."""
    settings = ("data: Digits(batch_size=1437)", "loss: CrossEntropyLoss", "optimizer: SGD(lr=0.1)")
    text = block(*settings, "epochs: 3", "ema: 0.5")
    steps = []
    for epochs in (1, 2, 3):
        out = run(text, tmp_path / str(epochs), "--epochs", str(epochs))
        steps.append(torch.load(out / "last.pt", weights_only=True))
    weights = [step["model"]["fc.weight"] for step in steps]
    expected = 0.5 * (0.5 * weights[0] + 0.5 * weights[1]) + 0.5 * weights[2]
    assert torch.allclose(steps[-1]["average"]["module.fc.weight"], expected, atol=1e-6)


def test_it_stops_when_nothing_gets_better(run: Callable[..., Path], tmp_path: Path) -> None:
    text = block("data: Digits", "loss: CrossEntropyLoss", "optimizer: SGD(lr=0)", "epochs: 9", "patience: 2")
    run(text, tmp_path)
    assert rows(tmp_path)[-1]["epoch"] == 3


def test_a_loss_that_is_no_number_ends_the_run(run: Callable[..., Path], tmp_path: Path) -> None:
    """The checkpoint of the epoch before is kept."""
    text = block("data: Digits", "loss: CrossEntropyLoss", "optimizer: SGD(lr=0.1)", "epochs: 1")
    run(text, tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    again = block("data: Digits", "loss: CrossEntropyLoss", "optimizer: SGD(lr=0.1)", "epochs: 3")
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    state["model"]["fc.bias"][0] = float("nan")
    torch.save(state, tmp_path / "last.pt")
    broken = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(SystemExit, match="the loss of epoch 2 is nan"):
        run(again, tmp_path, "--resume", "--epochs", "3")
    assert (tmp_path / "last.pt").read_bytes() == broken != before


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


SPECS = sorted(path for path in Path(__file__).parent.glob("specs/*.net") if "train:" in path.read_text())


@pytest.mark.parametrize("spec", [
    pytest.param(path, id=path.stem, marks=[pytest.mark.nightly] * (path.stem not in ("adversarial", "heads")))
    for path in SPECS
])  # fmt: skip
def test_losses_of_named_outputs(spec: Path, tmp_path: Path) -> None:
    """Each script is clean, learns, and ends the same after a stop."""
    source = netc.compile(spec).script
    script = tmp_path / "script.py"
    script.write_text(source)
    for check in (["check", "--extend-select", "I,UP,B"], ["format", "--diff"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", str(script)], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout
    line = [sys.executable, str(script), "--device", "cpu", "--output"]
    whole, begun = [str(tmp_path / "a")], [str(tmp_path / "b"), "--epochs", "1"]
    for flags in (whole, begun, [str(tmp_path / "b"), "--resume", "--epochs", "3"]):
        subprocess.run([*line, *flags], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    losses = [row["train_loss"] for row in rows(tmp_path / "a")]
    assert losses == sorted(losses, reverse=True)
    assert_same(tmp_path / "a", tmp_path / "b")
