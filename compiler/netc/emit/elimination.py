"""Places eliminated: what blocks return, what guards and loops leave, in the words of one class."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from netc import syntax
from netc.diagnostics import Span
from netc.graph import Guard, Joined, Loop, Network, Template, Use
from netc.shapes import Value
from netc.terms import ATOM, OR, TERNARY, Atom, Place, Term, Written, written

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


class Freeze(Exception):
    """Parameters of the net that select parts never seen must keep their values."""

    def __init__(self, names: frozenset[str]):
        super().__init__(", ".join(sorted(names)))
        self.names = names


class Inexpressible(Exception):
    """Something for which no source could be found, and its place in the spec where that is known."""

    def __init__(self, message: str, span: Span | None = None):
        super().__init__(message)
        self.span = span


@dataclass
class Plan:
    """What a class turned out to need: parameters beyond its own, variables for running sizes, parameters in use."""

    lifted: dict[Place, str] = field(default_factory=dict)
    running: dict[tuple[Any, Any], str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    requires: dict[Any, None] = field(default_factory=dict)
    exposed: dict[tuple[int, int], str] = field(default_factory=dict)
    hoisted: dict[Any, str] = field(default_factory=dict)
    current: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    renamed: dict[tuple[Any, Any], str] = field(default_factory=dict)


class Elimination:
    """Normalises terms over parameters, locals, inputs and running sizes."""

    def constant(self, template: Template, name: str) -> Term | None:
        """The value of a parameter that emitted code need not have."""
        raise NotImplementedError

    def single_value(self, template: Template, name: str) -> Term | None:
        """The one constant that a parameter has in every use, or None."""
        raise NotImplementedError

    def taint(self, template: Template, term: Term) -> frozenset[str]:
        """The parameters of the net that a term depends on."""
        raise NotImplementedError

    def __init__(self, network: Network, frozen: frozenset[str] = frozenset()):
        self.network = network
        self.frozen = frozen
        self.plans: dict[Template, Plan] = {}
        self._normal: dict[tuple[Template, Atom, frozenset[Any]], Term | None] = {}
        self._visiting: set[tuple[Template, Atom]] = set()
        self._deciding: set[Guard] = set()  # a size that a condition reads may itself come from that condition
        self._constants: dict[tuple[Template, str], Term | None] = {}

    def plan(self, template: Template) -> Plan:
        return self.plans.setdefault(template, Plan())

    def normalise(self, template: Template, term: Term) -> Term:
        """The term over parameters, locals, inputs and running sizes only."""
        if term.constant is not None:
            return term
        return term.substitute(lambda atom: self._normal_atom(template, atom))

    def _normal_atom(self, template: Template, atom: Atom) -> Term | None:
        if not isinstance(atom, Place):
            return None
        key = (template, atom)
        if key in self._visiting:
            return Term.atom(atom)
        known = (template, atom, frozenset(self._visiting))
        if known not in self._normal:
            with self._assuming(key) if atom.kind == "join" and atom.key[0] != "after" else nullcontext():
                self._normal[known] = self._eliminate(template, atom)
        return self._normal[known]

    @contextmanager
    def _assuming(self, key: tuple[Template, Atom]) -> Iterator[None]:
        """While a place is looked into, it stands for itself: so a loop is followed once around."""
        fresh = key not in self._visiting
        self._visiting.add(key)
        try:
            yield
        finally:
            if fresh:
                self._visiting.discard(key)

    def _eliminate(self, template: Template, place: Place) -> Term | None:
        if place.kind == "name":
            return self._name(template, place)
        if place.kind == "call":
            return self._returned(self.home(template, place), place)
        if place.kind == "join":
            return self._joined(self.home(template, place), place)
        return None

    def home(self, template: Template, place: Place) -> Template:
        """The template in whose text a place stands: this one or one around it."""
        owner = place.owner
        found: Template | None = template
        while found is not None:
            if owner is found or owner in found.sites or owner in found.terms or owner in found.locals:
                return found
            if any(node is owner for node, _ in found.joins):
                return found
            found = found.parent
        return template

    def _name(self, template: Template, place: Place) -> Term | None:
        home = self.home(template, place)
        if isinstance(place.owner, Template):
            return self.constant(place.owner, str(place.key))
        bound = home.locals.get(place.owner, {}).get(str(place.key))
        return self.normalise(home, bound) if bound is not None else None

    def _returned(self, template: Template, place: Place) -> Term | None:
        """A size of what a block gives back, in the words of the caller."""
        use = template.sites.get(place.owner)
        if not isinstance(use, Use) or use.template is None:
            return None
        index, axis = place.key
        value = list(values_in(use.inner))[index]
        inner = self.summary(use.template, Term.of(value.shape[axis]))
        outward = all(self._is_outward(use.template, atom) for atom in inner.atoms() if isinstance(atom, Place))
        if outward and not any(map(is_conditional, inner.atoms())):
            return self.normalise(template, self.in_caller(use, inner))
        told = self.normalise(template, self.in_caller(use, inner)) if outward else None
        if told is not None and not any(map(is_conditional, told.atoms())):
            return told
        self.plan(use.template).exposed[(index, axis)] = f"out_{axis_name(value, axis)}"
        return Term.atom(Place("exposed", place.owner, place.key))

    def _is_outward(self, template: Template, place: Place) -> bool:
        """Whether who uses a block can tell a place: a parameter or an input, its own or of a block around it."""
        home: Template | None = template
        while home is not None:
            if place.owner is home and place.kind in ("name", "input"):
                return True
            home = home.parent
        return template.parent is not None and self.home(template, place) is not template

    def summary(self, template: Template, term: Term) -> Term:
        """A term of a block over its parameters and inputs alone, locals written out."""

        def inline(atom: Atom) -> Term | None:
            if isinstance(atom, Place) and atom.kind == "name" and isinstance(atom.owner, syntax.Assign):
                definition = template.terms.get(atom.owner)
                if definition is not None and atom.owner.target.name is not None and atom.owner.when is None:
                    return self.summary(template, definition)
            return None

        return self.normalise(template, term).substitute(inline).substitute(lambda atom: self._ternary(template, atom))

    def _ternary(self, template: Template, atom: Atom) -> Term | None:
        """A size after a guard that both ways are taken of, as a conditional expression."""
        if not isinstance(atom, Place) or atom.kind != "join" or self.home(template, atom) is not template:
            return None
        joined, (condition, taken, skipped) = template.joins[(atom.owner, atom.key)], self._sides(atom.owner)
        guard = template.sites.get(condition) if condition is not None else None
        terms = self.ways(template, atom.owner, joined)
        if not isinstance(guard, Guard) or set(terms) != {taken, skipped}:
            return None
        parts = (terms[taken], guard.condition, terms[skipped])
        operands = tuple(self.summary(template, part) for part in parts)
        return written("{0} if {1} else {2}", operands, TERNARY, (OR, OR, TERNARY))

    def in_caller(self, use: Use, term: Term) -> Term:
        """Parameters and inputs of a block replaced by what a use of it gives them."""
        callee = use.template
        assert callee is not None

        def supply(atom: Atom) -> Term | None:
            if not isinstance(atom, Place) or atom.owner is not callee:
                return None
            if atom.kind == "name":
                return use.values.get(str(atom.key)) or self.argument(use, str(atom.key))
            operand, axis = atom.key
            return Term.of(self.operand(use, operand).shape[axis])

        return folded(term.substitute(supply))

    def argument(self, use: Use, name: str) -> Term:
        """What a use of a block gives for a parameter: the argument, or the default."""
        assert use.template is not None
        if name in use.bindings:
            return use.bindings[name]
        default = use.template.parameters[name].default
        return self.in_caller(use, default) if default is not None else Term({})

    def operand(self, use: Use, operand: str) -> Value:
        if operand in use.tensors:
            return use.tensors[operand]
        return use.inputs[0 if operand == "x" else int(operand[1:]) - 1]

    def _joined(self, template: Template, place: Place) -> Term | None:
        joined = template.joins.get((place.owner, place.key))
        if joined is None or joined.parts:
            return None
        node = place.owner
        if isinstance(template.sites.get(node), Loop):
            return self._looped(template, place, joined)
        terms = {outcome: self.normalise(template, term) for outcome, term in self.ways(template, node, joined).items()}
        if len(set(terms.values())) == 1:
            return next(iter(terms.values()))
        return self._implied(template, node, terms)

    def _implied(self, template: Template, node: Any, terms: dict[int, Term]) -> Term | None:
        """One term for both ways, where the condition says that the two are equal."""
        condition, taken, skipped = self._sides(node)
        guard = template.sites.get(condition) if condition is not None else None
        if not isinstance(guard, Guard) or set(terms) != {taken, skipped}:
            return None
        for outcome, keep in ((False, terms[taken]), (True, terms[skipped])):
            for pair in guard.equal.get(outcome, ()):
                if {self.normalise(template, side) for side in pair} == set(terms.values()):
                    return keep
        return None

    def ways(self, template: Template, node: Any, joined: Joined) -> dict[int, Term]:
        """What a size is for each way that emitted code may take, ways that were never taken included."""
        if not set(joined.unseen) - set(joined.terms):
            return joined.terms
        condition, _, _ = self._sides(node)
        guard = template.sites.get(condition) if condition is not None else None
        if not isinstance(guard, Guard) or self.decided(template, guard) is not None:
            return joined.terms
        return {**joined.unseen, **joined.terms}

    def decided(self, template: Template, guard: Guard) -> bool | None:
        """The outcome of a condition that no kept parameter of the net can change."""
        if len(guard.outcomes) == 2 or guard in self._deciding:
            return None
        (outcome,) = guard.outcomes
        self._deciding.add(guard)
        try:
            if not self.taint(template, guard.condition):
                return outcome
            return verdict(self.known(template, guard.condition))
        finally:
            self._deciding.discard(guard)

    def known(self, template: Template, term: Term) -> Term:
        """A term with the values of all parameters that have one only."""

        def supply(atom: Atom) -> Term | None:
            if isinstance(atom, Place) and atom.kind == "name" and isinstance(atom.owner, Template):
                return self.single_value(atom.owner, str(atom.key))
            return None

        return folded(self.summary(template, term).substitute(supply))

    def _sides(self, node: Any) -> tuple[syntax.Expr | None, int, int]:
        if isinstance(node, syntax.Flow):
            return node.when, 1, 0
        if isinstance(node, syntax.IfElse):
            return node.condition, 1, 0
        if isinstance(node, syntax.If) and len(node.branches) == 1:
            return node.branches[0][0], 0, 1
        return None, 0, 0

    def _looped(self, template: Template, place: Place, joined: Joined) -> Term | None:
        """A size at the head of a loop, or after it."""
        name = place.key[0]
        if name == "after":
            head = next(iter(joined.terms.values()))
            return self._after(template, place, head)
        entry = joined.terms.get(0)
        if entry is None:
            return None
        back = joined.terms.get(1)
        first = self.normalise(template, entry)
        if back is None or self.normalise(template, back) in (Term.atom(place), first):
            return first
        return self._affine(template, place, joined)

    def step(self, template: Template, place: Place, joined: Joined) -> Term | None:
        """What one turn of the loop adds, if it is the same each time."""
        back = joined.terms.get(1)
        if back is None:
            return None
        with self._assuming((template, place)):
            step = self.normalise(template, back) - Term.atom(place)
        for atom in step.atoms():
            if isinstance(atom, Place) and not (atom.kind == "input" or isinstance(atom.owner, Template)):
                return None
        return step

    def _affine(self, template: Template, place: Place, joined: Joined) -> Term | None:
        """`entry + i * step` inside `for i in range(n)`."""
        node, step = place.owner, self.step(template, place, joined)
        if step is None or not isinstance(node, syntax.For) or node.target.name is None:
            return None
        loop = template.sites[node]
        assert isinstance(loop, Loop)
        bounds = range_bounds(loop.iterable)
        if bounds is None:
            return None
        index = Term.atom(Place("name", node, node.target.name)) - bounds[0]
        return self.normalise(template, joined.terms[0]) + index * step

    def _after(self, template: Template, place: Place, head: Term) -> Term | None:
        head = self._unmoved(template, head)
        atom = only_atom(head)
        if not isinstance(atom, Place) or atom.owner is not place.owner:
            return head
        joined = template.joins[(atom.owner, atom.key)]
        step, loop = self.step(template, atom, joined), template.sites[place.owner]
        if step is None or not isinstance(loop, Loop):
            return head
        return (
            self.normalise(template, joined.terms[0]) + self.normalise(template, loop_count(place.owner, loop)) * step
        )

    def _unmoved(self, template: Template, head: Term) -> Term:
        """The head of a loop if nothing changes it, else the place itself (not its form inside the loop)."""
        atom = only_atom(head)
        assert isinstance(atom, Place)
        joined = template.joins[(atom.owner, atom.key)]
        back = joined.terms.get(1)
        if back is None:
            return self.normalise(template, joined.terms[0])
        first = self.normalise(template, joined.terms[0])
        with self._assuming((template, atom)):
            moved = self.normalise(template, back) not in (head, first)
        return head if moved else first


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


def values_in(values: Any) -> Iterator[Value]:
    if isinstance(values, Value):
        yield values
    elif isinstance(values, tuple):
        for item in values:
            yield from values_in(item)
    elif isinstance(values, dict):
        for item in values.values():
            yield from values_in(item)


def selecting(template: Template, node: Any) -> Iterator[Term]:
    """The conditions and loops that decide how many branches a fork has."""
    body = node.branches if isinstance(node, syntax.Fork) else node
    for statement in body if isinstance(body, list | tuple) else ():
        if isinstance(statement, syntax.For):
            site = template.sites.get(statement)
            if isinstance(site, Loop):
                yield site.iterable
            yield from selecting(template, statement.body)
        elif isinstance(statement, syntax.If):
            for condition, inner in statement.branches:
                guard = template.sites.get(condition)
                if isinstance(guard, Guard):
                    yield guard.condition
                yield from selecting(template, inner)
            yield from selecting(template, statement.otherwise)


def range_bounds(iterable: Term) -> tuple[Term, Term] | None:
    """Start and stop of `range(stop)` or `range(start, stop)`."""
    atom = only_atom(iterable)
    if not isinstance(atom, Written) or not atom.source.startswith("range("):
        return None
    if len(atom.operands) == 1:
        return Term({}), atom.operands[0]
    return (atom.operands[0], atom.operands[1]) if len(atom.operands) == 2 else None


def loop_count(node: Any, loop: Loop) -> Term:
    """How often a loop runs."""
    if isinstance(node, syntax.Binary):
        return loop.iterable
    bounds = range_bounds(loop.iterable)
    if bounds is not None:
        return bounds[1] - bounds[0]
    atom = only_atom(loop.iterable)
    if isinstance(atom, Written) and atom.source.startswith(("enumerate(", "reversed(", "sorted(")):
        return written("len({0})", atom.operands[:1], ATOM, 0)
    return written("len({0})", (loop.iterable,), ATOM, 0)


def axis_name(value: Value | None, axis: int) -> str:
    """What a size of an input is called as a constructor parameter."""
    if value is None or axis == value.channel:
        return "channels" if value is None or value.channel == 1 else "features"
    spatial = value.spatial
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(spatial), ())
    return names[spatial.index(axis)] if axis in spatial and names else f"size_{axis}"
