"""The renderer: gutters, carets, labels beside and below, other files, colours and narrow terminals."""

from __future__ import annotations

import re
from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from netc.diagnostics import Diagnostic, Label, Source, Span
from netc.render import cells, display, render

RESNET = Source(
    "specs/resnet.net",
    "".join(
        f"{line}\n"
        for line in [*["#"] * 8, "    conv3: Conv(4 * w, 1)", *["#"] * 4, "    + x", "    y -> 卷积 -> z", "\ta\tb"]
    ),
)


def at(text: str, message: str = "", source: Source = RESNET) -> Label:
    start = source.text.index(text)
    return Label(Span(source, start, start + len(text)), message)


def check(diagnostic: Diagnostic, expected: str, **options: object) -> None:
    assert render(diagnostic, **options) == dedent(expected).strip("\n")  # type: ignore[arg-type]


def test_two_lines_a_note_and_a_help():
    found = Diagnostic(
        "E0301",
        "cannot add 256 channels to 64",
        at("+ x", "this side has shape (N, 64, 56, 56)"),
        (at("Conv(4 * w, 1)", "this side has shape (N, 256, 56, 56)"),),
        ("in expansion of `Bottleneck(64)`, called at specs/resnet.net:22:18",),
        "project the shortcut: `+ x -> (Conv(256, 1) -> BatchNorm)`",
    )
    expected = """
        error[E0301]: cannot add 256 channels to 64
          --> specs/resnet.net:14:5
           |
         9 |     conv3: Conv(4 * w, 1)
           |            -------------- this side has shape (N, 256, 56, 56)
        14 |     + x
           |     ^^^ this side has shape (N, 64, 56, 56)
           |
           = in expansion of `Bottleneck(64)`, called at specs/resnet.net:22:18
           = help: project the shortcut: `+ x -> (Conv(256, 1) -> BatchNorm)`
    """
    check(found, expected)


def test_labels_of_one_line_hang_below_from_right_to_left():
    labels = (at("conv3", "the label"), at("Conv", "the layer"))
    expected = """
        warning[E1]: three in a line
         --> specs/resnet.net:9:21
          |
        9 |     conv3: Conv(4 * w, 1)
          |     -----  ----     ^ the width
          |     |      |
          |     |      the layer
          |     the label
    """
    check(Diagnostic("E1", "three in a line", at("w", "the width"), labels, severity="warning"), expected)


def test_labels_that_overlap_get_rows_of_their_own():
    expected = """
        error[E1]: nested
         --> specs/resnet.net:9:12
          |
        9 |     conv3: Conv(4 * w, 1)
          |                 ----- inner
          |            ^^^^^^^^^^^^^^ outer
    """
    check(Diagnostic("E1", "nested", at("Conv(4 * w, 1)", "outer"), (at("4 * w", "inner"),)), expected)


def test_another_file_follows():
    other = Source("std.net", "def CNA(out):\n    Conv(out)\n")
    expected = """
        error[E1]: twice
         --> std.net:1:5
          |
        1 | def CNA(out):
          |     ^^^ here
         ::: specs/resnet.net:9:5
          |
        9 |     conv3: Conv(4 * w, 1)
          |     ----- and there
    """
    check(Diagnostic("E1", "twice", at("CNA", "here", other), (at("conv3", "and there"),)), expected)


def test_wide_characters_and_tabs_keep_the_carets_in_place():
    assert render(Diagnostic("E1", "m", at("-> z", "wide"))).splitlines()[3:] == [
        "15 |     y -> 卷积 -> z",
        "   |               ^^^^ wide",
    ]
    assert render(Diagnostic("E1", "m", at("b", "tab", Source("t", "\ta\tb")))).splitlines()[3:] == [
        "1 |     a   b",
        "  |         ^ tab",
    ]


def test_an_empty_span_a_line_end_and_a_span_of_many_lines():
    source = Source("t", "ab\ncd\n")
    for start, end, column, strokes in [(1, 1, 1, 1), (2, 2, 2, 1), (6, 6, 0, 1), (1, 5, 1, 1)]:
        last = render(Diagnostic("E1", "m", Label(Span(source, start, end)))).splitlines()[-1]
        assert last == "  | " + " " * column + "^" * strokes


def test_hidden_characters_are_seen_and_harmless():
    source = Source("t", "a\x1b[31m\u202eb")
    text = render(Diagnostic("E1", "m", at("b", source=source)))
    assert text.splitlines()[3:] == ["1 | a\ufffd[31m\ufffdb", "  |        ^"]


def test_colour_adds_styles_and_nothing_else():
    found = Diagnostic("E1", "m", at("+ x", "a"), (at("conv3", "b"),), ("n",), "h")
    coloured = render(found, color=True)
    assert coloured.startswith("\x1b[1;31merror[E1]\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(found)


def test_a_narrow_terminal_cuts_the_line_around_the_caret_and_wraps_the_help():
    source = Source("t", "a" * 60 + " here " + "b" * 60)
    found = Diagnostic("E1", "m", at("here", "x", source), help="one two three four five six seven eight")
    expected = """
        error[E1]: m
         --> t:1:62
          |
        1 | …aaaaaaa here bbbbbbbbbbbbbbbbbbbbb…
          |          ^^^^ x
          |
          = help: one two three four five six
                  seven eight
    """
    check(found, expected, width=40)


@given(st.text(alphabet="ab\t卷é\u0301\u200b😀 "))
def test_a_line_is_as_wide_as_its_columns_say(line):
    shown, columns = display(line)
    assert columns[-1] == cells(shown) and len(columns) == len(line) + 1 and columns == sorted(columns)
