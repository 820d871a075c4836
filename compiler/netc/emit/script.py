"""The script around a model: flags, data, training loop and checkpoints, composed from what the recipe asks for."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import Any

from netc.emit.flags import FREE, recipe_flags
from netc.emit.layout import call, imports, literal, message, quoted, row
from netc.emit.objective import Objective
from netc.emit.stepping import Stepping, frozen, globbed
from netc.emit.templating import environment
from netc.recipe import Recipe
from netc.sources import Header, ModelSource

HASH_LINE = re.compile(r"^# netc: sha256=([0-9a-f]*)\n", re.MULTILINE)
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
    if any(stepper.schedule for stepper in recipe.steppers):
        lines.add("from torch.optim import lr_scheduler")
    if recipe.plot or recipe.samples:
        lines.add("from matplotlib.figure import Figure")
    if recipe.print_shapes or any(stepper.use.part.closure for stepper in recipe.steppers):
        lines.add("from functools import partial")
    if globbed(recipe):
        lines.add("from fnmatch import fnmatchcase")
    return lines


# ---- what the training adds --------------------------------------------------------------------


def _training(model: ModelSource, recipe: Recipe) -> dict[str, Any]:
    flags, data = recipe_flags(recipe), recipe.data.part
    tested, classifies = data.held_out, recipe.classifies
    score = "accuracy" if classifies and tested else "test_loss" if tested else "train_loss"
    prepare = data.prepare()
    objective = Objective(recipe, flags)
    stepping = Stepping(recipe, flags, score, score == "accuracy")
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
        "frozen": frozen(recipe),
        "shuffled": data.shuffled,
        "stepping": stepping,
        "fed": "prepare(inputs)" if prepare and "inputs" not in objective.given else "inputs",
        "closure": any(stepper.use.part.closure for stepper in recipe.steppers),
        "score": score,
        "parts": _parts(recipe, stepping),
        "state": _state(recipe, score),
        "update": call("state.update", [*_update(recipe), f"{score}={score}"], 8),
        "epoch_line": _epoch_line(tested, classifies),
        "last_line": _last_line(recipe, score),
        "curves": _curves(recipe, tested),
    }


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])


def _parts(recipe: Recipe, stepping: Stepping) -> str:
    names = ["model", *["average"] * (recipe.ema is not None)]
    parts = [*((name, name) for name in names), *stepping.parts, *[("scaler", "scaler")] * (recipe.precision == "fp16")]
    return row("parts = {", (f"{quoted(name)}: {source}" for name, source in parts), "}", 4)


def _update(recipe: Recipe) -> list[str]:
    total = f"[0.0] * {len(recipe.steppers)}" if recipe.turns else "0.0"
    return ["epoch=epoch + 1", "step=0", f"total={total}", "log=log.tell()"]


def _state(recipe: Recipe, score: str) -> str:
    total = f"[0.0] * {len(recipe.steppers)}" if recipe.turns else "0.0"
    state = {"epoch": "0", "step": "0", "total": total, "log": "0", score: "0.0"}
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
