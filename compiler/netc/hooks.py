"""The plugin door: pluggy hook specifications, each a signature and a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pluggy

hookspec = pluggy.HookspecMarker("netc")
hookimpl = pluggy.HookimplMarker("netc")

# What a hook gives: classes, or names with the module in which the class of that name is found when it is first used.
Definitions = Iterable[type] | Mapping[str, str]


@hookspec
def netc_layers() -> Definitions:  # type: ignore[empty-body]
    """Layers, each a subclass of `netc.layer.Layer`."""


@hookspec
def netc_foreign_names() -> Mapping[str, str]:  # type: ignore[empty-body]
    """What other frameworks call a layer or function, each with what is written here; only messages speak of them."""


@hookspec
def netc_losses() -> Definitions:  # type: ignore[empty-body]
    """Losses for `loss:`, each a subclass of `netc.recipe.Loss`."""


@hookspec
def netc_optimizers() -> Definitions:  # type: ignore[empty-body]
    """Optimizers for `optimizer:`, each a subclass of `netc.recipe.Optimizer`."""


@hookspec
def netc_schedules() -> Definitions:  # type: ignore[empty-body]
    """Learning-rate schedules for `schedule:`, each a subclass of `netc.recipe.Schedule`."""


@hookspec
def netc_data() -> Definitions:  # type: ignore[empty-body]
    """Data sources for `data:`, each a subclass of `netc.recipe.DataSource`."""


@hookspec
def netc_transforms() -> Definitions:  # type: ignore[empty-body]
    """Changes of pictures for `augment:`, each a subclass of `netc.recipe.Transform`."""


@hookspec
def netc_metrics() -> Definitions:  # type: ignore[empty-body]
    """Figures of the test part for `metrics:`, each a subclass of `netc.recipe.Metric`."""


@hookspec
def netc_initializers() -> Definitions:  # type: ignore[empty-body]
    """Initialisers for `init` and for `param ... = `, each a subclass of `netc.layer.Initializer`."""


@hookspec
def netc_passes() -> Definitions:  # type: ignore[empty-body]
    """Rules about whole networks for `[tool.netc.passes]`, each a subclass of `netc.passes.Pass`."""
