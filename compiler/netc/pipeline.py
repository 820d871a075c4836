"""The phases in order: a spec's text to a syntax tree, a checked network, the source of its classes and a script."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc import syntax
from netc.check import check
from netc.constraints import Requirement, requirements
from netc.diagnostics import Diagnostic, InternalError, Label, Source, Span, SpecError, nearest
from netc.digests import digest_of
from netc.elaborate import Elaborator, FileScope, evaluate_in, open_file
from netc.files import FileError, read_text
from netc.graph import Module, Network
from netc.limits import lifted
from netc.named import culprit
from netc.parse import parse
from netc.plugins import load_registry
from netc.recipe import Crowd, Ending, NetParameter, NetworkFacts, Output, Recipe
from netc.record import Record
from netc.registry import Registry
from netc.rules import project_rules
from netc.shapes import Value, show_shape
from netc.sources import Header, ModelSource
from netc.terms import Dim
from netc.version import VERSION

if TYPE_CHECKING:
    from torch import nn

    from netc.weights import Weights

PREFIX = "train."
SHOWN = 60
"""Of a value of Python that cannot be read, as many characters are shown."""
AUTHORS = "only the authors of the plugins can choose other names"


class Compiled(Record, eq=True):
    """A compiled spec. What a later phase makes is made when it is asked for.

    `file` is the syntax tree, `graph` the checked network, `diagnostics` its warnings, `train` the recipe's block.
    """

    source: Source
    file: syntax.File
    graph: Network
    diagnostics: tuple[Diagnostic, ...]
    train: syntax.Train | None
    registry: Registry
    elaborator: Elaborator
    scope: FileScope
    overrides: Mapping[str, Any]
    command: str

    @property
    def net_name(self) -> str:
        return self.graph.name

    @cached_property
    @lifted()
    def shapes(self) -> list[tuple[str, str, str, int]]:
        """The flow of shapes: label, layer, output shape, number of parameters; in order of execution."""
        return list(flow(self.graph.root))

    @property
    def requirements(self) -> list[Requirement]:
        """What the symbolic sizes of the inputs must fulfil."""
        return requirements(self.graph.constraints)

    @cached_property
    @lifted()
    def state(self) -> dict[str, tuple[int, ...]]:
        """The predicted `state_dict`: keys in order with their shapes."""
        return {key: tuple(map(fixed, state.shape)) for key, state in self.graph.root.named_state()}

    @cached_property
    @lifted()
    def model(self) -> ModelSource:
        """The source of the network's classes, and the imports that it needs."""
        return self.emitted(frozenset())

    def emitted(self, reserved: frozenset[str]) -> ModelSource:
        """The same for a file in which some names mean something else."""
        from netc.emit.model import Inexpressible, emit_model
        from netc.emit.replay import Mismatch, replay

        try:
            model = emit_model(self.graph, reserved)
            replay(self.graph, model)
            return model
        except Mismatch as error:
            raise InternalError(f"the classes emitted for {self.graph.name} differ: {error}", self.command) from None
        except Inexpressible as error:
            raise self.inexpressible(str(error), error.help, error.span) from None

    def inexpressible(self, reason: str, help: str, span: Span | None = None) -> SpecError:
        text = f"`{self.graph.name}` cannot be written as PyTorch classes: {reason}"
        return SpecError((Diagnostic("E0901", text, Label(span or Span(self.source, 0, 0)), help=help),))

    @property
    def model_source(self) -> str:
        """A module with the network's classes and nothing else."""
        from netc.emit.layout import module

        return module(self.model)

    @cached_property
    def recipe(self) -> Recipe | None:
        """The training recipe, checked against the network; None where the spec has none."""
        if self.train is None:
            if self.overrides:
                key, value = next(iter(self.overrides.items()))
                source = Source(f"--set {key}", value.span.text)
                label = Label(Span(source, 0, len(source.text)), f"nothing in {self.source.name} to set")
                text = f"`{key}` is set, and the spec has no `train:`"
                raise SpecError((Diagnostic("E0519", text, label, help="give the spec a recipe: `train:`"),))
            return None
        return self.read_recipe(self.train)

    def read_recipe(self, train: syntax.Train) -> Recipe:
        """One recipe of the file, checked against the network."""
        from netc.recipes import elaborate_recipe

        evaluate = evaluate_in(self.elaborator, self.scope)
        return elaborate_recipe(train, facts(self.graph), self.registry, evaluate, self.overrides)

    def check_recipes(self) -> tuple[Diagnostic, ...]:
        """The warnings of the chosen recipe and, as far as nothing is overridden, the others; raises SpecError."""
        found: list[Diagnostic] = []
        for item in self.file.items:
            if isinstance(item, syntax.Train) and (item is self.train or not self.overrides):
                try:
                    found += self.read_recipe(item).warnings
                except SpecError as error:
                    # What the network has wrong for two recipes is one mistake.
                    found += [each for each in error.diagnostics if not any(map(each.repeats, found))]
        if any(diagnostic.severity == "error" for diagnostic in found):
            raise SpecError(tuple(found))
        return tuple(found)

    @cached_property
    def script(self) -> str:
        """The training script, or a module with the model alone where the spec has no recipe."""
        from netc.emit.pasting import Clash
        from netc.emit.script import clashing, own_parts, pasted_parts, render_script

        digest = digest_of(self.source.text)[:16]
        header = Header(self.source.name, digest, VERSION, self.command)
        recipe = self.recipe
        reserved = own_parts(recipe)
        while True:
            model = self.emitted(reserved) if reserved else self.model
            try:
                pasted = pasted_parts(model, recipe, reserved)
            except Clash as error:
                raise self.inexpressible(str(error), AUTHORS) from None
            text = render_script(model, recipe, header, pasted)
            names = clashing(text, model, pasted) if recipe is not None else set()
            if not names:
                return text
            if names <= reserved:
                reason = f"`{min(names)}` is something else in the script"
                raise self.inexpressible(reason, "choose another name")
            reserved |= names

    def load(self, weights: Weights | None = None, rename: Mapping[str, str] | None = None) -> nn.Module:
        """The live module, its state as predicted, with weights from a file if they are given. Imports torch.

        What plugins bring is tried: raises PluginError for a layer that gives another shape than its rule says.
        """
        from netc.live import check_state, load_source
        from netc.trial import check_promises

        cls = load_source(self.model_source, self.model.class_name, self.graph.name, self.model.brought)
        module = cls()
        check_state(module, self.state, self.command)
        check_promises(module, self.graph)
        if weights is not None:
            from netc.weights import load_weights

            load_weights(module, weights, rename, self.siblings())
        elif rename:
            raise ValueError("`rename` is for the keys of `weights`, and none are given")
        return module

    def siblings(self) -> Iterator[tuple[str, dict[str, tuple[int, ...]]]]:
        """The nets and variants of the file as they stand there, each with the shapes of its state."""
        for name in nets(self.source, self.registry):
            own = " as the file has it" if name == self.graph.name else ""
            with suppress(SpecError):
                yield f"`{name}`{own}", compile(self.source, name, registry=self.registry).state


