"""What netc says of symbolic sizes is what PyTorch does: a forward passes just where the stated constraints hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from netc.constraints import evaluate, holds
from netc.diagnostics import Source
from netc.pipeline import Compiled, compile, nets
from netc.shapes import BATCH, Value
from netc.terms import Relation, Symbol, Term

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OWN = sorted(HERE.glob("*.net"))
OTHERS = sorted({*(ROOT / "specs").rglob("*.net"), *(ROOT / "tests" / "language").glob("*.net")})
TOP = 80
SLOW = ("Recurrent", "Stacked", "SwinTransformer3d")
TOP_OF_OTHERS = 40
DTYPES = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}


def names_of(value: Value) -> set[str]:
    """The symbols of a value's shape, the batch aside."""
    atoms = [atom for size in value.shape if isinstance(size, Term) for atom in size.atoms()]
    return {atom.name for atom in atoms if isinstance(atom, Symbol)} - {BATCH}


def example(value: Value, sizes: dict[str, int]) -> torch.Tensor:
    shape = [evaluate(size, sizes) for size in value.shape]
    return torch.zeros(shape, dtype=DTYPES[value.kind], device="meta")


def passes(module: torch.nn.Module, compiled: Compiled, sizes: dict[str, int]) -> bool:
    try:
        module(*(example(value, sizes) for value in compiled.graph.inputs.values()))
    except (RuntimeError, ValueError, IndexError, ZeroDivisionError):
        return False
    return True


def allowed(compiled: Compiled, sizes: dict[str, int]) -> bool:
    relations = [relation for relation, _ in compiled.graph.constraints]
    return all(holds(relation, sizes) for relation in relations)


def spread(compiled: Compiled, sizes: dict[str, int]) -> bool:
    """Whether only a size of 1 is in the way, which torch spreads over the other side and netc never does."""
    relations = [relation for relation, _ in compiled.graph.constraints]
    failing = [r for r in relations if r.operator == "==" and not holds(r, sizes)]
    return any(holds(Relation(side, "==", 1), sizes) for r in failing for side in (r.left, r.right))


def swept(compiled: Compiled, names: list[str], top: int) -> list[dict[str, int]]:
    """Each symbol over a range while the others stand at a size that passes, then all of them together."""
    ground = dict.fromkeys(names, 8) | {"N": 2}
    for size in range(1, 200):
        if allowed(compiled, dict.fromkeys(names, size) | {"N": 2}):
            ground = dict.fromkeys(names, size) | {"N": 2}
            break
    found = [ground | {name: size} for name in names for size in range(1, top)]
    return found + [dict.fromkeys(names, size) | {"N": 2} for size in range(1, top)]


def compare(compiled: Compiled, top: int) -> int:
    """Holds the constraints against forwards on the meta device; gives how many sizes were tried."""
    names = sorted({name for value in compiled.graph.inputs.values() for name in names_of(value)})
    module = compiled.load().to("meta").eval()
    tried = swept(compiled, names, top)
    judged = [sizes for sizes in tried if not spread(compiled, sizes)]
    wrong = [sizes for sizes in judged if passes(module, compiled, sizes) != allowed(compiled, sizes)]
    assert not wrong, f"{wrong[0]}: netc {'takes' if allowed(compiled, wrong[0]) else 'refuses'} it, torch does not"
    return len(judged)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_constraints_are_what_torch_needs(path, golden):
    source = Source(path.name, path.read_text(encoding="utf-8"))
    compiled = compile(source)
    assert compare(compiled, TOP) > TOP
    lines = [line for requirement in compiled.requirements for line in requirement.lines()]
    golden(path.with_suffix(".txt"), "\n".join(lines) or "every size passes")


def symbolic_nets() -> list[Any]:
    """The nets of the other specs with symbolic inputs; of a family of variants one, the rest nightly.

    So are those of which each forward is slow.
    """
    found = []
    for path in OTHERS:
        source = Source(str(path), path.read_text(encoding="utf-8"))
        if any(part.isalpha() and part.isupper() for line in source.text.splitlines() if "input" in line
               for part in line.replace("x", " ").replace("(", " ").replace(")", " ").replace(",", " ").split()):
            for number, name in enumerate(nets(source)):
                variant = f"\nnet {name}" not in f"\n{source.text}"
                rest = (number and (variant or path.parent.name == "torchvision")) or name in SLOW
                found.append(pytest.param(path, name, marks=[pytest.mark.nightly] if rest else []))
    return found


@pytest.mark.parametrize(("path", "name"), symbolic_nets(), ids=lambda value: str(getattr(value, "stem", value)))
def test_constraints_of_the_other_nets(path, name):
    compiled = compile(path, net=name)
    if any(map(names_of, compiled.graph.inputs.values())):
        compare(compiled, TOP_OF_OTHERS)
