"""`metrics`: scikit-learn's figures, over batches of any size and by every process; the best is told by one of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import assert_same, rows
from tests.recipes.test_distributed import TWO, train

import netc
from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec
from netc.plugins import load_registry
from netc.shapes import Value
from netc.terms import Symbol, Term

torch = pytest.importorskip("torch")
sklearn = pytest.importorskip("sklearn.metrics")
REGISTRY = load_registry()
CLASSES = 7
DATA = ("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "epochs: 3", "log_every: 1")
ALL = "metrics: (Accuracy, TopK(3), Precision, Recall, F1, ConfusionMatrix)"
EXPECTED: dict[str, tuple[dict[str, Any], Callable[[Any, Any], Any]]] = {
    "Accuracy": ({}, lambda y, s: sklearn.accuracy_score(y, s.argmax(1))),
    "TopK": ({"k": 3}, lambda y, s: sklearn.top_k_accuracy_score(y, s, k=3, labels=range(CLASSES))),
    "Precision": ({}, lambda y, s: sklearn.precision_score(y, s.argmax(1), average="macro", zero_division=0)),
    "Recall": ({}, lambda y, s: sklearn.recall_score(y, s.argmax(1), average="macro", zero_division=0)),
    "F1": ({}, lambda y, s: sklearn.f1_score(y, s.argmax(1), average="macro")),
    "IoU": ({}, lambda y, s: sklearn.jaccard_score(y, s.argmax(1), average="macro")),
    "ConfusionMatrix": ({}, lambda y, s: sklearn.confusion_matrix(y, s.argmax(1), labels=range(CLASSES)).tolist()),
    "BinaryAccuracy": ({"threshold": 0.2}, lambda y, s: sklearn.accuracy_score(y.ravel(), s.ravel() > 0.2)),
    "MAE": ({}, sklearn.mean_absolute_error),
    "RMSE": ({}, sklearn.root_mean_squared_error),
    "PSNR": ({"peak": 2.0}, lambda y, s: 10 * np.log10(4 / ((y - s) ** 2).mean(1)).mean()),
    "R2": ({}, sklearn.r2_score),
}


def test_every_metric_is_tried() -> None:
    assert set(EXPECTED) == set(REGISTRY.names("metrics"))


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_are_those_of_scikit_learn(name: str) -> None:
    """A class that never occurs and is never told counts in no mean; values far from zero keep their variance."""
    arguments, expected = EXPECTED[name]
    metric = REGISTRY.find("metrics", name).bind((), arguments)
    generator = torch.Generator().manual_seed(1)
    values = name in ("BinaryAccuracy", "MAE", "RMSE", "PSNR", "R2")
    output = torch.randn(103, 1 if name == "RMSE" else 3 if values else CLASSES, generator=generator)
    if name == "BinaryAccuracy":
        target = torch.randint(0, 2, output.shape, generator=generator).float()
    elif values:
        target = 1000 + output + torch.randn(output.shape, generator=generator) / 3
        output = output + 1000
    else:
        output[:, 4] = -9
        target = torch.randint(0, 4, (103,), generator=generator)
    scope: dict[str, Any] = {"torch": torch}
    exec(metric.source, scope)
    shape = Value((1, *output.shape[1:]))
    total: Any = 0
    for start, end in ((0, 40), (40, 41), (41, 103)):
        scope |= {"output": output[start:end], "target": target[start:end]}
        added = eval(metric.count("output", "target", shape), scope)
        assert tuple(added.shape) == metric.shape(shape)
        total += added
    scope |= {"total": total, "count": 103}
    found = eval(metric.figure("total", "count", shape), scope)
    assert torch.tensor(found).numpy() == pytest.approx(
        torch.tensor(expected(target.numpy(), output.numpy())).numpy(), rel=1e-5
    )


@pytest.mark.parametrize("name", ["BinaryAccuracy", "MAE", "RMSE", "PSNR"])
def test_pictures_of_any_size_have_the_same_figures(name: str) -> None:
    """Where only the run knows the size of an example, what is counted follows from means of examples."""
    arguments, _ = EXPECTED[name]
    metric = REGISTRY.find("metrics", name).bind((), arguments)
    generator = torch.Generator().manual_seed(1)
    output, target = torch.rand(2, 9, 1, 4, 6, generator=generator)
    found = []
    for shape in (Value((1, 1, 4, 6)), Value((1, 1, Term.atom(Symbol("H")), Term.atom(Symbol("W"))))):
        scope = {"output": output, "target": target}
        exec(metric.source, scope)
        total = eval(metric.count("output", "target", shape), scope)
        found.append(eval(metric.figure("total", "count", shape), {"total": total, "count": 9}))
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_the_log_has_them(run: Callable[..., Path], tmp_path: Path) -> None:
    """The confusion matrix of a run says all the others; the best is that of the greatest F1; a resumed run agrees."""
    text = block(*DATA, ALL, "keep: best(F1)", "patience: 3", "evaluate_first: true", "plot: (F1, ConfusionMatrix)")
    run(text, tmp_path / "a")
    assert {"f1.png", "confusion.png"} <= {path.name for path in (tmp_path / "a").iterdir()}
    for row in (row for row in rows(tmp_path / "a") if "epoch" in row):
        told, there = zip(*((c, r) for r, line in enumerate(row["confusion"]) for c, n in enumerate(line)
                            for _ in range(n)), strict=True)  # fmt: skip
        assert len(told) == 360
        assert row["accuracy"] == pytest.approx(sklearn.accuracy_score(there, told))
        assert row["f1"] == pytest.approx(sklearn.f1_score(there, told, average="macro"))
        assert row["recall"] == pytest.approx(sklearn.recall_score(there, told, average="macro"))
    best = max(row["f1"] for row in rows(tmp_path / "a") if row.get("epoch"))
    assert torch.load(tmp_path / "a/best.pt", weights_only=True)["best"] == best
    with pytest.raises(SystemExit):
        run(text, tmp_path / "b", stop_after=20)
    run(text, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


SEGMENTATION = """\
net Masks:
    input 3x8x8
    conv1: Conv(4, 3, padding=1); relu
    head: Conv(3, 1)

