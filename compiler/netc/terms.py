"""Integers that remember how they were written: polynomials over the names and sizes of a definition.

A `Term` is a sum of products of atoms with integer coefficients. An atom is a place where an integer comes from (a
parameter, the channels of an input), a floor division, a call of a function of the language, or a size that only a
run decides (`H`). A `Known` is an `int` with the term it came from: layer rules compute with it as with any integer,
and the term goes along.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from netc.record import Record

# Atoms write their methods out, and each keeps its term: thousands are made for a spec, and looked up again and again.


class Place:
    """Where an integer of a definition comes from.

    `kind` is `name` (a parameter or local), `input` (a size of the definition's input), `size` (one that only a run
    decides), `join` (a size after a guard or around a loop) or `call` (a size of what a block returns); `owner`
    identifies the place in the text, `key` what it is called there.
    """

    __slots__ = ("_hash", "key", "kind", "owner", "term")

    def __init__(self, kind: str, owner: Any, key: Any):
        self.kind = kind
        self.owner = owner
        self.key = key
        self._hash = hash((kind, owner, key))
        self.term: Term | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Place) or self._hash != other._hash:
            return False
        return self.kind == other.kind and self.owner == other.owner and bool(self.key == other.key)

    def __hash__(self) -> int:
        return self._hash

    @property
    def label(self) -> str:
        return str(self.key)

    @property
    def runtime(self) -> bool:
        return self.kind == "size"

    def children(self) -> tuple[Term, ...]:
        return ()


class Ledger:
    """What was assumed of symbolic sizes, each relation with the place that needed it first; `place` is now at work."""

    def __init__(self, place: Any = None):
        self.place = place
        self.relations: dict[Relation, Any] = {}

    def assume(self, relation: Relation) -> None:
        self.relations.setdefault(relation, self.place)


class Relation(Record, eq=True):
    """A fact about symbolic sizes that a rule needed and could not decide: `left == right`, `left >= right`, ..."""

    left: Dim
    operator: str
    right: Dim

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


class Symbol:
    """A size that only a run decides, at least 1 (`H` of `input 3xHxW`); `ledger` gathers what was assumed of it."""

    __slots__ = ("ledger", "name", "term")

    def __init__(self, name: str, ledger: Ledger | None = None):
        self.name = name
        self.ledger = ledger
        self.term: Term | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbol) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def label(self) -> str:
        return self.name

    @property
    def runtime(self) -> bool:
        return True

    def children(self) -> tuple[Term, ...]:
        return ()


class Floor:
    """`numerator // denominator` that does not divide evenly term by term; `exact`: nothing is left over."""

    __slots__ = ("denominator", "exact", "numerator", "term")

    def __init__(self, numerator: Term, denominator: Term, exact: bool = False):
        self.numerator = numerator
        self.denominator = denominator
        self.exact = exact
        self.term: Term | None = None

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Floor) and self.numerator == other.numerator
        return same and self.denominator == other.denominator  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.numerator, self.denominator))

    @property
    def label(self) -> str:
        return str(self)

    @property
    def runtime(self) -> bool:
        return self.numerator.runtime or self.denominator.runtime

    def children(self) -> tuple[Term, ...]:
        return (self.numerator, self.denominator)

    def __str__(self) -> str:
        return f"{print_term(self.numerator, PRODUCT)} // {print_term(self.denominator, UNARY)}"


# How tightly Python binds, loosest first: what an operand must be to stand without parentheses.
TERNARY, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, POWER, ATOM = range(1, 11)


class Written:
    """An expression kept as written: `int(w * base / 64)`.

    `source` is Python with a numbered field `{0}` for each of `operands`; `level` says how tightly it binds, `needs`
    how tightly each operand must. `requires` names what the source uses: functions of the language, constants.
    """

    __slots__ = ("_hash", "level", "needs", "operands", "requires", "source", "term")

    def __init__(
        self,
        source: str,
        operands: tuple[Term, ...] = (),
        level: int = ATOM,
        needs: tuple[int, ...] = (),
        requires: tuple[Hashable, ...] = (),
    ):
        self.source = source
        self.operands = operands
        self.level = level
        self.needs = needs
        self.requires = requires
        self._hash = hash((source, operands))
        self.term: Term | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Written) or self._hash != other._hash or self.source != other.source:
            return False
        mine, theirs = (self.operands, self.level, self.needs), (other.operands, other.level, other.needs)
        return mine == theirs and self.requires == other.requires

    def __hash__(self) -> int:
        return self._hash

    @property
    def label(self) -> str:
        return str(self)

    @property
    def runtime(self) -> bool:
        return any(operand.runtime for operand in self.operands)

    def children(self) -> tuple[Term, ...]:
        return self.operands

    def __str__(self) -> str:
        parts = [print_term(operand, need) for operand, need in zip(self.operands, self.needs, strict=True)]
        if self.source == "{0} ** {1}":
            return power(*parts)
        return _interpolated(self.source, parts) if self.source.startswith('f"') else self.source.format(*parts)


def power(base: str, exponent: str) -> str:
    """A power as the formatter writes it: without spaces between names and numbers."""
    close = all(re.fullmatch(r"-?[\w.]+", part) for part in (base, exponent))
    return f"{base}**{exponent}" if close else f"{base} ** {exponent}"


def _interpolated(source: str, parts: list[str]) -> str:
    """An f-string with its fields filled; texts are spliced in, what quotes a text takes the other quotes."""
    for i, part in enumerate(parts):
        text = part[1:-1] if len(part) > 1 and part[0] == part[-1] == '"' else part if part.isdigit() else '"'
        if '"' not in text:
            source = source.replace(f"{{{{{{{i}}}}}}}", text.replace("{", "{{{{").replace("}", "}}}}"))
    text = source.format(*(part.replace('"', "'") for part in parts))
    return text if "{" in text.replace("{{", "") else text[1:].replace("{{", "{").replace("}}", "}")


_NUMBERS: dict[int, Term] = {}
"""The terms of small numbers, which are asked for again and again."""
_LARGEST = 4096

Atom = Place | Symbol | Floor | Written
Monomial = tuple[Atom, ...]


class Term:
    """A polynomial with integer coefficients over atoms; immutable, equal when the same polynomial.

    It keeps the mapping that it is given.
    """

    __slots__ = ("_hash", "parts", "runtime")

    def __init__(self, parts: Mapping[Monomial, int]):
        if 0 in parts.values():
            parts = {monomial: coefficient for monomial, coefficient in parts.items() if coefficient}
        self.parts = parts
        self.runtime = False
        self._hash: int | None = None
        for monomial in parts:
            for atom in monomial:
                if atom.runtime:
                    self.runtime = True
                    return

    @staticmethod
    def of(value: Dim) -> Term:
        """The term of an integer, known or not."""
        if isinstance(value, Term):
            return value
        if isinstance(value, Known):
            return value.term
        term = _NUMBERS.get(value)
        if term is None:
            term = Term({(): value})
            if -_LARGEST <= value <= _LARGEST:
                _NUMBERS[value] = term
        return term

    @staticmethod
    def atom(atom: Atom) -> Term:
        """The term that an atom is by itself; made once, since most terms are asked for here."""
        term = atom.term
        if term is None:
            term = atom.term = Term.__new__(Term)
            term.parts, term.runtime, term._hash = {(atom,): 1}, atom.runtime, None
        return term

    @property
    def constant(self) -> int | None:
        """The number that it is, or None."""
        if not self.parts:
            return 0
        return self.parts.get(()) if len(self.parts) == 1 else None

    def atoms(self) -> Iterator[Atom]:
        """Every atom, those inside other atoms too."""
        for monomial in self.parts:
            for atom in monomial:
                yield atom
                for child in atom.children():
                    yield from child.atoms()

    def substitute(self, replace: Callable[[Atom], Term | None]) -> Term:
        """The term with atoms replaced; None keeps an atom and looks inside it."""
        if len(self.parts) < 2:
            if self.constant is not None:
                return self
            ((monomial, coefficient),) = self.parts.items()
            if coefficient == len(monomial) == 1:
                return _replaced(monomial[0], replace)
        result = Term({})
        for monomial, coefficient in self.parts.items():
            product = Term.of(coefficient)
            for atom in monomial:
                product = product * _replaced(atom, replace)
            result = result + product
        return result

    def evaluate(self, value_of: Callable[[Atom], int]) -> int:
        """The integer that it is when places and symbols have values."""
        total = 0
        for monomial, coefficient in self.parts.items():
            product = coefficient
            for atom in monomial:
                if isinstance(atom, Floor):
                    product *= atom.numerator.evaluate(value_of) // atom.denominator.evaluate(value_of)
                else:
                    product *= value_of(atom)
            total += product
        return total

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Term):
            if self._hash is not None and other._hash is not None and self._hash != other._hash:
                return False
            return self.parts == other.parts
        return isinstance(other, int) and self.constant == other

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.parts.items()))
        return self._hash

    def __add__(self, other: Dim) -> Term:
        parts = dict(self.parts)
        for monomial, coefficient in _operand(self, other).parts.items():
            parts[monomial] = parts.get(monomial, 0) + coefficient
        return Term(parts)

    def __neg__(self) -> Term:
        return Term({monomial: -coefficient for monomial, coefficient in self.parts.items()})

    def __sub__(self, other: Dim) -> Term:
        return self + -_operand(self, other)

    def __mul__(self, other: Dim) -> Term:
        parts: dict[Monomial, int] = {}
        for a, m in self.parts.items():
            for b, n in _operand(self, other).parts.items():
                monomial = _ordered(a + b)
                whole = _without_quotient(monomial, m * n)
                for key, count in whole.parts.items() if whole is not None else ((monomial, m * n),):
                    parts[key] = parts.get(key, 0) + count
        return Term(parts)

    def __floordiv__(self, other: Dim) -> Term:
        divisor = _operand(self, other)
        if divisor == 0:
            raise ZeroDivisionError("division by zero")
        return _floor_divide(self, divisor)

    def __radd__(self, other: Dim) -> Term:
        return _operand(self, other) + self

    def __rsub__(self, other: Dim) -> Term:
        return _operand(self, other) - self

    def __rmul__(self, other: Dim) -> Term:
        return _operand(self, other) * self

    def __rfloordiv__(self, other: Dim) -> Term:
        return _operand(self, other) // self

    def __str__(self) -> str:
        return print_term(self)

    __repr__ = __str__


class Known(int):
    """An integer with the term that a reader of the definition would write for it."""

    term: Term

    @staticmethod
    def make(value: int, term: Term) -> int:
        """A plain int where the term says nothing more."""
        if term.constant is not None:
            return int(value)
        known = Known(value)
        known.term = term
        return known

    def __add__(self, other: object) -> int:
        return _compute(self, other, "__add__")

    def __sub__(self, other: object) -> int:
        return _compute(self, other, "__sub__")

    def __mul__(self, other: object) -> int:
        return _compute(self, other, "__mul__")

    def __floordiv__(self, other: object) -> int:
        return _compute(self, other, "__floordiv__")

    def __radd__(self, other: object) -> int:
        return _compute(self, other, "__radd__")

    def __rsub__(self, other: object) -> int:
        return _compute(self, other, "__rsub__")

    def __rmul__(self, other: object) -> int:
        return _compute(self, other, "__rmul__")

    def __rfloordiv__(self, other: object) -> int:
        return _compute(self, other, "__rfloordiv__")

    def __neg__(self) -> int:
        return Known.make(-int(self), -self.term)


Dim = int | Term
FOLDED: dict[str, Callable[[int, int], int]] = {
    "{0} + {1}": operator.add, "{0} - {1}": operator.sub, "{0} * {1}": operator.mul, "{0} // {1}": operator.floordiv,
    "max({0}, {1})": max, "min({0}, {1})": min,
}  # fmt: skip
"""What is computed once numbers stand for names: `kernel // 2` with a kernel of 3."""


def _compute(known: Known, other: object, operation: str) -> int:
    if not isinstance(other, int) or isinstance(other, bool):
        return NotImplemented  # type: ignore[no-any-return]
    value: int = getattr(int, operation)(int(known), int(other))
    return Known.make(value, getattr(Term, operation)(known.term, Term.of(other)))


def _operand(term: Term, other: Dim) -> Term:
    """A size that only a run decides is shown with numbers, not with the names they were written as."""
    if isinstance(other, Known) and term.runtime:
        return Term.of(int(other))
    return Term.of(other)


def _ordered(monomial: Monomial) -> Monomial:
    return monomial if len(monomial) < 2 else tuple(sorted(monomial, key=_place_in_product))


def _place_in_product(atom: Atom) -> tuple[bool, str]:
    """Names first, sizes of inputs last: `ratio * in_features`."""
    size = isinstance(atom, Place) and atom.kind != "name"
    return size or (isinstance(atom, Written) and atom.source.startswith("in_")), atom.label


def _replaced(atom: Atom, replace: Callable[[Atom], Term | None]) -> Term:
    found = replace(atom)
    if found is not None:
        return found
    if isinstance(atom, Floor):
        quotient = atom.numerator.substitute(replace) // atom.denominator.substitute(replace)
        return _marked(quotient) if atom.exact else quotient
    if isinstance(atom, Written) and atom.operands:
        operands = tuple(child.substitute(replace) for child in atom.operands)
        entry = _entry(atom.source, operands) if operands != atom.operands else None
        if entry is not None:
            return entry
        if atom.source in FOLDED and operands != atom.operands and all(o.constant is not None for o in operands):
            left, right = (o.constant or 0 for o in operands)
            return Term({(): FOLDED[atom.source](left, right)}) if right or "/" not in atom.source else Term.atom(atom)
        return Term.atom(Written(atom.source, operands, atom.level, atom.needs, atom.requires))
    return Term.atom(atom)


def _entry(source: str, operands: tuple[Term, ...]) -> Term | None:
    """The entry of a sequence that is written out, or their number: `[1, width][1]`, `len([1, width])`."""
    if not source.startswith(("{0}[", "len({0})")) or len(operands[0].parts) != 1:
        return None
    index = operands[1].constant if source == "{0}[{1}]" else None
    if source[0] == "{" and source[4:-1].isdigit():
        index = int(source[4:-1])
    ((monomial, _),) = operands[0].parts.items()
    items = monomial[0] if len(monomial) == 1 else None
    if not isinstance(items, Written) or items.source[0] not in "[(" or " for " in items.source:
        return None
    if source == "len({0})":
        return Term({(): len(items.operands)}) if "*" not in items.source else None
    if index is None and source == "{0}[{1}]" and len(set(items.operands)) == 1:
        return items.operands[0]
    return items.operands[index] if index is not None and -len(items.operands) <= index < len(items.operands) else None


def written(
    source: str,
    operands: tuple[Term, ...] = (),
    level: int = ATOM,
    needs: tuple[int, ...] | int = 0,
    requires: tuple[Hashable, ...] = (),
) -> Term:
    """A term for source that is kept as written; one number in `needs` stands for all operands."""
    if isinstance(needs, int):
        needs = (needs,) * len(operands)
    if not operands and not requires:
        return _word(source, level)
    return Term.atom(Written(source, operands, level, needs, requires))


@lru_cache(maxsize=_LARGEST)
def _word(source: str, level: int) -> Term:
    """The term of source without operands: a name, a text, a number with a point."""
    return Term.atom(Written(source, (), level))


def divided(total: Dim, by: Dim) -> Dim:
    """`total // by` where nothing is left over, so that times `by` it is the total again."""
    quotient = total // by
    if isinstance(quotient, Term):
        return _marked(quotient)
    return Known.make(quotient, _marked(quotient.term)) if isinstance(quotient, Known) else quotient


def _marked(quotient: Term) -> Term:
    """A quotient that is known to be exact."""
    if len(quotient.parts) != 1:
        return quotient
    ((monomial, coefficient),) = quotient.parts.items()
    if len(monomial) != 1 or coefficient != 1 or not isinstance(monomial[0], Floor):
        return quotient
    return Term.atom(Floor(monomial[0].numerator, monomial[0].denominator, True))


def _without_quotient(monomial: Monomial, coefficient: int) -> Term | None:
    """What is left of `heads * (width // heads)` where the quotient is exact; None of anything else."""
    for index, atom in enumerate(monomial):
        if isinstance(atom, Floor) and atom.exact:
            rest = Term({monomial[:index] + monomial[index + 1 :]: coefficient})
            factor = _exact_quotient(rest, atom.denominator)
            if factor is not None:
                return atom.numerator * factor
    return None


def _floor_divide(term: Term, divisor: Term) -> Term:
    """Divides evenly what divides, nests `(a // b) // c` as `a // (b * c)`, and keeps the rest as a floor."""
    number = divisor.constant
    if number is None:
        exact = _exact_quotient(term, divisor)
        return exact if exact is not None else Term.atom(Floor(term, divisor))
    if number < 0:
        return _floor_divide(-term, Term({(): -number}))
    even = {m: c // number for m, c in term.parts.items() if m and c % number == 0}
    rest = {m: c for m, c in term.parts.items() if not m or c % number}
    if () in rest and len(rest) == 1:
        return Term({**even, (): rest[()] // number})
    if not rest:
        return Term(even)
    offset, rest[()] = divmod(rest.get((), 0), number)
    inner = Term(rest)
    return Term({**even, (): offset}) + _nested(inner, number)


def _nested(term: Term, number: int) -> Term:
    """`term // number` with the constant of `term` in `0 .. number - 1`."""
    atoms = [m for m in term.parts if m]
    offset = term.parts.get((), 0)
    if len(atoms) == 1 and term.parts[atoms[0]] == 1 and len(atoms[0]) == 1:
        atom = atoms[0][0]
        if isinstance(atom, Floor) and (by := atom.denominator.constant) is not None:
            return _floor_divide(atom.numerator + offset * by, Term({(): by * number}))
    return Term.atom(Floor(term, Term({(): number})))


def _exact_quotient(term: Term, divisor: Term) -> Term | None:
    """`term / divisor` where the divisor is one product that stands in every part of the term."""
    if term == divisor:
        return Term({(): 1})
    if len(divisor.parts) != 1:
        return None
    ((factor, coefficient),) = divisor.parts.items()
    parts: dict[Monomial, int] = {}
    for monomial, c in term.parts.items():
        left = list(monomial)
        for atom in factor:
            if atom not in left:
                return None
            left.remove(atom)
        if c % coefficient:
            return None
        parts[tuple(left)] = c // coefficient
    return Term(parts)


def print_term(term: Term, need: int = 0) -> str:
    """Python source, in parentheses if it binds less tightly than `need`.

    Positive parts first, in the order in which they arose, the constant last: `n - k + 1`, and `1 - k` where nothing
    else is positive.
    """
    leads = any(monomial and coefficient > 0 for monomial, coefficient in term.parts.items())
    last = 2 if leads or term.parts.get((), 0) < 0 else 0
    ordered = sorted(term.parts.items(), key=lambda part: (part[1] < 0) if part[0] else last) or [((), 0)]
    text = ""
    for monomial, coefficient in ordered:
        piece = _print_product(monomial, abs(coefficient), PRODUCT if len(ordered) > 1 else 0)
        if not text:
            text = f"-{piece}" if coefficient < 0 else piece
        else:
            text += f" - {piece}" if coefficient < 0 else f" + {piece}"
    return f"({text})" if level_of(term) < need else text


def level_of(term: Term) -> int:
    if len(term.parts) > 1:
        return SUM
    ((monomial, coefficient),) = term.parts.items() or [((), 0)]
    if coefficient < 0:
        return UNARY if abs(coefficient) == 1 and len(monomial) <= 1 else PRODUCT
    if len(monomial) + (coefficient != 1) > 1:
        return PRODUCT
    return _atom_level(monomial[0]) if monomial else ATOM


def _atom_level(atom: Atom) -> int:
    if isinstance(atom, Floor):
        return PRODUCT
    return atom.level if isinstance(atom, Written) else ATOM


def _print_product(monomial: Monomial, coefficient: int, need: int) -> str:
    factors = [str(coefficient)] if coefficient != 1 or not monomial else []
    if len(factors) + len(monomial) > 1:
        need = UNARY
    for atom in monomial:
        text = atom.label
        factors.append(f"({text})" if _atom_level(atom) < need else text)
    return " * ".join(factors)
