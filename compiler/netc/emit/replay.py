"""Emitted constructors, executed without PyTorch: which modules they make, to be compared with the elaborated network.

A small evaluator of the Python that the emitter writes. What the classes make must be what was checked: the same
`state_dict` keys in the same order, the same PyTorch classes, the same sizes. A difference is a fault of the emitter,
and no file is written.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import Any

from netc.builtins import divisible
from netc.graph import Module, Network
from netc.layer import Dotted, Ints
from netc.record import Mutable
from netc.sources import ModelSource

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "range": range, "enumerate": enumerate, "zip": zip, "len": len, "min": min, "max": max, "abs": abs, "sum": sum,
    "round": round, "int": int, "float": float, "list": list, "str": str, "reversed": reversed, "sorted": sorted,
    "make_divisible": divisible, "dict.fromkeys": dict.fromkeys, "partial": partial, "OrderedDict": dict,
    **{f"math.{name}": getattr(math, name) for name in ("ceil", "floor", "sqrt", "log", "exp", "prod")},
}  # fmt: skip


class Mismatch(Exception):
    """What the emitted source makes is not what was checked."""


class Made(Mutable):
    """A module that a constructor makes: its class, its arguments, its members and attributes."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Made | None] = field(default_factory=dict)
    tensors: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


class Opaque:
    """A value that construction does not look into: a tensor or what an initialiser gives."""

    def __mul__(self, other: object) -> Opaque:
        return self

    __rmul__ = reshape = __mul__


def replay(network: Network, model: ModelSource) -> None:
    """Raises Mismatch where the emitted classes make something else than the network that was checked."""
    named = {m.layer.module or "" for _, m in network.root.walk() if m.layer is not None}
    leaves = {name.removeprefix("own:").rpartition(".")[2] for name in named if not name.startswith("torch.")}
    made = Replayer(model.source, leaves, model.brought).construct(model.class_name, (), {})
    compare(made, network.root, "", set())


def compare(made: Made, module: Module, path: str, seen: set[tuple[int, int]]) -> None:
    """Members, their order and their arguments, all the way down."""
    if (id(made), id(module)) in seen:
        return None
    seen.add((id(made), id(module)))
    if module.layer is not None:
        return compare_layer(made, module, path)
    members = [name for name, member in made.members.items() if member is not None]
    if members != list(module.children):
        raise Mismatch(f"`{path or module.name}` has {listed(members)}, not {listed(module.children)}")
    if sorted(made.tensors) != sorted(module.state):
        raise Mismatch(f"`{path or module.name}` keeps {listed(made.tensors)}, not {listed(module.state)}")
    for label, child in module.children.items():
        member = made.members[label]
        assert member is not None
        compare(member, child, f"{path}.{label}" if path else label, seen)
    return None


def compare_layer(made: Made, module: Module, path: str) -> None:
    layer = module.layer
    assert layer is not None and layer.module is not None
    name = layer.module.replace("{n}", str(layer.dimensions(*module.inputs))).rpartition(".")[2].removeprefix("own:")
    if made.name != name:
        raise Mismatch(f"`{path}` would be {made.name}, not {name}")
    wanted = layer.arguments(*module.inputs)
    spelled = layer.verbatim(*module.inputs)
    names = list(wanted)
    args: Sequence[Any] = made.args
    first = layer.fields.get(names[0]) if names else None
    if isinstance(first, Ints) and first.variadic:
        args = (made.args,) if made.args else ()
    given = {**dict(zip(names, args, strict=False)), **made.kwargs}
    for key, value in wanted.items():
        default = layer.fields[key].default if key in layer.fields else ...
        found = given.get(key, default)
        if settled(found) != settled(value) and settled(found) != settled(spelled.get(key, value)):
            raise Mismatch(f"`{path}` would have {key}={settled(found)}, not {settled(value)}")


def settled(value: Any) -> Any:
    """A value for comparison: sequences as tuples, integers without their history, classes by their last names."""
    if isinstance(value, tuple | list):
        return tuple(settled(item) for item in value) if len(value) != 1 else settled(value[0])
    if isinstance(value, Dotted):
        return ("class", str(value))
    if isinstance(value, partial) and len(value.args) == 1 and not value.keywords:
        return ("class", value.args[0])
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


