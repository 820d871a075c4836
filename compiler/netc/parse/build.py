"""Builds the nodes that stand at the top of a file, and the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from netc.diagnostics import Diagnostic, Label, Source, Span
from netc.parse import literals
from netc.parse.lexer import Token
from netc.parse.statements import Lines, StatementBuilder
from netc.syntax import (
    Arg,
    Constant,
    Default,
    Define,
    Expr,
    File,
    Function,
    GroupSetting,
    Item,
    Language,
    Name,
    Needs,
    Parameter,
    Setting,
    String,
    Table,
    Train,
    Use,
)


class FileBuilder(StatementBuilder):
    """All methods that the grammar's rules name."""

    def file(self, span: Span, *items: Item | list[Default]) -> File:
        flat = [part for item in items for part in (item if isinstance(item, list) else [item])]
        text = span.source.text
        return File(Span(span.source, 0, len(text)), tuple(flat), opening_comment(text))

    def language(self, span: Span, version: Token) -> Language:
        here = Span(span.source, version.start, version.end)
        value = literals.number(here, self.found).value
        if not isinstance(value, int):
            self.report("E0115", here, "a version of the language is a whole number", help="`language 1`")
            return Language(span, 1)
        return Language(span, value)

    def use(self, span: Span, path: Token, names: list[Token]) -> Use:
        spans = [Span(span.source, token.start, token.end) for token in names]
        found = tuple(Name(here, self.new_name(token, span)) for here, token in zip(spans, names, strict=True))
        return Use(span, self.plain(span, path), found)

    def needs(self, span: Span, distribution: Token) -> Needs:
        return Needs(span, self.plain(span, distribution))

    def plain(self, span: Span, token: Token) -> str:
        """The text of a string that cannot be computed."""
        here = Span(span.source, token.start, token.end)
        parts = self.string(here, token).parts
        if any(not isinstance(part, str) for part in parts):
            self.report("E0116", here, "this text cannot be computed", help="braces themselves are `{{` and `}}`")
        return "".join(part for part in parts if isinstance(part, str))

    def define(self, span: Span, kind: Token, name: Token, params: list[Parameter] | None, lines: Lines) -> Define:
        return Define(
            span,
            cast(Literal["def", "net"], kind.text),
            self.new_name(name, span),
            Span(span.source, name.start, name.end),
            tuple(params or ()),
            self.body(lines),
            comment_above(span.source, span.start),
        )

    def parameter(self, span: Span, name: Token, default: Expr | None) -> Parameter:
        return Parameter(span, self.new_name(name, span), default)

    def function(self, span: Span, name: Token, params: list[Parameter] | None, value: Expr) -> Function:
        return Function(span, self.new_name(name, span), tuple(params or ()), value)

    def constant(self, span: Span, name: Token, value: Expr) -> Constant:
        return Constant(span, self.new_name(name, span), value)

    def defaults(self, span: Span, *defaults: Default) -> list[Default]:
        return list(defaults)

    def row(self, span: Span, *cells: Expr) -> tuple[Span, tuple[Expr, ...]]:
        return span, cells

    def table(self, span: Span, name: Token, columns: list[Token], *rows: tuple[Span, tuple[Expr, ...]]) -> Table:
        titles = tuple(self.new_name(column, span) for column in columns)
        header = Span(span.source, columns[0].start, columns[-1].end)
        counts = {len(cells) for _, cells in rows}
        if len(rows) > 1 and len(counts) == 1 and counts != {len(titles)}:  # then the mistake is above
            values = _count(len(rows[0][1]), "value")
            message = f"{_count(len(titles), 'column')} over rows of {values}"
            self.found.add(Diagnostic("E0117", message, Label(header), (Label(rows[0][0], values),)))
        else:
            self.check_rows(header, len(titles), rows)
        return Table(span, self.new_name(name, span), titles, tuple(cells for _, cells in rows))

    def check_rows(self, header: Span, titles: int, rows: Sequence[tuple[Span, tuple[Expr, ...]]]) -> None:
        columns = _count(titles, "column")
        for here, cells in rows:
            if len(cells) != titles:
                values = _count(len(cells), "value")
                labels = Label(here, values), (Label(header, columns),)
                message = f"{values} in a table of {columns}"
                self.found.add(Diagnostic("E0117", message, *labels, help=_cells_help(cells)))

    # ---- train ----

    def train(self, span: Span, name: Token | None, *settings: Setting) -> Train:
        return Train(span, name.text if name else None, settings)

    def setting(self, span: Span, key: Token, name: Token | None, value: Expr, *groups: GroupSetting | None) -> Setting:
        key_span = Span(span.source, key.start, key.end)
        found = tuple(group for group in groups if group is not None)
        name_span = Span(span.source, name.start, name.end) if name else key_span
        return Setting(span, key.text, key_span, name.text if name else None, name_span, value, found)

    def group_setting(self, span: Span, selectors: list[Name | String], args: list[Arg]) -> GroupSetting:
        return GroupSetting(span, tuple(selectors), tuple(args))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _cells_help(cells: tuple[Expr, ...]) -> str | None:
    plain = all(not isinstance(cell, String) for cell in cells)
    return "spaces separate the values; write a computed one in parentheses: `(4 * w)`" if plain else None


def opening_comment(text: str) -> str:
    """The comment lines that a file starts with, all indented alike, blank lines before them aside."""
    lines: list[str] = []
    start = "#"
    for line in text.removeprefix("\ufeff").splitlines():
        comment = line.lstrip(" \t")
        if comment.startswith("#") and not lines:
            start = line[: len(line) - len(comment)] + "#"
        if line.startswith(start):
            lines.append(comment)
        elif lines or line.strip():
            break
    return _uncommented(lines)


def comment_above(source: Source, offset: int) -> str:
    """The run of comment lines that ends right above the line of `offset`."""
    number = source.position(offset)[0] - 1
    lines: list[str] = []
    while number and source.line(number).removeprefix("\ufeff").startswith("#"):
        lines.insert(0, source.line(number).removeprefix("\ufeff"))
        number -= 1
    return _uncommented(lines)


def _uncommented(lines: list[str]) -> str:
    return "\n".join(line[1:].removeprefix(" ").rstrip() for line in lines)
