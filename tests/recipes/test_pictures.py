"""Pictures that threads decode ahead of the loop: torchvision's, with the same draws, whatever interrupts a run."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.recipes.results import assert_same, noise_of_bytes, rows
from tests.recipes.test_folders import draw, text_of
from tests.recipes.test_killing import ENVIRONMENT, TWO, run_killed

from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
v2 = pytest.importorskip("torchvision.transforms.v2")
datasets = pytest.importorskip("torchvision.datasets")
FIT = [v2.Resize(24), v2.CenterCrop(24)]
DRAWN = "augment: RandomResizedCrop(24) -> RandomHorizontalFlip -> RandAugment"
SETTINGS = ("log_every: 1", "accumulate: 2", "evaluate_first: true")
CASES: dict[str, list[Any]] = {
    "RandomResizedCrop(24)": [v2.RandomResizedCrop(24)],
    "RandomResizedCrop(24, scale=(0.3, 1)) -> RandomHorizontalFlip -> RandAugment -> MixUp":
        [v2.RandomResizedCrop(24, scale=(0.3, 1)), v2.RandomHorizontalFlip(), v2.RandAugment()],
    "RandomCrop(24, padding=2) -> RandomPerspective": [FIT[0], v2.RandomCrop(24, padding=2), v2.RandomPerspective()],
    "Resize(30) -> RandomCrop(24) -> AugMix": [v2.Resize(30), v2.RandomCrop(24), v2.AugMix()],
    "Resize(30) -> CenterCrop(24)": [v2.Resize(30), v2.CenterCrop(24)],
    "RandomVerticalFlip -> ColorJitter(0.4)": [*FIT, v2.RandomVerticalFlip(), v2.ColorJitter(0.4)],
} | ({
    "GaussianNoise -> RandomErasing(p=1)": [*FIT, v2.GaussianNoise(), v2.RandomErasing(p=1)],
} if noise_of_bytes() else {})  # fmt: skip
"""What is asked for, and what torchvision is to do with each picture."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("pictures"), 15)


def recorded(text: str, output: Path, *flags: str) -> list[tuple[Any, ...]]:
    """Runs a script: pictures, batches, change and seed, and what was read, for each time that batches were read."""
    module = ModuleType("__main__")
    head, _, tail = compile_spec(Source("folder.net", text)).script.rpartition("\n\nif __name__")
    found: list[tuple[Any, ...]] = []
    argv, sys.argv = sys.argv, ["folder.py", "--device", "cpu", "--output", str(output), *flags]
    try:
        exec(compile(head, "folder.py", "exec"), module.__dict__)
        read = module.__dict__["Pictures"].read

        def recording(self: Any, batches: Any, *change: Any) -> Iterator[Any]:
            found.append((self, list(batches), change, []))
            for batch in read(self, batches, *change):
                found[-1][-1].append(batch)
                yield batch

        module.__dict__["Pictures"].read = recording
        exec(compile("if __name__" + tail, "folder.py", "exec"), module.__dict__)
        module.__dict__["Pictures"].read = read
    finally:
        sys.argv = argv
    return found


@pytest.mark.parametrize("changes", CASES)
def test_training_pictures_are_those_of_torchvision(root: Path, tmp_path: Path, changes: str) -> None:
    """Bit by bit, with the random numbers of the picture's seed; the run's own are not touched, nor those of others."""
    text = text_of(root, "3x24x24", ", batch_size=7", f"augment: {changes}")
    found = recorded(text, tmp_path, "--seed", "3", "--epochs", "2")
    data = datasets.ImageFolder(root, transform=v2.Compose([v2.PILToTensor(), *CASES[changes]]))
    split = torch.randperm(30, generator=torch.Generator().manual_seed(3))[6:].tolist()
    trained = [row for row in found if row[2]]
    assert len(trained) == 2
    for epoch, (pictures, batches, (change, seed), read) in enumerate(trained):
        assert [len(batch) for batch in read] == [7, 7, 7, 3]
        seeds = torch.randint(2**32, (24,), generator=torch.Generator().manual_seed(3 + epoch)).tolist()
        for numbers, batch in zip(batches, read, strict=True):
            for number, picture in zip(numbers.tolist(), batch, strict=True):
                torch.manual_seed(seeds[number])
                assert torch.equal(picture, data[split[number]][0])
        state = torch.get_rng_state()
        again = list(pictures.read(batches[2:], change, seed))
        assert torch.equal(state, torch.get_rng_state())
        assert all(map(torch.equal, again, read[2:]))


