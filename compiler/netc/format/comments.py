"""The comments of a file, each with the token that it stands behind or above, until somebody takes it to write it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from netc.parse.lossless import Branch, Leaf, Tree, leaves


class Own(NamedTuple):
    """A comment on a line of its own: its text, its column in the source, whether a blank line stands above it."""

    text: str
    column: int
    blank: bool


class Gap(NamedTuple):
    """What stands between two lines: comments, and then where the second line starts, below a blank line or not."""

    comments: list[Own]
    column: int
    blank: bool


class Comments:
    """All comments of a tree. `gaps` holds what stands above the first token of a line, by that token."""

    def __init__(self, tree: Branch) -> None:
        self.gaps: dict[Leaf, Gap] = {}
        self._behind: dict[Leaf, list[str]] = {}
        self._above: dict[Leaf, list[str]] = {}
        depth = 0
        previous: Leaf | None = None
        for leaf in leaves(tree):
            if depth == 0 and ("\n" in leaf.before or previous is None or leaf.type == "$END"):
                self.gaps[leaf] = self._gap(leaf, previous)
            elif "#" in leaf.before:
                self._above[leaf] = [own.text for own in self._gap(leaf, previous).comments]
            depth += (leaf.text in ("(", "[", "{")) - (leaf.text in (")", "]", "}"))
            previous = leaf

    def _gap(self, leaf: Leaf, previous: Leaf | None) -> Gap:
        """Read the space before a token; the comment on the line of the token before goes to that one."""
        lines = leaf.before.removeprefix("\ufeff").split("\n")
        if previous is not None:
            first = lines.pop(0).strip(" \t\r")
            if first:
                self._behind[previous] = [first.rstrip()]
        last = lines[-1] if lines else ""
        comments: list[Own] = []
        blank = False
        for line in lines if leaf.type == "$END" else lines[:-1]:
            text = line.strip()
            if text:
                comments.append(Own(text, len(line) - len(line.lstrip(" \t")), blank))
            blank = not text
        return Gap(comments, len(last), blank)

    def above(self, leaf: Leaf) -> list[str]:
        """Take the comments on lines of their own that stand above a token inside brackets."""
        return self._above.pop(leaf, [])

    def behind(self, leaf: Leaf) -> list[str]:
        """Take the comments behind a token."""
        return self._behind.pop(leaf, [])

    def any_at(self, behind: Iterable[Leaf], above: Iterable[Leaf]) -> bool:
        """Whether a comment stands behind or above one of these."""
        return any(leaf in self._behind for leaf in behind) or any(leaf in self._above for leaf in above)

    def any_inside(self, brackets: Sequence[Tree]) -> bool:
        """Whether a comment stands between two brackets and in what they hold."""
        if not self._behind and not self._above:
            return False
        *inner, closer = (leaf for tree in brackets for leaf in leaves(tree))
        return closer in self._above or self.any_at(inner, inner[1:])

    def put_behind(self, leaf: Leaf, comments: list[str]) -> None:
        """Give back what was taken from behind a token."""
        if comments:
            self._behind[leaf] = comments

    def pass_on(self, trees: Sequence[Tree]) -> None:
        """Put all comments in some trees above their first token, for what is around them to take."""
        if taken := self.rest(trees):
            self._above[first_leaf(trees[0])] = taken

    def rest(self, trees: Iterable[Tree]) -> list[str]:
        """Take all that is left in some trees."""
        if not self._behind and not self._above:
            return []
        return [text for tree in trees for leaf in leaves(tree) for text in (*self.above(leaf), *self.behind(leaf))]


def comments_of(tree: Branch) -> list[str]:
    """The texts of all comments, in order."""
    return [
        text.rstrip()
        for leaf in leaves(tree)
        for line in leaf.before.removeprefix("\ufeff").split("\n")
        if (text := line.lstrip(" \t")).strip()
    ]


def first_leaf(tree: Tree) -> Leaf:
    while isinstance(tree, Branch):
        tree = tree.children[0]
    return tree


def last_leaf(tree: Tree) -> Leaf:
    while isinstance(tree, Branch):
        tree = tree.children[-1]
    return tree
