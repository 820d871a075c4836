"""What a loss takes and refuses, against PyTorch: shapes of output and target, and factors for a part of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.layers.completeness import std

from netc.layer import Reject
from netc.recipe import Loss, Target
from netc.shapes import Shape, Value
from netc.testing.rules import materialize
from netc.trial import locate

REGISTRY = std()
ALL: list[type[Loss]] = [REGISTRY.find("losses", name) for name in REGISTRY.names("losses")]
LOSSES = [cls for cls in ALL if cls.operands == ("output",)]
COMPARING = [cls for cls in ALL if cls not in LOSSES]
every_loss = pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.__name__)
BATCH = 5
"""Other than all sizes that are drawn, so that nothing fits it by chance."""
REFUSALS = (RuntimeError, ValueError, IndexError, AssertionError)


class Draw(random.Random):
    """Draws what a loss is told, and what reaches it."""

    def shape(self) -> tuple[int, ...]:
        """Of one example: none to two dimensions."""
        return tuple(self.choice((1, 2, 3)) for _ in range(self.choice((0, 1, 1, 1, 2))))

    def target(self, output: tuple[int, ...]) -> Target:
        shape = output if self.random() < 0.6 else self.shape()
        if self.random() < 0.5:
            return Target("Some", "value", shape)
        return Target("Some", "class", shape[1:], self.choice((2, 3, *output[:1])))

    def arguments(self, cls: type[Loss]) -> dict[str, Any]:
        return {name: (1.0,) * self.choice((1, 2, 3)) for name in cls.tensors if self.random() < 0.4}


def refusal(loss: Loss, output: Shape, target: Target) -> str | None:
    try:
        loss.check(Value((BATCH, *output)), target)
    except Reject as reject:
        return reject.reason
    return None


def their_refusal(loss: Loss, output: tuple[int, ...], target: Target) -> str | None:
    """Why PyTorch refuses a batch; a target of another shape than the output's, which it spreads, is refused too."""
    tensors = {name: torch.tensor(factors) for name, factors in vars(loss).items()}
    extent: Any = target.shape
    scores = torch.full((BATCH, *output), 0.5, requires_grad=True)
    if target.kind == "class":
        wanted = torch.full((BATCH, *extent), (target.classes or 1) - 1)
    else:
        wanted = torch.full((BATCH, *extent), 0.5)
    try:
        result = locate(loss.module)(**tensors)(scores, wanted)
        assert target.kind == "class" or scores.shape == wanted.shape
        assert result.shape == ()
        result.backward()
    except REFUSALS as error:
        return f"{type(error).__name__}: {error}"
    return None


def compared(cls: type[Loss], count: int, seed: int) -> tuple[int, int]:
    """How many configurations were taken, and how many refused, by both sides."""
    draw = Draw(seed)
    taken = refused = 0
    for _ in range(count):
        output, loss = draw.shape(), cls.bind((), draw.arguments(cls))
        target = draw.target(output)
        ours, theirs = refusal(loss, output, target), their_refusal(loss, output, target)
        if ours and not theirs and (of_another_kind(cls, target) or output[-1:] == (1,)):
            continue
        assert (ours is None) == (theirs is None), f"{vars(loss)} {output} {target}: {ours}, torch {theirs}"
        taken, refused = taken + (ours is None), refused + (ours is not None)
    return taken, refused


def of_another_kind(cls: type[Loss], target: Target) -> bool:
    """Stricter than torch, beside factors for one number that it would spread.

    Class numbers are no values, and values no probabilities of classes.
    """
    for_classes = "ClassLoss" in {base.__name__ for base in cls.__mro__}
    return for_classes != (target.kind == "class")


@every_loss
@pytest.mark.filterwarnings("ignore")
def test_loss_agrees_with_torch(cls: type[Loss]) -> None:
    taken, refused = compared(cls, 150, seed=0)
    assert taken > 5 and refused > 5


@pytest.mark.nightly
@every_loss
@pytest.mark.filterwarnings("ignore")
def test_loss_agrees_with_torch_at_length(cls: type[Loss]) -> None:
    compared(cls, 2000, seed=1)


# ---- losses of several outputs -----------------------------------------------------------------

SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (4,), (2, 3))


@pytest.mark.parametrize("cls", COMPARING, ids=lambda cls: cls.__name__)
def test_losses_of_several_outputs_take_what_pytorch_takes(cls: type[Loss]) -> None:
    """What PyTorch would spread is refused, and so is what it reduces over something else than vectors."""
    taken = 0
    for shape in SHAPES:
        for other in SHAPES:
            shapes = [shape, *[other] * (len(cls.operands) - 1)]
            target = Target("Some", "value") if cls.targeted else None
            try:
                cls().admit([Value((BATCH, *s)) for s in shapes], target)
            except Reject:
                continue
            outputs = [torch.rand((BATCH, *s), requires_grad=True) for s in shapes]
            result = made(cls)(*outputs, *[torch.ones(BATCH)] * cls.targeted)
            result.backward()
            assert result.shape == ()
            assert shape == other or len(shapes) == 1
            taken += 1
    assert taken >= 1


def made(cls: type[Loss]) -> Callable[..., torch.Tensor]:
    """The loss as a script has it: PyTorch's class or function, or the class that it brings."""
    found: Callable[..., Any] = materialize(cls, cls.module) if cls.source else locate(cls.module)
    return found if cls.function else found()


def test_divergence_is_that_of_torch_distributions() -> None:
    cls = REGISTRY.find("losses", "GaussianKLDivLoss")
    mean, logarithm = torch.randn(7, 3), torch.randn(7, 3)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (logarithm / 2).exp()), normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(made(cls)(mean, logarithm), expected)
