"""Emitted scripts at work in this process, on Digits."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.recipes.making import script_of

import netc

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module", autouse=True)
def untouched() -> Iterator[None]:
    """One thread, and the signal handlers as they were."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def state() -> dict[str, Any]:
    """Weights for the classifier of these tests."""
    torch.manual_seed(5)
    conv1, bn1, fc = torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(144, 10)
    state: dict[str, Any] = torch.nn.ModuleDict({"conv1": conv1, "bn1": bn1, "fc": fc}).state_dict()
    return state


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs the script of a recipe or a spec in this process; `stop_after` sends SIGTERM after so many log lines."""

    def run(text: str | Path, output: Path, *flags: str, kind: str = "classifier 1x8x8", stop_after: int = 0) -> Path:
        source = script_of(text, kind) if isinstance(text, str) else netc.compile(text).script
        module = ModuleType("__main__")
        module.__dict__["__file__"] = "small.py"
        head, _, tail = source.rpartition("\n\nif __name__")
        count = iter(range(1, 1_000_000))

        def say(text: str, end: str = "\n") -> None:
            if "step" in text and next(count) == stop_after:
                signal.raise_signal(signal.SIGTERM)

        argv, sys.argv = sys.argv, ["small.py", "--device", "cpu", "--output", str(output), *flags]
        try:
            exec(compile(head, "small.py", "exec"), module.__dict__)
            if stop_after:
                module.__dict__["say"] = say
            exec(compile("if __name__" + tail, "small.py", "exec"), module.__dict__)
        finally:
            sys.argv = argv
        return output

    return run
