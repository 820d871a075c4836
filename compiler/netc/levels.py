"""Which warnings count as errors and which are silent, as the command line and pyproject.toml say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from netc.codes import WARNINGS
from netc.diagnostics import Diagnostic, nearest
from netc.project import PROJECT, find_project
from netc.record import Record

ALL = "warnings"
"""The word for every warning."""


class LevelError(Exception):
    """A name that is no warning's, or that is both denied and allowed; the message is for the user."""


class Level(Record, eq=True):
    """What becomes of a warning; `origin` quotes who says so."""

    deny: bool
    origin: str


Levels = Mapping[str, Level]
"""Codes, or `ALL`, and what becomes of them."""


def read_levels(deny: Iterable[str], allow: Iterable[str], origin: str) -> Levels:
    """The levels that one place gives by codes and names; `origin` has gaps for `deny` or `allow` and for the name.

    Raises LevelError.
    """
    levels: dict[str, Level] = {}
    for word, names in (("deny", deny), ("allow", allow)):
        for name in names:
            code = ALL if name == ALL else _code(name)
            level = Level(word == "deny", origin.format(word, name))
            if levels.setdefault(code, level).deny != level.deny:
                raise LevelError(f"`{name}` is both denied and allowed")
    return levels


def _code(name: str) -> str:
    codes = sorted(WARNINGS.values())
    code = WARNINGS.get(name.lower(), name.upper())
    if code in codes:
        return code
    if len(code) == 5 and code[0] == "E" and code[1:].isdigit():
        raise LevelError(f"`{name}` is an error, and only warnings can be denied or allowed")
    near = nearest(name.lower(), (*WARNINGS, ALL)) or nearest(code, codes)
    listed = ", ".join(f"`{known}`" for known in (*WARNINGS, ALL))
    raise LevelError(f"there is no warning `{name}`; " + (f"did you mean `{near}`?" if near else f"there are {listed}"))


def apply_levels(diagnostics: Iterable[Diagnostic], *layers: Levels) -> tuple[Diagnostic, ...]:
    """The diagnostics without those that are allowed, with those that are denied as errors.

    What is said of one warning beats what is said of all, then an earlier layer beats a later one.
    """
    kept = []
    for diagnostic in diagnostics:
        keys = (diagnostic.code, ALL) if diagnostic.severity == "warning" else ()
        level = next((layer[key] for key in keys for layer in layers if key in layer), None)
        if level is None:
            kept.append(diagnostic)
        elif level.deny:
            kept.append(_denied(diagnostic, level))
    return tuple(kept)


def _denied(found: Diagnostic, level: Level) -> Diagnostic:
    notes = (*found.notes, f"this warning is an error by {level.origin}")
    return Diagnostic(found.code, found.message, found.primary, found.secondary, notes, found.help, "error", found.fix)


def project_levels(folder: Path) -> Levels:
    """What `[tool.netc]` says in the nearest pyproject.toml with such a table, from a folder upwards.

    Raises LevelError with the file's name, ProjectError and FileError for a file that cannot be read.
    """
    project = find_project(folder)
    if project is None:
        return {}
    try:
        return read_levels(project.names("deny"), project.names("allow"), f'`{{}} = ["{{}}"]` in {PROJECT}')
    except LevelError as error:
        raise LevelError(f"{project.path}: {error}") from None
