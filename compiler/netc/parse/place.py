"""The place where reading stopped: what stands around it, and what could stand there instead."""

from __future__ import annotations

from netc.diagnostics import Span, SpecError
from netc.parse.lexer import CLOSERS, OPENERS, Lexer, Token
from netc.record import Record

ENDS = ("_NL", "_DEDENT", "$END")
LOOK_AHEAD = 60


class Place(Record, eq=True):
    """The machine's states before the token, the lexer after it, the token, and the last one that was text."""

    states: list[int]
    lexer: Lexer
    before: Token | None
    token: Token

    @property
    def span(self) -> Span:
        return self.lexer.span(self.token)

    @property
    def gap(self) -> Span:
        """Right after the token before, where something may be missing."""
        end = self.before.end if self.before else self.token.start
        return Span(self.lexer.source, end, end)

    @property
    def shown(self) -> str:
        text = self.token.text
        return f"`{text}`" if len(text) <= 30 else f"`{text[:27]}...`"

    @property
    def brackets(self) -> list[Token]:
        """What was open before the token."""
        if self.token.type in OPENERS:
            return self.lexer.brackets[:-1]
        closed = self.lexer.closed if self.token.type in CLOSERS else None
        return [*self.lexer.brackets, closed] if closed else self.lexer.brackets

    @property
    def line_start(self) -> int:
        start = self.before.end if self.before is not None and self.token.type == "_NL" else self.token.start
        return self.lexer.source.text.rfind("\n", 0, start) + 1

    @property
    def line_before(self) -> str:
        """What stands on the token's line before it."""
        return self.lexer.source.text[self.line_start : self.token.start]

    @property
    def line_so_far(self) -> Span:
        """The token's line up to the token before it."""
        indent = len(self.line_before) - len(self.line_before.lstrip())
        return Span(self.lexer.source, self.line_start + indent, self.gap.end)

    @property
    def same_line(self) -> bool:
        return self.before is not None and self.before.start >= self.line_start

    @property
    def expected(self) -> str:
        """What could stand here, in a few words, or nothing if that takes more."""
        kinds = self.lexer.tables.expected(self.states)
        if "DEF" in kinds:
            return "a definition"
        if {"NAME", "NUMBER"} <= kinds:
            return "a value"
        if "NAME" in kinds:
            return "a name"
        if "_NL" in kinds:
            return "the end of the statement"
        spelling = self.lexer.tables.spelling
        marks = sorted(f"`{spelling[kind]}`" for kind in kinds if kind in spelling)
        if len(marks) > 3 and self.brackets:
            marks = ["`,`", f"`{OPENERS[self.brackets[-1].type]}`"]
        if not marks or len(marks) > 3:
            return ""
        return " or ".join([", ".join(marks[:-1]), marks[-1]] if marks[1:] else marks)

    def kind_of(self, mark: str) -> str:
        """The token type of a keyword or a mark."""
        return next(kind for kind, text in self.lexer.tables.spelling.items() if text == mark)

    def viable(self, kind: str) -> bool:
        return self.lexer.tables.viable(self.states, kind)

    @property
    def lacks_block(self) -> bool:
        """Whether the line before opens a block and the token is none of its."""
        return self.before is not None and self.before.text == ":" and self.viable("_INDENT")

    def fits(self, kind: str) -> bool:
        """Whether a token of this type, put before the token, would let the rest of the line be read."""
        states, lexer, tables, token = self.states.copy(), self.lexer.copy(), self.lexer.tables, self.token
        if kind in CLOSERS:
            lexer.brackets = lexer.brackets[:-1]
        elif kind in OPENERS:
            mark = self.lexer.tables.spelling[kind]
            lexer.brackets.append(Token(kind, mark, self.gap.end, self.gap.end))
        if not tables.advance(states, kind):
            return False
        for _ in range(LOOK_AHEAD):
            if not tables.advance(states, token.type):
                return False
            if token.type in ENDS and not lexer.brackets:
                return True
            try:
                token = lexer.next(states)
            except SpecError:
                return True
        return True

    def is_outside(self, opener: Token) -> bool:
        """Whether the token stands below the lines that the bracket can still hold: no deeper than its own line."""
        source = self.lexer.source
        if self.token.type == "$END":
            return True
        return source.position(self.token.start)[0] > source.position(opener.start)[0] and (
            indentation(self.line_before) <= indentation(source.line(source.position(opener.start)[0]))
        )

    def end_of_lines(self, opener: Token) -> Span:
        """Right after the last token that stands on the bracket's line or deeper below it."""
        source, end = self.lexer.source, opener.end
        first = source.position(opener.start)[0]
        margin = indentation(source.line(first))
        position = opener.end
        while match := self.lexer.tables.words.match(source.text, position, self.token.start):
            kind = match.lastgroup or ""
            if kind == "END":
                break
            position = match.end()
            if kind == "_NL":
                number = source.position(position)[0]
                if number > first and indentation(source.line(number)) <= margin:
                    break
            else:
                end = position
        return Span(source, end, end)


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
