"""What the symbolic sizes of a network must fulfil, in words and with the places that ask for it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from math import gcd

from netc.diagnostics import Diagnostic, Label, Span
from netc.record import Record
from netc.terms import Dim, Relation, Symbol, Term

LIMIT = 2048
"""Sizes up to here are tried; a bound or a divisor beyond it is said as it was recorded."""
FAR = 65_536
"""Where no size up to the limit passes, sizes up to here are tried before it is called an error."""

Constraint = tuple[Relation, Span]
"""What a rule needed of sizes, and the place in the text where it did."""


class Requirement(Record, eq=True):
    """What some symbols alike, or several together, must be: `H and W must be divisible by 4`.

    `reasons` are the constraints that it comes from, none of which follows from the others, each in words of its own.
    """

    text: str
    reasons: tuple[tuple[str, Span], ...]

    def lines(self) -> Iterator[str]:
        """The requirement with its reasons, the only one in the same line."""
        if len(self.reasons) == 1:
            yield f"{self.text}, because of {place(self.reasons[0][1])}"
            return
        yield self.text
        yield from (f"  {text}, because of {place(span)}" for text, span in self.reasons)


def place(span: Span) -> str:
    return f"`{span.text.splitlines()[0].strip()}` at {span}"


def requirements(constraints: Iterable[Constraint]) -> list[Requirement]:
    """What each symbol alone must be, symbols alike taken together; then what several must be to each other."""
    alone, between = sorted_out(constraints)
    alike: dict[tuple[str, tuple[tuple[str, Span], ...]], list[str]] = {}
    for name, found in alone.items():
        described = describe([relation for relation, _ in found])
        if described is not None:
            reasons = ((words(describe([r]) or [str(r)]), span) for r, span in binding(found))
            alike.setdefault((words(described), tuple(reasons)), []).append(name)
    result = [Requirement(f"{words(names)} must be {text}", reasons) for (text, reasons), names in alike.items()]
    for relation, span in between:
        text = f"{relation.left} must be {OPERATORS[relation.operator]} {relation.right}"
        result.append(Requirement(text, ((text, span),)))
    return result


OPERATORS = {"==": "equal to", ">=": "at least"}


def words(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1])] * (len(items) > 1) + list(items[-1:]))


def sorted_out(constraints: Iterable[Constraint]) -> tuple[dict[str, list[Constraint]], list[Constraint]]:
    """The constraints of each symbol alone, and those between symbols, each once."""
    alone: dict[str, dict[Hashable, Constraint]] = {}
    between: dict[Hashable, Constraint] = {}
    for relation, span in constraints:
        names = sorted(set(symbols(relation)))
        found = alone.setdefault(names[0], {}) if len(names) == 1 else between
        found.setdefault((relation.operator, *apart(relation)), (relation, span))
    return {name: list(found.values()) for name, found in alone.items()}, list(between.values())


def apart(relation: Relation) -> tuple[Term, int]:
    """By which term and which number the sides differ: the same for `H == 2 * W + 1` and `4 * W + 2 == 2 * H`."""
    difference = Term.of(relation.left) - relation.right
    offset = difference.parts.get((), 0)
    rest = difference - offset
    shared = gcd(offset, *rest.parts.values()) or 1
    rest, offset = rest // shared, offset // shared
    return (-rest, -offset) if relation.operator == "==" and str(rest) < str(-rest) else (rest, offset)


def symbols(relation: Relation) -> Iterator[str]:
    for side in (relation.left, relation.right):
        yield from (atom.name for atom in Term.of(side).atoms() if isinstance(atom, Symbol))


def describe(relations: Sequence[Relation]) -> list[str] | None:
    """A lower bound and a divisor, where the sizes that pass are just those; else the relations themselves.

    None where every size passes.
    """
    sizes = passing(relations, LIMIT)
    if len(sizes) < 2:
        return [str(sizes[0])] if sizes else [f"above {LIMIT}"]
    first, step = sizes[0], sizes[1] - sizes[0]
    if sizes != list(range(first, LIMIT + 1, step)):
        return [f"such that {words(list(dict.fromkeys(map(str, relations))))}"]
    found = [f"at least {first}"] if first > step or (step == 1 and first > 1) else []
    if step > 1:
        found.append(f"divisible by {step}" if first % step == 0 else f"{first % step} more than a multiple of {step}")
    return found or None


def passing(relations: Sequence[Relation], limit: int, start: int = 1) -> list[int]:
    return [size for size in range(start, limit + 1) if all(holds(relation, size) for relation in relations)]


def binding(constraints: Sequence[Constraint]) -> list[Constraint]:
    """Constraints of one symbol from which the others follow; of alike ones the last, which is the deepest."""
    sizes = passing([relation for relation, _ in constraints], LIMIT)
    first, second = (sizes[0], sizes[1]) if len(sizes) > 1 else (LIMIT // 2, LIMIT)
    limit = min(LIMIT, first + 2 * (second - first))
    allowed = {size for size in sizes if size <= limit}
    kept = list(constraints)
    for constraint in constraints:
        others = [relation for relation, _ in kept if relation is not constraint[0]]
        if set(passing(others, limit)) == allowed:
            kept = [other for other in kept if other is not constraint]
    return kept


def holds(relation: Relation, size: int | Mapping[str, int]) -> bool:
    """Whether a relation is true of the sizes of its symbols; one number stands for all of them."""
    try:
        left, right = (evaluate(side, size) for side in (relation.left, relation.right))
    except ZeroDivisionError:
        return False
    return left == right if relation.operator == "==" else left >= right


def evaluate(side: Dim, size: int | Mapping[str, int]) -> int:
    if not isinstance(side, Term):
        return int(side)
    if isinstance(size, int):
        return side.evaluate(lambda _: size)
    return side.evaluate(lambda atom: size[atom.label])


# ---- sizes that no input can have -----------------------------------------------------------------


def contradictions(constraints: Iterable[Constraint]) -> Iterator[Diagnostic]:
    """An error for symbols that cannot be two sizes apart, and for each symbol (or several alike) that no size fits."""
    alone, between = sorted_out(constraints)
    equal = [constraint for constraint in between if constraint[0].operator == "=="]
    known: dict[Term, tuple[int, Constraint]] = {}
    told: set[str] = set()
    for constraint in equal:
        difference, offset = apart(constraint[0])
        other = known.setdefault(difference, (offset, constraint))
        if other[0] != offset:
            told |= {*symbols(constraint[0])}
            listed = words([f"`{name}`" for name in sorted({*symbols(constraint[0])})])
            yield impossible(f"no sizes {listed} pass through this net", [other[1], constraint])
    for names in same_size(alone, equal):
        joined = [constraint for constraint in equal if names.issuperset(symbols(constraint[0]))]
        found = [constraint for name in sorted(names) for constraint in alone.get(name, ())]
        relations = [relation for relation, _ in (*found, *joined)]
        if not names & told and not passing(relations, LIMIT) and not passing(relations, FAR, LIMIT):
            listed = words([f"`{name}`" for name in sorted(names)])
            text = f"no size {listed} passes" if len(names) == 1 else f"no size that is both {listed} passes"
            yield impossible(f"{text} through this net", [*joined, *minimal(found)])


def same_size(alone: Mapping[str, object], equal: Sequence[Constraint]) -> list[set[str]]:
    """The symbols in groups: those that must be equal stand together."""
    groups = [{name} for name in alone]
    for relation, _ in equal:
        difference, offset = apart(relation)
        plain = all(len(atoms) == 1 and isinstance(atoms[0], Symbol) for atoms in difference.parts)
        if not offset and plain and sorted(difference.parts.values()) == [-1, 1]:
            joined = set(symbols(relation))
            for group in [group for group in groups if group & joined]:
                groups.remove(group)
                joined |= group
            groups.append(joined)
    return groups


def minimal(constraints: Sequence[Constraint]) -> list[Constraint]:
    """A few of the constraints that no size meets all of."""
    kept = list(constraints)
    for constraint in constraints:
        others = [other for other in kept if other is not constraint]
        if others and not passing([relation for relation, _ in others], LIMIT):
            kept = others
    return kept


def impossible(text: str, constraints: Sequence[Constraint]) -> Diagnostic:
    labels = [Label(span, f"needs {needed(relation)}") for relation, span in constraints]
    help = "change one of these layers, or give that dimension of the `input` a number to see what it does"
    return Diagnostic("E0606", text, labels[-1], tuple(labels[:-1]), help=help)


def needed(relation: Relation) -> str:
    names = sorted(set(symbols(relation)))
    described = describe([relation]) if len(names) == 1 else None
    if described is not None and not described[0].startswith("such that"):
        return f"{names[0]} to be {words(described)}"
    return f"{relation.left} to be {OPERATORS[relation.operator]} {relation.right}"
