"""From the tree of a file to its rows: a row is a line as its author meant it, or a comment on a line of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from netc.format.columns import aligned, padded_cells
from netc.format.comments import Comments, Own, first_leaf, last_leaf
from netc.format.document import INDENT, Document, Line, flat, layout
from netc.format.looks import Look, look_of
from netc.format.nodes import Nodes, in_parentheses
from netc.parse.lossless import Branch, Leaf, Tree


@dataclass(slots=True)
class Row:
    """`cells` are the statements of a row that fits on one line; else `lines` holds it as it is laid out."""

    depth: int
    blank: bool = False
    """Whether a blank line stands above it."""
    cells: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    comment: str = ""
    is_comment: bool = False


class Rows:
    """Reads a tree into `rows`, in the order of the text; what is too long for `width` is broken."""

    def __init__(self, tree: Branch, width: int) -> None:
        self.width = width
        self.comments = Comments(tree)
        self.nodes = Nodes(self.comments)
        self.rows: list[Row] = []
        self.columns = [0]
        """Where the open blocks stand in the source, the outermost first."""
        self.read(tree)

    def read(self, tree: Branch) -> None:
        after_block = False
        for item in tree.children:
            start = len(self.rows)
            if isinstance(item, Leaf):
                self.above(item, 0)
            else:
                self.part(item, 0, in_fork=False)
            after_block = self.set_apart(start, after_block)
        if self.rows:
            self.rows[0].blank = False

    def set_apart(self, start: int, after_block: bool) -> bool:
        """Put a blank line between what was read from row `start` on and what stands before it, if either is a block.

        Gives whether it is one.
        """
        rows = self.rows[start:]
        above = [row for row in rows[: _count_comments(rows)] if row.depth == 0]
        item = rows[_count_comments(rows) :]
        outer = [*above, *item[:1]]
        is_block = any(row.depth for row in item)
        if outer and (after_block or (is_block and not any(row.blank for row in outer))):
            outer[0].blank = True
        return is_block

    # ---- what stands above a row ----

    def above(self, leaf: Leaf, depth: int) -> bool:
        """Add the comments above the row that starts with the leaf; gives whether a blank line stands above the row.

        A comment belongs to the innermost open block that it is not left of, or to the row's.
        """
        gap = self.comments.gaps.get(leaf)
        entered = depth >= len(self.columns)
        if entered:
            self.columns.append(gap.column if gap else self.columns[-1] + 1)
        level = len(self.columns) - 1
        last: Own | None = None
        for own in gap.comments if gap else []:
            while level > depth and own.column < self.columns[level]:
                level -= 1
            blank = own.blank and not (entered and last is None)
            if level == 0 and last is not None and last.column != own.column:
                blank = True
            self.rows.append(Row(level, blank, [own.text], is_comment=True))
            last = own
        del self.columns[depth + 1 :]
        if last is not None and depth == 0 and level == 0 and last.column > 0:
            return True  # it is not what documents the definition below, and must not become it
        return gap is not None and gap.blank and not (entered and last is None)

    # ---- rows ----

    def part(self, node: Tree, depth: int, in_fork: bool) -> None:
        """Add the rows of a line, or of a head and the block under it. In a fork a line is one branch."""
        assert isinstance(node, Branch)
        if node.rule in ("simple", "defaults"):
            return self.statements(_statements(node), depth, in_fork)
        in_fork = node.rule == "fork_flow" or (in_fork and node.rule in ("for_", "if_"))
        head: list[Tree] = []
        for part in _pieces(node):
            if isinstance(part, Branch) and part.rule == "suite":
                self.row(head, node.rule, depth)
                if node.rule == "table":
                    self.table(part, depth + 1)
                else:
                    for line in part.children:
                        self.part(line, depth + 1, in_fork)
                head = []
            elif isinstance(part, Branch) and part.rule == "simple":
                self.head_and_statements(head, node.rule, _statements(part), depth, in_fork)
                head = []
            else:
                head.append(part)
        if head:
            self.row(head, node.rule, depth)
        return None

    def row(self, parts: Sequence[Tree], rule: str, depth: int) -> None:
        blank = self.above(first_leaf(parts[0]), depth)
        behind = self.comments.behind(last_leaf(parts[-1]))
        self.add(self.nodes.line(parts, rule), parts, Row(depth, blank, comment="".join(behind)))

    def statements(self, statements: list[Branch], depth: int, in_fork: bool) -> None:
        """A line of statements; one that is too long becomes several, where that means the same."""
        blank = self.above(first_leaf(statements[0]), depth)
        behind = "".join(self.comments.behind(last_leaf(statements[-1])))
        documents = [self.nodes.node(statement) for statement in statements]
        texts = [text for text in map(flat, documents) if text is not None]
        if len(texts) == len(documents) and self.fits("; ".join(texts), depth):
            row = Row(depth, blank, texts, [look_of(statement) for statement in statements], comment=behind)
            self.hoist(statements, row)
            self.rows.append(row)
        elif in_fork:
            is_group = len(statements) > 1 and all(statement.rule == "flow" for statement in statements)
            line = in_parentheses(documents) if is_group else _joined(documents)
            self.add(line, statements, Row(depth, blank, comment=behind))
        else:
            for statement, document in zip(statements, documents, strict=True):
                row = Row(depth, blank, looks=[look_of(statement)])
                row.comment = behind if statement is statements[-1] else ""
                self.add(document, [statement], row)
                blank = False

    def head_and_statements(
        self, head: list[Tree], rule: str, statements: list[Branch], depth: int, in_fork: bool
    ) -> None:
        """`def Act: relu`; what is too long, or has comments inside, goes under the head."""
        behind = self.comments.behind(last_leaf(statements[-1]))
        text = None
        if not self.comments.any_inside([*head, *statements]):
            body = _joined([self.nodes.node(statement) for statement in statements])
            text = flat([self.nodes.line(head, rule), " ", body])
        if text is not None and self.fits(text, depth):
            blank = self.above(first_leaf(head[0]), depth)
            self.rows.append(Row(depth, blank, [text], comment="".join(behind)))
        else:
            self.row(head, rule, depth)
            self.comments.put_behind(last_leaf(statements[-1]), behind)
            self.statements(statements, depth + 1, in_fork)

    def table(self, suite: Branch, depth: int) -> None:
        """The rows of a table, column under column."""
        added: list[Row] = []
        cells: list[list[str]] = []
        for line in suite.children:
            assert isinstance(line, Branch)
            blank = self.above(first_leaf(line), depth)
            row = Row(depth, blank, comment="".join(self.comments.behind(last_leaf(line))))
            self.hoist([line], row)
            self.rows.append(row)
            added.append(row)
            cells.append([flat(self.nodes.node(cell), anyway=True) or "" for cell in line.children])
        for row, text in zip(added, padded_cells(cells), strict=True):
            row.cells = [text]

    def add(self, document: Document, parts: Sequence[Tree], row: Row) -> None:
        self.hoist(parts, row)
        row.lines = layout(document, row.depth * INDENT, self.width)
        if len(row.lines) == 1:
            row.cells, row.lines = [row.lines[0].text.strip()], []
        else:
            row.looks = []
        self.rows.append(row)

    def hoist(self, parts: Sequence[Tree], row: Row) -> None:
        """Put the comments for which the row has no place above it."""
        for text in self.comments.rest(parts):
            self.rows.append(Row(row.depth, row.blank, [text], is_comment=True))
            row.blank = False

    def fits(self, text: str, depth: int) -> bool:
        return depth * INDENT + len(text) <= self.width

    # ---- lines ----

    def lines(self) -> Iterator[Line]:
        """The lines of the file, before comments are aligned; a blank line has no text."""
        texts = aligned([(row.depth, row.blank, row.cells, row.looks) for row in self.rows], self.width)
        group = 0
        for row, text in zip(self.rows, texts, strict=True):
            if row.blank:
                yield Line("")
            if row.lines:
                first, *inner, last = row.lines
                yield first._replace(group=group + 1)
                yield from (line._replace(group=group + 2) for line in inner)
                yield Line(last.text, row.comment, group + 3)
                group += 3
            else:
                yield Line(text, row.comment)


def _count_comments(rows: Sequence[Row]) -> int:
    """How many rows are comments, up to the first that is not."""
    return next((number for number, row in enumerate(rows) if not row.is_comment), len(rows))


def _pieces(node: Branch) -> Iterator[Tree]:
    """The parts of a head with its blocks, those of `elif` and of a labelled fork among them."""
    for child in node.children:
        if isinstance(child, Branch) and child.rule in ("elif_", "fork"):
            yield from _pieces(child)
        else:
            yield child


def _statements(node: Branch) -> list[Branch]:
    return [child for child in node.children if isinstance(child, Branch)]


def _joined(documents: list[Document]) -> list[Document]:
    return [part for document in documents for part in ("; ", document)][1:]
