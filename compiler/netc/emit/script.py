"""The script around a model: flags, data, training loop and checkpoints, composed from what the recipe asks for."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import Any

from netc.emit.flags import FREE, Flags, recipe_flags
from netc.emit.layout import call, condition, imports, literal, message, quoted, row
from netc.emit.objective import Objective
from netc.emit.templating import environment
from netc.recipe import Group, NetParameter, Recipe, Selector
from netc.sources import Header, ModelSource

HASH_LINE = re.compile(r"^# netc: sha256=([0-9a-f]*)\n", re.MULTILINE)
UPDATE = ("epoch=epoch + 1", "step=0", "total=0.0", "log=log.tell()")
STDLIB = ("argparse", "json", "os", "signal", "sys", "threading", "time")


def render_script(model: ModelSource, recipe: Recipe | None, header: Header) -> str:
    """The whole file: the model, and what trains it if there is a recipe."""
    context = {"model": model, "recipe": recipe, "header": header, "call": call, "quoted": quoted}
    context |= _names(model, recipe, header)
    if recipe is not None:
        context |= _training(model, recipe)
    text: str = environment().get_template("script.py.jinja").render(context).rstrip("\n") + "\n"
    return HASH_LINE.sub(f"# netc: sha256={content_hash(text)}\n", text, count=1)


def content_hash(text: str) -> str:
    """The hash of a file but for the line that holds it."""
    return hashlib.sha256(HASH_LINE.sub("", text.replace("\r\n", "\n"), count=1).encode()).hexdigest()


def is_unedited(text: str) -> bool:
    """Whether a file is as netc wrote it."""
    found = HASH_LINE.search(text.replace("\r\n", "\n"))
    return found is not None and found[1] == content_hash(text)


# ---- what every file has -----------------------------------------------------------------------


def _names(model: ModelSource, recipe: Recipe | None, header: Header) -> dict[str, Any]:
    stem = PurePosixPath(header.spec.replace("\\", "/")).stem
    variant = f"_{recipe.name}" if recipe and recipe.name else ""
    own, others = imports({*model.imports, *(_training_imports(recipe) if recipe else ())})
    title = f"{model.class_name}." if recipe is None else f"Train {model.class_name} on {recipe.data.name}."
    return {"stdlib": own, "imports": others, "title": title, "stem": stem, "folder": f"runs/{stem}{variant}"}


def _training_imports(recipe: Recipe) -> set[str]:
    lines = {*(f"import {name}" for name in STDLIB), "from pathlib import Path", "import torch"}
    if any(term.use.part.module.startswith("torch.nn.") for term in recipe.terms) or recipe.clip:
        lines.add("from torch import nn")
    for use in recipe.uses:
        lines.update(use.part.imports)
    if recipe.ema is not None:
        lines.add("from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn")
    if recipe.schedule:
        lines.add("from torch.optim import lr_scheduler")
    if recipe.plot or recipe.samples:
        lines.add("from matplotlib.figure import Figure")
    if recipe.print_shapes:
        lines.add("from functools import partial")
    selectors = [*recipe.freeze, *(s for group in recipe.groups for s in group.selectors)]
    if any("*" in _pattern(selector) for selector in selectors):
        lines.add("from fnmatch import fnmatchcase")
    return lines


# ---- what the training adds --------------------------------------------------------------------


def _training(model: ModelSource, recipe: Recipe) -> dict[str, Any]:
    flags, data = recipe_flags(recipe), recipe.data.part
    tested, classifies = data.held_out, recipe.classifies
    score = "accuracy" if classifies and tested else "test_loss" if tested else "train_loss"
    prepare = data.prepare()
    objective = Objective(recipe, flags)
    scores = next((o.source for o in recipe.network.outputs(False)), "output").removeprefix("output")
    kept = "average" if recipe.ema is not None else "model"
    return {
        "flags": flags.flags,
        "fixed": row("fixed = [", (quoted(flag.name) for flag in flags.flags if flag.name not in FREE), "]", 8),
        "needs": _listed(["torch", *data.packages, *["matplotlib"] * bool(recipe.plot or recipe.samples)]),
        "load": data.load(recipe.input).rstrip("\n"),
        "prepare": prepare and prepare.rstrip("\n"),
        "tested": tested,
        "classifies": classifies,
        "summed": objective.summed,
        "objective": objective,
        "sources": [source for source in dict.fromkeys(use.part.source.strip() for use in recipe.uses) if source],
        "kept": kept,
        "predicted": f"{kept}.eval()({'prepare(pictures)' if prepare else 'pictures'}){scores}.argmax(1).tolist()",
        "accumulates": recipe.accumulate > 1,
        "scores": f"output{scores}",
        "dtype": {"bf16": "bfloat16", "fp16": "float16"}.get(recipe.precision),
        "frozen": _frozen(recipe),
        "shuffled": data.shuffled,
        "optimizer": _optimizer(recipe, flags),
        "groups": [_group(group, flags, "elif" if i else "if") for i, group in enumerate(recipe.groups)],
        "schedule": _schedule(recipe, flags),
        "score": score,
        "parts": _parts(recipe),
        "state": _state(recipe, score),
        "update": call("state.update", [*UPDATE, f"{score}={score}"], 8),
        "epoch_line": _epoch_line(tested, classifies),
        "last_line": _last_line(recipe, score),
        "curves": _curves(recipe, tested),
    }


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])


def _assigned(arguments: dict[str, str]) -> list[str]:
    return [f"{name}={text}" for name, text in arguments.items()]


def _optimizer(recipe: Recipe, flags: Flags) -> str:
    part = recipe.optimizer.part
    given = flags.given(part)
    args = ["parameter_groups(model, args)" if recipe.groups else "model.parameters()", *_assigned(given)]
    # A fused kernel excludes the other ways of stepping.
    if part.fused and given.get("foreach", "None") == "None" and given.get("differentiable", "False") == "False":
        args.append("fused=True")
    return call(f"optimizer = {part.module.removeprefix('own:')}", args)


def _schedule(recipe: Recipe, flags: Flags) -> list[str]:
    """The statements that make the learning rate's schedule."""
    uses = recipe.schedule
    lines: list[str] = []
    names: list[str] = []
    milestones: list[str] = []
    for index, use in enumerate(uses):
        part = use.part
        given = flags.given(part)
        if part.remaining:
            spent = " - ".join(["args.epochs", *(flags.source(u.part, u.part.ends or "") for u in uses[:index])])
            given = {part.remaining: f"max(1, {spent})" if index else spent, **given}
        name = "schedule" if len(uses) == 1 else f"{use.name.lower()}_{index + 1}"
        torch_name = part.module.removeprefix("torch.optim.").removeprefix("own:")
        lines.append(call(f"{name} = {torch_name}", ["optimizer", *_assigned(given)]))
        names.append(name)
        if part.ends and index + 1 < len(uses):
            milestones.append(" + ".join([*milestones[-1:], flags.source(part, part.ends)]))
    if len(uses) > 1:
        args = ["optimizer", f"[{', '.join(names)}]", f"milestones=[{', '.join(milestones)}]"]
        lines.append(call("schedule = lr_scheduler.SequentialLR", args))
    return lines


