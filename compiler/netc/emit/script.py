"""The script around a model: flags, data, training loop and checkpoints, composed from what the recipe asks for."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from netc.digests import digest_of
from netc.emit.augmenting import Augmenting
from netc.emit.flags import FREE, recipe_flags
from netc.emit.layout import call, imports, literal, message, module, package, quoted, row
from netc.emit.measuring import Measuring
from netc.emit.modes import Modes
from netc.emit.objective import Objective
from netc.emit.pasting import Meaning, Pasted, bound_by, brought_by, meaning_of, paste
from netc.emit.renaming import bound_in
from netc.emit.showing import Showing
from netc.emit.stepping import Stepping, frozen, globbed
from netc.emit.templating import environment
from netc.naming import short_name
from netc.recipe import Metric, Recipe
from netc.sources import Header, ModelSource

HASH_LINE = re.compile(r"^# netc: sha256=([0-9a-f]*)\n", re.MULTILINE)
STDLIB = ("argparse", "json", "os", "signal", "time")
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow"}
"""Packages that are not installed by the name by which they are imported."""
EARLY = "import torch.distributed.nn  # first, or its defaults hold the group"
"""Arguments of its functions have `group.WORLD`, as it is when they are defined, for a default.

What is compiled or distributed imports it some time. A group that exists by then is never let go; its threads run on
while the interpreter ends, and one that gives a tensor back aborts the process, now and then (pytorch/pytorch#179291).
"""

SHARDING = {
    "import gc",
    "from itertools import chain",
    "from torch.distributed.tensor import DTensor",
    "from torch.distributed.tensor import distribute_tensor",
    "from torch.distributed.device_mesh import init_device_mesh",
    "from torch.distributed.fsdp import fully_shard",
    "from torch import nn",
}


def render_script(model: ModelSource, recipe: Recipe | None, header: Header, pasted: Pasted | None = None) -> str:
    """The whole file: the model, and what trains it if there is a recipe, with what is `pasted` for that."""
    pasted = pasted if pasted is not None else pasted_parts(model, recipe)
    if recipe is None:
        text = f'{_head(header)}\n"""{model.class_name}."""\n\n{module(model)}'
    else:
        context = {"model": model, "recipe": recipe, "head": _head(header), "call": call, "quoted": quoted}
        context["sources"] = list(dict.fromkeys(text for texts in pasted.texts for text in texts))
        context |= {**_names(model, recipe, header, pasted.imports), **_training(model, recipe)}
        text = environment().get_template("script.py.jinja").render(context)
    text = text.rstrip("\n") + "\n"
    return HASH_LINE.sub(f"# netc: sha256={content_hash(text)}\n", text, count=1)


def clashing(text: str, model: ModelSource, pasted: Pasted) -> set[str]:
    """Names that a script gives two meanings, of which one is the model's, or what its recipe brings."""
    own = names_at_top(model.source)
    for part in dict.fromkeys(part for texts in pasted.texts for part in texts):
        own += names_at_top(part)
    named = {*own, *map(bound_by, (*model.imports, *pasted.imports))}
    found = names_at_top(text)
    return {name for name in named if found[name] > max(1, own[name])}


def is_foreign(module: str) -> bool:
    """Whether a script imports the class of a part from a package of its own."""
    return bool(module) and not module.startswith(("own:", "torch.", "torchvision.transforms."))


def names_at_top(text: str) -> Counter[str]:
    """How many statements at the top of a text bind each name; imports of a package's modules bind it once."""
    found: Counter[str] = Counter()
    packages: set[str] = set()
    for statement in ast.parse(text).body:
        names = set(bound_in([statement]))
        if isinstance(statement, ast.Import) and all(alias.asname is None for alias in statement.names):
            names -= packages
            packages |= names
        found.update(names)
    return found


def pasted_parts(model: ModelSource, recipe: Recipe | None, reserved: frozenset[str] = frozenset()) -> Pasted:
    """What the losses, optimizers and schedules of a recipe bring, told apart from what the model has.

    Raises Clash for two that must have one name.
    """
    uses = (*recipe.uses, *recipe.metrics) if recipe is not None else ()
    parts = dict.fromkeys(type(use.part) for use in uses if use.part.source or use.part.module.startswith("own:"))
    if not parts:
        return Pasted((), ())
    taken: dict[str, Meaning] = dict.fromkeys(reserved - own_parts(recipe), "reserved")
    taken |= {name: ("own", name) for name in names_at_top(model.source)}
    taken |= {bound_by(line): meaning_of(line) for line in model.imports}
    return paste([brought_by(cls, (cls.source,), (cls.module,), cls.module) for cls in parts], taken)


def own_parts(recipe: Recipe | None) -> frozenset[str]:
    """The names by which a script calls what the parts of its recipe bring."""
    modules = [use.part.module for use in recipe.uses] if recipe is not None else []
    return frozenset(module.removeprefix("own:") for module in modules if module.startswith("own:"))


def content_hash(text: str) -> str:
    """The hash of a file but for the line that holds it."""
    return digest_of(HASH_LINE.sub("", text.replace("\r\n", "\n"), count=1))


def is_unedited(text: str) -> bool:
    """Whether a file is as netc wrote it."""
    found = HASH_LINE.search(text.replace("\r\n", "\n"))
    return found is not None and found[1] == content_hash(text)


# ---- what every file has -----------------------------------------------------------------------


def _head(header: Header) -> str:
    """Where a file comes from, and room for its hash."""
    origin = f"# Generated by netc {header.version} from {header.spec} (sha256 {header.spec_hash})."
    return f"{origin}\n# Regenerate: {header.command}\n# netc: sha256="


def _names(model: ModelSource, recipe: Recipe, header: Header, pasted: tuple[str, ...]) -> dict[str, Any]:
    stem = PurePosixPath(header.spec.replace("\\", "/")).stem
    variant = f"_{recipe.name}" if recipe.name else ""
    own, others = imports({*model.imports, *_training_imports(recipe), *pasted})
    plain = [line for line in others if package(line) == "torch"]
    missable = [line for line in others if line not in plain]
    packages = list(dict.fromkeys(DISTRIBUTIONS.get(package(line), package(line)) for line in missable))
    advice = f'f"{{error}}: pip install {" ".join(packages)}"'
    return {
        "title": f"Train {model.class_name} on {recipe.data.name}.",
        "stem": stem,
        "folder": f"runs/{stem}{variant}",
        "stdlib": own,
        "imports": plain,
        "missable": missable,
        "missing": call("raise SystemExit", [advice], tail=" from error"),
        "needs": _listed(list(dict.fromkeys(["torch", *recipe.data.part.packages, *packages]))),
    }


def _training_imports(recipe: Recipe) -> set[str]:
    lines = {*(f"import {name}" for name in STDLIB), "from pathlib import Path", "import torch"}
    if any(term.use.part.module.startswith("torch.nn.") for term in recipe.terms) or recipe.clip:
        lines.add("from torch import nn")
    for use in recipe.uses:
        lines.update(use.part.imports if not use.part.source else ())
        if is_foreign(use.part.module):
            lines.add(short_name(use.part.module)[1] or "")
    if recipe.ema is not None:
        lines.add("from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn")
    if any(stepper.schedule for stepper in recipe.steppers):
        lines.add("from torch.optim import lr_scheduler")
    if recipe.plot or recipe.samples:
        lines.add("from matplotlib.figure import Figure")
    if recipe.print_shapes or any(stepper.use.part.closure for stepper in recipe.steppers):
        lines.add("from functools import partial")
    if recipe.distributed:
        lines |= {"import atexit", "import io", "import torch.distributed as dist"}
    if recipe.sharded:
        lines |= SHARDING
    elif recipe.distributed:
        lines |= {EARLY, "from torch.nn.parallel import DistributedDataParallel"}
        if recipe.accumulate > 1:
            lines.add("from contextlib import nullcontext")
    lines.add("from tqdm import tqdm" if recipe.progress == "tqdm" else "import sys")
    if "csv" in recipe.log:
        lines.add("import csv")
    if "wandb" in recipe.log:
        lines.add("import wandb")
    if "predict" in recipe.modes and not recipe.data.part.decoded:
        lines.add("import numpy")
    if {"dry_run", "overfit"} & set(recipe.modes):
        lines.add("import tempfile")
    if recipe.weights and recipe.weights.endswith(".safetensors"):
        lines.add("from safetensors.torch import load_file")
    if globbed(recipe):
        lines.add("from fnmatch import fnmatchcase")
    return lines


# ---- what the training adds --------------------------------------------------------------------


def _training(model: ModelSource, recipe: Recipe) -> dict[str, Any]:
    flags, data = recipe_flags(recipe), recipe.data.part
    tested, classifies = data.held_out, recipe.classifies
    scored = f"output{next((o.source for o in recipe.network.outputs(False)), 'output').removeprefix('output')}"
    objective = Objective(recipe, flags)
    measuring = Measuring(recipe, scored, objective.partial)
    score = recipe.judge or ("accuracy" if classifies and tested else "test_loss" if tested else "train_loss")
    rising = measuring.judge.greater if measuring.judge is not None else score == "accuracy"
    prepare = data.prepared(recipe.network.inputs)
    stepping = Stepping(recipe, flags, score, rising)
    augmenting = Augmenting(recipe, flags)
    ready = "inputs" in objective.given or bool(augmenting.mixtures or recipe.carry)
    scores = next((o.source for o in recipe.network.outputs(False)), "output").removeprefix("output")
    kept = "average" if recipe.ema is not None else "model"
    counting = not recipe.distributed and (not objective.summed or recipe.log_every is not None)
    return {
        "flags": flags.flags,
        "fixed": row("fixed = [", (quoted(flag.name) for flag in flags.flags if flag.name not in FREE), "]", 12),
        "decoder": data.decoder(recipe.network.inputs[0][1], augmenting.reading).rstrip("\n") if data.decoded else "",
        "load": data.loaded(recipe.network.inputs).rstrip("\n"),
        "prepare": prepare and prepare.rstrip("\n"),
        "tested": tested,
        "measuring": measuring,
        "modes": Modes(recipe),
        "rising": rising,
        "first_line": message("say", ["before training", *measuring.pieces], 8),
        "classifies": classifies,
        "summed": objective.summed,
        "objective": objective,
        "kept": kept,
        "showing": Showing(recipe, kept, prepare is not None),
        "accumulates": recipe.accumulate > 1,
        "hits": _hits(recipe, f"output{scores}"),
        "places": lambda targets: _places(recipe, targets),
        "counted": lambda targets: f"({targets} >= 0).sum()" if objective.partial else f"len({targets})",
        "targeted": "target" in objective.given or objective.partial or counting,
        "compared": "target" in objective.given or not objective.summed or classifies or bool(
            recipe.distributed or recipe.metrics
        ),
        "star": "*" * recipe.several,
        "dtype": {"bf16": "bfloat16", "fp16": "float16"}.get(recipe.precision),
        "frozen": frozen(recipe),
        "epochs": stepping.epochs,
        "carried": _carried(recipe),
        "stepping": stepping,
        "augmenting": augmenting,
        "ready": ready,
        "trained": ("parallel[name]" if recipe.turns else "parallel") if recipe.distributed == "ddp" else "model",
        "parallel": ["model", *["find_unused_parameters=True"] * recipe.partial],
        "fed": "*" * recipe.several + ("prepare(inputs)" if prepare and not ready else "inputs"),
        "closure": any(stepper.use.part.closure for stepper in recipe.steppers),
        "score": score,
        "fresh": _fresh(recipe),
        "parts": _parts(recipe, stepping),
        "state": _state(recipe, score, rising),
        "update": call("state.update", [*_update(recipe), f"{score}={score}"], 8),
        "epoch_line": _epoch_line(tested, classifies, measuring if recipe.metrics else None),
        "last_line": _last_line(recipe, score, measuring.judge),
        "curves": _curves(recipe, tested),
        "matrices": list(_matrices(recipe).values()),
    }


def _hits(recipe: Recipe, scores: str) -> str:
    """How many examples of a batch the network tells right, or places that have a class each."""
    target, outputs = recipe.target, recipe.network.outputs(False)
    axis = 1
    if target.shape and outputs and outputs[0].value.channel == outputs[0].value.rank - 1:
        axis = outputs[0].value.rank - 1
    return f"({scores}.argmax({axis}) == target).sum()"


def _places(recipe: Recipe, targets: str) -> str:
    """How many of these targets count in the accuracy, as a number or a tensor; "" where each example is one."""
    if not recipe.target.shape:
        return ""
    return f"({targets} >= 0).sum()" if recipe.target.partial else f"{targets}.numel()"


def _carried(recipe: Recipe) -> dict[str, str]:
    """Where a batch's inputs get what was carried, and what is carried on in training and outside of it."""
    names = [name for name, _ in recipe.network.inputs]
    places = [f"[{names.index(name)}]" for name in recipe.carry]
    read = [{o.name: o.source for o in recipe.network.outputs(training)} for training in (True, False)]
    comma = "," * (len(places) == 1)
    return {
        "inputs": ", ".join(f"inputs{place}" for place in places) + comma,
        "batch": ", ".join(f"batch{place}" for place in places) + comma,
        "trained": ", ".join(f"{read[0][name]}.detach()" for name in recipe.carry),
        "evaluated": ", ".join(read[1][name] for name in recipe.carry),
    }


def _fresh(recipe: Recipe) -> str:
    """Whether a key of the weights is of a part that is drawn anew; "" where none is."""
    labels = [selector.text for selector in recipe.fresh]
    starts = [quoted(f"{label}.") for label in labels]
    bare = {parameter.path for parameter in recipe.network.parameters} & {*labels}
    key = 'f"{key}."' if bare else "key"
    listed = ", ".join(starts)
    return f"{key}.startswith({f'({listed})' if len(starts) > 1 else listed})" if starts else ""


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])


