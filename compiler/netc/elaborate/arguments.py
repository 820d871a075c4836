"""Arguments of a call: evaluated, completed by defaults, bound to the fields of a layer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import field
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Label, Span, nearest, renamed
from netc.elaborate.apart import Apart, Visit, Visits, asked_meaning, meaning_of
from netc.elaborate.expressions import Expressions
from netc.elaborate.lookup import literal, plain, sequence_term, value_term
from netc.elaborate.trail import Trail
from netc.elaborate.values import (
    BlockRef,
    Bound,
    Deferred,
    Fault,
    Frame,
    LayerRef,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Argument, Module, Template, Use
from netc.layer import BadArgument, Class, Field, Ints, Layer, Reject, Values
from netc.mending import without_argument, without_first
from netc.record import Mutable
from netc.shapes import Value
from netc.terms import Atom, Ledger, Place, Term

MAX_DIVISOR = 33  # a patch of 32 by 32 is the largest in use
ANY_INPUT = tuple((Value((1,) * rank, "float", 1),) for rank in (2, 3, 4, 5))
"""What stands for an input that an earlier mistake left without meaning."""


class Given(Mutable):
    """Arguments of a call after evaluation: values by position and name, their sources, and tensors among them."""

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    terms: dict[int, Term] = field(default_factory=dict)
    spans: list[tuple[str | int, Span]] = field(default_factory=list)
    operands: list[tuple[syntax.Expr, Any]] = field(default_factory=list)
    named_operands: dict[str, tuple[syntax.Expr, Any]] = field(default_factory=dict)
    written: dict[str | int, Term] = field(default_factory=dict)

    @property
    def places(self) -> list[Span]:
        return [span for _, span in self.spans]

    def span_of(self, name: str, fields: Sequence[str]) -> Span | None:
        """The place of an argument; the last one where it is given twice, the first surplus one by its number."""
        for key, span in reversed(self.spans):
            if key == name or (isinstance(key, int) and (fields[key : key + 1] == [name] or str(key) == name)):
                return span
        return None


class Expansion(Mutable):
    """A block expanded for one signature: its part of the tree, and its output in the block's own terms."""

    module: Module
    output: Any
    template: Template


EMPTY: Mapping[str, Any] = {}


