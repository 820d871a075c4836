"""What each code means at length: the pages in `explanations`, one a code, as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from netc.codes import WARNINGS
from netc.diagnostics import nearest
from netc.record import Record

FOLDER = Path(__file__).parent / "explanations"
FAMILIES: Mapping[str, str] = {
    "E01": "the text",
    "E02": "files, and what of them is compiled",
    "E03": "names, and what flows",
    "E04": "arguments, values and labels",
    "E05": "recipes",
    "E06": "shapes and parameters",
    "E08": "limits",
    "E09": "what cannot be written as PyTorch",
    "W07": "warnings",
}
"""The beginnings of codes, and what such codes are about."""
TITLES = {"net wrong": "Example", "text message": "What netc says", "net right": "Made right"}
"""What stands above the blocks of a page; those of further files have the file's name."""
WIDEST = 100
_BLOCK = re.compile(r"^```(?P<tag>.+)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_CODE = re.compile(r"(?:error|warning)?\[?([A-Za-z]\d+)\]?:?")


class Piece(Record, eq=True):
    """A paragraph, or a fenced block with its tag.

    The tags are `net wrong`, `net right`, `net file=NAME` (a file that later ones import), `sh wrong` and `sh right`
    (the command, where it is more than `netc check example.net`), and `text message` (what the wrong one gives).
    """

    text: str
    tag: str = ""

    @property
    def title(self) -> str:
        return TITLES.get(self.tag) or self.tag.partition("file=")[2]


def pieces(code: str) -> list[Piece]:
    """The page of a code, in order; a paragraph is one line."""
    return list(_pieces((FOLDER / f"{code}.md").read_text(encoding="utf-8")))


def _pieces(text: str) -> Iterator[Piece]:
    position = 0
    for found in _BLOCK.finditer(text):
        yield from _paragraphs(text[position : found.start()])
        yield Piece(found["text"], found["tag"])
        position = found.end()
    yield from _paragraphs(text[position:])


def _paragraphs(text: str) -> Iterator[Piece]:
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            yield Piece(" ".join(paragraph.split()))


def find(name: str, known: Iterable[str], names: Mapping[str, str]) -> str | None:
    """The code that is meant by `E0301`, `e0301`, `[E0301]`, `error[E0301]:`, or the name of a warning."""
    found = _CODE.fullmatch(name.strip())
    code = found[1].upper() if found else names.get(name.strip().strip("[]").lower())
    return code if code is not None and code in set(known) else None


def near(name: str, known: Iterable[str], names: Iterable[str]) -> str | None:
    """What was likely meant by a name that is none; of codes the next one in the family."""
    found = _CODE.fullmatch(name.strip())
    if found is None:
        return nearest(name.strip("[]").upper(), known) or nearest(name.strip("[]").lower(), names)
    letter, number = found[1][0].upper(), int(found[1][1:])
    ranked = sorted((int(code[1:]) // 100 != number // 100, abs(int(code[1:]) - number), code) for code in known)
    fit = (code for other, _, code in ranked if not other and (code[0] == letter or int(code[1:]) == number))
    return next(fit, None)


def levels(code: str) -> str | None:
    """What can be done about a warning that is meant."""
    name = next((name for name, known in WARNINGS.items() if known == code), None)
    return None if name is None else f"`--allow {name}` silences this warning, `--deny {name}` makes it an error."


def render(code: str, meaning: str, width: int, *, color: bool = False) -> str:
    """The page for a terminal: prose wrapped to the width, examples indented as they are."""
    style = "\x1b[{}m{}\x1b[0m" if color else "{1}"
    width = min(width, WIDEST)
    lines = [style.format("1", line) for line in wrapped(f"{code}: {meaning}", width)]
    for piece in pieces(code):
        lines.append("")
        if not piece.tag:
            lines += wrapped(piece.text, width)
            continue
        if piece.title:
            lines += [style.format("1;36", piece.title), ""]
        prompt = "$ " if piece.tag.startswith("sh ") else ""
        lines += [f"    {prompt}{line}".rstrip() for line in piece.text.splitlines()]
    if said := levels(code):
        lines += ["", *wrapped(said, width)]
    return "\n".join(lines)


def index(codes: Mapping[str, str], width: int, *, color: bool = False) -> str:
    """All codes with their meanings, a family at a time."""
    style = "\x1b[{}m{}\x1b[0m" if color else "{1}"
    parts = []
    for family, title in FAMILIES.items():
        lines = [style.format("1", f"{title[0].upper()}{title[1:]}")]
        for code in sorted(code for code in codes if code.startswith(family)):
            first, *rest = wrapped(codes[code], min(width, WIDEST) - 9)
            lines += [f"  {style.format('1;36', code)}  {first}", *(f"{'':9}{line}" for line in rest)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def wrapped(text: str, width: int) -> list[str]:
    return wrap(text, max(20, width), break_long_words=False, break_on_hyphens=False)
