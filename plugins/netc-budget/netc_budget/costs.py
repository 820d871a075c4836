"""What a network multiplies: the calls of its layers, those in blocks and functions too, and the cost of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from netc.graph import Call, Module
from netc.layer import Layer, Value
from netc.shapes import BATCH
from netc.terms import Dim, Symbol, Term


def applied(module: Module, prefix: str = "") -> Iterator[tuple[str, Call]]:
    """Each layer and function that is applied outside training, as often as it is, with its place in the network."""
    for call in module.calls:
        if call.training:
            continue
        path = prefix + (call.name if call.label is None else call.label)
        if call.module is not None:
            yield from applied(call.module, f"{path}.")
        elif call.layer is not None:
            yield path, call


def symbols(values: Iterable[Value]) -> list[str]:
    """The sizes of the inputs that only a run decides, the batch aside."""
    atoms = (atom for value in values for size in value.shape if isinstance(size, Term) for atom in size.atoms())
    return list(dict.fromkeys(atom.name for atom in atoms if isinstance(atom, Symbol) and atom.name != BATCH))


def cost(layer: Layer, inputs: Iterable[Value | None], sizes: Mapping[str, int]) -> int | None:
    """The multiply-adds of a layer for one example of these inputs, None where it says nothing of them."""
    if type(layer).multiply_adds is Layer.multiply_adds:
        return 0 if layer.free else None
    found = layer.multiply_adds(*(sized(value, sizes) for value in inputs))
    return None if found is None else number(found, sizes)


def sized(value: Value | None, sizes: Mapping[str, int]) -> Value | None:
    """A value with numbers for all its sizes: a batch of one, and those that are given."""
    return None if value is None else value.with_shape(number(size, sizes) for size in value.shape)


def number(size: Dim, sizes: Mapping[str, int]) -> int:
    known = {**sizes, BATCH: 1}
    return size.evaluate(lambda atom: known[atom.label]) if isinstance(size, Term) else int(size)
