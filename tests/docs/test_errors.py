"""The pages of `netc explain`: every code has one, and each example does what the page says, today."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.generate import ERRORS, MEANINGS, errors_page, examples, explanation

from netc.explain import FAMILIES, FOLDER, pieces

STALE = "run `python docs/generate.py`, and read the diff"
SENTENCES = range(3, 10)
CODES = sorted(MEANINGS)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == CODES
    assert all(sum(code.startswith(family) for family in FAMILIES) == 1 for code in CODES)


@pytest.mark.parametrize("code", CODES)
def test_example_gives_the_code_and_its_fixed_form_nothing(code: str, tmp_path: Path) -> None:
    wrong, right = examples(pieces(code))
    assert (wrong.right, right.right) == (False, True)
    assert [diagnostic.code for diagnostic in wrong.diagnostics(tmp_path)] == [code]
    assert [diagnostic.message for diagnostic in right.diagnostics(tmp_path)] == []


@pytest.mark.parametrize("code", CODES)
def test_message_is_the_one_of_today(code: str) -> None:
    assert explanation(code) == (FOLDER / f"{code}.md").read_text(encoding="utf-8"), STALE


@pytest.mark.parametrize("code", CODES)
def test_pages_are_built_alike(code: str) -> None:
    """Prose first, then an example, what netc says of it, and the example made right."""
    page = pieces(code)
    tags = [piece.tag for piece in page if piece.tag and not piece.tag.startswith(("sh ", "net file="))]
    assert page[0].tag == "" and tags == ["net wrong", "text message", "net right"]
    assert page[0].text.count(". ") + 1 in SENTENCES, "the first paragraph says it in a few sentences"


def test_page_of_all_errors_is_fresh() -> None:
    assert errors_page() == ERRORS.read_text(encoding="utf-8"), STALE