def test_batches_are_read_ahead(root: Path, tmp_path: Path) -> None:
    """Two more than the one in use, in training and in the test; nothing of the others before it is asked for."""
    text = text_of(root, "3x24x24", ", batch_size=3", "augment: RandomHorizontalFlip")
    pictures, _, (change, _), _ = next(row for row in recorded(text, tmp_path, "--epochs", "1") if row[2])
    opened: list[int] = []

    class Counted(type(pictures)):  # type: ignore[misc]
        def decode(self, number: int, *rest: Any) -> Any:
            opened.append(number)
            return super().decode(number, *rest)

    numbers = torch.arange(24)
    for ahead in (Counted(pictures.paths).read(numbers.split(3), change, 1), Counted(pictures.paths).split(3)):
        next(ahead)
        deadline = time.monotonic() + 10
        while len(opened) < 9 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sorted(opened) == numbers[:9].tolist()
        opened.clear()


@pytest.mark.skipif(not noise_of_bytes(), reason="this torchvision adds no noise to bytes")
def test_stopped_in_the_middle_of_an_epoch(run: Callable[..., Path], tmp_path: Path, root: Path) -> None:
    """The same weights and log as of a run that was not, with every setting that asks for batches."""
    source = tmp_path / "folder.net"
    more = ", batch_size=4, test_batch_size=2"
    source.write_text(text_of(root, "3x24x24", more, f"{DRAWN} -> GaussianNoise", *SETTINGS))
    run(source, tmp_path / "a")
    with pytest.raises(SystemExit):
        run(source, tmp_path / "b", stop_after=9)
    run(source, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.nightly
@pytest.mark.skipif(not noise_of_bytes(), reason="this torchvision adds no noise to bytes")
def test_killed_and_resumed(tmp_path: Path, root: Path) -> None:
    """At some instants, in one process and in two."""
    script = write(tmp_path, root, f"{DRAWN} -> GaussianNoise")
    for name, command, kills in (("one", [sys.executable], 6), ("two", list(TWO), 2)):
        line = [*command, str(script), "--device", "cpu", "--epochs", "20", "--output"]
        subprocess.run([*line, str(tmp_path / name)], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        chance, resumed = random.Random(name), [*line, str(tmp_path / f"{name}_killed"), "--resume"]
        ended = [run_killed(resumed, chance) for _ in range(kills)]
        assert not all(ended)
        subprocess.run(resumed, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        assert_same(tmp_path / name, tmp_path / f"{name}_killed")


@pytest.mark.nightly
def test_two_processes_read_the_pictures_of_one(tmp_path: Path, root: Path) -> None:
    """And change them alike: the losses are those of one process, but for the order of sums."""
    script = write(tmp_path, root, DRAWN)
    for name, command in (("one", [sys.executable]), ("two", list(TWO))):
        line = [*command, str(script), "--device", "cpu", "--output", str(tmp_path / name)]
        subprocess.run(line, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    for one, two in zip(rows(tmp_path / "one"), rows(tmp_path / "two"), strict=True):
        assert one == pytest.approx(two, rel=1e-4)


def write(folder: Path, root: Path, augment: str) -> Path:
    """The script for several processes."""
    script = folder / "folder.py"
    more = ", batch_size=7, test_batch_size=2"
    text = text_of(root, "3x24x24", more, augment, "distributed: ddp", *SETTINGS)
    script.write_text(compile_spec(Source("folder.net", text)).script)
    return script
