"""What the classes of a model need around them: constants, functions, records, classes that torch does not have."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.emit.constants import holds_block
from netc.emit.elimination import Inexpressible
from netc.emit.hints import Hints
from netc.emit.pasting import Brought, Clash, Meaning, Pasted, bound_by, brought_by, meaning_of, paste
from netc.emit.renaming import bound_in
from netc.emit.wrapping import INDENT, layout
from netc.graph import Template
from netc.layer import Layer
from netc.naming import short_name
from netc.terms import Term


class Belongings(Hints):
    """Writes what stands beside the classes."""

    sources: dict[Template, list[str]]
    reserved: frozenset[str]
    pasted: Pasted

    def helpers(self, classes: Sequence[str]) -> list[str]:
        """Functions, constants and classes that the model's classes use; what layers bring is in `pasted` then."""
        found: list[str | None] = []
        constants = [need[1:] for need in self.constants(late=False)]
        if constants:
            found.append("\n".join(layout([f"{name} = {self.constant(value)}" for name, value in constants])))
        brought = []
        for need in list(self.requires):
            if isinstance(need, str) and not is_import(need):
                found.append(need.rstrip("\n"))
            elif isinstance(need, tuple) and need[0] in ("layer", "function"):
                brought += [self.brought(need[1], need[0] == "layer")]
                found.append(None)
            elif isinstance(need, tuple) and need[0] == "record":
                found.append(self.record_source(need[1], need[2]))
        self.pasted = self.paste(brought, [*(text for text in found if text is not None), *classes])
        texts = iter(self.pasted.texts)
        return list(dict.fromkeys(text for item in found for text in (next(texts) if item is None else (item,))))

    def paste(self, brought: Sequence[Brought], others: Sequence[str]) -> Pasted:
        """What layers bring, told apart from what else is in the file."""
        if not brought:
            return Pasted((), ())
        taken: dict[str, Meaning] = dict.fromkeys(self.reserved, "reserved")
        taken |= {name: ("own", name) for name in bound_in(ast.parse("\n".join(others)).body)}
        for line in (need for need in self.requires if isinstance(need, str) and is_import(need)):
            taken[bound_by(line)] = meaning_of(line)
        try:
            return paste(brought, taken)
        except Clash as error:
            raise Inexpressible(str(error), help="only the authors of the plugins can choose other names") from None
        except ValueError as error:
            raise Inexpressible(f"a name that two layers bring, in {error}") from None

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
            several = "which this net writes as several classes" if classes else "which this net places nowhere"
            text = f"a list is read that holds the block `{define.name}`, {several}"
            raise Inexpressible(text, define.name_span, "take numbers from a list or table without blocks")

    def brought(self, cls: type[Layer], module: bool) -> Brought:
        """What a layer brings along: its helpers, and its class where it is used as a module."""
        if module and not (cls.module or "").startswith("own:"):
            line = short_name(cls.module or "")[1]
            if line is not None:
                self.requires[line] = None
            return Brought("", (), ())
        texts = [*cls.helpers, cls.source] if module and cls.source else cls.helpers
        return brought_by(cls, tuple(texts), (cls.module, cls.function), (cls.module if module else cls.function) or "")

    def record_source(self, name: str, fields: Sequence[tuple[str, str]]) -> str:
        self.requires["from typing import NamedTuple"] = None
        return "\n".join([f"class {name}(NamedTuple):", *(f"{INDENT}{field}: {hint}" for field, hint in fields)])


def is_import(line: str) -> bool:
    return line.startswith(("import ", "from ")) and "\n" not in line