def _parts(recipe: Recipe, stepping: Stepping) -> str:
    names = ["model", *["average"] * (recipe.ema is not None)]
    parts = [*((name, name) for name in names), *stepping.parts, *[("scaler", "scaler")] * (recipe.precision == "fp16")]
    return row("parts = {", (f"{quoted(name)}: {source}" for name, source in parts), "}", 4)


def _update(recipe: Recipe) -> list[str]:
    total = f"[0.0] * {len(recipe.steppers)}" if recipe.turns else "0.0"
    return ["epoch=epoch + 1", "step=0", f"total={total}", *["carried=[]"] * bool(recipe.carry), "log=log.tell()"]


def _state(recipe: Recipe, score: str, rising: bool) -> str:
    total = f"[0.0] * {len(recipe.steppers)}" if recipe.turns else "0.0"
    state = {"epoch": "0", "step": "0", "total": total, "log": "0", score: "0.0"}
    if recipe.carry:
        state["carried"] = "[]"
    if recipe.keep == "best" or recipe.patience is not None:
        state["best"] = "0.0" if score == "accuracy" else f'float("{"-" * rising}inf")'
    if recipe.patience is not None:
        state["worse"] = "0"
    if recipe.kept > 1:
        state["kept"] = "[]"
    if "wandb" in recipe.log:
        state["run"] = "None"
    return row("state = {", (f"{quoted(name)}: {value}" for name, value in state.items()), "}", 4)


