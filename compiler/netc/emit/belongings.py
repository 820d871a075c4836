"""What the classes of a model need around them: constants, functions, records, classes that torch does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.emit.constants import holds_block
from netc.emit.elimination import Inexpressible
from netc.emit.hints import Hints
from netc.emit.wrapping import INDENT, layout
from netc.graph import Template
from netc.layer import Layer
from netc.naming import short_name
from netc.terms import Term


class Belongings(Hints):
    """Writes what stands beside the classes."""

    sources: dict[Template, list[str]]

    def helpers(self) -> list[str]:
        """Functions, constants and classes that the model's classes use."""
        found: dict[str, None] = {}
        constants = [need[1:] for need in self.constants(late=False)]
        if constants:
            found["\n".join(layout([f"{name} = {self.constant(value)}" for name, value in constants]))] = None
        for need in list(self.requires):
            if isinstance(need, str) and not is_import(need):
                found[need.rstrip("\n")] = None
            elif isinstance(need, tuple) and need[0] in ("layer", "function"):
                found.update(dict.fromkeys(self.layer_sources(need[1], need[0] == "layer")))
            elif isinstance(need, tuple) and need[0] == "record":
                found[self.record_source(need[1], need[2])] = None
        return list(found)

    def constants(self, late: bool) -> list[Any]:
        """The constants in use: those without blocks, or those that stand behind the classes that they hold."""
        needs = [need for need in self.requires if isinstance(need, tuple) and need[0] == "constant"]
        return [need for need in needs if holds_block(need[2]) is late]

    def constant(self, value: Term) -> str:
        """The source of a constant of the spec."""
        for need in [need for atom in value.atoms() for need in getattr(atom, "requires", ())]:
            if need[0] == "define":
                self.passed_name(need[1])
            else:
                self.requires[need] = None
        return str(value)

    def passed_name(self, define: syntax.Define) -> None:
        """Sees that the class of a block that stands in a list goes by the block's name."""
        classes = [template for template in self.sources if template.node is define]
        if [self.name(template) for template in classes] != [define.name]:
            raise Inexpressible(f"a list that holds the block `{define.name}`")

    def layer_sources(self, cls: type[Layer], module: bool) -> list[str]:
        """What a layer brings along: its helpers, and its class where it is used as a module."""
        if module and cls.source is None:
            line = short_name(cls.module or "")[1]
            if line is not None:
                self.requires[line] = None
            return []
        self.requires.update(dict.fromkeys(cls.imports))
        sources = [*cls.helpers, cls.source] if module and cls.source else cls.helpers
        return [source.strip("\n") for source in sources]

    def record_source(self, name: str, fields: Sequence[tuple[str, str]]) -> str:
        self.requires["from typing import NamedTuple"] = None
        return "\n".join([f"class {name}(NamedTuple):", *(f"{INDENT}{field}: {hint}" for field, hint in fields)])


def is_import(line: str) -> bool:
    return line.startswith(("import ", "from ")) and "\n" not in line
