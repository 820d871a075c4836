"""The commands of netc, one module each; the table names them, so that a start imports only the one that it runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command is defined, as `module:attribute`, and its line in `netc --help`: how its docstring begins."""

    place: str
    help: str


COMMANDS: Mapping[str, Entry] = MappingProxyType(
    {
        "build": Entry("netc.commands.build:build", "Write the training script of SPEC into the current folder."),
        "check": Entry("netc.commands.check:check", "Check each SPEC and print its flow of shapes."),
        "explain": Entry("netc.commands.explain:explain", "Print what each CODE means, or all codes."),
        "fmt": Entry("netc.commands.fmt:fmt", "Put each SPEC into the one style of .net files."),
        "layers": Entry("netc.commands.layers:layers", "Print the reference page of NAME, or what there is."),
        "new": Entry("netc.commands.new:new", "Start a new file, or a plugin."),
        "plugins": Entry("netc.commands.plugins:plugins", "List the active plugins."),
        "runs": Entry("netc.commands.runs:runs", "Compare the runs in FOLDER, by default in runs."),
        "sweep": Entry(
            "netc.commands.sweep:sweep",
            "Train SPEC with each combination of the values in --set KEY=A,B,C, then print a table of the runs.",
        ),
        "train": Entry("netc.commands.train:train", "Build the script of SPEC, then run it."),
    }
)
