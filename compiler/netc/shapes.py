"""What flows through a network: the shape, kind and channel axis of a value, and arithmetic on sizes.

A size is an int, or a `Term` over symbols that only a run decides (`H`, the batch `N`). Rules ask `same`, `at_least`
and `divisible` rather than comparing: what cannot be decided for a symbol is assumed and written into its ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import gcd, isqrt
from typing import Literal

from netc.terms import Dim, Floor, Known, Relation, Symbol, Term

Kind = Literal["float", "int", "bool"]
KINDS: tuple[Kind, ...] = ("float", "int", "bool")
BATCH = "N"
"""The symbol of the batch in every shape."""
_BATCH = Term.atom(Symbol(BATCH))
Shape = tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor as the compiler knows it.

    `shape` counts the batch; `channel` is the dimension that holds the channels, None when unknown. Integers that say
    where a pooling found its maxima are indices `among` the places of these sizes.
    """

    shape: Shape
    kind: Kind = "float"
    channel: int | None = 1
    among: Shape | None = field(default=None, compare=False)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def batch(self) -> int:
        """The dimension that holds the batch: 0 unless it is seen elsewhere, as in a sequence (T, N, C)."""
        return next((i for i, size in enumerate(self.shape) if is_batch(size)), 0)

    @property
    def spatial(self) -> tuple[int, ...]:
        """The dimensions that are neither the batch nor the channels."""
        taken = (self.batch, self.channel)
        return tuple(i for i in range(self.rank) if i not in taken)

    def with_shape(self, shape: Iterable[Dim]) -> Value:
        """The same kind and channel axis, another shape."""
        return Value(tuple(shape), self.kind, self.channel, self.among)

    def with_dim(self, axis: int, size: Dim) -> Value:
        """The same value with one dimension changed."""
        axis %= self.rank
        return self.with_shape((*self.shape[:axis], size, *self.shape[axis + 1 :]))

    def __str__(self) -> str:
        return show_shape(self.shape) + ("" if self.kind == "float" else f" {self.kind}")


def is_batch(size: Dim) -> bool:
    """Whether a size is the batch's, as an input brings it."""
    return isinstance(size, Term) and size == _BATCH


def show_dim(size: Dim) -> str:
    """A size as messages show it: a number where there is one."""
    return str(size) if isinstance(size, Term) else str(int(size))


def show_shape(shape: Iterable[Dim]) -> str:
    sizes = [show_dim(size) for size in shape]
    return f"({', '.join(sizes)},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def same(a: Dim, b: Dim) -> bool:
    """False only if the sizes differ for certain; an open question is recorded as a constraint."""
    if isinstance(a, int) and isinstance(b, int):
        return int(a) == int(b)
    difference = Term.of(_plain(a)) - _plain(b)
    if difference.constant is not None:
        return difference.constant == 0
    if (least := lower_bound(difference)) is not None and least > 0:
        return False
    if (least := lower_bound(-difference)) is not None and least > 0:
        return False
    return _assume(Relation(a, "==", b))


def at_least(a: Dim, bound: Dim) -> bool:
    """False only if `a < bound` for certain."""
    if isinstance(a, int) and isinstance(bound, int):
        return int(a) >= int(bound)
    difference = Term.of(_plain(a)) - _plain(bound)
    if difference.constant is not None:
        return difference.constant >= 0
    lower = lower_bound(difference)
    if lower is not None and lower >= 0:
        return True
    upper = lower_bound(-difference)
    if upper is not None and upper > 0:
        return False
    return _assume(Relation(a, ">=", bound))


def divisible(a: Dim, by: Dim) -> bool:
    """False only if `by` does not divide `a` for certain."""
    if isinstance(a, int) and isinstance(by, int):
        return int(a) % int(by) == 0
    term, divisor = Term.of(_plain(a)), Term.of(_plain(by))
    number = divisor.constant
    if number is not None and all(c % number == 0 for c in term.parts.values()):
        return True
    if number is not None and term.constant is not None:
        return term.constant % number == 0
    return _assume(Relation(term // divisor * divisor, "==", a))


TRIED = 100_000
"""Up to which number divisors are looked for, so that a size beyond all bounds is answered at once."""


def nearest_divisors(number: Dim, sizes: Iterable[Dim]) -> str:
    """The common divisors next to a number: `4 or 8`."""
    known = [int(size) for size in sizes if isinstance(size, int)]
    if isinstance(number, Term) or not known:
        return "1"
    shared = gcd(*known)
    small = [d for d in range(1, min(isqrt(shared), TRIED) + 1) if shared % d == 0]
    common = sorted({*small, *(shared // d for d in small)})
    below = [d for d in common if d < number][-1:]
    above = [d for d in common if d > number][:1]
    return " or ".join(str(d) for d in below + above)


def minimum(a: Dim, b: Dim) -> Dim:
    """The smaller size where that can be told; the first otherwise recorded as the smaller one."""
    if isinstance(a, int) and isinstance(b, int):
        return a if int(a) <= int(b) else b
    gap = lower_bound(_gap(a, b))
    if gap is not None and gap >= 0:
        return a
    gap = lower_bound(_gap(b, a))
    if gap is not None and gap >= 0:
        return b
    _assume(Relation(b, ">=", a))
    return a


def ceil_divide(a: Dim, by: Dim) -> Dim:
    """`a / by` rounded up."""
    return (a + by - 1) // by


def product(sizes: Iterable[Dim]) -> Dim:
    result: Dim = 1
    for size in sizes:
        result = result * size
    return result


def lower_bound(term: Term) -> int | None:
    """The least value that the term can have when every symbol is at least 1, or None when it has none."""
    total = 0
    for monomial, coefficient in term.parts.items():
        if not monomial:
            total += coefficient
            continue
        if coefficient < 0:
            return None
        least = 1
        for atom in monomial:
            bound = _atom_bound(atom)
            if bound is None or bound < 0:
                return None
            least *= bound
        total += coefficient * least
    return total


def _atom_bound(atom: object) -> int | None:
    if isinstance(atom, Symbol):
        return 1
    if isinstance(atom, Floor):
        top, by = lower_bound(atom.numerator), atom.denominator.constant
        return None if top is None or by is None or by <= 0 else top // by
    return None


def _gap(a: Dim, b: Dim) -> Term:
    """`b - a`, or the difference of the numerators where both are floors over the same number (plus a constant)."""
    gap = Term.of(_plain(b)) - _plain(a)
    floors = [(m[0], c) for m, c in gap.parts.items() if len(m) == 1 and isinstance(m[0], Floor)]
    if len(floors) == 2 and {c for _, c in floors} == {1, -1}:
        (first, c), (second, _) = floors
        assert isinstance(first, Floor) and isinstance(second, Floor)
        if first.denominator == second.denominator:
            big, small = (first, second) if c == 1 else (second, first)
            rest = gap - Term.atom(big) + Term.atom(small)
            inner = lower_bound(big.numerator - small.numerator)
            if inner is not None and inner >= 0:
                return rest
    return gap


def _plain(size: Dim) -> Dim:
    return int(size) if isinstance(size, Known) else size


def _assume(relation: Relation) -> bool:
    for side in (relation.left, relation.right):
        for atom in Term.of(side).atoms():
            if isinstance(atom, Symbol) and atom.ledger is not None:
                atom.ledger.assume(relation)
                return True
    return True
