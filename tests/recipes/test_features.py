"""What each feature of a recipe adds to a script, as a difference from the plain one: its lines and nothing else.

A file in `features` has the settings, then the difference; what stands above a line `++++` is in the plain script, too.
`network: reader` takes the network of `specs/reader.net`.
`UPDATE_GOLDEN=1` writes the differences anew.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import pytest
from tests.recipes.making import block, script_of

from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

SPECS = Path(__file__).parent / "specs"
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
    network = "".join(line.partition(": ")[2] for line in kept if line.startswith("network: "))
    recipe = block(*(line for line in kept if not line.startswith("network: ")))
    lines = (made(network, recipe) if network else script_of(recipe)).splitlines(keepends=True)
    return [line for line in lines if not line.startswith(("# netc: ", "# Generated "))]


def made(network: str, recipe: str) -> str:
    text = (SPECS / f"{network}.net").read_text(encoding="utf-8")
    return compile_spec(Source(f"{network}.net", f"{text}\n{recipe}")).script or ""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_adds_its_lines(path: Path) -> None:
    settings = path.read_text(encoding="utf-8").partition(MARK)[0]
    before, _, added = settings.rpartition(ADDED)
    _, _, *lines = unified_diff(script(before), script(before, added), n=1)
    found = "".join("@@\n" if line.startswith("@@") else line for line in lines)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{settings}{MARK}{found}", encoding="utf-8")
    assert found == path.read_text(encoding="utf-8").partition(MARK)[2]
