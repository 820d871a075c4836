"""Which class a definition becomes: one for each rank and kind of what flows in and each kind of argument."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from netc import syntax
from netc.elaborate.arguments import attach, compatible, map_values, recipes_in, signature_of, strip
from netc.elaborate.layers import Layers
from netc.elaborate.lookup import freeze, literal, plain
from netc.elaborate.syntactic import modules_only, names_in
from netc.elaborate.values import (
    Binding,
    BlockRef,
    Bound,
    Deferred,
    Fault,
    FileScope,
    Frame,
    LayerRef,
    Tensor,
    is_flowing,
    tensors,
)
from netc.graph import Parameter, Template
from netc.layer import Layer
from netc.shapes import Value
from netc.terms import Dim, Known, Place, Term


class Templates(Layers):
    """Finds the template of an expansion and names its sizes."""

    reached: dict[syntax.Define, set[type[Layer]]]

    def template_for(self, define: syntax.Define, inner: Frame, flow: Any) -> Template:
        """The class for a definition: one for each rank and kind of what flows in and each kind of argument."""
        kinds = {name: self.kind_of(binding.value) for name, binding in inner.env.items()}
        ranks = tuple((t.value.rank, t.value.kind, t.value.channel) for t in tensors(flow))
        own = self.apart.classes.get(self.expanding[-1], ())
        apart = (ranks, self.rules_for(define, inner), own)
        alike = self.variants.setdefault((define, apart), [])
        for template, known in alike:
            if all(compatible(kind, known[name]) for name, kind in kinds.items()):
                known.update({name: kind for name, kind in kinds.items() if kind != "none"})
                return template
        key = (define, (*apart, len(alike)), tuple(kinds.items()))
        names = [p.name for p in define.params]
        sequential = modules_only(define.body, names)
        told = {name: binding.value for name, binding in inner.env.items() if kinds[name] != "layer"}
        settled = frozenset(name for name, value in told.items() if isinstance(value, LayerRef | Bound))
        template = Template(key, define.name, define, define.body, sequential, doc=define.doc, settled=settled)
        self.templates[key] = template
        alike.append((template, kinds))
        return template

    def rules_for(self, define: syntax.Define, inner: Frame) -> Hashable:
        """The `default` statements in force that could reach a layer of the block."""
        if not inner.defaults:
            return ()
        placed = self.reached.get(define)
        if placed is None:
            placed = self.reached[define] = set(self.layers_in(define.body, inner.scope, set()))
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
            return "block"
        if isinstance(value, Bound):
            target = value.target
            uniform = isinstance(target, LayerRef) and target.cls.is_uniform() and not target.function
            return "layer" if uniform else said(value)
        if isinstance(value, Deferred):
            return said(value)
        if value is None:
            return "none"
        if isinstance(value, tuple | list):
            kinds = [self.kind_of(item) for item in value]
            mixed = any(isinstance(item, LayerRef | BlockRef | Bound | Deferred | tuple | list) for item in value)
            return ("list", *(map(self.frozen, value) if mixed and recipes_in(value) else sorted(set(map(str, kinds)))))
        return "number" if isinstance(value, int | float) else type(value).__name__

    def rebind_parameters(
        self, define: syntax.Define, values: dict[str, Any], inner: Frame, template: Template
    ) -> None:
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

    def frozen(self, value: Any) -> Hashable:
        """What tells an argument apart from others, for the expansions that are kept."""
        if isinstance(value, Tensor):
            return signature_of(value.value)
        if isinstance(value, Bound | Deferred):
            return said(value)
        frozen: Hashable = freeze(value)
        return frozen

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

    def new_frame(self, ref: BlockRef, frame: Frame) -> Frame:
        return Frame(frame.template, ref.scope, frame.container, defaults=frame.defaults)

    def bind_parameters(self, define: syntax.Define, values: dict[str, Any], inner: Frame) -> None:
        """Binds arguments and defaults; `...` in `values` stands for one that was not given."""
        for param in define.params:
            value = values[param.name]
            if value is ...:
                assert param.default is not None
                value = self.evaluate(param.default, inner)
                values[param.name] = value
            inner.env[param.name] = Binding(value, literal(None), param.span)


def said(value: Bound | Deferred) -> Hashable:
    """What tells a layer with arguments, or a chain, from others: its place, or its words if these name nothing."""
    if isinstance(value, Deferred):
        return id(value.expr), id(value.frame)
    if any(name for arg in value.call.args for name in names_in(arg.value)):
        return id(value.call), id(value.frame)
    told = tuple((arg.name, arg.value.span.text) for arg in value.call.args)
    return freeze(value.target), told, id(value.frame.scope)
