"""Terms that can be decided: conditions about numbers alone, conditional expressions with one side left."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from netc.terms import Atom, Floor, Term, Written, written

COMPARISONS: dict[str, Callable[..., bool]] = {
    "{0} is not None": lambda value: value is not None,
    "{0} is None": lambda value: value is None,
    "{0} == {1}": operator.eq,
    "{0} != {1}": operator.ne,
    "{0} < {1}": operator.lt,
    "{0} <= {1}": operator.le,
    "{0} > {1}": operator.gt,
    "{0} >= {1}": operator.ge,
}


def folded(term: Term) -> Term:
    """Conditional expressions whose condition is about numbers replaced by the side that it takes."""

    def fold(atom: Atom) -> Term | None:
        if isinstance(atom, Written) and is_conditional(atom):
            outcome = verdict(atom.operands[1])
            return same_question(atom) if outcome is None else folded(atom.operands[0 if outcome else 2])
        if isinstance(atom, Written) and atom.source in ("{0} and {1}", "{0} or {1}"):
            left, right = verdict(atom.operands[0]), verdict(atom.operands[1])
            neutral = atom.source == "{0} and {1}"
            if left is neutral:
                return folded(atom.operands[1])
            if right is neutral and left is None:
                return folded(atom.operands[0])
        return None

    return term.substitute(fold)


def spoken(term: Term, value: Term, name: Term) -> Term:
    """A term with a name for what is worth a value: the whole of it, a multiple, or one summand."""
    if value.parts and value.parts.keys() <= term.parts.keys():
        times = {term.parts[monomial] / count for monomial, count in value.parts.items()}
        if len(times) == 1 and (whole := times.pop()).is_integer():
            return name * int(whole) + (term - value * int(whole))

    def within(atom: Atom) -> Term | None:
        if not isinstance(atom, Floor | Written):
            return None
        inner = tuple(spoken(child, value, name) for child in atom.children())
        if inner == atom.children():
            return Term.atom(atom)
        if isinstance(atom, Floor):
            return Term.atom(Floor(inner[0], inner[1], atom.exact))
        return Term.atom(Written(atom.source, inner, atom.level, atom.needs, atom.requires))

    return term.substitute(within)


def same_question(atom: Written) -> Term:
    """`a if p else b if p else c` without the second question."""
    then, condition, otherwise = (folded(operand) for operand in atom.operands)
    inner, other = only_atom(then), only_atom(otherwise)
    if isinstance(inner, Written) and is_conditional(inner) and inner.operands[1] == condition:
        then = inner.operands[0]
    if isinstance(other, Written) and is_conditional(other) and other.operands[1] == condition:
        otherwise = other.operands[2]
    parts = (then, condition, otherwise)
    return then if then == otherwise else written(atom.source, parts, atom.level, atom.needs, atom.requires)


def subtracts(term: Term) -> bool:
    """Whether a term may come to less than nothing."""
    minus = any(isinstance(atom, Written) and atom.source == "{0} - {1}" for atom in term.atoms())
    return minus or any(coefficient < 0 for coefficient in term.parts.values())


def is_conditional(atom: Atom) -> bool:
    return isinstance(atom, Written) and atom.source == "{0} if {1} else {2}"


def verdict(condition: Term) -> bool | None:
    """What a condition comes to, if it is about numbers alone."""
    atom = only_atom(condition)
    if condition.constant is not None:
        return bool(condition.constant)
    if not isinstance(atom, Written):
        return None
    if not atom.operands:
        return None if (value := written_value(atom)) is ... else bool(value)
    if atom.source == "not {0}":
        inner = verdict(atom.operands[0])
        return None if inner is None else not inner
    if atom.source in ("{0} and {1}", "{0} or {1}"):
        sides = [verdict(operand) for operand in atom.operands]
        decisive = atom.source == "{0} or {1}"
        return decisive if decisive in sides else None if None in sides else not decisive
    compare = COMPARISONS.get(atom.source)
    if compare is None:
        return None
    if len(atom.operands) == 2 and atom.operands[0] == atom.operands[1]:
        return compare(0, 0)
    values = [term_value(operand) for operand in atom.operands]
    try:
        return None if ... in values else bool(compare(*values))
    except TypeError:
        return None


def term_value(term: Term) -> Any:
    """What a settled term is worth, `...` for one that is not."""
    if term.constant is not None:
        return term.constant
    atom = only_atom(term)
    return written_value(atom) if isinstance(atom, Written) and not atom.operands else ...


def written_value(atom: Written) -> Any:
    try:
        return ast.literal_eval(str(atom))
    except (ValueError, SyntaxError):
        return ...


def only_atom(term: Term) -> Atom | None:
    if len(term.parts) != 1:
        return None
    ((monomial, coefficient),) = term.parts.items()
    return monomial[0] if len(monomial) == 1 and coefficient == 1 else None
