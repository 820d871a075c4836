"""Python text on its way into a file: the source of a model's classes, and what the file's header says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netc.record import Record


@dataclass(frozen=True, slots=True)
class ModelSource:
    """The classes of a model.

    `source` has no imports; `imports` are the lines that it needs; `arguments` is what the constructor of `class_name`
    is given, as source; `parameters` are the network's own, with their defaults; `brought` are the import lines and
    texts that layers bring.
    """

    source: str
    imports: tuple[str, ...]
    class_name: str
    arguments: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    brought: tuple[str, ...] = ()


class Header(Record, eq=True):
    """Where a file comes from: the spec's path and hash, netc's version, and the command that makes it again."""

    spec: str
    spec_hash: str
    version: str
    command: str
