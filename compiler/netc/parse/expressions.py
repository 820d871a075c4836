"""Builds the nodes of expressions: one method for each rule of the grammar, called when the rule is complete."""

from __future__ import annotations

from typing import Literal, cast

from netc.diagnostics import Diagnostic, Diagnostics, Label, Span, SpecError
from netc.parse import foreign, literals
from netc.parse.lexer import RESERVED, Token
from netc.syntax import (
    Arg,
    Attribute,
    Binary,
    Call,
    Comprehension,
    DictExpr,
    Expr,
    Flow,
    Group,
    IfElse,
    Index,
    ListExpr,
    Literal_,
    Name,
    Pipe,
    ShapeLiteral,
    Slice,
    String,
    Target,
    TupleExpr,
    Unary,
)


class ExpressionBuilder:
    """Optional parts that are absent come as None. What is wrong goes to `found`, and building goes on."""

    def __init__(self) -> None:
        self.found = Diagnostics()

    def expression_at(self, span: Span) -> Expr:
        """Parse a part of the source that holds one expression."""
        raise NotImplementedError

    def report(self, code: str, span: Span, message: str, text: str = "", help: str | None = None) -> None:
        self.found.add(Diagnostic(code, message, Label(span, text), help=help))

    def new_name(self, token: Token, span: Span) -> str:
        """The text of a name that is being defined; a reserved word could never be read again."""
        if token.text in RESERVED:
            here = Span(span.source, token.start, token.end)
            self.report("E0112", here, f"`{token.text}` is a reserved word", help="take another name")
        return token.text

    # ---- atoms ----

    def name(self, span: Span, token: Token) -> Name:
        return Name(span, self.new_name(token, span))

    def number(self, span: Span, token: Token) -> Literal_:
        return literals.number(span, self.found)

    def negative_number(self, span: Span, token: Token) -> Unary:
        operand = Span(span.source, token.start, token.end)
        return Unary(span, "-", literals.number(operand, self.found))

    def shape(self, span: Span, token: Token) -> ShapeLiteral:
        return literals.shape(span, self.found)

    def word(self, span: Span, token: Token) -> Literal_:
        return Literal_(span, literals.WORDS[token.text], token.text)

    def string(self, span: Span, token: Token) -> String:
        def inner(start: int, end: int) -> Expr:
            return self.expression_at(Span(span.source, start, end))

        try:
            return literals.string(span, token, inner)
        except SpecError as error:
            for diagnostic in error.diagnostics:
                self.found.add(diagnostic)
            return String(span, ())

    def group(self, span: Span, *flows: Flow) -> Expr:
        first = flows[0]
        if len(flows) == 1 and first.operator is None and first.label is None and first.when is None:
            return first.body
        return Group(span, flows)

    def cell(self, span: Span, value: Expr) -> Expr:
        return value

    def tuple_(self, span: Span, *items: Expr | None) -> TupleExpr:
        return TupleExpr(span, tuple(item for item in items if item is not None))

    def list_(self, span: Span, *items: Expr | None) -> ListExpr:
        return ListExpr(span, tuple(item for item in items if item is not None))

    def comprehension(
        self, span: Span, element: Expr, target: Target, iterable: Expr, condition: Expr | None
    ) -> Comprehension:
        return Comprehension(span, element, target, iterable, condition)

    def entry(self, span: Span, key: Token, value: Expr) -> tuple[str, Expr]:
        return key.text, value

    def dict_(self, span: Span, *entries: tuple[str, Expr] | None) -> DictExpr:
        return DictExpr(span, tuple(entry for entry in entries if entry is not None))

    # ---- what is made of them ----

    def arg(self, span: Span, name: Token | None, value: Expr) -> Arg:
        return Arg(span, name.text if name else None, value)

    def call(self, span: Span, function: Expr, args: list[Arg] | None) -> Call:
        named = None
        for arg in args or ():
            if arg.name is None and named is not None:
                text = "an argument without a name after one with a name"
                self.report("E0121", arg.span, text, f"after `{named}=`", "give it a name, or move it to the front")
                break
            named = arg.name
        return Call(span, function, tuple(args or ()))

    def attribute(self, span: Span, value: Expr, name: Token) -> Attribute:
        foreign.check_attribute(self.found, span, value, name.text)
        return Attribute(span, value, name.text)

    def index(self, span: Span, value: Expr, *subscripts: Expr) -> Index:
        if len(subscripts) == 1:
            return Index(span, value, subscripts[0])
        return Index(span, value, TupleExpr(subscripts[0].span.to(subscripts[-1].span), subscripts))

    def slice_(self, span: Span, start: Expr | None, stop: Expr | None) -> Slice:
        return Slice(span, start, stop)

    def unary(self, span: Span, operator: Token, operand: Expr) -> Unary:
        return Unary(span, cast(Literal["-", "not"], operator.text), operand)

    def binary(self, span: Span, left: Expr, operator: Token, right: Expr) -> Binary:
        return Binary(span, operator.text, left, right)

    def not_in(self, span: Span, left: Expr, negation: Token, operator: Token, right: Expr) -> Unary:
        return Unary(span, "not", Binary(span, operator.text, left, right))

    def if_else(self, span: Span, then: Expr, condition: Expr, otherwise: Expr) -> IfElse:
        return IfElse(span, then, condition, otherwise)

    def pipe(self, span: Span, *stages: Expr) -> Pipe:
        return Pipe(span, stages)

    def expression(self, span: Span, value: Expr) -> Expr:
        return value

    # ---- targets ----

    def target_name(self, span: Span, token: Token) -> Target:
        return Target(span, self.new_name(token, span))

    def target(self, span: Span, *items: Target) -> Target:
        return items[0] if len(items) == 1 else Target(span, None, items)

    def assigned(self, value: Expr) -> Target:
        """An expression on the left of `=`, as what it binds."""
        match value:
            case Name(id=name):
                return Target(value.span, name)
            case TupleExpr(items=items) if items:
                return Target(value.span, None, tuple(self.assigned(item) for item in items))
        if not foreign.is_self(value):
            help = "on the left of `=` stand names: `y = ...`, `y, (h, c) = ...`"
            self.report("E0118", value.span, "this cannot be assigned to", "not a name", help)
        return Target(value.span, None)
