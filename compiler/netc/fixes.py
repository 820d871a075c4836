"""Applying the fixes that diagnostics carry, to texts and to files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from netc.files import real_path
from netc.message import Diagnostic, Edit, Fix, Source, Span
from netc.record import Record


class Fixed(Record, eq=True):
    """A text with fixes applied, and how many they were."""

    text: str
    count: int


def apply_fixes(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, unsafe: bool) -> dict[str, Fixed]:
    """The new texts of the sources that change, by the keys of `sources`: their real paths.

    A fix is applied whole or not at all. It is left out if it is unsafe and `unsafe` is false, if it reaches a file
    that is not among `sources` or has another text there, or if it touches what an earlier one has changed.
    """
    edits: dict[str, list[Edit]] = {}
    counts: dict[str, int] = {}
    for fix in dict.fromkeys(diagnostic.fix for diagnostic in diagnostics):
        if fix is None or not (fix.safe or unsafe) or not fix.edits or not _given(fix, sources):
            continue
        if any(_touch(edit, other) for edit in fix.edits for other in edits.get(place(edit), ())):
            continue
        for edit in fix.edits:
            edits.setdefault(place(edit), []).append(edit)
        first = place(fix.edits[0])
        counts[first] = counts.get(first, 0) + 1
    texts = {path: edited(sources[path].text, found) for path, found in edits.items()}
    return {path: Fixed(text, counts.get(path, 0)) for path, text in texts.items() if text != sources[path].text}


def place(edit: Edit) -> str:
    """The real path of the file that an edit changes."""
    return real_path(edit.span.source.name)


def places(fix: Fix) -> set[str]:
    """The real paths of the files that a fix changes."""
    return {place(edit) for edit in fix.edits}


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that do not overlap."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        pieces += [text[position : edit.span.start], edit.replacement]
        position = edit.span.end
    return "".join([*pieces, text[position:]])


class Hunk(Record, eq=True):
    """Lines that a fix replaces, the first one's number, and the lines that come in their place."""

    source: Source
    number: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def hunks(fix: Fix) -> Iterator[Hunk]:
    """What a fix changes, line by line; edits on neighbouring lines are one change."""
    group: list[Edit] = []
    for edit in sorted(fix.edits, key=lambda edit: (edit.span.source.name, edit.span.start)):
        if group and (group[0].span.source is not edit.span.source or edit.span.line > last_line(group[-1]) + 1):
            yield _hunk(group)
            group = []
        group.append(edit)
    if group:
        yield _hunk(group)


def last_line(edit: Edit) -> int:
    return edit.span.source.position(edit.span.end)[0]


def _hunk(edits: Sequence[Edit]) -> Hunk:
    source = edits[0].span.source
    number = edits[0].span.line
    first, last = source.line_starts[number - 1], max(last_line(edit) for edit in edits)
    end = source.line_starts[last] if last < len(source.line_starts) else len(source.text)
    moved = [Edit(Span(source, edit.span.start - first, edit.span.end - first), edit.replacement) for edit in edits]
    before = source.text[first:end].splitlines()
    after = edited(source.text[first:end], moved).splitlines()
    while before and after and before[0] == after[0]:
        before, after, number = before[1:], after[1:], number + 1
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return Hunk(source, number, tuple(before), tuple(after))


def _given(fix: Fix, sources: Mapping[str, Source]) -> bool:
    return all((given := sources.get(place(edit))) and given.text == edit.span.source.text for edit in fix.edits)


def _touch(one: Edit, other: Edit) -> bool:
    """Whether two edits overlap; side by side is fine, two insertions at one place are not."""
    if one.span.start == other.span.start:
        return True
    first, second = sorted((one.span, other.span), key=lambda span: span.start)
    return second.start < first.end
