"""The rules of the whole graph, after every layer is placed; what is only suspicious is a warning."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence

from netc import syntax
from netc.diagnostics import Diagnostic, Label, SpecError
from netc.graph import InitRule, Module, Network, Template, Use
from netc.layer import State
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
    result = tuple({(d.primary.span.source.name, d.primary.span.start, d.message): d for d in found}.values())
    if any(diagnostic.severity == "error" for diagnostic in result):
        raise SpecError(result)
    return result


def warning(code: str, message: str, label: Label, help: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, label, help=help, severity="warning")


# ---- the text -----------------------------------------------------------------------------------


def unused_parameters(define: syntax.Define) -> Iterator[Diagnostic]:
    if not define.params:
        return
    used = {name for statement in define.body for name in names_in(statement)}
    used |= {name for param in define.params if param.default is not None for name in names_in(param.default)}
    for param in define.params:
        if param.name not in used:
            text = f"the parameter `{param.name}` of `{define.name}` is never used"
            yield warning("W0701", text, Label(param.span, "nothing below reads it"), "use it, or take it away")


def unused_values(define: syntax.Define) -> Iterator[Diagnostic]:
    """Names that are bound and never read again."""
    bound: dict[str, syntax.Node] = {}
    for statement in assignments(define.body):
        for name in statement.target.names:
            bound.setdefault(name, statement)
    read = {name for statement in define.body for name in names_in(statement)} if bound else set()
    for name, node in bound.items():
        if name not in read and not name.startswith("_"):
            help = f"read it, take it away, or call it `_{name}`"
            yield warning("W0702", f"`{name}` is never read", Label(node.span, "kept here"), help)


def assignments(node: object) -> Iterator[syntax.Assign]:
    """Every assignment in a piece of syntax; in a `fork:` they name its outputs, which are read elsewhere."""
    if isinstance(node, syntax.Assign):
        yield node
    elif isinstance(node, syntax.Node) and not isinstance(node, syntax.Fork):
        for name in node.__dataclass_fields__:
            yield from assignments(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from assignments(item)


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
    if isinstance(node, syntax.Name):
        yield node.id
    elif isinstance(node, syntax.ShapeLiteral):
        yield from (part for part in node.parts if isinstance(part, str))
    elif isinstance(node, syntax.Target):
        return
    elif isinstance(node, syntax.Node):
        for name in node.__dataclass_fields__:
            if name not in ("span", "label") or isinstance(getattr(node, name), syntax.String):
                yield from names_in(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from names_in(item)


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
            yield warning("W0705", text, Label(module.span, f"receives {shapes}"), remark.help)


def idle_rules(network: Network, modules: Sequence[tuple[str, Module]]) -> Iterator[Diagnostic]:
    """`init` rules that no parameter of the network follows: a mistake where what they name is there without it."""
    for template in network.templates:
        for rule in template.inits:
            found = [module for path, module in modules if meant(rule, path, module)]
            names = sorted({name for module in found for name in module.state})
            idle = [name for name, _, _ in rule.rules if name not in names]
            wrong = [name for name in idle if found and rule.kind == "type" and not may_lack(found[0], name)]
            if wrong or (idle and len(idle) == len(rule.rules)):
                lacking = " or ".join(f"`{name}`" for name in wrong or idle)
                text = f"this sets nothing: no `{rule.target}` here has a parameter {lacking}"
                has = "there are " + ", ".join(f"`{name}`" for name in names) if names else None
                if wrong:
                    yield Diagnostic("E0605", text, Label(rule.span, "of this rule"), help=has)
                else:
                    yield warning("W0706", text, Label(rule.span, "without effect"), has)


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
