"""netc: neural networks as short declarative texts, compiled to plain PyTorch.

`load` and `loads` give a live `torch.nn.Module`; `compile` gives the compiled spec. Nothing here imports torch before
a module is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from netc.version import VERSION as __version__

if TYPE_CHECKING:
    from torch import nn

    from netc.pipeline import Compiled
    from netc.registry import Registry
    from netc.weights import Weights


def compile(
    spec: str | PathLike[str],
    net: str | None = None,
    train: str | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    plugins: Sequence[str | PathLike[str]] = (),
) -> Compiled:
    """The compiled spec at a path: its graph, shapes, source and diagnostics.

    `plugins` are files and modules that are not installed, as `--plugin` takes them. Raises
    `netc.diagnostics.SpecError` with every independent mistake in the spec.
    """
    from netc.pipeline import compile as compile_spec

    return compile_spec(fspath(spec), net, train, params, with_plugins(plugins))


def with_plugins(plugins: Sequence[str | PathLike[str]]) -> Registry | None:
    """What is known with these plugins, None where there are none."""
    if not plugins:
        return None
    from netc.plugins import load_registry

    return load_registry(plugins=[fspath(plugin) for plugin in plugins])


def load(
    spec: str | PathLike[str],
    net: str | None = None,
    /,
    *,
    weights: Weights | None = None,
    rename: Mapping[str, str] | None = None,
    plugins: Sequence[str | PathLike[str]] = (),
    **params: Any,
) -> nn.Module:
    """The live module of the spec at a path: `load("specs/resnet.net", "resnet50", classes=100)`.

    `net` chooses a net or variant, `params` gives the net's parameters. `weights` is a state dict or the file of one,
    or a checkpoint of an emitted script; `rename` maps regular expressions to what they become in its keys. `plugins`
    are files and modules that are not installed. Raises `netc.diagnostics.SpecError`, and `netc.weights.WeightsError`
    with every key that does not fit.
    """
    return compile(spec, net, params=params, plugins=plugins).load(weights, rename)


def loads(
    text: str,
    net: str | None = None,
    /,
    *,
    weights: Weights | None = None,
    rename: Mapping[str, str] | None = None,
    plugins: Sequence[str | PathLike[str]] = (),
    **params: Any,
) -> nn.Module:
    """The live module of a spec given as text; as `load` otherwise."""
    from netc.diagnostics import Source
    from netc.pipeline import compile as compile_spec

    registry = with_plugins(plugins)
    return compile_spec(Source("<text>", text), net, params=params, registry=registry).load(weights, rename)


__all__ = ["__version__", "compile", "load", "loads"]
