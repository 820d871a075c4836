"""What a check found, as a value, and the formats in which machines read it; text for people is `render`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from types import MappingProxyType

from netc.diagnostics import Diagnostic
from netc.record import Record

FORMATS: Mapping[str, str] = MappingProxyType(
    {"json": "netc.reports.document", "github": "netc.reports.github", "sarif": "netc.reports.sarif"}
)
"""The modules that write each format, each with `write(report) -> str`."""


class Checked(Record, eq=True):
    """A file and what was found in it; `net` is None where none could be checked.

    `failure` says why the file could not be read. A `library` has blocks and no net: its users are checked, not itself.
    """

    name: str
    diagnostics: tuple[Diagnostic, ...] = ()
    net: str | None = None
    parameters: int | None = None
    failure: str | None = None
    library: bool = False

    @property
    def failed(self) -> bool:
        return self.failure is not None or any(found.severity == "error" for found in self.diagnostics)


class Report(Record, eq=True):
    """All files of a check, in order."""

    files: tuple[Checked, ...]

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Each finding once, also that in a file which several others use."""
        found: dict[tuple[str, int, str, str], Diagnostic] = {}
        for file in self.files:
            for diagnostic in file.diagnostics:
                found.setdefault(identity(diagnostic), diagnostic)
        return tuple(found.values())

    @property
    def failed(self) -> bool:
        return any(file.failed for file in self.files)

    def count(self, severity: str) -> int:
        return sum(found.severity == severity for found in self.diagnostics)

    def summary(self) -> str:
        """How many files there are, and how they are: `9 files: 7 clean, 2 with 3 errors and 1 warning`."""
        unread = [file for file in self.files if file.failure is not None]
        found = [file for file in self.files if file.diagnostics]
        without = [file for file in self.files if file.library and not file.diagnostics]
        total = len(self.files)
        clean = total - len(unread) - len(found) - len(without)
        severities = [(self.count("error"), "error"), (self.count("warning"), "warning")]
        findings = " and ".join(counted(count, word) for count, word in severities if count)
        if len(found) == total:
            return f"{counted(total, 'file')} with {findings}"
        parts = [
            (clean, "clean"),
            (len(found), f"with {findings}"),
            (len(without), "without a net"),
            (len(unread), "unreadable"),
        ]
        return f"{counted(total, 'file')}: " + ", ".join(f"{count} {text}" for count, text in parts if count)


def identity(found: Diagnostic) -> tuple[str, int, str, str]:
    """What two findings share that are the same."""
    span = found.primary.span
    return span.source.name, span.start, found.code, found.message


def counted(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def write(report: Report, format: str) -> str:
    """The report in one of the FORMATS, without a final newline."""
    writer: Callable[[Report], str] = import_module(FORMATS[format]).write
    return writer(report)