train:
    data: Function("regions:{function}", classes=3, shape=(8, 8), batch_size=20, test_batch_size=7{more})
    loss: CrossEntropyLoss
    optimizer: Adam(3e-3)
    epochs: 1
    metrics: (IoU, F1, ConfusionMatrix, TopK(2))
    keep: best(IoU)
"""
REGIONS = """\
import torch


def regions(seed, missing=0.0):
    generator = torch.Generator().manual_seed(seed)
    for count in (40, 17):
        pictures = torch.rand(count, 3, 8, 8, generator=generator)
        kinds = pictures.argmax(1)
        kinds[torch.rand(kinds.shape, generator=generator) < missing] = -100
        yield pictures
        yield kinds


def holes(seed):
    return regions(seed, 0.3)


def wrong(seed):
    pictures, kinds, *test = regions(seed, 0.3)
    return pictures, kinds - 1, *test
"""


@pytest.mark.parametrize(("function", "more"), [("regions", ""), ("holes", ", partial=true")])
def test_places_are_counted(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, more: str
) -> None:
    """Each pixel with a class is an example; those without one count nowhere, neither in the loss."""
    (tmp_path / "regions.py").write_text(REGIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "regions", raising=False)
    spec = tmp_path / "masks.net"
    spec.write_text(SEGMENTATION.format(function=function, more=more))
    state = torch.load(run(spec, tmp_path) / "best.pt", weights_only=True)
    scope: dict[str, Any] = {}
    exec(REGIONS, scope)
    *_, pictures, kinds = scope[function](0)
    with torch.no_grad():
        scores = netc.load(spec, weights=tmp_path / "last.pt").eval()(pictures)
        loss = torch.nn.functional.cross_entropy(scores, kinds).item()
    known = kinds >= 0
    told, there = scores.argmax(1)[known], kinds[known]
    row = rows(tmp_path)[-1]
    assert state["best"] == row["iou"] == pytest.approx(sklearn.jaccard_score(there, told, average="macro"))
    assert row["f1"] == pytest.approx(sklearn.f1_score(there, told, average="macro"))
    assert row["accuracy"] == pytest.approx(sklearn.accuracy_score(there, told))
    assert row["confusion"] == sklearn.confusion_matrix(there, told, labels=range(3)).tolist()
    assert row["test_loss"] == pytest.approx(loss, rel=1e-5)


def test_a_class_that_the_network_does_not_tell_is_named(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "regions.py").write_text(REGIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "regions", raising=False)
    spec = tmp_path / "masks.net"
    spec.write_text(SEGMENTATION.format(function="wrong", more=", partial=true"))
    with pytest.raises(SystemExit, match="regions:wrong gives class -1, not 0 to 2"):
        run(spec, tmp_path)


CLEAN = (
    (ALL, "keep: best(TopK)", "distributed: ddp"), (ALL, "plot: (loss, ConfusionMatrix)", "samples: 3"),
    ("metrics: Accuracy", "keep: best(Accuracy)"),
    ("metrics: (F1, ConfusionMatrix)", "schedule: ReduceLROnPlateau", "keep: best(F1)", "ema: 0.9", "distributed: ddp"),
)  # fmt: skip


def test_scripts_are_clean(tmp_path: Path) -> None:
    for number, settings in enumerate(CLEAN):
        (tmp_path / f"script_{number}.py").write_text(script_of(block(*DATA, *settings)))
    for number, more in enumerate(("", ", partial=true", ", shared", ", partial=true, shared")):
        text = SEGMENTATION.format(function="regions", more=more).replace(", shared)", ")\n    distributed: ddp")
        (tmp_path / f"places_{number}.py").write_text(compile_spec(Source("masks.net", text)).script)
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.nightly
def test_two_processes_count_what_one_does(tmp_path: Path) -> None:
    """The same weights, the test part shared unevenly: the first evaluation agrees exactly."""
    script = tmp_path / "small.py"
    settings = ("data: Digits(batch_size=720, test_batch_size=7)", *DATA[1:3], "epochs: 1", "evaluate_first: true")
    script.write_text(script_of(block(*settings, ALL, "distributed: ddp"), "plain 1x8x8"))
    train([sys.executable], script, tmp_path / "one")
    train(TWO, script, tmp_path / "two")
    one, two = (rows(tmp_path / name)[0] for name in ("one", "two"))
    assert one.pop("test_loss") == pytest.approx(two.pop("test_loss"), rel=1e-5)
    assert one == two
