"""netc: neural networks as short declarative texts, compiled to plain PyTorch.

`load` and `loads` give a live `torch.nn.Module`; `compile` gives the compiled spec. Nothing here imports torch before
a module is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from netc.version import VERSION as __version__

if TYPE_CHECKING:
    from torch import nn

    from netc.pipeline import Compiled
    from netc.weights import Weights


def compile(
    spec: str | PathLike[str], net: str | None = None, train: str | None = None, params: Mapping[str, Any] | None = None
) -> Compiled:
    """The compiled spec at a path: its graph, shapes, source and diagnostics.

    Raises `netc.diagnostics.SpecError` with every independent mistake in the spec.
    """
    from netc.pipeline import compile as compile_spec

    return compile_spec(fspath(spec), net, train, params)


def load(
    spec: str | PathLike[str],
    net: str | None = None,
    /,
    *,
    weights: Weights | None = None,
    rename: Mapping[str, str] | None = None,
    **params: Any,
) -> nn.Module:
    """The live module of the spec at a path: `load("specs/resnet.net", "resnet50", classes=100)`.

    `net` chooses a net or variant, `params` gives the net's parameters. `weights` is a state dict or the file of one,
    or a checkpoint of an emitted script; `rename` maps regular expressions to what they become in its keys. Raises
    `netc.diagnostics.SpecError`, and `netc.weights.WeightsError` with every key that does not fit.
    """
    return compile(spec, net, params=params).load(weights, rename)


def loads(
    text: str,
    net: str | None = None,
    /,
    *,
    weights: Weights | None = None,
    rename: Mapping[str, str] | None = None,
    **params: Any,
) -> nn.Module:
    """The live module of a spec given as text; as `load` otherwise."""
    from netc.diagnostics import Source
    from netc.pipeline import compile as compile_spec

    return compile_spec(Source("<text>", text), net, params=params).load(weights, rename)


__all__ = ["__version__", "compile", "load", "loads"]
