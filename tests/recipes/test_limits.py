"""Arguments of optimizers, schedules and losses: netc takes what PyTorch takes, and refuses what PyTorch refuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

import netc_std
from netc.layer import BadArgument, Bool, Float, Int, Ints, Numbers, Reject
from netc.plugins import load_registry
from netc.recipe import Loss, Optimizer, Part, Schedule
from netc.registry import Category

REFUSALS = (RuntimeError, ValueError, AssertionError, ZeroDivisionError)
NUMBERS = (-1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 1.0 + 1e-9, 2.0)
COUNTS = (-1, 0, 1, 3)
PAIRS = ((0.9, 0.999), (0.0, 0.0), (-0.1, 0.9), (1.0, 0.9), (0.9, 1.0), (0.9, 1.5))
STRICTER = {
    ("gamma", "below 0"): "no schedule makes the learning rate negative",
    ("eta_min", "below 0"): "no schedule makes the learning rate negative",
    ("step_size", "below 1"): "epochs are counted from 1",
    ("milestones", "below 1"): "epochs are counted from 1",
    ("T_max", "below 1"): "epochs are counted from 1",
    ("total_iters", "below 1"): "epochs are counted from 1",
    ("epochs", "below 1"): "epochs are counted from 1",
    ("ns_steps", "below 1"): "without an iteration nothing is made orthogonal",
    ("max_iter", "below 1"): "without an iteration nothing is learnt",
    ("max_eval", "below 1"): "without an evaluation nothing is learnt",
    ("history_size", "below 1"): "a step follows from the gradients before it",
    ("tolerance_grad", "below 0"): "a size is never below 0",
    ("tolerance_change", "below 0"): "a size is never below 0",
    ("base_lr", "below 0"): "no schedule makes the learning rate negative",
    ("max_lr", "below 0"): "no schedule makes the learning rate negative",
    ("base_momentum", "below 0"): "no schedule makes the momentum negative",
    ("max_momentum", "below 0"): "no schedule makes the momentum negative",
    ("div_factor", "below 0"): "no schedule makes the learning rate negative",
    ("final_div_factor", "below 0"): "no schedule makes the learning rate negative",
    ("factor", "below 0"): "no schedule makes the learning rate negative",
    ("min_lr", "below 0"): "no schedule makes the learning rate negative",
    ("patience", "below 0"): "a count is never below 0",
    ("cooldown", "below 0"): "a count is never below 0",
    ("threshold", "below 0"): "a size is never below 0",
    ("eps", "below 0"): "a size is never below 0",
    ("step_size_up", "below 1"): "steps are counted from 1",
    ("step_size_down", "below 1"): "steps are counted from 1",
}
"""Where netc refuses on purpose what PyTorch takes; the manual says so."""


def parts(category: Category) -> list[type[Part]]:
    registry = load_registry()
    found = [registry.find(category, name) for name in registry.names(category)]
    return sorted({part for part in found if part is not None}, key=lambda part: part.__name__)


def values(field: Any) -> tuple[Any, ...]:
    if isinstance(field, Bool):
        return (True, False)
    if isinstance(field, Float):
        return NUMBERS
    if isinstance(field, Int):
        return COUNTS
    if isinstance(field, Numbers) and field.length == 2:
        return PAIRS
    return ((2, 4), (0, 2)) if isinstance(field, Ints) else ()


def cases(category: Category, given: Callable[[type[Part]], dict[str, Any]]) -> Iterator[Any]:
    for part in parts(category):
        for name, field in part.fields.items():
            for value in values(field):
                arguments = {**given(part), name: value}
                yield pytest.param(part, arguments, name, id=f"{part.__name__}-{name}={value}")


def ours(part: type[Part], arguments: dict[str, Any]) -> bool:
    try:
        made = part.bind((), arguments)
        if isinstance(made, Optimizer):
            made.check("cpu")
    except (BadArgument, Reject):
        return False
    return True


def theirs(build: Callable[[], object]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            build()
        except REFUSALS:
            return False
    return True


def class_of(part: type[Part]) -> Any:
    module, _, name = part.module.rpartition(".")
    return getattr(torch.optim.lr_scheduler if "lr_scheduler" in module else torch.optim, name)


def compare(part: type[Part], arguments: dict[str, Any], name: str, build: Callable[[], object]) -> None:
    value = arguments[name]
    least = min(value) if isinstance(value, tuple) else value
    bound = (0, "below 0") if (name, "below 0") in STRICTER else (1, "below 1")
    if (name, bound[1]) in STRICTER and least < bound[0]:
        assert not ours(part, arguments)
    else:
        assert ours(part, arguments) == theirs(build)


def step(part: type[Part], arguments: dict[str, Any]) -> None:
    """Two steps as the script takes them: the fused kernel where there is one and nothing excludes it."""
    model, batch = learner(part)
    fused = part.fused and not arguments.get("foreach") and not arguments.get("differentiable")  # type: ignore[attr-defined]
    optimizer = class_of(part)(model.parameters(), **arguments, **({"fused": True} if fused else {}))

    def gradients() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = model(batch).mean()
        loss.backward()
        return loss

    for _ in range(2):
        if part.closure:  # type: ignore[attr-defined]
            optimizer.step(gradients)
        else:
            gradients()
            optimizer.step()


def learner(part: type[Part]) -> tuple[nn.Module, torch.Tensor]:
    """A network that an optimizer can train, and a batch for it."""
    if part.__name__ == "SparseAdam":
        return nn.Embedding(4, 2, sparse=True), torch.tensor([0, 2, 2])
    return nn.Linear(2, 2, bias=part.__name__ != "Muon"), torch.ones(3, 2)


@pytest.mark.parametrize(("part", "arguments", "name"), list(cases("optimizers", lambda part: {})))
def test_optimizers(part, arguments, name):
    compare(part, arguments, name, lambda: step(part, arguments))


@pytest.mark.parametrize(("momentum", "dampening", "nesterov"), list(product((0, 0.9, 1.5), (0, 0.1), (True, False))))
def test_nesterov(momentum, dampening, nesterov):
    arguments = {"lr": 0.1, "momentum": momentum, "dampening": dampening, "nesterov": nesterov}
    assert ours(netc_std_part("SGD"), arguments) == theirs(lambda: step(netc_std_part("SGD"), arguments))


def netc_std_part(name: str) -> type[Part]:
    return next(part for part in parts("optimizers") if part.__name__ == name)


def required(part: type[Part]) -> dict[str, Any]:
    example = {"gamma": 0.5, "step_size": 2, "milestones": (2, 4), "T_max": 5, "T_0": 2, "epochs": 3, "base_lr": 0.1,
               "max_lr": 0.2}  # fmt: skip
    return {name: example[name] for name, field in part.fields.items() if field.required}


def schedule(part: type[Part], arguments: dict[str, Any]) -> None:
    assert issubclass(part, Schedule)
    given = {part.renamed.get(name, name): value for name, value in arguments.items()}
    given |= {part.remaining: 5} if part.remaining else {}
    given |= {name: part.fields[name].default for name in part.stated if name not in arguments}
    optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1, momentum=0.9)
    made = class_of(part)(optimizer, **{name: list(v) if isinstance(v, tuple) else v for name, v in given.items()})
    for _ in range(5 if part.remaining else 6):
        optimizer.step()
        made.step(*[0.5] * part.judges)


@pytest.mark.parametrize(("part", "arguments", "name"), list(cases("schedules", required)))
def test_schedules(part, arguments, name):
    compare(part, arguments, name, lambda: schedule(part, arguments))


@pytest.mark.parametrize("smoothing", NUMBERS)
def test_label_smoothing(smoothing):
    part = next(part for part in parts("losses") if part.__name__ == "CrossEntropyLoss")
    assert issubclass(part, Loss)
    scores, classes = torch.zeros(2, 3), torch.tensor([0, 2])
    taken = theirs(lambda: nn.CrossEntropyLoss(label_smoothing=smoothing)(scores, classes))
    # PyTorch ignores one below 0, which the manual lists.
    assert ours(part, {"label_smoothing": smoothing}) == (taken and smoothing >= 0)


def test_every_definition_is_tried():
    assert {part.__name__ for part in parts("optimizers")} == set(netc_std.netc_optimizers())
