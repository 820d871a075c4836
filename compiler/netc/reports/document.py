"""The report as JSON; docs/cli.md describes the document, docs/check.schema.json is its schema.

Lines and columns count from 1, characters and bytes of the UTF-8 text from 0; every end is exclusive.
"""

from __future__ import annotations

import json
from typing import Any

from netc.codes import WARNINGS
from netc.diagnostics import Diagnostic, Edit, Fix, Label, Span
from netc.reports import Checked, Report
from netc.version import VERSION

DOCUMENT = 1
"""The version of the document: it grows when a field changes its meaning or goes, not when one is added."""


def write(report: Report) -> str:
    """The report as JSON text."""
    names = {code: name for name, code in WARNINGS.items()}
    document = {
        "version": DOCUMENT,
        "netc": VERSION,
        "files": [file_record(file) for file in report.files],
        "diagnostics": [diagnostic_record(found, names.get(found.code)) for found in report.diagnostics],
        "errors": report.count("error"),
        "warnings": report.count("warning"),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def file_record(file: Checked) -> dict[str, Any]:
    state = "unreadable" if file.failure is not None else "failed" if file.failed else "passed"
    return {
        "file": file.name,
        "state": state,
        "failure": file.failure,
        "net": file.net,
        "parameters": file.parameters,
    }


def diagnostic_record(found: Diagnostic, name: str | None) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": name,
        "severity": found.severity,
        "message": found.message,
        **label_record(found.primary),
        "labels": [label_record(label) for label in found.secondary],
        "notes": list(found.notes),
        "help": found.help,
        "fix": fix_record(found.fix) if found.fix is not None else None,
        "explain": f"netc explain {found.code}",
    }


def label_record(label: Label) -> dict[str, Any]:
    return {**span_record(label.span), "label": label.text}


def fix_record(fix: Fix) -> dict[str, Any]:
    return {"safe": fix.safe, "edits": [edit_record(edit) for edit in fix.edits]}


def edit_record(edit: Edit) -> dict[str, Any]:
    return {**span_record(edit.span), "replacement": edit.replacement}


def span_record(span: Span) -> dict[str, Any]:
    """The place in lines and columns, in characters and in bytes."""
    text = span.source.text
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    byte_start = len(text[: span.start].encode())
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
        "byte_start": byte_start,
        "byte_end": byte_start + len(span.text.encode()),
    }
