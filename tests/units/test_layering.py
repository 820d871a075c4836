"""The floors of the architecture, kept by import-linter: the tree passes, each planted violation is seen to fail."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is linted."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in ("compiler", "plugins"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    folders = (checkout / "compiler", checkout / "plugins", *sorted((checkout / "plugins").glob("netc-*")))
    path = os.pathsep.join(map(str, folders))
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": path, "COLUMNS": "300", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def broken(checkout: Path) -> set[str]:
    """The name of each broken contract."""
    done = lint(checkout)
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    names = set(re.findall(r"^(.+) BROKEN(?: \(.*\))?$", done.stdout, re.MULTILINE))
    assert (done.returncode != 0) is bool(names)
    return names


def test_tree_keeps_every_contract(checkout: Path) -> None:
    done = lint(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


FLOORS = "A file imports from lower floors only, and floor-4 siblings never import each other"
DOOR = "Plugins see the contracts of netc and nothing else"
TORCH = "Only netc.live, netc.trial, netc.weights and netc.testing import torch"
PLANTED = {
    ("compiler/netc/layer.py", "import netc.registry"): {FLOORS},
    ("compiler/netc/shapes.py", "from netc.layer import Layer"): {FLOORS},
    ("compiler/netc/plugins.py", "import netc.cli"): {FLOORS},
    ("compiler/netc/pipeline.py", "import netc.commands.common"): {FLOORS},
    ("compiler/netc/commands/common.py", "import netc.cli"): {FLOORS},
    ("compiler/netc/pipeline.py", "import netc.reports"): {FLOORS},
    ("compiler/netc/fixes.py", "from netc.syntax import Define"): {FLOORS},
    ("compiler/netc/plugins.py", "import netc.live"): {FLOORS},
    ("compiler/netc/parse/__init__.py", "from netc import elaborate"): {FLOORS},
    ("compiler/netc/novelty.py", "import netc.shapes"): {FLOORS},
    ("compiler/netc/registry.py", "import netc_std"): {"netc knows no layer by name"},
    ("compiler/netc/layer.py", "def late():\n    import torch.nn"): {TORCH},
    ("compiler/netc/emit/script.py", "import torchvision"): {TORCH},
    ("compiler/netc/syntax.py", "from lark import Lark"): {"Only netc.parse imports lark"},
    ("compiler/netc/emit/layout.py", "import jinja2"): {"Only netc.emit.templating imports jinja2"},
    ("compiler/netc/files.py", "import click"): {"Only netc.cli and netc.commands import click"},
    ("plugins/netc_std/linear.py", "import netc.diagnostics"): {DOOR},
    ("plugins/netc_std/linear.py", "from netc.parse import driver"): {DOOR},
    ("plugins/netc_std/__init__.py", "import netc.registry"): {DOOR},
    ("plugins/netc_std/linear.py", "import torch"): {DOOR},
}


@pytest.mark.parametrize(("file", "line"), PLANTED, ids=[f"{file}: {line}" for file, line in PLANTED])
def test_planted_violation_is_seen(checkout: Path, file: str, line: str) -> None:
    path = checkout / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
        assert broken(checkout) == PLANTED[file, line]
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
