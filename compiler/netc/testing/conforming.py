"""One assertion for whatever a plugin brings: a layer's rule, documentation and source; a part's arguments."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from netc.allowed import refusals
from netc.layer import Layer, Signature, show
from netc.recipe import Part
from netc.testing.rules import check_layer, locate, materialize


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
            return  # what no emitted file may hold is not executed here either
        report = check_layer(definition, configurations=configurations, seed=seed)
        if not report.ok:
            yield str(report)
    elif issubclass(definition, Part) and definition.module:
        yield from (f"{name}: {fault}" for fault in signature_faults(definition))


def source_faults(cls: type[Layer]) -> Iterator[str]:
    """What an emitted file cannot hold of a layer's own source, and imports that it does not need."""
    text = "\n".join([*cls.imports, *cls.helpers, cls.source or ""])
    yield from (f"its source contains {fault}" for fault in refusals(text))
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for line in cls.imports:
        if line.split()[-1].partition(".")[0] not in named:
            yield f"its source does not need `{line}`"


def signature_faults(cls: type[Part]) -> Iterator[str]:
    """Arguments that the PyTorch class does not have, or has with another default."""
    try:
        made = materialize(cls, cls.module) if cls.module.startswith("own:") else locate(cls.module)
        parameters = inspect.signature(made).parameters
    except (AttributeError, ImportError, KeyError, ValueError):
        yield f"there is no {cls.module}"
        return
    for name, field in cls.fields.items():
        theirs = parameters.get(cls.renamed.get(name, name))
        if theirs is None:
            yield f"{cls.module} has no argument `{cls.renamed.get(name, name)}`"
        elif not field.required and theirs.default is not inspect.Parameter.empty and field.default != theirs.default:
            yield f"`{name}` is {show(field.default)} here and {theirs.default} in {cls.module}"