class Arguments(Expressions):
    """Binds the arguments of layers."""

    taken_apart: syntax.Expr | None = None
    expansions: dict[Hashable, Expansion]
    templates: dict[Hashable, Template]
    variants: dict[Hashable, list[tuple[Template, dict[str, Hashable]]]]
    ledger: Ledger
    trail: Trail
    held: list[Diagnostic]
    """Mistakes that count only if there is no other: what is wrong elsewhere may be their cause."""
    apart: Apart
    visits: Visits
    expanding: list[int]
    turning: list[tuple[int, syntax.Node]]

    def record(self, node: syntax.Node, use: Use, frame: Frame) -> bool:
        """Keeps what a place turned out to be; False where its class knows it already."""
        for argument in use.arguments if self.expanding[-1] else ():
            argument.term = argument.term.substitute(lambda atom: read_from_input(atom, frame))
        use.asked = self.asked_term(node, use, frame)
        known = frame.template.sites.setdefault(node, use)
        if not isinstance(known, Use):  # `label: n * Block(...)`: the loop of the repeats
            return False
        self.visit(node, meaning_of(use) if use.asked is None else asked_meaning(use, known), frame, use)
        if use.asked is not None and use.template is not None:
            use.template.passed = True
        if use.asked is not None and use.template not in (known.template, *(other.template for other in known.others)):
            known.others.append(use)
            return True
        return known is use

    def asked_term(self, node: syntax.Node, use: Use, frame: Frame) -> Term | None:
        """The name from which a class has the layer of a place: a parameter, or a local that it chooses."""
        head = node.function if isinstance(node, syntax.Call) else node
        block = use.template is not None and use.template.parent is None and use.kind == "block"
        if not isinstance(head, syntax.Name) or not (block or (use.layer is not None and use.layer.is_uniform())):
            return None
        found = frame.lookup(head.id)
        return found.term if found is not None and is_name(found.term) else None

    def visit(
        self, node: syntax.Node, meaning: Hashable, frame: Frame, use: Use | None = None, aspect: Hashable = None
    ) -> None:  # fmt: skip
        expansion = self.expanding[-1]
        loops = tuple(loop for number, loop in self.turning if number == expansion)
        self.visits.add(frame.template, node, Visit(expansion, loops, meaning, use), aspect)

    def given(
        self, call: syntax.Call | None, fields: dict[str, Field[Any]], inputs: Sequence[str], frame: Frame
    ) -> Given:
        """Evaluates the arguments of a call; bare words are words where the field takes them."""
        given = Given()
        names = list(fields)
        variadic = bool(names) and isinstance(fields[names[0]], Ints) and fields[names[0]].variadic  # type: ignore[attr-defined]
        for arg in call.args if call is not None else ():
            key = arg.name if arg.name is not None else names[min(len(given.args), len(names) - 1)] if names else ""
            value, term = self.argument(arg, fields.get(key), frame)
            if is_flowing(value):
                if arg.name is not None:
                    given.named_operands[arg.name] = (arg.value, value)
                else:
                    given.operands.append((arg.value, value))
                continue
            if isinstance(value, list) and value and all(is_flowing(item) for item in value):
                name = call.function.span.text if call is not None else ""
                listed = ", ".join(item.span.text for item in getattr(arg.value, "items", ())) or "..."
                text, help = f"`{name}` takes its tensors without a list", f"write `{name}({listed})`"
                raise fault("E0113", arg.span, text, "a list of tensors", help=help)
            slot: str | int = arg.name if arg.name is not None else len(given.args)
            if arg.name is not None:
                if arg.name in given.kwargs:
                    first = next(Label(at, "first here") for key, at in given.spans if key == arg.name)
                    text = f"`{arg.name}` is given twice"
                    raise fault("E0403", arg.span, text, "again here", secondary=(first,))
                given.kwargs[arg.name] = value
            else:
                given.args.append(value)
            given.spans.append((0 if variadic and arg.name is None else slot, arg.span))
            given.written[slot] = term
        return given

    def argument(self, arg: syntax.Arg, field: Field[Any] | None, frame: Frame) -> tuple[Any, Term]:
        """The worth of one argument and its source."""
        if field is not None and field.words and isinstance(arg.value, syntax.Name):
            word = arg.value.id
            local = frame.lookup(word)
            if word in field.words:
                if local is not None:
                    text = f"`{word}` is a word of `{field.name}` and also a local name"
                    raise fault(
                        "E0403",
                        arg.span,
                        text,
                        "which one is meant?",
                        help="give the local another name",
                        secondary=(Label(local.span, "the local name"),),
                    )
                return word, literal(word)
            if local is None and self.find(word, frame) is None:
                near = nearest(word, field.words)
                raise fault(
                    "E0404", arg.span, f"`{field.name}` must be {field.expected}", f"`{word}` is not known",
                    help=f"did you mean `{near}`?" if near else None, fix=renamed(arg.value.span, word, near),
                )  # fmt: skip
        value = self.evaluate(arg.value, frame)
        if is_flowing(value) or isinstance(value, Deferred):
            return value, literal(None)
        if value is None and field is not None and "none" in field.words:
            return "none", literal("none")
        if isinstance(field, Class) and isinstance(value, LayerRef) and not value.function:
            value = next((option for option in field.options if option.name == value.cls.module), value)
        return value, self.render(arg.value, frame)

    def with_defaults(self, cls: type[Layer], given: Given, frame: Frame) -> None:
        """Adds what `default` statements say for arguments that the call leaves out, innermost first."""
        names = list(cls.fields)
        for default in (*reversed(frame.defaults), *frame.scope.defaults):
            if default.cls is not cls:
                continue
            for arg in default.args:
                assert arg.name is not None
                if arg.name in given.kwargs or arg.name in names[: len(given.args)]:
                    continue
                value, term = self.argument(arg, cls.fields.get(arg.name), default.frame)
                given.kwargs[arg.name] = value
                given.written[arg.name] = term
                given.spans.append((arg.name, arg.span))

    def bind(self, cls: type[Layer], given: Given, span: Span, frame: Frame) -> Layer:
        """The layer with its arguments; mistakes name the argument, the signature and the nearest right name."""
        try:
            return cls.bind(given.args, given.kwargs)
        except BadArgument as error:
            place = given.span_of(error.name, list(cls.fields)) or span
            flow = tensors(frame.flow)
            told = self.told_anyway(cls, given, [t.value for t in flow])
            if error.kind == "value":
                raise self.bad_value(cls, error, given, place, told) from None
            codes = {"unknown": "E0401", "missing": "E0401", "surplus": "E0401", "repeated": "E0403"}
            labels = {"unknown": "no such argument", "missing": f"without `{error.name}`", "surplus": "one too many"}
            twice = error.kind == "repeated"
            near = self.near_argument(cls, error.name) if error.kind == "unknown" else None
            help = f"did you mean `{near}`?" if near else f"the signature is `{cls.signature()}`"
            fix = renamed(place, error.name, near)
            if error.kind == "unknown" and error.name == "activation":
                help = f"an activation is a step of its own: `{cls.__name__}(...); relu`, or `ReLU` in a chain"
            if error.kind == "unknown" and error.name in self.inferred_names(cls, given, frame):
                help = f"leave it out: `{error.name}` follows from what reaches the layer"
                fix = without_argument(span, given.places, place)
            raise fault(
                codes[error.kind], place, error.reason, labels.get(error.kind, "again here"), help=told or help,
                secondary=(Label(self.first_place(error.name, given, cls), "first here"),) if twice else (),
                fix=without_first(given.places) if told else fix,
            ) from None  # fmt: skip

    def near_argument(self, cls: type[Layer], name: str) -> str | None:
        """What an unknown argument is called here: by another framework's word for it, or by its letters."""
        elsewhere = cls.elsewhere.get(name)
        return elsewhere if elsewhere in cls.fields else nearest(name, cls.fields)

    def told_anyway(self, cls: type[Layer], given: Given, inputs: Sequence[Value]) -> str | None:
        """The way out where an argument is given that the flow tells."""
        raise NotImplementedError

    def first_place(self, name: str, given: Given, cls: type[Layer]) -> Span:
        names = list(cls.fields)
        return next(at for key, at in given.spans if key == name or (isinstance(key, int) and names[key] == name))

    def bad_value(
        self, cls: type[Layer], error: BadArgument, given: Given, place: Span, told: str | None = None
    ) -> Fault:
        """A value of the wrong type or out of range, in the words of the spec."""
        names = list(cls.fields)
        value = given.kwargs[error.name] if error.name in given.kwargs else given.args[names.index(error.name)]
        field = cls.fields[error.name]
        written = place.text.partition("=")[2].strip() if place.text.startswith(error.name) else place.text
        rounded = isinstance(value, float) and "integer" in field.expected
        help = f"make it an integer: `int({written})`" if rounded else None
        if is_plain(value):
            fix = without_first(given.places) if told else None
            return fault("E0404", place, error.reason, f"of `{cls.__name__}`", help=told or help, fix=fix)
        text = f"`{error.name}` must be {field.expected}, not {describe(value)}"
        return fault("E0402", place, text, f"of `{cls.__name__}`")

    def inferred_names(self, cls: type[Layer], given: Given, frame: Frame) -> Collection[str]:
        """The arguments of the PyTorch module that this language does not take, as far as the rest says."""
        kwargs = {name: value for name, value in given.kwargs.items() if name in cls.fields}
        inputs = tuple(t.value for t in tensors(frame.flow))
        for values in (inputs,) if inputs else ANY_INPUT:
            try:
                return cls.bind(given.args, kwargs).inferred(*values).keys()
            except (BadArgument, Reject, TypeError, IndexError):
                continue
        return ()

    def refuse_runtime(self, layer: Layer, given: Given, node: syntax.Expr) -> None:
        """A module is made before the network runs, so its arguments cannot be sizes that only a run decides."""
        for name, value in layer.given().items():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Term):
                    place = given.span_of(name, list(layer.fields)) or node.span
                    text = f"`{item}` is known only when the network runs, and `{name}` is needed before"
                    raise fault("E0405", place, text, "here", help="give the input fixed sizes, or use a function")

    def call_arguments(
        self, layer: Layer, function: bool, given: Given, values: tuple[Value, ...], words: Mapping[str, Any] = EMPTY
    ) -> tuple[Argument, ...]:
        """The arguments of the PyTorch call: as written where they were written, computed ones by their terms."""
        fields = layer.fields
        source = self.sources(fields, given)
        raw = layer.given()
        computed = layer.function_arguments(*values) if function else layer.arguments(*values)
        computed.update(words)
        required = sum(1 for name in computed if name not in fields or fields[name].required)
        positional = layer.positional if layer.positional is not None else required
        first = next(iter(computed), None)
        if (function and layer.inputs[:1] != ("*tensors",)) or (first in source and 0 in given.written):
            positional = max(positional, 1) if layer.positional != 0 else 0
        leading = sum(1 for name, value in computed.items() if name not in fields or value is not raw.get(name))
        leading = (
            leading if all(n not in fields or computed[n] is not raw.get(n) for n in list(computed)[:leading]) else 0
        )
        if function and layer.inputs[:1] == ("*tensors",):
            positional = leading = 0
        result: list[Argument] = []
        switches = (i for i, (name, value) in enumerate(computed.items()) if isinstance(value, bool) and i >= required)
        by_name = next(switches, len(computed))  # `F.relu(x, inplace=True)`: what is switched on is said
        for i, (name, value) in enumerate(computed.items()):
            own = name in fields and name in raw and value is raw[name]
            stated = function and name in layer.function_defaults
            if name in fields and name not in source and own and not fields[name].required and not stated:
                continue
            term = source[name] if own and name in source else value_term(value)
            default = fields[name].default if name in fields and not fields[name].required else ...
            if function:
                default = layer.function_defaults.get(name, default)
            in_place = i < min(by_name, max(positional, leading)) and len(result) == i
            variadic = name in fields and isinstance(fields[name], Ints) and fields[name].variadic  # type: ignore[attr-defined]
            result.append(Argument(name, term, in_place, default, variadic))
        return tuple(result)

    def late_arguments(self, layer: Layer, given: Given) -> tuple[Argument, ...]:
        """What a module is given when it is called, by name."""
        source = self.sources(layer.fields, given)
        terms = {name: source.get(name, value_term(value)) for name, value in layer.call_arguments().items()}
        return tuple(Argument(name, term, default=layer.fields[name].default) for name, term in terms.items())

    def sources(self, fields: Mapping[str, Field[Any]], given: Given) -> dict[str, Term]:
        """What was written for each argument; `permute(0, 2, 3, 1)` gives its one argument several."""
        names = list(fields)
        by_position = [term for key, term in given.written.items() if isinstance(key, int)]
        by_name = {key: term for key, term in given.written.items() if isinstance(key, str)}
        first = fields[names[0]] if names else None
        if isinstance(first, Ints) and first.variadic and by_position:
            listed = by_position[0] if len(by_position) == 1 else sequence_term(by_position, "()")
            return {names[0]: listed, **by_name}
        return {**dict(zip(names, by_position, strict=False)), **by_name}


