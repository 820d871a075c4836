"""Layers, functions and blocks put into the flow: arguments bound, shapes inferred, blocks expanded once a signature."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netc import syntax
from netc.diagnostics import Label, Span, nearest
from netc.elaborate.expressions import Expressions, freeze, literal, plain, sequence_term, value_term
from netc.elaborate.syntactic import modules_only, names_in
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Container,
    Default,
    Deferred,
    Fault,
    FileScope,
    Frame,
    LayerRef,
    Placed,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Argument, Construction, Module, Parameter, Step, Template, Use
from netc.layer import BadArgument, Field, Ints, Layer, Reject, State, Values, is_int
from netc.naming import MODULE_ATTRIBUTES
from netc.shapes import Value, show_shape
from netc.terms import Dim, Known, Place, Term

MAX_EXPANSION = 64


@dataclass(eq=False)
class Given:
    """Arguments of a call after evaluation: values by position and name, their sources, and tensors among them."""

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    terms: dict[int, Term] = field(default_factory=dict)
    spans: list[tuple[str | int, Span]] = field(default_factory=list)
    operands: list[tuple[syntax.Expr, Any]] = field(default_factory=list)
    named_operands: dict[str, tuple[syntax.Expr, Any]] = field(default_factory=dict)
    written: dict[str | int, Term] = field(default_factory=dict)

    def span_of(self, name: str, fields: Sequence[str]) -> Span | None:
        """The place of an argument; the last one where it is given twice, the first surplus one by its number."""
        for key, span in reversed(self.spans):
            if key == name or (isinstance(key, int) and (fields[key : key + 1] == [name] or str(key) == name)):
                return span
        return None


@dataclass(eq=False, slots=True)
class Expansion:
    """A block expanded for one signature: its part of the tree, and its output in the block's own terms."""

    module: Module
    output: Any
    template: Template


