"""From the nodes of a line to a document: where spaces stand, where the line may be broken, where comments go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from netc.format.comments import Comments, first_leaf, last_leaf
from netc.format.document import END, NOTHING, SPACE, Broken, Document, Fill, Group, Hug, Nest, Note, flat
from netc.parse.lossless import Branch, Leaf, Tree

CLOSERS = {"(": ")", "[": "]", "{": "}"}
LISTS = frozenset(("args", "parameters", "words", "exprs"))
"""Rules whose parts are the items of the brackets around them."""
COLLECTIONS = frozenset(("list_", "tuple_", "dict_", "comprehension"))
COMMA_MAY_FOLLOW = frozenset(("call", "define", "function", "table", "param", "default", "list_", "tuple_", "dict_"))
"""Rules whose brackets may hold a comma behind the last item."""
ON_ONE_LINE = frozenset(("index", "cell", "target_item"))
"""Rules whose brackets are never broken."""
LEVELS = ("or", "and", "+ -", "* / // %")
"""Operators of which several in a row are one chain."""


class Item(NamedTuple):
    """A part of what stands in brackets, and the mark that ends it."""

    parts: list[Tree]
    mark: Leaf | None


class Operand(NamedTuple):
    """A part of a chain: the comments above it, its mark (`->`, `if`, `+`), itself, the comment behind it."""

    above: list[str]
    mark: str
    body: Document
    behind: list[str]

    @property
    def lines(self) -> Document:
        comments = [part for comment in self.above for part in (comment, END)]
        return [*comments, f"{self.mark} " if self.mark else "", self.body, *map(Note, self.behind)]


class Nodes:
    """Makes documents. Each comment is taken as it is written; one that stands amid something goes above that."""

    def __init__(self, comments: Comments) -> None:
        self.comments = comments

    def line(self, parts: Sequence[Tree], rule: str) -> Document:
        """What stands side by side in a node of that rule, with the spaces between."""
        made: list[Document] = []
        index = 0
        while index < len(parts):
            part = parts[index]
            if index and _is_apart(parts[index - 1], part, rule):
                made.append(" ")
            if isinstance(part, Leaf) and part.text in CLOSERS:
                end = _closing(parts, index)
                made.append(self.brackets(parts[index : end + 1], rule))
                index = end
            else:
                made.append(self.value(part))
            index += 1
        return made

    def node(self, tree: Tree) -> Document:
        if isinstance(tree, Leaf):
            return tree.text
        if tree.rule == "slice_" and any(isinstance(part, Branch) and part.rule == "binary" for part in tree.children):
            return self.line(tree.children, "wide_slice")
        if tree.rule == "binary" and not _is_chain(tree):
            left, operator, right = map(self.node, tree.children)
            space = "" if all(map(_is_simple, tree.children)) else " "
            return [left, space, operator, space, right]
        return self.line(tree.children, tree.rule)

    # ---- chains ----

    def value(self, tree: Tree) -> Document:
        """A part of a line; around a chain that is too long for it stand parentheses, which mean nothing there."""
        if not _is_chain(tree):
            return self.node(tree)
        above, behind = self.comments.above(first_leaf(tree)), self.comments.behind(last_leaf(tree))
        operands = self.operands(tree)
        chain = self.joined(tree, operands)
        chain = chain._replace(above=[*above, *chain.above], behind=behind)
        wrapped = Group([Broken("("), Nest([NOTHING, chain.lines]), NOTHING, Broken(")")])
        commented = any(operand.above or operand.behind for operand in (chain, *operands))
        if commented or not _ends_in_brackets(tree):
            return wrapped
        head = [[operand.lines, " "] for operand in operands[:-1]]
        return Hug(head, operands[-1].lines, wrapped)

    def chain(self, tree: Tree) -> Operand:
        """A chain that needs no parentheses where it stands, with what must stand above it."""
        return self.joined(tree, self.operands(tree))

    def joined(self, tree: Tree, operands: list[Operand]) -> Operand:
        """A pipe has a line for each stage; another chain is broken only where it must be."""
        first, *others = operands
        lines = [first._replace(above=[]).lines, *(part for operand in others for part in (SPACE, operand.lines))]
        is_pipe = isinstance(tree, Branch) and tree.rule == "pipe"
        return Operand(first.above, "", lines if is_pipe else Group(lines), [])

    def operands(self, tree: Tree) -> list[Operand]:
        made = []
        for marks, part in _split(tree):
            above = [comment for mark in marks for comment in (*self.comments.above(mark), *self.comments.behind(mark))]
            above += self.comments.above(first_leaf(part))
            behind = self.comments.behind(last_leaf(part))
            inner = self.chain(part) if _is_chain(part) else Operand([], "", self.node(part), [])
            above += [*inner.above, *self.comments.rest([part])]
            body = Nest(Group(inner.body)) if _is_chain(part) else inner.body
            made.append(Operand(above, " ".join(mark.text for mark in marks), body, behind))
        return made

    # ---- brackets ----

    def text(self, parts: Sequence[Tree], rule: str) -> str:
        """What is on one line in any case."""
        return flat(self.line(parts, rule), anyway=True) or ""

    def brackets(self, parts: Sequence[Tree], rule: str) -> Document:
        """An opening bracket, what it holds, and the closing one: on one line, or a line for each item."""
        opener, *inner, closer = parts
        assert isinstance(opener, Leaf)
        assert isinstance(closer, Leaf)
        items = _items(inner, rule)
        if rule in ON_ONE_LINE:
            self.comments.pass_on(parts)
            texts = [f"{self.text(item.parts, rule)}{item.mark.text if item.mark else ''}" for item in items]
            return f"{opener.text}{' '.join(texts)}{closer.text}"
        comma = rule in COMMA_MAY_FOLLOW and bool(items) and not (rule == "tuple_" and len(items) == 1)
        forced = comma and items[-1].mark is not None
        if rule == "group":  # it has no place for a comma that would say so
            forced = "\n" in first_leaf(inner[0]).before
        filled = _numbers(items) if rule in COLLECTIONS and not self.has_comments(parts) else ()
        if filled:
            return Group([opener.text, Nest([NOTHING, Fill(filled)]), NOTHING, closer.text])
        if rule == "call" and (only := _only_collection(items)) and not self.has_comments(parts, at_edges=only):
            return [opener.text, self.node(only), closer.text]
        return self.item_lines(opener, items, closer, rule, comma, forced)

    def item_lines(
        self, opener: Leaf, items: list[Item], closer: Leaf, rule: str, comma: bool, forced: bool
    ) -> Document:
        content: list[Document] = [NOTHING]
        start = self.comments.behind(opener)
        waiting: list[str] = []
        for number, item in enumerate(items):
            last = number == len(items) - 1
            above = [*waiting, *self.comments.above(first_leaf(item.parts[0]))]
            behind = self.comments.behind(last_leaf(item.parts[-1]))
            waiting = self.comments.above(item.mark) if item.mark else []
            after = self.comments.behind(item.mark) if item.mark else []
            chain = self.only_chain(item) if len(items) == 1 else None
            if chain is not None:
                above += chain.above
                body = chain.body if rule == "group" else Group(chain.body)
            else:
                body = self.line(item.parts, rule)
            above += self.comments.rest(item.parts)
            mark = item.mark.text if item.mark else ""
            lead = "| " if number and rule == "inline_fork" else ""
            if mark == "|":
                mark, waiting = "", [*after, *waiting]
            else:
                behind += after
            if comma and last:
                mark = ""
            waiting = [*behind[1:], *waiting]
            forced = forced or bool(above or behind)
            content += [part for comment in above for part in (comment, END)]
            content += [lead, body, mark, Broken(",") if comma and last else "", *map(Note, behind[:1])]
            content += [] if last else [SPACE]
        waiting += self.comments.above(closer)
        content = content if items else []
        content += [part for comment in waiting for part in (END, comment)]
        forced = forced or bool(start or waiting)
        return Group([opener.text, *map(Note, start), Nest(content), NOTHING, closer.text], forced)

    def only_chain(self, item: Item) -> Operand | None:
        """What alone stands in brackets needs none of its own."""
        part = item.parts[0]
        while isinstance(part, Branch) and part.rule in ("flow", "arg", "branch") and len(part.children) == 1:
            part = part.children[0]
        return self.chain(part) if len(item.parts) == 1 and _is_chain(part) else None

    def has_comments(self, parts: Sequence[Tree], at_edges: Tree | None = None) -> bool:
        """Whether a comment stands between brackets; with `at_edges` only those between them and what they hold."""
        if at_edges is None:
            return self.comments.any_inside(parts)
        return self.comments.any_at(
            behind=[first_leaf(parts[0]), last_leaf(at_edges)], above=[first_leaf(at_edges), last_leaf(parts[-1])]
        )


def in_parentheses(documents: Sequence[Document]) -> Document:
    """Statements as a group, each on a line of its own."""
    lines = [part for document in documents for part in (";", SPACE, document)][2:]
    return Group(["(", Nest([NOTHING, lines]), NOTHING, ")"])


def _is_apart(before: Tree, after: Tree, rule: str) -> bool:
    """Whether a space stands between two parts of a node."""
    left = before.text if isinstance(before, Leaf) else ""
    right = after.text if isinstance(after, Leaf) else ""
    if rule == "slice_":
        return False
    if rule == "wide_slice":
        return True
    if right in (",", ":", ";", ".", ")", "]", "}", "(", "[", "{") and right:
        return False
    if left == "." or (rule in ("arg", "parameter") and "=" in (left, right)):
        return False
    return not (rule in ("unary", "negative_number") and left == "-")


def _closing(parts: Sequence[Tree], index: int) -> int:
    """Where the bracket closes that opens at the index."""
    opener = parts[index]
    assert isinstance(opener, Leaf)
    closer = CLOSERS[opener.text]
    return next(at for at in range(index, len(parts)) if isinstance(leaf := parts[at], Leaf) and leaf.text == closer)


def _items(inner: Sequence[Tree], rule: str) -> list[Item]:
    """What stands in brackets, item by item."""
    if len(inner) == 1 and isinstance(inner[0], Branch) and inner[0].rule in LISTS:
        inner = inner[0].children
    if rule == "comprehension":
        starts = [0, *(at for at, part in enumerate(inner) if isinstance(part, Leaf) and part.text in ("for", "if"))]
        return [Item(list(inner[start:end]), None) for start, end in pairwise([*starts, len(inner)])]
    items = []
    parts: list[Tree] = []
    for part in inner:
        if isinstance(part, Leaf) and part.text in (",", ";", "|"):
            items.append(Item(parts, part))
            parts = []
        else:
            parts.append(part)
    return [*items, Item(parts, None)] if parts else items


def _numbers(items: list[Item]) -> tuple[str, ...]:
    """The texts of items that are numbers, if they all are, and more than one."""
    texts = []
    for item in items:
        part = item.parts[0]
        sign = ""
        if isinstance(part, Branch) and part.rule == "unary" and first_leaf(part).text == "-":
            sign, part = "-", part.children[1]
        if not isinstance(part, Branch) or part.rule != "number":
            return ()
        texts.append(sign + first_leaf(part).text)
    return tuple(texts) if len(texts) > 1 else ()


def _only_collection(items: list[Item]) -> Tree | None:
    """The one argument of a call, without a name, if it has brackets of its own."""
    if len(items) != 1 or items[0].mark is not None:
        return None
    part = items[0].parts[0]
    inner = part.children if isinstance(part, Branch) and part.rule == "arg" else []
    return inner[0] if len(inner) == 1 and isinstance(inner[0], Branch) and inner[0].rule in COLLECTIONS else None


def _is_chain(tree: Tree) -> bool:
    """Whether the parts of a node are joined by marks at which a line may be broken."""
    if not isinstance(tree, Branch):
        return False
    return tree.rule in ("pipe", "not_in", "if_else") or _operator(tree) not in ("", "**")


def _operator(tree: Branch) -> str:
    """The operator of a binary expression; nothing for other nodes."""
    return first_leaf(tree.children[1]).text if tree.rule == "binary" else ""


def _level(tree: Branch) -> str:
    """The operators that bind as tightly as that of the node; nothing for other nodes."""
    return next((level for level in LEVELS if _operator(tree) in level.split()), "")


def _split(tree: Tree) -> list[tuple[list[Leaf], Tree]]:
    """The operands of a chain, each with the marks before it; `a + b - c` is one chain."""
    assert isinstance(tree, Branch)
    found: list[tuple[list[Leaf], Tree]] = []
    marks: list[Leaf] = []
    for part in tree.children:
        if isinstance(part, Leaf):
            marks.append(part)
        elif not found and _level(part) == _level(tree) != "":
            found += _split(part)
        else:
            found.append((marks, part))
            marks = []
    return found


def _ends_in_brackets(tree: Tree) -> bool:
    """Whether a chain ends in something that can be broken in its place: `x -> (...)`, `n * Block(...)`."""
    assert isinstance(tree, Branch)
    last = tree.children[-1]
    if not isinstance(last, Branch):
        return False
    if tree.rule == "pipe":
        return last.rule == "group"
    return _operator(tree) == "*" and last.rule == "call"


def _is_simple(tree: Tree) -> bool:
    """Names and numbers, which `**` stands close to."""
    if isinstance(tree, Leaf):
        return True
    if tree.rule == "attribute":
        return all(map(_is_simple, tree.children))
    return tree.rule in ("name", "number")