@lru_cache(maxsize=1)
def parsed(source: Source) -> syntax.File:
    """The tree of a text, which is asked for once for each net in it."""
    return parse(source)


@lifted()
def compile(
    spec: str | Path | Source,
    net: str | None = None,
    train: str | None = None,
    params: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> Compiled:
    """Compiles a spec, given by its path or as a Source.

    `net` chooses among several nets or variants, `train` among several recipes. `params` gives parameters of the net
    and, with the prefix `train.`, settings of the recipe; a str is read as the language writes values.
    Raises SpecError with every independent mistake, FileError for a file that cannot be read.
    """
    if net is not None and not isinstance(net, str):
        raise TypeError(f"a net is chosen by its name, not by {net!r}")
    source = spec if isinstance(spec, Source) else Source(str(spec), read_text(spec))
    registry = registry if registry is not None else load_registry()
    file = parsed(source)
    elaborator, scope = open_file(source, file, registry, read_used)
    given = dict(params or {})
    overrides = {key: expression(key, value) for key, value in given.items() if key.startswith(PREFIX)}
    values = {key: value_of(key, value, elaborator, scope) for key, value in given.items() if key not in overrides}
    try:
        network = elaborator.elaborate(scope, net, values)
    except RecursionError as error:
        if culprit(error) is not None:
            raise
        raise lone("E0801", "blocks and suites are nested too deep to be expanded", source) from None
    except SpecError as error:
        more = recipe_faults(file, registry, evaluate_in(elaborator, scope))
        raise SpecError((*error.diagnostics, *more)) from None
    block = choose_train(file, source, train)
    found = (*network.warnings, *check(network), *project_rules(network, registry, Path(source.name).parent))
    command = build_command(source.name, net, train, given, registry.options)
    return Compiled(source, file, network, found, block, registry, elaborator, scope, overrides, command)


def nets(source: Source, registry: Registry | None = None) -> tuple[str, ...]:
    """The nets and variants of a file that can be built as they stand; raises SpecError for one that cannot be read."""
    registry = registry if registry is not None else load_registry()
    file = parsed(source)
    elaborator, scope = open_file(source, file, registry, read_used)
    return tuple(
        name
        for name, item in elaborator.runnable(scope).items()
        if not isinstance(item, syntax.Define) or all(param.default is not None for param in item.params)
    )


def recipe_faults(file: syntax.File, registry: Registry, evaluate: Callable[[syntax.Expr], Any]) -> list[Diagnostic]:
    """What is wrong with the recipes of a file whatever their network is."""
    from netc.recipes import setting_faults

    recipes = [item for item in file.items if isinstance(item, syntax.Train)]
    return [fault for recipe in recipes for fault in setting_faults(recipe, registry, evaluate)]


def read_used(source: Source, path: str) -> tuple[Source, syntax.File]:
    """The file that `use` names, relative to the file that uses it."""
    target = Path(source.name).parent / path
    try:
        used = Source(str(target), read_text(target))
    except FileError as error:
        raise OSError(str(error).removeprefix(f"cannot read {target}: ")) from None
    return used, parse(used)


def build_command(
    name: str, net: str | None, train: str | None, given: Mapping[str, Any], plugins: Sequence[str] = ()
) -> str:
    """The command line that makes the same file again."""
    from netc.layer import show

    words = ["netc", "build", name]
    words += ["--net", net] if net else []
    words += ["--train", train] if train else []
    words += [word for plugin in plugins for word in ("--plugin", plugin)]
    for key, value in given.items():
        words += ["--set", f"{key}={value if isinstance(value, str) else show(value)}"]
    return shlex.join(words)


def expression(key: str, value: Any) -> syntax.Expr:
    """A value as an expression of the language."""
    from netc.layer import show

    text = (value if isinstance(value, str) else show(value)).strip()
    begin = "value = "
    source = Source(f"--set {key}", f"{begin}{text}\n")
    try:
        items = parse(source).items
    except SpecError as error:
        bare = "," in text and not set(text) & set("()[]")
        help = f"a list has brackets: `--set '{key}=[{text}]'`" if bare else None
        raise unreadable(key, text, error.diagnostics[0].message, help) from None
    if len(items) != 1 or not isinstance(items[0], syntax.Constant):
        raise unreadable(key, text, "it is not one value")
    value = moved(items[0].value, Source(source.name, text), -len(begin))
    assert isinstance(value, syntax.Expr)
    return value


def moved(part: Any, source: Source, by: int) -> Any:
    """A piece of syntax as if it had been read from another source, so many characters further on."""
    if isinstance(part, Span):
        return Span(source, part.start + by, part.end + by)
    if isinstance(part, tuple):
        return tuple(moved(item, source, by) for item in part)
    if isinstance(part, syntax.Node):
        return type(part)(**{name: moved(getattr(part, name), source, by) for name in part.__dataclass_fields__})
    return part


def unreadable(key: str, text: str, reason: str, help: str | None = None) -> SpecError:
    source = Source(f"--set {key}", text or " ")
    label = Label(Span(source, 0, len(source.text)), reason)
    help = help or f"numbers, words, lists and texts are values: `--set {key}=10`, `--set {key}=[2, 2]`"
    return SpecError((Diagnostic("E0206", f"cannot read `{text}` as a value", label, help=help),))


def value_of(key: str, value: Any, elaborator: Elaborator, scope: FileScope) -> Any:
    """The worth of a parameter that was given as text or as a value of Python."""
    if isinstance(value, str):
        return evaluate_in(elaborator, scope)(expression(key, value))
    value = constant(key, value)
    return tuple(value) if isinstance(value, list) else value


def constant(key: str, value: Any) -> Any:
    """A value of Python as one of the language; raises SpecError for what it does not have."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple):
        return type(value)([constant(key, item) for item in value])
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and isfinite(value):
        return float(value)
    shown = " ".join(repr(value).split())
    reason = "not a finite number" if isinstance(value, Real) else f"of Python's type `{type(value).__name__}`"
    help = 'numbers, True, False, None, lists of them, and texts in the language are values: `norm="BatchNorm"`'
    if hasattr(value, "tolist"):
        help = "`.tolist()` gives the numbers in it"
    raise unreadable(key, shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}...", reason, help)


def choose_train(file: syntax.File, source: Source, name: str | None) -> syntax.Train | None:
    """The recipe of that name; by default the one without a name, or the only one."""
    blocks: dict[str | None, syntax.Train] = {}
    for item in file.items:
        if isinstance(item, syntax.Train) and blocks.setdefault(item.name, item) is not item:
            called = f"called `{item.name}`" if item.name else "without a name"
            place = Label(heading(item), "again here"), (Label(heading(blocks[item.name]), "first here"),)
            raise SpecError((Diagnostic("E0403", f"there are two recipes {called}", *place, help="`train quick:`"),))
    if name is None:
        return blocks.get(None) or (next(iter(blocks.values())) if len(blocks) == 1 else None)
    if name in blocks:
        return blocks[name]
    named = [known for known in blocks if known is not None]
    near = nearest(name, named)
    listed = ", ".join(f"`{known}`" for known in named) or "none with a name"
    help = f"did you mean `{near}`?" if near else f"it has {listed}"
    raise lone("E0204", f"there is no recipe `{name}`", source, help)


def heading(train: syntax.Train) -> Span:
    """The line that opens a recipe."""
    start, text = train.span.start, train.span.text
    return Span(train.span.source, start, start + len(text.partition(":")[0]))


def lone(code: str, message: str, source: Source, help: str | None = None) -> SpecError:
    """An error about a file as a whole."""
    return SpecError((Diagnostic(code, message, Label(Span(source, 0, 0)), help=help),))


def facts(network: Network) -> NetworkFacts:
    """What a recipe needs to know of its network."""
    define = network.template.node
    assert isinstance(define, syntax.Define)
    inputs = [s.span for s in define.body if isinstance(s, syntax.Input)]
    moves = [s.span for s in define.body if isinstance(s, syntax.Flow | syntax.Return | syntax.For | syntax.If)]
    last = moves[-1] if moves else define.name_span
    parameters = tuple(net_parameters(network.root))
    returns = next((s.value for s in reversed(define.body) if isinstance(s, syntax.Return)), None)
    evaluated = tuple(named_outputs(network.output, returns))
    trained = evaluated if network.trained is None else tuple(named_outputs(network.trained, returns))
    return NetworkFacts(
        define.name, tuple(network.inputs.items()), network.output, parameters, define.name_span, inputs[0], last,
        ending(network.root), crowd(network.root), trained, evaluated,
    )  # fmt: skip


def named_outputs(output: Any, returns: syntax.Expr | None) -> Iterator[Output]:
    """Each tensor that comes out, with its name and what reads it; `returns` is what the net says of them.

    A record's fields and a dict's keys are names; of a tuple, values that are named where they are returned.
    """
    sides = (returns.then, returns.otherwise) if isinstance(returns, syntax.IfElse) else (returns,)
    if isinstance(output, Value):
        yield Output("", output)
    elif isinstance(output, dict):
        keyed = any(isinstance(side, syntax.DictExpr) and {k for k, _ in side.items} == {*output} for side in sides)
        for name, value in output.items():
            if isinstance(value, Value):
                yield Output(name, value, f'output["{name}"]' if keyed else f"output.{name}")
    elif isinstance(output, tuple):
        side = next((s for s in sides if isinstance(s, syntax.TupleExpr) and len(s.items) == len(output)), None)
        for index, value in enumerate(output):
            item = side.items[index] if side is not None else None
            name = item.id if isinstance(item, syntax.Name) and item.id != "_" else ""
            if isinstance(value, Value):
                yield Output(name, value, f"output[{index}]")


def ending(root: Module) -> Ending | None:
    made = root.last
    return None if made is None or made.layer.rearranges else Ending(made.name, made.layer.range, made.span)


def crowd(root: Module) -> Crowd | None:
    """The first layer that cannot be trained on one example at a time."""
    for _, module in root.walk():
        least = module.layer.least_batch(*module.inputs) if module.layer is not None else 1
        if least > 1:
            return Crowd(module.name, module.span, least)
    return None


def net_parameters(root: Module) -> list[NetParameter]:
    """Every trained tensor with its path and the layer that it belongs to."""
    found: list[NetParameter] = []
    pending = [("", root)]
    while pending:
        path, module = pending.pop(0)
        layer = module.layer
        kind = type(layer).__name__ if layer is not None else ""
        target = layer.module.replace("{n}", str(layer.dimensions(*module.inputs))) if layer and layer.module else ""
        for name, state in module.state.items():
            if state.kind == "parameter":
                sparse = layer is not None and layer.sparse_gradients
                found.append(NetParameter(path + name, kind, target.removeprefix("own:"), state.shape, sparse))
        own = [(label, child) for label, child in module.children.items() if label not in module.aliases]
        pending[:0] = [(f"{path}{label}.", child) for label, child in own]
    return found


def fixed(size: Dim) -> int:
    assert isinstance(size, int)
    return int(size)


def flow(module: Module) -> list[tuple[str, str, str, int]]:
    """The rows of the flow of shapes: modules that hold others are followed by what stands in them."""
    rows = []
    pending = [("", step) for step in reversed(module.steps)]
    while pending:
        prefix, step = pending.pop()
        label = f"{prefix}{step.label}" if step.label is not None else ""
        inner = step.module
        text = step.text or (inner.name if inner is not None else "")
        count = inner.parameter_count if inner is not None else 0
        rows.append((label, " ".join(text.split()), shape_text(step.output), count))
        pending += [(f"{label}.", below) for below in reversed(inner.steps)] if inner is not None else []
    return rows


def shape_text(values: Any) -> str:
    if isinstance(values, Value):
        return show_shape(values.shape)
    if isinstance(values, dict):
        return ", ".join(f"{name} {shape_text(value)}" for name, value in values.items())
    return " ".join(shape_text(value) for value in values)
