"""Names: what each stands for, locals before the file, the file before the registry."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from netc import syntax
from netc.builtins import BUILTINS
from netc.diagnostics import Fix, Label, Span, nearest, renamed, replace
from netc.elaborate.trail import Trail
from netc.elaborate.unread import Unread
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Deferred,
    Fault,
    FileScope,
    Frame,
    FunctionRef,
    LayerRef,
    Past,
    Poisoned,
    describe,
    fault,
)
from netc.layer import Dotted, is_int
from netc.mending import is_statement
from netc.naming import short_name
from netc.record import Record
from netc.registry import Registry
from netc.terms import (
    ATOM,
    Known,
    Place,
    Term,
    written,
)

MAX_DEPTH = 100
MAX_DIGITS = 1_000
WORDS = {"True": "true", "False": "false", "None": "none"}
"""Words of Python, and the same here."""
TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""What others write for true and false."""


class Spelling(Record):
    """How a name of another framework is spelled here; `text` replaces it where nothing else is to be decided.

    `whole` when it replaces the call, and not the name alone; `safe` when nothing but the spelling changes.
    """

    help: str
    text: str | None = None
    whole: bool = False
    safe: bool = False

    def fix(self, name: Span, call: syntax.Call | None) -> Fix | None:
        place = call.span if call is not None and self.whole else name
        return None if self.text is None else replace(place, self.text, safe=self.safe)


