"""Says in plain words why a token cannot stand where it stands, by trying what would make it fit."""

from __future__ import annotations

import re

from netc.diagnostics import Diagnostic, Fix, Label, Span, replace
from netc.parse.lexer import CLOSERS, OPENERS, Token
from netc.parse.place import ENDS, Place

COMPARISONS = ("EQUAL", "UNEQUAL", "LESS", "LESS_EQUAL", "MORE", "MORE_EQUAL")
OPENING_WORDS = ("if", "elif", "for", "def", "net")
PYTHON = {
    "import": "layers are there without it; blocks of other files come by `use \"file.net\": Name`",
    "from": "layers are there without it; blocks of other files come by `use \"file.net\": Name`",
    "class": "a network begins with `net Name:`, a block with `def Name:`; there is no `__init__` and no `forward`",
}
"""Statements of Python at the left margin, and what to write for them."""
TOP_WORDS = ("def", "net", "table", "train", "use", "needs", "language")
_LOOP = re.compile(r"\bfor\b")
_CONDITION = re.compile(r"\b(if|elif|when|and|or|not)\b")


def explain(place: Place) -> Diagnostic:
    """The one error for a token that cannot stand where it stands."""
    checks = (_bracket, _layout, _equals, _foreign, _reserved, _misplaced, _listed, _chained, _glued, _missing, _ended)
    return next((found for check in checks if (found := check(place))), None) or _stray(place)


