"""How long an emitted script is beside the one that a person wrote for the same network and recipe."""

from __future__ import annotations

import ast
from pathlib import Path

import netc
from benchmarks.table import show

ROOT = Path(__file__).parents[1]
# The twin in tests/twins, the spec, and the recipe (None: the one without a name).
SCRIPTS = (
    ("googlenet_script", "googlenet", None),
    ("googlenet_digits_script", "googlenet", "digits"),
    ("mnist_dropout_script", "mnist_dropout", None),
)


def main() -> None:
    """Counts the statements of each pair and prints the ratio."""
    rows = []
    for twin, name, train in SCRIPTS:
        emitted = statements(netc.compile(ROOT / "specs" / f"{name}.net", train=train).script)
        written = statements((ROOT / "tests" / "twins" / f"{twin}.py").read_text(encoding="utf-8"))
        rows.append([f"{name} {train or ''}".strip(), str(emitted), str(written), f"{emitted / written:.3f}"])
    header = ["script", "emitted", "by hand", "ratio"]
    show("Logical lines: statements but for docstrings (wanted: at most 1.2)", header, rows)


def statements(source: str) -> int:
    """The statements of a file at every depth, a compound one counted once for its head; docstrings left out."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    return sum(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in nodes)