class Lookup:
    """Finds what a name stands for."""

    registry: Registry
    constants: dict[str, list[FileScope]]
    depth: int = 0
    trail: Trail
    unread: Unread

    def resolve(
        self, expr: syntax.Name, frame: Frame, call: syntax.Call | None = None, *, labelled: bool | None = None
    ) -> Any:
        """What a name stands for: local or parameter, file, registry, function of the language.

        `call` is the call of that name, where it is one; `labelled` says whether a module must stand here, and is None
        where a value is wanted. The message for a name that is nowhere may need them.
        """
        found = self.find(expr.id, frame)
        if isinstance(found, Binding):
            if found.value is POISON:
                raise Poisoned
            if isinstance(found, Past):  # a number in the class, which must be the same in every use of it
                self.visit(expr, freeze(found.value), frame)
            return found.value
        if found is not None:
            return found
        if expr.id in WORDS:
            help, text = f"write `{WORDS[expr.id]}`", f"`{expr.id}` is Python's word"
            spelled = replace(expr.span, WORDS[expr.id], safe=True)
            raise fault("E0113", expr.span, text, "has another spelling here", help=help, fix=spelled)
        if expr.id in frame.container.broken:
            raise Poisoned
        if expr.id in frame.container.labels:
            frame.env[expr.id] = Binding(POISON, Term({}), expr.span)
            raise self.label_for_a_value(expr, frame, call)
        kind = "layer" if expr.id[:1].isupper() else "name"
        way_out, mended = self.way_out(expr, frame, call, labelled)
        frame.env[expr.id] = Binding(POISON, Term({}), expr.span)
        raise fault(
            "E0301" if kind == "layer" else "E0302",
            expr.span,
            f"there is no {kind} `{expr.id}`",
            "not defined here, in this file or by a plugin",
            help=way_out,
            fix=mended,
        )

    def label_for_a_value(self, expr: syntax.Name, frame: Frame, call: syntax.Call | None) -> Fault:
        """A label where a value is needed, or called like a function."""
        place = Label(frame.container.labels[expr.id].span, "the module")
        if call is None:
            text, help = f"`{expr.id}` names a module, not its output", "keep the output with `y = _` after it"
            return fault("E0302", expr.span, text, "a value is needed", secondary=(place,), help=help)
        given = call.args[0].value.span.text if len(call.args) == 1 else "y"
        help, fix = f"its name alone applies it again: `{given} -> {expr.id}`", None
        if len(call.args) == 1 and is_statement(call.span):
            fix = replace(call.span, f"{given} -> {expr.id}")
        text = f"`{expr.id}` names a module, which is not called"
        return fault("E0302", call.span, text, "applied to a value", secondary=(place,), help=help, fix=fix)

    def way_out(
        self, expr: syntax.Name, frame: Frame, call: syntax.Call | None, labelled: bool | None
    ) -> tuple[str, Fix | None]:
        """What to do about a name that is nowhere: in words, and as a fix where there is one."""
        if hint := self.hint(expr.id, frame):
            return hint, None
        if spelling := self.spelling(expr.id, call, frame):
            return spelling.help, spelling.fix(expr.span, call)
        near = self.near(expr.id, frame, call, bool(labelled))
        define = frame.template.root.node
        if near is None and call is None and labelled is None and isinstance(define, syntax.Define):
            parameter = f"{define.kind} {define.name}({expr.id}=...)"
            return f"give it a value, `{expr.id} = ...`, or make it a parameter: `{parameter}`", None
        text = f"did you mean `{near}`?" if near else "`netc layers` lists what there is"
        return text, renamed(expr.span, expr.id, near)

    def near(self, name: str, frame: Frame, call: syntax.Call | None, labelled: bool) -> str | None:
        """A name like one that is nowhere: of a module where one must stand, and that takes so many arguments."""
        local = [n for n in frame.names() if (binding := frame.lookup(n)) and binding.value is not POISON]
        known = [*local, *frame.scope.items, *frame.scope.imports, *self.registry.names("layers"), *BUILTINS]
        if call is not None or labelled:
            modules = {n.lower(): n for n in known if n[:1].isupper() and self.takes(n, call)}
            others = [n for n in known if n[:1].islower() and self.takes(n, call)]
            others = [*local, *frame.scope.items, *frame.scope.imports] if labelled else others
            return nearest(name, [*modules.values(), *others]) or modules.get(nearest(name.lower(), modules) or "")
        return nearest(name, known)

    def takes(self, name: str, call: syntax.Call | None) -> bool:
        """Whether a layer or function may have as many arguments as a call gives it."""
        cls = self.registry.layer(name) if call is not None and name in self.registry.names("layers") else None
        if cls is None or call is None:
            return True
        variadic = any(getattr(field, "variadic", False) for field in cls.fields.values())
        return variadic or cls.inputs[0].startswith("*") or len(call.args) <= len(cls.fields) + len(cls.inputs)

    def spelling(self, name: str, call: syntax.Call | None, frame: Frame) -> Spelling | None:
        """The way out for a name that other frameworks use."""
        raise NotImplementedError

    def hint(self, name: str, frame: Frame) -> str | None:
        """The way out for a name that is nowhere, where there is one to tell."""
        if name.lower() in TRUTHS:
            return f"write `{TRUTHS[name.lower()]}`"
        if name == "training":
            return "`training` stands only after `side ... when` and in the condition of a `return`"
        return None

    def find(self, name: str, frame: Frame) -> Any:
        """A Binding, the worth of a file's name, a LayerRef or a Builtin; None where there is nothing."""
        if name == "x":
            return self._entry(frame)
        if name == "_":
            flow = frame.flow if frame.held is None else frame.held
            self.unread.read(flow)
            return Binding(flow, written("_"), frame.container.module.span)
        binding = frame.lookup(name)
        if binding is not None:
            return binding
        in_file = self.file_value(name, frame.scope)
        if in_file is not None:
            return in_file
        cls = self.registry.layer(name)
        if cls is not None:
            return LayerRef(name, cls, cls.names()[0] != name)
        return BUILTINS.get(name)

    def _entry(self, frame: Frame) -> Binding:
        outer = frame
        while outer.parent is not None:
            outer = outer.parent
        self.unread.read(outer.entry)
        return Binding(outer.entry, written("x"), frame.container.module.span)

    def visit(self, node: syntax.Node, meaning: Hashable, frame: Frame) -> None:
        """Notes what a place turned out to be."""
        raise NotImplementedError

    def file_value(self, name: str, scope: FileScope) -> Any:
        """What a name of a file stands for, constants evaluated once."""
        raise NotImplementedError

    def bind_target(self, target: syntax.Target, value: Any, frame: Frame, owner: syntax.Node) -> None:
        """Binds the names of a `for` or an assignment to a value, taken apart as the target is."""
        if target.name == "x":
            text, label = "`x` has a meaning of its own: what enters the block", "cannot be given another value"
            help = "choose another name"
            if isinstance(owner, syntax.Assign):
                help = "a statement moves the flow by itself, without `x =`; another name keeps a value: `y = ...`"
            raise fault("E0408", target.span, text, label, help=help)
        if target.name is not None:
            bound = self.binding(target.name, value, owner, target)
            recipe = isinstance(value, LayerRef | BlockRef) and not isinstance(owner, syntax.For)
            frame.env[target.name] = Binding(value, recipe_term(value), target.span) if recipe else bound
            return
        if not isinstance(value, list | tuple) or len(value) != len(target.items):
            count = len(value) if isinstance(value, list | tuple) else 1
            names = ", ".join(f"`{name}`" for name in target.names)
            raise fault(
                "E0410", target.span, f"{len(target.items)} names for {count} value{'s' * (count != 1)}",
                f"{names} for {describe(value)}", help="give every value a name; `_` begins one that nobody reads",
            )  # fmt: skip
        for item, part in zip(target.items, value, strict=True):
            self.bind_target(item, part, frame, owner)

    def binding(self, name: str, value: Any, owner: object, node: syntax.Node) -> Binding:
        """A name for a value; an integer remembers the name."""
        term = value_term(value) if at_run_time(value) else Term.atom(Place("name", owner, name))
        return Binding(traced(value, term), term, node.span)


