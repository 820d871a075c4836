"""Whether two modules are the same network: keys, order, shapes, outputs, randomness and gradients."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def generator(tag: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(tag.encode()))


@torch.no_grad()
def fill(module: nn.Module) -> None:
    """Weights that depend on their key and shape alone and make every layer count."""
    for key, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            tensor.fill_(3)
        elif key.endswith("running_var"):
            tensor.copy_(torch.empty(tensor.shape).uniform_(0.6, 1.2, generator=generator(key)))
        else:
            scale = tensor[0].numel() ** -0.5 if tensor.dim() > 1 else 0.4
            tensor.copy_(torch.empty(tensor.shape).normal_(generator=generator(key)).mul_(scale))


def layout(module: nn.Module) -> list[tuple[str, tuple[int, ...], torch.dtype, bool]]:
    """The state dict in order: key, shape, type, and whether it is trained."""
    trained = dict(module.named_parameters(remove_duplicate=False))
    return [(key, tuple(t.shape), t.dtype, key in trained) for key, t in module.state_dict().items()]


Run = tuple[list[Tensor], list[Tensor | None], Tensor]


def run(module: nn.Module, inputs: Sequence[Tensor], training: bool) -> Run:
    """Outputs, gradients of a fixed loss, and the state of the random numbers afterwards."""
    module.train(training)
    module.zero_grad()
    torch.manual_seed(7)
    outputs = flat(module(*(tensor.clone() for tensor in inputs)))
    loss = sum((out * torch.randn(out.shape, generator=generator(str(i)))).sum() for i, out in enumerate(outputs))
    assert isinstance(loss, Tensor)
    loss.backward()
    return [out.detach() for out in outputs], [p.grad for p in module.parameters()], torch.get_rng_state()


def flat(outputs: object) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    items = outputs.values() if isinstance(outputs, dict) else outputs
    return [tensor for item in items if item is not None for tensor in flat(item)]  # type: ignore[attr-defined]


def assert_same(ours: nn.Module, other: nn.Module, *inputs: Tensor) -> None:
    """Bit-identical outputs, gradients and use of random numbers, in evaluation and in training."""
    assert layout(ours) == layout(other)
    fill(ours)
    fill(other)
    for training in (False, True):
        (a, a_grads, a_rng), (b, b_grads, b_rng) = run(ours, inputs, training), run(other, inputs, training)
        assert len(a) == len(b) and all(map(torch.equal, a, b))
        assert torch.equal(a_rng, b_rng)
        for (key, _), left, right in zip(ours.named_parameters(), a_grads, b_grads, strict=True):
            assert (left is None) == (right is None), key
            assert left is None or right is None or torch.equal(left, right), key
    buffers = zip(ours.named_buffers(), other.named_buffers(), strict=True)
    assert all(torch.equal(a, b) for (_, a), (_, b) in buffers)
