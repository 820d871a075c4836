"""How many parameters and multiplications a network and its layers may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from netc.graph import Call, Module, Network
from netc.layer import Field, Int, Layer
from netc.passes import Finding, Pass
from netc_budget.costs import applied, cost, symbols

SHOWN = 3
"""The most expensive layers that a message names."""


class Sizes(Field[Mapping[str, int]]):
    """A number for each of some symbols: `{ H = 224, W = 224 }`."""

    expected = "a table of sizes, such as `{ H = 224, W = 224 }`"

    def convert(self, value: Any) -> Mapping[str, int]:
        if not isinstance(value, Mapping) or not all(type(size) is int and size > 0 for size in value.values()):
            raise self.fail(value)
        return dict(value)


class Budget(Pass):
    """Finds networks and layers with more parameters or multiplications than a project allows.

    What is tied or shared counts once among the parameters, and among the multiply-adds as often as it is applied.
    Those are the multiplications of convolutions and products of matrices for one example, outside training, each with
    an addition: half of the operations that torch.utils.flop_counter counts.
    """

    parameters = Int(None, min=0, doc="the most trained numbers of the whole network")
    layer = Int(None, min=0, doc="the most trained numbers of one layer")
    multiply_adds = Int(None, min=0, doc="the most multiply-adds of the whole network for one example")
    sizes = Sizes(None, doc="what stands for sizes that only a run decides, where multiply-adds are counted")

    def run(self, network: Network) -> Iterator[Finding]:
        total = network.root.parameter_count
        if self.parameters is not None and total > self.parameters:
            reason = f"`{network.name}` has {total:,} parameters, {total - self.parameters:,} more than the budget"
            yield Finding(reason, note=f"at most {self.parameters:,}")
        if self.layer is not None:
            yield from self.layers(network.root, "", self.layer)
        if self.multiply_adds is not None:
            yield from self.operations(network, self.multiply_adds)

    def layers(self, module: Module, prefix: str, most: int) -> Iterator[Finding]:
        """The layers below a module that have too many parameters of their own; a second key is no other layer."""
        for label, child in module.children.items():
            path, count = prefix + label, child.parameter_count
            if label in module.aliases:
                continue
            if child.layer is not None and count > most:
                reason = f"`{path}` has {count:,} parameters, {count - most:,} more than a layer may have"
                yield Finding(reason, child.span, f"at most {most:,}")
            yield from self.layers(child, f"{path}.", most)

    def operations(self, network: Network, most: int) -> Iterator[Finding]:
        """Too many multiply-adds, and layers of which they are not known."""
        sizes = self.sizes or {}
        if missing := [name for name in symbols(network.inputs.values()) if name not in sizes]:
            yield undecided(network, missing)
            return
        costs: Counter[str] = Counter()
        unknown: dict[type[Layer], list[tuple[str, Call]]] = {}
        for path, call in applied(network.root):
            assert call.layer is not None
            found = cost(call.layer, call.inputs, sizes)
            costs[path] += found or 0
            if found is None:
                unknown.setdefault(type(call.layer), []).append((path, call))
        for layer, calls in unknown.items():
            yield unsaid(layer.__name__, calls)
        total = costs.total()
        if total > most:
            known, over = "at least " if unknown else "", f"{total - most:,} more than the budget"
            reason = f"`{network.name}` takes {known}{total:,} multiply-adds for one example, {over}"
            dear = ", ".join(f"`{path}` {count:,}" for path, count in costs.most_common(SHOWN) if count)
            yield Finding(reason, note=f"at most {most:,}", help=f"the most expensive layers: {dear}")


def undecided(network: Network, names: list[str]) -> Finding:
    """Sizes without which multiply-adds cannot be counted."""
    sizes = ", ".join(f"{name} = 224" for name in names)
    listed = " and ".join(f"`{name}`" for name in names)
    reason = f"the multiply-adds of `{network.name}` depend on {listed}, which only a run decides"
    return Finding(reason, note="not counted", help=f"say what to count for: `sizes = {{ {sizes} }}`")


def unsaid(name: str, calls: list[tuple[str, Call]]) -> Finding:
    """A layer whose class does not say what it multiplies."""
    path, call = calls[0]
    places = f"`{path}`" + (f" and {len(calls) - 1} more" if len(calls) > 1 else "")
    reason = f"the multiply-adds of {places} are not known: `{name}` does not say"
    return Finding(reason, call.span, "not counted", "its class can: by a method `multiply_adds`, or by `free = True`")
