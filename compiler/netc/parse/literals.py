"""Numbers, shapes and strings: from what stands in the text to the nodes that hold its value."""

from __future__ import annotations

from collections.abc import Callable

from netc.diagnostics import Diagnostics, Fix, Span, replace
from netc.parse.lexer import Token
from netc.parse.lexical import error
from netc.syntax import Expr, Literal_, ShapeLiteral, String

MAX_DIGITS = 30
WORDS = {"true": True, "false": False, "none": None}


def number(span: Span, found: Diagnostics) -> Literal_:
    """An int without a dot and an exponent, else a float; 0 stands for what cannot be one."""
    text = span.text or "0"  # nothing stands where reading went on behind an error
    if not text.isdigit():
        value = float(text)
        if value in (float("inf"), float("-inf")):
            _report(found, span, "this number is too large for a float", "the largest is about 1.8e308")
            return Literal_(span, 0.0, "0.0")
        return Literal_(span, value, text)
    if len(text) > MAX_DIGITS:
        _report(found, span, f"this number has {len(text)} digits", f"a whole number has at most {MAX_DIGITS}")
        return Literal_(span, 0, "0")
    if text != str(int(text)):
        fix = replace(span, str(int(text)), safe=True)
        _report(found, span, "a whole number starts with 0", f"write `{int(text)}`", fix)
    return Literal_(span, int(text), str(int(text)))


def shape(span: Span, found: Diagnostics) -> ShapeLiteral:
    """`3xHxW` is `(3, "H", "W")`; the letter x separates, so that no name in a shape can hold one."""
    parts: list[int | str] = []
    for part in span.text.split("x"):
        if part.isdigit() and len(part) <= MAX_DIGITS:
            parts.append(int(part))
            if part != str(int(part)):
                plain = "x".join(str(int(size)) if size.isdigit() else size for size in span.text.split("x"))
                fix = replace(span, plain, safe=True)
                _report(found, span, f"the size `{part}` starts with 0", f"write `{plain}`", fix)
        else:
            parts.append(part)
            if not part.isidentifier():
                what = f"`{part}` is neither a size nor a name" if part else "a size is missing"
                text = f"{what} in the shape `{span.text}`" if len(span.text) <= 40 else what
                _report(found, span, text, "sizes and names are joined by the letter x: `3x32x32`, `3xHxW`")
    return ShapeLiteral(span, tuple(parts))


def _report(found: Diagnostics, span: Span, message: str, help: str, fix: Fix | None = None) -> None:
    found.add(error("E0115", span, message, help=help, fix=fix).diagnostics[0])


def string(span: Span, token: Token, inner: Callable[[int, int], Expr]) -> String:
    """The parts between the quotes; `{{` and `}}` are braces, `{...}` is read by `inner(start, end)`."""
    parts: list[str | Expr] = []
    text, source, plain = token.text, span.source, ""
    index, last = 1, len(token.text) - 1
    while index < last:
        character = text[index]
        if character in "{}" and text.startswith(character * 2, index):
            plain += character
            index += 2
        elif character == "{":
            close = text.find("}", index, last)
            here = Span(source, token.start + index, token.start + (close + 1 if close >= 0 else index + 1))
            if close < 0:
                raise error("E0116", here, "this `{` in a string is never closed", help="a brace itself is `{{`")
            if not text[index + 1 : close].strip():
                raise error("E0116", here, "nothing stands between these braces", help="braces themselves are `{{}}`")
            if plain:
                parts.append(plain)
            plain, index = "", close + 1
            parts.append(inner(here.start + 1, here.end - 1))
        elif character == "}":
            here = Span(source, token.start + index, token.start + index + 1)
            raise error("E0116", here, "this `}` in a string closes nothing", help="a brace itself is `}}`")
        else:
            plain += character
            index += 1
    if plain:
        parts.append(plain)
    return String(span, tuple(parts))
