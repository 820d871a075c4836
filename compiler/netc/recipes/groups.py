"""`group` lines and `freeze`: which parameters a selector takes, and what holds for them."""

from __future__ import annotations

from typing import Any

from netc import syntax
from netc.diagnostics import SpecError, nearest, renamed
from netc.recipe import Group, NetParameter, Optimizer, Selector, Use
from netc.recipes.fitting import entries
from netc.recipes.parts import Parts
from netc.recipes.scalars import lone_error


class Groups(Parts):
    """Selects parameters of the network."""

    def groups(
        self, use: Use[Optimizer], setting: syntax.Setting, parameters: tuple[NetParameter, ...]
    ) -> tuple[Group, ...]:
        free = list(parameters)
        groups = []
        for node in setting.groups:
            selectors = tuple(selector_of(selector) for selector in node.selectors)
            matched = self.matched(selectors, node.selectors, parameters)
            members = tuple(p for p in free if any(s.matches(p) for s in selectors))
            if all(matched) and not members:
                self.error("E0517", "earlier groups have taken all that this one selects", node.span)
            free = [p for p in free if p not in members]
            try:
                groups.append(Group(selectors, self._group_arguments(use, node), members, matched))
            except SpecError as error:
                self.found.add(error.diagnostics[0])
        return tuple(groups)

    def _no_match(
        self, selector: Selector, place: syntax.Name | syntax.String, parameters: tuple[NetParameter, ...]
    ) -> None:
        labels = {p.path.rpartition(".")[0] for p in parameters} | {p.path.partition(".")[0] for p in parameters}
        names = {p.layer for p in parameters} if selector.kind == "type" else labels
        near = nearest(selector.text, sorted(names - {""}))
        reason = f"`{selector.text}` selects no parameter of the network"
        fix = renamed(place.span, selector.text, near)
        self.error("E0517", reason, place.span, help=f"did you mean `{near}`?" if near else None, fix=fix)

    def _group_arguments(self, use: Use[Optimizer], node: syntax.GroupSetting) -> dict[str, Any]:
        """The arguments of a group, each as the optimizer's signature has it."""
        definition = type(use.part)
        given: dict[str, Any] = {}
        for arg in node.args:
            if arg.name is None:
                raise lone_error("E0515", "an argument of a group goes by its name", arg.span)
            if arg.name not in definition.fields:
                near = nearest(arg.name, definition.fields)
                way = f"did you mean `{near}`?" if near else f"`{definition.signature()}`"
                text, fix = f"`{use.name}` has no argument `{arg.name}`", renamed(arg.span, arg.name, near)
                raise lone_error("E0515", text, arg.span, help=way, fix=fix)
            try:
                given[arg.name] = definition.fields[arg.name].accept(self.value(arg.value))
            except ValueError as error:
                raise lone_error("E0515", str(error), arg.span) from None
        return given

    def matched(
        self,
        selectors: tuple[Selector, ...],
        places: tuple[syntax.Name | syntax.String, ...],
        parameters: tuple[NetParameter, ...],
    ) -> tuple[tuple[NetParameter, ...], ...]:
        """The parameters that each selector takes; one that takes none is an error."""
        matched = tuple(tuple(p for p in parameters if s.matches(p)) for s in selectors)
        for selector, hits, place in zip(selectors, matched, places, strict=True):
            if not hits:
                self._no_match(selector, place, parameters)
        return matched

    def selectors(self, setting: syntax.Setting) -> tuple[tuple[Selector, syntax.Name | syntax.String], ...]:
        """`freeze: features`, `freeze: (features, norm)`: what is selected, and where it stands."""
        found = []
        for item in entries(setting.value):
            if not isinstance(item, syntax.Name | syntax.String):
                raise lone_error("E0517", "here stands a label, a layer type, `bias`, `vector` or `norm`", item.span)
            found.append((selector_of(item), item))
        return tuple(found)

    def labels(self, setting: syntax.Setting) -> tuple[tuple[Selector, syntax.Name | syntax.String], ...]:
        """`fresh: fc`, `fresh: (fc, "aux.head")`: selectors that are labels, and where they stand."""
        found = self.selectors(setting)
        for selector, item in found:
            if selector.kind != "label" or set(selector.text) & set("*?["):
                raise lone_error("E0517", f"`{setting.key}` names parts of the network by their labels", item.span)
        return found


def selector_of(node: syntax.Name | syntax.String) -> Selector:
    if isinstance(node, syntax.String):
        return Selector("label", "".join(part for part in node.parts if isinstance(part, str)))
    match node.id:
        case "bias" | "vector" | "norm" as kind:
            return Selector(kind, kind)
    return Selector("type" if node.id[:1].isupper() else "label", node.id)
