"""The scalars of a recipe as flags of its script, and the arguments that read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netc.emit.layout import call, literal, quoted, snake
from netc.layer import Bool, Field, Float, Int, Text
from netc.recipe import Group, Part, Recipe, Schedule, Stepper, Transform, Use

TYPES: tuple[tuple[type[Field[Any]], str], ...] = ((Int, "int"), (Float, "float"), (Text, "str"), (Bool, "bool"))
# The flags of every script, after those of the recipe's parts.
OPTIONAL = (
    ("steps_per_epoch", "int", "steps from one evaluation to the next"),
    ("accumulate", "int", "batches a step"),
    ("clip_norm", "float", "greatest norm of all gradients together"),
    ("clip_value", "float", "greatest size of a gradient's entry"),
    ("ema", "float", "how much of the averaged weights a step keeps"),
    ("patience", "int", "epochs without progress, after which to stop"),
    ("unfreeze", "int", "epochs for which a part stays frozen"),
    ("weights", "Path", "what a new run starts from"),
)
OWN = (
    "epochs", "steps", "seed", "device", "log_every", "samples", "keep_best", "output", "resume", "help",
    *(name for name, *_ in OPTIONAL),
)  # fmt: skip
# What a resumed run may be told anew: nothing of it changes the weights of an epoch.
FREE = (
    "epochs", "device", "output", "resume", "log_every", "samples", "root", "test_root", "path", "file",
    "test_batch_size", "weights",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag:
    """`--name`, read as `args.name`; a boolean has its `--no-name` too."""

    name: str
    type: str
    default: Any
    help: str

    def add(self) -> str:
        """The line that declares it."""
        args = [quoted("--" + self.name.replace("_", "-"))]
        if self.type == "bool":
            args.append("action=argparse.BooleanOptionalAction")
        elif self.type != "str":
            args.append(f"type={self.type}")
        if self.default is not None:
            value = float(self.default) if self.type == "float" else self.default
            args.append(f"default={literal(value)}")
        return call("parser.add_argument", [*args, f"help={quoted(self.help.replace('%', '%%'))}"])


@dataclass(frozen=True)
class Flags:
    """All flags of a recipe, and the source of the arguments of each of its parts: (part, field) -> source."""

    flags: tuple[Flag, ...]
    arguments: dict[tuple[int, str], str]

    def given(self, owner: Part | Group) -> dict[str, str]:
        """The stated arguments of a part or group, as source, by their PyTorch names."""
        renamed = owner.renamed if isinstance(owner, Part) else {}
        return {renamed.get(name, name): text for (key, name), text in self.arguments.items() if key == id(owner)}

    def source(self, owner: Part, name: str) -> str:
        """What reads one field."""
        return self.arguments.get((id(owner), name), literal(getattr(owner, name)))


def recipe_flags(recipe: Recipe) -> Flags:
    flags: dict[str, Flag] = {}
    arguments: dict[tuple[int, str], str] = {}
    owners = {id(term.use.part): term.name for term in recipe.terms if len(recipe.terms) > 1 and term.name}
    owned = owned_parts(recipe)
    for use in recipe.uses:
        for name, value in use.part.given().items():
            field = type(use.part).fields[name]
            kind = scalar_type(field, value)
            if kind is None or (use is recipe.data and kind == "bool"):
                arguments[id(use.part), name] = literal(value)
                continue
            owner = owned.get(id(use.part)) or owners.get(id(use.part), use.name).lower()
            called = _counted(recipe, use, name.lower())
            plain = [called] * (id(use.part) not in owned)
            if isinstance(use.part, Transform):
                owner, plain = snake(use.name), []
            free = _free_name(flags, *plain, f"{owner}_{called}")
            flags[free] = Flag(free, kind, value, _counted(recipe, use, described(field, use)))
            arguments[id(use.part), name] = f"args.{free}"
    for stepper, group, name, value in _group_arguments(recipe):
        field = type(stepper.use.part).fields[name]
        kind = scalar_type(field, value)
        if kind is None:
            arguments[id(group), name] = literal(value)
            continue
        prefix = f"{owned[id(stepper.use.part)]}_" if id(stepper.use.part) in owned else ""
        free = _free_name(flags, f"{prefix}{group.name}_{name}")
        flags[free] = Flag(free, kind, value, f"{name} of {', '.join(s.text for s in group.selectors)}")
        arguments[id(group), name] = f"args.{free}"
    return Flags((*flags.values(), *own_flags(recipe)), arguments)


def owned_parts(recipe: Recipe) -> dict[int, str]:
    """The optimizers and schedules that are those of one name among several, with the name."""
    if len(recipe.steppers) == 1:
        return {}
    shared = [use.part for stepper in recipe.steppers for use in stepper.schedule]
    found = {id(stepper.use.part): stepper.key.lower() for stepper in recipe.steppers}
    for stepper in recipe.steppers:
        found |= {id(u.part): stepper.key.lower() for u in stepper.schedule if sum(p is u.part for p in shared) == 1}
    return found


def _group_arguments(recipe: Recipe) -> Iterator[tuple[Stepper, Group, str, Any]]:
    for stepper in recipe.steppers:
        for group in stepper.groups:
            for name, value in group.arguments.items():
                yield stepper, group, name, value


def scalar_type(field: Field[Any], value: Any) -> str | None:
    """The type of the flag that a field becomes; None for what is no scalar."""
    if value is None or isinstance(value, tuple):
        return None
    return next((name for kind, name in TYPES if isinstance(field, kind)), None)


def described(field: Field[Any], use: Use[Any]) -> str:
    if isinstance(use.part, Transform):
        return f"{field.name} of {use.name}"
    doc = field.doc.rstrip(".")
    return doc[:1].lower() + doc[1:] if doc else f"{field.name.replace('_', ' ')} of {use.name}"


def _counted(recipe: Recipe, use: Use[Any], text: str) -> str:
    """What is said of a schedule, which counts epochs or steps."""
    by_steps = isinstance(use.part, Schedule) and recipe.schedule_interval == "step"
    return text.replace("epochs", "steps") if by_steps and use.part.interval is None else text


def _free_name(taken: dict[str, Flag], *candidates: str) -> str:
    names = [*candidates, *(f"{candidates[-1]}_{n}" for n in range(2, 100))]
    return next(name for name in names if name not in taken and name not in OWN)


def own_flags(recipe: Recipe) -> Iterator[Flag]:
    """The flags that belong to no part."""
    yield Flag("epochs", "int", recipe.epochs, "epochs in all")
    yield Flag("seed", "int", recipe.seed, "of all that is random")
    for stepper in recipe.steppers:
        if stepper.every > 1:
            help = f"batches from one turn of {stepper.key} to the next"
            yield Flag(f"{stepper.key.lower()}_every", "int", stepper.every, help)
    for name, kind, help in OPTIONAL:
        value = getattr(recipe, name)
        if value is not None and (name, value) != ("accumulate", 1):
            yield Flag(name, kind, value, help)
    if recipe.kept > 1:
        yield Flag("keep_best", "int", recipe.kept, "checkpoints kept, of the best epochs")
    if recipe.log_every is not None:
        yield Flag("log_every", "int", recipe.log_every, "steps from one line to the next")
    if recipe.samples is not None:
        yield Flag("samples", "int", recipe.samples, "pictures to show")
    fallback = "" if recipe.device else "; else the accelerator"
    yield Flag("device", "str", recipe.device, f"such as cpu or cuda:1{fallback}")