def _fault(
    code: str,
    message: str,
    span: Span,
    text: str = "",
    *labels: Label,
    help: str | None = None,
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic(code, message, Label(span, text), labels, help=help, fix=fix)


# ---- brackets ----


def _bracket(place: Place) -> Diagnostic | None:
    token, lexer = place.token, place.lexer
    if token.type in CLOSERS and lexer.closed is None:
        if not lexer.brackets:
            fix = replace(place.span, "")
            return _fault("E0104", f"{place.shown} closes nothing", place.span, "nothing is open here", fix=fix)
        opener = lexer.brackets[-1]
        if any(outer.text == CLOSERS[token.type] for outer in lexer.brackets):
            return _unclosed(place, opener, Span(lexer.source, token.start, token.start))
        label = Label(lexer.span(opener), "opened here")
        message = f"`{opener.text}` is closed by {place.shown}"
        return _fault("E0104", message, place.span, f"expected `{OPENERS[opener.type]}`", label)
    open_before = place.brackets
    if open_before and token.type not in CLOSERS and place.is_outside(open_before[-1]):
        return _unclosed(place, open_before[-1], place.end_of_lines(open_before[-1]))
    return None


def _unclosed(place: Place, opener: Token, span: Span) -> Diagnostic:
    label = Label(place.lexer.span(opener), "opened here")
    closer = OPENERS[opener.type]
    text, fix = f"expected `{closer}` here", replace(span, closer)
    return _fault("E0103", f"`{opener.text}` is never closed", span, text, label, fix=fix)


# ---- lines ----


def _layout(place: Place) -> Diagnostic | None:
    if place.token.type == "_INDENT":
        if place.before is None:
            return _fault("E0109", "unexpected indentation", place.span, "the first line stands at the left margin")
        help = "if the line above opens a block, it ends with `:`"
        return _fault("E0109", "unexpected indentation", place.span, "deeper than the line above", help=help)
    if place.lacks_block and place.before:
        here = place.lexer.span(place.before)
        return _fault("E0111", "a block is missing", here, "opens a block", help="indent the lines that belong to it")
    return None


def _ended(place: Place) -> Diagnostic | None:
    if place.token.type not in ENDS:
        return None
    if place.before is not None and place.before.text == "," and not place.brackets:
        return _comma(place.lexer.span(place.before))
    what = place.expected
    text = f"expected {what} here" if what else ""
    where = "line" if place.lexer.layout else "expression"
    return _fault("E0120", f"the {where} ends too early", place.gap, text)


# ---- words and marks ----


def _equals(place: Place) -> Diagnostic | None:
    """`==` for `=` and the other way round."""
    equal = place.kind_of("=")
    if place.token.type == "EQUAL" and place.viable(equal):
        fix = replace(place.span, "=", safe=True)
        return _fault("E0113", "`==` compares, `=` binds a name", place.span, "expected `=`", fix=fix)
    in_condition = _CONDITION.search(place.line_before)
    if place.token.type == equal and in_condition and place.viable("EQUAL"):
        fix = replace(place.span, "==", safe=True)
        return _fault("E0113", "`=` binds a name, `==` compares", place.span, "expected `==`", fix=fix)
    return None


def _foreign(place: Place) -> Diagnostic | None:
    """`// a comment`, `x += y`, `- Conv: [8, 3]`, and a label within a chain."""
    token, before, start = place.token, place.before, place.line_before.lstrip()
    if token.text == "//" and not start:
        fix = replace(place.span, "#", safe=True)
        return _fault("E0113", "a comment begins with `#`", place.span, "not written here", help="`# ...`", fix=fix)
    glued = before is not None and before.end == token.start and before.text in ("+", "-", "*", "/")
    if before and glued and token.type == place.kind_of("="):
        help = "a statement that begins with `+` adds to the flow, one with `*` multiplies it: `+ y`"
        span = place.lexer.span(before).to(place.span)
        whole = Span(span.source, place.span.start - len(start), span.end)
        joined = re.fullmatch(r"[x_][ \t]*[+*]", start.rstrip()) is not None
        text, label = f"`{span.text}` is not written here", "values are never changed"
        spelled = replace(whole, before.text) if joined else None
        return _fault("E0113", text, span, label, help=help, fix=spelled)
    computed = re.compile(r"\w+(\{[^{}\n]*\}\w*)+").match(place.lexer.source.text, before.start) if before else None
    if token.text == "{" and computed and before and before.end == token.start:
        span, help = Span(place.span.source, *computed.span()), f'in double quotes: `"{computed[0]}": ...`'
        fix = replace(span, f'"{computed[0]}"', safe=True)
        return _fault("E0101", "a label that is computed is a text", span, "without quotes", help=help, fix=fix)
    if token.text == "{" and before and place.viable("COLON"):
        help = "indent what belongs to it"
        return _fault("E0113", "a block is not opened by `{`", place.span, "expected `:`", help=help)
    if token.type != "COLON" or before is None or before.type != "NAME":
        return None
    if start.startswith("- "):
        help = f"without `-`, a line is a label and a module: `{before.text.lower()}: {before.text}(...)`"
        text = "a statement does not begin with `-`"
        return _fault("E0113", text, place.line_so_far, "an entry of a list", help=help)
    if "->" in start:
        text = "a label within a chain stands in parentheses with its module"
        return _fault("E0101", text, place.lexer.span(before), "a label", help=f"`... -> ({before.text}: ...)`")
    return None


def _reserved(place: Place) -> Diagnostic | None:
    token, before, words = place.token, place.before, place.lexer.tables.keywords
    if before and words.get(before.text) == before.type and before.text not in OPENING_WORDS and place.same_line:
        message = f"`{before.text}` is a reserved word"
        shape = re.compile(r":[ \t]*[\d(]").match(place.lexer.source.text, token.start)
        if token.type == "COLON" and before.text == "input" and shape:
            text, fix = "`input` is followed by its shape", replace(place.span, "")
            return _fault("E0101", text, place.span, "no `:` here", help="`input 3x32x32`", fix=fix)
        if token.type == "COLON":
            help = f'as a label it is quoted: `"{before.text}": ...`'
            span = place.lexer.span(before)
            return _fault("E0112", message, span, help=help, fix=replace(span, f'"{before.text}"', safe=True))
        if token.type == place.kind_of("="):
            return _fault("E0112", message, place.lexer.span(before), help="take another name")
    name_only = place.viable("NAME") and not place.viable("NUMBER") and not place.viable("DEF")
    if words.get(token.text) == token.type and name_only:
        return _fault("E0112", f"{place.shown} is a reserved word", place.span, help="take another name")
    return None


def _misplaced(place: Place) -> Diagnostic | None:
    """A definition inside a block, a statement outside of one, an `else` without an `if`."""
    token, before = place.token, place.before
    at_margin = len(place.lexer.indents) == 1 and not place.brackets
    if token.type in ("ELSE", "ELIF") and not place.line_before.strip():
        text = "no `if` stands right above, equally deep"
        return _fault("E0101", f"{place.shown} without an `if`", place.span, text)
    if before and before.text in TOP_WORDS and before.type == "NAME" and place.same_line and not at_margin:
        text = "inside a block"
        return _fault("E0101", f"`{before.text}` stands at the left margin only", place.lexer.span(before), text)
    if at_margin and place.lexer.layout and (place.viable("DEF") or place.viable(place.kind_of("="))):
        word = place.lexer.source.text[place.line_so_far.start : place.span.end].split()[:1]
        if word and word[0] in PYTHON:
            span = Span(place.lexer.source, place.line_so_far.start, place.line_so_far.start + len(word[0]))
            return _fault("E0113", f"`{word[0]}` is a word of Python", span, "not written here", help=PYTHON[word[0]])
        message = "a statement outside of a block" if token.type != "_DEDENT" else "unexpected end of a block"
        help = "at the left margin stand definitions; statements are indented under `net Name:` or `def Name:`"
        span = place.line_so_far if place.same_line and before else place.span
        return _fault("E0122", message, span, help=help)
    return None


def _listed(place: Place) -> Diagnostic | None:
    """`input 3, 32, 32`, and a comma that ends a statement."""
    token, before, text = place.token, place.before, place.lexer.source.text
    if token.text != "," or place.brackets or before is None:
        return None
    shape = re.compile(r"(\w+(?:[ \t]*,[ \t]*\w+)+)[ \t]*(?:#|\r?$)", re.MULTILINE).match(text, before.start)
    if shape is not None and re.match(r"input\s", place.line_before.lstrip()):
        sizes = [size.strip() for size in shape[1].split(",")]
        written = "x".join(sizes) if sizes[0].isdigit() else f"({', '.join(sizes)})"
        span = Span(place.span.source, before.start, before.start + len(shape[1]))
        fix = replace(span, written)
        return _fault("E0101", "a shape is one word", span, "several", help=f"`input {written}`", fix=fix)
    if re.compile(r"[ \t]*(?:#|\r?\n|$)").match(text, token.end):
        return _comma(place.span)
    return None


def _comma(span: Span) -> Diagnostic:
    """A comma behind a statement, where the line says already that it ends."""
    help, fix = "the end of the line ends it", replace(span, "", safe=True)
    return _fault("E0101", "a statement does not end with a comma", span, "nothing follows", help=help, fix=fix)


def _chained(place: Place) -> Diagnostic | None:
    if place.token.type in COMPARISONS and place.viable("AND") and place.viable("PLUS"):
        help = "join two comparisons with `and`"
        return _fault("E0101", "comparisons do not chain", place.span, "a second comparison", help=help)
    return None


def _glued(place: Place) -> Diagnostic | None:
    """`3abc`, `1.2.3`."""
    before, token = place.before, place.token
    kinds = ("NUMBER", "SHAPE", "NAME")
    if before and before.end == token.start and before.type in kinds[:2] and token.type in kinds:
        span = Span(place.lexer.source, before.start, token.end)
        times = re.fullmatch(r"(\d+)x", span.text)
        help = f"`{times[1]} * Layer(...)` repeats" if times else None
        return _fault("E0115", f"`{span.text}` is neither a number nor a name", span, help=help)
    return None


def _missing(place: Place) -> Diagnostic | None:
    """The first mark that would let the rest of the line be read."""
    before, token, brackets = place.before, place.token, place.brackets
    if before is None or (token.type == "$END" and not place.lexer.layout):
        return None
    words = place.line_before.split()
    inside = len(place.lexer.indents) > 1
    if inside and len(words) == 2 and words[-1] == before.text and place.expected == "`:`":  # `data MNIST(...)`
        end = place.line_so_far.start + len(words[0])
        return _mark(place, ":", Span(place.lexer.source, end, end))
    marks = [",", ":", *(["in"] if _LOOP.search(place.line_before) else []), ";", "=", "("]
    if place.line_before.strip() == before.text and token.type == "NAME" and token.text[0].islower():
        marks = [",", ";", ":", "="]
    for mark in marks:
        if place.fits(place.kind_of(mark)):
            return _mark(place, mark, place.gap)
    if brackets and place.fits(place.kind_of(OPENERS[brackets[-1].type])):
        return _unclosed(place, brackets[-1], place.gap)
    return None


def _mark(place: Place, mark: str, gap: Span) -> Diagnostic:
    """A missing mark; a colon is sure at the end of a line that opens a block, and between a label and a layer."""
    text = f" {mark}" if mark in ("in", "=") else mark
    words = place.line_before.split()
    opens = place.token.type == "_NL" and words[0] in (*OPENING_WORDS, "else", "train", "table")
    labels = len(words) == 1 and place.token.text[:1].isupper()
    room = Span(gap.source, gap.start, place.token.start) if mark == "(" else gap
    fix = replace(room, text, safe=mark == ":" and (opens or labels))
    return _fault("E0102", f"missing `{mark}`", gap, f"expected `{mark}` here", fix=fix)


def _stray(place: Place) -> Diagnostic:
    what = place.expected
    return _fault("E0101", f"unexpected {place.shown}", place.span, f"expected {what}" if what else "")
