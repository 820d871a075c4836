"""The report as SARIF 2.1.0 (Static Analysis Results Interchange Format), which code scanning services read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from netc.codes import CODES, WARNINGS
from netc.diagnostics import Diagnostic, Edit, Fix, Label, Span
from netc.parse.codes import CODES as SYNTAX
from netc.reports import Report
from netc.version import VERSION

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(report: Report) -> str:
    """A log with one run; columns count characters, not UTF-16 code units."""
    codes = sorted({found.code for found in report.diagnostics})
    driver = {"name": "netc", "version": VERSION, "rules": [rule(code) for code in codes]}
    unread = [notification(file.name, file.failure) for file in report.files if file.failure is not None]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not unread, "toolExecutionNotifications": unread}],
        "results": [result(found, codes) for found in report.diagnostics],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def rule(code: str) -> dict[str, Any]:
    """What a code stands for; a warning has a name, too."""
    from netc.explain import pieces

    names = {code: name for name, code in WARNINGS.items()}
    prose = "\n\n".join(piece.text for piece in pieces(code) if not piece.tag)
    described: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": {**SYNTAX, **CODES}[code]},
        "help": {"text": f"{prose}\n\n`netc explain {code}` shows examples."},
        "defaultConfiguration": {"level": "warning" if code in names else "error"},
    }
    return described | ({"name": names[code]} if code in names else {})


def result(found: Diagnostic, codes: list[str]) -> dict[str, Any]:
    """A finding: its headline with the way out, the place, and the other places that take part in it."""
    lines = [found.message, *found.notes, *([f"help: {found.help}"] if found.help else [])]
    described: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": found.severity,
        "message": {"text": "\n".join(lines)},
        "locations": [location(found.primary)],
    }
    if found.secondary:
        related = [location(label) | {"id": number} for number, label in enumerate(found.secondary, 1)]
        described["relatedLocations"] = related
    if found.fix is not None:
        described["fixes"] = [fix_object(found.fix)]
    return described


def location(label: Label) -> dict[str, Any]:
    place = {"artifactLocation": artifact(label.span), "region": region(label.span)}
    return {"physicalLocation": place} | ({"message": {"text": label.text}} if label.text else {})


def fix_object(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        changes.setdefault(edit.span.source.name, []).append(edit)
    text = "a safe fix" if fix.safe else "a likely fix, to be looked at"
    return {
        "description": {"text": text},
        "artifactChanges": [
            {"artifactLocation": artifact(edits[0].span), "replacements": [replacement(edit) for edit in edits]}
            for edits in changes.values()
        ],
        "properties": {"safe": fix.safe},
    }


def replacement(edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": region(edit.span), "insertedContent": {"text": edit.replacement}}


def region(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def artifact(span: Span) -> dict[str, str]:
    return {"uri": uri(span.source.name)}


def uri(name: str) -> str:
    """A relative path as a relative URI, an absolute one as `file:`."""
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def notification(name: str, message: str) -> dict[str, Any]:
    """A file that could not be read: no result of the analysis, but a reason why there is none."""
    place = {"physicalLocation": {"artifactLocation": {"uri": uri(name)}}}
    return {"level": "error", "message": {"text": message}, "locations": [place]}
