"""From a `train` block to a recipe that fits its network: names resolved, arguments bound, every rule asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from netc import syntax
from netc.diagnostics import Diagnostic, Diagnostics, Label, Span, SpecError, nearest, renamed
from netc.fitting import Fitting, argument_span
from netc.layer import BadArgument, is_int, show
from netc.overrides import apply_overrides
from netc.recipe import Group, NetParameter, NetworkFacts, Optimizer, Part, Recipe, Schedule, Selector, Use
from netc.registry import Category, Registry

Evaluate = Callable[[syntax.Expr], Any]
P = TypeVar("P", bound=Part)

PARTS: dict[str, Category] = {"data": "data", "loss": "losses", "optimizer": "optimizers", "schedule": "schedules"}
KINDS = {"data": "data source", "losses": "loss", "optimizers": "optimizer", "schedules": "schedule"}
DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu", "mtia")
DEVICE = re.compile(rf"({'|'.join(DEVICES)})(:(0|[1-9]\d*))?")
MAX_SEED = 2**32 - 1
"""The largest seed that NumPy takes, with which scikit-learn splits data."""
ELSEWHERE = {
    "dataset": "data", "criterion": "loss", "loss_fn": "loss", "optim": "optimizer", "scheduler": "schedule",
    "lr_scheduler": "schedule", "num_epochs": "epochs", "n_epochs": "epochs", "max_epochs": "epochs",
}  # fmt: skip
"""Settings by the names that they have elsewhere."""
HOLDERS = {
    "batch_size": "data: Digits(batch_size={})", "lr": "optimizer: Adam(lr={})",
    "learning_rate": "optimizer: Adam(lr={})",
    "weight_decay": "optimizer: AdamW(lr=1e-3, weight_decay={})", "momentum": "optimizer: SGD(lr=0.1, momentum={})",
}  # fmt: skip
"""What is a setting elsewhere and an argument here, with an example."""
REQUIRED = {
    "data": "data: MNIST(batch_size=64)",
    "loss": "loss: CrossEntropyLoss",
    "optimizer": "optimizer: Adam(lr=1e-3)",
    "epochs": "epochs: 10",
}


def elaborate_recipe(
    train: syntax.Train,
    network: NetworkFacts,
    registry: Registry,
    evaluate: Evaluate,
    overrides: Mapping[str, syntax.Expr | str] | None = None,
) -> Recipe:
    """The recipe that a `train` block states; raises SpecError with every independent error in it.

    `evaluate` gives the value of a compile-time expression and may raise SpecError; `overrides` are the `train.` paths
    of `--set`, such as `train.optimizer.lr`.
    """
    train = apply_overrides(train, overrides or {}, lambda key, name: _fields(registry, key, name))
    reader = _Reader(registry, evaluate)
    values = reader.settings(train)
    if "optimizer" in values:
        use, setting = values["optimizer"]
        values["groups"] = (reader.groups(use, setting, network), setting)
    Fitting(values, network, reader.found).run()
    reader.found.raise_if_any()
    fields = {key: value for key, (value, _) in values.items()}
    return Recipe(network, name=train.name, warnings=tuple(reader.found.items), **fields)


def setting_faults(train: syntax.Train, registry: Registry, evaluate: Evaluate) -> Sequence[Diagnostic]:
    """What is wrong with the settings of a `train` block by themselves; its network is not asked."""
    reader = _Reader(registry, evaluate)
    reader.settings(train)
    return reader.found.items


# ---- settings ----------------------------------------------------------------------------------


def _fields(registry: Registry, key: str, name: str) -> Sequence[str]:
    found = registry.find(PARTS[key], name) if key in PARTS else None
    return list(found.fields) if found else []


def _error(code: str, message: str, span: Span, **more: Any) -> SpecError:
    return SpecError((Diagnostic(code, message, Label(span), **more),))


@dataclass
class _Reader:
    """Reads settings one by one; what is wrong is gathered, and the setting left out."""

    registry: Registry
    evaluate: Evaluate
    found: Diagnostics = field(default_factory=Diagnostics)

    def error(self, code: str, message: str, span: Span, label: str = "", **more: Any) -> None:
        self.found.add(Diagnostic(code, message, Label(span, label), **more))

    def settings(self, train: syntax.Train) -> dict[str, tuple[Any, syntax.Setting]]:
        values: dict[str, tuple[Any, syntax.Setting]] = {}
        seen: dict[str, syntax.Setting] = {}
        for setting in train.settings:
            if setting.key not in READERS:
                self._unknown_setting(setting)
            elif setting.key in seen:
                first = (Label(seen[setting.key].key_span, "given here first"),)
                self.error("E0512", f"`{setting.key}` is set twice", setting.key_span, secondary=first)
            else:
                seen[setting.key] = setting
                self._read(setting, values)
        others = {meant(setting.key) for setting in train.settings if setting.key not in READERS}
        for key, example in REQUIRED.items():
            if key not in seen and key not in others:
                self.error("E0511", f"the recipe does not say its `{key}`", train.span, help=f"`{example}`")
        return values

    def _unknown_setting(self, setting: syntax.Setting) -> None:
        near = meant(setting.key)
        known = f"did you mean `{near}`?" if near else "a recipe can set " + ", ".join(f"`{key}`" for key in READERS)
        if (holder := HOLDERS.get(setting.key)) is not None:
            known = f"it is an argument: `{holder.format(setting.value.span.brief)}`"
        text, fix = f"a recipe has no setting `{setting.key}`", renamed(setting.key_span, setting.key, near)
        self.error("E0510", text, setting.key_span, help=known, fix=fix)

    def _read(self, setting: syntax.Setting, values: dict[str, tuple[Any, syntax.Setting]]) -> None:
        if setting.name is not None:
            self.error("E0513", f"a recipe has one `{setting.key}`, without a name", setting.key_span)
        if setting.groups and setting.key != "optimizer":
            self.error("E0517", "only an optimizer has groups", setting.groups[0].span)
        try:
            values[setting.key] = (READERS[setting.key](self, setting), setting)
        except SpecError as error:
            for diagnostic in error.diagnostics:
                self.found.add(diagnostic)

    # ---- scalars ----

    def value(self, expr: syntax.Expr, words: Iterable[str] = ()) -> Any:
        if isinstance(expr, syntax.Name) and expr.id in words:
            return expr.id
        return self.evaluate(expr)

    def bad(self, setting: syntax.Setting, expected: str, value: Any, help: str | None = None) -> SpecError:
        quoted = isinstance(setting.value, syntax.String)
        shown = f"the text {setting.value.span.text}" if quoted else show(value)
        return _error("E0513", f"`{setting.key}` must be {expected}, not {shown}", setting.value.span, help=help)

    def boolean(self, setting: syntax.Setting) -> bool:
        value = self.value(setting.value)
        if not isinstance(value, bool):
            raise self.bad(setting, "true or false", value)
        return value

    def positive(self, setting: syntax.Setting) -> int:
        value = self.value(setting.value)
        if not is_int(value) or value < 1:
            raise self.bad(setting, "an integer of at least 1", value)
        return int(value)

    def text(self, setting: syntax.Setting) -> str:
        expr, known = setting.value, ("gpu", *DEVICES)
        value = self.value(expr, known)
        if not isinstance(value, str) or not DEVICE.fullmatch(value):
            help = "`cuda` is NVIDIA's or AMD's, `mps` Apple's, `xpu` Intel's" if value == "gpu" else None
            raise self.bad(setting, 'a device such as cpu or "cuda:1"', value, help)
        return value

    def seed(self, setting: syntax.Setting) -> int:
        value = self.value(setting.value)
        if not is_int(value) or not 0 <= value <= MAX_SEED:
            raise self.bad(setting, f"an integer from 0 to {MAX_SEED}", value)
        return int(value)

    def keep(self, setting: syntax.Setting) -> str:
        value = self.value(setting.value, ("last", "best"))
        if value not in ("last", "best"):
            raise self.bad(setting, "`last` or `best`", value)
        return str(value)

    def plot(self, setting: syntax.Setting) -> tuple[str, ...]:
        expr, options = setting.value, ("loss", "accuracy")
        items = expr.items if isinstance(expr, syntax.TupleExpr) else (expr,)
        values = tuple(self.value(item, options) for item in items)
        wrong = [value for value in values if value not in options]
        if wrong or len(set(values)) != len(values):
            raise self.bad(setting, "`loss`, `accuracy` or both in brackets", values if len(values) > 1 else values[0])
        return values

    # ---- parts ----

    def part(self, setting: syntax.Setting) -> Use[Any]:
        return self.bind(setting.value, PARTS[setting.key])

    def bind(self, expr: syntax.Expr, category: Category) -> Use[Any]:
        call = expr if isinstance(expr, syntax.Call) else syntax.Call(expr.span, expr, ())
        name = call.function
        if not isinstance(name, syntax.Name):
            raise _error("E0514", f"here stands the name of a {KINDS[category]}", call.span)
        definition = self.registry.find(category, name.id)
        if definition is None:
            known = self.registry.names(category)
            near = nearest(name.id, known) or nearest(name.id.replace("_", ""), known)
            near = near or nearest(f"{name.id.replace('_', '')}{KINDS[category]}", known)
            way = f"did you mean `{near}`?" if near else f"there is {', '.join(f'`{n}`' for n in known)}"
            text, fix = f"unknown {KINDS[category]} `{name.id}`", renamed(name.span, name.id, near)
            raise _error("E0514", text, name.span, help=way, fix=fix)
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
            raise _error("E0515", error.reason, span, help=way if helpful else None, fix=fix) from None

    def _repeated(self, call: syntax.Call) -> None:
        names = [arg.name for arg in call.args if arg.name]
        for arg in call.args:
            if arg.name and names.count(arg.name) > 1:
                raise _error("E0515", f"`{arg.name}` is given twice", arg.span)

    def schedule(self, setting: syntax.Setting) -> tuple[Use[Schedule], ...]:
        stages = setting.value.stages if isinstance(setting.value, syntax.Pipe) else (setting.value,)
        uses: list[Use[Schedule]] = [self.bind(stage, "schedules") for stage in stages]
        for use, stage in zip(uses[:-1], stages, strict=False):
            if use.part.ends is None:
                raise _error("E0518", f"`{use.name}` has no end, nothing can follow it", stage.span)
        return tuple(uses)

    # ---- groups ----

    def groups(self, use: Use[Optimizer], setting: syntax.Setting, network: NetworkFacts) -> tuple[Group, ...]:
        free = list(network.parameters)
        groups = []
        for node in setting.groups:
            selectors = tuple(_selector(selector) for selector in node.selectors)
            matched = tuple(tuple(p for p in network.parameters if s.matches(p)) for s in selectors)
            for selector, hits, place in zip(selectors, matched, node.selectors, strict=True):
                if not hits:
                    self._no_match(selector, place, network.parameters)
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
                raise _error("E0515", "an argument of a group goes by its name", arg.span)
            if arg.name not in definition.fields:
                near = nearest(arg.name, definition.fields)
                way = f"did you mean `{near}`?" if near else f"`{definition.signature()}`"
                text, fix = f"`{use.name}` has no argument `{arg.name}`", renamed(arg.span, arg.name, near)
                raise _error("E0515", text, arg.span, help=way, fix=fix)
            try:
                given[arg.name] = definition.fields[arg.name].accept(self.value(arg.value))
            except ValueError as error:
                raise _error("E0515", str(error), arg.span) from None
        return given


READERS: dict[str, Callable[[_Reader, syntax.Setting], Any]] = {
    "data": _Reader.part,
    "loss": _Reader.part,
    "optimizer": _Reader.part,
    "schedule": _Reader.schedule,
    "epochs": _Reader.positive,
    "seed": _Reader.seed,
    "device": _Reader.text,
    "keep": _Reader.keep,
    "log_every": _Reader.positive,
    "evaluate_first": _Reader.boolean,
    "print_shapes": _Reader.boolean,
    "plot": _Reader.plot,
    "samples": _Reader.positive,
}


def _selector(node: syntax.Name | syntax.String) -> Selector:
    if isinstance(node, syntax.String):
        return Selector("label", "".join(part for part in node.parts if isinstance(part, str)))
    if node.id in ("bias", "norm"):
        return Selector("bias" if node.id == "bias" else "norm", node.id)
    return Selector("type" if node.id[:1].isupper() else "label", node.id)


def meant(key: str) -> str | None:
    """The setting that a name which is none stands for."""
    return ELSEWHERE.get(key) or nearest(key, READERS)
