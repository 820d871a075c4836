"""The table `[tool.netc]` of the nearest pyproject.toml, which several parts of netc read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = "pyproject.toml"
KEYS = ("deny", "allow", "plugins", "passes")
"""What the table may hold."""
_MENTION = re.compile(r"""^\s*(?:\[+\s*["']?tool["']?\s*(?:\]|\.\s*["']?netc\b)|["']?tool["']?\s*[.=])""", re.MULTILINE)
"""Where a table for netc could begin; a file without is not parsed."""


class ProjectError(Exception):
    """A table that cannot be read; the message names the file."""


class Project(NamedTuple):
    """The table and the file that holds it."""

    path: Path
    table: Mapping[str, Any]

    def names(self, key: str) -> list[str]:
        """The list under a key, empty without it. Raises ProjectError."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ProjectError(f"{self.path}: `{key}` of [tool.netc] is a list of names")
        return value


def find_project(folder: Path) -> Project | None:
    """The nearest table from a folder upwards.

    Raises ProjectError for one that is no TOML or has a key that means nothing, FileError for a file that cannot be
    read.
    """
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        path = place / PROJECT
        if os.path.isfile(path) and (project := _project_in(path)) is not None:
            return project
    return None


def _project_in(path: Path) -> Project | None:
    from netc.files import read_text

    text = read_text(path)
    if not _MENTION.search(text):
        return None
    import tomllib

    try:
        tool = tomllib.loads(text).get("tool")
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{path}: {error}") from None
    table = tool.get("netc") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ProjectError(f"{path}: `netc` of [tool] is a table, not {table!r}")
    for key in table:
        if key not in KEYS:
            raise ProjectError(f"{path}: [tool.netc] has no `{key}`; {_instead(key)}")
    return Project(path, table)


def _instead(key: str) -> str:
    from netc.diagnostics import nearest

    near = nearest(key, KEYS)
    return f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{known}`' for known in KEYS)}"
