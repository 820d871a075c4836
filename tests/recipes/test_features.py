"""What each feature of a recipe adds to a script, as a difference from the plain one: its lines and nothing else.

A file in `features` has the settings, then the difference; what stands above a line `++++` is in the plain script, too.
`UPDATE_GOLDEN=1` writes the differences anew.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of

CASES = sorted(Path(__file__).parent.glob("features/*.txt"))
MARK = "---- \n"
ADDED = "++++ \n"
PLAIN = {
    "data": "data: Digits(batch_size=50)", "loss": "loss: CrossEntropyLoss", "optimizer": "optimizer: AdamW(1e-2)",
    "epochs": "epochs: 3",
}  # fmt: skip


def keys(settings: str) -> set[str]:
    return {line.split(":")[0].split()[0] for line in settings.splitlines() if not line.startswith(" ")}


def script(*settings: str) -> list[str]:
    """The script of the plain recipe with these settings, which take the place of those before; without its hashes."""
    kept = list(PLAIN.values())
    for given in settings:
        kept = [*(line for line in kept if not keys(line) & keys(given)), *given.splitlines()]
    lines = script_of(block(*kept), "classifier 1x8x8").splitlines(keepends=True)
    return [line for line in lines if not line.startswith(("# netc: ", "# Generated "))]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_adds_its_lines(path: Path) -> None:
    settings = path.read_text(encoding="utf-8").partition(MARK)[0]
    before, _, added = settings.rpartition(ADDED)
    _, _, *lines = unified_diff(script(before), script(before, added), n=1)
    found = "".join("@@\n" if line.startswith("@@") else line for line in lines)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{settings}{MARK}{found}", encoding="utf-8")
    assert found == path.read_text(encoding="utf-8").partition(MARK)[2]
