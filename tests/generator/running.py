"""What a spec means, in small: names and sizes as a block runs, and layers applied by their own rules.

A block is run twice at once, by numbers and by symbols: the numbers say that torch will take it, the symbols that
nothing needs a size which only a run decides.
"""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netc.builtins import divisible
from netc.layer import BadArgument, Layer, Reject
from netc.registry import Registry
from netc.shapes import Value
from netc.terms import Dim, Ledger, Symbol, Term

BATCH = 2
"""The examples in a batch where a generated network is run."""
N = Term.atom(Symbol("N"))
SYMBOL_SIZE = 12
"""What a symbolic size is where a generated network is run."""
LARGEST, WIDEST, DEEPEST = 4000, 48, 5
"""Limits of a value: numbers in one example, size of a dimension, number of dimensions."""

SHAPE = re.compile(r"(?<![\w.])\d+(?:x\d+)+\b")
FUNCTIONS = {name: getattr(builtins, name) for name in "min max abs sum len range enumerate zip round int".split()}
CONSTANTS = {"true": True, "false": False, "none": None, "sqrt": math.sqrt, "divisible": divisible}


class Invalid(Exception):
    """A statement that does not fit what reaches it."""


@dataclass(frozen=True)
class Tensor:
    """A value under a name, as an expression sees it."""

    value: Value

    @property
    def c(self) -> int:
        if self.value.channel is None:
            raise Invalid
        return number(self.value.shape[self.value.channel])

    @property
    def h(self) -> int:
        return number(self.value.shape[self.spatial(2)[0]])

    @property
    def w(self) -> int:
        return number(self.value.shape[self.spatial(2)[1]])

    @property
    def l(self) -> int:  # noqa: E743 - as the language calls it
        return number(self.value.shape[self.spatial(1)[0]])

    def spatial(self, count: int) -> tuple[int, ...]:
        if self.value.channel is None or len(self.value.spatial) != count:
            raise Invalid
        return self.value.spatial


def number(size: Dim) -> int:
    """A size that is known before the run."""
    if isinstance(size, Term):
        raise Invalid
    return int(size)


@dataclass(frozen=True)
class Made:
    """What a name or a label stands for that can be applied: a layer's class or a block, and arguments so far."""

    target: Any
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """One run of a block: the names in it, its input, the flow, and the labels with what they were made for.

    `defaults` are those of the blocks around it, `file` what the file defines. `ledger` gathers what was assumed of
    the batch, which must stay empty.
    """

    registry: Registry
    file: dict[str, Any]
    names: dict[str, Any] = field(default_factory=dict)
    x: Value | None = None
    flow: Any = None
    labels: dict[str, tuple[Layer | None, Any]] = field(default_factory=dict)
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    base: dict[str, dict[str, Any]] = field(default_factory=dict)
    returned: Any = None
    symbolic: bool = False
    plain: bool = False
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def batch(self) -> Dim:
        return Term.atom(Symbol("N", self.ledger)) if self.symbolic else BATCH

    def size(self, text: str) -> Dim:
        """A size of an input: a number, a parameter, or a capital for one that only a run decides."""
        if re.fullmatch("[A-Z]", text):
            return Term.atom(Symbol(text)) if self.symbolic else SYMBOL_SIZE
        found = int(text) if text.isdigit() else self.evaluate(text)
        assert isinstance(found, int)
        return found

    def copy(self) -> Run:
        return replace(self, names=dict(self.names), labels=dict(self.labels), defaults=dict(self.defaults))

    def inner(self, flow: Any) -> Run:
        """A suite of this block: its own labels, what the block knows, and nothing that it names is seen outside."""
        return replace(self.copy(), labels={}, flow=flow)

    def call(self, names: dict[str, Any], flow: Any) -> Run:
        """A block that is used here."""
        x = flow if isinstance(flow, Value) else None
        return replace(self, names=names, x=x, flow=flow, labels={}, defaults=dict(self.defaults), returned=None)

    def evaluate(self, text: str) -> Any:
        """The worth of an expression; a bare word that nothing defines is itself."""
        scope = {**FUNCTIONS, **CONSTANTS, **self.file, **self.names}
        if self.x is not None:
            scope["x"] = Tensor(self.x)
        if isinstance(self.flow, Value):
            scope["_"] = Tensor(self.flow)
        if text.isidentifier() and text not in scope:
            return text
        if text.startswith('"'):
            text = "f" + text
        try:
            return eval(SHAPE.sub(lambda found: f"({found[0].replace('x', ', ')})", text), {"__builtins__": {}}, scope)
        except Exception as error:  # whatever Python says, the expression is of no use here
            raise Invalid from error

    def worth(self, text: str) -> Any:
        """The worth of an argument: a layer or a block as a value, with arguments by position, or an expression."""
        found = re.fullmatch(r"([A-Z]\w*)(?:\((.*)\))?", text)
        if found is None:
            return self.evaluate(text)
        made = self.find(found[1])
        return Made(made.target, tuple(self.evaluate(f"[{found[2] or ''}]")))

    def truth(self, text: str) -> bool:
        return bool(self.evaluate(text))

    def find(self, name: str) -> Made:
        """What a name that is applied stands for."""
        found = self.names.get(name, self.file.get(name))
        if isinstance(found, Made):
            return found
        if found is not None and not isinstance(found, int | float | str | list | tuple | Tensor):
            return Made(found)
        layer = self.registry.layer(name) if found is None else None
        if layer is None:
            raise Invalid
        return Made(layer)


def apply_layer(cls: type[Layer], args: tuple[Any, ...], kwargs: Mapping[str, Any], inputs: tuple[Value, ...],
                run: Run) -> tuple[Layer, Any]:  # fmt: skip
    """A layer on its inputs by its own rule, within the limits; `default` rules of the run count."""
    given = {**run.base.get(cls.__name__, {}), **run.defaults.get(cls.__name__, {})}
    given = {name: value for name, value in given.items() if list(cls.fields).index(name) >= len(args)} | dict(kwargs)
    try:
        layer = cls.bind(args, given)
        layer.admit(*inputs)
        output = layer.infer(*inputs)
        needed = [*layer.inferred(*inputs).values(), *(s for t in layer.kept(*inputs).values() for s in t.shape)]
        if layer.remark(*inputs) is not None:
            raise Invalid
    except (Reject, BadArgument, ArithmeticError, IndexError, TypeError, ValueError) as error:
        raise Invalid from error
    if any(isinstance(size, Term) for size in needed) or run.ledger.relations:
        run.ledger.relations.clear()
        raise Invalid
    limit(output)
    return layer, output


def limit(output: Any) -> None:
    """Refuses what is too large, and what lost its batch."""
    if not isinstance(output, Value):
        for value in output:
            limit(value)
        return
    sizes = [s for s in output.shape[1:] if not isinstance(s, Term)]
    batch = output.shape[0] if output.shape else None
    if batch not in (BATCH, N) or output.rank > DEEPEST or math.prod(sizes) > LARGEST:
        raise Invalid
    if any(not 1 <= size <= (WIDEST if output.rank > 2 else LARGEST) for size in sizes):
        raise Invalid

