"""The optimizers of a recipe as source: what each trains, and how its learning rate changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from netc.emit.epochs import Epochs
from netc.emit.flags import Flags
from netc.emit.layout import call, condition, quoted, row, snake
from netc.naming import reached
from netc.recipe import Group, NetParameter, Recipe, Selector, Stepper


class Stepping:
    """How a script makes its optimizers and schedules, one or several."""

    def __init__(self, recipe: Recipe, flags: Flags, score: str, rising: bool):
        self.recipe = recipe
        self.flags = flags
        self.score = score
        self.rising = rising
        self.steppers = recipe.steppers
        self.epochs = Epochs(recipe)

    @property
    def several(self) -> bool:
        return len(self.steppers) > 1

    @property
    def grouped(self) -> bool:
        """Whether a function says which parameters are whose, or in which group."""
        return any(s.groups for s in self.steppers) or (self.several and not all(map(self.is_module, self.steppers)))

    def is_module(self, stepper: Stepper) -> bool:
        """Whether an optimizer trains just what stands under one label."""
        selector = stepper.selector
        if selector is None or selector.kind != "label":
            return False
        under = tuple(p for p in self.recipe.network.parameters if p.path.startswith(f"{selector.text}."))
        return bool(under) and under == stepper.members

    # ---- optimizers ----

    @property
    def made(self) -> list[str]:
        """The statements that make the optimizers."""
        if not self.several:
            (stepper,) = self.steppers
            parameters = "parameter_groups(model, args)" if self.grouped else "model.parameters()"
            return [self.optimizer("optimizer = ", stepper, parameters, 4)]
        lines = ["    groups = parameter_groups(model, args)"] if self.grouped else []
        lines.append("    optimizers = {")
        for stepper in self.steppers:
            where = f"groups[{quoted(stepper.key)}]" if self.grouped else f"model.{stepper.key}.parameters()"
            lines.append(self.optimizer(f"{quoted(stepper.key)}: ", stepper, where, 8, ","))
        lines.append("    }")
        if self.recipe.turns:
            own = 'p for group in each.param_groups for p in group["params"]'
            trained = ["        name: [", f"            {own} if p.requires_grad", "        ]"]
            lines += [
                "    owned = {",
                *(trained if self.recipe.freeze else [f"        name: [{own}]"]),
                "        for name, each in optimizers.items()",
                "    }",
                *self.intervals,
            ]
        return lines

    @property
    def at_times(self) -> bool:
        """Whether an optimizer takes its turn at some batches only."""
        return any(stepper.every > 1 for stepper in self.steppers)

    @property
    def intervals(self) -> list[str]:
        """The statements that say how many batches lie between two turns of each."""
        if not self.at_times:
            return []
        given = (f"{quoted(s.key)}: {self.every(s)}" for s in self.steppers)
        text = quoted("an epoch has fewer batches than lie between two turns")
        return [
            row("every = {", given, "}", 4),
            *["    per_epoch = -(-len(train_targets) // args.batch_size)  # batches"] * self.epochs.whole,
            f"    if max(every.values()) > {self.epochs.batches}:",
            f"        raise SystemExit({text})",
        ]

    def every(self, stepper: Stepper) -> str:
        return "1" if stepper.every == 1 else f"args.{stepper.key.lower()}_every"

    def optimizer(self, head: str, stepper: Stepper, parameters: str, indent: int, tail: str = "") -> str:
        part = stepper.use.part
        given = self.flags.given(part)
        args = [parameters, *assigned(given)]
        # A fused kernel excludes the other ways of stepping.
        steady = self.recipe.unfreeze is None and self.recipe.precision != "fp16"
        able = part.fused and (part.joined or steady) and (part.sharding == "fused" or not self.recipe.sharded)
        if able and given.get("foreach", "None") == "None" and given.get("differentiable", "False") == "False":
            args.append("fused=True")
        return call(f"{head}{reached(part.module)}", args, indent, tail)

    @property
    def parts(self) -> list[tuple[str, str]]:
        """What a checkpoint has of them: a name, and the variable."""
        if not self.several:
            return [("optimizer", "optimizer"), *[("schedule", "schedule")] * bool(self.schedules)]
        found = [(f"{s.key}_optimizer", f"optimizers[{quoted(s.key)}]") for s in self.steppers]
        return [*found, *((name, name) for name in self.schedules)]

    # ---- schedules ----

    @property
    def schedules(self) -> list[str]:
        """The variables that hold them."""
        return [self.schedule_name(stepper) for stepper in self.steppers if stepper.schedule]

    def schedule_name(self, stepper: Stepper) -> str:
        return f"{stepper.key.lower()}_schedule" if self.several else "schedule"

    @property
    def judged(self) -> bool:
        return any(use.part.judges for stepper in self.steppers for use in stepper.schedule)

    def goes_on(self, interval: str) -> list[str]:
        """The statements that take them a step further, after an epoch or after a step of the optimizer."""
        found = []
        for stepper in self.steppers:
            for use in stepper.schedule[:1]:
                own = "epoch" if use.part.judges else use.part.interval or self.recipe.schedule_interval
                if own != interval:
                    continue
                step = f"{self.schedule_name(stepper)}.step({self.score if use.part.judges else ''})"
                if interval == "step" and stepper.every > 1:
                    found.append(f"if (step + 1) % every[{quoted(stepper.key)}] == 0:")
                    step = f"    {step}"
                found.append(step)
        return found

    @property
    def rates(self) -> str:
        """The learning rates, as a row of the log has them."""
        if len(self.schedules) == 1:
            return f'            "lr": {self.schedules[0]}.get_last_lr(),'
        return row('"lr": [', (f"*{name}.get_last_lr()" for name in self.schedules), "],", 12)

    @property
    def scheduling(self) -> list[str]:
        """The statements that make the schedules."""
        made: list[str] = []
        counted: dict[str, str] = {}
        for stepper in self.steppers:
            lines, name = list(self.schedule(stepper)), self.steps_name(stepper)
            if any(re.search(rf"\b{name}\b", line) for line in lines):
                turns = f"({self.epochs.batches} // {self.every(stepper)})"
                count = turns if stepper.every > 1 else self.epochs.steps
                counted[name] = f"    {name} = args.epochs * {count}"
            made += lines
        return [*counted.values(), *made]

    def steps_name(self, stepper: Stepper) -> str:
        """The variable that counts the steps of an optimizer in a whole run."""
        return "steps" if stepper.every == 1 else f"{stepper.key.lower()}_steps"

    def schedule(self, stepper: Stepper) -> Iterator[str]:
        uses, final = stepper.schedule, self.schedule_name(stepper)
        optimizer = f"optimizers[{quoted(stepper.key)}]" if self.several else "optimizer"
        prefix = f"{stepper.key.lower()}_" if self.several else ""
        names: list[str] = []
        milestones: list[str] = []
        for index, use in enumerate(uses):
            part = use.part
            given = {**part.fixed, **self.flags.given(part)}
            if part.remaining:
                by_step = "step" in (part.interval, self.recipe.schedule_interval)
                whole = self.steps_name(stepper) if by_step else "args.epochs"
                spent = " - ".join([whole, *(self.flags.source(u.part, u.part.ends or "") for u in uses[:index])])
                given = {part.remaining: f"max(1, {spent})" if index else spent, **given}
            if part.judges and self.rising:
                given = {"mode": '"max"', **given}
            name = final if len(uses) == 1 else f"{prefix}{snake(use.name)}"
            name += f"_{index + 1}" * (name in names)
            torch_name = reached(part.module, "torch.optim.")
            yield call(f"{name} = {torch_name}", [optimizer, *assigned(given)])
            names.append(name)
            if part.ends and index + 1 < len(uses):
                milestones.append(" + ".join([*milestones[-1:], self.flags.source(part, part.ends)]))
        if len(uses) > 1:
            args = [optimizer, f"[{', '.join(names)}]", f"milestones=[{', '.join(milestones)}]"]
            yield call(f"{final} = lr_scheduler.SequentialLR", args)

    # ---- groups ----

    @property
    def buckets(self) -> list[str]:
        """The lists that parameters are sorted into."""
        if not self.several:
            return ["rest", *(group.name for group in self.steppers[0].groups)]
        return [bucket(s, group) for s in self.steppers for group in (None, *s.groups)]

    @property
    def by_type(self) -> bool:
        """Whether a rule asks for the module of a parameter."""
        return any(selector.kind in ("norm", "type") for selector in self.selectors)

    @property
    def each(self) -> str:
        """What goes through the parameters, with their names where a rule asks for them."""
        return each_parameter(self.selectors)

    @property
    def selectors(self) -> list[Selector]:
        """What the rules select by."""
        selectors = [s for stepper in self.steppers for group in stepper.groups for s in group.selectors]
        return selectors + [s.selector for s in self.steppers if self.several and s.selector is not None]

    @property
    def rules(self) -> list[str]:
        """The statements that put one parameter where it belongs."""
        if not self.several:
            return list(sorted_in(self.steppers[0], 8, single=True))
        lines: list[str] = []
        ordered = sorted(self.steppers, key=lambda stepper: stepper.selector is None)
        for index, stepper in enumerate(ordered):
            if stepper.selector is None:
                lines.append("        else:")
            else:
                hits = tuple(p for p in self.recipe.network.parameters if stepper.selector.matches(p))
                lines.append(condition(conditions(stepper.selector, hits), "elif" if index else "if", 8))
            lines += sorted_in(stepper, 12)
        return lines

    @property
    def returned(self) -> list[str]:
        """The entries of what the function gives: groups, or those of each optimizer by its name."""
        if not self.several:
            (stepper,) = self.steppers
            return ['        {"params": rest},', *(self.entry(group, group.name, 8) for group in stepper.groups)]
        lines = []
        for stepper in self.steppers:
            if not stepper.groups:
                lines.append(f"        {quoted(stepper.key)}: {bucket(stepper, None)},")
                continue
            lines += [f"        {quoted(stepper.key)}: [", f'            {{"params": {bucket(stepper, None)}}},']
            lines += [self.entry(group, bucket(stepper, group), 12) for group in stepper.groups]
            lines.append("        ],")
        return lines

    def entry(self, group: Group, variable: str, indent: int) -> str:
        given = (f"{quoted(k)}: {v}" for k, v in self.flags.given(group).items())
        return row("{", [f'"params": {variable}', *given], "},", indent)


def assigned(arguments: dict[str, str]) -> list[str]:
    return [f"{name}={text}" for name, text in arguments.items()]


def bucket(stepper: Stepper, group: Group | None) -> str:
    """The list for the parameters of an optimizer, or of one of its groups."""
    return "_".join([stepper.key.lower(), *([group.name] if group is not None else [])])


def sorted_in(stepper: Stepper, indent: int, single: bool = False) -> Iterator[str]:
    """The rules for the parameters of one optimizer."""
    space = " " * indent
    rest = "rest" if single else bucket(stepper, None)
    if not stepper.groups:
        yield f"{space}{rest}.append(parameter)"
        return
    for index, group in enumerate(stepper.groups):
        terms = [t for s, hits in zip(group.selectors, group.matched, strict=True) for t in conditions(s, hits)]
        yield condition(terms, "elif" if index else "if", indent)
        yield f"{space}    {group.name if single else bucket(stepper, group)}.append(parameter)"
    yield f"{space}else:"
    yield f"{space}    {rest}.append(parameter)"


def each_parameter(selectors: Sequence[Selector]) -> str:
    if all(selector.kind == "vector" for selector in selectors):
        return "for parameter in model.parameters():"
    return "for name, parameter in model.named_parameters():"


# ---- selectors as conditions ---------------------------------------------------------------------


def frozen(recipe: Recipe) -> dict[str, Any] | None:
    """The condition on what is frozen."""
    if not recipe.freeze:
        return None
    terms = [t for s, hits in zip(recipe.freeze, recipe.frozen, strict=True) for t in conditions(s, hits)]
    return {
        "condition": condition(terms, "if", 8),
        "by_type": any(s.kind in ("norm", "type") for s in recipe.freeze),
        "each": each_parameter(recipe.freeze),
    }


def globbed(recipe: Recipe) -> bool:
    """Whether names are matched with wildcards."""
    groups = [group for stepper in recipe.steppers for group in stepper.groups]
    selectors = [*recipe.freeze, *(selector for group in groups for selector in group.selectors)]
    return any("*" in pattern(selector) for selector in selectors)


def pattern(selector: Selector) -> str:
    """The selector's glob with every wildcard as `*`; empty for the selectors that are none."""
    return re.sub(r"[?\[]", "*", selector.text) if selector.kind == "label" else ""


def conditions(selector: Selector, hits: Sequence[NetParameter]) -> list[str]:
    """The conditions on `name` and `module` that hold for the parameters that a selector matches."""
    if selector.kind == "bias":
        return ['"bias" in name.rpartition(".")[2]']
    if selector.kind == "vector":
        return ["parameter.dim() < 2"]
    if selector.kind in ("norm", "type"):
        types = sorted({hit.module.replace("torch.nn.", "nn.") for hit in hits})
        return [f"isinstance(module, {name})" for name in types]
    text = selector.text
    if "*" in pattern(selector):
        return [f"fnmatchcase(name, {quoted(text)})", f"fnmatchcase(name, {quoted(text + '.*')})"]
    terms = []
    if any(hit.path == text for hit in hits):
        terms.append(f"name == {quoted(text)}")
    if any(hit.path.startswith(text + ".") for hit in hits):
        terms.append(f"name.startswith({quoted(text + '.')})")
    return terms
