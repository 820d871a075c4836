"""The formatter: cases with their results, and what must hold of every spec however it is laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.generate import PAGES, blocks
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Golden
from tests.format.scramble import scramble
from tests.generator import generate

from netc.diagnostics import InternalError, Source, SpecError
from netc.format import WIDTH, format_source, rows, same
from netc.format.comments import comments_of
from netc.parse import parse
from netc.parse.lossless import leaves, read_tree, text_of
from netc.pipeline import compile

ROOT = Path(__file__).parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.net"))
FOLDERS = ("specs", "tests/specs", "tests/language", "tests/sizes")
SHIPPED = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.net"))]
SHIPPED.append(ROOT / "compiler" / "netc" / "starter.net")


def formatted(text: str) -> str:
    return format_source(Source("spec.net", text))


def comments(text: str) -> list[str]:
    return sorted(comments_of(read_tree(Source("spec.net", text))))


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ---- the tree ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*SHIPPED, *CASES], ids=by_name)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_tree_holds_every_character(path: Path, seed: int) -> None:
    for text in (path.read_text(encoding="utf-8"), scramble(path.read_text(encoding="utf-8"), seed)):
        assert text_of(read_tree(Source("spec.net", text))) == text


def test_the_tree_of_nothing() -> None:
    for text in ("", "\n", "# only a comment", "\ufeff# marked\r\n\r\n"):
        assert text_of(read_tree(Source("spec.net", text))) == text


def test_leaves_are_tokens_with_what_stands_before_them() -> None:
    tree = read_tree(Source("spec.net", "net A: # head\n  relu\n"))
    assert [(leaf.before, leaf.text) for leaf in leaves(tree)] == [
        ("", "net"),
        (" ", "A"),
        ("", ":"),
        (" # head\n  ", "relu"),
        ("\n", ""),
    ]


# ---- cases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cases(path: Path, golden: Golden) -> None:
    text = formatted(path.read_text(encoding="utf-8"))
    golden(path.with_suffix(".out"), text)
    assert formatted(text) == text


@pytest.mark.parametrize("path", SHIPPED, ids=by_name)
def test_what_is_shipped_is_in_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


def whole_files() -> Iterator[tuple[str, str]]:
    """The specs of the documentation that are in style already; fragments of them are shown as well."""
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.tag == "net":
                yield f"{page.stem}-{block.line}", block.text


@pytest.mark.parametrize("text", [text for _, text in whole_files()], ids=[name for name, _ in whole_files()])
def test_what_is_documented_is_in_style(text: str) -> None:
    assert formatted(text).strip() == text.strip()


# ---- what holds of every spec --------------------------------------------------------------------


def check(text: str) -> str:
    """The formatted text; formatting it again changes nothing, and each comment is still there."""
    result = formatted(text)
    assert formatted(result) == result
    assert comments(result) == comments(text)
    assert result.endswith("\n")
    assert not re.search(r"[ \t]$|\n\n\n|\r|\ufeff|\t", re.sub("#.*", "#", result), re.MULTILINE)
    return result


@pytest.mark.parametrize("path", [*SHIPPED, *CASES], ids=by_name)
def test_spaces_mean_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected = check(text)
    for seed in range(3):
        assert formatted(scramble(text, seed, notes=False)) == expected


@pytest.mark.parametrize("path", [*SHIPPED, *CASES], ids=by_name)
def test_comments_may_stand_anywhere(path: Path) -> None:
    for seed in range(3):
        check(scramble(path.read_text(encoding="utf-8"), seed))


@pytest.mark.parametrize("first", range(0, 200, 10))
def test_generated_specs(first: int) -> None:
    for seed in range(first, first + 10):
        one_spec(seed, size=5)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(200, 10_000, 100))
def test_ten_thousand_generated_specs(first: int) -> None:
    for seed in range(first, first + 100):
        one_spec(seed, size=8)


def one_spec(seed: int, size: int) -> None:
    text = generate(seed, size)
    assert formatted(scramble(text, seed, notes=False)) == formatted(text), f"seed {seed}"
    check(scramble(text, seed))


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.parent == ROOT / "specs"], ids=by_name)
def test_the_network_stays_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    scrambled = scramble(text, seed=5, notes=False)
    assert scrambled != text
    before, after = (compile(Source(str(path), each)) for each in (text, formatted(scrambled)))
    assert (before.shapes, before.state) == (after.shapes, after.state)
    assert before.model_source == after.model_source


COMMENT = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=12)


@given(st.lists(COMMENT, min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_comments_may_hold_anything(texts: list[str]) -> None:
    above, behind, inside, last = ("#" + text for text in texts)
    text = f"{above}\nnet A:\n    input 3 {behind}\n    fc: Linear({inside}\n        2)\n{last}"
    try:
        parse(Source("spec.net", text))
    except SpecError:
        return  # invisible characters are refused
    check(text)


# ---- single things -------------------------------------------------------------------------------


def test_line_ends_tabs_and_byte_order_mark() -> None:
    text = "\ufeffnet A:\r\n\tinput 3\t# three  \r\n\r\n\r\n\tfor i in range(3):\r\n\t\t\trelu"
    assert formatted(text) == "net A:\n    input 3  # three\n\n    for i in range(3):\n        relu\n"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a = 1.0", "a = 1"),
        ("a = 1.0", "a = 1.00"),
        ("a = (1, 2)", "a = [1, 2]"),
        ("a = (1,)", "a = 1"),
        ("a = b - (c - d)", "a = b - c - d"),
        ("# doc\ndef A: relu", "def A: relu"),
        ("def A: relu", "net A: relu"),
        ("def A: (relu; tanh)", "def A: relu; tanh"),
    ],
)
def test_trees_that_differ(left: str, right: str) -> None:
    trees = [parse(Source("spec.net", text + "\n")) for text in (left, right, left)]
    assert not same(trees[0], trees[1])
    assert same(trees[0], trees[2])


def test_nothing_stays_nothing() -> None:
    assert formatted("") == formatted("\n \n") == ""
    assert formatted("\n\n# only a comment") == "# only a comment\n"


def test_mistakes_are_reported() -> None:
    with pytest.raises(SpecError, match="never closed"):
        formatted("net A(:\n    relu\n")


def test_a_comment_does_not_become_documentation() -> None:
    text = "a = 1\n  # about a\ndef B:\n    relu\n"
    assert formatted(text) == "a = 1\n# about a\n\ndef B:\n    relu\n"


def test_lines_keep_to_the_width() -> None:
    name = "long_name_of_a_block"
    text = f"net A:\n    input 3\n    fc: {' -> '.join([name] * 9)}\n"
    lines = formatted(text).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[2:4] == ["    fc: (", f"        {name}"]


def test_a_change_of_meaning_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "padded_cells", lambda cells: ["1" for _ in cells])
    with pytest.raises(InternalError, match="would have changed what it says"):
        formatted("table t(a):\n    2\n")


def test_deep_nesting() -> None:
    check(f"a = {'[' * 40}1{']' * 40}\n")
    lines = [f"{' ' * depth}if {depth}:" for depth in range(1, 40)]
    check("\n".join(["net A:", *lines, " " * 40 + "relu"]))
