"""No false alarm: what netc refuses, PyTorch refuses as well, shown by a twin written by hand.

A data file holds entries `## name`. An entry names cases of `tests/cases/semantic` (`case: ...`) or holds the lines of
a net; after `---- torch` stand lines of Python of which the last must raise. Where netc is stricter on purpose, an
entry says why (`stricter: ...`) and its last line must run; the manual lists the same reasons. `own: ...` marks what
the language alone knows.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim import lr_scheduler

from netc.diagnostics import Source, SpecError
from netc.pipeline import compile

HERE = Path(__file__).parent
CASES = HERE.parent / "cases" / "semantic"
MANUAL = HERE.parents[1] / "docs" / "language.md"
REFUSED = (
    RuntimeError, ValueError, TypeError, AssertionError, IndexError, NotImplementedError, ZeroDivisionError,
    OverflowError,
)  # fmt: skip
SHAPES = {"E0404", "E0601", "E0602", "E0603", "E0604", "E0606", "E0607", "E0515", "E0516"}
"""The codes of what PyTorch would refuse; each case with one of them has a twin."""


@dataclass(frozen=True)
class Entry:
    """A refusal of netc and its twin in PyTorch."""

    name: str
    spec: str
    cases: tuple[str, ...]
    stricter: str | None
    own: str | None
    twin: tuple[str, ...]


def entries() -> list[Entry]:
    return [entry for path in sorted(HERE.glob("*.txt")) for entry in read(path.read_text(encoding="utf-8"))]


def read(text: str) -> list[Entry]:
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        head, _, twin = part.partition("---- torch\n")
        name, *lines = head.splitlines()
        said = dict(line.split(": ", 1) for line in lines if re.match(r"(case|stricter|own): ", line))
        spec = [line for line in lines if line and not re.match(r"(case|stricter|own): ", line)]
        code = tuple(line for line in twin.splitlines() if line and not line.startswith("#"))
        cases = tuple(said.get("case", "").split())
        found.append(Entry(name, net(spec), cases, said.get("stricter"), said.get("own"), code))
    return found


def net(lines: list[str]) -> str:
    """The lines of a net, those from `train:` on as they are."""
    start = lines.index("train:") if "train:" in lines else len(lines)
    return "net A:\n" + "".join(f"    {line}\n" for line in lines[:start]) + "\n".join(lines[start:]) + "\n"


def parameters() -> list[nn.Parameter]:
    return list(nn.Linear(2, 2).parameters())


def stepped(optimizer: Any, **arguments: Any) -> None:
    model = nn.Linear(2, 2)
    made = optimizer(model.parameters(), **arguments)
    model(torch.ones(3, 2)).mean().backward()
    made.step()


def scheduled(schedule: Any, **arguments: Any) -> None:
    optimizer = optim.SGD(parameters(), lr=0.1)
    made = schedule(optimizer, **arguments)
    optimizer.step()
    made.step()


def ints(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.int64)


def run(entry: Entry) -> None:
    """Runs a twin, where there is one; all but its last line must pass."""
    if entry.own is not None:
        return
    space = {
        "torch": torch, "nn": nn, "F": F, "optim": optim, "lr_scheduler": lr_scheduler, "ints": ints,
        "zeros": lambda *shape: torch.zeros(shape), "parameters": parameters, "stepped": stepped,
        "scheduled": scheduled,
    }  # fmt: skip
    *before, last = entry.twin
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec("\n".join(before), space)
        if entry.stricter is not None:
            exec(last, space)
            return
        with pytest.raises(REFUSED):
            exec(last, space)


ENTRIES = entries()


def test_entries_are_many_and_distinct():
    names = [entry.name for entry in ENTRIES]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_torch_refuses_it_too(entry: Entry):
    state = torch.random.get_rng_state()
    try:
        run(entry)
    finally:
        torch.random.set_rng_state(state)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if not entry.cases], ids=lambda entry: entry.name)
def test_netc_refuses_it(entry: Entry):
    with pytest.raises(SpecError) as caught:
        compile(Source("example.net", entry.spec)).check_recipes()
    assert len([found for found in caught.value.diagnostics if found.severity == "error"]) == 1


def test_every_case_has_a_twin():
    known = {name for entry in ENTRIES for name in entry.cases}
    files = {path.stem: set(re.findall(r"^error\[(E\d+)\]", path.read_text(encoding="utf-8"), re.MULTILINE))
             for path in CASES.glob("*.txt")}  # fmt: skip
    assert known <= files.keys()
    lacking = {name for name, codes in files.items() if codes & SHAPES} - known
    assert not lacking, "write a twin in tests/refusals for each of these"


def test_the_manual_lists_where_netc_is_stricter():
    section = MANUAL.read_text(encoding="utf-8").partition("## Stricter than PyTorch\n")[2].partition("\n## ")[0]
    listed = [line.removeprefix("- ") for line in section.splitlines() if line.startswith("- ")]
    assert sorted(listed) == sorted({entry.stricter for entry in ENTRIES if entry.stricter is not None})
