"""A document: a text that knows where its lines may be broken, and how it is laid out in a given width.

After Wadler, "A prettier printer" (2003): a group stands on one line where it fits, else every break of its own becomes
the end of a line, and the groups in it are asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

INDENT = 4


class Line(NamedTuple):
    """A line of the result: its text with the indentation, and the comment behind it or nothing.

    `group` says whose comments stand in a column with this one: the same number's.
    """

    text: str
    comment: str = ""
    group: int = 0


class Break(NamedTuple):
    """The end of a line in a broken group; `flat` in one that is not."""

    flat: str


class Broken(NamedTuple):
    """A text that stands in a broken group only."""

    text: str


class Note(NamedTuple):
    """A comment behind the line that stands here; what is around it is broken."""

    comment: str


class Nest(NamedTuple):
    """What is indented by one level more."""

    body: Document


class Group(NamedTuple):
    """What is broken as a whole or not at all; with `forced` it is."""

    body: Document
    forced: bool = False


class Fill(NamedTuple):
    """Short parts, as many on a line as fit, a comma behind each."""

    parts: tuple[str, ...]


class Hug(NamedTuple):
    """A text whose last part, in brackets, is broken if the part before is short; otherwise `other` is laid out."""

    head: Document
    last: Document
    other: Document


Document = str | Break | Broken | Note | Nest | Group | Fill | Hug | Sequence["Document"]
"""A sequence stands for its parts, one after the other."""

SPACE = Break(" ")
NOTHING = Break("")
END = Break("\n")
"""A line ends here in any case."""


def flat(document: Document, *, anyway: bool = False) -> str | None:
    """The document on one line; None if something in it forces a break, unless it is to be flat `anyway`."""
    match document:
        case str():
            return document
        case Break(text):
            return None if text == "\n" else text
        case Broken():
            return ""
        case Note():
            return None
        case Nest(body):
            return flat(body, anyway=anyway)
        case Group(body, forced):
            return None if forced and not anyway else flat(body, anyway=anyway)
        case Fill(parts):
            return ", ".join(parts)
        case Hug(head, last, _):
            return flat([head, last], anyway=anyway)
    texts: list[str] = []
    for part in document:
        inner = flat(part, anyway=anyway)
        if inner is None:
            return None
        texts.append(inner)
    return "".join(texts)


def layout(document: Document, indent: int, width: int) -> list[Line]:
    """The lines of a document that starts at a column, none wider than `width` where that can be."""
    return _Layout(indent, width).run(document)


class _Layout:
    """Lines under way; what waits on the stack stands in groups that are broken."""

    def __init__(self, indent: int, width: int) -> None:
        self.width = width
        self.start = indent
        self.lines: list[Line] = []
        self.text = " " * indent
        self.comment = ""
        self.stack: list[tuple[int, Document]] = []

    def run(self, document: Document) -> list[Line]:
        self.stack.append((self.start, document))
        while self.stack:
            indent, part = self.stack.pop()
            self._put(indent, part)
        self._end(0)
        return self.lines

    def _put(self, indent: int, part: Document) -> None:
        match part:
            case str() | Broken():
                self.text += part if isinstance(part, str) else part.text
            case Break():
                self._end(indent)
            case Note(comment):
                self.comment = comment
            case Nest(body):
                self.stack.append((indent + INDENT, body))
            case Group(body):
                text = flat(part)
                if text is not None and self._fits(text):
                    self.text += text
                else:
                    self.stack.append((indent, body))
            case Fill(parts):
                self._fill(indent, parts)
            case Hug():
                self._hug(indent, part)
            case _:
                self.stack.extend((indent, inner) for inner in reversed(part))

    def _end(self, indent: int) -> None:
        self.lines.append(Line(self.text.rstrip(), self.comment))
        self.text, self.comment = " " * indent, ""

    def _fits(self, text: str) -> bool:
        """Whether the text has room on this line, with all that follows it up to the next possible break."""
        left = self.width - len(self.text) - len(text)
        for _, waiting in reversed(self.stack):
            used, stops = _up_to_break(waiting)
            left -= used
            if stops or left < 0:
                break
        return left >= 0

    def _fill(self, indent: int, parts: tuple[str, ...]) -> None:
        for number, part in enumerate(parts):
            if number and len(self.text) + len(part) + 2 > self.width:
                self._end(indent)
            elif number:
                self.text += " "
            self.text += part + ","

    def _hug(self, indent: int, part: Hug) -> None:
        whole, head = flat(part), flat(part.head)
        if whole is not None and self._fits(whole):
            self.text += whole
        elif head is not None and len(self.text) + len(head) <= self.width // 2:
            self.stack += [(indent, part.last), (indent, head)]
        else:
            self.stack.append((indent, part.other))


def _up_to_break(document: Document) -> tuple[int, bool]:
    """How wide the document is up to the first place where it may be broken, and whether there is one."""
    match document:
        case str() | Broken():
            return len(document if isinstance(document, str) else document.text), False
        case Break():
            return 0, True
        case Note():
            return 0, False
        case Nest(body) | Group(body):
            return _up_to_break(body)
        case Fill(parts):
            return len(parts[0]), True
        case Hug(_, _, other):
            return _up_to_break(other)
    used = 0
    for part in document:
        more, stops = _up_to_break(part)
        used += more
        if stops:
            return used, True
    return used, False
