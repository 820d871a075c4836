"""Tensors in `forward`: names, entries of tuples, functions of tensors, values kept for later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from netc import syntax
from netc.emit.calls import TRAINING
from netc.emit.elimination import Inexpressible
from netc.emit.python import Lines, Py
from netc.emit.runtime import RunTime
from netc.emit.targets import render_target
from netc.graph import Guard, Template, Use
from netc.layer import Layer
from netc.naming import python_name
from netc.terms import ATOM, POWER, PRODUCT, SUM, TERNARY, UNARY, power

INFIX = {"operator.add": ("+", SUM), "operator.sub": ("-", SUM), "operator.mul": ("*", PRODUCT),
         "operator.truediv": ("/", PRODUCT), "operator.matmul": ("@", PRODUCT),
         "operator.pow": ("**", POWER)}  # fmt: skip
QUIET = (syntax.Order, syntax.Default, syntax.Init, syntax.Input, syntax.Param, syntax.Tie)


class Tensors(RunTime):
    """Writes tensors."""

    out: Lines
    flow: Py
    absent: set[str]
    named: set[str]
    parts: set[str]
    entered: list[str]
    held: list[str]
    called: str
    """The member that was called last."""

    def inputs(self) -> list[str]:
        """The names of the inputs of `forward`."""
        raise NotImplementedError

    def entering(self, inputs: Sequence[str]) -> Py:
        """What flows at first."""
        raise NotImplementedError

    def flush(self) -> str:
        """Gives the flow a name."""
        raise NotImplementedError

    def run(self, expr: syntax.Expr) -> None:
        """Runs a chain, a group, a fork or a single stage."""
        raise NotImplementedError

    def fresh_name(self, stem: str = "entered") -> str:
        """A name for a value that is read again, such as what enters an inlined block."""
        text = " ".join([*self.out.items, *self.inputs()])
        return next(
            n for n in (stem, *(f"{stem}_{i}" for i in range(2, 1000))) if not re.search(rf"\b{n}\b", text)
        )

    def other_variable(self) -> str:
        """A name for the flow inside an operand, while the other operand has its own."""
        taken = {n.id for n in names_in(self.template.body)} | {*self.inputs(), *self.held}
        names = ("y", "h", "z", *(f"y{number}" for number in range(2, 100)))
        return next(name for name in names if name not in taken)

    def tensor(self, expr: syntax.Expr) -> Py:
        """The source of a tensor: a name, an entry of a tuple, or a function of tensors."""
        match expr:
            case syntax.Name(id=name) if name in self.absent:
                return Py("None")
            case syntax.Name(id=name):
                if name == "_":
                    return self.flow if is_tuple(self.flow) else Py(self.flush())
                if name == "x" and len(flow_inputs(self.template)) > 1 and not self.entered:
                    return self.entering(self.inputs())
                return Py(self.tensor_name(name))
            case syntax.Index(value=value, index=index):
                if isinstance(index, syntax.Literal_):
                    return Py(f"{self.tensor(value).at(ATOM)}[{index.text}]")
            case syntax.TupleExpr(items=items):
                return Py(", ".join(self.tensor(item).at(TERNARY) for item in items), 0)
            case syntax.Call():
                use = self.use(expr)
                if use is not None:
                    flow = Py(self.flush()) if None in use.operands else None
                    return self.function(use, flow)
            case syntax.Binary() | syntax.Unary():
                return self.arithmetic(expr)
            case syntax.IfElse():
                return self.either(expr)
            case syntax.Pipe():
                return self.chain_value(expr)
            case syntax.Literal_(value=None):
                return Py("None")
        raise Inexpressible(f"the tensor `{expr.span.text}`", expr.span)

    def tensor_name(self, name: str) -> str:
        if name == "x" and self.entered:
            return self.entered[-1]
        if name in self.classes.parameter_names(self.template):  # type: ignore[attr-defined]
            return f"self.{name}"
        return python_name(name)

    def either(self, expr: syntax.IfElse) -> Py:
        settled = self.decide(expr.condition)
        if settled is not None:
            return self.tensor(expr.then if settled else expr.otherwise)
        guard = self.template.sites[expr.condition]
        assert isinstance(guard, Guard)
        then, otherwise = self.tensor(expr.then), self.tensor(expr.otherwise)
        condition = self.at_run_time(guard.condition)
        return Py(f"{then.at(TERNARY + 1)} if {condition.at(TERNARY + 1)} else {otherwise.at(TERNARY)}", TERNARY)

    def chain_value(self, expr: syntax.Pipe) -> Py:
        """What a chain gives, the flow left as it was."""
        before = self.flow = Py(self.flush())
        self.held.append(self.variable)
        if before.text == self.variable:
            self.variable = self.other_variable()
        self.run(expr)
        value, self.flow, self.variable = self.flow, before, self.held.pop()
        return value

    def keep(self, statement: syntax.Assign) -> None:
        """`y = ...` for tensors; compile-time names are the constructor's matter."""
        if statement in self.template.terms or not self.is_tensor(statement):
            return
        self.flush()
        if self.flow.text in map(python_name, statement.target.names) and not is_flow(statement.value):
            self.out.add(f"{self.variable} = {self.flow.text}")
            self.flow = Py(self.variable)
        self.taken_apart = syntax.last_stage(statement.value) if statement.target.items else None
        settled = self.decide(statement.when, optional=True) if statement.when is not None else True
        if settled is False:
            return
        target = render_target(statement.target)
        if settled is True and self.renamed(statement, target):
            return
        if settled is None:
            guard = self.template.sites[statement.when]  # type: ignore[index]
            assert isinstance(guard, Guard)
            with self.out.block(f"if {self.at_run_time(guard.condition).text}:"):
                self.out.add(f"{target} = {self.tensor(statement.value).text}")
            return
        if statement.target.name is not None:
            self.named.add(target)
        else:
            self.parts.update(map(python_name, statement.target.names))
        self.out.add(f"{target} = {self.tensor(statement.value).text}")

    def renamed(self, statement: syntax.Assign, target: str) -> bool:
        """`a = _` gives the flow that was just computed its name, rather than a second one."""
        if not isinstance(statement.value, syntax.Name) or statement.value.id != "_" or not self.out.items:
            return False
        indent = "    " * self.out.depth
        head = f"{indent}{self.variable} = "
        if self.flow.text != self.variable or not self.out.items[-1].startswith(head) or self.variable == target:
            return False
        self.out.items[-1] = f"{indent}{target} = {self.out.items[-1].removeprefix(head)}"
        self.flow = Py(target)
        return True

    def is_tensor(self, statement: syntax.Assign) -> bool:
        """Whether what is assigned is a value of the network rather than a layer kept for later."""
        value = statement.value
        if isinstance(value, syntax.IfElse):
            return any(self.has_use(side) for side in (value.then, value.otherwise))
        return self.has_use(value)

    def has_use(self, value: syntax.Expr) -> bool:
        if isinstance(value, syntax.Pipe):
            return self.use(value.stages[0]) is not None
        if isinstance(value, syntax.TupleExpr):
            return any(self.has_use(item) for item in value.items)
        if isinstance(value, syntax.Name):
            return value.id in ("_", "x") or value.id in self.classes.tensor_names(self.template)  # type: ignore[attr-defined]
        if isinstance(value, syntax.Index):
            return self.has_use(value.value)
        return self.use(value) is not None

    def arithmetic(self, expr: syntax.Binary | syntax.Unary) -> Py:
        """`a + b`, `1 - x`, `-x`: as it is written."""
        use = self.use(expr)
        if use is None:
            raise Inexpressible(f"the tensor `{expr.span.text}`", expr.span)
        if isinstance(expr, syntax.Unary):
            return Py(f"-{self.tensor(expr.operand).at(POWER + 1)}", UNARY)
        sides = []
        for side in (expr.left, expr.right):
            tensor = side in use.operands
            sides.append(self.tensor(side) if tensor else self.at_run_time(use.arguments[0].term))
        return self.joined(sides, use)

    def joined(self, sides: Sequence[Py], use: Use) -> Py:
        layer = use.layer
        assert layer is not None and layer.function is not None
        if layer.function in INFIX:
            return infix(*INFIX[layer.function], sides)
        listed = f"[{', '.join(side.text for side in sides)}]"
        return Py(
            f"{self.imported(layer.function)}({', '.join([listed, *self.arguments(use.arguments, self.run_text)])})"
        )

    def function(self, use: Use, flow: Py | None) -> Py:
        """The call of a function: `F.relu(x)`, `x.mean((2, 3))`, `a + b`, `torch.cat([a, b], dim=1)`."""
        layer = use.layer
        assert layer is not None and layer.function is not None
        operands = [flow if operand is None else self.tensor(operand) for operand in use.operands]
        sides = [side for side in operands if side is not None]
        if layer.function in INFIX:
            numbers = [self.at_run_time(argument.term, use, sides) for argument in use.arguments]
            return self.joined([*numbers, *sides] if layer.leading else [*sides, *numbers], use)
        index = self.subscript(use, sides)
        if index is not None:
            return Py(f"{sides[0].at(ATOM)}[{index}]")
        arguments = self.arguments(use.arguments, lambda term: self.run_text(term, use, sides))
        arguments = [in_training(layer, argument) for argument in arguments]
        named = [f"{name}={self.tensor(operand).text}" for name, operand in use.named.items()]
        last = sum(not re.match(r"\w+=(?!=)", argument) for argument in arguments)
        arguments[last:last] = named  # tensors before what is told by name
        arguments += [f"{name}={source}" for name, source in layer.function_extra.items()]
        if layer.function.startswith("own:"):
            self.plan.requires[("function", type(layer))] = None
        if layer.leading:
            words = [*arguments[: layer.leading], *(side.text for side in sides), *arguments[layer.leading :]]
            return Py(f"{self.imported(layer.function)}({', '.join(words)})")
        if layer.inputs and layer.inputs[0].startswith("*"):
            alone = len(sides) == 1 and sides[0].level > 0 and len(use.inputs) > 1
            listed = sides[0].text if alone else f"[{', '.join(side.text for side in sides)}]"
            return Py(f"{self.imported(layer.function)}({', '.join([listed, *arguments])})")
        if layer.function.startswith("."):
            method = layer.function[1:]
            return Py(f"{sides[0].at(ATOM)}.{method}({', '.join([*(s.text for s in sides[1:]), *arguments])})")
        name = self.imported(layer.function.replace("{n}", str(layer.dimensions(*use.inputs))))
        return Py(f"{name}({', '.join([*(side.text for side in sides), *arguments])})")


    def subscript(self, use: Use, sides: Sequence[Py]) -> str | None:
        """What stands in the brackets of a function that is written as an index."""
        source = use.layer.subscript() if use.layer is not None else None
        if source is None:
            return None
        named = {argument.name: argument.term for argument in use.arguments}
        plain = all(self.resolver.normalise(self.template, term).constant is not None
                    for name, term in named.items() if f"{{{name}}}" not in source)  # fmt: skip
        if not plain:
            return None
        return source.format(**{name: self.run_text(term, use, sides) for name, term in named.items()})


