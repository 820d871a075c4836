"""What follows from a condition: other conditions, the sides of conditional expressions, the worth of a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from netc.emit.folding import COMPARISONS, folded, is_conditional, only_atom, term_value, verdict
from netc.terms import FOLDED, Atom, Floor, Place, Term, Written

ROUNDING = ("round({0})", "int({0})", "math.ceil({0})", "math.floor({0})")


def follows(question: Term, given: Term, outcome: bool) -> bool | None:
    """What a condition comes to where another has turned out so; None where that says nothing of it."""
    atom = only_atom(question)
    if isinstance(atom, Written) and atom.source in ("{0} and {1}", "{0} or {1}"):
        sides = [follows(operand, given, outcome) for operand in atom.operands]
        decisive = atom.source == "{0} or {1}"
        return decisive if decisive in sides else None if None in sides else not decisive
    if isinstance(atom, Written) and atom.source == "not {0}":
        inner = follows(atom.operands[0], given, outcome)
        return None if inner is None else not inner
    for fact, holds in facts(given, outcome):
        if fact == question:
            return holds
        if (found := compared(question, fact, holds)) is not None:
            return found
    return verdict(question)


def facts(given: Term, outcome: bool) -> Iterator[tuple[Term, bool]]:
    """A condition that has turned out so, in parts: both sides of an `and` that holds, of an `or` that does not."""
    atom = only_atom(given)
    yield given, outcome
    if isinstance(atom, Written) and atom.source == ("{0} and {1}" if outcome else "{0} or {1}"):
        for operand in atom.operands:
            yield from facts(operand, outcome)
    elif isinstance(atom, Written) and atom.source == "not {0}":
        yield from facts(atom.operands[0], not outcome)


def compared(question: Term, fact: Term, holds: bool) -> bool | None:
    """What a comparison comes to if another of the same expression holds or does not: `s == 1` where `s > 1`."""
    asked, known = only_atom(question), only_atom(fact)
    if not is_comparison(asked) or not is_comparison(known) or asked.operands[0] != known.operands[0]:
        return None
    of, to = (COMPARISONS[each.source] for each in (asked, known))
    if asked.operands[1] == known.operands[1]:
        marks: tuple[float, ...] = (-1, 0, 1)
        bound, other = 0.0, 0.0
    else:
        ends = [term_value(each.operands[1]) for each in (asked, known)]
        if any(isinstance(end, bool) or not isinstance(end, int | float) for end in ends):
            return None
        bound, other = ends
        marks = (min(ends) - 1, bound, (bound + other) / 2, other, max(ends) + 1)
    found = {of(mark, bound) for mark in marks if to(mark, other) is holds}
    return found.pop() if len(found) == 1 else None


def is_comparison(atom: Atom | None) -> TypeGuard[Written]:
    return isinstance(atom, Written) and len(atom.operands) == 2 and atom.source in COMPARISONS


def decided(term: Term, given: Term, outcome: bool) -> Term:
    """A term without the conditional expressions that a condition decides."""

    def fold(atom: Atom) -> Term | None:
        if not isinstance(atom, Written) or not is_conditional(atom):
            return None
        taken = follows(atom.operands[1], given, outcome)
        return None if taken is None else decided(atom.operands[0 if taken else 2], given, outcome)

    return folded(term.substitute(fold))


def under(term: Term, given: Term, outcome: bool) -> Term:
    """What a term is where a condition has turned out so, names of one value replaced by it."""
    worth: dict[Atom, Term] = {}
    for fact, holds in facts(given, outcome):
        atom = only_atom(fact)
        if is_comparison(atom) and atom.source == ("{0} == {1}" if holds else "{0} != {1}"):
            place, value = only_atom(atom.operands[0]), atom.operands[1]
            if isinstance(place, Place) and value.constant is not None:
                worth[place] = value
    return unrounded(decided(term, given, outcome).substitute(worth.get)) if worth else decided(term, given, outcome)


def unrounded(term: Term) -> Term:
    """A term without the rounding of what is whole anyway."""

    def whole(atom: Atom) -> Term | None:
        rounds = isinstance(atom, Written) and atom.source in ROUNDING
        return counted(atom.operands[0]) if rounds else None  # type: ignore[union-attr]

    return term.substitute(whole)


def counted(term: Term) -> Term | None:
    """The sum of products of sizes that a term is, None for one that may not be whole."""
    total = Term({})
    for monomial, coefficient in term.parts.items():
        product = Term.of(coefficient)
        for atom in monomial:
            factor: Term | None = Term.atom(atom) if is_size(atom) else None
            if isinstance(atom, Written) and atom.source in FOLDED and "/" not in atom.source:
                sides = [counted(operand) for operand in atom.operands]
                factor = None if None in sides else computed(atom.source, *sides)  # type: ignore[arg-type]
            if factor is None:
                return None
            product = product * factor
        total = total + product
    return total


def computed(source: str, left: Term, right: Term) -> Term | None:
    """A sum, difference or product of sizes."""
    return {"{0} + {1}": left + right, "{0} - {1}": left - right, "{0} * {1}": left * right}.get(source)


def is_size(atom: Atom) -> bool:
    return isinstance(atom, Floor) or (isinstance(atom, Place) and atom.kind in ("input", "join", "call", "exposed"))