class Placing(Expressions):
    """Puts what a stage names into the flow of a frame."""

    taken_apart: syntax.Expr | None = None
    expansions: dict[Hashable, Expansion]
    templates: dict[Hashable, Template]
    variants: dict[Hashable, list[tuple[Template, dict[str, Hashable]]]]

    def statements(self, body: Sequence[syntax.Stmt], frame: Frame) -> None:
        """Runs statements in a frame."""
        raise NotImplementedError

    # ---- arguments -------------------------------------------------------------------------------

    def given(self, call: syntax.Call | None, fields: dict[str, Field[Any]], inputs: Sequence[str], frame: Frame) -> Given:
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
            slot: str | int = arg.name if arg.name is not None else len(given.args)
            if arg.name is not None:
                if arg.name in given.kwargs:
                    raise fault("E0403", arg.span, f"`{arg.name}` is given twice", "again here")
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
                    raise fault("E0403", arg.span, text, "which one is meant?", help="give the local another name",
                                secondary=(Label(local.span, "the local name"),))
                return word, literal(word)
            if local is None and self.find(word, frame) is None:
                near = nearest(word, field.words)
                raise fault(
                    "E0404", arg.span, f"`{field.name}` must be {field.expected}", f"`{word}` is not known",
                    help=f"did you mean `{near}`?" if near else None,
                )  # fmt: skip
        value = self.evaluate(arg.value, frame)
        if is_flowing(value) or isinstance(value, Deferred):
            return value, literal(None)
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
            if error.kind == "value":
                raise self.bad_value(cls, error, given, place) from None
            codes = {"unknown": "E0401", "missing": "E0401", "surplus": "E0401", "repeated": "E0403"}
            labels = {"unknown": "no such argument", "missing": f"without `{error.name}`", "surplus": "one too many"}
            twice = error.kind == "repeated"
            near = nearest(error.name, cls.fields) if error.kind == "unknown" else None
            help = f"did you mean `{near}`?" if near else f"the signature is `{cls.signature()}`"
            if error.kind == "unknown" and error.name in self.inferred_names(cls, given, frame):
                help = f"leave it out: `{error.name}` follows from what reaches the layer"
            raise fault(
                codes[error.kind], place, error.reason, labels.get(error.kind, "again here"), help=help,
                secondary=(Label(self.first_place(error.name, given, cls), "first here"),) if twice else (),
            ) from None  # fmt: skip

    def first_place(self, name: str, given: Given, cls: type[Layer]) -> Span:
        names = list(cls.fields)
        return next(at for key, at in given.spans if key == name or (isinstance(key, int) and names[key] == name))

    def bad_value(self, cls: type[Layer], error: BadArgument, given: Given, place: Span) -> Fault:
        """A value of the wrong type or out of range, in the words of the spec."""
        names = list(cls.fields)
        value = given.kwargs[error.name] if error.name in given.kwargs else given.args[names.index(error.name)]
        field = cls.fields[error.name]
        written = place.text.partition("=")[2].strip() if place.text.startswith(error.name) else place.text
        rounded = isinstance(value, float) and "integer" in field.expected
        help = f"make it an integer: `int({written})`" if rounded else None
        if is_plain(value):
            return fault("E0404", place, error.reason, f"of `{cls.__name__}`", help=help)
        text = f"`{error.name}` must be {field.expected}, not {describe(value)}"
        return fault("E0402", place, text, f"of `{cls.__name__}`")

    def inferred_names(self, cls: type[Layer], given: Given, frame: Frame) -> Collection[str]:
        """The arguments of the PyTorch module that this language does not take, as far as the rest says."""
        kwargs = {name: value for name, value in given.kwargs.items() if name in cls.fields}
        inputs = tuple(t.value for t in tensors(frame.flow))
        try:
            layer = cls.bind(given.args, kwargs)
            return layer.inferred(*inputs).keys()
        except (BadArgument, Reject, TypeError, IndexError):
            return ()

    def refuse_runtime(self, layer: Layer, given: Given, node: syntax.Expr) -> None:
        """A module is made before the network runs, so its arguments cannot be sizes that only a run decides."""
        for name, value in layer.given().items():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Term):
                    place = given.span_of(name, list(layer.fields)) or node.span
                    text = f"`{item}` is known only when the network runs, and `{name}` is needed before"
                    raise fault("E0405", place, text, "here", help="give the input fixed sizes, or use a function")

    # ---- layers ------------------------------------------------------------------------------------

    def operands(self, cls: type[Layer], given: Given, frame: Frame, span: Span) -> tuple[list[Any], list[Any]]:
        """The tensors that a layer takes and where they are written (None: the flow)."""
        required = [name for name in cls.inputs if not name.endswith("?")]
        many = bool(required) and required[0].startswith("*")
        values = [value for _, value in given.operands]
        places: list[Any] = [expr for expr, _ in given.operands]
        names = [name.strip("*?") for name in cls.inputs]
        for name, (expr, value) in given.named_operands.items():
            if name not in names:
                raise fault("E0401", expr.span, f"`{cls.__name__}` has no input `{name}`", f"it takes {', '.join(names)}")
        count = len(values) + len(given.named_operands.keys() & set(required))
        if many and count == 1 and isinstance(values[0], tuple):
            return list(values[0]), places
        if (many and count < 2) or (not many and count < len(required)):
            values, places = self.with_flow(values, places, many, len(required) - count, frame, span)
        for name in names[len(values) :]:
            if name in given.named_operands:
                expr, value = given.named_operands[name]
                values.append(value)
                places.append(expr)
        short = len(values) < len(required)
        if short or (not many and len(values) > len(names)):
            wanted = ", ".join(f"`{name}`" for name in names)
            text = f"`{cls.__name__}` takes {wanted}; {len(values)} tensor{'s' * (len(values) != 1)} reach it"
            raise fault("E0401", span, text, "too few" if short else "too many")
        return values, places

    def with_flow(
        self, values: list[Any], places: list[Any], many: bool, missing: int, frame: Frame, span: Span
    ) -> tuple[list[Any], list[Any]]:
        flow = self.need_flow(frame, span)
        if isinstance(flow, tuple) and (many or missing > 1):
            return [*flow, *values], [None, *places]
        return [flow, *values], [None, *places]

    def need_flow(self, frame: Frame, span: Span) -> Any:
        """The current flow; an error where nothing flows yet."""
        if frame.flow is POISON:
            raise Poisoned
        if frame.flow is None:
            inputs = ", ".join(f"`{name} -> ...`" for name in frame.template.root.inputs)
            help = f"begin with one of the inputs: {inputs}" if inputs else "begin the net with `input 3x32x32`"
            raise fault("E0303", span, "nothing flows here yet", "this needs an input", help=help)
        return frame.flow

    def apply_layer(
        self, ref: LayerRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, arg_frame: Frame | None = None
    ) -> tuple[Use, Any]:
        """Binds a layer, infers its output, and records what the emitter needs. Does not place it in the tree."""
        given = self.given(call, ref.cls.fields, ref.cls.inputs, arg_frame or frame)
        self.with_defaults(ref.cls, given, frame)
        layer = self.bind(ref.cls, given, node.span, frame)
        if not ref.function:
            self.refuse_runtime(layer, given, node)
        inputs, places = self.operands(ref.cls, given, frame, node.span)
        output = self.infer(layer, ref, inputs, given, node)
        values = tuple(t.value for t in tensors(inputs))
        use = Use("function" if ref.function else "layer", layer, values, tuple(places), callee=ref.name)
        use.arguments = self.call_arguments(layer, ref.function, given, values)
        use.output = strip(output)
        return use, output

    def infer(self, layer: Layer, ref: LayerRef, inputs: Sequence[Any], given: Given, node: syntax.Expr) -> Any:
        for item in inputs:
            if not isinstance(item, Tensor):
                raise fault(
                    "E0603", node.span, f"`{ref.name}` takes one tensor, and {len(item)} flow here", "which one?",
                    help="name them: `a, b = _`, then go on with one: `a -> ...`",
                )  # fmt: skip
        values = [item.value for item in inputs]
        try:
            layer.admit(*values)
            output = layer.infer(*values)
        except Reject as reject:
            raise self.rejected(reject, ref, inputs, given, node) from None
        return attach(output, node.span)

    def rejected(self, reject: Reject, ref: LayerRef, inputs: Sequence[Tensor], given: Given, node: syntax.Expr) -> Fault:
        span = given.span_of(reject.field, list(ref.cls.fields)) if reject.field else None
        names = [name.strip("*?") for name in ref.cls.inputs]
        index = names.index(reject.input) if reject.input in names else 0
        secondary = tuple(
            Label(t.span, f"this makes {'it' if len(inputs) == 1 else 'one side'} {t.value}")
            for t in (inputs if reject.input is None else inputs[index : index + 1])
            if (t.span.start, t.span.end) != (node.span.start, node.span.end)
        )
        shapes = " and ".join(str(t.value) for t in inputs)
        message = f"`{ref.name}`{' ' if is_verb(reject.reason) else ': '}{reject.reason}"
        label = f"receives {shapes}" if inputs else "it has no input"
        return fault("E0601", span or node.span, message, label, secondary=secondary, help=reject.help)

    def call_arguments(self, layer: Layer, function: bool, given: Given, values: tuple[Value, ...]) -> tuple[Argument, ...]:
        """The arguments of the PyTorch call: as written where they were written, computed ones by their terms."""
        fields, names = layer.fields, list(layer.fields)
        source = self.sources(fields, given)
        raw = layer.given()
        computed = layer.function_arguments(*values) if function else layer.arguments(*values)
        required = sum(1 for name in computed if name not in fields or fields[name].required)
        positional = layer.positional if layer.positional is not None else required
        first = next(iter(computed), None)
        if (function and layer.inputs[:1] != ("*tensors",)) or (first in source and 0 in given.written):
            positional = max(positional, 1)
        leading = sum(1 for name, value in computed.items() if name not in fields or value is not raw.get(name))
        leading = leading if all(n not in fields or computed[n] is not raw.get(n) for n in list(computed)[:leading]) else 0
        if function and layer.inputs[:1] == ("*tensors",):
            positional = leading = 0
        result: list[Argument] = []
        for i, (name, value) in enumerate(computed.items()):
            own = name in fields and name in raw and value is raw[name]
            stated = function and name in layer.function_defaults
            if name in fields and name not in source and own and not fields[name].required and not stated:
                continue
            term = source[name] if own and name in source else value_term(value)
            default = fields[name].default if name in fields and not fields[name].required else ...
            if function:
                default = layer.function_defaults.get(name, default)
            in_place = i < max(positional, leading) and len(result) == i
            variadic = name in fields and isinstance(fields[name], Ints) and fields[name].variadic  # type: ignore[attr-defined]
            result.append(Argument(name, term, in_place, default, variadic))
        return tuple(result)

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

    def apply_function(self, expr: syntax.Call, frame: Frame) -> Any:
        ref = self.resolve(expr.function, frame)  # type: ignore[arg-type]
        use, output = self.apply_layer(ref, expr, frame, expr)
        frame.template.sites.setdefault(expr, use)
        return unwrap(output)

    # ---- into the tree ---------------------------------------------------------------------------

    def place(
        self, target: Any, call: syntax.Call | None, frame: Frame, node: syntax.Expr, label: str | None,
        arg_frame: Frame | None = None,
    ) -> None:  # fmt: skip
        """Places a layer, a block or a recipe under a label (or a number, or a name of its own) and moves the flow."""
        if isinstance(target, Bound):
            if call is not None:
                place = call.function.span
                help = f"place it as it is: `{place.text}`"
                raise fault(
                    "E0402", node.span, f"`{place.text}` has its arguments already", "given again here", help=help,
                )  # fmt: skip
            return self.place(target.target, target.call, frame, node, label, target.frame)
        if isinstance(target, LayerRef):
            return self.place_layer(target, call, frame, node, label, arg_frame)
        if isinstance(target, BlockRef):
            return self.place_block(target, call, frame, node, label, arg_frame)
        raise fault("E0402", node.span, f"{describe(target)} is not a layer", "a layer or a block is needed")

    def place_layer(
        self, ref: LayerRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, label: str | None,
        arg_frame: Frame | None = None,
    ) -> None:  # fmt: skip
        use, output = self.apply_layer(ref, call, frame, node, arg_frame)
        if ref.function:
            self.refuse_function(ref, frame, node, label)
            self.step(frame, None, node, None, output)
        else:
            layer = use.layer
            assert layer is not None
            if frame.container.sequential and isinstance(output, tuple):
                text = f"`{ref.name}` gives {len(output)} values, which a Sequential cannot pass on"
                raise fault(
                    "E0603", node.span, text, "in a Sequential", help="give it a label of its own outside the chain",
                )  # fmt: skip
            module = Module("layer", ref.name, node.span, layer, use.inputs, strip(output), text=node.span.text)
            module.state = layer.state(*use.inputs)
            self.member(frame, module, use, label, node)
            self.step(frame, use.label, node, module, output)
        if node not in frame.template.sites:
            frame.template.sites[node] = use
        frame.flow = self.flowing(ref.cls, output, node)

    def flowing(self, cls: type[Layer], output: Any, node: syntax.Expr) -> Any:
        """Which of several outputs flows on."""
        if not isinstance(output, tuple) or cls.flow is None or node is self.taken_apart:
            return output
        return output[cls.flow]

    def refuse_function(self, ref: LayerRef, frame: Frame, node: syntax.Expr, label: str | None) -> None:
        if label is None and not frame.container.sequential:
            return
        module = ref.cls.names()[0]
        help = f"write the layer: `{module}`" if module else "give the suite a `def` of its own"
        where = "in a Sequential" if label is None else f"under the label `{label}`"
        raise fault("E0406", node.span, f"the function `{ref.name}` cannot stand {where}", "a module is needed", help=help)

    def member(self, frame: Frame, module: Module, use: Use, label: str | None, node: syntax.Expr) -> None:
        """Registers a module in the container around it and settles its label."""
        container = frame.container
        if label is None:
            label = container.next_index() if container.sequential else self.own_name(container, module, node)
        elif container.sequential:
            container.count += 1
        self.refuse_attribute(label, node)
        if label in container.module.children or label in container.module.state:
            other = container.labels[label].span if label in container.labels else node.span
            raise fault(
                "E0403", node.span, f"the label `{label}` is taken", "again here",
                secondary=(Label(other, "first here"),),
                help="give the second one a label of its own, or reuse the first by its bare name",
            )  # fmt: skip
        use.label, use.numbered = label, container.sequential
        container.module.children[label] = module
        container.labels[label] = Placed(module, use, node.span)

    def refuse_attribute(self, name: str, node: syntax.Node) -> None:
        """Rejects a name that every PyTorch module has already."""
        if name in MODULE_ATTRIBUTES:
            text, label = f"`{name}` cannot name a part of a net", f"every PyTorch module has its own `{name}`"
            raise fault("E0408", node.span, text, label, help=f"`{name}_` is free")

    def own_name(self, container: Container, module: Module, node: syntax.Expr) -> str:
        """The name of an unlabelled module outside a Sequential: by its type when it keeps no state."""
        if next(module.named_state(), None) is not None:
            raise fault(
                "E0407", node.span, f"`{node.span.text}` has parameters and needs a label", "no name in the state dict",
                help=f"name it: `{module.name.lower()}1: {node.span.text}`",
            )  # fmt: skip
        name = module.name.lower()
        number = container.stateless.get(name, 0) + 1
        container.stateless[name] = number
        candidate = name if number == 1 else f"{name}_{number}"
        return candidate if candidate not in container.labels else self.own_name(container, module, node)

    def step(self, frame: Frame, label: str | None, node: syntax.Node, module: Module | None, output: Any) -> None:
        frame.container.module.steps.append(Step(label, node.span.text, module, strip(output)))

    def reuse(self, placed: Placed, name: str, frame: Frame, node: syntax.Expr) -> None:
        """Applies a module that stands in the tree already: the same parameters again."""
        flow = self.need_flow(frame, node.span)
        values = tuple(t.value for t in tensors(flow))
        module = placed.module
        if module.layer is not None:
            use = Use("member", module.layer, values, callee=name, label=name)
            ref = LayerRef(module.name, type(module.layer), False)
            output = self.infer(module.layer, ref, [flow] if isinstance(flow, Tensor) else list(flow), Given(), node)
            if module.layer.inferred(*values) != module.layer.inferred(*module.inputs):
                raise self.unlike(placed, name, values, node)
        else:
            if [v.shape for v in values] != [v.shape for v in module.inputs]:
                raise self.unlike(placed, name, values, node)
            use = Use("member", None, values, callee=name, label=name, template=placed.use.template)
            output = attach(module.output, node.span)
            if use.template is not None:
                use.bindings, use.values, use.tensors = placed.use.bindings, placed.use.values, placed.use.tensors
                use.inner = module.output
                output = self.returned(Expansion(module, module.output, use.template), frame, node)
        use.output = strip(output)
        frame.template.sites.setdefault(node, use)
        self.step(frame, name, node, module, output)
        frame.flow = output if module.layer is None else self.flowing(type(module.layer), output, node)

    def unlike(self, placed: Placed, name: str, values: Sequence[Value], node: syntax.Expr) -> Fault:
        was, now = (" and ".join(str(v) for v in side) for side in (placed.module.inputs, values))
        return fault(
            "E0602", node.span, f"`{name}` was placed for {was} and is used again for {now}", f"receives {now}",
            secondary=(Label(placed.span, f"made for {was}"),), help="give the second use a layer of its own",
        )  # fmt: skip

    # ---- blocks --------------------------------------------------------------------------------------

    def place_block(
        self, ref: BlockRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, label: str | None,
        arg_frame: Frame | None = None,
    ) -> None:  # fmt: skip
        expansion, arguments, operands, values = self.expand(ref, call, frame, node, arg_frame)
        use = Use("block", None, operands=tuple(operands), template=expansion.template, callee=ref.define.name)
        use.inputs = tuple(t.value for t in tensors(frame.flow))
        use.tensors = {name: value.value for name, value in self.tensor_arguments(ref, call, arg_frame or frame)}
        self.member(frame, expansion.module, use, label, node)
        output = self.returned(expansion, frame, node)
        use.output, use.inner = strip(output), expansion.output
        if node not in frame.template.sites:
            use.bindings = arguments
            use.values = {name: Term.of(value) for name, value in values.items() if is_int(value)}
            use.positional = sum(1 for arg in call.args if arg.name is None) if call is not None else 0
            frame.template.sites[node] = use
            expansion.template.constructions.append(Construction(frame.template, use))
        self.step(frame, use.label, node, expansion.module, output)
        frame.flow = output

    def returned(self, expansion: Expansion, frame: Frame, node: syntax.Node) -> Any:
        """The output of a block as the caller sees it: its sizes are places of this call."""
        counter = iter(range(1_000_000))

        def relabel(value: Value) -> Value:
            index = next(counter)
            return value.with_shape(
                Known.make(int(size), Term.atom(Place("call", node, (index, axis)))) if isinstance(size, Known) else size
                for axis, size in enumerate(value.shape)
            )

        return attach(map_values(expansion.output, relabel), node.span)

    def expand(
        self, ref: BlockRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, arg_frame: Frame | None
    ) -> tuple[Expansion, dict[str, Term], list[Any], dict[str, Any]]:
        """Expands a block for its arguments and what flows into it; the same signature is expanded once."""
        define = ref.define
        values, terms, operands = self.block_arguments(ref, call, frame, node, arg_frame or frame)
        given = dict(values)
        flow = frame.flow
        if flow is POISON or any(v is POISON for v in values.values()):
            raise Poisoned
        shapes = tuple(signature_of(t.value) for t in tensors(flow))
        arguments = tuple((name, self.frozen(value)) for name, value in values.items())
        key = (define, shapes, isinstance(flow, tuple), arguments, frame.defaults)
        if key not in self.expansions:
            self.expansions[key] = self.expand_new(ref, values, frame, node)
        expansion = self.expansions[key]
        return expansion, terms, operands, {name: given[name] for name in terms}

    def tensor_arguments(self, ref: BlockRef, call: syntax.Call | None, frame: Frame) -> list[tuple[str, Tensor]]:
        """The tensors among the arguments of a block, by parameter."""
        names = [p.name for p in ref.define.params]
        found = []
        for i, arg in enumerate(call.args if call is not None else ()):
            value = self.evaluate(arg.value, frame)
            if isinstance(value, Tensor):
                found.append((arg.name or names[i], value))
        return found

    def frozen(self, value: Any) -> Hashable:
        if isinstance(value, Tensor):
            return signature_of(value.value)
        if isinstance(value, Bound | Deferred):
            return id(value.call if isinstance(value, Bound) else value.expr), id(value.frame)
        frozen: Hashable = freeze(value)
        return frozen

    def block_arguments(
        self, ref: BlockRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, arg_frame: Frame
    ) -> tuple[dict[str, Any], dict[str, Term], list[Any]]:
        """The value of each parameter, the source of those given, and the tensors among them."""
        params = {p.name: p for p in ref.define.params}
        names = list(params)
        values: dict[str, Any] = {}
        terms: dict[str, Term] = {}
        operands: dict[str, Any] = {}
        for i, arg in enumerate(call.args if call is not None else ()):
            name = arg.name if arg.name is not None else names[i] if i < len(names) else None
            if name is None or name not in params:
                raise self.bad_block_argument(ref, arg, name, names)
            if name in values:
                raise fault("E0403", arg.span, f"`{name}` is given twice", "again here")
            values[name], terms[name] = self.block_argument(arg, arg_frame)
            if is_flowing(values[name]):
                operands[name] = arg.value
        missing = [n for n, p in params.items() if p.default is None and n not in values]
        if missing:
            places = ", ".join(f"`{name}`" for name in missing)
            raise fault(
                "E0401", node.span, f"`{ref.define.name}` needs {places}", f"without {places}",
                secondary=(Label(ref.define.name_span, "defined here"),), help=f"it is `{signature(ref.define)}`",
            )  # fmt: skip
        return {n: values.get(n, ...) for n in names}, terms, [operands[n] for n in names if n in operands]

    def block_argument(self, arg: syntax.Arg, frame: Frame) -> tuple[Any, Term]:
        value = self.evaluate(arg.value, frame)
        if isinstance(value, Tensor | Deferred) or is_flowing(value):
            return value, literal(None)
        return value, self.render(arg.value, frame)

    def bad_block_argument(self, ref: BlockRef, arg: syntax.Arg, name: str | None, names: list[str]) -> Fault:
        define = ref.define
        if name is None:
            count = f"{len(names) or 'no'} argument{'s' * (len(names) != 1)}"
            text, label = f"`{define.name}` takes {count}", "one too many"
        else:
            text, label = f"`{define.name}` has no parameter `{name}`", "no such parameter"
        near = nearest(name, names) if name else None
        help = f"did you mean `{near}`?" if near else f"it is `{signature(define)}`"
        return fault("E0401", arg.span, text, label, secondary=(Label(define.name_span, "defined here"),), help=help)

    def expand_new(self, ref: BlockRef, values: dict[str, Any], frame: Frame, node: syntax.Expr) -> Expansion:
        define = ref.define
        chain = (*frame.chain, (define.name, node.span))
        names = [name for name, _ in chain]
        if names.count(define.name) > 1 and len(chain) > MAX_EXPANSION:
            path = " -> ".join(dict.fromkeys(names[names.index(define.name) :]))
            text = f"`{define.name}` is expanded inside itself more than {MAX_EXPANSION} times"
            help = "a block that contains itself needs a parameter that ends it: `... when depth > 0`"
            raise fault("E0802", node.span, text, f"{path} -> {define.name} -> ...", help=help)
        inner = self.new_frame(ref, frame)
        inner.chain = chain
        self.bind_parameters(define, values, inner)
        template = self.template_for(define, inner, frame.flow)
        inner.template = template
        inner.entry = inner.flow = self.enter(frame.flow, template)
        self.rebind_parameters(define, values, inner, template)
        inner.container = self.container_for(define, template.sequential, node)
        inner.container.module.inputs = tuple(t.value for t in tensors(inner.flow))
        self.statements(define.body, inner)
        return self.finish(inner)

    def new_frame(self, ref: BlockRef, frame: Frame) -> Frame:
        return Frame(frame.template, ref.scope, frame.container, defaults=frame.defaults)

    def container_for(self, define: syntax.Define, sequential: bool, node: syntax.Node) -> Container:
        kind = "sequential" if sequential else "block"
        return Container(Module(kind, define.name, node.span, text=node.span.text), sequential)  # type: ignore[arg-type]

    def bind_parameters(self, define: syntax.Define, values: dict[str, Any], inner: Frame) -> None:
        """Binds arguments and defaults; `...` in `values` stands for one that was not given."""
        for param in define.params:
            value = values[param.name]
            if value is ...:
                assert param.default is not None
                value = self.evaluate(param.default, inner)
                values[param.name] = value
            inner.env[param.name] = Binding(value, literal(None), param.span)

    def template_for(self, define: syntax.Define, inner: Frame, flow: Any) -> Template:
        """The class for a definition: one for each rank and kind of what flows in and each kind of argument."""
        kinds = {name: self.kind_of(binding.value) for name, binding in inner.env.items()}
        ranks = tuple((t.value.rank, t.value.kind, t.value.channel) for t in tensors(flow))
        alike = self.variants.setdefault((define, ranks, self.rules_for(define, inner)), [])
        for template, known in alike:
            if all(compatible(kind, known[name]) for name, kind in kinds.items()):
                known.update({name: kind for name, kind in kinds.items() if kind != "none"})
                return template
        key = (define, (ranks, len(alike)), tuple(kinds.items()))
        names = [p.name for p in define.params]
        sequential = modules_only(define.body, names)
        template = Template(key, define.name, define, define.body, sequential, doc=define.doc)
        self.templates[key] = template
        alike.append((template, kinds))
        return template

    def rules_for(self, define: syntax.Define, inner: Frame) -> Hashable:
        """The `default` statements in force that could reach a layer of the block."""
        if not inner.defaults:
            return ()
        placed = set(self.layers_in(define.body, inner.scope, set()))
        for binding in inner.env.values():
            if recipes_in(binding.value):
                return tuple(id(rule.args) for rule in inner.defaults)
        return tuple(id(rule.args) for rule in inner.defaults if rule.cls in placed)

    def layers_in(self, node: object, scope: FileScope, seen: set[syntax.Define]) -> Iterator[type[Layer]]:
        """The layers that a text names, those of the blocks that it names too."""
        for name in names_in(node):
            found = self.file_value(name, scope) if name in scope.items or name in scope.imports else None
            if isinstance(found, BlockRef) and found.define not in seen:
                seen.add(found.define)
                yield from self.layers_in(found.define, found.scope, seen)
            elif isinstance(found, list | tuple) and recipes_in(found):
                yield from self.layers_of(found, seen)
            cls = self.registry.layer(name) if found is None else None
            if cls is not None:
                yield cls

    def layers_of(self, value: Any, seen: set[syntax.Define]) -> Iterator[type[Layer]]:
        """The layers in a table or list."""
        if isinstance(value, list | tuple):
            for item in value:
                yield from self.layers_of(item, seen)
        elif isinstance(value, LayerRef):
            yield value.cls
        elif isinstance(value, Bound):
            yield from self.layers_of(value.target, seen)
        elif isinstance(value, BlockRef) and value.define not in seen:
            seen.add(value.define)
            yield from self.layers_in(value.define, value.scope, seen)

    def kind_of(self, value: Any) -> Hashable:
        """What emitted code must know of an argument: its type, or the very layer or block that it is."""
        if is_flowing(value):
            return "tensor"
        if isinstance(value, LayerRef):
            return "layer" if value.cls.is_uniform() and not value.function else value.name
        if isinstance(value, BlockRef):
            return value.define
        if isinstance(value, Bound):
            target = value.target
            uniform = isinstance(target, LayerRef) and target.cls.is_uniform() and not target.function
            return "layer" if uniform else (id(value.call), id(value.frame))
        if isinstance(value, Deferred):
            return (id(value.expr), id(value.frame))
        if value is None:
            return "none"
        if isinstance(value, tuple | list):
            kinds = [self.kind_of(item) for item in value]
            mixed = any(isinstance(item, LayerRef | BlockRef | Bound | Deferred | tuple | list) for item in value)
            return ("list", *(map(self.frozen, value) if mixed and recipes_in(value) else sorted(set(map(str, kinds)))))
        return "number" if isinstance(value, int | float) else type(value).__name__

    def rebind_parameters(self, define: syntax.Define, values: dict[str, Any], inner: Frame, template: Template) -> None:
        """Gives each parameter the term by which the class knows it, and notes the value that it took."""
        scratch = self.new_frame(BlockRef(define, inner.scope), inner)
        for param in define.params:
            value = plain(values[param.name])
            inner.env[param.name] = self.binding(param.name, value, template, param)
            tensor = is_flowing(value)
            if tensor:
                inner.env[param.name] = self.tensor_binding(param, value, template)
            known = template.parameters.get(param.name)
            if known is None:
                known = Parameter(param.name, self.default_term(param, scratch), tensor=tensor)
                template.parameters[param.name] = known
            scratch.env[param.name] = inner.env[param.name]
            known.values.append(value)

    def tensor_binding(self, param: syntax.Parameter, value: Any, template: Template) -> Binding:
        placed = map_values(strip(value), self.entering(template, param.name))
        template.inputs.setdefault(param.name, placed if isinstance(placed, Value) else placed[0])
        return Binding(attach(placed, param.span), literal(None), param.span)

    def default_term(self, param: syntax.Parameter, frame: Frame) -> Term | None:
        if param.default is None:
            return None
        try:
            return self.render(param.default, frame)
        except Fault:
            return None

    def enter(self, flow: Any, template: Template) -> Any:
        """What a block sees of what flows in: the same sizes, as places of its class."""
        if flow is None:
            return None
        placed = map_values(strip(flow), self.entering(template, "x"))
        result = attach(placed, next(tensors(flow)).span)
        for i, tensor in enumerate(tensors(result)):
            template.inputs.setdefault("x" if i == 0 else f"x{i + 1}", tensor.value)
        return result

    def entering(self, template: Template, name: str) -> Callable[[Value], Value]:
        counter = iter(range(1_000_000))

        def relabel(value: Value) -> Value:
            index = next(counter)
            operand = name if index == 0 else f"{name}{index + 1}"
            return value.with_shape(
                size if axis == 0 else self.as_place("input", template, (operand, axis), size)
                for axis, size in enumerate(value.shape)
            )

        return relabel

    def as_place(self, kind: str, owner: Hashable, key: Hashable, size: Dim) -> Dim:
        """The same size, known as a place; sizes that only a run decides stay what they are."""
        if isinstance(size, Term):
            return size
        return Known.make(int(size), Term.atom(Place(kind, owner, key)))

    def finish(self, inner: Frame) -> Expansion:
        output = inner.returned if inner.returned is not None else inner.flow
        if output is POISON:
            raise Poisoned
        module = inner.container.module
        module.output = strip(output)
        inner.template.output = inner.template.output or module.output
        return Expansion(module, module.output, inner.template)


