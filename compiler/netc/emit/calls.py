"""Calls of PyTorch and of emitted classes: arguments resolved, defaults left out, conditions decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from keyword import iskeyword
from typing import Any

from netc import syntax
from netc.emit.elimination import Freeze
from netc.emit.folding import only_atom
from netc.emit.python import Py, call
from netc.emit.resolve import Resolver
from netc.emit.wording import label_text
from netc.graph import Argument, Guard, Loop, Template, Unrolled, Use
from netc.layer import Dotted
from netc.naming import DICT_ATTRIBUTES, MODULE_ATTRIBUTES, python_name, short_name
from netc.terms import ATOM, Place, Term, Written, print_term

TRAINING = "self.training"


class Calls:
    """What the constructor and the forward of one class have in common."""

    def __init__(self, template: Template, resolver: Resolver, classes: ClassNames):
        self.template = template
        self.resolver = resolver
        self.classes = classes
        self.plan = resolver.plan(template)
        self.asked_for: set[syntax.Expr] = set()
        self.keyed = False
        self.facts: list[tuple[Term, bool]] = []
        self.worth: list[tuple[Term, str]] = []

    # ---- sites -------------------------------------------------------------------------------------

    def attributes(self) -> set[str]:
        """The names that modules and parameters have in the class, and those that every module has."""
        labels = {site.label for site in self.template.sites.values() if isinstance(site, Use) and site.label}
        own = {node.name for node in self.template.sites if isinstance(node, syntax.Param)}
        return {*labels, *own, *MODULE_ATTRIBUTES, *(DICT_ATTRIBUTES if self.keyed else ())}

    def use(self, node: syntax.Node) -> Use | None:
        site = self.template.sites.get(node)
        return site if isinstance(site, Use) else None

    def written_out(self, expr: syntax.Expr) -> syntax.Expr:
        """A stage, or the chain that it is a name for."""
        use = self.use(expr)
        return self.written_out(use.expr) if use is not None and use.expr is not None else expr

    def repeated(self, body: syntax.Expr) -> tuple[syntax.Expr, Use] | None:
        """What `n * Block(tensor)` repeats; None where it takes and gives nothing but the flow, as in a Sequential."""
        if not isinstance(body, syntax.Binary):
            return None
        stage, copies = body.right, self.unrolled(body)
        if copies and isinstance(copies[0], syntax.Flow):
            stage = copies[0].body
        use = self.use(stage)
        takes_more = use is not None and (use.named or any(operand is not None for operand in use.operands))
        gives_more = use is not None and use.layer is not None and isinstance(use.output, tuple)
        return (stage, use) if use is not None and (takes_more or gives_more) else None

    def behind_values(self, body: syntax.Expr) -> syntax.Expr:
        """The module of `label: (q, k, v) -> Module`, which stands under the label itself; any other body as it is."""
        return body.stages[-1] if isinstance(body, syntax.Pipe) and self.use(body) is None else body

    def decide(self, condition: syntax.Expr, *, optional: bool = False) -> bool | None:
        """True or False for a condition that is settled, None for one that emitted code must ask.

        `optional` says that the other outcome of a condition that always held is to leave something out.
        """
        guard = self.template.sites.get(condition)
        if not isinstance(guard, Guard):
            return False
        self.asked_for.add(condition)
        if depends_on_training(guard.condition):
            return None
        return self.settle(guard, optional=optional and not guard.rigid)

    def settle(self, guard: Guard, *, optional: bool = False) -> bool | None:
        """What a condition comes to, None where emitted code must ask."""
        if len(guard.outcomes) == 2:
            return None
        outcome = self.resolver.decided(self.template, guard)
        if outcome is not None:
            return outcome
        if optional and guard.outcomes == {True}:
            return None
        raise Freeze(self.resolver.taint(self.template, guard.condition))

    def settle_rest(self) -> None:
        """Conditions that nothing emitted asks, and what chose a layer, must not depend on parameters that are kept."""
        for term in self.template.chosen.values():
            tainted = self.resolver.taint(self.template, term)
            if tainted:
                raise Freeze(tainted)
        for node, site in self.template.sites.items():
            if isinstance(site, Guard) and node not in self.asked_for and not depends_on_training(site.condition):
                if len(site.outcomes) == 1:
                    self.settle(site)

    def unrolled(self, statement: syntax.Node) -> list[syntax.Stmt] | None:
        """The statements of a loop over layers, which is written out."""
        site = self.template.sites.get(statement)
        if not isinstance(site, Unrolled):
            return None
        tainted = self.resolver.taint(self.template, site.iterable)
        if tainted:
            raise Freeze(tainted)
        return [inner for body in site.bodies for inner in body]

    def asked_condition(self, condition: syntax.Expr) -> Term:
        guard = self.template.sites[condition]
        assert isinstance(guard, Guard)
        return guard.condition

    def condition(self, condition: syntax.Expr) -> str:
        return self.text(self.asked_condition(condition))

    def loop(self, node: syntax.Node) -> Loop | None:
        """The loop at a place; None for one that never runs."""
        site = self.template.sites.get(node)
        if not isinstance(site, Loop):
            return None
        if not any(site.counts):
            tainted = self.resolver.taint(self.template, site.iterable)
            if tainted:
                raise Freeze(tainted)
            return None
        return site

    # ---- source --------------------------------------------------------------------------------------

    def text(self, term: Term, need: int = 0) -> str:
        return print_term(self.resolver.write(self.template, term, self.facts, self.worth), need)

    @contextmanager
    def where(self, condition: Term, outcome: bool) -> Iterator[None]:
        """What is written in the branch of a condition, which is no question there."""
        self.facts.append((self.resolver.normalise(self.template, condition), outcome))
        try:
            yield
        finally:
            self.facts.pop()

    def imported(self, dotted: str) -> str:
        """The short form of a dotted name, whose import the file then needs."""
        short, line = short_name(dotted)
        if line is not None:
            self.plan.requires[line] = None
        return short

    def arguments(self, arguments: Iterable[Argument], text: Any = None) -> list[str]:
        """The arguments of a PyTorch call, those that say what PyTorch's default says left out."""
        parts, gap = [], False
        for argument in arguments:
            term = self.resolver.normalise(self.template, argument.term)
            if argument.default is not ... and is_default(term, argument.default):
                gap = True
                continue
            source = (text or self.text)(argument.term)
            if argument.variadic and argument.positional and source[0] in "([" and source[-1] in ")]":
                parts.append(source[1:-1].rstrip(","))
                continue
            parts.append(source if argument.positional and not gap else f"{argument.name}={source}")
        return parts

    def construct(self, use: Use) -> Py:
        """The expression that makes the module of a use."""
        if use.template is not None:
            return self.construct_block(use)
        layer = use.layer
        assert layer is not None
        asked = self.resolver.asked(self.template, use)
        if asked is not None:
            told = [argument for argument in use.arguments if argument.name not in use.passed]
            return call(self.text(asked, ATOM), self.arguments(told))
        module = layer.module
        assert module is not None
        if layer.source is not None:
            self.plan.requires[("layer", type(layer))] = None
        name = self.imported(module.replace("{n}", str(layer.dimensions(*use.inputs))))
        return call(name, self.arguments(use.arguments))

    def construct_block(self, use: Use) -> Py:
        callee = use.template
        assert callee is not None
        signature = self.classes.signature(callee)
        for other in use.others:
            assert other.template is not None
            self.classes.signature(other.template)
        parts = [self.supplied(use, place) for place in signature.inputs]
        extra = [self.supplied(use, place) for place in signature.lifted]
        positional, names = True, list(callee.parameters)
        self.refuse_chosen(use, {name for name, _ in signature.parameters})
        for name, has_default in signature.parameters:
            if has_default and extra and positional:
                parts += extra
                extra = []
            if name not in use.bindings and has_default:
                positional = False
                continue
            source = self.text(self.resolver.argument(use, name))
            given = name in use.bindings and names.index(name) >= use.positional
            positional = positional and not given and (not has_default or name in use.bindings)
            parts.append(source if positional else f"{python_name(name)}={source}")
        if not positional:
            lifted = self.resolver.plan(callee).lifted
            extra = [f"{lifted[place]}={source}" for place, source in zip(signature.lifted, extra, strict=False)]
        asked = self.resolver.asked(self.template, use)
        return call(self.classes.name(callee) if asked is None else self.text(asked, ATOM), [*parts, *extra])

    def refuse_chosen(self, use: Use, kept: set[str]) -> None:
        """A layer that the class is written for, rather than told, must not depend on parameters that are kept."""
        for name, term in use.bindings.items():
            atom = only_atom(term)
            if name in kept or not isinstance(atom, Written) or not is_choice(atom):
                continue
            tainted = self.resolver.taint(self.template, term)
            if tainted:
                raise Freeze(tainted)

    def supplied(self, use: Use, place: Any) -> str:
        """What a class is given for a size or name that it lifted."""
        if place.kind == "input" and place.owner is use.template:
            operand, axis = place.key
            return self.text(Term.of(self.resolver.operand(use, operand).shape[axis]))
        return self.text(Term.atom(place))

    def label(self, label: syntax.Name | syntax.String) -> tuple[str, bool]:
        """A label as a Python expression or, if it is fixed (second item True), as it is."""
        if isinstance(label, syntax.Name):
            return label.id, True
        if all(isinstance(part, str) for part in label.parts):
            return "".join(str(part) for part in label.parts), True
        return settled_label(self.text(self.template.terms[label]))

    def reached(self, label: tuple[str, bool]) -> str:
        """How a member is reached from `self`: as an attribute, or by its number, odd name or computed label."""
        if is_attribute(label):
            return f"self.{label[0]}"
        return f"self[{label_text(label)}]" if self.keyed else f"self.get_submodule({label_text(label)})"


