"""The rules of the whole graph, after every layer is placed; what is only suspicious is a warning."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence

from netc import syntax
from netc.constraints import contradictions
from netc.diagnostics import Diagnostic, Fix, Label, Span, SpecError
from netc.graph import InitRule, Module, Network, Template, Use
from netc.layer import State
from netc.mending import preceded, respelled, without
from netc.shapes import show_shape

MAX_VALUES = 2**40
"""The most numbers that a tensor may hold: 4 TiB of float32."""


def check(network: Network) -> tuple[Diagnostic, ...]:
    """The warnings of a network: parameters and values that nothing uses, rules that set nothing.

    Raises SpecError for a tensor that no machine could hold, and for a rule about a parameter that is not there.
    """
    found: list[Diagnostic] = list(empty(network))
    for template in network.templates:
        node = template.node
        if isinstance(node, syntax.Define) and template.sites:
            if node.kind == "net" or not template.passed:
                found += unused_parameters(node)
            found += unused_values(node)
            found += unreachable(node.body)
    modules = list(network.root.walk())
    found += remarks(modules)
    found += idle_rules(network, modules)
    found += too_large(modules)
    found += contradictions(network.constraints)
    result = tuple({(d.primary.span.source.name, d.primary.span.start, d.message): d for d in found}.values())
    if any(diagnostic.severity == "error" for diagnostic in result):
        raise SpecError(result)
    return result


def warning(code: str, message: str, label: Label, help: str | None = None, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(code, message, label, help=help, severity="warning", fix=fix)


# ---- the text -----------------------------------------------------------------------------------


def unused_parameters(define: syntax.Define) -> Iterator[Diagnostic]:
    if not define.params:
        return
    used = {name for statement in define.body for name in names_in(statement)}
    used |= {name for param in define.params if param.default is not None for name in names_in(param.default)}
    spans = [param.span for param in define.params]
    for index, param in enumerate(define.params):
        if param.name not in used:
            text = f"the parameter `{param.name}` of `{define.name}` is never used"
            label = Label(param.span, "nothing below reads it")
            fix = without(define.name_span, spans, index) if param.default is not None else None
            yield warning("W0701", text, label, "use it, or take it away", fix)


def unused_values(define: syntax.Define) -> Iterator[Diagnostic]:
    """Names that are bound and never read again."""
    bound: dict[str, syntax.Target] = {}
    for statement in assignments(define.body):
        for target in named(statement.target):
            bound.setdefault(str(target.name), target)
    read = {name for statement in define.body for name in names_in(statement)} if bound else set()
    for name, node in bound.items():
        if name not in read and not name.startswith("_"):
            help = f"read it, take it away, or call it `_{name}`"
            fix = respelled(node.span, name, f"_{name}")
            yield warning("W0702", f"`{name}` is never read", Label(node.span, "kept here"), help, fix)


def named(target: syntax.Target) -> Iterator[syntax.Target]:
    """The single names of a target: those of `y, (h, c)` are three."""
    if target.name is not None:
        yield target
    for item in target.items:
        yield from named(item)


LEAVES = (syntax.Fork, syntax.Name, syntax.Literal_, syntax.Call, syntax.Binary, syntax.Pipe)
"""What no assignment stands in, and forks, whose assignments name their outputs."""


def assignments(node: object) -> Iterator[syntax.Assign]:
    """Every assignment in a piece of syntax; in a `fork:` they name its outputs, which are read elsewhere."""
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending.extend(reversed(item))
        elif isinstance(item, syntax.Assign):
            yield item
        elif isinstance(item, syntax.Node) and not isinstance(item, LEAVES):
            pending.extend([getattr(item, name) for name in reversed(item.__match_args__)])


def unreachable(body: Sequence[syntax.Stmt]) -> Iterator[Diagnostic]:
    """Layers behind a `return`, whose output nobody gets."""
    returned = next((i for i, statement in enumerate(body) if isinstance(statement, syntax.Return)), len(body))
    for statement in body[returned + 1 :]:
        if isinstance(statement, syntax.Flow | syntax.Assign | syntax.For | syntax.Return):
            text = "nothing behind a `return` reaches the output"
            yield warning("W0703", text, Label(statement.span, "never used"), "move the `return` to the end")
            return


def names_in(node: object) -> Iterator[str]:
    """The names that a piece of syntax reads."""
    pending = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, syntax.Name):
            yield item.id
        elif isinstance(item, tuple):
            pending.extend(reversed(item))
        elif isinstance(item, syntax.ShapeLiteral):
            yield from (part for part in item.parts if isinstance(part, str))
        elif isinstance(item, syntax.Node) and not isinstance(item, syntax.Target):
            for name in reversed(item.__match_args__):
                value = getattr(item, name)
                if name not in ("span", "label") or isinstance(value, syntax.String):
                    pending.append(value)


# ---- the tree -----------------------------------------------------------------------------------


def empty(network: Network) -> Iterator[Diagnostic]:
    define = network.template.node
    if not network.root.steps and isinstance(define, syntax.Define):
        text = f"`{define.name}` gives back what it takes"
        yield warning("W0704", text, Label(define.name_span, "no layer stands in this net"))


def remarks(modules: Sequence[tuple[str, Module]]) -> Iterator[Diagnostic]:
    """What layers find odd about what reaches them, though PyTorch takes it."""
    for _, module in modules:
        remark = module.layer.remark(*module.inputs) if module.layer is not None else None
        if remark is not None:
            shapes = " and ".join(str(value) for value in module.inputs)
            text = f"`{module.name}` {remark.reason}"
            fix = preceded(module.span, remark.before) if remark.before else None
            yield warning("W0705", text, Label(module.span, f"receives {shapes}"), remark.help, fix)


def idle_rules(network: Network, modules: Sequence[tuple[str, Module]]) -> Iterator[Diagnostic]:
    """`init` rules that no parameter of the network follows: a mistake where what they name is there without it."""
    for template in network.templates:
        for rule in template.inits:
            found = [module for path, module in modules if meant(rule, path, module)]
            names = sorted({name for module in found for name in module.state})
            idle = [name for name, _, _ in rule.rules if name not in names]
            layers = [module for module in found if module.layer is not None]
            wrong = [name for name in idle if layers and not any(may_lack(module, name) for module in layers)]
            if wrong or (idle and len(idle) == len(rule.rules)):
                lacking = " or ".join(f"`{name}`" for name in wrong or idle)
                text = f"this sets nothing: no `{rule.target}` here has a parameter {lacking}"
                listed = ", ".join(f"`{name}`" for name in names)
                has = f"`{rule.target}` has {listed or 'no parameters'}" if found else None
                place = place_of((wrong or idle)[0], rule)
                if wrong:
                    yield Diagnostic("E0605", text, Label(place, "without effect"), help=has)
                else:
                    yield warning("W0706", text, Label(place, "without effect"), has)


def place_of(name: str, rule: InitRule) -> Span:
    """Where a rule names a parameter; the whole rule where it means `weight` without a word."""
    written = re.search(rf"\b{re.escape(name)}\s*=", rule.span.text)
    if written is None:
        return rule.span
    start = rule.span.start + written.start()
    return Span(rule.span.source, start, start + len(name))


def may_lack(module: Module, name: str) -> bool:
    """Whether a layer of the kind has the parameter in PyTorch, though an argument took it away here."""
    fields = module.layer.fields if module.layer is not None else {}
    takes = {"bias": ("bias", "affine", "elementwise_affine"), "weight": ("affine", "elementwise_affine")}
    return any(field in fields for field in takes.get(name, ()))


def meant(rule: InitRule, path: str, module: Module) -> bool:
    """Whether a rule could be about a module; where a block stands is left open."""
    if rule.kind == "type":
        return module.layer is not None and module.name == rule.target
    if rule.kind == "label":
        return rule.target in path.split(".")
    return fnmatch.fnmatchcase(path, rule.target) or fnmatch.fnmatchcase(path, f"*.{rule.target}")


def too_large(modules: Sequence[tuple[str, Module]]) -> Iterator[Diagnostic]:
    """The first tensor that no machine holds; what follows from it is as large."""
    for path, module in modules:
        for name, state in module.state.items():
            size = volume(state)
            if size > MAX_VALUES:
                text = f"`{path}.{name}` would hold {size:,} numbers; at most {MAX_VALUES:,} are allowed"
                yield Diagnostic("E0803", text, Label(module.span, f"its shape is {show_shape(state.shape)}"))
                return


def volume(state: State) -> int:
    total = 1
    for size in state.shape:
        total *= int(size) if isinstance(size, int) else 1
    return total


__all__ = ["Template", "Use", "check"]
