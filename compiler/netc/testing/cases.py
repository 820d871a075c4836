"""Configurations to try a layer with: those of its examples, mutants of them, and random ones."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import inf
from typing import Any, Literal

from netc.layer import Bool, Class, Dotted, Field, Float, Int, Ints, Layer, Numbers, Size, Word, show
from netc.shapes import KINDS, Kind, Shape, Value
from netc.terms import Dim

SIZES = (1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16)
BATCHES = (2, 2, 3, 4)
"""What is normalised over the batch wants more than one."""
Form = Literal["module", "function"]


@dataclass(frozen=True)
class Case:
    """A configuration: what reaches the layer, its arguments, and in which of its forms it is called."""

    inputs: tuple[Value, ...]
    arguments: dict[str, Any]
    form: Form

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={show(value)}" for name, value in self.arguments.items())
        return f"{self.form}({arguments}) on {', '.join(map(str, self.inputs)) or 'nothing'}"


def read_shapes(text: str, batch: Dim = BATCHES[0]) -> tuple[Value, ...]:
    """The values of `16x8x8, 12 int, (4, 8)`: with the batch in front, but for a tuple, which lists every size."""
    return tuple(_read_shape(part.strip(), batch) for part in re.findall(r"\s*(\([^)]*\)[^,]*|[^,]+)", text))


def _read_shape(text: str, batch: Dim) -> Value:
    sizes, _, kind = text.partition(" ")
    if sizes in KINDS:
        sizes, kind = "", sizes
    if text.startswith("("):
        sizes, _, kind = text[1:].partition(")")
        shape: Shape = tuple(int(size) for size in sizes.split(",") if size.strip())
    else:
        shape = (batch, *(int(size) for size in sizes.split("x") if size))
    named: Kind = next((k for k in KINDS if k == kind.strip()), "float")
    return _reshaped(Value((), named), shape)


def _reshaped(value: Value, shape: Shape) -> Value:
    return replace(value, shape=shape, channel=1 if len(shape) > 1 else None)


def read_call(text: str, cls: type[Layer]) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of `Conv(16, 1x7, padding=same)`."""
    source = re.sub(r"\b\d+(?:x\d+)+\b", lambda found: f"({found[0].replace('x', ', ')})", text)
    tree = ast.parse(source, mode="eval").body
    if isinstance(tree, ast.Name):
        return tree.id, {}
    assert isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name), text
    fields = list(cls.fields)
    args = [_given(arg, cls.fields.get(name)) for arg, name in zip_longest(tree.args, fields[: len(tree.args)])]
    first = cls.fields[fields[0]] if fields else None
    if isinstance(first, Ints) and first.variadic and args and not isinstance(args[0], tuple):
        args = [tuple(args)]
    keywords = [(keyword.arg, keyword.value) for keyword in tree.keywords if keyword.arg is not None]
    named = {name: _given(value, cls.fields.get(name)) for name, value in keywords}
    return tree.func.id, dict(zip(fields, args, strict=False)) | named


def _given(node: ast.expr, field: Field[Any] | None) -> Any:
    value = _literal(node)
    return next((o for o in field.options if str(o) == value), value) if isinstance(field, Class) else value


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return {"true": True, "false": False, "none": None}.get(node.id, node.id)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_literal(item) for item in node.elts)
    return ast.literal_eval(node)


