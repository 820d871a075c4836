"""One assertion for whatever a plugin brings: a layer's rule, documentation and source; a part's arguments."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterator

from netc.emit.pasting import brought_by, given_imports
from netc.emit.renaming import bound_in
from netc.layer import Layer, Signature, show
from netc.recipe import Part
from netc.registry import PluginError
from netc.testing.rules import check_layer, materialize
from netc.trial import locate


def assert_conforms(*definitions: type[Signature], configurations: int = 200, seed: int = 0) -> None:
    """Raises AssertionError with all that is wrong with layers, losses, optimizers, schedules and data sources.

    A layer must be documented, its own source must be such as an emitted file may hold, and its rule must agree with
    PyTorch over the examples and so many random configurations. The arguments of a loss, an optimizer or a schedule
    must be those of the PyTorch class, with its defaults.
    """
    found = [fault for each in definitions for fault in faults(each, configurations, seed)]
    if found:
        raise AssertionError("\n".join(found))


def faults(definition: type[Signature], configurations: int, seed: int) -> Iterator[str]:
    """What is wrong with a definition, a line each."""
    name = definition.__name__
    if not definition.summary().rstrip("."):
        yield f"{name}: has no docstring, which its reference page begins with"
    if issubclass(definition, Layer):
        yield from (f"{name}: `{field}` has no `doc`" for field, given in definition.fields.items() if not given.doc)
        if not definition.examples:
            yield f"{name}: has no examples"
        if wrong := [*source_faults(definition)]:
            yield from (f"{name}: {fault}" for fault in wrong)
            return  # it would fail in every configuration
        report = check_layer(definition, configurations=configurations, seed=seed)
        if not report.ok:
            yield str(report)
    elif issubclass(definition, Part) and definition.module:
        yield from (f"{name}: {fault}" for fault in signature_faults(definition))


def source_faults(cls: type[Layer]) -> Iterator[str]:
    """What an emitted file cannot do with a layer's own source, and imports that it does not need."""
    texts = (*cls.helpers, *([cls.source] if cls.source else []))
    try:
        for target in (cls.module, cls.function):
            brought_by(cls, texts, (cls.module, cls.function), target or "")
    except PluginError as error:
        yield str(error)
        return
    tree = ast.parse("\n".join([*cls.imports, *given_imports(cls, texts), *texts]))
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if any(module.partition(".")[0] == "netc" for node in ast.walk(tree) for module in imported_by(node)):
        yield "its source imports netc, which an emitted file must do without"
    for line in cls.imports:
        if not set(bound_in(ast.parse(line).body)) & read:
            yield f"its source does not need `{line}`"
    for name in sorted(read - bound_anywhere(tree) - vars(builtins).keys()):
        yield f"its source reads `{name}`, which nothing in it defines; `imports` holds the lines that it needs"


def imported_by(node: ast.AST) -> list[str]:
    """The modules of an import, none of anything else."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def bound_anywhere(tree: ast.Module) -> set[str]:
    """Every name that a text gives a meaning, at its top or inside."""
    nodes = list(ast.walk(tree))
    return {node.arg for node in nodes if isinstance(node, ast.arg)}.union(
        *(bound_in(ast.iter_child_nodes(node)) for node in nodes)
    )


def signature_faults(cls: type[Part]) -> Iterator[str]:
    """Arguments that the PyTorch class does not have, or has with another default."""
    try:
        made = materialize(cls, cls.module) if cls.module.startswith("own:") else locate(cls.module)
        parameters = inspect.signature(made).parameters if cls.fields else {}
    except (AttributeError, ImportError, KeyError, ValueError):
        yield f"there is no {cls.module}"
        return
    for name, field in cls.fields.items():
        theirs = parameters.get(cls.renamed.get(name, name))
        if theirs is None:
            yield f"{cls.module} has no argument `{cls.renamed.get(name, name)}`"
        elif not field.required and theirs.default is not inspect.Parameter.empty and field.default != theirs.default:
            yield f"`{name}` is {show(field.default)} here and {theirs.default} in {cls.module}"
