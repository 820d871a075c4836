"""What PyTorch and other frameworks write, and the spelling here; nothing but messages is made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Span
from netc.elaborate.arguments import Arguments, Given
from netc.elaborate.lookup import WORDS, Spelling, plain
from netc.elaborate.values import POISON, Fault, Frame, Poisoned, fault, tensors
from netc.layer import BadArgument, Layer, Reject
from netc.shapes import Value

_DIMENSION = re.compile(r"(?<=[a-z])[123][dD](?![a-z0-9])")
_SIZE_OF_BATCH = re.compile(r"\b(\w+)\.(?:size\(0\)|shape\[0\])")
_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict", "Module")
_SIZES = ("size", "dim", "ndim", "ndimension")
_VALUES = {"true": True, "false": False, "none": None}
_METHODS = ("numpy", "cuda", "cpu", "to", "float", "half", "contiguous", "detach")


class Idioms(Arguments):
    """Says how something is spelled here."""

    def spelling(self, name: str, call: syntax.Call | None, frame: Frame) -> Spelling | None:
        """`Conv2d(3, 64, 3)` is `Conv(64, 3)` here; None for a name that no framework is known to use."""
        if name in _CONTAINERS:
            return Spelling("a chain under a label is an `nn.Sequential`, a suite under one a module: `label: a -> b`")
        known = self.registry.names("layers")
        short = _DIMENSION.sub("", name)
        written = next((n for n in (name, short) if n in known), None)
        written = written or next((self.registry.foreign[n] for n in (name, short) if n in self.registry.foreign), None)
        if written is None:
            return None
        safe = written in (name, short)
        cls = self.registry.layer(written) if written in known else None
        if cls is None or call is None or not call.args:
            tail = ": what reaches it says how many dimensions it has" if short != name != written else ""
            return Spelling(f"write `{written}`{tail}", written, safe=safe)
        if written != cls.names()[0]:
            return self.function_call(written, call, safe)
        listed = self.respelled(cls, call, frame)
        if listed is None:
            return Spelling(f"write `{written}`; `netc layers {written}` lists its arguments")
        told = ": the rest follows from what reaches it" if len(listed) < len(call.args) or "..." in listed else ""
        text = f"{written}({', '.join(listed)})" if listed else written
        return Spelling(f"write `{text}`{told}", None if "..." in listed else text, whole=True, safe=safe)

    def function_call(self, written: str, call: syntax.Call, safe: bool) -> Spelling:
        """`F.max_pool2d(x, 2)` as it is written here: the flow is not named."""
        listed = [_SIZE_OF_BATCH.sub(r"\1.n", WORDS.get(arg.span.text, arg.span.text)) for arg in call.args]
        first = call.args[0].value
        if isinstance(first, syntax.ListExpr):
            listed[:1] = [item.span.text for item in first.items]
        every = f"{written}({', '.join(listed)})"
        if not isinstance(first, syntax.Name) or first.id != "x":
            return Spelling(f"write `{every}`", every, whole=True, safe=safe)
        rest = f"({', '.join(listed[1:])})" if listed[1:] else ""
        return Spelling(f"write `{written}{rest}`, which takes the flow, or `{every}` for what entered the block")

    def respelled(self, cls: type[Layer], call: syntax.Call, frame: Frame) -> list[str] | None:
        """The arguments as they are written here, without those that the flow tells; None if they do not fit."""
        args: list[tuple[Any, str]] = []
        kwargs: dict[str, tuple[Any, str]] = {}
        for arg in call.args:
            word = WORDS.get(arg.value.span.text)
            try:
                value = _VALUES[word] if word else plain(self.evaluate(arg.value, frame))
            except (Fault, Poisoned):
                return None
            text = word or arg.value.span.text
            if arg.name is None:
                args.append((value, text))
            else:
                name = cls.elsewhere.get(arg.name, arg.name)
                kwargs[name] = (value, f"{name}={text}")
        own = {name: value for name, (value, _) in kwargs.items() if name in cls.fields}
        named = [text for name, (_, text) in kwargs.items() if name in cls.fields]
        for left_out in (1, 0):
            inferred = told(cls, [value for value, _ in args[left_out:]], own, flowing(frame))
            if inferred is None or any(name not in cls.fields and name not in inferred for name in kwargs):
                continue
            first = [plain(value) for value in inferred.values()][:1]
            if [value for value, _ in args[:1]] == first:
                return [text for _, text in args[1:]] + (named if left_out else [*named, "..."])
            if not left_out:
                return [text for _, text in args] + named
        return None

    def told_anyway(self, cls: type[Layer], given: Given, inputs: Sequence[Value]) -> str | None:
        """The way out where `in_channels` or the like is written first, as PyTorch wants it."""
        inferred = told(cls, given.args[1:], given.kwargs, inputs) if given.args else None
        first = next(iter(inferred.items()), None) if inferred else None
        if first is None or plain(first[1]) != plain(given.args[0]):
            return None
        places = [place.text for key, place in given.spans[1:]]
        spelled = f"{cls.__name__}({', '.join(places)})" if places else cls.__name__
        return f"leave `{first[0]}` out, it follows from what reaches the layer: `{spelled}`"

    def refuse_call(self, expr: syntax.Call, frame: Frame) -> Fault:
        """`nn.Conv2d(3, 64, 3)`, `x.view(-1, 10)`, `(a + b)(c)`."""
        function = expr.function
        if not isinstance(function, syntax.Attribute):
            help = None
            if isinstance(function, syntax.Call) and function.function.span.text[:1].isupper():
                layer, listed = function.span.text, ", ".join(arg.span.text for arg in expr.args) or "x"
                label = function.function.span.text.lower()
                either = f"`{label}: {layer}`, or `{listed} -> ({label}: {layer})`"
                help = f"a layer is applied by standing in the flow: {either}"
            return fault("E0402", function.span, "only a name can be called", "here", help=help)
        if self.is_package(function.value, frame):
            return self.refuse_dotted(function, expr, frame)
        value, name = function.value.span.text, function.attr
        listed = ", ".join(arg.span.text for arg in expr.args)
        written = name if name in self.registry.names("layers") else self.registry.foreign.get(name)
        help = f"`netc layers` lists the functions; one is applied like this: `{value} -> relu`"
        if written is not None:
            help = f"write it as a step of its own: `{value} -> {written}{f'({listed})' if listed else ''}`"
        elif name in _SIZES:
            help = f"sizes are `{value}.c`, `{value}.h`, `{value}.w`, and all of them `{value}.shape`"
        elif name in _METHODS:
            help = "leave it out: kinds and devices are not a matter of the network"
        place = Span(expr.span.source, function.value.span.end, function.span.end)
        return fault("E0113", place, f"`.{name}()` cannot be called on a value", "a method", help=help)

    def is_package(self, expr: syntax.Expr, frame: Frame) -> bool:
        """Whether it begins with a name that stands for nothing: `nn`, `torch.nn`, `keras.layers`."""
        while isinstance(expr, syntax.Attribute):
            expr = expr.value
        if not isinstance(expr, syntax.Name) or expr.id in frame.container.labels:
            return False
        return self.find(expr.id, frame) is None

    def refuse_dotted(self, expr: syntax.Attribute, call: syntax.Call | None, frame: Frame) -> Fault:
        """A name of a Python package: `nn.ReLU`, `F.relu(x)`, `keras.layers.Dense(10)`."""
        package = Span(expr.span.source, expr.span.start, expr.value.span.end)
        found = self.spelling(expr.attr, call, frame)
        help = found.help if found else "`netc layers` lists the layers and functions, each by one name"
        fix, text = found.fix(expr.span, call) if found else None, f"`{package.text}.` is not written here"
        return fault("E0113", expr.span, text, "a name of Python", help=help, fix=fix)


def told(
    cls: type[Layer], args: Sequence[Any], kwargs: Mapping[str, Any], inputs: Sequence[Value]
) -> dict[str, Any] | None:
    """What the flow tells such a layer, by PyTorch's names; None if it cannot stand there."""
    try:
        return cls.bind(args, kwargs).inferred(*inputs)
    except (BadArgument, Reject, TypeError, IndexError):
        return None


def flowing(frame: Frame) -> tuple[Value, ...]:
    """What reaches the next layer, as far as it is known."""
    return tuple(t.value for t in tensors(frame.flow)) if frame.flow not in (POISON, None) else ()
