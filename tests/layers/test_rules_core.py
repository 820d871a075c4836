"""The rules of convolution, pooling, linear and normalization against torch: same verdict, shape and state.

Configurations are drawn at random, valid and invalid ones alike; the meta device runs them without data. NETC_TRIALS
sets how many for each layer.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

import netc_std
from netc.layer import Layer, Reject
from netc.registry import Registry
from netc.shapes import Value
from netc.terms import Known, Ledger, Place, Symbol, Term

TRIALS = int(os.environ.get("NETC_TRIALS", "150"))
DTYPES = {"float": torch.float32, "int": torch.int64}
ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
REGISTRY = Registry()
REGISTRY.add("layers", "std", netc_std.netc_layers())
Case = tuple[list[Value], dict[str, Any]]


class Draw(random.Random):
    """A source of shapes and arguments that are mostly, not always, sensible."""

    def image(self, channels: tuple[int, ...] = (1, 2, 3, 4, 6, 8), ranks: tuple[int, ...] = (3, 4, 5)) -> Value:
        rank = self.choice(ranks)
        return Value((2, self.choice(channels), *(self.choice((1, 2, 3, 5, 8, 9, 11)) for _ in range(rank - 2))))

    def per(self, value: Value, *options: Any, ragged: bool = False) -> Any:
        """One for all dimensions, or one for each; with `ragged` sometimes too few or too many."""
        n = value.rank - 2
        form = self.random()
        if form < 0.5:
            return self.choice(options)
        if form > 0.9 and ragged and n > 1:
            return tuple(self.choice(options) for _ in range(n + self.choice((-1, 1))))
        return tuple(self.choice(options) for _ in range(n))

    def some(self, **options: Any) -> dict[str, Any]:
        """A part of the arguments; the others keep their defaults."""
        return {name: value() for name, value in options.items() if self.random() < 0.5}


def conv(d: Draw) -> Case:
    x = d.image()
    return [x], {"out_channels": d.choice((1, 2, 3, 4, 6)), "kernel_size": d.per(x, 1, 2, 3, 4, 5)} | d.some(
        stride=lambda: d.per(x, 1, 2, 3), dilation=lambda: d.per(x, 1, 2), groups=lambda: d.choice((1, 1, 2, 3)),
        padding=lambda: d.choice(("same", "valid", d.per(x, 0, 1, 2, 3, 9))), bias=lambda: False,
        padding_mode=lambda: d.choice(("zeros", "reflect", "replicate", "circular")))  # fmt: skip


def conv_transpose(d: Draw) -> Case:
    x = d.image()
    return [x], {"out_channels": d.choice((1, 2, 3, 4, 6)), "kernel_size": d.per(x, 1, 2, 3, 4)} | d.some(
        stride=lambda: d.per(x, 1, 2, 3), padding=lambda: d.per(x, 0, 1, 2), groups=lambda: d.choice((1, 2, 3)),
        output_padding=lambda: d.per(x, 0, 0, 1, 2), dilation=lambda: d.per(x, 1, 2), bias=lambda: False)  # fmt: skip


def max_pool(d: Draw) -> Case:
    x = d.image()
    return [x], {"kernel_size": d.per(x, 1, 2, 3, 4, ragged=True)} | d.some(
        stride=lambda: d.per(x, 1, 2, 3, 5), padding=lambda: d.per(x, 0, 1, 2), dilation=lambda: d.per(x, 1, 2, 3),
        return_indices=lambda: True, ceil_mode=lambda: True)  # fmt: skip


def avg_pool(d: Draw) -> Case:
    x = d.image()
    divisor = {"divisor_override": d.choice((0, 3))} if x.rank > 3 and d.random() < 0.2 else {}
    return [x], {"kernel_size": d.per(x, 1, 2, 3, 4, ragged=True)} | divisor | d.some(
        stride=lambda: d.per(x, 1, 2, 3, 5), padding=lambda: d.per(x, 0, 1, 2), ceil_mode=lambda: True,
        count_include_pad=lambda: False)  # fmt: skip


def adaptive(d: Draw) -> Case:
    x = d.image()
    return [x], {"output_size": d.per(x, 1, 2, 7, *((None,) if d.random() < 0.5 else ()))}


def adaptive_max(d: Draw) -> Case:
    inputs, arguments = adaptive(d)
    return inputs, arguments | d.some(return_indices=lambda: True)


def lp_pool(d: Draw) -> Case:
    x = d.image()
    return [x], {"norm_type": d.choice((0, 1, 2, 1.5)), "kernel_size": d.per(x, 1, 2, 3)} | d.some(
        stride=lambda: d.per(x, 1, 2, 3), ceil_mode=lambda: True)  # fmt: skip


def fractional(d: Draw) -> Case:
    x = d.image()
    size = {"output_size": d.per(x, 1, 2, 5)} if d.random() < 0.5 else {"output_ratio": d.per(x, 0.3, 0.5, 0.8)}
    return [x], {"kernel_size": d.per(x, 1, 2, 3)} | size | d.some(return_indices=lambda: True)


def unpool(d: Draw) -> Case:
    x = d.image()
    other = x if d.random() < 0.9 else d.image()
    return [x, Value(other.shape, "int")], {"kernel_size": d.per(x, 1, 2, 3)} | d.some(
        stride=lambda: d.per(x, 1, 2, 3), padding=lambda: d.per(x, 0, 1, 2))  # fmt: skip


def unpool_sized(d: Draw) -> Case:
    inputs, arguments = unpool(d)
    x = inputs[0]
    return inputs, arguments | d.some(output_size=lambda: tuple(d.choice((1, 3, 4, 5, 9, 10)) for _ in x.spatial))


def linear(d: Draw) -> Case:
    return [d.image(ranks=(2, 3, 4))], {"out_features": 5} | d.some(bias=lambda: False)


def bilinear(d: Draw) -> Case:
    x = d.image(ranks=(2, 3))
    y = x.with_dim(-1, 7) if d.random() < 0.7 else d.image(ranks=(2, 3))
    return [x, y], {"out_features": 5} | d.some(bias=lambda: False)


def embedding(d: Draw) -> Case:
    x = Value(d.image(ranks=(2, 3)).shape, "int")
    return [x], {"num_embeddings": 10, "embedding_dim": 4} | d.some(
        padding_idx=lambda: d.choice((0, 9, 10, -10, -11)), sparse=lambda: True, max_norm=lambda: 1.0)  # fmt: skip


def bag(d: Draw) -> Case:
    inputs, arguments = embedding(d)
    return inputs, arguments | d.some(mode=lambda: d.choice(("sum", "mean", "max")),
                                      scale_grad_by_freq=lambda: True)  # fmt: skip


def batch_norm(d: Draw) -> Case:
    return [d.image(ranks=(2, 3, 4, 5, 6))], d.some(
        eps=lambda: d.choice((0, 1e-3)), affine=lambda: False, track_running_stats=lambda: False)  # fmt: skip


def instance_norm(d: Draw) -> Case:
    return [d.image()], d.some(affine=lambda: True, track_running_stats=lambda: True)


def group_norm(d: Draw) -> Case:
    return [d.image()], {"num_groups": d.choice((1, 2, 3, 4))} | d.some(affine=lambda: False, eps=lambda: 1e-6)


def layer_norm(d: Draw) -> Case:
    x = d.image(ranks=(2, 3, 4))
    count = d.choice(range(1, x.rank))
    shape = x.shape[-count:] if d.random() < 0.7 else d.image().shape[:count]
    return [x], d.some(normalized_shape=lambda: shape, elementwise_affine=lambda: False, eps=lambda: 1e-6)


def response_norm(d: Draw) -> Case:
    return [d.image(ranks=(2, 3, 4, 5))], {"size": d.choice((1, 2, 5))} | d.some(alpha=lambda: 1e-3, k=lambda: 2.0)


CASES: dict[str, Callable[[Draw], Case]] = {
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": max_pool, "max_pool": max_pool, "AvgPool": avg_pool,
    "avg_pool": avg_pool, "AdaptiveAvgPool": adaptive, "adaptive_avg_pool": adaptive, "AdaptiveMaxPool": adaptive_max,
    "adaptive_max_pool": adaptive_max, "LPPool": lp_pool, "lp_pool": lp_pool, "FractionalMaxPool": fractional,
    "fractional_max_pool": fractional, "MaxUnpool": unpool, "max_unpool": unpool_sized, "Linear": linear,
    "Bilinear": bilinear, "Embedding": embedding, "EmbeddingBag": bag, "BatchNorm": batch_norm,
    "InstanceNorm": instance_norm, "GroupNorm": group_norm, "LayerNorm": layer_norm, "RMSNorm": layer_norm,
    "LocalResponseNorm": response_norm, "local_response_norm": response_norm,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rule_agrees_with_torch(name: str) -> None:
    draw, verdicts = Draw(name), set()
    for _ in range(TRIALS):
        inputs, arguments = CASES[name](draw)
        cls = REGISTRY.layer(name)
        assert cls is not None
        ours, theirs = predicted(cls, name, inputs, arguments), run(cls, name, inputs, arguments)
        assert isinstance(ours, str) == isinstance(theirs, str), f"{name}({arguments}) on {inputs}: {ours} | {theirs}"
        if not isinstance(ours, str):
            assert ours == theirs, f"{name}({arguments}) on {[str(i) for i in inputs]}"
        verdicts.add(isinstance(ours, str))
    assert False in verdicts


def test_sizes_that_a_run_decides() -> None:
    height = Term.atom(Symbol("H", Ledger()))
    pool = layer("MaxPool", kernel_size=3, stride=2, padding=1, ceil_mode=True)
    assert pool.infer(Value((2, 8, height, 7))) == Value((2, 8, height // 2 + 1, 4))
    conv = layer("Conv", out_channels=4, kernel_size=3, stride=2, padding="same")
    assert conv.infer(Value((2, 8, height, 7))) == Value((2, 4, (height + 1) // 2, 4))
    with pytest.raises(Reject, match="needs `in_channels` before the run, but it is H"):
        conv.infer(Value((2, height, 8, 8)))


def test_same_padding_is_written_as_people_write_it() -> None:
    kernel = Known.make(3, Term.atom(Place("name", "net", "k")))
    padding = layer("Conv", out_channels=4, kernel_size=kernel, padding="same").arguments(Value((2, 8, 9)))["padding"]
    assert (padding, str(padding.term)) == (1, "k // 2")


def layer(name: str, **arguments: Any) -> Layer:
    cls = REGISTRY.layer(name)
    assert cls is not None
    return cls.bind((), arguments)


def predicted(cls: type[Layer], name: str, inputs: list[Value], arguments: dict[str, Any]) -> Any:
    """Shapes and state by the rule, or why not."""
    layer = cls.bind((), arguments)
    try:
        layer.admit(*inputs)
        out = layer.infer(*inputs)
    except Reject as reject:
        return reject.reason
    outputs = out if isinstance(out, tuple) else (out,)
    state = {} if name.islower() else layer.kept(*inputs)
    return [sizes(value) for value in outputs], [(key, tensor.shape) for key, tensor in state.items()]


def run(cls: type[Layer], name: str, inputs: list[Value], arguments: dict[str, Any], device: str = "meta") -> Any:
    """Shapes and state by torch, or its error."""
    layer = cls.bind((), arguments)
    n = str(layer.dimensions(*inputs))
    state: dict[str, Any] = {}
    try:
        with torch.device(device):
            tensors = [torch.zeros(sizes(value), dtype=DTYPES[value.kind]) for value in inputs]
            if name.islower():
                out = lookup((cls.function or "").replace("{n}", n))(*tensors, **layer.function_arguments(*inputs))
            else:
                module = lookup((cls.module or "").replace("{n}", n))(**layer.arguments(*inputs))
                out, state = module(*tensors), module.state_dict()
    except (Reject, *ERRORS) as error:
        return f"{type(error).__name__}: {error}"
    outputs = out if isinstance(out, tuple) else (out,)
    if any(0 in value.shape for value in outputs):
        return "empty, which our rules refuse"
    return [tuple(value.shape) for value in outputs], [(key, tuple(value.shape)) for key, value in state.items()]


def sizes(value: Any) -> tuple[int, ...]:
    """The shape of a value that is all numbers."""
    return tuple(int(size) for size in value.shape)


def lookup(path: str) -> Any:
    """What a dotted name of torch stands for."""
    found: Any = torch
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found
