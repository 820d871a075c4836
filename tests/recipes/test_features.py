"""What each feature of a recipe adds to a script, as a difference from the plain one: its lines and nothing else.

A file in `features` has the settings, then the difference. `UPDATE_GOLDEN=1` writes the differences anew.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of

CASES = sorted(Path(__file__).parent.glob("features/*.txt"))
MARK = "---- \n"
PLAIN = {
    "data": "data: Digits(batch_size=50)", "loss": "loss: CrossEntropyLoss", "optimizer": "optimizer: AdamW(1e-2)",
    "epochs": "epochs: 3",
}  # fmt: skip


def script(settings: str) -> list[str]:
    """The script of the plain recipe with these settings, which take the place of its own; without its hashes."""
    keys = {line.split(":")[0].split()[0] for line in settings.splitlines() if not line.startswith(" ")}
    text = block(*(line for key, line in PLAIN.items() if key not in keys), settings)
    lines = script_of(text, "classifier 1x8x8").splitlines(keepends=True)
    return [line for line in lines if not line.startswith(("# netc: ", "# Generated "))]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_adds_its_lines(path: Path) -> None:
    settings = path.read_text(encoding="utf-8").partition(MARK)[0].rstrip("\n")
    _, _, *lines = unified_diff(script(""), script(settings), n=1)
    found = "".join("@@\n" if line.startswith("@@") else line for line in lines)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{settings}\n{MARK}{found}", encoding="utf-8")
    assert found == path.read_text(encoding="utf-8").partition(MARK)[2]