class Replayer:
    """Evaluates the constructors of one source."""

    def __init__(self, source: str, leaves: Collection[str], brought: Iterable[str] = ()):
        self.leaves = leaves
        pasted = {ast.dump(node) for text in brought for node in ast.parse(text).body}
        self.made: dict[Any, Made] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.globals: dict[str, Any] = {}
        for node in ast.parse(source).body:
            if pasted and ast.dump(node) in pasted:
                continue
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.globals[node.targets[0].id] = self.evaluate(node.value, {})
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.globals[node.target.id] = self.evaluate(node.value, {})
            elif isinstance(node, ast.FunctionDef):
                self.globals[node.name] = partial(self.function, node)

    def function(self, node: ast.FunctionDef, *args: Any, **kwargs: Any) -> Any:
        if node.name in FUNCTIONS:
            return FUNCTIONS[node.name](*args, **kwargs)
        scope = self.bind(node.args, args, kwargs)
        result = node.body[-1]
        assert isinstance(result, ast.Return) and result.value is not None
        return self.evaluate(result.value, scope)

    def bind(self, signature: ast.arguments, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        names = [arg.arg for arg in signature.args if arg.arg != "self"]
        defaults = [self.evaluate(default, {}) for default in signature.defaults]
        scope = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        scope.update(zip(names, args, strict=False))
        scope.update(kwargs)
        return scope

    # ---- classes ---------------------------------------------------------------------------------

    def construct(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Made:
        """A module of an emitted class; the same arguments give the same one."""
        if name in self.leaves:
            return Made(name, tuple(args), dict(kwargs))
        key = (name, repr(args), repr(kwargs))
        if key not in self.made:
            made = self.made[key] = Made(name)
            self.build(made, self.classes[name], args, kwargs)
        return self.made[key]

    def build(self, made: Made, node: ast.ClassDef, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                self.run(item.body, {"self": made, **self.bind(item.args, args, kwargs)})

    def make(self, name: str, *args: Any, **kwargs: Any) -> Made:
        """A module of an emitted class or of PyTorch."""
        return self.construct(name, args, kwargs) if name in self.classes else self.torch_module(name, *args, **kwargs)

    def torch_module(self, name: str, *args: Any, **kwargs: Any) -> Made:
        made = Made(name, args, kwargs)
        if name == "Sequential":
            items = args[0].items() if len(args) == 1 and isinstance(args[0], dict) else enumerate(args)
            made.members = {str(label): member for label, member in items}
        elif name == "ModuleList":
            made.members = {str(label): member for label, member in enumerate(args[0])}
        return made

    # ---- statements ------------------------------------------------------------------------------

    def run(self, body: Sequence[ast.stmt], scope: dict[str, Any]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.evaluate(value, scope), scope)
                case ast.AnnAssign(target=target, value=value) if value is not None:
                    self.assign(target, self.evaluate(value, scope), scope)
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                    scope[name] = BINARY[type(op)](scope[name], self.evaluate(value, scope))
                case ast.For(target=target, iter=items, body=inner):
                    for item in self.iterate(items, scope):
                        self.assign(target, item, scope)
                        self.run(inner, scope)
                case ast.If(test=test, body=inner, orelse=otherwise):
                    self.run(inner if self.evaluate(test, scope) else otherwise, scope)
                case ast.Expr(value=value):
                    self.evaluate(value, scope)

    def iterate(self, node: ast.expr, scope: dict[str, Any]) -> Sequence[Any]:
        """The items of a loop; initialisation, which goes over modules, is not replayed."""
        match node:
            case ast.Call(func=ast.Attribute(attr="modules" | "named_modules" | "named_parameters")):
                return ()
        return list(self.evaluate(node, scope))

    def assign(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        match target:
            case ast.Name(id=name):
                scope[name] = value
            case ast.Tuple(elts=parts):
                for part, item in zip(parts, value, strict=True):
                    self.assign(part, item, scope)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self.set_attribute(scope["self"], name, value)
            case ast.Subscript(value=ast.Name(id="self"), slice=key):
                self.set_attribute(scope["self"], self.evaluate(key, scope), value)
            case ast.Subscript(value=holder, slice=key):
                self.evaluate(holder, scope)[self.evaluate(key, scope)] = value

    def set_attribute(self, made: Made, name: str, value: Any) -> None:
        if isinstance(value, Made) and value.name == "Parameter":
            made.tensors.append(name)
        elif isinstance(value, Made):
            made.members[name] = value
        else:
            made.attributes[name] = value

    # ---- expressions -----------------------------------------------------------------------------

    def evaluate(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.name(name, scope)
            case ast.BinOp(left=left, op=op, right=right):
                return BINARY[type(op)](self.evaluate(left, scope), self.evaluate(right, scope))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.evaluate(operand, scope)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.evaluate(operand, scope)
            case ast.BoolOp(op=op, values=values):
                return self.either(isinstance(op, ast.Or), values, scope)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return COMPARE[type(op)](self.evaluate(left, scope), self.evaluate(right, scope))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.evaluate(body if self.evaluate(test, scope) else orelse, scope)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                values = [v for item in items for v in self.spread(item, scope)]
                return tuple(values) if isinstance(node, ast.Tuple) else values
            case ast.ListComp():
                return self.comprehension(node, scope)
            case ast.JoinedStr(values=parts):
                return "".join(str(self.evaluate(part, scope)) for part in parts)
            case ast.FormattedValue(value=value):
                return self.evaluate(value, scope)
            case ast.Subscript(value=value, slice=index):
                return self.evaluate(value, scope)[self.index(index, scope)]
            case ast.Attribute():
                return self.attribute(node, scope)
            case ast.Call():
                return self.call(node, scope)
        raise Mismatch(f"a {type(node).__name__} expression in a constructor")

    def name(self, name: str, scope: dict[str, Any]) -> Any:
        if name in scope:
            return scope[name]
        if name in self.globals:
            return self.globals[name]
        if name not in self.classes and name not in self.leaves and name.islower():
            raise Mismatch(f"`{name}` is read where nothing sets it")
        return partial(self.make, name)

    def either(self, disjunction: bool, values: Sequence[ast.expr], scope: dict[str, Any]) -> Any:
        value: Any = None
        for item in values:
            value = self.evaluate(item, scope)
            if bool(value) == disjunction:
                return value
        return value

    def index(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        if isinstance(node, ast.Slice):
            ends = (None if e is None else self.evaluate(e, scope) for e in (node.lower, node.upper))
            return slice(*ends)
        return self.evaluate(node, scope)

    def spread(self, node: ast.expr, scope: dict[str, Any]) -> Sequence[Any]:
        if isinstance(node, ast.Starred):
            return list(self.evaluate(node.value, scope))
        return [self.evaluate(node, scope)]

    def comprehension(self, node: ast.ListComp, scope: dict[str, Any]) -> list[Any]:
        (generator,) = node.generators
        inner, result = dict(scope), []
        for item in self.evaluate(generator.iter, scope):
            self.assign(generator.target, item, inner)
            if all(self.evaluate(test, inner) for test in generator.ifs):
                result.append(self.evaluate(node.elt, inner))
        return result

    def attribute(self, node: ast.Attribute, scope: dict[str, Any]) -> Any:
        if dotted(node) == f"nn.{node.attr}":
            return partial(self.torch_module, node.attr)
        value = self.evaluate(node.value, scope)
        if isinstance(value, Made):
            return value.members[node.attr] if node.attr in value.members else value.attributes.get(node.attr)
        return getattr(value, node.attr) if node.attr in METHODS else Opaque()

    def call(self, node: ast.Call, scope: dict[str, Any]) -> Any:
        name = dotted(node.func)
        if name.startswith(("torch.", "nn.init.")):
            return Opaque()
        args = [v for arg in node.args for v in self.spread(arg, scope)]
        kwargs = {keyword.arg: self.evaluate(keyword.value, scope) for keyword in node.keywords if keyword.arg}
        if name in FUNCTIONS:
            return FUNCTIONS[name](*args, **kwargs)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            if dotted(node.func.value.func) == "super":
                scope["self"].members.update(self.torch_module("Sequential", *args, **kwargs).members)
                return None
        if name == "self.add_module":
            return self.set_attribute(scope["self"], *args)
        if name == "self.register_module":
            return scope["self"].members.setdefault(args[0], args[1])
        if name == "self.register_buffer":
            return scope["self"].tensors.append(args[0])
        return self.evaluate(node.func, scope)(*args, **kwargs)


METHODS = frozenset({"append", "count", "reshape"})


def dotted(node: ast.expr) -> str:
    """`nn.Conv2d` of an attribute chain on a name, an empty text for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""
