"""The abstract syntax of a `.net` file: frozen nodes, each with its span, named as the grammar's rules are."""

from __future__ import annotations

from typing import Literal

from netc.diagnostics import Span
from netc.record import Record

# Nodes compare by identity: a node is a place in a text, and tables are keyed by it.


class Node(Record):
    span: Span


# ---- expressions -------------------------------------------------------------------------------


class Expr(Node):
    """Anything that has a value: compile-time values, layers not yet placed, tensors."""


class Name(Expr):
    """`width`, `Conv`, `x`, `_`."""

    id: str


class Literal_(Expr):
    """`3`, `1e-3`, `true`, `none`: the value as Python's, and the text as written."""

    value: int | float | bool | None
    text: str


class String(Expr):
    """`"layer{i + 1}"`: literal parts and interpolated expressions, in order."""

    parts: tuple[str | Expr, ...]


class ShapeLiteral(Expr):
    """`1x7`, `3xHxW`: numbers and names; without the batch."""

    parts: tuple[int | str, ...]


class TupleExpr(Expr):
    items: tuple[Expr, ...]


class ListExpr(Expr):
    items: tuple[Expr, ...]


class DictExpr(Expr):
    """`{logits: a, features: b}`."""

    items: tuple[tuple[str, Expr], ...]


class Comprehension(Expr):
    """`[element for target in iterable if condition]`."""

    element: Expr
    target: Target
    iterable: Expr
    condition: Expr | None


class Unary(Expr):
    operator: Literal["-", "not"]
    operand: Expr


class Binary(Expr):
    """Arithmetic (`+ - * / // % **`), comparison (`== != < <= > >= in`) and `and`, `or`."""

    operator: str
    left: Expr
    right: Expr

    @property
    def single(self) -> bool:
        """Whether it is `1 * Block`, a repetition that repeats nothing."""
        return isinstance(self.left, Literal_) and self.left.text == "1"


class IfElse(Expr):
    """`then if condition else otherwise`."""

    then: Expr
    condition: Expr
    otherwise: Expr


class Arg(Node):
    """One argument of a call; `name` is None for a positional one."""

    name: str | None
    value: Expr


class Call(Expr):
    function: Expr
    args: tuple[Arg, ...]


class Attribute(Expr):
    """`x.c`, `head.weight`."""

    value: Expr
    attr: str


class Index(Expr):
    """`dims[0]`, `depths[:i]`; a tuple subscript is a TupleExpr."""

    value: Expr
    index: Expr


class Slice(Expr):
    """Only inside an Index."""

    start: Expr | None
    stop: Expr | None


class Pipe(Expr):
    """`a -> b -> c`; two stages or more."""

    stages: tuple[Expr, ...]


class Group(Expr):
    """`( stmt; stmt )` where it is more than a parenthesised expression: statements on one line."""

    body: tuple[Stmt, ...]


class Fork(Expr):
    """`fork cat:` with a suite; each entry of `branches` is one line of it. `join` is None for `fork:`.

    A branch is a Flow, a Group (`a; b` on one line), an Assign (`name = ...`, only without a join), or a
    For, If or Suite-labelled Flow.
    """

    join: Literal["cat", "add", "mul", "stack"] | None
    branches: tuple[Stmt, ...]


class Suite(Expr):
    """The indented body of a label: `features:` and what stands under it."""

    body: tuple[Stmt, ...]


def last_stage(expr: Expr) -> Expr:
    """The stage from which the value of a chain comes."""
    if isinstance(expr, Pipe):
        return last_stage(expr.stages[-1])
    if isinstance(expr, Group) and isinstance(last := expr.body[-1], Flow) and last.operator is None:
        return last_stage(last.body)
    return expr


# ---- statements --------------------------------------------------------------------------------


class Stmt(Node):
    pass


class Target(Node):
    """What a `for` or an assignment binds: a name, or nested targets."""

    name: str | None
    items: tuple[Target, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,) if self.name is not None else tuple(n for item in self.items for n in item.names)


Operator = Literal["+", "*", "&", "inline", "side"]


