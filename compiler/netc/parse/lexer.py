"""From text to tokens: words, brackets, line ends and the indentation of lines, one token at a time.

The lexer is asked for the next token with the parser's stack at hand, so that a keyword is one only where the grammar
has a place for it: `init` starts a statement and still names an argument.
"""

from __future__ import annotations

import re

from netc.diagnostics import Diagnostic, Source, Span, SpecError
from netc.parse import lexical
from netc.parse.tables import Tables

MAX_BRACKETS = 50
MAX_INDENTS = 50
OPENERS = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
CLOSERS = {"RPAR": "(", "RSQB": "[", "RBRACE": "{"}
RESERVED = frozenset("and or not if elif else for in when true false none fork".split())
"""Keywords that are never read as names, except before `=` (an argument) and after a dot."""

_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*")
_INDENT = re.compile(r"[ \t]*")
_NEXT = re.compile(r"[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)")
_ASSIGNS = re.compile(r"[ \t]*=(?!=)")


class Token:
    """A piece of the text and its type in the grammar."""

    __slots__ = ("end", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, end: int) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end

    @property
    def is_layout(self) -> bool:
        return self.type in ("_NL", "_INDENT", "_DEDENT", "$END")


class Lexer:
    """Reads `source.text[start:end]`; with `layout`, line ends and indentation become tokens."""

    def __init__(self, tables: Tables, source: Source, start: int, end: int, *, layout: bool = True) -> None:
        self.tables = tables
        self.source = source
        self.position = start
        self.end = end
        self.layout = layout
        self.indents = [0]
        self.indent_character = ""
        self.brackets: list[Token] = []
        """The brackets that are open, innermost last."""
        self.closed: Token | None = None
        """The bracket that the last token closed."""
        self.waiting: list[Token] = []
        """Layout tokens still to be given out, the next one last."""
        self.last: Token | None = None
        """The last token that is text."""
        self.faults: list[Diagnostic] | None = None
        """Where a list stands here, faults of the text are put into it, and reading goes on behind them."""
        if layout:
            self._open_file()

    def copy(self) -> Lexer:
        """A lexer that goes on from here, to look ahead with."""
        other = Lexer(self.tables, self.source, self.position, self.end, layout=False)
        other.layout = self.layout
        other.indents = self.indents.copy()
        other.indent_character = self.indent_character
        other.brackets = self.brackets.copy()
        other.waiting = self.waiting.copy()
        other.closed = self.closed
        other.last = self.last
        return other

    def next(self, states: list[int]) -> Token:
        """The next token for a parser in these states.

        Raises SpecError where no token starts or the indentation fits no block, unless `faults` takes it, and in any
        case where something is nested too deep.
        """
        while not self.waiting:
            match = self.tables.words.match(self.source.text, self.position, self.end)
            if match is None:
                fault = lexical.no_token(self.source, self.position)
                self._report(fault)
                span = fault.diagnostics[0].primary.span
                self.position = span.end
                if span.text[0] == '"':  # it was meant to be a string
                    return self._word(Token("STRING", '""', span.start, span.end), states)
                continue
            kind = match.lastgroup or ""
            start, end = match.span(kind)
            self.position = end
            if kind == "_NL":
                if not self.brackets and self.layout:
                    self._line(start, end)
            elif kind == "END":
                self._close_file(end)
            else:
                return self._word(Token(kind, match[kind], start, end), states)
        return self.waiting.pop()

    def _word(self, token: Token, states: list[int]) -> Token:
        self.closed = None
        if token.type == "NAME":
            if token.text in self.tables.keywords:
                token.type = self._keyword(token, states)
        elif token.type in OPENERS:
            if len(self.brackets) == MAX_BRACKETS:
                raise SpecError((lexical.too_deep(self.span(token), f"{MAX_BRACKETS} brackets"),))
            self.brackets.append(token)
        elif token.type in CLOSERS and self.brackets and self.brackets[-1].text == CLOSERS[token.type]:
            self.closed = self.brackets.pop()
        self.last = token
        return token

    def _keyword(self, token: Token, states: list[int]) -> str:
        """The keyword's own type where it has a place or is reserved, else NAME."""
        kind = self.tables.keywords[token.text]
        if self.tables.viable(states, kind):
            return kind
        if token.text in RESERVED and not _ASSIGNS.match(self.source.text, token.end):
            after_dot = self.last is not None and self.last.type == "DOT"
            return "NAME" if after_dot else kind
        return "NAME"

    def _open_file(self) -> None:
        """Skip a byte order mark, blank lines and comments; the first line must not be indented."""
        text = self.source.text
        mark = self.position + text.startswith("\ufeff", self.position)
        blank = _BLANK.match(text, mark, self.end)
        self.position = blank.end() if blank else mark
        indent = _INDENT.match(text, self.position, self.end)
        after = indent.end() if indent else self.position
        if after > self.position and after < self.end and text[after] not in "#\r\n":
            self.waiting.append(Token("_INDENT", text[self.position : after], self.position, after))

    def _line(self, start: int, end: int) -> None:
        """Line end, then as many indents or dedents as the new line's indentation asks for."""
        if end == self.end:
            return self._close_file(end)
        begin = self.source.text.rfind("\n", start, end) + 1
        indent = self.source.text[begin:end]
        self._same_character(indent, begin)
        self.waiting.append(Token("_NL", "\n", start, start + 1))
        width = len(indent)
        if width > self.indents[-1]:
            if len(self.indents) > MAX_INDENTS:
                raise SpecError((lexical.too_deep(Span(self.source, begin, end), f"{MAX_INDENTS} indented blocks"),))
            self.indents.append(width)
            self.waiting.insert(0, Token("_INDENT", indent, begin, end))
        left = width
        while width < self.indents[-1]:
            left = self.indents.pop()
            self.waiting.insert(0, Token("_DEDENT", indent, begin, end))
        if width != self.indents[-1]:
            self._report(lexical.uneven(Span(self.source, begin, end), self.indents[-1], left))
            following = _NEXT.match(self.source.text, end)  # the line is read as one of the block that it left halfway
            self.indents.append(left if following and len(following[1]) == left else width)
            del self.waiting[0]
        return None

    def _same_character(self, indent: str, begin: int) -> None:
        """One file indents with spaces or with tabs, not with both."""
        if not indent:
            return
        self.indent_character = self.indent_character or indent[0]
        for index, character in enumerate(indent):
            if character != self.indent_character:
                span = Span(self.source, begin + index, begin + len(indent))
                self._report(lexical.mixed_indentation(span, self.indent_character))
                return

    def _close_file(self, end: int) -> None:
        self.position = end
        if self.layout and not self.brackets:
            if self.last is not None:
                self.waiting.append(Token("_NL", "", end, end))
            self.waiting[:0] = [Token("_DEDENT", "", end, end) for _ in self.indents[1:]]
            self.indents = [0]
            self.last = None
        self.waiting.insert(0, Token("$END", "", end, end))

    def _report(self, fault: SpecError) -> None:
        if self.faults is None:
            raise fault
        self.faults += fault.diagnostics

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)
