"""What the modules of a network have: the PyTorch classes of its layers, and which parameters are there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from netc.emit.belongings import Belongings
from netc.emit.resolve import Resolver
from netc.graph import Argument, Module, Network, Template, Use
from netc.layer import Layer
from netc.terms import Place

Layers = dict[str, list[tuple[Layer, Module]]]
"""The layers of each name, with their places in the tree."""


class Members(Belongings):
    """Answers about the modules of the network."""

    network: Network
    resolver: Resolver
    layers: Layers

    def torch_classes(self, name: str) -> set[str]:
        """The PyTorch classes under which a layer of that name stands in the network."""
        found = set()
        for layer, module in self.layers.get(name, ()):
            if layer.module is not None:
                found.add(layer.module.replace("{n}", str(layer.dimensions(*module.inputs))))
        return found

    def is_parameter(self, path: str) -> bool:
        """Whether a path leads to a parameter, seen from the net or from some block of it."""
        holder, _, name = path.rpartition(".")
        return any(name in module.state for module in self.ends(holder))

    def is_missing(self, path: str) -> bool:
        """Whether the parameter at a path is left out somewhere, or may be by a parameter of the net."""
        holder, _, name = path.rpartition(".")
        layers = [module for module in self.ends(holder) if module.layer is not None]
        return any(name not in module.state or self.is_switched(module.name, name) for module in layers)

    def is_within(self, path: str, name: str) -> bool:
        """Whether what stands inside the module at a path has parameters of a name."""
        return any(f".{path}." in f".{place}" and name in module.state for place, module in self.network.root.walk())

    def may_lack(self, name: str, parameter: str, template: Template) -> bool:
        """Whether a layer of that name in a class is or may be without a parameter, or PyTorch's types say so."""
        whole = template.root is self.network.template
        found = (self.layers if whole else self.inside(template.root.name)).get(name, ())
        absent = any(parameter not in module.state or parameter in layer.nullable for layer, module in found)
        return absent or self.is_switched(name, parameter)

    def inside(self, name: str) -> Layers:
        """The layers of the blocks of a name, with their places."""
        if name not in self.blocks:
            blocks = {module for _, module in self.network.root.walk() if module.layer is None}
            self.blocks[name] = layers_of(block for block in blocks if block.name == name)
        return self.blocks[name]

    @cached_property
    def blocks(self) -> dict[str, Layers]:
        """What `inside` has found already."""
        return {}

    def is_optional(self, path: str) -> bool:
        """Whether PyTorch's types say of the parameter at a path that it may be None."""
        holder, _, name = path.rpartition(".")
        return any(module.layer is not None and name in module.layer.nullable for module in self.ends(holder))

    def ends(self, holder: str) -> list[Module]:
        """The modules at a path, seen from the net or from some block of it."""
        return [module for place, module in self.network.root.walk() if f".{place}".endswith(f".{holder}")]

    def is_switched(self, name: str, parameter: str) -> bool:
        """Whether a parameter of the net may decide that a layer is without a parameter."""
        kept = {each for _, module in self.layers.get(name, ()) for each in module.state}
        return any(flag == parameter or flag not in kept for flag in self.switches.get(name, ()))

    @cached_property
    def switches(self) -> dict[str, set[str]]:
        """The arguments of layers, true or false, that differ from use to use."""
        found: dict[str, set[str]] = {}
        for template in self.network.templates:
            for use in template.sites.values():
                if not isinstance(use, Use) or use.layer is None:
                    continue
                for argument in use.arguments:
                    if self.is_open(template, argument):
                        found.setdefault(use.callee, set()).add(argument.name)
        return found

    def is_open(self, template: Template, argument: Argument) -> bool:
        term = self.resolver.normalise(template, argument.term)
        return isinstance(argument.default, bool) and any(isinstance(atom, Place) for atom in term.atoms())


def layers_of(roots: Iterable[Module]) -> Layers:
    """The layers below some modules by their names, each with its place; what several places share once."""
    found: dict[str, dict[Module, Layer]] = {}
    for _, module in (each for root in roots for each in root.walk()):
        if module.layer is not None:
            found.setdefault(type(module.layer).__name__, {})[module] = module.layer
    return {name: [(layer, module) for module, layer in places.items()] for name, places in found.items()}
