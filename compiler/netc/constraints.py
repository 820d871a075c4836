"""What the symbolic sizes of a network must fulfil, said as a person would: `H >= 32, H % 32 == 0`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from netc.terms import Relation, Symbol, Term

LIMIT = 2048  # sizes up to here are tried; a bound or a divisor beyond it is said as it was recorded


def requirements(relations: Iterable[Relation]) -> list[str]:
    """The constraints of each symbol alone in short, then those between symbols."""
    alone: dict[str, list[Relation]] = {}
    between: dict[str, None] = {}
    for relation in relations:
        names = sorted(set(symbols(relation)))
        if len(names) == 1:
            alone.setdefault(names[0], []).append(relation)
        else:
            between[str(relation)] = None
    return [text for name, found in alone.items() for text in describe(name, found)] + list(between)


def symbols(relation: Relation) -> Iterator[str]:
    for side in (relation.left, relation.right):
        yield from (atom.name for atom in Term.of(side).atoms() if isinstance(atom, Symbol))


def describe(name: str, relations: Sequence[Relation]) -> list[str]:
    """A lower bound and a divisor, where the sizes that pass are just those; else the relations themselves."""
    sizes = [size for size in range(1, LIMIT + 1) if all(holds(relation, size) for relation in relations)]
    if len(sizes) < 2:
        return [f"{name} == {sizes[0]}"] if sizes else [f"no size {name} up to {LIMIT} passes"]
    first, step = sizes[0], sizes[1] - sizes[0]
    if sizes != list(range(first, LIMIT + 1, step)):
        return list(dict.fromkeys(map(str, relations)))
    found = [f"{name} >= {first}"] if first > step or (step == 1 and first > 1) else []
    return found + ([f"{name} % {step} == {first % step}"] if step > 1 else [])


def holds(relation: Relation, size: int) -> bool:
    """Whether a relation about one symbol is true of a size."""
    left, right = (Term.of(side).evaluate(lambda _: size) for side in (relation.left, relation.right))
    return left == right if relation.operator == "==" else left >= right
