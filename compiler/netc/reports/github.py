"""The report as workflow commands, which GitHub Actions shows beside the lines of a pull request."""

from __future__ import annotations

from netc.diagnostics import Diagnostic
from netc.reports import Report


def write(report: Report) -> str:
    """A line for each finding and for each file that cannot be read."""
    lines = [command("error", file.failure, file=file.name) for file in report.files if file.failure is not None]
    return "\n".join([*lines, *(annotation(found) for found in report.diagnostics)])


def annotation(found: Diagnostic) -> str:
    """A finding; columns only where it stands on one line, for GitHub takes no others."""
    source, span = found.primary.span.source, found.primary.span
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    columns = {"col": column, "endColumn": end_column} if line == end_line else {}
    text = f"{found.message} ({found.primary.text})" if found.primary.text else found.message
    remarks = [*found.notes, *([f"help: {found.help}"] if found.help else [])]
    place: dict[str, str | int] = {"file": source.name, "line": line, "endLine": end_line, **columns}
    return command(found.severity, "\n".join([text, *remarks]), **place, title=found.code)


def command(name: str, message: str, **properties: str | int) -> str:
    """`::error file=a.net,line=3::message`, with the characters escaped that have a meaning there."""
    given = ",".join(f"{key}={property_value(str(value))}" for key, value in properties.items())
    return f"::{name} {given}::{data(message)}"


def data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_value(text: str) -> str:
    return data(text).replace(":", "%3A").replace(",", "%2C")
