"""What a budget finds, and that a project can make it an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from netc.cli import main
from netc.diagnostics import Source
from netc.layer import Layer, unchanged
from netc.pipeline import compile
from netc.plugins import load_registry
from netc.project import ProjectError
from netc.testing import assert_conforms
from netc_budget.budget import Budget
from netc_budget.costs import applied, cost

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


# ---- multiply-adds -------------------------------------------------------------------------------------


class Unsaid(Layer):
    """Says nothing of what it multiplies."""

    infer = unchanged
    source = "class Unsaid(nn.Module):\n    def forward(self, input):\n        return input @ input.mT\n"


REGISTRY.add("layers", "mine", [Unsaid])
SAMPLE = """\
net Sample:
    input 3x8x8
    a: Conv(4, 3)
    b: Conv(6, 2, groups=2)
    b2: Conv(6, 1); b2
    side aux: (flatten; fc: Linear(10)) when training
    relu
    flatten
    fc: Linear(10)
    return (_, aux) if training else _
"""


def costs(text: str, sizes: Mapping[str, int] | None = None) -> dict[str, int | None]:
    compiled = compile(Source("sample.net", text), registry=REGISTRY)
    return {
        path: cost(call.layer, call.inputs, sizes or {}) for path, call in applied(compiled.graph.root) if call.layer
    }


def test_what_is_counted() -> None:
    """By hand: positions times outputs times what each is made of; a layer used twice counts twice."""
    found = list(applied(compile(Source("sample.net", SAMPLE), registry=REGISTRY).graph.root))
    counts = [(path, cost(call.layer, call.inputs, {})) for path, call in found if call.layer]
    assert [each for each in counts if each[1]] == [
        ("a", 6 * 6 * 4 * 3 * 9),
        ("b", 5 * 5 * 6 * 2 * 4),
        ("b2", 5 * 5 * 6 * 6),
        ("b2", 5 * 5 * 6 * 6),
        ("fc", 150 * 10),
    ]


def test_products_in_expressions_are_counted() -> None:
    text = """
def Attention:
    q, k, v = chunk(_, 3, 2)
    matmul(softmax(matmul(q, transpose(k, 1, 2)), 2), v)

net A:
    input 5x12
    inner: Attention
    again: (qkv: Linear(12); Attention)
"""
    product = 5 * 5 * 4
    assert {path: count for path, count in costs(text).items() if count} == {
        "inner.matmul": product, "again.qkv": 5 * 4 * 12, "again.1.matmul": product,
    }  # fmt: skip


def test_networks_beyond_the_budget_of_operations(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.netc.passes]\nBudget = { multiply_adds = 7_000 }\n")
    compiled = compile(Source(str(tmp_path / "sample.net"), SAMPLE), registry=REGISTRY)
    (found,) = compiled.diagnostics
    assert found.message == "`Sample` takes 8,388 multiply-adds for one example, 1,388 more than the budget"
    assert found.primary.text == "at most 7,000"
    assert found.help == "the most expensive layers: `a` 3,888, `b2` 1,800, `fc` 1,500"
    (tmp_path / "pyproject.toml").write_text("[tool.netc.passes]\nBudget = { multiply_adds = 8_388 }\n")
    assert compile(Source(str(tmp_path / "sample.net"), SAMPLE), registry=REGISTRY).diagnostics == ()


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.netc.passes]\nBudget = { multiply_adds = 100 }\n")
    text = "net A:\n    input 5x5\n    fc: Linear(5)\n    one: Unsaid\n    two: Unsaid\n"
    found = compile(Source(str(tmp_path / "a.net"), text), registry=REGISTRY).diagnostics
    assert [d.message for d in found] == [
        "the multiply-adds of `one` and 1 more are not known: `Unsaid` does not say",
        "`A` takes at least 125 multiply-adds for one example, 25 more than the budget",
    ]


def test_sizes_that_only_a_run_decides(tmp_path: Path) -> None:
    text = "net A:\n    input 3xHxW\n    conv: Conv(4, 3)\n"
    project = tmp_path / "pyproject.toml"
    said = "the multiply-adds of `A` depend on `H` and `W`, which only a run decides"
    for sizes, wanted in (
        ("", [said]),
        (", sizes = { H = 9 }", ["the multiply-adds of `A` depend on `W`, which only a run decides"]),
        (", sizes = { H = 9, W = 12 }", []),
        (", sizes = { H = 9, W = 13 }", ["`A` takes 8,316 multiply-adds for one example, 756 more than the budget"]),
    ):
        project.write_text(f"[tool.netc.passes]\nBudget = {{ multiply_adds = 7_560{sizes} }}\n")
        found = compile(Source(str(tmp_path / "a.net"), text), registry=REGISTRY).diagnostics
        assert [d.message for d in found] == wanted
    project.write_text("[tool.netc.passes]\nBudget = { multiply_adds = 1, sizes = { H = 0 } }\n")
    with pytest.raises(ProjectError, match="`sizes` must be a table of sizes, such as"):
        compile(Source(str(tmp_path / "a.net"), text), registry=REGISTRY)