def _epoch_line(tested: bool, classifies: bool, measuring: Measuring | None) -> str:
    pieces = ["epoch {epoch + 1}/{args.epochs}", "train loss {train_loss:.4f}"]
    if measuring is not None:
        return message("say", [*pieces, *measuring.pieces, "{seconds:.1f} s"], 8)
    pieces += ["test loss {test_loss:.4f}"] * tested + ["accuracy {accuracy:.2%}"] * (tested and classifies)
    return message("say", [*pieces, "{seconds:.1f} s"], 8)


def _last_line(recipe: Recipe, score: str, judge: Metric | None) -> str:
    form = f":{judge.form}" if judge is not None else ":.2%" if score == "accuracy" else ":.4f"
    pieces = [f"{judge.label if judge is not None else score.replace('_', ' ')} {{state['{score}']{form}}}"]
    pieces += [f"best {{state['best']{form}}}"] * (recipe.keep == "best")
    return message("say", [*pieces, "results in {args.output}"], 4)


def _curves(recipe: Recipe, tested: bool) -> list[tuple[str, str]]:
    """Each quantity with the names of its curves in the log."""
    losses = ["loss" if recipe.log_every else "train_loss", *["test_loss"] * tested]
    keys = {use.name: use.part.key for use in recipe.metrics if use.part.form}
    quantities = [keys.get(name, name) for name in recipe.plot if name not in _matrices(recipe)]
    return [(each, literal(tuple(losses if each == "loss" else [each]))) for each in quantities]


def _matrices(recipe: Recipe) -> dict[str, str]:
    """The metrics that are plotted as a matrix, with their names in the log."""
    keys = {use.name: use.part.key for use in recipe.metrics if not use.part.form}
    return {name: keys[name] for name in recipe.plot if name in keys}
