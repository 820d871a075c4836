"""Broken recipes, each a file: the `train` block, then the exact messages. `UPDATE_GOLDEN=1` rewrites the messages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.recipes.making import recipe_of

from netc.diagnostics import SpecError

CASES = sorted(Path(__file__).parent.glob("errors/*.txt"))
MARK = "---- "


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    """The first line is `# network kind`, then `# --set path=value` if there are any."""
    text = path.read_text().partition(MARK + "\n")[0]
    kind = text.splitlines()[0].removeprefix("# ")
    sets = [line.removeprefix("# --set ").partition("=") for line in text.splitlines() if line.startswith("# --set ")]
    with pytest.raises(SpecError) as caught:
        recipe_of(text, kind, {name: value for name, _, value in sets})
    message = str(caught.value).rstrip() + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text + MARK + "\n" + message)
    assert message == path.read_text().partition(MARK + "\n")[2]
