"""Every combination of what a recipe can ask for gives a script that a linter and a formatter leave as it is."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.recipes.making import CLASSIFIER, HEADER, block, recipe_of, script_of

import netc
from netc.emit.script import content_hash, is_unedited, render_script

SPECS = sorted(Path(__file__).parents[2].glob("specs/*.net"))
TRAIN = re.compile(r"^train(?: (\w+))?:", re.MULTILINE)
FLAG = re.compile(r"parser\.add_argument\(\s*\"--([a-z0-9-]+)\"")

DATA = {
    "Digits": "classifier 1x8x8",
    "Digits(batch_size=32, shuffle=false)": "classifier 3x32x32",
    "MNIST(normalize=(0.1307, 0.3081))": "classifier 1x28x28",
    'FashionMNIST(root="~/data")': "classifier 1x28x28",
    "CIFAR10(normalize=((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)))": "classifier 3x32x32",
    "CIFAR10(normalize=(0.5, 0.5))": "classifier 3x32x32",
    "Polynomial((5, 10), stop=100, noise=1, batch_size=100, shuffle=false)": "line",
    "Polynomial((0, -1.5, 2, 3))": "line",
}
OPTIMIZERS = (
    "SGD",
    "SGD(0.01, momentum=0.5, nesterov=true, foreach=true)",
    "AdamW(lr=1e-3, betas=(0.9, 0.95), eps=1e-6, weight_decay=0.05, amsgrad=true)",
    "Adadelta(rho=0.8)",
)
GROUPS = (
    "",
    "\n    group bias, norm: weight_decay=0",
    '\n    group Linear: lr=1e-2, weight_decay=0\n    group "conv*", "bn1.weight": lr=0.001',
)
SCHEDULES = (
    "",
    "cosine",
    "warmup(2) -> cosine(eta_min=1e-5)",
    "StepLR(5)",
    "MultiStepLR((3, 6), gamma=0.5)",
    "LinearLR(total_iters=2) -> CosineAnnealingLR(T_max=3) -> ExponentialLR(0.9)",
)
TRAINING = (
    "accumulate: 4", "clip_norm: 1.0", "clip_value: 0.5", "ema: 0.99", "precision: bf16", "precision: fp16",
    "compile: true", "channels_last: true", "patience: 3", "freeze: conv1", "freeze: (norm, bias)\nunfreeze: 2",
    "keep: best", "samples: 6", "loss: 0.5 * CrossEntropyLoss", "loss twice: CrossEntropyLoss(label_smoothing=0.1)",
    "augment: RandomCrop(8, padding=1)", "freeze: vector", "drop_last: true", "steps_per_epoch: 20",
    "augment: RandomHorizontalFlip(0.3) -> RandomRotation(10) -> RandomErasing -> MixUp",
)  # fmt: skip
"""What a recipe can ask of the training loop; taken in pairs."""
REFUSED = ("drop_last: true", "steps_per_epoch: 20")
FEATURES = ("keep: best", "log_every: 10", "evaluate_first: true", "print_shapes: true", "plot: loss", "samples: 6")


def test_combinations_are_clean(tmp_path: Path) -> None:
    for number, (text, kind) in enumerate(combinations()):
        (tmp_path / f"script_{number}.py").write_text(script_of(text, kind))
    (tmp_path / "model.py").write_text(render_script(CLASSIFIER, None, HEADER))
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--extend-select", "I,UP,B"], ["format", "--diff"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[:5000]


def pairs() -> list[str]:
    """A recipe for each pair of features that do not set the same thing."""
    found = []
    for pair in itertools.combinations(TRAINING, 2):
        if pair[0].partition(":")[0] != pair[1].partition(":")[0] and pair != REFUSED:
            loss = [] if any(feature.startswith("loss:") for feature in pair) else ["loss: CrossEntropyLoss"]
            found.append(block("data: Digits", *loss, "optimizer: Adam(lr=3e-3)", "epochs: 3", *pair))
    return found


def combinations() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for data, kind in DATA.items():
        loss, line = ("MSELoss", True) if kind == "line" else ("CrossEntropyLoss", False)
        allowed = 1 if line else len(GROUPS)
        for optimizer, groups, schedule in itertools.product(OPTIMIZERS, GROUPS[:allowed], SCHEDULES):
            rest = [f"schedule: {schedule}"] if schedule else []
            features = FEATURES[: (len(found) % 7)] if not line else FEATURES[1:2] + FEATURES[3:5]
            parts = (f"data: {data}", f"loss: {loss}", f"optimizer: {optimizer}{groups}", "epochs: 10")
            found.append((block(*parts, *rest, *features), kind))
    found += [(text, "classifier 1x8x8") for text in pairs()]
    weight = ", ".join(map(str, range(1, 11)))
    extra = (
        "loss: CrossEntropyLoss(label_smoothing=0.1, reduction=sum)",
        f"loss: NLLLoss(weight=({weight}))",
    )
    for loss, subset in itertools.product(extra, itertools.combinations(FEATURES, 2)):
        text = block("data: Digits", loss, "optimizer: Adam", "epochs: 2", "device: cpu", "seed: 7", *subset)
        found.append((text.replace("plot: loss", "plot: (loss, accuracy)"), "classifier 1x8x8"))
    return found


def test_model_stands_verbatim_and_rendering_is_deterministic() -> None:
    text = block("data: MNIST", "loss: CrossEntropyLoss", "optimizer: SGD", "epochs: 1")
    script = script_of(text, "classifier 1x28x28")
    assert CLASSIFIER.source in script
    assert script == script_of(text, "classifier 1x28x28")
    assert "netc" not in "\n".join(line for line in script.splitlines() if not line.startswith("#"))


def test_an_edit_is_noticed() -> None:
    script = script_of(block("data: Digits", "loss: CrossEntropyLoss", "optimizer: Adam", "epochs: 1"))
    assert is_unedited(script)
    assert is_unedited(script.replace("\n", "\r\n"))
    assert not is_unedited(script.replace("epochs in all", "epochs in total"))
    assert not is_unedited(script.replace(f"# netc: sha256={content_hash(script)}\n", ""))


def test_overrides() -> None:
    text = block("data: MNIST(64)", "loss: CrossEntropyLoss", "optimizer: SGD(0.1, 0.9)", "epochs: 10")
    recipe = recipe_of(
        text, overrides={"train.data": "Digits", "train.optimizer.lr": "0.01", "train.epochs": "3", "train.seed": "4"}
    )
    assert (recipe.data.name, recipe.epochs, recipe.seed) == ("Digits", 3, 4)
    assert recipe.steppers[0].use.part.given() == {"lr": 0.01, "momentum": 0.9}


def test_overrides_of_named_losses() -> None:
    text = block("data: Digits", "loss a: CrossEntropyLoss", "loss b: 0.5 * CrossEntropyLoss", "optimizer: SGD",
                 "epochs: 1")  # fmt: skip
    one = recipe_of(text, overrides={"train.loss.b": "NLLLoss"})
    assert [(term.name, term.use.name) for term in one.terms] == [("a", "CrossEntropyLoss"), ("b", "NLLLoss")]
    two = recipe_of(text, overrides={"train.loss": "NLLLoss"})
    assert [term.use.name for term in two.terms] == ["NLLLoss"]
    three = recipe_of(text, overrides={"train.loss.b.label_smoothing": "0.1"})
    assert [term.use.part.given() for term in three.terms] == [{}, {"label_smoothing": 0.1}]


TWINS = {
    "googlenet": block(
        "data: MNIST(batch_size=64, normalize=(0.1307, 0.3081))", "loss: CrossEntropyLoss",
        "optimizer: SGD(lr=0.01, momentum=0.5)", "epochs: 10", "keep: best",
    ),
    "googlenet_digits": block(
        "data: Digits(batch_size=64)", "loss: CrossEntropyLoss", "optimizer: Adam(lr=1e-3)", "epochs: 20", "keep: best",
    ),
    "mnist_dropout": block(
        "data: MNIST(batch_size=64, test_batch_size=1000, normalize=(0.1307, 0.3081))", "loss: NLLLoss",
        "optimizer: SGD(lr=0.01, momentum=0.5)", "epochs: 3", "log_every: 10", "evaluate_first: true", "plot: loss",
        "samples: 6",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
def test_length_against_the_script_by_hand(name: str) -> None:
    """At most 1.2 times the statements that a person wrote, the model the same in both."""
    by_hand = ast.parse((Path(__file__).parents[1] / f"twins/{name}_script.py").read_text())
    emitted = ast.parse(script_of(TWINS[name], "classifier 1x28x28"))
    model = statements([node for node in by_hand.body if isinstance(node, ast.ClassDef)])
    written = statements(by_hand.body)
    ours = model + statements([node for node in emitted.body if not isinstance(node, ast.ClassDef)])
    assert ours <= 1.2 * written, f"{ours} statements, {written} by hand"


def statements(nodes: list[ast.stmt]) -> int:
    return sum(isinstance(inner, ast.stmt) for node in nodes for inner in ast.walk(node))


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_every_flag_of_a_script_is_read(spec: Path) -> None:
    """And no line is longer than the formatter would leave it, who cannot break texts."""
    for name in TRAIN.findall(spec.read_text(encoding="utf-8")):
        script = netc.compile(spec, train=name or None).script
        read = set(re.findall(r"\b(?:args|arguments)\.(\w+)", script))
        assert {flag.replace("-", "_") for flag in FLAG.findall(script)} <= read
        code = (line for line in script.splitlines() if not line.startswith("#"))
        assert [line for line in code if len(line) > 88] == []


def test_schedules_by_steps_count_steps() -> None:
    settings = (
        "data: Digits",
        "loss: CrossEntropyLoss",
        "optimizer: SGD",
        "epochs: 12",
        "schedule: warmup(9) -> cosine",
    )
    by_epochs, by_steps = script_of(block(*settings)), script_of(block(*settings, "schedule_interval: step"))
    for script, counted in ((by_epochs, "epochs"), (by_steps, "steps")):
        assert f'"--warmup-{counted}"' in script
        assert f'help="{counted} of the warm-up"' in script
        assert f"milestones=[args.warmup_{counted}]" in script
