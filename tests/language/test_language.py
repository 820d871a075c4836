"""Every construct of the language, by specs that are not shipped: each against a twin written by hand."""

import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest
import torch
from tests.language.cases import CASES, Case, assert_alike, assert_predicted, assert_same, compiled, spoken

import netc
from netc.live import load_source
from netc.naming import python_name

torch.set_num_threads(1)

SETS = [pytest.param(case, index, id=f"{case.name}-{index}") for case in CASES for index in range(len(case.params))]
RUFF = [sys.executable, "-m", "ruff"]
MISTYPED = ("max_unpool2d",)  # torch's own hints refuse what torch documents
RULES = "B,C4,E,F,I,PIE,RET,SIM,UP,W"


@pytest.mark.parametrize(("case", "index"), SETS)
def test_live_module_is_the_twin(case: Case, index: int) -> None:
    params = case.params[index]
    spec = compiled(case, index)
    torch.manual_seed(3)
    mine = netc.load(case.path, case.net, **spoken(params))
    torch.manual_seed(3)
    twin = case.twin(**params)
    if case.seeded:
        assert_same(mine.state_dict(), twin.state_dict(), "first values")
    inputs = case.inputs(spec)
    assert_alike(mine, twin, inputs)
    assert_predicted(case, spec, mine, inputs)


@pytest.mark.parametrize(("case", "index"), SETS)
def test_emitted_parameters_work_at_other_values(case: Case, index: int) -> None:
    default = compiled(case, None)
    cls = load_source(default.model_source, default.model.class_name, case.name)
    kept = set(signature(cls).parameters)
    assert kept == {python_name(name) for name in default.graph.parameters if name not in case.frozen}
    params = case.params[index]
    if not case.frozen & set(params):
        assert_alike(cls(**params), case.twin(**params), case.inputs(compiled(case, index)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_emitted_source_is_clean(case: Case, tmp_path: Path) -> None:
    for index in (None, *range(len(case.params))):
        lines = compiled(case, index).script.splitlines(keepends=True)
        source = "".join(line for line in lines if not line.startswith(("# Generated", "# Regenerate")))
        compile(source, case.name, "exec")
        (tmp_path / f"{case.name}_{index}.py").write_text(source)
    for command in (["check", "--select", RULES], ["format", "--diff"]):
        words = [*RUFF, *command, "--isolated", "--no-cache", "--line-length", "88", str(tmp_path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.nightly
def test_emitted_sources_have_right_types(tmp_path: Path) -> None:
    for case in CASES:
        (tmp_path / f"{case.name}.py").write_text(compiled(case, None).script)
    words = [sys.executable, "-m", "mypy", "--strict", "--no-warn-return-any", "--allow-untyped-calls", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    errors = [line for line in done.stdout.splitlines() if " error: " in line and not any(n in line for n in MISTYPED)]
    assert not errors
