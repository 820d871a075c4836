"""Generates the parser tables that the wheel ships, so that no user waits for them to be built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ParserTables(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is put together, an editable one too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Writes the tables into the source tree; git ignores them, hence they are named as artifacts."""
        sys.path.insert(0, str(Path(self.root, "compiler")))
        from netc.parse.generate import write_tables

        tables = Path(write_tables())
        build_data["artifacts"].append(tables.relative_to(self.root).as_posix())
