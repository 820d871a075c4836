"""Whether the specs of torchvision's networks make the same networks, and how long they are beside its source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from tests.specs.comparing import Facts, assert_same_state, check_power, differences, run
from tests.torchvision.reference import MODELS, Model

from benchmarks import definitions
from benchmarks.table import show


def main(nightly: bool = False) -> None:
    """Prints both tables; `nightly` also runs the networks that only the nightly tests run."""
    torch.set_num_threads(1)
    compare([model for model in MODELS.values() if nightly or model.when == "test"])
    definitions.main()


def compare(models: list[Model]) -> None:
    header = ["network", "keys", "eval", "train", "gradients"]
    show("Against torchvision (= bit-identical; else the largest difference, in double precision)", header,
         [list(row(model)) for model in models])  # fmt: skip


def row(model: Model) -> Iterator[str]:
    """One network: its keys, and how its outputs and gradients compare."""
    yield model.name
    yield str(assert_same_state(model.load, model.reference))
    sides = [partial(run, build, (model.shape,)) for build in (model.load, model.reference)]
    found = compared(*(side(torch.float32) for side in sides))
    if found:
        found = compared(*(side(torch.float64) for side in sides))
    for parts in (("evaluation",), ("training", "statistics"), ("gradients",)):
        sizes = [size for key, size in found.items() if key.startswith(parts)]
        yield f"{max(sizes):.0e}" if sizes else "="


def compared(ours: Facts, theirs: Facts) -> dict[str, float]:
    check_power(theirs)
    return differences(ours, theirs)
