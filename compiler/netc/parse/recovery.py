"""Reads on behind an error, so that one run reports every independent one.

A token that cannot stand is first repaired: one token put before it, taken away or exchanged, or a block put in, if the
line can then be read to its end. Otherwise the statement is dropped with the lines that belong to it. Either way the
line is faulty from then on, and nothing else is said about it; what a dropped statement leaves behind stays silent too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netc.diagnostics import Diagnostic, Diagnostics, Source, SpecError
from netc.parse.driver import Driver
from netc.parse.faults import explain
from netc.parse.lexer import CLOSERS, OPENERS, Lexer, Token
from netc.parse.machine import Machine
from netc.parse.place import ENDS, LOOK_AHEAD, Place, indentation

MARKS = (",", ":", ")", "]", "}", "=", "in", ";", "->", "(", "[")
"""What is tried before a token that cannot stand, the likeliest first."""
FILLERS = {"NAME": "_", "NUMBER": "1", "STRING": '""'}
BLOCK = ("_INDENT", "NAME", "_NL", "_DEDENT")
STATEMENTS: tuple[tuple[str, ...], ...] = ((), ("NAME", "_NL"), ("NAME", "COLON", "NAME", "_NL"))
"""What can stand for a dropped statement, where its block would be empty without it."""
OF_DEPTH = ("E0108", "E0109", "E0110")
"""Errors about how deep a line stands, which any faulty line above it can cause."""
OF_LAYOUT = (*OF_DEPTH, "E0111", "E0122")


def all_errors(source: Source) -> tuple[Diagnostic, ...]:
    """Every independent error of a text, in the order of their places."""
    return _Recovering(source).errors()


@dataclass
class _Statement:
    """The state in which the reading of a statement began."""

    start: int
    machine: tuple[list[int], list[tuple[object, int, int]]]
    indents: list[int]
    faulty: bool = False


class _Recovering:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.driver = Driver(source)
        self.lexer = Lexer(self.driver.tables, source, 0, len(source.text))
        self.lexer.faults = []
        self.machine = Machine(self.driver.tables, self.driver.actions, source, "file", 0)
        self.reported: list[Diagnostic] = []
        self.faulty: list[tuple[int, int]] = []
        """The offsets between which a statement with a reported error stands."""
        self.lost: list[str] = []
        """The brackets that were taken away and have not been closed."""
        self.begins_faulty = False
        self.statement = self.begin()

    def errors(self) -> tuple[Diagnostic, ...]:
        try:
            self.read()
        except SpecError as stopped:  # nested too deep: what follows cannot be read
            self.reported += stopped.diagnostics
        self.close(len(self.source.text) + 1)
        found = Diagnostics()
        for diagnostic in self.independent():
            found.add(diagnostic)
        return tuple(found.items)

    def independent(self) -> Iterator[Diagnostic]:
        """The errors in the order of their places, without those that follow from another.

        How a line stands suffers from the faulty line above it, and a file that mixes tabs and spaces does so often.
        """
        builder = [found for found in self.driver.found.items if not self.is_about_faulty(found)]
        codes: list[str] = [""]
        last = below = 0
        for diagnostic in sorted((*self.reported, *builder), key=lambda found: found.primary.span.start):
            code, line = diagnostic.code, diagnostic.primary.span.line
            caused = OF_LAYOUT if line == last else OF_DEPTH if line <= below else ()
            outside = code == "E0122" and codes[-1] in OF_LAYOUT and line <= below
            if code not in caused and not outside and not (code == "E0108" and code in codes):
                yield diagnostic
            last, below = line, self.next_line(max(line, self.last_line(diagnostic.primary.span.start)))
            codes.append(code)

    def is_about_faulty(self, diagnostic: Diagnostic) -> bool:
        labels = (diagnostic.primary, *diagnostic.secondary)
        return any(start <= label.span.start < end for label in labels for start, end in self.faulty)

    def last_line(self, offset: int) -> int:
        """The last line with text of the faulty statement that starts there or holds it; 0 without one."""
        for start, end in self.faulty:
            if start <= offset < end:
                return self.source.position(start + len(self.source.text[start:end].rstrip()))[0]
        return 0

    def next_line(self, line: int) -> int:
        """The line with text that follows a line."""
        for start, _ in self.lines(line + 1):
            return self.source.position(start)[0]
        return line + 1

    # ---- reading ----

    def read(self) -> None:
        token: Token | None = None
        while token is None or token.type != "$END":
            if not self.lexer.waiting and (token is None or token.is_layout) and not self.lexer.brackets:
                self.close(self.lexer.position)
                self.statement = self.begin()
            before = self.lexer.last
            token = self.lexer.next(self.machine.states)
            self.lexical()
            if not self.machine.feed(token):
                place = Place(self.machine.states, self.lexer, before, token)
                if not (self.is_torn(place) or self.closes_lost(place)):
                    self.report(explain(place))
                self.statement.faulty = True
                token = self.repair(place) or self.drop(place)

    def is_torn(self, place: Place) -> bool:
        """Whether a line starts with a mark that the faulty line above lost."""
        at_start = not (place.token.is_layout or place.token.text[0].isalnum() or place.line_before.strip())
        if not (at_start and self.faulty):
            return False
        return self.source.position(place.token.start)[0] - 1 == self.last_line(self.faulty[-1][0])

    def closes_lost(self, place: Place) -> bool:
        """Whether a bracket closes one that was taken away."""
        opener = CLOSERS.get(place.token.type)
        if opener not in self.lost or place.brackets:
            return False
        self.lost.remove(opener)
        return True

    def begin(self) -> _Statement:
        machine = self.machine
        stacks = (machine.states.copy(), machine.entries.copy())
        faulty, self.begins_faulty = self.begins_faulty, False
        return _Statement(self.lexer.position, stacks, self.lexer.indents.copy(), faulty)

    def close(self, end: int) -> None:
        """Note where a statement ended."""
        if self.statement.faulty:
            self.faulty.append((self.statement.start, end))

    def lexical(self) -> None:
        """Report what the lexer found; an error of the indentation is about the line that begins."""
        faults, self.lexer.faults = self.lexer.faults or (), []
        for fault in faults:
            if fault.code in OF_DEPTH:
                self.begins_faulty = True
                self.reported.append(fault)
            else:
                self.report(fault)

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep an error, unless something has been said of the statement."""
        if not (self.statement.faulty or self.begins_faulty):
            self.reported.append(diagnostic)
        self.statement.faulty = True

    # ---- repairing ----

    def repair(self, place: Place) -> Token | None:
        """Feed the first of the repairs after which the line can be read; the last token fed, or None without one."""
        if place.lacks_block:
            return self.empty_block(place.token)
        for tokens, dropped in self.repairs(place):
            if fits(place, tokens, dropped):
                settle(self.lexer, place, tokens, dropped)
                if dropped and place.token.type in OPENERS:
                    self.lost.append(place.token.text)
                for token in tokens:
                    self.machine.feed(token)
                return tokens[-1] if tokens else place.token
        return None

    def empty_block(self, token: Token) -> Token:
        """Put in the block that is missing; what stands there is read again behind it."""
        for kind in BLOCK:
            filler = Token(kind, "_", token.start, token.start)
            self.machine.feed(filler)
        if token.is_layout:
            self.lexer.waiting.append(token)
        else:
            self.lexer.position = token.start
            self.lexer.brackets = []
        return filler

    def repairs(self, place: Place) -> Iterator[tuple[list[Token], bool]]:
        """Tokens to feed in the place of the one that cannot stand, and whether that one is lost."""
        token, at = place.token, place.gap.end
        marks = [Token(place.kind_of(mark), mark, at, at) for mark in MARKS]
        fillers = [Token(kind, text, at, at) for kind, text in FILLERS.items()]
        viable = [mark for mark in (*marks, *fillers) if place.viable(mark.type)]
        if token.type == "_INDENT":
            return
        yield from (([mark, token], False) for mark in viable)
        if not token.is_layout:
            yield [], True
            yield from (([mark], True) for mark in viable)

    # ---- dropping ----

    def drop(self, place: Place) -> Token:
        """Give the statement up with the lines that belong to it, and go on at the next."""
        lexer, machine = self.lexer, self.machine
        if place.token.type == "_INDENT":  # the statement above is whole; what is too deep below it is given up
            lexer.indents = lexer.indents[:-1] or [0]
            self.close(place.token.start)
            self.statement = self.begin()
            self.statement.faulty = True
        statement = self.statement
        position, width = self.resume(place)
        states, entries = statement.machine
        machine.states, machine.entries = states.copy(), entries.copy()
        lexer.brackets, lexer.waiting, lexer.closed = [], [], None
        lexer.indents = statement.indents.copy()
        lexer.position = position
        closing = [Token("_DEDENT", "", position, position) for depth in lexer.indents if depth > width]
        lexer.indents = [depth for depth in lexer.indents if depth <= width]
        if position == lexer.end:
            lexer.last = None
            closing.append(Token("$END", "", position, position))
        lexer.waiting = closing[::-1]
        return self.fill(closing, position)

    def resume(self, place: Place) -> tuple[int, int]:
        """Where the next statement starts, and how deep it stands; the end of the text if there is none."""
        margin = self.statement.indents[-1]
        open_before = place.brackets
        lost = bool(open_before) and place.is_outside(open_before[-1])
        at = self.statement.start if lost or place.token.type in ENDS else place.token.start
        first = self.source.position(min(at, max(0, len(self.source.text) - 1)))[0]
        for start, width in self.lines(first + 1):
            word = self.driver.tables.words.match(self.source.text, start)
            kind = word.lastgroup if word else None
            goes_on = word is not None and kind is not None and word[kind] in ("else", "elif") and width == margin
            if width <= margin and kind not in CLOSERS and not goes_on:
                return start, width
        return self.lexer.end, 0

    def lines(self, first: int) -> Iterator[tuple[int, int]]:
        """The lines with text from a line on: where they start, and how far they are indented."""
        for start in self.source.line_starts[first - 1 :]:
            line = self.source.line(self.source.position(start)[0])
            width = indentation(line)
            if line[width:] and line[width] != "#":
                yield start + width, width

    def fill(self, closing: Sequence[Token], position: int) -> Token:
        """Put in what stands for the dropped statement, if its block ends here and would be empty."""
        tables, machine = self.driver.tables, self.machine
        for kinds in STATEMENTS:
            states = machine.states.copy()
            kept = all(tables.advance(states, kind) for kind in kinds)
            if kept and all(tables.advance(states, token.type) for token in closing):
                for kind in kinds:
                    machine.feed(Token(kind, tables.spelling.get(kind, "_"), position, position))
                break
        else:  # nothing that could stand here is known: what follows cannot be read
            self.lexer.waiting = []
            self.lexer.position = self.lexer.end
            return Token("$END", "", position, position)
        return Token("_NL", "", position, position)


