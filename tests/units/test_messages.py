"""What a spec's author reads for each mistake beyond the syntax: `cases/semantic`, each file beside its messages.

The first lines of a case may be options of the command line: `# --set classes=3`, `# --net NAME`, `# --train NAME`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from netc.codes import CODES
from netc.diagnostics import Diagnostic, Source, SpecError
from netc.naming import MODULE_ATTRIBUTES
from netc.parse.codes import CODES as SYNTAX
from netc.pipeline import compile
from netc.render import render

CASES = Path(__file__).parents[1] / "cases" / "semantic"
BROKEN = sorted(CASES.glob("*.net"))
RECIPES = sorted((CASES.parents[1] / "recipes" / "errors").glob("*.txt"))
COMPILER = Path(__file__).parents[2] / "compiler" / "netc"
# What the emitter cannot say yet has no case that must stay; what a project's rules say has its cases in `tests/cli`.
ELSEWHERE = {"E0901", "W0708"}


def options(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {"params": {}}
    for name, value in re.findall(r"^# --(\w+) (.*)$", text, re.MULTILINE):
        if name == "set":
            key, _, given = value.partition("=")
            found["params"][key] = given
        else:
            found[name] = value
    return found


def messages(path: Path) -> tuple[Diagnostic, ...]:
    """Every error and warning of a spec, read in its own folder."""
    text = path.read_text(encoding="utf-8")
    try:
        compiled = compile(Source(path.name, text), **options(text))
        assert compiled.model_source and compiled.script
    except SpecError as error:
        return error.diagnostics
    return compiled.diagnostics + (compiled.recipe.warnings if compiled.recipe is not None else ())


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_message(path, golden, monkeypatch):
    monkeypatch.chdir(CASES)
    found = messages(path)
    assert found
    for diagnostic in found:
        labels = (diagnostic.primary, *diagnostic.secondary)
        assert all(0 <= label.span.start <= label.span.end <= len(label.span.source.text) for label in labels)
        assert diagnostic.code in CODES or diagnostic.code in SYNTAX
        render(diagnostic, width=60)
    golden(path.with_suffix(".txt"), "\n\n".join(render(diagnostic) for diagnostic in found))


def test_every_code_is_registered_and_used():
    used = set()
    for path in COMPILER.rglob("*.py"):
        if path.name != "codes.py":
            used |= set(re.findall(r'"([EW]\d{4})"', path.read_text(encoding="utf-8")))
    assert used == CODES.keys() | SYNTAX.keys()
    assert not CODES.keys() & SYNTAX.keys()


def test_every_code_has_a_case():
    told = "\n".join(path.read_text(encoding="utf-8") for path in (*CASES.glob("*.txt"), *RECIPES))
    assert {code for code in CODES if f"[{code}]" not in told} == ELSEWHERE


def test_names_that_modules_need_are_known():
    """A newer torch may add names; the list in `netc.naming` grows with it."""
    module, sequential = nn.Module(), nn.Sequential()
    own = {*dir(module), *vars(module), *dir(sequential)}
    assert {name for name in own if not name.startswith("__")} <= MODULE_ATTRIBUTES
