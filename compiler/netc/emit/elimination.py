"""Places eliminated: what blocks return, what guards and loops leave, in the words of one class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import field
from typing import Any

from netc import syntax
from netc.diagnostics import Span
from netc.emit.folding import folded, is_conditional, only_atom, subtracts, verdict
from netc.emit.implications import under
from netc.emit.measures import axis_name, loop_count, range_bounds, values_in
from netc.graph import Guard, Joined, Loop, Network, Template, Use
from netc.record import Mutable
from netc.shapes import Value
from netc.terms import OR, TERNARY, Atom, Place, Term, written


class Freeze(Exception):
    """Parameters of the net that select parts never seen must keep their values."""

    def __init__(self, names: frozenset[str]):
        super().__init__(", ".join(sorted(names)))
        self.names = names


class Inexpressible(Exception):
    """Something for which no source could be found, its place in the spec where that is known, and a way out."""

    def __init__(self, message: str, span: Span | None = None, help: str | None = None):
        super().__init__(message)
        self.span = span
        self.help = help or "give the part that it names a `def` of its own, or the size a parameter"


class Plan(Mutable):
    """What a class turned out to need: parameters beyond its own, variables for running sizes, parameters in use."""

    lifted: dict[Place, str] = field(default_factory=dict)
    running: dict[tuple[Any, Any], str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    requires: dict[Any, None] = field(default_factory=dict)
    exposed: dict[tuple[int, int], str] = field(default_factory=dict)
    hoisted: dict[Any, str] = field(default_factory=dict)
    current: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    renamed: dict[tuple[Any, Any], str] = field(default_factory=dict)
    distinct: bool = False


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
        self._visiting: dict[tuple[Template, Atom], Term] = {}  # places that are looked into, with what stands for them
        self._deciding: set[Guard] = set()  # a size that a condition reads may itself come from that condition
        self._cut = False  # whether a term was left open for that reason, and holds only while these are decided
        self._tentative: dict[tuple[Any, ...], Term | None] = {}
        self._decided: dict[Guard, bool | None] = {}
        self._constants: dict[tuple[Template, str], Term | None] = {}
        self.kept: dict[Template, set[str]] = {}  # parameters of blocks that are made by a name

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
            return self._visiting[key]
        known = (template, atom, frozenset(self._visiting.items()))
        tentative = (*known, frozenset(self._deciding))
        if known in self._normal:
            return self._normal[known]
        if tentative in self._tentative:
            self._cut = True
            return self._tentative[tentative]
        cut, self._cut = self._cut, False
        with self._assuming(key) if atom.kind == "join" and atom.key[0] != "after" else nullcontext():
            result = self._eliminate(template, atom)
        if self._cut:
            self._tentative[tentative] = result
        else:
            self._normal[known] = result
        self._cut = self._cut or cut
        return result

    @contextmanager
    def _assuming(self, key: tuple[Template, Atom], term: Term | None = None) -> Iterator[None]:
        """While a place is looked into, it stands for itself, or for a term: so a loop is followed once around."""
        before = self._visiting
        self._visiting = {**before, key: term if term is not None else before.get(key, Term.atom(key[1]))}
        try:
            yield
        finally:
            self._visiting = before

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
        sizes = [self._returned_by(template, place, each) for each in (use, *use.others)]
        if all(size == sizes[0] for size in sizes):
            return sizes[0]
        index, axis = place.key
        for each in (use, *use.others):
            assert each.template is not None
            value = list(values_in(each.inner))[index]
            self.plan(each.template).exposed[(index, axis)] = f"out_{axis_name(value, axis)}"
        return Term.atom(Place("exposed", place.owner, place.key))

    def _returned_by(self, template: Template, place: Place, use: Use) -> Term | None:
        """A size of what one of the blocks gives back that stand at a place."""
        assert use.template is not None
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
        if joined is None:
            return None
        if joined.parts:
            return self.total(template, place.owner.branches, joined.parts)
        node = place.owner
        if isinstance(template.sites.get(node), Loop):
            return self._looped(template, place, joined)
        terms = {outcome: self.normalise(template, term) for outcome, term in self.ways(template, node, joined).items()}
        if len(set(terms.values())) == 1:
            return next(iter(terms.values()))
        return self._implied(template, node, terms)

    def total(self, template: Template, body: Sequence[Any], parts: Mapping[Any, Term]) -> Term | None:
        """What all branches of a fork add, if those of a loop add the same in each turn."""
        sum = Term({})
        for branch in body:
            site, added = template.sites.get(branch), parts.get(branch)
            if isinstance(branch, syntax.For):
                inner = self.total(template, branch.body, parts) if isinstance(site, Loop) else None
                if inner is None or any(getattr(atom, "owner", None) is branch for atom in inner.atoms()):
                    return None
                added = self.count(template, branch, site) * inner  # type: ignore[arg-type]
            elif added is None:
                return None
            sum += self.normalise(template, added)
        return sum

    def _implied(self, template: Template, node: Any, terms: dict[int, Term]) -> Term | None:
        """One term for both ways, where the condition says that the two are equal."""
        condition, taken, skipped = self._sides(node)
        guard = template.sites.get(condition) if condition is not None else None
        if not isinstance(guard, Guard) or set(terms) != {taken, skipped}:
            return None
        for outcome, keep in ((False, terms[taken]), (True, terms[skipped])):
            if any(is_within(atom, node) for atom in keep.atoms()):
                continue
            for pair in guard.equal.get(outcome, ()):
                if {self.normalise(template, side) for side in pair} == set(terms.values()):
                    return keep
            given, sides = self.summary(template, guard.condition), (terms[taken], terms[skipped])
            if len({under(self.summary(template, side), given, outcome) for side in sides}) == 1:
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
        if len(guard.outcomes) == 2:
            return None
        if guard in self._deciding:
            self._cut = True
            return None
        if guard in self._decided:
            return self._decided[guard]
        self._deciding.add(guard)
        try:
            tainted = self.taint(template, guard.condition)
            result = verdict(self.known(template, guard.condition)) if tainted else True in guard.outcomes
        finally:
            self._deciding.discard(guard)
        self._cut = self._cut and bool(self._deciding)
        if not self._cut:
            self._decided[guard] = result
        return result

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
        return first if self._stays(template, place, back, first) else self._affine(template, place, joined)

    def _stays(self, template: Template, place: Place, back: Term, first: Term) -> bool:
        """Whether a loop gives back the size that enters it, if each turn before did."""
        with self._assuming((template, place), first):
            return self.normalise(template, back) == first

    def step(self, template: Template, place: Place, joined: Joined) -> Term | None:
        """What one turn of the loop adds, if it is the same each time."""
        back = joined.terms.get(1)
        if back is None:
            return None
        with self._assuming((template, place)):
            step = self.normalise(template, back) - Term.atom(place)
        return step if all(map(outlasts, step.atoms())) else None

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
        entering = only_atom(head)
        assert isinstance(entering, Place)
        if 0 not in template.joins[(entering.owner, entering.key)].terms:
            return self._made(template, entering)
        head = self._unmoved(template, head)
        atom = only_atom(head)
        if not isinstance(atom, Place) or atom.owner is not place.owner:
            return head
        joined = template.joins[(atom.owner, atom.key)]
        step, loop = self.step(template, atom, joined), template.sites[place.owner]
        if step is None or not isinstance(loop, Loop):
            return head
        return self.normalise(template, joined.terms[0]) + self.count(template, place.owner, loop) * step

    def _made(self, template: Template, place: Place) -> Term:
        """What a loop makes of a size that only a run decides: in each turn the same, or what a variable holds."""
        loop = template.sites[place.owner]
        assert isinstance(loop, Loop)
        if selecting := self.taint(template, loop.iterable):  # without a turn there would be no such number
            raise Freeze(selecting)
        with self._assuming((template, place)):
            back = self.normalise(template, template.joins[(place.owner, place.key)].terms[1])
        return back if all(map(outlasts, back.atoms())) else Term.atom(place)

    def count(self, template: Template, node: Any, loop: Loop) -> Term:
        """How often a loop runs; a range may end before it begins."""
        count = self.normalise(template, loop_count(node, loop))
        if isinstance(node, syntax.For) and subtracts(count) and (0 in loop.counts or self.taint(template, count)):
            return written("max({0}, {1})", (Term({}), count))
        return count

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
        return head if moved and not self._stays(template, atom, back, first) else first


def is_within(atom: Atom, node: Any) -> bool:
    """Whether an atom is a size after something in a statement, where a variable holds it that is set only there."""
    if not isinstance(atom, Place) or atom.kind != "join" or atom.owner is node:
        return False
    inner, outer = atom.owner.span, node.span
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


def outlasts(atom: Atom) -> bool:
    """Whether an atom is the same before, in and after a loop: no name that is assigned, no size that is carried."""
    return not isinstance(atom, Place) or atom.kind == "input" or isinstance(atom.owner, Template)