def settle(lexer: Lexer, place: Place, tokens: Sequence[Token], dropped: bool) -> None:
    """Bring the lexer's brackets and indents to where they are after a repair."""
    token = place.token
    if dropped and token.type in OPENERS:
        lexer.brackets.pop()
    elif dropped and token.type in CLOSERS and lexer.closed is not None:
        lexer.brackets.append(lexer.closed)
    for inserted in tokens:
        if inserted is token:
            continue
        if inserted.type in CLOSERS and place.brackets:
            lexer.brackets.remove(place.brackets[-1])
        elif inserted.type in OPENERS:
            lexer.brackets.insert(len(place.brackets), inserted)


def fits(place: Place, tokens: Sequence[Token], dropped: bool) -> bool:
    """Whether the line can be read to its end, and the next one begun, if these tokens are fed."""
    states, lexer, tables = place.states.copy(), place.lexer.copy(), place.lexer.tables
    lexer.faults = []
    settle(lexer, place, tokens, dropped)
    if not all(tables.advance(states, token.type) for token in tokens):
        return False
    at_end = bool(tokens) and tokens[-1].type in ENDS
    for _ in range(LOOK_AHEAD):
        try:
            token = lexer.next(states)
        except SpecError:
            return True
        if not tables.advance(states, token.type):
            return False
        if token.type == "$END" or (at_end and token.type not in ENDS):
            return True
        at_end = token.type in ENDS and not lexer.brackets
    return True
