"""Messages on a terminal of 60 columns: lines are cut around the carets, notes and help wrapped; with goldens."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.diagnostics import Diagnostic, Source, SpecError
from netc.pipeline import compile
from netc.render import cells, render

CASES = Path(__file__).parents[1] / "cases"
WIDTH = 60
NARROW = [
    "semantic/channels_two_blocks_deep",
    "semantic/error_in_a_file_that_a_file_uses",
    "semantic/limit_of_a_size",
    "semantic/missing_argument",
    "semantic/torch_function",
    "semantic/space_at_a_concatenation",
    "syntax/emoji_before_the_fault",
    "syntax/fault_in_a_very_long_line",
    "syntax/tab_before_the_fault",
    "syntax/wide_characters",
]


def diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        compile(Source(path.name, path.read_bytes().decode("utf-8")))
    return caught.value.diagnostics


@pytest.mark.parametrize("case", NARROW)
def test_narrow_terminal(case, golden, monkeypatch):
    path = CASES / f"{case}.net"
    monkeypatch.chdir(path.parent)
    text = "\n\n".join(render(diagnostic, width=WIDTH) for diagnostic in diagnostics(path))
    golden(CASES / "narrow" / f"{path.stem}.txt", text)
    assert [line for line in text.splitlines() if cells(line) > WIDTH] == []
