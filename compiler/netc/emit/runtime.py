"""What `forward` knows of compile-time values: parameters as attributes, run-time sizes read from the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc.emit.constructor import Constructor
from netc.emit.elimination import Inexpressible
from netc.emit.python import Py
from netc.graph import Use
from netc.naming import python_name
from netc.terms import Place, Symbol, Term, level_of, print_term, written


class RunTime(Constructor):
    """Writes terms for `forward`."""

    variable: str
    symbols: dict[str, str]
    stored: dict[str, str]
    loop_names: set[str]

    def run_text(self, term: Term, use: Use | None = None, sides: Sequence[Py] = ()) -> str:
        return self.at_run_time(term, use, sides).text

    def at_run_time(self, term: Term, use: Use | None = None, sides: Sequence[Py] = ()) -> Py:
        """A term in `forward`: parameters as attributes, run-time sizes read from the inputs."""
        normal = self.resolver.normalise(self.template, term)

        def known(atom: Any) -> Term | None:
            if isinstance(atom, Symbol):
                return written(self.symbol(atom.name))
            if isinstance(atom, Place):
                return self.place_at_run_time(atom)
            return None

        result = normal.substitute(known)
        for atom in result.atoms():
            self.plan.requires.update(dict.fromkeys(getattr(atom, "requires", ())))
        return Py(print_term(result), level_of(result))

    def place_at_run_time(self, place: Place) -> Term:
        if place.kind == "name" and str(place.key) in self.loop_names:
            return written(python_name(str(place.key)))
        source = self.text(Term.atom(place))
        if place.kind == "input" and place.owner is self.template and place.key[0] == "x" and self.variable != "x":
            self.resolver.plan(self.template)
        if not source.isidentifier():
            raise Inexpressible(f"`{source}` in `forward`")
        attribute = source if source not in self.attributes() else f"_{source}"
        self.stored[attribute] = source
        return written(f"self.{attribute}")

    def symbol(self, name: str) -> str:
        """A size of an input that only the run decides, read at the start of `forward`."""
        if name not in self.symbols:
            self.symbols[name] = self.classes.symbol_source(self.template, name)  # type: ignore[attr-defined]
        return {"N": "batch"}.get(name, name.lower())

    def symbol_lines(self) -> list[str]:
        names = {"N": "batch"}
        return [f"{names.get(name, name.lower())} = {source}" for name, source in self.symbols.items()]
