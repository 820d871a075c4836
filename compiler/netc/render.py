"""Diagnostics as text for people: the source lines with carets under what is meant, the notes, the way out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, takewhile
from textwrap import wrap
from unicodedata import category, combining, east_asian_width

from netc.message import Diagnostic, Fix, Label, Source
from netc.record import Record

TAB = 4
LONGEST = 160
"""Where no width is given, source lines are cut to this."""
_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "gutter": "34",
    "secondary": "34",
    "headline": "1",
    "help": "1;36",
    "-": "31",
    "+": "32",
}


class Mark(Record, eq=True):
    """A label on one line, from display column `left` up to `right`, counted from 0."""

    left: int
    right: int
    text: str
    style: str

    @property
    def stroke(self) -> str:
        return ("-" if self.style == "secondary" else "^") * (self.right - self.left)


Piece = tuple[int, str, str]
"""A display column, the text that starts there, and its style."""


def render(diagnostic: Diagnostic, *, color: bool = False, width: int | None = None, suggest: bool = False) -> str:
    """The diagnostic as text without a final newline.

    `color` adds ANSI styles. `width` is that of the terminal: longer source lines are cut around the carets, notes and
    help are wrapped. The fix is shown as lines that go and come, where the help does not say it or with `suggest`.
    """
    return "\n".join(_Renderer(diagnostic, color, width, suggest).lines())


class _Renderer:
    def __init__(self, diagnostic: Diagnostic, color: bool, width: int | None, suggest: bool) -> None:
        self.diagnostic = diagnostic
        self.color = color
        self.width = width
        fix = diagnostic.fix
        self.fix = fix if fix is not None and (suggest or not said(fix, diagnostic.help)) else None
        spans = [label.span for label in (diagnostic.primary, *diagnostic.secondary)]
        spans += [edit.span for edit in self.fix.edits] if self.fix is not None else []
        self.gutter = len(str(max(span.line for span in spans)))

    def style(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text and style else text

    def lines(self) -> Iterator[str]:
        found = self.diagnostic
        kind = self.style(f"{found.severity}[{found.code}]", found.severity)
        first, *rest = self.wrapped(found.message, len(found.severity) + len(found.code) + 4)
        yield kind + self.style(f": {first}", "headline")
        for line in rest:
            yield self.style(line, "headline")
        for number, (source, labels) in enumerate(self.files()):
            arrow = self.style(" " * self.gutter + (":::" if number else "-->"), "gutter")
            yield f"{arrow} {source.name}:{labels[0].span.line}:{labels[0].span.column}"
            yield self.bar()
            yield from self.file_lines(source, labels)
        if found.notes or found.help:
            yield self.bar()
        for note in found.notes:
            yield from self.remark("", note)
        if found.help:
            yield from self.remark("help: ", found.help)
        if self.fix is not None:
            yield from self.suggestion(self.fix)

    def suggestion(self, fix: Fix) -> Iterator[str]:
        """The lines that a fix takes away and those that it puts there."""
        from netc.fixes import hunks

        if not self.diagnostic.notes and not self.diagnostic.help:
            yield self.bar()
        text = "`netc check --fix` applies it" if fix.safe else "a guess; `netc check --fix --unsafe-fixes` applies it"
        yield from self.remark("fix: ", text)
        for hunk in hunks(fix):
            if hunk.source.name != self.diagnostic.primary.span.source.name:
                yield self.style(" " * self.gutter + ":::", "gutter") + f" {hunk.source.name}:{hunk.number}"
            before, after = ([display(line)[0] for line in lines] for lines in (hunk.before, hunk.after))
            change = cells(shared_start(before[0], after[0])) if before and after else 0
            first = self.first_shown(change, max((cells(line) for line in (*before, *after)), default=0))
            for sign, lines in (("-", before), ("+", after)):
                for number, line in enumerate(lines, hunk.number):
                    shown = f"{sign} {self.window(line, first)}".rstrip()
                    yield self.style(f"{number:>{self.gutter}} ", "gutter") + self.style(shown, sign)

    def files(self) -> list[tuple[Source, list[Label]]]:
        """The labels of each source, the primary one's first."""
        grouped: dict[str, tuple[Source, list[Label]]] = {}
        for label in (self.diagnostic.primary, *self.diagnostic.secondary):
            source = label.span.source
            grouped.setdefault(source.name, (source, []))[1].append(label)
        return list(grouped.values())

    def file_lines(self, source: Source, labels: list[Label]) -> Iterator[str]:
        by_line: dict[int, list[Label]] = {}
        for label in sorted(labels, key=lambda label: label.span.start):
            by_line.setdefault(label.span.line, []).append(label)
        for number, group in by_line.items():
            shown, columns = display(source.line(number))
            marks = [self.mark(label, source, number, columns) for label in group]
            shown, marks = self.cut(shown, marks)
            yield self.bar(str(number), shown)
            for row in rows(marks, None if self.width is None else self.room()):
                yield self.bar("", self.paint(row))

    def mark(self, label: Label, source: Source, number: int, columns: list[int]) -> Mark:
        """A span that goes on below is marked up to the end of its first line."""
        last = len(columns) - 1
        begin = min(label.span.start - source.line_starts[number - 1], last)
        end = min(label.span.end - source.line_starts[number - 1], last)
        left = columns[begin]
        style = self.diagnostic.severity if label is self.diagnostic.primary else "secondary"
        return Mark(left, max(columns[end], left + 1), label.text, style)

    def room(self) -> int:
        """How many columns a source line may take."""
        return LONGEST if self.width is None else max(20, self.width - self.gutter - 3)

    def first_shown(self, column: int, width: int) -> int:
        """The first column that is shown of a line of some width, so that there is room for one and what follows."""
        return max(0, min(column - self.room() // 4, width - self.room()))

    def window(self, line: str, first: int) -> str:
        """What there is room for from a column on, with marks where something is left out."""
        room = self.room()
        kept = _columns(line, first, first + room)
        kept = ("…" + _columns(kept, 1, room)) if first else kept
        return (_columns(kept, 0, room - 1) + "…") if cells(line) > first + room else kept

    def cut(self, shown: str, marks: list[Mark]) -> tuple[str, list[Mark]]:
        """Keep the part of a line too long for the terminal that its marks stand under."""
        room = self.room()
        if cells(shown) <= room:
            return shown, marks
        main = next((mark for mark in marks if mark.style != "secondary"), marks[0])
        first = self.first_shown(main.left, cells(shown))
        moved = []
        for mark in marks:
            left = min(max(mark.left - first, 0), room - 1)
            moved.append(Mark(left, max(left + 1, min(mark.right - first, room)), mark.text, mark.style))
        return self.window(shown, first), moved

    def bar(self, number: str = "", text: str = "") -> str:
        return (self.style(f"{number:>{self.gutter}} |", "gutter") + (f" {text}" if text else "")).rstrip()

    def paint(self, row: list[Piece]) -> str:
        line, column = "", 0
        for left, text, style in row:
            line += " " * (left - column) + self.style(text, style)
            column = left + cells(text)
        return line

    def remark(self, word: str, text: str) -> Iterator[str]:
        margin = " " * (self.gutter + 1)
        first, *rest = self.wrapped(text, self.gutter + 3 + len(word))
        yield margin + self.style("=", "gutter") + " " + self.style(word, "help") + first
        for line in rest:
            yield margin + "  " + " " * len(word) + line

    def wrapped(self, text: str, taken: int) -> list[str]:
        """Lines of the text that leave `taken` columns free; line ends in it are kept."""
        parts = text.split("\n")
        if self.width is None:
            return parts
        room = max(20, self.width - taken)
        return [
            line for part in parts for line in wrap(part, room, break_long_words=False, break_on_hyphens=False) or [""]
        ]


def shared_start(one: str, other: str) -> str:
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def said(fix: Fix, help: str | None) -> bool:
    """Whether the help shows what the fix writes; that something goes needs no showing."""
    return help is not None and all(edit.replacement.strip() in help for edit in fix.edits)


def rows(marks: list[Mark], room: int | None = None) -> Iterator[list[Piece]]:
    """The rows under a source line: strokes, the last label's text beside them, the others' below, right to left.

    Marks that overlap get rows of their own. In `room` columns a text that has no place beside its strokes hangs, too.
    """
    marks = sorted(marks, key=lambda mark: (mark.left, mark.right))
    for before, after in pairwise(marks):
        if after.left < before.right:
            yield from rows([mark for mark in marks if mark is not before], room)
            yield from rows([before], room)
            return
    strokes: list[Piece] = [(mark.left, mark.stroke, mark.style) for mark in marks]
    last = marks[-1]
    beside = room is None or last.right + 1 + cells(last.text) <= room
    if last.text and beside:
        strokes.append((last.right + 1, last.text, last.style))
    yield strokes
    hanging = [mark for mark in (marks[:-1] if beside else marks) if mark.text]
    if hanging:
        yield [(mark.left, "|", mark.style) for mark in hanging]
    while hanging:
        last = hanging.pop()
        if room is None or last.left + cells(last.text) <= room:
            yield [*((mark.left, "|", mark.style) for mark in hanging), (last.left, last.text, last.style)]
        else:
            for line in wrap(last.text, room, break_on_hyphens=False):
                yield [(max(0, room - cells(last.text)), line, last.style)]


def display(line: str) -> tuple[str, list[int]]:
    """A line as it is shown, tabs as spaces and hidden characters visible, and the column of each character.

    One column more follows for the line's end.
    """
    shown, columns, column = "", [], 0
    for character in line:
        columns.append(column)
        if character == "\t":
            piece = " " * (TAB - column % TAB)
        elif category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            piece = "\N{REPLACEMENT CHARACTER}"
        else:
            piece = character
        shown += piece
        column += cells(piece)
    columns.append(column)
    return shown, columns


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _columns(text: str, first: int, last: int) -> str:
    """What of the text stands in the columns from `first` up to `last`."""
    kept, column = "", 0
    for character in text:
        after = column + cells(character)
        if column >= first and after <= last:
            kept += character
        elif column < last and after > first:
            kept += " " * (min(after, last) - max(column, first))
        column = after
    return kept