def infix(sign: str, level: int, sides: Sequence[Py]) -> Py:
    """Sides joined by an operator."""
    if sign == "**":
        return Py(power(sides[0].at(ATOM), sides[1].at(UNARY)), level)
    return Py(f" {sign} ".join(side.at(level if i == 0 else level + 1) for i, side in enumerate(sides)), level)


def in_training(layer: Layer, argument: str) -> str:
    """An argument by name, 0 outside training if the layer says so."""
    name = argument.partition("=")[0]
    return f"{argument} if {TRAINING} else 0.0" if name in layer.in_training else argument


def is_tuple(flow: Py) -> bool:
    """Whether several values flow, each with its name."""
    return re.fullmatch(r"\w+(, \w+)+", flow.text) is not None


def names_in(nodes: Any) -> Iterator[syntax.Name]:
    """Every name that stands in some nodes, attributes of tensors aside."""
    for node in nodes if isinstance(nodes, list | tuple) else [nodes]:
        match node:
            case syntax.Name():
                yield node
            case syntax.Attribute():
                continue
            case syntax.Node():
                for field in node.__dataclass_fields__:
                    if field not in ("span", "label", "target"):
                        yield from names_in(getattr(node, field))
            case list() | tuple():
                yield from names_in(node)


def is_flow(expr: syntax.Expr) -> bool:
    return isinstance(expr, syntax.Name) and expr.id == "_"


def flow_inputs(template: Template) -> list[str]:
    """The inputs of a class that flow in: `x`, or `x`, `x2` of several; the others are given as arguments."""
    return [name for name in template.inputs if re.fullmatch(r"x\d*", name) and name not in template.parameters]


def reads_input(body: Sequence[syntax.Stmt]) -> bool:
    """Whether a block reads its input `x` again after the flow has moved."""
    first = True
    for statement in body:
        for name in names_in([statement]):
            if name.id == "x" and not (first and isinstance(statement, syntax.Assign)):
                return True
        if not isinstance(statement, (*QUIET, syntax.Assign)):
            first = False
    return False
