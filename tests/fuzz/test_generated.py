"""Random valid specs compile, load and run as predicted; broken by one token they are refused in order."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.generator import generate, long_spec, mutations, shrink, spec
from tests.generator.running import BATCH, SYMBOL_SIZE

from netc.diagnostics import Source, SpecError
from netc.pipeline import Compiled, compile
from netc.render import render
from netc.shapes import Value
from netc.terms import Term

FIRST = int(os.environ.get("FUZZ_SEED", "0")) * 100_000
RUFF = [sys.executable, "-m", "ruff"]
EMITTED = 30
OPEN = 3
"""Of so many plain specs at most so many may still fail: constructs that the emitter cannot write yet."""


def compiled(text: str, net: str) -> Compiled:
    found = compile(Source("generated.net", text), net=net)
    found.check_recipes()
    return found


def emitted(seed: int) -> list[Compiled]:
    """The nets of a plain spec, each with its classes and its script."""
    drawn = spec(seed, plain=True)
    nets = [compiled(drawn.text, net) for net in drawn.nets]
    for net in nets:
        assert net.model_source and net.script and net.shapes
        again = compiled(drawn.text, net.net_name)
        assert again.script == net.script
    return nets


def inputs(net: Compiled) -> list[torch.Tensor]:
    return [tensor(value) for value in net.graph.inputs.values()]


def tensor(value: Value) -> torch.Tensor:
    sizes = [BATCH, *(SYMBOL_SIZE if isinstance(size, Term) else int(size) for size in value.shape[1:])]
    return torch.randn(sizes) if value.kind == "float" else torch.randint(0, 4, sizes)


def runs(net: Compiled) -> None:
    """Loads a net, which compares its state with the prediction, and runs it in both modes."""
    torch.manual_seed(0)
    module = net.load()
    for training in (True, False):
        module.train(training)(*inputs(net))
    predicted = net.graph.output
    if isinstance(predicted, Value):
        shape = module(*inputs(net)).shape
        assert len(shape) == predicted.rank
        assert all(isinstance(size, Term) or size == got for size, got in zip(predicted.shape, shape, strict=True))


def lints(sources: dict[str, str], folder: Path) -> None:
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    # A value that nothing reads, of which the spec's author was warned, may stand in the source.
    rules = ["check", "--extend-select", "I,UP,B,SIM", "--ignore", "F841,RUF059"]
    for command in (rules, ["format", "--check", "--diff"]):
        done = subprocess.run([*RUFF, *command, "--isolated", str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def refused_in_order(text: str, net: str) -> None:
    """A spec compiles, or its mistakes have places and can be shown; nothing else is ever raised."""
    try:
        compiled(text, net)
    except SpecError as error:
        refused = error.diagnostics
    else:
        return
    assert refused
    for diagnostic in refused:
        assert 0 <= diagnostic.primary.span.start <= diagnostic.primary.span.end <= len(text)
        assert diagnostic.code in render(diagnostic, width=80)


@pytest.mark.parametrize("seed", range(60))
def test_a_valid_spec_is_valid(seed):
    drawn = spec(seed)
    for net in drawn.nets:
        compiled(drawn.text, net)


def test_what_is_emitted(tmp_path):
    failed: list[str] = []
    sources: dict[str, str] = {}
    for seed in range(EMITTED):
        try:
            nets = emitted(seed)
            runs(nets[0])
            sources |= {f"{net.net_name.lower()}_{seed}": net.script for net in nets}
        except Exception as error:
            failed.append(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}")
    assert len(failed) <= OPEN, "\n".join(failed)
    lints(sources, tmp_path)


@pytest.mark.parametrize("seed", range(30))
def test_one_token_wrong(seed):
    drawn = spec(seed)
    broken = list(mutations(drawn.text, seed=seed))
    for mutant in random.Random(seed).sample(broken, 12):
        refused_in_order(mutant.text, drawn.nets[0])


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(20))
def test_many_valid_specs(part):
    """Further seeds: `FUZZ_SEED=7 pytest -m nightly tests/fuzz`."""
    for seed in range(FIRST + 100 * part, FIRST + 100 * part + 100):
        drawn = spec(seed, size=4 + seed % 12)
        for net in drawn.nets:
            compiled(drawn.text, net)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(20))
def test_many_emitted(part, tmp_path):
    failed = []
    for seed in range(FIRST + 1000 + 50 * part, FIRST + 1050 + 50 * part):
        try:
            for net in emitted(seed):
                runs(net)
        except Exception as error:
            failed.append(f"seed {seed}: {type(error).__name__}: {str(error)[:200]}")
    assert len(failed) <= OPEN * 50 / EMITTED, "\n".join(failed)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(20))
def test_many_wrong_tokens(part):
    for seed in range(FIRST + 10 * part, FIRST + 10 * part + 10):
        drawn = spec(seed)
        for mutant in mutations(drawn.text, seed=seed):
            refused_in_order(mutant.text, drawn.nets[0])


def test_a_seed_is_a_spec():
    assert generate(3) == generate(3) != generate(4)
    command = [sys.executable, "-m", "tests.generator", "--seed", "3"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout == generate(3)


def test_the_whole_language_is_drawn():
    texts = "\n".join(generate(seed) for seed in range(150))
    for word in (
        "def ", "net ", "input left", "int(", "fork cat", "fork add(", "fork mul", "fork:", " when ", "for ", "if ",
        "elif ", "else", "table ", "inline ", "order ", "tie ", "init ", "default ", "param ", "buffer ", "side ",
        "return {", "return Outcome(", "return _, ", "if training else _", "xHxW", '"', " * ", "chunk(", "split(",
        "train:", "train quick:", "group ", "schedule:", "scaled(", "language 1", "#", ";", "->", "& ",
    ):  # fmt: skip
        assert word in texts, word


def test_shrinking():
    text = "a b c\nd e f\ng h i\n"
    assert shrink(text, lambda found: "e" in found and "h" in found).split() == ["e", "h"]


def test_the_long_spec():
    assert long_spec(500).count("\n") == 500
    compile(Source("long.net", long_spec(500)))
