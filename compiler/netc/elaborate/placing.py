"""Blocks put into the flow, each expanded once for a signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Label, Span, nearest, renamed
from netc.elaborate.arguments import Expansion, attach, map_values, signature, signature_of, strip
from netc.elaborate.lookup import literal
from netc.elaborate.templates import Templates
from netc.elaborate.trail import expansion
from netc.elaborate.values import (
    POISON,
    BlockRef,
    Container,
    Default,
    Deferred,
    Fault,
    Frame,
    Poisoned,
    Tensor,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Construction, Module, Use
from netc.layer import State, is_int
from netc.shapes import Value, show_shape
from netc.terms import Known, Place, Term

MAX_EXPANSION = 64
__all__ = ["Default", "Expansion", "Placing", "State", "attach", "map_values", "show_shape", "signature_of", "strip"]


class Placing(Templates):
    """Places blocks."""

    expanded: int

    def statements(self, body: Sequence[syntax.Stmt], frame: Frame) -> None:
        """Runs statements in a frame."""
        raise NotImplementedError

    def place_block(
        self, ref: BlockRef, call: syntax.Call | None, frame: Frame, node: syntax.Expr, label: str | None,
        arg_frame: Frame | None = None,
    ) -> None:  # fmt: skip
        expansion, arguments, operands, values = self.expand(ref, call, frame, node, arg_frame)
        self.refuse_operands(ref.define.name, operands, frame, node)
        use = Use("block", None, operands=tuple(operands), template=expansion.template, callee=ref.define.name)
        use.inputs = tuple(t.value for t in tensors(frame.flow))
        use.tensors = {name: value.value for name, value in values.items() if isinstance(value, Tensor)}
        self.member(frame, expansion.module, use, label, node)
        output = self.returned(expansion, frame, node)
        use.output, use.inner = strip(output), expansion.output
        use.bindings = arguments
        use.values = {name: Term.of(value) for name, value in values.items() if is_int(value)}
        use.positional = sum(1 for arg in call.args if arg.name is None) if call is not None else 0
        if self.record(node, use, frame):
            expansion.template.constructions.append(Construction(frame.template, use))
        self.called(frame, use, node, expansion.module)
        self.step(frame, use.label, node, expansion.module, output)
        self.unread.read(frame.flow)
        frame.flow = output
        self.unread.make(output, node.span, label)

    def returned(self, expansion: Expansion, frame: Frame, node: syntax.Node) -> Any:
        """The output of a block as the caller sees it: its sizes are places of this call."""
        counter = iter(range(1_000_000))

        def relabel(value: Value) -> Value:
            index = next(counter)
            return value.with_shape(
                Known.make(int(size), Term.atom(Place("call", node, (index, axis))))
                if isinstance(size, Known)
                else size
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
        if isinstance(value, Known) and isinstance(arg.value, syntax.Call):  # what it was traced as
            return value, value.term
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
        fix, place = renamed(arg.span, name or "", near), (Label(define.name_span, "defined here"),)
        return fault("E0401", arg.span, text, label, secondary=place, help=help, fix=fix)

    def expand_new(self, ref: BlockRef, values: dict[str, Any], frame: Frame, node: syntax.Expr) -> Expansion:
        define = ref.define
        chain = (*frame.chain, (define.name, node.span))
        names = [name for name, _ in chain]
        if names.count(define.name) > 1 and len(chain) > MAX_EXPANSION:
            path = " -> ".join(dict.fromkeys(names[names.index(define.name) :]))
            text = f"`{define.name}` is expanded inside itself more than {MAX_EXPANSION} times"
            help = "a block that contains itself needs a parameter that ends it: `... when depth > 0`"
            raise fault("E0802", node.span, text, f"{path} -> {define.name} -> ...", help=help)
        self.expanding.append(self.expanded)
        self.expanded += 1
        try:
            with self.trail.inside(expansion(define.name, node.span)):
                return self.expansion_of(ref, values, frame, node, chain)
        finally:
            self.expanding.pop()

    def expansion_of(
        self, ref: BlockRef, values: dict[str, Any], frame: Frame, node: syntax.Expr,
        chain: tuple[tuple[str, Span], ...],
    ) -> Expansion:  # fmt: skip
        define, inner = ref.define, self.new_frame(ref, frame)
        inner.chain = chain
        self.bind_parameters(define, values, inner)
        template = self.template_for(define, inner, frame.flow)
        self.visits.expansions.setdefault(template, []).append(self.expanding[-1])
        inner.template = template
        inner.entry = inner.flow = self.enter(frame.flow, template)
        self.rebind_parameters(define, values, inner, template)
        inner.container = self.container_for(define, template.sequential, node)
        inner.container.module.inputs = tuple(t.value for t in tensors(inner.flow))
        self.statements(define.body, inner)
        return self.finish(inner)

    def container_for(self, define: syntax.Define, sequential: bool, node: syntax.Node) -> Container:
        kind = "sequential" if sequential else "block"
        return Container(Module(kind, define.name, node.span, text=node.span.text), sequential)  # type: ignore[arg-type]

    def finish(self, inner: Frame) -> Expansion:
        output = inner.returned if inner.returned is not None else inner.flow
        if output is POISON:
            raise Poisoned
        module = inner.container.module
        module.output = strip(output)
        module.last = self.maker(inner, output)
        inner.template.output = inner.template.output or module.output
        return Expansion(module, module.output, inner.template)