def is_name(term: Term) -> bool:
    """Whether a term is a name of the class and nothing more."""
    ((monomial, coefficient),) = term.parts.items() if len(term.parts) == 1 else [((), 0)]
    return coefficient == 1 and len(monomial) == 1 and isinstance(monomial[0], Place)


def read_from_input(atom: Atom, frame: Frame) -> Term | None:
    """A size that only a run decides as a size of what entered the block, or a part of one."""
    if not atom.runtime or frame.entry is None:
        return None
    term = Term.atom(atom)
    for index, tensor in enumerate(tensors(frame.entry)):
        for axis, size in enumerate(tensor.value.shape):
            if axis and isinstance(size, Term):
                place = Term.atom(Place("size", frame.template, ("x" if index == 0 else f"x{index + 1}", axis)))
                for divisor in range(1, MAX_DIVISOR):
                    if size // divisor == term:
                        return place // divisor
    return None


def is_plain(value: Any) -> bool:
    """Whether messages can show a value as it is: numbers, words and lists of them."""
    if isinstance(value, list | tuple):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, int | float | str | Term)


def signature_of(value: Value) -> Hashable:
    among = None if value.among is None else tuple(map(plain, value.among))
    return (tuple(plain(size) for size in value.shape), value.kind, value.channel, among)