def _parts(recipe: Recipe) -> str:
    names = ["model", *["average"] * (recipe.ema is not None), "optimizer", *["schedule"] * bool(recipe.schedule)]
    names += ["scaler"] * (recipe.precision == "fp16")
    return row("parts = {", (f"{quoted(name)}: {name}" for name in names), "}", 4)


def _state(recipe: Recipe, score: str) -> str:
    state = {"epoch": "0", "step": "0", "total": "0.0", "log": "0", score: "0.0"}
    if recipe.keep == "best" or recipe.patience is not None:
        state["best"] = "0.0" if score == "accuracy" else 'float("inf")'
    if recipe.patience is not None:
        state["worse"] = "0"
    return row("state = {", (f"{quoted(name)}: {value}" for name, value in state.items()), "}", 4)


def _epoch_line(tested: bool, classifies: bool) -> str:
    pieces = ["epoch {epoch + 1}/{args.epochs}", "train loss {train_loss:.4f}"]
    pieces += ["test loss {test_loss:.4f}"] * tested + ["accuracy {accuracy:.2%}"] * (tested and classifies)
    return message("say", [*pieces, "{seconds:.1f} s"], 8)


def _last_line(recipe: Recipe, score: str) -> str:
    form = ":.2%" if score == "accuracy" else ":.4f"
    pieces = [f"{score.replace('_', ' ')} {{state['{score}']{form}}}"]
    pieces += [f"best {{state['best']{form}}}"] * (recipe.keep == "best")
    return message("say", [*pieces, "results in {args.output}"], 4)


def _curves(recipe: Recipe, tested: bool) -> list[tuple[str, str]]:
    losses = ["loss" if recipe.log_every else "train_loss", *["test_loss"] * tested]
    return [(q, literal(tuple(losses) if q == "loss" else ("accuracy",))) for q in recipe.plot]


# ---- parameter groups and frozen parameters --------------------------------------------------------------------------


def _group(group: Group, flags: Flags, head: str) -> dict[str, Any]:
    terms = [t for s, hits in zip(group.selectors, group.matched, strict=True) for t in _terms(s, hits)]
    entry = [f'"params": {group.name}', *(f"{quoted(k)}: {v}" for k, v in flags.given(group).items())]
    return {
        "variable": group.name,
        "condition": condition(terms, head, 8),
        "entry": row("{", entry, "},", 8),
        "by_type": any(s.kind in ("norm", "type") for s in group.selectors),
    }


def _frozen(recipe: Recipe) -> dict[str, Any] | None:
    """The condition on what is frozen."""
    if not recipe.freeze:
        return None
    terms = [t for s, hits in zip(recipe.freeze, recipe.frozen, strict=True) for t in _terms(s, hits)]
    return {
        "condition": condition(terms, "if", 8),
        "by_type": any(s.kind in ("norm", "type") for s in recipe.freeze),
    }


def _pattern(selector: Selector) -> str:
    """The selector's glob with every wildcard as `*`; empty for the selectors that are none."""
    return re.sub(r"[?\[]", "*", selector.text) if selector.kind == "label" else ""


def _terms(selector: Selector, hits: tuple[NetParameter, ...]) -> list[str]:
    """The conditions on `name` and `module` that hold for the parameters that a selector matches."""
    if selector.kind == "bias":
        return ['"bias" in name.rpartition(".")[2]']
    if selector.kind in ("norm", "type"):
        types = sorted({hit.module.replace("torch.nn.", "nn.") for hit in hits})
        return [f"isinstance(module, {name})" for name in types]
    text = selector.text
    if "*" in _pattern(selector):
        return [f"fnmatchcase(name, {quoted(text)})", f"fnmatchcase(name, {quoted(text + '.*')})"]
    terms = []
    if any(hit.path == text for hit in hits):
        terms.append(f"name == {quoted(text)}")
    if any(hit.path.startswith(text + ".") for hit in hits):
        terms.append(f"name.startswith({quoted(text + '.')})")
    return terms
