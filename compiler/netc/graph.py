"""The checked network: a tree of modules with their values, and the templates from which its classes are emitted.

A `Module` is one place in the module tree of one network. Repeated expansions of a block share their subtree, so the
tree is a directed graph in memory and costs what the text costs. A `Template` is one class to be emitted: everything
that was learnt about each place of a definition's text (`Site`s), with sizes as terms over the definition's names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from netc import syntax
from netc.diagnostics import Diagnostic, Span
from netc.layer import Layer, State, Values
from netc.record import Mutable, Record
from netc.shapes import Value
from netc.terms import Relation, Term

# ---- the tree --------------------------------------------------------------------------------


class Module(Mutable):
    """A layer with its arguments, or a container with children in registration order.

    `steps` lists what happens in order of execution, `output` what comes out, `state` the tensors that the module
    itself keeps (those of its children aside). Labels in `aliases` are second keys of children that have one already.
    `calls` are the layers, functions and modules that are applied, in expressions too, each with what reaches it.
    """

    kind: Literal["layer", "block", "sequential"]
    name: str
    span: Span
    layer: Layer | None = None
    inputs: tuple[Value, ...] = ()
    output: Values | None = None
    state: dict[str, State] = field(default_factory=dict)
    children: dict[str, Module] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    text: str = ""
    tied: dict[str, str] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    last: Maker | None = None
    _size: int | None = None

    def named_state(self, prefix: str = "") -> Iterator[tuple[str, State]]:
        """The `state_dict` keys in order with what they hold."""
        places = ((f"{path}.", module) for path, module in self.walk(prefix))
        for place, module in chain([(prefix, self)], places):
            own = list(module.state.items())
            if module.layer is None:
                own.sort(key=lambda item: item[1].kind == "buffer")
            for name, state in own:
                yield place + name, state

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Every module below this one with its path, in registration order."""
        pending = [(prefix + label, child) for label, child in reversed(self.children.items())]
        while pending:
            path, module = pending.pop()
            yield path, module
            pending += [(f"{path}.{label}", child) for label, child in reversed(module.children.items())]

    @property
    def parameter_count(self) -> int:
        """The number of trained scalars in this module and below; what has two keys counts once."""
        pending = [self]
        while pending:
            module = pending[-1]
            own = [child for label, child in module.children.items() if label not in module.aliases]
            if open_ones := [child for child in own if child._size is None]:
                pending += open_ones
                continue
            trained = [s.shape for n, s in module.state.items() if s.kind == "parameter" and n not in module.tied]
            module._size = sum(map(_volume, trained)) + sum(child._size or 0 for child in own)
            pending.pop()
        assert self._size is not None
        return self._size


class Call(Record):
    """One application of a layer or a function, or of a `module` that has calls of its own.

    `label` is that of a module, `training` whether it is made in training only.
    """

    name: str
    span: Span
    inputs: tuple[Value | None, ...]
    layer: Layer | None = None
    module: Module | None = None
    label: str | None = None
    training: bool = False


class Maker(Record):
    """The layer that made a value: its name as it was written, and its place."""

    name: str
    layer: Layer
    span: Span


class Step(Record, eq=True):
    """One application: the label under which the module stands (None for a function), and what came out.

    `maker` is the function, where it is one; `span` the place by which the tensors that came out are known.
    """

    label: str | None
    text: str
    module: Module | None
    output: Values
    maker: Maker | None = None
    span: Span | None = None


def _volume(shape: tuple[Any, ...]) -> int:
    total = 1
    for size in shape:
        total *= int(size)
    return total


# ---- what the emitter reads ------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class Argument:
    """An argument of a PyTorch call: its name there, the source, and whether it is given by position.

    `default` is what PyTorch takes when it is left out; a `variadic` one is given entry by entry.
    """

    name: str
    term: Term
    positional: bool = False
    default: Any = ...
    variadic: bool = False


class Use(Mutable):
    """What a stage of a chain turned out to be.

    - `layer`: a PyTorch module, placed here; `function`: a call in `forward`.
    - `block`: a definition (or suite) placed here; `inline`: one expanded in place.
    - `member`: a module that is placed elsewhere, used again.
    - `value`: a tensor that becomes the flow; `deferred`: a chain kept under a name (`expr`), placed here.

    A layer may be `asked` from a name; `passed` are the arguments that it brings along.
    Of its inputs, `operands` are given by position (None: the flow) and `named` by name; `at_call` are arguments that a
    module is given when it is called; `state` is what a module keeps.
    """

    kind: Literal["layer", "function", "block", "inline", "member", "value", "deferred"]
    layer: Layer | None = None
    inputs: tuple[Value, ...] = ()
    operands: tuple[syntax.Expr | None, ...] = ()
    named: dict[str, syntax.Expr] = field(default_factory=dict)
    arguments: tuple[Argument, ...] = ()
    at_call: tuple[Argument, ...] = ()
    state: dict[str, State] = field(default_factory=dict)
    template: Template | None = None
    bindings: dict[str, Term] = field(default_factory=dict)
    values: dict[str, Term] = field(default_factory=dict)
    positional: int = 0
    tensors: dict[str, Value] = field(default_factory=dict)
    callee: str = ""
    asked: Term | None = None
    passed: frozenset[str] = frozenset()
    others: list[Use] = field(default_factory=list)
    define: syntax.Define | None = None
    expr: syntax.Expr | None = None
    label: str | None = None
    numbered: bool = False
    output: Values | None = None
    inner: Any = None