def attach(output: Values | Any, span: Span) -> Any:
    """Values as tensors that were made at a place."""
    if isinstance(output, tuple):
        return tuple(attach(item, span) for item in output)
    if isinstance(output, dict):
        return {name: attach(item, span) for name, item in output.items()}
    return Tensor(output, span) if isinstance(output, Value) else output


def strip(flowing: Any) -> Any:
    """Tensors as values."""
    if isinstance(flowing, Tensor):
        return flowing.value
    if isinstance(flowing, tuple):
        return tuple(strip(item) for item in flowing)
    if isinstance(flowing, list):
        return [strip(item) for item in flowing]
    if isinstance(flowing, dict):
        return {name: strip(item) for name, item in flowing.items()}
    return flowing


def unwrap(output: Any) -> Any:
    return output


def map_values(values: Any, change: Callable[[Value], Value]) -> Any:
    if isinstance(values, Value):
        return change(values)
    if isinstance(values, tuple):
        return tuple(map_values(item, change) for item in values)
    if isinstance(values, dict):
        return {name: map_values(item, change) for name, item in values.items()}
    return values


def is_verb(reason: str) -> bool:
    """Whether a layer's reason goes on after its name: `expects ...`, `cannot ...`."""
    first = reason.partition(" ")[0]
    return first in ("cannot", "with") or (first.isalpha() and first.endswith("s"))


def signature(define: syntax.Define) -> str:
    """`Unit(width, stride=1)`, as it was written."""
    listed = ", ".join(param.span.text for param in define.params)
    return f"{define.name}({listed})" if listed else define.name


def compatible(kind: Hashable, known: Hashable) -> bool:
    """Whether arguments of two kinds can go to one class; `none` goes with what is written as a value."""
    return kind == known or ("none" in (kind, known) and {kind, known} <= {"none", "number", "str", "layer"})


def recipes_in(value: Any) -> bool:
    """Whether a sequence has a layer or block somewhere in it."""
    if isinstance(value, tuple | list):
        return any(recipes_in(item) for item in value)
    return isinstance(value, LayerRef | BlockRef | Bound | Deferred)