class Draw(random.Random):
    """Draws configurations of one layer."""

    def __init__(self, cls: type[Layer], seed: int):
        super().__init__(seed)
        self.cls = cls
        module, function = cls.names()
        self.forms: list[Form] = [*(["module"] if module else []), *(["function"] if function else [])]  # type: ignore[list-item]
        self.examples = [(self._example(e.inputs, e.call), self._output(e.output)) for e in cls.examples]

    def _example(self, inputs: str, call: str) -> Case:
        name, arguments = read_call(call, self.cls)
        return Case(read_shapes(inputs), arguments, "module" if name == self.cls.names()[0] else "function")

    def _output(self, text: str) -> tuple[Value, ...]:
        return tuple(replace(value, channel=None) for value in read_shapes(text))

    def case(self) -> Case:
        """A mutant of an example, or a configuration from nothing."""
        form = self.choice(self.forms)
        if self.examples and (self.random() < 0.7 or not self._drawable()):
            return self._mutant(replace(self.choice(self.examples)[0], form=form))
        inputs = self.inputs()
        return Case(inputs, self.arguments(inputs[0].rank if inputs else 2), form)

    def _drawable(self) -> bool:
        return all(not f.required or self._drawer(f) is not None for f in self.cls.fields.values())

    def _mutant(self, case: Case) -> Case:
        inputs = case.inputs
        for _ in range(self.choice((0, 0, 1, 1, 2))):
            inputs = self._mutated(inputs)
        rank = inputs[0].rank if inputs else 2
        arguments = dict(case.arguments)
        for name, given in self.cls.fields.items():
            if self.random() < 0.25:
                arguments |= self._argument(name, given, rank)
            elif name in arguments and not given.required and self.random() < 0.1:
                del arguments[name]
        return Case(inputs, arguments, case.form)

    def _mutated(self, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
        """One size changed, in one input or in all of them alike; or a dimension more or less; or another kind."""
        if not inputs:
            return inputs
        index = self.randrange(len(inputs))
        value = inputs[index]
        way = self.random()
        if way < 0.7:
            axis, alike = self.randrange(max(value.rank, 1)), self.random() < 0.5
            size = self.size(axis, alike or index == 0)
            return tuple(
                v.with_dim(axis, size) if axis < v.rank and (alike or i == index) else v for i, v in enumerate(inputs)
            )
        if way < 0.9:
            shape = value.shape[:-1] if value.rank > 1 and self.random() < 0.5 else (*value.shape, self.choice(SIZES))
            alike = self.random() < 0.5
            return tuple(_reshaped(v, shape) if i == index or alike else v for i, v in enumerate(inputs))
        return tuple(replace(v, kind=self.choice(KINDS)) if i == index else v for i, v in enumerate(inputs))

    def inputs(self) -> tuple[Value, ...]:
        """Tensors of any rank that the layer takes, often of one shape."""
        required = [name for name in self.cls.inputs if not name.endswith("?")]
        many = any(name.startswith("*") for name in self.cls.inputs)
        count = self.randint(1, 3) if many else self.randint(len(required), len(self.cls.inputs))
        kinds = self.cls.kinds if self.cls.kinds and self.random() < 0.95 else KINDS
        first = self.value(self.choice(kinds))
        made: list[Value] = []
        for _ in range(count):
            value = first if self.random() < 0.6 else self.value(self.choice(kinds))
            if self.random() < 0.3:
                axis = self.randrange(value.rank)
                value = value.with_dim(axis, self.size(axis, not made))
            made.append(value)
        return tuple(made)

    def size(self, axis: int, first: bool) -> int:
        return self.choice(BATCHES) if axis == 0 and first else self.choice(SIZES)

    def value(self, kind: str) -> Value:
        ranks = self.cls.ranks or (2, 2, 3, 3, 4, 4, 5, 1)
        rank = self.choice(ranks) if self.random() < 0.95 else self.randint(1, 5)
        shape = (self.choice(BATCHES), *(self.choice(SIZES) for _ in range(rank - 1)))
        return _reshaped(Value((), next(k for k in KINDS if k == kind)), shape)

    def arguments(self, rank: int) -> dict[str, Any]:
        """All required arguments and some of the others, from the ranges of the fields and from just outside."""
        chosen: dict[str, Any] = {}
        for name, given in self.cls.fields.items():
            if given.required or self.random() < 0.35:
                chosen |= self._argument(name, given, rank)
        return chosen

    def _argument(self, name: str, given: Field[Any], rank: int) -> dict[str, Any]:
        drawer = self._drawer(given)
        if given.none and self.random() < 0.2:
            return {name: None}
        if drawer is None:
            known = [case.arguments[name] for case, _ in self.examples if name in case.arguments]
            return {name: self.choice(known)} if known else {}
        return {name: drawer(given, rank)}

    def _drawer(self, given: Field[Any]) -> Callable[[Any, int], Any] | None:
        samples = getattr(given, "samples", None)
        if samples is not None:
            return lambda _, __: self.choice(samples)
        drawers: dict[type[Field[Any]], Callable[[Any, int], Any]] = {
            Int: lambda f, rank: self._int(f.min, f.max, rank),
            Float: self._float,
            Bool: lambda _, __: self.random() < 0.5,
            Size: self._size,
            Ints: self._ints,
            Numbers: lambda f, _: tuple(self.choice((0.5, 1.0, 2.0)) for _ in range(f.length or 2)),
            Word: lambda f, _: self.choice((*f.options, *f.options, "nonsense")),
            Class: lambda f, _: self.choice((*f.options, *f.options, Dotted("torch.nn.Linear"))),
        }
        return next((drawer for kind, drawer in drawers.items() if isinstance(given, kind)), None)

    def _int(self, low: int | None, high: int | None, rank: int) -> int:
        if low is None:
            anywhere: list[int] = [*range(-rank, rank), 0, 1, 2, 3, 4, 8, -rank - 1, rank + 1]
            return self.choice(anywhere)
        options: list[int] = [low, low, low + 1, low + 1, low + 2, *SIZES, low - 1]
        return self.choice(options if high is None else [*options, high, high + 1])

    def _float(self, given: Float, _: int) -> float:
        low, high = given.min, given.max
        least, most = -inf if low is None else low, inf if high is None else high
        options: list[float] = [x for x in (0.0, 0.1, 0.5, 1.0, 2.0, -0.5, 3) if least <= x <= most]
        options += options
        options += [] if low is None else [low, low - 0.1]
        options += [] if high is None else [high, high + 0.1]
        return self.choice(options)

    def _size(self, given: Size, rank: int) -> Any:
        if given.words and self.random() < 0.2:
            return self.choice((*given.words, "nonsense"))
        n = max(rank - 2, 1)
        if self.random() < 0.5:
            return self._int(given.min, None, rank)
        length = self.choice((n, n, n, n, 1, 2, 2 * n, rank, n + 1))
        return tuple(
            None if given.axis_none and self.random() < 0.3 else self._int(given.min, None, rank) for _ in range(length)
        )

    def _ints(self, given: Ints, rank: int) -> tuple[int, ...]:
        if given.min is None and self.random() < 0.5:
            return tuple(self.sample(range(rank), rank))
        length = self.choice((rank, rank, rank - 1, rank + 1, 1, 2, 4))
        return tuple(self._int(given.min, None, rank) for _ in range(length))
