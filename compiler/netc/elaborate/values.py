"""What names stand for while a spec is elaborated: tensors, recipes (layers not yet placed), frames and scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from netc import syntax
from netc.builtins import Builtin
from netc.diagnostics import Diagnostic, Fix, Label, Source, Span
from netc.graph import Module, Template
from netc.layer import Layer
from netc.record import Mutable, Record
from netc.shapes import Value
from netc.terms import Term


class Fault(Exception):
    """A mistake in the spec, caught at the statement that holds it; `trail` says how it was reached, once told."""

    def __init__(self, diagnostic: Diagnostic):
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.trail: tuple[str, ...] | None = None


class Poisoned(Exception):
    """A value that an earlier mistake left without meaning; what touches it stays silent."""


def fault(
    code: str,
    span: Span,
    message: str,
    label: str = "",
    *,
    help: str | None = None,
    notes: tuple[str, ...] = (),
    secondary: tuple[Label, ...] = (),
    fix: Fix | None = None,
) -> Fault:
    return Fault(Diagnostic(code, message, Label(span, label), secondary, notes, help, fix=fix))


class Tensor(Record):
    """A value of the network at one point of the flow, and the place in the text that made it."""

    value: Value
    span: Span


Flowing = Tensor | tuple["Flowing", ...]


class _Poison:
    def __repr__(self) -> str:
        return "poison"


POISON = _Poison()


class LayerRef(Record):
    """A registered layer, by the name that was written; `function` when that is the name of its function."""

    name: str
    cls: type[Layer]
    function: bool


class BlockRef(Record):
    """A definition and the file in which it stands."""

    define: syntax.Define
    scope: FileScope


class FunctionRef(Record):
    """A function of the file: `double(a) = 2 * a`."""

    function: syntax.Function
    scope: FileScope


class Bound(Record):
    """A layer or block with arguments, not yet placed: `y = Conv(8)`, `act=LeakyReLU(0.1)`."""

    target: LayerRef | BlockRef
    call: syntax.Call
    frame: Frame


class Deferred(Record):
    """A chain or group that is not yet placed, with the frame in which it was written."""

    expr: syntax.Expr
    frame: Frame


Recipe = LayerRef | BlockRef | Bound | Deferred


class Binding(Record, eq=True):
    """What a name stands for, and the term that emitted code writes for it; `span` is where it was bound."""

    value: Any
    term: Term
    span: Span


class Past(Binding, eq=True):
    """What the name of a loop stands for behind the loop, and what the loop went over."""

    iterable: Term


class Default(Mutable):
    """`default Conv(padding=same)`: the arguments, and the frame in which they are evaluated (None: the file)."""

    cls: type[Layer]
    args: tuple[syntax.Arg, ...]
    frame: Frame


class FileScope(Mutable):
    """The names of one file: definitions, functions, constants, tables, imports, and its lexical defaults."""

    source: Source
    items: dict[str, syntax.Item] = field(default_factory=dict)
    imports: dict[str, tuple[FileScope, syntax.Name]] = field(default_factory=dict)
    defaults: list[Default] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    doc: str = ""


class Container(Mutable):
    """A module under construction: its labels, the next number of a Sequential, and the node that will be its.

    `repeats` says that it is one layer or block several times. Where it does not stand in a Sequential itself
    (`within`) that may take or give other tensors besides the flow, and `handing` says that it does.
    """

    module: Module
    sequential: bool
    labels: dict[str, Placed] = field(default_factory=dict)
    count: int = 0
    stateless: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    path: str = ""
    implicit: set[str] = field(default_factory=set)
    repeats: bool = False
    within: bool = False
    handing: bool = False

    @property
    def passes_on(self) -> bool:
        """Whether its members are called with the flow alone, and nothing but the flow is taken of what they give."""
        return self.sequential and (self.within or not self.repeats)

    def next_index(self) -> str:
        self.count += 1
        return str(self.count - 1)


class Placed(Mutable):
    """A member of a container, ready to be applied again."""

    module: Module
    use: Any
    span: Span
    label: Span


class Frame(Mutable):
    """One expansion of a definition (or of a labelled suite, whose `parent` is the frame around it)."""

    template: Template
    scope: FileScope
    container: Container
    flow: Any = None
    entry: Any = None
    parent: Frame | None = None
    env: dict[str, Binding] = field(default_factory=dict)
    defaults: tuple[Default, ...] = ()
    chain: tuple[tuple[str, Span], ...] = ()
    returned: Any = None
    trained: Any = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    held: Any = None
    computed: bool = False
    label: Span | None = None

    def lookup(self, name: str) -> Binding | None:
        frame: Frame | None = self
        while frame is not None:
            if name in frame.env:
                return frame.env[name]
            frame = frame.parent
        return None

    def names(self) -> Iterator[str]:
        frame: Frame | None = self
        while frame is not None:
            yield from frame.env
            frame = frame.parent


def tensors(flowing: Any) -> Iterator[Tensor]:
    """The tensors of a flow, nested ones in order."""
    if isinstance(flowing, Tensor):
        yield flowing
    elif isinstance(flowing, tuple | list):
        for item in flowing:
            yield from tensors(item)
    elif isinstance(flowing, dict):
        for item in flowing.values():
            yield from tensors(item)


def is_flowing(value: Any) -> bool:
    """Whether a value is a tensor or a tuple of tensors."""
    if isinstance(value, Tensor):
        return True
    return isinstance(value, tuple) and bool(value) and all(is_flowing(item) for item in value)


SHOWN = 60
"""A longer text is not shown in a message."""


def describe(value: Any) -> str:
    """What kind of thing a value is, for messages."""
    if isinstance(value, LayerRef):
        return f"the {'function' if value.function else 'layer'} `{value.name}`"
    if isinstance(value, BlockRef):
        return f"the block `{value.define.name}`"
    if isinstance(value, Bound | Deferred):
        return "a layer that is not placed yet"
    if isinstance(value, FunctionRef):
        return f"the function `{value.function.name}`"
    if is_flowing(value):
        return "a tensor" if isinstance(value, Tensor) else f"{len(value)} tensors"
    if isinstance(value, Term):
        return f"the size `{value}`, which only a run decides"
    if value is None:
        return "`none`"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= SHOWN else f"a text of {len(value)} characters"
    if isinstance(value, list | tuple | range):
        return f"a list of {len(value)}"
    return f"the function `{value.python.partition('(')[0]}`" if isinstance(value, Builtin) else "a table of names"
