"""What stands in columns: the cells of tables, the statements of rows that repeat each other, comments behind lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from netc.format.document import INDENT, Line
from netc.format.looks import Look

MAX_GAP = 40
"""Nothing is moved farther than this to stand in a column."""
Cells = tuple[int, bool, list[str], list[Look]]
"""A row: its depth, whether a blank line stands above it, its statements and their looks."""


# ---- tables --------------------------------------------------------------------------------------


def padded_cells(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as texts: numbers under each other by their digits, anything else from the left, two spaces between.

    All rows start alike, for what stands before the first cell is indentation.
    """
    columns = [_padded(column, by_digits=number > 0) for number, column in enumerate(zip(*rows, strict=True))]
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _padded(cells: Sequence[str], *, by_digits: bool) -> list[str]:
    if by_digits and all(cell.lstrip("-")[0] in "0123456789." and "x" not in cell for cell in cells):
        whole = max(len(cell.partition(".")[0]) for cell in cells)
        cells = [" " * (whole - len(cell.partition(".")[0])) + cell for cell in cells]
    width = max(map(len, cells))
    return [cell.ljust(width) for cell in cells]


# ---- statements ----------------------------------------------------------------------------------


def aligned(rows: Sequence[Cells], width: int) -> list[str]:
    """The lines of rows; where a row repeats the one above, statement for statement, they stand in columns."""
    links = _links(rows)
    texts: list[str] = []
    start = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or not links[index]:
            texts += _run(rows[start:index], links[start:index], width)
            start = index
    return texts


def _links(rows: Sequence[Cells]) -> list[list[tuple[int, int]]]:
    """For each row the pairs of statements, one in the row above and one in it, that repeat each other."""
    links: list[list[tuple[int, int]]] = [[]]
    for (depth_above, _, _, above), (depth, blank, _, here) in pairwise(rows):
        beside = depth == depth_above and not blank and max(len(above), len(here)) > 1
        pairs = _common(above, here) if beside else []
        alike = len(pairs) > 1 and above[pairs[0][0]].is_labelled == here[pairs[0][1]].is_labelled
        links.append(pairs if alike else [])
    return links


def _common(above: Sequence[Look], here: Sequence[Look]) -> list[tuple[int, int]]:
    """The longest list of pairs that repeat each other, in the order of both rows."""
    best: list[list[list[tuple[int, int]]]] = [[[] for _ in range(len(here) + 1)] for _ in range(len(above) + 1)]
    for i, first in enumerate(above):
        for j, second in enumerate(here):
            candidates = [best[i][j + 1], best[i + 1][j]]
            if second.repeats(first):
                candidates.insert(0, [*best[i][j], (i, j)])
            best[i + 1][j + 1] = max(candidates, key=len)
    return best[-1][-1]


def _run(rows: Sequence[Cells], links: Sequence[list[tuple[int, int]]], width: int) -> list[str]:
    """The lines of rows of which each repeats the one above; columns that reach too far are left out."""
    columns = _columns(rows, links)
    while True:
        starts = _starts(rows, columns)
        ends = [at[-1] + len(cells[-1]) if cells else 0 for at, (_, _, cells, _) in zip(starts, rows, strict=True)]
        for column in columns:
            gaps = (_gap(rows, starts, row, cell) for row, cell in column)
            if any(ends[row] > width for row, _ in column) or max(gaps) > MAX_GAP:
                columns.remove(column)
                break
        else:
            return [_text(cells, at) for at, (_, _, cells, _) in zip(starts, rows, strict=True)]


def _columns(rows: Sequence[Cells], links: Sequence[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """The statements that should stand under each other, as lists of rows and places; none is first in its row."""
    columns: list[list[tuple[int, int]]] = []
    for row in range(len(rows)):
        for above, here in links[row] if row else []:
            column = next((column for column in columns if column[-1] == (row - 1, above)), None)
            if column is None:
                column = [(row - 1, above)]
                columns.append(column)
            column.append((row, here))
    inner = ([place for place in column if place[1] > 0] for column in columns)
    return [column for column in inner if len(column) > 1]


def _starts(rows: Sequence[Cells], columns: Sequence[list[tuple[int, int]]]) -> list[list[int]]:
    """Where each statement starts: as far left as the one before it and its column allow."""
    least = [[0] * len(cells) for _, _, cells, _ in rows]
    while True:
        starts = []
        for (depth, _, cells, _), bounds in zip(rows, least, strict=True):
            position = depth * INDENT
            places = []
            for cell, bound in zip(cells, bounds, strict=True):
                position = max(position, bound)
                places.append(position)
                position += len(cell) + 2
            starts.append(places)
        moved = False
        for column in columns:
            farthest = max(starts[row][place] for row, place in column)
            for row, place in column:
                moved = moved or least[row][place] < farthest
                least[row][place] = farthest
        if not moved:
            return starts


def _gap(rows: Sequence[Cells], starts: Sequence[Sequence[int]], row: int, cell: int) -> int:
    return starts[row][cell] - starts[row][cell - 1] - len(rows[row][2][cell - 1]) - 2


def _text(cells: Sequence[str], starts: Sequence[int]) -> str:
    text = ""
    for cell, start in zip(cells, starts, strict=True):
        text = (f"{text};" if text.strip() else "").ljust(start) + cell
    return text


# ---- comments ------------------------------------------------------------------------------------


def with_comments(lines: Iterable[Line], width: int) -> Iterator[str]:
    """The lines with the comments behind them; those of a group stand in one column up to the next blank line."""
    paragraph: list[Line] = []
    for line in [*lines, Line("")]:
        if line.text:
            paragraph.append(line)
            continue
        groups = {line.group for line in paragraph if line.comment}
        columns = {group: _column([line for line in paragraph if line.group == group], width) for group in groups}
        for written in paragraph:
            at = max(columns.get(written.group, 0), len(written.text) + 2)
            yield written.text.ljust(at) + written.comment if written.comment else written.text
        yield ""
        paragraph = []


def _column(lines: Iterable[Line], width: int) -> int:
    """Where the comments behind lines start; some that reach farther stand out."""
    commented = sorted((line for line in lines if line.comment), key=lambda line: len(line.text))
    while not _stand_well(commented, width):
        commented.pop()
    return len(commented[-1].text) + 2


def _stand_well(lines: Sequence[Line], width: int) -> bool:
    """Whether one column for the comments is near enough to each line, and makes none too long that was not."""
    column = len(lines[-1].text) + 2
    if column - len(lines[0].text) - 2 > MAX_GAP:
        return False
    return all(column + len(line.comment) <= width or len(line.text) + 2 + len(line.comment) > width for line in lines)
