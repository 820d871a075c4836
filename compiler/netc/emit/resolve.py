"""From places of sizes to what a class can write for them: constants, taint, lifted and running sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from netc import syntax
from netc.emit.elimination import Elimination, Inexpressible
from netc.emit.folding import folded, spoken
from netc.emit.implications import decided
from netc.emit.measures import axis_name, selecting, values_in
from netc.graph import Guard, Joined, Loop, Template, Use
from netc.naming import python_name, snake_case
from netc.terms import Atom, Floor, Place, Term, Written, written

GUARD = object()


class Resolver(Elimination):
    """Resolves the terms of one network's templates."""

    def constant(self, template: Template, name: str) -> Term | None:
        """The value of a parameter that emitted code need not have: one value, and nothing of it is left."""
        key = (template, name)
        if name in self.kept.get(template, ()):
            return None
        if key not in self._constants:
            self._constants[key] = None
            value = self.single_value(template, name)
            if value is not None and (template is self.network.template or self._vanishes(template, name, value)):
                self._constants[key] = value
        return self._constants[key]

    def keep(self, parameters: dict[Template, set[str]]) -> None:
        """Keeps parameters of blocks that are made by a name, whatever their values."""
        self.kept = parameters
        for known in (self._constants, self._normal, self._tentative, self._decided):
            known.clear()

    def asked(self, template: Template, use: Use) -> Term | None:
        """The name from which a class has the layer or block of a place, if there is still a choice."""
        name = self.normalise(template, use.asked) if use.asked is not None else Term({})
        return name if any(isinstance(atom, Place) for atom in name.atoms()) else None

    def single_value(self, template: Template, name: str) -> Term | None:
        """The one constant that a parameter has in every use, or None."""
        if template is self.network.template:
            if name not in self.frozen:
                return None
            return template.parameters[name].default
        if not template.constructions:
            return None
        found = {self._single_in(c.caller, self.argument(c.use, name)) for c in template.constructions}
        return found.pop() if len(found) == 1 else None

    def _single_in(self, caller: Template, term: Term) -> Term | None:
        term = self.normalise(caller, term)
        return None if any(isinstance(atom, Place) for atom in term.atoms()) else term

    def _vanishes(self, template: Template, name: str, value: Term) -> bool:
        """Whether nothing is left of a parameter when its value stands for it."""
        return all(self._leaves_nothing(term, default, template, name, value) for term, default in uses_of(template))

    def _leaves_nothing(self, term: Term, default: Any, template: Template, name: str, value: Term) -> bool:
        place = Place("name", template, name)
        if not any(atom == place for atom in term.atoms()):
            return True
        if default is GUARD:
            return True
        if term != Term.atom(place):
            return False
        if isinstance(default, tuple) and len(default) == 2 and isinstance(default[0], Template):
            return self.constant(*default) is not None
        return default is not ... and same_as(value, default)

    def taint(self, template: Template, term: Term) -> frozenset[str]:
        """The parameters of the net that a term depends on."""
        return frozenset(self._taints(template, self.normalise(template, term), set()))

    def _taints(self, template: Template, term: Term, seen: set[Any]) -> Iterator[str]:
        for atom in term.atoms():
            if not isinstance(atom, Place) or (template, atom) in seen:
                continue
            seen.add((template, atom))
            home = self.home(template, atom)
            if isinstance(atom.owner, Template):
                yield from self._owner_taints(atom, seen)
            elif isinstance(atom.owner, syntax.Assign) and atom.owner in home.terms:
                yield from self._taints(home, self.normalise(home, home.terms[atom.owner]), seen)
            elif isinstance(site := home.sites.get(atom.owner), Loop):
                yield from self._taints(home, self.normalise(home, site.iterable), seen)
            if atom.kind == "exposed":
                yield from self._exposed_taints(home, atom, seen)
            if atom.kind == "join":
                joined = home.joins.get((atom.owner, atom.key), Joined())
                for inner in (
                    *joined.terms.values(),
                    *joined.parts.values(),
                    *joined.unseen.values(),
                    *selecting(home, atom.owner),
                ):
                    yield from self._taints(home, self.normalise(home, inner), seen)

    def _exposed_taints(self, template: Template, atom: Place, seen: set[Any]) -> Iterator[str]:
        """What a size depends on that the class of a block tells."""
        use = template.sites.get(atom.owner)
        for each in (use, *use.others) if isinstance(use, Use) else ():
            assert each.template is not None
            index, axis = atom.key
            size = Term.of(list(values_in(each.inner))[index].shape[axis])
            yield from self._taints(each.template, self.normalise(each.template, size), seen)

    def _owner_taints(self, atom: Place, seen: set[Any]) -> Iterator[str]:
        owner = atom.owner
        assert isinstance(owner, Template)
        if owner is self.network.template:
            if str(atom.key) not in self.frozen:
                yield str(atom.key)
            return
        for construction in owner.constructions:
            if atom.kind == "name":
                term = self.argument(construction.use, str(atom.key))
            else:
                operand, axis = atom.key
                term = Term.of(self.operand(construction.use, operand).shape[axis])
            yield from self._taints(construction.caller, self.normalise(construction.caller, term), seen)

    def write(
        self, template: Template, term: Term, facts: Sequence[tuple[Term, bool]] = (),
        held: Sequence[tuple[Term, str]] = (),
    ) -> Term:  # fmt: skip
        """The term in names that the class has; what it lacks is lifted into its constructor or carried along.

        `facts` are conditions with what they have come to where the term stands, `held` what variables are worth there.
        """
        plan = self.plan(template)
        result = folded(self.normalise(template, term))
        for given, outcome in facts:
            result = decided(result, given, outcome)
        for value, name in held:
            result = spoken(result, value, written(name))
        number = self.agreed(template, result) if shrinks_space(template, result) else None
        if number is None:
            result = result.substitute(lambda atom: self._written(template, atom, facts))
        else:
            result = number
        for atom in result.atoms():
            if isinstance(atom, Written):
                plan.requires.update(dict.fromkeys(atom.requires))
        return result

    def agreed(self, template: Template, term: Term) -> Term | None:
        """The one number that a term is in every use of a class, whatever the net is given."""
        term = self.normalise(template, term)
        if not any(isinstance(atom, Place) for atom in term.atoms()):
            return term
        found = {self.agreed(c.caller, self.in_caller(c.use, term)) for c in template.constructions}
        return found.pop() if len(found) == 1 else None

    def _written(self, template: Template, atom: Atom, facts: Sequence[tuple[Term, bool]]) -> Term | None:
        if not isinstance(atom, Place):
            return None
        plan, home = self.plan(template), self.home(template, atom)
        if atom.kind == "name":
            if atom.owner is template:
                plan.used.add(str(atom.key))
                return written(python_name(str(atom.key)))
            if home is template and not isinstance(atom.owner, Template):
                return written(python_name(str(atom.key)))
        elif atom.kind == "join" and home is template:
            if isinstance(atom.owner, syntax.IfElse):
                conditional = self._ternary(template, atom)
                return self.write(template, conditional, facts) if conditional is not None else None
            return written(self._running(template, atom))
        elif atom.kind == "exposed" and home is template:
            return written(self._exposed(template, atom))
        elif atom.kind == "call" and home is template:
            raise Inexpressible("a size that a block gives back", atom.owner.span)
        if atom.kind == "join" and (atom.owner, atom.key) not in home.joins:
            raise Inexpressible("a size that a block changes in a loop", atom.owner.span)
        return written(self.lift(template, atom))

    def lift(self, template: Template, place: Place) -> str:
        """The constructor parameter by which a class is told a size or name from outside."""
        lifted = self.plan(template).lifted
        if place not in lifted:
            name = self._lifted_name(place)
            taken = {*lifted.values(), *template.parameters}
            lifted[place] = name if name not in taken else f"{name}_{len(lifted) + 1}"
        return lifted[place]

    def _lifted_name(self, place: Place) -> str:
        if place.kind == "name":
            return python_name(str(place.key))
        if place.kind == "input" and isinstance(place.owner, Template):
            operand, axis = place.key
            value = place.owner.inputs.get(operand)
            prefix = "in" if operand == "x" else operand
            return f"{prefix}_{axis_name(value, axis)}"
        return "channels"

    def _exposed(self, template: Template, place: Place) -> str:
        """A size that a block tells by an attribute, read from the member or from a variable that holds it."""
        use = template.sites[place.owner]
        assert isinstance(use, Use) and use.template is not None and use.label is not None
        attribute = self.plan(use.template).exposed[place.key]
        if not use.numbered and use.label.isidentifier():
            return f"self.{use.label}.{attribute}"
        hoisted = self.plan(template).hoisted
        if place.owner not in hoisted:
            name = snake_case(use.template.name) if use.asked is None else "unit"
            hoisted[place.owner] = name if name not in hoisted.values() else f"{name}_{len(hoisted) + 1}"
        return f"{hoisted[place.owner]}.{attribute}"

    def _running(self, template: Template, place: Place) -> str:
        running = self.plan(template).running
        name, index, axis = place.key if len(place.key) == 3 else place.key[1:]
        if name == "after":
            name = "_"
        key = (place.owner, (name, index, axis))
        if key not in running:
            joined = template.joins.get((place.owner, place.key))
            base = axis_name(joined.value if joined is not None else None, axis)
            base = base if name == "_" else f"{name}_{base}"
            running[key] = base if base not in own_names(template) else f"current_{base}"
            if self.plan(template).distinct:
                self.part(template, key)
        return self._fresh(template, key)

    def part(self, template: Template, key: tuple[Any, Any]) -> None:
        """Gives a running size a variable of its own."""
        running = self.plan(template).running
        others = {name for other, name in running.items() if other != key}
        base, number = running[key], 2
        while running[key] in others:
            running[key], number = f"{base}_{number}", number + 1

    def _fresh(self, template: Template, key: tuple[Any, Any]) -> str:
        """The variable of a running size; one that holds another size by now is renamed for the next pass."""
        plan = self.plan(template)
        name = plan.running[key]
        if plan.current.get(name, key) != key and not plan.distinct:
            taken, number = set(plan.running.values()), 2
            while f"{name}_{number}" in taken:
                number += 1
            plan.renamed[key] = f"{name}_{number}"
        return name


