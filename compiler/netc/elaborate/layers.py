"""Layers and functions put into the flow: inputs gathered, shapes inferred, members registered in the tree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from netc import syntax
from netc.diagnostics import Label, Span, renamed
from netc.elaborate.apart import spot
from netc.elaborate.arguments import Expansion, Given, attach, is_verb, strip, unwrap
from netc.elaborate.batches import refuse_batches
from netc.elaborate.idioms import Idioms
from netc.elaborate.operands import Operands, check_names, complete, required, unfit
from netc.elaborate.syntactic import labels_in, modules_only, names_in
from netc.elaborate.unread import departure
from netc.elaborate.values import (
    POISON,
    BlockRef,
    Bound,
    Fault,
    Frame,
    LayerRef,
    Placed,
    Poisoned,
    Tensor,
    describe,
    fault,
    tensors,
)
from netc.graph import Call, Maker, Module, Step, Use
from netc.layer import Layer, Reject
from netc.mending import preceded, prefixed, without_argument, without_first
from netc.naming import MODULE_ATTRIBUTES
from netc.shapes import Value


class Layers(Idioms):
    """Places layers."""

    def place_block(
        self, ref: BlockRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, label: str | None,
        arg_frame: Frame | None = None,
    ) -> None:  # fmt: skip
        """Places a block and moves the flow."""
        raise NotImplementedError

    def returned(self, expansion: Expansion, frame: Frame, node: syntax.Node) -> Any:
        """The output of a block as the caller sees it."""
        raise NotImplementedError

    def operands(self, cls: type[Layer], given: Given, frame: Frame, node: syntax.Expr) -> Operands:
        """The tensors that a layer takes: those of the call, after the flow if one that it needs is not among them."""
        found = Operands([value for _, value in given.operands], [expr for expr, _ in given.operands])
        check_names(cls, given)
        many = any(name.startswith("*") for name in cls.inputs)
        needed = required(cls)
        count = len(found.values) + len(given.named_operands.keys() & set(needed))
        if many and count == 1 and isinstance(found.values[0], tuple):
            return Operands(list(found.values[0]), found.places)
        if (many and count < 2) or (not many and count < len(needed)):
            flow = self.need_flow(frame, node.span)
            spread = isinstance(flow, tuple) and not cls.tupled and (many or len(cls.inputs) > 1 + count)
            found = Operands([*(flow if spread else [flow]), *found.values], [None, *found.places])
        if many:
            return found
        found = complete(cls, found, given, node)
        if not len(needed) <= len(found.values) <= len(cls.inputs):
            raise unfit(cls, len(found.values), node)
        return found

    def need_flow(self, frame: Frame, span: Span) -> Any:
        """The current flow; an error where nothing flows yet."""
        if frame.flow is POISON:
            raise Poisoned
        if frame.flow is None:
            inputs = ", ".join(f"`{name} -> ...`" for name in frame.template.root.inputs)
            help = f"begin with one of the inputs: {inputs}" if inputs else "begin the net with `input 3x32x32`"
            raise fault("E0303", span, "nothing flows here yet", "this needs an input", help=help)
        self.unread.read(frame.flow)
        return frame.flow

    def apply_layer(
        self, ref: LayerRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, arg_frame: Frame | None = None
    ) -> tuple[Use, Any]:
        """Binds a layer, infers its output, and records what the emitter needs. Does not place it in the tree."""
        given = self.given(call, ref.cls.fields, ref.cls.inputs, arg_frame or frame)
        own = (*list(ref.cls.fields)[: len(given.args)], *given.kwargs) if arg_frame is not None else ()
        use, output = self.apply_given(ref, given, frame, node)
        use.passed = frozenset(own)
        return use, output

    def apply_given(self, ref: LayerRef, given: Given, frame: Frame, node: syntax.Expr) -> tuple[Use, Any]:
        """The same, of arguments that are evaluated already."""
        self.with_defaults(ref.cls, given, frame)
        layer = self.bind(ref.cls, given, node.span, frame)
        if not ref.function:
            self.refuse_runtime(layer, given, node)
        taken = self.operands(ref.cls, given, frame, node)
        output = self.infer(layer, ref, taken.values, given, node)
        values = tuple(strip(taken.values))
        use = Use("function" if ref.function else "layer", layer, values, tuple(taken.places), callee=ref.name)
        use.named = taken.named
        words = layer.verbatim(*values) if spot(node) in self.apart.verbatim else {}
        try:
            use.arguments = self.call_arguments(layer, ref.function, given, values, words)
            use.state = {} if ref.function else layer.kept(*values)
        except Reject as reject:
            raise self.rejected(reject, ref, taken.values, given, node) from None
        if not ref.function and layer.at_call:
            use.at_call = self.late_arguments(layer, given)
        use.output = strip(output)
        return use, output

    def infer(self, layer: Layer, ref: LayerRef, inputs: Sequence[Any], given: Given, node: syntax.Expr) -> Any:
        for item in inputs:
            if not isinstance(item, Tensor | None):
                raise fault(
                    "E0603", node.span, f"`{ref.name}` takes one tensor, and {len(item)} flow here", "which one?",
                    help="name them: `a, b = _`, then go on with one: `a -> ...`",
                )  # fmt: skip
        values = strip(inputs)
        self.ledger.place, known = node.span, len(self.ledger.relations)
        try:
            layer.admit(*values)
            layer.refuse_sizes(*values, made=not ref.function)
            output = layer.infer(*values)
        except Reject as reject:
            raise self.rejected(reject, ref, inputs, given, node) from None
        refuse_batches(self.ledger, known, node.span, inputs)
        return attach(output, node.span)

    def rejected(
        self, reject: Reject, ref: LayerRef, inputs: Sequence[Tensor], given: Given, node: syntax.Expr
    ) -> Fault:
        span = given.span_of(reject.field, list(ref.cls.fields)) if reject.field else None
        names = list(ref.cls.stand_ins())
        index = names.index(reject.input) if reject.input in names else 0
        concerned = inputs if reject.input is None else inputs[index : index + 1]
        inputs = [item for item in inputs if item is not None]
        what = "it" if len(inputs) == 1 else "one side"
        made = {
            (t.span.start, t.span.end): Label(t.span, f"this makes {what} {t.value}")
            for t in concerned if t is not None
        }  # fmt: skip
        secondary = tuple(label for place, label in made.items() if place != (node.span.start, node.span.end))
        if span is not None and not within(span, node.span):
            secondary, span = (*secondary, Label(span, "given here")), None
        shapes = " and ".join(dict.fromkeys(str(t.value) for t in inputs))
        message = f"`{ref.name}`{' ' if is_verb(reject.reason) else ': '}{reject.reason}"
        label = f"receives {shapes}" if inputs else "it has no input"
        told = self.told_anyway(ref.cls, given, [t.value for t in inputs])
        fix = without_first(given.places) if told else None
        if fix is None and reject.before:
            fix = preceded(node.span, reject.before)
        if fix is None and span is not None and (reject.help or "").startswith("leave it out"):
            fix = without_argument(node.span, given.places, span)
        return fault("E0601", span or node.span, message, label, secondary=secondary, help=told or reject.help, fix=fix)

    def apply_function(self, expr: syntax.Call, frame: Frame) -> Any:
        ref = self.resolve(expr.function, frame)  # type: ignore[arg-type]
        use, output = self.apply_layer(ref, expr, frame, expr)
        self.record(expr, use, frame)
        self.called(frame, use, expr)
        return unwrap(output)

    def called(self, frame: Frame, use: Use, node: syntax.Node, module: Module | None = None) -> None:
        """Notes what is applied in the container of a frame: a layer or function, or a module with calls of its own."""
        calls = frame.container.module.calls
        calls.append(Call(use.callee, node.span, use.inputs, use.layer, module, use.label))

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
            self.step(frame, None, node, None, output, Maker(ref.name, layer_of(use), node.span))
        else:
            layer = use.layer
            assert layer is not None
            several = isinstance(output, tuple)
            if several and frame.container.passes_on:
                raise self.several(ref, output, frame, node)
            frame.container.handing = several
            self.refuse_operands(ref.name, [*use.operands, *use.named.values()], frame, node)
            module = Module("layer", ref.name, node.span, layer, use.inputs, strip(output), text=node.span.text)
            module.state = use.state
            self.member(frame, module, use, label, node)
            self.step(frame, use.label, node, module, output)
        self.called(frame, use, node)
        self.record(node, use, frame)
        before, frame.flow = frame.flow, self.flowing(ref.cls, output, node)
        self.unread.leave(before, frame.flow, departure(node, use.operands))
        self.unread.make(frame.flow, node.span, label)

    def several(self, ref: LayerRef, output: Any, frame: Frame, node: syntax.Expr) -> Fault:
        """A layer in a Sequential that gives several values, even if only the first is wanted."""
        values = f"{len(output)} values" if len(output) > 1 else "a tuple"
        whole = self.could_be_class(frame)
        help = "end with `return _`: what does more than place modules is a class of its own" if whole else None
        help = help or "give it a label of its own outside the chain"
        text = f"`{ref.name}` gives {values}, which a Sequential cannot pass on"
        return fault("E0603", node.span, text, "in a Sequential", help=help)

    def could_be_class(self, frame: Frame) -> bool:
        """Whether the definition would be other than a Sequential if it did more than place modules."""
        container = frame.container
        return frame.template.sequential and (container.repeats or container.module.name == frame.template.name)

    def refuse_operands(
        self, name: str, operands: Sequence[syntax.Expr | None], frame: Frame, node: syntax.Expr
    ) -> None:
        """Rejects tensors besides the flow in a Sequential, which calls its members with one value."""
        given = next((operand for operand in operands if operand is not None), None)
        frame.container.handing |= given is not None
        if given is None or not frame.container.passes_on:
            return
        whole = self.could_be_class(frame)
        help = "end with `return _`: what does more than place modules is a class of its own" if whole else None
        help = help or "give it a label of its own outside the chain, or its suite a `return _`"
        text = f"`{name}` takes `{given.span.brief}` besides the flow, which a Sequential cannot hand on"
        raise fault("E0603", node.span, text, "in a Sequential", help=help)

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
        text, fix = f"the function `{ref.name}` cannot stand {where}", renamed(node.span, ref.name, module or None)
        raise fault("E0406", node.span, text, "a module is needed", help=help, fix=fix)

    def member(self, frame: Frame, module: Module, use: Use, label: str | None, node: syntax.Expr) -> None:
        """Registers a module in the container around it and settles its label."""
        container, place = frame.container, node.span if label is None else frame.label or node.span
        if label is None:
            label = container.next_index() if container.sequential else self.own_name(frame, module, node)
        elif container.sequential:
            container.count += 1
        self.refuse_attribute(label, node)
        if label in container.module.children or label in container.module.state:
            raise self.taken(label, place, frame)
        use.label, use.numbered = label, container.sequential or frame.computed
        frame.computed, frame.label = False, None
        container.module.children[label] = module
        container.labels[label] = Placed(module, use, node.span, place)

    def taken(self, label: str, place: Span, frame: Frame) -> Fault:
        """A label that another module or a parameter has."""
        labels = frame.container.labels
        first = labels[label].label if label in labels else place
        text, help = f"the label `{label}` is taken", "give the second one a label of its own"
        loop = self.turning[-1][1] if self.turning and first == place else None
        if isinstance(loop, syntax.For):
            found = frame.lookup(loop.target.names[0])
            item = loop.target.names[0] if found is not None and isinstance(found.value, int | str) else "i"
            help = f'a label in a loop is computed, to be another one in each round: `"{label}{{{item}}}": ...`'
            return fault("E0403", place, text, "by this label in the round before", help=help)
        if label in labels:
            help += ", or reuse the first by its bare name"
        return fault("E0403", place, text, "again here", secondary=(Label(first, "first here"),), help=help)

    def refuse_attribute(self, name: str, node: syntax.Node) -> None:
        """Rejects a name that every PyTorch module has already."""
        if name in MODULE_ATTRIBUTES:
            text, label = f"`{name}` cannot name a part of a net", f"every PyTorch module has its own `{name}`"
            fix = renamed(node.span, name, f"{name}_")
            raise fault("E0408", node.span, text, label, help=f"`{name}_` is free", fix=fix)

    def free_label(self, name: str, frame: Frame) -> str:
        """A label that nothing in the definition has: `conv1`, `conv2`."""
        taken = {*frame.container.labels, *frame.container.broken, *labels_in(frame.template.body)}
        return next(label for label in (f"{name}{number}" for number in count(1)) if label not in taken)

    def own_name(self, frame: Frame, module: Module, node: syntax.Expr) -> str:
        """The name of an unlabelled module outside a Sequential: by its type when it keeps no state."""
        container = frame.container
        if next(module.named_state(), None) is not None:
            label = self.free_label(module.name.lower(), frame)
            container.broken.add(label)
            error = fault(
                "E0407", node.span, f"`{node.span.brief}` has parameters and needs a label",
                "no name in the state dict", help=f"name it: `{label}: {node.span.brief}`",
                fix=prefixed(node.span, f"{label}: "),
            )  # fmt: skip
            if not self.is_misread(frame):
                raise error
            self.held.append(self.trail.told(error))
            return label
        name = module.name.lower()
        number = container.stateless.get(name, 0) + 1
        container.stateless[name] = number
        candidate = name if number == 1 else f"{name}_{number}"
        if candidate in container.labels:
            return self.own_name(frame, module, node)
        container.implicit.add(candidate)
        return candidate

    def is_misread(self, frame: Frame) -> bool:
        """Whether only names that mean nothing, reported themselves, keep this suite from being a Sequential."""
        body = frame.template.body
        labels = set(labels_in(body))
        unknown = {n for n in names_in(body) if n not in labels and self.find(n, frame) is None}
        return bool(unknown) and modules_only(body, {*frame.names(), *unknown})

    def step(
        self, frame: Frame, label: str | None, node: syntax.Node, module: Module | None, output: Any,
        maker: Maker | None = None, text: str | None = None,
    ) -> None:  # fmt: skip
        span = next((tensor.span for tensor in tensors(output)), None)
        text = node.span.text if text is None else text
        frame.container.module.steps.append(Step(label, text, module, strip(output), maker, span))

    def maker(self, frame: Frame, output: Any) -> Maker | None:
        """The layer that made what comes out of a frame, None where that cannot be told."""
        if not isinstance(output, Tensor):
            return None
        step = step_at(frame.container.module, output.span)
        if step is not None:
            return step.maker if step.module is None else maker_of(step.module)
        called = (site for node, site in frame.template.sites.items() if node.span == output.span)
        use = next((site for site in called if isinstance(site, Use) and site.layer is not None), None)
        return None if use is None else Maker(use.callee, layer_of(use), output.span)

    def reuse(self, placed: Placed, name: str, frame: Frame, node: syntax.Expr) -> None:
        """Applies a module that stands in the tree already: the same parameters again."""
        flow = self.need_flow(frame, node.span)
        values = tuple(t.value for t in tensors(flow))
        module = placed.module
        if module.layer is not None:
            ref = LayerRef(module.name, type(module.layer), False)
            flows = [flow] if isinstance(flow, Tensor) else list(flow)
            taken = complete(ref.cls, Operands(flows, [None]), Given(), node)
            values = tuple(strip(taken.values))
            use = Use("member", module.layer, values, tuple(taken.places), callee=name, label=name)
            use.at_call = placed.use.at_call
            output = self.infer(module.layer, ref, taken.values, Given(), node)
            if module.layer.inferred(*values) != module.layer.inferred(*module.inputs):
                raise self.unlike(placed, name, values, node)
        else:
            if [v.shape for v in values] != [v.shape for v in module.inputs]:
                raise self.unlike(placed, name, values, node)
            if placed.use.operands or placed.use.callee == "ModuleList":
                text = f"`{name}` takes tensors besides the flow, which its bare name does not give"
                place, help = (Label(placed.span, "given them here"),), "make it a block of one value"
                raise fault("E0401", node.span, text, "without them", secondary=place, help=help)
            use = Use("member", None, values, callee=name, label=name, template=placed.use.template)
            output = attach(module.output, node.span)
            if use.template is not None:
                use.bindings, use.values, use.tensors = placed.use.bindings, placed.use.values, placed.use.tensors
                use.inner = module.output
                output = self.returned(Expansion(module, module.output, use.template), frame, node)
        use.output = strip(output)
        self.record(node, use, frame)
        self.called(frame, use, node, module if module.layer is None else None)
        self.step(frame, name, node, module, output)
        frame.flow = output if module.layer is None else self.flowing(type(module.layer), output, node)
        self.unread.make(frame.flow, node.span)

    def unlike(self, placed: Placed, name: str, values: Sequence[Value], node: syntax.Expr) -> Fault:
        was, now = (" and ".join(str(v) for v in side) for side in (placed.module.inputs, values))
        return fault(
            "E0602", node.span, f"`{name}` was placed for {was} and is used again for {now}", f"receives {now}",
            secondary=(Label(placed.span, f"made for {was}"),), help="give the second use a layer of its own",
        )  # fmt: skip


def within(span: Span, outer: Span) -> bool:
    return span.source is outer.source and outer.start <= span.start and span.end <= outer.end


def layer_of(use: Use) -> Layer:
    assert use.layer is not None
    return use.layer


def maker_of(module: Module) -> Maker | None:
    return module.last if module.layer is None else Maker(module.name, module.layer, module.span)


def step_at(module: Module, span: Span) -> Step | None:
    """The last step that made the tensors of a place, those inside a Sequential too."""
    for step in reversed(module.steps):
        inner = step.module
        below = step_at(inner, span) if inner is not None and inner.kind == "sequential" else None
        if step.span == span or below is not None:
            return step if below is None else below
    return None
