"""What a run leaves behind, and whether two runs left the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch


def rows(output: Path) -> list[dict[str, Any]]:
    lines = (output / "log.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


def noise_of_bytes() -> bool:
    """Whether this torchvision adds noise to bytes; 0.21 takes floats alone."""
    from torchvision.transforms import v2

    try:
        v2.GaussianNoise()(torch.zeros(1, 2, 2, dtype=torch.uint8))
    except ValueError:
        return False
    return True


def assert_same(a: Path, b: Path) -> None:
    """The same weights, optimizer, schedule and random states, bit by bit, and the same log."""
    names = [sorted(path.name for path in folder.glob("*.pt")) for folder in (a, b)]
    assert names[0] == names[1]
    for name in names[0]:
        one, two = (torch.load(folder / name, weights_only=True) for folder in (a, b))
        one.pop("log"), two.pop("log")
        assert flat(one) == flat(two)
    assert rows(a) == rows(b)


def flat(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy().tobytes()
    if isinstance(value, dict):
        return {key: flat(item) for key, item in value.items()}
    return [flat(item) for item in value] if isinstance(value, list | tuple) else value
