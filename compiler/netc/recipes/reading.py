"""Reads the settings of a `train` block, then fits them to the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Label, SpecError, nearest, renamed
from netc.layer import is_int, show
from netc.recipe import NetParameter, NetworkFacts, Recipe
from netc.recipes.augmentation import Augmentation
from netc.recipes.figures import Figures
from netc.recipes.fitting import Fitting, entries
from netc.recipes.groups import Groups
from netc.recipes.overrides import apply_overrides
from netc.recipes.parts import PARTS, Parts
from netc.recipes.scalars import Evaluate, Scalars, lone_error
from netc.recipes.steppers import Steppers, Turn
from netc.recipes.wiring import LossDraft, Wiring
from netc.registry import Registry

ELSEWHERE = {
    "dataset": "data", "transform": "augment", "transforms": "augment", "augmentation": "augment",
    "criterion": "loss", "loss_fn": "loss", "optim": "optimizer", "scheduler": "schedule",
    "lr_scheduler": "schedule", "num_epochs": "epochs", "n_epochs": "epochs", "max_epochs": "epochs",
    "clip": "clip_norm", "clip_grad_norm": "clip_norm", "gradient_clip_val": "clip_norm",
    "accumulation": "accumulate", "accumulation_steps": "accumulate", "accumulate_grad_batches": "accumulate",
    "gradient_accumulation_steps": "accumulate", "amp": "precision", "early_stopping": "patience",
    "ema_decay": "ema", "random_seed": "seed", "frozen": "freeze", "grad_clip": "clip_norm", "pretrained": "weights",
    "checkpoint": "weights", "load_from": "weights",
}  # fmt: skip
"""Settings by the names that they have elsewhere."""
HOLDERS = {
    "batch_size": "data: Digits(batch_size={})", "lr": "optimizer: Adam(lr={})",
    "learning_rate": "optimizer: Adam(lr={})",
    "weight_decay": "optimizer: AdamW(lr=1e-3, weight_decay={})", "momentum": "optimizer: SGD(lr=0.1, momentum={})",
    "label_smoothing": "loss: CrossEntropyLoss(label_smoothing={})",
}  # fmt: skip
"""What is a setting elsewhere and an argument here, with an example."""
IN_STEPS = {
    "max_iters", "max_steps", "num_steps", "total_steps", "num_iterations", "iterations", "train_steps", "max_iter",
    "eval_interval", "eval_every", "eval_steps", "eval_freq", "val_check_interval", "valid_every", "checkpoint_every",
}  # fmt: skip
"""Settings elsewhere that count a run, or what lies between two evaluations, in steps."""
REQUIRED = {
    "data": "data: MNIST(batch_size=64)",
    "loss": "loss: CrossEntropyLoss",
    "optimizer": "optimizer: Adam(lr=1e-3)",
    "epochs": "epochs: 10",
}
NAMED = ("loss", "optimizer", "schedule")
"""Settings that may stand several times, each with a name."""


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
    terms = Wiring(reader, network, values).terms()
    matched: dict[str, tuple[tuple[NetParameter, ...], ...]] = {}
    for key in ("fresh", "freeze"):
        if key in values:
            selected, setting = values[key]
            selectors, places = (tuple(side) for side in zip(*selected, strict=True))
            matched[key] = reader.matched(selectors, places, network.parameters)
            values[key] = (selectors, setting)
    frozen = matched.get("freeze", ())
    steppers = Steppers(reader, network, values, terms).read(frozen)
    Fitting(values, terms, frozen, network, reader.found).run()
    Augmentation(values, terms, network, reader.found).check()
    judge = Figures(values, terms, network, reader.found, registry.names("metrics")).check(reader.judge)
    reader.found.raise_if_any()
    fields = {key: value for key, (value, _) in values.items() if key not in (*NAMED, "steps")}
    return Recipe(
        network, judge=judge, terms=terms, steppers=steppers, turns="steps" in values, frozen=frozen, name=train.name,
        kept=reader.kept, warnings=tuple(reader.found.items), **fields,
    )  # fmt: skip


def setting_faults(train: syntax.Train, registry: Registry, evaluate: Evaluate) -> Sequence[Diagnostic]:
    """What is wrong with the settings of a `train` block by themselves; its network is not asked."""
    reader = _Reader(registry, evaluate)
    reader.settings(train)
    return reader.found.items


def _fields(registry: Registry, key: str, name: str) -> Sequence[str]:
    found = registry.find(PARTS[key], name) if key in PARTS else None
    return list(found.fields) if found else []


class _Reader(Groups):
    """Reads settings one by one; what is wrong is gathered, and the setting left out."""

    def settings(self, train: syntax.Train) -> dict[str, tuple[Any, syntax.Setting]]:
        """The value of each setting beside its text; of `loss` a list of what each line says."""
        values: dict[str, tuple[Any, syntax.Setting]] = {}
        seen: dict[tuple[str, str | None], syntax.Setting] = {}
        for setting in train.settings:
            place = (setting.key, setting.name)
            if setting.key not in READERS:
                self._unknown_setting(setting)
            elif place in seen:
                first = (Label(seen[place].key_span, "given here first"),)
                shown = " ".join(filter(None, place))
                way = f"give each a name: `{setting.key} main: …`" if setting.key in NAMED else None
                text = f"`{shown}` is set twice"
                self.error("E0512", text, setting.key_span, secondary=first, help=way)
            else:
                seen[place] = setting
                self._read(setting, values)
        keys = {key for key, _ in seen}
        others = {meant(setting.key) for setting in train.settings if setting.key not in READERS}
        others |= {"epochs"} if any(setting.key in IN_STEPS for setting in train.settings) else set()
        for key, example in REQUIRED.items():
            if key not in keys and key not in others:
                self.error("E0511", f"the recipe does not say its `{key}`", train.span, help=f"`{example}`")
        return values

    def _unknown_setting(self, setting: syntax.Setting) -> None:
        near = meant(setting.key)
        known = f"did you mean `{near}`?" if near else "a recipe can set " + ", ".join(f"`{key}`" for key in READERS)
        if setting.key in IN_STEPS:
            known, near = "`steps_per_epoch: 250` evaluates after every 250 steps; `epochs: 20` are 5000 then", None
        if (holder := HOLDERS.get(setting.key)) is not None:
            known, near = f"it is an argument: `{holder.format(setting.value.span.brief)}`", None
        text, fix = f"a recipe has no setting `{setting.key}`", renamed(setting.key_span, setting.key, near)
        self.error("E0510", text, setting.key_span, help=known, fix=fix)

    def _read(self, setting: syntax.Setting, values: dict[str, tuple[Any, syntax.Setting]]) -> None:
        if setting.name is not None and setting.key not in NAMED:
            self.error("E0513", f"a recipe has one `{setting.key}`, without a name", setting.key_span)
        if setting.groups and setting.key != "optimizer":
            self.error("E0517", "only an optimizer has groups", setting.groups[0].span)
        try:
            value = READERS[setting.key](self, setting)
        except SpecError as error:
            for diagnostic in error.diagnostics:
                self.found.add(diagnostic)
            return
        if setting.key in NAMED:
            values.setdefault(setting.key, ([], setting))[0].append(value)
        else:
            values[setting.key] = (value, setting)

    # ---- figures ----

    judge: syntax.Expr | None = None
    """By which metric, or `loss`, the best is told, if `keep` says so."""
    kept: int = 1
    """How many of the best are kept."""

    def keep(self, setting: syntax.Setting) -> str:
        """`last`, `best`, `best(F1)`, `best(accuracy)`, `best(loss)`, `best(3)`, `best(F1, 3)`."""
        match setting.value:
            case syntax.Call(function=syntax.Name(id="best"), args=args) if args and all(a.name is None for a in args):
                *judges, last = (arg.value for arg in args)
                if isinstance(last, syntax.Literal_):
                    self.kept = self.count("best", last)
                else:
                    judges.append(last)
                if len(judges) > 1:
                    raise lone_error("E0513", "`best` takes one metric, then how many are kept", judges[1].span)
                self.judge = next(iter(judges), None)
                return "best"
        value = self.value(setting.value, ("last", "best"))
        if value not in ("last", "best"):
            raise self.bad(setting, "`last`, `best`, `best(F1)`, `best(3)` or `best(F1, 3)`", value)
        return str(value)

    def plot(self, setting: syntax.Setting) -> tuple[str, ...]:
        """`loss`, `accuracy`, or the name of a metric, or several in brackets."""
        items = entries(setting.value)
        names = self.registry.names("metrics")
        found = []
        for item in items:
            word = item.id if isinstance(item, syntax.Name) else ""
            found.append(word if word in names else self.word(replace(setting, value=item), "loss", "accuracy"))
        if len(set(found)) < len(found):
            raise lone_error("E0513", "`plot` names a figure twice", setting.value.span)
        return tuple(found)

    # ---- losses ----

    def loss(self, setting: syntax.Setting) -> LossDraft:
        """`CrossEntropyLoss`, `0.3 * CrossEntropyLoss`, `(anchor, positive, negative) -> TripletMarginLoss`."""
        expr, head = setting.value, None
        if isinstance(expr, syntax.Pipe):
            if len(expr.stages) != 2:
                raise lone_error("E0513", "a loss is `what it is given -> the loss`", expr.span)
            first, expr = expr.stages
            head = first.items if isinstance(first, syntax.TupleExpr) else (first,)
        factor = 1.0
        if isinstance(expr, syntax.Binary) and expr.operator == "*":
            value = self.evaluate(expr.left)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise lone_error("E0513", "the factor of a loss must be a number", expr.left.span)
            factor, expr = float(value), expr.right
        return LossDraft(setting, self.bind(expr, "losses"), factor, head, expr)

    def carry(self, setting: syntax.Setting) -> tuple[str, ...]:
        """`state`, `(h, c)`: inputs that are the outputs of these names at the batch before."""
        names = [item.id if isinstance(item, syntax.Name) else "" for item in entries(setting.value)]
        if not all(names) or len(set(names)) < len(names):
            raise lone_error("E0513", "`carry` names inputs of the network, each once", setting.value.span)
        return tuple(names)

    def steps(self, setting: syntax.Setting) -> tuple[Turn, ...]:
        """`critic(real, fake) -> generator(fool, every=5)`: optimizers in the order of their turns, with losses."""
        stages = setting.value.stages if isinstance(setting.value, syntax.Pipe) else (setting.value,)
        return tuple(map(self.turn, stages))

    def count(self, name: str, expr: syntax.Expr) -> int:
        value = self.evaluate(expr)
        if not is_int(value) or value < 1:
            raise lone_error("E0513", f"`{name}` must be an integer of at least 1, not {show(value)}", expr.span)
        return int(value)

    def turn(self, stage: syntax.Expr) -> Turn:
        match stage:
            case syntax.Call(function=syntax.Name() as optimizer, args=args):
                losses = tuple(arg.value for arg in args if arg.name is None and isinstance(arg.value, syntax.Name))
                named = [arg for arg in args if arg.name is not None]
                if losses and len(losses) + len(named) == len(args) and [arg.name for arg in named] in ([], ["every"]):
                    return Turn(optimizer, losses, *(self.count("every", arg.value) for arg in named))
        text = "here stands an optimizer with the losses that it lessens"
        raise lone_error("E0513", text, stage.span, help="`critic(real, fake) -> generator(fool, every=5)`")


READERS: dict[str, Callable[[Any, syntax.Setting], Any]] = {
    "data": Parts.part,
    "augment": Parts.augment,
    "loss": _Reader.loss,
    "optimizer": lambda reader, setting: (reader.part(setting), setting),
    "steps": _Reader.steps,
    "schedule": lambda reader, setting: (reader.schedule(setting), setting),
    "schedule_interval": lambda reader, setting: reader.word(setting, "epoch", "step"),
    "epochs": Scalars.positive,
    "steps_per_epoch": Scalars.positive,
    "drop_last": Scalars.boolean,
    "metrics": Parts.metrics,
    "accumulate": Scalars.positive,
    "carry": _Reader.carry,
    "clip_norm": Scalars.number,
    "clip_value": Scalars.number,
    "ema": partial(Scalars.number, below=1),
    "precision": lambda reader, setting: reader.word(setting, "float32", "bf16", "fp16"),
    "compile": Scalars.boolean,
    "distributed": lambda reader, setting: reader.word(setting, "ddp", "fsdp"),
    "channels_last": Scalars.boolean,
    "weights": Scalars.path,
    "fresh": Groups.labels,
    "freeze": Groups.selectors,
    "unfreeze": Scalars.positive,
    "patience": Scalars.positive,
    "seed": Scalars.seed,
    "device": Scalars.text,
    "keep": _Reader.keep,
    "log_every": Scalars.positive,
    "log": lambda reader, setting: reader.words(setting, "csv", "tensorboard", "wandb"),
    "progress": lambda reader, setting: reader.word(setting, "line", "tqdm"),
    "evaluate_first": Scalars.boolean,
    "print_shapes": Scalars.boolean,
    "plot": _Reader.plot,
    "samples": Scalars.positive,
    "modes": lambda reader, setting: reader.words(setting, "evaluate", "predict", "export", "dry_run", "overfit"),
}
"""What reads each setting, in the order of the manual."""


def meant(key: str) -> str | None:
    """The setting that a name which is none stands for."""
    return ELSEWHERE.get(key) or nearest(key, READERS)
