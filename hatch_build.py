"""Generates the parser tables and compiles the templates that the wheel ships, so that no user waits for them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Generated(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is put together, an editable one too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Writes both into the source tree; what git ignores of them ships because it is named as an artifact."""
        sys.path.insert(0, str(Path(self.root, "compiler")))
        from netc.emit.templating import write_compiled
        from netc.parse.generate import write_tables

        compiled = Path(write_compiled())
        for former in set(compiled.parent.iterdir()) - {compiled}:
            shutil.rmtree(former, ignore_errors=True)
        for made in (write_tables(), compiled):
            build_data["artifacts"].append(Path(made).relative_to(self.root).as_posix())
