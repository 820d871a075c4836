"""Whether two modules are the same network: state, constants, outputs, randomness, statistics and gradients."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn

Build = Callable[[], nn.Module]


Shape = tuple[int | None, ...]
"""The sizes of one example, or of a batch with None for how many examples there are."""


class Whole(NamedTuple):
    """An input of whole numbers, and what they stay below; or of truth values."""

    shape: Shape
    below: int
    dtype: torch.dtype = torch.int64


Input = Shape | Whole  # a bare shape is one of floats
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


RANDOM = ("normal_", "uniform_", "trunc_normal_", "kaiming_normal_", "kaiming_uniform_", "xavier_uniform_")


@contextmanager
def constructing() -> Iterator[None]:
    """Parameters that are made here hold whatever is in memory where they would be drawn at random.

    That saves the most of a large module's construction; `fill` overwrites it. Constants are drawn, each kind from a
    seed of its own, so that two modules have the same if they ask for the same.
    """
    with patch.multiple(nn.init, **{name: sparing(name, getattr(nn.init, name)) for name in RANDOM}):
        yield


def sparing(name: str, drawn: Callable[..., Tensor]) -> Any:
    def initialize(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        idle = isinstance(tensor, nn.Parameter)
        return tensor if idle else drawn(tensor, *args, **kwargs, generator=generator(name))

    return initialize


def generator(tag: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(tag.encode()))


@torch.no_grad()
def fill(module: nn.Module) -> None:
    """Weights that depend on their key and shape alone, and under which every layer counts.

    As they are constructed, norms are the identity, biases are zero and scales close to it, and much could be left out
    without a difference. A few large weights of the norms reach the bent parts of activations that are bounded.
    """
    trained = {key for key, _ in module.named_parameters()}
    for key, tensor in module.state_dict().items():
        last = key.rpartition(".")[2]
        if key not in trained and last not in STATISTICS:
            continue
        if last == "num_batches_tracked":
            tensor.fill_(3)
            continue
        value = torch.empty(tensor.shape)
        if last == "running_var":
            value.uniform_(0.6, 1.2, generator=generator(key))
        elif last == "weight" and tensor.dim() == 1:
            value.uniform_(0.4, 0.7, generator=generator(key))
            value[::13] *= 4
        else:
            value.normal_(generator=generator(key)).mul_(tensor[0].numel() ** -0.5 if tensor.dim() > 1 else 0.2)
        tensor.copy_(value)


def layout(module: nn.Module) -> list[tuple[str, tuple[int, ...], torch.dtype, bool]]:
    """The state dict in order: key, shape, type, and whether it is trained."""
    trained = dict(module.named_parameters(remove_duplicate=False))
    return [(key, tuple(t.shape), t.dtype, key in trained) for key, t in module.state_dict().items()]


def flat(output: Any, path: str = "") -> dict[str, Tensor | None]:
    """The tensors of an output, each with its place in it."""
    if output is None or isinstance(output, Tensor):
        return {path: output}
    if isinstance(output, dict):
        items = [(f"[{key!r}]", value) for key, value in output.items()]
    elif hasattr(output, "_fields"):
        items = [(f".{key}", getattr(output, key)) for key in output._fields]
    else:
        items = [(f"[{i}]", value) for i, value in enumerate(output)]
    return {key: tensor for step, value in items for key, tensor in flat(value, path + step).items()}


Facts = dict[str, dict[str, Tensor | None]]


def draw(input: Input, tag: str, dtype: torch.dtype) -> Tensor:
    """Two examples of an input."""
    if isinstance(input, Whole):
        return torch.randint(input.below, batch(input.shape), generator=generator(tag)).to(input.dtype)
    return torch.randn(batch(input), generator=generator(tag), dtype=dtype)


def batch(shape: Shape) -> list[int]:
    """The sizes of a batch of two."""
    whole = shape if None in shape else (None, *shape)
    return [2 if size is None else size for size in whole]


def run(build: Build, inputs: tuple[Input, ...], dtype: torch.dtype) -> Facts:
    """All that a network shows: in evaluation, and in training, from one seed, with the gradients of a fixed loss."""
    with constructing():
        module = build().to(dtype)
    fill(module)
    tensors = [draw(input, f"input {i}", dtype) for i, input in enumerate(inputs)]
    constants = {key: tensor for key, tensor in module.named_buffers() if key.rpartition(".")[2] not in STATISTICS}
    found: Facts = {"constants": {key: tensor.clone() for key, tensor in constants.items()}}
    torch.manual_seed(7)
    with torch.no_grad():
        found["evaluation"] = flat(module.eval()(*(tensor.clone() for tensor in tensors)))
    torch.manual_seed(7)
    outputs = flat(module.train()(*(tensor.clone() for tensor in tensors)))
    found["random numbers"] = {"state": torch.get_rng_state()}
    present = {key: tensor for key, tensor in outputs.items() if tensor is not None}
    weighted = [(t * torch.randn(t.shape, generator=generator(key), dtype=dtype)).sum() for key, t in present.items()]
    torch.stack(weighted).sum().backward()
    found["training"] = {key: None if tensor is None else tensor.detach() for key, tensor in outputs.items()}
    found["statistics"] = {key: t.clone() for key, t in module.named_buffers() if key.rpartition(".")[2] in STATISTICS}
    found["gradients"] = {key: parameter.grad for key, parameter in module.named_parameters()}
    return found


def differences(ours: Facts, theirs: Facts) -> dict[str, float]:
    """What is not bit-identical, and by how much relative to the largest value there."""
    found = {}
    for part, tensors in theirs.items():
        assert list(ours[part]) == list(tensors), f"{part}: {list(ours[part])} for {list(tensors)}"
        for key, b in tensors.items():
            a = ours[part][key]
            assert (a is None) == (b is None), f"{part} of `{key}` is there on one side only"
            if a is None or b is None or torch.equal(a, b):
                continue
            assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{part} of `{key}`"
            assert part not in ("constants", "random numbers"), f"{part} differ: {key}"
            found[f"{part} {key}"] = float((a - b).abs().max() / b.abs().max())
    return found


def check_power(theirs: Facts) -> None:
    """Outputs that are infinite, or equal for both examples, would show nothing."""
    for key, tensor in theirs["evaluation"].items():
        assert tensor is not None and tensor.isfinite().all(), key
        assert len(tensor) < 2 or (tensor[0] - tensor[1]).abs().max() > 1e-6 * tensor.abs().max(), key


def assert_same_state(ours: Build, theirs: Build) -> int:
    """Compares keys, shapes, types and their order without memory for them; the number of keys."""
    with torch.device("meta"):
        expected, found = layout(theirs()), layout(ours())
    for a, b in zip(found, expected, strict=False):
        assert a == b
    assert len(found) == len(expected)
    return len(expected)


def assert_same(ours: Build, theirs: Build, *inputs: Input) -> bool:
    """Compares two networks on two random examples of these inputs; whether they are bit-identical.

    Where floating-point sums are ordered otherwise, they must agree to 1e-9 in double precision.
    """
    assert_same_state(ours, theirs)
    expected = run(theirs, inputs, torch.float32)
    check_power(expected)
    if not differences(run(ours, inputs, torch.float32), expected):
        return True
    del expected
    exact = differences(run(ours, inputs, torch.float64), run(theirs, inputs, torch.float64))
    wrong = {key: size for key, size in exact.items() if not size <= 1e-9}
    assert not wrong
    return False
