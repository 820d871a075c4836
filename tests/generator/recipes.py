"""Recipes for nets that are made for them: data, loss, optimizer with groups, schedule and settings."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.generator.drawing import registry
from tests.generator.trees import Line

from netc.layer import Field, Float, Int, Ints, Signature, show

PARTICULAR = ("SparseAdam", "Muon", "LBFGS")  # optimizers of parameters of one kind only, or without groups
ALONE = ("CyclicLR", "OneCycleLR", "ReduceLROnPlateau")  # schedules of some optimizers only, and of no chain


@dataclass
class Task:
    """What a net is made for: its data and loss, its input and how many numbers come out."""

    data: str
    input: str
    output: str
    loss: str


def task(chance: random.Random) -> Task:
    if chance.random() < 0.2:
        return Task("Polynomial(coefficients=(1, 2))", "1", "1", "MSELoss")
    data, sizes = chance.choice([("Digits", "1x8x8"), ("Digits(batch_size=32)", "1x14x14"), ("MNIST", "1x28x28")])
    return Task(data, sizes, "10", chance.choice(["CrossEntropyLoss", "NLLLoss"]))


def recipes(chance: random.Random, task: Task) -> list[list[Line]]:
    """One recipe, or two."""
    names = ["train:"] if chance.random() < 0.7 else ["train:", "train quick:"]
    return [[(name, recipe(chance, task))] for name in names]


def recipe(chance: random.Random, task: Task) -> list[Line]:
    """The settings, in any order, the optimizer with its groups."""
    lines: list[Line] = [(f"data: {task.data}", None), (f"loss: {task.loss}", None)]
    lines.append((f"optimizer: {drawn(chance, 'optimizers', without=PARTICULAR)}", groups(chance)))
    lines.append((f"epochs: {chance.randint(3, 9)}", None))
    if chance.random() < 0.5:
        first = "warmup(2) -> " if chance.random() < 0.3 else ""
        lines.append((f"schedule: {first}{drawn(chance, 'schedules', without=('warmup', *ALONE))}", None))
    settings = ["seed: 3", "keep: best", "log_every: 10", "evaluate_first: true", "print_shapes: true", "device: cpu"]
    if "Polynomial" in task.data:  # it has no test part
        settings = ["seed: 3", "log_every: 10", "device: cpu"]
    lines += [(setting, None) for setting in chance.sample(settings, chance.randint(0, 3))]
    chance.shuffle(lines)
    return lines


def drawn(chance: random.Random, category: str, without: tuple[str, ...] = ()) -> str:
    """A definition of that category with some arguments, within the ranges of its fields."""
    names = [name for name in registry().names(category) if name not in without]  # type: ignore[arg-type]
    name = chance.choice(names)
    cls: type[Signature] = registry().find(category, name)  # type: ignore[arg-type]
    given = [f"{n}={argument(f)}" for n, f in cls.fields.items() if f.required or (n == "lr" and chance.random() < 0.7)]
    return f"{name}({', '.join(given)})" if given else name


def argument(field: Field[object]) -> str:
    if isinstance(field, Ints):
        return "(1, 2)"
    if isinstance(field, Int):
        return "2"
    return "0.01" if isinstance(field, Float) else show(field.default)


def groups(chance: random.Random) -> list[Line] | None:
    selector = chance.choice(["classifier", "Linear", '"classifier.*"', "classifier, Conv"])
    return [(f"group {selector}: lr=1e-2", None)] if chance.random() < 0.4 and selector != "classifier, Conv" else None