class Guard(Mutable):
    """A condition: its source, which outcomes occurred, and which sizes are equal when it holds or does not."""

    condition: Term
    outcomes: set[bool] = field(default_factory=set)
    rigid: bool = False
    equal: dict[bool, list[tuple[Term, Term]]] = field(default_factory=dict)


class Loop(Mutable):
    """A loop: the source of its iterable, and how often it ran."""

    iterable: Term
    counts: set[int] = field(default_factory=set)


class Unrolled(Mutable):
    """A loop over layers or blocks, written out: a copy of its body for each item; and the source of its iterable."""

    iterable: Term
    items: tuple[Hashable, ...]
    bodies: tuple[tuple[syntax.Stmt, ...], ...]


class Joined(Mutable):
    """A size after a guard or around a loop (entry, back), or the sum of what branches add (`parts`).

    `value` is the tensor whose size it is.
    """

    value: Value | None = None
    terms: dict[int, Term] = field(default_factory=dict)
    parts: dict[syntax.Stmt, Term] = field(default_factory=dict)
    unseen: dict[int, Term] = field(default_factory=dict)


Site = Use | Guard | Loop | Unrolled


class Construction(Mutable):
    """A place where a template is constructed: in which template, and how."""

    caller: Template
    use: Use


class InitRule(Mutable):
    """`init target: rules`: a type, a label or a pattern, and for each parameter an initialiser and its source; `path`
    leads to the Sequential in which it stands."""

    kind: Literal["type", "pattern", "label"]
    target: str
    rules: tuple[tuple[str, Any, tuple[Argument, ...]], ...]
    span: Span
    path: str = ""


class Template(Mutable):
    """One class to be emitted, for a definition with inputs of certain ranks and arguments of certain kinds."""

    key: Hashable
    name: str
    node: syntax.Define | syntax.Flow
    body: tuple[syntax.Stmt, ...]
    sequential: bool
    parent: Template | None = None
    doc: str = ""
    settled: frozenset[str] = frozenset()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    inputs: dict[str, Value] = field(default_factory=dict)
    sites: dict[syntax.Node, Site] = field(default_factory=dict)
    terms: dict[syntax.Node, Term] = field(default_factory=dict)
    joins: dict[tuple[Hashable, Hashable], Joined] = field(default_factory=dict)
    chosen: dict[syntax.Node, Term] = field(default_factory=dict)
    locals: dict[syntax.Node, dict[str, Term]] = field(default_factory=dict)
    constructions: list[Construction] = field(default_factory=list)
    output: Values | None = None
    inits: list[InitRule] = field(default_factory=list)
    passed: bool = False
    called: set[str] = field(default_factory=set)
    recipes: set[syntax.Assign] = field(default_factory=set)
    entered_by_x: bool = True
    """Whether what flows into a suite is the `x` of the definition around it."""

    @property
    def root(self) -> Template:
        """The template of the enclosing definition."""
        return self if self.parent is None else self.parent.root


class Parameter(Mutable):
    """A parameter of a definition: its default as source, and every value that it took."""

    name: str
    default: Term | None
    values: list[Any] = field(default_factory=list)
    tensor: bool = False


class Network(Mutable):
    """An elaborated net: its tree, its template, and every template below it, callers after what they call.

    `output` is what comes out outside training, `trained` what comes out in training where that is something else.
    """

    name: str
    root: Module
    template: Template
    templates: tuple[Template, ...]
    inputs: dict[str, Value]
    output: Values
    parameters: dict[str, Any]
    constraints: tuple[tuple[Relation, Span], ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    doc: str = ""
    trained: Values | None = None

    def __str__(self) -> str:
        """The steps in order of execution, each with what goes in and what comes out."""
        lines = [f"net {self.name}({', '.join(f'{k}={v}' for k, v in self.parameters.items())})"]
        lines += [f"  input {name}: {value}" for name, value in self.inputs.items()]
        lines += list(_steps(self.root, "", 1))
        lines += [f"  requires {relation}" for relation, _ in self.constraints]
        return "\n".join([*lines, f"  return {self.output}"])


def _steps(module: Module, prefix: str, depth: int) -> Iterator[str]:
    for step in module.steps:
        label = f"{prefix}{step.label}: " if step.label is not None else ""
        inner = step.module
        name = " ".join(step.text.split()) or (inner.name if inner is not None else "")
        kind = f" [{inner.kind}]" if inner is not None and inner.kind != "layer" else ""
        yield f"{'  ' * depth}{label}{name}{kind} -> {step.output}"
        if inner is not None and inner.steps:
            yield from _steps(inner, f"{prefix}{step.label}.", depth + 1)
