"""What the sources of examples by rule give: the loader of each, run by itself."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.recipes.results import rows
from tests.recipes.test_optimizers import script_module
from torch import Tensor

import netc
from netc.layer import Reject
from netc.recipe import DataSource
from netc.shapes import Value
from netc_std import comparisons, data, tasks, text

PICTURE = ("x", Value((1, 1, 8, 8)))
TOKENS = ("x", Value((1, 12), "int", None))


def loaded(source: DataSource, *inputs: tuple[str, Value]) -> list[Any]:
    """Training inputs and targets, then those of the test."""
    source.admit(inputs)
    imports = "\n".join(("import torch", "from pathlib import Path", *source.imports))
    space: dict[str, Any] = {}
    exec(f"{imports}\n{source.loaded(inputs)}", space)
    return list(space["load_data"](Namespace(**source.given(), seed=0)))


def test_pairs_are_alike_as_they_say() -> None:
    (left, right), alike, *test = loaded(comparisons.DigitPairs(), PICTURE, PICTURE)
    single, labels, *_ = digits()
    assert torch.equal(left, single)
    other = labels[[int((single == picture).all((1, 2, 3)).nonzero()[0]) for picture in right]]
    assert torch.equal((labels == other).float(), alike)
    assert 0.45 < alike.mean() < 0.55
    assert len(test[1]) == 360


def digits() -> list[Tensor]:
    return loaded(data.Digits(), PICTURE)


def test_triplets_have_one_of_the_kind_and_one_of_another() -> None:
    (anchor, positive, negative), labels, *_ = loaded(comparisons.DigitTriplets(), PICTURE, PICTURE, PICTURE)
    single, known, *_ = digits()
    assert torch.equal(labels, known)
    assert torch.equal(anchor, single)
    for pictures, alike in ((positive, True), (negative, False)):
        found = known[[int((single == picture).all((1, 2, 3)).nonzero()[0]) for picture in pictures]]
        assert ((found == labels) == alike).all()


def test_sums_are_of_the_marked_numbers() -> None:
    sequences, sums, *test = loaded(tasks.AddingProblem(count=50, length=9), ("x", Value((1, 2, 9))))
    assert sequences.shape == (50, 2, 9) and test[0].shape == (10, 2, 9)
    assert (sequences[:, 1].sum(1) == 2).all()
    assert torch.allclose(sums.squeeze(1), (sequences[:, 0] * sequences[:, 1]).sum(1))


def test_masks_are_where_the_color_is() -> None:
    pictures, masks, *_ = loaded(tasks.Discs(count=20, noise=0.0), ("x", Value((1, 3, 16, 24))))
    assert masks.shape == (20, 16, 24) and set(masks.unique().tolist()) == {0, 1}
    for picture, mask in zip(pictures, masks, strict=True):
        for kind in (0, 1):
            assert picture[:, mask == kind].var(1).nan_to_num().max() < 1e-10


def test_points_lie_on_their_solids() -> None:
    points, kinds, *_ = loaded(tasks.PointSets(count=200, points=40, noise=0.0), ("x", Value((1, 3, 40))))
    ball, cylinder = points[kinds == 0], points[kinds == 2]
    assert torch.allclose(ball.norm(dim=1), torch.ones(()), atol=1e-5)
    assert torch.allclose(cylinder[:, :2].norm(dim=1), torch.ones(()), atol=1e-5)


def test_text_is_followed_by_itself(tmp_path: Path) -> None:
    tokens, following, *_ = loaded(text.Sentences(count=5, length=12), TOKENS)
    assert torch.equal(tokens[:, 1:], following[:, :-1])
    assert set(bytes(tokens.flatten().tolist()).decode()) <= set("abcdefghijklmnopqrstuvwxyz .?")
    file = tmp_path / "book.txt"
    file.write_text("0123456789abc" * 4)
    tokens, following, *test = loaded(text.TextFile(file=str(file), length=12), TOKENS)
    assert (tokens.shape, test[0].shape) == ((3, 12), (1, 12))
    assert bytes(tokens[0].tolist()) == b"0123456789ab" and following[0, -1] == ord("c")
    file.write_text("short")
    with pytest.raises(SystemExit, match="too few bytes"):
        loaded(text.TextFile(file=str(file), length=12), TOKENS)
    with pytest.raises(SystemExit, match="cannot read"):
        loaded(text.TextFile(file=str(tmp_path / "none.txt"), length=12), TOKENS)


def test_words_are_told_by_their_kinds() -> None:
    tokens, tags, *_ = loaded(text.Sentences(learn="tags", count=30, length=12), TOKENS)
    assert ((tokens == 0) == (tags == -100)).all()
    pairs = set(zip(tokens[tokens > 0].tolist(), tags[tokens > 0].tolist(), strict=True))
    assert len(pairs) == len({token for token, _ in pairs})  # a word is of one kind
    _, asks, *_ = loaded(text.Sentences(learn="kind", count=200, length=12), TOKENS)
    assert 0.4 < asks.double().mean() < 0.6


def test_masked_words_are_those_to_be_told() -> None:
    inputs = (TOKENS, TOKENS, ("m", Value((1, 12), "bool", None)))
    (tokens, segments, mask), targets, *_ = loaded(text.Sentences(learn="masked", count=30, length=12), *inputs)
    assert ((tokens == 1) == (targets >= 0)).all()
    assert torch.equal(mask, tokens > 0)
    assert set(segments.unique().tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        (tasks.AddingProblem(), [PICTURE]),
        (tasks.PointSets(), [PICTURE]),
        (tasks.PicturesWithTables(), [PICTURE]),
        (tasks.Edges(), [TOKENS]),
        (text.Sentences(), [PICTURE]),
        (text.Sentences(length=12, learn="masked"), [TOKENS]),
        (text.Sentences(length=13), [TOKENS]),
        (comparisons.DigitPairs(), [PICTURE]),
        (comparisons.DigitTriplets(), [PICTURE, PICTURE, TOKENS]),
    ],
)
def test_networks_that_cannot_be_fed_are_refused(source: DataSource, inputs: list[tuple[str, Value]]) -> None:
    with pytest.raises(Reject) as caught:
        source.admit(inputs)
    assert "the network takes" in caught.value.reason


@pytest.mark.parametrize(("name", "axis"), [("Tagger", 2), ("UNet", 1)])
def test_accuracy_is_of_places_not_of_batches(run: Callable[..., Path], tmp_path: Path, name: str, axis: int) -> None:
    """Words of sentences of any length, and pixels: as counted by hand, whatever the batches of the test."""
    spec = Path(__file__).parents[2] / "specs" / f"{name.lower()}.net"
    found = set()
    for size in ("7", "500"):
        run(spec, tmp_path / size, "--epochs", "1", "--count", "40", "--test-batch-size", size)
        found.add(rows(tmp_path / size)[-1]["accuracy"])
    (accuracy,) = found
    script = script_module(netc.compile(spec).script)
    settings = Namespace(**json.loads((tmp_path / size / "settings.json").read_text()))
    *_, inputs, targets = script.load_data(settings)
    model = getattr(script, name)()
    model.load_state_dict(torch.load(tmp_path / size / "last.pt", weights_only=True)["model"])
    with torch.inference_mode():
        scores = model.eval()(inputs)
    told = scores.argmax(axis)[targets >= 0] == targets[targets >= 0]
    assert accuracy == pytest.approx(told.sum().item() / told.numel(), abs=1e-4)