def compatible(kind: Hashable, known: Hashable) -> bool:
    """Whether arguments of two kinds can go to one class; `none` goes with what is written as a value."""
    return kind == known or ("none" in (kind, known) and {kind, known} <= {"none", "number", "str", "layer"})


def recipes_in(value: Any) -> bool:
    """Whether a sequence has a layer or block somewhere in it."""
    if isinstance(value, tuple | list):
        return any(recipes_in(item) for item in value)
    return isinstance(value, LayerRef | BlockRef | Bound | Deferred)


def signature(define: syntax.Define) -> str:
    """`Unit(width, stride=1)`, as it was written."""
    listed = ", ".join(param.span.text for param in define.params)
    return f"{define.name}({listed})" if listed else define.name


def is_plain(value: Any) -> bool:
    """Whether messages can show a value as it is: numbers, words and lists of them."""
    if isinstance(value, list | tuple):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, int | float | str | Term)


def is_verb(reason: str) -> bool:
    """Whether a layer's reason goes on after its name: `expects ...`, `cannot ...`."""
    first = reason.partition(" ")[0]
    return first in ("cannot", "with") or (first.isalpha() and first.endswith("s"))


def signature_of(value: Value) -> Hashable:
    return (tuple(plain(size) for size in value.shape), value.kind, value.channel)


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


__all__ = ["Default", "Expansion", "Placing", "State", "attach", "map_values", "show_shape", "signature_of", "strip"]
