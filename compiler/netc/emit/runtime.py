"""What `forward` knows of compile-time values: parameters as attributes, run-time sizes read from the inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from netc.emit.constructor import Constructor
from netc.emit.elimination import Inexpressible
from netc.emit.python import Py
from netc.emit.resolve import is_spatial
from netc.graph import Use
from netc.naming import python_name
from netc.terms import Place, Symbol, Term, level_of, print_term, written

SHAPE = re.compile(r"(\w+)\.shape\[(\d+)\]")


class RunTime(Constructor):
    """Writes terms for `forward`."""

    variable: str
    symbols: dict[str, str]
    stored: dict[str, str]
    loop_names: set[str]
    open_loops: list[Any]

    def run_text(self, term: Term, use: Use | None = None, sides: Sequence[Py] = ()) -> str:
        return self.at_run_time(term, use, sides).text

    def at_run_time(self, term: Term, use: Use | None = None, sides: Sequence[Py] = ()) -> Py:
        """A term in `forward`: parameters as attributes, run-time sizes read from the inputs."""
        normal = self.resolver.normalise(self.template, term)

        def known(atom: Any) -> Term | None:
            if isinstance(atom, Symbol):
                return written(self.symbol(atom.name))
            if isinstance(atom, Place):
                return self.size_of_operand(atom, use, sides) or self.place_at_run_time(atom)
            return None

        result = normal.substitute(known)
        for atom in result.atoms():
            self.plan.requires.update(dict.fromkeys(getattr(atom, "requires", ())))
        return Py(print_term(result), level_of(result))

    def size_of_operand(self, place: Place, use: Use | None, sides: Sequence[Py]) -> Term | None:
        """A size that guards or loops change, read from the tensor that has it: `x.shape[1]`."""
        inputs = use.inputs if use is not None and place.kind == "join" else ()
        for value, side in zip(inputs, sides, strict=False):
            for axis, size in enumerate(value.shape if side.text.isidentifier() else ()):
                if self.resolver.normalise(self.template, Term.of(size)) == Term.atom(place):
                    return written(f"{side.text}.shape[{axis}]")
        return None

    def place_at_run_time(self, place: Place) -> Term:
        if place.kind == "name" and str(place.key) in self.loop_names:
            return written(python_name(str(place.key)))
        space = place.kind == "input" and place.owner is self.template and is_spatial(self.template, place)
        if place.kind == "size" or space:
            return written(self.input_size(place))
        if place.kind == "join":
            self.part_running(place)
        source = self.text(Term.atom(place))
        if re.fullmatch(r"self(\.\w+)+", source):  # what a member tells
            return written(source)
        if not source.isidentifier():
            raise Inexpressible(f"`{source}` in `forward`")
        attribute = source if source not in self.attributes() else f"_{source}"
        self.stored[attribute] = source
        return written(f"self.{attribute}")

    def part_running(self, place: Place) -> None:
        """Sees that a running size that is kept for `forward` has a variable of its own."""
        if place.owner in self.open_loops:
            raise Inexpressible("a size that changes from turn to turn of a loop", place.owner.span)
        name, index, axis = place.key if len(place.key) == 3 else place.key[1:]
        key = (place.owner, ("_" if name == "after" else name, index, axis))
        if key in self.plan.running:
            self.resolver.part(self.template, key)

    def symbol(self, name: str) -> str:
        """A size of an input that only the run decides, read at the start of `forward`."""
        if name not in self.symbols:
            self.symbols[name] = self.classes.symbol_source(self.template, name)  # type: ignore[attr-defined]
        return size_name(name)

    def input_size(self, place: Place) -> str:
        """A size of what enters the class, read at the start of `forward`."""
        operand, axis = place.key
        value = self.template.inputs[operand]
        spatial = value.spatial
        name = "LHWDHW"[{1: 0, 2: 1, 3: 3}[len(spatial)] + spatial.index(axis)] if axis in spatial[:3] else f"S{axis}"
        source = f"{python_name(operand)}.shape[{axis}]"
        while self.symbols.setdefault(name, source) != source:
            name += "2"
        return size_name(name)

    def symbol_lines(self) -> list[str]:
        """The sizes that are read at the start, those of neighbouring dimensions together: `h, w = x.shape[2:]`."""
        runs: list[tuple[str, int, list[str]]] = []
        read = sorted((*SHAPE.fullmatch(source).groups(), name) for name, source in self.symbols.items())  # type: ignore[union-attr]
        for operand, axis, name in read:
            if runs and runs[-1][0] == operand and runs[-1][1] + len(runs[-1][2]) == int(axis):
                runs[-1][2].append(size_name(name))
            else:
                runs.append((operand, int(axis), [size_name(name)]))
        return [self.sizes_line(*run) for run in runs]

    def sizes_line(self, operand: str, first: int, names: list[str]) -> str:
        if len(names) == 1:
            return f"{names[0]} = {operand}.shape[{first}]"
        ranks = {python_name(name): value.rank for name, value in self.template.inputs.items()}
        behind = first + len(names)
        end = "" if behind == ranks.get(operand) else str(behind)
        part = f"[{first or ''}:{end}]" if first or end else ""
        return f"{', '.join(names)} = {operand}.shape{part}"


def size_name(symbol: str) -> str:
    """What `forward` calls a size; `l` is easily read as 1."""
    return {"N": "batch", "L": "length"}.get(symbol, symbol.lower())