def at_run_time(value: Any) -> bool:
    """Whether a value has a size in it that only a run decides, which no constructor can know by a name."""
    return isinstance(value, Term) or (isinstance(value, list | tuple) and any(map(at_run_time, value)))


def braced(text: str) -> str:
    """Text whose braces stand for themselves in the source of a term."""
    return text.replace("{", "{{").replace("}", "}}")


def several_inputs(span: Span, frame: Frame) -> Fault:
    names = ", ".join(f"`{name}`" for name in frame.template.root.inputs)
    help = f"name the one that is meant: {names}"
    return fault("E0303", span, "`x` has no meaning in a net with several inputs", "which one?", help=help)


def plain(value: Any) -> Any:
    """A value without the terms of its integers."""
    if isinstance(value, tuple | list) and any(isinstance(item, Known | tuple | list) for item in value):
        return type(value)(plain(item) for item in value)
    return int(value) if isinstance(value, Known) else value


def freeze(value: Any) -> Any:
    """A hashable stand-in for a compile-time value."""
    if isinstance(value, list | range):
        return ("list", *(freeze(item) for item in value))
    if isinstance(value, tuple):
        return ("tuple", *(freeze(item) for item in value))
    if isinstance(value, dict):
        return ("dict", *((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, LayerRef):
        return ("layer", value.name)
    if isinstance(value, BlockRef):
        return ("block", value.define)
    if isinstance(value, bool | float):
        return (type(value).__name__, value)
    return plain(value)


def is_number(value: Any) -> bool:
    return is_int(value) or isinstance(value, float | Term)


def literal(value: Any, text: str | None = None) -> Term:
    """A constant as Python writes it; numbers keep the text of the spec."""
    if isinstance(value, bool) or value is None:
        return written(repr(value))
    if is_int(value):
        return Term.of(int(value))
    if isinstance(value, str):
        quote = "'" if '"' in value else '"'
        escaped = value.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}")
        return written(f"{quote}{escaped}{quote}")
    return written(text if text is not None and text[0].isdigit() and text[-1] != "." else repr(value))


def value_term(value: Any) -> Term:
    """The source for a value that was computed: integers by their terms, sequences entry by entry."""
    if isinstance(value, tuple | list):
        return sequence_term([value_term(item) for item in value], "()" if isinstance(value, tuple) else "[]")
    if isinstance(value, range):
        return sequence_term([value_term(item) for item in value], "[]")
    if isinstance(value, Term):
        return value
    if is_int(value):
        return Term.of(value)
    if isinstance(value, LayerRef | BlockRef):
        return recipe_term(value)
    if isinstance(value, Dotted):
        name, line = short_name(value.name)
        return written(name, requires=(line,))
    return literal(value)


def sequence_term(parts: Sequence[Term], brackets: str) -> Term:
    inner = ", ".join(f"{{{i}}}" for i in range(len(parts)))
    comma = "," if brackets == "()" and len(parts) == 1 else ""
    return written(f"{brackets[0]}{inner}{comma}{brackets[1]}", tuple(parts))


def recipe_term(ref: LayerRef | BlockRef) -> Term:
    if isinstance(ref, BlockRef):
        return written(ref.define.name, requires=(("define", ref.define),))
    name = short_name(ref.cls.module or ref.name)[0].replace("{", "{{").replace("}", "}}")
    return written(name, requires=(("layer", ref.cls),))


def recipe_call_term(ref: LayerRef | BlockRef, fields: Sequence[str], operands: tuple[Term, ...]) -> Term:
    if not operands:
        return recipe_term(ref)
    (atom,) = next(iter(recipe_term(ref).parts))
    requires = (*getattr(atom, "requires", ()), "from functools import partial")
    return written(f"partial({braced(atom.label)}, {', '.join(fields)})", operands, requires=requires)


def render_target(target: syntax.Target) -> str:
    if target.name is not None:
        return target.name
    return ", ".join(t.name if t.name is not None else f"({render_target(t)})" for t in target.items)


def traced(value: Any, term: Term) -> Any:
    """A value whose integers remember the term, those in a sequence its entries."""
    if is_int(value):
        return Known.make(int(value), term)
    if isinstance(value, tuple | list) and any(is_int(item) or isinstance(item, tuple | list) for item in value):
        return type(value)(traced(item, written(f"{{0}}[{i}]", (term,), ATOM, ATOM)) for i, item in enumerate(value))
    return value


def comparable(value: Any) -> str | None:
    """What kind of value it can equal; None where that is open."""
    if isinstance(value, LayerRef | BlockRef | Bound | Deferred | FunctionRef):
        return "layer"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple | range):
        return "list"
    return "number" if isinstance(value, int | float | Term) else None


def undecided(expr: syntax.Binary, size: Term) -> Fault:
    return fault(
        "E0405", expr.span, f"`{expr.operator}` needs a number, and `{size}` is known only when the network runs",
        "this must be known now", help="give that dimension of the `input` a number",
    )  # fmt: skip