def own_names(template: Template) -> set[str]:
    """The names that a definition uses itself, which variables of the emitter must keep away from."""
    found = {*template.parameters, *template.inputs}
    for node in (*template.sites, *template.terms):
        if isinstance(node, syntax.Assign | syntax.For):
            found.update(node.target.names)
    return found


def shrinks_space(template: Template, term: Term) -> bool:
    """Whether a term says what becomes of the height or width of an input, which nobody writes out by hand.

    A product of a single size and a number is left as it is.
    """
    atoms = list(term.atoms())
    places = [atom for atom in atoms if isinstance(atom, Place) and atom.kind == "input" and atom.owner is template]
    if len(term.parts) < 2 and len(places) < 2 and not any(isinstance(atom, Floor) for atom in atoms):
        return False
    return any(is_spatial(template, place) for place in places)


def is_spatial(template: Template, place: Place) -> bool:
    operand, axis = place.key
    value = template.inputs.get(operand)
    return value is not None and axis in value.spatial


def uses_of(template: Template) -> Iterator[tuple[Term, Any]]:
    """Every term that a class writes, with the default of the argument that it is for (GUARD: a condition)."""
    for site in template.sites.values():
        if isinstance(site, Use):
            for argument in site.arguments:
                yield argument.term, argument.default
            for name, term in site.bindings.items():
                yield term, (site.template, name)
        elif isinstance(site, Guard):
            yield site.condition, GUARD
        else:
            yield site.iterable, ...
    for term in template.terms.values():
        yield term, ...


def same_as(value: Term, default: Any) -> bool:
    if isinstance(default, int) and not isinstance(default, bool):
        return value.constant == default
    return str(value) == repr(default)
