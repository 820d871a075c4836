"""How many parameters a network and its layers may have."""

from __future__ import annotations

from collections.abc import Iterator

from netc.graph import Module, Network
from netc.layer import Int
from netc.passes import Finding, Pass


class Budget(Pass):
    """Finds networks and layers with more parameters than a project allows. What is tied or shared counts once."""

    parameters = Int(None, min=0, doc="the most trained numbers of the whole network")
    layer = Int(None, min=0, doc="the most trained numbers of one layer")

    def run(self, network: Network) -> Iterator[Finding]:
        total = network.root.parameter_count
        if self.parameters is not None and total > self.parameters:
            reason = f"`{network.name}` has {total:,} parameters, {total - self.parameters:,} more than the budget"
            yield Finding(reason, note=f"at most {self.parameters:,}")
        if self.layer is not None:
            yield from self.layers(network.root, "", self.layer)

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
