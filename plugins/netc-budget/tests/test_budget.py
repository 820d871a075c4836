"""What a budget finds, and that a project can make it an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.cli import main
from netc.diagnostics import Source
from netc.pipeline import compile
from netc.plugins import load_registry
from netc.project import ProjectError
from netc.testing import assert_conforms
from netc_budget.budget import Budget

REGISTRY = load_registry()
if "Budget" not in REGISTRY.names("passes"):
    REGISTRY.add("passes", "netc-budget", [Budget])
SPEC = """\
def Two:
    fc: Linear(8)
    fc2: Linear(8)

net Small:
    input 8
    first: Linear(8)
    two: Two
    twice: Two
    twin: two
"""


def found(folder: Path, budget: str) -> list[tuple[str, str, str]]:
    """Code, message and place of what is found."""
    (folder / "pyproject.toml").write_text(f"[tool.netc.passes]\nBudget = {budget}\n")
    compiled = compile(Source(str(folder / "small.net"), SPEC), registry=REGISTRY)
    return [(d.code, d.message, d.primary.span.text) for d in compiled.diagnostics]


def test_is_documented() -> None:
    assert_conforms(Budget)
    assert all(field.doc for field in Budget.fields.values())


def test_networks_within_the_budget(tmp_path: Path) -> None:
    for budget in ("{}", "{ parameters = 360 }", "{ parameters = 360, layer = 72 }"):
        assert found(tmp_path, budget) == []


def test_networks_beyond_the_budget(tmp_path: Path) -> None:
    said = ("W0708", "`Small` has 360 parameters, 1 more than the budget", "Small")
    assert found(tmp_path, "{ parameters = 359 }") == [said]


def test_layers_beyond_the_budget(tmp_path: Path) -> None:
    said = "has 72 parameters, 1 more than a layer may have"
    assert found(tmp_path, "{ layer = 71 }") == [
        ("W0708", f"`first` {said}", "Linear(8)"),
        ("W0708", f"`two.fc` {said}", "Linear(8)"),
        ("W0708", f"`two.fc2` {said}", "Linear(8)"),
        ("W0708", f"`twice.fc` {said}", "Linear(8)"),
        ("W0708", f"`twice.fc2` {said}", "Linear(8)"),
    ]


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ("{ layers = 3 }", "`Budget` in [tool.netc.passes]: `Budget` has no argument `layers`"),
        ("{ layer = -1 }", "`Budget` in [tool.netc.passes]: `layer` must be an integer of at least 0, not -1"),
        ("3", "[tool.netc.passes] gives `Budget` a table of arguments, such as `Budget = {}`"),
        ("{}\nbudget = {}", "there is no pass `budget`; did you mean `Budget`?"),
        ("{}\nqqqq = {}", "there is no pass `qqqq`; `netc layers` lists what the plugins bring"),
    ],
)
def test_wrong_budgets_are_refused(tmp_path: Path, budget: str, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        found(tmp_path, budget)
    assert str(caught.value) == f"{tmp_path / 'pyproject.toml'}: {said}"


def test_a_project_can_make_it_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.net").write_text(SPEC)
    Path("pyproject.toml").write_text("[tool.netc.passes]\nBudget = { parameters = 359 }\n")
    assert main(["build", "small.net"]) == 0
    assert "warning[W0708]: `Small` has 360 parameters" in capfd.readouterr().err
    Path("small.py").unlink()
    assert main(["build", "small.net", "--deny", "project-rule"]) == 1
    assert not Path("small.py").exists()
    Path("pyproject.toml").write_text(
        '[tool.netc]\ndeny = ["project-rule"]\n\n[tool.netc.passes]\nBudget = { parameters = 359 }\n'
    )
    assert main(["check", "small.net", "--quiet"]) == 1
    assert "error[W0708]" in capfd.readouterr().err