class Signature:
    """What a class is constructed with: sizes of its inputs, its own parameters (name, has a default), and what else it
    must be told, which stands before the parameters that have defaults."""

    def __init__(self, places: list[Any], parameters: list[tuple[str, bool]]):
        self.inputs = sorted((place for place in places if place.kind == "input"), key=input_order)
        self.lifted = sorted((place for place in places if place.kind != "input"), key=parameter_order)
        self.parameters = parameters


class ClassNames:
    """The classes of a network: their names and signatures, written when first asked for."""

    def name(self, template: Template) -> str:
        raise NotImplementedError

    def signature(self, template: Template) -> Signature:
        raise NotImplementedError


def input_order(place: Place) -> tuple[int, int]:
    """Sizes of inputs in the order in which `forward` takes them."""
    operand, axis = place.key
    return list(place.owner.inputs).index(operand), axis


def parameter_order(place: Place) -> tuple[bool, int]:
    """What a suite is told of the definition around it in the order of that one's parameters, then everything else."""
    owned = place.kind == "name" and isinstance(place.owner, Template) and place.key in place.owner.parameters
    return not owned, list(place.owner.parameters).index(place.key) if owned else 0


def depends_on_training(term: Term) -> bool:
    return any(isinstance(atom, Written) and TRAINING in atom.source for atom in term.atoms())


