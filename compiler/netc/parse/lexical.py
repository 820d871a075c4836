"""What can be wrong with the characters of a file: each problem as the error that names it."""

from __future__ import annotations

import re
from unicodedata import normalize

from netc.diagnostics import Diagnostic, Fix, Label, Source, Span, SpecError, replace

_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00]")
"""Characters that show nothing or turn the reading direction, anywhere after a byte order mark."""

_PLAIN = {"“": '"', "”": '"', "‘": '"', "’": '"', "'": '"', "→": "->", "−": "-", "–": "-", "\\": ""}
"""What the author meant by a character, beyond what Unicode says of it."""
_ADVICE = {
    "'": 'strings take double quotes: `"..."`',
    "!": "a condition is negated with `not`",
    "\\": "a line needs no backslash: inside brackets it may go on below",
    "“": 'strings take the plain quote `"`',
    "”": 'strings take the plain quote `"`',
    "‘": 'strings take the plain quote `"`',
    "’": 'strings take the plain quote `"`',
    "@": "a product of matrices is the function `matmul`",
    "×": "multiplication is `*`; a shape is written with the letter x: `3x32x32`",
    "→": "stages are joined by `->`",
    "−": "minus is the plain `-`",
    "–": "minus is the plain `-`",
}


_LIKE = dict(zip("АВЕКМНОРСТХаеорсухіΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTXaeopcyxiABEZHIKMNOPTYXo", strict=True))
"""Cyrillic and Greek letters that look like Latin ones."""


def error(
    code: str, span: Span, message: str, text: str = "", help: str | None = None, fix: Fix | None = None
) -> SpecError:
    return SpecError((Diagnostic(code, message, Label(span, text), help=help, fix=fix),))


def check_hidden(source: Source) -> None:
    """Refuse invisible and bidirectional characters, in comments too: they make a text read otherwise than it looks."""
    found = [_hidden(source, match) for match in _HIDDEN.finditer(source.text, source.text.startswith("\ufeff"))]
    if found:
        raise SpecError(tuple(found))


def _hidden(source: Source, match: re.Match[str]) -> Diagnostic:
    label = Label(Span(source, match.start(), match.end()), "here, though nothing shows")
    help = "delete it, and type the line again if in doubt"
    fix = replace(label.span, "", safe=True)
    return Diagnostic("E0107", f"invisible character {name_of(match[0])}", label, help=help, fix=fix)


def no_token(source: Source, position: int) -> SpecError:
    """Why nothing in the grammar starts with what stands at `position`, spaces aside."""
    text = source.text
    while text[position] in " \t":
        position += 1
    character = text[position]
    span = Span(source, position, position + 1)
    fix: Fix | None
    if character == '"':
        line_end = re.compile(r"[^\r\n]*").match(text, position)
        end = line_end.end() if line_end else position + 1
        span = Span(source, position, position + len(text[position:end].rstrip()))
        return error("E0105", span, "this string is never closed", 'opens here, and its line ends without a `"`')
    if character.isspace():
        help = "use an ordinary space" if character != "\r" else "end lines with a line feed"
        fix = replace(span, " " if character != "\r" else "\n", safe=True)
        return error("E0106", span, f"unexpected character {name_of(character)}", "looks like a space", help, fix)
    name = f"`{character}`" if character.isascii() else f"`{character}` ({name_of(character)})"
    message = f"unexpected character {name if character.isprintable() else name_of(character)}"
    plain = _PLAIN.get(character, normalize("NFKC", character) if not character.isascii() else "")
    fix = replace(span, plain, safe=True) if character in _PLAIN or (plain.isascii() and plain) else None
    advice = _ADVICE.get(character)
    if advice is None and fix is not None:
        advice = f"write the plain `{plain}`"
    elif advice is None and character in _LIKE:
        advice = f"it looks like the letter `{_LIKE[character]}`, and is another: type that one"
    elif advice is None and character.isalpha():
        advice = "names are written with a to z, A to Z, digits and `_`"
    return error("E0106", span, message, "", advice, fix)


def name_of(character: str) -> str:
    """`U+00A0 no-break space`."""
    from unicodedata import name

    return f"U+{ord(character):04X} {name(character, 'control character').lower()}"


def mixed_indentation(span: Span, first: str) -> SpecError:
    names = {" ": "spaces", "\t": "tabs"}
    other = names["\t" if first == " " else " "]
    message = f"{other} in the indentation of a file that is indented with {names[first]}"
    return error("E0108", span, message, f"{other} start here", f"indent with {names[first]} throughout")


def uneven(span: Span, outer: int, inner: int) -> SpecError:
    """`outer`, `inner`: the widths of the block that stays open and of the block that the line leaves."""
    help = f"indent it by {inner} to stay in the block above, by {outer} to leave it"
    text = f"{span.end - span.start} deep"
    return error("E0110", span, "the indentation of this line matches no line above it", text, help)


def too_deep(span: Span, what: str) -> Diagnostic:
    help = "give the inner part a name: a constant, or a `def` of its own"
    return Diagnostic("E0114", f"nested more than {what} deep", Label(span, "the limit is reached here"), help=help)
