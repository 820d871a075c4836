"""Values joined: operators on the flow, and the messages for sides that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Label
from netc.elaborate.arguments import attach, strip
from netc.elaborate.batches import refuse_batches
from netc.elaborate.conditions import Conditions
from netc.elaborate.values import Frame, LayerRef, Tensor, fault, tensors
from netc.graph import Maker, Step, Use
from netc.layer import Layer
from netc.shapes import Value, show_dim
from netc.terms import Term

LONGEST = 40
"""What is longer is not written again in a message."""
VERBS = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "cat": "concatenate", "stack": "stack"}


class Joining(Conditions):
    """Joins values by the functions of the language."""

    def operate(self, name: str, sides: list[Any], node: syntax.Node, frame: Frame, **arguments: int) -> Any:
        """Joins tensors by the function of that name, with arguments of the function; a step of the module."""
        result = self.combine(name, sides, node, frame, **arguments)
        use = frame.template.sites[node]
        assert isinstance(use, Use) and use.layer is not None
        maker = Maker(name, use.layer, node.span)
        frame.container.module.steps.append(Step(None, name, None, strip(result), maker, node.span))
        return result

    def combine(self, name: str, sides: list[Any], node: syntax.Node, frame: Frame, **arguments: int) -> Any:
        """What the function of that name makes of several tensors."""
        cls = self.registry.layer(name)
        if cls is None:
            raise fault("E0301", node.span, f"no plugin brings the function `{name}`", "needed here")
        ref = LayerRef(name, cls, True)
        layer = cls.bind((), arguments)
        values = tuple(t.value for t in tensors(sides))
        span = node.span
        flat = [t for side in sides for t in tensors(side)]
        self.ledger.place, known = span, len(self.ledger.relations)
        try:
            layer.admit(*values)
            output = self.joined_value(layer, values)
        except Exception as error:
            raise self.mismatch(error, ref, flat, node) from None
        refuse_batches(self.ledger, known, span, flat)
        use = Use("function", layer, values, callee=name, output=output)
        given = self.given(None, cls.fields, cls.inputs, frame)
        given.written.update({argument: Term.of(number) for argument, number in arguments.items()})
        use.arguments = self.call_arguments(layer, True, given, values)
        self.record(node, use, frame)
        self.called(frame, use, node)
        result = attach(output, span)
        self.unread.make(result, span)
        return result

    def joined_value(self, layer: Layer, values: tuple[Value, ...]) -> Any:
        """What comes of joining any number of values by a function of many, or of two at a time."""
        if layer.inputs[0].startswith("*"):
            return layer.infer(*values)
        result: Any = values[0]
        for value in values[1:]:
            result = layer.infer(result, value)
        return result

    def mismatch(self, error: Exception, ref: LayerRef, sides: Sequence[Tensor], node: syntax.Node) -> Exception:
        """A refusal to join, with every side and the place that made it."""
        from netc.layer import Reject

        if not isinstance(error, Reject):
            return error
        labels = tuple(Label(t.span, f"this side has shape {t.value}") for t in unlike(sides))
        distinct = {(at.span.source.name, at.span.start, at.text): at for at in labels if at.span != node.span}
        verb = VERBS.get(ref.name, ref.name)
        text, help = disagreement(verb, [t.value for t in sides], ref.name == "cat", node)
        return fault(
            "E0604", node.span, text or f"cannot {verb} these: {error.reason}", "joined here",
            secondary=tuple(distinct.values()), help=help or error.help,
        )  # fmt: skip


def unlike(sides: Sequence[Tensor]) -> list[Tensor]:
    """One side of each shape; where branches are many, most of them agree."""
    return list({str(side.value): side for side in reversed(sides)}.values())[::-1]


def disagreement(
    verb: str, sides: Sequence[Value], joins: bool, node: syntax.Node
) -> tuple[str | None, str | None]:
    """The two sizes that do not fit and the way out: `cannot add 256 channels to 64`; None where ranks differ."""
    first = sides[0]
    other = next((side for side in sides[1:] if side.rank != first.rank), None)
    if other is not None:
        text = f"cannot {verb} a value of {first.rank} dimensions and one of {other.rank}"
        return text, "`flatten` or `reshape` one side"
    for side in sides[1:]:
        for axis, (a, b) in enumerate(zip(first.shape, side.shape, strict=True)):
            fits = axis == first.channel if joins else 1 in (a, b)
            if isinstance(a, int) and isinstance(b, int) and a != b and not fits:
                return f"cannot {verb} {named_size(a, b, axis, first)}", way_out(axis, first, side, node)
    return None, None


def named_size(a: int, b: int, axis: int, value: Value) -> str:
    """`256 channels and 64`, `height 9 and 5`."""
    if axis == value.channel:
        return f"{int(a)} channels and {int(b)}"
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(value.spatial), ())
    if axis in value.spatial and len(names) == len(value.spatial) and value.channel is not None:
        return f"{names[value.spatial.index(axis)]} {int(a)} and {int(b)}"
    return f"size {int(a)} and {int(b)} of dimension {axis}"


def way_out(axis: int, first: Value, side: Value, node: syntax.Node) -> str:
    """How the two could be made alike: by a projection of what is joined, or by the steps on the way."""
    if axis != first.channel:
        either = named_size(first.shape[axis], side.shape[axis], axis, first).replace(" and ", " or ")  # type: ignore[arg-type]
        return f"bring both to {either}, by the stride, the padding or the kernel on the way to one of them"
    channels = show_dim(first.shape[axis])
    layer = f"Linear({channels})" if axis == first.rank - 1 else f"Conv({channels}, 1)"
    text = node.span.text
    if text[:1] in "+*":
        shown = text if "\n" not in text and len(text) < LONGEST else f"{text[0]} ..."
        return f"bring it to {channels} channels: `{shown} -> (proj: {layer})`"
    if isinstance(node, syntax.Binary):
        return f"bring one side to the {channels} channels of the other, with `{layer}` for instance"
    return f"let every branch end with {channels} channels, with `{layer}` for instance"