def outside_training(term: Term) -> Term | None:
    """What is left of `a and self.training` without the training; None where nothing is."""
    atom = only_atom(term)
    if isinstance(atom, Written) and atom.source == "{0} and {1}":
        sides = [outside_training(operand) for operand in atom.operands]
        if None in sides:
            return next((side for side in sides if side is not None), None)
        return term
    return None if depends_on_training(term) else term


def is_default(term: Term, default: Any) -> bool:
    """Whether a settled argument says what PyTorch would take anyway."""
    if isinstance(default, int) and not isinstance(default, bool):
        return term.constant == default
    if isinstance(default, Dotted):
        return str(term) == short_name(default.name)[0]
    return str(term) == repr(default) or (isinstance(default, float) and number(term) == default)


def number(term: Term) -> float | None:
    try:
        return float(str(term))
    except ValueError:
        return None


def is_choice(atom: Written) -> bool:
    """Whether an expression chooses among others: `a if p else b`, `items[i]`."""
    return atom.source.startswith("{0} if {1}") or atom.source.startswith("{0}[")


def handed_over(use: Use, given: list[str], named: dict[str, str]) -> list[str]:
    """The tensors of a call after the flow: those by position, those that PyTorch takes as one tuple, those by name."""
    tupled = use.layer.tupled if use.layer is not None else ()
    inputs = list(use.layer.stand_ins())[: len(use.operands)] if use.layer is not None else []
    first = len(given) - sum(name in tupled for name in inputs)
    members = [*given[first:], *(named[name] for name in tupled if name in named)]
    parts = [*given[:first], f"({', '.join(members)})"] if members else given
    return [*parts, *(f"{name}={text}" for name, text in named.items() if name not in tupled)]


def settled_label(source: str) -> tuple[str, bool]:
    """A computed label, or the text that it turned out to be (second item True)."""
    fixed = len(source) > 1 and source[0] == source[-1] == '"' and "\\" not in source and source.count('"') == 2
    return (source[1:-1], True) if fixed else (source, False)


def is_attribute(label: tuple[str, bool]) -> bool:
    """Whether a label is fixed and a name of Python's."""
    text, fixed = label
    return fixed and text.isidentifier() and not iskeyword(text)
