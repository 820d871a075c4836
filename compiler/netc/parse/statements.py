"""Builds the nodes of statements and blocks: one method for each rule of the grammar.

A block arrives as its lines, each the list of its statements, because a fork reads a line as one branch. A `for` or an
`if` does not know yet whether a fork is around it; it arrives as a function that makes the node once that is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from netc.diagnostics import Span, nearest
from netc.parse.expressions import ExpressionBuilder
from netc.parse.foreign import check_statement
from netc.parse.lexer import Token
from netc.syntax import (
    Arg,
    Assign,
    Comprehension,
    Default,
    Expr,
    Flow,
    For,
    Fork,
    Group,
    If,
    Init,
    Input,
    Name,
    Operator,
    Order,
    Param,
    Return,
    Stmt,
    String,
    Suite,
    Target,
    Tie,
    TupleExpr,
)

Join = Literal["cat", "add", "mul", "stack"]
JOINS: tuple[Join, ...] = ("cat", "add", "mul", "stack")
Later = Callable[[bool], Stmt]
Lines = list[list[Stmt | Later]]


class StatementBuilder(ExpressionBuilder):
    def made(self, item: Stmt | Later, in_fork: bool) -> Stmt:
        stmt = item if isinstance(item, Stmt) else item(in_fork)
        if isinstance(stmt, Flow):
            check_statement(self.found, stmt)
            return listed(stmt)
        return stmt

    def body(self, lines: Lines, in_fork: bool = False) -> tuple[Stmt, ...]:
        """The statements of a block; in a fork, those of a line become one group."""
        if not in_fork:
            return tuple(self.made(item, False) for line in lines for item in line)
        return tuple(
            self.made(line[0], True) if len(line) == 1 else self.branch_of([self.made(item, False) for item in line])
            for line in lines
        )

    def branch_of(self, body: list[Stmt]) -> Flow:
        span = body[0].span.to(body[-1].span)
        return Flow(span, None, None, Group(span, tuple(body)))

    # ---- the flow ----

    def op(self, span: Span, token: Token) -> Operator:
        return cast(Operator, token.text)

    def flow(
        self, span: Span, operator: Operator | None, label: Name | String | None, body: Expr, when: Expr | None
    ) -> Flow:
        return Flow(span, operator, label, body, when)

    def suite_flow(self, span: Span, operator: Operator | None, label: Name | String, lines: Lines) -> Flow:
        body = self.body(lines)
        return Flow(span, operator, label, Suite(body[0].span.to(body[-1].span), body))

    def fork_flow(self, span: Span, operator: Operator | None, label: Name | String | None, fork: Fork) -> Flow:
        return Flow(span, operator, label, fork)

    def fork(self, span: Span, keyword: Token, join: Token | None, *lines: list[Stmt | Later]) -> Fork:
        return Fork(span, self.join(span, join), self.body(list(lines), in_fork=True))

    def inline_fork(self, span: Span, keyword: Token, join: Token, *branches: Stmt) -> Fork:
        return Fork(span, self.join(span, join), branches)

    def branch(self, span: Span, *flows: Flow) -> Stmt:
        return flows[0] if len(flows) == 1 else self.branch_of(list(flows))

    def join(self, span: Span, token: Token | None) -> Join | None:
        for join in JOINS:
            if token is not None and token.text == join:
                return join
        if token is not None:
            near = nearest(token.text, JOINS)
            help = f"did you mean `{near}`?" if near else "a fork joins by `cat`, `add`, `mul` or `stack`"
            here = Span(span.source, token.start, token.end)
            self.report("E0119", here, f"a fork cannot join by `{token.text}`", "not a way to join", help)
        return None

    # ---- control ----

    def for_(self, span: Span, target: Target, iterable: Expr, lines: Lines) -> Later:
        return lambda in_fork: For(span, target, iterable, self.body(lines, in_fork))

    def elif_(self, span: Span, condition: Expr, lines: Lines) -> tuple[Expr, Lines]:
        return condition, lines

    def if_(self, span: Span, condition: Expr, lines: Lines, *rest: tuple[Expr, Lines] | Lines | None) -> Later:
        branches = [(condition, lines), *(item for item in rest if isinstance(item, tuple))]
        otherwise = rest[-1] if rest and isinstance(rest[-1], list) else []

        def make(in_fork: bool) -> If:
            made = tuple((condition, self.body(lines, in_fork)) for condition, lines in branches)
            return If(span, made, self.body(otherwise, in_fork))

        return make

    # ---- what does not move the flow ----

    def assign(self, span: Span, *parts: Expr | None) -> Assign:
        """`parts`: the targets, the value, and the condition or None."""
        *targets, value, when = parts
        assert value is not None
        items = tuple(self.assigned(target) for target in targets if target is not None)
        whole = items[0] if len(items) == 1 else Target(items[0].span.to(items[-1].span), None, items)
        return Assign(span, whole, value, when)

    def param(self, span: Span, kind: Token, name: Token, shape: list[Expr] | None, init: Expr | None) -> Param:
        which = cast(Literal["param", "buffer"], kind.text)
        return Param(span, which, self.new_name(name, span), tuple(shape or ()), init)

    def default(self, span: Span, layer: Token, args: list[Arg] | None) -> Default:
        name = Name(Span(span.source, layer.start, layer.end), layer.text)
        return Default(span, name, tuple(args or ()))

    def init(self, span: Span, targets: list[Name | String], rules: list[Arg]) -> Init:
        return Init(span, tuple(targets), tuple(rules))

    def order(self, span: Span, names: list[Name | String]) -> Order:
        return Order(span, tuple(names))

    def tie(self, span: Span, target: Expr, source: Expr) -> Tie:
        return Tie(span, target, source)

    def return_(self, span: Span, *values: Expr) -> Return:
        if len(values) == 1:
            return Return(span, values[0])
        return Return(span, TupleExpr(values[0].span.to(values[-1].span), values))

    def input(self, span: Span, name: Token | None, shape: Expr) -> Input:
        return Input(span, name.text if name else None, shape)


def listed(stmt: Flow) -> Stmt:
    """A list of layers for the items of another list is the loop that places them."""
    if not isinstance(stmt.body, Comprehension):
        return stmt
    found = stmt.body
    placed = Flow(found.element.span, None, None, found.element, found.condition)
    loop = For(found.span, found.target, found.iterable, (placed,))
    if stmt.label is None and stmt.operator is None and stmt.when is None:
        return loop
    body = Group(found.span, (loop,)) if stmt.label is None else Suite(found.span, (loop,))
    return Flow(stmt.span, stmt.operator, stmt.label, body, stmt.when)
