"""What settings call by name: data sources, losses, optimizers and schedules."""

from __future__ import annotations

from typing import Any, TypeVar

from netc import syntax
from netc.diagnostics import nearest, renamed
from netc.layer import BadArgument
from netc.recipe import Metric, Part, Schedule, Transform, Use
from netc.recipes.fitting import argument_span, entries
from netc.recipes.scalars import Scalars, lone_error
from netc.registry import Category

P = TypeVar("P", bound=Part)

PARTS: dict[str, Category] = {
    "data": "data", "loss": "losses", "optimizer": "optimizers", "schedule": "schedules",
    "augment": "transforms", "metrics": "metrics",
}  # fmt: skip
KINDS = {
    "data": "data source", "losses": "loss", "optimizers": "optimizer", "schedules": "schedule",
    "transforms": "transform", "metrics": "metric",
}  # fmt: skip


class Parts(Scalars):
    """Finds what a setting names, and binds its arguments."""

    def part(self, setting: syntax.Setting) -> Use[Any]:
        return self.bind(setting.value, PARTS[setting.key])

    def bind(self, expr: syntax.Expr, category: Category) -> Use[Any]:
        call = expr if isinstance(expr, syntax.Call) else syntax.Call(expr.span, expr, ())
        name = call.function
        if not isinstance(name, syntax.Name):
            raise lone_error("E0514", f"here stands the name of a {KINDS[category]}", call.span)
        definition = self.registry.find(category, name.id)
        if definition is None:
            known = self.registry.names(category)
            near = nearest(name.id, known) or nearest(name.id.replace("_", ""), known)
            near = near or nearest(f"{name.id.replace('_', '')}{KINDS[category]}", known)
            way = f"did you mean `{near}`?" if near else f"there is {', '.join(f'`{n}`' for n in known)}"
            text, fix = f"unknown {KINDS[category]} `{name.id}`", renamed(name.span, name.id, near)
            raise lone_error("E0514", text, name.span, help=way, fix=fix)
        return Use(name.id, self.arguments(definition, call))

    def arguments(self, definition: type[P], call: syntax.Call) -> P:
        positional, named = [], []
        fields = list(definition.fields.values())
        for index, arg in enumerate(call.args):
            known = definition.fields.get(arg.name) if arg.name else fields[index] if index < len(fields) else None
            value = self.value(arg.value, known.words if known else ())
            positional.append(value) if arg.name is None else named.append((arg.name, value))
        self._repeated(call)
        try:
            return definition.bind(positional, dict(named))
        except BadArgument as error:
            near = nearest(error.name, definition.fields) if error.kind == "unknown" else None
            way = f"did you mean `{near}`?" if near else f"`{definition.signature()}`"
            span = argument_span(call, definition, error.name, last=error.kind == "repeated")
            helpful = error.kind not in ("value", "repeated")
            fix = renamed(span, error.name, near)
            raise lone_error("E0515", error.reason, span, help=way if helpful else None, fix=fix) from None

    def _repeated(self, call: syntax.Call) -> None:
        names = [arg.name for arg in call.args if arg.name]
        for arg in call.args:
            if arg.name and names.count(arg.name) > 1:
                raise lone_error("E0515", f"`{arg.name}` is given twice", arg.span)

    def schedule(self, setting: syntax.Setting) -> tuple[Use[Schedule], ...]:
        stages = setting.value.stages if isinstance(setting.value, syntax.Pipe) else (setting.value,)
        uses: list[Use[Schedule]] = [self.bind(stage, "schedules") for stage in stages]
        for use, stage in zip(uses[:-1], stages, strict=False):
            if use.part.ends is None:
                raise lone_error("E0518", f"`{use.name}` has no end, nothing can follow it", stage.span)
        return tuple(uses)

    def augment(self, setting: syntax.Setting) -> tuple[Use[Transform], ...]:
        """`RandomCrop(28, padding=4) -> RandomHorizontalFlip`: the changes of a picture, one after the other."""
        stages = setting.value.stages if isinstance(setting.value, syntax.Pipe) else (setting.value,)
        return tuple(self.bind(stage, "transforms") for stage in stages)

    def metrics(self, setting: syntax.Setting) -> tuple[Use[Metric], ...]:
        """`F1`, `(TopK(5), ConfusionMatrix)`: figures of the test part, each once."""
        found: list[Use[Metric]] = []
        for item in entries(setting.value):
            use: Use[Metric] = self.bind(item, "metrics")
            if any(use.part.key == other.part.key for other in found):
                raise lone_error("E0513", f"the figure `{use.part.key}` is asked for twice", item.span)
            found.append(use)
        return tuple(found)
