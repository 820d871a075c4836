"""A stand-in for W&B, which has no account here."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any


class Wandb(ModuleType):
    """What a script uses of W&B: runs by their ids, of which each keeps its rows by steps that never go back."""

    class Error(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("wandb")
        self.runs: dict[str, dict[int, dict[str, float]]] = {}
        self.begun: list[dict[str, Any]] = []

    def init(self, id: str | None, **given: Any) -> SimpleNamespace:
        self.begun.append(given)
        name = id or f"run{len(self.runs)}"
        history = self.runs.setdefault(name, {})

        def log(numbers: dict[str, float], step: int) -> None:
            if step >= max(history, default=0):
                history.setdefault(step, {}).update(numbers)

        return SimpleNamespace(id=name, log=log)
