"""Types and defaults of constructor parameters."""

from __future__ import annotations

from typing import Any

from netc.emit.calls import ClassNames
from netc.emit.constants import is_list, literal_value, tuple_text
from netc.emit.resolve import Resolver
from netc.graph import Network, Parameter, Template
from netc.layer import is_int
from netc.terms import Written


class Hints(ClassNames):
    """Says of parameters what they are."""

    network: Network
    resolver: Resolver
    requires: dict[Any, None]
    kin: dict[Template, tuple[list[Template], set[str]]]

    def has_default(self, template: Template, parameter: Parameter) -> bool:
        """Whether a parameter may be left out; a default that nothing takes must at least be of the right type."""
        if parameter.default is None or not template.constructions:
            return parameter.default is not None
        if not all(parameter.name in c.use.bindings for c in template.constructions):
            return True
        text = self.default(template, parameter)
        default = literal_value(text) if text is not None else ...
        if default is ... or default is None:
            return text is not None
        return self.value_hint(default) in {"float", *(self.value_hint(value) for value in parameter.values)}

    def default(self, template: Template, parameter: Parameter) -> str | None:
        """The default of a parameter as Python, if it is a constant."""
        if parameter.default is None:
            return None
        term = self.resolver.normalise(template, parameter.default)
        if any(not isinstance(atom, Written) for atom in term.atoms()):
            return None
        for atom in term.atoms():
            self.resolver.plan(template).requires.update(dict.fromkeys(getattr(atom, "requires", ())))
        text = str(term)
        return tuple_text(text) if is_list(text) else text

    def input_hint(self, template: Template, name: str) -> str:
        return "Tensor"

    def place_hint(self, place: Any) -> str:
        if place.kind == "name" and isinstance(place.owner, Template):
            return self.hint(place.owner, place.owner.parameters[place.key])
        if place.kind == "name" and any(place.key in template.called for template in self.network.templates):
            self.requires["from collections.abc import Callable"] = None
            return "Callable[..., nn.Module]"
        return "int"

    def hint(self, template: Template, parameter: Parameter) -> str:
        values = [*parameter.values]
        if template is self.network.template or self.has_default(template, parameter):
            values += [value for value in [literal_value(str(parameter.default))] if value is not ...]
        hints = {self.value_hint(value) for value in values}
        if "float" in hints:
            hints.discard("int")
        optional = "None" in hints
        hints.discard("None")
        text = " | ".join(sorted(hints)) or "None"
        for hint in hints:
            if hint.startswith("Sequence"):
                self.requires["from collections.abc import Sequence"] = None
            if hint.startswith("Callable"):
                self.requires["from collections.abc import Callable"] = None
        return f"{text} | None" if optional and hints else text

    def value_hint(self, value: Any) -> str:
        if value is None:
            return "None"
        if isinstance(value, bool):
            return "bool"
        if isinstance(value, int | float | str):
            return "int" if isinstance(value, int) else type(value).__name__
        if isinstance(value, tuple) and len(value) in (2, 3) and all(is_int(item) for item in value):
            return f"tuple[{', '.join(['int'] * len(value))}]"
        if isinstance(value, tuple | list | range):
            inner = {self.value_hint(item) for item in value}
            if "float" in inner:
                inner.discard("int")
            return f"Sequence[{' | '.join(sorted(inner)) or 'int'}]"
        define = getattr(value, "define", None)
        passed = [template for template in self.kin if template.node is define]
        return f"type[{self.name(passed[0])}]" if len(passed) == 1 else "Callable[..., nn.Module]"