class Flow(Stmt):
    """`[op] [label:] body [when condition]`.

    `label` is a String when quoted (it may be computed), else a Name. `body` is an expression, a Pipe, a Fork or a
    Suite.
    """

    operator: Operator | None
    label: Name | String | None
    body: Expr
    when: Expr | None = None


class Assign(Stmt):
    """`y = ...`, `a, (b, c) = ...`: binds a value, never moves the flow."""

    target: Target
    value: Expr
    when: Expr | None = None


class Param(Stmt):
    """`param name(shape) = init` and `buffer name(shape) = init`."""

    kind: Literal["param", "buffer"]
    name: str
    shape: tuple[Expr, ...]
    init: Expr | None


class Default(Stmt):
    """`default Conv(padding=same, bias=false)`."""

    layer: Name
    args: tuple[Arg, ...]


class Init(Stmt):
    """`init Conv, Linear: kaiming_normal(mode=fan_out), bias=zeros`; an Arg without a name means `weight`."""

    targets: tuple[Name | String, ...]
    rules: tuple[Arg, ...]


OTHERS = "_"
"""What `order` calls the modules that it does not list."""


class Order(Stmt):
    """`order norm1, attn`: these come first; `order _, head`: the others come where `_` stands."""

    names: tuple[Name | String, ...]


class Tie(Stmt):
    """`tie head.weight = wte.weight`."""

    target: Expr
    source: Expr


class Return(Stmt):
    value: Expr


class Input(Stmt):
    """`input 3xHxW`, `input left: 3x32x32`, `input ids: int(T)`."""

    name: str | None
    shape: Expr


class For(Stmt):
    target: Target
    iterable: Expr
    body: tuple[Stmt, ...]


class If(Stmt):
    """`if`/`elif`/`else`: conditions with their bodies in order; `otherwise` may be empty."""

    branches: tuple[tuple[Expr, tuple[Stmt, ...]], ...]
    otherwise: tuple[Stmt, ...]

    @property
    def optional(self) -> bool:
        """Whether it says no more than that something may be left out."""
        return len(self.branches) == 1 and not self.otherwise


# ---- what stands at the top of a file ----------------------------------------------------------


class Parameter(Node):
    """A parameter of a def, net or function; `default` is None where one must be given."""

    name: str
    default: Expr | None


class Define(Node):
    """`def Block(...):` or `net Name(...):`. `doc` is the comment that stands right above it, without the `#`."""

    kind: Literal["def", "net"]
    name: str
    name_span: Span
    params: tuple[Parameter, ...]
    body: tuple[Stmt, ...]
    doc: str


class Function(Node):
    """`double(a) = 2 * a`."""

    name: str
    params: tuple[Parameter, ...]
    value: Expr


class Constant(Node):
    """`depths = [2, 2]`, `resnet50 = ResNet(Bottleneck, [3, 4, 6, 3])`."""

    name: str
    value: Expr


class Table(Node):
    """`table stages(t, c, n, s):` and its rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Expr, ...], ...]


class Use(Node):
    """`use "std.net": CNA, SE`."""

    path: str
    names: tuple[Name, ...]


class Needs(Node):
    distribution: str


class Language(Node):
    """`language 1`: the version of the language that the file is written in."""

    version: int


class GroupSetting(Node):
    """`group bias, norm: weight_decay=0`: selectors are Names or (quoted) Strings."""

    selectors: tuple[Name | String, ...]
    args: tuple[Arg, ...]


class Setting(Node):
    """`optimizer: AdamW(lr=1e-3)`, `optimizer critic: ...`, with its `group` lines."""

    key: str
    key_span: Span
    name: str | None
    name_span: Span  # of the key where there is no name
    value: Expr
    groups: tuple[GroupSetting, ...]


class Train(Node):
    """`train:` or `train digits:`."""

    name: str | None
    settings: tuple[Setting, ...]


Item = Define | Function | Constant | Table | Use | Needs | Language | Train | Default


class File(Node):
    """A whole file. `doc` is its opening comment."""

    items: tuple[Item, ...]
    doc: str
