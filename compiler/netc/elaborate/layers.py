"""Layers and functions put into the flow: inputs gathered, shapes inferred, members registered in the tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Label, Span
from netc.elaborate.arguments import Arguments, Expansion, Given, attach, is_verb, strip, unwrap
from netc.elaborate.values import (
    POISON,
    BlockRef,
    Bound,
    Container,
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
from netc.graph import Module, Step, Use
from netc.layer import Layer, Reject
from netc.naming import MODULE_ATTRIBUTES
from netc.shapes import Value


class Layers(Arguments):
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

    def operands(self, cls: type[Layer], given: Given, frame: Frame, span: Span) -> tuple[list[Any], list[Any]]:
        """The tensors that a layer takes and where they are written (None: the flow)."""
        required = [name for name in cls.inputs if not name.endswith("?")]
        many = bool(required) and required[0].startswith("*")
        values = [value for _, value in given.operands]
        places: list[Any] = [expr for expr, _ in given.operands]
        names = [name.strip("*?") for name in cls.inputs]
        for name, (expr, _) in given.named_operands.items():
            if name not in names:
                raise fault(
                    "E0401", expr.span, f"`{cls.__name__}` has no input `{name}`", f"it takes {', '.join(names)}"
                )
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

    def rejected(
        self, reject: Reject, ref: LayerRef, inputs: Sequence[Tensor], given: Given, node: syntax.Expr
    ) -> Fault:
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

    def apply_function(self, expr: syntax.Call, frame: Frame) -> Any:
        ref = self.resolve(expr.function, frame)  # type: ignore[arg-type]
        use, output = self.apply_layer(ref, expr, frame, expr)
        frame.template.sites.setdefault(expr, use)
        return unwrap(output)

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
        raise fault(
            "E0406", node.span, f"the function `{ref.name}` cannot stand {where}", "a module is needed", help=help
        )

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
