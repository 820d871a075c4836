"""The concrete syntax tree of a file: every token with the spaces and comments before it, a node for every rule.

It comes from the parser's own lexer and tables; only what a complete rule becomes differs. The texts of all the leaves,
one after the other, are the text of the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from netc.diagnostics import Source
from netc.parse.lexer import Lexer, Token
from netc.parse.tables import Rule, load_tables


class Leaf:
    """A token, and what stands between it and the token before it: spaces, line ends, comments."""

    __slots__ = ("before", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, before: str) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.before = before

    def __repr__(self) -> str:
        return f"{self.type}({self.before!r}, {self.text!r})"


class Branch:
    """A complete rule of the grammar, by the name that the parser's builder knows it by.

    What is indented under a line is a branch of its own, `suite`. A rule that only hands its one part on has no branch.
    """

    __slots__ = ("children", "rule")

    def __init__(self, rule: str, children: list[Tree]) -> None:
        self.rule = rule
        self.children = children

    def __repr__(self) -> str:
        return f"{self.rule}{self.children}"


Tree = Leaf | Branch


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All leaves, in the order of the text."""
    if isinstance(tree, Leaf):
        yield tree
        return
    for child in tree.children:
        yield from leaves(child)


def text_of(tree: Tree) -> str:
    """The text that the tree was read from."""
    return "".join(leaf.before + leaf.text for leaf in leaves(tree))


def read_tree(source: Source) -> Branch:
    """The tree of a file that `parse` accepts; its last leaf, `$END`, holds what stands behind the last token."""
    tables = load_tables()
    text = source.text
    lexer = Lexer(tables, source, 0, len(text))
    states = [tables.start["file"]]
    values: list[list[Tree]] = []
    done = 0
    while True:
        token = lexer.next(states)
        action = tables.actions[states[-1]][token.type]
        while action < 0:
            rule = tables.rules[~action]
            if rule.size == 1 and rule.action == "pass":
                states[-1] = tables.gotos[states[-2]][rule.origin]
            else:
                parts = values[len(values) - rule.size :]
                del states[len(states) - rule.size :], values[len(values) - rule.size :]
                states.append(tables.gotos[states[-1]][rule.origin])
                values.append(_complete(rule, parts))
            if token.type == "$END" and states[-1] == tables.end["file"]:
                return Branch("file", [*values[-1], Leaf("$END", "", len(text), text[done:])])
            action = tables.actions[states[-1]][token.type]
        states.append(action)
        values.append([_leaf(token, text[done : token.start])])
        done = done if token.is_layout else token.end


def _leaf(token: Token, before: str) -> Leaf:
    """Layout has no text of its own: the line ends and the indentation stand before the token that follows."""
    if token.is_layout:
        return Leaf(token.type, "", token.start, "")
    return Leaf(token.type, token.text, token.start, before)


def _complete(rule: Rule, parts: list[list[Tree]]) -> list[Tree]:
    """What a complete rule becomes: one branch, or only its parts."""
    if rule.origin.startswith("_") and parts:
        for part in parts[1:]:
            parts[0].extend(part)  # a list that grows by one at each step is not copied at each
        return parts[0]
    children = _indented([child for part in parts for child in part])
    name = rule.origin if rule.action in ("items", "pass") else rule.action
    hands_on = rule.action == "pass" or name in ("line", "suite", "block")
    if name == "file" or (hands_on and len(children) == 1):
        return children
    return [Branch(name, children)]


def _indented(parts: list[Tree]) -> list[Tree]:
    """Gather what stands between indentation and its end in a `suite`, and leave layout out."""
    kept: list[Tree] = []
    outer: list[Tree] = []
    for part in parts:
        kind = part.type if isinstance(part, Leaf) else ""
        if kind == "_INDENT":
            outer, kept = kept, []
        elif kind == "_DEDENT":
            outer.append(Branch("suite", kept))
            kept = outer
        elif kind != "_NL":
            kept.append(part)
    return kept
