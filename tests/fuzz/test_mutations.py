"""Every spec with one mistake in it: it still compiles, or each error has its place; nothing else ever comes out."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from zlib import crc32

import pytest
from tests.generator import Mutant, mutants

from netc.diagnostics import Source, SpecError
from netc.pipeline import Compiled, compile
from netc.render import render

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("specs/*.net"), *ROOT.glob("specs/torchvision/*.net")])
SEED = int(os.environ.get("FUZZ_SEED", "1"))
SLOW = 60_000_000
"""A network with more trained numbers than this is not built."""


def compiled(path: Path, mutant: Mutant, net: str | None) -> Compiled | None:
    """What comes out, or None for a spec that is refused as it should be."""
    try:
        found = compile(Source(str(path), mutant.text), net=net)
        assert found.model_source and found.script and found.shapes is not None and found.state is not None
    except SpecError as error:
        refused = error.diagnostics
    else:
        return found
    assert refused
    for diagnostic in refused:
        assert diagnostic.message.strip()
        for label in (diagnostic.primary, *diagnostic.secondary):
            assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)
        assert diagnostic.code in render(diagnostic, width=80)
    return None


def attempt(path: Path, count: int, load: int, seed: int = SEED) -> None:
    """Compiles `count` mutants of a spec and loads up to `load` of those that are still networks."""
    text = path.read_text(encoding="utf-8")
    nets = re.findall(r"^(\w+) = [A-Z]\w*\(", text, re.MULTILINE) or [None]
    chance = random.Random(seed)
    for mutant in mutants(text, count, seed + crc32(path.stem.encode())):
        net = chance.choice(nets)
        try:
            found = compiled(path, mutant, net)
            if found is not None and load and found.graph.root.parameter_count < SLOW:
                load -= 1
                found.load()
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error}\n{path.name}, net {net}, {mutant}", pytrace=False)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_one_mistake(path):
    attempt(path, 25, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 104))
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_many_mistakes(path, seed):
    """Further seeds: `FUZZ_SEED=7 pytest tests/fuzz`."""
    attempt(path, 400, 10, SEED * 1000 + seed)


def test_the_same_seed_gives_the_same_mutants():
    text = SPECS[0].read_text(encoding="utf-8")
    assert [str(m) for m in mutants(text, 20, 3)] == [str(m) for m in mutants(text, 20, 3)]
    assert len(mutants(text, 20, 3)) == 20
