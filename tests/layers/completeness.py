"""What PyTorch has against what netc has: `python tests/layers/completeness.py` prints what is missing, and why."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.optim import lr_scheduler

import netc_std
from netc.layer import Initializer, Layer
from netc.recipe import Part
from netc.registry import Category, Registry

OMISSIONS = Path(__file__).with_name("omissions.toml")


def std() -> Registry:
    """What PyTorch's own plugin defines, without what else is installed."""
    registry = Registry()
    registry.add("layers", "std", netc_std.netc_layers())
    registry.add("losses", "std", netc_std.netc_losses())
    registry.add("optimizers", "std", netc_std.netc_optimizers())
    registry.add("schedules", "std", netc_std.netc_schedules())
    registry.add("initializers", "std", netc_std.netc_initializers())
    return registry


def omissions() -> dict[str, dict[str, str]]:
    """Names by area, each with the reason why netc does not have it."""
    return tomllib.loads(OMISSIONS.read_text(encoding="utf-8"))


# ---- what PyTorch has ----------------------------------------------------------------------------------


def public(owner: Any, wanted: Callable[[Any], bool]) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_") and wanted(getattr(owner, name))}


def derived(base: type) -> Callable[[Any], bool]:
    return lambda item: inspect.isclass(item) and issubclass(item, base)


def losses() -> set[str]:
    return {name for name in public(torch.nn, derived(torch.nn.Module)) if "Loss" in name}


def functions() -> set[str]:
    """Functionals but those of losses, and but those that write into their input (`relu_`)."""
    found = public(torch.nn.functional, lambda item: callable(item) and not inspect.isclass(item))
    names = {name.lower() for name in losses()}
    of_losses = {name for name in found if name.replace("_", "") in {n.replace("_", "") for n in names}}
    of_losses |= {name for name in found if name.endswith("_loss") or f"{name.replace('_', '')}loss" in names}
    bce = {"binary_cross_entropy": "BCELoss", "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
           "kl_div": "KLDivLoss"}  # fmt: skip
    return {name for name in found - of_losses - bce.keys() if not name.endswith("_") and name != "Optional"}


THEIRS: dict[str, Callable[[], set[str]]] = {
    "modules": lambda: public(torch.nn, derived(torch.nn.Module)) - losses(),
    "functions": functions,
    "losses": losses,
    "optimizers": lambda: public(torch.optim, derived(torch.optim.Optimizer)),
    "schedules": lambda: public(lr_scheduler, derived(lr_scheduler.LRScheduler)),
    "initializers": lambda: {n for n in public(torch.nn.init, inspect.isfunction) if n.endswith("_")}
    | {"calculate_gain"},
}  # fmt: skip

# ---- what netc has -------------------------------------------------------------------------------------


def expanded(dotted: str | None) -> Iterator[str]:
    """The last parts of `torch.nn.Conv{n}d`: `Conv1d`, `Conv2d`, `Conv3d`."""
    for n in "123" if dotted and "{n}" in dotted else ("",):
        yield (dotted or "").rpartition(".")[2].replace("{n}", n)


def ours(registry: Registry, area: str) -> set[str]:
    """The PyTorch names of what netc has in an area."""
    if area in ("modules", "functions"):
        layers: list[type[Layer]] = [registry.find("layers", name) for name in registry.names("layers")]
        targets = [layer.module if area == "modules" else layer.function for layer in layers]
        return {name for target in targets for name in expanded(target)}
    category: Category = next(c for c in ("losses", "optimizers", "schedules", "initializers") if c == area)
    definitions: list[type[Part | Initializer]] = [registry.find(category, name) for name in registry.names(category)]
    return {str(getattr(d, "module", "") or getattr(d, "call", "")).rpartition(".")[2] for d in definitions}


def missing(registry: Registry, area: str) -> dict[str, str]:
    """What PyTorch has in an area and netc does not, with the reason, "" where none is written."""
    reasons = omissions()[area]
    return {name: reasons.get(name, "") for name in sorted(THEIRS[area]() - ours(registry, area))}


def main() -> None:
    registry = std()
    for area in THEIRS:
        lacking = missing(registry, area)
        print(f"{area}: PyTorch has {len(THEIRS[area]())}, netc all but {len(lacking)}")
        for name, reason in lacking.items():
            print(f"  {name:36}{reason or 'MISSING'}")


if __name__ == "__main__":
    main()
