"""Statements that bind names: assignments, parameters, buffers, defaults, ties and what a net returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Label, nearest, renamed, replace
from netc.elaborate.apart import spot
from netc.elaborate.conditions import TRAINING, holds_recipe
from netc.elaborate.lookup import plain, value_term
from netc.elaborate.stages import Stages
from netc.elaborate.syntactic import labels_in
from netc.elaborate.unread import Departure
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Default,
    Deferred,
    Frame,
    LayerRef,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Call, Module, Use
from netc.layer import State, is_int
from netc.shapes import Value, show_shape
from netc.terms import Term


class Bindings(Stages):
    """Binds names."""

    def _run_assign(self, statement: syntax.Assign, frame: Frame) -> None:
        if statement.when is not None and not self.guard(statement, statement.when, frame):
            return self.rejoin(statement, statement.target.names, 0, frame)
        self.taken_apart = syntax.last_stage(statement.value) if statement.target.items else None
        value = self.assigned_value(statement.value, frame)
        self.taken_apart = None
        if isinstance(value, list) and any(True for _ in tensors(value)):
            text, help = "a list is made before the network runs and cannot hold tensors", "a tuple can: `(a, b)`"
            raise fault("E0402", statement.value.span, text, "tensors among these", help=help)
        if frame.container.sequential:
            raise fault(
                "E0409", statement.span, "an assignment cannot stand in a Sequential", "its members are modules only",
            )  # fmt: skip
        recipe = isinstance(value, LayerRef | BlockRef | Bound | Deferred)
        if not is_flowing(value) and (not recipe or self.is_called(statement, frame)):
            frame.template.terms.setdefault(statement, self.kept_term(statement, value, frame))
        elif recipe:
            frame.template.recipes.add(statement)
        self.bind_target(statement.target, value, frame, statement)
        self.unread.read(value)
        if recipe and statement in frame.template.terms and statement.target.name is not None:
            name = statement.target.name
            frame.env[name] = self.binding(name, value, statement, statement.target)
        elif isinstance(value, Bound) and statement.target.name is not None:
            term = self.render(value.call, value.frame)
            frame.env[statement.target.name] = Binding(value, term, statement.target.span)
        if isinstance(statement.value, syntax.Index) and holds_recipe(value):
            frame.template.chosen[statement] = self.render(statement.value.index, frame)
        return None

    def kept_term(self, statement: syntax.Assign, value: Any, frame: Frame) -> Term:
        """What a class writes for a value; what comes of a list of blocks is written as the value that it is."""
        term = self.render(statement.value, frame)
        if not any(holds_block(need) for atom in term.atoms() for need in getattr(atom, "requires", ())):
            return term
        frame.template.chosen[statement] = term
        return value_term(plain(value))

    def is_called(self, statement: syntax.Assign, frame: Frame) -> bool:
        """Whether a name stands for different layers, which the class asks for as it makes them."""
        root = frame.template.root
        found = any((spot(root.node), name) in self.apart.called for name in statement.target.names)
        if found:
            root.called.update(statement.target.names)
        return found

    def assigned_value(self, expr: syntax.Expr, frame: Frame) -> Any:
        """The worth of the right side: a chain that begins with a value is run, one of layers is kept for later."""
        if isinstance(expr, syntax.Pipe) and (
            self.is_value(expr.stages[0], frame) or is_tensor_call(expr.stages[0], self, frame)
        ):
            before = frame.flow
            with self.unread.keeping(before):
                self.run(expr, frame)
            value, frame.flow = frame.flow, before
            if value is POISON:
                raise Poisoned
            return value
        if isinstance(expr, syntax.IfElse):
            taken = self.guard(expr, expr.condition, frame)
            value = self.assigned_value(expr.then if taken else expr.otherwise, frame)
            if is_flowing(value):
                return self.join(expr, int(taken), value, frame)
            return self.trace(expr, value, frame)
        return self.evaluate(expr, frame)

    def _run_input(self, statement: syntax.Input, frame: Frame) -> None:
        raise fault("E0409", statement.span, "`input` stands only in a net", "a block takes what flows into it")

    def _run_param(self, statement: syntax.Param, frame: Frame) -> None:
        sizes = tuple(size for expr in statement.shape for size in self.sizes(expr, frame))
        self.refuse_attribute(statement.name, statement)
        initial = self.evaluate_init(statement, frame)
        self.free_name(statement, frame)
        kind = "parameter" if statement.kind == "param" else "buffer"
        frame.container.module.state[statement.name] = State(sizes, kind)  # type: ignore[arg-type]
        value = Value(sizes, "float", None)
        frame.env[statement.name] = Binding(Tensor(value, statement.span), Term({}), statement.span)
        if statement not in frame.template.sites:
            shape = [self.render(expr, frame) for expr in statement.shape]
            frame.template.sites[statement] = Use("layer", initial, arguments=self.parameter_arguments(shape))

    def free_name(self, statement: syntax.Param, frame: Frame) -> None:
        """A parameter and a module of one name would be one key of the state dict."""
        module, labels = frame.container.module, frame.container.labels
        if statement.name in module.state or statement.name in module.children:
            first = (Label(labels[statement.name].span, "first here"),) if statement.name in labels else ()
            raise fault("E0403", statement.span, f"`{statement.name}` is taken", "again here", secondary=first)

    def parameter_arguments(self, shape: Sequence[Term]) -> Any:
        from netc.graph import Argument

        return tuple(Argument(str(i), term, True) for i, term in enumerate(shape))

    def sizes(self, expr: syntax.Expr, frame: Frame) -> tuple[Any, ...]:
        value = self.evaluate(expr, frame)
        items = value if isinstance(value, tuple | list) else (value,)
        for item in items:
            if not is_int(item) or item < 0:
                raise fault("E0404", expr.span, f"a size is an integer, not {describe(item)}", "of this shape")
        return tuple(items)

    def evaluate_init(self, statement: syntax.Param, frame: Frame) -> Any:
        """The initialiser of a parameter or buffer, or the number that fills it."""
        if statement.init is None:
            raise fault("E0401", statement.span, f"`{statement.name}` needs an initial value", "add `= zeros`")
        raise NotImplementedError

    def _run_default(self, statement: syntax.Default, frame: Frame) -> None:
        frame.defaults = (*frame.defaults, self.default(statement, frame))

    def default(self, statement: syntax.Default, frame: Frame) -> Default:
        found = self.resolve(statement.layer, frame)
        if not isinstance(found, LayerRef):
            raise fault(
                "E0402",
                statement.layer.span,
                f"`default` is for layers, not {describe(found)}",
                "no layer",
                help="give the parameter of the block a default where it is defined",
            )
        for arg in statement.args:
            signature = f"the signature is `{found.cls.signature()}`"
            if arg.name is None:
                text = f"`default {found.name}` takes named arguments"
                raise fault("E0401", arg.span, text, "without a name", help=signature)
            if arg.name not in found.cls.fields:
                near = nearest(arg.name, found.cls.fields)
                help = f"did you mean `{near}`?" if near else signature
                raise fault(
                    "E0401", arg.span, f"`{found.name}` has no argument `{arg.name}`", "no such argument", help=help,
                    fix=renamed(arg.span, arg.name, near),
                )  # fmt: skip
        return Default(found.cls, statement.args, frame)

    def _run_order(self, statement: syntax.Order, frame: Frame) -> None:
        children = frame.container.module.children
        labels = [str(self.label(name, frame)) for name in statement.names]
        known = {syntax.OTHERS, *labels_in(frame.template.body)}
        for label, node in zip(labels, statement.names, strict=True):
            if label in frame.container.broken:
                raise Poisoned
            if label not in children and label not in frame.container.module.state and label not in known:
                near = nearest(label, children)
                raise fault(
                    "E0302",
                    node.span,
                    f"there is no module `{label}` here",
                    "not a label of this block",
                    help=f"did you mean `{near}`?" if near else None,
                    fix=renamed(node.span, label, near),
                )
        rest = [label for label in children if label not in labels]
        at = labels.index(syntax.OTHERS) if syntax.OTHERS in labels else len(labels)
        ordered = {label: children[label] for label in (*labels[:at], *rest, *labels[at + 1 :]) if label in children}
        children.clear()
        children.update(ordered)

    def _run_tie(self, statement: syntax.Tie, frame: Frame) -> None:
        target, source = (self.tied(side, frame) for side in (statement.target, statement.source))
        (holder, name, state), (other_holder, _, other) = target, source
        if tuple(state.shape) != tuple(other.shape):
            first, second = statement.target.span.text, statement.source.span.text
            text = f"`{first}` has shape {show_shape(state.shape)}, and `{second}` has {show_shape(other.shape)}"
            sides = tuple(
                Label(module.span, f"this makes it {show_shape(made.shape)}")
                for module, made in ((holder, state), (other_holder, other)) if module.layer is not None
            )  # fmt: skip
            help = "parameters that are tied have one shape"
            raise fault("E0602", statement.span, text, "tied here", secondary=sides, help=help)
        holder.tied[name] = statement.source.span.text

    def tied(self, expr: syntax.Expr, frame: Frame) -> tuple[Module, str, State]:
        module, parts = frame.container.module, expr.span.text.split(".")
        for part in parts[:-1]:
            if part not in module.children:
                if part in frame.container.broken or (part is not parts[0] and self.diagnostics.errors):
                    raise Poisoned
                near = nearest(part, module.children)
                help = f"did you mean `{near}`?" if near else None
                raise fault(
                    "E0302", expr.span, f"there is no module `{part}` here", "not a label of this block", help=help,
                    fix=renamed(expr.span, part, near) if part is parts[0] else None,
                )  # fmt: skip
            module = module.children[part]
        if parts[-1] not in module.state:
            has = ", ".join(f"`{name}`" for name in module.state) or "none"
            text = f"`{'.'.join(parts[:-1])}` has no parameter `{parts[-1]}`"
            raise fault("E0302", expr.span, text, f"it has {has}")
        return module, parts[-1], module.state[parts[-1]]

    def _run_return(self, statement: syntax.Return, frame: Frame) -> None:
        frame.env["training"] = Binding(False, TRAINING, statement.span)
        try:
            result = self.result(statement.value, frame)
            frame.returned = result if frame.returned is None else frame.returned
            if not isinstance(statement.value, syntax.IfElse):
                named = isinstance(statement.value, syntax.Name)
                fix = replace(statement.value.span, "_") if named else None
                self.unread.leave(frame.flow, result, Departure(statement.span, "return _" if named else None, fix))
        finally:
            frame.env.pop("training", None)

    def result(self, expr: syntax.Expr, frame: Frame) -> Any:
        """What a `return` gives: a tensor, a tuple, a dict, or a record `Name(k=v)`."""
        if isinstance(expr, syntax.IfElse):
            return self.chosen_result(expr, frame)
        if isinstance(expr, syntax.TupleExpr):
            return tuple(self.result(item, frame) for item in expr.items)
        if isinstance(expr, syntax.DictExpr):
            return {name: self.result(item, frame) for name, item in expr.items}
        if isinstance(expr, syntax.Call) and expr.args and all(arg.name for arg in expr.args):
            if isinstance(expr.function, syntax.Name) and self.find(expr.function.id, frame) is None:
                return {str(arg.name): self.result(arg.value, frame) for arg in expr.args}
        value = self.assigned_value(expr, frame)
        if not is_flowing(value) and value is not None:
            raise fault("E0402", expr.span, f"a net returns tensors, not {describe(value)}", "returned here")
        return value

    def chosen_result(self, expr: syntax.IfElse, frame: Frame) -> Any:
        """What a conditional `return` gives outside training; both sides are checked where training decides."""
        training = frame.env["training"]
        frame.env["training"] = Binding(True, TRAINING, training.span)
        when_training = self.condition(expr.condition, frame)
        frame.env["training"] = training
        taken = self.guard(expr, expr.condition, frame)
        result = self.result(expr.then if taken else expr.otherwise, frame)
        if when_training != taken:
            calls = frame.container.module.calls
            known = len(calls)
            frame.trained = self.result(expr.then if when_training else expr.otherwise, frame)
            in_training(calls, known)
        return result


def in_training(calls: list[Call], known: int) -> None:
    """Marks the calls after the first `known` as made in training only."""
    calls[known:] = [dataclasses.replace(call, training=True) for call in calls[known:]]


def holds_block(need: Any) -> bool:
    """Whether emitted code that needs this needs a list with a block in it."""
    if not isinstance(need, tuple) or need[0] not in ("constant", "define"):
        return False
    inner = need[2].atoms() if need[0] == "constant" else ()
    return need[0] == "define" or any(holds_block(n) for atom in inner for n in getattr(atom, "requires", ()))


def is_tensor_call(expr: syntax.Expr, statements: Bindings, frame: Frame) -> bool:
    """Whether a stage is a function of tensors that are all given: `chunk(x, 2)`."""
    if not isinstance(expr, syntax.Call) or not isinstance(expr.function, syntax.Name):
        return False
    found = statements.find(expr.function.id, frame)
    if not isinstance(found, LayerRef) or not found.function:
        return False
    return any(statements.is_value(arg.value, frame) for arg in expr.args)
