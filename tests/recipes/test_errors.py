"""Broken recipes, each a file: the `train` block, then the exact messages. `UPDATE_GOLDEN=1` rewrites the messages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.recipes.making import recipe_of

from netc.diagnostics import Source, SpecError
from netc.pipeline import compile
from netc.render import render

CASES = sorted(Path(__file__).parent.glob("errors/*.txt"))
MARK = "---- "


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    """The first line is `# network kind`, then `# --set path=value` if there are any."""
    text = path.read_text().partition(MARK + "\n")[0]
    kind = text.splitlines()[0].removeprefix("# ")
    sets = [line.removeprefix("# --set ").partition("=") for line in text.splitlines() if line.startswith("# --set ")]
    try:
        recipe = recipe_of(text, kind, {name: value for name, _, value in sets})
    except SpecError as error:
        message = str(error).rstrip() + "\n"
    else:
        assert recipe.warnings
        message = "\n".join(map(render, recipe.warnings)) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text + MARK + "\n" + message)
    assert message == path.read_text().partition(MARK + "\n")[2]


def test_what_two_recipes_find_wrong_with_a_network_is_said_once() -> None:
    settings = "    data: Digits\n    loss: CrossEntropyLoss\n    optimizer: Adam\n    epochs: 3\n"
    text = f"net A:\n    input 1x8x8\n    fc: Linear(10)\n\ntrain:\n{settings}\ntrain again:\n{settings}"
    with pytest.raises(SpecError) as caught:
        compile(Source("twice.net", text)).check_recipes()
    assert [(error.code, error.primary.span.line) for error in caught.value.diagnostics] == [("E0516", 7)]
