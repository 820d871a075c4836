"""What `return` gives: tensors, tuples, dicts and records, and the types that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from netc import syntax
from netc.emit.calls import depends_on_training
from netc.emit.folding import verdict
from netc.emit.python import Py
from netc.emit.wrapping import split
from netc.graph import Guard, Template, Use

if TYPE_CHECKING:
    from netc.emit.forward import Forward

DICT = "dict[str, "


def write_result(writer: Forward, expr: syntax.Expr) -> str:
    """The source of what is returned; statements that it needs go before."""
    if isinstance(expr, syntax.TupleExpr) and len(expr.items) > 1:
        return ", ".join(entry(writer, item) for item in expr.items)
    return entry(writer, expr)


def takes_flow_once(expr: syntax.Expr) -> bool:
    """Whether a result is the flow, or names values among which the flow stands once: then it needs no name."""
    match expr:
        case syntax.TupleExpr(items=items):
            parts = list(items)
        case syntax.DictExpr(items=pairs):
            parts = [item for _, item in pairs]
        case syntax.Call(args=args) if args and all(arg.name for arg in args):
            parts = [arg.value for arg in args]
        case _:
            parts = [expr]
    names = [part.id for part in parts if isinstance(part, syntax.Name)]
    return len(names) == len(parts) and names.count("_") == 1


def entry(writer: Forward, expr: syntax.Expr) -> str:
    """The source of a result, or of a part of one."""
    match expr:
        case syntax.IfElse():
            return chosen(writer, expr)
        case syntax.TupleExpr(items=items):
            return f"({', '.join(entry(writer, item) for item in items)}{',' * (len(items) == 1)})"
        case syntax.DictExpr(items=pairs):
            return "{" + ", ".join(f'"{name}": {entry(writer, item)}' for name, item in pairs) + "}"
        case syntax.Call(function=syntax.Name(id=name), args=args) if is_record(writer.template, expr):
            fields = tuple((str(arg.name), field_hint(writer.template, arg.value)) for arg in args)
            writer.plan.requires[("record", name, fields)] = None
            return f"{name}({', '.join(f'{arg.name}={entry(writer, arg.value)}' for arg in args)})"
        case syntax.Name(id="_"):
            text, writer.flow = writer.flow.text, Py(writer.flow.text)
            return text
    return writer.tensor(expr).text


def chosen(writer: Forward, expr: syntax.IfElse) -> str:
    side = settled_side(writer, expr)
    if side is not None:
        return entry(writer, side)
    guard = writer.template.sites[expr.condition]
    assert isinstance(guard, Guard)
    writer.flush()
    condition = writer.at_run_time(guard.condition)
    return f"{entry(writer, expr.then)} if {condition.text} else {entry(writer, expr.otherwise)}"


def settled_side(writer: Forward, expr: syntax.IfElse) -> syntax.Expr | None:
    """The side of a conditional result that is always taken."""
    guard = writer.template.sites.get(expr.condition)
    assert isinstance(guard, Guard)
    if depends_on_training(guard.condition):
        settled = verdict(writer.resolver.normalise(writer.template, guard.condition))
    else:
        settled = writer.decide(expr.condition)
    return None if settled is None else expr.then if settled else expr.otherwise


def is_record(template: Template, expr: syntax.Call) -> bool:
    return not isinstance(template.sites.get(expr), Use) and bool(expr.args) and all(arg.name for arg in expr.args)


# ---- types -----------------------------------------------------------------------------------------


def result_hint(writer: Forward, body: Sequence[syntax.Stmt], output: Any) -> str:
    """The type of what a network or block gives."""
    returned = next((s.value for s in body if isinstance(s, syntax.Return)), None)
    return values_hint(output) if returned is None else expr_hint(writer, returned, output)


def expr_hint(writer: Forward, expr: syntax.Expr, output: Any) -> str:
    match expr:
        case syntax.IfElse(then=then, otherwise=otherwise):
            side = settled_side(writer, expr)
            sides = [side] if side is not None else [then, otherwise]
            return either(expr_hint(writer, s, output if side is not None else None) for s in sides)
        case syntax.TupleExpr(items=items):
            outputs = output if isinstance(output, tuple) and len(output) == len(items) else [None] * len(items)
            return f"tuple[{', '.join(expr_hint(writer, e, o) for e, o in zip(items, outputs, strict=True))}]"
        case syntax.DictExpr(items=pairs):
            named = output if isinstance(output, dict) else {}
            return f"dict[str, {either(expr_hint(writer, item, named.get(name)) for name, item in pairs)}]"
        case syntax.Call(function=syntax.Name(id=name)) if is_record(writer.template, expr):
            return name
        case syntax.Name(id=name) if name in side_labels(writer.template):
            return "Tensor | None"
    return values_hint(output)


def field_hint(template: Template, expr: syntax.Expr) -> str:
    """The type of a field of a record; a side's value is missing outside training."""
    if isinstance(expr, syntax.TupleExpr):
        return f"tuple[{', '.join(field_hint(template, item) for item in expr.items)}]"
    return "Tensor | None" if isinstance(expr, syntax.Name) and expr.id in side_labels(template) else "Tensor"


def side_labels(template: Template) -> Iterator[str]:
    for statement in template.body:
        if (
            isinstance(statement, syntax.Flow)
            and statement.operator == "side"
            and isinstance(statement.label, syntax.Name)
        ):
            yield statement.label.id


def values_hint(output: Any) -> str:
    if isinstance(output, dict):
        return f"dict[str, {either(values_hint(item) for item in output.values())}]"
    if isinstance(output, tuple):
        return f"tuple[{', '.join(values_hint(item) for item in output)}]"
    return "Tensor"


def either(hints: Iterable[str]) -> str:
    """One of several types, each said once; of dicts, one whose values are one of theirs."""
    parts = dict.fromkeys(part for hint in hints for part in split(hint, (" | ",)))
    dicts = [part for part in parts if part.startswith(DICT)]
    if len(dicts) > 1:
        whole = f"{DICT}{either(part.removeprefix(DICT)[:-1] for part in dicts)}]"
        parts = dict.fromkeys(whole if part in dicts else part for part in parts)
    return " | ".join(sorted(parts, key=lambda part: part == "None"))
